import { assert, describe, it } from "@effect/vitest"
import * as Connection from "@tickline/core/connection/Connection"
import { Transport } from "@tickline/core/transport/Transport"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as TestClock from "effect/testing/TestClock"
import { internals } from "../../../core/src/connection/internal/connectionInternals.ts"
import { connected, policyWith, url, withVenue } from "../Rig.ts"

const heartbeat = { interval: Duration.minutes(10), timeout: Duration.seconds(4), onMiss: "close" } as const
/** The round trip in milliseconds, or "nothing". */
const probe = (connection: Connection.Connection<unknown>) =>
  Effect.map(connection[internals].ping, Option.getOrElse(() => "nothing" as const))

const connectTimeout = Duration.seconds(7)

describe("A probe", () => {
  it.effect("measures the round trip", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const { connection } = yield* connected()
        yield* host.setLatency(40)
        const probing = yield* Effect.forkChild(probe(connection))
        yield* TestClock.adjust("1 second")
        assert.strictEqual(yield* Fiber.join(probing), 80)
        yield* connection.close({ mode: "forced" })
      })))

  for (
    const [name, policy, seconds] of [
      ["the heartbeat's timeout", policyWith({ heartbeat, connectTimeout }), 4],
      ["the timeout of a dial, where there is no heartbeat", policyWith({ connectTimeout }), 7]
    ] as const
  ) {
    it.effect(`is nothing after ${name}`, () =>
      withVenue(policy, ({ host }) =>
        Effect.gen(function*() {
          const { connection } = yield* connected()
          yield* host.peers()[0]!.freeze
          const probing = yield* Effect.forkChild(probe(connection))
          yield* TestClock.adjust(seconds * 1000 - 1)
          assert.isUndefined(probing.pollUnsafe())
          yield* TestClock.adjust(1)
          assert.strictEqual(yield* Fiber.join(probing), "nothing")
          assert.isTrue(yield* connection.isConnected)
          yield* connection.close({ mode: "forced" })
        })))
  }

  it.effect("is nothing while the connection is down, or where the transport cannot ping", () =>
    withVenue(policyWith({}), ({ network }) =>
      Effect.gen(function*() {
        const down = yield* Connection.make(url)
        assert.strictEqual(yield* probe(down), "nothing")
        const capabilities = { ...network.transport.capabilities, ping: false }
        const mute = yield* Connection.connect(url).pipe(
          Effect.provideService(Transport, { ...network.transport, capabilities })
        )
        assert.strictEqual(yield* probe(mute), "nothing")
      })))
})
