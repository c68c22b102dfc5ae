/**
 * What Deribit sends, in JSON-RPC 2.0: notifications, whose channel names a
 * family and an instrument in one word, heartbeats and answers.
 *
 * @see https://docs.deribit.com/articles/notifications and https://docs.deribit.com/subscriptions (read 2026-11-21)
 * @since 0.1.0
 */
import * as Decoder from "../../codec/Decoder.ts"
import * as ExactJson from "../../codec/ExactJson.ts"
import * as Message from "../../codec/Message.ts"
import * as Rejection from "../../codec/Rejection.ts"
import { bookDelta, bookSnapshot, ticker, trade } from "../../event/MarketData.ts"
import type { MarketEvent } from "../../event/MarketEvent.ts"
import { heartbeat, other, response, subscribed, unsubscribed, venueError } from "../../event/VenueMessage.ts"
import type { Venue } from "../Venue.ts"
import { channelOf, parseName } from "./internal/channelNames.ts"

type Events = ReadonlyArray<MarketEvent>

// --- notifications -----------------------------------------------------------

/** What a rejection calls a list, and an object. */
const expected = ["array", "object"] as const

/** The instrument, in the data or else in the channel's name. */
const instrument = Message.optional(Message.text)

/** The members of a notification: its kind is the beginning of its channel. */
const notification = <A>(sample: string, data: Message.Member<A>) => ({
  method: Message.pinned("subscription"),
  params: Message.object({ channel: Message.prefix(".", sample), data }, { expected: expected[1] })
})

const bookMembers = {
  instrument_name: instrument,
  type: Message.optional(Message.pinned("snapshot", "change")),
  timestamp: Message.optional(Message.millis),
  change_id: Message.optional(Message.id),
  prev_change_id: Message.optional(Message.id)
}

/** Rows of action, price and amount. What is deleted has an amount of 0; until 2020 it had none. */
const changes = Message.levels({ isNumber: true, actions: ["new", "change", "delete"] })

const isUnnamed = (data: ExactJson.Json): boolean =>
  Array.isArray(data)
    ? data.some(isUnnamed)
    : ExactJson.isObject(data) && (data["instrument_name"] ?? null) === null

/** The event of an instrument that only its channel names. */
const ofProduct = (event: MarketEvent, product: string): MarketEvent => {
  switch (event._tag) {
    case "Trade":
      return event.product === "" ? trade({ ...event, product }) : event
    case "Ticker":
      return ticker({ ...event, product })
    case "BookSnapshot":
      return bookSnapshot({ ...event, product })
    case "BookDelta":
      return bookDelta({ ...event, product })
    default:
      return event
  }
}

/** What is wrong with which parameter, where an error tells: `{"reason":"wrong format","param":"channels"}`. */
const detail = (data: unknown): string => {
  if (typeof data === "string") return data
  if (typeof data !== "object" || data === null) return ""
  const words: ReadonlyArray<unknown> = [Reflect.get(data, "param"), Reflect.get(data, "reason")]
  return words.filter((word) => typeof word === "string" && word !== "").join(": ")
}

const isName = (each: ExactJson.Json): each is string => typeof each === "string" && each !== ""

/**
 * The kinds of messages that the venue sends, and a decoder of its frames that
 * has learned no layout yet. `venue` is its name in events: the platform has more
 * than one.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (venue: string): Pick<Venue, "decode" | "messages"> => {
  /** https://docs.deribit.com/subscriptions/trades/tradesinstrument_nameinterval, read 2026-11-21. */
  const trades = Message.make(
    notification(
      "trades.BTC-PERPETUAL.100ms",
      Message.list({
        instrument_name: instrument,
        price: Message.number,
        amount: Message.number,
        direction: Message.word({ buy: "buy", sell: "sell" }),
        trade_id: Message.optional(Message.id),
        timestamp: Message.optional(Message.millis),
        trade_seq: Message.optional(Message.id)
      }, { expected })
    ),
    ({ params: { channel, data } }): Events => {
      const events = data.map(({ amount, direction, instrument_name, price, timestamp, trade_id, trade_seq }) =>
        trade({
          venue,
          product: instrument_name ?? "",
          price,
          size: amount,
          side: direction,
          tradeId: trade_id,
          timestamp,
          sequence: trade_seq
        })
      )
      return events.length === 0 ? [other({ venue, kind: channel })] : events
    }
  )

  /**
   * https://docs.deribit.com/subscriptions/market-data/tickerinstrument_nameinterval,
   * `…/incremental_tickerinstrument_name` and `…/quoteinstrument_name`, read
   * 2026-11-21: a price is `null` where there is none, and all but the first of
   * the incremental ones hold only what changed.
   */
  const tickers = Message.make(
    notification(
      "ticker.BTC-PERPETUAL.100ms",
      Message.object({
        instrument_name: instrument,
        last_price: Message.optional(Message.number),
        best_bid_price: Message.optional(Message.number),
        best_bid_amount: Message.optional(Message.number),
        best_ask_price: Message.optional(Message.number),
        best_ask_amount: Message.optional(Message.number),
        stats: Message.optional(
          Message.object({ volume: Message.optional(Message.number) }, { expected: "object | null" })
        ),
        timestamp: Message.optional(Message.millis)
      }, { expected: expected[1] })
    ),
    ({ params: { data } }) => {
      const { best_ask_amount, best_ask_price, best_bid_amount, best_bid_price, instrument_name, last_price } = data
      const { stats, timestamp } = data
      return [ticker({
        venue,
        product: instrument_name ?? "",
        price: last_price,
        bid: best_bid_price,
        bidSize: best_bid_amount,
        ask: best_ask_price,
        askSize: best_ask_amount,
        volume: stats?.volume,
        timestamp
      })]
    }
  )

  /**
   * Says that it is whole, or else is where no change is named before it:
   * https://docs.deribit.com/subscriptions/orderbook/bookinstrument_nameinterval, read 2026-11-21.
   */
  const books = Message.make(
    notification(
      "book.BTC-PERPETUAL.100ms",
      Message.object({ ...bookMembers, bids: changes, asks: changes }, { expected: expected[1] })
    ),
    ({ params: { data } }): Events => {
      const { asks, bids, change_id, instrument_name, prev_change_id, timestamp, type } = data
      const members = { venue, product: instrument_name ?? "", bids, asks, timestamp, sequence: change_id }
      return (type === undefined ? prev_change_id === undefined : type === "snapshot")
        ? [bookSnapshot(members)]
        : [bookDelta({ ...members, previousSequence: prev_change_id })]
    }
  )

  /**
   * `book.BTC-PERPETUAL.none.10.100ms` is whole each time:
   * https://docs.deribit.com/subscriptions/orderbook/bookinstrument_namegroupdepthinterval, read 2026-11-21.
   */
  const groups = Message.make(
    notification(
      "book.BTC-PERPETUAL.none.10.100ms",
      Message.object({
        ...bookMembers,
        bids: Message.levels({ isNumber: true }),
        asks: Message.levels({ isNumber: true })
      }, { expected: expected[1] })
    ),
    ({ params: { data: { asks, bids, change_id, instrument_name, timestamp } } }) => [
      bookSnapshot({ venue, product: instrument_name ?? "", bids, asks, timestamp, sequence: change_id })
    ]
  )

  const kinds: ReadonlyMap<string, Message.Message<MarketEvent>> = new Map<string, Message.Message<MarketEvent>>([
    ["trades", trades],
    ["ticker", tickers],
    ["incremental_ticker", tickers],
    ["quote", tickers],
    ["book", books]
  ])

  /** Reads what is of the instrument that its channel alone names, if that names one. */
  const readUnnamed = (
    kind: Message.Message<MarketEvent>,
    frame: ExactJson.JsonObject,
    data: ExactJson.Json,
    product: string | undefined
  ): Events | Rejection.FrameRejected => {
    const read = kind.read(venue, frame)
    if (Rejection.isFrameRejected(read)) return read
    if (product !== undefined) return read.map((event) => ofProduct(event, product))
    const at = Array.isArray(data) ? [data.findIndex(isUnnamed)] : []
    return Rejection.unexpected(venue, ["params", "data", ...at, "instrument_name"], "non-empty string", undefined)
  }

  const chooseNotification = (frame: ExactJson.JsonObject): Decoder.Choice<MarketEvent> => {
    const { params } = frame
    if (params === undefined || !ExactJson.isObject(params)) {
      return Rejection.unexpected(venue, ["params"], "object", params)
    }
    const { channel, data = null } = params
    if (typeof channel !== "string" || channel === "") {
      return Rejection.unexpected(venue, ["params", "channel"], "non-empty string", channel)
    }
    const { family, product, rest } = parseName(channel)
    const kind = family === "book" && rest.length > 1 ? groups : kinds.get(family)
    if (kind === undefined) return [other({ venue, kind: family })]
    return isUnnamed(data) ? readUnnamed(kind, frame, data, product) : kind
  }

  // --- answers and heartbeats --------------------------------------------------

  /** https://docs.deribit.com/api-reference/session-management/public-set_heartbeat, read 2026-11-21. */
  const heartbeats = Message.make(
    { method: Message.pinned("heartbeat"), params: Message.object({ type: Message.text }, { expected: expected[1] }) },
    ({ params: { type } }) => [heartbeat({ venue, kind: type === "test_request" ? "testRequest" : type })],
    { rare: true }
  )

  const errors = Message.make(
    {
      id: Message.optional(Message.id),
      error: Message.object({
        code: Message.optional(Message.id),
        message: Message.optional(Message.string),
        data: Message.anything
      }, { expected: "object | string" })
    },
    ({ error: { code, data, message }, id }) => [
      venueError({
        venue,
        code,
        message: [message, detail(data)].filter((part) => part).join(": ") || undefined,
        requestId: id
      })
    ],
    { rare: true }
  )

  const errorsInWords = Message.make(
    { id: Message.optional(Message.id), error: Message.string },
    ({ error, id }) => [venueError({ venue, message: error || undefined, requestId: id })],
    { rare: true }
  )

  const responses = Message.make(
    { id: Message.optional(Message.id), result: Message.anything },
    ({ id, result }) => [response({ venue, requestId: id, result: result ?? null })],
    { rare: true }
  )

  /**
   * The answer to subscribing and to its end is alike, the names of the channels:
   * the sign of the request's number tells them apart.
   */
  const confirmed = (names: ReadonlyArray<string>, requestId: string | undefined): Events => {
    const confirm = requestId?.startsWith("-") === true ? unsubscribed : subscribed
    if (names.length === 0) return [confirm({ venue, requestId })]
    return names.map((name) => {
      const { channel, product } = channelOf(name)
      return confirm({ venue, channel, product, requestId })
    })
  }

  const answer = (frame: ExactJson.JsonObject): Decoder.Choice<MarketEvent> => {
    const { result } = frame
    const list: ReadonlyArray<ExactJson.Json> | undefined = Array.isArray(result) ? result : undefined
    const names = list?.filter(isName)
    if (names === undefined || names.length < (list?.length ?? 0)) return responses
    const read = responses.read(venue, { ...frame, result: null })
    return Rejection.isFrameRejected(read) ? read : confirmed(names, read[0]?.requestId)
  }

  // --- frames ------------------------------------------------------------------

  const choose = (frame: ExactJson.JsonObject): Decoder.Choice<MarketEvent> => {
    const { error = null } = frame
    if (error instanceof ExactJson.JsonNumber) return errors.read(venue, { ...frame, error: {} })
    if (error !== null) return typeof error === "string" ? errorsInWords : errors
    if (Object.hasOwn(frame, "result")) return answer(frame)
    if (!Object.hasOwn(frame, "method")) return Rejection.unknownMessage(venue, "method, result or error")
    const { method } = frame
    if (typeof method !== "string" || method === "") {
      return Rejection.unexpected(venue, ["method"], "non-empty string", method)
    }
    if (method === "heartbeat") return heartbeats
    return method === "subscription" ? chooseNotification(frame) : [other({ venue, kind: method })]
  }

  return {
    messages: [
      trades,
      tickers,
      books,
      groups,
      heartbeats,
      errors,
      errorsInWords,
      responses
    ],
    decode: Decoder.make(venue, choose)
  }
}
