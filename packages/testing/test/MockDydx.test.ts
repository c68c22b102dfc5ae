import { assert, describe, it } from "@effect/vitest"
import * as Rejection from "@tickline/core/codec/Rejection"
import * as Ndjson from "@tickline/core/event/Ndjson"
import * as Timestamp from "@tickline/core/value/Timestamp"
import * as Dydx from "@tickline/core/venue/dydx/Venue"
import * as Market from "@tickline/testing/Market"
import * as MockDydx from "@tickline/testing/MockDydx"
import * as MockVenue from "@tickline/testing/MockVenue"

const [bitcoin] = Market.products
const atMillis = 1_700_000_000_000
const markets = new Map(Market.products.map((product) => [
  product.symbol,
  Market.make(product, { seed: 7, atMillis })
]))
const floor: MockVenue.Floor = { atMillis, market: (product) => markets.get(product), sent: 5 }
const before = markets.get(bitcoin.symbol) ?? Market.make(bitcoin, { seed: 7, atMillis })
const { last } = Market.next(before, atMillis + 5)

const mock = MockDydx.make()
const { venue } = Dydx

const ask = (frame: unknown, session = MockVenue.newSession, at = floor) =>
  mock.receive(session, typeof frame === "string" ? frame : JSON.stringify(frame), at)

const bitcoinChannels = ["v4_trades", "v4_orderbook", "v4_markets"].map((channel) => ({ channel, product: "BTC-USD" }))

const subscribe = (channel: string, id?: string, more: object = {}) => ({
  type: "subscribe",
  channel,
  ...(id === undefined ? {} : { id }),
  ...more
})

/** What our own venue makes of the frames, as the runner prints it. */
const decoded = (frames: ReadonlyArray<MockVenue.Outgoing>) =>
  frames.flatMap(({ text }) => {
    const events = venue.decode(text)
    return Rejection.isFrameRejected(events)
      ? assert.fail(events.message)
      : events.map((event) => JSON.parse(Ndjson.toJson(event)))
  })

/** As the venue writes times: milliseconds. */
const millis = (timestamp: string): string =>
  Timestamp.format(Timestamp.fromEpochMillis(Timestamp.epochMillis(Timestamp.parse(timestamp)!)))

const trade = (tick: Market.Tick, sequence: number) => ({
  _tag: "Trade",
  venue: "dydx",
  product: tick.product,
  price: tick.price,
  size: tick.size,
  side: tick.side,
  tradeId: tick.tradeId.toString(16).padStart(24, "0"),
  timestamp: millis(tick.timestamp),
  sequence: String(sequence)
})

const deltas = (tick: Market.Tick, sequence: (index: number) => number) =>
  tick.changes.map(([side, price, size], index) => ({
    _tag: "BookDelta",
    venue: "dydx",
    product: tick.product,
    bids: side === "buy" ? [[price, size]] : [],
    asks: side === "sell" ? [[price, size]] : [],
    sequence: String(sequence(index))
  }))

describe("MockDydx", () => {
  it("greets a connection with message 0", () => {
    const greeting = mock.greet?.({ ...floor, sent: 0 }) ?? []
    assert.deepStrictEqual(greeting.map(({ text }) => JSON.parse(text)), [
      { type: "connected", connection_id: "00000000-0000-4000-8000-000000000000", message_id: 0 }
    ])
    assert.deepStrictEqual(decoded(greeting), [{ _tag: "Other", venue: "dydx", kind: "connected" }])
  })

  it("confirms what our venue asks for with the state so far", () => {
    let session = MockVenue.newSession
    const events = venue.subscribe(bitcoinChannels, 1).map(({ text }) => {
      const answer = mock.receive(session, text, floor)
      session = answer.session
      return decoded(answer.replies)
    })
    const book = Market.book(before)
    assert.deepStrictEqual(events, [
      [
        { _tag: "Subscribed", venue: "dydx", channel: "v4_trades", product: "BTC-USD" },
        { ...trade(before.last, 5), history: true }
      ],
      [
        { _tag: "Subscribed", venue: "dydx", channel: "v4_orderbook", product: "BTC-USD" },
        { _tag: "BookSnapshot", venue: "dydx", product: "BTC-USD", bids: book.bids, asks: book.asks, sequence: "5" }
      ],
      [
        { _tag: "Subscribed", venue: "dydx", channel: "v4_markets" },
        ...[...markets].map(([product, market]) => ({
          _tag: "PriceUpdate",
          venue: "dydx",
          product,
          price: market.last.price
        }))
      ]
    ])
  })

  it("sends updates in batches where they are asked for so, each frame with the next number", () => {
    let session = MockVenue.newSession
    for (const { text } of venue.subscribe(bitcoinChannels, 1)) {
      session = mock.receive(session, text, floor).session
    }
    const frames = mock.publish(session, last, floor)
    assert.deepStrictEqual(frames.map(({ text }) => JSON.parse(text).type), [
      "channel_batch_data",
      "channel_batch_data",
      "channel_batch_data"
    ])
    assert.deepStrictEqual(decoded(frames), [
      trade(last, 5),
      ...deltas(last, () => 6),
      {
        _tag: "PriceUpdate",
        venue: "dydx",
        product: "BTC-USD",
        price: last.price,
        timestamp: millis(last.timestamp)
      }
    ])
    assert.deepStrictEqual(frames.map(({ data }) => data), [
      { channel: "v4_trades", product: "BTC-USD" },
      { channel: "v4_orderbook", product: "BTC-USD" },
      { channel: "v4_markets", product: "BTC-USD" }
    ])
  })

  it("sends each update by itself otherwise", () => {
    let session = ask(subscribe("v4_orderbook", "BTC-USD")).session
    session = ask(subscribe("v4_trades", "BTC-USD"), session).session
    const frames = mock.publish(session, last, floor)
    assert.strictEqual(frames.length, last.changes.length + 1)
    assert.deepStrictEqual(decoded(frames), [
      ...deltas(last, (index) => 5 + index),
      trade(last, 5 + last.changes.length)
    ])
    assert.deepStrictEqual(mock.publish(session, markets.get("ETH-USD")!.last, floor), [])
  })

  it("ends a subscription", () => {
    const { session } = ask(subscribe("v4_trades", "BTC-USD", { batched: true }))
    const [text] = venue.unsubscribe([{ channel: "v4_trades", product: "BTC-USD" }], 1).map((each) => each.text)
    const ended = mock.receive(session, text ?? "", floor)
    assert.deepStrictEqual(decoded(ended.replies), [
      { _tag: "Unsubscribed", venue: "dydx", channel: "v4_trades", product: "BTC-USD" }
    ])
    assert.deepStrictEqual(mock.publish(ended.session, last, floor), [])
    const again = ask(subscribe("v4_markets"))
    const markets = mock.receive(again.session, "{\"type\":\"unsubscribe\",\"channel\":\"v4_markets\"}", floor)
    assert.deepStrictEqual(decoded(markets.replies), [{ _tag: "Unsubscribed", venue: "dydx", channel: "v4_markets" }])
    assert.deepStrictEqual(mock.publish(markets.session, last, floor), [])
  })

  it("refuses in the venue's words, and changes nothing", () => {
    const { session } = ask(subscribe("v4_markets"), ask(subscribe("v4_trades", "BTC-USD")).session)
    for (
      const [frame, message] of [
        ["{", "Invalid message: could not parse"],
        [{ channel: "v4_trades" }, "Invalid message: type is required"],
        [{ type: "dance" }, "Invalid message type: dance"],
        [{ type: "subscribe" }, "Invalid subscribe message: channel is required"],
        [subscribe("v5_trades", "BTC-USD"), "Invalid channel: v5_trades"],
        [subscribe("v4_trades"), "Invalid id: undefined"],
        [subscribe("v4_trades", "NO-USD"), "Invalid subscription id for channel: (v4_trades-NO-USD)"],
        [subscribe("v4_trades", "BTC-USD"), "Invalid subscribe message: already subscribed (v4_trades-BTC-USD)"],
        [subscribe("v4_markets"), "Invalid subscribe message: already subscribed (v4_markets-v4_markets)"]
      ] as const
    ) {
      const answer = ask(frame, session)
      assert.deepStrictEqual(decoded(answer.replies), [{ _tag: "VenueError", venue: "dydx", message }])
      assert.deepStrictEqual(answer.session.channels, session.channels)
      assert.isUndefined(answer.close)
    }
    assert.deepStrictEqual(ask({ type: "ping" }, session).replies, [])
  })

  it("an error repeats the number of the message before it, and takes none", () => {
    const { replies: [refusal] } = ask({ type: "hello" }, undefined, { ...floor, sent: 5 })
    assert.strictEqual(JSON.parse(refusal?.text ?? "").message_id, 4)
    assert.isFalse(refusal?.isNumbered)
  })

  it("refuses the 33rd subscription of a channel", () => {
    const products = Array.from({ length: 33 }, (_, i) => `P${i}-USD`)
    const busy = { ...floor, market: (product: string) => products.includes(product) ? before : undefined }
    let session = MockVenue.newSession
    const answers = products.map((product) => {
      const answer = ask(subscribe("v4_trades", product), session, busy)
      session = answer.session
      return decoded(answer.replies)[0]
    })
    assert.deepStrictEqual(answers.map(({ _tag }) => _tag), [
      ...products.slice(1).map(() => "Subscribed"),
      "VenueError"
    ])
    assert.strictEqual(
      answers.at(-1).message,
      "Per-connection subscription limit reached for v4_trades (limit=32)."
    )
  })

  it("closes on the third invalid message of a second", () => {
    let session = MockVenue.newSession
    for (let i = 0; i < 2; i++) session = ask("{", session).session
    const third = ask("{", session)
    assert.deepStrictEqual(third.close, { code: 1008, reason: "{\"message\":\"Rate limited\"}" })
    assert.strictEqual(decoded(third.replies)[0].message, "Too many invalid messages. Please reconnect and try again.")
    assert.isUndefined(ask("{", session, { ...floor, atMillis: atMillis + 1_000 }).close)
  })

  it("sends a price by hand, and breaks the numbers it sends", () => {
    assert.deepStrictEqual(decoded([mock.price("BTC-USD", "43250.10", atMillis)]), [
      {
        _tag: "PriceUpdate",
        venue: "dydx",
        product: "BTC-USD",
        price: "43250.10",
        timestamp: "2023-11-14T22:13:20.000Z"
      }
    ])
    const [frame] = mock.publish(ask(subscribe("v4_trades", "BTC-USD")).session, last, floor)
    const broken = mock.corrupt(frame?.text ?? "") ?? ""
    assert.deepStrictEqual(decoded([{ text: broken, data: undefined }]), [trade(last, 1_005)])
    assert.isUndefined(mock.corrupt("{}"))
  })
})
