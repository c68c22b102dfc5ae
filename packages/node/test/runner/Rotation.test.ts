/** `stream` while a venue announces its end: a new connection takes over, and the life of both is told by leg. */
import { assert, describe, it } from "@effect/vitest"
import * as MockBinance from "@tickline/testing/MockBinance"
import * as MockServer from "@tickline/testing/node/MockServer"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { ids, states } from "./Streams.ts"
import * as TestHost from "./TestHost.ts"

const announced = JSON.stringify({ stream: "!serverShutdown", data: { e: "serverShutdown", E: 1_700_000_000_000 } })

describe("stream over a rotation", { timeout: 20_000 }, () => {
  it.live("prints Rotated and the legs with --lifecycle, and each trade once", () =>
    Effect.gen(function*() {
      const server = yield* MockServer.make({ venue: MockBinance.make(), rate: 50 })
      const world = TestHost.make()
      const running = yield* Effect.forkChild(
        TestHost.run(world, "stream", "binance", "BTC-USD", "--url", server.url, "--preset", "test", "--lifecycle")
      )
      const connection = yield* server.nextConnection
      yield* world.printed(/"Trade"/)
      yield* connection.send(announced)
      yield* world.printed(/"Rotated"/)
      yield* world.printed(/"Disconnected"/)
      yield* world.send("SIGTERM")
      assert.strictEqual(yield* Fiber.join(running), 0)
      const events = world.objects()
      const rotated = events.find(({ _tag }) => _tag === "Rotated")
      assert.deepStrictEqual(Object.keys(rotated ?? {}), ["_tag", "venue", "from", "to", "reason", "at"])
      assert.deepInclude(rotated, { venue: "binance", from: 1, to: 2, reason: "serverShutdown" })
      assert.deepStrictEqual(
        events.flatMap(({ _tag, leg, state }) => _tag === "Connection" ? [`${String(leg)} ${String(state)}`] : []),
        [
          "undefined Connecting",
          "undefined Connected",
          "2 Connecting",
          "2 Connected",
          "1 Closing",
          "1 Disconnected",
          "2 Closing",
          "2 Disconnected"
        ]
      )
      assert.strictEqual(states(events).length, 8)
      const told = ids(events)
      assert.deepStrictEqual(told, told.map((_, index) => (told[0] ?? 0) + index))
      assert.deepStrictEqual(events.filter(({ _tag }) => _tag === "Gap"), [])
      assert.match(world.stderr(), /; 2 epochs, 0 drops, 0 gaps$/m)
    }))
})
