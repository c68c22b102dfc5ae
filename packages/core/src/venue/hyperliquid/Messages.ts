/**
 * What Hyperliquid sends: a frame names its `channel`.
 *
 * @see https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/websocket/subscriptions (read 2026-11-21)
 * @since 0.1.0
 */
import * as Decoder from "../../codec/Decoder.ts"
import * as ExactJson from "../../codec/ExactJson.ts"
import * as JsonText from "../../codec/internal/jsonText.ts"
import * as Scanner from "../../codec/internal/scanner.ts"
import * as Message from "../../codec/Message.ts"
import * as Rejection from "../../codec/Rejection.ts"
import { bookSnapshot, priceUpdate, ticker, trade } from "../../event/MarketData.ts"
import type { MarketEvent } from "../../event/MarketEvent.ts"
import { heartbeat, other, subscribed, unsubscribed, type VenueError, venueError } from "../../event/VenueMessage.ts"
import * as Decimal from "../../value/Decimal.ts"
import type { Venue } from "../Venue.ts"

const venue = "hyperliquid"

type Events = ReadonlyArray<MarketEvent>

/** `"A" = ask`, `"B" = bid`: the side of the order that took. */
const trades = Message.make(
  {
    channel: Message.pinned("trades"),
    data: Message.list({
      coin: Message.text,
      side: Message.word({ A: "sell", B: "buy" }),
      px: Message.decimal,
      sz: Message.decimal,
      time: Message.optional(Message.millis),
      tid: Message.optional(Message.id)
    })
  },
  ({ data }): Events => {
    const events = data.map(({ coin, px, side, sz, tid, time }) =>
      trade({ venue, product: coin, price: px, size: sz, side, tradeId: tid, timestamp: time })
    )
    return events.length === 0 ? [other({ venue, kind: "trades" })] : events
  }
)

const side = Message.levels({ price: "px", size: "sz" })

/** `levels` are `[bids, asks]`, each of `{px, sz, n}`. */
const books = Message.make(
  {
    channel: Message.pinned("l2Book"),
    data: Message.object({
      coin: Message.text,
      time: Message.optional(Message.millis),
      levels: Message.tuple({ bids: side, asks: side })
    })
  },
  ({ data: { coin, levels: { asks, bids }, time } }) => [
    bookSnapshot({ venue, product: coin, bids, asks, timestamp: time })
  ]
)

const quote = Message.nullable(
  Message.object({ px: Message.decimal, sz: Message.decimal }, { expected: "object" })
)

/** `bbo` is `[bid, ask]`, each `{px, sz, n}` or `null`. */
const quotes = Message.make(
  {
    channel: Message.pinned("bbo"),
    data: Message.object({
      coin: Message.text,
      time: Message.optional(Message.millis),
      bbo: Message.tuple({ bid: quote, ask: quote })
    })
  },
  ({ data: { bbo: { ask, bid }, coin, time } }) => [
    ticker({
      venue,
      product: coin,
      bid: bid?.px,
      bidSize: bid?.sz,
      ask: ask?.px,
      askSize: ask?.sz,
      timestamp: time
    })
  ]
)

// --- allMids -----------------------------------------------------------------

/**
 * A price for each coin: `data.mids`, or the prices themselves where `data` or
 * the frame holds them, as the HTTP API and older frames have it. A frame has
 * hundreds of coins, which come and go.
 */
const mids = (frame: ExactJson.JsonObject): Events | Rejection.FrameRejected => {
  const data = frame["data"] ?? frame
  if (!ExactJson.isObject(data)) return Rejection.unexpected(venue, ["data"], "an object", data)
  const at = data === frame ? [] : ["data"]
  const inner = data["mids"]
  if (data === frame && inner === undefined) return Rejection.unexpected(venue, ["data"], "an object", frame["data"])
  const prices = inner ?? data
  const path = inner === undefined ? at : [...at, "mids"]
  if (!ExactJson.isObject(prices)) return Rejection.unexpected(venue, path, "an object", prices)
  const events: Array<MarketEvent> = []
  for (const [coin, text] of ExactJson.entries(prices)) {
    // A coin without a price has none to give.
    if (text === null) continue
    const price = typeof text === "string" ? Decimal.parse(text) : undefined
    if (price === undefined) return Rejection.unexpected(venue, [...path, coin], "a decimal", text)
    events.push(priceUpdate({ venue, product: coin, price }))
  }
  return events.length === 0 ? [other({ venue, kind: "allMids" })] : events
}

const closing = 125
const comma = 44

/** Reads `{"channel":"allMids","data":{"mids":{…}}}`; `undefined` where the exact way must. */
const scanMids = (scanner: Scanner.Scanner) => (frame: string): Events | undefined => {
  scanner.begin(frame)
  if (!scanner.word("{\"channel\":\"allMids\",\"data\":{\"mids\":{")) return undefined
  const events: Array<MarketEvent> = []
  const coins = new Set<string>()
  for (;;) {
    if (!scanner.string()) return undefined
    const coin = scanner.slice()
    const first = coin.charCodeAt(0)
    // An object's order is that of its members, but for names that are numbers.
    if (!(first >= 58 || first < 48)) return undefined
    if (!scanner.word(":")) return undefined
    const price = scanner.decimal()
    if (price === undefined) return undefined
    coins.add(coin)
    events.push(priceUpdate({ venue, product: coin, price }))
    if (scanner.code(comma)) continue
    // Of members with the same name the last counts.
    return scanner.code(closing) && scanner.word("}}") && scanner.isAtEnd() && coins.size === events.length
      ? events
      : undefined
  }
}

// --- answers -----------------------------------------------------------------

const subscription = Message.object({
  type: Message.optional(Message.text),
  coin: Message.optional(Message.text)
})

/** `data` repeats the request: its `method` and its `subscription`. */
const confirmations = Message.make(
  {
    channel: Message.pinned("subscriptionResponse"),
    data: Message.object({
      method: Message.pinned("subscribe", "unsubscribe"),
      subscription: Message.optional(subscription)
    })
  },
  ({ data: { method, subscription } }) => {
    const confirm = method === "subscribe" ? subscribed : unsubscribed
    return [confirm({ venue, channel: subscription?.type, product: subscription?.coin })]
  },
  { rare: true }
)

/**
 * The subscription of a message that has one, such as an error's words.
 *
 * @category constants
 * @since 0.1.0
 */
export const refusedSubscription = Message.make(
  { type: Message.text, coin: Message.optional(Message.text) },
  ({ coin, type }) => [coin === undefined ? { channel: type } : { channel: type, product: coin }],
  { rare: true }
)

const errorOf = (data: ExactJson.Json | undefined, requestId: string | undefined): VenueError => {
  const message = data === undefined || data === null || data === ""
    ? undefined
    : typeof data === "string"
    ? data
    : JSON.stringify(JsonText.plain(data))
  return venueError({ venue, message, requestId })
}

/**
 * The answer to a request that is posted over the socket: an error carries the id of its request.
 * https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/websocket/post-requests (read 2026-11-21)
 */
const post = (data: ExactJson.Json): Events => {
  const response = ExactJson.isObject(data) ? data["response"] ?? null : null
  if (!ExactJson.isObject(data) || !ExactJson.isObject(response) || response["type"] !== "error") {
    return [other({ venue, kind: "post" })]
  }
  const { id } = data
  const requestId = id instanceof ExactJson.JsonNumber ? id.text : typeof id === "string" && id !== "" ? id : undefined
  return [errorOf(response["payload"], requestId)]
}

// --- frames ------------------------------------------------------------------

const choose = (frame: ExactJson.JsonObject): Decoder.Choice<MarketEvent> => {
  const channel = Decoder.nameOf(venue, frame, "channel")
  if (Rejection.isFrameRejected(channel)) return channel
  const { data } = frame
  switch (channel) {
    case "trades":
      return trades
    case "l2Book":
      return books
    case "bbo":
      return quotes
    case "allMids":
      return mids(frame)
    case "subscriptionResponse": {
      const method = data !== undefined && ExactJson.isObject(data) ? data["method"] : "subscribe"
      return method === "subscribe" || method === "unsubscribe"
        ? confirmations
        : [other({ venue, kind: "subscriptionResponse" })]
    }
    case "error":
      return [errorOf(data, undefined)]
    case "post":
      return post(data ?? null)
    case "pong":
      return [heartbeat({ venue, kind: "pong" })]
    default:
      return [other({ venue, kind: channel })]
  }
}

/**
 * What the server says to every connection, in plain text; the venue's own clients pass over it.
 *
 * @see https://github.com/hyperliquid-dex/hyperliquid-python-sdk/blob/master/hyperliquid/websocket_manager.py (read 2026-11-25)
 */
const greeting = "Websocket connection established."

/**
 * The kinds of messages that the venue sends, and a decoder of its frames that
 * has learned no layout yet.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (): Pick<Venue, "decode" | "messages"> => ({
  messages: [trades, books, quotes, confirmations],
  decode: Decoder.make(venue, choose, {
    scan: scanMids(Scanner.make()),
    otherwise: (_, frame) => frame === greeting ? [other({ venue, kind: "greeting" })] : undefined
  })
})
