import { assert, describe, it } from "@effect/vitest"
import * as ExactJson from "@tickline/core/codec/ExactJson"
import * as Rejection from "@tickline/core/codec/Rejection"
import * as Ndjson from "@tickline/core/event/Ndjson"
import * as PriceMessage from "@tickline/core/venue/generic/PriceMessage"
import * as Generic from "@tickline/core/venue/generic/Venue"
import type { Venue } from "@tickline/core/venue/Venue"

/** What a frame gives, as printed; twice, because the second time its layout is known. */
const decode = (frame: string | Uint8Array, venue: Venue = Generic.make()): unknown => {
  const print = (): ReadonlyArray<string> => {
    const decoded = venue.decode(frame)
    return Rejection.isFrameRejected(decoded)
      ? [Ndjson.toJson(decoded)]
      : decoded.map((e) => Ndjson.toJson(e))
  }
  const first = print()
  assert.deepStrictEqual(print(), first)
  const lines = first.map((line): unknown => JSON.parse(line))
  return lines.length === 1 ? lines[0] : lines
}

const stamp = "\"timestamp\":\"2025-10-28T12:00:00Z\""
const update = (price: string, timestamp = "2025-10-28T12:00:00Z"): unknown => ({
  _tag: "PriceUpdate",
  venue: "generic",
  product: "BTC-USD",
  price,
  timestamp
})

const texts = (asks: ReadonlyArray<{ readonly text: string }>): ReadonlyArray<string> => asks.map(({ text }) => text)

describe("Generic", () => {
  const frames: ReadonlyArray<readonly [frame: string, event: unknown]> = [
    [`{"product_id":"BTC-USD","price":"45000.50",${stamp}}`, update("45000.50")],
    [`{"product_id":"BTC-USD","price":45000.50,${stamp}}`, update("45000.50")],
    [
      `{"product_id": "BTC-USD", "price": 1.0e-8, "timestamp": 1761652800123}`,
      update(
        "0.000000010",
        "2025-10-28T12:00:00.123Z"
      )
    ],
    [`{\n "product_id" : "BTC-USD",\t"price":1e3,${stamp}}`, update("1000")],
    [`{"symbol":"BTC-USD","price":"1","ts":"1761652800"}`, update("1")],
    [`{"product_id":"BTC\\u002dUSD","price":"1",${stamp}}`, update("1")],
    [`{"product_id":"BTC-USD","price":1,"price":2.0,${stamp}}`, update("2.0")],
    [`{"type":"price","product_id":"BTC-USD","price":"1",${stamp},"volume":1,"sequence":7}`, update("1")],
    [`{"product_id":"BTC-USD","price":"1","timestamp":"2025-10-28T14:00:00+02:00"}`, update("1")],
    [`{"product_id":"BTC-USD","symbol":"other","price":"1",${stamp}}`, update("1")],
    [`{"product_id":null,"symbol":"BTC-USD","price":"1",${stamp}}`, update("1")],
    ["{\"type\":\"subscribed\",\"product_ids\":[\"A\",\"B\"]}", [
      { _tag: "Subscribed", venue: "generic", product: "A" },
      { _tag: "Subscribed", venue: "generic", product: "B" }
    ]],
    ["{\"type\":\"subscribed\"}", { _tag: "Subscribed", venue: "generic" }],
    ["{\"type\":\"unsubscribed\",\"product_ids\":[\"A\"]}", { _tag: "Unsubscribed", venue: "generic", product: "A" }],
    ["{\"type\":\"error\",\"code\":42,\"message\":\"no\"}", {
      _tag: "VenueError",
      venue: "generic",
      code: "42",
      message: "no"
    }],
    ["{\"type\":\"heartbeat\"}", { _tag: "Heartbeat", venue: "generic", kind: "heartbeat" }],
    ["{\"type\":\"status\",\"load\":1}", { _tag: "Other", venue: "generic", kind: "status" }]
  ]
  for (const [frame, event] of frames) it(`reads ${frame}`, () => assert.deepStrictEqual(decode(frame), event))

  const rejections: ReadonlyArray<readonly [frame: string | Uint8Array, reason: string, field: string | undefined]> = [
    [new Uint8Array([123, 125]), "MalformedJson", undefined],
    ["", "MalformedJson", undefined],
    ["{", "MalformedJson", undefined],
    ["[".repeat(100_000), "MalformedJson", undefined],
    ["[]", "NotAnObject", undefined],
    ["{}", "MissingField", "product_id"],
    [`{"type":"price","product_id":"X",${stamp}}`, "MissingField", "price"],
    [`{"product_id":null,"price":1,${stamp}}`, "InvalidField", "product_id"],
    [`{"product_id":"X","price":0,${stamp}}`, "InvalidField", "price"],
    [`{"product_id":"X","price":"1e5000",${stamp}}`, "InvalidField", "price"],
    ["{\"product_id\":\"X\",\"price\":1,\"timestamp\":\"2025-02-30T00:00:00Z\"}", "InvalidField", "timestamp"],
    ["{\"type\":\"subscribed\",\"product_ids\":[\"A\",1]}", "InvalidField", "product_ids[1]"]
  ]
  for (const [frame, reason, field] of rejections) {
    it(`refuses ${String(frame).slice(0, 60)}`, () => {
      const rejected = decode(frame) as Rejection.FrameRejected
      assert.deepStrictEqual([rejected._tag, rejected.reason, rejected.field], ["FrameRejected", reason, field])
    })
  }

  it("reads on a known layout what it reads exactly, and refuses there what it refuses", () => {
    const venue = Generic.make()
    decode(`{"product_id":"X","price":1,${stamp}}`, venue)
    for (const price of ["0", "-1", "1e5000", "01", "1.50", "1e-400", "12345678901234567890.10", "null", "\"2\"", ""]) {
      const frame = `{"product_id":"X","price":${price},${stamp}}`
      assert.deepStrictEqual(decode(frame, venue), decode(frame))
    }
    for (const date of ["2025-02-30T00:00:00Z", "2025-02-28T24:00:00Z", "2025-02-28T23:59:59.123456789Z", "x"]) {
      const frame = `{"product_id":"X","price":1,"timestamp":"${date}"}`
      assert.deepStrictEqual(decode(frame, venue), decode(frame))
    }
  })

  it("takes rules", () => {
    const venue = Generic.make({ ...PriceMessage.lenient, maxDecimalPlaces: 2 })
    assert.deepStrictEqual(decode("{\"product_id\":\"X\",\"price\":1.50}", venue), {
      _tag: "PriceUpdate",
      venue: "generic",
      product: "X",
      price: "1.50"
    })
    assert.include(JSON.stringify(decode("{\"product_id\":\"X\",\"price\":1.500}", venue)), "3 decimal places")
    const text = "{\"product_id\":\"X\",\"price\":1,\"timestamp\":null,\"ts\":1761652800}"
    assert.include(JSON.stringify(decode(text, venue)), "2025-10-28T12:00:00Z")
    assert.instanceOf(ExactJson.parse("["), ExactJson.Malformed)
  })

  it("subscribes with the products alone", () => {
    const channels = [{ channel: "price", product: "A" }, { channel: "x", product: "B" }, {
      channel: "y",
      product: "A"
    }]
    assert.deepStrictEqual(texts(Generic.venue.subscribe(channels, 1)), [
      "{\"type\":\"subscribe\",\"product_ids\":[\"A\",\"B\"]}"
    ])
    assert.deepStrictEqual(texts(Generic.venue.unsubscribe(channels, 1)), [
      "{\"type\":\"unsubscribe\",\"product_ids\":[\"A\",\"B\"]}"
    ])
    assert.deepStrictEqual(Generic.venue.subscribe([], 1), [])
  })
})
