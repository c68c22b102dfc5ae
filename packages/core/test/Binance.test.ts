import { assert, describe, it } from "@effect/vitest"
import * as Rejection from "@tickline/core/codec/Rejection"
import * as Ndjson from "@tickline/core/event/Ndjson"
import * as Messages from "@tickline/core/venue/binance/Messages"
import * as Binance from "@tickline/core/venue/binance/Venue"
import type { Ask, Venue } from "@tickline/core/venue/Venue"

/** The venue with no layout learned. */
const make = (): Venue => ({ ...Binance.venue, ...Messages.make() })

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

const venue = "binance"

// Messages in the venue's documented shapes, with values of our own.
const trade = {
  e: "trade",
  E: 1672515782136,
  s: "BNBBTC",
  t: 12345,
  p: "0.00100000",
  q: "100.50",
  T: 1672515782130,
  m: true,
  M: true
}
const tradeEvent = {
  _tag: "Trade",
  venue,
  product: "BNBBTC",
  price: "0.00100000",
  size: "100.50",
  side: "sell",
  tradeId: "12345",
  timestamp: "2022-12-31T19:43:02.130Z"
}
const aggregate = {
  e: "aggTrade",
  E: 1672515782136,
  s: "BNBBTC",
  a: 9007199254740,
  p: "1e-8",
  q: "0",
  f: 100,
  l: 105,
  T: 1672515782136123,
  m: false,
  M: true
}
const aggregateEvent = {
  _tag: "Trade",
  venue,
  product: "BNBBTC",
  price: "0.00000001",
  size: "0",
  side: "buy",
  tradeId: "9007199254740",
  timestamp: "2022-12-31T19:43:02.136123Z"
}
const ticker = {
  e: "24hrTicker",
  E: 1672515782136,
  s: "BNBBTC",
  p: "0.0015",
  P: "250.00",
  w: "0.0018",
  x: "0.0009",
  c: "0.0025",
  Q: "10",
  b: "0.0024",
  B: "10.10",
  a: "0.0026",
  A: "100",
  o: "0.0010",
  h: "0.0025",
  l: "0.0010",
  v: "10000.0",
  q: "18",
  O: 0,
  C: 86400000,
  F: 0,
  L: 18150,
  n: 18151
}
const tickerEvent = {
  _tag: "Ticker",
  venue,
  product: "BNBBTC",
  price: "0.0025",
  bid: "0.0024",
  bidSize: "10.10",
  ask: "0.0026",
  askSize: "100",
  volume: "10000.0",
  timestamp: "2022-12-31T19:43:02.136Z"
}
const bookTicker = {
  u: 400900217,
  s: "BNBUSDT",
  b: "25.35190000",
  B: "31.21000000",
  a: "25.36520000",
  A: "40.66000000"
}
const bookTickerEvent = {
  _tag: "Ticker",
  venue,
  product: "BNBUSDT",
  bid: "25.35190000",
  bidSize: "31.21000000",
  ask: "25.36520000",
  askSize: "40.66000000",
  sequence: "400900217"
}
const update = {
  e: "depthUpdate",
  E: 1672515782136,
  s: "BNBBTC",
  U: 157,
  u: 160,
  b: [["0.0024", "10"], ["0.0023", "0.00000000"]],
  a: [["0.0026", "100.0"]]
}
const updateEvent = {
  _tag: "BookDelta",
  venue,
  product: "BNBBTC",
  bids: update.b,
  asks: update.a,
  timestamp: "2022-12-31T19:43:02.136Z",
  firstSequence: "157",
  sequence: "160"
}
const partial = { lastUpdateId: 160, bids: [["0.0024", "10"]], asks: [["0.0026", "100"], ["0.0027", "0.10"]] }
const partialEvent = { _tag: "BookSnapshot", venue, bids: partial.bids, asks: partial.asks, sequence: "160" }

const without = (frame: object, ...members: ReadonlyArray<string>): object =>
  Object.fromEntries(Object.entries(frame).filter(([member]) => !members.includes(member)))

const combined = (stream: string, data: unknown): object => ({ stream, data })

const other = (kind: string): object => ({ _tag: "Other", venue, kind })

describe("Binance", () => {
  const messages: ReadonlyArray<readonly [what: string, message: object, event: object]> = [
    ["a trade", trade, tradeEvent],
    ["a trade that names the orders", { ...trade, b: 88, a: 50, m: false }, { ...tradeEvent, side: "buy" }],
    ["a trade with less", without(trade, "t", "T", "E", "M"), without(tradeEvent, "tradeId", "timestamp")],
    ["a trade with nulls", { ...trade, t: null, T: null }, without(tradeEvent, "tradeId", "timestamp")],
    ["an aggregate trade, in microseconds", aggregate, aggregateEvent],
    ["a trade of the futures", { ...trade, X: "MARKET" }, tradeEvent],
    ["a trade of the futures that does not say how", { ...trade, X: null }, tradeEvent],
    ...["NA", "INSURANCE_FUND", "ADL"].flatMap((X) =>
      [
        [`a trade of the futures that is none of the market's, ${X}`, { ...trade, p: "0", q: "0", X }, other("trade")],
        [`an aggregate that is none of the market's, ${X}`, { ...aggregate, X }, other("aggTrade")]
      ] as const
    ),
    ["a ticker", ticker, tickerEvent],
    [
      "a ticker of the futures, which has no quotes",
      without(ticker, "x", "b", "B", "a", "A"),
      without(tickerEvent, "bid", "bidSize", "ask", "askSize")
    ],
    [
      "a ticker with nulls",
      { ...ticker, c: null, B: null, v: null },
      without(tickerEvent, "price", "bidSize", "volume")
    ],
    ["a ticker with empty texts", { ...ticker, b: "", B: "", c: "" }, without(tickerEvent, "price", "bid", "bidSize")],
    ["a ticker of nothing yet", { ...ticker, c: "", b: null, a: "" }, without(tickerEvent, "price", "bid", "ask")],
    ["a book ticker", bookTicker, bookTickerEvent],
    ["a book ticker of an empty book", { ...bookTicker, b: "", B: "", a: "", A: "" }, {
      _tag: "Ticker",
      venue,
      product: "BNBUSDT",
      sequence: "400900217"
    }],
    ["a book ticker of the futures", { e: "bookTicker", ...bookTicker, T: 1672515782130, E: 1672515782136 }, {
      ...bookTickerEvent,
      timestamp: "2022-12-31T19:43:02.130Z"
    }],
    ["a book ticker of one side", without(bookTicker, "a", "A"), without(bookTickerEvent, "ask", "askSize")],
    ["an update", update, updateEvent],
    ["an update of nothing", { ...update, b: [], a: [] }, { ...updateEvent, bids: [], asks: [] }],
    ["an update of the futures", { ...update, T: 1672515782130, pu: 149 }, { ...updateEvent, previousSequence: "149" }],
    ["an update whose rows hold more", { ...update, a: [["0.0026", "100.0", []]] }, updateEvent],
    ["a partial book", partial, partialEvent],
    ["an empty partial book", { ...partial, bids: [], asks: [] }, { ...partialEvent, bids: [], asks: [] }],
    ["a partial book without a number", without(partial, "lastUpdateId"), without(partialEvent, "sequence")],
    ...[
      "kline",
      "24hrMiniTicker",
      "1hTicker",
      "avgPrice",
      "markPriceUpdate",
      "serverShutdown",
      "executionReport",
      "outboundAccountPosition",
      "constructor",
      "__proto__"
    ].map((e) => [`a message of kind ${e}`, { e, E: 1, s: "BNBBTC", p: "1", c: "1", k: { c: "1" } }, other(e)] as const)
  ]
  for (const [what, message, event] of messages) {
    const stream = "bnbbtc@depth5@100ms"
    const named = "lastUpdateId" in message || !("s" in message) ? { ...event, product: "BNBBTC" } : event
    const ways: ReadonlyArray<readonly [how: string, frame: unknown, events: ReadonlyArray<object>]> = [
      ["bare", message, [event]],
      ["combined", combined(stream, message), [named]],
      ["in an array", [message, trade, message], [event, tradeEvent, event]],
      ["in an array of a combined stream", combined(stream, [trade, message]), [tradeEvent, named]],
      ["in an array of combined streams", [combined(stream, message), message], [named, event]]
    ]
    for (const [how, frame, events] of ways) {
      it(`reads ${what}, ${how}`, () => {
        const known = make()
        for (const space of [undefined, 1]) {
          assert.deepStrictEqual(decode(JSON.stringify(frame, null, space)), events)
          assert.deepStrictEqual(decode(JSON.stringify(frame, null, space), known), events)
        }
        const spaced = JSON.stringify(frame, null, 1).replace(/\n */g, " ").replace(/([[{]) | ([\]}])/g, "$1$2")
        assert.deepStrictEqual(decode(spaced, known), events)
      })
    }
  }

  const frames: ReadonlyArray<readonly [what: string, frame: unknown, events: ReadonlyArray<object>]> = [
    ["the answer to a request", { result: null, id: 1 }, [{ _tag: "Response", venue, requestId: "1", result: null }]],
    ["a list of subscriptions", { result: ["btcusdt@trade"], id: "a-1" }, [
      { _tag: "Response", venue, requestId: "a-1", result: ["btcusdt@trade"] }
    ]],
    ["an answer with numbers", { id: null, status: 200, result: { a: [1.5, { b: 2 }] }, rateLimits: [] }, [
      { _tag: "Response", venue, result: { a: ["1.5", { b: "2" }] } }
    ]],
    ["an error", { code: 2, msg: "Invalid request: unknown variant", id: 7 }, [
      { _tag: "VenueError", venue, code: "2", message: "Invalid request: unknown variant", requestId: "7" }
    ]],
    ["an error without an id", { code: 3, msg: "Invalid JSON: expected value at line 1 column 1" }, [
      { _tag: "VenueError", venue, code: "3", message: "Invalid JSON: expected value at line 1 column 1" }
    ]],
    ["an error in an error", { error: { code: 2, msg: "Invalid request: invalid stream" }, id: 2 }, [
      { _tag: "VenueError", venue, code: "2", message: "Invalid request: invalid stream", requestId: "2" }
    ]],
    ["an error with an empty id", { id: "", status: 400, error: { code: -1102, msg: "no" }, result: null }, [
      { _tag: "VenueError", venue, code: "-1102", message: "no" }
    ]],
    ["an error in words", { error: "server busy" }, [{ _tag: "VenueError", venue, message: "server busy" }]],
    ["an answer that denies an error", { error: null, result: true, id: 5 }, [
      { _tag: "Response", venue, requestId: "5", result: true }
    ]],
    ["an array of nothing", [], [other("array")]],
    ["a stream's array of nothing", combined("!ticker@arr", []), [other("!ticker@arr")]],
    ["a stream that it does not know", combined("btcusdt@new", { x: 1, price: "1" }), [other("btcusdt@new")]],
    ["a stream without a product", combined("", partial), [partialEvent]],
    ["a stream that begins with @", combined("@depth5", partial), [partialEvent]],
    ["a stream that is a product", combined("bnbbtc", partial), [{ ...partialEvent, product: "BNBBTC" }]],
    ["a stream of all products", combined("!depth@arr", partial), [partialEvent]],
    ["a symbol beyond ASCII", combined("币安人生usdt@depth5", partial), [{ ...partialEvent, product: "币安人生USDT" }]],
    ["a message of the private streams", { subscriptionId: 0, event: { e: "executionReport", p: "1" } }, [
      other("executionReport")
    ]],
    ["a private message that does not name its kind", { event: {} }, [other("event")]]
  ]
  for (const [what, frame, events] of frames) {
    it(`reads ${what}`, () => {
      assert.deepStrictEqual(decode(JSON.stringify(frame)), events)
      assert.deepStrictEqual(decode(JSON.stringify(frame, null, 1)), events)
    })
  }

  it("keeps the digits of identifiers", () => {
    for (const digits of ["7.0", "1e3", "9007199254740993", "-0", "\"a-1\"", "12345678901234567890123"]) {
      const frame = JSON.stringify(combined("a@b", trade)).replace("\"t\":12345", `"t":${digits}`)
      assert.deepStrictEqual(decode(frame), [{ ...tradeEvent, tradeId: digits.replaceAll("\"", "") }])
    }
  })

  it("reads streams of all kinds by turns", () => {
    const venue = make()
    const data = messages.map(([, message]) => message)
    for (let round = 0; round < 3; round++) {
      for (const message of data) {
        for (const frame of [message, combined("x@y", message)]) {
          assert.deepStrictEqual(decode(JSON.stringify(frame), venue), decode(JSON.stringify(frame)))
        }
      }
    }
  })

  const rejections: ReadonlyArray<
    readonly [what: string, frame: string | Uint8Array | object, reason: string, field: string | undefined]
  > = [
    ["bytes", new Uint8Array([0, 1]), "MalformedJson", undefined],
    ["nothing", "", "MalformedJson", undefined],
    ["half a frame", JSON.stringify(trade).slice(0, 50), "MalformedJson", undefined],
    ["deep nesting", "{\"stream\":".repeat(100_000), "MalformedJson", undefined],
    ["a string", "\"trade\"", "NotAnObject", undefined],
    ["null", "null", "NotAnObject", undefined],
    ["an array of what is no object", [trade, 5], "NotAnObject", undefined],
    ["an array of arrays", [[trade]], "NotAnObject", undefined],
    ["an empty object", {}, "UnknownMessage", undefined],
    ["a trade without its kind", without(trade, "e"), "UnknownMessage", undefined],
    ["a trade with orders and without its kind", { ...without(trade, "e"), a: 1, b: 2 }, "UnknownMessage", undefined],
    ["a ticker without its kind", without(ticker, "e"), "UnknownMessage", undefined],
    ["an update without its kind", without(update, "e"), "UnknownMessage", undefined],
    ["an object whose prototype has a kind", "{\"__proto__\":{\"e\":\"trade\"}}", "UnknownMessage", undefined],
    ["a kind that is no string", { ...trade, e: 5 }, "InvalidField", "e"],
    ["an empty kind", combined("a@b", { ...trade, e: "" }), "InvalidField", "data.e"],
    ["a stream's trade without its kind", combined("a@trade", without(trade, "e")), "MissingField", "data.e"],
    [
      "a stream's ticker without its kind",
      combined("!ticker@arr", [without(ticker, "e", "A", "B")]),
      "MissingField",
      "data[0].e"
    ],
    ["a stream's book of nothing", combined("a@depth5@100ms", {}), "MissingField", "data.bids"],
    ["a stream's book ticker of nothing", combined("a@bookTicker", {}), "MissingField", "data.s"],
    ["a stream that is no string", { stream: 1, data: trade }, "InvalidField", "stream"],
    ["a stream without data", { stream: "a@trade" }, "MissingField", "data"],
    ["a stream of null", combined("a@trade", null), "InvalidField", "data"],
    ["a stream of a string", combined("a@trade", "x"), "InvalidField", "data"],
    ["a stream of an array of strings", combined("a@trade", [trade, "x"]), "InvalidField", "data[1]"],
    ["a trade without price", without(trade, "p"), "MissingField", "p"],
    ["a trade without product", combined("a@trade", without(trade, "s")), "MissingField", "data.s"],
    ["a trade with an empty product", { ...trade, s: "" }, "InvalidField", "s"],
    ["a trade with a null price", { ...trade, p: null }, "InvalidField", "p"],
    ["a trade with a number for a price", { ...trade, p: 0.001 }, "InvalidField", "p"],
    ["a trade with a price that is none", combined("a@trade", { ...trade, p: "0x1" }), "InvalidField", "data.p"],
    ["a trade of no maker", without(trade, "m"), "MissingField", "m"],
    ["a trade whose maker is a text", combined("a@trade", { ...trade, m: "true" }), "InvalidField", "data.m"],
    ["a trade at no time", { ...trade, T: "noon" }, "InvalidField", "T"],
    ["a trade with an id that is none", { ...trade, t: true }, "InvalidField", "t"],
    ["a trade with an empty id", { ...trade, t: "" }, "InvalidField", "t"],
    ["the second of an array", [ticker, { ...ticker, c: "x" }], "InvalidField", "[1].c"],
    [
      "the second of a stream's array",
      combined("!ticker@arr", [ticker, { ...ticker, s: 1 }]),
      "InvalidField",
      "data[1].s"
    ],
    [
      "a stream in an array",
      [combined("a@trade", trade), combined("a@trade", { ...trade, q: "" })],
      "InvalidField",
      "[1].data.q"
    ],
    ["a ticker without any price", without(ticker, "c", "b", "a"), "MissingField", "c"],
    ["a book ticker without any", combined("a@bookTicker", without(bookTicker, "b", "a")), "MissingField", "data.b"],
    ["a book ticker with a bad ask", { ...bookTicker, a: "1,5" }, "InvalidField", "a"],
    ["an update without asks", without(update, "a"), "MissingField", "a"],
    ["an update with a bad price", { ...update, b: [["1", "1"], ["x", "1"]] }, "InvalidField", "b[1][0]"],
    ["an update with a short row", combined("a@depth", { ...update, a: [["1"]] }), "MissingField", "data.a[0][1]"],
    ["an update with a number", { ...update, a: [["1", 1]] }, "InvalidField", "a[0][1]"],
    ["a partial book with null bids", { ...partial, bids: null }, "InvalidField", "bids"],
    ["a partial book without asks", combined("a@depth5", without(partial, "asks")), "MissingField", "data.asks"],
    ["a partial book with a bad number", { ...partial, lastUpdateId: {} }, "InvalidField", "lastUpdateId"],
    ["an answer with a bad id", { result: null, id: {} }, "InvalidField", "id"],
    ["an error that is a list", { error: [], id: 1 }, "InvalidField", "error"],
    ["an error without a message's text", { error: { code: 1, msg: 5 } }, "InvalidField", "error.msg"]
  ]
  for (const [what, frame, reason, field] of rejections) {
    it(`refuses ${what}`, () => {
      const text = typeof frame === "string" || frame instanceof Uint8Array ? frame : JSON.stringify(frame)
      const known = make()
      for (const good of [trade, ticker, bookTicker, update, partial]) {
        decode(JSON.stringify(good), known)
        decode(JSON.stringify(combined("a@trade", good)), known)
      }
      for (const venue of [make(), known]) {
        const [rejected] = decode(text, venue) as ReadonlyArray<Rejection.FrameRejected>
        assert.deepStrictEqual([rejected?._tag, rejected?.reason, rejected?.field], ["FrameRejected", reason, field])
        assert.isAtMost(JSON.stringify(rejected).length, 1000)
      }
    })
  }

  const shown = (asks: ReadonlyArray<Ask>): ReadonlyArray<unknown> => asks.map(({ text }) => JSON.parse(text))

  it("subscribes by the streams' names, once to each, with a number as the id", () => {
    const channels = [
      { channel: "trade", product: "BTCUSDT" },
      { channel: "depth@100ms", product: "btcusdt" },
      { channel: "trade", product: "btcusdt" },
      { channel: "!ticker@arr" }
    ]
    const asks = Binance.venue.subscribe(channels, 41)
    assert.deepStrictEqual(shown(asks), [
      { method: "SUBSCRIBE", params: ["btcusdt@trade", "btcusdt@depth@100ms", "!ticker@arr"], id: 41 }
    ])
    assert.strictEqual(asks[0]?.requestId, "41")
    assert.sameDeepMembers([...asks[0]?.channels ?? []], channels)
    assert.deepStrictEqual(shown(Binance.venue.unsubscribe(channels.slice(0, 1), 7)), [
      { method: "UNSUBSCRIBE", params: ["btcusdt@trade"], id: 7 }
    ])
    assert.deepStrictEqual(Binance.venue.subscribe([], 1), [])
  })

  it("parts a request before it is longer than the server reads", () => {
    for (const symbol of ["BTCUSDT", "币安人生USDT"]) {
      const channels = Array.from({ length: 1_000 }, (_, i) => ({ channel: "aggTrade", product: `${symbol}${i}` }))
      const asks = Binance.venue.subscribe(channels, Number.MAX_SAFE_INTEGER - 100)
      assert.isAbove(asks.length, 1)
      assert.isBelow(asks.length, 20)
      for (const [index, { requestId, text }] of asks.entries()) {
        assert.isAtMost(Buffer.byteLength(text), 4_088)
        // Each but the last is as full as it may be: another stream would not fit.
        if (index < asks.length - 1) assert.isAbove(Buffer.byteLength(text), 3_900)
        assert.strictEqual(requestId, String(Number.MAX_SAFE_INTEGER - 100 + index))
      }
      assert.deepStrictEqual(asks.flatMap((ask) => ask.channels), channels)
    }
  })
})
