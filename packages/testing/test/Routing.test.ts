import { assert, describe, it } from "@effect/vitest"
import * as Reconnection from "@tickline/core/connection/Reconnection"
import type * as MarketData from "@tickline/core/event/MarketData"
import type * as MarketEvent from "@tickline/core/event/MarketEvent"
import * as MarketFeed from "@tickline/core/market/MarketFeed"
import * as MarketFeeds from "@tickline/core/market/MarketFeeds"
import type * as ConnectionPolicy from "@tickline/core/resilience/ConnectionPolicy"
import * as Presets from "@tickline/core/resilience/Presets"
import { Transport } from "@tickline/core/transport/Transport"
import * as Channel from "@tickline/core/value/Channel"
import * as Venues from "@tickline/core/venue/Venues"
import type { MockVenue } from "@tickline/testing/MockVenue"
import * as MockVenues from "@tickline/testing/MockVenues"
import * as Simulation from "@tickline/testing/Simulation"
import * as VirtualNetwork from "@tickline/testing/VirtualNetwork"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"

const venueOf = (name: string) => {
  const [client, server] = [Venues.get(name), MockVenues.byName(name)]
  if (client === undefined || server === undefined) throw new Error(`no venue ${name}`)
  return { client, server }
}

interface Stage {
  readonly feed: MarketFeed.MarketFeed["Service"]
  readonly events: ReadonlyArray<MarketEvent.AnyEvent>
  readonly host: VirtualNetwork.Host
}

// A connected feed at the network's host, with everything that it tells from the beginning.
const following = <A, E, R>(
  name: string,
  channels: ReadonlyArray<Channel.Channel>,
  network: VirtualNetwork.VirtualNetwork,
  host: VirtualNetwork.Host,
  use: (stage: Stage) => Effect.Effect<A, E, R>,
  policy: ConnectionPolicy.ConnectionPolicy = Presets.recommended
) =>
  Effect.gen(function*() {
    const events: Array<MarketEvent.AnyEvent> = []
    const feed = yield* MarketFeed.prepare(venueOf(name).client, { url: host.url, channels })
    yield* feed.events({ overflow: "block" }).pipe(
      Stream.runForEach((event) => Effect.sync(() => void events.push(event))),
      Effect.forkScoped({ startImmediately: true })
    )
    const connecting = yield* Effect.forkChild(feed.connection.connect)
    for (let turn = 0; turn < 16; turn++) yield* TestClock.adjust(0)
    yield* Fiber.join(connecting)
    return yield* use({ feed, events, host })
  }).pipe(
    Effect.scoped,
    Effect.provide(Reconnection.layerWithBreaker(policy)),
    Effect.provideService(Transport, network.transport)
  )

/** A feed against the venue's mock, which is told what to do otherwise. */
const atMock = <A, E, R>(
  name: string,
  products: ReadonlyArray<string>,
  channels: ReadonlyArray<Channel.Channel>,
  use: (stage: Stage) => Effect.Effect<A, E, R>,
  change: (server: MockVenue) => MockVenue = (server) => server
) =>
  Effect.gen(function*() {
    const { client, server } = venueOf(name)
    const simulation = yield* Simulation.make({
      seed: 1,
      venue: { client, server: change(server) },
      products: products.map((symbol) => ({ symbol, price: "43250.10", size: "0.05000000" })),
      every: "10 seconds"
    })
    return yield* following(name, channels, simulation.network, simulation.host, use)
  })

/** A feed at a host that sends these frames every second, and answers nothing. */
const atHost = <A, E, R>(
  name: string,
  channels: ReadonlyArray<Channel.Channel>,
  frames: ReadonlyArray<string>,
  use: (stage: Stage) => Effect.Effect<A, E, R>
) =>
  Effect.gen(function*() {
    const network = yield* VirtualNetwork.make({ seed: 1 })
    const host = yield* network.serve("wss://venue.test/feed", (peer) => {
      const send = (): void => {
        if (!peer.isOpen()) return
        for (const frame of frames) peer.sendUnsafe(frame)
        network.schedule(1_000, send)
      }
      network.schedule(1_000, send)
      return Effect.void
    })
    return yield* following(name, channels, network, host, use, { ...Presets.recommended, heartbeat: "none" })
  })

const staleOf = (events: ReadonlyArray<MarketEvent.AnyEvent>): ReadonlyArray<string> => [
  ...new Set(events.flatMap((event) => event._tag === "Stale" ? [`${event.channel} ${event.product ?? ""}`] : []))
]

const deliveringOf = ({ feed }: Stage) =>
  Effect.map(feed.health, ({ freshness }) =>
    Object.fromEntries(
      freshness.map(({ channel, isDelivering }) => [`${channel.channel} ${channel.product ?? ""}`, isDelivering])
    ))

describe("a healthy feed is left alone for hours", () => {
  const mocks: ReadonlyArray<readonly [name: string, product: string, channels: ReadonlyArray<string>]> = [
    ["coinbase", "BTC-USD", ["market_trades", "ticker", "ticker_batch", "level2"]],
    ["coinbase-exchange", "BTC-USD", ["matches", "ticker", "ticker_batch", "level2_batch"]],
    ["binance", "BTCUSDT", [
      "trade",
      "aggTrade",
      "bookTicker",
      "ticker",
      "miniTicker",
      "depth",
      "depth@100ms",
      "depth5",
      "depth20@100ms"
    ]],
    ["kraken", "BTC/USD", ["trade", "ticker", "book-25"]],
    ["deribit", "BTC-PERPETUAL", ["trades.100ms", "ticker.100ms", "book.100ms", "book.none.10.100ms", "quote"]],
    ["hyperliquid", "BTC", ["trades", "bbo", "l2Book"]],
    ["dydx", "BTC-USD", ["v4_trades", "v4_orderbook", "v4_markets"]],
    ["generic", "BTC-USD", ["price"]]
  ]
  for (const [name, product, channels] of mocks) {
    it.effect(`${name}: every channel of its mock`, () =>
      atMock(
        name,
        [product],
        channels.map((channel) => Channel.make(channel, product)),
        (stage) =>
          Effect.gen(function*() {
            yield* TestClock.adjust("1 hour")
            assert.deepStrictEqual(staleOf(stage.events), [])
            assert.strictEqual(stage.host.dials.length, 1)
            const delivering = yield* deliveringOf(stage)
            for (const channel of channels) assert.isTrue(delivering[`${channel} ${product}`], channel)
          })
      ))
  }

  // What the venues' documentation shows of channels that have no events of their own, one frame of each.
  const native: ReadonlyArray<readonly [name: string, channel: string, product: string | undefined, frame: string]> = [
    [
      "binance",
      "kline_1m",
      "BTCUSDT",
      "{\"stream\":\"btcusdt@kline_1m\",\"data\":{\"e\":\"kline\",\"E\":1,\"s\":\"BTCUSDT\",\"k\":{\"i\":\"1m\",\"c\":\"1\"}}}"
    ],
    ["binance", "kline_1m", "BTCUSDT", "{\"e\":\"kline\",\"E\":1,\"s\":\"BTCUSDT\",\"k\":{\"i\":\"1m\",\"c\":\"1\"}}"],
    [
      "binance",
      "avgPrice",
      "BTCUSDT",
      "{\"e\":\"avgPrice\",\"E\":1,\"s\":\"BTCUSDT\",\"i\":\"5m\",\"w\":\"1\",\"T\":1}"
    ],
    ["binance", "!miniTicker@arr", undefined, "[{\"e\":\"24hrMiniTicker\",\"E\":1,\"s\":\"BTCUSDT\",\"c\":\"1\"}]"],
    [
      "binance",
      "depth@100ms",
      "BTCUSDT",
      "{\"e\":\"depthUpdate\",\"E\":1,\"s\":\"BTCUSDT\",\"U\":1,\"u\":1,\"b\":[],\"a\":[]}"
    ],
    ["binance", "depth20", "BTCUSDT", "{\"lastUpdateId\":1,\"bids\":[],\"asks\":[]}"],
    ["binance", "bookTicker", "BTCUSDT", "{\"u\":1,\"s\":\"BTCUSDT\",\"b\":\"1\",\"B\":\"1\",\"a\":\"1\",\"A\":\"1\"}"],
    [
      "coinbase",
      "candles",
      "BTC-USD",
      "{\"channel\":\"candles\",\"client_id\":\"\",\"timestamp\":\"2026-11-21T00:00:00Z\",\"sequence_num\":0,\"events\":[" +
      "{\"type\":\"update\",\"candles\":[{\"start\":\"1\",\"open\":\"1\",\"product_id\":\"BTC-USD\"}]}]}"
    ],
    [
      "coinbase",
      "status",
      "BTC-USD",
      "{\"channel\":\"status\",\"client_id\":\"\",\"timestamp\":\"2026-11-21T00:00:00Z\",\"sequence_num\":0,\"events\":[" +
      "{\"type\":\"snapshot\",\"products\":[{\"product_type\":\"SPOT\",\"id\":\"BTC-USD\"}]}]}"
    ],
    ["coinbase-exchange", "heartbeat", "BTC-USD", "{\"type\":\"heartbeat\",\"product_id\":\"BTC-USD\",\"sequence\":1}"],
    ["coinbase-exchange", "status", undefined, "{\"type\":\"status\",\"products\":[]}"],
    ["coinbase-exchange", "full", "BTC-USD", "{\"type\":\"open\",\"product_id\":\"BTC-USD\",\"price\":\"1\"}"],
    [
      "kraken",
      "ohlc",
      "BTC/USD",
      "{\"channel\":\"ohlc\",\"type\":\"update\",\"data\":[{\"symbol\":\"BTC/USD\",\"open\":1,\"interval\":1}]}"
    ],
    ["kraken", "instrument", undefined, "{\"channel\":\"instrument\",\"type\":\"snapshot\",\"data\":{\"pairs\":[]}}"],
    [
      "deribit",
      "chart.trades.1",
      "BTC-PERPETUAL",
      "{\"jsonrpc\":\"2.0\",\"method\":\"subscription\",\"params\":{\"channel\":\"chart.trades.BTC-PERPETUAL.1\"," +
      "\"data\":{\"close\":1}}}"
    ],
    [
      "deribit",
      "deribit_price_index.btc_usd",
      undefined,
      "{\"params\":{\"data\":{\"price\":1},\"channel\":\"deribit_price_index.btc_usd\"},\"method\":\"subscription\"," +
      "\"jsonrpc\":\"2.0\"}"
    ],
    ["hyperliquid", "candle", "BTC", "{\"channel\":\"candle\",\"data\":{\"s\":\"BTC\",\"i\":\"1m\",\"c\":\"1\"}}"],
    ["hyperliquid", "activeAssetCtx", "BTC", "{\"channel\":\"activeAssetCtx\",\"data\":{\"coin\":\"BTC\",\"ctx\":{}}}"],
    ["hyperliquid", "allMids", undefined, "{\"channel\":\"allMids\",\"data\":{\"mids\":{\"BTC\":\"1\"}}}"],
    [
      "dydx",
      "v4_block_height",
      undefined,
      "{\"type\":\"channel_data\",\"connection_id\":\"a\",\"message_id\":1,\"id\":\"v4_block_height\"," +
      "\"channel\":\"v4_block_height\",\"version\":\"1.0.0\",\"contents\":{\"blockHeight\":\"1\"}}"
    ],
    [
      "dydx",
      "v4_candles",
      "BTC-USD/1MIN",
      "{\"type\":\"channel_data\",\"connection_id\":\"a\",\"message_id\":1,\"id\":\"BTC-USD/1MIN\"," +
      "\"channel\":\"v4_candles\",\"version\":\"1.0.0\",\"contents\":{\"close\":\"1\"}}"
    ]
  ]
  for (const [index, [name, channel, product, frame]] of native.entries()) {
    it.effect(`${name}: ${channel} (${index})`, () =>
      atHost(
        name,
        [Channel.make(channel, product)],
        name === "coinbase" ? [frame, beat] : [frame],
        (stage) =>
          Effect.gen(function*() {
            yield* TestClock.adjust("10 minutes")
            assert.deepStrictEqual(staleOf(stage.events), [])
            assert.strictEqual(stage.host.dials.length, 1)
            assert.strictEqual((yield* deliveringOf(stage))[`${channel} ${product ?? ""}`], true)
          })
      ))
  }
})

const beat =
  "{\"channel\":\"heartbeats\",\"client_id\":\"\",\"timestamp\":\"2026-11-21T00:00:00Z\",\"sequence_num\":0," +
  "\"events\":[{\"current_time\":\"2026-11-21 00:00:00 +0000 UTC m=+1.0\",\"heartbeat_counter\":1}]}"

describe("a dead channel is told, and asked for again, whatever flows beside it", () => {
  const rows: ReadonlyArray<
    readonly [name: string, product: string, channels: ReadonlyArray<string>, dead: string]
  > = [
    ["binance", "BTCUSDT", ["trade", "depth20"], "depth20"],
    ["binance", "BTCUSDT", ["bookTicker", "ticker"], "ticker"],
    ["binance", "BTCUSDT", ["trade", "aggTrade"], "aggTrade"],
    ["binance", "BTCUSDT", ["depth", "depth@100ms"], "depth@100ms"],
    ["coinbase", "BTC-USD", ["ticker_batch", "ticker"], "ticker"],
    ["coinbase-exchange", "BTC-USD", ["matches", "level2_batch"], "level2_batch"],
    ["kraken", "BTC/USD", ["trade", "book-25"], "book-25"],
    ["deribit", "BTC-PERPETUAL", ["quote", "ticker.100ms"], "ticker.100ms"],
    ["deribit", "BTC-PERPETUAL", ["book.100ms", "book.none.10.100ms"], "book.none.10.100ms"],
    ["hyperliquid", "BTC", ["trades", "l2Book"], "l2Book"],
    ["dydx", "BTC-USD", ["v4_markets", "v4_trades"], "v4_trades"]
  ]
  for (const [name, product, channels, dead] of rows) {
    it.effect(`${name}: ${dead} beside ${channels[0] ?? ""}`, () => {
      let isDead = true
      // Told that it is subscribed to, and then never of what happens on it.
      const mute = (server: MockVenue): MockVenue => {
        const without = <A extends { readonly data: { readonly channel: string } | undefined }>(
          frames: ReadonlyArray<A & { readonly bare?: string | undefined; readonly text: string }>
        ) =>
          frames.flatMap((frame) => {
            if (!isDead || frame.data?.channel !== dead) return [frame]
            return frame.bare === undefined ? [] : [{ ...frame, text: frame.bare }]
          })
        return {
          ...server,
          receive: (session, frame, floor) => {
            const answer = server.receive(session, frame, floor)
            return { ...answer, replies: without(answer.replies) }
          },
          publish: (session, tick, floor) => without(server.publish(session, tick, floor))
        }
      }
      return atMock(
        name,
        [product],
        channels.map((channel) => Channel.make(channel, product)),
        (stage) =>
          Effect.gen(function*() {
            yield* TestClock.adjust("380 seconds")
            assert.deepStrictEqual(staleOf(stage.events), [`${dead} ${product}`])
            assert.strictEqual((yield* deliveringOf(stage))[`${dead} ${product}`], false)
            assert.strictEqual(stage.host.dials.length, 2)
            isDead = false
            yield* TestClock.adjust("1 minute")
            assert.strictEqual((yield* deliveringOf(stage))[`${dead} ${product}`], true)
            const told = stage.events.filter(({ _tag }) => _tag === "Stale").length
            yield* TestClock.adjust("1 hour")
            assert.strictEqual(stage.events.filter(({ _tag }) => _tag === "Stale").length, told)
            assert.strictEqual(stage.host.dials.length, 2)
          }),
        mute
      )
    })
  }
})

describe("a product is asked for as the venue writes it", () => {
  it.effect("coinbase: BTC-USDC is served as BTC-USD, USDT-USDC as itself", () =>
    atMock("coinbase", ["BTC-USD", "USDT-USDC"], [], (stage) =>
      Effect.gen(function*() {
        const got: Array<string> = []
        for (const product of ["BTC-USDC", "USDT-USDC", "btc-usd"]) {
          yield* Effect.forkScoped(
            Stream.runForEach(stage.feed.ticker(product), (event) =>
              Effect.sync(() => void got.push(`${product}: ${event.product}`))),
            { startImmediately: true }
          )
        }
        yield* TestClock.adjust("2 minutes")
        assert.sameMembers([...new Set(got)], [
          "BTC-USDC: BTC-USD",
          "USDT-USDC: USDT-USDC",
          "btc-usd: BTC-USD"
        ])
        const asked = stage.host.peers()[0]?.received.map(String).join("\n") ?? ""
        assert.include(asked, "\"BTC-USD\"")
        assert.notInclude(asked, "BTC-USDC")
        assert.deepStrictEqual(staleOf(stage.events), [])
      })))

  it.effect("binance: btcusdt, of every stream", () =>
    atMock("binance", ["BTCUSDT"], [Channel.make("depth20", "btcusdt")], (stage) =>
      Effect.gen(function*() {
        const got: Array<string> = []
        yield* Effect.forkScoped(
          Stream.runForEach(stage.feed.trades("btcusdt"), (event) =>
            Effect.sync(() => void got.push(event.product ?? ""))),
          { startImmediately: true }
        )
        yield* TestClock.adjust("30 minutes")
        assert.isAbove(got.length, 100)
        assert.deepStrictEqual([...new Set(got)], ["BTCUSDT"])
        const standings = (yield* stage.feed.health).subscriptions
        assert.deepStrictEqual(standings.map(({ channel, standing }) => [channel.product, standing]), [
          ["BTCUSDT", "confirmed"],
          ["BTCUSDT", "confirmed"]
        ])
        assert.deepStrictEqual(staleOf(stage.events), [])
        assert.strictEqual(stage.host.dials.length, 1)
      })))

  it.effect("what can be no product is refused by name, and never sent", () =>
    atMock("binance", ["BTCUSDT"], [
      Channel.make("trade", "BTCUSDT"),
      Channel.make("trade", "BTC/USDT"),
      Channel.make("trade", "ETH USDT")
    ], (stage) =>
      Effect.gen(function*() {
        yield* TestClock.adjust("10 minutes")
        assert.deepStrictEqual(stage.events.flatMap((event) => event._tag === "VenueError" ? [event.message] : []), [
          "subscription to trade of BTC/USDT refused: a symbol of Binance is written without a mark, such as BTCUSDT",
          "subscription to trade of ETH USDT refused: a product has no white space and no control characters"
        ])
        const standings = (yield* stage.feed.health).subscriptions
        assert.deepStrictEqual(standings.map(({ standing }) => standing), ["confirmed", "refused", "refused"])
        assert.deepStrictEqual(stage.host.peers()[0]?.received, [
          "{\"method\":\"SUBSCRIBE\",\"params\":[\"btcusdt@trade\"],\"id\":1}"
        ])
        const error = yield* Effect.flip(Stream.runDrain(stage.feed.trades("BTC/USDT")))
        assert.strictEqual(error._tag, "SubscriptionRefused")
        yield* stage.host.drop
        yield* TestClock.adjust("1 minute")
        assert.lengthOf(stage.events.filter(({ _tag }) => _tag === "VenueError"), 2)
        assert.deepStrictEqual(staleOf(stage.events), [])
      })))

  it.effect("by feeds of several venues, too", () =>
    Effect.gen(function*() {
      const { client, server } = venueOf("binance")
      const simulation = yield* Simulation.make({
        seed: 1,
        venue: { client, server },
        products: [{ symbol: "BTCUSDT", price: "43250.10", size: "0.05000000" }],
        every: "10 seconds"
      })
      yield* Effect.gen(function*() {
        const feeds = yield* MarketFeeds.make([
          { venue: client, url: simulation.url, products: ["btcusdt"], kinds: ["trade", "book"] }
        ])
        yield* TestClock.adjust("1 minute")
        const health = yield* feeds.get("binance")!.health
        assert.deepStrictEqual(
          health.freshness.map(({ channel, isDelivering }) => [channel.product, isDelivering]),
          [["BTCUSDT", true], ["BTCUSDT", true]]
        )
      }).pipe(
        Effect.scoped,
        Effect.provide(Reconnection.layerWithBreaker(Presets.recommended)),
        Effect.provideService(Transport, simulation.network.transport)
      )
    }))
})

describe("a typed stream gives the events of its own subscription", () => {
  it.effect("binance: trades are not told twice where aggregates are subscribed to as well", () =>
    atMock(
      "binance",
      ["BTCUSDT"],
      [Channel.make("aggTrade", "BTCUSDT"), Channel.make("bookTicker", "BTCUSDT")],
      (stage) =>
        Effect.gen(function*() {
          const trades: Array<string> = []
          const tickers: Array<MarketData.Ticker> = []
          yield* Effect.forkScoped(
            Stream.runForEach(
              stage.feed.trades("BTCUSDT"),
              ({ tradeId }) => Effect.sync(() => void trades.push(tradeId ?? ""))
            ),
            { startImmediately: true }
          )
          yield* Effect.forkScoped(
            Stream.runForEach(stage.feed.ticker("BTCUSDT"), (ticker) => Effect.sync(() => void tickers.push(ticker))),
            { startImmediately: true }
          )
          yield* TestClock.adjust("10 minutes")
          assert.isAbove(trades.length, 50)
          assert.strictEqual(new Set(trades).size, trades.length)
          // A book ticker has no last price.
          assert.isTrue(tickers.length > 50 && tickers.every(({ price }) => price !== undefined))
        })
    ))

  it.effect("coinbase: who comes later is given what came for nobody until then", () => {
    const products = ["BTC-USD", "ETH-USD"]
    return atMock(
      "coinbase",
      products,
      products.map((product) => Channel.make("market_trades", product)),
      ({ feed }) =>
        Effect.gen(function*() {
          const counts = new Map<string, number>()
          for (const product of products) {
            yield* Effect.forkScoped(
              Stream.runForEach(
                feed.trades(product),
                (trade) => Effect.sync(() => void counts.set(trade.product, (counts.get(trade.product) ?? 0) + 1))
              ),
              { startImmediately: true }
            )
            yield* TestClock.adjust("5 minutes")
          }
          assert.deepStrictEqual([...counts.keys()], products)
          assert.isTrue([...counts.values()].every((count) => count > 20))
        })
    )
  })

  it.effect("dydx: a price of one market, on the channel of all", () =>
    atMock("dydx", ["BTC-USD", "ETH-USD"], [], (stage) =>
      Effect.gen(function*() {
        const products = new Set<string>()
        yield* Effect.forkScoped(
          Stream.runForEach(
            stage.feed.prices("ETH-USD"),
            ({ product }) => Effect.sync(() => void products.add(product))
          ),
          { startImmediately: true }
        )
        yield* TestClock.adjust("2 minutes")
        assert.deepStrictEqual([...products], ["ETH-USD"])
      })))
})
