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
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import * as Backoff from "../../resilience/Backoff.ts"
import * as Breaker from "../../resilience/Breaker.ts"
import type { ConnectionPolicy } from "../../resilience/ConnectionPolicy.ts"
import * as Recovery from "../../resilience/Recovery.ts"
import type { Reservation } from "../../resilience/RollingLimit.ts"
import * as Address from "../../transport/Address.ts"
import { DialError, type HandshakeRejected, TimedOut } from "../../transport/DialError.ts"
import * as Endpoint from "../../transport/Endpoint.ts"
import { Transport, type Wire, type WireClosed } from "../../transport/Transport.ts"
import type { Channel } from "../../value/Channel.ts"
import * as Monotonic from "../../value/Monotonic.ts"
import * as Printable from "../../value/Printable.ts"
import * as ConnectError from "../ConnectError.ts"
import * as ConnectionState from "../ConnectionState.ts"
import { Reconnection } from "../Reconnection.ts"
import { type Ending, Epoch, failed } from "./epoch.ts"
import type { Options, Parts } from "./parts.ts"
import { States } from "./states.ts"

const State = ConnectionState.ConnectionState

/**
 * How a close ended: `forced` also where a graceful one was cut short. `clean`
 * is whether the peer answered the close frame, or there was nobody to; a forced
 * close is never clean.
 *
 * @category models
 * @since 0.1.0
 */
export interface Closed {
  readonly mode: "graceful" | "forced"
  readonly clean: boolean
}

/**
 * What keeps one connection up. The members are those of `Connection`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Supervisor {
  readonly state: Effect.Effect<ConnectionState.ConnectionState>
  /** The state as if it had just been come to. */
  readonly standing: () => ConnectionState.Transition
  readonly epoch: () => number
  readonly connect: Effect.Effect<void, ConnectError.ConnectError | ConnectError.AlreadyConnected>
  readonly reconnect: Effect.Effect<void, ConnectError.ConnectError | ConnectError.AlreadyConnected>
  readonly close: (mode: Closed["mode"]) => Effect.Effect<Closed>
  /** Whether its scope has closed, or is about to: it will not connect any more. */
  readonly isShutDown: () => boolean
  /** Asks the epoch that is up, if any, for what is wanted now. */
  readonly ask: Effect.Effect<void>
  /** As `ask`, but completes at once: what the limit holds up goes on beside the epoch. */
  readonly askBeside: Effect.Effect<void>
  /** Pings, where the connection is up: the round trip in milliseconds, or nothing where no answer came in time. */
  readonly ping: Effect.Effect<Option.Option<number>>
  /** Somebody else sends, too: what may be answered to them has a deadline from now on. */
  readonly share: () => void
  /** Gives channels up and asks for them again, on the epoch that is up, if any. */
  readonly resubscribe: (channels: ReadonlyArray<Channel>) => Effect.Effect<void>
}

// What one `connect` began, until it ends: what the loop carries from dial to dial.
interface Session {
  isEstablished: boolean
  isRefreshed: boolean
  retries: number
  attempt: number
  failure: ConnectError.Failure | undefined
  /** Whether the dial that is due has waited for the breaker. */
  hasWaited: boolean
  /** The earliest time of the next dial, by the backoff and the venue's Retry-After, on the monotonic clock. */
  dueAt: number
}

// What a dial was admitted by: the breaker, and its place within the limit on dials.
interface DialPermission {
  readonly permit: Breaker.Permit
  readonly place: Reservation
}

// One dial and its epoch: what the breaker admitted it by, and whether it met the policy's `resetOn`.
interface Attempt {
  readonly session: Session
  readonly permit: Breaker.Permit
  isProven: boolean
}

// A close, from its begin on. A forced one completes `forced`, which cuts a graceful one short.
interface Closing {
  mode: Closed["mode"]
  readonly forced: Deferred.Deferred<void>
  readonly outcome: Deferred.Deferred<Closed>
}

const rejectionOf = (failure: ConnectError.Failure): HandshakeRejected | undefined =>
  failure._tag === "DialError" && failure.reason._tag === "HandshakeRejected" ? failure.reason : undefined

// A 403 is often that of a firewall that was dialled too fast.
const forbiddenMillis = 5_000

// How long the venue wants to be left alone.
const restMillisOf = (failure: ConnectError.Failure): number => {
  const rejection = rejectionOf(failure)
  if (rejection === undefined) return 0
  return Math.max(rejection.retryAfterMillis ?? 0, rejection.status === 403 ? forbiddenMillis : 0)
}

// What a token adds to the headers of a dial.
const authorization = (
  token: Redacted.Redacted<string>
): Effect.Effect<Record<string, Redacted.Redacted<string>>, ConnectError.AuthError> => {
  const fault = Endpoint.headerFault(Redacted.value(token))
  return fault === undefined
    ? Effect.succeed({ Authorization: Redacted.make(`Bearer ${Redacted.value(token)}`, { label: "Authorization" }) })
    : Effect.fail(new ConnectError.AuthError({ detail: `the token cannot be the value of a header: ${fault}` }))
}

// One for each connection: its methods are shared, and an effect is made when it is asked for.
class SupervisorImpl<A> implements Supervisor {
  private readonly parts: Parts<A>
  private readonly states: States<A>
  private readonly reconnection: Reconnection["Service"]
  private readonly backoff: Backoff.Stepper
  private readonly fibers = Scope.makeUnsafe()
  private number = 0
  // The epoch whose wire is open.
  private open: Epoch<A> | undefined

  // The close that is under way, or that has ended the connection.
  private closing: Closing | undefined
  private isEnding = false
  private supervision: Fiber.Fiber<void> | undefined
  // Completes when the connection is up again, or will not be.
  private cycle = Deferred.makeUnsafe<void, ConnectError.ConnectError>()
  // Until when the breaker is shown to be waited for, on the monotonic clock.
  private shownUntil: number | undefined
  constructor(parts: Parts<A>, reconnection: Reconnection["Service"], backoff: Backoff.Stepper) {
    this.parts = parts
    this.states = parts.states
    this.reconnection = reconnection
    this.backoff = backoff
  }

  private get options(): Options<A> {
    return this.parts.options
  }

  private get policy(): ConnectionPolicy {
    return this.reconnection.policy
  }

  private get waitsForBreaker(): boolean {
    return Recovery.waitsForBreaker(this.policy)
  }

  private get connectTimeoutMillis(): number {
    return Duration.toMillis(this.policy.connectTimeout)
  }

  // The epoch met the policy's `resetOn`: the backoff begins anew and the breaker is told of a success.
  private confirmStable(turn: Attempt): Effect.Effect<void> {
    return Effect.suspend(() => {
      const { permit, session } = turn
      turn.isProven = true
      session.isRefreshed = false
      if (session.retries > 0) this.options.recorder.backoffReset()
      session.retries = 0
      const report = typeof this.policy.retry.resetOn === "object" ? permit.confirmStable : permit.succeed
      return Effect.andThen(this.backoff.reset, report)
    })
  }

  // What shows in time that an epoch is stable.
  private watchStability(turn: Attempt): Effect.Effect<void, never, Scope.Scope> {
    const { breaker } = this.options
    const { circuit, retry: { resetOn } } = this.policy
    if (typeof resetOn === "object") {
      const proof = Effect.andThen(Effect.sleep(resetOn.stableFor), this.confirmStable(turn))
      return Effect.asVoid(Effect.forkScoped(proof))
    }
    if (circuit === "none") return Effect.void
    // The connect was the probe's success. Where more are asked for, a link that stays up has no way to give them,
    // and its drop in a week would count as a failed probe: one that outlives the breaker's rest has shown enough.
    return Effect.asVoid(Effect.forkScoped(Effect.flatMap(
      Effect.sleep(circuit.openDuration),
      () => turn.isProven ? breaker.recordStable : Effect.void
    )))
  }

  private live(epoch: Epoch<A>, turn: Attempt): Effect.Effect<Ending, never, Scope.Scope> {
    const { resetOn } = this.policy.retry
    const proof = this.confirmStable(turn)
    return (resetOn === "connect" ? proof : Effect.void).pipe(
      Effect.andThen(epoch.begin),
      Effect.andThen(this.watchStability(turn)),
      Effect.andThen(epoch.run(resetOn === "first-message" ? proof : undefined))
    )
  }

  // ---- one dial -----------------------------------------------------------------------------------------------------

  private dial(
    place: Reservation,
    attempt: number
  ): Effect.Effect<Wire, DialError | ConnectError.AuthError, Scope.Scope> {
    const { auth, recorder, url } = this.options
    const { connectTimeout } = this.policy
    const headers = auth === undefined ? Effect.succeed({}) : Effect.flatMap(auth.current, authorization)
    return Effect.flatMap(headers, (added) => {
      recorder.dialled(this.states.now())
      place.use(this.states.now())
      return this.options.dial(added)
    }).pipe(
      Effect.timeoutOrElse({
        duration: connectTimeout,
        orElse: () =>
          Effect.fail(
            new DialError({
              url: Address.origin(url),
              reason: new TimedOut({ afterMillis: this.connectTimeoutMillis })
            })
          )
      }),
      this.states.traced("Connection.dial", { attempt, origin: Address.origin(url) })
    )
  }

  private end(): void {
    this.open?.detach({ _tag: "Closing" })
    if (this.open !== undefined) this.open.beside = undefined
    this.open = undefined
    this.options.outbox.end()
  }

  // ---- the loop -----------------------------------------------------------------------------------------------------

  private *finish(to: ConnectionState.ConnectionState, error: ConnectError.ConnectError): Effect.fn.Return<void> {
    const { inbox, recorder } = this.options
    recorder.ended(error)
    yield* this.states.transition(to, error.message)
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

  private showBreaker(session: Session, until: number): Effect.Effect<void> {
    return Effect.flatMap(
      this.state,
      (current) =>
        current._tag === "CircuitOpen" && this.shownUntil === until
          ? Effect.void
          : this.states.transition(this.circuitOpen(session, until, this.states.now()), "circuit open")
    )
  }

  private circuitOpen({ attempt, failure }: Session, until: number, now: number): ConnectionState.ConnectionState {
    this.shownUntil = until
    const delayMillis = Math.round(until - now)
    return State.CircuitOpen({ attempt, delayMillis, until: this.states.wallNow() + delayMillis, failure })
  }

  // Waits until the dial is due and there is room for it within the limit on dials.
  private *awaitDueTime(session: Session): Effect.fn.Return<void> {
    const { breaker, dials } = this.options
    const { waitsForBreaker } = this
    let isTold = false
    while (true) {
      const at = this.states.now()
      const seen = yield* breaker.state
      const open = waitsForBreaker && seen._tag === "Open" ? Math.max(session.dueAt, seen.until) : session.dueAt
      const until = Math.max(open, at + dials.waitFor(at))
      if (until <= at) return
      if (until > open && !isTold) {
        isTold = true
        yield* this.states.log("Info", "dial held up by the limit", { delay_ms: Math.round(until - at) })
      }
      if (open > session.dueAt) {
        session.hasWaited = true
        yield* this.showBreaker(session, open)
      }
      // The breaker may be closed by hand, or opened for longer by another connection.
      yield* Effect.raceFirst(Effect.sleep(until - at), waitsForBreaker ? breaker.changed : Effect.never)
    }
  }

  // Waits until the breaker admits the dial. The permit is released with the scope.
  private *permission(
    session: Session
  ): Effect.fn.Return<Breaker.Permit, Breaker.CircuitOpen, Scope.Scope> {
    const { breaker } = this.options
    const { circuit } = this.policy
    const scope = yield* Effect.scope
    const admitted = yield* Effect.result(Effect.uninterruptible(
      Effect.tap(breaker.acquire, (permit) => Scope.addFinalizer(scope, permit.release))
    ))
    if (Result.isSuccess(admitted)) {
      if (session.hasWaited && circuit !== "none" && circuit.halfOpen === "skip") {
        session.retries = 0
        yield* this.backoff.reset
      }
      return admitted.success
    }
    if (!this.waitsForBreaker) return yield* admitted.failure
    yield* this.showBreaker(session, this.states.now() + admitted.failure.retryAfterMillis)
    return yield* breaker.awaitPermit
  }

  // Reserves the dial's place in the step that finds it. It is given back with the scope, where it was not used.
  private reserve(): Effect.Effect<Reservation | number, never, Scope.Scope> {
    return Effect.uninterruptible(Effect.tap(
      Effect.sync(() => this.options.dials.reserve(this.states.now())),
      (place) => typeof place === "number" ? Effect.void : Effect.addFinalizer(() => Effect.sync(() => place.release()))
    ))
  }

  private *dialPermission(session: Session): Effect.fn.Return<DialPermission, Breaker.CircuitOpen, Scope.Scope> {
    session.hasWaited = false
    while (true) {
      yield* Effect.gen(() => this.awaitDueTime(session))
      const permit = yield* Effect.gen(() => this.permission(session))
      const place = yield* this.reserve()
      if (typeof place !== "number") return { permit, place }
      // Others were faster while the breaker was waited for.
      yield* permit.release
    }
  }

  // From the dial until the connection is up.
  private *establish(
    session: Session,
    place: Reservation
  ): Effect.fn.Return<Epoch<A>, ConnectError.Failure, Scope.Scope> {
    const { outbox, recorder, subscriptions: restoration } = this.options
    yield* this.states.transition(
      State.Connecting({ attempt: session.attempt }),
      session.failure === undefined ? "connect" : "retry"
    )
    const scope = yield* Effect.scope
    const fork = Effect.runForkWith(yield* Effect.context())
    yield* Scope.addFinalizer(scope, Effect.sync(() => this.end()))
    const on = yield* this.dial(place, session.attempt)
    const number = ++this.number
    const epoch = new Epoch(this.parts, on, number)
    this.open = epoch
    epoch.attach()
    const fault = yield* epoch.reportFaults()
    if (fault !== undefined) return yield* fault
    yield* epoch.restore()
    recorder.connected(this.states.wallNow(), this.states.now())
    session.isEstablished = true
    yield* this.states.log("Info", "connected", {
      epoch: number,
      attempt: session.attempt,
      subscriptions: restoration.wanted().length
    })
    // Before anybody can see that it is up: who is told so can send, and ask.
    epoch.beside = (effect) => Fiber.runIn(fork(effect), scope)
    outbox.begin(on, number)
    yield* this.states.transition(State.Connected({ epoch: number }), "handshake complete")
    yield* Deferred.done(this.cycle, Exit.void)
    // What came to be wanted between the restore and the new state. Reading does not wait for the limit on messages.
    epoch.beside(Effect.ignore(epoch.asking()))
    return epoch
  }

  // One dial and, where it gives a wire, one epoch; and what it says to the breaker. Nothing of the way up is held while
  // the epoch lives.
  private attempt(session: Session): Effect.Effect<Ending, Breaker.CircuitOpen, Scope.Scope> {
    return Effect.flatMap(Effect.gen(() => this.dialPermission(session)), ({ permit, place }) => {
      const turn: Attempt = { session, permit, isProven: false }
      return Effect.gen(() => this.establish(session, place)).pipe(
        Effect.flatMap((epoch) => this.live(epoch, turn)),
        Effect.catch((error) => Effect.succeed(failed(error))),
        Effect.tap((how) => {
          const { open } = this
          open?.detach(how)
          return Effect.andThen(open?.reportFaults() ?? Effect.void, this.recordOutcome(turn, how))
        })
      )
    })
  }

  private recordOutcome({ isProven, permit, session }: Attempt, how: Ending): Effect.Effect<void> {
    const { circuit } = this.policy
    if (this.closing !== undefined || how._tag !== "Failed" || !this.isCounted(session, how.failure)) return Effect.void
    const kind = ConnectError.kind(how.failure)
    // A permit takes one outcome. A proven connection has given it; its drop is counted where drops count.
    if (!isProven) return permit.fail(kind)
    return circuit !== "none" && circuit.countDisconnect ? this.options.breaker.recordFailure(kind) : Effect.void
  }

  private isCounted(session: Session, failure: ConnectError.Failure): boolean {
    return Recovery.isCounted(this.policy, { hasConnected: session.isEstablished }, this.answerTo(failure))
  }

  // Without a token there is none to show anew: a 403 is then the address's, which may pass.
  private answerTo(failure: ConnectError.Failure): Recovery.Answer {
    const answer = this.reconnection.classify(failure)
    if (answer !== "reauthenticate" || this.options.showsToken) return answer
    return rejectionOf(failure)?.status === 403 ? "retry" : "stop"
  }

  // What a failure that ends the connection is called: a refused token by its name.
  private finalOf(failure: ConnectError.Failure): ConnectError.Failure {
    const rejection = rejectionOf(failure)
    if (rejection === undefined || this.reconnection.classify(failure) !== "reauthenticate") return failure
    const detail = this.options.showsToken
      ? "the venue refused the token"
      : "the venue wants a token, and none was shown"
    return new ConnectError.AuthError({ status: rejection.status, detail })
  }

  // What follows a failure, by the policy and the breaker as they are now.
  private nextStep(session: Session, failure: ConnectError.Failure, at: number): Effect.Effect<Recovery.Step> {
    const { isEstablished, isRefreshed, retries } = session
    return Effect.map(this.options.breaker.state, (seen) =>
      Recovery.next(
        this.policy,
        {
          retries,
          hasConnected: isEstablished,
          canRefresh: this.options.auth?.refresh !== undefined && !isRefreshed
        },
        { answer: this.answerTo(failure), restMillis: restMillisOf(failure) },
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
        yield* this.planRetry(session, step, failure, uptimeMillis)
        return true
      }
      case "Refresh": {
        session.isRefreshed = true
        const refreshed = yield* Effect.result(this.options.auth?.refresh ?? Effect.void)
        session.dueAt = this.states.now()
        if (Result.isSuccess(refreshed)) return true
        yield* this.stop(session, refreshed.failure)
        return false
      }
      case "Stop": {
        yield* this.stop(session, this.answerTo(failure) === "retry" ? failure : this.finalOf(failure))
        return false
      }
      case "Abort": {
        yield* this.giveUp(new ConnectError.ConnectionAborted({ retries: step.retries, last: failure }))
        return false
      }
      case "Reject": {
        const { key } = this.options.breaker
        const until = Monotonic.toEpochMillis(this.states.clock, step.until)
        const retryAfterMillis = Math.round(step.until - this.states.now())
        yield* this.giveUp(new Breaker.CircuitOpen({ key, until, retryAfterMillis, probing: false }))
        return false
      }
    }
  }

  // Sets when the next dial is due and shows it.
  private *planRetry(
    session: Session,
    step: Recovery.Retry,
    failure: ConnectError.Failure,
    uptimeMillis: number | undefined
  ): Effect.fn.Return<void> {
    const { attempt, decidedAt, openUntil = decidedAt } = step
    session.retries = attempt
    session.attempt = attempt
    this.options.recorder.retried()
    const backoff = yield* this.backoff.next({ kind: ConnectError.kind(failure), uptimeMillis })
    const { delayMillis, dueAt, isOpen } = Recovery.wait(step, backoff.delayMillis)
    session.dueAt = dueAt
    yield* this.states.log(isOpen ? "Warn" : "Info", isOpen ? "circuit open" : "reconnecting", {
      attempt,
      delay_ms: delayMillis,
      ...(backoff.pattern === undefined ? {} : { pattern: backoff.pattern })
    })
    yield* this.states.transition(
      isOpen
        ? this.circuitOpen(session, openUntil, decidedAt)
        : State.Reconnecting({
          attempt,
          delayMillis,
          until: this.states.wallNow() + delayMillis,
          failure,
          pattern: backoff.pattern
        }),
      failure.message
    )
  }

  private *supervise(): Effect.fn.Return<void> {
    const { recorder } = this.options
    const session: Session = {
      isEstablished: false,
      isRefreshed: false,
      retries: 0,
      attempt: 1,
      failure: undefined,
      hasWaited: false,
      dueAt: this.states.now()
    }
    while (true) {
      const turned = yield* Effect.result(Effect.scoped(this.attempt(session)))
      if (Result.isFailure(turned)) return yield* this.giveUp(turned.failure)
      const how = turned.success
      if (this.closing !== undefined || how._tag === "Closing") return

      recorder.down(this.states.now())
      if (Deferred.isDoneUnsafe(this.cycle)) this.cycle = Deferred.makeUnsafe()
      if (how._tag === "Redial") {
        session.failure = undefined
        session.attempt = 1
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
      if (!(yield* Effect.gen(() => this.follow(session, step, failure, how.uptimeMillis)))) return
    }
  }

  // A defect, such as a decoder that throws, is shown to everybody who waits: it must not look like silence.
  private *reportDefect(exit: Exit.Exit<void>): Effect.fn.Return<void> {
    if (Exit.isSuccess(exit) || Cause.hasInterruptsOnly(exit.cause)) return
    const { inbox, outbox } = this.options
    outbox.close()
    yield* this.states.transition(State.Closing({ mode: "forced" }), "defect")
    yield* this.states.transition(State.Disconnected(), "defect")
    yield* inbox.end(Exit.failCause(exit.cause))
    yield* Deferred.failCause(this.cycle, exit.cause)
  }

  // ---- what the owner calls -----------------------------------------------------------------------------------------

  get state(): Supervisor["state"] {
    return Effect.sync(() => this.states.current)
  }

  standing(): ConnectionState.Transition {
    return this.states.standing()
  }

  epoch(): number {
    return this.number
  }

  isShutDown(): boolean {
    return this.isEnding
  }

  get connect(): Supervisor["connect"] {
    return Effect.gen(() => this.starting())
  }

  private *starting(): Effect.fn.Return<void, ConnectError.ConnectError | ConnectError.AlreadyConnected> {
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
    this.closing = undefined
    this.cycle = Deferred.makeUnsafe()
    inbox.keep()
    this.states.move(State.Connecting({ attempt: 1 }), "connect")
    recorder.sessionBegan(`conn_${Math.floor(random.nextDoubleUnsafe() * 0x100000000).toString(16).padStart(8, "0")}`)
    const up = Deferred.await(this.cycle)
    const supervise = Effect.andThen(this.backoff.reset, Effect.gen(() => this.supervise()))
    this.supervision = Effect.runForkWith(context)(
      Effect.andThen(Effect.yieldNow, supervise).pipe(
        Effect.onExit((exit) => Effect.gen(() => this.reportDefect(exit)))
      )
    ).pipe(Fiber.runIn(this.fibers))
    return yield* Effect.onInterrupt(up, () => this.close("forced"))
  }

  get reconnect(): Supervisor["reconnect"] {
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
    return Effect.uninterruptible(Effect.gen(() => this.shutting(mode))).pipe(
      Effect.withSpan("Connection.close", {
        attributes: Printable.fields({ connection: this.options.label, mode, epoch: this.number })
      }, { captureStackTrace: false })
    )
  }

  private closeHandshake(on: Wire, closing: Closing): Effect.Effect<boolean> {
    return Effect.tap(
      Effect.raceFirst(
        Effect.as(Deferred.await(closing.forced), false),
        on.close(1000, "").pipe(
          Effect.map(({ clean }) => clean),
          Effect.timeoutOrElse({ duration: this.policy.closeTimeout, orElse: () => Effect.succeed(false) })
        )
      ),
      on.terminate
    )
  }

  // What arrived is delivered before the end; a forced close does not wait for it longer than its time.
  private awaitEnd(supervision: Fiber.Fiber<void>, { forced }: Closing): Effect.Effect<unknown> {
    const ended = Fiber.await(supervision)
    const cut = Effect.timeoutOrElse(ended, {
      duration: this.policy.forcedTimeout,
      orElse: () => Fiber.interrupt(supervision)
    })
    return Effect.raceFirst(ended, Effect.andThen(Deferred.await(forced), cut))
  }

  private *shutting(mode: Closed["mode"]): Effect.fn.Return<Closed> {
    const current = this.states.current
    const { closing } = this
    if (current._tag === "Disconnected") {
      // What was kept for a connect that never came, or failed.
      const unsent = this.options.outbox.close()
      if (unsent > 0) yield* this.states.log("Warn", "closed", { mode, clean: true, unsent })
      return closing === undefined ? { mode, clean: true } : yield* Deferred.await(closing.outcome)
    }
    if (closing !== undefined) {
      if (mode === "forced") yield* this.force(closing)
      return yield* Deferred.await(closing.outcome)
    }
    const begun: Closing = { mode: "graceful", forced: Deferred.makeUnsafe(), outcome: Deferred.makeUnsafe() }
    this.closing = begun
    if (mode === "forced") yield* this.force(begun)
    return yield* Effect.onExit(
      Effect.gen(() => this.closeDown(current, begun)),
      (exit) => Deferred.done(begun.outcome, exit)
    )
  }

  private force(closing: Closing): Effect.Effect<void> {
    return Effect.suspend(() => {
      closing.mode = "forced"
      return Effect.asVoid(Deferred.done(closing.forced, Exit.void))
    })
  }

  private *closeDown(current: ConnectionState.ConnectionState, closing: Closing): Effect.fn.Return<Closed> {
    const { inbox, outbox, recorder } = this.options
    const { mode } = closing
    recorder.closed(mode)
    yield* this.states.transition(State.Closing({ mode }), `${mode} close`)
    // The peer's answer comes after what it sent before, of which it may send much. Once the wire has ended it holds no
    // more than the transport's bound.
    yield* inbox.allow(2)
    const { open, supervision } = this
    let answered = true
    if (current._tag === "Connected" && open !== undefined) {
      open.ending = { _tag: "Closing" }
      answered = yield* this.closeHandshake(open.wire, closing)
      yield* inbox.allow(Infinity)
      if (supervision !== undefined) yield* this.awaitEnd(supervision, closing)
    } else if (supervision !== undefined) {
      yield* Fiber.interrupt(supervision)
    }
    const how: Closed = { mode: closing.mode, clean: answered && closing.mode === "graceful" }
    const unsent = outbox.close()
    yield* inbox.allow(1)
    yield* this.states.log(unsent > 0 ? "Warn" : "Info", "closed", { ...how, unsent, ...this.states.lossAnnotations() })
    yield* this.states.transition(State.Disconnected(), `${how.mode} close`)
    yield* inbox.end(Exit.fail(Cause.Done()))
    yield* Deferred.fail(this.cycle, new ConnectError.ConnectionClosed())
    return how
  }

  get shutdown(): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.isEnding = true
      this.options.outbox.shutdown()
      return Effect.andThen(this.close("graceful"), Scope.close(this.fibers, Exit.void))
    })
  }

  // It goes on for as long as the epoch lives: who asks for one channel may ask for those of others with it, and waits
  // for no longer than it likes.
  private start(use: (epoch: Epoch<A>) => Effect.Effect<void, WireClosed>): Effect.Effect<Fiber.Fiber<void> | undefined> {
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

  get ask(): Effect.Effect<void> {
    return this.onEpoch((epoch) => epoch.asking())
  }

  get askBeside(): Effect.Effect<void> {
    return Effect.asVoid(this.start((epoch) => epoch.asking()))
  }

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

  get ping(): Supervisor["ping"] {
    return Effect.suspend(() => this.open?.ping ?? Effect.succeedNone)
  }
}

/**
 * Makes a supervisor, without dialling. It closes gracefully when the scope
 * ends.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*<A>(
  options: Options<A>
): Effect.fn.Return<Supervisor, never, Scope.Scope | Transport | Reconnection> {
  const { capabilities } = yield* Transport
  const reconnection = yield* Reconnection
  const backoff = yield* Backoff.make(reconnection.policy.backoff)
  const states = new States(options, yield* Clock.Clock)
  const parts = { options, policy: reconnection.policy, capabilities, states }
  const supervision = new SupervisorImpl(parts, reconnection, backoff)
  yield* Scope.addFinalizer(yield* Effect.scope, supervision.shutdown)
  return supervision
})
