/**
 * The markets that paper orders meet: each is watched from when it is first asked
 * for, by the book of the feed and what is traded, or by bare prices where the
 * venue has no book.
 *
 * @since 0.1.0
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type * as ConnectError from "../../../connection/ConnectError.ts"
import type { Level } from "../../../event/MarketData.ts"
import type { MarketFeed, ProductError } from "../../../market/MarketFeed.ts"
import * as OrderBook from "../../../market/OrderBook.ts"
import type * as Decimal from "../../../value/Decimal.ts"
import type { MarketTrade, Quotes } from "./fillModel.ts"

/**
 * Who is shown the markets.
 *
 * @category models
 * @since 0.1.0
 */
export interface Watcher {
  /** Called once for each product, before anything of it is shown. */
  readonly list: (product: string, tellsTrades: boolean) => void
  readonly quote: (product: string, quotes: Quotes | undefined) => void
  readonly trade: (product: string, trade: MarketTrade) => void
  /** Nothing more will be shown. */
  readonly over: (error: ConnectError.ConnectError) => void
}

/**
 * The markets of a feed.
 *
 * @category models
 * @since 0.1.0
 */
export interface Markets {
  /** Waits until a product's market is known, and gives the venue's own symbol; fails with the reason if it cannot be. */
  readonly known: (product: string) => Effect.Effect<string, string>
}

const quotesOf = (levels: ReadonlyArray<Level>) => levels.map(([price, size]) => ({ price, size }))

const bare = (price: Decimal.Decimal): Quotes => {
  const quote = [{ price, size: undefined }]
  return { buy: quote, sell: quote }
}

const isConnectError = (error: ProductError): error is ConnectError.ConnectError =>
  error._tag !== "ConsumerOverflow" && error._tag !== "UnknownChannel" && error._tag !== "SubscriptionRefused"

/**
 * Makes the markets. They are watched until the scope ends.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(
  feed: MarketFeed["Service"],
  watcher: Watcher
): Effect.fn.Return<Markets, never, Scope.Scope> {
  const scope = yield* Effect.scope
  const { channels } = feed.venue
  const isBook = channels.book !== undefined
  const markets = new Map<string, Deferred.Deferred<void, string>>()

  const watch = (symbol: string, known: Deferred.Deferred<void, string>): Effect.Effect<void> => {
    const tellsTrades = channels.trade !== undefined && isBook
    watcher.list(symbol, tellsTrades)
    const show = (quotes: Quotes | undefined) => {
      watcher.quote(symbol, quotes)
      return quotes === undefined ? Effect.void : Effect.asVoid(Deferred.succeed(known, undefined))
    }
    const quotes: Stream.Stream<Quotes | undefined, ProductError> = isBook
      ? Stream.map(
        feed.book(symbol, { depth: Number.POSITIVE_INFINITY }),
        (book) => OrderBook.isWhole(book) ? { buy: quotesOf(book.bids), sell: quotesOf(book.asks) } : undefined
      )
      // A price says nothing any more when the link is down.
      : Stream.merge(
        Stream.map(feed.prices(symbol), ({ price }) => bare(price)),
        feed.connection.state.changes.pipe(
          Stream.filter(({ _tag }) => _tag !== "Connected"),
          Stream.map(() => undefined)
        ),
        { haltStrategy: "left" }
      )
    const trades = tellsTrades
      ? Stream.runForEach(
        Stream.filter(feed.trades(symbol, { overflow: "drop-oldest" }), ({ history }) => history !== true),
        (trade) => Effect.sync(() => watcher.trade(symbol, trade))
      )
      : Effect.void
    return Effect.all([
      Effect.ignore(trades),
      Stream.runForEach(quotes, (shown) => Effect.suspend(() => show(shown))).pipe(
        Effect.catch((error) =>
          Effect.suspend(() => {
            watcher.quote(symbol, undefined)
            if (isConnectError(error)) watcher.over(error)
            return Effect.asVoid(Deferred.fail(known, error.message))
          })
        )
      )
    ], { concurrency: "unbounded", discard: true })
  }

  return {
    known: Effect.fnUntraced(function*(product) {
      const channel = yield* Effect.option(feed.channel(isBook ? "book" : "ticker", product))
      const symbol = Option.getOrUndefined(channel)?.product ?? product
      let known = markets.get(symbol)
      if (known === undefined) {
        known = Deferred.makeUnsafe<void, string>()
        markets.set(symbol, known)
        yield* Effect.forkIn(watch(symbol, known), scope, { startImmediately: true })
      }
      yield* Deferred.await(known)
      return symbol
    })
  }
})
