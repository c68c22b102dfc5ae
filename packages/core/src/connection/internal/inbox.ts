/**
 * What a connection received, fanned out to its consumers: whole batches to
 * those that want everything, and to each of the others its own messages.
 *
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Pull from "effect/Pull"
import * as Stream from "effect/Stream"
import type { ConnectError } from "../ConnectError.ts"
import type { ConsumerOptions, ConsumerOverflow, Item } from "../Inbox.ts"
import type { Batch } from "../Observer.ts"
import { conflate, type Consumer, type Interest, isOver, isWanted, makeConsumer, offer, push } from "./consumerQueue.ts"
import { type Destination, makeDestination, Routes, type Want } from "./consumerRoutes.ts"
import type { KeyOf, Missed } from "./inboxItems.ts"

/**
 * How a connection's messages are told apart: by a key for those who conflate
 * (default: all have the same), and by a product for channels that are of all
 * products. `onMissed` is told how many messages a consumer has just missed.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options<A> {
  readonly keyOf?: KeyOf<A> | undefined
  readonly productOf?: ((message: A) => string | undefined) | undefined
  readonly onMissed?: ((messages: number) => void) | undefined
}

/**
 * The messages of a pull's batches: the batch's own array if there is one batch.
 *
 * @category getters
 * @since 0.1.0
 */
export const messagesOf = <A>(items: Arr.NonEmptyReadonlyArray<Item<A>>): ReadonlyArray<A> => {
  const [first] = items
  if (items.length === 1) return first._tag === "Batch" ? first.messages : []
  const messages: Array<A> = []
  for (const item of items) {
    if (item._tag === "Batch") { for (const message of item.messages) messages.push(message) }
  }
  return messages
}

/**
 * The fan-out of one connection.
 *
 * @category models
 * @since 0.1.0
 */
export interface Inbox<A> {
  /** Hands an item to every consumer that wants it as a whole. They sleep on until `wake`. */
  readonly offer: (item: Item<A>) => void
  /** Hands the messages of a batch to the consumers that they are routed to. They sleep on until `wake`. */
  readonly route: (batch: Batch<A>) => void
  /** Wakes the consumers that have something to take, once for any number of offers. Returns how many. */
  readonly wake: () => number
  /** Whether a consumer had not come back for more when it was offered something, since this was last asked. */
  readonly isBehind: () => boolean
  /** Whether a consumer that blocks is over its bound. */
  readonly isBlocked: () => boolean
  /** Completes when no consumer blocks. */
  readonly room: Effect.Effect<void>
  /**
   * How many times its bound a consumer may hold before it blocks: 1 but where a
   * wire ends, whose end is to be read, and what it still holds.
   */
  readonly allow: (times: number) => Effect.Effect<void>
  /** Keeps what arrives from now on for the first consumer to come, where there is none. */
  readonly keep: () => void
  /** Ends the consumers of messages after what they still have to take; those to come wait for more. */
  readonly end: (how: Exit.Exit<never, ConnectError | Cause.Done>) => Effect.Effect<void>
  /** Ends every consumer, and those to come, for good. */
  readonly shutdown: Effect.Effect<void>
  /**
   * What one consumer is shown, from its first pull on. `read` says what of the
   * items that one pull brings is for it; where that is nothing, it sleeps on. The
   * failure of `endedBy` ends it, after what it still has to take. `first` is asked
   * for what it is shown first, in the step from which on it misses nothing.
   */
  readonly consume: <B, E = never>(
    interest: Interest,
    options: ConsumerOptions | undefined,
    read: (items: Arr.NonEmptyReadonlyArray<Item<A>>) => ReadonlyArray<B>,
    endedBy?: Effect.Effect<never, E> | undefined,
    first?: (() => Item<A>) | undefined
  ) => Stream.Stream<B, ConnectError | ConsumerOverflow | E>
  /** The messages that one consumer wants, by their channel and product, from its first pull on. */
  readonly consumeRouted: <B extends A, E = never>(
    want: Want<A, B>,
    options?: ConsumerOptions | undefined,
    endedBy?: Effect.Effect<never, E> | undefined,
    onMissed?: ((missed: Missed) => void) | undefined
  ) => Stream.Stream<B, ConnectError | ConsumerOverflow | E>
  /** Messages and rejections that consumers missed, all in all. */
  readonly missed: () => number
}

const oneKey = (): string => ""

// One for each connection: its methods are shared, and what few connections need is made when it is needed.
class InboxImpl<A> implements Inbox<A> {
  private readonly consumers = new Set<Consumer<A>>()
  // Of these, who is shown items as a whole, and who makes the connection wait.
  private whole: ReadonlyArray<Consumer<A>> = []
  private blocking: ReadonlyArray<Consumer<A>> = []
  private routes: Routes<A> | undefined
  // Who waits for something to take, and has it.
  private due: Array<Consumer<A>> = []
  // Whether somebody was offered something and did not wait for it.
  private hasLate = false
  // What is kept for the first consumer to come, of everything and of rejections.
  private everything: Consumer<A> | undefined
  private rejections: Consumer<A> | undefined
  // Who waits for room.
  private waiters: ReadonlyArray<(effect: Effect.Effect<void>) => void> = []
  private allowance = 1
  private missedByGone = 0
  private isShutDown = false
  private readonly keyOf: KeyOf<A>
  private readonly productOf: ((message: A) => string | undefined) | undefined
  private readonly onMissed: ((messages: number) => void) | undefined

  constructor({ keyOf = oneKey, onMissed, productOf }: Options<A>) {
    this.keyOf = keyOf
    this.onMissed = onMissed
    this.productOf = productOf
  }

  offer(item: Item<A>): void {
    for (const consumer of this.whole) {
      if (isWanted(consumer.interest, item)) this.offerTo(consumer, item)
    }
  }

  route(batch: Batch<A>): void {
    this.routes?.deliver(batch)
  }

  private offerTo<B extends A>(consumer: Consumer<B>, item: Item<B>): void {
    const before = consumer.missed
    offer(consumer, this.keyOf, item)
    if (consumer.missed > before) this.onMissed?.(consumer.missed - before)
    this.markDue(consumer)
  }

  private markDue(consumer: Consumer<A>): void {
    if (consumer.isDue) return
    if (consumer.resume === undefined) {
      this.hasLate ||= consumer.ended === undefined && consumer !== this.everything && consumer !== this.rejections
      return
    }
    consumer.isDue = true
    this.due.push(consumer)
  }

  // Consumers are resumed within the call that brought them something, not by a task of the scheduler: what waits for
  // the next turn of the event loop is tens of microseconds late.
  wake(): number {
    const { due } = this
    if (due.length === 0) return 0
    this.due = []
    for (const consumer of due) {
      const { resume } = consumer
      consumer.isDue = false
      consumer.resume = undefined
      resume?.(Effect.void)
    }
    return due.length
  }

  isBehind(): boolean {
    const { hasLate } = this
    this.hasLate = false
    return hasLate
  }

  isBlocked(): boolean {
    for (const consumer of this.blocking) {
      if (consumer.ended === undefined && isOver(consumer, this.allowance)) return true
    }
    return false
  }

  get room(): Effect.Effect<void> {
    return Effect.suspend(() => this.isBlocked() ? Effect.andThen(this.taken, this.room) : Effect.void)
  }

  allow(times: number): Effect.Effect<void> {
    return Effect.sync(() => {
      this.allowance = times
      this.release()
    })
  }

  keep(): void {
    const isThere = (...interests: ReadonlyArray<Interest>): boolean =>
      [...this.consumers].some(({ ended, interest }) => ended === undefined && interests.includes(interest))
    const isRead = isThere("everything", "batches", "routed")
    const areRejectionsRead = isThere("everything", "rejections")
    if (!isRead) this.everything = this.keepFor("everything")
    if (!areRejectionsRead) this.rejections = this.keepFor("rejections")
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
    endedBy?: Effect.Effect<never, E> | undefined,
    first?: (() => Item<A>) | undefined
  ): Stream.Stream<B, ConnectError | ConsumerOverflow | E> {
    const attach = Effect.sync(() => {
      const consumer = this.attach(makeConsumer<A>(interest, options))
      if (first !== undefined) push(consumer, first())
      return consumer
    })
    return this.stream(attach, (consumer) => this.detach(consumer), read, endedBy)
  }

  consumeRouted<B extends A, E = never>(
    want: Want<A, B>,
    options?: ConsumerOptions | undefined,
    endedBy?: Effect.Effect<never, E> | undefined,
    onMissed?: ((missed: Missed) => void) | undefined
  ): Stream.Stream<B, ConnectError | ConsumerOverflow | E> {
    const destinations = new Map<Consumer<B>, Destination<A>>()
    const attach = Effect.sync(() => {
      const consumer = makeConsumer<B>("routed", options)
      const destination = makeDestination(want, (batch) => this.offerTo(consumer, batch))
      destinations.set(consumer, destination)
      this.routes ??= new Routes(this.productOf)
      this.attach(consumer, destination)
      this.routes.add(destination)
      return consumer
    })
    const detach = (consumer: Consumer<B>): void => {
      const destination = destinations.get(consumer)
      if (destination !== undefined) this.routes?.remove(destination)
      this.detach(consumer)
    }
    const read = (items: Arr.NonEmptyReadonlyArray<Item<B>>): ReadonlyArray<B> => {
      if (onMissed !== undefined) { for (const item of items) if (item._tag === "Missed") onMissed(item) }
      return messagesOf(items)
    }
    return this.stream(attach, detach, read, endedBy)
  }

  private stream<C extends A, B, E>(
    attach: Effect.Effect<Consumer<C>>,
    detach: (consumer: Consumer<C>) => void,
    read: (items: Arr.NonEmptyReadonlyArray<Item<C>>) => ReadonlyArray<B>,
    endedBy: Effect.Effect<never, E> | undefined
  ): Stream.Stream<B, ConnectError | ConsumerOverflow | E> {
    return Stream.unwrap(Effect.gen({ self: this }, function*() {
      const consumer = yield* Effect.acquireRelease(attach, (consumer) => Effect.sync(() => detach(consumer)))
      let end: Exit.Exit<never, E> | undefined
      if (endedBy !== undefined) {
        yield* Effect.forkScoped(Effect.onExit(endedBy, (exit) =>
          Effect.sync(() => {
            end = exit
            consumer.resume?.(Effect.void)
          })))
      }
      return Stream.fromPull(Effect.succeed(this.makePull(consumer, read, () => end)))
    }))
  }

  missed(): number {
    let missed = this.missedByGone
    for (const consumer of this.consumers) missed += consumer.missed
    return missed
  }

  private keepFor(interest: "everything" | "rejections"): Consumer<A> {
    const backlog = makeConsumer<A>(interest, { overflow: "drop-oldest" })
    this.add(backlog)
    return backlog
  }

  // What was kept is for the first who wants it: of the rejections, for the first who wants them.
  private takeBacklog(consumer: Consumer<A>, destination: Destination<A> | undefined): void {
    const { interest } = consumer
    if (interest === "transitions") return
    const name = interest === "rejections" ? "rejections" : "everything"
    const backlog = this[name]
    if (backlog === undefined) return
    this[name] = undefined
    this.remove(backlog)
    // Who is shown everything is shown the rejections with it.
    if (interest === "everything" && this.rejections !== undefined) {
      this.remove(this.rejections)
      this.rejections = undefined
    }
    consumer.missed = backlog.missed
    for (const item of backlog.items) {
      if (destination !== undefined && item._tag === "Batch") this.routes?.deliverTo(destination, item)
      else if (isWanted(interest, item)) push(consumer, item)
    }
  }

  private attach(consumer: Consumer<A>, destination?: Destination<A> | undefined): Consumer<A> {
    this.takeBacklog(consumer, destination)
    if (this.isShutDown) consumer.ended = Exit.fail(Cause.Done())
    this.add(consumer)
    return consumer
  }

  private detach(consumer: Consumer<A>): void {
    this.remove(consumer)
    this.missedByGone += consumer.missed
    this.release()
  }

  private add(consumer: Consumer<A>): void {
    this.consumers.add(consumer)
    if (consumer.interest !== "routed") this.whole = [...this.whole, consumer]
    if (consumer.overflow === "block") this.blocking = [...this.blocking, consumer]
  }

  private remove(consumer: Consumer<A>): void {
    this.consumers.delete(consumer)
    if (consumer.interest !== "routed") this.whole = this.whole.filter((other) => other !== consumer)
    if (consumer.overflow === "block") this.blocking = this.blocking.filter((other) => other !== consumer)
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

  private makePull<C extends A, B, E>(
    consumer: Consumer<C>,
    read: (items: Arr.NonEmptyReadonlyArray<Item<C>>) => ReadonlyArray<B>,
    endedBy: () => Exit.Exit<never, E> | undefined
  ): Pull.Pull<Arr.NonEmptyReadonlyArray<B>, ConnectError | ConsumerOverflow | E> {
    const arrived = Effect.callback<void>((resume) => {
      consumer.resume = resume
      return Effect.sync(() => {
        consumer.resume = undefined
      })
    })
    const pull: Pull.Pull<Arr.NonEmptyReadonlyArray<B>, ConnectError | ConsumerOverflow | E> = Effect.suspend(() => {
      // Who conflates and was full gets the newest of each key, and nothing else.
      if (consumer.overflowed && consumer.overflow === "conflate") conflate(consumer, this.keyOf)
      const { items } = consumer
      if (!Arr.isReadonlyArrayNonEmpty(items)) {
        return consumer.ended ?? endedBy() ?? Effect.andThen(arrived, pull)
      }
      const wasFull = consumer.overflow === "block" && isOver(consumer)
      consumer.items = []
      consumer.bytes = 0
      consumer.lifecycle = 0
      consumer.overflowed = false
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
        if (consumer.ended !== undefined) this.markDue(consumer)
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
export const make = <A>(options: Options<A> = {}): Inbox<A> => new InboxImpl(options)
