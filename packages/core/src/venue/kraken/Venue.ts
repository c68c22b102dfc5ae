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
import * as Schema from "effect/Schema"
import * as ExactJson from "../../codec/ExactJson.ts"
import * as Layout from "../../codec/internal/layout.ts"
import * as Topics from "../../codec/internal/topics.ts"
import * as Rejection from "../../codec/Rejection.ts"
import { type FrameRejected, frameRejected, isFrameRejected } from "../../codec/Rejection.ts"
import { bookDelta, bookSnapshot, type Level, ticker, type Trade, trade } from "../../event/MarketData.ts"
import type { MarketEvent } from "../../event/MarketEvent.ts"
import { heartbeat, other, subscribed, unsubscribed, VenueError } from "../../event/VenueMessage.ts"
import * as Dialect from "../../protocol/Dialect.ts"
import type { Frame } from "../../transport/Frame.ts"
import * as Channel from "../../value/Channel.ts"
import * as Timestamp from "../../value/Timestamp.ts"
import * as Wire from "../internal/wire.ts"
import * as NumberWire from "../NumberWire.ts"
import type { Ask, Decode, Topic, Venue } from "../Venue.ts"

const name = "kraken"

type Events = ReadonlyArray<MarketEvent>

/** A frame holds what was before the subscription, or what happens. */
type Phase = "snapshot" | "update"

/** One kind of frame: how it is read exactly, and how fast where its layout is known. */
interface Kind {
  readonly read: (frame: ExactJson.JsonObject) => Events | FrameRejected
  readonly plan: (frame: ExactJson.JsonObject) => Layout.Plan<Events> | undefined
}

const readPhase = Wire.reader({ type: Schema.Literals(["snapshot", "update"]) })

const pinned = ["channel", "type"]

/**
 * A kind whose frames hold a list of objects, each an event of its own. A frame
 * with an empty list says nothing.
 */
const listing = (
  kind: string,
  read: (object: ExactJson.JsonObject, at: ReadonlyArray<PropertyKey>, phase: Phase) => MarketEvent | FrameRejected,
  plan: (phase: Phase, objects: number) => Layout.Plan<Events> | undefined
): Kind => ({
  read: (frame) => {
    const it = readPhase(name, frame)
    if (isFrameRejected(it)) return it
    const events = NumberWire.objects(name, frame["data"], ["data"], (object, at) => read(object, at, it.type))
    return isFrameRejected(events) || events.length > 0 ? events : [other({ venue: name, kind })]
  },
  plan: ({ data, type }) => plan(type === "snapshot" ? type : "update", Array.isArray(data) ? data.length : 0)
})

// --- trade -------------------------------------------------------------------

const readTrade = Wire.reader({
  symbol: Schema.NonEmptyString,
  side: Schema.Literals(["buy", "sell"]),
  price: NumberWire.DecimalOfNumber,
  qty: NumberWire.DecimalOfNumber,
  trade_id: Wire.optional(Wire.Id),
  timestamp: Wire.optional(Timestamp.FromIso)
})

const tradePlan = (phase: Phase): Layout.Plan<Events> => ({
  wanted: [],
  times: ["data[].timestamp"],
  tables: [],
  lists: [["data", ["symbol", "side", "price", "qty", "trade_id", "timestamp"]]],
  pinned,
  build: ({ lists }) => {
    const rows = lists[0]
    if (rows === undefined || rows.length === 0) return undefined
    const trades: Array<Trade> = []
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i]
      if (row === undefined) return undefined
      const product = Layout.text(row, 0)
      const side = Layout.text(row, 1)
      const price = Layout.decimal(row, 2)
      const size = Layout.decimal(row, 3)
      const tradeId = Layout.text(row, 4)
      const time = Layout.timestamp(row, 5)
      if (!product || !price || !size || time === null || tradeId === "" || (side !== "buy" && side !== "sell")) {
        return undefined
      }
      trades.push(
        trade({ venue: name, product, price, size, side, tradeId, timestamp: time, history: phase === "snapshot" })
      )
    }
    return trades
  }
})

const tradePlans = { snapshot: tradePlan("snapshot"), update: tradePlan("update") }

/** A snapshot holds the last 50 trades: https://docs.kraken.com/api/docs/websocket-v2/trade, read 2026-11-21. */
const tradeKind = listing(
  "trade",
  (object, at, phase) => {
    const it = readTrade(name, object, at)
    if (isFrameRejected(it)) return it
    return trade({
      venue: name,
      product: it.symbol,
      price: it.price,
      size: it.qty,
      side: it.side,
      tradeId: Wire.present(it.trade_id),
      timestamp: Wire.present(it.timestamp),
      history: phase === "snapshot"
    })
  },
  (phase) => tradePlans[phase]
)

// --- ticker ------------------------------------------------------------------

const readTicker = Wire.reader({
  symbol: Schema.NonEmptyString,
  last: Wire.optional(NumberWire.DecimalOfNumber),
  bid: Wire.optional(NumberWire.DecimalOfNumber),
  bid_qty: Wire.optional(NumberWire.DecimalOfNumber),
  ask: Wire.optional(NumberWire.DecimalOfNumber),
  ask_qty: Wire.optional(NumberWire.DecimalOfNumber),
  volume: Wire.optional(NumberWire.DecimalOfNumber),
  timestamp: Wire.optional(Timestamp.FromIso)
})

const tickerPlan: Layout.Plan<Events> = {
  wanted: [],
  times: ["data[].timestamp"],
  tables: [],
  lists: [["data", ["symbol", "last", "bid", "bid_qty", "ask", "ask_qty", "volume", "timestamp"]]],
  pinned,
  nullable: true,
  build: ({ lists }) => {
    const rows = lists[0]
    if (rows === undefined || rows.length === 0) return undefined
    const tickers: Array<MarketEvent> = []
    for (let i = 0; i < rows.length; i++) {
      const row = rows[i]
      if (row === undefined) return undefined
      const product = Layout.text(row, 0)
      const last = Layout.decimal(row, 1)
      const bid = Layout.decimal(row, 2)
      const bidSize = Layout.decimal(row, 3)
      const ask = Layout.decimal(row, 4)
      const askSize = Layout.decimal(row, 5)
      const volume = Layout.decimal(row, 6)
      const time = Layout.timestamp(row, 7)
      if (
        !product || last === null || bid === null || bidSize === null || ask === null || askSize === null ||
        volume === null || time === null || (last === undefined && bid === undefined && ask === undefined)
      ) {
        return undefined
      }
      tickers.push(ticker({ venue: name, product, price: last, bid, bidSize, ask, askSize, volume, timestamp: time }))
    }
    return tickers
  }
}

const tickerKind = listing(
  "ticker",
  (object, at) => {
    const it = readTicker(name, object, at)
    if (isFrameRejected(it)) return it
    if (!Wire.hasAny(object, "last", "bid", "ask")) {
      const field = Rejection.formatPath([...at, "last"])
      return frameRejected(name, "MissingField", field, `${field} is missing, and so are bid and ask`)
    }
    return ticker({
      venue: name,
      product: it.symbol,
      price: Wire.present(it.last),
      bid: Wire.present(it.bid),
      bidSize: Wire.present(it.bid_qty),
      ask: Wire.present(it.ask),
      askSize: Wire.present(it.ask_qty),
      volume: Wire.present(it.volume),
      timestamp: Wire.present(it.timestamp)
    })
  },
  () => tickerPlan
)

// --- book --------------------------------------------------------------------

const Levels = Wire.rows<ReadonlyArray<Level>>((rows) => {
  const levels: Array<Level> = []
  for (let index = 0; index < rows.length; index++) {
    const row: unknown = rows[index]
    if (typeof row !== "object" || row === null || Array.isArray(row) || row instanceof ExactJson.JsonNumber) {
      return new Wire.BadCell([index], "object")
    }
    const price = NumberWire.decimal(Reflect.get(row, "price"), [index, "price"])
    if (price instanceof Wire.BadCell) return price
    const size = NumberWire.decimal(Reflect.get(row, "qty"), [index, "qty"])
    if (size instanceof Wire.BadCell) return size
    levels.push([price, size])
  }
  return levels
})

const bookMembers = {
  symbol: Schema.NonEmptyString,
  checksum: Wire.optional(Wire.Id),
  timestamp: Wire.optional(Timestamp.FromIso)
}

const readSnapshot = Wire.reader({ ...bookMembers, bids: Levels, asks: Levels })

/** A side that did not change may be left out. */
const readUpdate = Wire.reader({ ...bookMembers, bids: Wire.optional(Levels), asks: Wire.optional(Levels) })

const row = ["{\"price\":", ",\"qty\":", "}"]

const bookPlan = (phase: Phase): Layout.Plan<Events> => ({
  wanted: ["data[0].symbol", "data[0].checksum", "data[0].timestamp"],
  times: ["data[0].timestamp"],
  tables: [["data[0].bids", row], ["data[0].asks", row]],
  pinned,
  build: (members) => {
    const product = Layout.text(members, 0)
    const checksum = Layout.text(members, 1)
    const time = Layout.timestamp(members, 2)
    const bids = Wire.levels(members.tables[0], members.frame)
    const asks = Wire.levels(members.tables[1], members.frame)
    if (!product || bids === undefined || asks === undefined || time === null || checksum === "") return undefined
    return phase === "snapshot"
      ? [bookSnapshot({ venue: name, product, bids, asks, timestamp: time, checksum })]
      : [bookDelta({ venue: name, product, bids, asks, timestamp: time, checksum })]
  }
})

const bookPlans = { snapshot: bookPlan("snapshot"), update: bookPlan("update") }

const book = listing(
  "book",
  (object, at, phase) => {
    const it = phase === "snapshot" ? readSnapshot(name, object, at) : readUpdate(name, object, at)
    if (isFrameRejected(it)) return it
    const bids = it.bids ?? []
    const asks = it.asks ?? []
    const time = Wire.present(it.timestamp)
    const checksum = Wire.present(it.checksum)
    return phase === "snapshot"
      ? bookSnapshot({ venue: name, product: it.symbol, bids, asks, timestamp: time, checksum })
      : bookDelta({ venue: name, product: it.symbol, bids, asks, timestamp: time, checksum })
  },
  // A plan of one book knows nothing of a second.
  (phase, objects) => objects === 1 ? bookPlans[phase] : undefined
)

// --- channels ----------------------------------------------------------------

const alive: Events = [heartbeat({ venue: name, kind: "heartbeat" })]

const heartbeatPlan: Layout.Plan<Events> = {
  wanted: [],
  times: [],
  tables: [],
  pinned: ["channel"],
  build: () => alive
}

/** A second without another message brings one: https://docs.kraken.com/api/docs/websocket-v2/heartbeat, read 2026-11-21. */
const heartbeatKind: Kind = { read: () => alive, plan: () => heartbeatPlan }

const kinds: ReadonlyMap<string, Kind> = new Map([
  ["trade", tradeKind],
  ["ticker", tickerKind],
  ["book", book],
  ["heartbeat", heartbeatKind]
])

// --- answers -----------------------------------------------------------------

const Words = Wire.optional(Schema.Union([Schema.String, Schema.Array(Schema.String)]))

const readAnswer = Wire.reader({
  method: Wire.optional(Schema.NonEmptyString),
  success: Wire.optional(Schema.Boolean),
  req_id: Wire.optional(Wire.Id),
  error: Words,
  // Too many messages are answered by `{"Error":"Exceeded msg rate"}` alone.
  Error: Words
})

const readConfirmation = Wire.reader({
  result: Wire.optional(Schema.Struct({
    channel: Wire.optional(Schema.NonEmptyString),
    symbol: Wire.optional(Schema.Union([Schema.NonEmptyString, Schema.Array(Schema.NonEmptyString)]))
  }))
})

/** What answers a request, by its `method`; an error may come without one. */
const answer = (frame: ExactJson.JsonObject): Events | FrameRejected => {
  const it = readAnswer(name, frame)
  if (isFrameRejected(it)) return it
  const requestId = Wire.present(it.req_id)
  const words = it.error ?? it.Error ?? ""
  const message = typeof words === "string" ? words : words.join(", ")
  if (it.success === false || (message !== "" && it.success !== true)) {
    return [
      new VenueError({
        venue: name,
        ...(message === "" ? {} : { message }),
        ...(requestId === undefined ? {} : { requestId })
      })
    ]
  }
  switch (it.method) {
    case "subscribe":
    case "unsubscribe": {
      const confirm = it.method === "subscribe" ? subscribed : unsubscribed
      const confirmation = readConfirmation(name, frame)
      if (isFrameRejected(confirmation)) return confirmation
      const channel = Wire.present(confirmation.result?.channel)
      const symbol = Wire.present(confirmation.result?.symbol)
      if (symbol === undefined || typeof symbol === "string") {
        return [confirm({ venue: name, channel, product: symbol, requestId })]
      }
      return symbol.length === 0
        ? [confirm({ venue: name, channel, requestId })]
        : symbol.map((one) => confirm({ venue: name, channel, product: one, requestId }))
    }
    case "pong":
      return [heartbeat({ venue: name, kind: "pong" })]
    case undefined:
    case null:
      return Rejection.unknownMessage(name, "channel or method")
    default:
      return [other({ venue: name, kind: it.method })]
  }
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
    if (!Object.hasOwn(json, "channel")) return answer(json)
    const channel = json["channel"]
    if (typeof channel !== "string" || channel === "") {
      return Rejection.unexpected(name, ["channel"], "a non-empty string", channel)
    }
    const kind = kinds.get(channel)
    if (kind === undefined) return [other({ venue: name, kind: channel })]
    const events = kind.read(json)
    if (!isFrameRejected(events)) {
      const plan = kind.plan(json)
      if (plan !== undefined) layouts.learn(frame, json, plan)
    }
    return events
  }
}

// --- subscribing -------------------------------------------------------------

/** The venue's names, and that of a book with its depth, which the first version of the API called `book-25`. */
const depthOf = /^(book)-(\d+)$/

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
    const [, channel = one.channel, depth] = depthOf.exec(one.channel) ?? []
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
  { name: depthOf.exec(channel)?.[1] ?? channel, product }
]

/** The channels whose events are theirs alone. */
const ofTag: Readonly<Partial<Record<MarketEvent["_tag"], Topic>>> = {
  Trade: { name: "trade" },
  Ticker: { name: "ticker" },
  BookSnapshot: { name: "book" },
  BookDelta: { name: "book" }
}

const topicOf = (frame: Frame, events: ReadonlyArray<MarketEvent>): Topic | undefined => {
  const event = events[0]
  if (event?._tag !== "Other") return event === undefined ? undefined : ofTag[event._tag]
  const json = Topics.objectOf(frame)
  const name = Topics.textIn(json, "channel")
  return name === undefined ? undefined : { name, product: Topics.textInAll(json?.["data"], "symbol") }
}

/**
 * Makes the venue anew, with no layout learned. `venue` is one for all to share.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (): Venue => ({
  name,
  title: "Kraken",
  endpoint: "wss://ws.kraken.com/v2",
  documentation: "https://docs.kraken.com/api/docs/guides/spot-ws-intro",
  prices: "number",
  continuity: "checksum",
  heartbeat: "heartbeat, 1 s without other messages; ping is answered by pong",
  // A connection that says nothing for about a minute is closed; any request keeps it:
  // https://docs.kraken.com/api/docs/guides/spot-ws-intro, read 2026-11-21.
  keepAlive: {
    _tag: "Application",
    everyMillis: 30_000,
    ping: (id) => JSON.stringify({ method: "ping", req_id: id }),
    isPong: (event) => event._tag === "Heartbeat" && event.kind === "pong"
  },
  limits: "about 150 connections in 10 minutes per IP, then banned for 10 minutes; messages as the load allows",
  rates: [{
    of: "dials",
    per: "address",
    limit: 150,
    windowMillis: 600_000,
    source: "https://docs.kraken.com/api/docs/guides/spot-ws-intro, read 2026-11-21"
  }],
  sessionMillis: undefined,
  // The ten best levels; `book-25`, `book-100`, `book-500` and `book-1000` are deeper:
  // https://docs.kraken.com/api/docs/websocket-v2/book, read 2026-11-21.
  channels: { trade: "trade", ticker: "ticker", book: "book" },
  subscribe: (channels, id) => request("subscribe", channels, id),
  unsubscribe: (channels, id) => request("unsubscribe", channels, id),
  decode: Wire.bounded(name, makeDecode()),
  topics,
  topicOf,
  // The product stands in its words.
  refused: (_, { message = "" }) => Dialect.mentions(message),
  isQuiet: (channel) => channel === "trade" || channel === "executions"
})

/**
 * Kraken.
 *
 * @category venues
 * @since 0.1.0
 */
export const venue: Venue = make()
