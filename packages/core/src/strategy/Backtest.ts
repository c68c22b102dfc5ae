/**
 * A strategy over a feed of the past, with the code that runs live: `Signals`,
 * the `Trader` with its checks, stops and targets, the `OrderRouter`, and paper
 * orders that are filled by what the feed shows, after the latency that they
 * have, and for the fees that they cost.
 *
 * Time is that of the clock it runs under. Under the clock of a `Replay` nothing
 * is known before the recording has come to it, and the same recording gives the
 * same report, to the byte.
 *
 * - What is bought is paid for, whatever the product: of a derivative the price is
 *   taken for that of one unit, and no margin, funding or expiry is modelled.
 * - It is long or out: a sell closes what was bought.
 * - Where the feed has no book that is followed, an order of any size is filled at
 *   the price of the last trade.
 * - The market does not know of the orders: they move no price.
 *
 * **Example** (a strategy over a recording)
 *
 * ```ts
 * const replay = yield* Replay.make(lines)
 * const report = yield* replay.run(Effect.gen(function*() {
 *   const feed = yield* MarketFeed.prepare(Kraken.venue)
 *   const backtest = yield* Backtest.make(feed, { products: ["BTC/USD"], strategy: Strategy.fast() })
 *   yield* Effect.forkScoped(feed.connection.connect)
 *   yield* replay.ended
 *   return yield* backtest.report
 * }).pipe(Effect.provide(Reconnection.layerWithBreaker())))
 * ```
 *
 * @since 0.1.0
 */
import * as BigDecimal from "effect/BigDecimal"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as MarketData from "../event/MarketData.ts"
import { MarketFeed, type UnknownChannel } from "../market/MarketFeed.ts"
import * as Symbols from "../protocol/Symbols.ts"
import { Instrument } from "../trading/Instrument.ts"
import type { Closed } from "../trading/Lot.ts"
import * as MemoryStorage from "../trading/MemoryStorage.ts"
import type { Fill } from "../trading/OrderEvent.ts"
import * as OrderRouter from "../trading/OrderRouter.ts"
import * as PaperExchange from "../trading/paper/PaperExchange.ts"
import * as Portfolio from "../trading/Portfolio.ts"
import type * as Risk from "../trading/Risk.ts"
import * as RoutingStrategy from "../trading/RoutingStrategy.ts"
import { Storage } from "../trading/Storage.ts"
import type { StorageError } from "../trading/StorageError.ts"
import * as Decimal from "../value/Decimal.ts"
import * as Exact from "../value/internal/exactArithmetic.ts"
import * as Timestamp from "../value/Timestamp.ts"
import type { Venue } from "../venue/Venue.ts"
import * as Candles from "./Candles.ts"
import * as Performance from "./Performance.ts"
import type { Price } from "./Price.ts"
import type { Signal } from "./Signal.ts"
import * as Signals from "./Signals.ts"
import * as Trader from "./Trader.ts"
import type { TraderEvent } from "./TraderEvent.ts"

/**
 * Of what a backtest is made, besides what `Signals` want.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options extends Signals.Options {
  /** What it begins with, in the currency of the first product's prices. Default: 10,000. */
  readonly capital?: Decimal.Decimal | undefined
  /** What trades cost, as shares of their value. Default: nothing. */
  readonly fees?: PaperExchange.Options["fees"]
  /** From the decision to the arrival at the exchange. Default: no time. */
  readonly latency?: Duration.Input | undefined
  /** What is checked of each signal, where it differs from `Risk.limits`. */
  readonly limits?: Partial<Risk.Limits> | undefined
  /** What the portfolio keeps to, where it differs from `Portfolio.limits`. */
  readonly portfolio?: Partial<Portfolio.Limits> | undefined
  /** How long an order may rest before it is cancelled; see `Trader`. */
  readonly patience?: Duration.Input | undefined
  /** Whether orders are filled by the book, where the venue has one. Default: yes. */
  readonly fillsByBook?: boolean | undefined
}

/**
 * What came of it. `pnl` is what was gained in the quote currency, after fees, by
 * the mark of the last trade; `trades` are closed positions. All others are
 * fractions, and what cannot be told is absent; see `Performance`.
 *
 * @category models
 * @since 0.1.0
 */
export class Result extends Schema.TaggedClass<Result>()("Result", {
  trades: Schema.Int,
  pnl: Decimal.FromText,
  return: Schema.Finite,
  drawdown: Schema.Finite,
  hitRate: Schema.optionalKey(Schema.Finite),
  exposure: Schema.Finite,
  sharpe: Schema.optionalKey(Schema.Finite)
}) {}

/**
 * A backtest as it stands.
 *
 * - `signals`, `fills`, `trades`: in their order
 * - `refusals`: how many signals became no order, by the code of why not
 * - `curve`: the total at the last price of each candle's time, in milliseconds
 *   since 1970
 * - `candles`: of each product, those with a gap in them too
 *
 * @category models
 * @since 0.1.0
 */
export interface Report {
  readonly quote: string
  readonly capital: Decimal.Decimal
  readonly result: Result
  readonly performance: Performance.Summary
  readonly signals: ReadonlyArray<Signal>
  readonly fills: ReadonlyArray<Fill>
  readonly trades: ReadonlyArray<Closed>
  readonly refusals: ReadonlyMap<string, number>
  readonly curve: ReadonlyArray<{ readonly at: number; readonly total: number }>
  readonly candles: ReadonlyMap<string, ReadonlyArray<Candles.Candle>>
}

/**
 * A backtest that runs.
 *
 * @category models
 * @since 0.1.0
 */
export interface Backtest {
  readonly report: Effect.Effect<Report>
}

const tick = BigDecimal.make(1n, 18)
const lot = BigDecimal.make(1n, 8)

/** The priority of what runs when nothing else does. */
const last = 1_000

const partsOf = (venue: Venue, symbol: string): Pick<Symbols.Parts, "base" | "quote"> =>
  venue.symbols?.read(symbol) ?? Symbols.parse(symbol) ?? { base: symbol, quote: "USD" }

// The last trade as the market: what a venue without a book has.
const byTrades = (feed: MarketFeed["Service"]): MarketFeed["Service"] => {
  const { book: _, ...channels } = feed.venue.channels
  return {
    ...feed,
    venue: { ...feed.venue, channels },
    channel: (_, product) => feed.channel("trade", product),
    prices: (product) =>
      feed.trades(product, { overflow: "block" }).pipe(
        Stream.filter(({ history }) => history !== true),
        Stream.map(({ price, product, timestamp, venue }) =>
          MarketData.priceUpdate({ venue, product, price, timestamp })
        )
      )
  }
}

/** What a report is made of, as it comes. */
class Record {
  readonly signals: Array<Signal> = []
  readonly fills: Array<Fill> = []
  readonly trades: Array<Closed> = []
  readonly refusals = new Map<string, number>()
  readonly curve: Array<{ readonly at: number; readonly total: number }> = []
  performance: Performance.Performance
  private readonly interval: Duration.Input
  private readonly making = new Map<string, Candles.Candles>()
  private readonly closed = new Map<string, Array<Candles.Candle>>()
  private isBegun = false

  constructor(capital: Decimal.Decimal, interval: Duration.Input) {
    this.performance = Performance.start(capital, 0)
    this.interval = interval
  }

  /** The next price, what there was before it, and when it came. */
  price({ at, price, product }: Price, before: Portfolio.Portfolio, now: number): void {
    const { lots, total } = Portfolio.mark(before, product, price)
    if (!this.isBegun) this.performance = Performance.start(before.total, now)
    this.isBegun = true
    this.performance = Performance.equity(this.performance, total, now, lots.size > 0)
    const made = this.candlesOf(product)
    const hasClosed = made.add({ price, timestamp: at }).reduce((_, candle) => this.keep(product, candle), false)
    const point = { at: Timestamp.epochMillis(at), total: Number(Decimal.format(total)) }
    if (hasClosed || this.curve.length === 0) this.curve.push(point)
    else this.curve[this.curve.length - 1] = point
  }

  fill(fill: Fill): void {
    this.fills.push(fill)
    this.performance = Performance.fill(this.performance, BigDecimal.multiply(fill.price, fill.amount))
  }

  said(event: TraderEvent, { lots, total }: Portfolio.Portfolio, now: number): void {
    if (event._tag === "Refused") this.refusals.set(event.code, (this.refusals.get(event.code) ?? 0) + 1)
    // A position begins and ends with a fill, not with the price after it, and the fee is paid by then.
    if (event._tag === "Opened" || event._tag === "Closed") {
      this.performance = Performance.equity(this.performance, total, now, lots.size > 0)
    }
    if (event._tag !== "Closed") return
    this.trades.push(event.trade)
    const { fees, realized } = event.trade
    this.performance = Performance.trade(this.performance, BigDecimal.subtract(realized, fees))
  }

  /** All candles, the last of each product as far as it went. */
  candles(): ReadonlyMap<string, ReadonlyArray<Candles.Candle>> {
    return new Map(Array.from(this.making, ([product, made]) => {
      const last = made.current()
      return [product, [...this.closed.get(product) ?? [], ...last === undefined ? [] : [last]]]
    }))
  }

  private candlesOf(product: string): Candles.Candles {
    const known = this.making.get(product)
    if (known !== undefined) return known
    const made = Candles.make({ interval: this.interval, gaps: "skip" })
    this.making.set(product, made)
    this.closed.set(product, [])
    return made
  }

  private keep(product: string, candle: Candles.Candle): true {
    this.closed.get(product)?.push(candle)
    return true
  }
}

/**
 * Begins a backtest on a feed, which need not be connected yet. It ends with the
 * feed, or the scope.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(
  feed: MarketFeed["Service"],
  options: Options
): Effect.fn.Return<Backtest, UnknownChannel | StorageError, Scope.Scope> {
  const { capital = BigDecimal.make(10_000n, 0), fees, latency, products } = options
  const kind = feed.venue.channels.trade === undefined ? "ticker" : "trade"
  const symbols = yield* Effect.forEach(
    products,
    (product) => Effect.map(feed.channel(kind, product), (channel) => channel.product ?? product)
  )
  const { quote } = partsOf(feed.venue, symbols[0] ?? "")
  const record = new Record(capital, options.interval ?? "10 seconds")
  const clock = yield* Clock.Clock
  const now = (): number => clock.currentTimeMillisUnsafe()

  const market = options.fillsByBook === false && feed.venue.channels.book !== undefined ? byTrades(feed) : feed
  const exchange = yield* Effect.provideService(
    PaperExchange.make({
      balances: { [quote]: capital },
      fees,
      latency,
      instruments: symbols.map((product) => {
        const { base, quote } = partsOf(feed.venue, product)
        return new Instrument({ product, tick, lot, feeAsset: quote, ...(base === quote ? {} : { base }) })
      })
    }),
    MarketFeed,
    market
  )
  // The market is watched from the beginning, and not from the first order on.
  for (const symbol of symbols) {
    yield* Effect.forkScoped(Effect.ignore(exchange.instrument(symbol, { deadline: Duration.infinity })), {
      startImmediately: true
    })
  }
  const storage = Context.get(yield* Layer.build(MemoryStorage.layer), Storage)
  const symbolOf = new Map(products.map((product, at) => [product, symbols[at] ?? product]))
  const nameOf = new Map(Array.from(symbolOf, ([product, symbol]) => [symbol, product]))
  const router = yield* Effect.provideService(
    OrderRouter.make({
      routes: [{
        exchange,
        symbols: { symbolOf: (name) => symbolOf.get(name), nameOf: (symbol) => nameOf.get(symbol) },
        ...(fees === undefined ? {} : { fees })
      }],
      strategy: RoutingStrategy.fixed(exchange.name),
      observe: ({ event }) => {
        if (event._tag === "Fill") record.fill(event)
      }
    }),
    Storage,
    storage
  )

  let portfolio = Effect.succeed(Portfolio.empty({ cash: capital, quote }))
  const inputs = Stream.tap(Signals.withPrices(feed, options), (input) =>
    // Whoever has something to do does it first: an order meets the market that its signal comes of, and none of before.
    Effect.andThen(
      Effect.yieldNowWith(last),
      input._tag === "Signal"
        ? Effect.sync(() => void record.signals.push(input))
        : Effect.map(Effect.suspend(() => portfolio), (before) => record.price(input, before, now()))
    ))
  const trader = yield* Trader.make({
    inputs,
    quote,
    capital,
    limits: { products, ...options.limits },
    portfolio: options.portfolio,
    patience: options.patience
  }).pipe(
    Effect.provideService(OrderRouter.OrderRouter, router),
    Effect.provideService(Storage, storage)
  )
  portfolio = trader.portfolio
  yield* Effect.forkScoped(
    Stream.runForEach(
      trader.events,
      (event) => Effect.map(trader.portfolio, (portfolio) => record.said(event, portfolio, now()))
    ),
    { startImmediately: true }
  )

  return {
    report: Effect.map(trader.portfolio, (portfolio) => {
      const { performance } = record
      const now = Performance.equity(performance, portfolio.total, performance.lastAt, portfolio.lots.size > 0)
      const summary = Performance.summary(now)
      const { drawdown, exposure, hitRate, sharpe, trades } = summary
      return {
        quote,
        capital,
        result: new Result({
          trades,
          pnl: Exact.trim(BigDecimal.subtract(portfolio.total, capital), 0),
          return: summary.return,
          drawdown,
          ...(hitRate === undefined ? {} : { hitRate }),
          exposure,
          ...(sharpe === undefined ? {} : { sharpe })
        }),
        performance: summary,
        signals: record.signals,
        fills: record.fills,
        trades: record.trades,
        refusals: record.refusals,
        curve: record.curve,
        candles: record.candles()
      }
    })
  }
})
