/**
 * What Coinbase Exchange sends: a message names its kind by `type`.
 *
 * @see https://docs.cdp.coinbase.com/exchange/websocket-feed/channels (read 2026-11-21)
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as Decoder from "../../codec/Decoder.ts"
import * as Message from "../../codec/Message.ts"
import * as Rejection from "../../codec/Rejection.ts"
import { bookDelta, bookSnapshot, ticker, trade } from "../../event/MarketData.ts"
import type { MarketEvent } from "../../event/MarketEvent.ts"
import { heartbeat, other, subscribed, venueError } from "../../event/VenueMessage.ts"
import type { Venue } from "../Venue.ts"

const venue = "coinbase-exchange"

/** `side` is the maker's; it is unknown where it is empty or says so. */
const matches = Message.make(
  {
    type: Message.pinned("match", "last_match"),
    product_id: Message.text,
    price: Message.decimal,
    size: Message.decimal,
    side: Message.word({ buy: "sell", sell: "buy", UNKNOWN_ORDER_SIDE: undefined, "": undefined }),
    trade_id: Message.optional(Message.id),
    time: Message.optional(Message.iso),
    sequence: Message.optional(Message.id)
  },
  ({ price, product_id, sequence, side, size, time, trade_id }) => [
    trade({ venue, product: product_id, price, size, side, tradeId: trade_id, timestamp: time, sequence })
  ]
)

const tickers = Message.make(
  {
    type: Message.pinned("ticker"),
    product_id: Message.text,
    price: Message.decimalIfAny,
    best_bid: Message.decimalIfAny,
    best_bid_size: Message.decimalIfAny,
    best_ask: Message.decimalIfAny,
    best_ask_size: Message.decimalIfAny,
    volume_24h: Message.decimalIfAny,
    time: Message.optional(Message.iso),
    sequence: Message.optional(Message.id)
  },
  ({ best_ask, best_ask_size, best_bid, best_bid_size, price, product_id, sequence, time, volume_24h }) => [
    ticker({
      venue,
      product: product_id,
      price,
      bid: best_bid,
      bidSize: best_bid_size,
      ask: best_ask,
      askSize: best_ask_size,
      volume: volume_24h,
      timestamp: time,
      sequence
    })
  ],
  { needs: ["price", "best_bid", "best_ask"] }
)

const snapshots = Message.make(
  {
    type: Message.pinned("snapshot"),
    product_id: Message.text,
    bids: Message.levels(),
    asks: Message.levels(),
    time: Message.optional(Message.iso)
  },
  ({ asks, bids, product_id, time }) => [bookSnapshot({ venue, product: product_id, bids, asks, timestamp: time })]
)

const updates = Message.make(
  {
    type: Message.pinned("l2update"),
    product_id: Message.text,
    changes: Message.sides({ bid: "buy", ask: "sell" }),
    time: Message.optional(Message.iso)
  },
  ({ changes: { asks, bids }, product_id, time }) => [
    bookDelta({ venue, product: product_id, bids, asks, timestamp: time })
  ]
)

const heartbeats = Message.make({ type: Message.pinned("heartbeat") }, () => [heartbeat({ venue, kind: "heartbeat" })])

/** The answer lists every subscription of the connection, the earlier ones included. */
const subscriptions = Message.make(
  {
    type: Message.pinned("subscriptions"),
    channels: Message.optional(Message.schema(Schema.Array(Schema.Union([
      Schema.Struct({
        name: Schema.NonEmptyString,
        product_ids: Schema.optionalKey(Schema.NullOr(Schema.Array(Schema.NonEmptyString)))
      }),
      Schema.NonEmptyString
    ]))))
  },
  ({ channels = [] }) => {
    const events = channels.flatMap((entry) => {
      const channel = typeof entry === "string" ? entry : entry.name
      const products = typeof entry === "string" ? [] : entry.product_ids ?? []
      return products.length === 0
        ? [subscribed({ venue, channel })]
        : products.map((product) => subscribed({ venue, channel, product }))
    })
    return events.length === 0 ? [subscribed({ venue })] : events
  }
)

/** Bare names need no schema; a hostile megabyte of them would take it more than 50 ms. */
const bareNames = (channels: unknown): ReadonlyArray<MarketEvent> | undefined => {
  if (!Array.isArray(channels) || channels.length === 0) return undefined
  const names = channels.filter((entry): entry is string => typeof entry === "string" && entry !== "")
  return names.length < channels.length ? undefined : names.map((channel) => subscribed({ venue, channel }))
}

/** `message` says what failed, `reason` why: `Failed to subscribe: X-Y is not a valid product`. */
const errors = Message.make(
  {
    type: Message.pinned("error"),
    message: Message.optional(Message.string),
    reason: Message.optional(Message.string)
  },
  ({ message, reason }) => [
    venueError({ venue, message: [message, reason].filter((part) => part).join(": ") || undefined })
  ],
  { rare: true }
)

/** A kind that has no event of its own; the channel `full` has many such messages. */
const otherKind = (type: string): Message.Message<MarketEvent> =>
  Message.make({ type: Message.pinned(type) }, () => [other({ venue, kind: type })])

const kinds: ReadonlyMap<string, Message.Message<MarketEvent>> = new Map<string, Message.Message<MarketEvent>>([
  ["match", matches],
  ["last_match", matches],
  ["ticker", tickers],
  ["snapshot", snapshots],
  ["l2update", updates],
  ["heartbeat", heartbeats],
  ["subscriptions", subscriptions],
  ["error", errors]
])

/**
 * The kinds of messages that the venue sends, and a decoder of its frames that
 * has learned no layout yet.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (): Pick<Venue, "decode" | "messages"> => ({
  messages: [...new Set(kinds.values())],
  decode: Decoder.make<MarketEvent>(venue, (frame) => {
    const type = Decoder.nameOf(venue, frame, "type")
    if (Rejection.isFrameRejected(type)) return type
    const names = type === "subscriptions" ? bareNames(frame["channels"]) : undefined
    return names ?? kinds.get(type) ?? otherKind(type)
  })
})
