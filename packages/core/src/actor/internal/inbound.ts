/**
 * The way into one actor: what is told and asked, until it is handled.
 *
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import { ActorStopped, AskTimedOut, MailboxFull } from "../ActorError.ts"
import type { ActorMessage } from "../ActorMessage.ts"
import type { SendOptions, Told } from "../ActorRef.ts"
import type { DeadLetter, DeadLetters } from "../DeadLetters.ts"
import type { Overflow, Priority } from "../Mailbox.ts"
import { Deadlines } from "./deadlines.ts"
import { type Entry, Envelope, type Mailbox, messageOf, ranks } from "./mailbox.ts"

/**
 * What it is made of.
 *
 * @category models
 * @since 0.1.0
 */
export interface Parts<M extends ActorMessage> {
  readonly path: string
  readonly mailbox: Mailbox<M>
  readonly overflow: Overflow
  readonly priority: ((message: M) => Priority) | undefined
  readonly deadLetters: DeadLetters["Service"]
  readonly context: Context.Context<never>
  /** The monotonic clock in milliseconds. */
  readonly now: () => number
  /** Called when something waits that did not. */
  readonly wake: () => void
}

// A sender, or somebody who asks, that waits for room.
interface Sender<M extends ActorMessage> {
  readonly entry: Entry<M>
  readonly rank: number
  readonly resume: ((told: Effect.Effect<Told>) => void) | undefined
}

const told = {
  Queued: Exit.succeed<Told>("Queued"),
  Displaced: Exit.succeed<Told>("Displaced"),
  Dropped: Exit.succeed<Told>("Dropped"),
  Stopped: Exit.succeed<Told>("Stopped")
}

/**
 * How long a question waits where nothing is said: 5 s, as in the public nzeza
 * repository.
 *
 * @category constants
 * @since 0.1.0
 */
export const defaultDeadline = Duration.seconds(5)

/**
 * The way into one actor. Whatever is told is handled, or is a dead letter, or was
 * withdrawn by whoever had asked.
 *
 * @category models
 * @since 0.1.0
 */
export class Inbound<M extends ActorMessage> {
  told = 0
  dead = 0
  withdrawn = 0
  /** The fiber that handles: it cannot wait for room. */
  owner: Fiber.Fiber<unknown, unknown> | undefined
  isClosed = false
  private readonly parts: Parts<M>
  private readonly deadlines: Deadlines<Envelope<M>>
  private senders: Array<Sender<M>> = []
  private inHand: Entry<M> | undefined

  constructor(parts: Parts<M>) {
    this.parts = parts
    this.deadlines = new Deadlines(parts.context, parts.now, (late) => this.expire(late))
  }

  /** How many wait, with the one that is being handled. */
  get waiting(): number {
    return this.parts.mailbox.size + (this.inHand === undefined ? 0 : 1)
  }

  tell(message: M, options: SendOptions | undefined): Effect.Effect<Told, MailboxFull> {
    return Effect.withFiber((fiber) => {
      const { mailbox, priority } = this.parts
      if (options === undefined && priority === undefined && !mailbox.isFull && !this.isClosed) {
        this.told++
        mailbox.put(message, ranks.normal)
        this.parts.wake()
        return told.Queued
      }
      const entry = this.entryOf(message, options)
      const rank = this.rankOf(message, options)
      return this.hasToWait(fiber) ? this.wait(entry, rank, fiber) : this.send(entry, rank)
    })
  }

  ask(message: M, options: SendOptions | undefined): Effect.Effect<unknown, unknown> {
    return Effect.withFiber((fiber) =>
      Effect.callback<unknown, unknown>((resume) => {
        const envelope = this.envelope(message, options?.deadline ?? defaultDeadline, resume)
        const rank = this.rankOf(message, options)
        if (this.hasToWait(fiber)) this.queue({ entry: envelope, rank, resume: undefined })
        else this.put(envelope, rank)
        if (!envelope.isOver && envelope.until < Infinity) this.deadlines.add(envelope)
        return Effect.sync(() => this.withdraw(envelope))
      })
    )
  }

  /** What is to be handled next, which is in hand from now on. */
  take(): Entry<M> | undefined {
    const { mailbox, now } = this.parts
    while (true) {
      const entry = mailbox.take()
      if (entry instanceof Envelope && entry.until <= now()) this.lose(entry, "Expired")
      else return this.inHand = entry
    }
  }

  /** Nothing is in hand any more. */
  release(): void {
    this.inHand = undefined
  }

  /** Lets in whoever waits for room. Returns how many wait in the mailbox now. */
  admit(): number {
    const { mailbox } = this.parts
    while (this.senders.length > 0 && !mailbox.isFull && !this.isClosed) {
      const sender = this.senders.shift()
      if (sender === undefined) break
      this.told++
      mailbox.put(sender.entry, sender.rank)
      sender.resume?.(told.Queued)
    }
    return mailbox.size
  }

  /** Tells whoever waits for the answer. Returns whether anybody did. */
  settle(entry: Entry<M>, exit: Exit.Exit<unknown, unknown>): boolean {
    if (!(entry instanceof Envelope) || entry.isOver) return false
    entry.isOver = true
    entry.settle?.(exit)
    return entry.settle !== undefined
  }

  /** It is not handled. */
  lose(entry: Entry<M>, reason: "Overflow" | "Stopped" | "Expired"): void {
    this.letter(messageOf(entry), reason)
    if (!(entry instanceof Envelope) || entry.settle === undefined) return
    this.settle(
      entry,
      Exit.fail(reason === "Overflow" ? this.full() : reason === "Stopped" ? this.gone() : late(this.parts.path, entry))
    )
  }

  letter(message: ActorMessage, reason: DeadLetter["reason"], cause?: Cause.Cause<unknown>): void {
    this.dead++
    this.parts.deadLetters.addUnsafe({
      to: this.parts.path,
      message,
      reason,
      ...(cause === undefined ? {} : { cause })
    })
  }

  /** Takes no message any more; whoever waits for room does so in vain. */
  close(): void {
    this.isClosed = true
    const { senders } = this
    this.senders = []
    for (const { entry, resume } of senders) {
      this.told++
      this.lose(entry, "Stopped")
      resume?.(told.Stopped)
    }
  }

  /** Nothing that waits is handled. */
  discard(): void {
    for (let entry = this.parts.mailbox.take(); entry !== undefined; entry = this.parts.mailbox.take()) {
      this.lose(entry, "Stopped")
    }
  }

  /** Nobody has a deadline any more. */
  end(): void {
    this.deadlines.stop()
  }

  // Puts it into the mailbox once there is room. There may be by now.
  private wait(entry: Entry<M>, rank: number, fiber: Fiber.Fiber<unknown, unknown>): Effect.Effect<Told, MailboxFull> {
    return Effect.callback<Told, MailboxFull>((resume) => {
      if (!this.hasToWait(fiber)) return resume(this.send(entry, rank))
      this.queue({ entry, rank, resume })
      return Effect.sync(() => this.leave(entry))
    })
  }

  private send(entry: Entry<M>, rank: number): Effect.Effect<Told, MailboxFull> {
    const became = this.put(entry, rank)
    return became === "Dropped" && this.parts.overflow === "fail" ? Effect.fail(this.full()) : told[became]
  }

  private hasToWait(fiber: Fiber.Fiber<unknown, unknown>): boolean {
    const { mailbox, overflow } = this.parts
    return overflow === "suspend" && mailbox.isFull && !this.isClosed && fiber !== this.owner
  }

  // Puts it into the mailbox, or does with it what is to be done with one too many.
  private put(entry: Entry<M>, rank: number): Told {
    const { mailbox, overflow, wake } = this.parts
    this.told++
    if (this.isClosed) {
      this.lose(entry, "Stopped")
      return "Stopped"
    }
    if (!mailbox.isFull) {
      mailbox.put(entry, rank)
      wake()
      return "Queued"
    }
    const loser = overflow === "drop-oldest" || overflow === "drop-newest"
      ? mailbox.displace(rank, overflow === "drop-oldest" ? "oldest" : "newest")
      : undefined
    if (loser !== undefined) mailbox.put(entry, rank)
    this.lose(loser ?? entry, "Overflow")
    return loser === undefined ? "Dropped" : "Displaced"
  }

  private entryOf(message: M, options: SendOptions | undefined): Entry<M> {
    return options?.deadline === undefined ? message : this.envelope(message, options.deadline, undefined)
  }

  private envelope(message: M, deadline: Duration.Input, settle: Envelope<M>["settle"]): Envelope<M> {
    const withinMillis = Duration.toMillis(Duration.fromInputUnsafe(deadline))
    return new Envelope(message, this.parts.now() + withinMillis, withinMillis, settle)
  }

  private rankOf(message: M, options: SendOptions | undefined): number {
    return ranks[options?.priority ?? this.parts.priority?.(message) ?? "normal"]
  }

  private full(): MailboxFull {
    return new MailboxFull({ actor: this.parts.path, capacity: this.parts.mailbox.capacity })
  }

  private gone(): ActorStopped {
    return new ActorStopped({ actor: this.parts.path })
  }

  // Waits for room, behind those that are as urgent.
  private queue(sender: Sender<M>): void {
    this.senders.splice(this.senders.findLastIndex(({ rank }) => rank <= sender.rank) + 1, 0, sender)
  }

  // Waits for room no more. Returns whether it did.
  private leave(entry: Entry<M>): boolean {
    const at = this.senders.findIndex((sender) => sender.entry === entry)
    if (at >= 0) this.senders.splice(at, 1)
    return at >= 0
  }

  // Whoever asked does not want to know any more. What is in hand is handled all the same.
  private withdraw(envelope: Envelope<M>): void {
    if (envelope.isOver) return
    if (envelope.until <= this.parts.now()) return this.expire(envelope)
    if (this.leave(envelope) || this.inHand === envelope) {
      envelope.isOver = true
      return
    }
    this.parts.mailbox.withdraw(envelope)
    this.withdrawn++
    this.admit()
  }

  private expire(envelope: Envelope<M>): void {
    if (envelope.isOver) return
    if (this.inHand !== envelope) {
      if (this.leave(envelope)) this.told++
      else this.parts.mailbox.withdraw(envelope)
      this.letter(envelope.message, "Expired")
    }
    envelope.isOver = true
    envelope.settle?.(Exit.fail(late(this.parts.path, envelope)))
    this.admit()
  }
}

const late = <M extends ActorMessage>(actor: string, { withinMillis }: Envelope<M>): AskTimedOut =>
  new AskTimedOut({ actor, afterMillis: withinMillis })
