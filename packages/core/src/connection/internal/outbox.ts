/**
 * The outbox of one connection; see `Outbox` for what it promises.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { isCost } from "../../resilience/internal/rollingLimit.ts"
import { InvalidCost, RateLimited, type RollingLimit } from "../../resilience/RollingLimit.ts"
import * as Frame from "../../transport/Frame.ts"
import type { Wire, WireClosed } from "../../transport/Transport.ts"
import { NotSent, OutboxFull } from "../ConnectError.ts"
import type { Accepted, Message, SendOptions } from "../Outbox.ts"
import { frameOf, type OutboxEntry as Entry, priorities, sizeOf } from "./outboxEntry.ts"
import { type Unconfirmed, UnconfirmedMessages } from "./unconfirmedMessages.ts"
import * as WakeableSleep from "./wakeableSleep.ts"

/**
 * What the outbox has seen: messages waiting and their bytes, and how many were
 * sent, withdrawn by their caller, refused because it was full, and ended
 * unsent (with the epoch, or with the connection). `unconfirmed` are those that
 * were sent in epochs which ended before the peer was seen to have read them.
 *
 * @category models
 * @since 0.1.0
 */
export interface OutboxCounts {
  readonly waiting: number
  readonly waitingBytes: number
  readonly mostWaiting: number
  readonly sent: number
  readonly sentAfterWaiting: number
  readonly withdrawn: number
  readonly refused: number
  readonly unsent: number
  readonly unconfirmed: number
}

/**
 * The limit on messages: what was written, the monotonic clock in milliseconds,
 * and what a message costs (1 where not given).
 *
 * @category models
 * @since 0.1.0
 */
export interface OutboxLimits {
  readonly key: string
  readonly log: RollingLimit
  /** The limits on what asks for subscriptions, that on messages included. */
  readonly asks: RollingLimit
  readonly now: () => number
  /**
   * Where it gives what is no cost, or more than the limit ever admits, a send fails, and what the connection sends by
   * itself is charged 1.
   */
  readonly cost?: ((frame: Frame.Frame) => number) | undefined
  /** Whether a tenth of the limit is left to what is urgent. */
  readonly spares?: boolean | undefined
}

/**
 * How an urgent message is sent: `admitted` is whether the limit was charged for
 * it by `admit`.
 *
 * @category models
 * @since 0.1.0
 */
export interface UrgentOptions {
  readonly admitted?: boolean | undefined
}

/**
 * The messages that wait to be written.
 *
 * @category models
 * @since 0.1.0
 */
export interface Outbox {
  /** Sends a message by its delivery; see the module's description. */
  readonly send: (
    message: Message,
    options?: SendOptions | undefined
  ) => Effect.Effect<Accepted, NotSent | OutboxFull | RateLimited | InvalidCost>
  /**
   * Sends ahead of everything that waits: a ping, or an answer to a test. One of
   * a kind that waits makes another needless, so a peer that asks and does not
   * read fills nothing.
   */
  readonly urgent: (frame: Frame.Frame, kind: string, options?: UrgentOptions | undefined) => void
  /** Waits until the limits admit the frame and charges it, for what is written past the outbox. */
  readonly admit: (kind: "ask" | "call" | "ping", frame: Frame.Frame) => Effect.Effect<void>
  /** What has been written on this epoch by now is known to have arrived, once the function is called. */
  readonly checkpoint: () => () => void
  /** The messages written on this epoch that are not known to have arrived, and their bytes. */
  readonly unconfirmed: () => Omit<Unconfirmed, "bufferedBytes">
  /** Makes `wire` the one that messages go to, from now until `end`. */
  readonly begin: (wire: Wire, epoch: number) => void
  /** Writes what waits from now on, as the wire takes it: `run` is given what does so whenever something waits. */
  readonly drainWith: (run: (drain: Effect.Effect<void>) => void) => void
  /** Ends the epoch: what was for it fails, what is to be kept stays. */
  readonly end: () => void
  /** Ends the connection: all that waits fails. Returns how many kept messages were dropped. */
  readonly close: () => number
  /** Ends it for good: what is sent from now on is not, whether it is to be kept or not. */
  readonly shutdown: () => void
  readonly counts: () => OutboxCounts
}

/**
 * How much an outbox holds, and the bytes in the socket up to which it hands
 * messages to a wire (default 1 MiB).
 *
 * @category models
 * @since 0.1.0
 */
export interface Bounds {
  readonly messages: number
  readonly bytes: number
  readonly bufferedBytes?: number | undefined
  /** The monotonic clock in milliseconds. */
  readonly now: () => number
  /** Is told how many messages wait, whenever that changes. */
  readonly onWaiting?: ((messages: number) => void) | undefined
}

// One for each connection: its methods are shared, and nothing runs while nothing waits.
class OutboxImpl implements Outbox {
  private readonly bounds: Bounds
  private readonly pace: OutboxLimits | undefined
  private entries: Array<Entry> = []
  private bytes = 0
  private wire: Wire | undefined
  private epoch = 0
  private run: ((drain: Effect.Effect<void>) => void) | undefined
  private isDraining = false
  private isShutDown = false
  // Whoever drains and waits for the limit.
  private sleeper: WakeableSleep.WakeableSleep | undefined
  // The ranks of those that wait to write past the outbox.
  private askers: ReadonlyArray<number> = []
  private mostWaiting = 0
  private sent = 0
  private sentAfterWaiting = 0
  private withdrawn = 0
  private refused = 0
  private unsent = 0
  private readonly written = new UnconfirmedMessages()
  private lost = 0

  constructor(bounds: Bounds, pace: OutboxLimits | undefined) {
    this.bounds = bounds
    this.pace = pace
  }

  send(message: Message, options: SendOptions = {}): ReturnType<Outbox["send"]> {
    return Effect.suspend((): ReturnType<Outbox["send"]> => {
      const { bounds, pace, wire } = this
      const { deadline, delivery = "now", isSignedIn, priority = "order" } = options
      const rank = priorities.indexOf(priority)
      const cost = options.cost ?? (typeof message === "function" ? 1 : pace?.cost?.(message) ?? 1)
      if (pace !== undefined && !isCost(cost)) {
        this.refused++
        return Effect.fail(new InvalidCost({ key: pace.key, cost }))
      }
      const unsent = this.refusal(options)
      if (unsent !== undefined) {
        this.unsent++
        return Effect.fail(new NotSent({ reason: unsent }))
      }
      if (wire !== undefined && this.isClear(wire, rank) && this.take(cost, rank) === 0) {
        const frame = frameOf(message)
        if (wire.write(frame)) {
          this.sent++
          this.count(frame)
          return Effect.succeed<Accepted>({ _tag: "Sent", epoch: this.epoch })
        }
      }
      const wait = pace?.log.waitFor(pace.now(), cost, this.spares(rank)) ?? 0
      const isFull = this.entries.length >= bounds.messages || this.bytes + sizeOf(message) > bounds.bytes
      if (isFull || wait === Infinity) {
        this.refused++
        return Effect.fail(
          pace !== undefined && wait > 0
            ? new RateLimited({ key: pace.key, retryAfterMillis: wait })
            : new OutboxFull({ messages: this.entries.length, bytes: this.bytes })
        )
      }
      if (delivery === "keep") {
        this.enqueue({ message, delivery, rank, cost, settle: undefined })
        return Effect.succeed<Accepted>({ _tag: "Kept" })
      }
      const until = deadline === undefined ? undefined : bounds.now() + Duration.toMillis(deadline)
      const written = Effect.callback<Accepted, NotSent | RateLimited>((settle) => {
        const entry: Entry = { message, until, isSignedIn, delivery, rank, cost, settle }
        this.enqueue(entry)
        return Effect.sync(() => this.withdraw(entry))
      })
      return deadline === undefined ? written : Effect.timeoutOrElse(written, {
        duration: deadline,
        orElse: () => Effect.fail(new NotSent({ reason: "TimedOut" }))
      })
    })
  }

  urgent(frame: Frame.Frame, kind: string, options?: UrgentOptions): void {
    if (this.wire === undefined || this.entries.some((entry) => entry.kind === kind)) return
    const cost = options?.admitted === true ? 0 : this.ownCost(frame)
    this.enqueue({ message: frame, delivery: "now", rank: 0, cost, kind, settle: undefined })
  }

  admit(kind: "ask" | "call" | "ping", frame: Frame.Frame): Effect.Effect<void> {
    return Effect.suspend(() => {
      const { pace } = this
      if (pace === undefined) return Effect.void
      const isAsk = kind === "ask"
      const rank = priorities.indexOf(ranks[kind])
      const attempt = (): Effect.Effect<void> | undefined =>
        this.admitted(pace, rank, isAsk ? pace.asks : pace.log, this.ownCost(frame))
      if (attempt() === undefined) return Effect.void
      this.askers = [...this.askers, rank]
      const waiting: Effect.Effect<void> = Effect.suspend(() => {
        const wait = attempt()
        return wait === undefined ? Effect.void : Effect.andThen(wait, waiting)
      })
      return Effect.ensuring(
        waiting,
        Effect.sync(() => {
          this.askers = this.askers.toSpliced(this.askers.indexOf(rank), 1)
          this.sleeper?.wake()
        })
      )
    })
  }

  begin(wire: Wire, epoch: number): void {
    this.wire = wire
    this.epoch = epoch
  }

  checkpoint(): () => void {
    return this.written.checkpoint()
  }

  unconfirmed(): Omit<Unconfirmed, "bufferedBytes"> {
    return this.written.unconfirmed()
  }

  drainWith(run: (drain: Effect.Effect<void>) => void): void {
    this.run = run
    this.wake()
  }

  end(): void {
    this.lost += this.unconfirmed().messages
    this.written.settle()
    this.leave()
    this.retain((entry) => entry.delivery === "keep", "EpochEnded")
  }

  close(): number {
    this.leave()
    return this.retain(() => false, "Closed")
  }

  shutdown(): void {
    this.isShutDown = true
  }

  counts(): OutboxCounts {
    return {
      waiting: this.entries.length,
      waitingBytes: this.bytes,
      mostWaiting: this.mostWaiting,
      sent: this.sent,
      sentAfterWaiting: this.sentAfterWaiting,
      withdrawn: this.withdrawn,
      refused: this.refused,
      unsent: this.unsent,
      unconfirmed: this.lost
    }
  }

  // Why it is not written at all.
  private refusal({ delivery = "now", epoch = this.epoch, isSignedIn }: SendOptions): NotSent["reason"] | undefined {
    if (this.isShutDown) return "Closed"
    if (delivery === "keep") return undefined
    if (this.wire === undefined) return "NotConnected"
    if (epoch !== this.epoch) return "EpochEnded"
    return isSignedIn?.() === false ? "SignedOut" : undefined
  }

  private count(frame: Frame.Frame): void {
    this.written.wrote(Frame.size(frame))
  }

  private leave(): void {
    this.wire = undefined
    this.run = undefined
    this.isDraining = false
  }

  private isClear(to: Wire, rank: number): boolean {
    return this.entries.length === 0 && !this.yields(rank) && this.hasRoom(to)
  }

  private hasRoom(to: Wire): boolean {
    return to.bufferedBytes() < (this.bounds.bufferedBytes ?? defaultBufferedBytes)
  }

  private take(cost: number, rank: number): number {
    const { pace } = this
    return pace === undefined ? 0 : pace.log.take(pace.now(), cost, this.spares(rank))
  }

  // Whether it leaves something of the limit to what is urgent.
  private spares(rank: number): boolean | undefined {
    return rank > 0 && this.pace?.spares
  }

  private ownCost(frame: Frame.Frame): number {
    const { pace } = this
    const cost = pace?.cost?.(frame) ?? 1
    return pace === undefined || pace.log.waitFor(pace.now(), cost, pace.spares) < Infinity ? cost : 1
  }

  // Charges what is written past the outbox, after what is more urgent. Returns how it has to wait, if it does.
  private admitted(pace: OutboxLimits, rank: number, log: RollingLimit, cost: number): Effect.Effect<void> | undefined {
    const [head] = this.entries
    const isBehind = this.yields(rank) || (this.wire !== undefined && head !== undefined && head.rank < rank)
    const at = pace.now()
    if (isBehind) return Effect.sleep(Math.max(1, log.waitFor(at)))
    const spares = this.spares(rank)
    const wait = log.take(at, cost, spares)
    return wait === 0 ? undefined : log.wait(wait, cost, spares)
  }

  // Whether something more urgent waits to be written past the outbox.
  private yields(rank: number): boolean {
    return this.askers.some((asker) => asker < rank)
  }

  private enqueue(entry: Entry): void {
    const place = this.entries.findLastIndex((other) => other.rank <= entry.rank) + 1
    this.entries.splice(place, 0, entry)
    this.bytes += sizeOf(entry.message)
    this.mostWaiting = Math.max(this.mostWaiting, this.entries.length)
    this.bounds.onWaiting?.(this.entries.length)
    this.wake()
    // What is more urgent does not wait for as long as another had to.
    if (place === 0) this.sleeper?.wake()
  }

  private remove(entry: Entry): void {
    this.bytes -= sizeOf(entry.message)
    this.bounds.onWaiting?.(this.entries.length)
  }

  private withdraw(entry: Entry): void {
    const at = this.entries.indexOf(entry)
    if (at < 0) return
    this.entries.splice(at, 1)
    this.remove(entry)
    this.withdrawn++
    if (at === 0) this.sleeper?.wake()
  }

  private retain(keeps: (entry: Entry) => boolean, reason: NotSent["reason"]): number {
    const gone = this.entries.filter((entry) => !keeps(entry))
    this.entries = this.entries.filter(keeps)
    for (const entry of gone) {
      this.remove(entry)
      this.unsent++
      entry.settle?.(Effect.fail(new NotSent({ reason })))
    }
    return gone.filter((entry) => entry.delivery === "keep").length
  }

  // Another connection has declared a limit since, which never admits it.
  private refuse(entry: Entry, { key }: OutboxLimits): void {
    this.drop(entry, Effect.fail(new RateLimited({ key, retryAfterMillis: Infinity })))
  }

  // It waited for too long, or for a session that is over.
  private expires(entry: Entry): boolean {
    const { isSignedIn, until = Infinity } = entry
    const reason = this.bounds.now() >= until ? "TimedOut" : isSignedIn?.() === false ? "SignedOut" : undefined
    if (reason !== undefined) this.drop(entry, Effect.fail(new NotSent({ reason })))
    return reason !== undefined
  }

  // Its frame; none where it cannot be made, which its sender hears of, and nobody else.
  private made(entry: Entry): Frame.Frame | undefined {
    try {
      return frameOf(entry.message)
    } catch (defect) {
      this.drop(entry, Effect.die(defect))
      return undefined
    }
  }

  private drop(entry: Entry, outcome: Effect.Effect<never, NotSent | RateLimited>): void {
    this.shift(entry)
    this.unsent++
    entry.settle?.(outcome)
  }

  private shift(entry: Entry): void {
    this.entries.shift()
    this.remove(entry)
  }

  // Writes what may go now. Returns how the limit holds the rest up, nothing where the wire does, for ever where somebody
  // more urgent goes first, who wakes us. An entry is out of the queue before its sender hears of it, who may send
  // again at once.
  private flush(to: Wire): Effect.Effect<void> | undefined {
    const { pace } = this
    for (let entry = this.entries[0]; entry !== undefined; entry = this.entries[0]) {
      if (!this.hasRoom(to)) return undefined
      if (this.yields(entry.rank)) return Effect.never
      if (this.expires(entry)) continue
      const wait = this.take(entry.cost, entry.rank)
      if (pace !== undefined && wait === Infinity) {
        this.refuse(entry, pace)
        continue
      }
      if (pace !== undefined && wait > 0) return pace.log.wait(wait, entry.cost, this.spares(entry.rank))
      const frame = this.made(entry)
      if (frame === undefined) continue
      if (!to.write(frame)) return undefined
      this.shift(entry)
      this.sent++
      this.sentAfterWaiting++
      if (entry.kind === undefined) this.count(frame)
      entry.settle?.(Effect.succeed({ _tag: "Sent", epoch: this.epoch }))
    }
    return undefined
  }

  private wake(): void {
    const { run, wire } = this
    if (run === undefined || wire === undefined || this.isDraining || this.entries.length === 0) return
    this.isDraining = true
    run(Effect.ignore(this.drain(wire)))
  }

  // Writes what waits, as the wire takes it, until nothing waits or the wire ends.
  private drain(to: Wire): Effect.Effect<void, WireClosed> {
    return Effect.suspend((): Effect.Effect<void, WireClosed> => {
      const wait = this.flush(to)
      if (this.entries.length > 0) {
        const pause = wait === undefined ? to.ready : (this.sleeper ??= WakeableSleep.make()).sleep(wait)
        return Effect.andThen(pause, this.drain(to))
      }
      this.isDraining = false
      return Effect.void
    })
  }
}

// How urgent what is written past the outbox is.
const ranks = { ask: "subscribe", call: "order", ping: "heartbeat" } as const

const defaultBufferedBytes = 1024 * 1024

/**
 * Makes an outbox within bounds, and paced by the peer's limit on messages
 * where there is one.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (bounds: Bounds, pace?: OutboxLimits | undefined): Outbox => new OutboxImpl(bounds, pace)
