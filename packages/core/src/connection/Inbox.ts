/**
 * What a connection received, fanned out to its consumers in batches. Each
 * consumer has a queue of its own, bounded in bytes, and says what happens when
 * it is full:
 *
 * - `fail` (the default): the consumer's stream fails with `ConsumerOverflow`
 * - `conflate`: of the messages with the same key only the newest stays
 * - `drop-oldest`: the oldest batches go
 * - `block`: the connection stops taking from the wire until there is room;
 *   only the transport's byte bound then pauses the socket
 *
 * A message counts its bytes and a fixed share for what it keeps in memory
 * besides. Life-cycle items (transitions, gaps of the sequence, breaker moves,
 * overdue subscriptions, what was missed) do not count, and are never shed:
 * where more than a thousand of them wait, the older half are merged.
 *
 * What a consumer missed is said in its own stream, as `Missed`, at the place
 * where it begins to be missing. Before the first consumer comes, what arrives
 * is kept for it, as if it were there with `drop-oldest`.
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
import type { FrameRejected } from "../codec/Rejection.ts"
import type * as CircuitBreaker from "../resilience/CircuitBreaker.ts"
import * as Channel from "../value/Channel.ts"
import type { MessageChannels } from "./Attribution.ts"
import type { ConnectError, SubscriptionRefused } from "./ConnectError.ts"
import type { Transition } from "./ConnectionState.ts"

/**
 * What happens when a consumer does not keep up.
 *
 * @category models
 * @since 0.1.0
 */
export type Overflow = "fail" | "conflate" | "drop-oldest" | "block"

/**
 * The messages of one epoch that one pull brought, in order. `at` is when, in
 * epoch milliseconds; `bytes` is their size on the wire; `channels` are the
 * wanted channels that each of them belongs to, where that is known.
 *
 * @category models
 * @since 0.1.0
 */
export interface Batch<A> {
  readonly _tag: "Batch"
  readonly epoch: number
  readonly at: number
  readonly messages: Arr.NonEmptyReadonlyArray<A>
  readonly channels?: MessageChannels | undefined
  readonly bytes: number
}

/**
 * A frame that could not be read. `bytes` is its size on the wire.
 *
 * @category models
 * @since 0.1.0
 */
export interface Rejected {
  readonly _tag: "Rejected"
  readonly epoch: number
  readonly at: number
  readonly bytes: number
  readonly rejection: FrameRejected
}

/**
 * The sequence member went from `from` to `to` with `missing` numbers between.
 * Where several gaps are merged, from the first's `from` to the last's `to`,
 * with the numbers that all of them miss.
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
 * What this consumer did not get because it did not keep up: so many messages
 * and so many rejections, received from `from` to `to` (epoch milliseconds).
 *
 * @category models
 * @since 0.1.0
 */
export interface Missed {
  readonly _tag: "Missed"
  readonly messages: number
  readonly rejections: number
  readonly from: number
  readonly to: number
  /**
   * The messages by their keys. Those without a key, and those of more keys
   * than a thousand, count under `undefined`.
   */
  readonly keys: ReadonlyMap<string | undefined, number>
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
  readonly channel: Channel.Channel
  readonly step: string
  readonly silentForMillis: number
}

/**
 * What was refused at once, each subscription once an epoch, and the message
 * that is nothing but the refusal, where there is one. Where nothing is refused,
 * what the message refused is asked for again in parts.
 *
 * @category models
 * @since 0.1.0
 */
export interface Refusal<A> {
  readonly refused: ReadonlyArray<SubscriptionRefused>
  readonly by: A | undefined
}

/**
 * Wanted subscriptions were refused. `by` is the message that is nothing but the
 * refusal, where there is one: it is in the batch that follows. Where nothing is
 * refused, what that message refused is asked for again in parts.
 *
 * @category models
 * @since 0.1.0
 */
export interface Refused<A> extends Refusal<A> {
  readonly _tag: "Refused"
}

/**
 * Everything a connection tells, in the order in which it happened.
 *
 * @category models
 * @since 0.1.0
 */
export type Item<A> = Batch<A> | Rejected | Transition | BreakerMoved | SequenceGap | Overdue | Refused<A> | Missed

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
 * How a consumer's queue is bounded, and what happens beyond the bound.
 *
 * @category models
 * @since 0.1.0
 */
export interface ConsumerOptions {
  /** What happens when the queue is full. Default: `fail`. */
  readonly overflow?: Overflow | undefined
  /** How much may wait: the bytes of the messages, and 256 more for each of them. Default: 4 MiB. */
  readonly bytes?: number | undefined
}

/**
 * What messages are told apart by: of those with the same key a consumer that
 * conflates keeps the newest. One without a key is superseded by none.
 *
 * @category models
 * @since 0.1.0
 */
export type KeyOf<A> = (message: A) => string | undefined

/**
 * What of a connection a consumer is shown.
 *
 * @category models
 * @since 0.1.0
 */
export type Interest = "everything" | "batches" | "rejections" | "transitions"

const defaultBytes = 4 * 1024 * 1024
// What a message or a rejection keeps in memory besides its bytes, about.
const share = 256
// What conflates keeps the newest of each key within this, however small its bound.
const leastConflated = 64 * 1024
// How many life-cycle items may wait before the older half are merged.
const mostLifecycle = 1024
// How many keys one `Missed` names: a peer that makes up names does not make it grow.
const mostKeys = 1024

const weight = <A>(item: Sheddable<A>): number =>
  item.bytes + (item._tag === "Batch" ? share * item.messages.length : share)

type Sheddable<A> = Batch<A> | Rejected

type Lifecycle<A> = Exclude<Item<A>, Sheddable<A> | Missed>

const isSheddable = <A>(item: Item<A>): item is Sheddable<A> => item._tag === "Batch" || item._tag === "Rejected"

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
    case "Refused":
      return interest === "everything"
    case "Missed":
      return true
  }
}

// What is no number of bytes bounds nothing; and a queue holds one message at least, or nothing would ever be read.
const boundOf = (bytes: number | undefined): number =>
  bytes === undefined || Number.isNaN(bytes) ? defaultBytes : Math.max(1, bytes)

interface Consumer<A> {
  interest: Interest
  overflow: Overflow
  bound: number
  items: Array<Item<A>>
  /** What the batches and rejections among the items weigh. */
  bytes: number
  /** How many life-cycle items there are, and how many there may be. */
  lifecycle: number
  mostLifecycle: number
  missed: number
  /** Whether it has been full since its last pull. */
  overflowed: boolean
  resume: ((effect: Effect.Effect<void>) => void) | undefined
  ended: Exit.Exit<never, ConnectError | ConsumerOverflow | Cause.Done> | undefined
}

const makeConsumer = <A>(interest: Interest, options: ConsumerOptions | undefined): Consumer<A> => ({
  interest,
  overflow: options?.overflow ?? "fail",
  bound: boundOf(options?.bytes),
  items: [],
  bytes: 0,
  lifecycle: 0,
  mostLifecycle,
  missed: 0,
  overflowed: false,
  resume: undefined,
  ended: undefined
})

const isOver = <A>(consumer: Consumer<A>, times = 1): boolean => consumer.bytes >= consumer.bound * times

// What is shed at once beyond what must be, so that a long queue is not gone through for every batch: a 64th of it.
const slack = <A>(consumer: Consumer<A>): number => Math.floor(consumer.bound / 65_536) * 1024

const push = <A>(consumer: Consumer<A>, item: Item<A>): void => {
  consumer.items.push(item)
  if (isSheddable(item)) consumer.bytes += weight(item)
  else consumer.lifecycle++
}

// What a consumer missed, in the making.
interface Marker extends Missed {
  messages: number
  rejections: number
  from: number
  to: number
  readonly keys: Map<string | undefined, number>
}

const count = (marker: Marker, key: string | undefined, messages: number): void => {
  marker.messages += messages
  const named = marker.keys.has(key) || marker.keys.size < mostKeys ? key : undefined
  marker.keys.set(named, (marker.keys.get(named) ?? 0) + messages)
}

// What of a queue stays when it sheds. It is asked oldest first, until it has enough.
interface Shedding<A> {
  readonly hasEnough: () => boolean
  readonly keepsMessage: (message: A, weight: number) => boolean
  readonly keepsRejection: (rejected: Rejected, weight: number) => boolean
}

// What is shed is counted in one `Missed`, which stands where the first of it stood.
const shed = <A>(consumer: Consumer<A>, keyOf: KeyOf<A>, shedding: Shedding<A>): void => {
  const { items } = consumer
  let marker: Marker | undefined
  const marked = (from: number, to: number): Marker => {
    if (marker === undefined) {
      marker = { _tag: "Missed", messages: 0, rejections: 0, from, to, keys: new Map() }
      push(consumer, marker)
    }
    marker.from = Math.min(marker.from, from)
    marker.to = Math.max(marker.to, to)
    return marker
  }
  const shedBatch = (batch: Batch<A>): void => {
    const each = weight(batch) / batch.messages.length
    const kept: Array<A> = []
    const channels: Array<MessageChannels[number]> = []
    batch.messages.forEach((message, index) => {
      if (!shedding.keepsMessage(message, each)) return count(marked(batch.at, batch.at), keyOf(message), 1)
      kept.push(message)
      const of = batch.channels?.[index]
      if (of !== undefined) channels.push(of)
    })
    const gone = batch.messages.length - kept.length
    consumer.missed += gone
    if (gone === 0) push(consumer, batch)
    else if (Arr.isArrayNonEmpty(kept)) {
      const left = { ...batch, messages: kept, channels: batch.channels && channels }
      push(consumer, { ...left, bytes: Math.ceil(batch.bytes * kept.length / batch.messages.length) })
    }
  }
  consumer.items = []
  consumer.bytes = 0
  consumer.lifecycle = 0
  for (const item of items) {
    if (item._tag === "Missed") {
      const into = marked(item.from, item.to)
      into.rejections += item.rejections
      for (const [key, messages] of item.keys) count(into, key, messages)
    } else if (!isSheddable(item) || shedding.hasEnough()) {
      push(consumer, item)
    } else if (item._tag === "Batch") {
      shedBatch(item)
    } else if (shedding.keepsRejection(item, weight(item))) {
      push(consumer, item)
    } else {
      marked(item.at, item.at).rejections++
      consumer.missed++
    }
  }
}

const dropOldest = <A>(consumer: Consumer<A>, keyOf: KeyOf<A>, goal: number): void => {
  let left = consumer.bytes
  const hasEnough = (): boolean => left < goal
  const keeps = (weight: number): boolean => {
    if (hasEnough()) return true
    left -= weight
    return false
  }
  shed(consumer, keyOf, {
    hasEnough,
    keepsMessage: (_, weight) => keeps(weight),
    keepsRejection: (_, weight) => keeps(weight)
  })
}

// Keeps the newest of each key, and of the rejections; the oldest of these go where even they are too much.
const conflate = <A>(consumer: Consumer<A>, keyOf: KeyOf<A>): void => {
  const newest = new Map<string, number>()
  let newestRejected: Rejected | undefined
  let place = 0
  for (const item of consumer.items) {
    if (item._tag === "Rejected") newestRejected = item
    if (item._tag !== "Batch") continue
    for (const message of item.messages) {
      const key = keyOf(message)
      if (key !== undefined) newest.set(key, place)
      place++
    }
  }
  place = 0
  shed(consumer, keyOf, {
    hasEnough: () => false,
    keepsMessage: (message) => {
      const key = keyOf(message)
      const at = place++
      return key === undefined || newest.get(key) === at
    },
    keepsRejection: (rejected) => rejected === newestRejected
  })
  const most = Math.max(consumer.bound, leastConflated)
  if (consumer.bytes >= most) dropOldest(consumer, keyOf, most - most / 8)
}

// Two life-cycle items of a kind as one, which says what both say together.
const merged = <A>(older: Lifecycle<A>, newer: Lifecycle<A>): Lifecycle<A> => {
  if (older._tag === "Transition" && newer._tag === "Transition") {
    return { ...newer, from: older.from, merged: (older.merged ?? 1) + (newer.merged ?? 1) }
  }
  if (older._tag === "BreakerMoved" && newer._tag === "BreakerMoved") {
    return { ...newer, transition: { ...newer.transition, from: older.transition.from } }
  }
  if (older._tag === "SequenceGap" && newer._tag === "SequenceGap") {
    return { ...newer, from: older.from, missing: older.missing + newer.missing }
  }
  if (older._tag === "Refused" && newer._tag === "Refused") {
    const all = [...older.refused, ...newer.refused].map((one) => [Channel.key(one.channel), one] as const)
    return { ...newer, refused: [...new Map(all).values()] }
  }
  return newer
}

const kindOf = <A>(item: Lifecycle<A>): string =>
  item._tag === "Overdue" ? `${item._tag}\n${Channel.key(item.channel)}` : item._tag

// Merges the older half of the life-cycle items: one of each kind is left, where the last of them stood.
const mergeOlder = <A>(consumer: Consumer<A>): void => {
  let left = Math.floor(consumer.lifecycle / 2)
  const seen = new Map<string, { readonly item: Lifecycle<A>; readonly place: number }>()
  const items: Array<Item<A> | undefined> = []
  for (const item of consumer.items) {
    if (isSheddable(item) || item._tag === "Missed" || left === 0) {
      items.push(item)
      continue
    }
    left--
    const kind = kindOf(item)
    const older = seen.get(kind)
    const whole = older === undefined ? item : merged(older.item, item)
    if (older !== undefined) {
      items[older.place] = undefined
      consumer.lifecycle--
    }
    seen.set(kind, { item: whole, place: items.length })
    items.push(whole)
  }
  consumer.items = items.filter((item) => item !== undefined)
  consumer.mostLifecycle = Math.max(mostLifecycle, 2 * consumer.lifecycle)
}

const offer = <A>(consumer: Consumer<A>, keyOf: KeyOf<A>, item: Item<A>): void => {
  if (consumer.ended !== undefined) return
  if (!isSheddable(item)) {
    push(consumer, item)
    if (consumer.lifecycle > consumer.mostLifecycle) mergeOlder(consumer)
    return
  }
  const wasOver = isOver(consumer)
  consumer.overflowed ||= wasOver
  if (wasOver && consumer.overflow === "fail") {
    consumer.ended = Exit.fail(new ConsumerOverflow({ bytes: consumer.bytes }))
    return
  }
  if (wasOver && consumer.overflow === "drop-oldest") dropOldest(consumer, keyOf, consumer.bound - slack(consumer))
  push(consumer, item)
  if (wasOver && consumer.overflow === "conflate") conflate(consumer, keyOf)
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
   * failure of `endedBy` ends it, after what it still has to take.
   */
  readonly consume: <B, E = never>(
    interest: Interest,
    options: ConsumerOptions | undefined,
    read: (items: Arr.NonEmptyReadonlyArray<Item<A>>) => ReadonlyArray<B>,
    endedBy?: Effect.Effect<never, E> | undefined
  ) => Stream.Stream<B, ConnectError | ConsumerOverflow | E>
  /** Messages and rejections that consumers missed, all in all. */
  readonly missed: () => number
}

// One for each connection: its methods are shared, and what few connections need is made when it is needed.
class InboxImpl<A> implements Inbox<A> {
  private consumers: ReadonlyArray<Consumer<A>> = []
  // What is kept for the first consumer to come, of everything and of rejections.
  private everything: Consumer<A> | undefined
  private rejections: Consumer<A> | undefined
  // Who waits for room.
  private waiters: ReadonlyArray<(effect: Effect.Effect<void>) => void> = []
  private allowance = 1
  private missedByGone = 0
  private isShutDown = false
  private readonly keyOf: KeyOf<A>
  private readonly onMissed: ((messages: number) => void) | undefined

  constructor(keyOf: KeyOf<A>, onMissed: ((messages: number) => void) | undefined) {
    this.keyOf = keyOf
    this.onMissed = onMissed
  }

  offer(item: Item<A>): void {
    for (const consumer of this.consumers) {
      if (!isWanted(consumer.interest, item)) continue
      const before = consumer.missed
      offer(consumer, this.keyOf, item)
      if (consumer.missed > before) this.onMissed?.(consumer.missed - before)
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
    for (const consumer of this.consumers) {
      if (consumer.overflow === "block" && consumer.ended === undefined && isOver(consumer, this.allowance)) return true
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
      if (isWanted(consumer.interest, item)) push(consumer, item)
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
      }
      this.wake()
    })
  }
}

/**
 * Makes the fan-out of one connection. Where no key is given all messages have
 * the same one, so that who conflates gets the newest. `onMissed` is told how
 * many messages a consumer has just missed.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <A>(
  keyOf: KeyOf<A> = () => "",
  onMissed?: ((messages: number) => void) | undefined
): Inbox<A> => new InboxImpl(keyOf, onMissed)
