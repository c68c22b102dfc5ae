/**
 * Coinbase Exchange, the public market data feed.
 *
 * Prices and sizes are JSON strings; `trade_id` and `sequence` are JSON numbers.
 * The `side` of a match is the maker's. Sizes of `l2update` are absolute.
 *
 * @see https://docs.cdp.coinbase.com/exchange/websocket-feed/channels
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as FramePeek from "../../codec/internal/framePeek.ts"
import * as Dialect from "../../protocol/Dialect.ts"
import * as Symbols from "../../protocol/Symbols.ts"
import type { Frame } from "../../transport/Frame.ts"
import type { Channel } from "../../value/Channel.ts"
import { topicByKind } from "../internal/topicByKind.ts"
import type { Ask, Topic, TradingStatus, Venue } from "../Venue.ts"
import { trades } from "./internal/missedTrades.ts"
import { orders } from "./internal/orders.ts"
import * as Messages from "./Messages.ts"

const name = "coinbase-exchange"

// --- subscribing -------------------------------------------------------------

/**
 * One frame for each group of products that want the same channels: one frame
 * in all where every product wants every channel, which is the usual case.
 */
const request = (type: "subscribe" | "unsubscribe", channels: ReadonlyArray<Channel>): ReadonlyArray<Ask> => {
  const wanted = Array.from(Map.groupBy(channels, ({ product }) => product), ([product, channels]) => ({
    product,
    names: [...new Set(channels.map(({ channel }) => channel))]
  }))
  const groups = Map.groupBy(
    wanted,
    ({ names, product }) => JSON.stringify([product === undefined, ...names.toSorted()])
  )
  return Array.from(groups.values(), (group) => {
    const names = group[0]?.names ?? []
    const products = group.flatMap(({ product }) => product ?? [])
    return {
      text: JSON.stringify(
        products.length === 0 ? { type, channels: names } : { type, product_ids: products, channels: names }
      ),
      channels: names.flatMap((channel) =>
        products.length === 0 ? [{ channel }] : products.map((product) => ({ channel, product }))
      ),
      requestId: undefined,
      isListed: true
    }
  })
}

/** The channels of several types of messages, or of a type that is not named as they are. */
const typesOf: ReadonlyMap<string, ReadonlyArray<string>> = new Map([
  ["matches", ["match"]],
  ["ticker_batch", ["ticker"]],
  ["level2", ["l2update"]],
  ["level2_batch", ["l2update"]],
  ["level2_50", ["l2update"]],
  ["full", ["received", "open", "done", "match", "change", "activate"]],
  ["user", ["received", "open", "done", "match", "change", "activate"]],
  ["rfq_matches", ["rfq_match"]],
  ["auctionfeed", ["auction"]]
])

const topics = ({ channel, product }: Channel): ReadonlyArray<Topic> =>
  (typesOf.get(channel) ?? [channel]).map((name) => ({ name, product }))

const typeIn = (frame: Frame): { readonly name: string | undefined; readonly product: string | undefined } => {
  const json = FramePeek.objectOf(frame)
  return { name: FramePeek.textIn(json, "type"), product: FramePeek.textIn(json, "product_id") }
}

/** A snapshot's type is that of the changes that follow. */
const topicOf = topicByKind({
  Trade: "match",
  Ticker: "ticker",
  BookSnapshot: "l2update",
  BookDelta: "l2update",
  Heartbeat: typeIn,
  Other: typeIn
})

/**
 * An indicative quote comes about every second while orders are collected. Then
 * the venue takes up to 15 s to match them, and does not say when it has.
 *
 * @see https://help.coinbase.com/en/coinbase/trading-and-funding/advanced-trade/auction-mode (read 2026-11-26)
 * @see https://docs.cdp.coinbase.com/api-reference/exchange-api/rest-api/products/get-product-book (read 2026-11-26)
 */
const auctionLastsMillis = 20_000

/** Those that `status` says of a product and under which orders are not matched as they come. */
const unmatched = ["auction_mode", "cancel_only", "post_only"]

/** The messages of an auction are the channel's own; `status` lists all products, to who asks for it. */
const tradingStatuses = (frame: Frame): ReadonlyArray<TradingStatus> => {
  if (typeof frame !== "string" || !/"type":\s*"(?:auction|status)"/.test(frame)) return []
  const json = FramePeek.objectOf(frame)
  const product = FramePeek.textIn(json, "product_id")
  switch (FramePeek.textIn(json, "type")) {
    case "auction":
      return product === undefined
        ? []
        : [{ of: product, status: "auction", isContinuous: false, lastsMillis: auctionLastsMillis }]
    case "status":
      return FramePeek.objectsIn(json, "products").flatMap((each) => {
        const of = FramePeek.textIn(each, "id")
        const status = FramePeek.textIn(each, "status")
        if (of === undefined || status === undefined) return []
        const mode = status === "online" ? unmatched.find((member) => each[member] === true) : undefined
        const word = mode === "auction_mode" ? "auction" : mode ?? status
        return [{ of, status: word, isContinuous: word === "online" }]
      })
    default:
      return []
  }
}

const limitsSource = "https://docs.cdp.coinbase.com/exchange/websocket-feed/rate-limits, read 2026-11-21"

/**
 * Coinbase Exchange.
 *
 * @category venues
 * @since 0.1.0
 */
export const venue: Venue = {
  name,
  title: "Coinbase Exchange",
  endpoint: "wss://ws-feed.exchange.coinbase.com",
  documentation: "https://docs.cdp.coinbase.com/exchange/websocket-feed/overview",
  prices: "string",
  symbols: Symbols.paired("-"),
  continuity: "none",
  books: { orders },
  trading: {
    source: "https://docs.cdp.coinbase.com/exchange/websocket-feed/channels, read 2026-11-26",
    read: tradingStatuses,
    channelOf: ({ channel, product }) =>
      product !== undefined && (channel.startsWith("level2") || channel === orders.channel)
        ? { channel: "auctionfeed", product }
        : undefined
  },
  // The heartbeat channel beats per product, for who subscribes to it; every connection answers protocol pings.
  keepAlive: { _tag: "Protocol" },
  // Bursts of 20 dials are let through. Who does not subscribe within 5 s is disconnected.
  limits: [
    { of: "dials", per: "address", limit: 8, windowMillis: 1_000, source: limitsSource },
    { of: "messages", per: "address", limit: 100, windowMillis: 1_000, source: limitsSource }
  ],
  rest: {
    endpoint: "https://api.exchange.coinbase.com",
    weights: [{
      limit: 10,
      windowMillis: 1_000,
      source: "https://docs.cdp.coinbase.com/exchange/rest-api/rate-limits, read 2026-11-26"
    }],
    trades
  },
  sessionMillis: undefined,
  sequenced: new Set(["Ticker"]),
  // `level2` asks for a signed request; `level2_batch` gives the same messages every 50 ms without.
  channels: { trade: "matches", ticker: "ticker", book: "level2_batch" },
  subscribe: (channels) => request("subscribe", channels),
  unsubscribe: (channels) => request("unsubscribe", channels),
  ...Messages.make(),
  topics,
  topicOf,
  answeredAs: (channel) => channel === "level2_batch" ? "level2_50" : channel,
  // The product stands in its words.
  refused: (_, { message = "" }) => Dialect.mentions(message),
  normalise: (product) => Result.succeed(product.toUpperCase()),
  isQuiet: (channel) => /match|^full$|^user$|^auction/.test(channel)
}
