/**
 * What keeps one connection up: dial, live, decide, wait, dial again. The only
 * place of the house that dials.
 *
 * It holds what is (the state, the wire, the epoch) apart from what its owner
 * wants (to be connected, to redial, to close). One fiber runs the loop; the
 * owner's calls end its wire or interrupt its wait and leave the rest to it.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import * as Breaker from "../../resilience/Breaker.ts"
import type { ConnectionPolicy } from "../../resilience/ConnectionPolicy.ts"
import * as Backoff from "../../resilience/internal/backoff.ts"
import * as Recovery from "../../resilience/internal/recovery.ts"
import type { Reservation } from "../../resilience/RollingLimit.ts"
import { Transport, type WireClosed } from "../../transport/Transport.ts"
import type { Channel } from "../../value/Channel.ts"
import * as EpochMillis from "../../value/internal/epochMillis.ts"
import * as ConnectError from "../ConnectError.ts"
import * as ConnectionState from "../ConnectionState.ts"
import { Reconnection } from "../Reconnection.ts"
import { type Closed, Closer } from "./close.ts"
import type { Options, Parts } from "./connectionParts.ts"
import { Dialler, type Held, type Session } from "./dialler.ts"
import { type Ending, Epoch } from "./epoch.ts"
import * as FailureAnswers from "./failureAnswers.ts"
import * as Openings from "./opening.ts"
import { Stability } from "./stability.ts"
import { StateTracker } from "./stateTracker.ts"
import { TokenRefresh } from "./tokenRefresh.ts"

const State = ConnectionState.ConnectionState

/**
 * What keeps one connection up; what its members do is said in `Connection`. One
 * for each connection: its methods are shared, and an effect is made when it is
 * asked for.
 *
 * @category models
 * @since 0.1.0
 */
export class Supervisor<A> {
  private readonly parts: Parts<A>
  private readonly states: StateTracker<A>
  private readonly reconnection: Reconnection["Service"]
  private readonly backoff: Backoff.Stepper
  private readonly dialler: Dialler<A>
  private readonly closer: Closer<A>
  private number = 0
  private confirmed: Openings.Confirmed | undefined
  // The epoch whose wire is open.
  private open: Epoch<A> | undefined
  private isEnding = false
  private supervision: Fiber.Fiber<void> | undefined
  // Completes when the connection is up again, or will not be.
  private cycle = Deferred.makeUnsafe<void, ConnectError.ConnectError>()

  constructor(parts: Parts<A>, reconnection: Reconnection["Service"], backoff: Backoff.Stepper) {
    this.parts = parts
    this.states = parts.states
    this.reconnection = reconnection
    this.backoff = backoff
    this.dialler = new Dialler(parts, backoff)
    this.closer = new Closer(
      parts,
      () => ({ open: this.open, supervision: this.supervision }),
      () => void Deferred.doneUnsafe(this.cycle, Effect.fail(new ConnectError.ConnectionClosed()))
    )
  }

  private get options(): Options<A> {
    return this.parts.options
  }

  private get policy(): ConnectionPolicy {
    return this.reconnection.policy
  }

  private live(epoch: Epoch<A>, stability: Stability<A>, held: Held): Effect.Effect<Ending> {
    const { resetOn } = this.policy.retry
    const run = Effect.contextWith((context: Context.Context<never>) => {
      epoch.begin(context)
      held.stability = stability.watch(context, (effect) => {
        held.stability = undefined
        epoch.beside?.(effect)
      })
      return epoch.run(resetOn === "first-message" ? stability.confirmStable() : undefined)
    })
    return resetOn === "connect" ? Effect.andThen(stability.confirmStable(), run) : run
  }

  // ---- one dial -----------------------------------------------------------------------------------------------------

  // The wire is released.
  private release(held: Held): Effect.Effect<void> {
    held.stability?.cancel()
    this.open?.detach({ _tag: "Closing" })
    if (this.open !== undefined) this.open.beside = undefined
    this.open = undefined
    this.options.outbox.end()
    return this.dialler.giveBack(held)
  }

  // ---- the loop -----------------------------------------------------------------------------------------------------

  private *finish(to: ConnectionState.ConnectionState, error: ConnectError.ConnectError): Effect.fn.Return<void> {
    const { inbox, recorder } = this.options
    recorder.ended(error)
    this.states.move(to, error.message)
    yield* inbox.end(Exit.fail(error))
    yield* Deferred.fail(this.cycle, error)
  }

  private *giveUp(error: ConnectError.ConnectError): Effect.fn.Return<void> {
    this.options.recorder.gaveUp(error._tag === "ConnectionAborted")
    yield* this.states.log("Error", "gave up", { error: error.message })
    yield* this.finish(State.Failed({ error }), error)
  }

  private *stop(session: Session, error: ConnectError.Failure): Effect.fn.Return<void> {
    if (session.isEstablished) return yield* this.giveUp(error)
    yield* this.states.log("Error", "not connected", { error: error.message })
    yield* this.finish(State.Disconnected(), error)
  }

  // From the dial until the connection is up.
  private establish(
    session: Session,
    place: Reservation
  ): Effect.Effect<Epoch<A>, ConnectError.Failure | Openings.Unopened, Scope.Scope> {
    return Effect.gen({ self: this }, function*() {
      const { opening, outbox, recorder, subscriptions } = this.options
      this.states.move(
        State.Connecting({ attempt: session.attempt }),
        session.failure === undefined ? "connect" : "retry"
      )
      const context = yield* Effect.context<Scope.Scope>()
      const fork = Effect.runForkWith(context)
      const on = yield* this.dialler.dial(place, session)
      const number = ++this.number
      const epoch = new Epoch(this.parts, on, number)
      this.open = epoch
      epoch.attach()
      const fault = yield* epoch.reportFaults()
      if (fault !== undefined) return yield* fault
      const inScope = <B>(effect: Effect.Effect<B>) => Fiber.runIn(fork(effect), Context.get(context, Scope.Scope))
      yield* opening === undefined
        ? epoch.restore()
        : Openings.open(this.parts, opening, epoch, { confirmed: this.confirmed ??= new Set(), inScope })
      recorder.connected(this.states.wallNow(), this.states.now())
      session.isEstablished = true
      yield* this.states.log("Info", "connected", {
        epoch: number,
        attempt: session.attempt,
        subscriptions: subscriptions.wanted().length
      })
      // Before anybody can see that it is up: who is told so can send, and ask.
      epoch.beside = inScope
      outbox.begin(on, number)
      this.states.move(State.Connected({ epoch: number }), "handshake complete")
      Deferred.doneUnsafe(this.cycle, Exit.void)
      // What came to be wanted between the restore and the new state. Reading does not wait for the limit on messages.
      if (subscriptions.wanted().length > 0) epoch.beside(Effect.ignore(epoch.asking()))
      return epoch
    })
  }

  // One dial and, where it gives a wire, one epoch, which holds nothing of the way up; and what it says to the breaker.
  private attempt(session: Session): Effect.Effect<Ending, Breaker.CircuitOpen> {
    const held: Held = { permit: undefined, place: undefined, stability: undefined }
    return Effect.gen({ self: this }, function*() {
      const { permit, place } = yield* this.dialler.dialPermission(session, held)
      const stability = new Stability(this.parts, this.backoff, session, permit)
      const how = yield* this.establish(session, place).pipe(
        Effect.flatMap((epoch) => this.live(epoch, stability, held)),
        Effect.catch((error) => Effect.succeed(Openings.endingOf(error)))
      )
      if (this.confirmed !== undefined) Openings.remember(this.parts, this.confirmed)
      held.stability?.cancel()
      this.open?.detach(how)
      const outcome = this.recordOutcome(stability, how)
      if (this.open !== undefined) yield* this.open.reportFaults()
      yield* outcome
      return how
    }).pipe(Effect.scoped, Effect.ensuring(Effect.suspend(() => this.release(held))))
  }

  private recordOutcome({ isStable, permit, session }: Stability<A>, how: Ending): Effect.Effect<void> {
    const { circuit } = this.policy
    if (this.closer.isClosing || how._tag !== "Failed" || !this.isCounted(session, how.failure)) return Effect.void
    const kind = ConnectError.kind(how.failure)
    // A permit takes one outcome. A stable connection has given it; its drop is counted where drops count.
    if (!isStable) return permit.fail(kind)
    return circuit !== "none" && circuit.countDisconnect ? this.options.breaker.recordFailure(kind) : Effect.void
  }

  private isCounted(session: Session, failure: ConnectError.Failure): boolean {
    return Recovery.isCounted(this.policy, { hasConnected: session.isEstablished }, this.answerTo(failure))
  }

  private answerTo(failure: ConnectError.Failure): Recovery.Answer {
    return FailureAnswers.answerTo(failure, this.reconnection.classify, this.options.showsToken)
  }

  // What follows a failure, by the policy and the breaker as they are now.
  private nextStep(session: Session, failure: ConnectError.Failure, at: number): Effect.Effect<Recovery.Step> {
    const { isEstablished, retries, token } = session
    return Effect.map(this.options.breaker.state, (seen) =>
      Recovery.next(
        this.policy,
        { retries, hasConnected: isEstablished, canRefresh: token.isPossible },
        { answer: this.answerTo(failure), restMillis: FailureAnswers.restMillisOf(failure) },
        seen,
        at
      ))
  }

  // Carries a step out. Succeeds with whether there is another dial.
  private *follow(
    session: Session,
    step: Recovery.Step,
    failure: ConnectError.Failure,
    uptimeMillis: number | undefined
  ): Effect.fn.Return<boolean> {
    switch (step._tag) {
      case "Retry": {
        yield* this.dialler.planRetry(session, step, failure, uptimeMillis)
        return true
      }
      case "Refresh": {
        const refreshed = yield* Effect.result(session.token.refresh())
        session.dueAt = this.states.now()
        if (Result.isSuccess(refreshed)) return true
        yield* this.stop(session, refreshed.failure)
        return false
      }
      case "Stop": {
        yield* this.stop(
          session,
          this.answerTo(failure) === "retry"
            ? failure
            : FailureAnswers.finalOf(failure, this.reconnection.classify, this.options.showsToken)
        )
        return false
      }
      case "Abort": {
        yield* this.giveUp(new ConnectError.ConnectionAborted({ retries: step.retries, last: failure }))
        return false
      }
      case "Reject": {
        const { key } = this.options.breaker
        const until = EpochMillis.toEpochMillis(this.states.clock, step.until)
        const retryAfterMillis = Math.round(step.until - this.states.now())
        yield* this.giveUp(new Breaker.CircuitOpen({ key, until, retryAfterMillis, probing: false }))
        return false
      }
    }
  }

  private supervise(): Effect.Effect<void> {
    return Effect.gen({ self: this }, function*() {
      const { recorder } = this.options
      const session: Session = {
        token: new TokenRefresh(this.options.auth),
        isEstablished: false,
        retries: 0,
        attempt: 1,
        delayMillis: 0,
        failure: undefined,
        hasWaited: false,
        dueAt: this.states.now()
      }
      while (true) {
        const turned = yield* Effect.result(this.attempt(session))
        if (Result.isFailure(turned)) return yield* this.giveUp(turned.failure)
        const how = turned.success
        if (this.closer.isClosing || how._tag === "Closing") return

        recorder.down(this.states.now())
        if (Deferred.isDoneUnsafe(this.cycle)) this.cycle = Deferred.makeUnsafe()
        if (how._tag === "Redial") {
          session.failure = undefined
          session.attempt = 1
          session.delayMillis = 0
          session.dueAt = this.states.now()
          continue
        }

        const { failure } = how
        session.failure = failure
        recorder.failed(failure)
        yield* this.states.log("Warn", how.uptimeMillis === undefined ? "dial failed" : "dropped", {
          kind: ConnectError.kind(failure),
          error: failure.message,
          ...this.states.lossAnnotations()
        })

        const step = yield* this.nextStep(session, failure, this.states.now())
        if (!(yield* this.follow(session, step, failure, how.uptimeMillis))) return
      }
    })
  }

  // A defect, such as a decoder that throws, is shown to everybody who waits: it must not look like silence.
  private reportDefect(exit: Exit.Exit<void>): Effect.Effect<void> {
    return Effect.gen({ self: this }, function*() {
      if (Exit.isSuccess(exit) || Cause.hasInterruptsOnly(exit.cause)) return
      const { inbox, outbox } = this.options
      outbox.close()
      this.states.move(State.Closing({ mode: "forced" }), "defect")
      this.states.move(State.Disconnected(), "defect")
      yield* inbox.end(Exit.failCause(exit.cause))
      yield* Deferred.failCause(this.cycle, exit.cause)
    })
  }

  // ---- what the owner calls -----------------------------------------------------------------------------------------

  get state(): Effect.Effect<ConnectionState.ConnectionState> {
    return Effect.sync(() => this.states.current)
  }

  /** The state as if it had just been come to. */
  standing(): ConnectionState.Transition {
    return this.states.standing()
  }

  epoch(): number {
    return this.number
  }

  /** Whether its scope has closed, or is about to: it will not connect any more. */
  isShutDown(): boolean {
    return this.isEnding
  }

  get connect(): Effect.Effect<void, ConnectError.ConnectError | ConnectError.AlreadyConnected> {
    return this.starting()
  }

  private starting(): Effect.Effect<void, ConnectError.ConnectError | ConnectError.AlreadyConnected> {
    return Effect.gen({ self: this }, function*() {
      const { inbox, recorder } = this.options
      const context = yield* Effect.context()
      const random = yield* Random.Random
      // From the look at the state to the supervision in one step: whoever connects or closes at the same time finds a
      // connection that has begun, or one that has not.
      const current = this.states.current
      if (this.isEnding) return yield* new ConnectError.ConnectionClosed()
      if (this.options.invalid !== undefined) return yield* this.options.invalid
      if (current._tag !== "Disconnected" && current._tag !== "Failed") {
        recorder.conflicted()
        return yield* new ConnectError.AlreadyConnected({ state: current._tag })
      }
      this.states.begin(context)
      this.closer.reset()
      this.cycle = Deferred.makeUnsafe()
      inbox.keep()
      this.states.move(State.Connecting({ attempt: 1 }), "connect")
      recorder.sessionBegan(`conn_${Math.floor(random.nextDoubleUnsafe() * 0x100000000).toString(16).padStart(8, "0")}`)
      const up = Deferred.await(this.cycle)
      const supervise = Effect.andThen(this.backoff.reset, this.supervise())
      this.supervision = Effect.runForkWith(context)(
        Effect.andThen(Effect.yieldNow, supervise).pipe(
          Effect.onExit((exit) => this.reportDefect(exit))
        )
      )
      return yield* Effect.onInterrupt(up, () => this.close("forced"))
    })
  }

  get reconnect(): Effect.Effect<void, ConnectError.ConnectError | ConnectError.AlreadyConnected> {
    return Effect.flatMap(this.state, (current) => {
      const { recorder } = this.options
      switch (current._tag) {
        case "Disconnected":
        case "Failed":
          // Somebody may connect first: then that is waited for.
          return Effect.catchTag(this.connect, "AlreadyConnected", () => this.reconnect)
        case "Closing":
          return Effect.fail(new ConnectError.ConnectionClosed())
        case "Connected": {
          // Somebody may have ended this epoch already: then there is a cycle to wait for.
          if (Deferred.isDoneUnsafe(this.cycle)) this.cycle = Deferred.makeUnsafe()
          else recorder.conflicted()
          const up = Deferred.await(this.cycle)
          return this.open === undefined ? up : Effect.andThen(this.open.endWire({ _tag: "Redial" }), up)
        }
        case "Connecting":
        case "Reconnecting":
        case "CircuitOpen":
          recorder.conflicted()
          return Deferred.await(this.cycle)
      }
    })
  }

  close(mode: Closed["mode"]): Effect.Effect<Closed> {
    return this.closer.close(mode, this.number)
  }

  /** Closes gracefully, for good. */
  get shutdown(): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.isEnding = true
      this.options.outbox.shutdown()
      return Effect.flatMap(
        this.close("graceful"),
        () => this.supervision === undefined ? Effect.void : Fiber.interrupt(this.supervision)
      )
    })
  }

  // It goes on for as long as the epoch lives: who asks for one channel may ask for those of others with it, and waits
  // for no longer than it likes.
  private start(
    use: (epoch: Epoch<A>) => Effect.Effect<void, WireClosed>
  ): Effect.Effect<Fiber.Fiber<void> | undefined> {
    return Effect.sync(() => {
      const { open, states } = this
      return states.current._tag === "Connected" && open !== undefined
        ? open.beside?.(Effect.ignore(use(open)))
        : undefined
    })
  }

  private onEpoch(use: (epoch: Epoch<A>) => Effect.Effect<void, WireClosed>): Effect.Effect<void> {
    return Effect.flatMap(this.start(use), (fiber) =>
      fiber === undefined ? Effect.void : Effect.flatMap(
        Fiber.await(fiber),
        (exit) => Exit.isFailure(exit) && !Cause.hasInterrupts(exit.cause) ? exit : Effect.void
      ))
  }

  /** Asks the epoch that is up, if any, for what is wanted now. */
  get ask(): Effect.Effect<void> {
    return this.onEpoch((epoch) => epoch.asking())
  }

  /** As `ask`, but completes at once: what the limit holds up goes on beside the epoch. */
  get askBeside(): Effect.Effect<void> {
    return Effect.asVoid(this.start((epoch) => epoch.asking()))
  }

  /** Somebody else sends, too: what may be answered to them has a deadline from now on. */
  share(): void {
    this.options.subscriptions.share()
    this.open?.watchBeside()
  }

  resubscribe(channels: ReadonlyArray<Channel>): Effect.Effect<void> {
    const { subscriptions } = this.options
    return this.onEpoch((epoch) => epoch.asking(subscriptions.resubscribe(epoch.wire, channels))).pipe(
      this.states.traced("Connection.resubscribe", { epoch: this.number, channels: channels.length })
    )
  }

  get ping(): Effect.Effect<Option.Option<number>> {
    return Effect.suspend(() => this.open?.ping ?? Effect.succeedNone)
  }
}

/**
 * Makes a supervisor, without dialling. Who makes it shuts it down.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*<A>(
  options: Options<A>
): Effect.fn.Return<Supervisor<A>, never, Transport | Reconnection> {
  const { capabilities, replay } = yield* Transport
  const reconnection = yield* Reconnection
  const backoff = yield* Backoff.make(reconnection.policy.backoff)
  const states = new StateTracker(options, yield* Clock.Clock)
  const parts = { options, policy: reconnection.policy, capabilities, states, replay }
  return new Supervisor(parts, reconnection, backoff)
})
