/**
 * One actor: its state, and the fiber that handles what waits.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import { constVoid } from "effect/Function"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as EscapedText from "../../value/internal/escapedText.ts"
import { ActorCrashed, type MailboxFull, NotUnderstood } from "../ActorError.ts"
import type { ActorMessage } from "../ActorMessage.ts"
import type { ActorRef, SendOptions } from "../ActorRef.ts"
import { ActorState, type Ended } from "../ActorState.ts"
import type * as Behaviours from "../Behaviour.ts"
import type { Directive } from "../Supervisor.ts"
import type { Counted, Kind } from "./actorMetrics.ts"
import { allows } from "./actorTransitions.ts"
import { Broadcast } from "./broadcast.ts"
import { Inbound, type Parts as InboundParts } from "./inbound.ts"
import { type Entry, Envelope, messageOf } from "./mailbox.ts"
import { Replied } from "./replied.ts"
import { isAnswer, type Restarts } from "./restarts.ts"

/**
 * Who has children: is told of each one, and gives what to call when it has ended.
 *
 * @category models
 * @since 0.1.0
 */
export interface Parent {
  readonly path: string
  readonly adopt: (path: string) => (ended: Ended, isEscalated: boolean) => void
}

/**
 * The actor in whose fiber, or in a child of it, something is spawned.
 *
 * @category services
 * @since 0.1.0
 */
export const CurrentParent = Context.Reference<Parent | undefined>("@tickline/core/actor/CurrentParent", {
  defaultValue: () => undefined
})

/**
 * What an actor is made of.
 *
 * @category models
 * @since 0.1.0
 */
export interface Parts<State, M extends ActorMessage, E, R> extends Omit<InboundParts<M>, "wake" | "priority"> {
  readonly behaviour: Behaviours.Behaviour<State, M, E, R>
  readonly parent: Parent | undefined
  readonly restarts: Restarts
  readonly kind: Kind
  /** How long it has to stop when its own handler says so. */
  readonly stopWithin: Duration.Duration
}

interface Outcome {
  readonly cause: Cause.Cause<unknown> | undefined
  readonly next: "stop" | "escalate" | "restart"
}

interface Signal {
  readonly ended: Ended
  readonly isEscalated: boolean
}

const stopped: Outcome = { cause: undefined, next: "stop" }

// What a message that has no handler comes to.
const notUnderstood = Exit.fail("not understood")

// How many actors may be in the middle of something on one stack.
const deepest = 16
let depth = 0

// Messages in a row after which others have their turn: as many as Effect gives a fiber operations.
const burst = 2_048

type Done<State> = State | Replied<unknown, State>

const isReplied = <State>(done: Done<State>): done is Replied<unknown, State> => done instanceof Replied

// What an effect comes to if it need not be run.
const ready = <A, E, R>(effect: Effect.Effect<A, E, R>): Exit.Exit<A, E> | undefined =>
  // An effect that is an exit has the exit's types.
  Exit.isExit(effect) ? effect as Exit.Exit<A, E> : undefined

/**
 * One actor.
 *
 * @category models
 * @since 0.1.0
 */
export class Cell<State, M extends ActorMessage, E, R> implements Counted, Parent {
  readonly path: string
  readonly inbound: Inbound<M>
  readonly address: ActorRef<M, MailboxFull>
  readonly changes = new Broadcast<ActorState>()
  current: ActorState = ActorState.Starting()
  handled = 0
  restarts = 0
  private readonly parts: Parts<State, M, E, R>
  private readonly seen: Behaviours.Context<M>
  private readonly children = new Set<string>()
  private readonly watched = new Map<unknown, Fiber.Fiber<void>>()
  private readonly watchers = new Set<(ended: Ended) => void>()
  private readonly onEnded: ReturnType<Parent["adopt"]> | undefined
  private readonly signals: Array<Signal> = []
  // There is one before anything is handled.
  private value!: State
  private outcome: Outcome | undefined
  private stopping: "drain" | "drop" | undefined
  private isForced = false
  private isEscalated = false
  private fiber: Fiber.Fiber<unknown, unknown> | undefined
  private parked: ((effect: Effect.Effect<void, never, R | Scope.Scope>) => void) | undefined
  private isAwake = false
  private bound: Fiber.Fiber<void> | undefined
  private hurry: (() => void) | undefined

  constructor(parts: Parts<State, M, E, R>) {
    this.parts = parts
    this.path = parts.path
    const inbound = new Inbound<M>({ ...parts, priority: parts.behaviour.priority, wake: () => this.wake() })
    this.inbound = inbound
    this.address = {
      path: parts.path,
      tell: (message, options) => inbound.tell(message, options),
      // Its handler answers with what its type says: `Behaviour.make` takes no other.
      ask: ((message: M, options?: SendOptions) => inbound.ask(message, options)) as ActorRef<M, MailboxFull>["ask"]
    }
    this.seen = {
      path: parts.path,
      self: this.address,
      children: Effect.sync(() => [...this.children]),
      watch: (other) => Effect.sync(() => this.watch(other)),
      stop: Effect.suspend(() => this.stop("drop", parts.stopWithin))
    }
    this.onEnded = parts.parent?.adopt(parts.path)
    parts.kind.live.add(this)
  }

  get told(): number {
    return this.inbound.told
  }

  get waiting(): number {
    return this.inbound.waiting
  }

  adopt(path: string): (ended: Ended, isEscalated: boolean) => void {
    this.children.add(path)
    return (ended, isEscalated) => {
      this.children.delete(path)
      this.signal({ ended, isEscalated })
    }
  }

  /** Waits until it has ended. */
  readonly ended: Effect.Effect<Ended> = Effect.callback<Ended>((resume) => {
    const watcher = (ended: Ended) => resume(Effect.succeed(ended))
    if (this.current._tag === "Stopped") return watcher(this.current.ended)
    this.watchers.add(watcher)
    return Effect.sync(() => this.watchers.delete(watcher))
  })

  /** Stops it, and waits until it has ended, but for itself. */
  stop(mode: "drain" | "drop", within: Duration.Duration): Effect.Effect<void> {
    return Effect.withFiber((fiber) => {
      if (this.hasStopped()) return Effect.void
      if (this.stopping !== "drop") this.stopping = mode
      this.inbound.close()
      if (mode === "drop") this.inbound.discard()
      this.move(ActorState.Stopping({ mode: this.stopping }))
      this.bound?.interruptUnsafe()
      this.hurry?.()
      this.wake()
      if (this.hasStopped()) return Effect.void
      const bound = this.fork(Effect.sleep(within))
      this.bound = bound
      bound.addObserver((exit) => Exit.isSuccess(exit) && this.force())
      return fiber === this.fiber ? Effect.void : Effect.asVoid(this.ended)
    })
  }

  /** Lives until it ends. `started` is told of the first start; `release` is done before anybody hears of the end. */
  run(started: (exit: Exit.Exit<void, E>) => void, release: Effect.Effect<void>): Effect.Effect<void, never, R> {
    return Effect.withFiber((fiber) => {
      this.fiber = fiber
      this.inbound.owner = fiber
      return Effect.provideService(this.life(started), CurrentParent, this).pipe(
        // What it was given for its restarts may be broken.
        Effect.catchCause((cause) => Effect.sync(() => this.finish({ cause, next: "stop" }))),
        Effect.andThen(release),
        Effect.andThen(Effect.sync(() => this.announce()))
      )
    })
  }

  private life(started: (exit: Exit.Exit<void, E>) => void): Effect.Effect<void, never, R> {
    return Effect.gen({ self: this }, function*() {
      let outcome = yield* this.incarnation(started)
      while (outcome.next === "restart" && outcome.cause !== undefined) {
        const { cause } = outcome
        const next = yield* this.parts.restarts.next(cause)
        if (next === undefined) outcome = { cause, next: "escalate" }
        else {
          this.move(ActorState.Restarting({ cause, ...next }))
          yield* this.warn("restart", cause, { attempt: next.attempt, delay_ms: next.delayMillis })
          yield* this.pause(next.delayMillis)
          outcome = this.stopping === undefined ? yield* this.restart() : stopped
        }
      }
      if (outcome.cause !== undefined) {
        yield* this.warn(outcome.next === "escalate" ? "escalate" : "stop", outcome.cause)
      }
      this.finish(outcome)
    })
  }

  private restart(): Effect.Effect<Outcome, never, R> {
    this.restarts++
    return this.incarnation(constVoid)
  }

  // From a start to the next crash.
  private incarnation(started: (exit: Exit.Exit<void, E>) => void): Effect.Effect<Outcome, never, R> {
    const isFirst = this.current._tag === "Starting"
    this.outcome = undefined
    const living = Effect.scopedWith((scope) =>
      Effect.gen({ self: this }, function*() {
        const begun = yield* Effect.exit(Effect.interruptible(Scope.provide(this.begin(), scope)))
        if (Exit.isFailure(begun)) {
          this.outcome = this.isForced || isFirst
            ? { cause: begun.cause, next: "stop" }
            : this.outcomeOf(begun.cause) ?? { cause: begun.cause, next: "restart" }
          return Exit.failCause(begun.cause)
        }
        this.value = begun.value
        if (this.stopping === undefined) this.move(ActorState.Running())
        started(Exit.void)
        yield* Scope.provide(this.serve(), scope)
        return Exit.void
      })
    )
    return Effect.map(living, (exit) => {
      // Whoever waits for the first start hears of its failure once all that it had begun is over.
      if (Exit.isFailure(exit)) started(exit)
      return this.outcome ?? stopped
    })
  }

  private begin(): Effect.Effect<State, E, R | Scope.Scope> {
    const { initial, snapshots } = this.parts.behaviour
    return snapshots === undefined
      ? initial
      : Effect.flatMap(snapshots.restore(this.path), Option.match({ onNone: () => initial, onSome: Effect.succeed }))
  }

  private serve(): Effect.Effect<void, never, R | Scope.Scope> {
    return Effect.whileLoop({
      while: () => this.outcome === undefined,
      body: () => this.step(),
      step: constVoid
    })
  }

  // Handles what waits, for as long as that is done at once.
  private step(): Effect.Effect<void, never, R | Scope.Scope> {
    const { inbound } = this
    for (let turn = 0; this.outcome === undefined; turn++) {
      if (turn >= burst) return Effect.yieldNow
      const signal = this.signals.length > 0 ? this.signals.shift() : undefined
      if (signal !== undefined) return this.heard(signal)
      const entry = inbound.take()
      if (entry === undefined) {
        if (inbound.admit() > 0) continue
        if (this.stopping === undefined) return this.park
        this.outcome = stopped
        return Effect.void
      }
      const handling = this.handle(entry)
      const exit = ready(handling)
      if (exit === undefined) {
        inbound.admit()
        return Effect.flatMap(Effect.exit(Effect.interruptible(handling)), (exit) => this.done(entry, exit))
      }
      const rest = this.done(entry, exit)
      if (rest !== Effect.void) return rest
    }
    return Effect.void
  }

  private handle(entry: Entry<M>): Effect.Effect<Done<State>, unknown, R | Scope.Scope> {
    const message = messageOf(entry)
    const handler = this.parts.behaviour.handlers.get(message._tag)
    if (handler === undefined) return notUnderstood
    try {
      return handler(this.value, message, this.seen)
    } catch (defect) {
      return Exit.die(defect)
    }
  }

  private done(entry: Entry<M>, exit: Exit.Exit<Done<State>, unknown>): Effect.Effect<void, never, R | Scope.Scope> {
    if (Exit.isFailure(exit)) return exit === notUnderstood ? this.refuse(entry) : this.failed(entry, exit.cause)
    const { value } = exit
    const state = isReplied(value) ? value.state : value
    const { snapshots } = this.parts.behaviour
    if (snapshots === undefined || state === this.value) {
      this.answer(entry, exit)
      return Effect.void
    }
    return Effect.flatMap(Effect.exit(Effect.interruptible(snapshots.persist(this.path, state))), (kept) => {
      // What could not be kept has no answer of the handler's.
      if (Exit.isFailure(kept)) return this.failed(entry, Cause.die(Cause.squash(kept.cause)))
      this.answer(entry, exit)
      return Effect.void
    })
  }

  private answer(entry: Entry<M>, { value }: Exit.Success<Done<State>, unknown>): void {
    const hasReply = isReplied(value)
    this.value = hasReply ? value.state : value
    this.handled++
    this.inbound.release()
    if (entry instanceof Envelope) this.inbound.settle(entry, hasReply ? Exit.succeed(value.reply) : Exit.void)
  }

  private refuse(entry: Entry<M>): Effect.Effect<void> {
    const message = messageOf(entry)
    this.inbound.release()
    this.inbound.letter(message, "Undeliverable")
    this.inbound.settle(entry, Exit.fail(new NotUnderstood({ actor: this.path, tag: message._tag })))
    return Effect.void
  }

  private failed(entry: Entry<M>, cause: Cause.Cause<unknown>): Effect.Effect<void> {
    const { inbound } = this
    inbound.release()
    if (this.isForced) {
      this.outcome = stopped
      inbound.lose(entry, "Stopped")
      return Effect.void
    }
    this.outcome = this.outcomeOf(cause)
    if (isAnswer(cause)) {
      if (inbound.settle(entry, Exit.failCause(cause))) this.handled++
      else inbound.letter(messageOf(entry), "Failed", cause)
      return Effect.void
    }
    inbound.letter(messageOf(entry), "Crashed", cause)
    inbound.settle(entry, Exit.fail(new ActorCrashed({ actor: this.path, cause: Cause.squash(cause) })))
    return this.outcome === undefined ? this.warn("resume", cause) : Effect.void
  }

  // What is done about a failure; nothing if it goes on.
  private outcomeOf(cause: Cause.Cause<unknown>): Outcome | undefined {
    try {
      const directive = this.parts.restarts.decide(cause)
      if (directive === "resume") return undefined
      return { cause, next: this.stopping === undefined ? directive : "stop" }
    } catch (defect) {
      return { cause: Cause.die(defect), next: "stop" }
    }
  }

  // Another has ended.
  private heard({ ended, isEscalated }: Signal): Effect.Effect<void, never, R | Scope.Scope> {
    const { behaviour } = this.parts
    if (isEscalated && ended.cause !== undefined) this.outcome = this.outcomeOf(ended.cause)
    if (this.outcome !== undefined || behaviour.ended === undefined || this.isForced) return Effect.void
    const { snapshots } = behaviour
    const hearing = Effect.flatMap(
      Effect.suspend(() => behaviour.ended?.(this.value, ended, this.seen) ?? Effect.succeed(this.value)),
      (state) => snapshots === undefined ? Effect.succeed(state) : Effect.as(snapshots.persist(this.path, state), state)
    )
    return Effect.map(Effect.exit(Effect.interruptible(hearing)), (exit) => {
      if (Exit.isSuccess(exit)) this.value = exit.value
      else this.outcome = this.isForced ? stopped : this.outcomeOf(exit.cause)
    })
  }

  private hasStopped(): boolean {
    return this.current._tag === "Stopped"
  }

  private watch(other: { readonly ended: Effect.Effect<Ended> }): void {
    if (this.watched.has(other)) return
    const told = Effect.map(other.ended, (ended) => {
      this.watched.delete(other)
      this.signal({ ended, isEscalated: false })
    })
    this.watched.set(other, this.fork(told))
  }

  private signal(signal: Signal): void {
    this.signals.push(signal)
    this.wake()
  }

  // Its time to stop is over.
  private force(): void {
    this.isForced = true
    this.stopping = "drop"
    this.inbound.discard()
    this.fiber?.interruptUnsafe()
    this.wake()
  }

  private finish({ cause, next }: Outcome): void {
    this.inbound.close()
    this.inbound.discard()
    this.inbound.end()
    this.bound?.interruptUnsafe()
    for (const watching of this.watched.values()) watching.interruptUnsafe()
    this.parts.kind.ended(this)
    this.isEscalated = next === "escalate"
    this.move(ActorState.Stopped({ ended: { path: this.path, cause } }))
  }

  // Tells whoever waits for its end.
  private announce(): void {
    if (this.current._tag !== "Stopped") return
    const { ended } = this.current
    this.onEnded?.(ended, this.isEscalated)
    for (const watcher of this.watchers) watcher(ended)
  }

  private move(to: ActorState): void {
    if (!allows(this.current, to)) return
    this.current = to
    this.changes.publish(to)
  }

  // Something may have come since there was nothing.
  private readonly park: Effect.Effect<void, never, R | Scope.Scope> = Effect.callback<void, never, R | Scope.Scope>(
    (resume) => {
      if (this.inbound.waiting > 0 || this.signals.length > 0 || this.stopping !== undefined) resume(Effect.void)
      else this.parked = resume
    }
  )

  // Handles what has come in the turn in which it came, and without the fiber for as long as no effect has to be run. In a
  // long chain of actors the next turn of the scheduler goes on, so that the stack stays short.
  private wake(): void {
    if (this.parked === undefined || this.isAwake) return
    this.isAwake = true
    if (depth >= deepest) return this.fiber?.currentDispatcher.scheduleTask(() => this.goOn(Effect.void), 0)
    depth++
    try {
      const rest = this.step()
      if (rest === this.park) this.isAwake = false
      else this.goOn(rest)
    } finally {
      depth--
    }
  }

  private goOn(rest: Effect.Effect<void, never, R | Scope.Scope>): void {
    const { parked } = this
    this.isAwake = false
    this.parked = undefined
    parked?.(rest)
  }

  // Waits before a restart, but not for long after it is to stop.
  private pause(millis: number): Effect.Effect<void> {
    return Effect.callback<void>((resume) => {
      if (this.stopping !== undefined) return resume(Effect.void)
      const timer = this.fork(Effect.sleep(millis))
      this.hurry = () => timer.interruptUnsafe()
      timer.addObserver(() => {
        this.hurry = undefined
        resume(Effect.void)
      })
    })
  }

  private fork<A>(effect: Effect.Effect<A>): Fiber.Fiber<A> {
    return Effect.runForkWith(this.parts.context)(effect)
  }

  private warn(directive: Directive, cause: Cause.Cause<unknown>, more: Readonly<Record<string, number>> = {}) {
    const error = String(Cause.squash(cause))
    return Effect.annotateLogs(
      Effect.logWarning("actor crashed"),
      EscapedText.fields({ actor: this.path, directive, ...more, error })
    )
  }
}
