/**
 * Harbour, an exchange that does not exist: trades and tickers over one socket.
 *
 * Prices and sizes are JSON numbers, times milliseconds since 1970. `side` is
 * the taker's.
 *
 * @see https://harbour.test/docs/websocket (read 2026-11-21)
 */
import * as Decoder from "@tickline/core/codec/Decoder"
import * as Message from "@tickline/core/codec/Message"
import * as Rejection from "@tickline/core/codec/Rejection"
import * as MarketData from "@tickline/core/event/MarketData"
import type { MarketEvent } from "@tickline/core/event/MarketEvent"
import * as VenueMessage from "@tickline/core/event/VenueMessage"
import * as Symbols from "@tickline/core/protocol/Symbols"
import type { Channel } from "@tickline/core/value/Channel"
import type { Ask, Venue } from "@tickline/core/venue/Venue"
import * as Result from "effect/Result"

const name = "harbour"
const limitsSource = "https://harbour.test/docs/limits, read 2026-11-21"

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

const answers = Message.make(
  { op: Message.pinned("subscribed", "unsubscribed"), id: Message.id, topics: Message.texts },
  ({ id, op, topics }) => {
    const confirm = op === "subscribed" ? VenueMessage.subscribed : VenueMessage.unsubscribed
    return topics.map((topic) => {
      const [channel, product] = topic.split(":")
      return confirm({ venue: name, channel, product, requestId: id })
    })
  },
  { rare: true }
)

const errors = Message.make(
  { op: Message.pinned("error"), id: Message.optional(Message.id), code: Message.string, message: Message.string },
  ({ code, id, message }) => [VenueMessage.venueError({ venue: name, code, message, requestId: id })],
  { rare: true }
)

const pongs = Message.make({ op: Message.pinned("pong") }, () => [
  VenueMessage.heartbeat({ venue: name, kind: "pong" })
])

const trades = Message.make(
  {
    topic: Message.pinned("trades"),
    product: Message.text,
    id: Message.id,
    price: Message.number,
    size: Message.number,
    side: Message.word({ buy: "buy", sell: "sell" }),
    at: Message.millis
  },
  ({ at, id, price, product, side, size }) => [
    MarketData.trade({ venue: name, product, price, size, side, tradeId: id, timestamp: at })
  ]
)

const tickers = Message.make(
  {
    topic: Message.pinned("ticker"),
    product: Message.text,
    last: Message.number,
    bid: Message.optional(Message.number),
    ask: Message.optional(Message.number),
    at: Message.millis
  },
  ({ ask, at, bid, last, product }) => [
    MarketData.ticker({ venue: name, product, price: last, bid, ask, timestamp: at })
  ]
)

const byOp = new Map<string, Message.Message<MarketEvent>>([["subscribed", answers], ["unsubscribed", answers], [
  "error",
  errors
], ["pong", pongs]])
const byTopic = new Map<string, Message.Message<MarketEvent>>([["trades", trades], ["ticker", tickers]])

const decode = Decoder.make<MarketEvent>(name, ({ op, topic }) => {
  if (typeof op === "string") return byOp.get(op) ?? [VenueMessage.other({ venue: name, kind: op })]
  if (typeof topic === "string") return byTopic.get(topic) ?? [VenueMessage.other({ venue: name, kind: topic })]
  return Rejection.unknownMessage(name, "op or topic")
})

export const venue: Venue = {
  name,
  title: "Harbour",
  endpoint: "wss://stream.harbour.test/v1",
  documentation: "https://harbour.test/docs/websocket",
  prices: "number",
  symbols: Symbols.paired("-"),
  continuity: "none",
  // A connection that says nothing for a minute is closed: https://harbour.test/docs/ping, read 2026-11-21.
  keepAlive: {
    _tag: "Application",
    everyMillis: 20_000,
    ping: (id) => JSON.stringify({ op: "ping", id }),
    isPong: (event) => event._tag === "Heartbeat" && event.kind === "pong"
  },
  limits: [
    { of: "messages", per: "connection", limit: 10, windowMillis: 1_000, source: limitsSource },
    { of: "dials", per: "address", limit: 60, windowMillis: 60_000, source: limitsSource }
  ],
  sessionMillis: undefined,
  channels: { trade: "trades", ticker: "ticker" },
  subscribe: (channels, id) => request("subscribe", channels, id),
  unsubscribe: (channels, id) => request("unsubscribe", channels, id),
  decode,
  messages: [answers, errors, pongs, trades, tickers],
  topics: ({ channel, product }) => [{ name: channel, product }],
  topicOf: (_, [event]) =>
    event?._tag === "Trade" ? { name: "trades" } : event?._tag === "Ticker" ? { name: "ticker" } : undefined,
  normalise: (product) => Result.succeed(product.toUpperCase()),
  isQuiet: (channel) => channel === "trades"
}
