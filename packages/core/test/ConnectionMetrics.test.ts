/**
 * What a connection's recorder makes of what it is told, to the number: as
 * members, as JSON and as the metrics of the process.
 */
import { assert, describe, it } from "@effect/vitest"
import * as ConnectError from "@tickline/core/connection/ConnectError"
import * as ConnectionMetrics from "@tickline/core/connection/ConnectionMetrics"
import { ConnectionState } from "@tickline/core/connection/ConnectionState"
import { WireClosed } from "@tickline/core/transport/Transport"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as PrometheusMetrics from "effect/observability/PrometheusMetrics"
import * as MetricsRecorder from "../src/connection/internal/metricsRecorder.ts"
import type * as Outboxes from "../src/connection/internal/outbox.ts"

const outbox: Outboxes.OutboxCounts = {
  waiting: 1,
  waitingBytes: 20,
  mostWaiting: 3,
  sent: 40,
  sentAfterWaiting: 5,
  withdrawn: 6,
  refused: 7,
  unsent: 8,
  unconfirmed: 9
}

const dropped = new ConnectError.Dropped({
  epoch: 1,
  closed: new WireClosed({ by: "network", code: 1006, reason: "" })
})
const missed = new ConnectError.HeartbeatMissed({ epoch: 2, afterMillis: 5 })

/** A recorder of the label `venue`, and what of its metrics is not zero; the metrics are the test's own. */
const recording = (
  use: (recorder: MetricsRecorder.MetricsRecorder, series: Effect.Effect<ReadonlyArray<string>>) => Effect.Effect<void>
) =>
  Effect.gen(function*() {
    const recorder = MetricsRecorder.make("venue", yield* Effect.context())
    const series = Effect.map(PrometheusMetrics.format(), (text) =>
      text.split("\n").flatMap((line) => {
        const [, name, labels, value] = /^tickline_(\w+)\{(.*)\} (\S+)$/.exec(line) ?? []
        if (name === undefined || name.endsWith("_bucket") || value === "0") return []
        assert.include(labels, "connection=\"venue\"")
        const [own] = /(?:kind|reason)="\w+"/.exec(labels ?? "") ?? []
        return [`${name}${own === undefined ? "" : ` ${own}`} ${value}`]
      }))
    yield* use(recorder, series)
  }).pipe(Effect.provideService(Metric.MetricRegistry, new Map()))

/** An outage of the first dial, a drop and what comes between. */
const live = (recorder: MetricsRecorder.MetricsRecorder): void => {
  recorder.sessionBegan("conn_1")
  recorder.dialled(10)
  recorder.down(15)
  recorder.failed(missed)
  recorder.retried()
  recorder.dialled(40)
  recorder.connected(1_000, 65)
  recorder.received(70, 3, 90)
  recorder.received(75, 1, 10)
  recorder.delivered(5)
  recorder.delivered(2)
  for (const reason of ["MalformedJson", "TooLarge", "MalformedJson"] as const) recorder.rejected(reason)
  recorder.stepped({ _tag: "InOrder" })
  recorder.stepped({ _tag: "Gap", from: 1n, to: 6n, missing: 4n })
  recorder.stepped({ _tag: "Gap", from: 6n, to: 9n, missing: 2n })
  recorder.stepped({ _tag: "Violation", from: 9n, to: 3n })
  recorder.missed(6)
  recorder.waiting(7)
  recorder.waiting(4)
  for (const stall of ["consumer", "loop", "consumer"] as const) recorder.stalled(stall)
  for (const millis of [30, 12, 9]) recorder.answered(80, millis)
  recorder.missedPong()
  recorder.failed(dropped)
  recorder.failed(dropped)
  recorder.unconfirmed(2)
  recorder.down(100)
  recorder.down(120)
  recorder.retried()
  recorder.dialled(130)
  recorder.connected(2_000, 160)
  recorder.backoffReset()
  recorder.backoffReset()
  recorder.conflicted()
  recorder.observerFailed()
  recorder.observerFailed()
  for (const mode of ["graceful", "forced", "graceful"] as const) recorder.closed(mode)
  recorder.gaveUp(true)
  recorder.gaveUp(false)
  recorder.ended(new ConnectError.ConnectionClosed())
}

describe("ConnectionMetrics", () => {
  it.effect("have nothing to tell at first, and no number that is not zero", () =>
    recording((recorder, series) =>
      Effect.gen(function*() {
        const metrics = recorder.read("Disconnected", 0, 5_000, 200, outbox, 0)
        assert.deepStrictEqual(metrics, {
          id: undefined,
          state: "Disconnected",
          epoch: 0,
          connectedAt: undefined,
          lastHeardAt: undefined,
          lastError: undefined,
          attempts: 0,
          connects: 0,
          reconnections: 0,
          retries: 0,
          maxRetriesExceeded: 0,
          downtimeMillis: 0,
          averageReconnectionMillis: 0,
          backoffResets: 0,
          backoffDelayMillis: 0,
          conflicts: 0,
          failures: {},
          closes: { graceful: 0, forced: 0 },
          frames: 0,
          bytes: 0,
          messages: 0,
          rejections: {},
          sequence: { gaps: 0, missing: 0n, violations: 0 },
          outbox,
          missed: 0,
          stalls: { consumer: 0, loop: 0 },
          observerErrors: 0,
          heartbeat: {
            answered: 0,
            missed: 0,
            lastRoundTripMillis: undefined,
            p50RoundTripMillis: undefined,
            p99RoundTripMillis: undefined
          }
        })
        assert.deepInclude(ConnectionMetrics.toJson(metrics), {
          id: null,
          connected_at: null,
          last_heard_at: null,
          last_error: null,
          heartbeat: {
            answered: 0,
            missed: 0,
            last_round_trip_ms: null,
            p50_round_trip_ms: null,
            p99_round_trip_ms: null
          }
        })
        assert.deepStrictEqual(yield* series, [])
      })
    ))

  it.effect("count each thing once, and tell it as JSON", () =>
    recording((recorder) =>
      Effect.sync(() => {
        live(recorder)
        assert.deepStrictEqual(ConnectionMetrics.toJson(recorder.read("Connected", 2, 5_000, 200, outbox, 6)), {
          id: "conn_1",
          state: "Connected",
          epoch: 2,
          connected_at: 1_000,
          last_heard_at: 4_960,
          last_error: "connection closed",
          total_attempts: 3,
          successful: 2,
          reconnections: 1,
          retries: 2,
          max_retries_exceeded: 1,
          // From 15 to 65, and from 100 to 160.
          total_downtime_ms: 110,
          average_reconnection_ms: 110,
          backoff_resets: 2,
          current_backoff_delay_ms: 0,
          concurrent_attempt_conflicts: 1,
          failures: { HeartbeatMissed: 1, Dropped: 2 },
          closes: { graceful: 2, forced: 1 },
          frames: 4,
          received_bytes: 100,
          messages: 7,
          rejections: { MalformedJson: 2, TooLarge: 1 },
          sequence: { gaps: 2, missing: "6", violations: 1 },
          outbox: {
            waiting: 1,
            waiting_bytes: 20,
            most_waiting: 3,
            sent: 40,
            sent_after_waiting: 5,
            withdrawn: 6,
            overflows: 7,
            unsent: 8,
            unconfirmed: 9
          },
          missed: 6,
          stalls: { consumer: 2, loop: 1 },
          observer_errors: 2,
          heartbeat: {
            answered: 3,
            missed: 1,
            last_round_trip_ms: 9,
            p50_round_trip_ms: 12,
            p99_round_trip_ms: 30
          }
        })
      })
    ))

  it.effect("tell the process the same", () =>
    recording((recorder, series) =>
      Effect.gen(function*() {
        live(recorder)
        recorder.moved(ConnectionState.Connected({ epoch: 2 }))
        assert.sameMembers([...(yield* series)], [
          "dials_total 3",
          "connects_total 2",
          "retries_total 2",
          "give_ups_total 2",
          "frames_total 4",
          "received_bytes_total 100",
          "failures_total kind=\"HeartbeatMissed\" 1",
          "failures_total kind=\"Dropped\" 2",
          "rejections_total reason=\"MalformedJson\" 2",
          "rejections_total reason=\"TooLarge\" 1",
          "sequence_gaps_total 2",
          "missed_messages_total 6",
          "unconfirmed_messages_total 2",
          "heartbeats_answered_total 3",
          "heartbeats_missed_total 1",
          "observer_errors_total 2",
          "connected 1",
          "outbox_waiting 4",
          "round_trip_ms 9",
          "ping_round_trip_ms_count 3",
          "ping_round_trip_ms_sum 51",
          "dial_duration_ms_count 2",
          "dial_duration_ms_sum 55",
          "outage_duration_ms_count 2",
          "outage_duration_ms_sum 110"
        ])
      })
    ))

  it.effect("tell the delay of a wait for the backoff or the breaker, and of nothing else", () =>
    recording((recorder, series) =>
      Effect.gen(function*() {
        const wait = { attempt: 1, delayMillis: 700, until: 900, failure: undefined, pattern: undefined }
        for (
          const [state, delay, told] of [
            [ConnectionState.Reconnecting(wait), 700, ["backoff_delay_ms 700"]],
            [ConnectionState.Connecting({ attempt: 1 }), 0, []],
            [ConnectionState.CircuitOpen(wait), 700, ["backoff_delay_ms 700"]],
            [ConnectionState.Connected({ epoch: 1 }), 0, ["connected 1"]],
            [ConnectionState.Disconnected(), 0, []]
          ] as const
        ) {
          recorder.moved(state)
          assert.strictEqual(recorder.read("Connected", 1, 0, 0, outbox, 0).backoffDelayMillis, delay)
          assert.deepStrictEqual(yield* series, told)
        }
      })
    ))

  it.effect("count an outage that goes on, and no reconnection where a session begins", () =>
    recording((recorder) =>
      Effect.sync(() => {
        live(recorder)
        recorder.down(210)
        assert.strictEqual(recorder.read("Reconnecting", 2, 5_000, 230.4, outbox, 0).downtimeMillis, 130)
        recorder.sessionBegan("conn_2")
        assert.isUndefined(recorder.read("Connecting", 2, 5_000, 240, outbox, 0).connectedAt)
        recorder.connected(7_000, 250)
        recorder.answered(260.4, 1)
        const { averageReconnectionMillis, connectedAt, connects, id, lastHeardAt, reconnections } = recorder.read(
          "Connected",
          3,
          8_000,
          300,
          outbox,
          0
        )
        assert.deepStrictEqual(
          { averageReconnectionMillis, connectedAt, connects, id, lastHeardAt, reconnections },
          {
            averageReconnectionMillis: 150,
            connectedAt: 7_000,
            connects: 3,
            id: "conn_2",
            lastHeardAt: 7_960,
            reconnections: 1
          }
        )
        recorder.down(300)
        recorder.connected(9_000, 350)
        assert.deepInclude(recorder.read("Connected", 4, 9_000, 350, outbox, 0), {
          reconnections: 2,
          downtimeMillis: 200,
          averageReconnectionMillis: 100
        })
      })
    ))

  it.effect("have the median and the longest of the last hundred round trips", () =>
    recording((recorder) =>
      Effect.sync(() => {
        for (let millis = 1; millis <= 201; millis++) recorder.answered(0, millis)
        const { answered, lastRoundTripMillis, p50RoundTripMillis, p99RoundTripMillis } =
          recorder.read("Connected", 1, 0, 0, outbox, 0).heartbeat
        assert.deepStrictEqual(
          { answered, lastRoundTripMillis, p50RoundTripMillis, p99RoundTripMillis },
          { answered: 201, lastRoundTripMillis: 201, p50RoundTripMillis: 152, p99RoundTripMillis: 201 }
        )
      })
    ))
})
