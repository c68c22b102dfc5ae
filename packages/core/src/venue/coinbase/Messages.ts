/**
 * What Coinbase Advanced Trade sends: a frame names its channel, and holds
 * events, an event the trades, tickers or levels of that channel.
 *
 * @see https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket/websocket-channels (read 2026-11-21)
 * @since 0.1.0
 */
import * as Decoder from "../../codec/Decoder.ts"
import * as ExactJson from "../../codec/ExactJson.ts"
import * as Message from "../../codec/Message.ts"
import * as Rejection from "../../codec/Rejection.ts"
import { bookDelta, bookSnapshot, ticker, trade } from "../../event/MarketData.ts"
import type { MarketEvent } from "../../event/MarketEvent.ts"
import { heartbeat, other, type Subscribed, subscribed, venueError } from "../../event/VenueMessage.ts"
import type { Venue } from "../Venue.ts"

const venue = "coinbase"

type Events = ReadonlyArray<MarketEvent>

/** The events of a frame, or that it has none of its channel. */
const orOther = (events: Events, channel: string): Events =>
  events.length === 0 ? [other({ venue, kind: channel })] : events

/** `side` is the maker's; it is unknown where it is empty or says so. */
const trades = Message.make(
  {
    channel: Message.pinned("market_trades"),
    sequence_num: Message.optional(Message.id),
    events: Message.nullable(Message.list({
      type: Message.optional(Message.string),
      trades: Message.nullable(Message.list({
        product_id: Message.text,
        price: Message.decimal,
        size: Message.decimal,
        side: Message.word({ BUY: "sell", SELL: "buy", UNKNOWN_ORDER_SIDE: undefined, "": undefined }),
        trade_id: Message.optional(Message.id),
        time: Message.optional(Message.time)
      }))
    }))
  },
  ({ channel, events, sequence_num: sequence }) =>
    orOther(
      events?.flatMap(({ trades, type }) => {
        const history = type === "snapshot"
        return trades?.map(({ price, product_id, side, size, time, trade_id }) =>
          trade({
            venue,
            product: product_id,
            price,
            size,
            side,
            tradeId: trade_id,
            timestamp: time,
            sequence,
            history
          })
        ) ?? []
      }) ?? [],
      channel
    )
)

/** A product without quotes or without trades has empty prices; `ticker_batch` has no quotes at all. */
const tickers = Message.make(
  {
    channel: Message.pinned("ticker", "ticker_batch"),
    timestamp: Message.optional(Message.time),
    sequence_num: Message.optional(Message.id),
    events: Message.nullable(Message.list({
      tickers: Message.nullable(Message.list({
        product_id: Message.text,
        price: Message.decimalIfAny,
        best_bid: Message.decimalIfAny,
        best_bid_quantity: Message.decimalIfAny,
        best_ask: Message.decimalIfAny,
        best_ask_quantity: Message.decimalIfAny,
        volume_24_h: Message.decimalIfAny
      }, { needs: ["price", "best_bid", "best_ask"] }))
    }))
  },
  ({ channel, events, sequence_num: sequence, timestamp }) =>
    orOther(
      events?.flatMap(({ tickers }) =>
        tickers?.map((
          { best_ask, best_ask_quantity, best_bid, best_bid_quantity, price, product_id, volume_24_h }
        ) =>
          ticker({
            venue,
            product: product_id,
            price,
            bid: best_bid,
            bidSize: best_bid_quantity,
            ask: best_ask,
            askSize: best_ask_quantity,
            volume: volume_24_h,
            timestamp,
            sequence
          })
        ) ?? []
      ) ?? [],
      channel
    )
)

/** A level is `{"side":"bid" | "offer","event_time":…,"price_level":…,"new_quantity":…}`, its quantity absolute. */
const levels = Message.make(
  {
    channel: Message.pinned("l2_data"),
    timestamp: Message.optional(Message.time),
    sequence_num: Message.optional(Message.id),
    events: Message.nullable(Message.list({
      type: Message.word({ snapshot: "snapshot", update: "update" }),
      product_id: Message.text,
      updates: Message.nullable(Message.sides({
        bid: "bid",
        ask: "offer",
        names: { side: "side", price: "price_level", size: "new_quantity" }
      }))
    }))
  },
  ({ channel, events, sequence_num: sequence, timestamp }) =>
    orOther(
      events?.map(({ product_id: product, type, updates }) => {
        const { asks, bids } = updates ?? { bids: [], asks: [] }
        return type === "snapshot"
          ? bookSnapshot({ venue, product, bids, asks, timestamp, sequence })
          : bookDelta({ venue, product, bids, asks, timestamp, sequence })
      }) ?? [],
      channel
    )
)

/**
 * Of these channels the answer lists no products, but the channel again or the user.
 *
 * @category constants
 * @since 0.1.0
 */
export const withoutProducts: ReadonlySet<string> = new Set(["heartbeats", "user", "futures_balance_summary"])

/** What an event of an answer lists: `{"level2":["BTC-USD"],"heartbeats":["heartbeats"]}`. */
const readSubscriptions = (
  listed: ExactJson.Json,
  at: ReadonlyArray<PropertyKey>
): ReadonlyArray<Subscribed> | Rejection.FrameRejected => {
  if (!ExactJson.isObject(listed)) return Rejection.unexpected(venue, at, "an object", listed)
  const events: Array<Subscribed> = []
  for (const [channel, products] of ExactJson.entries(listed)) {
    if (products !== null && !Array.isArray(products)) {
      return Rejection.unexpected(venue, [...at, channel], "an array", products)
    }
    if (products === null || products.length === 0 || withoutProducts.has(channel)) {
      events.push(subscribed({ venue, channel }))
      continue
    }
    for (const [index, product] of products.entries()) {
      if (typeof product !== "string" || product === "") {
        return Rejection.unexpected(venue, [...at, channel, index], "a non-empty string", product)
      }
      events.push(subscribed({ venue, channel, product }))
    }
  }
  return events
}

/** The answer lists every subscription of the connection, the earlier ones included. */
const subscriptions = (frame: ExactJson.JsonObject): Events | Rejection.FrameRejected => {
  const { events: list } = frame
  const events: Array<MarketEvent> = []
  if (list !== null && !Array.isArray(list)) return Rejection.unexpected(venue, ["events"], "an array", list)
  for (const [index, event] of (list ?? []).entries()) {
    const at = ["events", index]
    if (!ExactJson.isObject(event)) return Rejection.unexpected(venue, at, "an object", event)
    const read = readSubscriptions(event["subscriptions"] ?? {}, [...at, "subscriptions"])
    if (Rejection.isFrameRejected(read)) return read
    for (const each of read) events.push(each)
  }
  return events.length === 0 ? [subscribed({ venue })] : events
}

const errors = Message.make(
  {
    type: Message.pinned("error"),
    message: Message.optional(Message.string),
    reason: Message.optional(Message.string),
    code: Message.optional(Message.id)
  },
  ({ code, message, reason }) => [
    venueError({ venue, code, message: [message, reason].filter((part) => part).join(": ") || undefined })
  ],
  { rare: true }
)

const kinds: ReadonlyMap<string, Message.Message<MarketEvent>> = new Map<string, Message.Message<MarketEvent>>([
  ["market_trades", trades],
  ["ticker", tickers],
  ["ticker_batch", tickers],
  ["l2_data", levels]
])

/** A frame names its kind by `channel`, an error by `type`. */
const choose = (frame: ExactJson.JsonObject): Decoder.Choice<MarketEvent> => {
  const isNamed = Object.hasOwn(frame, "channel") || !Object.hasOwn(frame, "type")
  const name = Decoder.nameOf(venue, frame, isNamed ? "channel" : "type")
  if (Rejection.isFrameRejected(name)) return name
  if (!isNamed) return name === "error" ? errors : [other({ venue, kind: name })]
  if (name === "heartbeats") return [heartbeat({ venue, kind: "heartbeat" })]
  if (name === "subscriptions") return subscriptions(frame)
  return kinds.get(name) ?? [other({ venue, kind: name })]
}

/**
 * The kinds of messages that the venue sends, and a decoder of its frames that
 * has learned no layout yet.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (): Pick<Venue, "decode" | "messages"> => ({
  messages: [trades, tickers, levels, errors],
  decode: Decoder.make(venue, choose)
})
