import { assert, describe, it } from "@effect/vitest"
import * as Rejection from "@tickline/core/codec/Rejection"
import type * as MarketData from "@tickline/core/event/MarketData"
import * as Ndjson from "@tickline/core/event/Ndjson"
import * as Decimal from "@tickline/core/value/Decimal"
import * as KrakenChecksum from "@tickline/core/venue/kraken/KrakenChecksum"
import * as Messages from "@tickline/core/venue/kraken/Messages"
import * as Kraken from "@tickline/core/venue/kraken/Venue"
import type { Venue } from "@tickline/core/venue/Venue"

/** The venue with no layout learned. */
const make = (): Venue => ({ ...Kraken.venue, ...Messages.make() })

/** What a frame gives, as printed; twice, because the second time its layout is known. */
const decode = (frame: string | Uint8Array, venue: Venue = make()): ReadonlyArray<unknown> => {
  const print = (): ReadonlyArray<string> => {
    const decoded = venue.decode(frame)
    return (Rejection.isFrameRejected(decoded) ? [decoded] : decoded).map((event) => Ndjson.toJson(event))
  }
  const first = print()
  assert.deepStrictEqual(print(), first)
  return first.map((line): unknown => JSON.parse(line))
}

const venue = "kraken"

// Frames in the venue's documented shapes, with values of our own. Written as text: a number's zeros are its own.
const tradeRow = (price: string, more = ""): string =>
  `{"symbol":"MATIC/USD","side":"sell","price":${price},"qty":40.00000000,"ord_type":"market","trade_id":4665906,` +
  `"timestamp":"2023-09-25T07:49:37.708706Z"${more}}`
const frame = (channel: string, type: string, ...rows: ReadonlyArray<string>): string =>
  `{"channel":"${channel}","type":"${type}","data":[${rows.join(",")}]}`
const trade = {
  _tag: "Trade",
  venue,
  product: "MATIC/USD",
  price: "0.51170",
  size: "40.00000000",
  side: "sell",
  tradeId: "4665906",
  timestamp: "2023-09-25T07:49:37.708706Z"
}
const tickerRow = "{\"symbol\":\"ALGO/USD\",\"bid\":0.10025,\"bid_qty\":740.00000000,\"ask\":0.10036," +
  "\"ask_qty\":1361.44813783,\"last\":0.10035,\"volume\":997038.98383185,\"vwap\":0.10148,\"low\":0.09979," +
  "\"high\":0.10285,\"change\":-0.00017,\"change_pct\":-0.17,\"timestamp\":\"2024-01-02T03:04:05.000006Z\"}"
const ticker = {
  _tag: "Ticker",
  venue,
  product: "ALGO/USD",
  price: "0.10035",
  bid: "0.10025",
  bidSize: "740.00000000",
  ask: "0.10036",
  askSize: "1361.44813783",
  volume: "997038.98383185",
  timestamp: "2024-01-02T03:04:05.000006Z"
}
const bookRow = (bids: string, asks: string, more = ",\"timestamp\":\"2023-10-06T17:35:55.440295Z\""): string =>
  `{"symbol":"MATIC/USD","bids":${bids},"asks":${asks},"checksum":2439117997${more}}`
const bids = "[{\"price\":0.5666,\"qty\":4831.75496000},{\"price\":0.5660,\"qty\":18097.15470000}]"
const asks = "[{\"price\":0.5668,\"qty\":0.00000000}]"
const book = {
  venue,
  product: "MATIC/USD",
  bids: [["0.5666", "4831.75496000"], ["0.5660", "18097.15470000"]],
  asks: [["0.5668", "0.00000000"]],
  timestamp: "2023-10-06T17:35:55.440295Z",
  checksum: "2439117997"
}
const times = "\"time_in\":\"2023-09-25T09:04:31.742599Z\",\"time_out\":\"2023-09-25T09:04:31.742648Z\""

describe("Kraken", () => {
  const frames: ReadonlyArray<readonly [what: string, frame: string, events: ReadonlyArray<object>]> = [
    ["a trade", frame("trade", "update", tradeRow("0.51170")), [trade]],
    ["two trades", frame("trade", "update", tradeRow("0.51170"), tradeRow("1e-8")), [
      trade,
      { ...trade, price: "0.00000001" }
    ]],
    ["trades of a snapshot", frame("trade", "snapshot", tradeRow("0.51170"), tradeRow("1.0")), [
      { ...trade, history: true },
      { ...trade, price: "1.0", history: true }
    ]],
    ["trades of which one says more", frame("trade", "update", tradeRow("0.51170"), tradeRow("2", ",\"x\":[{}]")), [
      trade,
      { ...trade, price: "2" }
    ]],
    ["no trades", frame("trade", "snapshot"), [{ _tag: "Other", venue, kind: "trade" }]],
    [
      "a trade with less",
      frame("trade", "update", "{\"symbol\":\"A/B\",\"side\":\"buy\",\"price\":\"7.0\",\"qty\":1,\"trade_id\":null}"),
      [{ _tag: "Trade", venue, product: "A/B", price: "7.0", size: "1", side: "buy" }]
    ],
    ["a ticker", frame("ticker", "update", tickerRow), [ticker]],
    ["a ticker of a snapshot", frame("ticker", "snapshot", tickerRow), [ticker]],
    ["two tickers", frame("ticker", "update", tickerRow, tickerRow.replace("ALGO/USD", "BTC/USD")), [
      ticker,
      { ...ticker, product: "BTC/USD" }
    ]],
    ["a ticker of nothing yet", frame("ticker", "update", "{\"symbol\":\"A/B\",\"last\":null,\"bid\":null}"), [
      { _tag: "Ticker", venue, product: "A/B" }
    ]],
    [
      "a ticker with nulls",
      frame(
        "ticker",
        "update",
        tickerRow.replace("0.10035", "null").replace("740.00000000", "null").replace("997038.98383185", "null")
      ),
      [{
        _tag: "Ticker",
        venue,
        product: "ALGO/USD",
        bid: "0.10025",
        ask: "0.10036",
        askSize: "1361.44813783",
        timestamp: ticker.timestamp
      }]
    ],
    ["a ticker with less", frame("ticker", "update", "{\"symbol\":\"A/B\",\"last\":1.50}"), [
      { _tag: "Ticker", venue, product: "A/B", price: "1.50" }
    ]],
    ["a book", frame("book", "snapshot", bookRow(bids, asks)), [{ _tag: "BookSnapshot", ...book }]],
    ["an empty book without a time", frame("book", "snapshot", bookRow("[]", "[]", "")), [{
      _tag: "BookSnapshot",
      venue,
      product: "MATIC/USD",
      bids: [],
      asks: [],
      checksum: "2439117997"
    }]],
    ["an update", frame("book", "update", bookRow(bids, asks)), [{ _tag: "BookDelta", ...book }]],
    ["an update of one side", frame("book", "update", bookRow("[]", asks)), [
      { _tag: "BookDelta", ...book, bids: [] }
    ]],
    [
      "an update that repeats a level",
      frame("book", "update", bookRow(bids, `[${asks.slice(1, -1)},${asks.slice(1)}`)),
      [
        { _tag: "BookDelta", ...book, asks: [...book.asks, ...book.asks] }
      ]
    ],
    ["an update without a side", frame("book", "update", bookRow(bids, "null")), [
      { _tag: "BookDelta", ...book, asks: [] }
    ]],
    ["updates of two books", frame("book", "update", bookRow(bids, asks), bookRow("[]", asks)), [
      { _tag: "BookDelta", ...book },
      { _tag: "BookDelta", ...book, bids: [] }
    ]],
    ["a book of strings", frame("book", "snapshot", bookRow("[{\"price\":\"1.0\",\"qty\":\"2.50\"}]", "[]")), [
      { _tag: "BookSnapshot", ...book, bids: [["1.0", "2.50"]], asks: [] }
    ]],
    ["a heartbeat", "{\"channel\":\"heartbeat\"}", [{ _tag: "Heartbeat", venue, kind: "heartbeat" }]],
    [
      "the status",
      frame(
        "status",
        "update",
        "{\"version\":\"2.0.10\",\"system\":\"online\",\"api_version\":\"v2\",\"connection_id\":1}"
      ),
      [{ _tag: "Other", venue, kind: "status" }]
    ],
    [
      "instruments",
      "{\"channel\":\"instrument\",\"type\":\"snapshot\",\"data\":{\"assets\":[],\"pairs\":[{\"symbol\":\"A/B\"}]}}",
      [{ _tag: "Other", venue, kind: "instrument" }]
    ],
    ...["ohlc", "level3", "executions", "balances", "tomorrow", "constructor", "__proto__"].map((channel) =>
      [`the channel ${channel}`, frame(channel, "update", tradeRow("1")), [{
        _tag: "Other",
        venue,
        kind: channel
      }]] as const
    ),
    [
      "a subscription",
      `{"method":"subscribe","req_id":7,"result":{"channel":"book","depth":25,"snapshot":true,"symbol":"A/B"},"success":true,${times}}`,
      [{ _tag: "Subscribed", venue, channel: "book", product: "A/B", requestId: "7" }]
    ],
    [
      "a subscription with warnings and without symbol or id",
      `{"method":"subscribe","result":{"channel":"instrument","snapshot":true,"warnings":["tick_size is deprecated"]},"success":true,${times}}`,
      [{ _tag: "Subscribed", venue, channel: "instrument" }]
    ],
    [
      "a subscription of several symbols",
      "{\"method\":\"subscribe\",\"result\":{\"channel\":\"ticker\",\"symbol\":[\"A/B\",\"C/D\"]},\"success\":true}",
      [
        { _tag: "Subscribed", venue, channel: "ticker", product: "A/B" },
        { _tag: "Subscribed", venue, channel: "ticker", product: "C/D" }
      ]
    ],
    ["a subscription of nothing", "{\"method\":\"subscribe\",\"success\":true}", [{ _tag: "Subscribed", venue }]],
    [
      "the end of a subscription",
      `{"method":"unsubscribe","req_id":8,"result":{"channel":"ticker","symbol":"A/B"},"success":true,${times}}`,
      [{ _tag: "Unsubscribed", venue, channel: "ticker", product: "A/B", requestId: "8" }]
    ],
    [
      "a refused symbol",
      `{"error":"Currency pair not supported XBT/USDT","method":"subscribe","req_id":9,"success":false,"symbol":"XBT/USDT",${times}}`,
      [{ _tag: "VenueError", venue, message: "Currency pair not supported XBT/USDT", requestId: "9" }]
    ],
    [
      "a refused depth",
      `{"error":"Subscription depth not supported","method":"subscribe","success":false,${times}}`,
      [{ _tag: "VenueError", venue, message: "Subscription depth not supported" }]
    ],
    ["a refusal without words", "{\"method\":\"unsubscribe\",\"success\":false}", [{ _tag: "VenueError", venue }]],
    ["a refused ping", "{\"method\":\"pong\",\"success\":false,\"error\":\"no\"}", [
      { _tag: "VenueError", venue, message: "no" }
    ]],
    ["an error without method", "{\"error\":\"Malformed request\",\"success\":false}", [
      { _tag: "VenueError", venue, message: "Malformed request" }
    ]],
    ["an error alone", "{\"Error\":\"Exceeded msg rate\"}", [
      { _tag: "VenueError", venue, message: "Exceeded msg rate" }
    ]],
    ["errors in a list", "{\"error\":[\"EGeneral:Internal error\",\"EService:Busy\"],\"method\":null}", [
      { _tag: "VenueError", venue, message: "EGeneral:Internal error, EService:Busy" }
    ]],
    ["a success with an empty error", "{\"error\":\"\",\"method\":\"subscribe\",\"success\":true}", [
      { _tag: "Subscribed", venue }
    ]],
    ["a pong", `{"method":"pong","req_id":42,${times}}`, [{ _tag: "Heartbeat", venue, kind: "pong" }]],
    [
      "an answer to an order",
      `{"method":"add_order","req_id":3,"result":{"order_id":"A"},"success":true,${times}}`,
      [{ _tag: "Other", venue, kind: "add_order" }]
    ],
    [
      "a refused order",
      `{"method":"add_order","req_id":99,"success":false,"error":"EOrder:Insufficient funds",${times}}`,
      [{ _tag: "VenueError", venue, message: "EOrder:Insufficient funds", requestId: "99" }]
    ]
  ]
  const known = make()
  for (const [what, frame, events] of frames) {
    it(`reads ${what}`, () => {
      assert.deepStrictEqual(decode(frame), events)
      assert.deepStrictEqual(decode(frame, known), events)
      // As Python writes it, and as a person would.
      const spaced = (space: string): string =>
        frame.replace(/"(?:[^"\\]|\\.)*"|[,:]/g, (token) => token.length === 1 ? token + space : token)
      assert.deepStrictEqual(decode(spaced(" "), known), events)
      assert.deepStrictEqual(decode(spaced("\n\t"), known), events)
    })
  }

  it("takes the last of members with the same name, wherever it stands", () => {
    const venue = make()
    decode(frame("trade", "update", tradeRow("1")), venue)
    const twice = frame("trade", "update", tradeRow("0.51170", ",\"qty\":1.0"))
    assert.deepStrictEqual(decode(twice, venue), [{ ...trade, size: "1.0" }])
  })

  const rejections: ReadonlyArray<
    readonly [what: string, frame: string | Uint8Array, reason: string, field: string | undefined]
  > = [
    ["bytes", new Uint8Array([0, 1]), "MalformedJson", undefined],
    ["nothing", "", "MalformedJson", undefined],
    ["half a frame", frame("book", "update", bookRow(bids, asks)).slice(0, 90), "MalformedJson", undefined],
    ["a number that is none", frame("trade", "update", tradeRow("01")), "MalformedJson", undefined],
    ["an array, as version 1 wrote", "[0,{\"a\":[]},\"book-10\",\"XBT/USD\"]", "NotAnObject", undefined],
    ["an object without a kind", "{\"event\":\"heartbeat\"}", "UnknownMessage", undefined],
    [
      "an object whose prototype has a kind",
      "{\"__proto__\":{\"channel\":\"heartbeat\"}}",
      "UnknownMessage",
      undefined
    ],
    ["a channel that is no string", "{\"channel\":5}", "InvalidField", "channel"],
    ["a null channel", "{\"channel\":null}", "InvalidField", "channel"],
    ["a method that is no string", "{\"method\":{}}", "InvalidField", "method"],
    ["a success that is none", "{\"method\":\"subscribe\",\"success\":\"yes\"}", "InvalidField", "success"],
    ["a confirmation that is none", "{\"method\":\"subscribe\",\"result\":[]}", "InvalidField", "result"],
    ["a phase that is none", frame("trade", "delta", tradeRow("1")), "InvalidField", "type"],
    ["no phase", "{\"channel\":\"book\",\"data\":[]}", "MissingField", "type"],
    ["no data", "{\"channel\":\"book\",\"type\":\"update\"}", "MissingField", "data"],
    ["null data", "{\"channel\":\"trade\",\"type\":\"update\",\"data\":null}", "InvalidField", "data"],
    ["data that are no list", "{\"channel\":\"trade\",\"type\":\"update\",\"data\":{}}", "InvalidField", "data"],
    ["a trade that is none", frame("trade", "update", tradeRow("1"), "7"), "InvalidField", "data[1]"],
    [
      "a trade without price",
      frame("trade", "update", tradeRow("1"), tradeRow("1").replace("\"price\":1,", "")),
      "MissingField",
      "data[1].price"
    ],
    ["a trade with a null price", frame("trade", "update", tradeRow("null")), "InvalidField", "data[0].price"],
    [
      "a trade with a price that is none",
      frame("trade", "update", tradeRow("\"1,5\"")),
      "InvalidField",
      "data[0].price"
    ],
    ["a trade with a price too long", frame("trade", "update", tradeRow("1e1000")), "InvalidField", "data[0].price"],
    [
      "a trade of no side",
      frame("trade", "update", tradeRow("1").replace("sell", "b")),
      "InvalidField",
      "data[0].side"
    ],
    [
      "a trade of no product",
      frame("trade", "update", tradeRow("1").replace("MATIC/USD", "")),
      "InvalidField",
      "data[0].symbol"
    ],
    [
      "a trade at no time",
      frame("trade", "update", tradeRow("1").replace("09-25", "09-31")),
      "InvalidField",
      "data[0].timestamp"
    ],
    [
      "the first of two bad members",
      frame("trade", "update", tradeRow("[]").replace("sell", "x")),
      "InvalidField",
      "data[0].side"
    ],
    ["a ticker without prices", frame("ticker", "update", "{\"symbol\":\"A/B\"}"), "MissingField", "data[0].last"],
    [
      "a ticker with a bad price",
      frame("ticker", "update", tickerRow.replace("0.10035", "{}")),
      "InvalidField",
      "data[0].last"
    ],
    [
      "a book without a side",
      frame("book", "snapshot", bookRow(bids, asks).replace(/"asks":\[.*\],/, "")),
      "MissingField",
      "data[0].asks"
    ],
    [
      "a book with a bad price",
      frame("book", "update", bookRow(bids.replace("0.5660", "true"), asks)),
      "InvalidField",
      "data[0].bids[1].price"
    ],
    [
      "a book with a short row",
      frame("book", "update", bookRow("[{\"price\":1}]", asks)),
      "MissingField",
      "data[0].bids[0].qty"
    ],
    [
      "a book with a row that is none",
      frame("book", "update", bookRow("[[1,2]]", asks)),
      "InvalidField",
      "data[0].bids[0]"
    ],
    [
      "a book with a null size",
      frame("book", "update", bookRow("[]", asks.replace("0.00000000", "null"))),
      "InvalidField",
      "data[0].asks[0].qty"
    ],
    [
      "a book with a bad checksum",
      frame("book", "update", bookRow("[]", asks).replace("2439117997", "[]")),
      "InvalidField",
      "data[0].checksum"
    ]
  ]
  for (const [what, text, reason, field] of rejections) {
    it(`refuses ${what}`, () => {
      for (const venue of [make(), known]) {
        const [rejected] = decode(text, venue) as ReadonlyArray<Rejection.FrameRejected>
        assert.deepStrictEqual([rejected?._tag, rejected?.reason, rejected?.field], ["FrameRejected", reason, field])
        assert.isAtMost(JSON.stringify(rejected).length, 1000)
      }
    })
  }

  it("takes a megabyte in time that grows with its length alone, known layout or not", { timeout: 30_000 }, () => {
    const venue = make()
    for (const [, frame] of frames) venue.decode(frame)
    const rows = (row: string): string => `[${`${row},`.repeat(Math.floor(1_000_000 / row.length))}${row}]`
    const fastest = (run: () => unknown): number => {
      let best = Number.POSITIVE_INFINITY
      for (let i = 0; i < 2; i++) {
        // The thread's own time: what else runs on the machine does not count.
        const { system, user } = process.threadCpuUsage()
        run()
        const spent = process.threadCpuUsage({ system, user })
        best = Math.min(best, (spent.user + spent.system) / 1_000)
      }
      return best
    }
    const levels = rows("{\"price\":0.5666,\"qty\":4831.75496000}")
    const whole = frame("book", "snapshot", bookRow(levels, "[]"))
    // The thread's time is now and then told as none at all.
    const parsing = Math.max(1, fastest(() => JSON.parse(whole)))
    for (
      const text of [
        whole,
        whole.replace(":", ": "),
        frame("book", "snapshot", bookRow(levels, "[7]")),
        frame("trade", "snapshot", rows(tradeRow("1.50")).slice(1, -1)),
        frame("trade", "snapshot", rows(tradeRow("1.50")).slice(1, -1), "7"),
        frame("trade", "update", tradeRow("9".repeat(1_000_000))),
        `{"Error":"${"x".repeat(1_000_000)}"}`
      ]
    ) {
      // Measured at 1 to 15; a decoder that is quadratic is a thousand times beyond.
      assert.isBelow(fastest(() => venue.decode(text)) / parsing, 60, text.slice(0, 80))
    }
  })

  it("asks for each channel of a symbol by a number of its own, depth included", () => {
    const asks = Kraken.venue.subscribe([
      { channel: "trade", product: "BTC/USD" },
      { channel: "book-25", product: "BTC/USD" },
      { channel: "trade", product: "ETH/USD" },
      { channel: "trade", product: "ETH/USD" },
      { channel: "book", product: "ETH/USD" },
      { channel: "instrument" }
    ], 5)
    const params = (channel: string, symbol: string) => ({ channel, symbol: [symbol], snapshot: true })
    assert.deepStrictEqual(asks.map(({ text }) => JSON.parse(text) as unknown), [
      { method: "subscribe", params: params("trade", "BTC/USD"), req_id: 5 },
      { method: "subscribe", params: { ...params("book", "BTC/USD"), depth: 25 }, req_id: 6 },
      { method: "subscribe", params: params("trade", "ETH/USD"), req_id: 7 },
      { method: "subscribe", params: params("book", "ETH/USD"), req_id: 8 },
      { method: "subscribe", params: { channel: "instrument", snapshot: true }, req_id: 9 }
    ])
    assert.deepStrictEqual(asks.map(({ requestId }) => requestId), ["5", "6", "7", "8", "9"])
    assert.deepStrictEqual(asks[1]?.channels, [{ channel: "book-25", product: "BTC/USD" }])
    assert.deepStrictEqual(
      Kraken.venue.unsubscribe([{ channel: "book-1000", product: "BTC/USD" }], 9).map(({ text }) => text),
      ["{\"method\":\"unsubscribe\",\"params\":{\"channel\":\"book\",\"symbol\":[\"BTC/USD\"],\"depth\":1000},\"req_id\":9}"]
    )
    assert.deepStrictEqual(Kraken.venue.subscribe([], 1), [])
  })

  it("keeps the connection alive by a ping, which is answered", () => {
    const { keepAlive } = Kraken.venue
    assert(keepAlive._tag === "Application")
    assert.strictEqual(keepAlive.ping(3), "{\"method\":\"ping\",\"req_id\":3}")
    const pong = Kraken.venue.decode(`{"method":"pong","req_id":3,${times}}`)
    assert(!Rejection.isFrameRejected(pong))
    assert.deepStrictEqual(pong.map(keepAlive.isPong), [true])
    const heartbeat = Kraken.venue.decode("{\"channel\":\"heartbeat\"}")
    assert(!Rejection.isFrameRejected(heartbeat))
    assert.deepStrictEqual(heartbeat.map(keepAlive.isPong), [false])
  })
})

describe("KrakenChecksum", () => {
  const levels = (...rows: ReadonlyArray<readonly [price: string, size: string]>): ReadonlyArray<MarketData.Level> =>
    rows.map(([price, size]) => [Decimal.parse(price) ?? Decimal.zero, Decimal.parse(size) ?? Decimal.zero])

  // The worked example of https://docs.kraken.com/api/docs/guides/spot-ws-book-v2, read 2026-11-21.
  const bids = levels(
    ["45283.5", "0.10000000"],
    ["45283.4", "1.54582015"],
    ["45282.1", "0.10000000"],
    ["45281.0", "0.10000000"],
    ["45280.3", "1.54592586"],
    ["45279.0", "0.07990000"],
    ["45277.6", "0.03310103"],
    ["45277.5", "0.30000000"],
    ["45277.3", "1.54602737"],
    ["45276.6", "0.15445238"]
  )
  const asks = levels(
    ["45285.2", "0.00100000"],
    ["45286.4", "1.54571953"],
    ["45286.6", "1.54571109"],
    ["45289.6", "1.54560911"],
    ["45290.2", "0.15890660"],
    ["45291.8", "1.54553491"],
    ["45294.7", "0.04454749"],
    ["45296.1", "0.35380000"],
    ["45297.5", "0.09945542"],
    ["45299.5", "0.18772827"]
  )

  it("is that of the venue's own example, and unsigned", () => {
    assert.strictEqual(KrakenChecksum.checksum(asks, bids), "3310070434")
  })

  it("counts ten levels of each side, and each of their digits", () => {
    const more = levels(["1.0", "2.0"])
    assert.strictEqual(KrakenChecksum.checksum([...asks, ...more], [...bids, ...more]), "3310070434")
    assert.notStrictEqual(KrakenChecksum.checksum(asks, bids.slice(1)), "3310070434")
    assert.notStrictEqual(KrakenChecksum.checksum(bids, asks), "3310070434")
    assert.notStrictEqual(
      KrakenChecksum.checksum([...levels(["45285.2", "0.001"]), ...asks.slice(1)], bids),
      "3310070434"
    )
    assert.strictEqual(KrakenChecksum.checksum([], []), "0")
  })
})
