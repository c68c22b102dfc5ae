/**
 * Paper trading as an `Exchange`: orders are filled from a live feed, which does
 * not know of them.
 *
 * - An order arrives `latency` after it is sent, and meets what the book has then.
 *   What it takes of a level is not there for the next one before the venue says
 *   another size of that level.
 * - One that rests is behind what rested at its price when it came: it is filled
 *   by what is traded there beyond that, by trades at worse prices, and by the
 *   other side where that comes to its price.
 * - At a venue without a book the last price is taken for one of unlimited size.
 * - Its account is a `Clearing`: what orders need is held, fees are paid, and an
 *   order without funds is rejected.
 *
 * Orders, executions and money last as long as the exchange does.
 *
 * @since 0.1.0
 */
import * as BigDecimal from "effect/BigDecimal"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { MarketFeed } from "../../market/MarketFeed.ts"
import * as Symbols from "../../protocol/Symbols.ts"
import type * as Decimal from "../../value/Decimal.ts"
import type { Venue } from "../../venue/Venue.ts"
import { Exchange } from "../Exchange.ts"
import * as Instrument from "../Instrument.ts"
import * as OrderEntry from "../internal/orderEntry.ts"
import * as PaperGateway from "./internal/paperGateway.ts"

/**
 * How the exchange is made.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  /** What events call it. Default: `paper`. */
  readonly name?: string | undefined
  /** What the account has, by asset. Default: whatever its orders need. */
  readonly balances?: Readonly<Record<string, Decimal.Decimal>> | undefined
  /** What trades cost, as shares of their value. Default: nothing, or what the instrument says. */
  readonly fees?: { readonly maker: Decimal.Decimal; readonly taker: Decimal.Decimal } | undefined
  /** How long what is sent takes to arrive. Default: no time. */
  readonly latency?: Duration.Input | undefined
  /**
   * What may be traded, by the venue's own symbols. Any other product has no rules
   * for prices and amounts; its name says whether it is spot.
   */
  readonly instruments?: Iterable<Instrument.Instrument> | undefined
  /**
   * What the ids of orders and executions count from. Default: 1. Whoever stores
   * them beyond the exchange's life gives one above all before, such as the time.
   */
  readonly firstId?: number | undefined
}

/** The step of prices and amounts for which there is no rule. */
const finest = BigDecimal.make(1n, 18)

/** What a symbol says of itself. */
const guessed = (venue: Venue, symbol: string): Instrument.Instrument => {
  const parts = venue.symbols?.read(symbol) ?? Symbols.parse(symbol) ??
    { base: symbol, quote: "USD", isPerpetual: false }
  return new Instrument.Instrument({
    product: symbol,
    tick: finest,
    lot: finest,
    ...(venue.symbols?.isInverse?.(parts) === true
      ? { feeAsset: parts.base, valuation: "inverse" }
      : { feeAsset: parts.quote }),
    ...(parts.isPerpetual ? {} : { base: parts.base })
  })
}

/**
 * Makes the exchange on a feed.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(
  options: Options = {}
): Effect.fn.Return<Exchange["Service"], never, Scope.Scope | MarketFeed> {
  const feed = yield* MarketFeed
  const { balances, fees, firstId, latency = 0, name = "paper" } = options
  const instruments = new Map(Array.from(options.instruments ?? [], (one) => [one.product, one]))
  const gateway = yield* PaperGateway.make(feed, {
    exchange: name,
    balances,
    firstId,
    latencyMillis: Duration.toMillis(Duration.fromInputUnsafe(latency)),
    instrumentOf: (symbol) => {
      const instrument = instruments.get(symbol) ?? guessed(feed.venue, symbol)
      return fees === undefined
        ? instrument
        : new Instrument.Instrument({ ...instrument, fees: new Instrument.Fees(fees) })
    }
  })
  return OrderEntry.make(gateway)
})

/**
 * The exchange as a layer.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = (options?: Options): Layer.Layer<Exchange, never, MarketFeed> =>
  Layer.effect(Exchange, make(options))
