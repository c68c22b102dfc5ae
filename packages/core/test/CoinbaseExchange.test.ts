import { assert, describe, it } from "@effect/vitest"
import * as Rejection from "@tickline/core/codec/Rejection"
import * as Ndjson from "@tickline/core/event/Ndjson"
import * as Messages from "@tickline/core/venue/coinbase-exchange/Messages"
import * as CoinbaseExchange from "@tickline/core/venue/coinbase-exchange/Venue"
import type { Venue } from "@tickline/core/venue/Venue"

/** The venue with no layout learned. */
const make = (): Venue => ({ ...CoinbaseExchange.venue, ...Messages.make() })

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

const venue = "coinbase-exchange"

// Frames in the venue's documented shapes, with values of our own.
const match = {
  type: "match",
  trade_id: 10,
  maker_order_id: "ac928c66-ca53-498f-9c13-a110027a60e8",
  taker_order_id: "132fb6ae-456b-4654-b4e0-d681ac05cea1",
  side: "sell",
  size: "5.23512000",
  price: "400.23",
  product_id: "BTC-USD",
  sequence: 50,
  time: "2014-11-07T08:19:27.028459Z"
}
const trade = {
  _tag: "Trade",
  venue,
  product: "BTC-USD",
  price: "400.23",
  size: "5.23512000",
  side: "buy",
  tradeId: "10",
  timestamp: "2014-11-07T08:19:27.028459Z",
  sequence: "50"
}
const ticker = {
  type: "ticker",
  sequence: 37475248783,
  product_id: "ETH-USD",
  price: "1285.22",
  open_24h: "1310.79",
  volume_24h: "245532.79269678",
  low_24h: "1280.52",
  high_24h: "1313.8",
  volume_30d: "9788783.60117027",
  best_bid: "1285.04",
  best_bid_size: "0.46688654",
  best_ask: "1285.27",
  best_ask_size: "1.56637040",
  side: "buy",
  time: "2022-10-19T23:28:22.061769Z",
  trade_id: 370843401,
  last_size: "11.4396987"
}
const snapshot = {
  type: "snapshot",
  product_id: "BTC-USD",
  bids: [["10101.10", "0.45054140"], ["10101.10", "1"]],
  asks: [["10102.55", "0.57753524"]]
}
const update = {
  type: "l2update",
  product_id: "BTC-USD",
  changes: [["buy", "22356.27", "0.00000000"], ["sell", "22360.1", "1.0"], ["buy", "22356.30", "1e-8"]],
  time: "2022-08-04T15:25:05.010758Z"
}

const without = (frame: object, ...members: ReadonlyArray<string>): object =>
  Object.fromEntries(Object.entries(frame).filter(([member]) => !members.includes(member)))

const texts = (asks: ReadonlyArray<{ readonly text: string }>): ReadonlyArray<string> => asks.map(({ text }) => text)

describe("CoinbaseExchange", () => {
  const frames: ReadonlyArray<readonly [what: string, frame: object, events: ReadonlyArray<object>]> = [
    ["a match, whose side is the maker's", match, [trade]],
    ["a last match", { ...match, type: "last_match", side: "buy" }, [{ ...trade, side: "sell" }]],
    ["a match with less", without(match, "trade_id", "sequence", "time"), [
      without(trade, "tradeId", "timestamp", "sequence")
    ]],
    ["a match of an unknown side", { ...match, side: "UNKNOWN_ORDER_SIDE" }, [without(trade, "side")]],
    ["a match of an empty side", { ...match, side: "" }, [without(trade, "side")]],
    ["a match with nulls", { ...match, trade_id: null, sequence: null, time: null }, [
      without(trade, "tradeId", "timestamp", "sequence")
    ]],
    ["a ticker", ticker, [{
      _tag: "Ticker",
      venue,
      product: "ETH-USD",
      price: "1285.22",
      bid: "1285.04",
      bidSize: "0.46688654",
      ask: "1285.27",
      askSize: "1.56637040",
      volume: "245532.79269678",
      timestamp: "2022-10-19T23:28:22.061769Z",
      sequence: "37475248783"
    }]],
    ["a ticker with less", { type: "ticker", product_id: "A-B", price: "1.0", best_bid: null }, [
      { _tag: "Ticker", venue, product: "A-B", price: "1.0" }
    ]],
    [
      "a ticker with empty texts",
      {
        type: "ticker",
        product_id: "A-B",
        price: "",
        best_bid: "",
        best_bid_size: "",
        best_ask: "2.0",
        best_ask_size: "",
        volume_24h: ""
      },
      [{ _tag: "Ticker", venue, product: "A-B", ask: "2.0" }]
    ],
    [
      "a ticker of a product that has neither quotes nor trades",
      { type: "ticker", product_id: "A-B", price: "", best_bid: "", best_ask: "", volume_24h: "0" },
      [{ _tag: "Ticker", venue, product: "A-B", volume: "0" }]
    ],
    ["a ticker of quotes only", { type: "ticker", product_id: "A-B", best_bid: "1", best_ask: "2.0" }, [
      { _tag: "Ticker", venue, product: "A-B", bid: "1", ask: "2.0" }
    ]],
    ["a snapshot", snapshot, [{
      _tag: "BookSnapshot",
      venue,
      product: "BTC-USD",
      bids: snapshot.bids,
      asks: snapshot.asks
    }]],
    ["a snapshot with a time and an empty side", { ...snapshot, asks: [], time: "2023-01-01T00:00:00Z" }, [{
      _tag: "BookSnapshot",
      venue,
      product: "BTC-USD",
      bids: snapshot.bids,
      asks: [],
      timestamp: "2023-01-01T00:00:00Z"
    }]],
    ["a snapshot whose rows hold more", { ...snapshot, asks: [["1", "2", "3"]] }, [{
      _tag: "BookSnapshot",
      venue,
      product: "BTC-USD",
      bids: snapshot.bids,
      asks: [["1", "2"]]
    }]],
    ["an update", update, [{
      _tag: "BookDelta",
      venue,
      product: "BTC-USD",
      bids: [["22356.27", "0.00000000"], ["22356.30", "0.00000001"]],
      asks: [["22360.1", "1.0"]],
      timestamp: "2022-08-04T15:25:05.010758Z"
    }]],
    ["an update of nothing", { ...update, changes: [] }, [{
      _tag: "BookDelta",
      venue,
      product: "BTC-USD",
      bids: [],
      asks: [],
      timestamp: "2022-08-04T15:25:05.010758Z"
    }]],
    ["a heartbeat", { type: "heartbeat", sequence: 90, last_trade_id: 20, product_id: "A-B", time: "x" }, [
      { _tag: "Heartbeat", venue, kind: "heartbeat" }
    ]],
    ["subscriptions", {
      type: "subscriptions",
      channels: [
        { name: "matches", product_ids: ["A-B", "C-D"], account_ids: null },
        { name: "status", product_ids: null },
        { name: "heartbeat", product_ids: [] },
        "ticker"
      ]
    }, [
      { _tag: "Subscribed", venue, channel: "matches", product: "A-B" },
      { _tag: "Subscribed", venue, channel: "matches", product: "C-D" },
      { _tag: "Subscribed", venue, channel: "status" },
      { _tag: "Subscribed", venue, channel: "heartbeat" },
      { _tag: "Subscribed", venue, channel: "ticker" }
    ]],
    ["no subscriptions", { type: "subscriptions", channels: [] }, [{ _tag: "Subscribed", venue }]],
    ["an error", { type: "error", message: "Failed to subscribe", reason: "X-Y is not a valid product" }, [
      { _tag: "VenueError", venue, message: "Failed to subscribe: X-Y is not a valid product" }
    ]],
    ["an error without words", { type: "error" }, [{ _tag: "VenueError", venue }]],
    ...["received", "open", "done", "change", "activate", "status", "rfq_match", "auction", "constructor", "__proto__"]
      .map((type) =>
        [`a frame of type ${type}`, { type, price: "1", product_id: "A-B", products: [] }, [
          { _tag: "Other", venue, kind: type }
        ]] as const
      )
  ]
  for (const [what, frame, events] of frames) {
    it(`reads ${what}`, () => {
      const known = make()
      for (const space of [undefined, 1]) {
        assert.deepStrictEqual(decode(JSON.stringify(frame, null, space)), events)
        assert.deepStrictEqual(decode(JSON.stringify(frame, null, space), known), events)
      }
      // As Python writes it.
      const spaced = JSON.stringify(frame, null, 1).replace(/\n */g, " ").replace(/([[{]) | ([\]}])/g, "$1$2")
      assert.deepStrictEqual(decode(spaced, known), events)
    })
  }

  it("keeps the digits of identifiers", () => {
    for (const digits of ["7.0", "1e3", "9007199254740993", "-0", "\"a-1\"", "12345678901234567890123"]) {
      const frame = JSON.stringify(match).replace("\"trade_id\":10", `"trade_id":${digits}`)
      assert.deepStrictEqual(decode(frame), [{ ...trade, tradeId: digits.replaceAll("\"", "") }])
    }
  })

  it("takes the last of members with the same name, wherever it stands", () => {
    const venue = make()
    decode(JSON.stringify(match), venue)
    const twice = JSON.stringify(match).replace("\"sequence\":50", "\"sequence\":7.0,\"sequence\":7")
    assert.deepStrictEqual(decode(twice, venue), [{ ...trade, sequence: "7" }])
    const nested = JSON.stringify(match).replace("\"sequence\":50", "\"\\u0073equence\":5.0,\"x\":{\"sequence\":5}")
    assert.deepStrictEqual(decode(nested, venue), [{ ...trade, sequence: "5.0" }])
  })

  const rejections: ReadonlyArray<
    readonly [what: string, frame: string | Uint8Array | object, reason: string, field: string | undefined]
  > = [
    ["bytes", new Uint8Array([0, 1]), "MalformedJson", undefined],
    ["nothing", "", "MalformedJson", undefined],
    ["half a frame", JSON.stringify(match).slice(0, 100), "MalformedJson", undefined],
    ["a byte order mark", `\ufeff${JSON.stringify(match)}`, "MalformedJson", undefined],
    ["deep nesting", "{\"type\":".repeat(100_000), "MalformedJson", undefined],
    ["an array", [match], "NotAnObject", undefined],
    ["a string", "\"match\"", "NotAnObject", undefined],
    ["null", "null", "NotAnObject", undefined],
    ["an object without type", without(match, "type"), "UnknownMessage", undefined],
    ["an object whose prototype has a type", "{\"__proto__\":{\"type\":\"match\"}}", "UnknownMessage", undefined],
    ["a type that is no string", { ...match, type: 5 }, "InvalidField", "type"],
    ["a null type", { ...match, type: null }, "InvalidField", "type"],
    ["a match without price", without(match, "price"), "MissingField", "price"],
    ["a match without product", without(match, "product_id"), "MissingField", "product_id"],
    ["a match with an empty product", { ...match, product_id: "" }, "InvalidField", "product_id"],
    ["a match with a null price", { ...match, price: null }, "InvalidField", "price"],
    ["a match with an empty price", { ...match, price: "" }, "InvalidField", "price"],
    ["a match with a number for a price", { ...match, price: 400.23 }, "InvalidField", "price"],
    ["a match with a price that is none", { ...match, price: "0x10" }, "InvalidField", "price"],
    ["a match with a price too long", { ...match, price: "1e1000" }, "InvalidField", "price"],
    ["a match of no side", { ...match, side: "BUY" }, "InvalidField", "side"],
    ["a match at no time", { ...match, time: "2014-02-30T08:19:27Z" }, "InvalidField", "time"],
    ["a match with an id that is none", { ...match, trade_id: true }, "InvalidField", "trade_id"],
    ["a match with an empty id", { ...match, trade_id: "" }, "InvalidField", "trade_id"],
    ["the first of two bad members", { ...match, price: "x", size: "x" }, "InvalidField", "size"],
    ["a bad member before a missing one", { ...without(match, "size"), price: "x" }, "InvalidField", "price"],
    ["a ticker without any price", { type: "ticker", product_id: "A-B" }, "MissingField", "price"],
    ["a ticker with a bad quote", { ...ticker, best_ask: "1,5" }, "InvalidField", "best_ask"],
    ["a snapshot without asks", without(snapshot, "asks"), "MissingField", "asks"],
    ["a snapshot with null asks", { ...snapshot, asks: null }, "InvalidField", "asks"],
    [
      "a snapshot with a bad price",
      { ...snapshot, bids: [["1", "1"], ["1", "1"], ["1", "1"], ["x", "1"]] },
      "InvalidField",
      "bids[3][0]"
    ],
    ["a snapshot with a short row", { ...snapshot, bids: [["1"]] }, "MissingField", "bids[0][1]"],
    ["a snapshot with a row that is none", { ...snapshot, asks: [["1", "2"], {}] }, "InvalidField", "asks[1]"],
    [
      "a snapshot with bad bids and asks",
      { ...snapshot, bids: [["x", "1"]], asks: [["x", "1"]] },
      "InvalidField",
      "bids[0][0]"
    ],
    ["an update with a bad price", { ...update, changes: [["buy", "x", "1"]] }, "InvalidField", "changes[0][1]"],
    [
      "an update with a bad side",
      { ...update, changes: [["buy", "1", "1"], ["bid", "1", "1"]] },
      "InvalidField",
      "changes[1][0]"
    ],
    ["an update with more than a side", { ...update, changes: [["buyer", "1", "1"]] }, "InvalidField", "changes[0][0]"],
    ["an update with less than a side", { ...update, changes: [["sel", "1", "1"]] }, "InvalidField", "changes[0][0]"],
    ["an update with a number", { ...update, changes: [["buy", "1", 1]] }, "InvalidField", "changes[0][2]"],
    ["an update with an empty row", { ...update, changes: [[]] }, "MissingField", "changes[0][0]"],
    ["an update without changes", without(update, "changes"), "MissingField", "changes"],
    ["subscriptions without a name", { type: "subscriptions", channels: [{}] }, "MissingField", "channels[0].name"]
  ]
  for (const [what, frame, reason, field] of rejections) {
    it(`refuses ${what}`, () => {
      const text = typeof frame === "string" || frame instanceof Uint8Array ? frame : JSON.stringify(frame)
      const known = make()
      for (const good of [match, ticker, snapshot, update]) decode(JSON.stringify(good), known)
      for (const venue of [make(), known]) {
        const [rejected] = decode(text, venue) as ReadonlyArray<Rejection.FrameRejected>
        assert.deepStrictEqual([rejected?._tag, rejected?.reason, rejected?.field], ["FrameRejected", reason, field])
        assert.isAtMost(JSON.stringify(rejected).length, 1000)
      }
    })
  }

  it("tells a null, an empty and a mistyped product apart", () => {
    const messages = [null, "", 5].map((product_id) => {
      const [rejected] = decode(JSON.stringify({ ...match, product_id })) as ReadonlyArray<Rejection.FrameRejected>
      return rejected?.message
    })
    assert.deepStrictEqual(messages, [
      "product_id is null",
      "product_id is empty",
      "product_id: expected string, found the number 5"
    ])
  })

  it("quotes no more than 64 characters of a peer's input", () => {
    const [rejected] = decode(JSON.stringify({ ...match, price: "A".repeat(100_000) })) as ReadonlyArray<
      Rejection.FrameRejected
    >
    assert.include(rejected?.message, `\`${"A".repeat(64)}…\``)
    assert.notInclude(rejected?.message, "A".repeat(65))
  })

  it("learns no more layouts than it keeps, and reads on", () => {
    const venue = make()
    for (let i = 0; i < 200; i++) {
      assert.deepStrictEqual(decode(JSON.stringify({ ...match, [`extra${i}`]: i }), venue), [trade])
    }
  })

  it("takes a megabyte in time that grows with its length alone, known layout or not", () => {
    const bids = Array.from({ length: 40_000 }, (_, i) => [`${10_000 + i}.10`, `${i}.00000001`])
    const text = JSON.stringify({ ...snapshot, bids, asks: [] })
    assert.isAtLeast(text.length, 1_000_000)
    const channels = Array.from({ length: 60_000 }, (_, name) => ({ name }))
    const venue = make()
    for (const frame of [snapshot, match]) venue.decode(JSON.stringify(frame))
    const fastest = (run: () => unknown): number => {
      let best = Number.POSITIVE_INFINITY
      for (let i = 0; i < 5; i++) {
        // The thread's own time: what else runs on the machine does not count.
        const { system, user } = process.threadCpuUsage()
        run()
        const spent = process.threadCpuUsage({ system, user })
        best = Math.min(best, (spent.user + spent.system) / 1_000)
      }
      return best
    }
    // Measured at 1 to 2; a decoder that is quadratic, or collects every fault, is far beyond.
    // The thread's time is now and then told as none at all.
    const bound = 12 * Math.max(2, fastest(() => JSON.parse(text)))
    for (
      const frame of [
        text,
        text.replace("{", "{ "),
        text.replace("\"39999.00000001\"", "\"x\""),
        `${text.slice(0, -20)}"x"]]}`,
        JSON.stringify({ type: "subscriptions", channels }),
        JSON.stringify({ ...match, time: "x".repeat(1_000_000) }),
        JSON.stringify({ ...match, price: "1".repeat(1_000_000) })
      ]
    ) {
      assert.isBelow(fastest(() => venue.decode(frame)), bound, frame.slice(0, 60))
    }
  })

  it("subscribes in one frame where all products want the same channels", () => {
    const channels = ["BTC-USD", "ETH-USD"].flatMap((product) => [
      { channel: "matches", product },
      { channel: "ticker", product }
    ])
    assert.deepStrictEqual(texts(CoinbaseExchange.venue.subscribe(channels, 1)), [
      "{\"type\":\"subscribe\",\"product_ids\":[\"BTC-USD\",\"ETH-USD\"],\"channels\":[\"matches\",\"ticker\"]}"
    ])
    assert.deepStrictEqual(texts(CoinbaseExchange.venue.unsubscribe(channels, 1)), [
      "{\"type\":\"unsubscribe\",\"product_ids\":[\"BTC-USD\",\"ETH-USD\"],\"channels\":[\"matches\",\"ticker\"]}"
    ])
  })

  it("subscribes in one frame for each group of channels", () => {
    assert.deepStrictEqual(
      texts(CoinbaseExchange.venue.subscribe([
        { channel: "ticker", product: "A-B" },
        { channel: "matches", product: "A-B" },
        { channel: "matches", product: "A-B" },
        { channel: "matches", product: "C-D" },
        { channel: "matches", product: "E-F" },
        { channel: "ticker", product: "E-F" },
        { channel: "status" }
      ], 1)),
      [
        "{\"type\":\"subscribe\",\"product_ids\":[\"A-B\",\"E-F\"],\"channels\":[\"ticker\",\"matches\"]}",
        "{\"type\":\"subscribe\",\"product_ids\":[\"C-D\"],\"channels\":[\"matches\"]}",
        "{\"type\":\"subscribe\",\"channels\":[\"status\"]}"
      ]
    )
    assert.deepStrictEqual(CoinbaseExchange.venue.subscribe([], 1), [])
  })
})
