/** Mock venues on a virtual network, several of them in one test. */
import { assert, describe, it } from "@effect/vitest"
import * as MarketEvent from "@tickline/core/event/MarketEvent"
import * as Ndjson from "@tickline/core/event/Ndjson"
import * as MarketFeeds from "@tickline/core/market/MarketFeeds"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Binance from "@tickline/core/venue/binance/Venue"
import * as CoinbaseExchange from "@tickline/core/venue/coinbase-exchange/Venue"
import * as Kraken from "@tickline/core/venue/kraken/Venue"
import * as Venues from "@tickline/core/venue/Venues"
import * as Market from "@tickline/testing/Market"
import * as MockBinance from "@tickline/testing/MockBinance"
import * as MockCoinbaseExchange from "@tickline/testing/MockCoinbaseExchange"
import * as MockKraken from "@tickline/testing/MockKraken"
import * as MockVenue from "@tickline/testing/MockVenue"
import * as MockVenues from "@tickline/testing/MockVenues"
import * as Probe from "@tickline/testing/Probe"
import * as VirtualNetwork from "@tickline/testing/VirtualNetwork"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"

const shown = (event: MarketEvent.AnyEvent): string =>
  event._tag === "Ticker" && event.bid !== undefined && event.ask !== undefined
    ? `${event.venue} ${Decimal.format(event.bid)} ${Decimal.format(event.ask)}`
    : event._tag

describe("MockVenue.serve", () => {
  it.effect("serves three venues to one application, each of which quotes in its own words", () =>
    Probe.scoped(Effect.gen(function*() {
      const network = yield* VirtualNetwork.Network
      const kraken = yield* MockVenue.serve(network, "wss://kraken.test", MockKraken.make())
      const binance = yield* MockVenue.serve(network, "wss://binance.test", MockBinance.make())
      const exchange = yield* MockVenue.serve(network, "wss://exchange.test", MockCoinbaseExchange.make())

      const feeds = yield* MarketFeeds.make([
        { venue: Kraken.venue, url: kraken.url, products: ["BTC-USD"], kinds: ["ticker"] },
        { venue: Binance.venue, url: binance.url, products: ["BTC-USDT"], kinds: ["ticker"] },
        { venue: CoinbaseExchange.venue, url: exchange.url, products: ["BTC-USD"], kinds: ["ticker"] }
      ])
      const tickers = yield* Probe.record(Stream.filter(feeds.events(), ({ _tag }) => _tag === "Ticker"))
      yield* TestClock.adjust("1 second")
      const before = tickers.length

      yield* kraken.quote("BTC-USD", "43250.10", "43250.30")
      yield* binance.quote("BTC-USDT", "43249.00", "43251.00")
      yield* exchange.quote("BTC-USD", "43250.20", "43250.40")
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(tickers.slice(before).map(shown), [
        "kraken 43250.10 43250.30",
        "binance 43249.00 43251.00",
        "coinbase-exchange 43250.20 43250.40"
      ])
      assert.deepStrictEqual([...kraken.sessions.get(1)?.channels ?? []], [["ticker", new Set(["BTC/USD"])]])
    })).pipe(Effect.provide(Probe.layer({ latency: 20 }))))

  for (const mock of MockVenues.all) {
    it.effect(`${mock.name}: a quote is in the book or the ticker, exactly, and makes no trade`, () =>
      Probe.scoped(Effect.gen(function*() {
        const network = yield* VirtualNetwork.Network
        const served = yield* MockVenue.serve(network, "wss://venue.test", mock)
        const venue = Venues.get(mock.name)
        const [bitcoin] = Market.listedBy(mock)
        if (venue === undefined || bitcoin === undefined) return assert.fail(mock.name)
        const kinds = (["trade", "ticker", "book"] as const).filter((kind) => venue.channels[kind] !== undefined)
        const feeds = yield* MarketFeeds.make([{ venue, url: served.url, products: [bitcoin.symbol], kinds }])
        const events = yield* Probe.record(feeds.events())
        yield* TestClock.adjust("1 second")
        const before = events.length
        yield* served.quote(bitcoin.symbol, "40000.10", "40000.2")
        yield* TestClock.adjust("100 millis")
        const told = events.slice(before)
        assert.deepStrictEqual(told.filter(({ _tag }) => _tag === "Trade" || _tag === "PriceUpdate"), [])
        const texts = told.flatMap((event) => MarketEvent.isMarketData(event) ? [Ndjson.toJson(event)] : [])
        // It has prices, and no quotes.
        if (mock.name === "generic") return assert.deepStrictEqual(texts, [])
        for (const price of ["\"40000.10\"", "\"40000.20\""]) assert.include(texts.join(), price)
        // Trades go on from there.
        yield* served.trade(bitcoin.symbol)
        yield* TestClock.adjust("100 millis")
        assert.isAbove(events.length, before + told.length)
      })).pipe(Effect.provide(Probe.layer({ latency: 5 }))))
  }

  it.effect("greets, beats, keeps to itself and takes off its list as it is told", () =>
    Probe.scoped(Effect.gen(function*() {
      const network = yield* VirtualNetwork.Network
      const mock = yield* MockVenue.serve(network, "wss://venue.test", MockKraken.make(), { every: "1 second" })
      const feeds = yield* MarketFeeds.make([
        { venue: Kraken.venue, url: mock.url, products: ["BTC-USD", "ETH-USD"], kinds: ["ticker"] }
      ])
      const events = yield* Probe.record(feeds.events())
      const count = (tag: string, product?: string): number =>
        events.filter((event) =>
          event._tag === tag && (product === undefined || ("product" in event && event.product === product))
        ).length
      yield* TestClock.adjust("5500 millis")
      const [beats, tickers] = [count("Heartbeat"), count("Ticker", "BTC/USD")]
      assert.isAtLeast(beats, 4)
      assert.isAtLeast(tickers, 5)
      yield* mock.withhold("data", true)
      yield* mock.withhold("heartbeat", true)
      yield* TestClock.adjust("2 seconds")
      assert.deepStrictEqual([count("Heartbeat"), count("Ticker", "BTC/USD")], [beats, tickers])
      yield* mock.withhold("data", false)
      yield* mock.withhold("heartbeat", false)
      yield* mock.delist("ETH-USD", true)
      const ether = count("Ticker", "ETH/USD")
      yield* TestClock.adjust("2 seconds")
      assert.strictEqual(count("Heartbeat"), beats + 2)
      assert.strictEqual(count("Ticker", "BTC/USD"), tickers + 2)
      assert.strictEqual(count("Ticker", "ETH/USD"), ether)
      yield* mock.stopMarket
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(count("Ticker", "BTC/USD"), tickers + 2)
    })).pipe(Effect.provide(Probe.layer({ latency: 5 }))))
})

describe("Market.quote", () => {
  const market = Market.make({ symbol: "BTC-USD", price: "43250.10", size: "0.05" }, { seed: 1, atMillis: 0 })

  it("builds the book anew from the best prices", () => {
    const quoted = Market.quote(market, "43000", "43000.5", 1_000)
    const { asks, bids } = Market.book(quoted)
    assert.deepStrictEqual([bids[0]?.[0], asks[0]?.[0]], ["43000.00", "43000.50"])
    assert.deepStrictEqual([bids.length, asks.length], [10, 10])
    assert.deepStrictEqual([quoted.last.bid, quoted.last.ask], [bids[0], asks[0]])
    assert.isTrue(quoted.last.isQuote)
    assert.strictEqual(quoted.last.tradeId, market.last.tradeId)
    assert.strictEqual(quoted.last.sequence, market.last.sequence + quoted.last.changes.length + 1)
    assert.isAbove(quoted.state.micros, market.state.micros)
    assert.isUndefined(Market.next(quoted, 2_000).last.isQuote)
  })

  for (
    const [bid, ask] of [["43000.10", "43000.10"], ["43000.20", "43000.10"], ["43000.001", "43001"], ["0", "1"], [
      "1",
      "2"
    ], ["x", "1"]] as const
  ) {
    it(`refuses ${bid} and ${ask}`, () => assert.throws(() => Market.quote(market, bid, ask, 0), RangeError))
  }
})
