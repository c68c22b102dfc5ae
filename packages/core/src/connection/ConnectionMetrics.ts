/**
 * What a connection has seen: kept as plain numbers, told to Effect's `Metric`
 * once a batch or a transition, and read as one value.
 *
 * @since 0.1.0
 */
import type * as Record from "effect/Record"
import type * as Schema from "effect/Schema"
import type * as ConnectError from "./ConnectError.ts"
import type { ConnectionState } from "./ConnectionState.ts"
import type * as Heartbeat from "./internal/heartbeat.ts"
import type * as Outboxes from "./internal/outbox.ts"

/**
 * What a connection has seen since it was made. Times are epoch milliseconds;
 * durations are measured on the monotonic clock, and so is how long ago
 * `lastHeardAt` was.
 *
 * `id` and `connectedAt` are of the session: from one `connect` to the next,
 * kept across reconnects. `retries` counts waits before a dial, `attempts`
 * dials, `reconnections` the epochs after a session's first.
 *
 * - `maxRetriesExceeded`: how often it gave up because the retries were used up
 * - `downtimeMillis`: from the end of an epoch, or a first failed dial, to the
 *   next epoch; the outage under way is counted so far
 * - `averageReconnectionMillis`: downtime by reconnection, 0 before the first
 * - `backoffResets`: how often a success ended a row of retries
 * - `backoffDelayMillis`: the wait before the next dial, 0 while there is none
 * - `conflicts`: calls of `connect` and `reconnect` that caused no dial of their own
 * - `failures`, `rejections`: by kind and by reason, those that happened
 * - `frames`, `bytes`: received; `messages`: what they were decoded to
 * - `missed`: messages and rejections that consumers did not get because they did
 *   not keep up
 * - `observerErrors`: how often an observer threw
 * - `stalls`: overdue pongs for which a consumer or our event loop was to blame
 *
 * @category models
 * @since 0.1.0
 */
export interface ConnectionMetrics {
  readonly id: string | undefined
  readonly state: ConnectionState["_tag"]
  readonly epoch: number
  readonly connectedAt: number | undefined
  readonly lastHeardAt: number | undefined
  readonly lastError: ConnectError.ConnectError | undefined
  readonly attempts: number
  readonly connects: number
  readonly reconnections: number
  readonly retries: number
  readonly maxRetriesExceeded: number
  readonly downtimeMillis: number
  readonly averageReconnectionMillis: number
  readonly backoffResets: number
  readonly backoffDelayMillis: number
  readonly conflicts: number
  readonly failures: Readonly<Partial<Record<ConnectError.FailureKind, number>>>
  readonly closes: { readonly graceful: number; readonly forced: number }
  readonly frames: number
  readonly bytes: number
  readonly messages: number
  readonly rejections: Readonly<Record<string, number>>
  readonly sequence: { readonly gaps: number; readonly missing: bigint; readonly violations: number }
  readonly outbox: Outboxes.OutboxCounts
  readonly missed: number
  readonly stalls: Readonly<Record<Heartbeat.Stall, number>>
  readonly observerErrors: number
  readonly heartbeat: {
    readonly answered: number
    readonly missed: number
    readonly lastRoundTripMillis: number | undefined
    /** Of the last 100 round trips. */
    readonly p50RoundTripMillis: number | undefined
    readonly p99RoundTripMillis: number | undefined
  }
}

/**
 * The metrics as JSON: members in snake case, the last error as its text.
 *
 * @category encoding
 * @since 0.1.0
 */
export const toJson = (metrics: ConnectionMetrics): Schema.Json => ({
  id: metrics.id ?? null,
  state: metrics.state,
  epoch: metrics.epoch,
  connected_at: metrics.connectedAt ?? null,
  last_heard_at: metrics.lastHeardAt ?? null,
  last_error: metrics.lastError?.message ?? null,
  total_attempts: metrics.attempts,
  successful: metrics.connects,
  reconnections: metrics.reconnections,
  retries: metrics.retries,
  max_retries_exceeded: metrics.maxRetriesExceeded,
  total_downtime_ms: metrics.downtimeMillis,
  average_reconnection_ms: metrics.averageReconnectionMillis,
  backoff_resets: metrics.backoffResets,
  current_backoff_delay_ms: metrics.backoffDelayMillis,
  concurrent_attempt_conflicts: metrics.conflicts,
  failures: { ...metrics.failures },
  closes: { ...metrics.closes },
  frames: metrics.frames,
  received_bytes: metrics.bytes,
  messages: metrics.messages,
  rejections: { ...metrics.rejections },
  sequence: {
    gaps: metrics.sequence.gaps,
    missing: String(metrics.sequence.missing),
    violations: metrics.sequence.violations
  },
  outbox: {
    waiting: metrics.outbox.waiting,
    waiting_bytes: metrics.outbox.waitingBytes,
    most_waiting: metrics.outbox.mostWaiting,
    sent: metrics.outbox.sent,
    sent_after_waiting: metrics.outbox.sentAfterWaiting,
    withdrawn: metrics.outbox.withdrawn,
    overflows: metrics.outbox.refused,
    unsent: metrics.outbox.unsent,
    unconfirmed: metrics.outbox.unconfirmed
  },
  missed: metrics.missed,
  stalls: { ...metrics.stalls },
  observer_errors: metrics.observerErrors,
  heartbeat: {
    answered: metrics.heartbeat.answered,
    missed: metrics.heartbeat.missed,
    last_round_trip_ms: metrics.heartbeat.lastRoundTripMillis ?? null,
    p50_round_trip_ms: metrics.heartbeat.p50RoundTripMillis ?? null,
    p99_round_trip_ms: metrics.heartbeat.p99RoundTripMillis ?? null
  }
})
