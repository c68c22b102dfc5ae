/**
 * What the mock venues answer, word for word: to requests that are right, at
 * each bound, and wrong in each way that the venue tells apart; and what a tick
 * gives afterwards. Where an answer changes on purpose, `vitest run -u` writes it anew.
 */
import { assert, describe, expect, it } from "@effect/vitest"
import * as Market from "@tickline/testing/Market"
import * as MockGeneric from "@tickline/testing/MockGeneric"
import * as MockVenue from "@tickline/testing/MockVenue"
import * as MockVenues from "@tickline/testing/MockVenues"

const atMillis = 1_700_000_000_000
const symbols = ["BTC-USD", "ETH-USD", "USDT-USDC"]
const markets = new Map(symbols.map((symbol) => [
  symbol,
  Market.make({ symbol, price: "43250.10", size: "0.05000000" }, { seed: 7, atMillis })
]))
const floor: MockVenue.Floor = { atMillis, market: (product) => markets.get(product) }
const empty: MockVenue.Floor = { atMillis, market: () => undefined }
const shown = (text: string): string => text.length > 200 ? `${text.slice(0, 200)}… (${text.length})` : text

const venueOf = (name: string): MockVenue.MockVenue => MockVenues.byName(name) ?? assert.fail(name)

/** A conversation as lines: what the client sends, what it hears, what it follows then and what a tick gives it. */
const conversation = (
  venue: MockVenue.MockVenue,
  frames: ReadonlyArray<unknown>,
  at: MockVenue.Floor = floor
): ReadonlyArray<string> => {
  const lines: Array<string> = []
  let session = venue.open?.(at) ?? MockVenue.newSession
  for (const frame of frames) {
    const sent = typeof frame === "string" || frame instanceof Uint8Array ? frame : JSON.stringify(frame)
    const answer = venue.receive(session, sent, at)
    session = answer.session
    lines.push(`> ${typeof sent === "string" ? shown(sent) : `${sent.length} bytes`}`)
    for (const { bare, text } of answer.replies) lines.push(`< ${shown(text)}${bare === undefined ? "" : ` | ${bare}`}`)
    if (answer.close !== undefined) lines.push(`< close ${answer.close.code} ${answer.close.reason}`)
  }
  for (const [channel, products] of session.channels) lines.push(`follows ${channel} of ${[...products].join()}`)
  for (const [key, terms] of session.terms ?? []) lines.push(`terms ${key} ${terms}`)
  const told = (what: string, given: ReadonlyArray<MockVenue.Outgoing>): void => {
    for (const { data, text } of given) {
      const broken = data === undefined ? undefined : venue.corrupt(text)
      lines.push(`${what} ${data?.channel} ${data?.product}: ${shown(text)}`)
      if (broken !== undefined && broken.length < 250) lines.push(`${what}, broken: ${broken}`)
    }
  }
  for (const [, { last }] of markets) told("tick", venue.publish(session, last, at))
  for (const [product, { last }] of markets) {
    const quoted = venue.publish(session, { ...last, isQuote: true }, at).map(({ data }) => data?.channel).join()
    const unchanged = venue.publish(session, { ...last, changes: [] }, at).map(({ data }) => data?.channel).join()
    if (unchanged !== "") lines.push(`a trade of ${product} that leaves the book as it is on ${unchanged}`)
    if (quoted !== "") lines.push(`a quote of ${product} on ${quoted}`)
  }
  told("beat", venue.heartbeat(session, at))
  for (const [, { last }] of markets) told("tick of nothing listed", venue.publish(session, last, empty))
  told("beat of nothing listed", venue.heartbeat(session, empty))
  return lines
}

type Conversations = Readonly<Record<string, ReadonlyArray<unknown>>>

const deribit = (method: string, params: object, id: unknown = 7) => ({ jsonrpc: "2.0", id, method, params })
const deribitOf = (channels: ReadonlyArray<string>, method = "public/subscribe") => deribit(method, { channels })
const binance = (method: unknown, params?: unknown, id: unknown = 1) => ({ method, params, id })
const hyperliquid = (subscription: object, method = "subscribe") => ({ method, subscription })
const kraken = (params: object, method = "subscribe") => ({ method, params, req_id: 3 })
const coinbase = (channel: string, product_ids?: ReadonlyArray<string>, more: object = {}) => ({
  type: "subscribe",
  channel,
  product_ids,
  ...more
})

const conversations: Readonly<Record<string, Conversations>> = {
  deribit: {
    "every name of a channel, and what is none": [deribitOf([
      "ticker.BTC-USD.100ms",
      "ticker.BTC-USD.agg2",
      "ticker.BTC-USD",
      "ticker.BTC-USD.1s",
      "ticker.BTC-USD.100ms.x",
      "ticker..100ms",
      "trades.ETH-USD.100ms",
      "trades.ETH-USD.none.1.100ms",
      "incremental_ticker.BTC-USD",
      "incremental_ticker.BTC-USD.100ms",
      "quote.BTC-USD",
      "quote.ETH-USD",
      "quote.",
      "quote",
      "book.BTC-USD.100ms",
      "book.BTC-USD",
      "book.BTC-USD.none.1.100ms",
      "book.BTC-USD.none.10.agg2",
      "book.BTC-USD.none.20.100ms",
      "book.BTC-USD.none.7.100ms",
      "book.BTC-USD.none.100ms",
      "book.BTC-USD.none.1.1s",
      "book.BTC-USD.none.1.100ms.x",
      "book.BTC-USD..1.100ms",
      "candles.BTC-USD.100ms",
      ""
    ])],
    "one of two products is given up, and a raw channel is no channel of ours": [
      deribitOf(["quote.BTC-USD", "quote.ETH-USD"]),
      deribitOf(["quote.BTC-USD"], "public/unsubscribe"),
      deribitOf(["trades.BTC-USD.raw"], "public/unsubscribe"),
      deribitOf(["quote.ETH-USD", "trades.BTC-USD.raw"])
    ],
    "heartbeats of ten seconds and no less": [
      deribit("public/set_heartbeat", { interval: 9.99 }),
      deribit("public/set_heartbeat", { interval: 10 }),
      deribit("public/set_heartbeat", { interval: "10" })
    ],
    "ids are whole or text, or left out": [
      deribit("public/test", {}, "seven"),
      deribit("public/test", {}, 1.5),
      { method: "public/test" },
      { method: "public/what" },
      { jsonrpc: "1.0", method: "public/test" },
      deribit("public/subscribe", { channels: "quote.BTC-USD" }),
      "[]"
    ]
  },
  binance: {
    "streams, right and wrong": [
      binance("SUBSCRIBE", ["btc-usd@trade", "eth-usd@depth5", "eth-usd@depth20@100ms", "btc-usd@miniTicker"]),
      binance("SUBSCRIBE", ["BTC-USD@trade", "no-usd@ticker"], null),
      binance("SUBSCRIBE", ["eth-usd@trade", "btc-usd@what"]),
      binance("UNSUBSCRIBE", ["btc-usd@trade", "no-usd@ticker"], "two"),
      binance("LIST_SUBSCRIPTIONS")
    ],
    "a middle depth": [binance("SUBSCRIBE", ["btc-usd@depth10", "btc-usd@depth10@100ms"])],
    "a stream has a symbol and a channel": [
      binance("SUBSCRIBE", ["@trade"]),
      binance("SUBSCRIBE", ["b@trade"]),
      binance("SUBSCRIBE", ["btc-usd@"]),
      binance("SUBSCRIBE", ["trade"]),
      binance("SUBSCRIBE", [])
    ],
    "parameters are texts": [binance("SUBSCRIBE"), binance("SUBSCRIBE", [1]), binance("UNSUBSCRIBE", "x")],
    "properties, and methods that are none": [
      binance("SET_PROPERTY", ["combined", true]),
      binance("GET_PROPERTY", ["combined"]),
      binance("subscribe", []),
      binance(7),
      binance(undefined)
    ],
    "a message of bytes, and one of no object": [new TextEncoder().encode("{}"), "[]", "", "7"],
    "a sixth message in a second": Array.from({ length: 6 }, (_, id) => binance("LIST_SUBSCRIPTIONS", undefined, id))
  },
  kraken: {
    "every channel": [
      kraken({ channel: "trade", symbol: ["BTC-USD", "NO/NE"] }),
      kraken({ channel: "trade", symbol: ["ETH-USD"], snapshot: true }),
      kraken({ channel: "ticker", symbol: ["ETH-USD"], depth: 7 }),
      kraken({ channel: "book", symbol: ["BTC-USD"] }),
      kraken({ channel: "book", symbol: ["BTC-USD"], depth: 10 }),
      kraken({ channel: "book", symbol: ["BTC-USD"], depth: 25, snapshot: false }),
      kraken({ channel: "book", symbol: ["BTC-USD"], depth: 7 }),
      kraken({ channel: "instrument" })
    ],
    "what is asked for twice, or given up": [
      kraken({ channel: "ticker", symbol: ["BTC-USD", "ETH-USD"], snapshot: false }),
      kraken({ channel: "ticker", symbol: ["BTC-USD"] }),
      kraken({ channel: "ticker", symbol: ["BTC-USD", "BTC-USD", "NO/NE"] }, "unsubscribe"),
      kraken({ channel: "book", symbol: ["ETH-USD"], depth: 100 }),
      kraken({ channel: "book", symbol: ["ETH-USD"] }, "unsubscribe"),
      kraken({ channel: "book", symbol: ["ETH-USD"], depth: 100 }, "unsubscribe")
    ],
    "instruments": [
      kraken({ channel: "instrument", snapshot: false }),
      kraken({ channel: "instrument", snapshot: true }, "unsubscribe")
    ],
    "what is refused": [
      kraken({}),
      kraken({ channel: "ohlc", symbol: ["BTC-USD"] }),
      kraken({ channel: "trade" }),
      kraken({ channel: "trade", symbol: [] }),
      { method: "ping" },
      { method: "ping", req_id: 4 },
      { method: "what", req_id: 4 },
      { method: "subscribe" },
      { method: "subscribe", params: { channel: "book", depth: 10.5 } },
      "{"
    ]
  },
  coinbase: {
    "every channel": [
      ...["heartbeats", "ticker", "ticker_batch", "market_trades", "level2", "candles", "status"].map((channel) =>
        coinbase(channel, ["BTC-USD"])
      ),
      coinbase("what", ["BTC-USD"])
    ],
    "what is of a user": [
      coinbase("user"),
      coinbase("user", ["BTC-USDC", "BTC-USD"], { jwt: "x" }),
      coinbase("futures_balance_summary"),
      coinbase("futures_balance_summary", undefined, { jwt: "" })
    ],
    "products in USDC are those in dollars, but for two": [
      coinbase("ticker", ["BTC-USDC", "ETH-USD", "BTC-USD"]),
      coinbase("ticker", ["USDT-USDC", "EURC-USDC"]),
      coinbase("ticker", ["X-USDC-USDC"]),
      coinbase("ticker", ["BTC-USDC"], { type: "unsubscribe" })
    ],
    "what is not listed, or not named": [
      coinbase("ticker", ["NO-USD"]),
      coinbase("ticker", ["NO-USD", "ETH-USD"]),
      coinbase("ticker", ["ETH-USD", "BTC-USD"]),
      coinbase("level2"),
      coinbase("heartbeats"),
      coinbase("ticker", undefined, { type: "unsubscribe" }),
      coinbase("level2", [], { type: "unsubscribe" })
    ],
    "what is no request": ["{", "[]", coinbase("ticker", [], { type: "what" }), { type: "subscribe" }]
  },
  "coinbase-exchange": {
    "every channel, with products of its own or those of all": [{
      type: "subscribe",
      product_ids: ["BTC-USD"],
      channels: [
        "ticker",
        { name: "ticker_batch", product_ids: ["ETH-USD"] },
        { name: "matches" },
        "level2",
        "level2_batch",
        { name: "heartbeat", product_ids: ["BTC-USD", "ETH-USD"] }
      ]
    }],
    "what is refused": [
      { type: "subscribe", channels: [] },
      { type: "unsubscribe", channels: ["what"] },
      { type: "unsubscribe" },
      { type: "subscribe", product_ids: [], channels: ["ticker"] },
      { type: "subscribe", product_ids: ["BTC-USD"], channels: [{ name: "ticker", product_ids: [] }] },
      { type: "subscribe", product_ids: ["BTC-USD"], channels: [7] },
      { type: "unsubscribe", product_ids: ["BTC-USD"], channels: ["ticker"] }
    ]
  },
  hyperliquid: {
    "every subscription": [
      hyperliquid({ type: "trades", coin: "BTC-USD" }),
      hyperliquid({ type: "bbo", coin: "ETH-USD" }),
      hyperliquid({ type: "l2Book", coin: "BTC-USD" }),
      hyperliquid({ type: "allMids" })
    ],
    "all prices, whatever coin is named": [
      hyperliquid({ type: "allMids", coin: "BTC-USD" }),
      hyperliquid({ type: "allMids" }),
      hyperliquid({ type: "allMids" }, "unsubscribe"),
      hyperliquid({ type: "allMids" }, "unsubscribe")
    ],
    "what is asked for twice, or given up": [
      hyperliquid({ type: "bbo", coin: "ETH-USD" }),
      hyperliquid({ type: "bbo", coin: "ETH-USD" }),
      hyperliquid({ type: "bbo", coin: "BTC-USD" }, "unsubscribe"),
      hyperliquid({ type: "bbo", coin: "ETH-USD" }, "unsubscribe")
    ],
    "what is refused": [
      hyperliquid({ type: "trades" }),
      hyperliquid({ type: "trades", coin: "NO" }),
      hyperliquid({ type: "candle", coin: "BTC-USD" }),
      hyperliquid({ type: "trades", coin: 7 }),
      hyperliquid({ type: "trades", coin: "BTC-USD" }, "what"),
      { method: "ping" },
      "{",
      new TextEncoder().encode("{")
    ]
  },
  dydx: {
    "every channel, batched and not": [
      { type: "subscribe", channel: "v4_trades", id: "BTC-USD" },
      { type: "subscribe", channel: "v4_trades", id: "ETH-USD", batched: true },
      { type: "subscribe", channel: "v4_orderbook", id: "BTC-USD", batched: true },
      { type: "subscribe", channel: "v4_orderbook", id: "ETH-USD", batched: "true" },
      { type: "subscribe", channel: "v4_markets", id: "BTC-USD" }
    ],
    "all markets, batched": [{ type: "subscribe", channel: "v4_markets", batched: true }],
    "what is asked for twice, or given up": [
      { type: "subscribe", channel: "v4_trades", id: "BTC-USD", batched: true },
      { type: "subscribe", channel: "v4_trades", id: "BTC-USD" },
      { type: "subscribe", channel: "v4_markets" },
      { type: "subscribe", channel: "v4_markets" },
      { type: "subscribe", channel: "v4_orderbook", id: "ETH-USD" },
      { type: "unsubscribe", channel: "v4_markets", id: "BTC-USD" },
      { type: "unsubscribe", channel: "v4_trades", id: "BTC-USD" },
      { type: "unsubscribe", channel: "v4_trades", id: "BTC-USD" }
    ],
    "what is refused, but goes on": [
      { type: "subscribe" },
      { type: "subscribe", channel: 7 },
      { type: "subscribe", channel: "v4_candles", id: "BTC-USD" },
      { type: "subscribe", channel: "v4_trades" },
      { type: "subscribe", channel: "v4_trades", id: 7 },
      { type: "subscribe", channel: "v4_trades", id: "NO-USD" },
      { type: "unsubscribe", channel: "v4_trades" },
      { type: "ping" }
    ],
    "a third message in a second that says nothing": [{ type: "" }, { type: "what" }, "{"],
    "none of these says anything": ["{}", "[]"]
  },
  generic: {
    "products, right and wrong": [
      { type: "subscribe", product_ids: ["BTC-USD", "ETH-USD"] },
      { type: "subscribe", product_ids: ["BTC-USD", "NO-USD"] },
      { type: "unsubscribe", product_ids: ["BTC-USD"] },
      { type: "subscribe", product_ids: [""] },
      { type: "subscribe" }
    ]
  }
}

for (const [name, all] of Object.entries(conversations)) {
  describe(`${name} in conversation`, () => {
    for (const [what, frames] of Object.entries(all)) {
      it(what, () => {
        expect(conversation(venueOf(name), frames).join("\n")).toMatchSnapshot()
      })
    }
  })
}

describe("Binance by the address", () => {
  for (
    const path of [
      "/",
      "/ws",
      "/wsx/btc-usd@trade",
      "/ws?x=btc-usd@trade",
      "/ws/btc-usd@trade",
      "/ws/btc-usd@trade/eth-usd@bookTicker?x=/no-usd@trade",
      "/ws//btc-usd@trade/",
      "/ws/btc-usd@what",
      "/stream?streams=btc-usd@trade/eth-usd@ticker",
      "/stream?x=1&streams=btc-usd@bookTicker&streams=eth-usd@trade",
      "/stream?streams=",
      "/stream?xstreams=btc-usd@trade"
    ]
  ) {
    it(path, () => {
      const at = { ...floor, path }
      expect(conversation(venueOf("binance"), [binance("LIST_SUBSCRIPTIONS")], at).join("\n")).toMatchSnapshot()
    })
  }
})

it("Coinbase counts whole seconds in its heartbeats", () => {
  const venue = venueOf("coinbase")
  const { session } = venue.receive(MockVenue.newSession, JSON.stringify(coinbase("heartbeats")), floor)
  const events = [0, 999, 1_000].map((millis) =>
    JSON.parse(venue.heartbeat(session, { ...floor, atMillis: atMillis + millis })[0]?.text ?? "").events[0]
  )
  assert.deepStrictEqual(events.map(({ heartbeat_counter }) => heartbeat_counter - 1_700_000_000), [0, 0, 1])
  assert.deepStrictEqual(events.map(({ current_time }) => current_time), [
    "2023-11-14 22:13:20.000 +0000 UTC m=+1700000000.000000000",
    "2023-11-14 22:13:20.999 +0000 UTC m=+1700000000.000000000",
    "2023-11-14 22:13:21.000 +0000 UTC m=+1700000001.000000000"
  ])
})

describe("venues that number what they send", () => {
  for (const name of ["coinbase", "dydx"]) {
    it(`${name} goes on from what the connection has had`, () => {
      const frames = {
        coinbase: [coinbase("heartbeats"), coinbase("level2", ["BTC-USD", "ETH-USD"]), coinbase("ticker", ["BTC-USD"])],
        dydx: [
          { type: "subscribe", channel: "v4_orderbook", id: "BTC-USD" },
          { type: "subscribe", channel: "v4_trades", id: "BTC-USD" },
          { type: "subscribe", channel: "what" },
          { type: "unsubscribe", channel: "v4_trades", id: "ETH-USD" }
        ]
      }[name] ?? []
      const venue = venueOf(name)
      const lines = conversation(venue, frames, { ...floor, sent: 41 })
      expect([...(venue.greet?.({ ...floor, sent: 5 }) ?? []).map(({ text }) => text), ...lines].join("\n"))
        .toMatchSnapshot()
    })
  }

  it("dYdX's error repeats the number before it, and is not numbered", () => {
    const numbers = [0, 1, 2, 9].map((sent) => {
      const [error] =
        venueOf("dydx").receive(MockVenue.newSession, "{\"type\":\"subscribe\"}", { ...floor, sent }).replies
      return [JSON.parse(error?.text ?? "").message_id, error?.isNumbered]
    })
    assert.deepStrictEqual(numbers, [[0, false], [0, false], [1, false], [8, false]])
  })
})

describe("bounds that take many requests", () => {
  it("dYdX follows 32 products on a channel, and forgets unreadable messages after a second", () => {
    const venue = venueOf("dydx")
    const [market] = [...markets.values()]
    const any: MockVenue.Floor = { atMillis, market: () => market }
    let session = MockVenue.newSession
    const ask = (frame: object, at = any): string => {
      const answer = venue.receive(session, JSON.stringify(frame), at)
      session = answer.session
      return `${JSON.parse(answer.replies[0]?.text ?? "").message ?? "done"}${
        answer.close === undefined ? "" : " closed"
      }`
    }
    const trades = (id: string) => ask({ type: "subscribe", channel: "v4_trades", id })
    for (let n = 1; n <= 32; n++) assert.strictEqual(trades(`P${n}`), "done")
    assert.strictEqual(trades("P33"), "Per-connection subscription limit reached for v4_trades (limit=32).")
    assert.strictEqual(trades("P32"), "Invalid subscribe message: already subscribed (v4_trades-P32)")
    assert.strictEqual(ask({ type: "subscribe", channel: "v4_orderbook", id: "P33" }), "done")
    assert.strictEqual(ask({ type: "subscribe", channel: "v4_markets" }), "done")
    assert.strictEqual(ask({ type: "unsubscribe", channel: "v4_trades", id: "P1" }), "done")
    assert.strictEqual(trades("P33"), "done")
    const unreadable = (at: number) => ask({}, { ...any, atMillis: atMillis + at })
    const refused = "Invalid message: type is required"
    assert.deepStrictEqual([0, 1, 999, 1_000, 1_001].map(unreadable), [
      refused,
      refused,
      "Too many invalid messages. Please reconnect and try again. closed",
      refused,
      refused
    ])
  })

  it("Hyperliquid hears 2,000 messages a minute, Binance five a second, Deribit a hundred in five", () => {
    const heard = (name: string, frame: string, many: number, windowMillis: number) => {
      const venue = venueOf(name)
      let session = MockVenue.newSession
      const say = (at: number): string => {
        const answer = venue.receive(session, frame, { ...floor, atMillis: at })
        session = answer.session
        return [answer.replies[0]?.text ?? "", answer.close?.code ?? "", answer.close?.reason ?? ""].join(" ").trim()
      }
      const first = say(0)
      for (let n = 1; n < many; n++) assert.strictEqual(say(0).length, first.length)
      return [say(windowMillis - 1), say(windowMillis).length === first.length] as const
    }
    assert.deepStrictEqual(heard("hyperliquid", "{\"method\":\"ping\"}", 2_000, 60_000), [
      "{\"channel\":\"error\",\"data\":\"Cannot send more than 2000 messages per minute.\"}",
      true
    ])
    assert.deepStrictEqual(heard("binance", "{\"method\":\"LIST_SUBSCRIPTIONS\",\"id\":1}", 5, 1_000), [
      "1008 Too many requests",
      true
    ])
    const [refusal] = heard("deribit", "{\"method\":\"public/test\",\"id\":1}", 100, 5_000)
    assert.match(refusal, /"code":10028.* 1000$/)
  })
})

describe("the generic venue's prices", () => {
  for (const prices of ["string", "number", "alternating", undefined] as const) {
    it(`${prices}`, () => {
      const venue = MockGeneric.make({ prices })
      const [bitcoin] = [...markets.values()]
      const { last } = bitcoin ?? assert.fail("no market")
      const { session } = venue.receive(
        MockVenue.newSession,
        "{\"type\":\"subscribe\",\"product_ids\":[\"BTC-USD\"]}",
        floor
      )
      const ticks = [2, 3, 4].flatMap((tradeId) => venue.publish(session, { ...last, tradeId }, floor))
      expect([...ticks, venue.price("BTC-USD", "1.50", atMillis)].map(({ text }) => text).join("\n")).toMatchSnapshot()
    })
  }
})

it("Kraken's change is in hundredths of a hundredth of the opening price", () => {
  const venue = venueOf("kraken")
  const [bitcoin] = [...markets.values()]
  const { last } = bitcoin ?? assert.fail("no market")
  const { session } = venue.receive(
    MockVenue.newSession,
    JSON.stringify(kraken({ channel: "ticker", symbol: ["BTC-USD"] })),
    floor
  )
  const changes = [["3000.00", "2000.00"], ["5.99", "6000.00"], ["2000.00", "2000.00"]].map(
    ([price = "", open = ""]) => {
      const [{ text } = assert.fail("no frame")] = venue.publish(session, { ...last, price, open }, floor)
      return /"change":[^,]*,"change_pct":[^,]*/.exec(text)?.[0]
    }
  )
  assert.deepStrictEqual(changes, [
    "\"change\":1000.00,\"change_pct\":50.00",
    "\"change\":-5994.01,\"change_pct\":-99.90",
    "\"change\":0.00,\"change_pct\":0.00"
  ])
})

it("a tick whose time is no time has none", () => {
  const [bitcoin] = [...markets.values()]
  const { last } = bitcoin ?? assert.fail("no market")
  assert.strictEqual(Market.millisOf({ ...last, timestamp: "2023-11-14T22:13:20.123456Z" }), 1_700_000_000_123)
  assert.isNaN(Market.millisOf({ ...last, timestamp: "soon" }))
})
