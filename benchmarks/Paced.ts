/** 20,000 frames a second, one by one: what they cost in CPU, and how late a subscriber has them. */
import "effect/schema/SchemaJITCompiler/enable"
import * as Clients from "./Clients.ts"
import * as Rounds from "./Rounds.ts"
import { cpu, latency, watchEmits } from "./Spent.ts"

const perSecond = 20_000
const count = 30_000

const server = await Clients.serve()
const url = `${server.url}/?count=${count}&rate=${perSecond}`

let sink = 0
watchEmits()

const spent = await Rounds.interleave({
  raw: () => cpu(() => Clients.raw(url, count, (price) => void (sink += price.length))),
  ours: () => cpu(() => Clients.tickline(url, count, 1, (trades) => void (sink += trades))),
  ccxt: () => cpu(() => Clients.ccxt(url, count, (trades) => void (sink += trades)))
}, { rounds: 7, warmup: 3 })

const late = await Rounds.interleave({
  raw: () => latency((mark) => Clients.raw(url, count, mark)),
  ours: () => latency((mark) => Clients.tickline(url, count, 1, mark))
}, { rounds: 7, warmup: 3 })

Rounds.report([
  {
    name: "CPU at 20,000 frames/s, one by one ÷ ws + JSON.parse",
    value: Rounds.ratio(spent.ours, spent.raw),
    unit: "×",
    higher: false,
    must: 1.25,
    goal: 1.1,
    detail: `${(Rounds.median(spent.ours) / count).toFixed(1)} µs a frame, ws + JSON.parse ${
      (Rounds.median(spent.raw) / count).toFixed(1)
    }`
  },
  {
    name: "peer: ccxt watchTrades, CPU at 20,000 frames/s",
    value: Rounds.ratio(spent.ccxt, spent.raw),
    unit: "×",
    higher: false
  },
  {
    name: "in-process latency, ws event → subscriber, p50 above raw",
    value: Rounds.median(late.ours.map((value, i) => value - (late.raw[i] ?? 0))),
    unit: "µs",
    higher: false,
    must: 5,
    goal: 2,
    detail: `${Rounds.median(late.ours).toFixed(1)} µs, raw with JSON.parse ${Rounds.median(late.raw).toFixed(1)} µs`
  }
])
server.stop()
if (sink === 0) throw new Error("nothing was read")
process.exit(0)
