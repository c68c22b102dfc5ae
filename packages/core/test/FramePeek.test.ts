/** What a frame is of, and by what a channel's data is known: what a feed tells its subscriptions apart by. */
import { assert, describe, it } from "@effect/vitest"
import * as Rejection from "@tickline/core/codec/Rejection"
import * as MarketData from "@tickline/core/event/MarketData"
import * as VenueMessage from "@tickline/core/event/VenueMessage"
import * as Channel from "@tickline/core/value/Channel"
import type { Topic, Venue } from "@tickline/core/venue/Venue"
import * as Venues from "@tickline/core/venue/Venues"
import * as FramePeek from "../src/codec/internal/framePeek.ts"

const venueOf = (name: string): Venue => {
  const venue = Venues.get(name)
  if (venue === undefined) throw new Error(`no venue ${name}`)
  return venue
}

const topicOf = (name: string, frame: string): Topic | undefined => {
  const venue = venueOf(name)
  const decoded = venue.decode(frame)
  assert.isFalse(Rejection.isFrameRejected(decoded), frame)
  return Rejection.isFrameRejected(decoded) ? undefined : venue.topicOf?.(frame, decoded)
}

const trade = "\"e\":\"trade\",\"s\":\"BTCUSDT\",\"t\":1,\"p\":\"1\",\"q\":\"1\",\"T\":1,\"m\":true"
const quote = "\"u\":1,\"s\":\"BTCUSDT\",\"b\":\"1\",\"B\":\"1\",\"a\":\"1\",\"A\":\"1\""
const kline = "\"e\":\"kline\",\"s\":\"BTCUSDT\",\"k\":{\"i\":\"1m\"}"
const partial = "\"lastUpdateId\":1,\"bids\":[],\"asks\":[]"

const coinbase = (channel: string, events: string): string =>
  `{"channel":"${channel}","timestamp":"2026-11-21T00:00:00Z","sequence_num":0,"events":${events}}`
const candles = (...products: ReadonlyArray<string>): string =>
  `{"candles":[${products.map((product) => `{"product_id":"${product}"}`).join()}]}`
const tickers = "[{\"type\":\"update\",\"tickers\":[{\"product_id\":\"BTC-USD\",\"price\":\"1\"}]}]"

const dydx = (type: string, channel: string, id: string, contents: string): string =>
  `{"type":"${type}","connection_id":"a","message_id":1,"id":"${id}","channel":"${channel}",` +
  `"version":"1.0.0","contents":${contents}}`

const notification = "\"method\":\"subscription\",\"params\":{\"channel\":\"chart.trades.BTC-PERPETUAL.1\",\"data\":{}}"

const frames: Readonly<Record<string, ReadonlyArray<readonly [frame: string, topic: Topic | undefined]>>> = {
  binance: [
    [`{"stream":"btcusdt@trade","data":{${trade}}}`, { name: "btcusdt@trade" }],
    [`{ "stream":"btcusdt@trade","data":{${trade}}}`, { name: "btcusdt@trade" }],
    [`{"data":{${trade}},"stream":"btcusdt@trade"}`, { name: "btcusdt@trade" }],
    [`{"stream":"btcusd\\u0074@trade","data":{${trade}}}`, { name: "btcusdt@trade" }],
    [`[{"stream":"btcusdt@trade","data":{${trade}}}]`, { name: "btcusdt@trade" }],
    [`{${trade}}`, { name: "bare trade" }],
    [`{"E":1,${trade}}`, { name: "bare trade", product: "BTCUSDT" }],
    [`[{${trade}}]`, { name: "bare trade", product: "BTCUSDT" }],
    [`{${quote}}`, { name: "bare bookTicker", product: "BTCUSDT" }],
    [`{${partial}}`, { name: "bare partial", product: undefined }],
    [`{${kline}}`, { name: "bare kline_1m", product: "BTCUSDT" }],
    ["{\"e\":\"avgPrice\",\"s\":\"BTCUSDT\"}", { name: "bare avgPrice", product: "BTCUSDT" }],
    ["{\"result\":null,\"id\":1}", undefined],
    ["{\"code\":1,\"msg\":\"no\"}", undefined],
    ["{\"subscriptionId\":1,\"event\":{\"e\":\"x\"}}", undefined],
    ["[]", undefined]
  ],
  coinbase: [
    [coinbase("ticker", tickers), { name: "ticker" }],
    [` ${coinbase("ticker_batch", tickers)}`, { name: "ticker_batch" }],
    [coinbase("candles", `[${candles("BTC-USD", "BTC-USD")}]`), { name: "candles", product: "BTC-USD" }],
    [
      coinbase("candles", `[${candles("BTC-USD")},${candles("BTC-USD")},7]`),
      { name: "candles", product: "BTC-USD" }
    ],
    [coinbase("candles", `[${candles("BTC-USD", "ETH-USD")}]`), { name: "candles", product: undefined }],
    [coinbase("candles", `[${candles("BTC-USD")},${candles("ETH-USD")}]`), { name: "candles", product: undefined }],
    [coinbase("candles", "[]"), { name: "candles", product: undefined }],
    [coinbase("candles", "7"), { name: "candles", product: undefined }],
    [coinbase("status", "[{\"products\":[{\"id\":\"BTC-USD\"}]}]"), { name: "status", product: "BTC-USD" }],
    [coinbase("status", "[{\"products\":[{\"id\":7}]}]"), { name: "status", product: undefined }],
    [coinbase("subscriptions", "[{\"subscriptions\":{\"ticker\":[\"BTC-USD\"]}}]"), undefined]
  ],
  "coinbase-exchange": [
    ["{\"type\":\"open\",\"product_id\":\"BTC-USD\",\"price\":\"1\"}", { name: "open", product: "BTC-USD" }],
    ["{\"type\":\"status\",\"products\":[]}", { name: "status", product: undefined }],
    [
      "{\"type\":\"heartbeat\",\"product_id\":\"BTC-USD\",\"sequence\":1}",
      { name: "heartbeat", product: "BTC-USD" }
    ],
    ["{\"type\":\"subscriptions\",\"channels\":[]}", undefined],
    ["{\"type\":\"error\",\"message\":\"no\"}", undefined]
  ],
  kraken: [
    [
      "{\"channel\":\"ohlc\",\"type\":\"update\",\"data\":[{\"symbol\":\"BTC/USD\"},{\"symbol\":\"BTC/USD\"}]}",
      { name: "ohlc", product: "BTC/USD" }
    ],
    [
      "{\"channel\":\"ohlc\",\"type\":\"update\",\"data\":[{\"symbol\":\"BTC/USD\"},{\"symbol\":\"ETH/USD\"}]}",
      { name: "ohlc", product: undefined }
    ],
    [
      "{\"channel\":\"ohlc\",\"type\":\"update\",\"data\":[{\"symbol\":\"BTC/USD\"},7]}",
      { name: "ohlc", product: undefined }
    ],
    [
      "{\"channel\":\"instrument\",\"type\":\"snapshot\",\"data\":{\"pairs\":[]}}",
      { name: "instrument", product: undefined }
    ],
    ["{\"channel\":\"heartbeat\"}", undefined]
  ],
  deribit: [
    [`{"jsonrpc":"2.0",${notification}}`, { name: "chart.trades.BTC-PERPETUAL.1" }],
    [`{${notification},"jsonrpc":"2.0"}`, { name: "chart.trades.BTC-PERPETUAL.1" }],
    ["{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":1}", undefined],
    ["{\"jsonrpc\":\"2.0\",\"method\":\"heartbeat\",\"params\":{\"type\":\"heartbeat\",\"channel\":\"x\"}}", undefined]
  ],
  hyperliquid: [
    [
      "{\"channel\":\"activeAssetCtx\",\"data\":{\"coin\":\"BTC\",\"s\":\"ETH\"}}",
      { name: "activeAssetCtx", product: "BTC" }
    ],
    ["{\"channel\":\"candle\",\"data\":{\"s\":\"BTC\"}}", { name: "candle", product: "BTC" }],
    ["{\"channel\":\"notification\",\"data\":[]}", { name: "notification", product: undefined }],
    ["{\"channel\":\"allMids\",\"data\":{\"mids\":{\"BTC\":\"1\"}}}", { name: "allMids" }],
    ["{\"channel\":\"pong\"}", undefined]
  ],
  dydx: [
    [
      dydx("channel_data", "v4_candles", "BTC-USD/1MIN", "{}"),
      { name: "v4_candles", product: "BTC-USD/1MIN" }
    ],
    [
      dydx("channel_data", "v4_block_height", "v4_block_height", "{}"),
      { name: "v4_block_height", product: undefined }
    ],
    [dydx("subscribed", "v4_subaccounts", "a/0", "{\"orders\":[],\"subaccount\":{\"equity\":\"1\"}}"), {
      name: "v4_subaccounts",
      product: "a/0"
    }],
    [dydx("subscribed", "v4_subaccounts", "a/0", "{\"orders\":[],\"subaccount\":{}}"), undefined],
    [dydx("subscribed", "v4_subaccounts", "a/0", "{\"orders\":null,\"height\":\"7\"}"), undefined],
    [dydx("subscribed", "v4_subaccounts", "a/0", "[[1]]"), undefined],
    [dydx("subscribed", "v4_subaccounts", "a/0", "null"), undefined],
    [dydx("unsubscribed", "v4_trades", "BTC-USD", "{}"), undefined],
    ["{\"type\":\"connected\",\"connection_id\":\"a\",\"message_id\":0}", undefined],
    ["{\"type\":\"pong\"}", undefined]
  ],
  generic: [
    ["{\"product_id\":\"BTC-USD\",\"price\":\"1\",\"timestamp\":1761652800123}", { name: "price" }],
    ["{\"type\":\"hello\"}", undefined]
  ]
}

describe("what a frame is of", () => {
  for (const [name, rows] of Object.entries(frames)) {
    it(name, () => {
      for (const [frame, topic] of rows) assert.deepStrictEqual(topicOf(name, frame), topic, frame)
    })
  }

  it("is nothing where no events were read of it, or where it is no text", () => {
    const ticker = new MarketData.Ticker({ venue: "any", product: "BTC" })
    const other = new VenueMessage.Other({ venue: "any", kind: "x" })
    for (const venue of Venues.all) {
      assert.isUndefined(venue.topicOf?.("{\"x\":1}", []), venue.name)
      for (const event of [other, ...(venue.name === "binance" ? [ticker] : [])]) {
        for (const frame of ["", "{", "7", "[7]", new Uint8Array(2)]) {
          assert.isUndefined(venue.topicOf?.(frame, [event]), `${venue.name} ${frame}`)
        }
      }
    }
    assert.isUndefined(venueOf("coinbase").topicOf?.("{", [ticker]))
  })
})

describe("a text of a frame", () => {
  it("is read after the beginning, up to the next quote, where it has no escapes", () => {
    assert.strictEqual(FramePeek.textAfter("{\"a\":\"b\",\"c\":\"d\"}", "{\"a\":\""), "b")
    assert.strictEqual(FramePeek.textAfter("{\"a\":\"\"}", "{\"a\":\""), "")
    assert.isUndefined(FramePeek.textAfter("{\"a\":\"\\u0062\"}", "{\"a\":\""))
    assert.isUndefined(FramePeek.textAfter("{\"b\":\"b\"}", "{\"a\":\""))
    assert.isUndefined(FramePeek.textAfter(new Uint8Array(9), ""))
    assert.isUndefined(FramePeek.textAfter("{\"a\":\"b", "{\"a\":\""))
    // One after another, of which one begins like the other, or like another member.
    for (const beginning of ["{\"a\":\"", "{\"b\":\"", "{\"a\":\"b"]) {
      for (const text of ["b@c", "b@c5", "b@c", "b@", "", "b@c5"]) {
        assert.strictEqual(FramePeek.textAfter(`${beginning}${text}","d":1}`, beginning), text)
      }
    }
  })

  it("is that of each frame, however many of one subject came before", () => {
    const beginning = "{\"a\":\""
    for (const text of ["b.c@d", "!b@(d)", "b"]) {
      for (let i = 0; i < 200; i++) {
        assert.strictEqual(FramePeek.textAfter(`${beginning}${text}","e":${i}}`, beginning), text)
      }
      for (const other of ["bxc@d", "b.c@d5", "b@(d)", "!b@d", ""]) {
        assert.strictEqual(FramePeek.textAfter(`${beginning}${other}","e":1}`, beginning), other)
        for (let i = 0; i < 200; i++) FramePeek.textAfter(`${beginning}${text}"`, beginning)
      }
      assert.isUndefined(FramePeek.textAfter(` ${beginning}${text}"`, beginning))
    }
  })

  it("may be longer than a pattern can be", () => {
    const beginning = "{\"a\":\""
    const text = "b".repeat(40_000)
    for (let i = 0; i < 200; i++) {
      assert.strictEqual(FramePeek.textAfter(`${beginning}${text}","e":${i}}`, beginning), text)
    }
  })

  it("is that of all members of a list, of which there is one at least", () => {
    assert.strictEqual(FramePeek.textInAll([{ a: "x" }, { a: "x" }], "a"), "x")
    assert.isUndefined(FramePeek.textInAll([{ a: "x" }, { a: "y" }], "a"))
    assert.isUndefined(FramePeek.textInAll([{ a: "x" }, "x"], "a"))
    assert.isUndefined(FramePeek.textInAll([{ a: "x" }, {}], "a"))
    assert.isUndefined(FramePeek.textInAll([], "a"))
    assert.isUndefined(FramePeek.textInAll({ a: "x" }, "a"))
    assert.isUndefined(FramePeek.textInAll(undefined, "a"))
  })

  it("and an object are an object's own, or none", () => {
    assert.isUndefined(FramePeek.textIn({}, "toString"))
    assert.isUndefined(FramePeek.objectIn({}, "__proto__"))
    assert.isUndefined(FramePeek.textIn({ a: null }, "a"))
    assert.isUndefined(FramePeek.objectIn({ a: [] }, "a"))
    assert.isUndefined(FramePeek.objectIn({ a: "x" }, "a"))
    assert.isUndefined(FramePeek.objectIn(undefined, "a"))
    assert.deepStrictEqual(FramePeek.objectIn({ a: {} }, "a"), {})
  })
})

const channels: ReadonlyArray<
  readonly [name: string, channel: string, product: string | undefined, topics: ReadonlyArray<Topic>]
> = [
  ["binance", "trade", "btcUSDT", [{ name: "btcusdt@trade" }, { name: "bare trade", product: "BTCUSDT" }]],
  ["binance", "BTCUSDT@trade", undefined, [{ name: "btcusdt@trade" }, { name: "bare trade", product: "BTCUSDT" }]],
  ["binance", "!miniTicker@arr", undefined, [
    { name: "!miniTicker@arr" },
    { name: "bare 24hrMiniTicker", product: undefined }
  ]],
  ["binance", "Odd", undefined, [{ name: "Odd" }, { name: "bare ", product: undefined }]],
  ...([5, 10, 20] as const).map((levels) =>
    ["binance", `depth${levels}@100ms`, "BTCUSDT", [
      { name: `btcusdt@depth${levels}@100ms` },
      { name: "bare partial", product: undefined }
    ]] as const
  ),
  ["coinbase", "level2", "BTC-USD", [{ name: "l2_data", product: "BTC-USD" }]],
  ["coinbase", "ticker", undefined, [{ name: "ticker", product: undefined }]],
  ["coinbase-exchange", "level2_50", "BTC-USD", [{ name: "l2update", product: "BTC-USD" }]],
  [
    "coinbase-exchange",
    "user",
    undefined,
    ["received", "open", "done", "match", "change", "activate"].map((name) => ({
      name,
      product: undefined
    }))
  ],
  [
    "coinbase-exchange",
    "full",
    undefined,
    ["received", "open", "done", "match", "change", "activate"].map((name) => ({
      name,
      product: undefined
    }))
  ],
  ["coinbase-exchange", "ticker_batch", "A", [{ name: "ticker", product: "A" }]],
  ["coinbase-exchange", "matches", "A", [{ name: "match", product: "A" }]],
  ["coinbase-exchange", "level2", "A", [{ name: "l2update", product: "A" }]],
  ["coinbase-exchange", "level2_batch", "A", [{ name: "l2update", product: "A" }]],
  ["coinbase-exchange", "rfq_matches", "A", [{ name: "rfq_match", product: "A" }]],
  ["coinbase-exchange", "auctionfeed", "A", [{ name: "auction", product: "A" }]],
  ["kraken", "book-25", "BTC/USD", [{ name: "book", product: "BTC/USD" }]],
  ["kraken", "trade", undefined, [{ name: "trade", product: undefined }]],
  ["deribit", "trades.100ms", "BTC-PERPETUAL", [{ name: "trades.BTC-PERPETUAL.100ms" }]],
  ["hyperliquid", "activeAssetCtx", "PURR/USDC", [
    { name: "activeAssetCtx", product: "PURR/USDC" },
    { name: "activeSpotAssetCtx", product: "PURR/USDC" }
  ]],
  ["hyperliquid", "bbo", "BTC", [{ name: "bbo", product: "BTC" }]],
  ["dydx", "v4_trades", "BTC-USD", [{ name: "v4_trades", product: "BTC-USD" }]],
  ["generic", "any", "BTC-USD", [{ name: "price", product: "BTC-USD" }]]
]

describe("by what a channel's data is known", () => {
  for (const [name, channel, product, topics] of channels) {
    it(`${name}: ${channel}`, () =>
      assert.deepStrictEqual(venueOf(name).topics?.(Channel.make(channel, product)), topics))
  }
})
