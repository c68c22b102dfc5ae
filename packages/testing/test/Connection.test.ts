import { assert, describe, it } from "@effect/vitest"
import * as Connection from "@tickline/core/connection/Connection"
import * as Reconnection from "@tickline/core/connection/Reconnection"
import * as Presets from "@tickline/core/resilience/Presets"
import { Transport } from "@tickline/core/transport/Transport"
import * as VirtualNetwork from "@tickline/testing/VirtualNetwork"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"

const url = "ws://venue.test/feed"

describe("Connection", () => {
  it.effect("delivers what arrives, and ends with a close frame", () =>
    Effect.gen(function*() {
      const network = yield* VirtualNetwork.make({ seed: 1, latency: 5 })
      const host = yield* network.serve(url, (peer) => peer.send("hello", "world"))
      const program = Effect.gen(function*() {
        const connection = yield* Connection.make(url)
        const connecting = yield* Effect.forkChild(connection.connect)
        yield* TestClock.adjust("100 millis")
        yield* Fiber.join(connecting)
        const got = yield* Stream.runCollect(Stream.take(connection.messages(), 2))
        assert.deepStrictEqual(got, ["hello", "world"])
        const closing = yield* Effect.forkChild(connection.close())
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(yield* Fiber.join(closing), { mode: "graceful", clean: true })
        assert.strictEqual((yield* connection.state.current)._tag, "Disconnected")
        assert.strictEqual(host.peers().length, 0)
      })
      yield* Effect.scoped(program).pipe(
        Effect.provide(Reconnection.layerWithBreaker(Presets.preset("fast"))),
        Effect.provideService(Transport, network.transport)
      )
    }))

  it.effect("comes back after a drop by the policy's delays", () =>
    Effect.gen(function*() {
      const network = yield* VirtualNetwork.make({ seed: 1 })
      const host = yield* network.serve(url)
      const program = Effect.gen(function*() {
        const connection = yield* Connection.connect(url)
        yield* host.script(...Array.from({ length: 5 }, () => ({ _tag: "Refuse" as const })))
        yield* host.drop
        const ending = yield* Effect.forkChild(Effect.flip(Stream.runDrain(connection.batches())))
        yield* TestClock.adjust("10 seconds")
        const error = yield* Fiber.join(ending)
        assert.strictEqual(error._tag, "ConnectionAborted")
        assert.deepStrictEqual(host.dials.map((dial) => dial.at), [0, 100, 300, 700, 1500, 2300])
      })
      yield* Effect.scoped(program).pipe(
        Effect.provide(Reconnection.layerWithBreaker(Presets.preset("fast"))),
        Effect.provideService(Transport, network.transport)
      )
    }))

  it.effect("shows a decoder that throws as the bug that it is, to everybody who waits", () =>
    Effect.gen(function*() {
      const network = yield* VirtualNetwork.make()
      const host = yield* network.serve(url, (peer) => peer.send("hello"))
      const program = Effect.gen(function*() {
        const connection = yield* Connection.make(url, {
          decode: () => {
            throw new Error("a bug")
          }
        })
        const reading = yield* Effect.forkChild(Stream.runDrain(connection.messages()))
        yield* Effect.exit(connection.connect)
        const exit = yield* Fiber.await(reading)
        assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause))
        assert.strictEqual((yield* connection.state.current)._tag, "Disconnected")
        assert.strictEqual(host.peers().length, 0)
      })
      yield* Effect.scoped(program).pipe(
        Effect.provide(Reconnection.layerWithBreaker(Presets.preset("fast"))),
        Effect.provideService(Transport, network.transport)
      )
    }))
})
