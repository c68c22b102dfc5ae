import { assert, describe, it } from "@effect/vitest"
import * as Connection from "@tickline/core/connection/Connection"
import type * as ConnectionPolicy from "@tickline/core/resilience/ConnectionPolicy"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { circuitWith, connected, policyWith, settle, url, withVenue } from "../Rig.ts"

describe("A connection that gave up", () => {
  it.effect("counts those where the retries were used up, and no others", () =>
    withVenue(policyWith({ retry: { maxRetries: 2, resetOn: "connect" } }), ({ host }) =>
      Effect.gen(function*() {
        const { connection } = yield* connected()
        yield* host.otherwise({ _tag: "Reject", status: 401 })
        yield* host.drop
        yield* TestClock.adjust("1 minute")
        assert.strictEqual((yield* connection.state.current)._tag, "Failed")
        assert.strictEqual((yield* connection.metrics).maxRetriesExceeded, 0)
        yield* host.otherwise({ _tag: "Accept" })
        yield* connection.connect
        yield* host.otherwise({ _tag: "Refuse" })
        yield* host.drop
        yield* TestClock.adjust("1 minute")
        assert.strictEqual((yield* connection.state.current)._tag, "Failed")
        assert.strictEqual((yield* connection.metrics).maxRetriesExceeded, 1)
      })))

  const outages: ReadonlyArray<readonly [what: string, policy: Partial<ConnectionPolicy.ConnectionPolicy>]> = [
    ["for want of retries", { retry: { maxRetries: 2, resetOn: "connect" } }],
    ["by the breaker", {
      circuit: circuitWith({ failureThreshold: 2 }),
      retry: { maxRetries: "unlimited", resetOn: "connect" }
    }]
  ]
  for (const [what, policy] of outages) {
    it.effect(`${what} is done with it: it says so once, and dials no more`, () => {
      const lines: Array<string> = []
      const logger = Logger.make(({ message }) => void lines.push(String(message)))
      return withVenue(policyWith(policy), ({ host }) =>
        Effect.gen(function*() {
          const { connection, recorded } = yield* connected()
          yield* host.otherwise({ _tag: "Refuse" })
          yield* host.drop
          yield* TestClock.adjust("1 second")
          assert.strictEqual((yield* connection.state.current)._tag, "Failed")
          const dials = host.dials.length
          const told = recorded.transitions.length
          yield* host.otherwise({ _tag: "Accept" })
          yield* TestClock.adjust("1 hour")
          assert.strictEqual(host.dials.length, dials)
          assert.strictEqual(recorded.transitions.length, told)
          assert.lengthOf(lines.filter((line) => line === "gave up"), 1)
        })).pipe(Effect.provide(Logger.layer([logger])))
    })
  }

  it.effect("goes on telling its transitions to who has listened since before", () =>
    withVenue(policyWith({ retry: { maxRetries: 0, resetOn: "connect" } }), ({ host }) =>
      Effect.gen(function*() {
        const connection = yield* Connection.make(url)
        const seen: Array<string> = []
        yield* Effect.forkScoped(
          Stream.runForEach(connection.state.transitions, ({ to }) => Effect.sync(() => seen.push(to._tag))),
          { startImmediately: true }
        )
        yield* connection.connect
        yield* host.drop
        yield* settle
        yield* connection.connect
        yield* settle
        assert.deepStrictEqual(seen, ["Connecting", "Connected", "Failed", "Connecting", "Connected"])
      })))
})

describe("The time that a reconnection takes", () => {
  it.effect("is nothing before the first, and the mean after that", () =>
    withVenue(
      policyWith({ backoff: { ...policyWith({}).backoff, jitter: "none" } }),
      ({ host }) =>
        Effect.gen(function*() {
          const { connection } = yield* connected()
          assert.strictEqual((yield* connection.metrics).averageReconnectionMillis, 0)
          yield* host.otherwise({ _tag: "Accept", afterMillis: 400 })
          for (let i = 0; i < 2; i++) {
            yield* host.drop
            yield* TestClock.adjust("10 seconds")
          }
          const { averageReconnectionMillis, downtimeMillis, reconnections } = yield* connection.metrics
          assert.strictEqual(reconnections, 2)
          assert.isAtLeast(averageReconnectionMillis, 400)
          assert.strictEqual(averageReconnectionMillis, downtimeMillis / 2)
        })
    ))
})
