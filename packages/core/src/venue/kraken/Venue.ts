/**
 * Kraken, the spot market's public data, version 2 of its WebSocket API.
 *
 * Prices and sizes are bare JSON numbers whose trailing zeros count: a book's
 * checksum is taken over the digits as they are written (`KrakenChecksum`). The
 * `side` of a trade is the taker's. Sizes of a book's `update` are absolute.
 *
 * A subscription is answered for each symbol by itself, with the `req_id` of the
 * request; a symbol that is refused does not keep the others from being served.
 *
 * Documentation: https://docs.kraken.com/api/docs/websocket-v2/ticker, `…/trade`,
 * `…/book`, `…/instrument`, `…/status`, `…/heartbeat` and `…/ping`, read
 * 2026-11-21.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import type * as ExactJson from "../../codec/ExactJson.ts"
import * as FramePeek from "../../codec/internal/framePeek.ts"
import * as Dialect from "../../protocol/Dialect.ts"
import * as Symbols from "../../protocol/Symbols.ts"
import type { Frame } from "../../transport/Frame.ts"
import * as Channel from "../../value/Channel.ts"
import { topicByKind } from "../internal/topicByKind.ts"
import type { Ask, Books, Topic, TradingStatus, Venue } from "../Venue.ts"
import { trades } from "./internal/missedTrades.ts"
import * as KrakenChecksum from "./KrakenChecksum.ts"
import * as Messages from "./Messages.ts"

const name = "kraken"

// --- subscribing -------------------------------------------------------------

/** The venue's names, and that of a book with its depth, which the first version of the API called `book-25`. */
const bookOfDepth = /^(book)-(\d+)$/

/** The depths of a book; ten is that of `book`. */
const depths = [10, 25, 100, 500, 1_000]

/**
 * A frame of a book does not say which depth it is of, and what a second depth of
 * one product does on one connection is not documented: one is asked for.
 *
 * @see https://docs.kraken.com/api/docs/websocket-v2/book (read 2026-11-26)
 */
const depthOf = ({ channel }: Channel.Channel): number | undefined => {
  const depth = channel === "book" ? depths[0] : Number(bookOfDepth.exec(channel)?.[2])
  return depth !== undefined && depths.includes(depth) ? depth : undefined
}

/**
 * One request for each channel of a symbol. The venue would take many symbols at
 * once, but answers for each by itself and names none in every refusal: by a
 * number of its own it is known what was refused.
 */
const request = (
  method: "subscribe" | "unsubscribe",
  channels: ReadonlyArray<Channel.Channel>,
  id: number
): ReadonlyArray<Ask> => {
  const asked = [...new Map(channels.map((channel) => [Channel.key(channel), channel])).values()]
  return asked.map((one, index) => {
    const [, channel = one.channel, depth] = bookOfDepth.exec(one.channel) ?? []
    const params = {
      channel,
      ...(one.product === undefined ? {} : { symbol: [one.product] }),
      ...(depth === undefined ? {} : { depth: Number(depth) }),
      // Said for every channel, because the default is not the same for all.
      ...(method === "subscribe" ? { snapshot: true } : {})
    }
    const req_id = id + index
    return { text: JSON.stringify({ method, params, req_id }), channels: [one], requestId: String(req_id) }
  })
}

const topics = ({ channel, product }: Channel.Channel): ReadonlyArray<Topic> => [
  { name: bookOfDepth.exec(channel)?.[1] ?? channel, product }
]

const topicOf = topicByKind({
  Trade: "trade",
  Ticker: "ticker",
  BookSnapshot: "book",
  BookDelta: "book",
  Other: (frame) => {
    const json = FramePeek.objectOf(frame)
    return { name: FramePeek.textIn(json, "channel"), product: FramePeek.textInAll(json?.["data"], "symbol") }
  }
})

/** The depth of a book stands in the acknowledgement of its subscription, and of its end. */
const subscribedDepth: Books["subscribedDepth"] = (frame) => {
  if (typeof frame !== "string" || !frame.includes("\"depth\"")) return undefined
  const json = FramePeek.objectOf(frame)
  const result = FramePeek.objectIn(json, "result")
  const method = FramePeek.textIn(json, "method")
  const product = FramePeek.textIn(result, "symbol")
  const depth = Number(String(result?.["depth"]))
  if (FramePeek.textIn(result, "channel") !== "book" || product === undefined || !Number.isSafeInteger(depth)) {
    return undefined
  }
  return method === "subscribe"
    ? { product, depth }
    : method === "unsubscribe"
    ? { product, depth: undefined }
    : undefined
}

/** Under any other status of the engine or of a pair no orders are matched. */
const matching = new Set(["online", "limit_only", "reduce_only"])

/** The engine's status comes by itself, on each connection and when it changes; that of pairs to who asks for `instrument`. */
const tradingStatuses = (frame: Frame): ReadonlyArray<TradingStatus> => {
  const json = FramePeek.objectOf(frame)
  const statuses = (found: ReadonlyArray<ExactJson.JsonObject>, member: string): ReadonlyArray<TradingStatus> =>
    found.flatMap((each) => {
      const status = FramePeek.textIn(each, member)
      return status === undefined
        ? []
        : [{ of: FramePeek.textIn(each, "symbol"), status, isContinuous: matching.has(status) }]
    })
  switch (FramePeek.textIn(json, "channel")) {
    case "status":
      return statuses(FramePeek.objectsIn(json, "data"), "system")
    case "instrument":
      return statuses(FramePeek.objectsIn(FramePeek.objectIn(json, "data"), "pairs"), "status")
    default:
      return []
  }
}

/**
 * Kraken.
 *
 * @category venues
 * @since 0.1.0
 */
export const venue: Venue = {
  name,
  title: "Kraken",
  endpoint: "wss://ws.kraken.com/v2",
  documentation: "https://docs.kraken.com/api/docs/guides/spot-ws-intro",
  prices: "number",
  symbols: Symbols.paired("/"),
  continuity: "state",
  books: { checksum: KrakenChecksum.checksum, depths, subscribedDepth, depthOf },
  trading: {
    source: "https://docs.kraken.com/exchange/api-reference/spot-websocket-v2/status, read 2026-11-26",
    read: tradingStatuses
  },
  // A connection that says nothing for about a minute is closed; any request keeps it:
  // https://docs.kraken.com/api/docs/guides/spot-ws-intro, read 2026-11-21.
  keepAlive: {
    _tag: "Application",
    everyMillis: 30_000,
    ping: (id) => JSON.stringify({ method: "ping", req_id: id }),
    isPong: (event) => event._tag === "Heartbeat" && event.kind === "pong"
  },
  // "About" so many, then a ban for 10 minutes. Of messages no figure is published.
  limits: [{
    of: "dials",
    per: "address",
    limit: 150,
    windowMillis: 600_000,
    source: "https://docs.kraken.com/api/docs/guides/spot-ws-intro, read 2026-11-21"
  }],
  rest: {
    endpoint: "https://api.kraken.com",
    weights: [{
      limit: 1,
      windowMillis: 1_000,
      source: "https://docs.kraken.com/api/docs/guides/spot-rest-ratelimits, read 2026-11-26"
    }],
    trades
  },
  sessionMillis: undefined,
  // The ten best levels; `book-25`, `book-100`, `book-500` and `book-1000` are deeper:
  // https://docs.kraken.com/api/docs/websocket-v2/book, read 2026-11-21.
  channels: { trade: "trade", ticker: "ticker", book: "book" },
  subscribe: (channels, id) => request("subscribe", channels, id),
  unsubscribe: (channels, id) => request("unsubscribe", channels, id),
  ...Messages.make(),
  topics,
  topicOf,
  normalise: (product, channel) =>
    bookOfDepth.test(channel) && depthOf({ channel }) === undefined
      ? Result.fail("a book has 10, 25, 100, 500 or 1000 levels of each side")
      : Result.succeed(product),
  // The product stands in its words.
  refused: (_, { message = "" }) => Dialect.mentions(message),
  isQuiet: (channel) => channel === "trade" || channel === "executions"
}
