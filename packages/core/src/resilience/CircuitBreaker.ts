/**
 * A circuit breaker: after enough failures nothing is tried for a while, then
 * one probe at a time, until it is known to work again.
 *
 * The machine is a pure function, `transition`; a `Breaker` holds its state in
 * a `Ref`, hands out permits and counts. It knows nothing of sockets: `execute`
 * puts it around any effect, permits serve what lasts, such as a connection.
 * The service `CircuitBreaker` holds one breaker per key.
 *
 * What it waits for is measured on the monotonic clock (`Monotonic.now`): an
 * open time is as long as it says, whatever is done to the wall clock. What is
 * told of it, in errors, transitions and metrics, has the wall clock's times.
 *
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import type * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import { constVoid } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as PubSub from "effect/PubSub"
import * as Ref from "effect/Ref"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Broadcast from "../value/internal/broadcast.ts"
import * as MetricAttributes from "../value/internal/metricAttributes.ts"
import * as Monotonic from "../value/Monotonic.ts"
import * as Printable from "../value/Printable.ts"

/**
 * When a breaker opens, for how long, and how it closes.
 *
 * - `failureThreshold`: so many failures open it, 1 or more
 * - `window`: `undefined` counts failures in a row, which a success ends; else
 *   failures count while they are younger than it, whatever succeeds between
 * - `openDuration`, `openFactor`, `openCap`: opening n without a close between
 *   lasts `min(openDuration × openFactor^(n - 1), openCap)`
 * - `halfOpen`: `"skip"` closes the breaker, its counters reset, when the open
 *   time is over; else so many probes in a row must succeed, one at a time
 *
 * @category models
 * @since 0.1.0
 */
export interface Policy {
  readonly failureThreshold: number
  readonly window: Duration.Duration | undefined
  readonly openDuration: Duration.Duration
  readonly openFactor: number
  readonly openCap: Duration.Duration
  readonly halfOpen: "skip" | { readonly successThreshold: number }
}

/**
 * The policy of a breaker that never opens, and only counts.
 *
 * @category constants
 * @since 0.1.0
 */
export const never: Policy = {
  failureThreshold: Infinity,
  window: undefined,
  openDuration: Duration.zero,
  openFactor: 1,
  openCap: Duration.zero,
  halfOpen: "skip"
}

/**
 * Everything is admitted. `failures` counts towards the threshold; with a
 * window `failedAt` has the time of each, by the monotonic clock, oldest first.
 *
 * @category models
 * @since 0.1.0
 */
export interface Closed {
  readonly _tag: "Closed"
  readonly failures: number
  readonly failedAt: ReadonlyArray<number>
}

/**
 * Nothing is admitted before `until`, by the monotonic clock. This is opening
 * number `openings` since the breaker was last closed, after `failures`
 * failures. `ready` is whether the open time is over, so that the next to ask is
 * admitted; only `Breaker.state` sets it, as nothing else happens at that moment.
 *
 * @category models
 * @since 0.1.0
 */
export interface Open {
  readonly _tag: "Open"
  readonly until: number
  readonly openings: number
  readonly failures: number
  readonly ready: boolean
}

/**
 * One probe at a time is admitted; `probing` is whether one is under way.
 *
 * @category models
 * @since 0.1.0
 */
export interface HalfOpen {
  readonly _tag: "HalfOpen"
  readonly successes: number
  readonly probing: boolean
  readonly openings: number
}

/**
 * Where a breaker stands.
 *
 * @category models
 * @since 0.1.0
 */
export type State = Closed | Open | HalfOpen

/**
 * The state of a breaker that has seen nothing.
 *
 * @category constants
 * @since 0.1.0
 */
export const closed: Closed = { _tag: "Closed", failures: 0, failedAt: [] }

/**
 * What happens to a breaker.
 *
 * - `Acquire`: somebody asks to be admitted
 * - `Succeed`, `Prove`, `Fail`, `Release`: what an admitted one reports;
 *   `Prove` is a stable period, which closes the breaker outright, `Release`
 *   says nothing but that it is gone
 * - `Reset`: closed by hand
 *
 * @category models
 * @since 0.1.0
 */
export type Event =
  | { readonly _tag: "Acquire" | "Succeed" | "Prove" | "Release" | "Reset" }
  | { readonly _tag: "Fail"; readonly reason: string }

/**
 * One step from a state to another, at `at`: in the monotonic milliseconds of
 * `transition`, and in epoch milliseconds where a breaker tells it. Where it
 * opens, `openForMillis` is for how long, and `failures` after how many.
 *
 * @category models
 * @since 0.1.0
 */
export interface Transition {
  readonly from: State["_tag"]
  readonly to: State["_tag"]
  readonly at: number
  readonly reason: string
  readonly openForMillis?: number
  readonly failures?: number
}

/**
 * What an event leads to: the next state, whether an `Acquire` is admitted, and
 * the transition where the state's name changed.
 *
 * @category models
 * @since 0.1.0
 */
export interface Step {
  readonly state: State
  readonly admitted: boolean
  readonly transition: Transition | undefined
}

/**
 * For how long opening number `openings` lasts, in milliseconds.
 *
 * @category getters
 * @since 0.1.0
 */
export const openMillis = (policy: Policy, openings: number): number =>
  Math.min(
    Duration.toMillis(policy.openDuration) * policy.openFactor ** (openings - 1),
    Duration.toMillis(policy.openCap)
  )

const stay = (state: State, admitted = true): Step => ({ state, admitted, transition: undefined })

const move = (from: State, to: State, at: number, reason: string): Step => ({
  state: to,
  admitted: true,
  transition: to._tag === "Open"
    ? { from: from._tag, to: to._tag, at, reason, openForMillis: to.until - at, failures: to.failures }
    : { from: from._tag, to: to._tag, at, reason }
})

const open = (policy: Policy, from: State, openings: number, failures: number, at: number, reason: string): Step =>
  move(from, { _tag: "Open", until: at + openMillis(policy, openings), openings, failures, ready: false }, at, reason)

const failClosed = (policy: Policy, state: Closed, at: number, reason: string): Step => {
  const window = policy.window === undefined ? undefined : Duration.toMillis(policy.window)
  const failedAt = window === undefined ? state.failedAt : [...state.failedAt.filter((then) => at - then < window), at]
  const failures = window === undefined ? state.failures + 1 : failedAt.length
  return failures >= policy.failureThreshold
    ? open(
      policy,
      state,
      1,
      failures,
      at,
      `${failures} ${failures === 1 ? "failure" : "failures"}, the last: ${reason}`
    )
    : stay({ _tag: "Closed", failures, failedAt })
}

/**
 * Steps a breaker. Pure; `now` is in milliseconds of the monotonic clock.
 *
 * @category combinators
 * @since 0.1.0
 */
export const transition = (state: State, event: Event, now: number, policy: Policy): Step => {
  if (event._tag === "Reset") {
    return state._tag === "Closed" ? stay(closed) : move(state, closed, now, "reset by hand")
  }
  switch (state._tag) {
    case "Closed":
      switch (event._tag) {
        case "Fail":
          return failClosed(policy, state, now, event.reason)
        case "Succeed":
          // With a window failures end by their age only.
          return stay(state.failures === 0 || policy.window !== undefined ? state : closed)
        case "Prove":
          return stay(closed)
        default:
          return stay(state)
      }
    case "Open":
      if (event._tag !== "Acquire") return stay(state)
      if (now < state.until) return stay(state, false)
      return policy.halfOpen === "skip"
        ? move(state, closed, now, "open time over")
        : move(
          state,
          { _tag: "HalfOpen", successes: 0, probing: true, openings: state.openings },
          now,
          "open time over"
        )
    case "HalfOpen":
      switch (event._tag) {
        case "Acquire":
          return state.probing ? stay(state, false) : stay({ ...state, probing: true })
        case "Release":
          return stay({ ...state, probing: false })
        case "Prove":
          return move(state, closed, now, "stable")
        case "Succeed": {
          const successes = state.successes + 1
          return policy.halfOpen === "skip" || successes >= policy.halfOpen.successThreshold
            ? move(state, closed, now, `${successes} successful ${successes === 1 ? "probe" : "probes"}`)
            : stay({ ...state, successes, probing: false })
        }
        case "Fail":
          return open(policy, state, state.openings + 1, 1, now, `probe failed: ${event.reason}`)
      }
  }
}

/**
 * The breaker did not admit: it is open until `until` (epoch milliseconds,
 * `retryAfterMillis` from now), or half-open with a probe under way (`probing`;
 * when that ends nobody knows, so the wait is 0: await `Breaker.changed`).
 *
 * @category errors
 * @since 0.1.0
 */
export class CircuitOpen extends Schema.TaggedError<CircuitOpen>()("CircuitOpen", {
  key: Schema.String,
  until: Schema.Finite,
  retryAfterMillis: Schema.Finite,
  probing: Schema.Boolean
}) {
  override get message(): string {
    const circuit = `circuit${this.key === "" ? "" : ` of ${this.key}`} open`
    return this.probing ? `${circuit}: a probe is under way` : `${circuit} for another ${this.retryAfterMillis} ms`
  }
}

// Core is compiled without the types of a runtime; V8 has this property.
const StackTraces = Error as ErrorConstructor & { stackTraceLimit?: number }

// A rejection is the ordinary answer of an open breaker, thousands of times a
// second at worst, and its stack says nothing: without one it costs a fifth.
const circuitOpen = (fields: {
  readonly key: string
  readonly until: number
  readonly retryAfterMillis: number
  readonly probing: boolean
}): CircuitOpen => {
  const limit = StackTraces.stackTraceLimit
  if (limit === undefined) return new CircuitOpen(fields)
  StackTraces.stackTraceLimit = 0
  const error = new CircuitOpen(fields)
  StackTraces.stackTraceLimit = limit
  return error
}

/**
 * The right to try once. Of what a permit reports only the first counts. A
 * permit counts for nothing once the breaker has opened or been reset.
 *
 * - `succeed`: one success
 * - `prove`: a stable period, which closes the breaker outright
 * - `fail`: one failure, with its reason
 * - `release`: neither; a probe's slot is free again
 *
 * @category models
 * @since 0.1.0
 */
export interface Permit {
  readonly succeed: Effect.Effect<void>
  readonly confirmStable: Effect.Effect<void>
  readonly fail: (reason: string) => Effect.Effect<void>
  readonly release: Effect.Effect<void>
}

/**
 * One circuit breaker.
 *
 * @category models
 * @since 0.1.0
 */
export interface Breaker {
  readonly key: string
  readonly state: Effect.Effect<State>
  /** Transitions from now on; a reader more than 128 behind loses the oldest. */
  readonly transitions: Stream.Stream<Transition>
  /** Calls back at each transition, before whatever caused it goes on, until the scope ends. */
  readonly observe: (listener: (transition: Transition) => void) => Effect.Effect<void, never, Scope.Scope>
  /** Admits or rejects at once. */
  readonly acquire: Effect.Effect<Permit, CircuitOpen>
  /**
   * Waits until it is admitted, through the open time and the probes of others.
   * The permit is released with the scope, where it has reported nothing.
   */
  readonly awaitPermit: Effect.Effect<Permit, never, Scope.Scope>
  /**
   * Completes at the next transition, or when a probe's slot becomes free, after
   * it is first awaited. To be admitted after a rejection use `awaitPermit`, which
   * cannot miss a change between the two.
   */
  readonly changed: Effect.Effect<void>
  /**
   * Runs the effect where it is admitted. Its success is a success, its failure
   * or defect a failure, its interruption nothing. Where `isFailure` says that
   * an error is none, as an answer that the caller dislikes, it is a success.
   */
  readonly execute: <A, E, R>(
    effect: Effect.Effect<A, E, R>,
    options?: { readonly isFailure?: ((error: E) => boolean) | undefined } | undefined
  ) => Effect.Effect<A, E | CircuitOpen, R>
  /** Counts a failure that belongs to no permit, as the drop of a connection. */
  readonly recordFailure: (reason: string) => Effect.Effect<void>
  /**
   * Counts a stable period that belongs to no permit, as that of a probe which
   * reported its success at its begin: closes the breaker where it is
   * half-open, and says nothing otherwise.
   */
  readonly recordStable: Effect.Effect<void>
  /** Closes the breaker by hand. */
  readonly reset: Effect.Effect<void>
  /** Counts from zero; the state stays. */
  readonly resetMetrics: Effect.Effect<void>
  readonly metrics: Effect.Effect<BreakerMetrics>
}

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
  readonly state: State["_tag"]
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
  readonly transitionHistory: ReadonlyArray<Transition>
}

/**
 * How many entries each history of a breaker's metrics holds.
 *
 * @category constants
 * @since 0.1.0
 */
export const historySize = 100

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

/** What is counted as it happens; everything derived is computed when read. */
class Counts {
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
  readonly transitionHistory = new History<Transition>()
  constructor(now: number, resetAt: number | undefined) {
    this.since = now
    this.stateSince = now
    this.resetAt = resetAt
  }
  moved(transition: Transition, event: Event, now: number): void {
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

const acquireEvent: Event = { _tag: "Acquire" }
const succeedEvent: Event = { _tag: "Succeed" }
const proveEvent: Event = { _tag: "Prove" }
const releaseEvent: Event = { _tag: "Release" }
const resetEvent: Event = { _tag: "Reset" }

/**
 * The synchronous heart of a breaker. An admission is a number, the breaker's
 * epoch: it goes up whenever the breaker opens or is reset, and what an earlier
 * epoch's permit reports is dropped.
 */
class Machine {
  readonly key: string
  readonly policy: Policy
  readonly state = Ref.makeUnsafe<State>(closed)
  // What most breakers never need is made when it is needed: a registry may hold very many.
  hub: PubSub.PubSub<Transition> | undefined
  listeners: Set<(transition: Transition) => void> | undefined
  // Whoever has one of the two has both: what a permit or a call reports is what the next to ask is judged by.
  readonly breaker: Breaker = new BreakerImpl(this)
  /** Has a registry keep it again that had dropped it. */
  recall: (() => void) | undefined
  epoch = 0
  counts: Counts
  /** When its state last changed, on the monotonic clock. */
  changedAt: number
  private change: Deferred.Deferred<void> | undefined
  constructor(key: string, policy: Policy, now: number) {
    this.key = key
    this.policy = policy
    this.counts = new Counts(now, undefined)
    this.changedAt = now
  }

  apply(event: Event, clock: Clock.Clock): boolean {
    const before = Ref.getUnsafe(this.state)
    // Nearly every call: nothing has failed, and nothing does.
    if (before === closed && (event === acquireEvent || event === succeedEvent)) return true
    const now = Monotonic.nowMillis(clock)
    const { admitted, state, transition: step } = transition(before, event, now, this.policy)
    if (state === before) return admitted
    // The only writer of the Ref; synchronous, so no other can come between.
    this.state.ref.current = state
    this.changedAt = now
    const moved = step === undefined ? undefined : { ...step, at: clock.currentTimeMillisUnsafe() }
    if (moved !== undefined) {
      this.counts.moved(moved, event, now)
      if (moved.to === "Open") this.epoch++
      if (this.hub !== undefined) Broadcast.publishUnsafe(this.hub, moved)
      for (const listener of this.listeners ?? []) listener(moved)
    }
    this.recall?.()
    if (moved !== undefined || (before._tag === "HalfOpen" && before.probing)) this.signal()
    return admitted
  }

  /** Completes at the next change after this. */
  changed(): Effect.Effect<void> {
    return Deferred.await(this.change ??= Deferred.makeUnsafe())
  }

  private signal(): void {
    const change = this.change
    this.change = undefined
    if (change !== undefined) Deferred.doneUnsafe(change, Effect.void)
  }

  isWatched(): boolean {
    return this.listeners !== undefined && this.listeners.size > 0
  }

  /**
   * Whether forgetting it would change what is admitted, or somebody is told of
   * its changes. What a breaker remembers of a key that nobody has asked for in
   * so long a time is of no use to who asks next.
   */
  isWorthKeeping(now: number): boolean {
    const state = Ref.getUnsafe(this.state)
    if (this.isWatched()) return true
    if (state === closed || this.policy === never) return false
    const rests = Math.max(
      memoryMillis,
      Duration.toMillis(this.policy.openCap),
      Duration.toMillis(this.policy.window ?? Duration.zero)
    )
    return now < (state._tag === "Open" ? state.until : this.changedAt) + rests
  }

  acquire(clock: Clock.Clock): boolean {
    if (!this.apply(acquireEvent, clock)) {
      this.counts.rejected++
      return false
    }
    if (Ref.getUnsafe(this.state)._tag === "HalfOpen") this.counts.halfOpenAttempts++
    return true
  }

  rejection(clock: Clock.Clock): CircuitOpen {
    const state = Ref.getUnsafe(this.state)
    // Rounded up: who waits for so long is not rejected for the rest of a millisecond.
    const retryAfterMillis = state._tag === "Open" ? Math.ceil(state.until - Monotonic.nowMillis(clock)) : 0
    return circuitOpen({
      key: this.key,
      until: clock.currentTimeMillisUnsafe() + retryAfterMillis,
      retryAfterMillis,
      probing: state._tag === "HalfOpen"
    })
  }

  succeed(epoch: number, clock: Clock.Clock, event: Event = succeedEvent, now = Monotonic.nowMillis(clock)): void {
    if (epoch !== this.epoch) return
    this.counts.succeeded(now)
    this.apply(event, clock)
  }

  fail(epoch: number, clock: Clock.Clock, reason: string): void {
    if (epoch !== this.epoch) return
    this.counts.failed(Monotonic.nowMillis(clock), reason)
    this.apply({ _tag: "Fail", reason }, clock)
  }

  release(epoch: number, clock: Clock.Clock): void {
    if (epoch === this.epoch) this.apply(releaseEvent, clock)
  }

  reset(clock: Clock.Clock): void {
    this.epoch++
    this.apply(resetEvent, clock)
  }

  permit(): Permit {
    return new PermitImpl(this)
  }
}

// A connection holds one for as long as it lives: what it reports is made when it is reported.
class PermitImpl implements Permit {
  private readonly machine: Machine
  private readonly epoch: number
  private used = false

  constructor(machine: Machine) {
    this.machine = machine
    this.epoch = machine.epoch
  }

  get succeed(): Effect.Effect<void> {
    return this.once((clock) => this.machine.succeed(this.epoch, clock))
  }

  get confirmStable(): Effect.Effect<void> {
    return this.once((clock) => this.machine.succeed(this.epoch, clock, proveEvent))
  }

  fail(reason: string): Effect.Effect<void> {
    return this.once((clock) => this.machine.fail(this.epoch, clock, reason))
  }

  get release(): Effect.Effect<void> {
    return this.once((clock) => this.machine.release(this.epoch, clock))
  }

  private once(report: (clock: Clock.Clock) => void): Effect.Effect<void> {
    return Effect.clockWith((clock) => {
      if (!this.used) {
        this.used = true
        report(clock)
      }
      return Effect.void
    })
  }
}

const nameOf = (u: unknown): string =>
  typeof u === "object" && u !== null
    ? "_tag" in u && typeof u._tag === "string" ? u._tag : u instanceof Error ? u.name : "object"
    : String(u)

/**
 * What a cause says to a breaker: a defect is a failure, then an error where it
 * counts; an interruption alone says nothing.
 */
const verdict = <E>(cause: Cause.Cause<E>, isFailure: ((error: E) => boolean) | undefined): Event => {
  let event: Event = releaseEvent
  for (const reason of cause.reasons) {
    if (reason._tag === "Die") return { _tag: "Fail", reason: `defect: ${nameOf(reason.defect)}` }
    if (reason._tag === "Fail") {
      if (isFailure === undefined || isFailure(reason.error)) return { _tag: "Fail", reason: nameOf(reason.error) }
      event = succeedEvent
    }
  }
  return event
}

const snapshot = (machine: Machine, clock: Clock.Clock): BreakerMetrics => {
  const { counts, policy } = machine
  const now = Monotonic.nowMillis(clock)
  const state = Ref.getUnsafe(machine.state)
  const outcomes = counts.failures + counts.successes
  const timeInState = now - counts.stateSince
  const held = { ...counts.held }
  held[state._tag] += timeInState
  return {
    key: machine.key,
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
    openUntil: state._tag === "Open" ? Monotonic.toEpochMillis(clock, state.until) : undefined,
    calls: counts.calls,
    fastestCall: counts.calls === 0 ? undefined : counts.fastestCall,
    slowestCall: counts.calls === 0 ? undefined : counts.slowestCall,
    averageCall: counts.calls === 0 ? undefined : counts.callMillis / counts.calls,
    backoffEnabled: policy.openFactor > 1,
    backoffMultiplier: policy.openFactor,
    backoffMax: Duration.toMillis(policy.openCap),
    resetAt: counts.resetAt,
    failureHistory: counts.failureHistory.entries().map(({ at, reason }) => ({
      at: Monotonic.toEpochMillis(clock, at),
      reason
    })),
    successHistory: counts.successHistory.entries().map((at) => Monotonic.toEpochMillis(clock, at)),
    transitionHistory: counts.transitionHistory.entries()
  }
}

const transitionsKept = 128

/**
 * Makes one breaker. `"none"` never opens, and counts all the same. `key` names
 * it in errors and metrics (default: empty).
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  policy: Policy | "none",
  options?: { readonly key?: string | undefined } | undefined
): Effect.Effect<Breaker> =>
  Effect.map(
    Monotonic.now,
    (now) => new Machine(options?.key ?? "", policy === "none" ? never : policy, now).breaker
  )

type Restore = <A, E, R>(effect: Effect.Effect<A, E, R>) => Effect.Effect<A, E, R>

// A breaker over its machine: its methods are shared, and an effect is made when it is asked for.
class BreakerImpl implements Breaker {
  private readonly machine: Machine

  constructor(machine: Machine) {
    this.machine = machine
  }

  get key(): string {
    return this.machine.key
  }

  get state(): Breaker["state"] {
    return this.sync((machine, clock) => {
      const state = Ref.getUnsafe(machine.state)
      return state._tag === "Open" && Monotonic.nowMillis(clock) >= state.until ? { ...state, ready: true } : state
    })
  }

  get transitions(): Breaker["transitions"] {
    const { machine } = this
    return Stream.unwrap(Effect.map(
      PubSub.sliding<Transition>(transitionsKept),
      (made) => Stream.fromPubSub(machine.hub ??= made)
    ))
  }

  observe(listener: (transition: Transition) => void): ReturnType<Breaker["observe"]> {
    const { machine } = this
    // Each has its own place, whatever else it is given to.
    const own = (transition: Transition): void => listener(transition)
    return Effect.asVoid(Effect.acquireRelease(
      Effect.sync(() => (machine.listeners ??= new Set()).add(own)),
      (listeners) => Effect.sync(() => listeners.delete(own))
    ))
  }

  get acquire(): Breaker["acquire"] {
    const { machine } = this
    return Effect.clockWith((clock): Effect.Effect<Permit, CircuitOpen> =>
      machine.acquire(clock) ? Effect.succeed(machine.permit()) : Effect.fail(machine.rejection(clock))
    )
  }

  get awaitPermit(): Breaker["awaitPermit"] {
    return Effect.uninterruptibleMask((restore) =>
      Effect.tap(this.admission(restore), (permit) => Effect.addFinalizer(() => permit.release))
    )
  }

  get changed(): Breaker["changed"] {
    return Effect.suspend(() => this.machine.changed())
  }

  execute<A, E, R>(
    effect: Effect.Effect<A, E, R>,
    options?: { readonly isFailure?: ((error: E) => boolean) | undefined } | undefined
  ): Effect.Effect<A, E | CircuitOpen, R> {
    return execute(this.machine, effect, options?.isFailure)
  }

  get recordStable(): Breaker["recordStable"] {
    return this.sync((machine, clock) => {
      if (Ref.getUnsafe(machine.state)._tag === "HalfOpen") machine.succeed(machine.epoch, clock, proveEvent)
    })
  }

  recordFailure(reason: string): Effect.Effect<void> {
    return this.sync((machine, clock) => machine.fail(machine.epoch, clock, reason))
  }

  get reset(): Breaker["reset"] {
    return this.sync((machine, clock) => machine.reset(clock))
  }

  get resetMetrics(): Breaker["resetMetrics"] {
    return this.sync((machine, clock) => {
      machine.counts = new Counts(Monotonic.nowMillis(clock), clock.currentTimeMillisUnsafe())
    })
  }

  get metrics(): Breaker["metrics"] {
    return this.sync(snapshot)
  }

  private sync<A>(f: (machine: Machine, clock: Clock.Clock) => A): Effect.Effect<A> {
    return Effect.clockWith((clock) => Effect.succeed(f(this.machine, clock)))
  }

  private admission(restore: Restore): Effect.Effect<Permit> {
    return Effect.flatMap(this.attempt, (outcome) =>
      "wait" in outcome
        ? Effect.flatMap(restore(outcome.wait), () => this.admission(restore))
        : Effect.succeed(outcome))
  }

  // Rejection and the change to await are read in one step: no change between the two can be missed.
  private get attempt(): Effect.Effect<Permit | { readonly wait: Effect.Effect<void> }> {
    return this.sync((machine, clock) => {
      if (machine.acquire(clock)) return machine.permit()
      const state = Ref.getUnsafe(machine.state)
      const change = machine.changed()
      if (state._tag !== "Open") return { wait: change }
      return { wait: Effect.raceFirst(Effect.sleep(Duration.millis(state.until - Monotonic.nowMillis(clock))), change) }
    })
  }
}

const execute = <A, E, R>(
  machine: Machine,
  effect: Effect.Effect<A, E, R>,
  isFailure: ((error: E) => boolean) | undefined
): Effect.Effect<A, E | CircuitOpen, R> =>
  Effect.clockWith((clock): Effect.Effect<A, E | CircuitOpen, R> => {
    if (Ref.getUnsafe(machine.state)._tag === "Closed") {
      // What is admitted by a closed breaker holds no slot: its interruption
      // says nothing and need not be seen, which saves a fifth of the cost.
      const { epoch } = machine
      const start = Monotonic.nowMillis(clock)
      return Effect.onExitPrimitive(
        effect,
        (exit) => settle(machine, epoch, start, clock, exit, isFailure),
        true
      )
    }
    let admission: { readonly epoch: number; readonly start: number } | undefined
    // The exit is watched before the admission is asked for, so that no
    // interruption between the two can leave a probe's slot taken.
    return Effect.onExitPrimitive(
      Effect.suspend((): Effect.Effect<A, E | CircuitOpen, R> => {
        if (!machine.acquire(clock)) return Effect.fail(machine.rejection(clock))
        admission = { epoch: machine.epoch, start: Monotonic.nowMillis(clock) }
        return effect
      }),
      (exit) =>
        admission === undefined
          ? undefined
          // Once admitted, only `effect` can have failed.
          : settle(machine, admission.epoch, admission.start, clock, exit as Exit.Exit<A, E>, isFailure)
    )
  })

const settle = <A, E>(
  machine: Machine,
  epoch: number,
  start: number,
  clock: Clock.Clock,
  exit: Exit.Exit<A, E>,
  isFailure: ((error: E) => boolean) | undefined
): undefined => {
  const event = exit._tag === "Success" ? succeedEvent : verdict(exit.cause, isFailure)
  if (event._tag === "Release") {
    machine.release(epoch, clock)
    return undefined
  }
  const now = Monotonic.nowMillis(clock)
  machine.counts.called(now - start)
  if (event._tag === "Fail") machine.fail(epoch, clock, event.reason)
  else machine.succeed(epoch, clock, succeedEvent, now)
  return undefined
}

/**
 * A registry of breakers: one per key, made when first asked for, all by one
 * policy. Beyond 1,024 keys it forgets those that nobody holds and that have
 * nothing to say: closed without a failure, or left alone for ten minutes or
 * more after their failures and open times. `all` are those that it keeps.
 *
 * @category services
 * @since 0.1.0
 */
export class CircuitBreaker extends Context.Service<CircuitBreaker, {
  readonly get: (key: string) => Effect.Effect<Breaker>
  readonly all: Effect.Effect<ReadonlyArray<Breaker>>
}>()("@tickline/core/resilience/CircuitBreaker") {}

// How many breakers a registry keeps before it looks for some to forget, and how long their failures count.
const keptBreakers = 1_024
const memoryMillis = 600_000

// Breakers by their keys, the one asked for last at the end.
class Registry {
  private readonly policy: Policy | "none"
  private readonly kept = new Map<string, Machine>()
  // Those that are not kept any more are the same for as long as somebody holds them.
  private readonly dropped = new Map<string, WeakRef<Machine>>()
  // How the metrics of some leave Effect's: they weigh more than the breaker.
  private readonly registered = new Map<string, () => void>()
  private sweepAt = keptBreakers
  private isClosed = false

  constructor(policy: Policy | "none") {
    this.policy = policy
  }

  get(key: string, now: number, context: Context.Context<never>): Breaker {
    const machine = this.kept.get(key) ?? this.dropped.get(key)?.deref() ?? this.made(key, now)
    this.keep(machine)
    if (!this.isClosed && !this.registered.has(key)) this.register(machine, context)
    return machine.breaker
  }

  all(): ReadonlyArray<Breaker> {
    return Array.from(this.kept.values(), ({ breaker }) => breaker)
  }

  close(): void {
    this.isClosed = true
    for (const key of this.registered.keys()) this.unregister(key)
  }

  private made(key: string, now: number): Machine {
    if (this.kept.size >= this.sweepAt) this.sweep(now)
    return new Machine(key, this.policy === "none" ? never : this.policy, now)
  }

  private keep(machine: Machine): void {
    const { key } = machine
    machine.recall = undefined
    this.dropped.delete(key)
    this.kept.delete(key)
    this.kept.set(key, machine)
  }

  private drop(machine: Machine): void {
    const { key } = machine
    this.unregister(key)
    machine.recall = () => this.keep(machine)
    this.kept.delete(key)
    this.dropped.set(key, new WeakRef(machine))
  }

  private register(machine: Machine, context: Context.Context<never>): void {
    if (this.registered.size >= keptBreakers) {
      for (const key of this.registered.keys()) {
        if (this.kept.get(key)?.isWatched() === true) continue
        this.unregister(key)
        break
      }
    }
    this.registered.set(machine.key, registerUnsafe(machine.breaker, context))
  }

  private unregister(key: string): void {
    this.registered.get(key)?.()
    this.registered.delete(key)
  }

  private sweep(now: number): void {
    for (const machine of this.kept.values()) {
      if (this.kept.size <= keptBreakers / 2) break
      if (!machine.isWorthKeeping(now)) this.drop(machine)
    }
    this.sweepAt = Math.max(keptBreakers, 2 * this.kept.size)
    for (const [key, machine] of this.dropped) if (machine.deref() === undefined) this.dropped.delete(key)
  }
}

/**
 * Gives a registry of breakers by one policy; with `"none"` everything is
 * always admitted. Each breaker's metrics are among Effect's from when it is
 * made until it is forgotten or the layer's scope ends; where more than 1,024
 * are kept, those of the ones that are watched or were asked for last.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (policy: Policy | "none"): Layer.Layer<CircuitBreaker> =>
  Layer.effect(
    CircuitBreaker,
    Effect.gen(function*() {
      const registry = new Registry(policy)
      yield* Effect.addFinalizer(() => Effect.sync(() => registry.close()))
      return {
        get: (key) =>
          Effect.contextWith((context: Context.Context<never>) =>
            Effect.map(Monotonic.now, (now) => registry.get(key, now, context))
          ),
        all: Effect.sync(() => registry.all())
      }
    })
  )

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
  const read = (breaker: Breaker, context: Context.Context<never>): number =>
    value(Effect.runSyncWith(context)(breaker.metrics)) ?? 0
  const ignored = { update: constVoid, modify: constVoid }
  const counter = Metric.counter(name, { description, incremental: true })
  const gauge = Metric.gauge(name, { description })
  return (breaker: Breaker, context: Context.Context<never>): Metric.Registration =>
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
export const register = (breaker: Breaker): Effect.Effect<void, never, Scope.Scope> =>
  Effect.asVoid(Effect.acquireRelease(
    Effect.contextWith((context: Context.Context<never>) => Effect.sync(() => registerUnsafe(breaker, context))),
    (unregister) => Effect.sync(unregister)
  ))

const registerUnsafe = (breaker: Breaker, context: Context.Context<never>): () => void => {
  const labelled = MetricAttributes.add(context, { key: breaker.key })
  const registrations = series.map((one) => one(breaker, labelled))
  return () => registrations.forEach((registration) => registration.remove())
}

const label = (key: string): string =>
  `{key="${Printable.escape(key).replaceAll("\\", "\\\\").replaceAll("\"", "\\\"").replaceAll("\n", "\\n")}"}`

/**
 * Returns the metrics of breakers as Prometheus text, one series per key; what
 * has not happened yet has no sample.
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
