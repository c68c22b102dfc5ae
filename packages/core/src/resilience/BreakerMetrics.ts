/**
 * What a breaker has counted: as a value, as JSON, as Prometheus text, and among
 * Effect's metrics.
 *
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { constVoid } from "effect/Function"
import * as Metric from "effect/Metric"
import type * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as MetricAttributes from "../value/internal/metricAttributes.ts"
import * as Printable from "../value/Printable.ts"
import type * as Circuit from "./Circuit.ts"

/**
 * What a breaker has counted since it was made, or since `resetAt`. Times are
 * epoch milliseconds (those of `failureHistory`, `successHistory` and
 * `openUntil` by the wall clock as it stands when they are read), durations
 * milliseconds, rates percent of all outcomes.
 * `timeouts` is how often an open time ended in an attempt; calls are those of
 * `execute`; a history holds the last 100, oldest first.
 *
 * @category models
 * @since 0.1.0
 */
export interface BreakerMetrics {
  readonly key: string
  readonly state: Circuit.State["_tag"]
  readonly stateTransitions: number
  readonly failures: number
  readonly successes: number
  readonly consecutiveFailures: number
  readonly consecutiveSuccesses: number
  readonly failureRate: number
  readonly successRate: number
  readonly timeInState: number
  readonly timeClosed: number
  readonly timeOpen: number
  readonly timeHalfOpen: number
  readonly averageStateDuration: number
  readonly timeouts: number
  readonly halfOpenAttempts: number
  readonly rejected: number
  readonly openedAt: number | undefined
  readonly closedAt: number | undefined
  readonly openUntil: number | undefined
  readonly calls: number
  readonly fastestCall: number | undefined
  readonly slowestCall: number | undefined
  readonly averageCall: number | undefined
  readonly backoffEnabled: boolean
  readonly backoffMultiplier: number
  readonly backoffMax: number
  readonly resetAt: number | undefined
  readonly failureHistory: ReadonlyArray<{ readonly at: number; readonly reason: string }>
  readonly successHistory: ReadonlyArray<number>
  readonly transitionHistory: ReadonlyArray<Circuit.Transition>
}

/**
 * What has metrics, such as a `Breaker`.
 */
interface Measured {
  readonly key: string
  readonly metrics: Effect.Effect<BreakerMetrics>
}

const round = (n: number): number => Math.round(n * 1000) / 1000

/**
 * Returns the metrics as one JSON value with snake_case names; what has not
 * happened yet is `null`.
 *
 * @category getters
 * @since 0.1.0
 */
export const toJson = (metrics: BreakerMetrics): Schema.Json => ({
  key: metrics.key,
  current_state: metrics.state,
  state_transitions: metrics.stateTransitions,
  total_failures: metrics.failures,
  total_successes: metrics.successes,
  consecutive_failures: metrics.consecutiveFailures,
  consecutive_successes: metrics.consecutiveSuccesses,
  failure_rate_percent: round(metrics.failureRate),
  success_rate_percent: round(metrics.successRate),
  time_in_current_state_ms: metrics.timeInState,
  time_in_closed_ms: metrics.timeClosed,
  time_in_open_ms: metrics.timeOpen,
  time_in_half_open_ms: metrics.timeHalfOpen,
  average_state_duration_ms: round(metrics.averageStateDuration),
  timeout_events: metrics.timeouts,
  half_open_attempts: metrics.halfOpenAttempts,
  rejected: metrics.rejected,
  opened_at_ms: metrics.openedAt ?? null,
  closed_at_ms: metrics.closedAt ?? null,
  open_until_ms: metrics.openUntil ?? null,
  calls: metrics.calls,
  fastest_call_ms: metrics.fastestCall ?? null,
  slowest_call_ms: metrics.slowestCall ?? null,
  average_call_ms: metrics.averageCall === undefined ? null : round(metrics.averageCall),
  backoff_enabled: metrics.backoffEnabled,
  backoff_multiplier: metrics.backoffMultiplier,
  backoff_max_ms: metrics.backoffMax,
  last_reset_ms: metrics.resetAt ?? null,
  failure_history: metrics.failureHistory.map(({ at, reason }) => ({ at_ms: at, reason })),
  success_history: [...metrics.successHistory],
  transition_history: metrics.transitionHistory.map(({ at, from, openForMillis, reason, to }) => ({
    at_ms: at,
    from,
    to,
    reason,
    ...(openForMillis === undefined ? undefined : { open_for_ms: openForMillis })
  }))
})

const gauges: ReadonlyArray<
  readonly [
    name: string,
    type: "gauge" | "counter",
    help: string,
    value: (metrics: BreakerMetrics) => number | undefined
  ]
> = [
  [
    "circuit_breaker_state",
    "gauge",
    "0 closed, 1 half-open, 2 open",
    (m) => m.state === "Closed" ? 0 : m.state === "HalfOpen" ? 1 : 2
  ],
  ["circuit_breaker_state_transitions_total", "counter", "Changes of state", (m) => m.stateTransitions],
  ["circuit_breaker_failures_total", "counter", "Failures recorded", (m) => m.failures],
  ["circuit_breaker_successes_total", "counter", "Successes recorded", (m) => m.successes],
  ["circuit_breaker_rejected_total", "counter", "Attempts rejected", (m) => m.rejected],
  ["circuit_breaker_half_open_attempts_total", "counter", "Probes admitted", (m) => m.halfOpenAttempts],
  ["circuit_breaker_timeout_events_total", "counter", "Open times that ended in an attempt", (m) => m.timeouts],
  ["circuit_breaker_consecutive_failures", "gauge", "Failures since the last success", (m) => m.consecutiveFailures],
  ["circuit_breaker_consecutive_successes", "gauge", "Successes since the last failure", (m) => m.consecutiveSuccesses],
  ["circuit_breaker_failure_rate_percent", "gauge", "Share of failures", (m) => round(m.failureRate)],
  ["circuit_breaker_success_rate_percent", "gauge", "Share of successes", (m) => round(m.successRate)],
  ["circuit_breaker_time_in_state_ms", "gauge", "Time in the current state", (m) => m.timeInState],
  ["circuit_breaker_closed_ms_total", "counter", "Time closed", (m) => m.timeClosed],
  ["circuit_breaker_open_ms_total", "counter", "Time open", (m) => m.timeOpen],
  ["circuit_breaker_half_open_ms_total", "counter", "Time half-open", (m) => m.timeHalfOpen],
  [
    "circuit_breaker_average_state_duration_ms",
    "gauge",
    "Mean time from one change of state to the next",
    (m) => round(m.averageStateDuration)
  ],
  ["circuit_breaker_opened_timestamp_ms", "gauge", "When it last opened", (m) => m.openedAt],
  ["circuit_breaker_closed_timestamp_ms", "gauge", "When it last closed", (m) => m.closedAt],
  ["circuit_breaker_calls_total", "counter", "Calls run", (m) => m.calls],
  ["circuit_breaker_fastest_call_ms", "gauge", "Fastest call", (m) => m.fastestCall],
  ["circuit_breaker_slowest_call_ms", "gauge", "Slowest call", (m) => m.slowestCall],
  [
    "circuit_breaker_average_call_ms",
    "gauge",
    "Mean duration of a call",
    (m) => m.averageCall === undefined ? undefined : round(m.averageCall)
  ],
  ["circuit_breaker_reset_timestamp_ms", "gauge", "When the metrics were last reset", (m) => m.resetAt]
]

// The series of one breaker, as Effect's metrics read them; what has not happened yet is 0.
const series = gauges.map(([name, type, description, value]) => {
  const read = (breaker: Measured, context: Context.Context<never>): number =>
    value(Effect.runSyncWith(context)(breaker.metrics)) ?? 0
  const ignored = { update: constVoid, modify: constVoid }
  const counter = Metric.counter(name, { description, incremental: true })
  const gauge = Metric.gauge(name, { description })
  return (breaker: Measured, context: Context.Context<never>): Metric.Registration =>
    type === "counter"
      ? Metric.registerUnsafe(counter, context, {
        ...ignored,
        get: (reader) => ({ count: read(breaker, reader), incremental: true })
      })
      : Metric.registerUnsafe(gauge, context, { ...ignored, get: (reader) => ({ value: read(breaker, reader) }) })
})

/**
 * Adds the metrics of a breaker to Effect's, by the attribute `key`, until the
 * scope ends. They are read when a snapshot of the metrics is taken, and cost
 * nothing before. Of two breakers with one key the later shows.
 *
 * @category constructors
 * @since 0.1.0
 */
export const register = (breaker: Measured): Effect.Effect<void, never, Scope.Scope> =>
  Effect.asVoid(Effect.acquireRelease(
    Effect.contextWith((context: Context.Context<never>) => Effect.sync(() => registerUnsafe(breaker, context))),
    (unregister) => Effect.sync(unregister)
  ))

/**
 * As `register`, until what it returns is called.
 *
 * @category constructors
 * @since 0.1.0
 */
export const registerUnsafe = (breaker: Measured, context: Context.Context<never>): () => void => {
  const labelled = MetricAttributes.add(context, { key: breaker.key })
  const registrations = series.map((one) => one(breaker, labelled))
  return () => registrations.forEach((registration) => registration.remove())
}

const label = (key: string): string =>
  `{key="${Printable.escape(key).replaceAll("\\", "\\\\").replaceAll("\"", "\\\"").replaceAll("\n", "\\n")}"}`

/**
 * Returns the metrics of breakers as Prometheus text, one series per key; what
 * has not happened yet has no sample, where Effect's `PrometheusMetrics`, which
 * shows those that are registered, says 0.
 *
 * @category getters
 * @since 0.1.0
 */
export const toPrometheus = (breakers: ReadonlyArray<BreakerMetrics>): string => {
  let text = ""
  for (const [name, type, help, value] of gauges) {
    let samples = ""
    for (const metrics of breakers) {
      const sample = value(metrics)
      if (sample !== undefined) samples += `${name}${label(metrics.key)} ${sample}\n`
    }
    if (samples !== "") text += `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${samples}`
  }
  return text
}
