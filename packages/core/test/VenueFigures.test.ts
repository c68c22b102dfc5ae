/** The figures that the venues publish, each of which is obeyed by counting: a wrong one would be noticed by the venue only. */
import { assert, describe, it } from "@effect/vitest"
import * as Rejection from "@tickline/core/codec/Rejection"
import * as Ndjson from "@tickline/core/event/Ndjson"
import * as Venues from "@tickline/core/venue/Venues"

const figures: Readonly<Record<string, ReadonlyArray<string>>> = {
  coinbase: ["8 dials per address in 1000 ms", "8 messages per address in 1000 ms"],
  "coinbase-exchange": ["8 dials per address in 1000 ms", "100 messages per address in 1000 ms"],
  binance: [
    "5 messages per connection in 1000 ms",
    "300 dials per address in 300000 ms",
    "1024 subscriptions per connection"
  ],
  kraken: ["150 dials per address in 600000 ms"],
  deribit: [
    "100 messages per address in 5000 ms",
    "10 subscriptions per address in 3000 ms",
    "32 dials per address"
  ],
  "coinbase-derivatives": [
    "100 messages per address in 5000 ms",
    "10 subscriptions per address in 3000 ms",
    "32 dials per address"
  ],
  hyperliquid: [
    "10 dials per address",
    "30 dials per address in 60000 ms",
    "1000 subscriptions per address",
    "2000 messages per address in 60000 ms"
  ],
  dydx: [],
  generic: []
}

const beats: Readonly<Record<string, string>> = {
  coinbase: "Server within 1000 ms",
  "coinbase-exchange": "Protocol",
  binance: "Protocol",
  kraken: "Application every 30000 ms",
  deribit: "Requested within 30000 ms",
  "coinbase-derivatives": "Requested within 15000 ms",
  hyperliquid: "Application every 30000 ms",
  dydx: "Protocol",
  generic: "Protocol"
}

describe("the figures of the venues", () => {
  for (const venue of Venues.all) {
    it(venue.name, () => {
      assert.deepStrictEqual(
        venue.limits.map(({ limit, of, per, windowMillis }) =>
          `${limit} ${of} per ${per}${windowMillis === undefined ? "" : ` in ${windowMillis} ms`}`
        ),
        figures[venue.name]
      )
      const { keepAlive } = venue
      assert.strictEqual(
        keepAlive._tag === "Protocol"
          ? "Protocol"
          : keepAlive._tag === "Application"
          ? `Application every ${keepAlive.everyMillis} ms`
          : keepAlive._tag === "None"
          ? "None"
          : `${keepAlive._tag} within ${keepAlive.withinMillis} ms`,
        beats[venue.name]
      )
      assert.strictEqual(venue.sessionMillis, venue.name === "binance" ? 86_400_000 : undefined)
      assert.deepStrictEqual(
        [...(venue.wholeChannels ?? [])],
        { hyperliquid: ["allMids"], dydx: ["v4_markets", "v4_block_height"] }[venue.name] ?? []
      )
      for (const { source } of venue.limits) assert.match(source, /^https:\/\/.*, read \d{4}-\d\d-\d\d$/)
      assert.strictEqual(Venues.get(venue.name), venue)
    })
  }

  it("each is found by its name only", () => assert.isUndefined(Venues.get("Kraken")))
})

const decoded = (venue: string, frame: string): ReadonlyArray<unknown> => {
  const events = Venues.get(venue)?.decode(frame) ?? []
  return (Rejection.isFrameRejected(events) ? [events] : events)
    .map((event): unknown => JSON.parse(Ndjson.toJson(event)))
}

describe("frames that few venues send", () => {
  for (const levels of [5, 10, 20]) {
    it(`binance: a partial book of ${levels} without what makes it one`, () => {
      assert.deepInclude(decoded("binance", `{"stream":"btcusdt@depth${levels}","data":{"x":1}}`)[0], {
        _tag: "FrameRejected",
        reason: "MissingField",
        field: "data.bids"
      })
    })
  }

  it("hyperliquid: an error in the answer to a request, with every kind of id", () => {
    const posted = (id: string) =>
      decoded("hyperliquid", `{"channel":"post","data":{"id":${id},"response":{"type":"error","payload":"no"}}}`)[0]
    for (const id of ["256", "\"a\""]) {
      assert.deepInclude(posted(id), { _tag: "VenueError", message: "no", requestId: JSON.parse(id).toString() })
    }
    for (const id of ["\"\"", "null", "{}", "true"]) assert.notProperty(posted(id), "requestId")
    for (const id of ["1", "\"\""]) {
      assert.deepStrictEqual(
        decoded("hyperliquid", `{"channel":"post","data":{"id":${id},"response":{"type":"info","payload":{}}}}`),
        [{ _tag: "Other", venue: "hyperliquid", kind: "post" }]
      )
    }
  })

  it("generic: an error whose words or code cannot be read", () => {
    const told = (members: string) => decoded("generic", `{"type":"error"${members}}`)[0]
    assert.deepStrictEqual(told(",\"code\":7,\"message\":\"no\""), {
      _tag: "VenueError",
      venue: "generic",
      code: "7",
      message: "no"
    })
    for (const bad of ["code", "message"]) {
      assert.deepInclude(told(`,"${bad}":{}`), { _tag: "FrameRejected", reason: "InvalidField", field: bad })
    }
  })
})
