/**
 * Deribit, the public market data of its JSON-RPC API over WebSocket.
 *
 * Prices and amounts are JSON numbers. The `direction` of a trade is the
 * taker's. A book changes by rows `[action, price, amount]` whose amount is
 * absolute, each frame naming the change before it; a grouped book is sent whole
 * each time, as `[price, amount]`.
 *
 * The venue names a channel and its instrument in one word, such as
 * `ticker.BTC-PERPETUAL.100ms`. A `Channel` here has them apart: the channel
 * `ticker.100ms` of the product `BTC-PERPETUAL`. A channel without an instrument
 * is named as the venue does: `trades.option.BTC.100ms`. The interval `raw` is
 * for authenticated connections only.
 *
 * A request with a channel that needs more rights is refused as a whole; a
 * channel of no known instrument is left out of the answer.
 *
 * Documentation: https://docs.deribit.com/articles/notifications and the pages
 * of its channels, https://docs.deribit.com/subscriptions, read 2026-11-21.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as ExactJson from "../../codec/ExactJson.ts"
import * as Layout from "../../codec/internal/layout.ts"
import * as Topics from "../../codec/internal/topics.ts"
import * as Rejection from "../../codec/Rejection.ts"
import { type FrameRejected, isFrameRejected } from "../../codec/Rejection.ts"
import { bookDelta, bookSnapshot, type Level, ticker, type Trade, trade } from "../../event/MarketData.ts"
import { isMarketData, type MarketEvent } from "../../event/MarketEvent.ts"
import { heartbeat, other, Response, subscribed, unsubscribed, VenueError } from "../../event/VenueMessage.ts"
import type { Frame } from "../../transport/Frame.ts"
import * as Channel from "../../value/Channel.ts"
import * as Decimal from "../../value/Decimal.ts"
import * as Wire from "../internal/wire.ts"
import * as NumberWire from "../NumberWire.ts"
import type { Ask, Decode, Topic, Venue } from "../Venue.ts"

const name = "deribit"

type Events = ReadonlyArray<MarketEvent>

// --- names of channels -------------------------------------------------------

/** Families of channels whose name goes on with an instrument, and one that is named in two words. */
const ofInstrument = new Set(["ticker", "incremental_ticker", "quote", "book", "perpetual", "chart.trades"])

/** Families that are named in two words. */
const twoWords = new Set(["block_rfq", "chart", "instrument", "markprice", "user"])

/** A channel's name in its parts. */
interface Name {
  readonly family: string
  /** The instrument, where the family has one. */
  readonly product: string | undefined
  /** What follows: interval, group, depth. */
  readonly rest: ReadonlyArray<string>
}

/** No name of a channel has more words. */
const mostWords = 8

const parseName = (text: string): Name => {
  const words = text.split(".", mostWords)
  const [head = ""] = words
  const own = twoWords.has(head) && words.length > 1 ? 2 : 1
  const family = own === 1 ? head : `${head}.${words[1] ?? ""}`
  const first = words[own]
  const rest = words.slice(own + 1)
  // `trades.BTC-PERPETUAL.raw` is of an instrument, `trades.future.BTC.raw` of a kind and a currency.
  const hasProduct = first !== undefined && first !== "" && (
    ofInstrument.has(family) || (family === "trades" && rest.length === 1)
  )
  return hasProduct
    ? { family, product: first, rest }
    : { family, product: undefined, rest: first === undefined ? rest : [first, ...rest] }
}

/** The channel as the house names it: what the venue calls it, less the product. */
const channelOf = (text: string): Channel.Channel => {
  const { family, product, rest } = parseName(text)
  return product === undefined ? Channel.make(text) : Channel.make([family, ...rest].join("."), product)
}

/** The channel as the venue names it. */
const nameOf = ({ channel, product }: Channel.Channel): string => {
  if (product === undefined) return channel
  const { family } = parseName(channel)
  return `${family}.${product}${channel.slice(family.length)}`
}

// --- notifications -----------------------------------------------------------

/** A notification: the channel it is of, and its data. */
interface Notification {
  readonly frame: ExactJson.JsonObject
  readonly channel: Name
  readonly data: ExactJson.Json | undefined
}

/** One family of notifications: how it is read exactly, and how fast where its layout is known. */
interface Kind {
  readonly read: (notification: Notification) => Events | FrameRejected
  readonly plan: (notification: Notification) => Layout.Plan<Events> | undefined
}

const inData = ["params", "data"]

/** The patterns of every notification: what names its kind is the beginning of its channel. */
const known = {
  times: [],
  pinned: ["method"],
  prefixed: [["params.channel", "."]]
} as const

/** The instrument, in the data or else in the channel's name. */
const Instrument = Wire.optional(Schema.NonEmptyString)

const missingInstrument = (at: ReadonlyArray<PropertyKey>): FrameRejected =>
  Rejection.unexpected(name, [...at, "instrument_name"], "non-empty string", undefined)

// --- trades ------------------------------------------------------------------

/** https://docs.deribit.com/subscriptions/trades/tradesinstrument_nameinterval, read 2026-11-21. */
const readTrade = Wire.reader({
  instrument_name: Instrument,
  price: NumberWire.DecimalOfNumber,
  amount: NumberWire.DecimalOfNumber,
  direction: Schema.Literals(["buy", "sell"]),
  trade_id: Wire.optional(Wire.Id),
  timestamp: Wire.optional(Wire.Millis),
  trade_seq: Wire.optional(Wire.Id)
})

/** A time in milliseconds; `null` where it is none. */
const millis = (text: string | undefined) => text === undefined ? undefined : Wire.millis(text) ?? null

const tradesPlan: Layout.Plan<Events> = {
  ...known,
  wanted: [],
  tables: [],
  lists: [[
    "params.data",
    ["instrument_name", "price", "amount", "direction", "trade_id", "timestamp", "trade_seq"]
  ]],
  build: ({ lists }) => {
    const rows = lists[0]
    if (rows === undefined || rows.length === 0) return undefined
    const trades: Array<Trade> = []
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i]
      if (row === undefined) return undefined
      const product = Layout.text(row, 0)
      const price = Layout.decimal(row, 1)
      const size = Layout.decimal(row, 2)
      const side = Layout.text(row, 3)
      const tradeId = Layout.text(row, 4)
      const time = millis(Layout.text(row, 5))
      const sequence = Layout.text(row, 6)
      if (
        !product || !price || !size || time === null || tradeId === "" || sequence === "" ||
        (side !== "buy" && side !== "sell")
      ) {
        return undefined
      }
      trades.push(trade({ venue: name, product, price, size, side, tradeId, timestamp: time, sequence }))
    }
    return trades
  }
}

const trades: Kind = {
  read: ({ channel, data }) => {
    const read = NumberWire.objects(name, data, inData, (object, at) => {
      const it = readTrade(name, object, at)
      if (isFrameRejected(it)) return it
      const product = it.instrument_name ?? channel.product
      if (product === undefined) return missingInstrument(at)
      return trade({
        venue: name,
        product,
        price: it.price,
        size: it.amount,
        side: it.direction,
        tradeId: Wire.present(it.trade_id),
        timestamp: Wire.present(it.timestamp),
        sequence: Wire.present(it.trade_seq)
      })
    })
    return isFrameRejected(read) || read.length > 0 ? read : [other({ venue: name, kind: channel.family })]
  },
  plan: () => tradesPlan
}

// --- ticker, incremental_ticker, quote -----------------------------------------

/**
 * https://docs.deribit.com/subscriptions/market-data/tickerinstrument_nameinterval,
 * `…/incremental_tickerinstrument_name` and `…/quoteinstrument_name`, read
 * 2026-11-21: a price is `null` where there is none, and all but the first of
 * the incremental ones hold only what changed.
 */
const readTicker = Wire.reader({
  instrument_name: Instrument,
  last_price: Wire.optional(NumberWire.DecimalOfNumber),
  best_bid_price: Wire.optional(NumberWire.DecimalOfNumber),
  best_bid_amount: Wire.optional(NumberWire.DecimalOfNumber),
  best_ask_price: Wire.optional(NumberWire.DecimalOfNumber),
  best_ask_amount: Wire.optional(NumberWire.DecimalOfNumber),
  stats: Wire.optional(Schema.Struct({ volume: Wire.optional(NumberWire.DecimalOfNumber) })),
  timestamp: Wire.optional(Wire.Millis)
})

const tickerPlan: Layout.Plan<Events> = {
  ...known,
  wanted: [
    "params.data.instrument_name",
    "params.data.last_price",
    "params.data.best_bid_price",
    "params.data.best_bid_amount",
    "params.data.best_ask_price",
    "params.data.best_ask_amount",
    "params.data.stats.volume",
    "params.data.timestamp"
  ],
  tables: [],
  nullable: true,
  build: (members) => {
    const product = Layout.text(members, 0)
    const last = Layout.decimal(members, 1)
    const bid = Layout.decimal(members, 2)
    const bidSize = Layout.decimal(members, 3)
    const ask = Layout.decimal(members, 4)
    const askSize = Layout.decimal(members, 5)
    const volume = Layout.decimal(members, 6)
    const time = millis(Layout.text(members, 7))
    if (
      !product || last === null || bid === null || bidSize === null || ask === null || askSize === null ||
      volume === null || time === null
    ) {
      return undefined
    }
    return [ticker({ venue: name, product, price: last, bid, bidSize, ask, askSize, volume, timestamp: time })]
  }
}

const tickerKind: Kind = {
  read: ({ channel, data }) => {
    if (!ExactJson.isObject(data ?? null)) return Rejection.unexpected(name, inData, "object", data)
    const it = readTicker(name, data as ExactJson.JsonObject, inData)
    if (isFrameRejected(it)) return it
    const product = it.instrument_name ?? channel.product
    if (product === undefined) return missingInstrument(inData)
    return [ticker({
      venue: name,
      product,
      price: Wire.present(it.last_price),
      bid: Wire.present(it.best_bid_price),
      bidSize: Wire.present(it.best_bid_amount),
      ask: Wire.present(it.best_ask_price),
      askSize: Wire.present(it.best_ask_amount),
      volume: Wire.present(it.stats?.volume),
      timestamp: Wire.present(it.timestamp)
    })]
  },
  plan: () => tickerPlan
}

// --- book --------------------------------------------------------------------

const Actions = new Set(["new", "change", "delete"])

/**
 * Rows of action, price and amount. What is deleted has an amount of 0; until
 * 2020 it had none.
 */
const Changes = Wire.rows<ReadonlyArray<Level>>((rows) => {
  const levels: Array<Level> = []
  for (let index = 0; index < rows.length; index++) {
    const row: unknown = rows[index]
    if (!Array.isArray(row)) return new Wire.BadCell([index], "array")
    if (row.length === 0) return new Wire.BadCell([index, 0], undefined)
    if (!Actions.has(row[0])) return new Wire.BadCell([index, 0], "\"new\" | \"change\" | \"delete\"")
    const price = NumberWire.decimal(row[1], [index, 1])
    if (price instanceof Wire.BadCell) return price
    const size = row.length === 2 && row[0] === "delete" ? Decimal.zero : NumberWire.decimal(row[2], [index, 2])
    if (size instanceof Wire.BadCell) return size
    levels.push([price, size])
  }
  return levels
})

/** Rows of price and amount. */
const Levels = Wire.rows<ReadonlyArray<Level>>((rows) => {
  const levels: Array<Level> = []
  for (let index = 0; index < rows.length; index++) {
    const row: unknown = rows[index]
    if (!Array.isArray(row)) return new Wire.BadCell([index], "array")
    const price = NumberWire.decimal(row[0], [index, 0])
    if (price instanceof Wire.BadCell) return price
    const size = NumberWire.decimal(row[1], [index, 1])
    if (size instanceof Wire.BadCell) return size
    levels.push([price, size])
  }
  return levels
})

const bookMembers = {
  instrument_name: Instrument,
  type: Wire.optional(Schema.Literals(["snapshot", "change"])),
  timestamp: Wire.optional(Wire.Millis),
  change_id: Wire.optional(Wire.Id),
  prev_change_id: Wire.optional(Wire.Id)
}

/** https://docs.deribit.com/subscriptions/orderbook/bookinstrument_nameinterval, read 2026-11-21. */
const readChanges = Wire.reader({ ...bookMembers, bids: Changes, asks: Changes })

/** https://docs.deribit.com/subscriptions/orderbook/bookinstrument_namegroupdepthinterval, read 2026-11-21. */
const readLevels = Wire.reader({ ...bookMembers, bids: Levels, asks: Levels })

/** `book.BTC-PERPETUAL.none.10.100ms`, in place of `book.BTC-PERPETUAL.100ms`. */
const isGrouped = ({ rest }: Name): boolean => rest.length > 1

/** Whether a word stands between two offsets that is an action. By its letters: a slice of each row costs more. */
const isAction = (frame: string, from: number, to: number): boolean => {
  switch (frame.charCodeAt(from)) {
    case 110:
      return to - from === 3 && frame.charCodeAt(from + 1) === 101 && frame.charCodeAt(from + 2) === 119
    case 99:
      return to - from === 6 && frame.slice(from, to) === "change"
    case 100:
      return to - from === 6 && frame.slice(from, to) === "delete"
    default:
      return false
  }
}

/** The levels in a table of action, price and amount; `undefined` where a cell is not what it should be. */
const changesOf = (cells: Layout.Cells | undefined, frame: string): ReadonlyArray<Level> | undefined => {
  if (cells === undefined) return undefined
  const levels: Array<Level> = []
  for (let i = 0; i + 5 < cells.length; i += 6) {
    if (!isAction(frame, cells[i] ?? 0, cells[i + 1] ?? 0)) return undefined
    const price = Decimal.parseRange(frame, cells[i + 2] ?? 0, cells[i + 3] ?? 0)
    const size = Decimal.parseRange(frame, cells[i + 4] ?? 0, cells[i + 5] ?? 0)
    if (price === undefined || size === undefined) return undefined
    levels.push([price, size])
  }
  return levels
}

const bookPlan = (grouped: boolean, snapshot: boolean): Layout.Plan<Events> => {
  const row = grouped ? ["[", ",", "]"] : ["[\"", "\",", ",", "]"]
  const levelsOf = grouped ? Wire.levels : changesOf
  return {
    ...known,
    // The names that the frames may have besides; a layout without one pins nothing by it.
    pinned: ["method", "params.data.type"],
    wanted: [
      "params.data.instrument_name",
      "params.data.timestamp",
      "params.data.change_id",
      "params.data.prev_change_id"
    ],
    tables: [["params.data.bids", row], ["params.data.asks", row]],
    build: (members) => {
      const product = Layout.text(members, 0)
      const time = millis(Layout.text(members, 1))
      const sequence = Layout.text(members, 2)
      const previous = Layout.text(members, 3)
      const bids = levelsOf(members.tables[0], members.frame)
      const asks = levelsOf(members.tables[1], members.frame)
      if (
        !product || time === null || bids === undefined || asks === undefined || sequence === "" || previous === ""
      ) {
        return undefined
      }
      return snapshot
        ? [bookSnapshot({ venue: name, product, bids, asks, timestamp: time, sequence })]
        : [bookDelta({ venue: name, product, bids, asks, timestamp: time, sequence, previousSequence: previous })]
    }
  }
}

const plans = {
  grouped: bookPlan(true, true),
  snapshot: bookPlan(false, true),
  change: bookPlan(false, false)
}

/** A grouped book is whole each time; any other says so, or else is whole where no change is named before it. */
const isSnapshot = (channel: Name, type: unknown, previous: unknown): boolean =>
  isGrouped(channel) || (typeof type === "string" ? type === "snapshot" : previous === undefined || previous === null)

const book: Kind = {
  read: ({ channel, data }) => {
    if (!ExactJson.isObject(data ?? null)) return Rejection.unexpected(name, inData, "object", data)
    const object = data as ExactJson.JsonObject
    const it = isGrouped(channel) ? readLevels(name, object, inData) : readChanges(name, object, inData)
    if (isFrameRejected(it)) return it
    const product = it.instrument_name ?? channel.product
    if (product === undefined) return missingInstrument(inData)
    const time = Wire.present(it.timestamp)
    const sequence = Wire.present(it.change_id)
    const previous = Wire.present(it.prev_change_id)
    return isSnapshot(channel, it.type, previous)
      ? [bookSnapshot({ venue: name, product, bids: it.bids, asks: it.asks, timestamp: time, sequence })]
      : [
        bookDelta({
          venue: name,
          product,
          bids: it.bids,
          asks: it.asks,
          timestamp: time,
          sequence,
          previousSequence: previous
        })
      ]
  },
  plan: ({ channel, data }) => {
    if (isGrouped(channel)) return plans.grouped
    const { prev_change_id, type } = ExactJson.isObject(data ?? null) ? data as ExactJson.JsonObject : {}
    return isSnapshot(channel, type, prev_change_id) ? plans.snapshot : plans.change
  }
}

const kinds: ReadonlyMap<string, Kind> = new Map([
  ["trades", trades],
  ["ticker", tickerKind],
  ["incremental_ticker", tickerKind],
  ["quote", tickerKind],
  ["book", book]
])

// --- answers and heartbeats --------------------------------------------------

/** https://docs.deribit.com/api-reference/session-management/public-set_heartbeat, read 2026-11-21. */
const beat = (frame: ExactJson.JsonObject): Events | FrameRejected => {
  const params = frame["params"]
  if (params === undefined || !ExactJson.isObject(params)) {
    return Rejection.unexpected(name, ["params"], "object", params)
  }
  const type = Object.hasOwn(params, "type") ? params["type"] : undefined
  if (typeof type !== "string" || type === "") {
    return Rejection.unexpected(name, ["params", "type"], "non-empty string", type)
  }
  return [heartbeat({ venue: name, kind: type === "test_request" ? "testRequest" : type })]
}

const readError = Wire.reader({
  id: Wire.optional(Wire.Id),
  error: Schema.Union([
    Schema.Struct({
      code: Wire.optional(Wire.Id),
      message: Wire.optional(Schema.String),
      data: Wire.optional(Schema.Unknown)
    }),
    Schema.String
  ])
})

/** What is wrong with which parameter, where an error tells: `{"reason":"wrong format","param":"channels"}`. */
const detail = (data: unknown): string => {
  if (typeof data === "string") return data
  if (typeof data !== "object" || data === null) return ""
  const words: ReadonlyArray<unknown> = [Reflect.get(data, "param"), Reflect.get(data, "reason")]
  return words.filter((word) => typeof word === "string" && word !== "").join(": ")
}

const refusal = (frame: ExactJson.JsonObject): Events | FrameRejected => {
  const it = readError(name, frame)
  if (isFrameRejected(it)) return it
  const requestId = Wire.present(it.id)
  const error = typeof it.error === "string" ? { message: it.error } : it.error
  const code = "code" in error ? Wire.present(error.code) : undefined
  const message = [error.message, "data" in error ? detail(error.data) : ""].filter((part) => part).join(": ")
  return [
    new VenueError({
      venue: name,
      ...(code === undefined ? {} : { code }),
      ...(message === "" ? {} : { message }),
      ...(requestId === undefined ? {} : { requestId })
    })
  ]
}

const readId = Wire.reader({ id: Wire.optional(Wire.Id) })

/**
 * The answer to subscribing and to its end is alike, the names of the channels:
 * the sign of the request's number tells them apart (see `request`).
 */
const answer = (frame: ExactJson.JsonObject): Events | FrameRejected => {
  const it = readId(name, frame)
  if (isFrameRejected(it)) return it
  const requestId = Wire.present(it.id)
  const result = frame["result"] ?? null
  const channels = Array.isArray(result) ? result.filter((each) => typeof each === "string" && each !== "") : undefined
  if (Array.isArray(result) && channels?.length === result.length) {
    const confirm = requestId?.startsWith("-") === true ? unsubscribed : subscribed
    if (channels.length === 0) return [confirm({ venue: name, requestId })]
    return channels.map((each) => {
      const { channel, product } = channelOf(String(each))
      return confirm({ venue: name, channel, product, requestId })
    })
  }
  return [
    new Response({
      venue: name,
      ...(requestId === undefined ? {} : { requestId }),
      result: Wire.plain(result)
    })
  ]
}

const makeDecode = (): Decode => {
  const layouts = Layout.make<Events>()
  return (frame) => {
    if (typeof frame !== "string") return Rejection.binary(name, frame)
    const learned = layouts.read(frame)
    if (learned !== undefined) return learned
    const json = ExactJson.parse(frame)
    if (json instanceof ExactJson.Malformed) return Rejection.malformed(name, frame, json)
    if (!ExactJson.isObject(json)) return Rejection.notAnObject(name, json)
    if (Object.hasOwn(json, "error") && json["error"] !== null) return refusal(json)
    if (Object.hasOwn(json, "result")) return answer(json)
    if (!Object.hasOwn(json, "method")) return Rejection.unknownMessage(name, "method, result or error")
    const method = json["method"]
    if (typeof method !== "string" || method === "") {
      return Rejection.unexpected(name, ["method"], "non-empty string", method)
    }
    if (method === "heartbeat") return beat(json)
    if (method !== "subscription") return [other({ venue: name, kind: method })]
    const params = json["params"]
    if (params === undefined || !ExactJson.isObject(params)) {
      return Rejection.unexpected(name, ["params"], "object", params)
    }
    const text = Object.hasOwn(params, "channel") ? params["channel"] : undefined
    if (typeof text !== "string" || text === "") {
      return Rejection.unexpected(name, ["params", "channel"], "non-empty string", text)
    }
    const channel = parseName(text)
    const kind = kinds.get(channel.family)
    if (kind === undefined) return [other({ venue: name, kind: channel.family })]
    const notification = {
      frame: json,
      channel,
      data: Object.hasOwn(params, "data") ? params["data"] : undefined
    }
    const events = kind.read(notification)
    if (!isFrameRejected(events)) {
      const plan = kind.plan(notification)
      if (plan !== undefined) layouts.learn(frame, json, plan)
    }
    return events
  }
}

// --- subscribing -------------------------------------------------------------

/** The venue gives no number, but refuses a request that is too large; a hundred names take about 4 KB. */
const batch = 100

const rpc = (id: number, method: string, params: object): string =>
  JSON.stringify({ jsonrpc: "2.0", id, method, params })

/**
 * As few requests as there are batches. Those that end subscriptions have
 * negative numbers, by which their answers are known.
 */
const request = (
  method: "public/subscribe" | "public/unsubscribe",
  channels: ReadonlyArray<Channel.Channel>,
  id: number
): ReadonlyArray<Ask> => {
  const named = [...new Map(channels.map((channel) => [nameOf(channel), channel]))]
  return Array.from({ length: Math.ceil(named.length / batch) }, (_, index) => {
    const asked = named.slice(index * batch, (index + 1) * batch)
    const number = method === "public/subscribe" ? id + index : -(id + index)
    return {
      text: rpc(number, method, { channels: asked.map(([text]) => text) }),
      channels: asked.map(([, channel]) => channel),
      requestId: String(number)
    }
  })
}

/** How the venue writes every notification. */
const notificationBeginning = "{\"jsonrpc\":\"2.0\",\"method\":\"subscription\",\"params\":{\"channel\":\""

const topicOf = (frame: Frame, events: ReadonlyArray<MarketEvent>): Topic | undefined => {
  const event = events[0]
  const text = Topics.textAfter(frame, notificationBeginning)
  if (text !== undefined) return { name: text }
  if (event === undefined || (event._tag !== "Other" && !isMarketData(event))) return undefined
  const name = Topics.textIn(Topics.objectIn(Topics.objectOf(frame), "params"), "channel")
  return name === undefined ? undefined : { name }
}

/** Every so many seconds; the venue takes no less than 10. */
const heartbeatSeconds = 30

/** Requests that keep alive are numbered from here on: no answer to one is taken for that of a subscription. */
const firstKeepAlive = 1_000_000_000

const rateLimits = "https://docs.deribit.com/articles/rate-limits, read 2026-11-21"

/**
 * Makes the venue anew, with no layout learned. `venue` is one for all to share.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (): Venue => ({
  name,
  title: "Deribit",
  endpoint: "wss://www.deribit.com/ws/api/v2",
  documentation: "https://docs.deribit.com/articles/notifications",
  prices: "number",
  continuity: "sequence",
  heartbeat: "set_heartbeat, 30 s; test_request is answered by public/test",
  keepAlive: {
    _tag: "Requested",
    withinMillis: heartbeatSeconds * 1_000,
    enable: (id) => rpc(firstKeepAlive + id, "public/set_heartbeat", { interval: heartbeatSeconds }),
    answer: (event, id) =>
      event._tag === "Heartbeat" && event.kind === "testRequest"
        ? rpc(firstKeepAlive + id, "public/test", {})
        : undefined
  },
  limits: "20 requests/s, bursts of 100; of subscribe and unsubscribe 3.3/s, bursts of 10; 32 connections per IP",
  rates: [
    // Of 50,000 credits a request takes 500, and 10,000 come back each second: a burst's worth in 5 seconds.
    { of: "messages", per: "address", limit: 100, windowMillis: 5_000, source: rateLimits },
    // Of 30,000 credits subscribing takes 3,000, and 10,000 come back each second.
    { of: "subscriptions", per: "address", limit: 10, windowMillis: 3_000, source: rateLimits },
    {
      of: "dials",
      per: "address",
      limit: 32,
      windowMillis: undefined,
      source: "https://docs.deribit.com/articles/connection-management-best-practices, read 2026-11-21"
    }
  ],
  sessionMillis: undefined,
  channels: { trade: "trades.100ms", ticker: "ticker.100ms", book: "book.100ms" },
  subscribe: (channels, id) => request("public/subscribe", channels, id),
  unsubscribe: (channels, id) => request("public/unsubscribe", channels, id),
  decode: Wire.bounded(name, makeDecode()),
  topics: (channel) => [{ name: nameOf(channel) }],
  topicOf,
  isQuiet: (channel) => /^(?:trades|chart\.trades|block_trade_confirmations|user|block_rfq)\b/.test(channel)
})

/**
 * Deribit.
 *
 * @category venues
 * @since 0.1.0
 */
export const venue: Venue = make()
