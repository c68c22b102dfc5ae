/**
 * What is counted of the requests of one connection.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Exit from "effect/Exit"
import * as Metric from "effect/Metric"
import * as Record from "effect/Record"
import * as LazyCounter from "../../value/internal/lazyCounter.ts"
import * as MetricAttributes from "../../value/internal/metricAttributes.ts"
import * as MetricDefinitions from "../../value/internal/sessionMetricDefinitions.ts"
import { NotSent } from "../ConnectError.ts"

const outcomes = {
  Answered: true,
  NotSent: true,
  OutcomeUnknown: true,
  OutboxFull: true,
  RateLimited: true,
  InvalidCost: true,
  DuplicateRequest: true,
  Interrupted: true,
  Defect: true
} as const

type Outcome = keyof typeof outcomes

/** How a request fails, as far as it is counted. */
type Failure =
  | { readonly _tag: Exclude<Outcome, "Answered" | "Interrupted" | "Defect" | "NotSent" | "OutcomeUnknown"> }
  | {
    readonly _tag: "NotSent" | "OutcomeUnknown"
    readonly reason: string
  }

// A metric with an attribute is made once; its values are kept by the context's label.
const { Answered: _, ...byOutcome } = Record.map(
  outcomes,
  (_, outcome) => Metric.withAttributes(MetricDefinitions.requests, { outcome })
)

const reasonsOf = (metric: Metric.Counter<number>, reasons: ReadonlyArray<string>) =>
  new Map(reasons.map((reason) => [reason, Metric.withAttributes(metric, { reason })]))

const byReason = {
  NotSent: reasonsOf(MetricDefinitions.requestsNotSent, NotSent.fields.reason.literals),
  OutcomeUnknown: reasonsOf(MetricDefinitions.requestsUnknown, ["dropped", "timeout"])
}

// What is there from the beginning, at zero.
const metrics = [
  MetricDefinitions.requestDurations,
  MetricDefinitions.unmatchedAnswers,
  ...Object.values(byOutcome),
  ...Object.values(byReason).flatMap((reasons) => [...reasons.values()])
]

/**
 * What is counted of the requests of one connection.
 *
 * @category models
 * @since 0.1.0
 */
export class RequestMetrics {
  private readonly context: Context.Context<never>
  // What each request counts.
  private readonly pending: LazyCounter.LazyCounter
  private readonly answered: LazyCounter.LazyCounter

  constructor(label: string, context: Context.Context<never>) {
    this.context = MetricAttributes.add(context, { connection: label })
    for (const metric of metrics) metric.valueUnsafe(this.context)
    this.pending = LazyCounter.make(MetricDefinitions.requestsPending, this.context)
    this.answered = LazyCounter.make(
      MetricDefinitions.requests,
      MetricAttributes.add(this.context, { outcome: "Answered" })
    )
  }

  /** A request is under way. */
  began(): void {
    this.pending.sum++
  }

  /** One has ended, so many milliseconds after it began. */
  ended(exit: Exit.Exit<unknown, Failure>, millis: number): void {
    this.pending.sum--
    if (Exit.isSuccess(exit)) {
      this.answered.sum++
      MetricDefinitions.requestDurations.updateUnsafe(millis, this.context)
      return
    }
    const failure = exit.cause.reasons.find(Cause.isFailReason)?.error
    const without = Cause.hasInterruptsOnly(exit.cause) ? "Interrupted" : "Defect"
    byOutcome[failure?._tag ?? without].updateUnsafe(1, this.context)
    if (failure?._tag === "NotSent" || failure?._tag === "OutcomeUnknown") {
      byReason[failure._tag].get(failure.reason)?.updateUnsafe(1, this.context)
    }
  }

  /** An answer came whose request is not under way. */
  unmatched(): void {
    MetricDefinitions.unmatchedAnswers.updateUnsafe(1, this.context)
  }
}
