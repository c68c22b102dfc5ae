/**
 * Keeps the books of a feed: an observer, of which those that are watched are
 * told, and which has a book that is broken asked for anew.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type { Batch, NamedObserver } from "../../connection/Observer.ts"
import type { MarketEvent } from "../../event/MarketEvent.ts"
import * as Channel from "../../value/Channel.ts"
import type { Topic, Venue } from "../../venue/Venue.ts"
import type { OrderBook } from "../OrderBook.ts"
import type { Book, BreakCause, Snapshot, Standing, View } from "./book.ts"
import { firstWaitMillis, mostWaitMillis, resync } from "./bookResync.ts"
import { Books, type Change } from "./books.ts"

/**
 * What keeps the books of a feed.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly venue: Venue
  /** Whether it keeps the books of a recording, of which nothing is asked. */
  readonly isReplay: boolean
  /** Whether nothing is checked, as a user has asked. */
  readonly isUnchecked: boolean
  /** How many frames were written in this epoch that ask for subscriptions or give them up. */
  readonly asked: () => number
  /** Gives those of the channels up that the venue has confirmed, and asks for them again. */
  readonly resubscribe: (channels: ReadonlyArray<Channel.Channel>) => Effect.Effect<void>
  /** The snapshot of a product's book, if it is asked for over HTTP; why it is not to be had if that fails. */
  readonly fetch:
    | ((channel: string, product: string) => Effect.Effect<Snapshot, { readonly message: string }>)
    | undefined
  /** Runs something beside the feed, until it ends. */
  readonly fork: (effect: Effect.Effect<void>) => Fiber.Fiber<void>
  /** The book of the channel is broken, though the connection is up. */
  readonly onBroken: (channel: Channel.Channel, cause: Exclude<BreakCause, "disconnect">) => void
  /** It is whole, for the first time or again. */
  readonly onWhole: (channel: Channel.Channel) => void
  /** A book does not show, or the venue's numbers do not, what it was taken to show. */
  readonly onUnverified: (reason: string) => void
}

/**
 * Is told each change of a book that is watched, by what it looks at.
 *
 * @category models
 * @since 0.1.0
 */
export interface Watcher extends View {
  readonly onChange: (book: OrderBook) => void
  /** Is told that a snapshot which was asked for over HTTP has made the book whole, between two frames. */
  readonly onSynced?: (() => void) | undefined
}

// How long another snapshot over HTTP is waited with that the changes are to follow, and how that grows.
const firstAgainMillis = 1_000

// A channel whose book somebody watches.
interface Watching {
  readonly channel: Channel.Channel
  /** How deep its book is, if a connection can have that of one depth alone. */
  readonly depth: number | undefined
  readonly watchers: Set<Watcher>
  /** Whether its book is whole, and that is told. */
  isWhole: boolean
}

interface Watched {
  /** By what its book is known on the wire. */
  readonly name: string
  readonly product: string
  /** The channels that have it, by their keys: several, if they are of several depths. */
  readonly by: Map<string, Watching>
  /** Whether they are, or have been. */
  isShared: boolean
  /** Whether somebody sees to it that it becomes whole. */
  isResyncing: boolean
  /** Whether its snapshot is asked for in this epoch, or is not to be had; and what asks. */
  isFetching: boolean
  fetching: Fiber.Fiber<void> | undefined
}

/**
 * The books of one feed.
 *
 * @category models
 * @since 0.1.0
 */
export class BookKeeper {
  private readonly options: Options
  // By what their books are known on the wire, the product within the name.
  private readonly watched = new Map<string, Map<string, Watched>>()
  // Of which it was told that it does not hold what it is taken for: a book, or the numbers of all.
  private readonly warned = new WeakSet<object>()
  // The books of the epoch that is up, or of the one before it.
  private books: Books

  constructor(options: Options) {
    this.options = options
    this.books = this.begin()
  }

  readonly observer: NamedObserver<MarketEvent> = {
    name: "books",
    attach: () => {
      const { venue } = this.options
      this.books = this.begin()
      for (const one of this.all()) one.isResyncing = false
      this.ensureWhole(this.all(), firstWaitMillis)
      return {
        batch: (batch) => {
          if (this.watched.size === 0 && venue.frames === undefined) return this.hear(batch)
          const { frames, messages, monotonicMillis, starts } = batch
          const broken: Array<Watched> = []
          for (let i = 0; i < frames.length; i++) {
            const frame = frames[i]
            if (frame === undefined) continue
            for (const change of this.books.frame(frame, messages.slice(starts[i], starts[i + 1]), monotonicMillis)) {
              this.changed(change, broken)
            }
          }
          this.ensureWhole(broken, 0)
        },
        rejected: (_, frame) => {
          const broken: Array<Watched> = []
          for (const change of this.books.rejected(frame)) this.changed(change, broken)
          this.ensureWhole(broken, 0)
        },
        ended: ({ _tag }) => {
          const broken = this.books.disconnected()
          // Who closes a link misses nothing.
          if (_tag !== "Closed") { for (const change of broken) this.changed(change, []) }
          for (const one of this.all()) {
            one.isResyncing = false
            this.stopFetching(one)
          }
        }
      }
    }
  }

  // How products trade is known of those, too, whose book nobody keeps yet.
  private hear({ frames, messages, monotonicMillis, starts }: Batch<MarketEvent>): void {
    for (let i = 0; i < frames.length; i++) {
      const frame = frames[i]
      const first = messages[starts[i] ?? 0]
      if (frame !== undefined && first?._tag === "Other") this.books.hear(frame, [first], monotonicMillis)
    }
  }

  /** Tells a watcher of each change of a channel's book from now on. Returns what ends that. */
  watch(channel: Channel.Channel, watcher: Watcher): () => void {
    const topics = this.topicsOf(channel)
    const key = Channel.key(channel)
    for (const { name, product } of topics) {
      const one = this.find(name, product) ?? this.begun(name, product)
      const known = one.by.get(key)
      known?.watchers.add(watcher)
      if (known !== undefined) continue
      const depth = this.options.venue.books?.depthOf?.(channel)
      const watching: Watching = { channel, depth, watchers: new Set([watcher]), isWhole: false }
      one.by.set(key, watching)
      one.isShared ||= one.by.size > 1
      const book = this.books.get(name, product)
      if (book === undefined || !this.isWhole(one, watching, book)) this.ensureWhole([one], firstWaitMillis)
      else this.becameWhole(one, watching)
    }
    return () => {
      for (const { name, product } of topics) {
        const one = this.find(name, product)
        const watching = one?.by.get(key)
        if (one === undefined || watching?.watchers.delete(watcher) !== true || watching.watchers.size > 0) continue
        one.by.delete(key)
        this.settle(one)
        if (one.by.size > 0) continue
        this.watched.get(name)?.delete(product)
        this.stopFetching(one)
        // Who asks for it later begins with a snapshot of then.
        this.books.forget(name, product)
      }
    }
  }

  private begun(name: string, product: string): Watched {
    const one: Watched = {
      name,
      product,
      by: new Map(),
      isShared: false,
      isResyncing: false,
      isFetching: false,
      fetching: undefined
    }
    const ofName = this.watched.get(name)
    if (ofName === undefined) this.watched.set(name, new Map([[product, one]]))
    else ofName.set(product, one)
    return one
  }

  // Whether a channel's book is, which may be of more levels than those that there are.
  private isWhole({ isShared }: Watched, { depth = 0 }: Watching, book: Book): boolean {
    return isShared ? book.isWholeTo(depth) : book.isWhole
  }

  /** Whether somebody is told of a channel's book, so that it is kept. */
  isWatched(channel: Channel.Channel): boolean {
    const key = Channel.key(channel)
    return this.topicsOf(channel).some(({ name, product }) => this.find(name, product)?.by.has(key) === true)
  }

  /** The book of a channel as it is now. */
  read(channel: Channel.Channel, view: View): OrderBook {
    const found = this.bookOf(channel)
    const one = found === undefined ? undefined : this.find(found.channel, found.product)
    return found === undefined
      ? {
        ...this.identity(channel),
        _tag: "Syncing",
        reason: "no snapshot yet",
        sequence: undefined,
        timestamp: undefined,
        checksum: undefined
      }
      : this.valueOf(channel, found, found.last, view, one, one?.by.get(Channel.key(channel)))
  }

  private begin(): Books {
    return new Books(this.options.venue, {
      asked: this.options.asked,
      isUnchecked: this.options.isUnchecked,
      keeps: (channel, product) => this.find(channel, product) !== undefined,
      onlyOf: (channel) => {
        const [product, ...others] = this.watched.get(channel)?.keys() ?? []
        return others.length === 0 ? product : undefined
      }
    })
  }

  private all(): ReadonlyArray<Watched> {
    return [...this.watched.values()].flatMap((ofName) => [...ofName.values()])
  }

  private find(name: string, product: string): Watched | undefined {
    return this.watched.get(name)?.get(product)
  }

  private topicsOf(channel: Channel.Channel): ReadonlyArray<Topic & { readonly product: string }> {
    const { venue } = this.options
    const isOfOrders = channel.channel === venue.books?.orders?.channel
    const topics = isOfOrders
      ? [{ name: channel.channel }]
      : venue.topics?.(channel) ?? [{ name: channel.channel, product: channel.product }]
    return topics.map(({ name, product = channel.product ?? "" }) => ({ name, product }))
  }

  private bookOf(channel: Channel.Channel): Book | undefined {
    for (const { name, product } of this.topicsOf(channel)) {
      const book = this.books.get(name, product)
      if (book !== undefined) return book
    }
    return undefined
  }

  private identity({ channel, product = "" }: Channel.Channel) {
    return { venue: this.options.venue.name, product, channel }
  }

  private valueOf(
    channel: Channel.Channel,
    book: Book,
    event: Book["last"],
    view: View,
    one: Watched | undefined,
    watching: Watching | undefined
  ): OrderBook {
    const most = one?.isShared === true ? watching?.depth ?? Infinity : Infinity
    const { levels } = book
    const isPartial = most < Infinity && book.isWhole && !book.isWholeTo(most)
    const standing: Standing = isPartial
      ? { _tag: "Syncing", reason: "its deeper levels are asked for" }
      : book.standing
    const of = {
      ...this.identity(channel),
      tradingStatus: book.tradingStatus,
      sequence: event?.sequence,
      timestamp: event?.timestamp,
      checksum: event?.checksum
    }
    if (standing._tag === "Syncing" || standing._tag === "Gapped") return { ...of, ...standing }
    const ladder = {
      ...book.top(view.depth > most ? { ...view, depth: most } : view),
      bidLevels: Math.min(levels.bids.count, most),
      askLevels: Math.min(levels.asks.count, most)
    }
    return standing._tag === "Live"
      ? {
        ...of,
        ...ladder,
        _tag: "Live",
        provenLevels: this.options.venue.books?.checksum === undefined ? undefined : 10
      }
      : { ...of, ...ladder, ...standing }
  }

  private changed({ book, event }: Change, broken: Array<Watched>): void {
    const one = this.find(book.channel, book.product)
    if (one === undefined) return
    const { standing } = book
    for (const watching of one.by.values()) {
      if (standing._tag === "Gapped" && standing.cause !== "disconnect") {
        this.options.onBroken(watching.channel, standing.cause)
        if (!one.isResyncing && !broken.includes(one)) broken.push(one)
      }
      if (!this.isWhole(one, watching, book)) watching.isWhole = false
      else if (!watching.isWhole) this.becameWhole(one, watching)
      if (book.isMarkedUnverified && standing._tag === "Unverified") this.warnUnverified(one, standing.reason)
      for (const watcher of watching.watchers) {
        watcher.onChange(this.valueOf(watching.channel, book, event, watcher, one, watching))
      }
    }
    // After it was told what the book is now: the snapshot may be there before the fiber is.
    if (book.needsSnapshot && !one.isFetching) {
      one.isFetching = true
      one.fetching = this.options.fork(this.sync(one, book, this.books, firstAgainMillis))
    }
  }

  private becameWhole(one: Watched, watching: Watching): void {
    watching.isWhole = true
    this.settle(one)
    this.options.onWhole(watching.channel)
  }

  // Nobody has to see to it any more, once all who have it have it whole.
  private settle(one: Watched): void {
    if ([...one.by.values()].every(({ isWhole }) => isWhole)) one.isResyncing = false
  }

  // Is told once of each book, and once of the numbers that are those of all books.
  private warnUnverified(one: Watched, reason: string): void {
    const whose = this.books.unverified === undefined ? one : this
    if (this.warned.has(whose)) return
    this.warned.add(whose)
    this.options.onUnverified(reason)
  }

  private stopFetching(one: Watched): void {
    const { fetching } = one
    one.isFetching = false
    one.fetching = undefined
    if (fetching !== undefined) this.options.fork(Fiber.interrupt(fetching))
  }

  // Gets the snapshot of a book, and another one while the changes that wait do not follow it.
  private sync(one: Watched, book: Book, books: Books, againMillis: number): Effect.Effect<void> {
    const { fetch } = this.options
    if (fetch === undefined) {
      return Effect.sync(() => book.snapshotFailed("its snapshot is asked for over HTTP, and there is no HttpPort"))
    }
    return Effect.matchEffect(fetch(book.channel, book.product), {
      onFailure: ({ message }) =>
        Effect.andThen(
          Effect.sync(() => book.snapshotFailed(message)),
          Effect.logWarning("no snapshot of a book").pipe(
            Effect.annotateLogs({ connection: this.options.venue.name, product: book.product, error: message })
          )
        ),
      onSuccess: (snapshot) =>
        Effect.suspend(() => {
          if (books.isOver || book.isWhole) return Effect.void
          if (!book.applyRestSnapshot(snapshot)) {
            const again = this.sync(one, book, books, Math.min(againMillis * 2, mostWaitMillis))
            return this.options.isReplay ? again : Effect.delay(again, againMillis)
          }
          one.isFetching = false
          for (const watching of one.by.values()) this.becameWhole(one, watching)
          for (const { watchers } of one.by.values()) for (const { onSynced } of watchers) onSynced?.()
          return Effect.void
        })
    })
  }

  // Sees to it that books become whole which are not after so long. Those whose snapshot is asked for over HTTP see to
  // themselves.
  private ensureWhole(all: ReadonlyArray<Watched>, waitMillis: number): void {
    const { venue } = this.options
    const ours = all.filter(({ isResyncing, name }) =>
      !isResyncing && name !== venue.books?.orders?.channel &&
      (venue.rest?.book === undefined || venue.books?.isWhole?.(name) === true)
    )
    if (ours.length === 0 || this.options.isReplay) return
    for (const one of ours) one.isResyncing = true
    const { books } = this
    const isWanted = (one: Watched): boolean =>
      !books.isOver && this.books === books && one.isResyncing && this.find(one.name, one.product) === one
    this.options.fork(resync(ours, { isWanted, resubscribe: this.options.resubscribe }, waitMillis))
  }
}
