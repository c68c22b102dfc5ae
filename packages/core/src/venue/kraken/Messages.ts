/**
 * What Kraken sends, version 2: data names its `channel`, an answer its
 * `method`. A frame holds what was before the subscription, or what happens.
 *
 * @see https://docs.kraken.com/api/docs/websocket-v2/ticker, `…/trade`, `…/book` and `…/heartbeat` (read 2026-11-21)
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as Decoder from "../../codec/Decoder.ts"
import type * as ExactJson from "../../codec/ExactJson.ts"
import * as Message from "../../codec/Message.ts"
import * as Rejection from "../../codec/Rejection.ts"
import { bookDelta, bookSnapshot, ticker, trade } from "../../event/MarketData.ts"
import type { MarketEvent } from "../../event/MarketEvent.ts"
import { heartbeat, other, subscribed, unsubscribed, venueError } from "../../event/VenueMessage.ts"
import type { Venue } from "../Venue.ts"

const venue = "kraken"

type Events = ReadonlyArray<MarketEvent>

/** The events of a frame, or that it has none of its channel. */
const orOther = (events: Events, channel: string): Events =>
  events.length === 0 ? [other({ venue, kind: channel })] : events

const type = Message.pinned("snapshot", "update")

/** What a rejection calls a list and its elements. */
const expected = ["array", "object"] as const

/** A snapshot holds the last 50 trades: https://docs.kraken.com/api/docs/websocket-v2/trade, read 2026-11-21. */
const trades = Message.make(
  {
    channel: Message.pinned("trade"),
    type,
    data: Message.list({
      symbol: Message.text,
      side: Message.word({ buy: "buy", sell: "sell" }),
      price: Message.number,
      qty: Message.number,
      trade_id: Message.optional(Message.id),
      timestamp: Message.optional(Message.iso)
    }, { expected })
  },
  ({ channel, data, type }) => {
    const history = type === "snapshot"
    return orOther(
      data.map(({ price, qty, side, symbol, timestamp, trade_id }) =>
        trade({ venue, product: symbol, price, size: qty, side, tradeId: trade_id, timestamp, history })
      ),
      channel
    )
  }
)

const tickers = Message.make(
  {
    channel: Message.pinned("ticker"),
    type,
    data: Message.list({
      symbol: Message.text,
      last: Message.optional(Message.number),
      bid: Message.optional(Message.number),
      bid_qty: Message.optional(Message.number),
      ask: Message.optional(Message.number),
      ask_qty: Message.optional(Message.number),
      volume: Message.optional(Message.number),
      timestamp: Message.optional(Message.iso)
    }, { expected, needs: ["last", "bid", "ask"] })
  },
  ({ channel, data }) =>
    orOther(
      data.map(({ ask, ask_qty, bid, bid_qty, last, symbol, timestamp, volume }) =>
        ticker({
          venue,
          product: symbol,
          price: last,
          bid,
          bidSize: bid_qty,
          ask,
          askSize: ask_qty,
          volume,
          timestamp
        })
      ),
      channel
    )
)

const levels = Message.levels({ price: "price", size: "qty", isNumber: true })

const bookMembers = {
  symbol: Message.text,
  checksum: Message.optional(Message.id),
  timestamp: Message.optional(Message.iso)
}

const snapshots = Message.make(
  {
    channel: Message.pinned("book"),
    type: Message.pinned("snapshot"),
    data: Message.list({ ...bookMembers, bids: levels, asks: levels }, { expected })
  },
  ({ channel, data }) =>
    orOther(
      data.map(({ asks, bids, checksum, symbol, timestamp }) =>
        bookSnapshot({ venue, product: symbol, bids, asks, timestamp, checksum })
      ),
      channel
    )
)

/** A side that did not change may be left out. */
const updates = Message.make(
  {
    channel: Message.pinned("book"),
    type,
    data: Message.list({ ...bookMembers, bids: Message.optional(levels), asks: Message.optional(levels) }, { expected })
  },
  ({ channel, data }) =>
    orOther(
      data.map(({ asks = [], bids = [], checksum, symbol, timestamp }) =>
        bookDelta({ venue, product: symbol, bids, asks, timestamp, checksum })
      ),
      channel
    )
)

/** A second without another message brings one: https://docs.kraken.com/api/docs/websocket-v2/heartbeat, read 2026-11-21. */
const heartbeats = Message.make({ channel: Message.pinned("heartbeat") }, () => [
  heartbeat({ venue, kind: "heartbeat" })
])

const kinds: ReadonlyMap<string, Message.Message<MarketEvent>> = new Map<string, Message.Message<MarketEvent>>([
  ["trade", trades],
  ["ticker", tickers],
  ["book", updates],
  ["heartbeat", heartbeats]
])

// --- answers -----------------------------------------------------------------

const Words = Schema.optionalKey(Schema.NullOr(Schema.Union([Schema.String, Schema.Array(Schema.String)])))

/** What answers a request, by its `method`; an error may come without one. */
const answers = {
  method: Message.optional(Message.text),
  success: Message.optional(Message.flag),
  req_id: Message.optional(Message.id),
  error: Message.schema(Words),
  // Too many messages are answered by `{"Error":"Exceeded msg rate"}` alone.
  Error: Message.schema(Words)
}

interface Answer {
  readonly method: string | undefined
  readonly requestId: string | undefined
  readonly isRefused: boolean
  readonly words: string
}

const unanswered: Answer = { method: undefined, requestId: undefined, isRefused: false, words: "" }

/** What every answer says. It is no event by itself, but for a refusal. */
const readAnswer = Message.make(answers, ({ error, Error, method, req_id, success }): ReadonlyArray<Answer> => {
  const said = error ?? Error ?? ""
  const words = typeof said === "string" ? said : said.join(", ")
  return [{ method, requestId: req_id, words, isRefused: success === false || (words !== "" && success !== true) }]
}, { rare: true })

const optional = <S extends Schema.Constraint>(schema: S) => Schema.optionalKey(Schema.NullOr(schema))

const confirmations = Message.make(
  {
    method: Message.pinned("subscribe", "unsubscribe"),
    req_id: Message.optional(Message.id),
    result: Message.schema(optional(Schema.Struct({
      channel: optional(Schema.NonEmptyString),
      symbol: optional(Schema.Union([Schema.NonEmptyString, Schema.Array(Schema.NonEmptyString)]))
    })))
  },
  ({ method, req_id: requestId, result }) => {
    const confirm = method === "subscribe" ? subscribed : unsubscribed
    const channel = result?.channel ?? undefined
    const symbol = result?.symbol ?? undefined
    return typeof symbol === "object" && symbol.length > 0
      ? symbol.map((product) => confirm({ venue, channel, product, requestId }))
      : [confirm({ venue, channel, product: typeof symbol === "string" ? symbol : undefined, requestId })]
  },
  { rare: true }
)

const answer = (frame: ExactJson.JsonObject): Decoder.Choice<MarketEvent> => {
  const read = readAnswer.read(venue, frame)
  if (Rejection.isFrameRejected(read)) return read
  const [{ isRefused, method, requestId, words } = unanswered] = read
  if (isRefused) return [venueError({ venue, message: words || undefined, requestId })]
  switch (method) {
    case "subscribe":
    case "unsubscribe":
      return confirmations
    case "pong":
      return [heartbeat({ venue, kind: "pong" })]
    case undefined:
      return Rejection.unknownMessage(venue, "channel or method")
    default:
      return [other({ venue, kind: method })]
  }
}

const choose = (frame: ExactJson.JsonObject): Decoder.Choice<MarketEvent> => {
  if (!Object.hasOwn(frame, "channel")) return answer(frame)
  const channel = Decoder.nameOf(venue, frame, "channel")
  if (Rejection.isFrameRejected(channel)) return channel
  const kind = kinds.get(channel)
  return kind === updates && frame["type"] === "snapshot" ? snapshots : kind ?? [other({ venue, kind: channel })]
}

/**
 * The kinds of messages that the venue sends, and a decoder of its frames that
 * has learned no layout yet.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (): Pick<Venue, "decode" | "messages"> => ({
  messages: [
    trades,
    tickers,
    snapshots,
    updates,
    heartbeats,
    confirmations
  ],
  decode: Decoder.make(venue, choose)
})
