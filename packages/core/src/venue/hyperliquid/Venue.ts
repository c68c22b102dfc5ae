/**
 * Hyperliquid, the public data of its WebSocket API.
 *
 * Prices and sizes are JSON strings, times milliseconds since 1970, trade ids
 * JSON numbers. `side` is the taker's: `B` bought, `A` sold. Every `l2Book` is
 * the whole book (to 20 levels a side); there are no sequence numbers.
 *
 * @see https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/websocket/subscriptions (read 2026-11-21)
 * @since 0.1.0
 */
import * as FramePeek from "../../codec/internal/framePeek.ts"
import * as Rejection from "../../codec/Rejection.ts"
import type { Frame } from "../../transport/Frame.ts"
import type { Channel } from "../../value/Channel.ts"
import { topicByKind } from "../internal/topicByKind.ts"
import type { Ask, Topic, Venue } from "../Venue.ts"
import { trades } from "./internal/missedTrades.ts"
import * as Messages from "./Messages.ts"
import { symbols } from "./Symbols.ts"

const name = "hyperliquid"

// --- subscribing -------------------------------------------------------------

const refusedSubscription = /^(?:Invalid subscription|Already (?:un)?subscribed:) (\{.*\})$/s

/** The subscription that an error quotes: `Invalid subscription {"type":"trades","coin":"NOSUCH"}`. */
const refused = (frame: Frame): Partial<Channel> | undefined => {
  const json = FramePeek.objectOf(frame)
  const words = FramePeek.textIn(json, "channel") === "error" ? FramePeek.textIn(json, "data") : undefined
  const subscription = FramePeek.objectOf(refusedSubscription.exec(words ?? "")?.[1] ?? "")
  const read = subscription === undefined ? [] : Messages.refusedSubscription.read(name, subscription)
  return Rejection.isFrameRejected(read) ? undefined : read[0]
}

/** The channels that are of all coins at once. */
const ofAllCoins = new Set(["allMids"])

/** A coin of the spot market has a channel of its own name for one that is asked for by the other's. */
const topics = ({ channel, product }: Channel): ReadonlyArray<Topic> =>
  channel === "activeAssetCtx"
    ? [{ name: channel, product }, { name: "activeSpotAssetCtx", product }]
    : [{ name: channel, product }]

/** A candle names its coin `s`. */
const topicOf = topicByKind({
  Trade: "trades",
  Ticker: "bbo",
  BookSnapshot: "l2Book",
  PriceUpdate: "allMids",
  Other: (frame) => {
    const json = FramePeek.objectOf(frame)
    const data = FramePeek.objectIn(json, "data")
    return {
      name: FramePeek.textIn(json, "channel"),
      product: FramePeek.textIn(data, "coin") ?? FramePeek.textIn(data, "s")
    }
  }
})

/** One frame a subscription: the venue has no batches. */
const request = (method: "subscribe" | "unsubscribe", channels: ReadonlyArray<Channel>): ReadonlyArray<Ask> => {
  const textOf = ({ channel: type, product }: Channel): string => {
    const subscription = product === undefined || ofAllCoins.has(type) ? { type } : { type, coin: product }
    return JSON.stringify({ method, subscription })
  }
  return Array.from(Map.groupBy(channels, textOf), ([text, channels]) => ({ text, channels, requestId: undefined }))
}

const limitsSource = "https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/" +
  "rate-limits-and-user-limits, read 2026-11-21"

/**
 * Hyperliquid.
 *
 * @category venues
 * @since 0.1.0
 */
export const venue: Venue = {
  name,
  title: "Hyperliquid",
  // https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/websocket (read 2026-11-21)
  endpoint: "wss://api.hyperliquid.xyz/ws",
  documentation: "https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/websocket",
  prices: "string",
  symbols,
  continuity: "none",
  keepAlive: {
    _tag: "Application",
    // The server ends a connection to which it has sent nothing for 60 s; a pong counts.
    // https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/websocket/timeouts-and-heartbeats (2026-11-21)
    everyMillis: 30_000,
    ping: () => "{\"method\":\"ping\"}",
    isPong: (event) => event._tag === "Heartbeat" && event.kind === "pong"
  },
  limits: [
    { of: "dials", per: "address", limit: 10, windowMillis: undefined, source: limitsSource },
    { of: "dials", per: "address", limit: 30, windowMillis: 60_000, source: limitsSource },
    { of: "subscriptions", per: "address", limit: 1_000, windowMillis: undefined, source: limitsSource },
    { of: "messages", per: "address", limit: 2_000, windowMillis: 60_000, source: limitsSource }
  ],
  rest: {
    endpoint: "https://api.hyperliquid.xyz",
    weights: [{
      limit: 1_200,
      windowMillis: 60_000,
      source:
        "https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/rate-limits-and-user-limits, read 2026-11-21"
    }],
    trades
  },
  sessionMillis: undefined,
  channels: { trade: "trades", ticker: "bbo", book: "l2Book" },
  wholeChannels: ofAllCoins,
  subscribe: (channels) => request("subscribe", channels),
  unsubscribe: (channels) => request("unsubscribe", channels),
  ...Messages.make(),
  topics,
  topicOf,
  isQuiet: (channel) => channel === "trades" || /^(?:user|order|notification|webData)/.test(channel),
  refused
}
