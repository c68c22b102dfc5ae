import { assert, describe, it } from "@effect/vitest"
import * as Rejection from "@tickline/core/codec/Rejection"
import * as Ndjson from "@tickline/core/event/Ndjson"
import * as Deribit from "@tickline/core/venue/deribit/Venue"
import * as Market from "@tickline/testing/Market"
import * as MockDeribit from "@tickline/testing/MockDeribit"
import * as MockVenue from "@tickline/testing/MockVenue"

const atMillis = 1_700_000_000_000
const times = { usIn: atMillis * 1_000, usOut: atMillis * 1_000, usDiff: 0, testnet: false }
const product = "BTC-PERPETUAL"
const bitcoin = Market.make({ symbol: product, price: "43250.5", size: "10.0" }, { seed: 7, atMillis })
const floorOf = (market: Market.Market): MockVenue.Floor => ({
  atMillis,
  market: (symbol) => symbol === product ? market : undefined
})
const floor = floorOf(bitcoin)
const venue = MockDeribit.make()

const ask = (frame: unknown, session = MockVenue.newSession, at = floor) =>
  venue.receive(session, typeof frame === "string" ? frame : JSON.stringify(frame), at)

const parsed = (frames: ReadonlyArray<MockVenue.Outgoing>): ReadonlyArray<unknown> =>
  frames.map(({ text }): unknown => JSON.parse(text))

/** What our own venue makes of the frames, as the runner prints it. */
const decoded = (frames: ReadonlyArray<MockVenue.Outgoing>) =>
  frames.flatMap(({ text }) => {
    const events = Deribit.venue.decode(text)
    return Rejection.isFrameRejected(events)
      ? assert.fail(events.message)
      : events.map((event) => JSON.parse(Ndjson.toJson(event)))
  })

const channels = [
  "trades.100ms",
  "ticker.100ms",
  "incremental_ticker",
  "quote",
  "book.100ms",
  "book.none.1.100ms"
].map((channel) => ({ channel, product }))

const subscribe = (wanted: ReadonlyArray<{ readonly channel: string; readonly product: string }> = channels) =>
  ask(Deribit.venue.subscribe(wanted, 1)[0]?.text ?? "")

/** The same instant to the millisecond, which is all that the venue writes. */
const toMillis = (timestamp: string): string => timestamp.replace(/(\.\d{3})\d*Z$/, "$1Z")

describe("MockDeribit", () => {
  it("confirms in one answer, then greets each channel with what is current", () => {
    const { replies, session } = subscribe()
    assert.deepStrictEqual(parsed(replies)[0], {
      jsonrpc: "2.0",
      id: 1,
      result: [
        "trades.BTC-PERPETUAL.100ms",
        "ticker.BTC-PERPETUAL.100ms",
        "incremental_ticker.BTC-PERPETUAL",
        "quote.BTC-PERPETUAL",
        "book.BTC-PERPETUAL.100ms",
        "book.BTC-PERPETUAL.none.1.100ms"
      ],
      ...times
    })
    const events = decoded(replies)
    assert.deepStrictEqual(
      events.slice(0, 6),
      channels.map((channel) => ({ _tag: "Subscribed", venue: "deribit", ...channel, requestId: "1" }))
    )
    const { last } = bitcoin
    const { asks, bids } = Market.book(bitcoin)
    const common = { venue: "deribit", product, timestamp: toMillis(last.timestamp) }
    const quote = { bid: last.bid[0], bidSize: last.bid[1], ask: last.ask[0], askSize: last.ask[1] }
    const ticker = { _tag: "Ticker", ...common, price: last.price, ...quote, volume: last.volume }
    const book = { _tag: "BookSnapshot", ...common, bids, asks, sequence: String(last.sequence) }
    assert.deepStrictEqual(events.slice(6), [
      ticker,
      ticker,
      { _tag: "Ticker", ...common, ...quote },
      book,
      { ...book, bids: bids.slice(0, 1), asks: asks.slice(0, 1) }
    ])
    assert.deepStrictEqual([...session.channels.keys()], channels.map(({ channel }) => channel))
    // Nothing is greeted twice.
    assert.strictEqual(ask(Deribit.venue.subscribe(channels, 2)[0]?.text ?? "", session).replies.length, 1)
  })

  it("says to our own venue what the market said, digit by digit, each change with the one before it", () => {
    const { replies, session } = subscribe()
    let market = bitcoin
    let before: string = decoded(replies).at(-1).sequence
    for (let i = 1; i <= 20; i++) {
      market = Market.next(market, atMillis + i * 1_000)
      const { last } = market
      const frames = venue.publish(session, last, floorOf(market))
      assert.deepStrictEqual(frames.map(({ data }) => data), channels)
      const [trade, ticker, , quote, delta, grouped] = decoded(frames)
      const { price, side, size } = last
      const timestamp = toMillis(last.timestamp)
      const id = String(last.tradeId)
      assert.deepStrictEqual(trade, {
        _tag: "Trade",
        venue: "deribit",
        product,
        price,
        size,
        side,
        tradeId: id,
        timestamp,
        sequence: id
      })
      assert.deepInclude(ticker, { _tag: "Ticker", price, bid: last.bid[0], askSize: last.ask[1], volume: last.volume })
      assert.deepInclude(quote, { _tag: "Ticker", bid: last.bid[0], askSize: last.ask[1] })
      const sideOf = (wanted: string) =>
        last.changes.filter((change) => change[0] === wanted).map(([, level, amount]) => [level, amount])
      assert.deepStrictEqual(delta, {
        _tag: "BookDelta",
        venue: "deribit",
        product,
        bids: sideOf("buy"),
        asks: sideOf("sell"),
        timestamp,
        sequence: String(last.sequence),
        previousSequence: before
      })
      assert.deepStrictEqual(grouped.bids, [last.bid])
      before = delta.sequence
    }
    assert.deepStrictEqual(venue.publish(session, { ...market.last, product: "X" }, floor), [])
  })

  it("ends what it is asked to end, and says what that was", () => {
    const { session } = subscribe()
    const [end] = Deribit.venue.unsubscribe([{ channel: "quote", product }, { channel: "quote", product: "X" }], 9)
    const ended = ask(end?.text ?? "", session)
    assert.deepStrictEqual(decoded(ended.replies), [
      { _tag: "Unsubscribed", venue: "deribit", channel: "quote", product, requestId: "-9" }
    ])
    assert.isFalse(ended.session.channels.has("quote"))
    assert.deepStrictEqual(decoded(ask(end?.text ?? "", ended.session).replies), [
      { _tag: "Unsubscribed", venue: "deribit", requestId: "-9" }
    ])
  })

  it("leaves out what it does not list", () => {
    const wanted = ["ticker.100ms", "ticker.1s", "candles.1", "book.none.7.100ms"]
    const { replies } = subscribe([
      ...wanted.map((channel) => ({ channel, product })),
      { channel: "quote", product: "NO-PERPETUAL" }
    ])
    assert.deepStrictEqual(decoded(replies).map(({ _tag, channel }) => [_tag, channel]), [
      ["Subscribed", "ticker.100ms"],
      ["Ticker", undefined]
    ])
  })

  it("refuses in the venue's words, and changes nothing", () => {
    const request = (method: string, params: object = {}) => ({ jsonrpc: "2.0", id: 7, method, params })
    for (
      const [frame, code, message] of [
        ["{", "-32700", "Parse error"],
        [{ id: 7 }, "-32600", "Invalid Request"],
        [request("public/ticket"), "-32601", "Method not found"],
        [request("public/subscribe"), "-32602", "Invalid params: channels: missing"],
        [request("public/set_heartbeat"), "-32602", "Invalid params: interval: missing"],
        [request("public/set_heartbeat", { interval: 9 }), "-32602", "Invalid params: interval: too low"],
        [
          request("public/subscribe", { channels: ["quote.BTC-PERPETUAL", "trades.BTC-PERPETUAL.raw"] }),
          "13778",
          "raw_subscriptions_not_available_for_unauthorized"
        ]
      ] as const
    ) {
      const answer = ask(frame)
      const [error, ...more] = decoded(answer.replies)
      assert.deepStrictEqual([error._tag, error.code, error.message, more], ["VenueError", code, message, []])
      assert.strictEqual(answer.session.channels.size, 0)
    }
    assert.strictEqual(decoded(venue.receive(MockVenue.newSession, Uint8Array.of(1), floor).replies)[0].code, "-32700")
  })

  it("ends the session of who sends more than a hundred requests in five seconds", () => {
    const test = { jsonrpc: "2.0", id: 1, method: "public/test" }
    let { session } = ask(test)
    for (let i = 1; i < 100; i++) {
      const answer = ask(test, session)
      assert.isUndefined(answer.close)
      session = answer.session
    }
    const over = ask(test, session)
    assert.deepStrictEqual(decoded(over.replies), [
      { _tag: "VenueError", venue: "deribit", code: "10028", message: "too_many_requests" }
    ])
    assert.deepStrictEqual(over.close, { code: 1000, reason: "" })
    assert.isUndefined(ask(test, session, { ...floor, atMillis: atMillis + 5_000 }).close)
  })

  it("gives up all channels at once, and goes on with heartbeats", () => {
    const enabled = ask(
      { jsonrpc: "2.0", id: 4, method: "public/set_heartbeat", params: { interval: 10 } },
      subscribe().session
    )
    const { replies, session } = ask({ jsonrpc: "2.0", id: 5, method: "public/unsubscribe_all" }, enabled.session)
    assert.deepStrictEqual(parsed(replies), [{ jsonrpc: "2.0", id: 5, result: "ok", ...times }])
    assert.deepStrictEqual([...MockVenue.followed(session)], [])
    assert.lengthOf(venue.heartbeat(session, floor), 2)
    assert.include(
      JSON.stringify(parsed(ask({ jsonrpc: "2.0", id: 6, method: "private/unsubscribe_all" }, session).replies)),
      "-32601"
    )
  })

  it("tests who asked for heartbeats, and hears the answer", () => {
    const { keepAlive } = Deribit.venue
    assert(keepAlive._tag === "Requested")
    assert.deepStrictEqual(venue.heartbeat(subscribe().session, floor), [])
    const enabled = ask(keepAlive.enable(3))
    assert.deepStrictEqual(parsed(enabled.replies), [{ jsonrpc: "2.0", id: 1_000_000_003, result: "ok", ...times }])
    const beats = venue.heartbeat(enabled.session, floor)
    const answers = beats.map(({ text }) => {
      const events = Deribit.venue.decode(text)
      return Rejection.isFrameRejected(events) ? [] : events.map((event) => keepAlive.answer(event, 4))
    })
    assert.deepStrictEqual(decoded(beats).map(({ kind }) => kind), ["heartbeat", "testRequest"])
    assert.deepStrictEqual(answers[0], [undefined])
    assert.deepStrictEqual(decoded(ask(answers[1]?.[0] ?? "").replies), [
      { _tag: "Response", venue: "deribit", requestId: "1000000004", result: { version: "1.2.26" } }
    ])
    const disabled = ask({ jsonrpc: "2.0", id: 5, method: "public/disable_heartbeat" }, enabled.session)
    assert.deepStrictEqual(venue.heartbeat(disabled.session, floor), [])
  })

  it("gives a price by hand, and breaks what is continuous", () => {
    assert.deepStrictEqual(decoded([venue.price(product, "1.50", atMillis)]), [
      { _tag: "Ticker", venue: "deribit", product, price: "1.50", timestamp: "2023-11-14T22:13:20.000Z" }
    ])
    const { session } = subscribe([{ channel: "book.agg2", product }])
    const [delta] = venue.publish(session, bitcoin.last, floor)
    const text = delta?.text ?? ""
    const broken = venue.corrupt(text) ?? ""
    assert.notStrictEqual(
      decoded([{ text: broken, data: undefined }])[0].previousSequence,
      decoded([{ text, data: undefined }])[0].previousSequence
    )
    assert.isUndefined(venue.corrupt("{}"))
  })
})
