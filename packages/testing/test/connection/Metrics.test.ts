import { assert, describe, it } from "@effect/vitest"
import * as Connection from "@tickline/core/connection/Connection"
import * as CircuitBreaker from "@tickline/core/resilience/CircuitBreaker"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as PrometheusMetrics from "effect/observability/PrometheusMetrics"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { backoffOf, circuitWith, policyWith, settle, url, withVenue } from "../Rig.ts"

/** Runs a test with metrics of its own. */
const apart = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.provideService(effect, Metric.MetricRegistry, new Map())

const heartbeat = { interval: Duration.seconds(15), timeout: Duration.seconds(5), onMiss: "close" } as const

describe("metrics", () => {
  it.effect("are there at zero before anything has happened", () =>
    apart(withVenue(policyWith({}), () =>
      Effect.gen(function*() {
        yield* Connection.make(url)
        const text = yield* PrometheusMetrics.format()
        for (
          const series of [
            "dials_total",
            "connects_total",
            "retries_total",
            "give_ups_total",
            "frames_total",
            "received_bytes_total",
            "sequence_gaps_total",
            "missed_messages_total",
            "heartbeats_missed_total",
            "connected",
            "backoff_delay_ms",
            "outbox_waiting",
            "ping_round_trip_ms_count",
            "dial_duration_ms_count",
            "outage_duration_ms_count"
          ]
        ) assert.include(text, `\ntickline_${series}{connection="ws://venue.test"} 0\n`)
        for (const kind of ["Refused", "Dropped", "HeartbeatMissed", "RestoreFailed", "AuthError"]) {
          assert.match(text, new RegExp(`\ntickline_failures_total\\{[^}]*kind="${kind}"[^}]*\\} 0\n`))
        }
        for (const reason of ["MalformedJson", "TooLarge"]) {
          assert.match(text, new RegExp(`\ntickline_rejections_total\\{[^}]*reason="${reason}"[^}]*\\} 0\n`))
        }
      }))))

  it.effect("count what happened, and how long it took", () =>
    apart(
      withVenue(policyWith({ heartbeat, backoff: backoffOf(2_000, 1, 2_000) }), ({ host }) =>
        Effect.gen(function*() {
          yield* host.otherwise({ _tag: "Accept", afterMillis: 40 })
          const connection = yield* Connection.make(url)
          yield* Effect.forkScoped(Effect.ignore(connection.connect))
          yield* TestClock.adjust("40 millis")
          yield* Effect.forkScoped(
            Stream.runDrain(Stream.take(
              connection.messages({ overflow: "drop-oldest", bytes: 1_000 }),
              1
            )),
            { startImmediately: true }
          )
          yield* TestClock.adjust("15 seconds")
          yield* host.peers()[0]!.freeze
          yield* TestClock.adjust("20 seconds")
          yield* TestClock.adjust("2040 millis")
          const text = yield* PrometheusMetrics.format()
          const label = `{connection="ws://venue.test"}`
          assert.include(text, `\ntickline_connects_total${label} 2\n`)
          assert.include(text, `\ntickline_heartbeats_missed_total${label} 1\n`)
          assert.match(text, /\ntickline_failures_total\{[^}]*kind="HeartbeatMissed"[^}]*\} 1\n/)
          assert.include(text, `\ntickline_dial_duration_ms_count${label} 2\n`)
          assert.include(text, `\ntickline_dial_duration_ms_sum${label} 80\n`)
          assert.match(text, /\ntickline_dial_duration_ms_bucket\{[^}]*le="25"[^}]*\} 0\n/)
          assert.match(text, /\ntickline_dial_duration_ms_bucket\{[^}]*le="50"[^}]*\} 2\n/)
          assert.include(text, `\ntickline_outage_duration_ms_count${label} 1\n`)
          assert.include(text, `\ntickline_outage_duration_ms_sum${label} 2040\n`)
          assert.include(text, `\ntickline_ping_round_trip_ms_count${label} 1\n`)
        }))
    ))

  it.effect("count what slow consumers did not get", () =>
    apart(withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const connection = yield* Connection.connect(url)
        yield* connection.messages({ overflow: "drop-oldest", bytes: 10_000 }).pipe(
          Stream.runForEach(() => Effect.never),
          Effect.forkScoped({ startImmediately: true })
        )
        const [peer] = host.peers()
        yield* peer!.send("first")
        yield* settle
        for (let i = 0; i < 100; i++) yield* Effect.andThen(peer!.send("x".repeat(1_000)), settle)
        const { missed } = yield* connection.metrics
        assert.isAbove(missed, 50)
        const text = yield* PrometheusMetrics.format()
        assert.include(text, `\ntickline_missed_messages_total{connection="ws://venue.test"} ${missed}\n`)
      }))))

  it.effect("have those of the breaker among them, as they are when they are read", () =>
    apart(withVenue(
      policyWith({ circuit: circuitWith({ failureThreshold: 1, whenOpen: "wait" }), backoff: backoffOf(100, 1, 100) }),
      ({ host }) =>
        Effect.gen(function*() {
          yield* host.otherwise({ _tag: "Refuse" })
          const connection = yield* Connection.make(url)
          const label = `{key="ws://venue.test"}`
          const before = yield* PrometheusMetrics.format()
          assert.include(before, `# TYPE circuit_breaker_state gauge\ncircuit_breaker_state${label} 0\n`)
          assert.include(
            before,
            `# TYPE circuit_breaker_failures_total counter\ncircuit_breaker_failures_total${label} 0\n`
          )
          yield* Effect.forkScoped(Effect.ignore(connection.connect))
          yield* TestClock.adjust("4 seconds")
          const after = yield* PrometheusMetrics.format()
          assert.include(after, `\ncircuit_breaker_state${label} 2\n`)
          assert.include(after, `\ncircuit_breaker_failures_total${label} 1\n`)
          assert.include(after, `\ncircuit_breaker_time_in_state_ms${label} 4000\n`)
        })
    )))

  it.effect("of a breaker end with the layer that made it", () =>
    apart(Effect.gen(function*() {
      yield* CircuitBreaker.CircuitBreaker.use((breakers) => breakers.get("venue")).pipe(
        Effect.provide(CircuitBreaker.layer("none"))
      )
      assert.notInclude(yield* PrometheusMetrics.format(), "circuit_breaker")
    })))
})
