/** How soon a venue's test is answered while it floods us, a consumer is slow and the outbox is full. */
import "effect/schema/SchemaJITCompiler/enable"
import * as Reconnection from "@tickline/core/connection/Reconnection"
import * as MarketFeed from "@tickline/core/market/MarketFeed"
import * as Presets from "@tickline/core/resilience/Presets"
import * as Deribit from "@tickline/core/venue/deribit/Venue"
import * as NodeTransport from "@tickline/node/NodeTransport"
import * as Effect from "effect/Effect"
import * as References from "effect/References"
import * as Stream from "effect/Stream"
import { fork } from "node:child_process"
import { fileURLToPath } from "node:url"
import * as Rounds from "./Rounds.ts"

const child = fork(fileURLToPath(new URL("./TestServer.ts", import.meta.url)), { stdio: "inherit" })
const message = <A>(): Promise<A> =>
  new Promise((resolve, reject) => {
    child.once("message", (value) => resolve(value as A))
    child.once("exit", (code) => reject(new Error(`the server ended with ${code}`)))
  })
const { url } = await message<{ url: string }>()

const run = Effect.gen(function*() {
  const answered = message<{ took: Array<number>; sent: number }>()
  const feed = yield* MarketFeed.make(Deribit.venue, { url })
  yield* feed.trades("BTC-PERPETUAL", { overflow: "drop-oldest", bytes: 1_048_576 }).pipe(
    Stream.runForEachArray(() => Effect.sleep("100 millis")),
    Effect.forkScoped
  )
  // Ordinary messages, more than the venue's limit lets out, wait behind the answers.
  yield* Effect.forEach(
    Array.from(
      { length: 500 },
      (_, i) => JSON.stringify({ jsonrpc: "2.0", id: 1_000_000 + i, method: "public/get_time" })
    ),
    (frame) => feed.connection.send(frame, { delivery: "keep", priority: "query" }),
    { discard: true }
  )
  return yield* Effect.promise(() => answered)
}).pipe(
  Effect.scoped,
  Effect.provide([Reconnection.layerWithBreaker(Presets.preset("fast")), NodeTransport.layer]),
  Effect.provideService(References.MinimumLogLevel, "None")
)

const p99s: Array<number> = []
const rates: Array<number> = []
for (let round = -1; round < 3; round++) {
  const begun = performance.now()
  const { sent, took } = await Effect.runPromise(run)
  if (round < 0) continue
  p99s.push([...took].sort((a, b) => a - b)[Math.floor(took.length * 0.99)] ?? Number.NaN)
  rates.push(sent / (performance.now() - begun))
}
Rounds.report([
  {
    name: "test_request answered under a flood, p99",
    value: Rounds.median(p99s),
    unit: "ms",
    higher: false,
    must: 250,
    goal: 50,
    detail: `${Rounds.median(rates).toFixed(0)} thousand frames/s, a slow consumer, 500 messages waiting`
  }
])
child.disconnect()
process.exit(0)
