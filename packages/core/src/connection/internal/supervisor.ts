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
import * as Ref from "effect/Ref"
import * as Result from "effect/Result"
import * as Scope from "effect/Scope"
import type { Correlator } from "../../protocol/Correlator.ts"
import type * as KeepAlive from "../../protocol/KeepAlive.ts"
import * as Backoff from "../../resilience/Backoff.ts"
import * as Breaker from "../../resilience/Breaker.ts"
import type { ConnectionPolicy } from "../../resilience/ConnectionPolicy.ts"
import * as Recovery from "../../resilience/Recovery.ts"
import type { InvalidLimit, Reservation, RollingLimit } from "../../resilience/RollingLimit.ts"
import * as Address from "../../transport/Address.ts"
import { DialError, type HandshakeRejected, TimedOut } from "../../transport/DialError.ts"
import * as Endpoint from "../../transport/Endpoint.ts"
import { type Capabilities, Transport, type Wire, type WireClosed } from "../../transport/Transport.ts"
import type { Channel } from "../../value/Channel.ts"
import * as Monotonic from "../../value/Monotonic.ts"
import * as Printable from "../../value/Printable.ts"
import type { BearerToken } from "../BearerToken.ts"
import * as ConnectError from "../ConnectError.ts"
import * as ConnectionState from "../ConnectionState.ts"
import type * as Observer from "../Observer.ts"
import type { Outbox } from "../Outbox.ts"
import { Reconnection } from "../Reconnection.ts"
import type { Subscriptions } from "../Subscriptions.ts"
import * as Decoder from "./decoder.ts"
import * as Heartbeat from "./heartbeat.ts"
import * as Sequence from "./sequence.ts"

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
 * The parts that a supervisor works with, and how it dials.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options<A> extends Decoder.Options<A> {
  readonly url: string
  readonly label: string
  readonly outbox: Outbox
  readonly subscriptions: Subscriptions<A>
  /** What was refused and is still to be logged. */
  readonly refusals: Array<ConnectError.SubscriptionRefused>
  readonly breaker: Breaker.Breaker
  readonly auth: BearerToken | undefined
  readonly keepAlive: KeepAlive.KeepAlive<A>
  readonly correlator: Correlator
  readonly sequence: Sequence.SequenceOf<A> | undefined
  /** The limit on dials. */
  readonly dials: RollingLimit
  /** Why nothing is dialled at all: a limit that nothing could keep. */
  readonly invalid: InvalidLimit | undefined
  /** Whether a dial shows something that the venue can refuse. */
  readonly showsToken: boolean
  /** The dial, given the headers that the token adds. */
  readonly dial: (
    headers: Readonly<Record<string, Redacted.Redacted<string>>>
  ) => Effect.Effect<Wire, DialError, Scope.Scope>
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

// How one turn of the loop ended: a failed dial or epoch, a wish for a new epoch, or the end.
type Ending =
  | {
    readonly _tag: "Failed"
    readonly failure: ConnectError.Failure
    /** How long the connection had lived; `undefined` where the dial itself failed. */
    readonly uptimeMillis: number | undefined
  }
  | { readonly _tag: "Redial" }
  | { readonly _tag: "Closing" }

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

const failed = (failure: ConnectError.Failure, uptimeMillis?: number | undefined): Ending => ({
  _tag: "Failed",
  failure,
  uptimeMillis
})

const rejectionOf = (failure: ConnectError.Failure): HandshakeRejected | undefined =>
  failure._tag === "DialError" && failure.reason._tag === "HandshakeRejected" ? failure.reason : undefined

// From how many consumers on their waking is what costs.
const manyConsumers = 64

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
  private readonly options: Options<A>
  private readonly capabilities: Capabilities
  private readonly reconnection: Reconnection["Service"]
  private readonly clock: Clock.Clock
  private readonly backoff: Backoff.Stepper
  private readonly fibers = Scope.makeUnsafe()

  private readonly current = Ref.makeUnsafe<ConnectionState.ConnectionState>(State.Disconnected())
  private stateSince: number
  private number = 0
  private wire: Wire | undefined
  // Why the wire is being ended, where it is ended by us.
  private ending: Ending | undefined
  // What the epoch that has ended had sent and was not seen to arrive, until it is told.
  private unconfirmed: ConnectError.Unconfirmed | undefined
  // The close that is under way, or that has ended the connection.
  private closing: Closing | undefined
  private isEnding = false
  private supervision: Fiber.Fiber<void> | undefined
  // Completes when the connection is up again, or will not be.
  private cycle = Deferred.makeUnsafe<void, ConnectError.ConnectError>()
  // Until when the breaker is shown to be waited for, on the monotonic clock.
  private shownUntil: number | undefined
  private stalledSince: number | undefined
  private heartbeat: Heartbeat.Heartbeat<A> | undefined
  // Whether answers are being waited for.
  private isWatching = false
  // Whether what was refused together with something else is being asked for once more.
  private isAskingAgain = false
  // Lets something go on beside the epoch that is up, and end with it.
  private beside: ((effect: Effect.Effect<void>) => Fiber.Fiber<void>) | undefined
  private resumedAt = 0
  // When this epoch's wire last brought something.
  private lastReceivedAt = 0

  constructor(
    options: Options<A>,
    capabilities: Capabilities,
    reconnection: Reconnection["Service"],
    clock: Clock.Clock,
    backoff: Backoff.Stepper
  ) {
    this.options = options
    this.capabilities = capabilities
    this.reconnection = reconnection
    this.clock = clock
    this.backoff = backoff
    this.stateSince = this.now()
  }

  // What waits is measured by this one; what is told to people has the wall clock's time.
  private now(): number {
    return Monotonic.nowMillis(this.clock)
  }

  private wallNow(): number {
    return this.clock.currentTimeMillisUnsafe()
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

  private log(level: "Info" | "Warn" | "Error", message: string, annotations: Readonly<Record<string, unknown>>) {
    return Effect.annotateLogs(
      Effect.logWithLevel(level)(message),
      Printable.fields({ connection: this.options.label, ...annotations })
    )
  }

  // What a log line says of messages that may not have arrived.
  private lossAnnotations(): Readonly<Record<string, number>> {
    if (this.unconfirmed === undefined) return {}
    const { bufferedBytes, bytes, messages } = this.unconfirmed
    return { unconfirmed: messages, unconfirmed_bytes: bytes, buffered_bytes: bufferedBytes }
  }

  private transition(to: ConnectionState.ConnectionState, reason: string): Effect.Effect<void> {
    return Effect.sync(() => this.move(to, reason))
  }

  private move(to: ConnectionState.ConnectionState, reason: string): void {
    const { inbox, recorder } = this.options
    const from = Ref.getUnsafe(this.current)
    if (!ConnectionState.allows(from, to)) return
    this.current.ref.current = to
    const now = this.now()
    recorder.moved(to)
    inbox.offer({
      _tag: "Transition",
      from,
      to,
      at: this.wallNow(),
      heldMillis: Math.round(now - this.stateSince),
      reason,
      ...(this.unconfirmed === undefined ? {} : { unconfirmed: this.unconfirmed })
    })
    this.unconfirmed = undefined
    this.stateSince = now
    inbox.wake()
  }

  // ---- an open wire -------------------------------------------------------------------------------------------------

  private endWire(on: Wire, how: Ending): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.ending ??= how
      return Effect.andThen(this.options.inbox.allow(Infinity), on.terminate)
    })
  }

  private makeHeartbeat(on: Wire, number: number): Heartbeat.Heartbeat<A> | undefined {
    const { keepAlive, outbox, recorder } = this.options
    const { heartbeat } = this.policy
    if (heartbeat === "none" || (keepAlive._tag === "Protocol" && !this.capabilities.ping)) return undefined
    const { interval, onMiss, timeout } = heartbeat
    const timeoutMillis = Duration.toMillis(timeout)
    // Who answers a ping has read what was sent before it.
    let confirm = outbox.checkpoint()
    return Heartbeat.make({
      wire: on,
      keepAlive,
      correlator: this.options.correlator,
      intervalMillis: Duration.toMillis(interval),
      timeoutMillis,
      // A ping was admitted before.
      send: (frame, kind) => outbox.urgent(frame, kind, { admitted: kind === "ping" }),
      admit: Effect.map(outbox.admit("ping", ""), () => {
        confirm = outbox.checkpoint()
      }),
      isStalled: () => this.stalledSince !== undefined || on.paused(),
      resumedAt: () => this.resumedAt,
      lastReceivedAt: () => this.lastReceivedAt,
      onRoundTrip: (millis) =>
        Effect.sync(() => {
          confirm()
          recorder.answered(this.now(), millis)
        }),
      onStall: (stall) =>
        Effect.suspend(() => {
          recorder.stalled(stall)
          return this.log("Warn", stall === "consumer" ? "consumer stalled" : "event loop stalled", { epoch: number })
        }),
      onMiss: Effect.suspend(() => {
        recorder.missedPong()
        const failure = new ConnectError.HeartbeatMissed({ epoch: number, afterMillis: timeoutMillis })
        return onMiss === "report"
          ? Effect.as(this.log("Warn", "pong missed", { epoch: number, error: failure.message }), true)
          : Effect.as(this.endWire(on, failed(failure)), false)
      })
    })
  }

  // Waits for room where a consumer blocks; the wire is not pulled meanwhile.
  private awaitRoom(): Effect.Effect<void> {
    const { inbox } = this.options
    const woken = inbox.wake()
    // While many are woken much may come: the more of it one turn brings, the fewer of them are woken for it.
    if (!inbox.isBlocked()) return woken > manyConsumers ? Effect.yieldNow : Effect.void
    this.stalledSince = this.now()
    return Effect.map(inbox.room, () => {
      this.stalledSince = undefined
      this.resumedAt = this.now()
    })
  }

  // Tells what observers have thrown, by their names. Gives the first for which the connection is to end.
  private reportFaults(): Effect.Effect<ConnectError.ObserverFailed | undefined> {
    return Effect.suspend(() => {
      const { observers, recorder } = this.options
      const faults = observers.faults.splice(0).map(({ error, name, whenThrows }) => {
        recorder.observerFailed()
        const detail = error instanceof Error ? error.message : String(error)
        return { whenThrows, failure: new ConnectError.ObserverFailed({ epoch: this.number, observer: name, detail }) }
      })
      const logs = faults.map(({ failure: { detail, epoch, observer }, whenThrows }) => {
        const level = whenThrows === "end" ? "Error" : "Warn"
        return this.log(level, "observer failed", { observer, epoch, error: detail })
      })
      return Effect.as(
        Effect.all(logs, { discard: true }),
        faults.find(({ whenThrows }) => whenThrows === "end")?.failure
      )
    })
  }

  // What was refused, by name, and only once.
  private reportRefusals(): Effect.Effect<void> {
    return Effect.forEach(
      this.options.refusals.splice(0),
      ({ channel: { channel, product }, code, reason }) =>
        this.log("Warn", "subscription refused", {
          channel,
          ...(product === undefined ? {} : { product }),
          ...(code === undefined ? {} : { code }),
          reason
        }),
      { discard: true }
    )
  }

  // What is not answered in time is refused. Where nothing is answered at all, the restore has failed.
  private watchAnswers(on: Wire): Effect.Effect<void> {
    const { inbox, subscriptions: restoration } = this.options
    const millis = Duration.toMillis(this.policy.acknowledgementTimeout)
    const watch: Effect.Effect<void> = Effect.suspend(() => {
      const since = restoration.waitingSince()
      if (since === undefined || this.wire !== on) return Effect.void
      const wait = since + millis - this.now()
      if (wait > 0) return Effect.andThen(Effect.sleep(wait), watch)
      const channel = restoration.expire(this.now(), millis)
      inbox.wake()
      if (channel === undefined) return Effect.andThen(this.reportRefusals(), watch)
      const detail = `no answer to the subscription of ${channel.channel}${
        channel.product === undefined ? "" : ` of ${channel.product}`
      } within ${millis} ms`
      return this.endWire(on, failed(new ConnectError.RestoreFailed({ epoch: this.number, detail })))
    })
    return Effect.suspend(() => {
      if (this.isWatching) return Effect.void
      this.isWatching = true
      return Effect.ensuring(
        watch,
        Effect.sync(() => {
          this.isWatching = false
        })
      )
    })
  }

  // Sees to the answers that have a deadline, beside the epoch that is up.
  private watchBeside(on: Wire): void {
    if (this.options.subscriptions.waitingSince() !== undefined) this.beside?.(this.watchAnswers(on))
  }

  // Where the limit holds it up, much may come meanwhile.
  private askAgain(on: Wire): void {
    const { beside } = this
    if (this.isAskingAgain || beside === undefined || !this.options.subscriptions.isUnasked()) return
    this.isAskingAgain = true
    beside(Effect.ensuring(
      Effect.ignore(this.asking(on)),
      Effect.sync(() => {
        this.isAskingAgain = false
      })
    ))
  }

  // Asks for what is wanted now, and sees to the answers.
  private asking(
    on: Wire,
    ask: Effect.Effect<void, WireClosed> = this.options.subscriptions.ask(on)
  ): Effect.Effect<void, WireClosed> {
    return Effect.flatMap(ask, () => {
      this.options.inbox.wake()
      this.watchBeside(on)
      return this.reportRefusals()
    })
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

  // What else happens while a wire is open: sending, keeping alive, and the proof by time.
  private *read(
    on: Wire,
    turn: Attempt
  ): Effect.fn.Return<void, never, Scope.Scope> {
    const { heartbeat } = this
    const { breaker, outbox } = this.options
    const { circuit, retry: { resetOn } } = this.policy
    outbox.drainWith((drain) => this.beside?.(drain))
    this.watchBeside(on)
    if (heartbeat !== undefined) yield* Effect.forkScoped(Effect.ignore(heartbeat.run))
    if (typeof resetOn === "object") {
      yield* Effect.forkScoped(Effect.andThen(Effect.sleep(resetOn.stableFor), this.confirmStable(turn)))
    } else if (circuit !== "none") {
      // The connect was the probe's success. Where more are asked for, a link that stays up has no way to give them,
      // and its drop in a week would count as a failed probe: one that outlives the breaker's rest has shown enough.
      yield* Effect.forkScoped(Effect.flatMap(
        Effect.sleep(circuit.openDuration),
        () => turn.isProven ? breaker.recordStable : Effect.void
      ))
    }
  }

  // Takes from the wire until it ends. What arrived before its end is delivered, in order, before this completes.
  private receive(
    on: Wire,
    number: number,
    onFirst: Effect.Effect<void> | undefined
  ): Effect.Effect<WireClosed> {
    const { observers: { faults }, refusals } = this.options
    const read = Decoder.make(this.options, number)
    let due = onFirst
    return on.pull.pipe(
      Effect.flatMap((frames) => {
        this.lastReceivedAt = this.now()
        read(frames, this.wallNow(), this.lastReceivedAt)
        this.askAgain(on)
        if (due === undefined && refusals.length === 0 && faults.length === 0) return this.awaitRoom()
        const first = due ?? Effect.void
        due = undefined
        return first.pipe(
          Effect.andThen(this.reportRefusals()),
          Effect.andThen(this.reportFaults()),
          Effect.flatMap((fault) => fault === undefined ? Effect.void : this.endWire(on, failed(fault))),
          Effect.flatMap(() => this.awaitRoom())
        )
      }),
      Effect.forever,
      Effect.flip
    )
  }

  private live(on: Wire, number: number, turn: Attempt): Effect.Effect<Ending, never, Scope.Scope> {
    const { resetOn } = this.policy.retry
    const begun = this.now()
    this.lastReceivedAt = begun
    const proof = this.confirmStable(turn)
    const closed = this.receive(on, number, resetOn === "first-message" ? proof : undefined)
    return (resetOn === "connect" ? proof : Effect.void).pipe(
      Effect.andThen(Effect.gen(() => this.read(on, turn))),
      Effect.andThen(closed),
      Effect.flatMap((closed) => this.ended(on, number, begun, closed))
    )
  }

  private ended(on: Wire, number: number, begun: number, closed: WireClosed): Effect.Effect<Ending> {
    const { inbox, outbox, recorder } = this.options
    // Our close frame was answered by who had read all before it.
    if (closed.by === "local" && closed.code === 1000) outbox.checkpoint()()
    const sent = outbox.unconfirmed()
    const unconfirmed = sent.messages === 0 ? undefined : { ...sent, bufferedBytes: on.bufferedBytes() }
    this.unconfirmed = unconfirmed
    if (unconfirmed !== undefined) recorder.unconfirmed(unconfirmed.messages)
    this.stalledSince = undefined
    return Effect.map(inbox.allow(1), () => {
      const how = this.ending ?? failed(
        new ConnectError.Dropped({ epoch: number, closed, ...(unconfirmed === undefined ? {} : { unconfirmed }) })
      )
      return how._tag === "Failed" ? failed(how.failure, Math.round(this.now() - begun)) : how
    })
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
      recorder.dialled(this.now())
      place.use(this.now())
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
      this.traced("Connection.dial", { attempt, origin: Address.origin(url) })
    )
  }

  // Each is a trace of its own: they go on for as long as the connection, whoever began it.
  private traced(name: string, attributes: Readonly<Record<string, unknown>>) {
    return Effect.withSpan(name, {
      attributes: Printable.fields({ connection: this.options.label, ...attributes }),
      root: true
    }, { captureStackTrace: false })
  }

  // Asks the new epoch for what is wanted, before anybody is told that it is up.
  private restore(on: Wire, number: number): Effect.Effect<void, ConnectError.RestoreFailed> {
    return this.asking(on).pipe(
      Effect.timeoutOrElse({
        duration: this.policy.connectTimeout,
        orElse: () => Effect.fail({ message: `not written within ${this.connectTimeoutMillis} ms` })
      }),
      Effect.mapError(({ message }) => new ConnectError.RestoreFailed({ epoch: number, detail: message })),
      this.traced("Connection.restore", {
        epoch: number,
        subscriptions: this.options.subscriptions.wanted().length
      })
    )
  }

  // The connection's own come first: a heartbeat and its answers wait for nobody.
  private attach(on: Wire, number: number): void {
    const { observers, sequence, subscriptions } = this.options
    this.heartbeat = this.makeHeartbeat(on, number)
    const own: Array<Observer.Observer<A>> = [subscriptions.attach(number)]
    if (this.heartbeat?.observer !== undefined) own.unshift(this.heartbeat.observer)
    if (sequence !== undefined) own.push(Sequence.observe(sequence, (step) => this.countStep(step, number)))
    observers.attach(number, own)
  }

  private countStep(step: Sequence.Step, epoch: number): void {
    const { inbox, recorder } = this.options
    recorder.stepped(step)
    if (step._tag !== "Gap") return
    inbox.offer({ _tag: "SequenceGap", epoch, from: step.from, to: step.to, missing: step.missing })
  }

  private detach(how: Ending): void {
    const at = { epoch: this.number, at: this.wallNow(), monotonicMillis: this.now() }
    this.options.observers.ended(
      how._tag === "Failed"
        ? { ...at, _tag: "Failed", failure: how.failure }
        : { ...at, _tag: how._tag === "Redial" ? "Redial" : "Closed" }
    )
    this.options.correlator.clear()
  }

  private end(): void {
    this.detach({ _tag: "Closing" })
    this.wire = undefined
    this.beside = undefined
    this.options.outbox.end()
  }

  // ---- the loop -----------------------------------------------------------------------------------------------------

  private *finish(to: ConnectionState.ConnectionState, error: ConnectError.ConnectError): Effect.fn.Return<void> {
    const { inbox, recorder } = this.options
    recorder.ended(error)
    yield* this.transition(to, error.message)
    yield* inbox.end(Exit.fail(error))
    yield* Deferred.fail(this.cycle, error)
  }

  private *giveUp(error: ConnectError.ConnectError): Effect.fn.Return<void> {
    this.options.recorder.gaveUp(error._tag === "ConnectionAborted")
    yield* this.log("Error", "gave up", { error: error.message })
    yield* this.finish(State.Failed({ error }), error)
  }

  private *stop(session: Session, error: ConnectError.Failure): Effect.fn.Return<void> {
    if (session.isEstablished) return yield* this.giveUp(error)
    yield* this.log("Error", "not connected", { error: error.message })
    yield* this.finish(State.Disconnected(), error)
  }

  private showBreaker(session: Session, until: number): Effect.Effect<void> {
    return Effect.flatMap(
      Ref.get(this.current),
      (current) =>
        current._tag === "CircuitOpen" && this.shownUntil === until
          ? Effect.void
          : this.transition(this.circuitOpen(session, until, this.now()), "circuit open")
    )
  }

  private circuitOpen({ attempt, failure }: Session, until: number, now: number): ConnectionState.ConnectionState {
    this.shownUntil = until
    const delayMillis = Math.round(until - now)
    return State.CircuitOpen({ attempt, delayMillis, until: this.wallNow() + delayMillis, failure })
  }

  // Waits until the dial is due and there is room for it within the limit on dials.
  private *awaitDueTime(session: Session): Effect.fn.Return<void> {
    const { breaker, dials } = this.options
    const { waitsForBreaker } = this
    let isTold = false
    while (true) {
      const at = this.now()
      const seen = yield* breaker.state
      const open = waitsForBreaker && seen._tag === "Open" ? Math.max(session.dueAt, seen.until) : session.dueAt
      const until = Math.max(open, at + dials.waitFor(at))
      if (until <= at) return
      if (until > open && !isTold) {
        isTold = true
        yield* this.log("Info", "dial held up by the limit", { delay_ms: Math.round(until - at) })
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
    yield* this.showBreaker(session, this.now() + admitted.failure.retryAfterMillis)
    return yield* breaker.awaitPermit
  }

  // Reserves the dial's place in the step that finds it. It is given back with the scope, where it was not used.
  private reserve(): Effect.Effect<Reservation | number, never, Scope.Scope> {
    return Effect.uninterruptible(Effect.tap(
      Effect.sync(() => this.options.dials.reserve(this.now())),
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
  ): Effect.fn.Return<Wire, ConnectError.Failure, Scope.Scope> {
    const { outbox, recorder, subscriptions: restoration } = this.options
    yield* this.transition(
      State.Connecting({ attempt: session.attempt }),
      session.failure === undefined ? "connect" : "retry"
    )
    this.ending = undefined
    const scope = yield* Effect.scope
    const fork = Effect.runForkWith(yield* Effect.context())
    yield* Scope.addFinalizer(scope, Effect.sync(() => this.end()))
    const on = yield* this.dial(place, session.attempt)
    const number = ++this.number
    this.wire = on
    this.attach(on, number)
    const fault = yield* this.reportFaults()
    if (fault !== undefined) return yield* fault
    yield* this.restore(on, number)
    recorder.connected(this.wallNow(), this.now())
    session.isEstablished = true
    yield* this.log("Info", "connected", {
      epoch: number,
      attempt: session.attempt,
      subscriptions: restoration.wanted().length
    })
    // Before anybody can see that it is up: who is told so can send, and ask.
    this.beside = (effect) => Fiber.runIn(fork(effect), scope)
    outbox.begin(on, number)
    yield* this.transition(State.Connected({ epoch: number }), "handshake complete")
    yield* Deferred.done(this.cycle, Exit.void)
    // What came to be wanted between the restore and the new state. Reading does not wait for the limit on messages.
    this.beside(Effect.ignore(this.asking(on)))
    return on
  }

  // One dial and, where it gives a wire, one epoch; and what it says to the breaker. Nothing of the way up is held while
  // the epoch lives.
  private attempt(session: Session): Effect.Effect<Ending, Breaker.CircuitOpen, Scope.Scope> {
    return Effect.flatMap(Effect.gen(() => this.dialPermission(session)), ({ permit, place }) => {
      const turn: Attempt = { session, permit, isProven: false }
      return Effect.gen(() => this.establish(session, place)).pipe(
        Effect.flatMap((on) => this.live(on, this.number, turn)),
        Effect.catch((error) => Effect.succeed(failed(error))),
        Effect.tap((how) => {
          this.detach(how)
          return Effect.andThen(this.reportFaults(), this.recordOutcome(turn, how))
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
        session.dueAt = this.now()
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
        const until = Monotonic.toEpochMillis(this.clock, step.until)
        const retryAfterMillis = Math.round(step.until - this.now())
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
    yield* this.log(isOpen ? "Warn" : "Info", isOpen ? "circuit open" : "reconnecting", {
      attempt,
      delay_ms: delayMillis,
      ...(backoff.pattern === undefined ? {} : { pattern: backoff.pattern })
    })
    yield* this.transition(
      isOpen
        ? this.circuitOpen(session, openUntil, decidedAt)
        : State.Reconnecting({
          attempt,
          delayMillis,
          until: this.wallNow() + delayMillis,
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
      dueAt: this.now()
    }
    while (true) {
      const turned = yield* Effect.result(Effect.scoped(this.attempt(session)))
      if (Result.isFailure(turned)) return yield* this.giveUp(turned.failure)
      const how = turned.success
      if (this.closing !== undefined || how._tag === "Closing") return

      recorder.down(this.now())
      if (Deferred.isDoneUnsafe(this.cycle)) this.cycle = Deferred.makeUnsafe()
      if (how._tag === "Redial") {
        session.failure = undefined
        session.attempt = 1
        session.dueAt = this.now()
        continue
      }

      const { failure } = how
      session.failure = failure
      recorder.failed(failure)
      yield* this.log("Warn", how.uptimeMillis === undefined ? "dial failed" : "dropped", {
        kind: ConnectError.kind(failure),
        error: failure.message,
        ...this.lossAnnotations()
      })

      const step = yield* this.nextStep(session, failure, this.now())
      if (!(yield* Effect.gen(() => this.follow(session, step, failure, how.uptimeMillis)))) return
    }
  }

  // A defect, such as a decoder that throws, is shown to everybody who waits: it must not look like silence.
  private *reportDefect(exit: Exit.Exit<void>): Effect.fn.Return<void> {
    if (Exit.isSuccess(exit) || Cause.hasInterruptsOnly(exit.cause)) return
    const { inbox, outbox } = this.options
    outbox.close()
    yield* this.transition(State.Closing({ mode: "forced" }), "defect")
    yield* this.transition(State.Disconnected(), "defect")
    yield* inbox.end(Exit.failCause(exit.cause))
    yield* Deferred.failCause(this.cycle, exit.cause)
  }

  // ---- what the owner calls -----------------------------------------------------------------------------------------

  get state(): Supervisor["state"] {
    return Ref.get(this.current)
  }

  standing(): ConnectionState.Transition {
    const state = Ref.getUnsafe(this.current)
    const heldMillis = Math.round(this.now() - this.stateSince)
    return { _tag: "Transition", from: state, to: state, at: this.wallNow(), heldMillis, reason: "" }
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
    const current = Ref.getUnsafe(this.current)
    if (this.isEnding) return yield* new ConnectError.ConnectionClosed()
    if (this.options.invalid !== undefined) return yield* this.options.invalid
    if (current._tag !== "Disconnected" && current._tag !== "Failed") {
      recorder.conflicted()
      return yield* new ConnectError.AlreadyConnected({ state: current._tag })
    }
    this.closing = undefined
    this.cycle = Deferred.makeUnsafe()
    inbox.keep()
    this.move(State.Connecting({ attempt: 1 }), "connect")
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
    return Effect.flatMap(Ref.get(this.current), (current) => {
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
          return this.wire === undefined ? up : Effect.andThen(this.endWire(this.wire, { _tag: "Redial" }), up)
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
    const current = yield* Ref.get(this.current)
    const { closing } = this
    if (current._tag === "Disconnected") {
      // What was kept for a connect that never came, or failed.
      const unsent = this.options.outbox.close()
      if (unsent > 0) yield* this.log("Warn", "closed", { mode, clean: true, unsent })
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
    yield* this.transition(State.Closing({ mode }), `${mode} close`)
    // The peer's answer comes after what it sent before, of which it may send much. Once the wire has ended it holds no
    // more than the transport's bound.
    yield* inbox.allow(2)
    const { supervision, wire } = this
    let answered = true
    if (current._tag === "Connected" && wire !== undefined) {
      this.ending = { _tag: "Closing" }
      answered = yield* this.closeHandshake(wire, closing)
      yield* inbox.allow(Infinity)
      if (supervision !== undefined) yield* this.awaitEnd(supervision, closing)
    } else if (supervision !== undefined) {
      yield* Fiber.interrupt(supervision)
    }
    const how: Closed = { mode: closing.mode, clean: answered && closing.mode === "graceful" }
    const unsent = outbox.close()
    yield* inbox.allow(1)
    yield* this.log(unsent > 0 ? "Warn" : "Info", "closed", { ...how, unsent, ...this.lossAnnotations() })
    yield* this.transition(State.Disconnected(), `${how.mode} close`)
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
  private start(use: (on: Wire) => Effect.Effect<void, WireClosed>): Effect.Effect<Fiber.Fiber<void> | undefined> {
    return Effect.map(Ref.get(this.current), (current) => {
      const { beside, wire } = this
      return current._tag === "Connected" && wire !== undefined ? beside?.(Effect.ignore(use(wire))) : undefined
    })
  }

  private onWire(use: (on: Wire) => Effect.Effect<void, WireClosed>): Effect.Effect<void> {
    return Effect.flatMap(this.start(use), (fiber) =>
      fiber === undefined ? Effect.void : Effect.flatMap(
        Fiber.await(fiber),
        (exit) => Exit.isFailure(exit) && !Cause.hasInterrupts(exit.cause) ? exit : Effect.void
      ))
  }

  get ask(): Effect.Effect<void> {
    return this.onWire((on) => this.asking(on))
  }

  get askBeside(): Effect.Effect<void> {
    return Effect.asVoid(this.start((on) => this.asking(on)))
  }

  share(): void {
    this.options.subscriptions.share()
    if (this.wire !== undefined) this.watchBeside(this.wire)
  }

  resubscribe(channels: ReadonlyArray<Channel>): Effect.Effect<void> {
    return this.onWire((on) => this.asking(on, this.options.subscriptions.resubscribe(on, channels))).pipe(
      this.traced("Connection.resubscribe", { epoch: this.number, channels: channels.length })
    )
  }

  get ping(): Supervisor["ping"] {
    return Effect.suspend(() => {
      const { connectTimeout, heartbeat } = this.policy
      const on = this.wire
      const begun = this.now()
      if (on === undefined || !this.capabilities.ping) return Effect.succeedNone
      return Effect.andThen(
        this.options.outbox.admit("ping", ""),
        Effect.suspend(() => Effect.map(on.ping, this.options.outbox.checkpoint()))
      ).pipe(
        Effect.map(() => this.now() - begun),
        Effect.timeoutOption(heartbeat === "none" ? connectTimeout : heartbeat.timeout),
        Effect.catch(() => Effect.succeedNone)
      )
    })
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
  const clock = yield* Clock.Clock
  const backoff = yield* Backoff.make(reconnection.policy.backoff)
  const supervision = new SupervisorImpl(options, capabilities, reconnection, clock, backoff)
  yield* Scope.addFinalizer(yield* Effect.scope, supervision.shutdown)
  return supervision
})
