/**
 * From a feed to signals: the trades of products become candles, a strategy is
 * shown each of them, and what it decides is a `Signal`.
 *
 * A strategy never sees data of which something is missing or not proven:
 *
 * - While a gap of a product's trades is open, what comes of it waits. If what was
 *   missed is fetched, or another connection had it, it goes on as if nothing had
 *   been. Otherwise the candles that the gap touches are withheld, and the strategy
 *   begins anew (`afterGap`).
 * - With `book`, the same holds for candles during which the product's book was not
 *   `Live`, and nothing is shown while it is not.
 * - The candle in which the signals begin is withheld: its first part was not seen.
 *
 * Time is that of the events alone, so the same data gives the same signals, live
 * and in a replay. A candle ends with the first trade after its end, and its signal
 * is of that moment: whoever acts on signals looks at how old `at` is.
 *
 * Whoever takes the signals slowly slows the feed down (`block` of `Inbox`), and
 * misses none.
 *
 * **Example** (what a strategy says of two products)
 *
 * ```ts
 * const program = Effect.gen(function*() {
 *   const feed = yield* MarketFeed.MarketFeed
 *   yield* Signals.stream(feed, { products: ["BTC-USD", "ETH-USD"], strategy: Strategy.fast() }).pipe(
 *     Stream.runForEach((signal) => Console.log(signal.product, signal.side, signal.confidence))
 *   )
 * })
 * ```
 *
 * @since 0.1.0
 */
import * as Arr from "effect/Array"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { ConnectionClosed } from "../connection/ConnectError.ts"
import type * as MarketData from "../event/MarketData.ts"
import type * as MarketEvent from "../event/MarketEvent.ts"
import type { FeedError, MarketFeed, UnknownChannel } from "../market/MarketFeed.ts"
import * as Channel from "../value/Channel.ts"
import * as Candles from "./Candles.ts"
import * as SignalMetrics from "./internal/signalMetrics.ts"
import { StrategyRun } from "./internal/strategyRun.ts"
import { type Told, WholeCandles } from "./internal/wholeCandles.ts"
import type { Price } from "./Price.ts"
import type { Signal, StrategyFailed } from "./Signal.ts"
import type { Strategy } from "./Strategy.ts"

/**
 * Of what signals are made, and how.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** By their common names, or the venue's own symbols. */
  readonly products: ReadonlyArray<string>
  readonly strategy: Strategy
  /** How long a candle is. Default: 10 seconds. */
  readonly interval?: Duration.Input | undefined
  /** How long after its end, in event time, a candle waits for late trades. Default: not at all. */
  readonly lateness?: Duration.Input | undefined
  /** Whether the strategy begins anew after candles that were withheld, or goes on without them. Default: `restart`. */
  readonly afterGap?: "restart" | "continue" | undefined
  /** Whether the books of the products are followed, and nothing is shown while one is not `Live`. Default: no. */
  readonly book?: boolean | undefined
  /** Whether a book that is `Unverified` counts as one that is `Live`. Default: no. */
  readonly acceptsUnverified?: boolean | undefined
  /** Whether a strategy's decisions to hold are signals. Default: no. */
  readonly holds?: boolean | undefined
  /** Is told of a strategy that failed. Default: a warning in the log. */
  readonly onFailure?: ((failure: StrategyFailed) => Effect.Effect<void>) | undefined
}

const logged = (failure: StrategyFailed): Effect.Effect<void> =>
  Effect.annotateLogs(Effect.logWarning("strategy failed"), {
    strategy: failure.strategy,
    product: failure.product,
    error: failure.message
  })

const toldOf = (
  feed: MarketFeed["Service"],
  options: Options,
  tellsPrices: boolean
): Stream.Stream<Signal | Price, FeedError | UnknownChannel | ConnectionClosed> =>
  Stream.unwrap(Effect.gen(function*() {
    const { acceptsUnverified = false, book = false, onFailure = logged, strategy } = options
    const kind = feed.venue.channels.trade === undefined ? "ticker" : "trade"
    const { name: venue } = feed.venue
    const all: Array<WholeCandles> = []
    for (const product of new Set(options.products)) {
      const channel = yield* feed.channel(kind, product)
      const metrics = yield* SignalMetrics.make(venue, product)
      const candles = new WholeCandles({
        product,
        channel,
        candles: Candles.make({ interval: options.interval ?? "10 seconds", lateness: options.lateness }),
        run: new StrategyRun({
          venue,
          product,
          strategy,
          restarts: options.afterGap !== "continue",
          tellsHolds: options.holds === true,
          metrics
        }),
        tellsPrices,
        metrics
      })
      all.push(candles)
      if (!book) continue
      candles.book(false)
      yield* feed.observeBook(
        product,
        ({ _tag }) => candles.book(_tag === "Live" || (acceptsUnverified && _tag === "Unverified")),
        { depth: 0 }
      )
    }
    yield* feed.subscribe([...new Map(all.map(({ channel }) => [Channel.key(channel), channel])).values()])

    // A product is looked for once, not with every event of it.
    const bySymbol = new Map<string, ReadonlyArray<WholeCandles>>()
    const candlesOf = (event: MarketData.Trade | MarketData.PriceUpdate): ReadonlyArray<WholeCandles> => {
      const known = bySymbol.get(event.product)
      if (known !== undefined) return known
      const found = all.filter((candles) => candles.isOf(event))
      bySymbol.set(event.product, found)
      return found
    }
    const tell = (event: MarketEvent.AnyEvent): ReadonlyArray<Told> => {
      switch (event._tag) {
        case "Trade":
        case "PriceUpdate":
          return candlesOf(event).flatMap((candles) => candles.tell(event))
        case "Gap":
          return all.flatMap((candles) => candles.isTouched(event) ? candles.tell(event) : [])
        default:
          return []
      }
    }

    return feed.events({ name: "signals", overflow: "block" }).pipe(
      Stream.mapArray((events): readonly [ReadonlyArray<Told>] => [events.flatMap(tell)]),
      Stream.filter(Arr.isReadonlyArrayNonEmpty),
      Stream.flattenArray,
      Stream.tap((told) => told._tag === "StrategyFailed" ? onFailure(told) : Effect.void),
      Stream.filter((told): told is Signal | Price => told._tag !== "StrategyFailed")
    )
  }))

/**
 * The signals of a feed's products, which are subscribed to while the stream
 * runs. It ends as the feed does.
 *
 * Candles are of trades, or of bare prices where the venue has no trades. A trade
 * without a time of the venue's counts as of when it came.
 *
 * @category constructors
 * @since 0.1.0
 */
export const stream = (
  feed: MarketFeed["Service"],
  options: Options
): Stream.Stream<Signal, FeedError | UnknownChannel | ConnectionClosed> =>
  Stream.filter(toldOf(feed, options, false), (told): told is Signal => told._tag === "Signal")

/**
 * As `stream`, with the price of each trade besides: before the signal that it
 * brings, and also where the strategy is shown nothing. It is what a trader
 * wants, whose stops are reached by any price.
 *
 * @category constructors
 * @since 0.1.0
 */
export const withPrices = (
  feed: MarketFeed["Service"],
  options: Options
): Stream.Stream<Signal | Price, FeedError | UnknownChannel | ConnectionClosed> => toldOf(feed, options, true)
