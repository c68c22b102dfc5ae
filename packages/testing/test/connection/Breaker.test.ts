/**
 * What a connection shows while it waits for its breaker, and when it dials
 * then.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Connection from "@tickline/core/connection/Connection"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { backoffOf, circuitWith, dialTimes, policyWith, record, timeline, url, withVenue } from "../Rig.ts"

const policy = policyWith({
  backoff: backoffOf(1_000, 1, 1_000),
  circuit: circuitWith({
    failureThreshold: 1,
    whenOpen: "wait",
    openDuration: Duration.seconds(10),
    halfOpen: { successThreshold: 1 }
  }),
  retryInitialConnect: true
})

const opening = Effect.gen(function*() {
  const connection = yield* Connection.make(url)
  const { transitions } = yield* record(connection)
  yield* Effect.forkScoped(Effect.ignore(connection.connect), { startImmediately: true })
  return transitions
})

describe("Waiting for the breaker", () => {
  it.effect("is shown until the probe is due, and to who comes while that of another connection is under way", () =>
    withVenue(policy, ({ host }) =>
      Effect.gen(function*() {
        yield* host.script({ _tag: "Refuse" })
        yield* host.otherwise({ _tag: "Accept", afterMillis: 5_000 })
        const one = yield* opening
        yield* TestClock.adjust("2 seconds")
        const early = yield* opening
        yield* TestClock.adjust("10 seconds")
        const late = yield* opening
        yield* TestClock.adjust("1 minute")
        assert.deepStrictEqual(timeline(one), [
          "0 Connecting 1",
          "0 CircuitOpen 1 in 10000",
          "10000 Connecting 1",
          "15000 Connected 1"
        ])
        assert.deepStrictEqual(timeline(early), [
          "2000 Connecting 1",
          "2000 CircuitOpen 1 in 8000",
          "15000 Connecting 1",
          "20000 Connected 1"
        ])
        assert.deepStrictEqual(timeline(late), [
          "12000 Connecting 1",
          "12000 CircuitOpen 1 in 0",
          "15000 Connecting 1",
          "20000 Connected 1"
        ])
        assert.deepStrictEqual(dialTimes(host), [0, 10_000, 15_000, 15_000])
      })))

  it.effect("ends when it is closed by hand", () =>
    withVenue(policy, ({ host }) =>
      Effect.gen(function*() {
        yield* host.script({ _tag: "Refuse" })
        const connection = yield* Connection.make(url)
        yield* Effect.forkScoped(Effect.ignore(connection.connect), { startImmediately: true })
        yield* TestClock.adjust("4 seconds")
        yield* connection.breaker.reset
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(dialTimes(host), [0, 4_000])
        assert.isTrue(yield* connection.isConnected)
      })))
})
