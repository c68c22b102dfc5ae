import { assert, describe, it } from "@effect/vitest"
import * as Rejection from "@tickline/core/codec/Rejection"
import * as Ndjson from "@tickline/core/event/Ndjson"
import * as Timestamp from "@tickline/core/value/Timestamp"
import * as Hyperliquid from "@tickline/core/venue/hyperliquid/Venue"
import * as Market from "@tickline/testing/Market"
import * as MockHyperliquid from "@tickline/testing/MockHyperliquid"
import * as MockVenue from "@tickline/testing/MockVenue"

const [bitcoin] = Market.products
const atMillis = 1_700_000_000_000
const markets = new Map(Market.products.map((product) => [
  product.symbol,
  Market.make(product, { seed: 7, atMillis })
]))
const floor: MockVenue.Floor = { atMillis, market: (product) => markets.get(product) }
const before = markets.get(bitcoin.symbol) ?? Market.make(bitcoin, { seed: 7, atMillis })
const after = Market.next(before, atMillis + 5)
const later: MockVenue.Floor = {
  atMillis: atMillis + 5,
  market: (product) => product === bitcoin.symbol ? after : markets.get(product)
}

const mock = MockHyperliquid.make()
const { venue } = Hyperliquid

const ask = (frame: unknown, session = MockVenue.newSession, at = floor) =>
  mock.receive(session, typeof frame === "string" ? frame : JSON.stringify(frame), at)

const subscribe = (type: string, coin?: string, method = "subscribe") => ({
  method,
  subscription: coin === undefined ? { type } : { type, coin }
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

describe("MockHyperliquid", () => {
  it("greets in plain text", () => {
    const greeting = mock.greet?.(floor) ?? []
    assert.deepStrictEqual(greeting.map(({ text }) => text), ["Websocket connection established."])
    assert.deepStrictEqual(decoded(greeting), [{ _tag: "Other", venue: "hyperliquid", kind: "greeting" }])
  })

  it("confirms what our venue asks for, and says at once what there is", () => {
    const channels = ["trades", "bbo", "l2Book"].map((channel) => ({ channel, product: bitcoin.symbol }))
    let session = MockVenue.newSession
    for (const { channels: [channel], text } of venue.subscribe(channels, 1)) {
      const answer = mock.receive(session, text, floor)
      session = answer.session
      const [confirmation, current] = decoded(answer.replies)
      assert.deepStrictEqual(confirmation, { _tag: "Subscribed", venue: "hyperliquid", ...channel })
      assert.strictEqual(current.product, bitcoin.symbol)
    }
    assert.deepStrictEqual([...session.channels.keys()], ["trades", "bbo", "l2Book"])
    assert.deepStrictEqual(JSON.parse(ask(subscribe("l2Book", "BTC-USD")).replies[0]?.text ?? ""), {
      channel: "subscriptionResponse",
      data: {
        method: "subscribe",
        subscription: { type: "l2Book", coin: "BTC-USD", nSigFigs: null, mantissa: null }
      }
    })
  })

  it("a tick gives each subscription's frame, as our own venue reads it", () => {
    let session = MockVenue.newSession
    for (const type of ["trades", "bbo", "l2Book"]) session = ask(subscribe(type, "BTC-USD"), session).session
    const { last } = after
    const frames = mock.publish(session, last, later)
    assert.deepStrictEqual(
      frames.map(({ data }) => data),
      ["trades", "bbo", "l2Book"].map((channel) => ({ channel, product: "BTC-USD" }))
    )
    const common = { venue: "hyperliquid", product: "BTC-USD", timestamp: millis(last.timestamp) }
    const { price, side, size } = last
    assert.deepStrictEqual(decoded(frames), [
      { _tag: "Trade", ...common, price, size, side, tradeId: String(last.tradeId) },
      {
        _tag: "Ticker",
        ...common,
        bid: last.bid[0],
        bidSize: last.bid[1],
        ask: last.ask[0],
        askSize: last.ask[1]
      },
      { _tag: "BookSnapshot", ...common, ...Market.book(after) }
    ])
    assert.deepStrictEqual(mock.publish(session, markets.get("ETH-USD")!.last, floor), [])
  })

  it("gives the prices of all coins on one subscription", () => {
    const { replies, session } = ask(subscribe("allMids"))
    assert.deepStrictEqual(decoded(replies), [{ _tag: "Subscribed", venue: "hyperliquid", channel: "allMids" }])
    assert.deepStrictEqual(
      decoded(mock.publish(session, after.last, later)),
      Market.products.map(({ symbol }) => ({
        _tag: "PriceUpdate",
        venue: "hyperliquid",
        product: symbol,
        price: later.market(symbol)?.last.price
      }))
    )
    const ended = ask(subscribe("allMids", undefined, "unsubscribe"), session)
    assert.deepStrictEqual(decoded(ended.replies), [{ _tag: "Unsubscribed", venue: "hyperliquid", channel: "allMids" }])
    assert.strictEqual(ended.session.channels.size, 0)
  })

  it("has one subscription to all coins, whichever are listed when it is asked for", () => {
    const nothing: MockVenue.Floor = { atMillis, market: () => undefined }
    const { replies, session } = ask(subscribe("allMids"), MockVenue.newSession, nothing)
    assert.deepStrictEqual(decoded(replies), [{ _tag: "Subscribed", venue: "hyperliquid", channel: "allMids" }])
    assert.deepStrictEqual(decoded(ask(subscribe("allMids"), session).replies), [
      { _tag: "VenueError", venue: "hyperliquid", message: "Already subscribed: {\"type\":\"allMids\"}" }
    ])
  })

  it("ends a subscription", () => {
    const { session } = ask(subscribe("trades", "BTC-USD"))
    const [text] = venue.unsubscribe([{ channel: "trades", product: "BTC-USD" }], 1).map((each) => each.text)
    const ended = mock.receive(session, text ?? "", floor)
    assert.deepStrictEqual(decoded(ended.replies), [
      { _tag: "Unsubscribed", venue: "hyperliquid", channel: "trades", product: "BTC-USD" }
    ])
    assert.deepStrictEqual(mock.publish(ended.session, after.last, later), [])
  })

  it("answers the application's ping", () => {
    const { keepAlive } = venue
    const ping = keepAlive._tag === "Application" ? keepAlive.ping(1) : ""
    assert.deepStrictEqual(decoded(ask(ping).replies), [{ _tag: "Heartbeat", venue: "hyperliquid", kind: "pong" }])
  })

  it("refuses in the venue's words, and changes nothing", () => {
    const { session } = ask(subscribe("trades", "BTC-USD"))
    for (
      const [frame, message] of [
        ["{", "Error parsing JSON into valid websocket request: {"],
        [{ method: "dance" }, "Error parsing JSON into valid websocket request: {\"method\":\"dance\"}"],
        [subscribe("trades", "NO-USD"), "Invalid subscription {\"type\":\"trades\",\"coin\":\"NO-USD\"}"],
        [subscribe("trades"), "Invalid subscription {\"type\":\"trades\"}"],
        [subscribe("nope", "BTC-USD"), "Invalid subscription {\"type\":\"nope\",\"coin\":\"BTC-USD\"}"],
        [subscribe("trades", "BTC-USD"), "Already subscribed: {\"type\":\"trades\",\"coin\":\"BTC-USD\"}"],
        [subscribe("bbo", "BTC-USD", "unsubscribe"), "Already unsubscribed: {\"type\":\"bbo\",\"coin\":\"BTC-USD\"}"]
      ] as const
    ) {
      const answer = ask(frame, session)
      assert.deepStrictEqual(decoded(answer.replies), [{ _tag: "VenueError", venue: "hyperliquid", message }])
      assert.deepStrictEqual(answer.session.channels, session.channels)
    }
  })

  it("hears 2000 messages in any minute", () => {
    let session = MockVenue.newSession
    for (let i = 0; i < 2_000; i++) session = ask({ method: "ping" }, session).session
    const refused = [{ channel: "error", data: "Cannot send more than 2000 messages per minute." }]
    assert.deepStrictEqual(ask({ method: "ping" }, session).replies.map(({ text }) => JSON.parse(text)), refused)
    const minute = { ...floor, atMillis: atMillis + 60_000 }
    assert.deepStrictEqual(ask({ method: "ping" }, session, minute).replies.map(({ text }) => JSON.parse(text)), [
      { channel: "pong" }
    ])
  })

  it("sends a price by hand, and has nothing to corrupt", () => {
    assert.deepStrictEqual(decoded([mock.price("BTC-USD", "43250.10", atMillis)]), [
      { _tag: "PriceUpdate", venue: "hyperliquid", product: "BTC-USD", price: "43250.10" }
    ])
    assert.isUndefined(mock.corrupt("{\"channel\":\"l2Book\"}"))
  })
})
