import { assert, describe, it } from "@effect/vitest"
import * as Rejection from "@tickline/core/codec/Rejection"
import * as Ndjson from "@tickline/core/event/Ndjson"
import * as Coinbase from "@tickline/core/venue/coinbase/Venue"
import * as Market from "@tickline/testing/Market"
import * as MockCoinbase from "@tickline/testing/MockCoinbase"
import * as MockVenue from "@tickline/testing/MockVenue"
import * as MockVenues from "@tickline/testing/MockVenues"

const atMillis = 1_700_000_000_000
const [bitcoin] = Market.products
const market = Market.make(bitcoin, { seed: 7, atMillis })
const floor: MockVenue.Floor = {
  atMillis,
  market: (symbol) => symbol === bitcoin.symbol ? market : undefined,
  sent: 0
}
const mock = MockCoinbase.make()

const ask = (frame: unknown, session = MockVenue.newSession, sent = 0) =>
  mock.receive(session, typeof frame === "string" ? frame : JSON.stringify(frame), { ...floor, sent })

/** What our own venue makes of the frames, as the runner prints it. */
const decoded = (frames: ReadonlyArray<MockVenue.Outgoing>) =>
  frames.flatMap(({ text }) => {
    const events = Coinbase.venue.decode(text)
    return Rejection.isFrameRejected(events)
      ? assert.fail(events.message)
      : events.map((event) => JSON.parse(Ndjson.toJson(event)) as Record<string, unknown>)
  })

const venue = "coinbase"
const product = "BTC-USD"
const timestamp = "2023-11-14T22:13:20.000Z"

const trade = ({ last }: Market.Market, sequence: number) => ({
  _tag: "Trade",
  venue,
  product,
  price: last.price,
  size: last.size,
  side: last.side,
  tradeId: String(last.tradeId),
  timestamp: last.timestamp,
  sequence: String(sequence)
})
const ticker = ({ last }: Market.Market, sequence: number) => ({
  _tag: "Ticker",
  venue,
  product,
  price: last.price,
  bid: last.bid[0],
  bidSize: last.bid[1],
  ask: last.ask[0],
  askSize: last.ask[1],
  volume: last.volume,
  timestamp,
  sequence: String(sequence)
})

/** Subscribes to the channels one after the other: the session and all frames that answer. */
const subscribed = (...channels: ReadonlyArray<string>) => {
  let session = MockVenue.newSession
  const frames: Array<MockVenue.Outgoing> = []
  for (const { text } of Coinbase.venue.subscribe(channels.map((channel) => ({ channel, product })), 1)) {
    const answer = ask(text, session, frames.length)
    session = answer.session
    frames.push(...answer.replies)
  }
  return { session, frames }
}

describe("MockCoinbase", () => {
  it("answers with all subscriptions, then greets, and numbers every frame", () => {
    const { frames } = subscribed("market_trades", "ticker", "level2")
    const { asks, bids } = Market.book(market)
    const listed = (channel: string) => ({ _tag: "Subscribed", venue, channel, product })
    assert.deepStrictEqual(frames.map(({ text }) => JSON.parse(text).sequence_num), [0, 1, 2, 3, 4, 5])
    assert.deepStrictEqual(decoded(frames), [
      listed("market_trades"),
      { ...trade(market, 1), history: true },
      listed("market_trades"),
      listed("ticker"),
      ticker(market, 3),
      listed("market_trades"),
      listed("ticker"),
      listed("level2"),
      { _tag: "BookSnapshot", venue, product, bids, asks, timestamp, sequence: "5" }
    ])
    // Greets nothing twice.
    const again = ask({ type: "subscribe", channel: "level2", product_ids: [product] }, subscribed("level2").session, 2)
    assert.deepStrictEqual(decoded(again.replies), [listed("level2")])
  })

  it("delivers what was subscribed to, as our own venue reads it", () => {
    const { session } = subscribed("market_trades", "ticker", "ticker_batch", "level2", "candles")
    const next = Market.next(market, atMillis + 5)
    const frames = mock.publish(session, next.last, { ...floor, sent: 40 })
    assert.deepStrictEqual(
      frames.map(({ data }) => data?.channel),
      ["market_trades", "ticker", "ticker_batch", "level2"]
    )
    const { ask: _ask, askSize: _askSize, bid: _bid, bidSize: _bidSize, ...batched } = ticker(next, 42)
    const levels = (side: "buy" | "sell") =>
      next.last.changes.filter((change) => change[0] === side).map(([, price, size]) => [price, size])
    assert.deepStrictEqual(decoded(frames), [
      trade(next, 40),
      ticker(next, 41),
      batched,
      {
        _tag: "BookDelta",
        venue,
        product,
        bids: levels("buy"),
        asks: levels("sell"),
        timestamp,
        sequence: "43"
      }
    ])
    const [frame] = frames
    const [broken] = decoded([{ text: mock.corrupt(frame?.text ?? "") ?? "", data: undefined }])
    assert.strictEqual(broken?.["sequence"], "1040")
    assert.isUndefined(mock.corrupt("{}"))
    assert.deepStrictEqual(mock.publish(session, { ...next.last, product: "ETH-USD" }, floor), [])
  })

  it("its snapshots and updates make the market's book", () => {
    const { frames, session } = subscribed("level2")
    const books = { bids: new Map<string, string>(), asks: new Map<string, string>() }
    const apply = (events: ReadonlyArray<Record<string, unknown>>) => {
      for (const event of events) {
        if (event["_tag"] !== "BookSnapshot" && event["_tag"] !== "BookDelta") continue
        for (const side of ["bids", "asks"] as const) {
          for (const [price = "", size = ""] of event[side] as ReadonlyArray<ReadonlyArray<string>>) {
            if (Number(size) === 0) books[side].delete(price)
            else books[side].set(price, size)
          }
        }
      }
    }
    apply(decoded(frames))
    let now = market
    for (let i = 1; i <= 100; i++) {
      now = Market.next(now, atMillis + i)
      apply(decoded(mock.publish(session, now.last, floor)))
      const { asks, bids } = Market.book(now)
      assert.deepStrictEqual(new Map(books.bids), new Map(bids))
      assert.deepStrictEqual(new Map(books.asks), new Map(asks))
    }
  })

  it("beats on its channel alone, once a second", () => {
    assert.strictEqual(mock.heartbeatMillis, 1_000)
    assert.deepStrictEqual(mock.heartbeat(subscribed("ticker").session, floor), [])
    const answer = ask({ type: "subscribe", channel: "heartbeats" })
    assert.deepStrictEqual(decoded(answer.replies), [{ _tag: "Subscribed", venue, channel: "heartbeats" }])
    const beats = mock.heartbeat(answer.session, { ...floor, sent: 9 })
    assert.deepStrictEqual(decoded(beats), [{ _tag: "Heartbeat", venue, kind: "heartbeat" }])
    assert.strictEqual(JSON.parse(beats[0]?.text ?? "").sequence_num, 9)
  })

  it("ends what it is asked to end: products, or the channel", () => {
    const { session } = subscribed("ticker", "level2")
    const one = ask({ type: "unsubscribe", channel: "ticker", product_ids: [product] }, session)
    assert.deepStrictEqual(decoded(one.replies), [{ _tag: "Subscribed", venue, channel: "level2", product }])
    const all = ask({ type: "unsubscribe", channel: "level2" }, one.session)
    assert.deepStrictEqual(decoded(all.replies), [{ _tag: "Subscribed", venue }])
    assert.deepStrictEqual(mock.publish(all.session, market.last, floor), [])
  })

  it("leaves a product that it does not list out of its answer, and says no more", () => {
    const none = ask({ type: "subscribe", channel: "ticker", product_ids: ["NO-USD"] })
    assert.deepStrictEqual(decoded(none.replies), [{ _tag: "Subscribed", venue }])
    assert.strictEqual(none.session.channels.size, 0)
    const { session } = subscribed("level2")
    const some = ask({ type: "subscribe", channel: "ticker", product_ids: ["NO-USD", product] }, session)
    assert.deepStrictEqual(decoded(some.replies).slice(0, 2), [
      { _tag: "Subscribed", venue, channel: "level2", product },
      { _tag: "Subscribed", venue, channel: "ticker", product }
    ])
    assert.deepStrictEqual([...some.session.channels.get("ticker") ?? []], [product])
  })

  it("serves a product in USDC as the one in dollars", () => {
    const answer = ask({ type: "subscribe", channel: "ticker", product_ids: ["BTC-USDC", product] })
    assert.deepStrictEqual(decoded(answer.replies), [
      { _tag: "Subscribed", venue, channel: "ticker", product },
      ticker(market, 1)
    ])
    const ended = ask({ type: "unsubscribe", channel: "ticker", product_ids: ["BTC-USDC"] }, answer.session)
    assert.deepStrictEqual(decoded(ended.replies), [{ _tag: "Subscribed", venue }])
    const apart = ask({ type: "subscribe", channel: "ticker", product_ids: ["USDT-USDC", "EURC-USDC"] })
    assert.deepStrictEqual(decoded(apart.replies), [{ _tag: "Subscribed", venue }])
  })

  it("refuses, and changes nothing", () => {
    for (
      const [frame, message] of [
        ["{", "malformed JSON"],
        [{ type: "hello" }, "malformed request"],
        [{ type: "subscribe", channel: "matches", product_ids: [product] }, "channel matches is not supported"],
        [{ type: "subscribe", channel: "user" }, "authentication failure"]
      ] as const
    ) {
      const answer = ask(frame)
      assert.deepStrictEqual(decoded(answer.replies), [{ _tag: "VenueError", venue, message }])
      assert.strictEqual(answer.session.channels.size, 0)
    }
  })

  it("sends a price by hand", () => {
    assert.deepStrictEqual(decoded([mock.price(product, "43250.10", atMillis)]), [
      { _tag: "Ticker", venue, product, price: "43250.10", timestamp }
    ])
  })

  it("is one of the mock venues", () => {
    assert.strictEqual(MockVenues.byName("coinbase")?.name, "coinbase")
  })
})
