import { assert, describe, it } from "@effect/vitest"
import * as Rejection from "@tickline/core/codec/Rejection"
import * as Ndjson from "@tickline/core/event/Ndjson"
import * as CoinbaseExchange from "@tickline/core/venue/coinbase-exchange/Venue"
import * as Generic from "@tickline/core/venue/generic/Venue"
import type { Venue } from "@tickline/core/venue/Venue"
import * as Market from "@tickline/testing/Market"
import * as MockCoinbaseExchange from "@tickline/testing/MockCoinbaseExchange"
import * as MockGeneric from "@tickline/testing/MockGeneric"
import * as MockVenue from "@tickline/testing/MockVenue"
import * as MockVenues from "@tickline/testing/MockVenues"

const [bitcoin, ether] = Market.products
const atMillis = 1_700_000_000_000
const markets = new Map(Market.products.map((product) => [
  product.symbol,
  Market.make(product, { seed: 7, atMillis })
]))
const floor: MockVenue.Floor = { atMillis, market: (product) => markets.get(product) }
const bitcoinMarket = floor.market(bitcoin.symbol) ?? Market.make(bitcoin, { seed: 7, atMillis })

const ask = (venue: MockVenue.MockVenue, frame: unknown, session = MockVenue.newSession) => {
  const answer = venue.receive(session, typeof frame === "string" ? frame : JSON.stringify(frame), floor)
  return { session: answer.session, replies: answer.replies.map(({ text }) => JSON.parse(text)) }
}

const texts = (frames: ReadonlyArray<MockVenue.Outgoing>) => frames.map(({ text }) => JSON.parse(text))

/** What our own venue makes of the frames, as the runner prints it. */
const decoded = (venue: Venue, frames: ReadonlyArray<MockVenue.Outgoing>) =>
  frames.flatMap(({ text }) => {
    const events = venue.decode(text)
    return Rejection.isFrameRejected(events)
      ? assert.fail(events.message)
      : events.map((event) => JSON.parse(Ndjson.toJson(event)))
  })

describe("MockCoinbaseExchange", () => {
  const venue = MockCoinbaseExchange.make()
  const subscribe = { type: "subscribe", product_ids: ["BTC-USD"], channels: ["matches", "ticker", "level2"] }

  it("acknowledges, then greets each channel", () => {
    const { replies } = ask(venue, subscribe)
    assert.deepStrictEqual(replies[0], {
      type: "subscriptions",
      channels: subscribe.channels.map((name) => ({ name, product_ids: ["BTC-USD"] }))
    })
    assert.deepStrictEqual(replies.slice(1).map(({ type }) => type), ["last_match", "ticker", "snapshot"])
    const { asks, bids } = Market.book(bitcoinMarket)
    assert.deepInclude(replies[3], { product_id: "BTC-USD", asks, bids })
  })

  it("lists products per channel, adds, removes, and greets nothing twice", () => {
    const first = ask(venue, { type: "subscribe", channels: [{ name: "matches", product_ids: ["BTC-USD"] }] })
    const second = ask(venue, {
      type: "subscribe",
      product_ids: ["BTC-USD", "ETH-USD"],
      channels: ["matches", "heartbeat"]
    }, first.session)
    assert.deepStrictEqual(second.replies.map(({ type }) => type), ["subscriptions", "last_match"])
    const third = ask(venue, { type: "unsubscribe", product_ids: ["BTC-USD"], channels: ["matches"] }, second.session)
    assert.deepStrictEqual(third.replies, [{
      type: "subscriptions",
      channels: [
        { name: "matches", product_ids: ["ETH-USD"] },
        { name: "heartbeat", product_ids: ["BTC-USD", "ETH-USD"] }
      ]
    }])
    const fourth = ask(venue, { type: "unsubscribe", channels: ["matches", "heartbeat"] }, third.session)
    assert.deepStrictEqual(fourth.replies, [{ type: "subscriptions", channels: [] }])
  })

  it("refuses in the venue's words, and changes nothing", () => {
    for (
      const [frame, error] of [
        ["{", { message: "Malformed JSON" }],
        [{ type: "hello" }, {
          message: "Failed to subscribe",
          reason: "Type has to be either subscribe or unsubscribe"
        }],
        [{ type: "subscribe", product_ids: ["BTC-USD"] }, {
          message: "Failed to subscribe",
          reason: "No channels provided"
        }],
        [{ type: "subscribe", product_ids: ["BTC-USD"], channels: ["matches", "candles"] }, {
          message: "Failed to subscribe",
          reason: "candles is not a valid channel"
        }],
        [{ type: "subscribe", product_ids: ["BTC-USD", "NO-USD"], channels: ["matches"] }, {
          message: "Failed to subscribe",
          reason: "NO-USD is not a valid product"
        }],
        [{ type: "subscribe", channels: ["heartbeat"] }, {
          message: "Failed to subscribe",
          reason: "You need to specify at least one product ID for channel heartbeat"
        }]
      ] as const
    ) {
      const { replies, session } = ask(venue, frame)
      assert.deepStrictEqual(replies, [{ type: "error", ...error }])
      assert.strictEqual(session.channels.size, 0)
    }
    assert.deepStrictEqual(texts(venue.receive(MockVenue.newSession, Uint8Array.of(1), floor).replies), [
      { type: "error", message: "Malformed JSON" }
    ])
  })

  it("a tick gives each channel's frame, as our own venue reads it, the taker's side included", () => {
    const { session } = ask(venue, subscribe)
    const { last } = Market.next(bitcoinMarket, atMillis + 5)
    const frames = venue.publish(session, last, floor)
    assert.deepStrictEqual(frames.map(({ data }) => data), [
      { channel: "matches", product: "BTC-USD" },
      { channel: "ticker", product: "BTC-USD" },
      { channel: "level2", product: "BTC-USD" }
    ])
    const events = decoded(CoinbaseExchange.venue, frames)
    const { price, side, size, timestamp } = last
    const [tradeId, sequence] = [last.tradeId, last.sequence].map(String)
    assert.deepStrictEqual(events[0], {
      _tag: "Trade",
      venue: "coinbase-exchange",
      product: "BTC-USD",
      price,
      size,
      side,
      tradeId,
      timestamp,
      sequence
    })
    assert.deepInclude(events[1], { _tag: "Ticker", price, sequence, bid: last.bid[0], askSize: last.ask[1] })
    assert.deepInclude(events[2], { _tag: "BookDelta", product: "BTC-USD" })
    const subscription = venue.receive(MockVenue.newSession, JSON.stringify(subscribe), floor).replies
    assert.deepStrictEqual(decoded(CoinbaseExchange.venue, subscription).map(({ _tag }) => _tag), [
      "Subscribed",
      "Subscribed",
      "Subscribed",
      "Trade",
      "Ticker",
      "BookSnapshot"
    ])
    const { last: etherTick } = Market.make(ether ?? bitcoin, { seed: 7, atMillis })
    assert.deepStrictEqual(venue.publish(session, etherTick, floor), [])
  })

  it("heartbeats name the last trade; what carries a sequence can be corrupted", () => {
    const { session } = ask(venue, { type: "subscribe", product_ids: ["BTC-USD"], channels: ["heartbeat", "matches"] })
    assert.deepStrictEqual(texts(venue.heartbeat(session, floor)), [{
      type: "heartbeat",
      last_trade_id: bitcoinMarket.last.tradeId,
      product_id: "BTC-USD",
      sequence: bitcoinMarket.last.sequence,
      time: "2023-11-14T22:13:20.000Z"
    }])
    const [match] = venue.publish(session, bitcoinMarket.last, floor)
    assert.strictEqual(
      JSON.parse(venue.corrupt(match?.text ?? "") ?? "{}").sequence,
      bitcoinMarket.last.sequence + 1_000
    )
    assert.isUndefined(venue.corrupt("{\"type\":\"l2update\"}"))
  })
})

describe("MockGeneric", () => {
  const subscribe = { type: "subscribe", product_ids: ["BTC-USD"] }

  it("acknowledges, sends the price message with a consecutive sequence, and stops when asked", () => {
    const venue = MockGeneric.make()
    const { replies, session } = ask(venue, subscribe)
    assert.deepStrictEqual(replies, [{ type: "subscribed", product_ids: ["BTC-USD"] }])
    const { last } = bitcoinMarket
    assert.deepStrictEqual(texts(venue.publish(session, last, floor)), [
      { product_id: "BTC-USD", price: last.price, timestamp: last.timestamp, sequence: last.tradeId }
    ])
    assert.deepStrictEqual(decoded(Generic.venue, venue.publish(session, last, floor)), [
      {
        _tag: "PriceUpdate",
        venue: "generic",
        product: "BTC-USD",
        price: last.price,
        timestamp: last.timestamp
      }
    ])
    const ended = ask(venue, { ...subscribe, type: "unsubscribe" }, session)
    assert.deepStrictEqual(ended.replies, [{ type: "unsubscribed", product_ids: ["BTC-USD"] }])
    assert.deepStrictEqual(venue.publish(ended.session, last, floor), [])
  })

  it("writes a number with all its digits, or string and number by turns", () => {
    const price = (venue: MockVenue.MockVenue, tick: Market.Tick) =>
      /"price":(.*?),"timestamp"/.exec(
        venue.publish(ask(venue, { type: "subscribe", product_ids: [tick.product] }).session, tick, floor)[0]?.text ??
          ""
      )?.[1]
    const { last } = bitcoinMarket
    assert.strictEqual(price(MockGeneric.make({ prices: "number" }), last), last.price)
    const forms = [last, { ...last, tradeId: last.tradeId + 1 }].map((tick) =>
      price(MockGeneric.make({ prices: "alternating" }), tick)
    )
    assert.sameMembers(forms, [last.price, JSON.stringify(last.price)])
  })

  it("refuses what it cannot read, and unknown products", () => {
    const venue = MockGeneric.make()
    assert.include(ask(venue, "{").replies[0].message, "expected")
    assert.deepStrictEqual(ask(venue, { type: "subscribe", product_ids: ["NO-USD"] }).replies, [
      { type: "error", message: "unknown product NO-USD" }
    ])
  })
})

describe("MockVenues", () => {
  it("finds a mock by its venue's name", () => {
    assert.strictEqual(MockVenues.byName("coinbase-exchange")?.name, "coinbase-exchange")
    assert.strictEqual(MockVenues.byName("generic")?.name, "generic")
    assert.isUndefined(MockVenues.byName("nowhere"))
  })
})
