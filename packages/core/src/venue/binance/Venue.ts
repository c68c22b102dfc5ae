/**
 * Binance spot, the public market data streams, combined and bare. Frames of
 * the futures' streams, which hold a little more, are read as well.
 *
 * Prices and quantities are JSON strings; ids and times are JSON numbers. A
 * message names its kind by `e`, but for two: a book ticker and a partial book,
 * which are known by members that only they have.
 *
 * @see https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams (read 2026-11-21)
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as ExactJson from "../../codec/ExactJson.ts"
import * as FramePeek from "../../codec/internal/framePeek.ts"
import type { MarketEvent } from "../../event/MarketEvent.ts"
import type { Frame } from "../../transport/Frame.ts"
import type { Channel } from "../../value/Channel.ts"
import type { Ask, Topic, Venue } from "../Venue.ts"
import { trades } from "./internal/missedTrades.ts"
import * as Messages from "./Messages.ts"
import { symbols } from "./Symbols.ts"

const name = "binance"

// --- subscribing -------------------------------------------------------------

/**
 * A request that is longer is never answered: the server reads 4,096 bytes, the
 * frame's header of 8 included.
 *
 * @see https://github.com/binance/binance-connector-rust/issues/27 (read 2026-11-21)
 */
const maxRequestBytes = 4_088

/** No fewer bytes than the text takes in UTF-8. */
const bytesOf = (text: string): number => {
  let bytes = text.length
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) > 127) bytes += 2
  return bytes
}

/**
 * A stream's name: the product in small letters, then the channel. A channel
 * without a product is the whole name, such as `!ticker@arr` or `btcusdt@trade`.
 */
const streamOf = ({ channel, product }: Channel): string => {
  if (product !== undefined) return `${product.toLowerCase()}@${channel}`
  return channel.startsWith("!") ? channel : channel.replace(/^[^@]+(?=@)/, (product) => product.toLowerCase())
}

/** The kinds that are not named as their streams are. */
const kindOfStream: ReadonlyMap<string, string> = new Map([
  ["ticker", "24hrTicker"],
  ["miniTicker", "24hrMiniTicker"],
  ["depth", "depthUpdate"],
  ["depth5", "partial"],
  ["depth10", "partial"],
  ["depth20", "partial"],
  ["markPrice", "markPriceUpdate"]
])

/**
 * Its data is known by the stream in a combined frame, and by its kind and
 * product in a bare one, which names no stream.
 */
const topics = (channel: Channel): ReadonlyArray<Topic> => {
  const stream = streamOf(channel)
  const subject = Messages.subjectOf(stream)
  const kind = kindOfStream.get(subject) ?? subject
  const product = stream.startsWith("!") || !stream.includes("@") ? undefined : stream.split("@", 1)[0]?.toUpperCase()
  return [{ name: stream }, { name: `bare ${kind}`, product: kind === "partial" ? undefined : product }]
}

/** A kline's interval is part of its stream's name: `kline_1m`. */
const bareTopic = (message: ExactJson.JsonObject | undefined, kind: string | undefined): Topic | undefined => {
  const named = FramePeek.textIn(message, "e") ?? kind
  if (named === undefined) return undefined
  const interval = FramePeek.textIn(FramePeek.objectIn(message, "k"), "i")
  return {
    name: `bare ${interval === undefined ? named : `${named}_${interval}`}`,
    product: FramePeek.textIn(message, "s")
  }
}

/** The kinds of events whose messages may come without `e`. */
const unnamedKind = (event: MarketEvent): string | undefined =>
  event._tag === "Ticker" ? "bookTicker" : event._tag === "BookSnapshot" ? "partial" : undefined

const isData = ({ _tag }: MarketEvent): boolean => _tag !== "Response" && _tag !== "VenueError"

const topicOf = (frame: Frame, events: ReadonlyArray<MarketEvent>): Topic | undefined => {
  const stream = FramePeek.textAfter(frame, "{\"stream\":\"")
  if (stream !== undefined) return { name: stream }
  const event = events[0]
  if (event === undefined || typeof frame !== "string" || !isData(event)) return undefined
  const kind = event._tag === "Other" ? undefined : FramePeek.textAfter(frame, "{\"e\":\"")
  if (kind !== undefined) return { name: `bare ${kind}` }
  const json = ExactJson.parse(frame)
  if (json instanceof ExactJson.Malformed) return undefined
  const message = Array.isArray(json) ? json[0] : json
  if (message === undefined || !ExactJson.isObject(message)) return undefined
  const named = FramePeek.textIn(message, "stream")
  return named === undefined ? bareTopic(message, unnamedKind(event)) : { name: named }
}

/** What can stand before the `@` of a stream's name. */
const symbol = /^[^@/,"\\]+$/

/** Its data names products in capitals, whatever they are asked for by. */
const normalise = (product: string): Result.Result<string, string> =>
  symbol.test(product)
    ? Result.succeed(product.toUpperCase())
    : Result.fail("a symbol of Binance is written without a mark, such as BTCUSDT")

const request = (
  method: "SUBSCRIBE" | "UNSUBSCRIBE",
  channels: ReadonlyArray<Channel>,
  id: number
): ReadonlyArray<Ask> => {
  const asks: Array<Ask> = []
  let params: Array<string> = []
  let asked: Array<Channel> = []
  const overhead = bytesOf(JSON.stringify({ method, params, id: Number.MAX_SAFE_INTEGER }))
  let bytes = overhead
  const flush = (): void => {
    if (params.length === 0) return
    const requestId = id + asks.length
    asks.push({
      text: JSON.stringify({ method, params, id: requestId }),
      channels: asked,
      requestId: String(requestId)
    })
    params = []
    asked = []
    bytes = overhead
  }
  for (const [stream, same] of Map.groupBy(channels, streamOf)) {
    const added = bytesOf(JSON.stringify(stream)) + 1
    if (bytes + added > maxRequestBytes) flush()
    params.push(stream)
    asked.push(...same)
    bytes += added
  }
  flush()
  return asks
}

const limitsSource =
  "https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams#websocket-limits, read 2026-11-21"

// --- books over REST ----------------------------------------------------------

const restSource =
  "https://developers.binance.com/docs/binance-spot-api-docs/rest-api/limits#ip-limits, read 2026-11-25"

/**
 * What the snapshot of a book weighs, by how many levels are asked for at most.
 *
 * @see https://developers.binance.com/docs/binance-spot-api-docs/rest-api/market-data-endpoints#order-book (read 2026-11-25)
 */
const bookWeights: ReadonlyArray<readonly [levels: number, weight: number]> = [[100, 5], [500, 25], [1_000, 50]]

const bookWeight = (depth: number): number => bookWeights.find(([levels]) => depth <= levels)?.[1] ?? 250

/**
 * Binance spot.
 *
 * @category venues
 * @since 0.1.0
 */
export const venue: Venue = {
  name,
  title: "Binance spot",
  // Combined: only there does the frame of a partial book say whose it is.
  endpoint: "wss://stream.binance.com:9443/stream",
  documentation: "https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams",
  prices: "string",
  symbols,
  continuity: "delta",
  // `@depth20@100ms` is the top of the book each time, `@depth@100ms` its changes.
  books: { isWhole: (channel) => channel === "bare partial" || /@depth\d+/.test(channel) },
  // `t` of a trade and `a` of an aggregate count one by one for each symbol:
  // https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams (read 2026-11-25).
  tradeNumber: (channel) => channel === "trade" || channel === "aggTrade" ? "tradeId" : undefined,
  keepAlive: { _tag: "Protocol" },
  limits: [
    // Pings and pongs count.
    { of: "messages", per: "connection", limit: 5, windowMillis: 1_000, source: limitsSource },
    { of: "dials", per: "address", limit: 300, windowMillis: 300_000, source: limitsSource },
    { of: "subscriptions", per: "connection", limit: 1_024, windowMillis: undefined, source: limitsSource }
  ],
  rest: {
    endpoint: "https://api.binance.com",
    weights: [{ limit: 6_000, windowMillis: 60_000, source: restSource }],
    book: {
      depth: 5_000,
      request: (product, depth) => ({
        path: `/api/v3/depth?symbol=${encodeURIComponent(product)}&limit=${depth}`,
        weight: bookWeight(depth)
      }),
      read: Messages.readBook
    },
    trades
  },
  sessionMillis: 86_400_000,
  // Without a time by which it does: at once, or after ten minutes.
  endsSoon: (event) => event._tag === "Other" && event.kind === "serverShutdown",
  sequenced: new Set(["Ticker", "BookSnapshot", "BookDelta"]),
  channels: { trade: "trade", ticker: "ticker", book: "depth@100ms" },
  subscribe: (channels, id) => request("SUBSCRIBE", channels, id),
  unsubscribe: (channels, id) => request("UNSUBSCRIBE", channels, id),
  ...Messages.make(),
  topics,
  topicOf,
  normalise,
  isQuiet: (channel) => channel === "trade" || channel === "aggTrade"
}
