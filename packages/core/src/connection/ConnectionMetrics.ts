/**
 * What a connection has seen: kept as plain numbers, told to Effect's `Metric`
 * once a batch or a transition, and read as one value.
 *
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import * as Metric from "effect/Metric"
import type * as Schema from "effect/Schema"
import * as Telemetry from "../value/Telemetry.ts"
import * as ConnectError from "./ConnectError.ts"
import type { ConnectionState, Tag } from "./ConnectionState.ts"
import type * as Heartbeat from "./Heartbeat.ts"
import type * as Outbox from "./Outbox.ts"
import type * as Sequence from "./Sequence.ts"

/**
 * What a connection has seen since it was made. Times are epoch milliseconds.
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
 * - `missed`: messages that consumers did not get because they did not keep up
 * - `stalls`: overdue pongs for which a consumer or our event loop was to blame
 *
 * @category models
 * @since 0.1.0
 */
export interface ConnectionMetrics {
  readonly id: string | undefined
  readonly state: Tag
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
  readonly outbox: Outbox.Account
  readonly missed: number
  readonly stalls: Readonly<Record<Heartbeat.Stall, number>>
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
    unsent: metrics.outbox.unsent
  },
  missed: metrics.missed,
  stalls: { ...metrics.stalls },
  heartbeat: {
    answered: metrics.heartbeat.answered,
    missed: metrics.heartbeat.missed,
    last_round_trip_ms: metrics.heartbeat.lastRoundTripMillis ?? null,
    p50_round_trip_ms: metrics.heartbeat.p50RoundTripMillis ?? null,
    p99_round_trip_ms: metrics.heartbeat.p99RoundTripMillis ?? null
  }
})

/**
 * Keeps a connection's metrics. Its methods say what happened; they are
 * synchronous and cost a few additions.
 *
 * @category models
 * @since 0.1.0
 */
export interface Recorder {
  readonly sessionBegan: (id: string) => void
  readonly moved: (to: ConnectionState) => void
  readonly dialled: () => void
  readonly connected: (at: number) => void
  /** The connection is down since now, where it was not already. */
  readonly down: (at: number) => void
  readonly failed: (failure: ConnectError.Failure) => void
  readonly ended: (error: ConnectError.ConnectError) => void
  readonly retried: () => void
  readonly gaveUp: (byRetries: boolean) => void
  readonly backoffReset: () => void
  readonly conflicted: () => void
  readonly closed: (mode: "graceful" | "forced") => void
  readonly received: (at: number, frames: number, bytes: number) => void
  readonly delivered: (messages: number) => void
  readonly rejected: (reason: string) => void
  readonly stepped: (step: Sequence.Step) => void
  readonly waiting: (messages: number) => void
  readonly stalled: (stall: Heartbeat.Stall) => void
  readonly answered: (at: number, roundTripMillis: number) => void
  readonly missedPong: () => void
  readonly read: (state: Tag, epoch: number, at: number, outbox: Outbox.Account, missed: number) => ConnectionMetrics
}

/**
 * Makes a recorder whose metrics carry the label.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (label: string, context: Context.Context<never>): Recorder => {
  const bind = <Input, State>(metric: Metric.Metric<Input, State>, more?: Readonly<Record<string, string>>) => {
    const bound = Metric.withAttributes(metric, { connection: label, ...more })
    return (input: Input): void => bound.updateUnsafe(input, context)
  }
  const tell = {
    dials: bind(Telemetry.dials),
    connects: bind(Telemetry.connects),
    retries: bind(Telemetry.retries),
    giveUps: bind(Telemetry.giveUps),
    frames: bind(Telemetry.frames),
    bytes: bind(Telemetry.bytes),
    rejections: bind(Telemetry.rejections),
    sequenceGaps: bind(Telemetry.sequenceGaps),
    connected: bind(Telemetry.connected),
    backoffDelay: bind(Telemetry.backoffDelay),
    outboxWaiting: bind(Telemetry.outboxWaiting),
    roundTrip: bind(Telemetry.roundTrip)
  }

  let id: string | undefined
  let connectedAt: number | undefined
  let lastHeardAt: number | undefined
  let lastError: ConnectError.ConnectError | undefined
  let downSince: number | undefined
  let attempts = 0
  let connects = 0
  let reconnections = 0
  let retries = 0
  let maxRetriesExceeded = 0
  let downtimeMillis = 0
  let backoffResets = 0
  let backoffDelayMillis = 0
  let conflicts = 0
  let frames = 0
  let bytes = 0
  let messages = 0
  let gaps = 0
  let missing = 0n
  let violations = 0
  let answered = 0
  let missedPongs = 0
  let lastRoundTripMillis: number | undefined
  const roundTrips: Array<number> = []
  const rank = (share: number): number | undefined => {
    const sorted = [...roundTrips].sort((a, b) => a - b)
    return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]
  }
  const failures: Partial<Record<ConnectError.FailureKind, number>> = {}
  const closes = { graceful: 0, forced: 0 }
  const rejections: Record<string, number> = {}
  const stalls: Record<Heartbeat.Stall, number> = { consumer: 0, loop: 0 }

  return {
    sessionBegan: (next) => {
      id = next
      connectedAt = undefined
    },
    moved: (to) => {
      backoffDelayMillis = to._tag === "Reconnecting" || to._tag === "CircuitOpen" ? to.delayMillis : 0
      tell.backoffDelay(backoffDelayMillis)
      tell.connected(to._tag === "Connected" ? 1 : 0)
    },
    dialled: () => {
      attempts++
      tell.dials(1)
    },
    connected: (at) => {
      connects++
      tell.connects(1)
      if (connectedAt !== undefined) reconnections++
      connectedAt ??= at
      lastHeardAt = at
      if (downSince !== undefined) downtimeMillis += at - downSince
      downSince = undefined
    },
    down: (at) => {
      downSince ??= at
    },
    failed: (failure) => {
      lastError = failure
      const kind = ConnectError.kind(failure)
      failures[kind] = (failures[kind] ?? 0) + 1
      bind(Telemetry.failures, { kind })(1)
    },
    ended: (error) => {
      lastError = error
    },
    retried: () => {
      retries++
      tell.retries(1)
    },
    gaveUp: (byRetries) => {
      if (byRetries) maxRetriesExceeded++
      tell.giveUps(1)
    },
    backoffReset: () => {
      backoffResets++
    },
    conflicted: () => {
      conflicts++
    },
    closed: (mode) => {
      closes[mode]++
    },
    received: (at, count, size) => {
      lastHeardAt = at
      frames += count
      bytes += size
      tell.frames(count)
      tell.bytes(size)
    },
    delivered: (count) => {
      messages += count
    },
    rejected: (reason) => {
      rejections[reason] = (rejections[reason] ?? 0) + 1
      tell.rejections(1)
    },
    stepped: (step) => {
      if (step._tag === "Gap") {
        gaps++
        missing += step.missing
        tell.sequenceGaps(1)
      } else if (step._tag === "Violation") {
        violations++
      }
    },
    waiting: (count) => tell.outboxWaiting(count),
    stalled: (stall) => {
      stalls[stall]++
    },
    answered: (at, roundTripMillis) => {
      answered++
      lastHeardAt = at
      lastRoundTripMillis = roundTripMillis
      roundTrips[(answered - 1) % 100] = roundTripMillis
      tell.roundTrip(roundTripMillis)
    },
    missedPong: () => {
      missedPongs++
    },
    read: (state, epoch, at, outbox, missed) => ({
      id,
      state,
      epoch,
      connectedAt,
      lastHeardAt,
      lastError,
      attempts,
      connects,
      reconnections,
      retries,
      maxRetriesExceeded,
      downtimeMillis: downtimeMillis + (downSince === undefined ? 0 : at - downSince),
      averageReconnectionMillis: reconnections === 0 ? 0 : downtimeMillis / reconnections,
      backoffResets,
      backoffDelayMillis,
      conflicts,
      failures: { ...failures },
      closes: { ...closes },
      frames,
      bytes,
      messages,
      rejections: { ...rejections },
      sequence: { gaps, missing, violations },
      outbox,
      missed,
      stalls: { ...stalls },
      heartbeat: {
        answered,
        missed: missedPongs,
        lastRoundTripMillis,
        p50RoundTripMillis: rank(0.5),
        p99RoundTripMillis: rank(0.99)
      }
    })
  }
}
