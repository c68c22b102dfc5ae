/** A thousand products on one connection, by a stream for each and by one observer; and what an observer costs. */
import "effect/schema/SchemaJITCompiler/enable"
import * as Clients from "./Clients.ts"
import * as Frames from "./Frames.ts"
import * as Rounds from "./Rounds.ts"
import { cpu, latency, watchEmits } from "./Spent.ts"

const count = 200_000
const perSecond = 20_000
const paced = 30_000

const server = await Clients.serve()
const flood = `${server.url}/?count=${count}&rate=0`
const many = `${flood}&many`
const pace = `${server.url}/?count=${paced}&rate=${perSecond}`
const [one, thousand] = [Frames.products(1), Frames.products(1_000)]

let sink = 0
const onPrice = (price: string): void => void (sink += price.length)

/** How many frames a second come, from the first of them on. */
const raw = async (): Promise<number> => {
  let begun = 0
  await Clients.raw(flood, count, (price) => {
    if (begun === 0) begun = performance.now()
    onPrice(price)
  })
  return count / (performance.now() - begun) * 1_000
}

const fast = await Rounds.interleave({
  raw,
  stream: () => Clients.streams(flood, count, one),
  streams: () => Clients.streams(many, count, thousand),
  observer: () => Clients.observer(flood, count, one),
  observers: () => Clients.observer(many, count, thousand)
}, { rounds: 7, warmup: 5 })

const spent = await Rounds.interleave({
  raw: () => cpu(() => Clients.raw(pace, paced, onPrice)),
  observer: () => cpu(() => Clients.observer(pace, paced, one))
}, { rounds: 7, warmup: 3 })

watchEmits()
const late = await Rounds.interleave({
  raw: () => latency((mark) => Clients.raw(pace, paced, mark)),
  observer: () => latency((mark) => Clients.observer(pace, paced, one, mark))
}, { rounds: 5, warmup: 2 })

const rate = (values: ReadonlyArray<number>): string => `${Math.round(Rounds.median(values) / 1_000)} thousand frames/s`

Rounds.report([
  {
    name: "1,000 products, a stream each ÷ one product",
    value: Rounds.ratio(fast.streams, fast.stream),
    unit: "×",
    higher: true,
    must: 0.4,
    goal: 0.7,
    detail: `${rate(fast.streams)}, one product ${rate(fast.stream)}`
  },
  {
    name: "1,000 products by one observer that routes by key ÷ one product",
    value: Rounds.ratio(fast.observers, fast.observer),
    unit: "×",
    higher: true,
    must: 0.9,
    goal: 0.98,
    detail: `${rate(fast.observers)}, one product ${rate(fast.observer)}`
  },
  {
    name: "socket → exact typed event → an observer ÷ ws + JSON.parse",
    value: Rounds.ratio(fast.observer, fast.raw),
    unit: "×",
    higher: true,
    must: 1,
    goal: 1.15,
    detail: `${rate(fast.observer)}, ws + JSON.parse ${rate(fast.raw)}`
  },
  {
    name: "CPU at 20,000 frames/s, one by one, an observer ÷ ws + JSON.parse",
    value: Rounds.ratio(spent.observer, spent.raw),
    unit: "×",
    higher: false,
    must: 1.12,
    goal: 1.05,
    detail: `${(Rounds.median(spent.observer) / paced).toFixed(1)} µs a frame, ws + JSON.parse ${
      (Rounds.median(spent.raw) / paced).toFixed(1)
    }`
  },
  {
    name: "in-process latency, ws event → observer, p50 above raw",
    value: Rounds.median(late.observer.map((value, i) => value - (late.raw[i] ?? 0))),
    unit: "µs",
    higher: false,
    must: 2,
    goal: 0.5,
    detail: `${Rounds.median(late.observer).toFixed(1)} µs, raw with JSON.parse ${
      Rounds.median(late.raw).toFixed(1)
    } µs`
  }
])
server.stop()
if (sink === 0) throw new Error("nothing was read")
process.exit(0)
