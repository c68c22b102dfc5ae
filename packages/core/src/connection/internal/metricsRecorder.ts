/**
 * Keeps a connection's metrics: as plain numbers, told to Effect's `Metric` once a
 * batch or a transition.
 *
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import * as Metric from "effect/Metric"
import * as Record from "effect/Record"
import { RejectionReason } from "../../codec/Rejection.ts"
import * as LazyCounter from "../../value/internal/lazyCounter.ts"
import * as MetricAttributes from "../../value/internal/metricAttributes.ts"
import * as MetricDefinitions from "../../value/internal/metricDefinitions.ts"
import { rankOf } from "../../value/internal/rank.ts"
import * as ConnectError from "../ConnectError.ts"
import type { ConnectionMetrics } from "../ConnectionMetrics.ts"
import type { ConnectionState } from "../ConnectionState.ts"
import type * as Heartbeat from "./heartbeat.ts"
import type * as Outboxes from "./outbox.ts"
import type * as SequenceGaps from "./sequenceGaps.ts"

/**
 * Keeps a connection's metrics. Its methods say what happened; they are
 * synchronous and cost a few additions.
 *
 * @category models
 * @since 0.1.0
 */
export interface MetricsRecorder {
  readonly sessionBegan: (id: string) => void
  readonly moved: (to: ConnectionState) => void
  /** A dial begins at `now`, on the monotonic clock. */
  readonly dialled: (now: number) => void
  /** An epoch began at `at`, in epoch milliseconds, which is `now` on the monotonic clock. */
  readonly connected: (at: number, now: number) => void
  /** The connection is down since `now`, on the monotonic clock, where it was not already. */
  readonly down: (now: number) => void
  /** So many messages of the epoch that has ended may not have arrived. */
  readonly unconfirmed: (messages: number) => void
  readonly failed: (failure: ConnectError.Failure) => void
  readonly ended: (error: ConnectError.ConnectError) => void
  readonly retried: () => void
  readonly gaveUp: (byRetries: boolean) => void
  readonly backoffReset: () => void
  readonly conflicted: () => void
  readonly closed: (mode: "graceful" | "forced") => void
  /** Frames came at `now`, on the monotonic clock. */
  readonly received: (now: number, frames: number, bytes: number) => void
  readonly delivered: (messages: number) => void
  readonly rejected: (reason: RejectionReason) => void
  readonly stepped: (step: SequenceGaps.Step) => void
  readonly waiting: (messages: number) => void
  /** A consumer did not get so many messages. */
  readonly missed: (messages: number) => void
  readonly stalled: (stall: Heartbeat.Stall) => void
  /** A ping was answered at `now`, on the monotonic clock. */
  readonly answered: (now: number, roundTripMillis: number) => void
  readonly missedPong: () => void
  /** A test of the peer was answered. */
  readonly answeredTest: () => void
  /** A dial that is due has to wait for the limit. */
  readonly held: () => void
  /** The peer confirmed, or refused, so many subscriptions. */
  readonly confirmed: (subscriptions: number) => void
  readonly refused: (subscriptions: number) => void
  /** An observer threw. */
  readonly observerFailed: () => void
  /** What was seen by `at`, in epoch milliseconds, which is `now` on the monotonic clock. */
  readonly read: (
    state: ConnectionState["_tag"],
    epoch: number,
    at: number,
    now: number,
    outbox: Outboxes.OutboxCounts,
    missed: number
  ) => ConnectionMetrics
}

const rejectionsOf = new Map(
  RejectionReason.literals.map((reason) => [reason, Metric.withAttributes(MetricDefinitions.rejections, { reason })])
)

// A metric with an attribute is made once; its values are kept by the context's label.
const failuresOf = Record.map(
  ConnectError.recoveries,
  (_, kind) => Metric.withAttributes(MetricDefinitions.failures, { kind })
)

// What is there from the beginning, at zero.
const metrics = [
  MetricDefinitions.dials,
  MetricDefinitions.connects,
  MetricDefinitions.retries,
  MetricDefinitions.giveUps,
  MetricDefinitions.frames,
  MetricDefinitions.bytes,
  MetricDefinitions.sequenceGaps,
  MetricDefinitions.missed,
  MetricDefinitions.unconfirmed,
  MetricDefinitions.heartbeatsAnswered,
  MetricDefinitions.heartbeatsMissed,
  MetricDefinitions.observerErrors,
  MetricDefinitions.dialsHeld,
  MetricDefinitions.subscriptionsConfirmed,
  MetricDefinitions.subscriptionsRefused,
  MetricDefinitions.connected,
  MetricDefinitions.backoffDelay,
  MetricDefinitions.outboxWaiting,
  MetricDefinitions.roundTrip,
  MetricDefinitions.roundTrips,
  MetricDefinitions.dialDurations,
  MetricDefinitions.outages,
  ...Object.values(failuresOf),
  ...rejectionsOf.values()
]

// One for each connection: its methods are shared, and what is told carries the label by the context.
class MetricsRecorderImpl implements MetricsRecorder {
  private readonly context: Context.Context<never>
  private readonly allFrames: LazyCounter.LazyCounter
  private readonly allBytes: LazyCounter.LazyCounter
  private readonly roundTrips: Array<number> = []
  private readonly failures: Partial<Record<ConnectError.FailureKind, number>> = {}
  private readonly closes = { graceful: 0, forced: 0 }
  private readonly rejections: Record<string, number> = {}
  private readonly stalls: Record<Heartbeat.Stall, number> = { consumer: 0, loop: 0 }
  private id: string | undefined
  private isUp = false
  private connectedAt: number | undefined
  private heardAt: number | undefined
  private lastError: ConnectError.ConnectError | undefined
  private downSince: number | undefined
  private dialledAt: number | undefined
  private attempts = 0
  private connects = 0
  private reconnections = 0
  private retries = 0
  private maxRetriesExceeded = 0
  private downtimeMillis = 0
  private backoffResets = 0
  private backoffDelayMillis = 0
  private conflicts = 0
  private frames = 0
  private bytes = 0
  private messages = 0
  private gaps = 0
  private missing = 0n
  private violations = 0
  private pongs = 0
  private missedPongs = 0
  private observerErrors = 0
  private lastRoundTripMillis: number | undefined

  constructor(context: Context.Context<never>) {
    this.context = context
    this.allFrames = LazyCounter.make(MetricDefinitions.frames, context)
    this.allBytes = LazyCounter.make(MetricDefinitions.bytes, context)
  }

  sessionBegan(id: string): void {
    this.id = id
    this.connectedAt = undefined
  }

  moved(to: ConnectionState): void {
    this.backoffDelayMillis = to._tag === "Reconnecting" || to._tag === "CircuitOpen" ? to.delayMillis : 0
    MetricDefinitions.backoffDelay.updateUnsafe(this.backoffDelayMillis, this.context)
    // Several connections may have the same label.
    const change = Number(to._tag === "Connected") - Number(this.isUp)
    this.isUp = to._tag === "Connected"
    if (change !== 0) MetricDefinitions.connected.modifyUnsafe(change, this.context)
  }

  dialled(now: number): void {
    this.attempts++
    this.dialledAt = now
    MetricDefinitions.dials.updateUnsafe(1, this.context)
  }

  connected(at: number, now: number): void {
    this.connects++
    MetricDefinitions.connects.updateUnsafe(1, this.context)
    if (this.connectedAt !== undefined) this.reconnections++
    this.connectedAt ??= at
    this.heardAt = now
    if (this.dialledAt !== undefined) MetricDefinitions.dialDurations.updateUnsafe(now - this.dialledAt, this.context)
    if (this.downSince !== undefined) {
      this.downtimeMillis += now - this.downSince
      MetricDefinitions.outages.updateUnsafe(now - this.downSince, this.context)
    }
    this.downSince = undefined
  }

  down(now: number): void {
    this.downSince ??= now
  }

  unconfirmed(messages: number): void {
    MetricDefinitions.unconfirmed.updateUnsafe(messages, this.context)
  }

  failed(failure: ConnectError.Failure): void {
    this.lastError = failure
    const kind = ConnectError.kind(failure)
    this.failures[kind] = (this.failures[kind] ?? 0) + 1
    failuresOf[kind].updateUnsafe(1, this.context)
  }

  ended(error: ConnectError.ConnectError): void {
    this.lastError = error
  }

  retried(): void {
    this.retries++
    MetricDefinitions.retries.updateUnsafe(1, this.context)
  }

  gaveUp(byRetries: boolean): void {
    if (byRetries) this.maxRetriesExceeded++
    MetricDefinitions.giveUps.updateUnsafe(1, this.context)
  }

  backoffReset(): void {
    this.backoffResets++
  }

  conflicted(): void {
    this.conflicts++
  }

  closed(mode: "graceful" | "forced"): void {
    this.closes[mode]++
  }

  received(now: number, frames: number, bytes: number): void {
    this.heardAt = now
    this.frames += frames
    this.bytes += bytes
    this.allFrames.sum += frames
    this.allBytes.sum += bytes
  }

  delivered(messages: number): void {
    this.messages += messages
  }

  rejected(reason: RejectionReason): void {
    this.rejections[reason] = (this.rejections[reason] ?? 0) + 1
    rejectionsOf.get(reason)?.updateUnsafe(1, this.context)
  }

  stepped(step: SequenceGaps.Step): void {
    if (step._tag === "Gap") {
      this.gaps++
      this.missing += step.missing
      MetricDefinitions.sequenceGaps.updateUnsafe(1, this.context)
    } else if (step._tag === "Violation") {
      this.violations++
    }
  }

  missed(messages: number): void {
    MetricDefinitions.missed.updateUnsafe(messages, this.context)
  }

  waiting(messages: number): void {
    MetricDefinitions.outboxWaiting.updateUnsafe(messages, this.context)
  }

  stalled(stall: Heartbeat.Stall): void {
    this.stalls[stall]++
  }

  answered(now: number, roundTripMillis: number): void {
    this.roundTrips[this.pongs % 100] = roundTripMillis
    this.pongs++
    this.heardAt = now
    this.lastRoundTripMillis = roundTripMillis
    MetricDefinitions.roundTrip.updateUnsafe(roundTripMillis, this.context)
    MetricDefinitions.roundTrips.updateUnsafe(roundTripMillis, this.context)
    MetricDefinitions.heartbeatsAnswered.updateUnsafe(1, this.context)
  }

  answeredTest(): void {
    MetricDefinitions.heartbeatsAnswered.updateUnsafe(1, this.context)
  }

  missedPong(): void {
    this.missedPongs++
    MetricDefinitions.heartbeatsMissed.updateUnsafe(1, this.context)
  }

  held(): void {
    MetricDefinitions.dialsHeld.updateUnsafe(1, this.context)
  }

  confirmed(subscriptions: number): void {
    MetricDefinitions.subscriptionsConfirmed.updateUnsafe(subscriptions, this.context)
  }

  refused(subscriptions: number): void {
    MetricDefinitions.subscriptionsRefused.updateUnsafe(subscriptions, this.context)
  }

  observerFailed(): void {
    this.observerErrors++
    MetricDefinitions.observerErrors.updateUnsafe(1, this.context)
  }

  read(
    state: ConnectionState["_tag"],
    epoch: number,
    at: number,
    now: number,
    outbox: Outboxes.OutboxCounts,
    missed: number
  ): ConnectionMetrics {
    return {
      id: this.id,
      state,
      epoch,
      connectedAt: this.connectedAt,
      lastHeardAt: this.heardAt === undefined ? undefined : Math.round(at + this.heardAt - now),
      lastError: this.lastError,
      attempts: this.attempts,
      connects: this.connects,
      reconnections: this.reconnections,
      retries: this.retries,
      maxRetriesExceeded: this.maxRetriesExceeded,
      downtimeMillis: Math.round(this.downtimeMillis + (this.downSince === undefined ? 0 : now - this.downSince)),
      averageReconnectionMillis: this.reconnections === 0 ? 0 : this.downtimeMillis / this.reconnections,
      backoffResets: this.backoffResets,
      backoffDelayMillis: this.backoffDelayMillis,
      conflicts: this.conflicts,
      failures: { ...this.failures },
      closes: { ...this.closes },
      frames: this.frames,
      bytes: this.bytes,
      messages: this.messages,
      rejections: { ...this.rejections },
      sequence: { gaps: this.gaps, missing: this.missing, violations: this.violations },
      outbox,
      missed,
      stalls: { ...this.stalls },
      observerErrors: this.observerErrors,
      heartbeat: {
        answered: this.pongs,
        missed: this.missedPongs,
        lastRoundTripMillis: this.lastRoundTripMillis,
        p50RoundTripMillis: rankOf(this.roundTrips, 0.5),
        p99RoundTripMillis: rankOf(this.roundTrips, 0.99)
      }
    }
  }
}

/**
 * Makes a recorder whose metrics carry the label.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (label: string, context: Context.Context<never>): MetricsRecorder => {
  const labelled = MetricAttributes.add(context, { connection: label })
  for (const metric of metrics) metric.valueUnsafe(labelled)
  return new MetricsRecorderImpl(labelled)
}
