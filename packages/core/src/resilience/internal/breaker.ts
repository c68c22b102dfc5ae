/**
 * A breaker over the pure machine: it holds the state, hands out permits, counts
 * and tells of transitions.
 *
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import type * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as PubSub from "effect/PubSub"
import * as Ref from "effect/Ref"
import * as Stream from "effect/Stream"
import * as SlidingPubSub from "../../value/internal/slidingPubSub.ts"
import { untraced } from "../../value/internal/untraced.ts"
import * as Monotonic from "../../value/Monotonic.ts"
import { type Breaker, CircuitOpen, type Permit } from "../Breaker.ts"
import type * as Circuit from "../Circuit.ts"
import { Counts, snapshot } from "./breakerCounts.ts"
import * as BreakerTransitions from "./breakerTransitions.ts"

// A rejection is the ordinary answer of an open breaker, thousands of times a second at worst.
const circuitOpen = (fields: {
  readonly key: string
  readonly until: number
  readonly retryAfterMillis: number
  readonly probing: boolean
}): CircuitOpen => untraced(() => new CircuitOpen(fields))

const acquireEvent: BreakerTransitions.Event = { _tag: "Acquire" }
const succeedEvent: BreakerTransitions.Event = { _tag: "Succeed" }
const confirmStableEvent: BreakerTransitions.Event = { _tag: "ConfirmStable" }
const releaseEvent: BreakerTransitions.Event = { _tag: "Release" }
const resetEvent: BreakerTransitions.Event = { _tag: "Reset" }

// How long the failures of a breaker that nobody asks for count.
const memoryMillis = 600_000

/**
 * The synchronous heart of a breaker. An admission is a number, the breaker's
 * epoch: it goes up whenever the breaker opens or is reset, and what an earlier
 * epoch's permit reports is dropped.
 *
 * @category models
 * @since 0.1.0
 */
export class Machine {
  readonly key: string
  readonly policy: Circuit.Policy
  readonly state = Ref.makeUnsafe<Circuit.State>(BreakerTransitions.closed)
  // What most breakers never need is made when it is needed: a registry may hold very many.
  hub: PubSub.PubSub<Circuit.Transition> | undefined
  listeners: Set<(transition: Circuit.Transition) => void> | undefined
  // Whoever has one of the two has both: what a permit or a call reports is what the next to ask is judged by.
  readonly breaker: Breaker = new BreakerImpl(this)
  /** Has a registry keep it again that had dropped it. */
  recall: (() => void) | undefined
  epoch = 0
  counts: Counts
  /** When its state last changed, on the monotonic clock. */
  changedAt: number
  private change: Deferred.Deferred<void> | undefined
  constructor(key: string, policy: Circuit.Policy, now: number) {
    this.key = key
    this.policy = policy
    this.counts = new Counts(now, undefined)
    this.changedAt = now
  }

  apply(event: BreakerTransitions.Event, clock: Clock.Clock): boolean {
    const before = Ref.getUnsafe(this.state)
    // Nearly every call: nothing has failed, and nothing does.
    if (before === BreakerTransitions.closed && (event === acquireEvent || event === succeedEvent)) return true
    const now = Monotonic.nowMillis(clock)
    const { admitted, state, transition: step } = BreakerTransitions.transition(before, event, now, this.policy)
    if (state === before) return admitted
    // The only writer of the Ref; synchronous, so no other can come between.
    this.state.ref.current = state
    this.changedAt = now
    const moved = step === undefined ? undefined : { ...step, at: clock.currentTimeMillisUnsafe() }
    if (moved !== undefined) {
      this.counts.moved(moved, event, now)
      if (moved.to === "Open") this.epoch++
      if (this.hub !== undefined) SlidingPubSub.publishUnsafe(this.hub, moved)
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
    if (state === BreakerTransitions.closed || this.policy === BreakerTransitions.never) return false
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

  succeed(
    epoch: number,
    clock: Clock.Clock,
    event: BreakerTransitions.Event = succeedEvent,
    now = Monotonic.nowMillis(clock)
  ): void {
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
    return this.once((clock) => this.machine.succeed(this.epoch, clock, confirmStableEvent))
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
const verdict = <E>(
  cause: Cause.Cause<E>,
  isFailure: ((error: E) => boolean) | undefined
): BreakerTransitions.Event => {
  let event: BreakerTransitions.Event = releaseEvent
  for (const reason of cause.reasons) {
    if (reason._tag === "Die") return { _tag: "Fail", reason: `defect: ${nameOf(reason.defect)}` }
    if (reason._tag === "Fail") {
      if (isFailure === undefined || isFailure(reason.error)) return { _tag: "Fail", reason: nameOf(reason.error) }
      event = succeedEvent
    }
  }
  return event
}

const transitionsKept = 128

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
      PubSub.sliding<Circuit.Transition>(transitionsKept),
      (made) => Stream.fromPubSub(machine.hub ??= made)
    ))
  }

  observe(listener: (transition: Circuit.Transition) => void): ReturnType<Breaker["observe"]> {
    const { machine } = this
    // Each has its own place, whatever else it is given to.
    const own = (transition: Circuit.Transition): void => listener(transition)
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
      if (Ref.getUnsafe(machine.state)._tag === "HalfOpen") machine.succeed(machine.epoch, clock, confirmStableEvent)
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
    return this.sync((machine, clock) => snapshot(machine, Ref.getUnsafe(machine.state), clock))
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
