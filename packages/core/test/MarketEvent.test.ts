import { assert, describe, it } from "@effect/vitest"
import * as Rejection from "@tickline/core/codec/Rejection"
import * as Lifecycle from "@tickline/core/event/Lifecycle"
import * as MarketData from "@tickline/core/event/MarketData"
import * as MarketEvent from "@tickline/core/event/MarketEvent"
import * as Ndjson from "@tickline/core/event/Ndjson"
import * as VenueMessage from "@tickline/core/event/VenueMessage"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Timestamp from "@tickline/core/value/Timestamp"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Schema from "effect/Schema"
import * as ReceivedStamp from "../src/event/internal/receivedStamp.ts"
import * as EscapedText from "../src/value/internal/escapedText.ts"

const decimal = (text: string): Decimal.Decimal => {
  const value = Decimal.parse(text)
  assert.isDefined(value)
  return value
}
const instant = (text: string): Timestamp.Timestamp => {
  const value = Timestamp.parse(text)
  assert.isDefined(value)
  return value
}

const venue = "v"
const at = instant("2021-04-17T16:43:29.571580Z")
const bids: ReadonlyArray<MarketData.Level> = [[decimal("1.10"), decimal("0.00000000")]]
const asks: ReadonlyArray<MarketData.Level> = [[decimal("1e-8"), decimal("2")], [decimal("1e-8"), decimal("2")]]

/** Each event with all its members and with the fewest, in the order in which it is printed. */
const events: ReadonlyArray<readonly [event: MarketEvent.AnyEvent, line: string]> = [
  [
    new MarketData.Trade({
      venue,
      product: "BTC-USD",
      price: decimal("43250.10"),
      size: decimal("1.0e-8"),
      side: "buy",
      tradeId: "7.0",
      timestamp: at,
      sequence: "9007199254740993",
      history: true
    }),
    "{\"_tag\":\"Trade\",\"venue\":\"v\",\"product\":\"BTC-USD\",\"price\":\"43250.10\",\"size\":\"0.000000010\"," +
    "\"side\":\"buy\",\"tradeId\":\"7.0\",\"timestamp\":\"2021-04-17T16:43:29.571580Z\"," +
    "\"sequence\":\"9007199254740993\",\"history\":true}"
  ],
  [
    new MarketData.Trade({ venue, product: "\"\n", price: decimal("1"), size: decimal("2"), side: "sell" }),
    "{\"_tag\":\"Trade\",\"venue\":\"v\",\"product\":\"\\\"\\n\",\"price\":\"1\",\"size\":\"2\",\"side\":\"sell\"}"
  ],
  [
    new MarketData.Ticker({
      venue,
      product: "P",
      price: decimal("1"),
      bid: decimal("2.0"),
      bidSize: decimal("3"),
      ask: decimal("4"),
      askSize: decimal("5"),
      volume: decimal("6.10"),
      timestamp: at,
      sequence: "8"
    }),
    "{\"_tag\":\"Ticker\",\"venue\":\"v\",\"product\":\"P\",\"price\":\"1\",\"bid\":\"2.0\",\"bidSize\":\"3\",\"ask\":\"4\"," +
    "\"askSize\":\"5\",\"volume\":\"6.10\",\"timestamp\":\"2021-04-17T16:43:29.571580Z\",\"sequence\":\"8\"}"
  ],
  [new MarketData.Ticker({ venue, product: "P" }), "{\"_tag\":\"Ticker\",\"venue\":\"v\",\"product\":\"P\"}"],
  [
    new MarketData.BookSnapshot({ venue, product: "P", bids, asks, timestamp: at, sequence: "1", checksum: "2" }),
    "{\"_tag\":\"BookSnapshot\",\"venue\":\"v\",\"product\":\"P\",\"bids\":[[\"1.10\",\"0.00000000\"]]," +
    "\"asks\":[[\"0.00000001\",\"2\"],[\"0.00000001\",\"2\"]],\"timestamp\":\"2021-04-17T16:43:29.571580Z\"," +
    "\"sequence\":\"1\",\"checksum\":\"2\"}"
  ],
  [
    new MarketData.BookSnapshot({ venue, bids: [], asks: [] }),
    "{\"_tag\":\"BookSnapshot\",\"venue\":\"v\",\"bids\":[],\"asks\":[]}"
  ],
  [
    new MarketData.BookDelta({
      venue,
      product: "P",
      bids,
      asks: [],
      timestamp: at,
      firstSequence: "1",
      sequence: "2",
      previousSequence: "0",
      checksum: "3"
    }),
    "{\"_tag\":\"BookDelta\",\"venue\":\"v\",\"product\":\"P\",\"bids\":[[\"1.10\",\"0.00000000\"]],\"asks\":[]," +
    "\"timestamp\":\"2021-04-17T16:43:29.571580Z\",\"firstSequence\":\"1\",\"sequence\":\"2\"," +
    "\"previousSequence\":\"0\",\"checksum\":\"3\"}"
  ],
  [
    new MarketData.BookDelta({ venue, bids: [], asks: [] }),
    "{\"_tag\":\"BookDelta\",\"venue\":\"v\",\"bids\":[],\"asks\":[]}"
  ],
  [
    new MarketData.PriceUpdate({ venue, product: "P", price: decimal("1e5"), timestamp: instant("1761652800000") }),
    "{\"_tag\":\"PriceUpdate\",\"venue\":\"v\",\"product\":\"P\",\"price\":\"100000\"," +
    "\"timestamp\":\"2025-10-28T12:00:00.000Z\"}"
  ],
  [
    new MarketData.PriceUpdate({ venue, product: "P", price: decimal("1") }),
    "{\"_tag\":\"PriceUpdate\",\"venue\":\"v\",\"product\":\"P\",\"price\":\"1\"}"
  ],
  [
    new VenueMessage.Heartbeat({ venue, kind: "pong" }),
    "{\"_tag\":\"Heartbeat\",\"venue\":\"v\",\"kind\":\"pong\"}"
  ],
  [new VenueMessage.Other({ venue, kind: "status" }), "{\"_tag\":\"Other\",\"venue\":\"v\",\"kind\":\"status\"}"],
  [
    new VenueMessage.Subscribed({ venue, channel: "c", product: "P", requestId: "1" }),
    "{\"_tag\":\"Subscribed\",\"venue\":\"v\",\"channel\":\"c\",\"product\":\"P\",\"requestId\":\"1\"}"
  ],
  [new VenueMessage.Unsubscribed({ venue }), "{\"_tag\":\"Unsubscribed\",\"venue\":\"v\"}"],
  [
    new VenueMessage.VenueError({ venue, code: "1", message: "no", requestId: "2" }),
    "{\"_tag\":\"VenueError\",\"venue\":\"v\",\"code\":\"1\",\"message\":\"no\",\"requestId\":\"2\"}"
  ],
  [
    new VenueMessage.Response({ venue, requestId: "1", result: null }),
    "{\"_tag\":\"Response\",\"venue\":\"v\",\"requestId\":\"1\",\"result\":null}"
  ],
  [
    new Rejection.FrameRejected({ venue, reason: "InvalidField", field: "data[0].price", message: "bad" }),
    "{\"_tag\":\"FrameRejected\",\"venue\":\"v\",\"reason\":\"InvalidField\",\"field\":\"data[0].price\"," +
    "\"message\":\"bad\"}"
  ],
  [
    new Lifecycle.ConnectionEvent({
      venue,
      state: "Reconnecting",
      epoch: 1,
      attempt: 2,
      delayMillis: 200,
      reason: "reset",
      at
    }),
    "{\"_tag\":\"Connection\",\"venue\":\"v\",\"state\":\"Reconnecting\",\"epoch\":1,\"attempt\":2,\"delayMillis\":200," +
    "\"reason\":\"reset\",\"at\":\"2021-04-17T16:43:29.571580Z\"}"
  ],
  [
    new Lifecycle.ConnectionEvent({ venue, state: "Connected", epoch: 1, at, leg: 2 }),
    "{\"_tag\":\"Connection\",\"venue\":\"v\",\"state\":\"Connected\",\"epoch\":1," +
    "\"at\":\"2021-04-17T16:43:29.571580Z\",\"leg\":2}"
  ],
  [
    new Lifecycle.Rotated({ venue, from: 1, to: 2, reason: "session limit", at }),
    "{\"_tag\":\"Rotated\",\"venue\":\"v\",\"from\":1,\"to\":2,\"reason\":\"session limit\"," +
    "\"at\":\"2021-04-17T16:43:29.571580Z\"}"
  ],
  [
    new Lifecycle.BreakerEvent({ venue, leg: 2, from: "Open", to: "HalfOpen", at }),
    "{\"_tag\":\"Breaker\",\"venue\":\"v\",\"leg\":2,\"from\":\"Open\",\"to\":\"HalfOpen\"," +
    "\"at\":\"2021-04-17T16:43:29.571580Z\"}"
  ],
  [
    new Lifecycle.BreakerEvent({ venue, from: "Closed", to: "Open", openForMillis: 10, at }),
    "{\"_tag\":\"Breaker\",\"venue\":\"v\",\"from\":\"Closed\",\"to\":\"Open\",\"openForMillis\":10," +
    "\"at\":\"2021-04-17T16:43:29.571580Z\"}"
  ],
  [
    new Lifecycle.Gap({
      venue,
      product: "P",
      channel: "c",
      from: "1",
      to: "5",
      cause: "disconnect",
      recovered: "snapshot"
    }),
    "{\"_tag\":\"Gap\",\"venue\":\"v\",\"product\":\"P\",\"channel\":\"c\",\"from\":\"1\",\"to\":\"5\"," +
    "\"cause\":\"disconnect\",\"recovered\":\"snapshot\"}"
  ],
  [
    new Lifecycle.Stale({ venue, product: "P", channel: "c", silentForMillis: 5000 }),
    "{\"_tag\":\"Stale\",\"venue\":\"v\",\"product\":\"P\",\"channel\":\"c\",\"silentForMillis\":5000}"
  ]
]

describe("MarketEvent", () => {
  for (const [event, line] of events) {
    it.effect(`prints ${line.slice(0, 60)} as its schema encodes it`, () =>
      Effect.gen(function*() {
        assert.strictEqual(Ndjson.toJson(event), line)
        const encoded = yield* Schema.encodeEffect(MarketEvent.AnyEvent)(event)
        assert.strictEqual(JSON.stringify(encoded), line)
        // And back: the same class, the same text.
        const decoded = yield* Schema.decodeUnknownEffect(MarketEvent.AnyEvent)(JSON.parse(line))
        assert.strictEqual(decoded.constructor, event.constructor)
        assert.strictEqual(Ndjson.toJson(decoded), line)
      }))
  }

  it("adds where a frame came from", () => {
    const event = new VenueMessage.Heartbeat({ venue, kind: "pong" })
    assert.strictEqual(
      Ndjson.toJson(event, { frame: 3, id: "a\"b" }),
      "{\"_tag\":\"Heartbeat\",\"venue\":\"v\",\"kind\":\"pong\",\"frame\":3,\"id\":\"a\\\"b\"}"
    )
    assert.isTrue(Ndjson.toJson(event, { frame: 3 }).endsWith(",\"frame\":3}"))
  })

  it("knows which events carry prices", () => {
    const tags = events.filter(([event]) => MarketEvent.isMarketData(event)).map(([event]) => event._tag)
    assert.deepStrictEqual([...new Set(tags)], ["Trade", "Ticker", "BookSnapshot", "BookDelta", "PriceUpdate"])
  })

  describe("trusted construction gives what validation gives", () => {
    const find = (tag: string): ReadonlyArray<MarketEvent.AnyEvent> =>
      events.map(([event]) => event).filter((event) => event._tag === tag)
    const p = decimal("1")
    const trusted: ReadonlyArray<MarketEvent.AnyEvent> = [
      MarketData.trade({
        venue,
        product: "BTC-USD",
        price: decimal("43250.10"),
        size: decimal("1.0e-8"),
        side: "buy",
        tradeId: "7.0",
        timestamp: at,
        sequence: "9007199254740993",
        history: true
      }),
      MarketData.trade({ venue, product: "\"\n", price: p, size: decimal("2"), side: "sell" }),
      MarketData.ticker({
        venue,
        product: "P",
        price: p,
        bid: decimal("2.0"),
        bidSize: decimal("3"),
        ask: decimal("4"),
        askSize: decimal("5"),
        volume: decimal("6.10"),
        timestamp: at,
        sequence: "8"
      }),
      MarketData.ticker({ venue, product: "P" }),
      MarketData.bookSnapshot({ venue, product: "P", bids, asks, timestamp: at, sequence: "1", checksum: "2" }),
      MarketData.bookSnapshot({ venue, bids: [], asks: [] }),
      MarketData.bookDelta({
        venue,
        product: "P",
        bids,
        asks: [],
        timestamp: at,
        firstSequence: "1",
        sequence: "2",
        previousSequence: "0",
        checksum: "3"
      }),
      MarketData.bookDelta({ venue, bids: [], asks: [] }),
      MarketData.priceUpdate({ venue, product: "P", price: decimal("1e5"), timestamp: instant("1761652800000") }),
      MarketData.priceUpdate({ venue, product: "P", price: p }),
      VenueMessage.heartbeat({ venue, kind: "pong" }),
      VenueMessage.other({ venue, kind: "status" }),
      VenueMessage.subscribed({ venue, channel: "c", product: "P", requestId: "1" }),
      VenueMessage.unsubscribed({ venue }),
      VenueMessage.venueError({ venue, code: "1", message: "no", requestId: "2" }),
      VenueMessage.response({ venue, requestId: "1", result: null }),
      Rejection.frameRejected(venue, "InvalidField", "data[0].price", "bad")
    ]
    for (const event of trusted) {
      const line = Ndjson.toJson(event)
      it.effect(line.slice(0, 70), () =>
        Effect.gen(function*() {
          const validated = find(event._tag).find((other) => Ndjson.toJson(other) === line)
          assert.isDefined(validated)
          assert.strictEqual(Object.getPrototypeOf(event), Object.getPrototypeOf(validated))
          assert.strictEqual(event.constructor, validated.constructor)
          assert.deepStrictEqual(Object.keys(event), Object.keys(validated))
          assert.isTrue(Equal.equals(event, validated))
          assert.isTrue(Schema.is(MarketEvent.AnyEvent)(event))
          const encoded = yield* Schema.encodeEffect(MarketEvent.AnyEvent)(event)
          assert.deepStrictEqual(encoded, yield* Schema.encodeEffect(MarketEvent.AnyEvent)(validated))
        }))
    }
  })

  it("what a feed adds stands last, and what is undefined is absent", () => {
    const added = { receivedAt: instant("1761652800000"), name: "BTC-USD" }
    const price = decimal("1")
    for (
      const make of [
        (members: object) => MarketData.trade({ venue, product: "P", price, size: price, side: undefined, ...members }),
        (members: object) => MarketData.ticker({ venue, product: "P", price: undefined, bid: price, ...members }),
        (members: object) => MarketData.bookSnapshot({ venue, product: undefined, bids, asks, ...members }),
        (members: object) => MarketData.bookDelta({ venue, bids, asks, checksum: undefined, ...members }),
        (members: object) => MarketData.priceUpdate({ venue, product: "P", price, timestamp: undefined, ...members })
      ]
    ) {
      const bare = make({})
      const whole = make(added)
      assert.isTrue(Object.values(bare).every((member) => member !== undefined))
      assert.deepStrictEqual(Object.keys(make({ receivedAt: undefined, name: undefined })), Object.keys(bare))
      assert.strictEqual(
        Ndjson.toJson(whole),
        `${Ndjson.toJson(bare).slice(0, -1)},"receivedAt":"2025-10-28T12:00:00.000Z","name":"BTC-USD"}`
      )
      const stamped = ReceivedStamp.stamp(bare, added)
      assert.strictEqual(stamped, bare)
      assert.isTrue(Equal.equals(stamped, whole))
      assert.isTrue(Schema.is(MarketEvent.AnyEvent)(whole))
      assert.deepStrictEqual(
        JSON.parse(Ndjson.toJson(whole)),
        Schema.encodeSync(MarketEvent.AnyEvent)(whole)
      )
    }
  })

  it("keeps the line of a rejection within 1,000 characters", () => {
    for (const hostile of ["\u0001", "\ud800", "\"", "\\", "\u2028", "\u202e", "\u{e0041}", "😀"]) {
      const event = Rejection.frameRejected(
        "coinbase-exchange",
        "InvalidField",
        hostile.repeat(5000),
        `x: ${EscapedText.quote(hostile.repeat(5000))}, y: ${hostile.repeat(5000)}`
      )
      assert.isAtMost(Ndjson.toJson(event, { frame: 123_456_789, id: "x" }).length, 1000)
    }
  })

  it("quotes a peer's input cut at 64 and printable", () => {
    assert.strictEqual(EscapedText.quote("abc"), "`abc`")
    assert.strictEqual(EscapedText.quote("a".repeat(65)), `\`${"a".repeat(64)}…\``)
    assert.strictEqual(EscapedText.quote("a\n`\ud800"), "`a\\u000a'\\ud800`")
    assert.strictEqual(EscapedText.quote("{\"a\""), "`{\"a\"`")
    assert.strictEqual(EscapedText.quote(`${"a".repeat(63)}😀`), `\`${"a".repeat(63)}…\``)
  })
})
