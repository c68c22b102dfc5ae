/**
 * The queue of one consumer: what waits for it, and what goes when that is too
 * much.
 *
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import type * as Cause from "effect/Cause"
import type * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Channel from "../../value/Channel.ts"
import type { ConnectError } from "../ConnectError.ts"
import { type Batch, type ConsumerOptions, ConsumerOverflow, type Item } from "../Inbox.ts"
import type { KeyOf, Missed, Overflow, Rejected } from "./inboxItems.ts"
import type { MessageChannels } from "./messageChannels.ts"

/**
 * What of a connection a consumer is shown: `"routed"` are the messages that are
 * put into its queue one by one.
 *
 * @category models
 * @since 0.1.0
 */
export type Interest = "everything" | "batches" | "rejections" | "transitions" | "routed"

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

/**
 * Whether a consumer is shown an item.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isWanted = <A>(interest: Interest, item: Item<A>): boolean => {
  switch (item._tag) {
    case "Batch":
      return interest === "everything" || interest === "batches" || interest === "routed"
    case "Rejected":
      return interest === "everything" || interest === "rejections"
    case "Transition":
      return interest === "everything" || interest === "transitions"
    case "BreakerMoved":
    case "SequenceGap":
    case "Overdue":
    case "Refused":
    case "Announced":
      return interest === "everything"
    case "Missed":
      return true
  }
}

// What is no number of bytes bounds nothing; and a queue holds one message at least, or nothing would ever be read.
const boundOf = (bytes: number | undefined): number =>
  bytes === undefined || Number.isNaN(bytes) ? defaultBytes : Math.max(1, bytes)

/**
 * A consumer and its queue.
 *
 * @category models
 * @since 0.1.0
 */
export interface Consumer<A> {
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
  /** Resumes the pull that waits for something to take. */
  resume: ((effect: Effect.Effect<void>) => void) | undefined
  /** Whether it is among those to be woken. */
  isDue: boolean
  ended: Exit.Exit<never, ConnectError | ConsumerOverflow | Cause.Done> | undefined
}

/**
 * A consumer with nothing in its queue.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeConsumer = <A>(interest: Interest, options: ConsumerOptions | undefined): Consumer<A> => ({
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
  isDue: false,
  ended: undefined
})

/**
 * Whether so many times its bound is full.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isOver = <A>(consumer: Consumer<A>, times = 1): boolean => consumer.bytes >= consumer.bound * times

// What is shed at once beyond what must be, so that a long queue is not gone through for every batch: a 64th of it.
const slack = <A>(consumer: Consumer<A>): number => Math.floor(consumer.bound / 65_536) * 1024

/**
 * Puts an item into the queue, whatever its bound.
 *
 * @category mutations
 * @since 0.1.0
 */
export const push = <A>(consumer: Consumer<A>, item: Item<A>): void => {
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

/**
 * Keeps the newest of each key, and of the rejections; the oldest of these go where even they are too much.
 *
 * @category mutations
 * @since 0.1.0
 */
export const conflate = <A>(consumer: Consumer<A>, keyOf: KeyOf<A>): void => {
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
  if (older._tag === "Announced" && newer._tag === "Announced") {
    return { ...newer, announcement: older.announcement.mergeWith(newer.announcement) }
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

const kindOf = <A>(item: Lifecycle<A>): string => {
  switch (item._tag) {
    case "Overdue":
      return `${item._tag}\n${Channel.key(item.channel)}`
    case "Transition":
    case "BreakerMoved":
      return `${item._tag}\n${item.leg ?? ""}`
    case "Announced":
      return `${item._tag}\n${item.announcement.kind}`
    default:
      return item._tag
  }
}

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

/**
 * Puts an item into the queue as its bound and its policy have it.
 *
 * @category mutations
 * @since 0.1.0
 */
export const offer = <A>(consumer: Consumer<A>, keyOf: KeyOf<A>, item: Item<A>): void => {
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
