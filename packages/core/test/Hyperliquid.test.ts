import { assert, describe, it } from "@effect/vitest"
import * as Rejection from "@tickline/core/codec/Rejection"
import * as Ndjson from "@tickline/core/event/Ndjson"
import * as Messages from "@tickline/core/venue/hyperliquid/Messages"
import * as Hyperliquid from "@tickline/core/venue/hyperliquid/Venue"
import type { Venue } from "@tickline/core/venue/Venue"
import * as Chance from "@tickline/testing/Chance"

/** The venue with no layout learned. */
const make = (): Venue => ({ ...Hyperliquid.venue, ...Messages.make() })

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

type Refused = Pick<Rejection.FrameRejected, "reason" | "field">

const venue = "hyperliquid"

// Frames in the venue's documented shapes, with values of our own.
const row = {
  coin: "SOL",
  side: "B",
  px: "148.250",
  sz: "3.20",
  time: 1785251456343,
  hash: "0x0000000000000000000000000000000000000000000000000000000000000000",
  tid: 1002003004005006,
  users: ["0x00000000000000000000000000000000000000a1", "0x00000000000000000000000000000000000000b2"]
}
const trades = { channel: "trades", data: [row, { ...row, coin: "kPEPE", side: "A", px: "0.0000107", sz: "900" }] }
const trade = {
  _tag: "Trade",
  venue,
  product: "SOL",
  price: "148.250",
  size: "3.20",
  side: "buy",
  tradeId: "1002003004005006",
  timestamp: "2026-07-28T15:10:56.343Z"
}
const book = {
  channel: "l2Book",
  data: {
    coin: "@107",
    time: 1785251522090,
    levels: [
      [{ px: "29.100", sz: "10.0", n: 3 }, { px: "29.099", sz: "1", n: 1 }],
      [{ px: "29.110", sz: "0.50", n: 1 }]
    ]
  }
}
const snapshot = {
  _tag: "BookSnapshot",
  venue,
  product: "@107",
  bids: [["29.100", "10.0"], ["29.099", "1"]],
  asks: [["29.110", "0.50"]],
  timestamp: "2026-07-28T15:12:02.090Z"
}
const bbo = {
  channel: "bbo",
  data: {
    coin: "xyz:GOLD",
    time: 1785251522090,
    bbo: [{ px: "4000.0", sz: "1.0", n: 2 }, { px: "4000.5", sz: "2", n: 1 }]
  }
}
const quotes = {
  _tag: "Ticker",
  venue,
  product: "xyz:GOLD",
  bid: "4000.0",
  bidSize: "1.0",
  ask: "4000.5",
  askSize: "2",
  timestamp: "2026-07-28T15:12:02.090Z"
}
const mids = { channel: "allMids", data: { mids: { "SOL": "148.2505", "@107": "29.105", "PURR/USDC": "0.067131" } } }
const prices = [
  { _tag: "PriceUpdate", venue, product: "SOL", price: "148.2505" },
  { _tag: "PriceUpdate", venue, product: "@107", price: "29.105" },
  { _tag: "PriceUpdate", venue, product: "PURR/USDC", price: "0.067131" }
]

const without = (frame: object, ...members: ReadonlyArray<string>): object =>
  Object.fromEntries(Object.entries(frame).filter(([member]) => !members.includes(member)))

const answer = (method: unknown, subscription: unknown): object => ({
  channel: "subscriptionResponse",
  data: { method, subscription }
})

describe("Hyperliquid", () => {
  const frames: ReadonlyArray<readonly [what: string, frame: object, events: ReadonlyArray<object>]> = [
    ["trades, whose side is the taker's", trades, [
      trade,
      { ...trade, product: "kPEPE", side: "sell", price: "0.0000107", size: "900" }
    ]],
    ["one trade with less", { channel: "trades", data: [without(row, "time", "tid", "hash", "users")] }, [
      without(trade, "tradeId", "timestamp")
    ]],
    ["one trade with nulls", { channel: "trades", data: [{ ...row, time: null, tid: null, users: null }] }, [
      without(trade, "tradeId", "timestamp")
    ]],
    ["trades that are laid out unlike", { channel: "trades", data: [row, without(row, "users"), { x: {}, ...row }] }, [
      trade,
      trade,
      trade
    ]],
    ["no trades", { channel: "trades", data: [] }, [{ _tag: "Other", venue, kind: "trades" }]],
    ["a book", book, [snapshot]],
    ["a book with one side empty", { ...book, data: { ...book.data, levels: [[], book.data.levels[1]] } }, [
      { ...snapshot, bids: [] }
    ]],
    ["an empty book", { ...book, data: { ...book.data, levels: [[], []] } }, [{ ...snapshot, bids: [], asks: [] }]],
    ["a book with more", { ...book, data: { ...book.data, spread: "0.01", levels: [...book.data.levels, [1]] } }, [
      snapshot
    ]],
    ["a book without a time", { ...book, data: without(book.data, "time") }, [without(snapshot, "timestamp")]],
    ["quotes", bbo, [quotes]],
    ["quotes without a bid", { ...bbo, data: { ...bbo.data, bbo: [null, bbo.data.bbo[1]] } }, [
      without(quotes, "bid", "bidSize")
    ]],
    ["quotes without an ask", { ...bbo, data: { ...bbo.data, bbo: [bbo.data.bbo[0], null] } }, [
      without(quotes, "ask", "askSize")
    ]],
    ["quotes of nobody", { ...bbo, data: { ...bbo.data, bbo: [null, null] } }, [
      without(quotes, "bid", "bidSize", "ask", "askSize")
    ]],
    ["all mids", mids, prices],
    ["all mids of a dex", { channel: "allMids", data: { dex: "xyz", ...mids.data } }, prices],
    ["all mids without more ado", { channel: "allMids", data: mids.data.mids }, prices],
    ["all mids on top", { channel: "allMids", mids: mids.data.mids }, prices],
    [
      "all mids with a coin that has none",
      { channel: "allMids", data: { mids: { ...mids.data.mids, X: null } } },
      prices
    ],
    ["no mids", { channel: "allMids", data: { mids: {} } }, [{ _tag: "Other", venue, kind: "allMids" }]],
    ["a subscription", answer("subscribe", { type: "l2Book", coin: "SOL", nSigFigs: null, mantissa: null }), [
      { _tag: "Subscribed", venue, channel: "l2Book", product: "SOL" }
    ]],
    ["a subscription of all coins", answer("subscribe", { type: "allMids", dex: null }), [
      { _tag: "Subscribed", venue, channel: "allMids" }
    ]],
    ["a subscription of a user", answer("subscribe", { type: "userFills", user: "0x1", aggregateByTime: false }), [
      { _tag: "Subscribed", venue, channel: "userFills" }
    ]],
    ["a subscription of nothing named", answer("subscribe", null), [{ _tag: "Subscribed", venue }]],
    ["the end of a subscription", answer("unsubscribe", { type: "trades", coin: "SOL" }), [
      { _tag: "Unsubscribed", venue, channel: "trades", product: "SOL" }
    ]],
    ["an answer to another method", answer("what", { type: "trades" }), [
      { _tag: "Other", venue, kind: "subscriptionResponse" }
    ]],
    ["an error", { channel: "error", data: "Already subscribed: {\"type\":\"bbo\",\"coin\":\"SOL\"}" }, [
      { _tag: "VenueError", venue, message: "Already subscribed: {\"type\":\"bbo\",\"coin\":\"SOL\"}" }
    ]],
    ["an error that is an object", { channel: "error", data: { code: 7, message: "no" } }, [
      { _tag: "VenueError", venue, message: "{\"code\":\"7\",\"message\":\"no\"}" }
    ]],
    ["an error without words", { channel: "error" }, [{ _tag: "VenueError", venue }]],
    [
      "a post that failed",
      { channel: "post", data: { id: 256, response: { type: "error", payload: "no such coin" } } },
      [
        { _tag: "VenueError", venue, message: "no such coin", requestId: "256" }
      ]
    ],
    ["a post", { channel: "post", data: { id: 256, response: { type: "info", payload: { px: "1" } } } }, [
      { _tag: "Other", venue, kind: "post" }
    ]],
    ["a pong", { channel: "pong" }, [{ _tag: "Heartbeat", venue, kind: "pong" }]],
    ...[
      "candle",
      "webData2",
      "webData3",
      "notification",
      "orderUpdates",
      "user",
      "userFills",
      "userFundings",
      "userNonFundingLedgerUpdates",
      "activeAssetCtx",
      "activeSpotAssetCtx",
      "activeAssetData",
      "userTwapSliceFills",
      "constructor",
      "__proto__"
    ].map((channel) =>
      [`a frame of channel ${channel}`, { channel, data: { isSnapshot: true, px: "1", fills: [], coin: null } }, [
        { _tag: "Other", venue, kind: channel }
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

  it("passes over the plain text that greets", () => {
    assert.deepStrictEqual(decode("Websocket connection established."), [{ _tag: "Other", venue, kind: "greeting" }])
  })

  it("reads any frame alike the fast way and the exact way", () => {
    const chance = Chance.make(1)
    const texts = frames.map(([, frame]) => JSON.stringify(frame))
    const known = make()
    for (const text of texts) known.decode(text)
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
        ",\"px\":\"1\""
      ])
      const mutant = text.slice(0, at) + piece + text.slice(at + chance.integer(3))
      const fast = decode(mutant, known) as ReadonlyArray<Partial<Refused>>
      const exact = decode(` ${mutant}`, known) as ReadonlyArray<Partial<Refused>>
      if (fast[0]?.reason === undefined) {
        read++
        assert.deepStrictEqual(fast, exact, mutant)
      } else {
        // Where a text ends to be JSON is one further with a space before it.
        assert.deepStrictEqual([fast[0].reason, fast[0].field], [exact[0]?.reason, exact[0]?.field], mutant)
      }
    }
    assert.isAbove(read, 5_000)
  })

  it("gives prices in the frame's order, though a coin's name be a number", () => {
    const text =
      "{\"channel\":\"allMids\",\"data\":{\"mids\":{\"BTC\":\"1\",\"7\":\"2\",\"2Z\":\"3\",\"2\":\"4\",\"7\":\"5\"}}}"
    const events = decode(text) as ReadonlyArray<{ readonly product: string; readonly price: string }>
    assert.deepStrictEqual(events.map(({ price, product }) => [product, price]), [
      ["BTC", "1"],
      ["7", "5"],
      ["2Z", "3"],
      ["2", "4"]
    ])
  })

  it("keeps the digits of trade ids and reads milliseconds of any magnitude", () => {
    const venue = make()
    decode(JSON.stringify(trades), venue)
    for (const digits of ["7.0", "1e3", "9007199254740993", "\"a-1\""]) {
      const frame = JSON.stringify({ channel: "trades", data: [row] }).replace(String(row.tid), digits)
      assert.deepStrictEqual(decode(frame, venue), [{ ...trade, tradeId: digits.replaceAll("\"", "") }])
    }
    const early = JSON.stringify({ channel: "trades", data: [{ ...row, time: 1 }] })
    assert.deepStrictEqual(decode(early, venue), [{ ...trade, timestamp: "1970-01-01T00:00:00.001Z" }])
  })

  it("takes the last of members with the same name", () => {
    const twice = JSON.stringify(mids).replace("\"PURR/USDC\":", "\"SOL\":")
    assert.deepStrictEqual(decode(twice), [{ ...prices[0], price: "0.067131" }, prices[1]])
    const venue = make()
    decode(JSON.stringify(trades), venue)
    const trice = JSON.stringify({ channel: "trades", data: [row] }).replace("\"sz\"", "\"px\":\"1.00\",\"sz\"")
    assert.deepStrictEqual(decode(trice, venue), [{ ...trade, price: "1.00" }])
  })

  const rejections: ReadonlyArray<
    readonly [what: string, frame: string | Uint8Array | object, reason: string, field: string | undefined]
  > = [
    ["bytes", new Uint8Array([0, 1]), "MalformedJson", undefined],
    ["nothing", "", "MalformedJson", undefined],
    ["words", "Websocket connection closed.", "MalformedJson", undefined],
    ["the greeting and more", "Websocket connection established.\n", "MalformedJson", undefined],
    ["the greeting as JSON", "\"Websocket connection established.\"", "NotAnObject", undefined],
    ["half a frame", JSON.stringify(mids).slice(0, -1), "MalformedJson", undefined],
    ["more than a frame", `${JSON.stringify(mids)}}`, "MalformedJson", undefined],
    ["an array", [trades], "NotAnObject", undefined],
    ["an object without channel", { method: "ping" }, "UnknownMessage", undefined],
    ["a channel that is no string", { channel: 1 }, "InvalidField", "channel"],
    ["an empty channel", { channel: "" }, "InvalidField", "channel"],
    ["trades without data", { channel: "trades" }, "MissingField", "data"],
    ["trades that are no array", { channel: "trades", data: {} }, "InvalidField", "data"],
    ["a trade that is no object", { channel: "trades", data: [row, null] }, "InvalidField", "data[1]"],
    [
      "one bad trade among good ones",
      { channel: "trades", data: [row, { ...row, px: "x" }, row] },
      "InvalidField",
      "data[1].px"
    ],
    [
      "the first bad member of a trade",
      { channel: "trades", data: [{ ...row, sz: "", side: "S" }] },
      "InvalidField",
      "data[0].side"
    ],
    ["a trade without a price", { channel: "trades", data: [without(row, "px")] }, "MissingField", "data[0].px"],
    [
      "a trade whose price is a number",
      { channel: "trades", data: [{ ...row, px: 1.5 }] },
      "InvalidField",
      "data[0].px"
    ],
    ["a trade of no coin", { channel: "trades", data: [{ ...row, coin: "" }] }, "InvalidField", "data[0].coin"],
    ["a trade at no time", { channel: "trades", data: [{ ...row, time: -5 }] }, "InvalidField", "data[0].time"],
    ["a trade at a text", { channel: "trades", data: [{ ...row, time: "2026" }] }, "InvalidField", "data[0].time"],
    ["a book without levels", { ...book, data: without(book.data, "levels") }, "MissingField", "data.levels"],
    ["a book of one side", { ...book, data: { ...book.data, levels: [[]] } }, "MissingField", "data.levels[1]"],
    [
      "a book whose side is none",
      { ...book, data: { ...book.data, levels: [[], {}] } },
      "InvalidField",
      "data.levels[1]"
    ],
    [
      "a book with a bad level",
      { ...book, data: { ...book.data, levels: [book.data.levels[0], [{ px: "1", sz: "1,5", n: 1 }]] } },
      "InvalidField",
      "data.levels[1][0].sz"
    ],
    [
      "a book with a level without a size",
      { ...book, data: { ...book.data, levels: [[{ px: "1", n: 1 }], []] } },
      "MissingField",
      "data.levels[0][0].sz"
    ],
    ["a book that is null", { channel: "l2Book", data: null }, "InvalidField", "data"],
    ["half of the quotes", { ...bbo, data: { ...bbo.data, bbo: [null] } }, "MissingField", "data.bbo[1]"],
    [
      "a bad quote",
      { ...bbo, data: { ...bbo.data, bbo: [null, { px: "x", sz: "1" }] } },
      "InvalidField",
      "data.bbo[1].px"
    ],
    ["a bad mid", { channel: "allMids", data: { mids: { ...mids.data.mids, X: "" } } }, "InvalidField", "data.mids.X"],
    ["a mid that is a number", { channel: "allMids", data: { mids: { X: 1 } } }, "InvalidField", "data.mids.X"],
    ["all mids without data", { channel: "allMids" }, "MissingField", "data"],
    ["an answer without data", { channel: "subscriptionResponse" }, "MissingField", "data"],
    ["an answer to no object", answer("subscribe", "trades"), "InvalidField", "data.subscription"],
    ["an answer to no type", answer("subscribe", { type: 1 }), "InvalidField", "data.subscription.type"]
  ]
  for (const [what, frame, reason, field] of rejections) {
    it(`refuses ${what}`, () => {
      const text = typeof frame === "string" || frame instanceof Uint8Array ? frame : JSON.stringify(frame)
      const known = make()
      for (const good of [trades, book, bbo, mids]) decode(JSON.stringify(good), known)
      for (const venue of [make(), known]) {
        const [rejected] = decode(text, venue) as ReadonlyArray<Rejection.FrameRejected>
        assert.deepStrictEqual([rejected?._tag, rejected?.reason, rejected?.field], ["FrameRejected", reason, field])
        assert.isAtMost(JSON.stringify(rejected).length, 1000)
      }
    })
  }

  it("asks for one subscription a frame, and for all mids once", () => {
    const trades = { channel: "trades", product: "SOL" }
    const book = { channel: "l2Book", product: "PURR/USDC" }
    const all = { channel: "allMids" }
    const solana = { channel: "allMids", product: "SOL" }
    assert.deepStrictEqual(Hyperliquid.venue.subscribe([trades, book, all, solana, trades], 1), [
      {
        text: "{\"method\":\"subscribe\",\"subscription\":{\"type\":\"trades\",\"coin\":\"SOL\"}}",
        channels: [trades, trades],
        requestId: undefined
      },
      {
        text: "{\"method\":\"subscribe\",\"subscription\":{\"type\":\"l2Book\",\"coin\":\"PURR/USDC\"}}",
        channels: [book],
        requestId: undefined
      },
      {
        text: "{\"method\":\"subscribe\",\"subscription\":{\"type\":\"allMids\"}}",
        channels: [all, solana],
        requestId: undefined
      }
    ])
    assert.deepStrictEqual(Hyperliquid.venue.unsubscribe([trades], 1).map(({ text }) => text), [
      "{\"method\":\"unsubscribe\",\"subscription\":{\"type\":\"trades\",\"coin\":\"SOL\"}}"
    ])
    assert.deepStrictEqual(Hyperliquid.venue.subscribe([], 1), [])
  })

  it("is asked whether it lives, and knows the answer", () => {
    const { keepAlive, decode } = Hyperliquid.venue
    assert.strictEqual(keepAlive._tag, "Application")
    if (keepAlive._tag !== "Application") return
    assert.strictEqual(keepAlive.ping(1), "{\"method\":\"ping\"}")
    assert.isBelow(keepAlive.everyMillis, 60_000)
    const answers = (frame: object): ReadonlyArray<boolean> => {
      const events = decode(JSON.stringify(frame))
      return "_tag" in events ? [] : events.map(keepAlive.isPong)
    }
    assert.deepStrictEqual(answers({ channel: "pong" }), [true])
    assert.deepStrictEqual(answers(bbo), [false])
  })
})
