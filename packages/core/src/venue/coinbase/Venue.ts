/**
 * Coinbase Advanced Trade, the market data feed.
 *
 * Prices and sizes are JSON strings, `sequence_num` is a JSON number: that of
 * the frame, one after the other over all channels of a connection. A frame
 * holds events, an event the trades, tickers or levels of one channel.
 *
 * @see https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket/websocket-channels (read 2026-11-21)
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as ExactJson from "../../codec/ExactJson.ts"
import * as FramePeek from "../../codec/internal/framePeek.ts"
import * as Dialect from "../../protocol/Dialect.ts"
import * as Symbols from "../../protocol/Symbols.ts"
import type { Frame } from "../../transport/Frame.ts"
import type { Channel } from "../../value/Channel.ts"
import { numbered } from "../internal/numbers.ts"
import { topicByKind } from "../internal/topicByKind.ts"
import type { Ask, Topic, TradingStatus, Venue } from "../Venue.ts"
import { trades } from "./internal/missedTrades.ts"
import * as Messages from "./Messages.ts"

const name = "coinbase"

// --- subscribing -------------------------------------------------------------

/**
 * One frame for each channel, as the venue asks. Channels without products are
 * asked for apart: a frame without `product_ids` is of all.
 *
 * @see https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket/websocket-overview (read 2026-11-21)
 */
const request = (type: "subscribe" | "unsubscribe", channels: ReadonlyArray<Channel>): ReadonlyArray<Ask> => {
  const groups = new Map<string, { readonly channel: string; readonly products: Set<string> }>()
  for (const { channel, product } of channels) {
    const key = `${product === undefined ? "" : "+"}${channel}`
    const group = groups.get(key) ?? { channel, products: new Set<string>() }
    groups.set(key, group)
    if (product !== undefined) group.products.add(product)
  }
  return Array.from(groups.values(), ({ channel, products }) => ({
    text: JSON.stringify(
      products.size === 0 ? { type, channel } : { type, product_ids: [...products], channel }
    ),
    channels: products.size === 0 ? [{ channel }] : Array.from(products, (product) => ({ channel, product })),
    requestId: undefined,
    isListed: true
  }))
}

const topics = ({ channel, product }: Channel): ReadonlyArray<Topic> => [
  { name: channel === "level2" ? "l2_data" : channel, product }
]

/** The product that all of a frame's lists are of: those of `candles` name it, those of `status` are it. */
const productOf = (frame: ExactJson.JsonObject): string | undefined => {
  const events: ReadonlyArray<ExactJson.Json> = Array.isArray(frame["events"]) ? frame["events"] : []
  const products = new Set(events.flatMap((event) =>
    ExactJson.isObject(event)
      ? Object.values(event).filter(Array.isArray).map((list) =>
        FramePeek.textInAll(list, "product_id") ?? FramePeek.textInAll(list, "id")
      )
      : []
  ))
  const [product] = products
  return products.size === 1 ? product : undefined
}

const topicOf = topicByKind({
  Trade: "market_trades",
  BookSnapshot: "l2_data",
  BookDelta: "l2_data",
  Heartbeat: "heartbeats",
  Ticker: (frame) => ({
    name: FramePeek.textAfter(frame, "{\"channel\":\"") ?? FramePeek.textIn(FramePeek.objectOf(frame), "channel")
  }),
  Other: (frame) => {
    const json = FramePeek.objectOf(frame)
    return { name: FramePeek.textIn(json, "channel"), product: json === undefined ? undefined : productOf(json) }
  }
})

/**
 * All but two products in USDC are served as those in USD, but on the channel of
 * the user.
 *
 * @see https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket/websocket-channels (read 2026-11-25)
 */
const inUsdc = new Set(["USDT-USDC", "EURC-USDC"])

const normalise = (product: string, channel: string): Result.Result<string, string> => {
  const symbol = product.toUpperCase()
  return Result.succeed(channel === "user" || inUsdc.has(symbol) ? symbol : symbol.replace(/-USDC$/, "-USD"))
}

// Another page of the venue's says 750 connections a second; the lower figure is kept.
const limitsSource =
  "https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket/websocket-rate-limits, read 2026-11-21"

/** To who asks for `status`; it does not say which product is in an auction. */
const tradingStatuses = (frame: Frame): ReadonlyArray<TradingStatus> => {
  if (typeof frame !== "string" || !/"channel":\s*"status"/.test(frame)) return []
  return FramePeek.objectsIn(FramePeek.objectOf(frame), "events").flatMap((event) =>
    FramePeek.objectsIn(event, "products").flatMap((each) => {
      const of = FramePeek.textIn(each, "id")
      const status = FramePeek.textIn(each, "status")
      return of === undefined || status === undefined ? [] : [{ of, status, isContinuous: status === "online" }]
    })
  )
}

/**
 * Coinbase Advanced Trade.
 *
 * @category venues
 * @since 0.1.0
 */
export const venue: Venue = {
  name,
  title: "Coinbase Advanced Trade",
  endpoint: "wss://advanced-trade-ws.coinbase.com",
  documentation: "https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket/websocket-overview",
  prices: "string",
  symbols: Symbols.paired("-"),
  continuity: "frame",
  frames: { numberOf: numbered("sequence_num") },
  trading: {
    source: "https://docs.cdp.coinbase.com/api-reference/advanced-trade-api/websocket/product-status, read 2026-11-26",
    read: tradingStatuses
  },
  keepAlive: {
    _tag: "Server",
    withinMillis: 1_000,
    // Most channels end after 60 to 90 s without data, unless this one is subscribed to as well.
    channels: () => [{ channel: "heartbeats" }]
  },
  // Of messages without a signature. Who does not subscribe within 5 s is disconnected.
  limits: [
    { of: "dials", per: "address", limit: 8, windowMillis: 1_000, source: limitsSource },
    { of: "messages", per: "address", limit: 8, windowMillis: 1_000, source: limitsSource }
  ],
  rest: {
    endpoint: "https://api.coinbase.com",
    weights: [{
      limit: 10,
      windowMillis: 1_000,
      source: "https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/rest-api, read 2026-11-26"
    }],
    trades
  },
  sessionMillis: undefined,
  channels: { trade: "market_trades", ticker: "ticker", book: "level2" },
  subscribe: (channels) => request("subscribe", channels),
  unsubscribe: (channels) => request("unsubscribe", channels),
  ...Messages.make(),
  topics,
  topicOf,
  // The product stands in its words.
  refused: (_, { message = "" }) => Dialect.mentions(message),
  normalise,
  isQuiet: (channel) => channel === "market_trades" || Messages.withoutProducts.has(channel)
}
