import { assert, it } from "@effect/vitest"
import * as Rejection from "@tickline/core/codec/Rejection"
import * as Ndjson from "@tickline/core/event/Ndjson"
import * as Channel from "@tickline/core/value/Channel"
import * as Harbour from "./Harbour.ts"

const decode = (frame: string): unknown => {
  const decoded = Harbour.venue.decode(frame)
  const events = Rejection.isFrameRejected(decoded) ? [decoded] : decoded
  return events.map((event): unknown => JSON.parse(Ndjson.toJson(event)))
}

it("reads a trade exactly", () => {
  const frame = "{\"topic\":\"trades\",\"product\":\"BTC-USD\",\"id\":17,\"price\":43250.10,\"size\":0.0500," +
    "\"side\":\"buy\",\"at\":1795219200123}"
  assert.deepStrictEqual(decode(frame), [{
    _tag: "Trade",
    venue: "harbour",
    product: "BTC-USD",
    price: "43250.10",
    size: "0.0500",
    side: "buy",
    tradeId: "17",
    timestamp: "2026-11-21T00:00:00.123Z"
  }])
})

it("refuses a frame with a bad price, and says where", () => {
  assert.deepStrictEqual(decode("{\"topic\":\"ticker\",\"product\":\"BTC-USD\",\"last\":\"n/a\",\"at\":0}"), [{
    _tag: "FrameRejected",
    venue: "harbour",
    reason: "InvalidField",
    field: "last",
    message: "last: expected a decimal, found the string `n/a`"
  }])
})

it("asks in batches of twenty topics, each with an id", () => {
  const channels = Array.from({ length: 21 }, (_, number) => Channel.make("trades", `P${number}`))
  const asks = Harbour.venue.subscribe(channels, 7)
  assert.deepStrictEqual(asks.map(({ channels, requestId }) => [requestId, channels.length]), [["7", 20], ["8", 1]])
  assert.strictEqual(asks[1]?.text, "{\"op\":\"subscribe\",\"id\":8,\"topics\":[\"trades:P20\"]}")
})
