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
import * as Schema from "effect/Schema"
import * as ExactJson from "../../codec/ExactJson.ts"
import * as Layout from "../../codec/internal/layout.ts"
import * as Topics from "../../codec/internal/topics.ts"
import * as Rejection from "../../codec/Rejection.ts"
import { type FrameRejected, frameRejected, isFrameRejected } from "../../codec/Rejection.ts"
import { bookDelta, bookSnapshot, type Level, ticker, trade } from "../../event/MarketData.ts"
import type { MarketEvent } from "../../event/MarketEvent.ts"
import { heartbeat, other, subscribed, VenueError } from "../../event/VenueMessage.ts"
import * as Dialect from "../../protocol/Dialect.ts"
import type { Frame } from "../../transport/Frame.ts"
import type { Channel } from "../../value/Channel.ts"
import * as Decimal from "../../value/Decimal.ts"
import * as Timestamp from "../../value/Timestamp.ts"
import * as Wire from "../internal/wire.ts"
import type { Ask, Decode, Topic, Venue } from "../Venue.ts"

const name = "coinbase"

type Events = ReadonlyArray<MarketEvent>

/** Where an object stands in the frame. */
type Path = ReadonlyArray<PropertyKey>

/** What the events of a frame share. */
interface Envelope {
  readonly timestamp: Timestamp.Timestamp | undefined
  readonly sequence: string | undefined
}

/** One channel: how an event of a frame is read exactly, and a frame of one event fast. */
interface Kind {
  readonly envelope: (frame: ExactJson.JsonObject) => Envelope | FrameRejected
  /** Adds what the event holds to `events`. */
  readonly read: (
    event: ExactJson.JsonObject,
    at: Path,
    envelope: Envelope,
    events: Array<MarketEvent>
  ) => FrameRejected | undefined
  readonly plan: Layout.Plan<Events>
}

const pinned = ["channel"]

/** Books and tickers take the frame's time. */
const readTimed = Wire.reader({
  timestamp: Wire.optional(Timestamp.FromText),
  sequence_num: Wire.optional(Wire.Id)
})
const readNumbered = Wire.reader({ sequence_num: Wire.optional(Wire.Id) })

const timed: Kind["envelope"] = (frame) => {
  const it = readTimed(name, frame)
  return isFrameRejected(it)
    ? it
    : { timestamp: Wire.present(it.timestamp), sequence: Wire.present(it.sequence_num) }
}
const numbered: Kind["envelope"] = (frame) => {
  const it = readNumbered(name, frame)
  return isFrameRejected(it) ? it : { timestamp: undefined, sequence: Wire.present(it.sequence_num) }
}

/** Reads each object of a list that an event holds; a list that is `null` holds nothing. */
const readList = (
  event: ExactJson.JsonObject,
  member: string,
  at: Path,
  read: (element: ExactJson.JsonObject, at: Path) => MarketEvent | FrameRejected,
  events: Array<MarketEvent>
): FrameRejected | undefined => {
  const path = [...at, member]
  const list = Object.hasOwn(event, member) ? event[member] : undefined
  if (list === null) return undefined
  if (!Array.isArray(list)) return Rejection.unexpected(name, path, "an array", list)
  for (const [index, element] of list.entries()) {
    if (!ExactJson.isObject(element)) return Rejection.unexpected(name, [...path, index], "an object", element)
    const result = read(element, [...path, index])
    if (isFrameRejected(result)) return result
    events.push(result)
  }
  return undefined
}

// --- market_trades -----------------------------------------------------------

/**
 * The taker's side of a trade, given the maker's; absent where the venue does not know it.
 *
 * @see https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket/websocket-channels#market-trades-channel (read 2026-11-21)
 */
const takerSide = { BUY: "sell", SELL: "buy", UNKNOWN_ORDER_SIDE: undefined, "": undefined } as const

const readTradesEvent = Wire.reader({ type: Wire.optional(Schema.String) })

const readTrade = Wire.reader({
  product_id: Schema.NonEmptyString,
  price: Decimal.FromText,
  size: Decimal.FromText,
  side: Schema.Literals(["BUY", "SELL", "UNKNOWN_ORDER_SIDE", ""]),
  trade_id: Wire.optional(Wire.Id),
  time: Wire.optional(Timestamp.FromText)
})

const trades: Kind = {
  envelope: numbered,
  read: (event, at, { sequence }, events) => {
    const about = readTradesEvent(name, event, at)
    if (isFrameRejected(about)) return about
    const isHistory = about.type === "snapshot"
    return readList(event, "trades", at, (element, at) => {
      const it = readTrade(name, element, at)
      if (isFrameRejected(it)) return it
      return trade({
        venue: name,
        product: it.product_id,
        price: it.price,
        size: it.size,
        side: takerSide[it.side],
        tradeId: Wire.present(it.trade_id),
        timestamp: Wire.present(it.time),
        sequence,
        history: isHistory
      })
    }, events)
  },
  plan: {
    wanted: ["sequence_num", "events[0].type"],
    times: ["events[0].trades[].time"],
    tables: [],
    lists: [["events[0].trades", ["product_id", "price", "size", "side", "trade_id", "time"]]],
    pinned,
    build: (members) => {
      const sequence = Layout.text(members, 0)
      const isHistory = Layout.text(members, 1) === "snapshot"
      const [list = []] = members.lists
      if (list.length === 0 || sequence === "") return undefined
      const events: Array<MarketEvent> = []
      for (const each of list) {
        const product = Layout.text(each, 0)
        const price = Layout.decimal(each, 1)
        const size = Layout.decimal(each, 2)
        const side = Layout.text(each, 3)
        const tradeId = Layout.text(each, 4)
        const time = Layout.timestamp(each, 5)
        if (!product || !price || !size || (side !== "BUY" && side !== "SELL") || tradeId === "" || time === null) {
          return undefined
        }
        events.push(
          trade({
            venue: name,
            product,
            price,
            size,
            side: takerSide[side],
            tradeId,
            timestamp: time,
            sequence,
            history: isHistory
          })
        )
      }
      return events
    }
  }
}

// --- ticker, ticker_batch ----------------------------------------------------

/** A product without quotes or without trades has empty prices; `ticker_batch` has no quotes at all. */
const readTicker = Wire.reader({
  product_id: Schema.NonEmptyString,
  price: Wire.OptionalDecimal,
  best_bid: Wire.OptionalDecimal,
  best_bid_quantity: Wire.OptionalDecimal,
  best_ask: Wire.OptionalDecimal,
  best_ask_quantity: Wire.OptionalDecimal,
  volume_24_h: Wire.OptionalDecimal
})

const tickers: Kind = {
  envelope: timed,
  read: (event, at, { sequence, timestamp }, events) =>
    readList(event, "tickers", at, (element, at) => {
      const it = readTicker(name, element, at)
      if (isFrameRejected(it)) return it
      const price = Wire.presentDecimal(it.price)
      const bid = Wire.presentDecimal(it.best_bid)
      const ask = Wire.presentDecimal(it.best_ask)
      if (!Wire.hasAny(element, "price", "best_bid", "best_ask")) {
        return Rejection.unexpected(name, [...at, "price"], "a price", undefined)
      }
      return ticker({
        venue: name,
        product: it.product_id,
        price,
        bid,
        bidSize: Wire.presentDecimal(it.best_bid_quantity),
        ask,
        askSize: Wire.presentDecimal(it.best_ask_quantity),
        volume: Wire.presentDecimal(it.volume_24_h),
        timestamp,
        sequence
      })
    }, events),
  plan: {
    wanted: ["timestamp", "sequence_num"],
    times: ["timestamp"],
    tables: [],
    lists: [["events[0].tickers", [
      "product_id",
      "price",
      "best_bid",
      "best_bid_quantity",
      "best_ask",
      "best_ask_quantity",
      "volume_24_h"
    ]]],
    pinned,
    build: (members) => {
      const time = Layout.timestamp(members, 0)
      const sequence = Layout.text(members, 1)
      const [list = []] = members.lists
      if (list.length === 0 || time === null || sequence === "") return undefined
      const events: Array<MarketEvent> = []
      for (const each of list) {
        const product = Layout.text(each, 0)
        const price = Layout.decimal(each, 1)
        const bid = Layout.decimal(each, 2)
        const bidSize = Layout.decimal(each, 3)
        const ask = Layout.decimal(each, 4)
        const askSize = Layout.decimal(each, 5)
        const volume = Layout.decimal(each, 6)
        if (
          !product || price === null || bid === null || bidSize === null || ask === null || askSize === null ||
          volume === null || (price === undefined && bid === undefined && ask === undefined)
        ) {
          return undefined
        }
        events.push(
          ticker({ venue: name, product, price, bid, bidSize, ask, askSize, volume, timestamp: time, sequence })
        )
      }
      return events
    }
  }
}

// --- l2_data -----------------------------------------------------------------

/** Levels parted into the sides of a book, each in the frame's order. */
interface Sides {
  readonly bids: Array<Level>
  readonly asks: Array<Level>
}

/** A level is `{"side":"bid" | "offer","event_time":…,"price_level":…,"new_quantity":…}`, its quantity absolute. */
const Updates = Wire.rows<Sides>((rows) => {
  const sides: Sides = { bids: [], asks: [] }
  for (let index = 0; index < rows.length; index++) {
    const row: unknown = rows[index]
    if (typeof row !== "object" || row === null || Array.isArray(row) || row instanceof ExactJson.JsonNumber) {
      return new Wire.BadCell([index], "object")
    }
    const side: unknown = Object.hasOwn(row, "side") ? Reflect.get(row, "side") : undefined
    if (side === undefined) return new Wire.BadCell([index, "side"], undefined)
    if (side !== "bid" && side !== "offer") return new Wire.BadCell([index, "side"], "\"bid\" | \"offer\"")
    const level = Wire.level(row, index, "price_level", "new_quantity")
    if (level instanceof Wire.BadCell) return level
    const levels = side === "bid" ? sides.bids : sides.asks
    levels.push(level)
  }
  return sides
})

const readBookEvent = Wire.reader({
  type: Schema.Literals(["snapshot", "update"]),
  product_id: Schema.NonEmptyString,
  updates: Schema.NullOr(Updates)
})

const bookEvent = (
  isSnapshot: boolean,
  product: string,
  { asks, bids }: Sides,
  { sequence, timestamp }: Envelope
): MarketEvent =>
  isSnapshot
    ? bookSnapshot({ venue: name, product, bids, asks, timestamp, sequence })
    : bookDelta({ venue: name, product, bids, asks, timestamp, sequence })

const levels: Kind = {
  envelope: timed,
  read: (event, at, envelope, events) => {
    const it = readBookEvent(name, event, at)
    if (isFrameRejected(it)) return it
    events.push(bookEvent(it.type === "snapshot", it.product_id, it.updates ?? { bids: [], asks: [] }, envelope))
    return undefined
  },
  plan: {
    wanted: ["timestamp", "sequence_num", "events[0].type", "events[0].product_id"],
    times: ["timestamp"],
    tables: [],
    lists: [["events[0].updates", ["side", "price_level", "new_quantity"]]],
    pinned,
    build: (members) => {
      const timestamp = Layout.timestamp(members, 0)
      const sequence = Layout.text(members, 1)
      const type = Layout.text(members, 2)
      const product = Layout.text(members, 3)
      const [list = []] = members.lists
      if (timestamp === null || sequence === "" || !product || (type !== "snapshot" && type !== "update")) {
        return undefined
      }
      const sides: Sides = { bids: [], asks: [] }
      for (const each of list) {
        const side = Layout.text(each, 0)
        const price = Layout.decimal(each, 1)
        const size = Layout.decimal(each, 2)
        if ((side !== "bid" && side !== "offer") || !price || !size) return undefined
        const levels = side === "bid" ? sides.bids : sides.asks
        levels.push([price, size])
      }
      return [bookEvent(type === "snapshot", product, sides, { timestamp, sequence })]
    }
  }
}

const kinds: ReadonlyMap<string, Kind> = new Map([
  ["market_trades", trades],
  ["ticker", tickers],
  ["ticker_batch", tickers],
  ["l2_data", levels]
])

// --- subscriptions, errors ---------------------------------------------------

/** Of these channels the answer lists no products, but the channel again or the user. */
const withoutProducts = new Set(["heartbeats", "user", "futures_balance_summary"])

/**
 * The answer lists every subscription of the connection, the earlier ones
 * included: `{"level2":["BTC-USD"],"heartbeats":["heartbeats"]}`.
 */
const readSubscriptions = (
  event: ExactJson.JsonObject,
  at: Path,
  events: Array<MarketEvent>
): FrameRejected | undefined => {
  const listed = Object.hasOwn(event, "subscriptions") ? event["subscriptions"] : null
  if (listed === null || listed === undefined) return undefined
  const path = [...at, "subscriptions"]
  if (!ExactJson.isObject(listed)) return Rejection.unexpected(name, path, "an object", listed)
  for (const [channel, products] of ExactJson.entries(listed)) {
    if (products !== null && !Array.isArray(products)) {
      return Rejection.unexpected(name, [...path, channel], "an array", products)
    }
    if (products === null || products.length === 0 || withoutProducts.has(channel)) {
      events.push(subscribed({ venue: name, channel }))
      continue
    }
    for (const [index, product] of products.entries()) {
      if (typeof product !== "string" || product === "") {
        return Rejection.unexpected(name, [...path, channel, index], "a non-empty string", product)
      }
      events.push(subscribed({ venue: name, channel, product }))
    }
  }
  return undefined
}

const readError = Wire.reader({
  message: Wire.optional(Schema.String),
  reason: Wire.optional(Schema.String),
  code: Wire.optional(Wire.Id)
})

const error = (frame: ExactJson.JsonObject): Events | FrameRejected => {
  const it = readError(name, frame)
  if (isFrameRejected(it)) return it
  const message = [it.message, it.reason].filter((part) => typeof part === "string" && part !== "").join(": ")
  const code = Wire.present(it.code)
  return [
    new VenueError({
      venue: name,
      ...(code === undefined ? {} : { code }),
      ...(message === "" ? {} : { message })
    })
  ]
}

// --- frames ------------------------------------------------------------------

/** Reads each event of a frame; gives what they hold, which may be nothing. */
const readEvents = (
  frame: ExactJson.JsonObject,
  read: (event: ExactJson.JsonObject, at: Path, events: Array<MarketEvent>) => FrameRejected | undefined
): Events | FrameRejected => {
  const list = Object.hasOwn(frame, "events") ? frame["events"] : undefined
  if (list === null) return []
  if (!Array.isArray(list)) return Rejection.unexpected(name, ["events"], "an array", list)
  const events: Array<MarketEvent> = []
  for (const [index, event] of list.entries()) {
    if (!ExactJson.isObject(event)) return Rejection.unexpected(name, ["events", index], "an object", event)
    const rejected = read(event, ["events", index], events)
    if (rejected !== undefined) return rejected
  }
  return events
}

/** A layout is of the events that the frame had: with one, none is passed over. */
const hasOneEvent = (frame: ExactJson.JsonObject): boolean => {
  const events = frame["events"]
  return Array.isArray(events) && events.length === 1
}

const readChannel = (channel: string, frame: ExactJson.JsonObject): Events | FrameRejected => {
  const kind = kinds.get(channel)
  if (kind !== undefined) {
    const envelope = kind.envelope(frame)
    if (isFrameRejected(envelope)) return envelope
    const events = readEvents(frame, (event, at, events) => kind.read(event, at, envelope, events))
    return !isFrameRejected(events) && events.length === 0 ? [other({ venue: name, kind: channel })] : events
  }
  if (channel === "heartbeats") return [heartbeat({ venue: name, kind: "heartbeat" })]
  if (channel === "subscriptions") {
    const events = readEvents(frame, readSubscriptions)
    return !isFrameRejected(events) && events.length === 0
      ? [subscribed({ venue: name })]
      : events
  }
  return [other({ venue: name, kind: channel })]
}

/** A frame names its kind by `channel`, an error by `type`. */
const nameOf = (frame: ExactJson.JsonObject, member: "channel" | "type"): string | FrameRejected => {
  const value = frame[member]
  if (typeof value === "string" && value !== "") return value
  return frameRejected(
    name,
    "InvalidField",
    member,
    `${member}: expected a non-empty string, found ${ExactJson.describe(value)}`
  )
}

const makeDecode = (): Decode => {
  const layouts = Layout.make<Events>()
  return (frame) => {
    if (typeof frame !== "string") return Rejection.binary(name, frame)
    const known = layouts.read(frame)
    if (known !== undefined) return known
    const json = ExactJson.parse(frame)
    if (json instanceof ExactJson.Malformed) return Rejection.malformed(name, frame, json)
    if (!ExactJson.isObject(json)) return Rejection.notAnObject(name, json)
    if (!Object.hasOwn(json, "channel")) {
      if (!Object.hasOwn(json, "type")) return Rejection.unknownMessage(name, "channel")
      const type = nameOf(json, "type")
      if (isFrameRejected(type)) return type
      return type === "error" ? error(json) : [other({ venue: name, kind: type })]
    }
    const channel = nameOf(json, "channel")
    if (isFrameRejected(channel)) return channel
    const events = readChannel(channel, json)
    const plan = kinds.get(channel)?.plan
    if (plan !== undefined && !isFrameRejected(events) && hasOneEvent(json)) layouts.learn(frame, json, plan)
    return events
  }
}

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

const beats: Topic = { name: "heartbeats" }
const marketTrades: Topic = { name: "market_trades" }
const l2Data: Topic = { name: "l2_data" }

/** The product that all of a frame's lists are of: those of `candles` name it, those of `status` are it. */
const productOf = (frame: ExactJson.JsonObject): string | undefined => {
  const events: ReadonlyArray<ExactJson.Json> = Array.isArray(frame["events"]) ? frame["events"] : []
  const products = new Set(events.flatMap((event) =>
    ExactJson.isObject(event)
      ? Object.values(event).filter(Array.isArray).map((list) =>
        Topics.textInAll(list, "product_id") ?? Topics.textInAll(list, "id")
      )
      : []
  ))
  const [product] = products
  return products.size === 1 ? product : undefined
}

const topicOf = (frame: Frame, events: ReadonlyArray<MarketEvent>): Topic | undefined => {
  const event = events[0]
  switch (event?._tag) {
    case "Trade":
      return marketTrades
    case "BookSnapshot":
    case "BookDelta":
      return l2Data
    case "Heartbeat":
      return beats
    case "Ticker": {
      const name = Topics.textAfter(frame, "{\"channel\":\"") ?? Topics.textIn(Topics.objectOf(frame), "channel")
      return name === undefined ? undefined : { name }
    }
    case "Other": {
      const json = Topics.objectOf(frame)
      const name = Topics.textIn(json, "channel")
      return json === undefined || name === undefined ? undefined : { name, product: productOf(json) }
    }
    default:
      return undefined
  }
}

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

/**
 * Makes the venue anew, with no layout learned. `venue` is one for all to share.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (): Venue => ({
  name,
  title: "Coinbase Advanced Trade",
  endpoint: "wss://advanced-trade-ws.coinbase.com",
  documentation: "https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket/websocket-overview",
  prices: "string",
  continuity: "sequence",
  heartbeat: "heartbeats channel, 1 s",
  keepAlive: {
    _tag: "Server",
    withinMillis: 1_000,
    // Most channels end after 60 to 90 s without data, unless this one is subscribed to as well.
    channels: () => [{ channel: "heartbeats" }]
  },
  limits: "8 connections/s per IP; 8 unauthenticated messages/s per IP; first subscribe within 5 s",
  rates: [
    { of: "dials", per: "address", limit: 8, windowMillis: 1_000, source: limitsSource },
    { of: "messages", per: "address", limit: 8, windowMillis: 1_000, source: limitsSource }
  ],
  sessionMillis: undefined,
  channels: { trade: "market_trades", ticker: "ticker", book: "level2" },
  subscribe: (channels) => request("subscribe", channels),
  unsubscribe: (channels) => request("unsubscribe", channels),
  decode: Wire.bounded(name, makeDecode()),
  topics,
  topicOf,
  // The product stands in its words.
  refused: (_, { message = "" }) => Dialect.mentions(message),
  normalise,
  isQuiet: (channel) => channel === "market_trades" || withoutProducts.has(channel)
})

/**
 * Coinbase Advanced Trade.
 *
 * @category venues
 * @since 0.1.0
 */
export const venue: Venue = make()
