import { assert, describe, it } from "@effect/vitest"
import * as Rejection from "@tickline/core/codec/Rejection"
import * as Ndjson from "@tickline/core/event/Ndjson"
import * as Messages from "@tickline/core/venue/coinbase/Messages"
import * as Coinbase from "@tickline/core/venue/coinbase/Venue"
import type { Venue } from "@tickline/core/venue/Venue"
import * as MachineSpeed from "./MachineSpeed.ts"

/** The venue with no layout learned. */
const make = (): Venue => ({ ...Coinbase.venue, ...Messages.make() })

/** What a frame gives, as printed; twice, because the second time its layout is known. */
const decode = (frame: string | Uint8Array, venue: Venue = make()): ReadonlyArray<unknown> => {
  const print = (): ReadonlyArray<string> => {
    const decoded = venue.decode(frame)
    return Rejection.isFrameRejected(decoded)
      ? [Ndjson.toJson(decoded)]
      : decoded.map((e) => Ndjson.toJson(e))
  }
  const first = print()
  assert.deepStrictEqual(print(), first)
  return first.map((line): unknown => JSON.parse(line))
}

const venue = "coinbase"

// Frames in the venue's documented shapes, with values of our own.
const envelope = { client_id: "", timestamp: "2023-02-09T20:30:37.167359596Z", sequence_num: 17 }
const frame = (channel: string, ...events: ReadonlyArray<unknown>): object => ({ channel, ...envelope, events })

const trade = {
  trade_id: "12345",
  product_id: "ETH-USD",
  price: "1260.010",
  size: "0.30000000",
  side: "BUY",
  time: "2019-08-14T20:42:27.265Z"
}
const tradeEvent = {
  _tag: "Trade",
  venue,
  product: "ETH-USD",
  price: "1260.010",
  size: "0.30000000",
  side: "sell",
  tradeId: "12345",
  timestamp: "2019-08-14T20:42:27.265Z",
  sequence: "17"
}
const ticker = {
  type: "ticker",
  product_id: "BTC-USD",
  price: "21932.98",
  volume_24_h: "16038.28770938",
  low_24_h: "21835.29",
  high_24_h: "23011.18",
  low_52_w: "15460",
  high_52_w: "48240",
  price_percent_chg_24_h: "-4.15775596190603",
  best_bid: "21931.98",
  best_bid_quantity: "8000.21",
  best_ask: "21933.980",
  best_ask_quantity: "8038.07770938"
}
const tickerEvent = {
  _tag: "Ticker",
  venue,
  product: "BTC-USD",
  price: "21932.98",
  bid: "21931.98",
  bidSize: "8000.21",
  ask: "21933.980",
  askSize: "8038.07770938",
  volume: "16038.28770938",
  timestamp: "2023-02-09T20:30:37.167359596Z",
  sequence: "17"
}
const level = (side: string, price_level: string, new_quantity: string): object => ({
  side,
  event_time: "1970-01-01T00:00:00Z",
  price_level,
  new_quantity
})
const snapshot = {
  type: "snapshot",
  product_id: "BTC-USD",
  updates: [
    level("offer", "21922.0", "0.30000000"),
    level("bid", "21921.73", "0.06317902"),
    level("bid", "21921.3", "0.02")
  ]
}
const snapshotEvent = {
  _tag: "BookSnapshot",
  venue,
  product: "BTC-USD",
  bids: [["21921.73", "0.06317902"], ["21921.3", "0.02"]],
  asks: [["21922.0", "0.30000000"]],
  timestamp: "2023-02-09T20:30:37.167359596Z",
  sequence: "17"
}
const update = { ...snapshot, type: "update" }
const updateEvent = { ...snapshotEvent, _tag: "BookDelta" }

const without = (frame: object, ...members: ReadonlyArray<string>): object =>
  Object.fromEntries(Object.entries(frame).filter(([member]) => !members.includes(member)))

const other = (kind: string): object => ({ _tag: "Other", venue, kind })

const of = (member: "trades" | "tickers", ...elements: ReadonlyArray<unknown>): object => ({
  type: "update",
  [member]: elements
})

describe("Coinbase", () => {
  const frames: ReadonlyArray<readonly [what: string, frame: object, events: ReadonlyArray<object>]> = [
    ["a trade, whose side is the maker's", frame("market_trades", of("trades", trade)), [tradeEvent]],
    [
      "trades in the frame's order",
      frame("market_trades", of("trades", { ...trade, side: "SELL", trade_id: "2" }, trade)),
      [{ ...tradeEvent, side: "buy", tradeId: "2" }, tradeEvent]
    ],
    ["trades of a snapshot", frame("market_trades", { type: "snapshot", trades: [trade, trade] }), [
      { ...tradeEvent, history: true },
      { ...tradeEvent, history: true }
    ]],
    [
      "trades of several events",
      frame("market_trades", { type: "snapshot", trades: [trade] }, of("trades"), of("trades", trade)),
      [{ ...tradeEvent, history: true }, tradeEvent]
    ],
    ["a trade with less", {
      channel: "market_trades",
      events: [{ trades: [without(trade, "trade_id", "time")] }]
    }, [without(tradeEvent, "tradeId", "timestamp", "sequence")]],
    ["a trade with nulls", {
      ...frame("market_trades", { type: null, trades: [{ ...trade, trade_id: null, time: null }] }),
      sequence_num: null,
      timestamp: null
    }, [without(tradeEvent, "tradeId", "timestamp", "sequence")]],
    [
      "trades of no known side among others",
      frame("market_trades", of("trades", trade, { ...trade, side: "UNKNOWN_ORDER_SIDE" }, { ...trade, side: "" })),
      [tradeEvent, without(tradeEvent, "side"), without(tradeEvent, "side")]
    ],
    ["trades that are written in two ways", frame("market_trades", of("trades", trade, { ...trade, more: [1] })), [
      tradeEvent,
      tradeEvent
    ]],
    ["a ticker", frame("ticker", of("tickers", ticker)), [tickerEvent]],
    ["tickers of a snapshot", frame("ticker", { type: "snapshot", tickers: [ticker, { ...ticker, price: "1" }] }), [
      tickerEvent,
      { ...tickerEvent, price: "1" }
    ]],
    [
      "a batch of tickers, which have no quotes",
      frame(
        "ticker_batch",
        of("tickers", without(ticker, "best_bid", "best_bid_quantity", "best_ask", "best_ask_quantity"))
      ),
      [without(tickerEvent, "bid", "bidSize", "ask", "askSize")]
    ],
    [
      "a ticker with empty quotes",
      frame("ticker_batch", of("tickers", { ...ticker, best_bid: "", best_ask_quantity: "", volume_24_h: null })),
      [without(tickerEvent, "bid", "askSize", "volume")]
    ],
    [
      "a ticker with an empty price, before the first trade",
      frame("ticker", of("tickers", ticker, { ...ticker, price: "" })),
      [tickerEvent, without(tickerEvent, "price")]
    ],
    [
      "a ticker of a product that has neither quotes nor trades",
      frame("ticker", of("tickers", { ...ticker, price: "", best_bid: "", best_ask: null })),
      [without(tickerEvent, "price", "bid", "ask")]
    ],
    ["a ticker of quotes only", frame("ticker", of("tickers", without(ticker, "price"))), [
      without(tickerEvent, "price")
    ]],
    ["a snapshot", frame("l2_data", snapshot), [snapshotEvent]],
    ["an update", frame("l2_data", update), [updateEvent]],
    [
      "an update that removes a level",
      frame("l2_data", { ...update, updates: [level("bid", "1.50", "0"), level("bid", "1e-8", "0.00000000")] }),
      [{ ...updateEvent, bids: [["1.50", "0"], ["0.00000001", "0.00000000"]], asks: [] }]
    ],
    ["books of several events", frame("l2_data", snapshot, { ...update, product_id: "A-B" }), [
      snapshotEvent,
      { ...updateEvent, product: "A-B" }
    ]],
    ["an empty snapshot", frame("l2_data", { ...snapshot, updates: [] }), [{ ...snapshotEvent, bids: [], asks: [] }]],
    ["a snapshot of null", frame("l2_data", { ...snapshot, updates: null }), [
      { ...snapshotEvent, bids: [], asks: [] }
    ]],
    ["a book without time and number", { channel: "l2_data", events: [snapshot] }, [
      without(snapshotEvent, "timestamp", "sequence")
    ]],
    [
      "a heartbeat",
      frame("heartbeats", {
        current_time: "2023-06-23 20:31:56.121961769 +0000 UTC m=+91717.525857105",
        heartbeat_counter: "3049"
      }),
      [{ _tag: "Heartbeat", venue, kind: "heartbeat" }]
    ],
    [
      "subscriptions",
      frame("subscriptions", {
        subscriptions: {
          level2: ["A-B", "C-D"],
          heartbeats: ["heartbeats"],
          user: ["00000000-0000-0000-0000-000000000000"],
          status: [],
          candles: null
        }
      }),
      [
        { _tag: "Subscribed", venue, channel: "level2", product: "A-B" },
        { _tag: "Subscribed", venue, channel: "level2", product: "C-D" },
        { _tag: "Subscribed", venue, channel: "heartbeats" },
        { _tag: "Subscribed", venue, channel: "user" },
        { _tag: "Subscribed", venue, channel: "status" },
        { _tag: "Subscribed", venue, channel: "candles" }
      ]
    ],
    ["no subscriptions", frame("subscriptions", { subscriptions: {} }), [{ _tag: "Subscribed", venue }]],
    ["subscriptions without a list", frame("subscriptions", {}), [{ _tag: "Subscribed", venue }]],
    ["subscriptions without events", frame("subscriptions"), [{ _tag: "Subscribed", venue }]],
    ["an error", { type: "error", message: "authentication failure" }, [
      { _tag: "VenueError", venue, message: "authentication failure" }
    ]],
    ["an error with more", { type: "error", message: "failed", reason: "why", code: 4 }, [
      { _tag: "VenueError", venue, code: "4", message: "failed: why" }
    ]],
    ["an error without words", { type: "error" }, [{ _tag: "VenueError", venue }]],
    ["no events", frame("market_trades"), [other("market_trades")]],
    ["events that are null", { channel: "ticker", events: null }, [other("ticker")]],
    ["an event of nothing", frame("ticker", of("tickers")), [other("ticker")]],
    ["an event of null", frame("market_trades", { type: "snapshot", trades: null }), [other("market_trades")]],
    ...["candles", "status", "user", "futures_balance_summary", "new_channel", "constructor", "__proto__"]
      .map((channel) =>
        [`a frame of channel ${channel}`, frame(channel, { type: "snapshot", candles: [{ open: "1" }] }), [
          other(channel)
        ]] as const
      ),
    ["a frame of another type", { type: "status", products: [{ id: "A-B", price: "1" }] }, [other("status")]]
  ]
  for (const [what, frame, events] of frames) {
    it(`reads ${what}`, () => {
      const known = make()
      for (const space of [undefined, 1]) {
        assert.deepStrictEqual(decode(JSON.stringify(frame, null, space)), events)
        assert.deepStrictEqual(decode(JSON.stringify(frame, null, space), known), events)
      }
      const spaced = JSON.stringify(frame, null, 1).replace(/\n */g, " ").replace(/([[{]) | ([\]}])/g, "$1$2")
      assert.deepStrictEqual(decode(spaced, known), events)
    })
  }

  it("reads frames of all kinds by turns, however many layouts it has learned", () => {
    const known = make()
    for (let round = 0; round < 3; round++) {
      for (const [, frame, events] of frames) assert.deepStrictEqual(decode(JSON.stringify(frame), known), events)
    }
  })

  it("passes over no event of a frame with several, whatever it learned before", () => {
    const known = make()
    const two = JSON.stringify(frame("market_trades", of("trades", trade), of("trades", trade)))
    for (let i = 0; i < 3; i++) {
      assert.strictEqual(decode(two, known).length, 2)
      assert.strictEqual(decode(JSON.stringify(frame("market_trades", of("trades", trade))), known).length, 1)
    }
  })

  it("keeps the digits of identifiers", () => {
    for (const digits of ["7.0", "1e3", "9007199254740993", "\"a-1\"", "12345678901234567890123"]) {
      const text = JSON.stringify(frame("market_trades", of("trades", trade)))
        .replace("\"trade_id\":\"12345\"", `"trade_id":${digits}`)
        .replace("\"sequence_num\":17", `"sequence_num":${digits}`)
      const id = digits.replaceAll("\"", "")
      assert.deepStrictEqual(decode(text), [{ ...tradeEvent, tradeId: id, sequence: id }])
    }
  })

  const trades = (...list: ReadonlyArray<unknown>): object => frame("market_trades", of("trades", ...list))
  const book = (...updates: ReadonlyArray<unknown>): object => frame("l2_data", { ...update, updates })
  const rejections: ReadonlyArray<
    readonly [what: string, frame: string | Uint8Array | object, reason: string, field: string | undefined]
  > = [
    ["bytes", new Uint8Array([0, 1]), "MalformedJson", undefined],
    ["nothing", "", "MalformedJson", undefined],
    ["half a frame", JSON.stringify(trades(trade)).slice(0, 100), "MalformedJson", undefined],
    ["deep nesting", "{\"channel\":".repeat(100_000), "MalformedJson", undefined],
    ["an array", [trades(trade)], "NotAnObject", undefined],
    ["null", "null", "NotAnObject", undefined],
    ["an object without channel and type", without(trades(trade), "channel"), "UnknownMessage", undefined],
    [
      "an object whose prototype has a channel",
      "{\"__proto__\":{\"channel\":\"ticker\"}}",
      "UnknownMessage",
      undefined
    ],
    ["a channel that is no string", { channel: 5 }, "InvalidField", "channel"],
    ["an empty channel", { channel: "", type: "error" }, "InvalidField", "channel"],
    ["a type that is no string", { type: null }, "InvalidField", "type"],
    ["a frame without events", without(trades(trade), "events"), "MissingField", "events"],
    ["events that are none", { ...trades(trade), events: {} }, "InvalidField", "events"],
    ["an event that is none", frame("ticker", of("tickers", ticker), 5), "InvalidField", "events[1]"],
    ["an event without trades", frame("market_trades", { type: "update" }), "MissingField", "events[0].trades"],
    [
      "an event with a type that is none",
      frame("market_trades", { type: 1, trades: [] }),
      "InvalidField",
      "events[0].type"
    ],
    [
      "trades that are none",
      frame("market_trades", of("trades", trade), { trades: {} }),
      "InvalidField",
      "events[1].trades"
    ],
    ["a trade that is none", trades(trade, null), "InvalidField", "events[0].trades[1]"],
    ["a trade without price", trades(trade, without(trade, "price")), "MissingField", "events[0].trades[1].price"],
    ["a trade without product", trades(without(trade, "product_id")), "MissingField", "events[0].trades[0].product_id"],
    [
      "a trade with an empty product",
      trades({ ...trade, product_id: "" }),
      "InvalidField",
      "events[0].trades[0].product_id"
    ],
    ["a trade with a null price", trades({ ...trade, price: null }), "InvalidField", "events[0].trades[0].price"],
    [
      "a trade with a number for a price",
      trades({ ...trade, price: 1.5 }),
      "InvalidField",
      "events[0].trades[0].price"
    ],
    [
      "a trade with a size that is none",
      trades(trade, { ...trade, size: "1,5" }),
      "InvalidField",
      "events[0].trades[1].size"
    ],
    ["a trade of no side", trades({ ...trade, side: "buy" }), "InvalidField", "events[0].trades[0].side"],
    [
      "a trade at no time",
      trades({ ...trade, time: "2019-02-30T00:00:00Z" }),
      "InvalidField",
      "events[0].trades[0].time"
    ],
    ["a trade with an empty id", trades({ ...trade, trade_id: "" }), "InvalidField", "events[0].trades[0].trade_id"],
    ["a number that is none", { ...trades(trade), sequence_num: {} }, "InvalidField", "sequence_num"],
    [
      "a ticker without any price",
      frame("ticker", of("tickers", { product_id: "A-B" })),
      "MissingField",
      "events[0].tickers[0].price"
    ],
    [
      "a ticker with a bad quote",
      frame("ticker", of("tickers", { ...ticker, best_ask: "x" })),
      "InvalidField",
      "events[0].tickers[0].best_ask"
    ],
    [
      "a ticker at no time",
      { ...frame("ticker", of("tickers", ticker)), timestamp: "noon" },
      "InvalidField",
      "timestamp"
    ],
    ["a book of no kind", frame("l2_data", { ...update, type: "l2update" }), "InvalidField", "events[0].type"],
    ["a book without product", frame("l2_data", without(update, "product_id")), "MissingField", "events[0].product_id"],
    [
      "a book without updates",
      frame("l2_data", snapshot, without(update, "updates")),
      "MissingField",
      "events[1].updates"
    ],
    [
      "a book with updates that are none",
      frame("l2_data", { ...update, updates: {} }),
      "InvalidField",
      "events[0].updates"
    ],
    ["a level that is none", book(level("bid", "1", "1"), 5), "InvalidField", "events[0].updates[1]"],
    ["a level that is a row", book(["bid", "1", "1"]), "InvalidField", "events[0].updates[0]"],
    [
      "a level of no side",
      book(level("bid", "1", "1"), level("ask", "1", "1")),
      "InvalidField",
      "events[0].updates[1].side"
    ],
    [
      "a level without side",
      book(without(level("bid", "1", "1"), "side")),
      "MissingField",
      "events[0].updates[0].side"
    ],
    [
      "a level without price",
      book(without(level("bid", "1", "1"), "price_level")),
      "MissingField",
      "events[0].updates[0].price_level"
    ],
    [
      "a level with a bad size",
      book(level("bid", "1", "1"), level("offer", "1", "")),
      "InvalidField",
      "events[0].updates[1].new_quantity"
    ],
    [
      "a level with a number",
      book({ ...level("bid", "1", "1"), price_level: 1 }),
      "InvalidField",
      "events[0].updates[0].price_level"
    ],
    [
      "subscriptions that are none",
      frame("subscriptions", { subscriptions: { a: 5 } }),
      "InvalidField",
      "events[0].subscriptions.a"
    ],
    ["an error whose message is none", { type: "error", message: {} }, "InvalidField", "message"]
  ]
  for (const [what, frame, reason, field] of rejections) {
    it(`refuses ${what}`, () => {
      const text = typeof frame === "string" || frame instanceof Uint8Array ? frame : JSON.stringify(frame)
      const known = make()
      for (const [, good] of frames) decode(JSON.stringify(good), known)
      for (const venue of [make(), known]) {
        const [rejected] = decode(text, venue) as ReadonlyArray<Rejection.FrameRejected>
        assert.deepStrictEqual([rejected?._tag, rejected?.reason, rejected?.field], ["FrameRejected", reason, field])
        assert.isAtMost(JSON.stringify(rejected).length, 1000)
      }
    })
  }

  it("reads or refuses a book of a megabyte within 50 ms, known layout or not", () => {
    const updates = Array.from(
      { length: 10_000 },
      (_, i) => level(i % 2 ? "bid" : "offer", `${10_000 + i}.10`, `${i}.00000001`)
    )
    const text = JSON.stringify(frame("l2_data", { ...snapshot, updates }))
    assert.isAtLeast(text.length, 1_000_000)
    const venue = make()
    venue.decode(JSON.stringify(frame("l2_data", snapshot)))
    for (const frame of [text, text.replace("{", "{ "), text.replace(/"\}\]\}\]\}$/, "x\"}]}]}")]) {
      assert.isBelow(MachineSpeed.leastMillis(() => venue.decode(frame), { runs: 5 }), 50)
    }
  })

  it("subscribes in one frame for each channel", () => {
    const asks = Coinbase.venue.subscribe([
      { channel: "market_trades", product: "A-B" },
      { channel: "level2", product: "A-B" },
      { channel: "market_trades", product: "C-D" },
      { channel: "market_trades", product: "A-B" },
      { channel: "heartbeats" },
      { channel: "status" },
      { channel: "status", product: "A-B" }
    ], 1)
    assert.deepStrictEqual(asks.map(({ channels, text }) => [text, channels]), [
      ["{\"type\":\"subscribe\",\"product_ids\":[\"A-B\",\"C-D\"],\"channel\":\"market_trades\"}", [
        { channel: "market_trades", product: "A-B" },
        { channel: "market_trades", product: "C-D" }
      ]],
      ["{\"type\":\"subscribe\",\"product_ids\":[\"A-B\"],\"channel\":\"level2\"}", [{
        channel: "level2",
        product: "A-B"
      }]],
      ["{\"type\":\"subscribe\",\"channel\":\"heartbeats\"}", [{ channel: "heartbeats" }]],
      ["{\"type\":\"subscribe\",\"channel\":\"status\"}", [{ channel: "status" }]],
      ["{\"type\":\"subscribe\",\"product_ids\":[\"A-B\"],\"channel\":\"status\"}", [{
        channel: "status",
        product: "A-B"
      }]]
    ])
    assert.deepStrictEqual(
      Coinbase.venue.unsubscribe([{ channel: "ticker", product: "A-B" }], 1).map(({ text }) => text),
      ["{\"type\":\"unsubscribe\",\"product_ids\":[\"A-B\"],\"channel\":\"ticker\"}"]
    )
    assert.deepStrictEqual(Coinbase.venue.subscribe([], 1), [])
  })
})
