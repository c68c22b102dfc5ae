import { assert, describe, it } from "@effect/vitest"
import * as Rejection from "@tickline/core/codec/Rejection"
import * as Deribit from "@tickline/core/venue/deribit/Venue"
import {
  asks,
  bids,
  bookData,
  changes,
  decode,
  delta,
  frame,
  greeks,
  grouped,
  make,
  pairs,
  quote,
  snapshot,
  ticker,
  tickerData,
  times,
  trade,
  tradeRow,
  venue
} from "./Deribit.frames.ts"

describe("Deribit", () => {
  const frames: ReadonlyArray<readonly [what: string, frame: string, events: ReadonlyArray<object>]> = [
    ["a trade", frame("trades.BTC-PERPETUAL.raw", `[${tradeRow("8950.50")}]`), [trade]],
    ["trades of a kind", frame("trades.option.BTC.100ms", `[${tradeRow("8950.50")},${tradeRow("0.0005")}]`), [
      trade,
      { ...trade, price: "0.0005" }
    ]],
    [
      "trades of which one says more",
      frame(
        "trades.BTC-PERPETUAL.agg2",
        `[${tradeRow("8950.50")},${tradeRow("1", ",\"iv\":78.44,\"liquidation\":\"M\"")}]`
      ),
      [trade, { ...trade, price: "1" }]
    ],
    ["no trades", frame("trades.BTC-PERPETUAL.raw", "[]"), [{ _tag: "Other", venue, kind: "trades" }]],
    [
      "a trade with less",
      frame("trades.BTC-PERPETUAL.100ms", "[{\"price\":1e-05,\"amount\":2,\"direction\":\"buy\",\"trade_seq\":null}]"),
      [{ _tag: "Trade", venue, product: "BTC-PERPETUAL", price: "0.00001", size: "2", side: "buy" }]
    ],
    ["a ticker", frame("ticker.BTC-PERPETUAL.raw", tickerData("92283.50", "92283.5")), [ticker]],
    ["an option's ticker", frame("ticker.BTC-PERPETUAL.100ms", tickerData("92283.50", "92283.5", "0", greeks)), [
      { ...ticker, volume: "0" }
    ]],
    ["a ticker of what was never traded", frame("ticker.X.agg2", tickerData("null", "null", "null", greeks)), [{
      _tag: "Ticker",
      venue,
      product: "BTC-PERPETUAL",
      bidSize: "117660.0",
      ask: "92284.00",
      askSize: "186520.0",
      timestamp: ticker.timestamp
    }]],
    [
      "a ticker without statistics",
      frame("ticker.X.raw", "{\"instrument_name\":\"X\",\"last_price\":1.50,\"stats\":null}"),
      [
        { _tag: "Ticker", venue, product: "X", price: "1.50" }
      ]
    ],
    [
      "a whole incremental ticker",
      frame(
        "incremental_ticker.BTC-PERPETUAL",
        tickerData("92283.50", "92283.5", "11897.27640428", ",\"type\":\"snapshot\"")
      ),
      [ticker]
    ],
    [
      "what changed of an incremental ticker, which names its instrument in the channel alone",
      frame(
        "incremental_ticker.BTC-PERPETUAL",
        "{\"type\":\"change\",\"timestamp\":1765541474086,\"best_ask_amount\":1.0,\"mark_price\":3}"
      ),
      [{
        _tag: "Ticker",
        venue,
        product: "BTC-PERPETUAL",
        askSize: "1.0",
        timestamp: ticker.timestamp
      }]
    ],
    ["a quote of one side", frame("quote.BTC-PERPETUAL", quote), [{
      _tag: "Ticker",
      venue,
      product: "BTC-PERPETUAL",
      bid: "3914.97",
      bidSize: "40.0",
      askSize: "0.0",
      timestamp: "2019-02-20T10:30:24.149Z"
    }]],
    ["changes of a book", changes, [delta]],
    [
      "changes of a book in the order of another year",
      frame(
        "book.BTC-PERPETUAL.100ms",
        `{"asks":${asks},"bids":${bids},"change_id":123456790,"instrument_name":"BTC-PERPETUAL",` +
          "\"prev_change_id\":123456789,\"timestamp\":1699999999500}"
      ),
      [delta]
    ],
    ["no changes", changes.replace(bids, "[]").replace(asks, "[]"), [{ ...delta, bids: [], asks: [] }]],
    ["a book", changes.replace("\"type\":\"change\"", "\"type\":\"snapshot\"").replace(/"prev_change_id":\d+,/, ""), [
      snapshot
    ]],
    [
      "a book by what it does not say",
      frame(
        "book.BTC-PERPETUAL.raw",
        bookData("", "\"change_id\":123456790,", bids, asks)
      ),
      [snapshot]
    ],
    [
      "a book with a null before it",
      frame(
        "book.BTC-PERPETUAL.raw",
        bookData("", "\"prev_change_id\":null,\"change_id\":123456790,", bids, asks)
      ),
      [snapshot]
    ],
    ["what was deleted without an amount, as until 2020", changes.replace(",0.0]", "]"), [
      { ...delta, asks: [["42501.0", "0"]] }
    ]],
    ["a grouped book", grouped, [snapshot]],
    ["an empty grouped book", grouped.replace(pairs, "[]").replace("[[42501.0,0.0]]", "[]"), [
      { ...snapshot, bids: [], asks: [] }
    ]],
    ["a book without an instrument of its own", changes.replace("\"instrument_name\":\"BTC-PERPETUAL\",", ""), [delta]],
    ...([
      ["deribit_price_index.btc_usd", "deribit_price_index"],
      ["chart.trades.BTC-PERPETUAL.1", "chart.trades"],
      ["perpetual.BTC-PERPETUAL.raw", "perpetual"],
      ["platform_state", "platform_state"],
      ["user.trades.BTC-PERPETUAL.raw", "user.trades"],
      ["user.portfolio.btc", "user.portfolio"],
      ["instrument.state.any.BTC", "instrument.state"],
      ["tomorrow.BTC", "tomorrow"],
      ["constructor", "constructor"],
      ["__proto__.x", "__proto__"]
    ] as const).map(([channel, kind]) =>
      [`the channel ${channel}`, frame(channel, `[${tradeRow("1")}]`), [{ _tag: "Other", venue, kind }]] as const
    ),
    ["another method", "{\"jsonrpc\":\"2.0\",\"method\":\"announcement\"}", [
      { _tag: "Other", venue, kind: "announcement" }
    ]],
    ["a heartbeat", "{\"jsonrpc\":\"2.0\",\"method\":\"heartbeat\",\"params\":{\"type\":\"heartbeat\"}}", [
      { _tag: "Heartbeat", venue, kind: "heartbeat" }
    ]],
    ["a test", "{\"jsonrpc\":\"2.0\",\"method\":\"heartbeat\",\"params\":{\"type\":\"test_request\"}}", [
      { _tag: "Heartbeat", venue, kind: "testRequest" }
    ]],
    [
      "subscriptions",
      `{"jsonrpc":"2.0","id":42,"result":["trades.BTC-PERPETUAL.100ms","book.ETH-PERPETUAL.none.10.100ms","quote.X",` +
      `"trades.future.BTC.100ms","chart.trades.X.1","announcements"],${times}}`,
      [
        { _tag: "Subscribed", venue, channel: "trades.100ms", product: "BTC-PERPETUAL", requestId: "42" },
        { _tag: "Subscribed", venue, channel: "book.none.10.100ms", product: "ETH-PERPETUAL", requestId: "42" },
        { _tag: "Subscribed", venue, channel: "quote", product: "X", requestId: "42" },
        { _tag: "Subscribed", venue, channel: "trades.future.BTC.100ms", requestId: "42" },
        { _tag: "Subscribed", venue, channel: "chart.trades.1", product: "X", requestId: "42" },
        { _tag: "Subscribed", venue, channel: "announcements", requestId: "42" }
      ]
    ],
    ["a subscription of nothing", `{"jsonrpc":"2.0","id":"a","result":[],${times}}`, [
      { _tag: "Subscribed", venue, requestId: "a" }
    ]],
    ["the end of a subscription, known by the sign of the number", "{\"id\":-7,\"result\":[\"quote.X\"]}", [
      { _tag: "Unsubscribed", venue, channel: "quote", product: "X", requestId: "-7" }
    ]],
    ["an answer", `{"jsonrpc":"2.0","id":5,"result":{"version":"1.2.26","price":1.50,"list":[1e5]},${times}}`, [
      { _tag: "Response", venue, requestId: "5", result: { version: "1.2.26", price: "1.50", list: ["1e5"] } }
    ]],
    ["an answer in a word", "{\"jsonrpc\":\"2.0\",\"id\":1569,\"result\":\"ok\"}", [
      { _tag: "Response", venue, requestId: "1569", result: "ok" }
    ]],
    ["an answer with a list of objects", "{\"id\":1,\"result\":[{\"order_id\":\"1\"}]}", [
      { _tag: "Response", venue, requestId: "1", result: [{ order_id: "1" }] }
    ]],
    ["an answer of nothing", "{\"id\":1,\"result\":null}", [
      { _tag: "Response", venue, requestId: "1", result: null }
    ]],
    [
      "a refusal",
      `{"jsonrpc":"2.0","id":7,"error":{"message":"raw_subscriptions_not_available_for_unauthorized","code":13778},${times}}`,
      [{
        _tag: "VenueError",
        venue,
        code: "13778",
        message: "raw_subscriptions_not_available_for_unauthorized",
        requestId: "7"
      }]
    ],
    [
      "a refusal with reasons",
      "{\"id\":1,\"error\":{\"code\":-32602,\"message\":\"Invalid params\",\"data\":{\"reason\":\"wrong format\",\"param\":\"channels\"}}}",
      [{
        _tag: "VenueError",
        venue,
        code: "-32602",
        message: "Invalid params: channels: wrong format",
        requestId: "1"
      }]
    ],
    [
      "a refusal of what has no number",
      "{\"error\":{\"code\":10028,\"message\":\"too_many_requests\",\"data\":null}}",
      [
        { _tag: "VenueError", venue, code: "10028", message: "too_many_requests" }
      ]
    ],
    ["an error in a word", "{\"error\":\"no\"}", [{ _tag: "VenueError", venue, message: "no" }]],
    ["an empty error", "{\"error\":{},\"id\":null}", [{ _tag: "VenueError", venue }]]
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
    decode(frame("ticker.X.raw", tickerData("1", "2")), venue)
    const twice = frame("ticker.X.raw", tickerData("1", "92283.5", "11897.27640428", ",\"last_price\":92283.50"))
    assert.deepStrictEqual(decode(twice, venue), [ticker])
  })

  it("takes no channel for another of which it knows the layout", () => {
    const venue = make()
    const data = tickerData("1", "2")
    decode(frame("ticker.X.raw", data), venue)
    assert.deepStrictEqual(decode(frame("tickers.X.raw", data), venue), [{
      _tag: "Other",
      venue: "deribit",
      kind: "tickers"
    }])
    assert.deepStrictEqual(decode(frame("user.ticker.X", data), venue), [{
      _tag: "Other",
      venue: "deribit",
      kind: "user.ticker"
    }])
  })

  const rejections: ReadonlyArray<
    readonly [what: string, frame: string | Uint8Array, reason: string, field: string | undefined]
  > = [
    ["bytes", new Uint8Array([0, 1]), "MalformedJson", undefined],
    ["nothing", "", "MalformedJson", undefined],
    ["half a frame", changes.slice(0, 120), "MalformedJson", undefined],
    ["an array", "[1]", "NotAnObject", undefined],
    ["an object without a kind", "{\"jsonrpc\":\"2.0\",\"id\":7}", "UnknownMessage", undefined],
    ["an object whose prototype has a kind", "{\"__proto__\":{\"result\":1}}", "UnknownMessage", undefined],
    ["a method that is no string", "{\"method\":1}", "InvalidField", "method"],
    ["a null method", "{\"method\":null}", "InvalidField", "method"],
    ["a number of a request that is none", "{\"id\":{},\"result\":1}", "InvalidField", "id"],
    ["an error that is none", "{\"error\":[]}", "InvalidField", "error"],
    ["a notification without params", "{\"method\":\"subscription\"}", "MissingField", "params"],
    ["params that are none", "{\"method\":\"subscription\",\"params\":[]}", "InvalidField", "params"],
    [
      "a notification of no channel",
      "{\"method\":\"subscription\",\"params\":{\"data\":1}}",
      "MissingField",
      "params.channel"
    ],
    [
      "a channel that is none",
      "{\"method\":\"subscription\",\"params\":{\"channel\":7}}",
      "InvalidField",
      "params.channel"
    ],
    ["a heartbeat of no type", "{\"method\":\"heartbeat\",\"params\":{}}", "MissingField", "params.type"],
    ["a heartbeat without params", "{\"method\":\"heartbeat\"}", "MissingField", "params"],
    [
      "a ticker without data",
      "{\"method\":\"subscription\",\"params\":{\"channel\":\"ticker.X.raw\"}}",
      "MissingField",
      "params.data"
    ],
    ["a ticker whose data are none", frame("ticker.X.raw", "[]"), "InvalidField", "params.data"],
    ["a book whose data are null", frame("book.X.raw", "null"), "InvalidField", "params.data"],
    ["trades that are no list", frame("trades.X.raw", "{}"), "InvalidField", "params.data"],
    ["a trade that is none", frame("trades.X.raw", `[${tradeRow("1")},7]`), "InvalidField", "params.data[1]"],
    [
      "a trade without price",
      frame("trades.X.raw", `[${tradeRow("1").replace("\"price\":1,", "")}]`),
      "MissingField",
      "params.data[0].price"
    ],
    [
      "a trade with a null price",
      frame("trades.X.raw", `[${tradeRow("1")},${tradeRow("null")}]`),
      "InvalidField",
      "params.data[1].price"
    ],
    [
      "a trade with a price too long",
      frame("trades.X.raw", `[${tradeRow("1e1000")}]`),
      "InvalidField",
      "params.data[0].price"
    ],
    [
      "a trade of no side",
      frame("trades.X.raw", `[${tradeRow("1").replace("sell", "zero")}]`),
      "InvalidField",
      "params.data[0].direction"
    ],
    [
      "a trade at no time",
      frame("trades.X.raw", `[${tradeRow("1").replace("1590484512188", "-1")}]`),
      "InvalidField",
      "params.data[0].timestamp"
    ],
    [
      "a trade of no instrument",
      frame("trades.any.BTC.raw", "[{\"price\":1,\"amount\":1,\"direction\":\"buy\"}]"),
      "MissingField",
      "params.data[0].instrument_name"
    ],
    [
      "the first of two bad members",
      frame("trades.X.raw", `[${tradeRow("\"x\"").replace("10.0", "[]")}]`),
      "InvalidField",
      "params.data[0].price"
    ],
    [
      "a ticker with a bad price",
      frame("ticker.X.raw", tickerData("1", "{}")),
      "InvalidField",
      "params.data.best_bid_price"
    ],
    [
      "a ticker with bad statistics",
      frame("ticker.X.raw", tickerData("1", "1", "true")),
      "InvalidField",
      "params.data.stats.volume"
    ],
    ["a ticker of no instrument", frame("ticker", "{\"last_price\":1}"), "MissingField", "params.data.instrument_name"],
    [
      "a book of no known type",
      changes.replace("\"type\":\"change\"", "\"type\":\"delta\""),
      "InvalidField",
      "params.data.type"
    ],
    ["a book without asks", frame("book.X.raw", "{\"bids\":[]}"), "MissingField", "params.data.asks"],
    ["a book with a bad action", changes.replace("\"new\"", "\"add\""), "InvalidField", "params.data.bids[1][0]"],
    ["a book without an action", changes.replace("\"new\",", ""), "InvalidField", "params.data.bids[1][0]"],
    ["a book with a bad price", changes.replace("42498.50", "\"x\""), "InvalidField", "params.data.bids[1][1]"],
    ["a book with a short row", changes.replace(",300.0", ""), "MissingField", "params.data.bids[1][2]"],
    ["a book with an empty row", changes.replace(bids, "[[]]"), "MissingField", "params.data.bids[0][0]"],
    ["a book with a row that is none", changes.replace(asks, "[{}]"), "InvalidField", "params.data.asks[0]"],
    ["a book with a bad number", changes.replace("123456790", "true"), "InvalidField", "params.data.change_id"],
    ["a grouped book with a null size", grouped.replace("300.0", "null"), "InvalidField", "params.data.bids[1][1]"],
    ["a grouped book with a short row", grouped.replace(",300.0", ""), "MissingField", "params.data.bids[1][1]"],
    ["a grouped book with rows of changes", grouped.replace(pairs, bids), "InvalidField", "params.data.bids[0][0]"]
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
    const levels = rows("[\"change\",42500.50,950.0]")
    const whole = changes.replace(bids, levels)
    // The thread's time is now and then told as none at all.
    const parsing = Math.max(1, fastest(() => JSON.parse(whole)))
    for (
      const text of [
        whole,
        whole.replace(":", ": "),
        whole.replace("0.0]]", "true]]"),
        grouped.replace(pairs, rows("[42500.50,950.0]")),
        frame("trades.X.raw", rows(tradeRow("1.50"))),
        frame("trades.X.raw", `${rows(tradeRow("1.50")).slice(0, -1)},7]`),
        frame("trades.X.raw", `[${tradeRow("9".repeat(1_000_000))}]`),
        `{"id":1,"result":${rows("\"quote.X\"")}}`,
        frame("x.".repeat(500_000), "1")
      ]
    ) {
      // Measured at 1 to 15; a decoder that is quadratic is a thousand times beyond.
      assert.isBelow(fastest(() => venue.decode(text)) / parsing, 60, text.slice(0, 80))
    }
  })

  it("asks for channels as the venue names them, in batches, and knows the answers to the end of subscriptions", () => {
    const channels = [
      { channel: "ticker.100ms", product: "BTC-PERPETUAL" },
      { channel: "book.none.10.100ms", product: "BTC-PERPETUAL" },
      { channel: "quote", product: "ETH-PERPETUAL" },
      { channel: "quote", product: "ETH-PERPETUAL" },
      { channel: "chart.trades.1", product: "X" },
      { channel: "trades.option.BTC.100ms" }
    ]
    const names = [
      "ticker.BTC-PERPETUAL.100ms",
      "book.BTC-PERPETUAL.none.10.100ms",
      "quote.ETH-PERPETUAL",
      "chart.trades.X.1",
      "trades.option.BTC.100ms"
    ]
    const [ask, ...more] = Deribit.venue.subscribe(channels, 5)
    assert.strictEqual(more.length, 0)
    assert.deepStrictEqual(JSON.parse(ask?.text ?? ""), {
      jsonrpc: "2.0",
      id: 5,
      method: "public/subscribe",
      params: { channels: names }
    })
    assert.strictEqual(ask?.requestId, "5")
    // What is confirmed is what was asked for, in the same names.
    const answer = (id: string): ReadonlyArray<unknown> =>
      decode(`{"jsonrpc":"2.0","id":${id},"result":${JSON.stringify(names)}}`)
    assert.deepStrictEqual(
      answer("5"),
      ask?.channels.map((channel) => ({ _tag: "Subscribed", venue, ...channel, requestId: "5" }))
    )
    const [end] = Deribit.venue.unsubscribe(channels, 9)
    assert.deepInclude(JSON.parse(end?.text ?? ""), {
      id: -9,
      method: "public/unsubscribe",
      params: { channels: names }
    })
    assert.strictEqual(end?.requestId, "-9")
    assert.deepInclude(answer("-9")[2], { _tag: "Unsubscribed", channel: "quote", product: "ETH-PERPETUAL" })
    const many = Deribit.venue.subscribe(
      Array.from({ length: 201 }, (_, i) => ({ channel: "quote", product: `X${i}` })),
      1
    )
    assert.deepStrictEqual(many.map(({ channels, requestId }) => [requestId, channels.length]), [
      ["1", 100],
      ["2", 100],
      ["3", 1]
    ])
    assert.deepStrictEqual(Deribit.venue.subscribe([], 1), [])
  })

  it("asks to be tested, answers the tests alone, and numbers this apart from subscriptions", () => {
    const { keepAlive } = Deribit.venue
    assert(keepAlive._tag === "Requested")
    assert.strictEqual(
      keepAlive.enable(3),
      "{\"jsonrpc\":\"2.0\",\"id\":1000000003,\"method\":\"public/set_heartbeat\",\"params\":{\"interval\":30}}"
    )
    assert.strictEqual(keepAlive.withinMillis, 30_000)
    const answers = ["heartbeat", "test_request"].map((type) => {
      const beat = Deribit.venue.decode(`{"jsonrpc":"2.0","method":"heartbeat","params":{"type":"${type}"}}`)
      assert(!Rejection.isFrameRejected(beat))
      return beat.map((event) => keepAlive.answer(event, 4))
    })
    assert.deepStrictEqual(answers, [
      [undefined],
      ["{\"jsonrpc\":\"2.0\",\"id\":1000000004,\"method\":\"public/test\",\"params\":{}}"]
    ])
  })
})
