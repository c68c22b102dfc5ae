/**
 * The order books of a feed over its connections: kept of each, and told of one
 * of them that is whole. If that breaks, another one is told of from then on; so
 * it is when a connection takes over from another.
 *
 * @since 0.1.0
 */
import * as Channel from "../../value/Channel.ts"
import type { Venue } from "../../venue/Venue.ts"
import { isWhole, type OrderBook } from "../OrderBook.ts"
import type { View } from "./book.ts"
import type { BookKeeper, Watcher } from "./bookKeeper.ts"
import type { Leg } from "./legs.ts"

// A book that somebody watches, by its channel.
interface Watched {
  readonly channel: Channel.Channel
  readonly watchers: Map<Watcher, Map<Leg, () => void>>
  /** Of whose book is told, and whether it is whole. */
  lead: Leg | undefined
  isWhole: boolean
  /** The number that was told last, and that which the book that is told of now has to pass before it is told again. */
  lastSequence: string | undefined
  passed: string | undefined
}

// Its state alone is looked at.
const noLevels: View = { depth: 0 }

const isAbove = (a: string, b: string): boolean => a.length === b.length ? a > b : a.length > b.length

/**
 * What the books of a feed need to know.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly venue: Venue
  /** The book of another connection is whole, where the one that was told of is not. */
  readonly onRecovered: (channel: Channel.Channel) => void
  /** What a watcher has thrown: it is told nothing more. */
  readonly onThrown: (channel: Channel.Channel, error: unknown) => void
}

/**
 * The books of a feed.
 *
 * @category models
 * @since 0.1.0
 */
export class LegBooks {
  private readonly keepers = new Map<Leg, BookKeeper>()
  private readonly watched = new Map<string, Watched>()
  private readonly options: Options

  constructor(options: Options) {
    this.options = options
  }

  /** The books of a connection are kept by this one. */
  add(leg: Leg, keeper: BookKeeper): void {
    this.keepers.set(leg, keeper)
    for (const one of this.watched.values()) {
      for (const [watcher, ends] of one.watchers) ends.set(leg, this.follow(one, leg, keeper, watcher))
    }
  }

  /** A connection is gone. */
  remove(leg: Leg): void {
    this.keepers.delete(leg)
    for (const one of this.watched.values()) {
      for (const ends of one.watchers.values()) ends.delete(leg)
      if (one.lead === leg) this.replace(one)
    }
  }

  /** Tells a watcher of each change of a channel's book from now on. Returns what ends that. */
  watch(channel: Channel.Channel, watcher: Watcher): () => void {
    const key = Channel.key(channel)
    const one = this.watched.get(key) ?? {
      channel,
      watchers: new Map<Watcher, Map<Leg, () => void>>(),
      lead: undefined,
      isWhole: false,
      lastSequence: undefined,
      passed: undefined
    }
    this.watched.set(key, one)
    const ends = new Map<Leg, () => void>()
    one.watchers.set(watcher, ends)
    for (const [leg, keeper] of this.keepers) ends.set(leg, this.follow(one, leg, keeper, watcher))
    return () => {
      this.unwatch(one, watcher)
      if (one.watchers.size === 0 && this.watched.get(key) === one) this.watched.delete(key)
    }
  }

  isWatched(channel: Channel.Channel): boolean {
    return this.watched.has(Channel.key(channel))
  }

  /** The book of a channel as it is now. */
  read(channel: Channel.Channel, view: View): OrderBook {
    const lead = this.watched.get(Channel.key(channel))?.lead
    const [first] = this.keepers.values()
    const keeper = lead === undefined ? first : this.keepers.get(lead)
    if (keeper === undefined) throw new Error("a book is kept of the connection that is told of")
    return keeper.read(channel, view)
  }

  /** Whether the book of another connection than this one is whole. */
  isWholeBeside(leg: Leg, channel: Channel.Channel): boolean {
    return [...this.keepers].some(([other, keeper]) => other !== leg && isWhole(keeper.read(channel, noLevels)))
  }

  /** Whether what is whole on one connection is whole on another: it is told of that if the first one ends. */
  areReady(leg: Leg, other: Leg): boolean {
    const [next, before] = [this.keepers.get(leg), this.keepers.get(other)]
    return next === undefined || before === undefined ||
      [...this.watched.values()].every(({ channel }) =>
        !isWhole(before.read(channel, noLevels)) || isWhole(next.read(channel, noLevels))
      )
  }

  private follow(one: Watched, leg: Leg, keeper: BookKeeper, watcher: Watcher): () => void {
    one.lead ??= leg
    return keeper.watch(one.channel, {
      depth: watcher.depth,
      isRaw: watcher.isRaw,
      onChange: (book) => this.changed(one, leg, watcher, book),
      onSynced: () => {
        if (one.lead !== leg && !this.leads(one, leg)) return
        one.isWhole = true
        watcher.onSynced?.()
      }
    })
  }

  private unwatch({ watchers }: Watched, watcher: Watcher): void {
    for (const end of watchers.get(watcher)?.values() ?? []) end()
    watchers.delete(watcher)
  }

  private notify(one: Watched, watcher: Watcher, book: OrderBook): void {
    one.lastSequence = book.sequence ?? one.lastSequence
    try {
      watcher.onChange(book)
    } catch (error) {
      this.unwatch(one, watcher)
      this.options.onThrown(one.channel, error)
    }
  }

  private changed(one: Watched, leg: Leg, watcher: Watcher, book: OrderBook): void {
    if (one.lead !== leg && !(isWhole(book) && this.leads(one, leg))) return
    const { passed } = one
    one.isWhole = isWhole(book)
    if (!one.isWhole && this.replace(one)) return
    if (passed !== undefined && book.sequence !== undefined && !isAbove(book.sequence, passed)) return
    one.passed = undefined
    this.notify(one, watcher, book)
  }

  // A book that is whole is told of from now on, if the one that was told of is not.
  private leads(one: Watched, leg: Leg): boolean {
    if (one.isWhole) return false
    one.lead = leg
    this.options.onRecovered(one.channel)
    return true
  }

  // Finds a book that is whole, in place of one that is not any more.
  private replace(one: Watched): boolean {
    for (const [leg, keeper] of this.keepers) {
      if (leg === one.lead || !isWhole(keeper.read(one.channel, noLevels))) continue
      this.take(one, leg)
      return true
    }
    if (one.lead !== undefined && !this.keepers.has(one.lead)) [one.lead] = this.keepers.keys()
    return false
  }

  private take(one: Watched, leg: Leg): void {
    const keeper = this.keepers.get(leg)
    if (keeper === undefined) return
    one.lead = leg
    const state = keeper.read(one.channel, noLevels)
    const { sequence } = state
    one.isWhole = isWhole(state)
    // What was told of already is not told again, nor what is older.
    one.passed = this.options.venue.sequenced?.has("BookDelta") === true ? one.lastSequence : undefined
    if (one.passed !== undefined && sequence !== undefined && !isAbove(sequence, one.passed)) return
    one.passed = undefined
    for (const watcher of one.watchers.keys()) this.notify(one, watcher, keeper.read(one.channel, watcher))
  }
}
