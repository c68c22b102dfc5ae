/**
 * Harbour, an exchange that does not exist: trades and tickers over one socket.
 *
 * Prices and sizes are JSON numbers, times milliseconds since 1970. `side` is
 * the taker's.
 *
 * @see https://harbour.test/docs/websocket (read 2026-11-21)
 */
import * as ExactJson from "@tickline/core/codec/ExactJson"
import * as Rejection from "@tickline/core/codec/Rejection"
import * as MarketData from "@tickline/core/event/MarketData"
import * as VenueMessage from "@tickline/core/event/VenueMessage"
import type { Channel } from "@tickline/core/value/Channel"
import type { Ask, Decode, Venue } from "@tickline/core/venue/Venue"
import * as Wire from "@tickline/core/venue/Wire"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

const name = "harbour"
const limitsSource = "https://harbour.test/docs/limits, read 2026-11-21"

type Decoded = ReturnType<Decode>

/** A request names at most so many topics: https://harbour.test/docs/subscribe, read 2026-11-21. */
const maxTopics = 20

const topicOf = ({ channel, product }: Channel): string => `${channel}:${product ?? ""}`

const request = (op: "subscribe" | "unsubscribe", channels: ReadonlyArray<Channel>, id: number): ReadonlyArray<Ask> => {
  const asks: Array<Ask> = []
  for (let from = 0; from < channels.length; from += maxTopics) {
    const batch = channels.slice(from, from + maxTopics)
    const requestId = id + asks.length
    asks.push({
      text: JSON.stringify({ op, id: requestId, topics: batch.map(topicOf) }),
      channels: batch,
      requestId: String(requestId)
    })
  }
  return asks
}

const readAnswer = Wire.reader({ id: Wire.Id, topics: Schema.Array(Schema.NonEmptyString) })
const readError = Wire.reader({ id: Wire.optional(Wire.Id), code: Schema.String, message: Schema.String })

const answer = (op: string, frame: ExactJson.JsonObject): Decoded => {
  switch (op) {
    case "subscribed":
    case "unsubscribed": {
      const it = readAnswer(name, frame)
      if (Rejection.isFrameRejected(it)) return it
      const confirm = op === "subscribed" ? VenueMessage.subscribed : VenueMessage.unsubscribed
      return it.topics.map((topic) => {
        const [channel, product] = topic.split(":")
        return confirm({ venue: name, channel, product, requestId: it.id })
      })
    }
    case "error": {
      const it = readError(name, frame)
      if (Rejection.isFrameRejected(it)) return it
      const { code, message } = it
      return [VenueMessage.venueError({ venue: name, code, message, requestId: Wire.present(it.id) })]
    }
    case "pong":
      return [VenueMessage.heartbeat({ venue: name, kind: "pong" })]
    default:
      return [VenueMessage.other({ venue: name, kind: op })]
  }
}

const readTrade = Wire.reader({
  product: Schema.NonEmptyString,
  id: Wire.Id,
  price: Wire.DecimalText,
  size: Wire.DecimalText,
  side: Schema.Literals(["buy", "sell"]),
  at: Wire.Millis
})

const readTicker = Wire.reader({
  product: Schema.NonEmptyString,
  last: Wire.DecimalText,
  bid: Wire.optional(Wire.DecimalText),
  ask: Wire.optional(Wire.DecimalText),
  at: Wire.Millis
})

const data = (topic: string, frame: ExactJson.JsonObject): Decoded => {
  switch (topic) {
    case "trades": {
      const it = readTrade(name, frame)
      if (Rejection.isFrameRejected(it)) return it
      const { at, id, price, product, side, size } = it
      return [MarketData.trade({ venue: name, product, price, size, side, tradeId: id, timestamp: at })]
    }
    case "ticker": {
      const it = readTicker(name, frame)
      if (Rejection.isFrameRejected(it)) return it
      const [bid, ask] = [Wire.present(it.bid), Wire.present(it.ask)]
      return [MarketData.ticker({ venue: name, product: it.product, price: it.last, bid, ask, timestamp: it.at })]
    }
    default:
      return [VenueMessage.other({ venue: name, kind: topic })]
  }
}

const decode: Decode = (frame) => {
  if (typeof frame !== "string") return Rejection.binary(name, frame)
  const json = ExactJson.parse(frame)
  if (json instanceof ExactJson.Malformed) return Rejection.malformed(name, frame, json)
  if (!ExactJson.isObject(json)) return Rejection.notAnObject(name, json)
  const { op, topic } = json
  if (typeof op === "string") return answer(op, json)
  if (typeof topic === "string") return data(topic, json)
  return Rejection.unknownMessage(name, "op or topic")
}

export const venue: Venue = {
  name,
  title: "Harbour",
  endpoint: "wss://stream.harbour.test/v1",
  documentation: "https://harbour.test/docs/websocket",
  prices: "number",
  continuity: "none",
  heartbeat: "a ping of its own, 20 s",
  // A connection that says nothing for a minute is closed: https://harbour.test/docs/ping, read 2026-11-21.
  keepAlive: {
    _tag: "Application",
    everyMillis: 20_000,
    ping: (id) => JSON.stringify({ op: "ping", id }),
    isPong: (event) => event._tag === "Heartbeat" && event.kind === "pong"
  },
  limits: "10 messages/s per connection; 60 connections/min per IP",
  rates: [
    { of: "messages", per: "connection", limit: 10, windowMillis: 1_000, source: limitsSource },
    { of: "dials", per: "address", limit: 60, windowMillis: 60_000, source: limitsSource }
  ],
  sessionMillis: undefined,
  channels: { trade: "trades", ticker: "ticker" },
  subscribe: (channels, id) => request("subscribe", channels, id),
  unsubscribe: (channels, id) => request("unsubscribe", channels, id),
  decode,
  topics: ({ channel, product }) => [{ name: channel, product }],
  topicOf: (_, [event]) =>
    event?._tag === "Trade" ? { name: "trades" } : event?._tag === "Ticker" ? { name: "ticker" } : undefined,
  normalise: (product) => Result.succeed(product.toUpperCase()),
  isQuiet: (channel) => channel === "trades"
}
