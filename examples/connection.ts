/**
 * One connection by its five calls: `connect`, `subscribe`, `send`, `state` and
 * `close`. It speaks to a mock venue that it starts itself.
 *
 * Run: npx -y pnpm@12 exec node examples/connection.ts
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { CoinbaseExchange, Connection, Reconnection } from "@tickline/core"
import { NodeTransport } from "@tickline/node"
import { MockCoinbaseExchange } from "@tickline/testing"
import { MockServer } from "@tickline/testing/node"
import { Console, Effect, Logger, Stream } from "effect"

const program = Effect.gen(function*() {
  const { url } = yield* MockServer.make({ venue: MockCoinbaseExchange.make(), seed: 7, rate: 20 })
  const connection = yield* Connection.make(url, { dialect: CoinbaseExchange.venue })
  yield* connection.state.transitions.pipe(
    Stream.runForEach(({ from, reason, to }) => Console.log(`${from._tag} → ${to._tag}: ${reason}`)),
    Effect.forkScoped({ startImmediately: true })
  )

  yield* connection.connect
  // What is wanted is asked for now, and again on every connection to come.
  yield* connection.subscribe([{ channel: "matches", product: "BTC-USD" }])
  // A message goes out on the connection that is up, or fails with `NotSent`.
  yield* connection.send(JSON.stringify({ type: "subscribe", product_ids: ["BTC-USD"], channels: ["heartbeat"] }))
  yield* connection.messages().pipe(Stream.take(5), Stream.runForEach((frame) => Console.log(frame)))
  yield* connection.close()
})

NodeRuntime.runMain(
  Effect.scoped(program).pipe(
    Effect.provide([NodeTransport.layer, Reconnection.layerWithBreaker(), Logger.layer([])])
  )
)
