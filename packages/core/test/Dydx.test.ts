import { assert, describe, it } from "@effect/vitest"
import * as Rejection from "@tickline/core/codec/Rejection"
import * as Ndjson from "@tickline/core/event/Ndjson"
import * as Dydx from "@tickline/core/venue/dydx/Venue"
import type { Venue } from "@tickline/core/venue/Venue"
import * as Chance from "@tickline/testing/Chance"

/** What a frame gives, as printed. */
const decode = (frame: string | Uint8Array, venue: Venue = Dydx.venue): ReadonlyArray<unknown> => {
  const decoded = venue.decode(frame)
  const lines = Rejection.isFrameRejected(decoded)
    ? [Ndjson.toJson(decoded)]
    : decoded.map((e) => Ndjson.toJson(e))
  return lines.map((line): unknown => JSON.parse(line))
}

type Refused = Pick<Rejection.FrameRejected, "reason" | "field">

const venue = "dydx"
const connection_id = "00000000-0000-4000-8000-000000000001"

// Frames in the venue's documented shapes, with values of our own.
const data = (channel: string, contents: unknown, more: object = {}): object => ({
  type: "channel_data",
  connection_id,
  message_id: 17,
  id: "SOL-USD",
  channel,
  version: "1.0.0",
  contents,
  ...more
})
const batch = (channel: string, ...contents: ReadonlyArray<unknown>): object =>
  data(channel, contents, { type: "channel_batch_data" })
const subscribed = (channel: string, contents: unknown): object => ({
  type: "subscribed",
  connection_id,
  message_id: 1,
  channel,
  id: "SOL-USD",
  contents
})
const row = {
  id: "00b6148d0000000200000005",
  size: "3.20",
  price: "148.250",
  side: "SELL",
  createdAt: "2026-08-04T00:42:07.119Z",
  type: "LIMIT",
  createdAtHeight: "45487245"
}
const trade = {
  _tag: "Trade",
  venue,
  product: "SOL-USD",
  price: "148.250",
  size: "3.20",
  side: "sell",
  tradeId: "00b6148d0000000200000005",
  timestamp: "2026-08-04T00:42:07.119Z",
  sequence: "17"
}
const delta = (bids: unknown, asks: unknown): object => ({
  _tag: "BookDelta",
  venue,
  product: "SOL-USD",
  bids,
  asks,
  sequence: "17"
})
const confirmed = (channel: string): object => ({ _tag: "Subscribed", venue, channel, product: "SOL-USD" })
const other = (kind: string): object => ({ _tag: "Other", venue, kind })
const oracle = {
  "SOL-USD": {
    oraclePrice: "148.2500000",
    effectiveAt: "2026-08-04T00:42:07.119Z",
    effectiveAtHeight: "1",
    marketId: 5
  },
  "PEPE-USD": { oraclePrice: "0.0000107", effectiveAt: "2026-08-04T00:42:07.119Z", effectiveAtHeight: "1", marketId: 8 }
}
const oraclePrices = [
  { _tag: "PriceUpdate", venue, product: "SOL-USD", price: "148.2500000", timestamp: "2026-08-04T00:42:07.119Z" },
  { _tag: "PriceUpdate", venue, product: "PEPE-USD", price: "0.0000107", timestamp: "2026-08-04T00:42:07.119Z" }
]

const without = (frame: object, ...members: ReadonlyArray<string>): object =>
  Object.fromEntries(Object.entries(frame).filter(([member]) => !members.includes(member)))

describe("Dydx", () => {
  const frames: ReadonlyArray<readonly [what: string, frame: object, events: ReadonlyArray<object>]> = [
    ["trades", data("v4_trades", { trades: [row, { ...row, side: "BUY" }] }), [trade, { ...trade, side: "buy" }]],
    ["a trade with less", data("v4_trades", { trades: [{ price: "1", size: "2.0", side: "BUY" }] }), [
      { _tag: "Trade", venue, product: "SOL-USD", price: "1", size: "2.0", side: "buy", sequence: "17" }
    ]],
    ["a trade with nulls", data("v4_trades", { trades: [{ ...row, id: null, createdAt: null }] }), [
      without(trade, "tradeId", "timestamp")
    ]],
    ["a trade with more", data("v4_trades", { trades: [{ x: [1], ...row }] }), [trade]],
    ["a batch of trades", batch("v4_trades", { trades: [row] }, { trades: [row, row] }), [trade, trade, trade]],
    ["no trades", data("v4_trades", { trades: [] }), [other("v4_trades")]],
    ["a batch with no trades in it", batch("v4_trades", { trades: [] }, { trades: [row] }), [
      other("v4_trades"),
      trade
    ]],
    ["an empty batch", batch("v4_trades"), [other("v4_trades")]],
    ["trades so far, which are history", subscribed("v4_trades", { trades: [row] }), [
      confirmed("v4_trades"),
      { ...trade, sequence: "1", history: true }
    ]],
    ["no trades so far", subscribed("v4_trades", { trades: [] }), [confirmed("v4_trades")]],
    [
      "a book so far",
      subscribed("v4_orderbook", {
        bids: [{ price: "148.20", size: "1.0" }, { price: "148.1", size: "7", offset: "5" }],
        asks: [{ size: "2", price: "148.30" }]
      }),
      [
        confirmed("v4_orderbook"),
        {
          _tag: "BookSnapshot",
          venue,
          product: "SOL-USD",
          bids: [["148.20", "1.0"], ["148.1", "7"]],
          asks: [["148.30", "2"]],
          sequence: "1"
        }
      ]
    ],
    ["a book so far in rows", subscribed("v4_orderbook", { bids: [["1", "2"]], asks: [] }), [
      confirmed("v4_orderbook"),
      { _tag: "BookSnapshot", venue, product: "SOL-USD", bids: [["1", "2"]], asks: [], sequence: "1" }
    ]],
    ["nothing so far", subscribed("v4_orderbook", {}), [confirmed("v4_orderbook")]],
    ["a confirmation alone", subscribed("v4_orderbook", null), [confirmed("v4_orderbook")]],
    ["changes of one side", data("v4_orderbook", { asks: [["148.30", "0"], ["148.40", "0.50"]] }), [
      delta([], [["148.30", "0"], ["148.40", "0.50"]])
    ]],
    ["changes of both sides", data("v4_orderbook", { bids: [["1e-8", "1"]], asks: [["148.30", "0.0"]] }), [
      delta([["0.00000001", "1"]], [["148.30", "0.0"]])
    ]],
    ["changes with an offset", data("v4_orderbook", { bids: [["1", "2", "3"]] }), [delta([["1", "2"]], [])]],
    ["changes of objects", data("v4_orderbook", { bids: [{ price: "1", size: "2" }] }), [delta([["1", "2"]], [])]],
    ["changes of none", data("v4_orderbook", { bids: [], asks: null }), [delta([], [])]],
    ["changes of nothing", data("v4_orderbook", {}), [other("v4_orderbook")]],
    [
      "a batch of changes, in order",
      batch("v4_orderbook", { asks: [["2", "1"]] }, { bids: [["1", "0"]] }, {
        asks: [["3", "1"]],
        bids: [["1", "4"]]
      }),
      [delta([], [["2", "1"]]), delta([["1", "0"]], []), delta([["1", "4"]], [["3", "1"]])]
    ],
    ["a frame without message_id", without(data("v4_orderbook", { bids: [["1", "2"]] }), "message_id", "version"), [
      without(delta([["1", "2"]], []), "sequence")
    ]],
    ["oracle prices", without(data("v4_markets", { oraclePrices: oracle }), "id"), oraclePrices],
    ["oracle prices of an id", data("v4_markets", { oraclePrices: oracle }, { id: "v4_markets" }), oraclePrices],
    ["a batch of oracle prices", batch("v4_markets", { oraclePrices: oracle }, { trading: { "SOL-USD": {} } }), [
      ...oraclePrices,
      other("v4_markets")
    ]],
    ["oracle prices beside trading", data("v4_markets", { trading: { X: { volume24H: "1" } }, oraclePrices: oracle }), [
      ...oraclePrices
    ]],
    ["trading", data("v4_markets", { trading: { "SOL-USD": { trades24H: 5, openInterest: "1" } } }), [
      other("v4_markets")
    ]],
    [
      "markets so far",
      without(
        subscribed("v4_markets", {
          markets: {
            "SOL-USD": { ticker: "SOL-USD", oraclePrice: "148.25", tickSize: "0.01", atomicResolution: -7 },
            "NEW-USD": { ticker: "NEW-USD", oraclePrice: null },
            "OLD-USD": { ticker: "OLD-USD" }
          }
        }),
        "id"
      ),
      [
        { _tag: "Subscribed", venue, channel: "v4_markets" },
        { _tag: "PriceUpdate", venue, product: "SOL-USD", price: "148.25" }
      ]
    ],
    ["a subscription of a candle", { ...subscribed("v4_candles", { candles: [{ low: "1" }] }), id: "SOL-USD/1MIN" }, [
      { _tag: "Subscribed", venue, channel: "v4_candles", product: "SOL-USD/1MIN" }
    ]],
    ["a subscription of an account", { ...subscribed("v4_subaccounts", {}), id: "dydx1abc/0" }, [
      { _tag: "Subscribed", venue, channel: "v4_subaccounts", product: "dydx1abc/0" }
    ]],
    [
      "a subscription of the block height",
      { ...subscribed("v4_block_height", { height: "1" }), id: "v4_block_height" },
      [
        { _tag: "Subscribed", venue, channel: "v4_block_height" }
      ]
    ],
    ["the end of a subscription", {
      type: "unsubscribed",
      connection_id,
      message_id: 9,
      channel: "v4_trades",
      id: "A-B"
    }, [
      { _tag: "Unsubscribed", venue, channel: "v4_trades", product: "A-B" }
    ]],
    ["the end of markets", { type: "unsubscribed", connection_id, message_id: 9, channel: "v4_markets" }, [
      { _tag: "Unsubscribed", venue, channel: "v4_markets" }
    ]],
    ...["v4_candles", "v4_subaccounts", "v4_parent_subaccounts", "v4_block_height", "v4_new", "__proto__"].flatMap(
      (channel) =>
        [
          [`data of ${channel}`, data(channel, { price: "1", fills: [], subaccounts: null }), [other(channel)]],
          [`a batch of ${channel}`, batch(channel, { price: "1" }, null), [other(channel), other(channel)]]
        ] as const
    ),
    ["an error", { type: "error", message: "Invalid channel: v5", connection_id, message_id: 2 }, [
      { _tag: "VenueError", venue, message: "Invalid channel: v5" }
    ]],
    ["an error of a subscription", {
      type: "error",
      message: "no",
      connection_id,
      message_id: 2,
      channel: "c",
      id: "i"
    }, [
      { _tag: "VenueError", venue, message: "no" }
    ]],
    ["an error without words", { type: "error", connection_id, message_id: 2, message: "" }, [
      { _tag: "VenueError", venue }
    ]],
    ["a pong", { type: "pong", connection_id, message_id: 2, id: 5 }, [{ _tag: "Heartbeat", venue, kind: "pong" }]],
    ...["connected", "what", "constructor"].map((type) =>
      [`a frame of type ${type}`, { type, connection_id, message_id: 0 }, [other(type)]] as const
    )
  ]
  for (const [what, frame, events] of frames) {
    it(`reads ${what}`, () => {
      assert.deepStrictEqual(decode(JSON.stringify(frame)), events)
      // With white space the exact way reads it: the two agree.
      assert.deepStrictEqual(decode(JSON.stringify(frame, null, 1)), events)
      assert.deepStrictEqual(decode(` ${JSON.stringify(frame)}`), events)
      const backwards = Object.fromEntries(Object.entries(frame).toReversed())
      assert.deepStrictEqual(decode(JSON.stringify(backwards)), events)
    })
  }

  it("reads any frame alike the fast way and the exact way", () => {
    const chance = Chance.make(1)
    const texts = frames.map(([, frame]) => JSON.stringify(frame))
    let read = 0
    for (let i = 0; i < 20_000; i++) {
      const text = texts[chance.integer(texts.length)] ?? ""
      const at = chance.integer(text.length)
      const piece = chance.pick([
        "",
        "\"",
        "]",
        "}",
        ",",
        "0",
        "-",
        "e5",
        ".",
        "null",
        "x",
        "[]",
        "{}",
        ",\"id\":\"A-B\""
      ])
      const mutant = text.slice(0, at) + piece + text.slice(at + chance.integer(3))
      const [fast, exact] = [mutant, ` ${mutant}`].map((frame) => decode(frame) as ReadonlyArray<Partial<Refused>>)
      if (fast?.[0]?.reason === undefined) {
        read++
        assert.deepStrictEqual(fast, exact, mutant)
      } else {
        // Where a text ends to be JSON is one further with a space before it.
        assert.deepStrictEqual([fast[0].reason, fast[0].field], [exact?.[0]?.reason, exact?.[0]?.field], mutant)
      }
    }
    assert.isAbove(read, 5_000)
  })

  it("gives the markets in the frame's order, though one's name be a number", () => {
    const frame = "{\"type\":\"channel_data\",\"channel\":\"v4_markets\",\"contents\":{\"oraclePrices\":{" +
      "\"B-USD\":{\"oraclePrice\":\"1\"},\"7\":{\"oraclePrice\":\"2\"},\"2\":{\"oraclePrice\":\"3\"}}}}"
    const events = decode(frame) as ReadonlyArray<{ readonly product: string }>
    assert.deepStrictEqual(events.map(({ product }) => product), ["B-USD", "7", "2"])
  })

  it("keeps the digits of message_id", () => {
    const frame = JSON.stringify(data("v4_orderbook", { bids: [["1", "2"]] }))
    for (const digits of ["0", "7.0", "1e3", "9007199254740993", "\"a-1\""]) {
      assert.deepStrictEqual(decode(frame.replace("17", digits)), [
        { ...delta([["1", "2"]], []), sequence: digits.replaceAll("\"", "") }
      ])
    }
  })

  it("takes the last of members with the same name, wherever it stands", () => {
    const trades = JSON.stringify(data("v4_trades", { trades: [row] }))
    assert.deepStrictEqual(decode(trades.replace("\"side\"", "\"size\":\"1.00\",\"side\"")), [
      { ...trade, size: "1.00" }
    ])
    assert.deepStrictEqual(decode(trades.replace(/}$/, ",\"message_id\":18}")), [{ ...trade, sequence: "18" }])
    const book = JSON.stringify(data("v4_orderbook", { bids: [["1", "2"]] }))
    assert.deepStrictEqual(decode(book.replace("\"bids\"", "\"bids\":[[\"7\",\"7\"]],\"bids\"")), [
      delta([["1", "2"]], [])
    ])
  })

  const rejections: ReadonlyArray<
    readonly [what: string, frame: string | Uint8Array | object, reason: string, field: string | undefined]
  > = [
    ["bytes", new Uint8Array([0, 1]), "MalformedJson", undefined],
    ["nothing", "", "MalformedJson", undefined],
    ["half a frame", JSON.stringify(data("v4_trades", { trades: [row] })).slice(0, -1), "MalformedJson", undefined],
    ["more than a frame", `${JSON.stringify(data("v4_trades", { trades: [row] }))}}`, "MalformedJson", undefined],
    [
      "a row that is not closed",
      JSON.stringify(data("v4_orderbook", { bids: [["1", "2"]] })).replace("]]", "]"),
      "MalformedJson",
      undefined
    ],
    ["an array", [data("v4_trades", {})], "NotAnObject", undefined],
    ["an object without type", { channel: "v4_trades" }, "UnknownMessage", undefined],
    ["a type that is no string", { type: null }, "InvalidField", "type"],
    ["data of no channel", without(data("v4_trades", {}), "channel"), "MissingField", "channel"],
    ["data without contents", without(data("v4_trades", {}), "contents"), "MissingField", "contents"],
    ["data whose contents are none", data("v4_trades", []), "InvalidField", "contents"],
    ["a batch whose contents are none", { ...batch("v4_trades"), contents: {} }, "InvalidField", "contents"],
    ["a batch with one bad element", batch("v4_orderbook", { bids: [] }, 5), "InvalidField", "contents[1]"],
    ["trades of no market", without(data("v4_trades", { trades: [row] }), "id"), "MissingField", "id"],
    ["trades that are no array", data("v4_trades", { trades: {} }), "InvalidField", "contents.trades"],
    ["a trade that is none", data("v4_trades", { trades: [row, 1] }), "InvalidField", "contents.trades[1]"],
    [
      "one bad trade among good ones",
      batch("v4_trades", { trades: [row] }, { trades: [row, { ...row, price: "x" }] }),
      "InvalidField",
      "contents[1].trades[1].price"
    ],
    [
      "a trade of no side",
      data("v4_trades", { trades: [{ ...row, side: "buy" }] }),
      "InvalidField",
      "contents.trades[0].side"
    ],
    [
      "a trade without a size",
      data("v4_trades", { trades: [without(row, "size")] }),
      "MissingField",
      "contents.trades[0].size"
    ],
    [
      "a trade at no time",
      data("v4_trades", { trades: [{ ...row, createdAt: "2026-02-30T00:00:00Z" }] }),
      "InvalidField",
      "contents.trades[0].createdAt"
    ],
    [
      "a trade with an empty id",
      data("v4_trades", { trades: [{ ...row, id: "" }] }),
      "InvalidField",
      "contents.trades[0].id"
    ],
    [
      "a row with a bad price",
      data("v4_orderbook", { asks: [["1", "1"], ["x", "1"]] }),
      "InvalidField",
      "contents.asks[1][0]"
    ],
    ["a short row", data("v4_orderbook", { asks: [["1"]] }), "MissingField", "contents.asks[0][1]"],
    ["a row that is a number", data("v4_orderbook", { bids: [1] }), "InvalidField", "contents.bids[0]"],
    [
      "a level without a size",
      subscribed("v4_orderbook", { bids: [{ price: "1" }], asks: [] }),
      "MissingField",
      "contents.bids[0].size"
    ],
    [
      "a market with a bad price",
      data("v4_markets", { oraclePrices: { ...oracle, "X-USD": { oraclePrice: "1,5" } } }),
      "InvalidField",
      "contents.oraclePrices.X-USD.oraclePrice"
    ],
    ["markets that are none", data("v4_markets", { oraclePrices: [] }), "InvalidField", "contents.oraclePrices"],
    ["an error whose message is none", { type: "error", message: 5 }, "InvalidField", "message"]
  ]
  for (const [what, frame, reason, field] of rejections) {
    it(`refuses ${what}`, () => {
      const text = typeof frame === "string" || frame instanceof Uint8Array ? frame : JSON.stringify(frame)
      const [rejected] = decode(text) as ReadonlyArray<Rejection.FrameRejected>
      assert.deepStrictEqual([rejected?._tag, rejected?.reason, rejected?.field], ["FrameRejected", reason, field])
      assert.isAtMost(JSON.stringify(rejected).length, 1000)
    })
  }

  it("asks for one subscription a frame, batched unless told otherwise", () => {
    const trades = { channel: "v4_trades", product: "SOL-USD" }
    const book = { channel: "v4_orderbook", product: "SOL-USD" }
    assert.deepStrictEqual(Dydx.venue.subscribe([trades, book, trades], 1), [
      {
        text: "{\"type\":\"subscribe\",\"channel\":\"v4_trades\",\"id\":\"SOL-USD\",\"batched\":true}",
        channels: [trades, trades],
        requestId: undefined
      },
      {
        text: "{\"type\":\"subscribe\",\"channel\":\"v4_orderbook\",\"id\":\"SOL-USD\",\"batched\":true}",
        channels: [book],
        requestId: undefined
      }
    ])
    assert.deepStrictEqual(Dydx.make({ batched: false }).subscribe([trades], 1).map(({ text }) => text), [
      "{\"type\":\"subscribe\",\"channel\":\"v4_trades\",\"id\":\"SOL-USD\"}"
    ])
    assert.deepStrictEqual(Dydx.venue.unsubscribe([trades], 1).map(({ text }) => text), [
      "{\"type\":\"unsubscribe\",\"channel\":\"v4_trades\",\"id\":\"SOL-USD\"}"
    ])
    assert.deepStrictEqual(Dydx.venue.subscribe([], 1), [])
  })

  it("asks for a channel of all markets once, and gives it up only as a whole", () => {
    const channels = [{ channel: "v4_markets", product: "SOL-USD" }, { channel: "v4_markets", product: "ETH-USD" }]
    assert.deepStrictEqual(Dydx.venue.subscribe(channels, 1), [
      { text: "{\"type\":\"subscribe\",\"channel\":\"v4_markets\",\"batched\":true}", channels, requestId: undefined }
    ])
    assert.deepStrictEqual(Dydx.venue.unsubscribe(channels, 1), [])
    assert.deepStrictEqual(Dydx.venue.unsubscribe([{ channel: "v4_markets" }], 1).map(({ text }) => text), [
      "{\"type\":\"unsubscribe\",\"channel\":\"v4_markets\"}"
    ])
  })
})
