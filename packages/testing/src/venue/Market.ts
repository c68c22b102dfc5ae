/**
 * A synthetic market: from a product and a seed, an endless sequence of trades
 * with the book they come from. Pure: a step takes a market and the time and
 * gives the tick and the market after it, so the same seed gives the same
 * ticks, to the digit, on every machine.
 *
 * Prices and sizes are scaled whole numbers throughout and printed with the
 * product's own number of decimals, trailing zeros included; nothing here was
 * ever a floating-point number. The price walks at random and is drawn back to
 * where it began.
 *
 * **Example** (the first thousand ticks, one a second)
 *
 * ```ts
 * const [bitcoin] = Market.products
 * for (const tick of Market.ticks(bitcoin, { seed: 7, fromMillis: 0, everyMillis: 1_000 }).take(1_000)) {
 *   tick.price // "43251.20"
 * }
 * ```
 *
 * @since 0.1.0
 */
import * as Symbols from "@tickline/core/protocol/Symbols"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Timestamp from "@tickline/core/value/Timestamp"
import * as Chance from "../Chance.ts"
import { difference, levelOf, print, type Row, timestamp } from "./internal/marketTexts.ts"

/**
 * What is traded. `price` is the price it starts at and is drawn back to, at
 * least a hundred of its last digit; `size` is a usual trade's. The number of
 * decimals of both is that of every price and size printed. `levels` is how many each
 * side of its book has (10), `volatility` how many times as far as usual its price
 * moves (1), `firstTradeId` what its trades' ids count from.
 *
 * @category models
 * @since 0.1.0
 */
export interface Product {
  readonly symbol: string
  readonly price: string
  readonly size: string
  readonly levels?: number | undefined
  readonly volatility?: number | undefined
  readonly firstTradeId?: number | undefined
}

/**
 * A level of a book: price and size.
 *
 * @category models
 * @since 0.1.0
 */
export type Level = readonly [price: string, size: string]

/**
 * A level that changed: its side, price and new size, zero where it is gone.
 *
 * @category models
 * @since 0.1.0
 */
export type Change = readonly [side: "buy" | "sell", price: string, size: string]

/**
 * One trade and what it did to the book.
 *
 * - `side`: the taker's.
 * - `tradeId`: consecutive per product.
 * - `sequence`: per product, rising by one for every change of the book and
 *   every trade, so not consecutive from one trade to the next.
 * - `bid`, `ask`: the best of the book after the trade.
 * - `open`, `low`, `high`, `volume`: of the market's life so far, which stands
 *   in for the day; `volume` in the base currency.
 * - `timestamp`: ISO-8601 UTC with microseconds, rising per product.
 * - `isQuote`: whether only the book changed, and the trade is the one before.
 *
 * @category models
 * @since 0.1.0
 */
export interface Tick {
  readonly product: string
  readonly price: string
  readonly size: string
  readonly side: "buy" | "sell"
  readonly tradeId: number
  readonly sequence: number
  readonly timestamp: string
  readonly bid: Level
  readonly ask: Level
  readonly open: string
  readonly low: string
  readonly high: string
  readonly volume: string
  readonly changes: ReadonlyArray<Change>
  readonly isQuote?: boolean | undefined
}

/**
 * A product's market at one moment. `last` is its last trade: there is one.
 * `before` is its state before the last change.
 *
 * @category models
 * @since 0.1.0
 */
export interface Market {
  readonly product: Product
  readonly last: Tick
  readonly state: State
  readonly before: State
}

/**
 * What a market carries from step to step, in units of the last digit.
 *
 * @category models
 * @since 0.1.0
 */
export interface State {
  readonly seed: number
  readonly priceScale: number
  readonly sizeScale: number
  /** The price it is drawn back to. */
  readonly anchor: bigint
  /** A usual trade's size. */
  readonly usual: bigint
  /** The distance between two levels of the book. */
  readonly grid: bigint
  readonly mid: bigint
  readonly low: bigint
  readonly high: bigint
  readonly volume: bigint
  /** Best first. */
  readonly bids: ReadonlyArray<Row>
  readonly asks: ReadonlyArray<Row>
  readonly tradeId: number
  readonly sequence: number
  /** Microseconds since 1970. */
  readonly micros: number
}

/**
 * Products to make markets of. Two lose digits in a client that reads prices
 * as floating-point numbers: the last digits of the one with 18 decimals, and
 * of all of them the trailing zeros.
 *
 * @category constants
 * @since 0.1.0
 */
export const products: readonly [Product, ...Array<Product>] = [
  { symbol: "BTC-USD", price: "43250.10", size: "0.05000000" },
  { symbol: "ETH-USD", price: "2280.50", size: "0.80000000" },
  { symbol: "SOL-USD", price: "98.730", size: "12.000" },
  { symbol: "SHIB-USD", price: "0.00000943", size: "1500000" },
  { symbol: "WETH-DAI", price: "2279.845612345678901230", size: "0.750000000000000000" }
]

/**
 * What a venue lists: the products above by the venue's own symbols, such as
 * `BTC/USD`, `BTCUSDT` or `BTC-PERPETUAL`, and by their names besides.
 *
 * @category getters
 * @since 0.1.0
 */
export const listedBy = (venue: Symbols.Venue): ReadonlyArray<Product> => {
  const own = products.map((product) => {
    const { symbol } = product
    // A venue without the coins themselves in dollars has them in the dollar coin, or a perpetual.
    const names = [symbol, `${symbol}-PERP`, `${symbol}T`]
    const found = names.map((name) => Symbols.byRule.symbolOf(venue, name)).find((symbol) => symbol !== undefined)
    return { ...product, symbol: found ?? symbol }
  })
  const symbols = new Set(own.map(({ symbol }) => symbol))
  return [...own, ...products.filter(({ symbol }) => !symbols.has(symbol))]
}

/** How many levels each side of a book has, unless the product says. */
const usualLevels = 10

const levelsOf = ({ levels = usualLevels }: Product): number => levels

/** A range of 96 bits holds any step of a price with 18 decimals below a billion. */
const below = (chance: Chance.Chance, bound: bigint): bigint => {
  const word = () => BigInt(chance.integer(0x100000000))
  return ((word() << 64n) | (word() << 32n) | word()) % bound
}

const read = (text: string, product: Product): Decimal.Decimal => {
  const decimal = Decimal.parse(text)
  if (decimal === undefined || !Decimal.isPositive(decimal) || decimal.scale < 0) {
    throw new RangeError(`market ${product.symbol}: ${JSON.stringify(text)} is not a positive decimal`)
  }
  return decimal
}

/**
 * Opens a product's market at a time in epoch milliseconds. Throws a
 * `RangeError` where the product's texts are not positive decimals: products
 * are written by programmers.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (product: Product, options: { readonly seed: number; readonly atMillis: number }): Market => {
  const price = read(product.price, product)
  const size = read(product.size, product)
  const chance = Chance.make(options.seed).fork(product.symbol)
  const anchor = price.value
  const grid = anchor / 20_000n
  const seeded = 1_001 + chance.integer(1_000_000)
  const tradeId = (product.firstTradeId ?? seeded) - 1
  return step(
    {
      seed: chance.integer(0x100000000),
      priceScale: price.scale,
      sizeScale: size.scale,
      anchor,
      usual: size.value,
      grid: grid > 0n ? grid : 1n,
      mid: anchor,
      low: anchor,
      high: anchor,
      volume: size.value * BigInt(100_000 + chance.integer(100_000)),
      bids: [],
      asks: [],
      tradeId,
      sequence: tradeId * 20 + chance.integer(1_000),
      micros: 0
    },
    product,
    options.atMillis
  )
}

/**
 * The next trade, at a time in epoch milliseconds: the market after it, with
 * the trade as its `last`.
 *
 * @category combinators
 * @since 0.1.0
 */
export const next = (market: Market, atMillis: number): Market => step(market.state, market.product, atMillis)

/** Both sides of a book from its best prices on, what stays with its size. */
const ladders = (before: State, depth: number, bid: bigint, ask: bigint, chance: Chance.Chance) => {
  const { grid, usual } = before
  const fresh = (): bigint => usual / 10n + 2n + below(chance, usual * 8n + 1n)
  const ladder = (rows: ReadonlyArray<Row>, priceOf: (index: bigint) => bigint): [Row, ...Array<Row>] => {
    const level = (index: number): Row => {
      const price = priceOf(BigInt(index))
      return rows.find((row) => row.price === price) ?? { price, size: fresh(), born: before.sequence }
    }
    return [level(0), ...Array.from({ length: depth - 1 }, (_, index) => level(index + 1))]
  }
  return {
    fresh,
    bids: ladder(before.bids, (index) => bid - index * grid),
    asks: ladder(before.asks, (index) => ask + index * grid)
  }
}

/**
 * The market with this best bid and ask, at a time in epoch milliseconds: its
 * book is built anew from them, and its `last` is a quote, not a trade. Throws
 * a `RangeError` where they are not positive prices of at most the product's
 * decimals, where the bid is not below the ask and may not cross it, and where it
 * leaves no room for the levels below.
 *
 * @category combinators
 * @since 0.1.0
 */
export const quote = (market: Market, bid: string, ask: string, atMillis: number, mayCross = false): Market => {
  const { last, product, state: before } = market
  const [best, worst] = [bid, ask].map((text) => {
    const { scale, value } = read(text, product)
    if (scale > before.priceScale) {
      throw new RangeError(`market ${product.symbol}: ${text} has more than ${before.priceScale} decimals`)
    }
    return value * 10n ** BigInt(before.priceScale - scale)
  })
  if (
    best === undefined || worst === undefined || (best >= worst && !mayCross) ||
    best <= before.grid * BigInt(levelsOf(product))
  ) {
    throw new RangeError(`market ${product.symbol}: ${bid} and ${ask} are no bid and ask`)
  }
  const { asks, bids } = ladders(
    before,
    levelsOf(product),
    best,
    worst,
    Chance.make(before.seed * 0x100000 + before.sequence)
  )
  const changes = [...difference("buy", before.bids, bids, before), ...difference("sell", before.asks, asks, before)]
  const state: State = {
    ...before,
    mid: (best + worst) / 2n,
    bids,
    asks,
    sequence: before.sequence + changes.length + 1,
    micros: Math.max(before.micros + 1, atMillis * 1_000)
  }
  return {
    product,
    state,
    before,
    last: {
      ...last,
      sequence: state.sequence,
      timestamp: timestamp(state.micros),
      bid: levelOf(state, bids[0]),
      ask: levelOf(state, asks[0]),
      changes,
      isQuote: true
    }
  }
}

/**
 * A trade that others made: the taker's side, the price and the amount.
 *
 * @category models
 * @since 0.1.0
 */
export interface Trade {
  readonly side: "buy" | "sell"
  readonly price: Decimal.Decimal
  readonly amount: Decimal.Decimal
}

/**
 * The market whose book is this, best first, at a time in epoch milliseconds, after
 * a trade if there was one; otherwise its `last` is a quote. All figures have the
 * market's own scales. The best of a side that is empty is zero.
 *
 * @category combinators
 * @since 0.1.0
 */
export const withBook = (
  { last, product, state: before }: Market,
  book: Readonly<Record<"bids" | "asks", ReadonlyArray<readonly [price: Decimal.Decimal, amount: Decimal.Decimal]>>>,
  atMillis: number,
  trade?: Trade | undefined
): Market => {
  const rows = (levels: typeof book.bids, old: ReadonlyArray<Row>) =>
    levels.map(([{ value: price }, { value: size }]) => ({
      price,
      size,
      born: old.find((row) => row.price === price)?.born ?? before.sequence
    }))
  const [bids, asks] = [rows(book.bids, before.bids), rows(book.asks, before.asks)]
  const changes = [...difference("buy", before.bids, bids, before), ...difference("sell", before.asks, asks, before)]
  const price = trade?.price.value ?? before.low
  const state: State = {
    ...before,
    low: price < before.low ? price : before.low,
    high: price > before.high ? price : before.high,
    volume: before.volume + (trade?.amount.value ?? 0n),
    bids,
    asks,
    tradeId: before.tradeId + (trade === undefined ? 0 : 1),
    sequence: before.sequence + changes.length + 1,
    micros: Math.max(before.micros + 1, atMillis * 1_000)
  }
  const empty: Row = { price: 0n, size: 0n, born: 0 }
  return {
    product,
    before,
    state,
    last: {
      ...last,
      ...(trade === undefined
        ? {}
        : { side: trade.side, price: Decimal.format(trade.price), size: Decimal.format(trade.amount) }),
      tradeId: state.tradeId,
      sequence: state.sequence,
      timestamp: timestamp(state.micros),
      bid: levelOf(state, bids[0] ?? empty),
      ask: levelOf(state, asks[0] ?? empty),
      low: print(state.low, state.priceScale),
      high: print(state.high, state.priceScale),
      volume: print(state.volume, state.sizeScale),
      changes,
      isQuote: trade === undefined
    }
  }
}

const step = (before: State, product: Product, atMillis: number): Market => {
  const { anchor, grid, priceScale, sizeScale, usual } = before
  // A step's chance depends on the seed and the step alone: that is what makes it pure.
  const chance = Chance.make(before.seed * 0x100000 + before.tradeId)
  const reach = (grid * BigInt(Math.round((product.volatility ?? 1) * 200))) / 100n
  const drift = below(chance, reach * 2n + 1n) - reach + (anchor - before.mid) / 64n
  const floor = anchor / 2n
  const mid = before.mid + drift > floor ? before.mid + drift : floor
  const rung = mid / grid

  const { asks, bids, fresh } = ladders(before, levelsOf(product), rung * grid, (rung + 1n) * grid, chance)

  // The taker leaves something of the best level, so that both sides always have one.
  const side = chance.happens(0.5) ? "buy" : "sell"
  const taken = side === "buy" ? asks : bids
  const [best] = taken
  const most = best.size - 1n < usual * 2n ? best.size - 1n : usual * 2n
  const size = 1n + below(chance, most > 0n ? most : 1n)
  taken[0] = best.size > size
    ? { ...best, size: best.size - size }
    : { price: best.price, size: fresh(), born: before.sequence }

  const changes = [
    ...difference("buy", before.bids, bids, before),
    ...difference("sell", before.asks, asks, before)
  ]
  const state: State = {
    ...before,
    mid,
    low: best.price < before.low ? best.price : before.low,
    high: best.price > before.high ? best.price : before.high,
    volume: before.volume + size,
    bids,
    asks,
    tradeId: before.tradeId + 1,
    sequence: before.sequence + changes.length + 1,
    micros: Math.max(before.micros + 1, atMillis * 1_000 + chance.integer(1_000))
  }
  return {
    product,
    state,
    before,
    last: {
      product: product.symbol,
      price: print(best.price, priceScale),
      size: print(size, sizeScale),
      side,
      tradeId: state.tradeId,
      sequence: state.sequence,
      timestamp: timestamp(state.micros),
      bid: levelOf(state, bids[0]),
      ask: levelOf(state, asks[0]),
      open: print(anchor, priceScale),
      low: print(state.low, priceScale),
      high: print(state.high, priceScale),
      volume: print(state.volume, sizeScale),
      changes
    }
  }
}

/**
 * An order book: the levels of each side, best first.
 *
 * @category models
 * @since 0.1.0
 */
export interface Book {
  readonly bids: ReadonlyArray<Level>
  readonly asks: ReadonlyArray<Level>
}

/**
 * The market's book, best first on both sides.
 *
 * @category getters
 * @since 0.1.0
 */
export const book = ({ state }: Market): Book => ({
  bids: state.bids.map((row) => levelOf(state, row)),
  asks: state.asks.map((row) => levelOf(state, row))
})

/**
 * The time of a tick in whole epoch milliseconds; `NaN` where its text is none.
 *
 * @category getters
 * @since 0.1.0
 */
export const millisOf = (tick: Tick): number => {
  const time = Timestamp.fromIso(tick.timestamp)
  return time === undefined ? Number.NaN : Timestamp.epochMillis(time)
}

/**
 * A product's ticks without end, one every so many milliseconds of a clock of
 * their own.
 *
 * @category constructors
 * @since 0.1.0
 */
export const ticks = function*(
  product: Product,
  options: { readonly seed: number; readonly fromMillis: number; readonly everyMillis: number }
): Generator<Tick, never> {
  let atMillis = options.fromMillis
  let market = make(product, { seed: options.seed, atMillis })
  while (true) {
    yield market.last
    atMillis += options.everyMillis
    market = next(market, atMillis)
  }
}
