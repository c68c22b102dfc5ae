/**
 * What a connection received, fanned out to its consumers in batches. Each
 * consumer has a queue of its own, bounded in bytes, and says what happens when
 * it is full:
 *
 * - `block`: the connection stops taking from the wire until there is room
 *   (the default); only the transport's byte bound then pauses the socket
 * - `drop-oldest`: the oldest batches go
 * - `keep-latest`: everything but the newest batch goes
 * - `fail`: the consumer's stream fails with `ConsumerOverflow`
 *
 * What a consumer missed is said in its own stream, as `Missed`, at the place
 * where it is missing. Before the first consumer comes, what arrives is kept
 * for it, as if it were there with `drop-oldest`.
 *
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Pull from "effect/Pull"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import type * as CircuitBreaker from "../resilience/CircuitBreaker.ts"
import type { Channel } from "../value/Channel.ts"
import type { FrameRejected } from "../value/MarketEvent.ts"
import type { ConnectError } from "./ConnectError.ts"
import type { Transition } from "./ConnectionState.ts"

/**
 * What happens when a consumer does not keep up.
 *
 * @category models
 * @since 0.1.0
 */
export type Overflow = "block" | "drop-oldest" | "keep-latest" | "fail"

/**
 * The messages of one epoch that one pull brought, in order. `at` is when, in
 * epoch milliseconds; `bytes` is their size on the wire.
 *
 * @category models
 * @since 0.1.0
 */
export interface Batch<A> {
  readonly _tag: "Batch"
  readonly epoch: number
  readonly at: number
  readonly messages: Arr.NonEmptyReadonlyArray<A>
  readonly bytes: number
}

/**
 * A frame that could not be read.
 *
 * @category models
 * @since 0.1.0
 */
export interface Rejected {
  readonly _tag: "Rejected"
  readonly epoch: number
  readonly at: number
  readonly rejection: FrameRejected
}

/**
 * The sequence member went from `from` to `to` with `missing` numbers between.
 *
 * @category models
 * @since 0.1.0
 */
export interface SequenceGap {
  readonly _tag: "SequenceGap"
  readonly epoch: number
  readonly from: bigint
  readonly to: bigint
  readonly missing: bigint
}

/**
 * What this consumer did not get because it did not keep up: so many messages,
 * and so much else.
 *
 * @category models
 * @since 0.1.0
 */
export interface Missed {
  readonly _tag: "Missed"
  readonly messages: number
  /** Rejections, transitions and the like, which go last. */
  readonly others: number
}

/**
 * The breaker of the connection's origin changed its state.
 *
 * @category models
 * @since 0.1.0
 */
export interface BreakerMoved {
  readonly _tag: "BreakerMoved"
  readonly transition: CircuitBreaker.Transition
}

/**
 * A subscription that was asked for and has never delivered in this epoch, and
 * what is done about it; told by who watches freshness.
 *
 * @category models
 * @since 0.1.0
 */
export interface Overdue {
  readonly _tag: "Overdue"
  readonly channel: Channel
  readonly step: string
  readonly silentForMillis: number
}

/**
 * Everything a connection tells, in the order in which it happened.
 *
 * @category models
 * @since 0.1.0
 */
export type Item<A> = Batch<A> | Rejected | Transition | BreakerMoved | SequenceGap | Overdue | Missed

/**
 * A consumer with the policy `fail` did not keep up.
 *
 * @category errors
 * @since 0.1.0
 */
export class ConsumerOverflow extends Schema.TaggedError<ConsumerOverflow>()("ConsumerOverflow", {
  bytes: Schema.Finite
}) {
  override get message(): string {
    return `consumer overflow: ${this.bytes} bytes waiting`
  }
}

/**
 * How a consumer's queue is bounded: 4 MiB and `block` by default.
 *
 * @category models
 * @since 0.1.0
 */
export interface ConsumerOptions {
  readonly overflow?: Overflow | undefined
  readonly bytes?: number | undefined
}

/**
 * What of a connection a consumer is shown.
 *
 * @category models
 * @since 0.1.0
 */
export type Interest = "everything" | "batches" | "rejections" | "transitions"

const defaultBytes = 4 * 1024 * 1024
// What an item that is no batch weighs in a queue: about what it keeps in memory.
const itemBytes = 256

const weight = <A>(item: Item<A>): number => item._tag === "Batch" ? item.bytes + itemBytes : itemBytes

const isWanted = <A>(interest: Interest, item: Item<A>): boolean => {
  switch (item._tag) {
    case "Batch":
      return interest === "everything" || interest === "batches"
    case "Rejected":
      return interest === "everything" || interest === "rejections"
    case "Transition":
      return interest === "everything" || interest === "transitions"
    case "BreakerMoved":
    case "SequenceGap":
    case "Overdue":
      return interest === "everything"
    case "Missed":
      return true
  }
}

interface Consumer<A> {
  interest: Interest
  overflow: Overflow
  bound: number
  items: Array<Item<A>>
  bytes: number
  missed: number
  resume: ((effect: Effect.Effect<void>) => void) | undefined
  ended: Exit.Exit<never, ConnectError | ConsumerOverflow | Cause.Done> | undefined
}

const makeConsumer = <A>(interest: Interest, options: ConsumerOptions | undefined): Consumer<A> => ({
  interest,
  overflow: options?.overflow ?? "block",
  bound: options?.bytes ?? defaultBytes,
  items: [],
  bytes: 0,
  missed: 0,
  resume: undefined,
  ended: undefined
})

const isOver = <A>(consumer: Consumer<A>): boolean => consumer.bytes >= consumer.bound

// What is shed at once beyond what must be, so that a long queue is not gone through for every batch: a 64th of it.
const slack = <A>(consumer: Consumer<A>): number => Math.floor(consumer.bound / 65_536) * 1024

// Drops batches from the oldest on, until there is room or, for `keep-latest`, until none is left. What is no batch
// goes only where it fills the queue alone, and then the older half of it. One `Missed` stands where the first that was
// dropped stood.
const shed = <A>(consumer: Consumer<A>): void => {
  let marker: { readonly _tag: "Missed"; messages: number; others: number } | undefined
  const dropWhere = (drops: (item: Item<A>) => boolean): void => {
    const kept: Array<Item<A>> = []
    for (const item of consumer.items) {
      if (item._tag === "Missed" && marker === undefined) {
        marker = { ...item }
        kept.push(marker)
        continue
      }
      if (item === marker || (item._tag !== "Missed" && !drops(item))) {
        kept.push(item)
        continue
      }
      consumer.bytes -= weight(item)
      if (marker === undefined) {
        marker = { _tag: "Missed", messages: 0, others: 0 }
        kept.push(marker)
        consumer.bytes += itemBytes
      }
      if (item._tag === "Batch") {
        marker.messages += item.messages.length
        consumer.missed += item.messages.length
      } else if (item._tag === "Missed") {
        marker.messages += item.messages
        marker.others += item.others
      } else {
        marker.others++
      }
    }
    consumer.items = kept
  }
  const goal = consumer.bound - slack(consumer)
  dropWhere((item) => item._tag === "Batch" && (consumer.overflow === "keep-latest" || consumer.bytes >= goal))
  if (isOver(consumer)) dropWhere(() => consumer.bytes >= consumer.bound / 2)
}

const offer = <A>(consumer: Consumer<A>, item: Item<A>): void => {
  if (consumer.ended !== undefined) return
  if (isOver(consumer)) {
    switch (consumer.overflow) {
      case "block":
        break
      case "fail":
        consumer.ended = Exit.fail(new ConsumerOverflow({ bytes: consumer.bytes }))
        return
      case "drop-oldest":
      case "keep-latest":
        shed(consumer)
    }
  }
  consumer.items.push(item)
  consumer.bytes += weight(item)
}

/**
 * The fan-out of one connection.
 *
 * @category models
 * @since 0.1.0
 */
export interface Inbox<A> {
  /** Hands an item to every consumer that wants it. They sleep on until `wake`. */
  readonly offer: (item: Item<A>) => void
  /** Wakes the consumers that have something to take, once for any number of offers. */
  readonly wake: () => void
  /** Whether a consumer that blocks is over its bound. */
  readonly isBlocked: () => boolean
  /** Completes when no consumer blocks. */
  readonly room: Effect.Effect<void>
  /** While on, no consumer blocks: a wire is ending, and what it still holds is bounded. */
  readonly unblock: (on: boolean) => Effect.Effect<void>
  /** Keeps what arrives from now on for the first consumer to come, where there is none. */
  readonly keep: () => void
  /** Ends the consumers of messages after what they still have to take; those to come wait for more. */
  readonly end: (how: Exit.Exit<never, ConnectError | Cause.Done>) => Effect.Effect<void>
  /** Ends every consumer, and those to come, for good. */
  readonly shutdown: Effect.Effect<void>
  /**
   * What one consumer is shown, from its first pull on. `read` says what of the
   * items that one pull brings is for it; where that is nothing, it sleeps on. The
   * failure of `endedBy` ends it, after what it still has to take.
   */
  readonly consume: <B, E = never>(
    interest: Interest,
    options: ConsumerOptions | undefined,
    read: (items: Arr.NonEmptyReadonlyArray<Item<A>>) => ReadonlyArray<B>,
    endedBy?: Effect.Effect<never, E> | undefined
  ) => Stream.Stream<B, ConnectError | ConsumerOverflow | E>
  /** Messages that consumers missed, all in all. */
  readonly missed: () => number
}

// One for each connection: its methods are shared, and what few connections need is made when it is needed.
class Fanout<A> implements Inbox<A> {
  private consumers: ReadonlyArray<Consumer<A>> = []
  // What is kept for the first consumer to come, of everything and of rejections.
  private everything: Consumer<A> | undefined
  private rejections: Consumer<A> | undefined
  // Who waits for room.
  private waiters: ReadonlyArray<(effect: Effect.Effect<void>) => void> = []
  private unblocked = false
  private missedByGone = 0
  private isShutDown = false

  offer(item: Item<A>): void {
    for (const consumer of this.consumers) {
      if (isWanted(consumer.interest, item)) offer(consumer, item)
    }
  }

  // Consumers are resumed within the call that brought them something, not by a task of the scheduler: what waits for
  // the next turn of the event loop is tens of microseconds late.
  wake(): void {
    for (const consumer of this.consumers) {
      const { resume } = consumer
      if (resume === undefined || (consumer.items.length === 0 && consumer.ended === undefined)) continue
      consumer.resume = undefined
      resume(Effect.void)
    }
  }

  isBlocked(): boolean {
    if (this.unblocked) return false
    for (const consumer of this.consumers) {
      if (consumer.overflow === "block" && consumer.ended === undefined && isOver(consumer)) return true
    }
    return false
  }

  get room(): Effect.Effect<void> {
    return Effect.suspend(() => this.isBlocked() ? Effect.andThen(this.taken, this.room) : Effect.void)
  }

  unblock(on: boolean): Effect.Effect<void> {
    return Effect.sync(() => {
      this.unblocked = on
      this.release()
    })
  }

  keep(): void {
    const isThere = (interest: Interest): boolean =>
      this.consumers.some((consumer) =>
        consumer.ended === undefined && (consumer.interest === "everything" || consumer.interest === interest)
      )
    if (!isThere("batches")) this.everything = this.keepFor("everything")
    if (!isThere("rejections")) this.rejections = this.keepFor("rejections")
  }

  end(how: Exit.Exit<never, ConnectError | Cause.Done>): Effect.Effect<void> {
    return this.endWhere(
      how,
      (consumer) => consumer.interest !== "transitions" && consumer !== this.everything && consumer !== this.rejections
    )
  }

  get shutdown(): Effect.Effect<void> {
    return Effect.suspend(() => {
      this.isShutDown = true
      return this.endWhere(Exit.fail(Cause.Done()), () => true)
    })
  }

  consume<B, E = never>(
    interest: Interest,
    options: ConsumerOptions | undefined,
    read: (items: Arr.NonEmptyReadonlyArray<Item<A>>) => ReadonlyArray<B>,
    endedBy?: Effect.Effect<never, E> | undefined
  ): Stream.Stream<B, ConnectError | ConsumerOverflow | E> {
    const attach = Effect.sync(() => this.attach(interest, options))
    const detach = (consumer: Consumer<A>) => Effect.sync(() => this.detach(consumer))
    const makePull = this.makePull.bind(this)
    return Stream.unwrap(Effect.gen(function*() {
      const consumer = yield* Effect.acquireRelease(attach, detach)
      let end: Exit.Exit<never, E> | undefined
      if (endedBy !== undefined) {
        yield* Effect.forkScoped(Effect.onExit(endedBy, (exit) =>
          Effect.sync(() => {
            end = exit
            consumer.resume?.(Effect.void)
          })))
      }
      return Stream.fromPull(Effect.succeed(makePull(consumer, read, () => end)))
    }))
  }

  missed(): number {
    return this.consumers.reduce((total, consumer) => total + consumer.missed, this.missedByGone)
  }

  private keepFor(interest: "everything" | "rejections"): Consumer<A> {
    const backlog = makeConsumer<A>(interest, { overflow: "drop-oldest" })
    this.consumers = [...this.consumers, backlog]
    return backlog
  }

  private takeBacklog(consumer: Consumer<A>): void {
    if (consumer.interest === "transitions") return
    const name = consumer.interest === "rejections" ? "rejections" : "everything"
    const backlog = this[name]
    if (backlog === undefined) return
    this[name] = undefined
    this.remove(backlog)
    consumer.missed = backlog.missed
    for (const item of backlog.items) {
      if (!isWanted(consumer.interest, item)) continue
      consumer.items.push(item)
      consumer.bytes += weight(item)
    }
  }

  private attach(interest: Interest, options: ConsumerOptions | undefined): Consumer<A> {
    const consumer = makeConsumer<A>(interest, options)
    this.takeBacklog(consumer)
    if (this.isShutDown) consumer.ended = Exit.fail(Cause.Done())
    this.consumers = [...this.consumers, consumer]
    return consumer
  }

  private detach(consumer: Consumer<A>): void {
    this.remove(consumer)
    this.missedByGone += consumer.missed
    this.release()
  }

  private remove(consumer: Consumer<A>): void {
    this.consumers = this.consumers.filter((other) => other !== consumer)
  }

  private get taken(): Effect.Effect<void> {
    return Effect.callback<void>((resume) => {
      this.waiters = [...this.waiters, resume]
      return Effect.sync(() => {
        this.waiters = this.waiters.filter((other) => other !== resume)
      })
    })
  }

  private release(): void {
    const waiters = this.waiters
    this.waiters = []
    // Not within the pull that made the room, which still has its messages to hand over.
    for (const resume of waiters) resume(Effect.yieldNow)
  }

  private makePull<B, E>(
    consumer: Consumer<A>,
    read: (items: Arr.NonEmptyReadonlyArray<Item<A>>) => ReadonlyArray<B>,
    endedBy: () => Exit.Exit<never, E> | undefined
  ): Pull.Pull<Arr.NonEmptyReadonlyArray<B>, ConnectError | ConsumerOverflow | E> {
    const arrived = Effect.callback<void>((resume) => {
      consumer.resume = resume
      return Effect.sync(() => {
        consumer.resume = undefined
      })
    })
    const pull: Pull.Pull<Arr.NonEmptyReadonlyArray<B>, ConnectError | ConsumerOverflow | E> = Effect.suspend(() => {
      const items = consumer.items
      if (!Arr.isReadonlyArrayNonEmpty(items)) {
        return endedBy() ?? consumer.ended ?? Effect.andThen(arrived, pull)
      }
      const wasFull = consumer.overflow === "block" && isOver(consumer)
      consumer.items = []
      consumer.bytes = 0
      const found = read(items)
      if (wasFull) this.release()
      return Arr.isReadonlyArrayNonEmpty(found) ? Effect.succeed(found) : pull
    })
    return pull
  }

  private endWhere(
    how: Exit.Exit<never, ConnectError | Cause.Done>,
    applies: (consumer: Consumer<A>) => boolean
  ): Effect.Effect<void> {
    return Effect.sync(() => {
      for (const consumer of this.consumers) {
        if (applies(consumer)) consumer.ended ??= how
      }
      this.wake()
    })
  }
}

/**
 * Makes the fan-out of one connection.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <A>(): Inbox<A> => new Fanout<A>()
