import { assert, describe, it } from "@effect/vitest"
import * as Connection from "@tickline/core/connection/Connection"
import type * as MarketEvent from "@tickline/core/event/MarketEvent"
import type { Frame } from "@tickline/core/transport/Frame"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Timestamp from "@tickline/core/value/Timestamp"
import * as Generic from "@tickline/core/venue/generic/Venue"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { connected, dialTimes, policyWith, record, settle, url, withVenue } from "../Rig.ts"

/** Prices as text, so that scale and trailing zeros are compared too. */
const priced = (event: MarketEvent.MarketEvent) =>
  event._tag === "PriceUpdate"
    ? [
      event.product,
      Decimal.format(event.price),
      event.timestamp === undefined ? undefined : Timestamp.format(event.timestamp)
    ] as const
    : event

const price = (members: Readonly<{ [name: string]: string | number | null }>): string =>
  JSON.stringify({ product_id: "BTC-USD", price: "45000.50", timestamp: "2025-10-28T12:00:00Z", ...members })

const lastOne = price({ product_id: "LAST" })

/** Sends frames over a wire to a connection that reads price messages, with a good one at the end. */
const receive = (...frames: ReadonlyArray<Frame>) =>
  withVenue("fast", ({ host }) =>
    Effect.gen(function*() {
      const connection = yield* Connection.make(url, { decode: Generic.venue.decode })
      const recorded = yield* record(connection)
      yield* connection.connect
      yield* (yield* host.nextPeer).send(...frames, lastOne)
      yield* settle
      // Whatever came before it, the last message arrives, over the first and only connection.
      const last = recorded.messages.at(-1)
      assert.strictEqual(last?._tag === "PriceUpdate" && last.product, "LAST")
      assert.deepStrictEqual(dialTimes(host), [0])
      assert.isTrue(yield* connection.isConnected)
      const rejections = recorded.items.flatMap((item) => item._tag === "Rejected" ? [item.rejection] : [])
      const { rejections: counted } = yield* connection.metrics
      return { prices: recorded.messages.slice(0, -1).map(priced), rejections, counted }
    }))

describe("Parsing", () => {
  it.effect("valid price message parsing", () =>
    Effect.gen(function*() {
      const { prices, rejections } = yield* receive(
        `{"product_id":"BTC-USD","price":"45000.50","timestamp":"2025-10-28T12:00:00Z"}`,
        `{"product_id":"BTC-USD","price":45000.50,"timestamp":"2025-10-28T12:00:00Z"}`,
        `{"symbol":"ETH-USD","price":"0.12345678","ts":1761652800}`,
        `{"product_id":"BTC-USD","price":"45000.5","timestamp":"2025-10-28T12:00:00Z","volume":"1.5","exchange":"x","more":{}}`,
        `{"product_id":"SHIB-USD","price":"1.23e-5","timestamp":"2025-10-28T12:00:00.123456Z"}`
      )
      assert.deepStrictEqual(prices, [
        ["BTC-USD", "45000.50", "2025-10-28T12:00:00Z"],
        ["BTC-USD", "45000.50", "2025-10-28T12:00:00Z"],
        ["ETH-USD", "0.12345678", "2025-10-28T12:00:00Z"],
        ["BTC-USD", "45000.5", "2025-10-28T12:00:00Z"],
        ["SHIB-USD", "0.0000123", "2025-10-28T12:00:00.123456Z"]
      ])
      assert.deepStrictEqual(rejections, [])
    }))

  it.effect("malformed json handling", () =>
    Effect.gen(function*() {
      const { counted, prices, rejections } = yield* receive(
        `{"product_id":"BTC-USD","price":"45000.50"`,
        `{product_id:"BTC-USD",price:"45000.50"}`,
        `not json at all`,
        ``,
        `["BTC-USD","45000.50"]`,
        `{"product_id":"BTC-USD","price":"45000.50",}`,
        `{'product_id':'BTC-USD'}`,
        `"45000.50"`
      )
      assert.deepStrictEqual(prices, [])
      assert.deepStrictEqual(rejections.map(({ reason }) => reason), [
        "MalformedJson",
        "MalformedJson",
        "MalformedJson",
        "MalformedJson",
        "NotAnObject",
        "MalformedJson",
        "MalformedJson",
        "NotAnObject"
      ])
      assert.deepStrictEqual(counted, { MalformedJson: 6, NotAnObject: 2 })
    }))

  it.effect("missing required fields", () =>
    Effect.gen(function*() {
      const { counted, prices, rejections } = yield* receive(
        `{"price":"1","timestamp":"2025-10-28T12:00:00Z"}`,
        `{"product_id":"BTC-USD","timestamp":"2025-10-28T12:00:00Z"}`,
        `{"product_id":"BTC-USD","price":"1"}`,
        `{}`,
        price({ product_id: null }),
        price({ product_id: "" }),
        price({ product_id: 12345 })
      )
      assert.deepStrictEqual(prices, [])
      assert.deepStrictEqual(rejections.map(({ field, message, reason }) => [reason, field, message]), [
        ["MissingField", "product_id", "product_id is missing"],
        ["MissingField", "price", "price is missing"],
        ["MissingField", "timestamp", "timestamp is missing"],
        ["MissingField", "product_id", "product_id is missing"],
        ["InvalidField", "product_id", "product_id is null"],
        ["InvalidField", "product_id", "product_id is empty"],
        ["InvalidField", "product_id", "product_id must be a string, found the number 12345"]
      ])
      assert.deepStrictEqual(counted, { MissingField: 4, InvalidField: 3 })
    }))

  it.effect("price type validation", () =>
    Effect.gen(function*() {
      const frame = (json: string) => `{"product_id":"BTC-USD","price":${json},"timestamp":"2025-10-28T12:00:00Z"}`
      const { prices, rejections } = yield* receive(
        ...[`"ABC"`, `null`, `true`, `["1"]`, `{"value":1}`, `"-1"`, `0`, `"Infinity"`, `""`].map(frame),
        ...[`"45000.50"`, `45000.50`, `4.5e4`].map(frame)
      )
      assert.deepStrictEqual(rejections.map(({ field }) => field), Array.from({ length: 9 }, () => "price"))
      assert.deepStrictEqual(rejections.map(({ reason }) => reason), Array.from({ length: 9 }, () => "InvalidField"))
      assert.deepStrictEqual(prices.map((price) => Array.isArray(price) ? price[1] : price), [
        "45000.50",
        "45000.50",
        "45000"
      ])
    }))

  it.effect("decimal precision preservation", () =>
    Effect.gen(function*() {
      const texts = [
        "0.12345678",
        "99.12345678901234",
        "0.000000000000000001",
        "999999999.123456789",
        "0.1",
        "0.30000000000000004",
        "123456789012345678901234567890.123456789",
        "1.10",
        "9007199254740993",
        "45000.00000000"
      ]
      const frame = (json: string) => `{"product_id":"BTC-USD","price":${json},"timestamp":"2025-10-28T12:00:00Z"}`
      // As a JSON string and as a JSON number: the digits are the venue's either way.
      for (const write of [(text: string) => `"${text}"`, (text: string) => text]) {
        const { prices, rejections } = yield* receive(...texts.map((text) => frame(write(text))))
        assert.deepStrictEqual(rejections, [])
        assert.deepStrictEqual(prices.map((price) => Array.isArray(price) ? price[1] : price), texts)
      }
    }))

  it.effect("invalid message handling", () =>
    withVenue("fast", ({ host }) =>
      Effect.gen(function*() {
        const connection = yield* Connection.make(url, { decode: Generic.venue.decode })
        const recorded = yield* record(connection)
        yield* connection.connect
        const peer = yield* host.nextPeer
        yield* peer.send("{", new Uint8Array([0xff, 0x00, 0x01]), "\u0000", `{"type":42}`)
        yield* settle
        yield* peer.send(lastOne)
        yield* settle
        const order = recorded.items.flatMap((item) =>
          item._tag === "Rejected" ? [item.rejection.reason] : item._tag === "Batch" ? ["price"] : []
        )
        assert.deepStrictEqual(order, ["MalformedJson", "MalformedJson", "MalformedJson", "MissingField", "price"])
        assert.isTrue(yield* connection.isConnected)
        assert.strictEqual(host.peers().length, 1)
      })))

  it.effect("frame buffering", () =>
    withVenue(
      policyWith({
        inbound: { bytes: 4096, maxMessageBytes: 1024 },
        retry: { maxRetries: "unlimited", resetOn: "connect" }
      }),
      ({ host }) =>
        Effect.gen(function*() {
          const { connection, recorded } = yield* connected()
          const peer = yield* host.nextPeer
          const text = Array.from({ length: 500 }, (_, i) => String(i % 10)).join("")
          yield* peer.send(text)
          yield* Effect.forEach(Array.from({ length: 10 }, (_, i) => i), (i) => peer.send(`small ${i}`), {
            concurrency: "unbounded"
          })
          yield* peer.send("x".repeat(1024))
          yield* settle
          assert.deepStrictEqual(recorded.messages, [
            text,
            ...Array.from({ length: 10 }, (_, i) => `small ${i}`),
            "x".repeat(1024)
          ])
          // Over the limit: closed with 1009, counted, and dialled again.
          yield* peer.send("y".repeat(2048))
          yield* TestClock.adjust(100)
          assert.strictEqual((yield* peer.ended).code, 1009)
          const { epoch, failures } = yield* connection.metrics
          assert.deepStrictEqual(failures, { TooLarge: 1 })
          assert.strictEqual(epoch, 2)
        })
    ))

  it.effect("large message handling", () =>
    withVenue("fast", ({ host }) =>
      Effect.gen(function*() {
        const { connection, recorded } = yield* connected()
        const peer = yield* host.nextPeer
        const kib = 1024
        const sizes = [64 * kib + 1, 1024 * kib, 5 * 1024 * kib, ...Array.from({ length: 5 }, () => 512 * kib)]
        for (const size of sizes) {
          yield* peer.send("z".repeat(size))
          yield* settle
        }
        assert.deepStrictEqual(recorded.messages.map((message) => message.length), sizes)
        assert.isTrue(yield* connection.isConnected)
        // 10 MiB is the limit, itself included.
        yield* peer.send("z".repeat(10 * 1024 * kib))
        yield* settle
        assert.strictEqual(recorded.messages.at(-1)?.length, 10 * 1024 * kib)
        yield* peer.send("z".repeat(15 * 1024 * kib))
        yield* settle
        assert.strictEqual(recorded.messages.length, sizes.length + 1)
        assert.deepStrictEqual((yield* connection.metrics).failures, { TooLarge: 1 })
        assert.strictEqual((yield* peer.ended).code, 1009)
      })))
})
