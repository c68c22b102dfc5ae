import * as Timestamp from "@tickline/core/value/Timestamp"
import type * as Market from "@tickline/testing/Market"
import * as MockVenue from "@tickline/testing/MockVenue"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

const readRequest = Schema.decodeUnknownResult(Schema.fromJsonString(Schema.Struct({
  op: Schema.Literals(["subscribe", "unsubscribe", "ping"]),
  id: Schema.Int,
  topics: Schema.optionalKey(Schema.Array(Schema.String))
})))

const millis = (timestamp: string): number => {
  const time = Timestamp.parse(timestamp)
  return time === undefined ? 0 : Timestamp.epochMillis(time)
}

// Numbers are written digit by digit: `JSON.stringify` would have to read them first.
const trade = (tick: Market.Tick): MockVenue.Outgoing => ({
  text: `{"topic":"trades","product":"${tick.product}","id":${tick.tradeId},"price":${tick.price},` +
    `"size":${tick.size},"side":"${tick.side}","at":${millis(tick.timestamp)}}`,
  data: { channel: "trades", product: tick.product }
})

const ticker = (product: string, price: string, atMillis: number): MockVenue.Outgoing => ({
  text: `{"topic":"ticker","product":"${product}","last":${price},"at":${atMillis}}`,
  data: { channel: "ticker", product }
})

export const make = (): MockVenue.MockVenue => ({
  name: "harbour",
  heartbeatMillis: undefined,
  receive: (session, frame, floor) => {
    const request = readRequest(frame)
    const answer = (message: object, after = session): MockVenue.Answer => ({
      session: after,
      replies: [MockVenue.notice(message)]
    })
    if (Result.isFailure(request)) return answer({ op: "error", code: "malformed", message: "not a request" })
    const { id, op, topics = [] } = request.success
    if (op === "ping") return answer({ op: "pong", id })
    const asked = topics.map((topic) => topic.split(":"))
    const unknown = asked.find(([, product = ""]) => floor.market(product) === undefined)
    if (unknown !== undefined) {
      return answer({ op: "error", id, code: "unknown_topic", message: `no topic ${unknown.join(":")}` })
    }
    let after = session
    for (const [channel = "", product = ""] of asked) {
      after = op === "subscribe"
        ? MockVenue.follow(after, channel, [product])
        : MockVenue.unfollow(after, channel, [product])
    }
    return answer({ op: `${op}d`, id, topics }, after)
  },
  publish: (session, tick) => {
    const { isQuote, price, product, timestamp } = tick
    return [
      // A quote by hand, as `mock.quote` makes it, is no trade.
      ...(MockVenue.follows(session, "trades", product) && !isQuote ? [trade(tick)] : []),
      ...(MockVenue.follows(session, "ticker", product) ? [ticker(product, price, millis(timestamp))] : [])
    ]
  },
  heartbeat: () => [],
  price: ticker,
  corrupt: () => undefined
})
