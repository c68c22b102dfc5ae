/**
 * Where a whole workflow is played: a venue whose market is moved by hand, two
 * exchanges that trade, and a trader between them. What is played does not know
 * whether the network under it is virtual or real.
 */
import { assert } from "@effect/vitest"
import * as MarketFeed from "@tickline/core/market/MarketFeed"
import * as Signals from "@tickline/core/strategy/Signals"
import * as Strategy from "@tickline/core/strategy/Strategy"
import * as Trader from "@tickline/core/strategy/Trader"
import type { TraderEvent } from "@tickline/core/strategy/TraderEvent"
import * as CoinbaseAdvanced from "@tickline/core/trading/coinbase/CoinbaseAdvanced"
import * as OrderEvent from "@tickline/core/trading/OrderEvent"
import { OrderRequest } from "@tickline/core/trading/OrderRequest"
import * as OrderRouter from "@tickline/core/trading/OrderRouter"
import type * as Portfolio from "@tickline/core/trading/Portfolio"
import * as RoutingStrategy from "@tickline/core/trading/RoutingStrategy"
import { Storage } from "@tickline/core/trading/Storage"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Timestamp from "@tickline/core/value/Timestamp"
import * as Coinbase from "@tickline/core/venue/coinbase/Venue"
import * as MockCoinbaseAdvanced from "@tickline/testing/MockCoinbaseAdvanced"
import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"

export const products = [
  { symbol: "BTC-USD", price: "43250.00", size: "5.0000", volatility: 0 },
  { symbol: "ETH-USD", price: "2280.50", size: "80.000", volatility: 0 }
] as const

export type Product = (typeof products)[number]["symbol"]

export const decimal = (text: string): Decimal.Decimal => Decimal.parse(text) ?? assert.fail(text)

/** A server of the stage, by what a test does to it. */
export interface Served {
  readonly url: string
  readonly rest: string
  readonly quote: (product: string, bid: string, ask: string) => Effect.Effect<void>
  readonly trade: (product: string) => Effect.Effect<void>
}

/** What a network offers a stage. */
export interface Network {
  readonly serve: (name: string, venue: MockCoinbaseAdvanced.MockCoinbaseAdvanced["venue"]) => Effect.Effect<Served>
  /** How long a candle is, and lets that time pass. */
  readonly interval: Duration.Input
  readonly candle: Effect.Effect<void>
  /** Waits until something is so. */
  readonly until: (what: string, isSo: () => boolean) => Effect.Effect<void>
}

export const names = ["first", "second"] as const

export type Name = (typeof names)[number]

/** The exchanges of the stage, and what they answer. */
export type Exchanges = Readonly<Record<Name, Served & { readonly mock: MockCoinbaseAdvanced.MockCoinbaseAdvanced }>>

/** A trader's process. */
export interface Process {
  readonly trader: Trader.Trader["Service"]
  readonly events: Array<TraderEvent>
  readonly portfolio: () => Portfolio.Portfolio
  readonly kill: Effect.Effect<void>
}

/** What is at hand when a workflow is played. */
export interface Stage {
  readonly exchanges: Exchanges
  readonly storage: Storage["Service"]
  /** Moves all markets of a product to these prices, one a candle, with a trade each; each waits for the orders of the one before. */
  readonly prices: (product: Product, ...prices: ReadonlyArray<number>) => Effect.Effect<void>
  /** Several products at once. */
  readonly together: (prices: Partial<Readonly<Record<Product, ReadonlyArray<number>>>>) => Effect.Effect<void>
  readonly until: Network["until"]
  readonly begin: (options?: Options) => Effect.Effect<Process, never, Scope.Scope>
}

export interface Options extends Partial<Omit<Trader.Options, "inputs">> {
  readonly strategy?: Strategy.Strategy | undefined
}

/** A trend that is seen after five candles, by one strategy alone. */
export const strategy = Strategy.combined([{ strategy: Strategy.fast({ candles: 5 }), weight: 1 }])

/** Prices that rise or fall, from a price on, by a share each. */
export const trend = (from: number, share: number, count: number): ReadonlyArray<number> =>
  Array.from({ length: count }, (_, i) => from * (1 + share) ** i)

/** Whether every order of a trader is over. */
export const isQuiet = ({ events }: Process): boolean => {
  const count = (...tags: ReadonlyArray<TraderEvent["_tag"]>) => events.filter(({ _tag }) => tags.includes(_tag)).length
  const refused = events.filter((event) => event._tag === "Refused" && event.code === "ERR_NOT_PLACED").length
  return count("Entering") === count("Opened", "NotFilled") + refused &&
    count("Exiting") === count("Closed", "NotClosed")
}

/** Market data: a venue whose prices are moved by hand. */
export const marketData = ({ serve }: Network): Effect.Effect<Served> =>
  Effect.suspend(() => serve("market", MockCoinbaseAdvanced.make().venue))

/** What exchanges answer: two that trade, with an account each, and go wrong on demand. */
export const exchangeAnswers = Effect.fnUntraced(function*({ serve }: Network): Effect.fn.Return<Exchanges> {
  const [first, second] = [MockCoinbaseAdvanced.make(), MockCoinbaseAdvanced.make()]
  return {
    first: { ...yield* serve("first", first.venue), mock: first },
    second: { ...yield* serve("second", second.venue), mock: second }
  }
})

/** The state of a portfolio: what a process before left in the storage, with so much of a product bought. */
export const portfolioState = Effect.fnUntraced(function*(
  held: { readonly product: Product; readonly amount: string; readonly price: string },
  capital = "1000000.00"
) {
  const storage = yield* Storage
  const clientId = "0x00000000000000000000000000000001"
  const [amount, price] = [decimal(held.amount), decimal(held.price)]
  const { product } = held
  const at = Timestamp.format(Timestamp.fromEpochMillis(yield* Clock.currentTimeMillis))
  const totals = { USD: "1000000.00", BTC: "10.00000000", ETH: "100.00000000" }
  const balances = names.flatMap((exchange) =>
    Object.entries(totals).map(([asset, total]) => ({ exchange, asset, total }))
  )
  yield* storage.decide({ kind: "opening", reason: "", detail: { capital, balances, positions: [] } })
  yield* storage.decide({
    kind: "enter",
    reason: "",
    clientId,
    detail: { _tag: "Enter", product, side: "buy", confidence: 0.8, strategy: "by hand", price: held.price, at }
  })
  const request = new OrderRequest({
    product,
    side: "buy",
    type: "limit",
    amount,
    price,
    timeInForce: "ioc",
    reduceOnly: false,
    clientId
  })
  const order = { exchange: "first", clientId, orderId: "1" }
  yield* storage.intend("first", request)
  yield* storage.append("first", clientId, new OrderEvent.Acknowledged({ ...order, status: "filled", filled: amount }))
  yield* storage.append(
    "first",
    clientId,
    new OrderEvent.Fill({
      ...order,
      product,
      side: "buy",
      price,
      amount,
      tradeId: "1",
      fee: decimal("0"),
      feeAsset: "USD"
    })
  )
})

/** A trader's router over the exchanges, and the trader. */
export const traderSetup = Effect.fnUntraced(function*<E>(
  exchanges: Exchanges,
  { inputs, ...options }: Partial<Trader.Options<E>> & Pick<Trader.Options<E>, "inputs">
) {
  const routes = yield* Effect.forEach(names, (name) =>
    Effect.map(
      CoinbaseAdvanced.make({
        keyName: MockCoinbaseAdvanced.simulated.keyName,
        keySecret: Redacted.make(MockCoinbaseAdvanced.simulated.keySecret),
        url: exchanges[name].rest,
        wsUrl: exchanges[name].url
      }),
      (exchange) => ({ name, exchange })
    ))
  const router = yield* OrderRouter.make({ routes, strategy: RoutingStrategy.priority(...names) })
  return yield* Trader.make({
    inputs,
    quote: "USD",
    ...options,
    limits: { products: products.map(({ symbol }) => symbol), repeatAfter: "1 millis", ...options.limits }
  }).pipe(Effect.provideService(OrderRouter.OrderRouter, router))
}, Effect.orDie)

/** Sets the stage. */
export const make = Effect.fnUntraced(function*(network: Network) {
  const market = yield* marketData(network)
  const exchanges = yield* exchangeAnswers(network)
  const feed = yield* MarketFeed.make(Coinbase.venue, { url: market.url, rest: market.rest, backfill: "none" })
  const storage = yield* Storage

  const move = (product: Product, price: number) => {
    const [bid, ask] = [(price - 0.01).toFixed(2), (price + 0.01).toFixed(2)]
    return Effect.andThen(
      Effect.forEach([market, ...Object.values(exchanges)], ({ quote }) => quote(product, bid, ask), { discard: true }),
      market.trade(product)
    )
  }
  const processes = new Set<Process>()
  const heard = new Map<string, number>()
  for (const { symbol } of products) {
    yield* Effect.forkScoped(
      Stream.runForEach(feed.trades(symbol), () => Effect.sync(() => heard.set(symbol, (heard.get(symbol) ?? 0) + 1))),
      { startImmediately: true }
    )
  }
  const isHeard = (product: string, times: number) => (heard.get(product) ?? 0) >= times
  const together: Stage["together"] = (prices) =>
    Effect.gen(function*() {
      const all = Object.entries(prices)
      const longest = Math.max(...all.map(([, { length }]) => length))
      for (let i = 0; i < longest; i++) {
        for (const { symbol } of products) {
          const price = prices[symbol]?.[i]
          if (price === undefined) continue
          const before = heard.get(symbol) ?? 0
          yield* move(symbol, price)
          yield* network.until("the trade is heard", () => isHeard(symbol, before + 1))
        }
        yield* network.candle
        for (const process of processes) yield* network.until("nothing is under way", () => isQuiet(process))
      }
    })

  const begin = Effect.fnUntraced(function*({ strategy: shown = strategy, ...options }: Options = {}) {
    const scope = yield* Effect.acquireRelease(Scope.make(), (scope) => Scope.close(scope, Exit.void))
    const trader = yield* traderSetup(exchanges, {
      inputs: Signals.withPrices(feed, {
        products: products.map(({ symbol }) => symbol),
        strategy: shown,
        interval: network.interval,
        onFailure: () => Effect.void
      }),
      ...options
    }).pipe(Scope.provide(scope))
    const events: Array<TraderEvent> = []
    yield* Effect.forkIn(
      Stream.runForEach(trader.events, (event) => Effect.sync(() => events.push(event))),
      scope,
      { startImmediately: true }
    )
    yield* network.until("the trader trades", () => {
      const { _tag } = Effect.runSync(trader.state.current)
      return _tag === "Trading" || _tag === "Halted"
    })
    yield* network.until(
      "the feed is live",
      () =>
        Effect.runSync(feed.subscriptions).filter(({ standing }) => standing === "confirmed").length >= products.length
    )
    const process: Process = {
      trader,
      events,
      portfolio: () => Effect.runSync(trader.portfolio),
      kill: Effect.suspend(() => {
        processes.delete(process)
        return Scope.close(scope, Exit.void)
      })
    }
    processes.add(process)
    return process
  })

  const context = yield* Effect.context<Exclude<Effect.Services<ReturnType<typeof begin>>, Scope.Scope>>()
  const stage: Stage = {
    exchanges,
    storage,
    prices: (product, ...prices) => together({ [product]: prices }),
    together,
    until: network.until,
    begin: (options) => Effect.provide(begin(options), context)
  }
  return stage
})
