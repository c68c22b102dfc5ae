/**
 * One epoch: a wire that is open, from its dial to its end. It asks for what is
 * wanted, keeps alive, shows what comes to the observers and hands it to the
 * inbox, and says how it ended.
 *
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Option from "effect/Option"
import type { ConnectionPolicy } from "../../resilience/ConnectionPolicy.ts"
import type { Pull, Wire, WireClosed } from "../../transport/Transport.ts"
import type * as SharedTimer from "../../value/internal/sharedTimer.ts"
import { untraced } from "../../value/internal/untraced.ts"
import * as ConnectError from "../ConnectError.ts"
import type * as Observer from "../Observer.ts"
import type { Options, Parts } from "./connectionParts.ts"
import { FrameReader } from "./frameReader.ts"
import * as Heartbeat from "./heartbeat.ts"
import * as SequenceGaps from "./sequenceGaps.ts"
import type { StateTracker } from "./stateTracker.ts"
import { UnansweredSubscriptions } from "./unansweredSubscriptions.ts"

/**
 * How one turn of the loop ended: a failed dial or epoch, a wish for a new epoch,
 * or the end.
 *
 * @category models
 * @since 0.1.0
 */
export type Ending =
  | {
    readonly _tag: "Failed"
    readonly failure: ConnectError.Failure
    /** How long the connection had lived; `undefined` where the dial itself failed. */
    readonly uptimeMillis: number | undefined
  }
  | { readonly _tag: "Redial" }
  | { readonly _tag: "Closing" }

/**
 * The end of a turn by a failure.
 *
 * @category constructors
 * @since 0.1.0
 */
export const failed = (failure: ConnectError.Failure, uptimeMillis?: number | undefined): Ending => ({
  _tag: "Failed",
  failure,
  uptimeMillis
})

// From how many consumers on their waking is what costs.
const manyConsumers = 64

// What the heartbeat of an epoch needs to know.
class EpochHeartbeat<A> implements Heartbeat.Options<A> {
  readonly intervalMillis: number
  readonly timeoutMillis: number
  private readonly epoch: Epoch<A>
  private readonly parts: Parts<A>
  private readonly endsOnMiss: boolean
  // Who answers a ping has read what was sent before it.
  private confirm: () => void

  constructor(
    epoch: Epoch<A>,
    parts: Parts<A>,
    { interval, onMiss, timeout }: Exclude<ConnectionPolicy["heartbeat"], "none">
  ) {
    this.epoch = epoch
    this.parts = parts
    this.intervalMillis = Duration.toMillis(interval)
    this.timeoutMillis = Duration.toMillis(timeout)
    this.endsOnMiss = onMiss !== "report"
    this.confirm = parts.options.outbox.checkpoint()
  }

  get wire(): Wire {
    return this.epoch.wire
  }

  get keepAlive(): Options<A>["keepAlive"] {
    return this.parts.options.keepAlive
  }

  get correlator(): Options<A>["correlator"] {
    return this.parts.options.correlator
  }

  send(frame: string, kind: "ping" | "enable" | "answer"): void {
    const { outbox, recorder } = this.parts.options
    // A ping was admitted before.
    outbox.urgent(frame, kind, { admitted: kind === "ping" })
    if (kind === "answer") recorder.answeredTest()
  }

  get admit(): Effect.Effect<void> {
    const { outbox } = this.parts.options
    return Effect.map(outbox.admit("ping", ""), () => {
      this.confirm = outbox.checkpoint()
    })
  }

  isStalled(): boolean {
    return this.epoch.stalledSince !== undefined || this.epoch.wire.paused()
  }

  resumedAt(): number {
    return this.epoch.resumedAt
  }

  lastReceivedAt(): number {
    return this.epoch.lastReceivedAt
  }

  onRoundTrip(millis: number): Effect.Effect<void> {
    return Effect.sync(() => {
      this.confirm()
      this.parts.options.recorder.answered(this.parts.states.now(), millis)
    })
  }

  onStall(stall: Heartbeat.Stall): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.parts.options.recorder.stalled(stall)
      return this.parts.states.log("Warn", stall === "consumer" ? "consumer stalled" : "event loop stalled", {
        epoch: this.epoch.number
      })
    })
  }

  get onMiss(): Effect.Effect<boolean> {
    return Effect.suspend(() => {
      const { number: epoch } = this.epoch
      this.parts.options.recorder.missedPong()
      const failure = new ConnectError.HeartbeatMissed({ epoch, afterMillis: this.timeoutMillis })
      return this.endsOnMiss
        ? Effect.as(this.epoch.endWire(failed(failure)), false)
        : Effect.as(this.parts.states.log("Warn", "pong missed", { epoch, error: failure.message }), true)
    })
  }
}

/**
 * One epoch of a connection.
 *
 * @category models
 * @since 0.1.0
 */
export class Epoch<A> {
  readonly wire: Wire
  readonly number: number
  /** Why the wire is being ended, if it is ended by us. */
  ending: Ending | undefined
  /** Lets something go on beside it, and end with it; absent until it is up. */
  beside: ((effect: Effect.Effect<void>) => Fiber.Fiber<void>) | undefined
  private readonly parts: Parts<A>
  private heartbeat: Heartbeat.Heartbeat<A> | undefined
  private beats: SharedTimer.Alarm | undefined
  private isOver = false
  // What waits for answers, once something does.
  private unanswered: UnansweredSubscriptions<A> | undefined
  // Whether what was refused together with something else is being asked for once more.
  private isAskingAgain = false
  /** Since when reading stands still because of a consumer, on the monotonic clock, and when it last went on. */
  stalledSince: number | undefined
  resumedAt = 0
  /** When the wire last brought something, on the monotonic clock. */
  lastReceivedAt: number
  // How many consumers were woken by the last batch.
  private woken = 0
  // What is done when something has come next.
  private due: Effect.Effect<void> | undefined
  // Where it is read before it is up: whoever reads it, and who waits until all that was asked for is answered.
  private reader: Fiber.Fiber<Ending> | undefined
  private allAnswered: Deferred.Deferred<void> | undefined

  constructor(parts: Parts<A>, wire: Wire, number: number) {
    this.parts = parts
    this.wire = wire
    this.number = number
    this.lastReceivedAt = parts.states.now()
  }

  private get options(): Options<A> {
    return this.parts.options
  }

  private get policy(): ConnectionPolicy {
    return this.parts.policy
  }

  private get states(): StateTracker<A> {
    return this.parts.states
  }

  /** Ends the wire, for a reason of ours. */
  endWire(how: Ending): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.ending ??= how
      return Effect.andThen(this.options.inbox.allow(Infinity), this.wire.terminate)
    })
  }

  /** Sends and keeps alive from now on. */
  begin(context: Context.Context<never>): void {
    const { heartbeat } = this
    this.heartbeat = undefined
    this.lastReceivedAt = this.states.now()
    this.options.outbox.drainWith((drain) => this.beside?.(drain))
    this.watchBeside()
    if (heartbeat !== undefined) this.beats = Heartbeat.start(heartbeat, context, (beat) => this.beside?.(beat))
  }

  /** Reads until the wire has ended, and says how. `onFirst` is done when something has come. */
  run(onFirst: Effect.Effect<void> | undefined): Effect.Effect<Ending> {
    this.due = onFirst
    return this.reader === undefined ? this.read() : Fiber.join(this.reader)
  }

  /** Begins to read before it is up; `fork` gives the fiber that does so. */
  readEarly(fork: (read: Effect.Effect<Ending>) => Fiber.Fiber<Ending>): void {
    this.reader = fork(this.read())
  }

  /** Fails with how it ended, if it is read and ends. */
  reading(): Effect.Effect<never, Ending> {
    const { reader } = this
    return reader === undefined ? Effect.never : Effect.flatMap(Fiber.join(reader), Effect.fail)
  }

  /** Completes when all that was asked for is answered; never where it ends for want of answers. */
  answered(): Effect.Effect<void> {
    return Effect.suspend(() => {
      if (this.options.subscriptions.waitingSince() === undefined) return Effect.void
      const all = this.allAnswered = Deferred.makeUnsafe<void>()
      return Effect.raceFirst(Deferred.await(all), this.watchAnswers()).pipe(
        Effect.andThen(Effect.suspend(() => this.ending === undefined ? Effect.void : Effect.never))
      )
    })
  }

  private read(): Effect.Effect<Ending> {
    const begun = this.states.now()
    return Effect.flatMap(this.receive(), (closed) => this.ended(begun, closed))
  }

  private makeHeartbeat(): Heartbeat.Heartbeat<A> | undefined {
    const { keepAlive } = this.options
    const { heartbeat } = this.policy
    if (heartbeat === "none" || (keepAlive._tag === "Protocol" && !this.parts.capabilities.ping)) return undefined
    return Heartbeat.make(new EpochHeartbeat(this, this.parts, heartbeat))
  }

  // Waits for room where a consumer blocks; the wire is not pulled meanwhile.
  private awaitRoom(): Effect.Effect<void> {
    const { inbox } = this.options
    const woken = this.woken + inbox.wake()
    this.woken = 0
    // While many are woken much may come: the more of it one turn brings, the fewer of them are woken for it.
    if (!inbox.isBlocked()) return woken > manyConsumers ? Effect.yieldNow : Effect.void
    this.stalledSince = this.states.now()
    return Effect.map(inbox.room, () => {
      this.stalledSince = undefined
      this.resumedAt = this.states.now()
    })
  }

  // Tells what observers have thrown, by their names. Gives the first for which the connection is to end.
  reportFaults(): Effect.Effect<ConnectError.ObserverFailed | undefined> {
    const { observers, recorder } = this.options
    if (observers.faults.length === 0) return Effect.undefined
    const faults = observers.faults.splice(0).map(({ error, name, whenThrows }) => {
      recorder.observerFailed()
      const detail = error instanceof Error ? error.message : String(error)
      return { whenThrows, failure: new ConnectError.ObserverFailed({ epoch: this.number, observer: name, detail }) }
    })
    const logs = faults.map(({ failure: { detail, epoch, observer }, whenThrows }) => {
      const level = whenThrows === "end" ? "Error" : "Warn"
      return this.states.log(level, "observer failed", { observer, epoch, error: detail })
    })
    return Effect.as(
      Effect.all(logs, { discard: true }),
      faults.find(({ whenThrows }) => whenThrows === "end")?.failure
    )
  }

  // What was refused, by name, and only once.
  private reportRefusals(): Effect.Effect<void> {
    return Effect.forEach(
      this.options.refusals.splice(0),
      ({ channel: { channel, product }, code, reason }) =>
        this.states.log("Warn", "subscription refused", {
          channel,
          ...(product === undefined ? {} : { product }),
          ...(code === undefined ? {} : { code }),
          reason
        }),
      { discard: true }
    )
  }

  private watchAnswers(): Effect.Effect<void> {
    this.unanswered ??= new UnansweredSubscriptions(this.parts, {
      number: this.number,
      isOver: () => this.isOver,
      refused: () => this.reportRefusals(),
      failed: (failure) => this.endWire(failed(failure))
    })
    return this.unanswered.watch()
  }

  // Sees to the answers that have a deadline, beside the epoch that is up.
  watchBeside(): void {
    if (this.options.subscriptions.waitingSince() !== undefined) this.beside?.(this.watchAnswers())
  }

  // Where the limit holds it up, much may come meanwhile.
  private askAgain(): void {
    const { beside } = this
    if (this.isAskingAgain || beside === undefined || !this.options.subscriptions.isUnasked()) return
    this.isAskingAgain = true
    beside(Effect.ensuring(
      Effect.ignore(this.asking()),
      Effect.sync(() => {
        this.isAskingAgain = false
      })
    ))
  }

  // Asks for what is wanted now, and sees to the answers.
  asking(
    ask: Effect.Effect<void, WireClosed> = this.options.subscriptions.ask(this.wire)
  ): Effect.Effect<void, WireClosed> {
    return Effect.flatMap(ask, () => {
      this.options.inbox.wake()
      this.watchBeside()
      return this.reportRefusals()
    })
  }

  // Takes from the wire until it ends. What arrived before its end is delivered, in order, before this completes.
  private receive(): Effect.Effect<WireClosed> {
    const { inbox, observers: { faults }, refusals } = this.options
    const { pull } = this.wire
    const reader = new FrameReader(this.options, this.number)
    // Says whether the next batch may come in the same way: nothing is to be done before it, and nobody needs a turn.
    const take: Parameters<NonNullable<Pull["each"]>>[0] = (frames, isMore) => {
      this.lastReceivedAt = this.states.now()
      reader.read(frames, this.states.wallNow(), this.lastReceivedAt)
      this.askAgain()
      this.noteAnswers()
      if (this.due !== undefined || refusals.length > 0 || faults.length > 0) return false
      if (isMore === true && !inbox.isBlocked()) return true
      this.woken = inbox.wake()
      return !inbox.isBehind() && this.woken <= manyConsumers && !inbox.isBlocked()
    }
    const taken = pull.each === undefined ? Effect.map(pull, take) : pull.each(take)
    return taken.pipe(
      Effect.flatMap(() => {
        if (this.due === undefined && refusals.length === 0 && faults.length === 0) return this.awaitRoom()
        const first = this.due ?? Effect.void
        this.due = undefined
        return first.pipe(
          Effect.andThen(this.reportRefusals()),
          Effect.andThen(() => this.reportFaults()),
          Effect.flatMap((fault) => fault === undefined ? Effect.void : this.endWire(failed(fault))),
          Effect.flatMap(() => this.awaitRoom())
        )
      }),
      // Each time it yields, which gives everybody else a turn.
      Effect.forever,
      Effect.flip
    )
  }

  private noteAnswers(): void {
    if (this.allAnswered === undefined || this.options.subscriptions.waitingSince() !== undefined) return
    Deferred.doneUnsafe(this.allAnswered, Effect.void)
    this.allAnswered = undefined
  }

  private ended(begun: number, closed: WireClosed): Effect.Effect<Ending> {
    const { number, wire: on } = this
    const isAskedAnew = this.parts.replay?.isAskedAnew() === true
    const { inbox, outbox, recorder } = this.options
    // Our close frame was answered by who had read all before it.
    if (closed.by === "local" && closed.code === 1000) outbox.checkpoint()()
    const sent = outbox.unconfirmed()
    const unconfirmed = sent.messages === 0 ? undefined : { ...sent, bufferedBytes: on.bufferedBytes() }
    this.states.unconfirmed = unconfirmed
    if (unconfirmed !== undefined) recorder.unconfirmed(unconfirmed.messages)
    this.stalledSince = undefined
    return Effect.map(inbox.allow(1), () => {
      const dropped = () =>
        new ConnectError.Dropped({ epoch: number, closed, ...(unconfirmed === undefined ? {} : { unconfirmed }) })
      const how = this.ending ?? (isAskedAnew ? { _tag: "Redial" } as const : failed(untraced(dropped)))
      return how._tag === "Failed" ? failed(how.failure, Math.round(this.states.now() - begun)) : how
    })
  }

  // Asks the new epoch for what is wanted, before anybody is told that it is up.
  restore(): Effect.Effect<void, ConnectError.RestoreFailed> {
    const { length: subscriptions } = this.options.subscriptions.wanted()
    if (subscriptions === 0) return Effect.void
    return this.asking().pipe(
      Effect.timeoutOrElse({
        duration: this.policy.connectTimeout,
        orElse: () => Effect.fail({ message: `not written within ${Duration.toMillis(this.policy.connectTimeout)} ms` })
      }),
      Effect.mapError(({ message }) => new ConnectError.RestoreFailed({ epoch: this.number, detail: message })),
      this.states.traced("Connection.restore", {
        epoch: this.number,
        subscriptions
      })
    )
  }

  // The connection's own come first: a heartbeat and its answers wait for nobody.
  attach(): void {
    const { number } = this
    const { observers, sequence, subscriptions } = this.options
    this.heartbeat = this.makeHeartbeat()
    const own: Array<Observer.Observer<A>> = [subscriptions.attach(number)]
    if (this.heartbeat?.observer !== undefined) own.unshift(this.heartbeat.observer)
    if (sequence !== undefined) own.push(SequenceGaps.observe(sequence, (step) => this.countStep(step, number)))
    observers.attach(number, own)
  }

  private countStep(step: SequenceGaps.Step, epoch: number): void {
    const { inbox, recorder } = this.options
    recorder.stepped(step)
    if (step._tag !== "Gap") return
    inbox.offer({ _tag: "SequenceGap", epoch, from: step.from, to: step.to, missing: step.missing })
  }

  /** Tells the observers of its end, once. */
  detach(how: Ending): void {
    if (this.isOver) return
    this.isOver = true
    this.beats?.cancel()
    const at = { epoch: this.number, at: this.states.wallNow(), monotonicMillis: this.states.now() }
    this.options.observers.ended(
      how._tag === "Failed"
        ? { ...at, _tag: "Failed", failure: how.failure }
        : { ...at, _tag: how._tag === "Redial" ? "Redial" : "Closed" }
    )
    this.options.correlator.clear()
  }

  /** Pings: the round trip in milliseconds, or nothing if no answer came in time. */
  get ping(): Effect.Effect<Option.Option<number>> {
    return Effect.suspend(() => {
      const { connectTimeout, heartbeat } = this.policy
      const on = this.wire
      const begun = this.states.now()
      if (!this.parts.capabilities.ping) return Effect.succeedNone
      return Effect.andThen(
        this.options.outbox.admit("ping", ""),
        Effect.suspend(() => Effect.map(on.ping, this.options.outbox.checkpoint()))
      ).pipe(
        Effect.map(() => this.states.now() - begun),
        Effect.timeoutOption(heartbeat === "none" ? connectTimeout : heartbeat.timeout),
        Effect.catch(() => Effect.succeedNone)
      )
    })
  }
}
