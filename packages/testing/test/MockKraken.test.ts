import { assert, describe, it } from "@effect/vitest"
import * as Rejection from "@tickline/core/codec/Rejection"
import type * as MarketData from "@tickline/core/event/MarketData"
import * as Ndjson from "@tickline/core/event/Ndjson"
import * as Decimal from "@tickline/core/value/Decimal"
import * as KrakenChecksum from "@tickline/core/venue/kraken/KrakenChecksum"
import * as Kraken from "@tickline/core/venue/kraken/Venue"
import * as Market from "@tickline/testing/Market"
import * as MockKraken from "@tickline/testing/MockKraken"
import * as MockVenue from "@tickline/testing/MockVenue"

const atMillis = 1_700_000_000_000
const time = "2023-11-14T22:13:20.000Z"
const products: ReadonlyArray<Market.Product> = [
  { symbol: "BTC/USD", price: "43250.10", size: "0.05000000" },
  { symbol: "ETH/USD", price: "2280.50", size: "0.80000000" }
]
const markets = new Map(products.map((product) => [product.symbol, Market.make(product, { seed: 7, atMillis })]))
const floorOf = (listed: ReadonlyMap<string, Market.Market>): MockVenue.Floor => ({
  atMillis,
  market: (product) => listed.get(product)
})
const floor = floorOf(markets)
const bitcoin = floor.market("BTC/USD") ?? assert.fail("no market")

const venue = MockKraken.make()

const ask = (frame: unknown, session = MockVenue.newSession) => {
  const answer = venue.receive(session, typeof frame === "string" ? frame : JSON.stringify(frame), floor)
  return { session: answer.session, texts: answer.replies.map(({ text }) => text), replies: answer.replies }
}

const parsed = (texts: ReadonlyArray<string>): ReadonlyArray<unknown> => texts.map((text): unknown => JSON.parse(text))

/** What our own venue makes of the frames, as the runner prints it. */
const decoded = (frames: ReadonlyArray<MockVenue.Outgoing>) =>
  frames.flatMap(({ text }) => {
    const events = Kraken.venue.decode(text)
    return Rejection.isFrameRejected(events)
      ? assert.fail(events.message)
      : events.map((event) => JSON.parse(Ndjson.toJson(event)))
  })

const subscribeTo = (...channels: ReadonlyArray<string>) => {
  let session = MockVenue.newSession
  const replies: Array<MockVenue.Outgoing> = []
  for (
    const { text } of Kraken.venue.subscribe(channels.map((channel) => ({ channel, product: "BTC/USD" })), 1)
  ) {
    const answer = venue.receive(session, text, floor)
    session = answer.session
    replies.push(...answer.replies)
  }
  return { session, replies }
}

describe("MockKraken", () => {
  it("confirms each symbol by itself, with the id of the request, and greets it with a snapshot", () => {
    const { session, texts } = ask({
      method: "subscribe",
      params: { channel: "trade", symbol: ["BTC/USD", "NO/USD", "ETH/USD"], snapshot: true },
      req_id: 7
    })
    assert.strictEqual(
      texts[0],
      `{"method":"subscribe","req_id":7,"result":{"channel":"trade","snapshot":true,"symbol":"BTC/USD"},` +
        `"success":true,"time_in":"${time}","time_out":"${time}"}`
    )
    assert.deepStrictEqual(parsed(texts).map((frame) => Object.keys(frame as object)[0]), [
      "method",
      "channel",
      "error",
      "method",
      "channel"
    ])
    assert.strictEqual(
      texts[2],
      `{"error":"Currency pair not supported NO/USD","method":"subscribe","req_id":7,"success":false,` +
        `"symbol":"NO/USD","time_in":"${time}","time_out":"${time}"}`
    )
    assert.deepStrictEqual([...session.channels], [["trade", new Set(["BTC/USD", "ETH/USD"])]])
  })

  it("says to our own venue what the market said, digit by digit", () => {
    const { replies, session } = subscribeTo("trade", "ticker", "book", "book-1000")
    const { last } = bitcoin
    const { asks, bids } = Market.book(bitcoin)
    const snapshot = {
      _tag: "BookSnapshot",
      venue: "kraken",
      product: "BTC/USD",
      bids,
      asks,
      timestamp: last.timestamp
    }
    const events = decoded(replies)
    const channel = (name: string, requestId: string) => ({
      _tag: "Subscribed",
      venue: "kraken",
      channel: name,
      product: "BTC/USD",
      requestId
    })
    const { price, product, side, size, timestamp } = last
    const trade = {
      _tag: "Trade",
      venue: "kraken",
      product,
      price,
      size,
      side,
      tradeId: String(last.tradeId),
      timestamp
    }
    const ticker = {
      _tag: "Ticker",
      venue: "kraken",
      product,
      price,
      bid: last.bid[0],
      bidSize: last.bid[1],
      ask: last.ask[0],
      askSize: last.ask[1],
      volume: last.volume,
      timestamp
    }
    const checksum = events[5].checksum
    assert.deepStrictEqual(events, [
      channel("trade", "1"),
      { ...trade, history: true },
      channel("ticker", "2"),
      ticker,
      channel("book", "3"),
      { ...snapshot, checksum },
      channel("book", "4"),
      { ...snapshot, checksum }
    ])

    const next = Market.next(bitcoin, atMillis + 5)
    const frames = venue.publish(session, next.last, floorOf(new Map([["BTC/USD", next]])))
    assert.deepStrictEqual(frames.map(({ data }) => data?.channel), ["trade", "ticker", "book", "book-1000"])
    const [traded, ticked, updated] = decoded(frames)
    assert.deepInclude(traded, { _tag: "Trade", price: next.last.price, side: next.last.side, size: next.last.size })
    assert.isUndefined(traded.history)
    assert.deepInclude(ticked, { _tag: "Ticker", price: next.last.price, ask: next.last.ask[0] })
    assert.deepInclude(updated, {
      _tag: "BookDelta",
      bids: next.last.changes.filter(([side]) => side === "buy").map(([, price, size]) => [price, size]),
      asks: next.last.changes.filter(([side]) => side === "sell").map(([, price, size]) => [price, size])
    })
    assert.deepStrictEqual(venue.publish(session, markets.get("ETH/USD")?.last ?? last, floor), [])
  })

  it("sends checksums that a book built from its frames has, at every depth", () => {
    const { replies, session } = subscribeTo("book-25")
    const sides = { bids: new Map<string, string>(), asks: new Map<string, string>() }
    let checked = 0
    const check = (frames: ReadonlyArray<MockVenue.Outgoing>): void => {
      for (const event of decoded(frames)) {
        if (event.checksum === undefined) continue
        for (const side of ["bids", "asks"] as const) {
          for (const [price, size] of event[side]) {
            if (/^[0.]+$/.test(size)) sides[side].delete(price)
            else sides[side].set(price, size)
          }
        }
        const sorted = (side: ReadonlyMap<string, string>, sign: 1 | -1): ReadonlyArray<MarketData.Level> =>
          [...side].sort(([a], [b]) => sign * (Number(a) - Number(b))).map(([price, size]) => [
            Decimal.parse(price) ?? Decimal.zero,
            Decimal.parse(size) ?? Decimal.zero
          ])
        assert.strictEqual(KrakenChecksum.checksum(sorted(sides.asks, 1), sorted(sides.bids, -1)), event.checksum)
        checked++
      }
    }
    check(replies)
    let market = bitcoin
    for (let i = 1; i <= 50; i++) {
      market = Market.next(market, atMillis + i * 1_000)
      check(venue.publish(session, market.last, floorOf(new Map([["BTC/USD", market]]))))
    }
    assert.strictEqual(checked, 51)
  })

  it("ends what it is asked to end", () => {
    const { session } = subscribeTo("book-100", "trade")
    const [unsubscribe] = Kraken.venue.unsubscribe([{ channel: "book-100", product: "BTC/USD" }], 9)
    const ended = ask(unsubscribe?.text ?? "", session)
    assert.deepStrictEqual(decoded(ended.replies), [
      { _tag: "Unsubscribed", venue: "kraken", channel: "book", product: "BTC/USD", requestId: "9" }
    ])
    assert.deepStrictEqual([...ended.session.channels.keys()], ["trade"])
    assert.deepStrictEqual(decoded(ask(unsubscribe?.text ?? "", ended.session).replies), [
      { _tag: "VenueError", venue: "kraken", message: "Subscription not found", requestId: "9" }
    ])
  })

  it("refuses in the venue's words, and changes nothing", () => {
    const { session } = subscribeTo("trade")
    const params = { channel: "trade", symbol: ["BTC/USD"] }
    for (
      const [frame, error] of [
        ["{", "Malformed request"],
        [{ params }, "Malformed request"],
        [{ method: "add_order", params: {} }, "Unsupported method"],
        [{ method: "subscribe", params: { ...params, channel: "candles" } }, "Channel not supported"],
        [
          { method: "subscribe", params: { ...params, channel: "book", depth: 27 } },
          "Subscription depth not supported"
        ],
        [{ method: "subscribe", params: { channel: "ticker" } }, "Symbol(s) not found"],
        [{ method: "subscribe", params }, "Already subscribed"]
      ] as const
    ) {
      const answer = ask(frame, session)
      assert.deepStrictEqual(decoded(answer.replies), [{ _tag: "VenueError", venue: "kraken", message: error }])
      assert.strictEqual(answer.session, session)
    }
    assert.strictEqual(decoded(venue.receive(session, Uint8Array.of(1), floor).replies)[0]._tag, "VenueError")
  })

  it("answers a ping, and says every second that it is alive where anything is subscribed to", () => {
    const { keepAlive } = Kraken.venue
    assert(keepAlive._tag === "Application")
    const pong = ask(keepAlive.ping(3))
    assert.deepStrictEqual(parsed(pong.texts), [{ method: "pong", req_id: 3, time_in: time, time_out: time }])
    assert.deepStrictEqual(decoded(pong.replies), [{ _tag: "Heartbeat", venue: "kraken", kind: "pong" }])
    assert.deepStrictEqual(venue.heartbeat(MockVenue.newSession, floor), [])
    assert.deepStrictEqual(decoded(venue.heartbeat(subscribeTo("trade").session, floor)), [
      { _tag: "Heartbeat", venue: "kraken", kind: "heartbeat" }
    ])
    assert.strictEqual(venue.heartbeatMillis, 1_000)
  })

  it("knows instruments, a price by hand, and what can be corrupted", () => {
    const instrument = ask({ method: "subscribe", params: { channel: "instrument" } })
    assert.deepStrictEqual(decoded(instrument.replies), [
      { _tag: "Subscribed", venue: "kraken", channel: "instrument" },
      { _tag: "Other", venue: "kraken", kind: "instrument" }
    ])
    assert.deepStrictEqual(
      ask({ method: "unsubscribe", params: { channel: "instrument" } }, instrument.session).session.channels.size,
      0
    )
    assert.deepStrictEqual(decoded([venue.price("BTC/USD", "1.50", atMillis)]), [
      { _tag: "Ticker", venue: "kraken", product: "BTC/USD", price: "1.50", timestamp: time }
    ])
    const snapshot = subscribeTo("book").replies.find(({ data }) => data !== undefined)
    const [before] = decoded(snapshot === undefined ? [] : [snapshot])
    const broken = venue.corrupt(snapshot?.text ?? "") ?? ""
    assert.notStrictEqual(decoded([{ text: broken, data: undefined }])[0].checksum, before.checksum)
    assert.isUndefined(venue.corrupt("{\"channel\":\"heartbeat\"}"))
  })
})
