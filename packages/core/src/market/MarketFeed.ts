/**
 * Typed streams of market data from one venue, over one connection that comes
 * back by itself: what was subscribed to before a drop is subscribed to after
 * it, and what was missed in between is said, as a `Gap` per product and
 * channel.
 *
 * **Example** (ten lines that print prices)
 *
 * ```ts
 * const program = Effect.gen(function*() {
 *   const feed = yield* MarketFeed.MarketFeed
 *   yield* feed.trades("BTC-USD").pipe(
 *     Stream.take(5),
 *     Stream.runForEach((trade) => Console.log(trade.product, Decimal.format(trade.price)))
 *   )
 * })
 * ```
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import type * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { BearerToken } from "../connection/BearerToken.ts"
import type * as ConnectError from "../connection/ConnectError.ts"
import type * as Connection from "../connection/Connection.ts"
import type * as ConnectionState from "../connection/ConnectionState.ts"
import type * as Inbox from "../connection/Inbox.ts"
import { internals } from "../connection/internal/connectionInternals.ts"
import type { SubscriptionState } from "../connection/internal/subscriptionStates.ts"
import type * as Observer from "../connection/Observer.ts"
import type { Reconnection } from "../connection/Reconnection.ts"
import type * as Lifecycle from "../event/Lifecycle.ts"
import type * as MarketData from "../event/MarketData.ts"
import type * as MarketEvent from "../event/MarketEvent.ts"
import type * as Dialect from "../protocol/Dialect.ts"
import type * as KeepAlive from "../protocol/KeepAlive.ts"
import * as Symbols from "../protocol/Symbols.ts"
import type { CircuitBreaker } from "../resilience/CircuitBreaker.ts"
import { Transport } from "../transport/Transport.ts"
import type * as Channel from "../value/Channel.ts"
import * as Monotonic from "../value/Monotonic.ts"
import { restAt } from "../venue/internal/rest.ts"
import { type ChannelKind, channelOf, normalise, normalised, type Venue } from "../venue/Venue.ts"
import type * as Backfill from "./Backfill.ts"
import type * as Freshness from "./Freshness.ts"
import * as Arrivals from "./internal/arrivals.ts"
import * as Backfills from "./internal/backfill.ts"
import * as ChannelCounts from "./internal/channelCounts.ts"
import * as ChannelRouter from "./internal/channelRouter.ts"
import * as CompanionChannels from "./internal/companionChannels.ts"
import * as FeedBooks from "./internal/feedBooks.ts"
import * as FeedConnections from "./internal/feedConnections.ts"
import * as FeedHealth from "./internal/feedHealth.ts"
import * as FeedMetrics from "./internal/feedMetrics.ts"
import * as FreshnessTracker from "./internal/freshnessTracker.ts"
import { GapLedger } from "./internal/gapLedger.ts"
import * as LedgerChanges from "./internal/ledgerChanges.ts"
import { Legs } from "./internal/legs.ts"
import { LegsConnection } from "./internal/legsConnection.ts"
import * as LifecycleEvents from "./internal/lifecycleEvents.ts"
import { Products } from "./internal/products.ts"
import * as ReplayedLegs from "./internal/replayedLegs.ts"
import * as Rotations from "./internal/rotation.ts"
import * as SilentSubscriptions from "./internal/silentSubscriptions.ts"
import type * as Ledger from "./Ledger.ts"
import type * as OrderBook from "./OrderBook.ts"
import type * as Redundancy from "./Redundancy.ts"
import type * as Rotation from "./Rotation.ts"

/**
 * The venue has no channel of that kind.
 *
 * @category errors
 * @since 0.1.0
 */
export class UnknownChannel extends Schema.TaggedError<UnknownChannel>()("UnknownChannel", {
  venue: Schema.String,
  kind: Schema.String
}) {
  override get message(): string {
    return `${this.venue} has no channel for ${this.kind}`
  }
}

/**
 * Why a feed's stream ended before its consumer wanted it to.
 *
 * @category models
 * @since 0.1.0
 */
export type FeedError = ConnectError.ConnectError | Inbox.ConsumerOverflow

/**
 * Why the stream of one product ended before its consumer wanted it to, besides:
 * the venue has no such channel, or refuses it.
 *
 * @category models
 * @since 0.1.0
 */
export type ProductError = FeedError | UnknownChannel | ConnectError.SubscriptionRefused

/**
 * How a feed is made.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** Another endpoint than the venue's own; needed where it has none. */
  readonly url?: string | undefined
  /** Where its REST interface is, which an `HttpPort` asks. Default: the venue's own, or that of the host of `url`. */
  readonly rest?: string | undefined
  /** Channels to subscribe to from the start, for as long as the feed lives. */
  readonly channels?: ReadonlyArray<Channel.Channel> | undefined
  /** The token for the `Authorization: Bearer` header. Default: none. */
  readonly auth?: BearerToken | undefined
  /** Headers of the upgrade request; secrets as `Redacted`. */
  readonly headers?: Readonly<Record<string, string | Redacted.Redacted<string>>> | undefined
  /** By when a subscription is to deliver, and what counts as fresh; `"none"` watches nothing. Default: `recommended`. */
  readonly freshness?: Freshness.Policy | "none" | undefined
  /** How asks for channels are signed, where the venue wants it: see `session/CoinbaseExchangeSigning`. Default: they are not. */
  readonly signing?: Dialect.Signing | undefined
  /** What sees each batch in the callback that read it, with its epoch and before any queue; see `Observer`. */
  readonly observe?: ReadonlyArray<Observer.NamedObserver<MarketEvent.MarketEvent>> | undefined
  /** The table by which products are asked for by common names, and events get theirs. Default: the venue's rule. */
  readonly symbols?: Symbols.Symbols | undefined
  /** How the connection is kept alive. Default: as the venue says. */
  readonly keepAlive?: KeepAlive.KeepAlive<MarketEvent.MarketEvent> | undefined
  /** When the connection is replaced by a new one before the old one ends. Default: as the venue's own limit asks. */
  readonly rotation?: Rotation.Policy | undefined
  /** Several connections side by side. Default: one. */
  readonly redundancy?: Redundancy.Policy | undefined
  /** Whether order books are checked by the venue's own method; if not, they are `Unverified`. Default: `true`. */
  readonly checksBooks?: boolean | undefined
  /** How trades that were missed are fetched, where they can be; `"none"` fetches none. Default: see `Backfill`. */
  readonly backfill?: Backfill.Policy | "none" | undefined
  /** Hosts, besides loopback, to which a secret may travel over plain `ws://`. */
  readonly plaintextHosts?: ReadonlyArray<string> | undefined
}

/**
 * How a feed is: the connection's state, its epoch and when it was last heard
 * (epoch milliseconds), where each subscription stands, and how fresh its data
 * is.
 *
 * @category models
 * @since 0.1.0
 */
export interface Health {
  readonly venue: string
  readonly state: ConnectionState.ConnectionState["_tag"]
  readonly epoch: number
  readonly lastHeardAt: number | undefined
  readonly subscriptions: ReadonlyArray<
    { readonly channel: Channel.Channel; readonly standing: SubscriptionState }
  >
  readonly freshness: ReadonlyArray<Freshness.Report>
}

/**
 * Market data of one venue.
 *
 * @category services
 * @since 0.1.0
 */
export class MarketFeed extends Context.Service<MarketFeed, {
  /** The venue whose data this is. */
  readonly venue: Venue
  /**
   * Trades of a product, by its common name or the venue's own symbol,
   * subscribed to while the stream runs. Of all streams of a feed: a consumer more than 4 MiB behind fails with `ConsumerOverflow`,
   * where its options say nothing else.
   */
  readonly trades: (
    product: string,
    options?: Inbox.ConsumerOptions | undefined
  ) => Stream.Stream<MarketData.Trade, ProductError>
  /** Tickers of a product, subscribed to while the stream runs. */
  readonly ticker: (
    product: string,
    options?: Inbox.ConsumerOptions | undefined
  ) => Stream.Stream<MarketData.Ticker, ProductError>
  /** Bare prices of a product, from venues that send such, subscribed to while the stream runs. */
  readonly prices: (
    product: string,
    options?: Inbox.ConsumerOptions | undefined
  ) => Stream.Stream<MarketData.PriceUpdate, ProductError>
  /**
   * The order book of a product, subscribed to while the stream runs: first as it is, then the newest after each change,
   * of which some are left out where the consumer is slower. Checked by the venue's own method, and asked for anew
   * where that shows a break.
   */
  readonly book: (
    product: string,
    options?: OrderBook.Options | undefined
  ) => Stream.Stream<OrderBook.OrderBook, ProductError>
  /**
   * Shows each change of the order book of a product, in the callback that read it, until the scope ends. It must be
   * quick and must not throw.
   */
  readonly observeBook: (
    product: string,
    onChange: (book: OrderBook.OrderBook) => void,
    options?: OrderBook.Options | undefined
  ) => Effect.Effect<void, UnknownChannel | ConnectError.ConnectionClosed, Scope.Scope>
  /**
   * Everything, in order: market data, what the venue said, frames that were
   * refused, and the life of the connection with its gaps.
   */
  readonly events: (
    options?: Inbox.ConsumerOptions | undefined
  ) => Stream.Stream<MarketEvent.AnyEvent, FeedError>
  /** Subscribes to channels by the venue's own names until the scope ends. */
  readonly subscribe: (
    channels: ReadonlyArray<Channel.Channel>
  ) => Effect.Effect<void, ConnectError.ConnectionClosed, Scope.Scope>
  /** The channel for a kind and a product, in the venue's own names. */
  readonly channel: (kind: ChannelKind, product: string) => Effect.Effect<Channel.Channel, UnknownChannel>
  /** Where each subscription stands in this epoch, and why the venue refuses it, if it does. */
  readonly subscriptions: Effect.Effect<
    ReadonlyArray<{
      readonly channel: Channel.Channel
      readonly standing: Health["subscriptions"][number]["standing"]
      readonly refusal: ConnectError.SubscriptionRefused | undefined
    }>
  >
  /** Whether the feed is up, where each subscription stands, and how fresh its data is. */
  readonly health: Effect.Effect<Health>
  /** What was received, handed on and shed of each product and channel, and its gaps. */
  readonly ledger: Effect.Effect<Ledger.Ledger>
  /** The ledger as it is, then after each change of its gaps and times of being live: the newest, for who is slow. */
  readonly ledgerChanges: Stream.Stream<Ledger.Ledger>
  /** The connections that there are, and how each of them does. */
  readonly legs: Effect.Effect<ReadonlyArray<Redundancy.Report>>
  /**
   * Replaces each connection by a new one, without a gap; see `Rotation`. Completes when the old ones are closed. Who is
   * interrupted leaves it to go on.
   */
  readonly rotate: Effect.Effect<ReadonlyArray<Lifecycle.Rotated>, Rotation.NotRotated>
  /** The connection under the feed: its state, its metrics, its breaker. Of several, one that is up stands for all; requests are of that one. */
  readonly connection: Connection.Connection<MarketEvent.MarketEvent>
}>()("@tickline/core/market/MarketFeed") {}

/**
 * Makes a feed that is not connected yet: `feed.connection.connect` does that,
 * and who consumes `events` before it sees the first connect too. It ends with
 * the scope.
 *
 * @category constructors
 * @since 0.1.0
 */
export const prepare = Effect.fnUntraced(function*(
  venue: Venue,
  options: Options = {}
): Effect.fn.Return<
  MarketFeed["Service"],
  never,
  Scope.Scope | Transport | Reconnection | CircuitBreaker
> {
  const symbols = options.symbols ?? Symbols.byRule
  const isQuiet = venue.isQuiet ?? ((channel: string) => channel === venue.channels.trade)
  const freshness = FreshnessTracker.make(options.freshness === "none" ? undefined : options.freshness, isQuiet)
  const products = new Products(venue, symbols)
  const router = ChannelRouter.make(venue, products)
  const metrics = yield* FeedMetrics.make(venue.name)
  const clock = yield* Clock.Clock
  const { leftOut, replay } = yield* Transport
  const ledger = new GapLedger({
    venue: venue.name,
    metrics,
    leftOut: () => leftOut?.(venue.name) ?? 0,
    now: () => Monotonic.nowMillis(clock),
    wallNow: () => clock.currentTimeMillisUnsafe()
  })
  const endpoint = options.url ?? venue.endpoint ?? ""
  const rest = options.rest ?? restAt(venue, endpoint)
  const backfill = options.backfill === "none"
    ? []
    : yield* Backfills.make({ venue, rest, policy: options.backfill ?? {}, products, ledger, legs: () => legs })
  const connect = yield* FeedConnections.make({
    venue,
    router,
    ledger,
    isCovered: (leg, channel) => legs.isLiveBeside({ number: leg }, channel),
    before: [Arrivals.make(freshness, metrics)],
    isRedundant: () => legs.all.length > 1,
    after: [ledger.observer, ...options.observe ?? [], ...backfill]
  }, options)
  const legs: Legs = new Legs({ venue, ledger, connect })
  for (const other of options.redundancy?.endpoints ?? [undefined]) yield* legs.open(other ?? endpoint)
  if (replay !== undefined) yield* ReplayedLegs.make(legs, endpoint, replay)
  const connection = new LegsConnection(legs, yield* Effect.scope, venue.name)
  const watchAnew = options.freshness === "none"
    ? Effect.void
    : yield* SilentSubscriptions.make(connection, freshness, metrics.stale)

  const watchFreshness = (wanted: ReadonlyArray<Channel.Channel>): Effect.Effect<void> =>
    Effect.flatMap(Monotonic.now, (now) => {
      for (const one of wanted) freshness.subscribed(one, now)
      metrics.follow(wanted, freshness.age)
      return watchAnew
    })
  const companions = CompanionChannels.make(venue, options.keepAlive === undefined)
  // Data is known for what it is as soon as it is asked for, and until it is given up.
  const subscriptions = ChannelCounts.make({
    subscribe: (channels) =>
      Effect.suspend(() => {
        // What is wanted for its data, apart from what only goes with it.
        const wanted = channels.filter((channel) => !companions.is(channel))
        router.follow(channels, wanted)
        ledger.follow(wanted)
        books.follow(wanted)
        return Effect.andThen(connection.subscribe(channels), watchFreshness(wanted))
      }),
    unsubscribe: (channels) =>
      Effect.andThen(
        connection.unsubscribe(channels),
        Effect.suspend(() => {
          books.unfollow(channels)
          router.unfollow(channels)
          for (const channel of channels) freshness.unsubscribed(channel)
          metrics.unfollow(channels)
          const announcement = ledger.unfollow(channels)
          return announcement === undefined ? watchAnew : Effect.andThen(
            connection[internals].report({ _tag: "Announced", announcement }),
            watchAnew
          )
        })
      )
  })
  const want: MarketFeed["Service"]["subscribe"] = (channels) => {
    const written = channels.map((channel) => normalised(venue, channel))
    return subscriptions.want([...written, ...companions.beatsOf(written)])
  }
  const subscribe: typeof want = (channels) =>
    Effect.andThen(Effect.sync(() => companions.asked(channels.map((one) => normalised(venue, one)))), want(channels))

  const channel = (kind: ChannelKind, product: string): Effect.Effect<Channel.Channel, UnknownChannel> => {
    const name = venue.channels[kind]
    return name === undefined
      ? Effect.fail(new UnknownChannel({ venue: venue.name, kind }))
      : Effect.succeed(channelOf(venue, name, Symbols.resolve(symbols, venue, product)))
  }

  const ofProduct = <A extends MarketEvent.MarketData>(
    kind: ChannelKind,
    product: string,
    select: (event: MarketEvent.MarketEvent) => event is A,
    consumer: Inbox.ConsumerOptions | undefined
  ): Stream.Stream<A, ProductError> =>
    Stream.unwrap(Effect.gen(function*() {
      const wanted = yield* channel(kind, product)
      yield* want([wanted])
      // Where the channel is of all products, it is the event that says of which one it is.
      const symbol = Symbols.resolve(symbols, venue, product)
      const written = wanted.product ?? Result.getOrElse(normalise(venue, symbol, wanted.channel), () => symbol)
      const dropped = ledger.consumer(consumer?.name ?? `${kind} ${product}`)
      return connection[internals].route(
        { channel: wanted, product: wanted.product === undefined ? written : undefined, is: select },
        consumer,
        connection[internals].awaitRefusal(wanted),
        ({ messages }) => {
          dropped({ channel: wanted.channel, product: written }, messages)
        }
      )
    }))

  const books = yield* FeedBooks.make({
    venue,
    rest,
    isUnchecked: options.checksBooks === false,
    connection,
    legs,
    ledger,
    want: (book) => want([book, ...companions.ofBook(book)]),
    channel
  })

  const rotate = yield* Rotations.make({ venue, policy: options.rotation ?? {}, legs })

  // Where its scope has closed already, `connect` says so.
  yield* Effect.ignore(subscribe(options.channels ?? []))

  return {
    venue,
    connection,
    ...FeedHealth.make(venue.name, connection, freshness, companions),
    ledger: Effect.sync(() => ledger.read()),
    ledgerChanges: LedgerChanges.make(ledger),
    legs: Effect.sync(() => legs.report()),
    rotate: rotate("manual"),
    book: books.book,
    observeBook: books.observeBook,
    channel,
    subscribe,
    trades: (product, consumer) =>
      ofProduct("trade", product, (event): event is MarketData.Trade => event._tag === "Trade", consumer),
    ticker: (product, consumer) =>
      ofProduct("ticker", product, (event): event is MarketData.Ticker => event._tag === "Ticker", consumer),
    prices: (product, consumer) =>
      ofProduct("ticker", product, (event): event is MarketData.PriceUpdate => event._tag === "PriceUpdate", consumer),
    events: (consumer) =>
      Stream.unwrap(Effect.sync(() => {
        const eventsOf = LifecycleEvents.make({
          venue: venue.name,
          channelsFor: router.channelsFor,
          isUntold: companions.isOfBooks,
          dropped: ledger.consumer(consumer?.name ?? "events")
        })
        return eventsOf(connection.inbound(consumer))
      }))
  }
})

/**
 * Makes a feed and connects it. It ends with the scope.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  venue: Venue,
  options?: Options | undefined
): Effect.Effect<
  MarketFeed["Service"],
  ConnectError.ConnectError,
  Scope.Scope | Transport | Reconnection | CircuitBreaker
> =>
  Effect.tap(prepare(venue, options), (feed) =>
    // Nobody else has the connection yet, so nobody else can have connected it.
    Effect.catchTag(feed.connection.connect, "AlreadyConnected", Effect.die))

/**
 * A feed of a venue, connected when the layer is built.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (
  venue: Venue,
  options?: Options | undefined
): Layer.Layer<MarketFeed, ConnectError.ConnectError, Transport | Reconnection | CircuitBreaker> =>
  Layer.effect(MarketFeed, make(venue, options))

/**
 * As `layer`, with options from the configuration.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (
  venue: Venue,
  options: Config.Config<Options>
): Layer.Layer<
  MarketFeed,
  ConnectError.ConnectError | Config.ConfigError,
  Transport | Reconnection | CircuitBreaker
> => Layer.unwrap(Effect.map(options, (options) => layer(venue, options)))

/**
 * As `layer`, but it does not wait for the venue: the feed connects beside
 * whatever is built on it, and its streams wait. What becomes of the connection
 * is told by its events and its state.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerLazy = (
  venue: Venue,
  options?: Options | undefined
): Layer.Layer<MarketFeed, never, Transport | Reconnection | CircuitBreaker> =>
  Layer.effect(
    MarketFeed,
    Effect.tap(
      prepare(venue, options),
      (feed) => Effect.forkScoped(Effect.ignore(feed.connection.connect), { startImmediately: true })
    )
  )
