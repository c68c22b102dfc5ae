/**
 * What a breaker counts, and the figures that follow from it.
 *
 * @since 0.1.0
 */
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as EpochMillis from "../../value/internal/epochMillis.ts"
import * as Monotonic from "../../value/Monotonic.ts"
import type { BreakerMetrics } from "../BreakerMetrics.ts"
import type * as Circuit from "../Circuit.ts"
import type * as BreakerTransitions from "./breakerTransitions.ts"

/** How many entries each history of a breaker's metrics holds. */
const historySize = 100

/** The last entries of a history, in constant memory and constant time. */
class History<A> {
  private ring: Array<A> | undefined
  private next = 0
  add(entry: A): void {
    const ring = this.ring ??= []
    ring[this.next] = entry
    this.next = this.next === historySize - 1 ? 0 : this.next + 1
  }
  entries(): ReadonlyArray<A> {
    const { next, ring = [] } = this
    return [...ring.slice(next), ...ring.slice(0, next)]
  }
}

/**
 * What is counted as it happens; everything derived is computed when read.
 *
 * @category models
 * @since 0.1.0
 */
export class Counts {
  readonly since: number
  readonly resetAt: number | undefined
  stateTransitions = 0
  failures = 0
  successes = 0
  consecutiveFailures = 0
  consecutiveSuccesses = 0
  stateSince: number
  held = { Closed: 0, Open: 0, HalfOpen: 0 }
  timeouts = 0
  halfOpenAttempts = 0
  rejected = 0
  openedAt: number | undefined = undefined
  closedAt: number | undefined = undefined
  calls = 0
  callMillis = 0
  fastestCall = Infinity
  slowestCall = 0
  readonly failureHistory = new History<{ readonly at: number; readonly reason: string }>()
  readonly successHistory = new History<number>()
  readonly transitionHistory = new History<Circuit.Transition>()
  constructor(now: number, resetAt: number | undefined) {
    this.since = now
    this.stateSince = now
    this.resetAt = resetAt
  }
  moved(transition: Circuit.Transition, event: BreakerTransitions.Event, now: number): void {
    this.stateTransitions++
    this.held[transition.from] += now - this.stateSince
    this.stateSince = now
    if (transition.from === "Open" && event._tag === "Acquire") this.timeouts++
    if (transition.to === "Open") this.openedAt = transition.at
    if (transition.to === "Closed") this.closedAt = transition.at
    this.transitionHistory.add(transition)
  }
  succeeded(now: number): void {
    this.successes++
    this.consecutiveSuccesses++
    this.consecutiveFailures = 0
    this.successHistory.add(now)
  }
  failed(now: number, reason: string): void {
    this.failures++
    this.consecutiveFailures++
    this.consecutiveSuccesses = 0
    this.failureHistory.add({ at: now, reason })
  }
  called(millis: number): void {
    this.calls++
    this.callMillis += millis
    this.fastestCall = Math.min(this.fastestCall, millis)
    this.slowestCall = Math.max(this.slowestCall, millis)
  }
}

/**
 * What has been counted, as it stands now.
 *
 * @category getters
 * @since 0.1.0
 */
export const snapshot = (
  { counts, key, policy }: { readonly counts: Counts; readonly key: string; readonly policy: Circuit.Policy },
  state: Circuit.State,
  clock: Clock.Clock
): BreakerMetrics => {
  const now = Monotonic.nowMillis(clock)
  const outcomes = counts.failures + counts.successes
  const timeInState = now - counts.stateSince
  const held = { ...counts.held }
  held[state._tag] += timeInState
  return {
    key,
    state: state._tag,
    stateTransitions: counts.stateTransitions,
    failures: counts.failures,
    successes: counts.successes,
    consecutiveFailures: counts.consecutiveFailures,
    consecutiveSuccesses: counts.consecutiveSuccesses,
    failureRate: outcomes === 0 ? 0 : 100 * counts.failures / outcomes,
    successRate: outcomes === 0 ? 0 : 100 * counts.successes / outcomes,
    timeInState,
    timeClosed: held.Closed,
    timeOpen: held.Open,
    timeHalfOpen: held.HalfOpen,
    averageStateDuration: (now - counts.since) / (counts.stateTransitions + 1),
    timeouts: counts.timeouts,
    halfOpenAttempts: counts.halfOpenAttempts,
    rejected: counts.rejected,
    openedAt: counts.openedAt,
    closedAt: counts.closedAt,
    openUntil: state._tag === "Open" ? EpochMillis.toEpochMillis(clock, state.until) : undefined,
    calls: counts.calls,
    fastestCall: counts.calls === 0 ? undefined : counts.fastestCall,
    slowestCall: counts.calls === 0 ? undefined : counts.slowestCall,
    averageCall: counts.calls === 0 ? undefined : counts.callMillis / counts.calls,
    backoffEnabled: policy.openFactor > 1,
    backoffMultiplier: policy.openFactor,
    backoffMax: Duration.toMillis(policy.openCap),
    resetAt: counts.resetAt,
    failureHistory: counts.failureHistory.entries().map(({ at, reason }) => ({
      at: EpochMillis.toEpochMillis(clock, at),
      reason
    })),
    successHistory: counts.successHistory.entries().map((at) => EpochMillis.toEpochMillis(clock, at)),
    transitionHistory: counts.transitionHistory.entries()
  }
}
