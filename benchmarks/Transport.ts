/** Socket → exact typed event → subscribers, as fast as it goes, beside `ws` and `JSON.parse`. */
import "effect/schema/SchemaJITCompiler/enable"
import * as Clients from "./Clients.ts"
import * as Rounds from "./Rounds.ts"

// So many that making the feed, its dial and its close, about 10 ms, are a small part: they have rows of their own.
const count = 200_000
// ccxt is slower by far: fewer frames measure it as well.
const ccxtCount = 10_000

const server = await Clients.serve()
const at = (frames: number): string => `${server.url}/?count=${frames}&rate=0`

let sink = 0
const timed = async (frames: number, run: () => Promise<void>): Promise<number> => {
  const begun = performance.now()
  await run()
  return frames / (performance.now() - begun) * 1_000
}

const results = await Rounds.interleave({
  raw: () => timed(count, () => Clients.raw(at(count), count, (price) => void (sink += price.length))),
  one: () => timed(count, () => Clients.tickline(at(count), count, 1, (trades) => void (sink += trades))),
  ten: () => timed(count, () => Clients.tickline(at(count), count, 10, (trades) => void (sink += trades))),
  reconnecting: () =>
    timed(count, () => Clients.reconnecting(at(count), count, (price) => void (sink += price.length))),
  ccxt: () => timed(ccxtCount, () => Clients.ccxt(at(ccxtCount), ccxtCount, (trades) => void (sink += trades)))
}, { rounds: 7, warmup: 5 })

const rate = (values: ReadonlyArray<number>): string => `${Math.round(Rounds.median(values) / 1_000)} thousand frames/s`

Rounds.report([
  {
    name: "socket → exact typed event → one subscriber ÷ ws + JSON.parse",
    value: Rounds.ratio(results.one, results.raw),
    unit: "×",
    higher: true,
    must: 0.9,
    goal: 1,
    detail: `${rate(results.one)}, ws + JSON.parse ${rate(results.raw)}`
  },
  {
    name: "the same with ten subscribers",
    value: Rounds.ratio(results.ten, results.raw),
    unit: "×",
    higher: true,
    must: 0.85,
    goal: 0.95,
    detail: rate(results.ten)
  },
  {
    name: "peer: reconnecting-websocket + JSON.parse (untyped)",
    value: Rounds.ratio(results.reconnecting, results.raw),
    unit: "×",
    higher: true,
    detail: rate(results.reconnecting)
  },
  {
    name: "peer: ccxt watchTrades (doubles)",
    value: Rounds.ratio(results.ccxt, results.raw),
    unit: "×",
    higher: true,
    detail: rate(results.ccxt)
  }
])
server.stop()
if (sink === 0) throw new Error("nothing was read")
process.exit(0)
