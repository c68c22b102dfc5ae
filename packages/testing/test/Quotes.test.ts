/** The best quotes over several venues, and the streams that they come from. */
import { assert, describe, it } from "@effect/vitest"
import * as Reconnection from "@tickline/core/connection/Reconnection"
import type * as MarketData from "@tickline/core/event/MarketData"
import * as MarketFeed from "@tickline/core/market/MarketFeed"
import * as MarketFeeds from "@tickline/core/market/MarketFeeds"
import * as Quotes from "@tickline/core/market/Quotes"
import * as Presets from "@tickline/core/resilience/Presets"
import { Transport } from "@tickline/core/transport/Transport"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Timestamp from "@tickline/core/value/Timestamp"
import * as Coinbase from "@tickline/core/venue/coinbase/Venue"
import * as Dydx from "@tickline/core/venue/dydx/Venue"
import * as Kraken from "@tickline/core/venue/kraken/Venue"
import * as MockCoinbase from "@tickline/testing/MockCoinbase"
import * as MockKraken from "@tickline/testing/MockKraken"
import * as MockVenue from "@tickline/testing/MockVenue"
import * as VirtualNetwork from "@tickline/testing/VirtualNetwork"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"

const coinbaseUrl = "ws://coinbase.test/"
const krakenUrl = "ws://kraken.test/"

const stage = Effect.gen(function*() {
  const network = yield* VirtualNetwork.make({ seed: 1 })
  const coinbase = yield* MockVenue.serve(network, coinbaseUrl, MockCoinbase.make())
  const kraken = yield* MockVenue.serve(network, krakenUrl, MockKraken.make())
  // It takes what is asked of it, and says nothing.
  yield* network.serve("ws://dydx.test/")
  const layer = MarketFeeds.layer([
    { venue: Coinbase.venue, url: coinbaseUrl },
    { venue: Kraken.venue, url: krakenUrl },
    { venue: Dydx.venue, url: "ws://dydx.test/" }
  ]).pipe(
    Layer.provide([Reconnection.layerWithBreaker(Presets.test), Layer.succeed(Transport, network.transport)])
  )
  return { coinbase, kraken, layer }
})

const shown = (side: Quotes.Side | undefined): string =>
  side === undefined ? "none" : `${side.venue} ${Decimal.format(side.price)} ${side.ageMillis}`

const line = (quote: Quotes.Quote): string =>
  quote._tag === "Unknown" ? quote._tag : `${quote._tag} ${shown(quote.bid)} / ${shown(quote.ask)}`

describe("Quotes", () => {
  it.effect("the best bid and ask over venues, by a common name, live until they are too old", () =>
    Effect.gen(function*() {
      const { coinbase, kraken, layer } = yield* stage
      yield* Effect.gen(function*() {
        const quotes = yield* Quotes.Quotes
        const lines: Array<string> = []
        yield* quotes.changes("BTC-USD").pipe(
          Stream.runForEach((quote) => Effect.sync(() => lines.push(line(quote)))),
          Effect.forkScoped({ startImmediately: true })
        )
        assert.strictEqual(line(yield* quotes.get("BTC-USD")), "Unknown")
        // What the venues greet with is old by then.
        yield* TestClock.adjust("6 seconds")
        assert.strictEqual((yield* quotes.get("BTC-USD"))._tag, "Stale")
        const told = lines.length
        yield* coinbase.quote("BTC-USD", "100.00", "101.50")
        yield* TestClock.adjust("1 second")
        yield* kraken.quote("BTC-USD", "100.50", "102.00")
        yield* TestClock.adjust("1 second")
        assert.strictEqual(line(yield* quotes.get("BTC-USD")), "Live kraken 100.50 1000 / coinbase 101.50 2000")
        // Coinbase's gets too old: then Kraken's are the best that are fresh.
        yield* TestClock.adjust("3 seconds")
        assert.strictEqual(line(yield* quotes.get("BTC-USD")), "Live kraken 100.50 4000 / kraken 102.00 4000")
        yield* TestClock.adjust("1 second")
        assert.strictEqual(line(yield* quotes.get("BTC-USD")), "Stale kraken 100.50 5000 / kraken 102.00 5000")
        assert.strictEqual(lines[0], "Unknown")
        assert.deepStrictEqual(lines.slice(told), [
          "Live coinbase 100.00 0 / coinbase 101.50 0",
          "Live kraken 100.50 0 / coinbase 101.50 1000",
          "Live kraken 100.50 4000 / kraken 102.00 4000",
          "Stale kraken 100.50 5000 / kraken 102.00 5000"
        ])
        assert.strictEqual(line(yield* quotes.get("nothing")), "Unknown")
      }).pipe(Effect.scoped, Effect.provide(Layer.provideMerge(Quotes.layer({ products: ["BTC-USD"] }), layer)))
    }))

  it.effect("what a venue quoted that is not connected is not live", () =>
    Effect.gen(function*() {
      const { coinbase, kraken, layer } = yield* stage
      const provider = ConfigProvider.fromUnknown({ products: ["BTC-USD"], stale: "1 minute" })
      const configured = Quotes.layerConfig({
        products: Config.Array(Schema.String, "products"),
        staleAfter: Config.Duration("stale")
      }).pipe(Layer.provide(ConfigProvider.layer(provider)))
      yield* Effect.gen(function*() {
        const quotes = yield* Quotes.Quotes
        yield* TestClock.adjust("1 second")
        yield* kraken.host.otherwise({ _tag: "Refuse" })
        yield* kraken.host.drop
        yield* coinbase.quote("BTC-USD", "100.00", "101.50")
        yield* TestClock.adjust("10 seconds")
        assert.strictEqual(line(yield* quotes.get("BTC-USD")), "Live coinbase 100.00 10000 / coinbase 101.50 10000")
        yield* coinbase.host.otherwise({ _tag: "Refuse" })
        yield* coinbase.host.drop
        yield* TestClock.adjust(0)
        assert.strictEqual(line(yield* quotes.get("BTC-USD")), "Stale coinbase 100.00 10000 / coinbase 101.50 10000")
      }).pipe(Effect.scoped, Effect.provide(Layer.provideMerge(configured, layer)))
    }))

  it.effect("typed streams of all venues, by a common name that each event has beside the venue's, and when it came", () =>
    Effect.gen(function*() {
      const { coinbase, kraken, layer } = yield* stage
      yield* Effect.gen(function*() {
        const feeds = yield* MarketFeeds.MarketFeeds
        const got: Array<MarketData.Trade | MarketData.Ticker> = []
        const keep = Stream.runForEach((event: MarketData.Trade | MarketData.Ticker) =>
          Effect.sync(() => got.push(event))
        )
        yield* Effect.forkScoped(keep(feeds.trades("BTC-USD")), { startImmediately: true })
        yield* Effect.forkScoped(keep(feeds.ticker("BTC-USD")), { startImmediately: true })
        yield* TestClock.adjust("2 seconds")
        got.length = 0
        yield* coinbase.trade("BTC-USD")
        yield* TestClock.adjust("1 second")
        yield* kraken.quote("BTC-USD", "100.50", "102.00")
        yield* TestClock.adjust(0)
        assert.deepStrictEqual(
          got.map(({ _tag, name, product, receivedAt, venue }) =>
            [_tag, venue, product, name, receivedAt === undefined ? "" : Timestamp.format(receivedAt).slice(17)].join(
              " "
            )
          ),
          [
            "Trade coinbase BTC-USD BTC-USD 02.000Z",
            "Ticker coinbase BTC-USD BTC-USD 02.000Z",
            "Ticker kraken BTC/USD BTC-USD 03.000Z"
          ]
        )
        // The same name is a perpetual's own symbol at dYdX: it is not asked for it.
        const subscribed = yield* feeds.get("dydx")?.connection.subscriptions ?? Effect.die("no dydx")
        assert.deepStrictEqual(subscribed, [])
      }).pipe(Effect.scoped, Effect.provide(layer))
    }))

  it.effect("a feed resolves names, and a lazy one does not wait for its venue", () =>
    Effect.gen(function*() {
      const { kraken } = yield* stage
      const network = yield* VirtualNetwork.make({ seed: 1 })
      const host = yield* network.serve(krakenUrl)
      yield* host.otherwise({ _tag: "Hang" })
      const lazy = MarketFeed.layerLazy(Kraken.venue, { url: krakenUrl }).pipe(
        Layer.provide([Reconnection.layerWithBreaker(Presets.test), Layer.succeed(Transport, network.transport)])
      )
      yield* Effect.gen(function*() {
        const feed = yield* MarketFeed.MarketFeed
        assert.strictEqual((yield* feed.health).state, "Connecting")
        assert.deepStrictEqual(yield* feed.channel("trade", "BTC-USD"), { channel: "trade", product: "BTC/USD" })
      }).pipe(Effect.provide(lazy))
      assert.isDefined(kraken)
    }))
})
