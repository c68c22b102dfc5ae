/**
 * The feeds of several venues as one: one stream of everything, each event with
 * its venue's name and its venue's own symbols, and each venue's feed by itself.
 *
 * The venues have nothing in common but the transport and the budgets of their
 * limits: each has its own connection, policy and breaker, and one that fails,
 * refuses or ends does not touch the others. Which venues there are, and what is
 * asked of them, can change while it runs; what does not change is not touched.
 *
 * **Example** (the prices of two venues)
 *
 * ```ts
 * const program = Effect.gen(function*() {
 *   const feeds = yield* MarketFeeds.make([
 *     { venue: CoinbaseExchange.venue, products: ["BTC-USD"] },
 *     { venue: Kraken.venue, products: ["BTC-USD"] } // asked for as BTC/USD, by the symbol table
 *   ])
 *   yield* Stream.runForEach(feeds.events(), (event) => Console.log(event.venue, event._tag))
 * })
 * ```
 *
 * @since 0.1.0
 */
import type { NonEmptyReadonlyArray } from "effect/Array"
import type * as Cause from "effect/Cause"
import type * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import { ConnectionClosed } from "../connection/ConnectError.ts"
import * as Inbox from "../connection/Inbox.ts"
import * as Reconnection from "../connection/Reconnection.ts"
import type * as MarketData from "../event/MarketData.ts"
import type * as MarketEvent from "../event/MarketEvent.ts"
import * as Symbols from "../protocol/Symbols.ts"
import type { CircuitBreaker } from "../resilience/CircuitBreaker.ts"
import type { ConnectionPolicy } from "../resilience/ConnectionPolicy.ts"
import type { Transport } from "../transport/Transport.ts"
import * as Channel from "../value/Channel.ts"
import { type ChannelKind, channelOf, type Venue } from "../venue/Venue.ts"
import * as MarketFeed from "./MarketFeed.ts"

/**
 * Two entries name the same venue, whose events could not be told apart.
 *
 * @category errors
 * @since 0.1.0
 */
export class DuplicateVenue extends Schema.TaggedError<DuplicateVenue>()("DuplicateVenue", {
  venue: Schema.String
}) {
  override get message(): string {
    return `${this.venue} is named twice`
  }
}

/**
 * A venue, and what is asked of it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Entry extends MarketFeed.Options {
  readonly venue: Venue
  /** Products, by the names of the symbol table or by the venue's own symbols. */
  readonly products?: ReadonlyArray<string> | undefined
  /** The kinds of data of the products. Default: `["trade"]`. Besides them the entry may name `channels`. */
  readonly kinds?: ReadonlyArray<ChannelKind> | undefined
  /** How the venue's connection comes back. Default: as the surrounding `Reconnection` has it. */
  readonly policy?: ConnectionPolicy | undefined
}

/**
 * What a change of the entries came to, as names of venues: those that are new,
 * gone, dialled anew because more than their channels changed or because they
 * had ended, asked for other channels on the connection that they have, and
 * left as they are.
 *
 * @category models
 * @since 0.1.0
 */
export interface Change {
  readonly added: ReadonlyArray<string>
  readonly removed: ReadonlyArray<string>
  readonly replaced: ReadonlyArray<string>
  readonly resubscribed: ReadonlyArray<string>
  readonly kept: ReadonlyArray<string>
}

/**
 * The feeds of several venues.
 *
 * @category services
 * @since 0.1.0
 */
export class MarketFeeds extends Context.Service<MarketFeeds, {
  /** The table by which products are asked for. */
  readonly symbols: Symbols.Symbols
  /**
   * Everything from every venue. Each venue's events are in order; between
   * venues they come as they arrive. A venue's failure is the last of its
   * `Connection` events, and the stream goes on; it ends when the last venue has
   * ended, and fails only where this consumer asked to be failed (`overflow`).
   * It waits for the first venue, and follows those that come later.
   */
  readonly events: (
    options?: Inbox.ConsumerOptions | undefined
  ) => Stream.Stream<MarketEvent.AnyEvent, Inbox.ConsumerOverflow>
  /**
   * Trades of a product from every venue that has it, by its common name, which
   * each of them has as `name` beside the venue's own symbol. The product is
   * subscribed to while the stream runs, besides what the entries ask for. A
   * venue that refuses it is passed over: its events and the log say so.
   */
  readonly trades: (
    product: string,
    options?: Inbox.ConsumerOptions | undefined
  ) => Stream.Stream<MarketData.Trade, Inbox.ConsumerOverflow>
  /** Tickers of a product from every venue that has it, as `trades`. */
  readonly ticker: (
    product: string,
    options?: Inbox.ConsumerOptions | undefined
  ) => Stream.Stream<MarketData.Ticker, Inbox.ConsumerOverflow>
  /** Bare prices of a product from every venue that sends such, as `trades`. */
  readonly prices: (
    product: string,
    options?: Inbox.ConsumerOptions | undefined
  ) => Stream.Stream<MarketData.PriceUpdate, Inbox.ConsumerOverflow>
  /** A venue's feed by the venue's name, or `undefined`. */
  readonly get: (venue: string) => MarketFeed.MarketFeed["Service"] | undefined
  /** The feeds there are, in the order of the entries. */
  readonly all: Effect.Effect<ReadonlyArray<MarketFeed.MarketFeed["Service"]>>
  /**
   * Makes the feeds be those of the entries, and nothing else: comes back when
   * what is gone is closed and what is new is on its way. What cannot be is
   * refused before anything is touched, and everything where their scope has closed.
   */
  readonly set: (
    entries: ReadonlyArray<Entry>
  ) => Effect.Effect<Change, MarketFeed.UnknownChannel | DuplicateVenue | ConnectionClosed>
}>()("@tickline/core/market/MarketFeeds") {}

/**
 * The channels of a venue for kinds and products, by the venue's own symbols. A
 * venue that has one channel for everything has it for every kind.
 *
 * @category getters
 * @since 0.1.0
 */
export const channelsOf = (
  venue: Venue,
  kinds: ReadonlyArray<ChannelKind>,
  products: ReadonlyArray<string>
): Result.Result<ReadonlyArray<Channel.Channel>, MarketFeed.UnknownChannel> => {
  const offered = [...new Set(Object.values(venue.channels))]
  const found = new Map<string, Channel.Channel>()
  for (const kind of kinds) {
    const name = venue.channels[kind] ?? (offered.length === 1 ? offered[0] : undefined)
    if (name === undefined) return Result.fail(new MarketFeed.UnknownChannel({ venue: venue.name, kind }))
    for (const product of products) {
      const channel = channelOf(venue, name, product)
      found.set(Channel.key(channel), channel)
    }
  }
  return Result.succeed([...found.values()])
}

interface Wanted {
  readonly entry: Entry
  readonly channels: ReadonlyArray<Channel.Channel>
}

interface Member extends Wanted {
  readonly feed: MarketFeed.MarketFeed["Service"]
  readonly scope: Scope.Closeable
  /** While it is open, the channels are wanted. */
  readonly subscribed: Scope.Closeable
}

// Who reads all feeds, those that come later as well.
interface Consumer {
  /** Reads a feed too, until that ends or the consumer does. */
  readonly follow: (feed: MarketFeed.MarketFeed["Service"]) => Effect.Effect<void>
  /** Ends it if it follows no feed any more. */
  readonly endIfDone: () => void
  readonly end: () => void
}

// How many batches may stand between the feeds and a consumer of all of them; behind it the feeds' own bounds hold, and
// what is conflated there is not old when it is read.
const betweenBatches = 1

const isOverflow = (error: unknown): error is Inbox.ConsumerOverflow => error instanceof Inbox.ConsumerOverflow

// What an entry says apart from its channels: where this is the same, the connection can stay.
const settingsOf = ({ channels: _, kinds: __, products: ___, ...settings }: Entry) => settings

const isSame = (a: ReadonlyArray<Channel.Channel>, b: ReadonlyArray<Channel.Channel>): boolean => {
  const keys = new Set(a.map(Channel.key))
  return a.length === b.length && b.every((channel) => keys.has(Channel.key(channel)))
}

type Requirements = Scope.Scope | Transport | Reconnection.Reconnection | CircuitBreaker

/**
 * Makes feeds of no venue yet: who consumes `events` before `set` sees the
 * first connects too. All end with the scope, at the same time.
 *
 * @category constructors
 * @since 0.1.0
 */
export const prepare = Effect.fnUntraced(function*(
  options: { readonly symbols?: Symbols.Symbols | undefined } = {}
): Effect.fn.Return<MarketFeeds["Service"], never, Requirements> {
  const symbols = options.symbols ?? Symbols.byRule
  const context = yield* Effect.context<Transport | Reconnection.Reconnection | CircuitBreaker>()
  const lock = yield* Semaphore.make(1)
  const consumers = new Set<Consumer>()
  let members: ReadonlyMap<string, Member> = new Map()
  let isChanging = false
  let isClosed = false

  // The streams that `read` gives of the feeds as one. What ends one of them is told by its feed's events.
  const merged = <A, E>(
    read: (feed: MarketFeed.MarketFeed["Service"]) => Stream.Stream<A, E | Inbox.ConsumerOverflow>
  ): Stream.Stream<A, Inbox.ConsumerOverflow> =>
    Stream.unwrap(Effect.gen(function*() {
      const scope = yield* Effect.scope
      const queue = yield* Queue.bounded<NonEmptyReadonlyArray<A>, Inbox.ConsumerOverflow | Cause.Done>(betweenBatches)
      // The feeds that it follows and that have not ended.
      let live = 0
      const consumer: Consumer = {
        follow: (feed) => {
          live++
          return read(feed).pipe(
            Stream.runForEachArray((items) => Queue.offer(queue, items)),
            Effect.catch((error) => isOverflow(error) ? Queue.fail(queue, error) : Effect.void),
            Effect.ensuring(Effect.sync(() => {
              live--
              consumer.endIfDone()
            })),
            Effect.forkIn(scope, { startImmediately: true }),
            Effect.asVoid
          )
        },
        endIfDone: () => {
          if (live === 0 && !isChanging) Queue.endUnsafe(queue)
        },
        end: () => Queue.endUnsafe(queue)
      }
      yield* Effect.addFinalizer(() => Effect.sync(() => consumers.delete(consumer)))
      consumers.add(consumer)
      if (isClosed) consumer.end()
      yield* Effect.forEach([...members.values()], ({ feed }) => consumer.follow(feed), { discard: true })
      return Stream.flattenIterable(Stream.fromQueue(queue))
    }))

  // A name that is another product's symbol at a venue, as `BTC-USD` is a perpetual's at dYdX, asks that venue for nothing.
  const ofProduct = <A, E>(
    product: string,
    read: (feed: MarketFeed.MarketFeed["Service"]) => Stream.Stream<A, E | Inbox.ConsumerOverflow>
  ): Stream.Stream<A, Inbox.ConsumerOverflow> =>
    merged((feed) => {
      const isName = symbols.symbolOf(feed.venue, product) !== undefined
      const isOther = !isName && (symbols.nameOf(feed.venue, product) ?? product) !== product
      return isOther ? Stream.empty : read(feed)
    })

  const close = ({ feed, scope }: Member): Effect.Effect<void> =>
    Effect.andThen(feed.connection.close(), Scope.close(scope, Exit.void))

  const closeAll = (gone: Iterable<Member>): Effect.Effect<void> =>
    Effect.forEach(gone, close, { concurrency: "unbounded", discard: true })

  const subscribe = Effect.fnUntraced(function*(
    feed: MarketFeed.MarketFeed["Service"],
    scope: Scope.Scope,
    channels: ReadonlyArray<Channel.Channel>
  ) {
    const subscribed = yield* Scope.fork(scope)
    yield* Scope.provide(feed.subscribe(channels), subscribed)
    return subscribed
  })

  const open = Effect.fnUntraced(function*(
    { channels, entry }: Wanted
  ): Effect.fn.Return<Member, ConnectionClosed> {
    const scope = yield* Scope.make()
    const own = entry.policy === undefined
      ? context
      : Context.merge(context, yield* Layer.buildWithScope(Reconnection.layerWithBreaker(entry.policy), scope))
    const feed = yield* MarketFeed.prepare(entry.venue, { symbols, ...entry, channels: undefined }).pipe(
      Scope.provide(scope),
      Effect.provideContext(own)
    )
    return { entry, channels, feed, scope, subscribed: yield* subscribe(feed, scope, channels) }
  })

  // Other channels on the connection that there is: the new ones are asked for before the old ones are given up.
  const resubscribe = Effect.fnUntraced(function*(
    member: Member,
    wanted: Wanted
  ): Effect.fn.Return<Member, ConnectionClosed> {
    const subscribed = yield* subscribe(member.feed, member.scope, wanted.channels)
    yield* Scope.close(member.subscribed, Exit.void)
    return { ...member, ...wanted, subscribed }
  })

  const read = (
    entries: ReadonlyArray<Entry>
  ): Result.Result<ReadonlyMap<string, Wanted>, MarketFeed.UnknownChannel | DuplicateVenue> => {
    const wanted = new Map<string, Wanted>()
    for (const entry of entries) {
      const { name } = entry.venue
      if (wanted.has(name)) return Result.fail(new DuplicateVenue({ venue: name }))
      const products = (entry.products ?? []).map((product) => Symbols.resolve(symbols, entry.venue, product))
      const channels = channelsOf(entry.venue, entry.kinds ?? ["trade"], products)
      if (Result.isFailure(channels)) return Result.fail(channels.failure)
      wanted.set(name, { entry, channels: [...entry.channels ?? [], ...channels.success] })
    }
    return Result.succeed(wanted)
  }

  const hasEnded = ({ feed }: Member): Effect.Effect<boolean> =>
    Effect.map(feed.connection.state.current, ({ _tag }) => _tag === "Failed" || _tag === "Disconnected")

  const change = Effect.fnUntraced(function*(
    wanted: ReadonlyMap<string, Wanted>
  ): Effect.fn.Return<Change, ConnectionClosed> {
    const of: { readonly [Key in keyof Change]: Array<string> } = {
      added: [],
      removed: [],
      replaced: [],
      resubscribed: [],
      kept: []
    }
    const gone: Array<Member> = []
    for (const [name, member] of members) {
      const next = wanted.get(name)
      if (next === undefined) of.removed.push(name)
      else if ((yield* hasEnded(member)) || !Equal.equals(settingsOf(member.entry), settingsOf(next.entry))) {
        of.replaced.push(name)
      } else if (isSame(member.channels, next.channels)) of.kept.push(name)
      else of.resubscribed.push(name)
      if (next === undefined || of.replaced.includes(name)) gone.push(member)
    }
    yield* closeAll(gone)
    const after = new Map<string, Member>()
    const fresh: Array<Member> = []
    for (const [name, next] of wanted) {
      const member = members.get(name)
      if (member === undefined || gone.includes(member)) {
        if (member === undefined) of.added.push(name)
        const opened = yield* open(next)
        fresh.push(opened)
        after.set(name, opened)
      } else {
        after.set(name, of.resubscribed.includes(name) ? yield* resubscribe(member, next) : member)
      }
    }
    // From here on a new consumer follows these by itself.
    members = after
    const following = [...consumers]
    for (const member of fresh) {
      yield* Effect.forEach(following, (consumer) => consumer.follow(member.feed), { discard: true })
      yield* Effect.forkIn(Effect.ignore(member.feed.connection.connect), member.scope, { startImmediately: true })
    }
    return of
  })

  // A change that is under way ends first: what it opens is closed.
  yield* Effect.addFinalizer(() =>
    Effect.suspend(() => {
      const last = members
      members = new Map()
      isClosed = true
      return Effect.andThen(
        closeAll(last.values()),
        Effect.sync(() => consumers.forEach(({ endIfDone }) => endIfDone()))
      )
    }).pipe(lock.withPermits(1))
  )

  return {
    symbols,
    get: (venue) => members.get(venue)?.feed,
    all: Effect.sync(() => Array.from(members.values(), ({ feed }) => feed)),
    set: (entries) =>
      Effect.flatMap(
        Effect.fromResult(read(entries)),
        (wanted) =>
          Effect.suspend((): Effect.Effect<Change, ConnectionClosed> => {
            if (isClosed) return Effect.fail(new ConnectionClosed())
            isChanging = true
            return change(wanted)
          }).pipe(
            Effect.ensuring(Effect.sync(() => {
              isChanging = false
              consumers.forEach(({ endIfDone }) => endIfDone())
            })),
            Effect.uninterruptible,
            lock.withPermits(1)
          )
      ),
    events: (consumer) => merged((feed) => feed.events(consumer)),
    trades: (product, consumer) => ofProduct(product, (feed) => feed.trades(product, consumer)),
    ticker: (product, consumer) => ofProduct(product, (feed) => feed.ticker(product, consumer)),
    prices: (product, consumer) => ofProduct(product, (feed) => feed.prices(product, consumer))
  }
})

/**
 * Makes the feeds of the entries and sends them on their way. Nobody waits for
 * the connections: their events and states tell what becomes of them.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  entries: ReadonlyArray<Entry>,
  options?: { readonly symbols?: Symbols.Symbols | undefined } | undefined
): Effect.Effect<
  MarketFeeds["Service"],
  MarketFeed.UnknownChannel | DuplicateVenue | ConnectionClosed,
  Requirements
> => Effect.tap(prepare(options), (feeds) => feeds.set(entries))

/**
 * Feeds of the entries, on their way when the layer is built.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  entries: ReadonlyArray<Entry>,
  options?: { readonly symbols?: Symbols.Symbols | undefined } | undefined
): Layer.Layer<
  MarketFeeds,
  MarketFeed.UnknownChannel | DuplicateVenue | ConnectionClosed,
  Transport | Reconnection.Reconnection | CircuitBreaker
> => Layer.effect(MarketFeeds, make(entries, options))

/**
 * As `layer`, with entries from the configuration.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (
  entries: Config.Config<ReadonlyArray<Entry>>,
  options?: { readonly symbols?: Symbols.Symbols | undefined } | undefined
): Layer.Layer<
  MarketFeeds,
  MarketFeed.UnknownChannel | DuplicateVenue | ConnectionClosed | Config.ConfigError,
  Transport | Reconnection.Reconnection | CircuitBreaker
> => Layer.unwrap(Effect.map(entries, (entries) => layer(entries, options)))
