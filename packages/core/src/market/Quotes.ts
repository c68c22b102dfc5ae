/**
 * The best bid and ask of products over several venues, with their age: what is
 * too old, or of a venue that is not connected, is never taken for live.
 *
 * **Example** (the spread over the venues of a `MarketFeeds`)
 *
 * ```ts
 * const program = Effect.gen(function*() {
 *   const quotes = yield* Quotes.Quotes
 *   yield* Stream.runForEach(quotes.changes("BTC-USD"), (quote) =>
 *     quote._tag === "Live" ? Console.log(quote.bid, quote.ask) : Console.log(quote._tag)
 *   )
 * }).pipe(Effect.provide(Quotes.layer({ products: ["BTC-USD"] })))
 * ```
 *
 * @since 0.1.0
 */
import * as BigDecimal from "effect/BigDecimal"
import * as Clock from "effect/Clock"
import * as Config from "effect/Config"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as PubSub from "effect/PubSub"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Ticker } from "../event/MarketData.ts"
import type * as Decimal from "../value/Decimal.ts"
import * as Monotonic from "../value/Monotonic.ts"
import { MarketFeeds } from "./MarketFeeds.ts"

/**
 * One side of a quote: the price, the size if the venue gives it, and who quotes
 * it, how many milliseconds ago.
 *
 * @category models
 * @since 0.1.0
 */
export interface Side {
  readonly venue: string
  readonly price: Decimal.Decimal
  readonly size: Decimal.Decimal | undefined
  readonly ageMillis: number
}

/**
 * The best bid and ask of a product.
 *
 * - `Live`: each is the best of the venues that are connected and quoted it
 *   within the time that counts as fresh; `ageMillis` is that of the older one
 * - `Stale`: one side or the other is not fresh anywhere; `bid` and `ask` are the
 *   newest that were heard, where there are any
 * - `Unknown`: nothing was heard yet
 *
 * @category models
 * @since 0.1.0
 */
export type Quote =
  | {
    readonly _tag: "Live"
    readonly product: string
    readonly bid: Side
    readonly ask: Side
    readonly ageMillis: number
  }
  | {
    readonly _tag: "Stale"
    readonly product: string
    readonly bid: Side | undefined
    readonly ask: Side | undefined
    readonly ageMillis: number
  }
  | { readonly _tag: "Unknown"; readonly product: string }

/**
 * How quotes are kept.
 */
interface Options {
  /** The products, by their common names. */
  readonly products: ReadonlyArray<string>
  /** The age from which on a quote does not count as fresh. Default: 5 seconds. */
  readonly staleAfter?: Duration.Input | undefined
}

/**
 * The best quotes over the venues of a `MarketFeeds`.
 *
 * @category services
 * @since 0.1.0
 */
export class Quotes extends Context.Service<Quotes, {
  /** The best bid and ask of a product as they are now. */
  readonly get: (product: string) => Effect.Effect<Quote>
  /**
   * The best bid and ask now, and again whenever a venue quotes, or a quote gets
   * too old; of a slow reader only the newest waits.
   */
  readonly changes: (product: string) => Stream.Stream<Quote>
}>()("@tickline/core/market/Quotes") {}

// One side as it was heard, on the monotonic clock.
interface Heard {
  readonly venue: string
  readonly price: Decimal.Decimal
  readonly size: Decimal.Decimal | undefined
  readonly at: number
}

interface Sides {
  readonly bids: Map<string, Heard>
  readonly asks: Map<string, Heard>
  readonly changed: PubSub.PubSub<void>
}

const hear = (
  side: Map<string, Heard>,
  venue: string,
  price: Decimal.Decimal | undefined,
  size: Decimal.Decimal | undefined,
  at: number
): void => {
  if (price === undefined) side.delete(venue)
  else side.set(venue, { venue, price, size, at })
}

const best = (
  side: Iterable<Heard>,
  isBetter: (one: Heard, other: Heard) => boolean
): Heard | undefined => {
  let found: Heard | undefined
  for (const one of side) if (found === undefined || isBetter(one, found)) found = one
  return found
}

const higher = (one: Heard, other: Heard): boolean => BigDecimal.isGreaterThan(one.price, other.price)
const lower = (one: Heard, other: Heard): boolean => BigDecimal.isLessThan(one.price, other.price)
const newer = (one: Heard, other: Heard): boolean => one.at > other.at

/**
 * Makes the quotes of the products, kept until the scope ends.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(
  options: Options
): Effect.fn.Return<Quotes["Service"], never, MarketFeeds | Scope.Scope> {
  const feeds = yield* MarketFeeds
  const clock = yield* Clock.Clock
  const staleMillis = Duration.toMillis(options.staleAfter ?? Duration.seconds(5))
  const products = new Map<string, Sides>()
  for (const product of options.products) {
    products.set(product, { bids: new Map(), asks: new Map(), changed: yield* PubSub.sliding<void>(1) })
  }

  const sideOf = ({ at, price, size, venue }: Heard, now: number): Side => ({
    venue,
    price,
    size,
    ageMillis: Math.round(now - at)
  })

  const quoteOf = (product: string, isUp: (venue: string) => boolean): Quote => {
    const sides = products.get(product)
    const now = Monotonic.nowMillis(clock)
    const isFresh = ({ at, venue }: Heard): boolean => now - at < staleMillis && isUp(venue)
    const bids = [...sides?.bids.values() ?? []]
    const asks = [...sides?.asks.values() ?? []]
    const bid = best(bids.filter(isFresh), higher)
    const ask = best(asks.filter(isFresh), lower)
    if (bid !== undefined && ask !== undefined) {
      const age = Math.round(now - Math.min(bid.at, ask.at))
      return { _tag: "Live", product, bid: sideOf(bid, now), ask: sideOf(ask, now), ageMillis: age }
    }
    const last = best([...bids, ...asks], newer)
    if (last === undefined) return { _tag: "Unknown", product }
    const [oldBid, oldAsk] = [best(bids, newer), best(asks, newer)]
    return {
      _tag: "Stale",
      product,
      bid: oldBid === undefined ? undefined : sideOf(oldBid, now),
      ask: oldAsk === undefined ? undefined : sideOf(oldAsk, now),
      ageMillis: Math.round(now - last.at)
    }
  }

  const get = (product: string): Effect.Effect<Quote> =>
    Effect.gen(function*() {
      const up = new Set<string>()
      for (const { connection, venue } of yield* feeds.all) if (yield* connection.isConnected) up.add(venue.name)
      return quoteOf(product, (venue) => up.has(venue))
    })

  // When the next of the fresh ones gets too old.
  const nextStale = ({ asks, bids }: Sides): number => {
    const now = Monotonic.nowMillis(clock)
    let wait = Infinity
    for (const { at } of [...bids.values(), ...asks.values()]) {
      const left = at + staleMillis - now
      if (left > 0) wait = Math.min(wait, left)
    }
    return wait
  }

  const heard = (sides: Sides) => ({ ask, askSize, bid, bidSize, venue }: Ticker): Effect.Effect<void> =>
    Effect.suspend(() => {
      const now = Monotonic.nowMillis(clock)
      hear(sides.bids, venue, bid, bidSize, now)
      hear(sides.asks, venue, ask, askSize, now)
      return Effect.asVoid(PubSub.publish(sides.changed, undefined))
    })

  for (const [product, sides] of products) {
    yield* feeds.ticker(product, { name: `quotes ${product}`, overflow: "conflate" }).pipe(
      Stream.runForEach(heard(sides)),
      // A consumer that conflates is not failed.
      Effect.orDie,
      Effect.forkScoped({ startImmediately: true })
    )
  }

  return {
    get,
    changes: (product) =>
      Stream.unwrap(Effect.gen(function*() {
        const sides = products.get(product)
        if (sides === undefined) return Stream.concat(Stream.fromEffect(get(product)), Stream.never)
        const subscription = yield* PubSub.subscribe(sides.changed)
        let isFirst = true
        const moved = PubSub.take(subscription)
        const aged = Effect.suspend(() => {
          const wait = nextStale(sides)
          return wait === Infinity ? Effect.never : Effect.sleep(Math.ceil(wait))
        })
        return Stream.fromEffectRepeat(Effect.suspend(() => {
          if (!isFirst) return Effect.andThen(Effect.raceFirst(moved, aged), get(product))
          isFirst = false
          return get(product)
        }))
      }))
  }
})

/**
 * The quotes of the products over the venues of the `MarketFeeds`.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options: Options): Layer.Layer<Quotes, never, MarketFeeds> => Layer.effect(Quotes, make(options))

/**
 * As `layer`, with options from the configuration.
 *
 * @category layers
 * @since 0.1.0
 */
export const layerConfig = (
  options: Config.Wrap<Options>
): Layer.Layer<Quotes, Config.ConfigError, MarketFeeds> => Layer.unwrap(Effect.map(Config.unwrap(options), layer))
