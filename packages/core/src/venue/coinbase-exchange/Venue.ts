/**
 * Coinbase Exchange, the public market data feed.
 *
 * Prices and sizes are JSON strings; `trade_id` and `sequence` are JSON numbers.
 * The `side` of a match is the maker's. Sizes of `l2update` are absolute.
 *
 * @see https://docs.cdp.coinbase.com/exchange/websocket-feed/channels
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as ExactJson from "../../codec/ExactJson.ts"
import * as Layout from "../../codec/internal/layout.ts"
import * as Topics from "../../codec/internal/topics.ts"
import * as Rejection from "../../codec/Rejection.ts"
import { type FrameRejected, frameRejected, isFrameRejected } from "../../codec/Rejection.ts"
import { bookDelta, bookSnapshot, type Level, type Side, ticker, trade } from "../../event/MarketData.ts"
import type { MarketEvent } from "../../event/MarketEvent.ts"
import { heartbeat, other, type Subscribed, subscribed, VenueError } from "../../event/VenueMessage.ts"
import * as Dialect from "../../protocol/Dialect.ts"
import type { Frame } from "../../transport/Frame.ts"
import type { Channel } from "../../value/Channel.ts"
import * as Decimal from "../../value/Decimal.ts"
import * as Timestamp from "../../value/Timestamp.ts"
import * as Wire from "../internal/wire.ts"
import type { Ask, Decode, Topic, Venue } from "../Venue.ts"

const name = "coinbase-exchange"

type Events = ReadonlyArray<MarketEvent>

/** One kind of frame: how it is read exactly, and how fast where its layout is known. */
interface Kind {
  readonly read: (frame: ExactJson.JsonObject) => Events | FrameRejected
  readonly plan: Layout.Plan<Events> | undefined
}

const pinned = ["type"]

/** The taker's side of a match, given the maker's; absent where the venue does not know it. */
const takerSide = { buy: "sell", sell: "buy", UNKNOWN_ORDER_SIDE: undefined, "": undefined } as const

/** A decimal that may be absent; `null` where there is a text and it is none. */
const optionalDecimal = (text: string | undefined): Decimal.Decimal | undefined | null =>
  text === undefined ? undefined : Decimal.parse(text) ?? null

/** An identifier may be absent, but not empty. */
const isId = (text: string | undefined): boolean => text !== ""

// --- match, last_match -------------------------------------------------------

const readMatch = Wire.reader({
  product_id: Schema.NonEmptyString,
  price: Decimal.FromText,
  size: Decimal.FromText,
  side: Schema.Literals(["buy", "sell", "UNKNOWN_ORDER_SIDE", ""]),
  trade_id: Wire.optional(Wire.Id),
  time: Wire.optional(Timestamp.FromIso),
  sequence: Wire.optional(Wire.Id)
})

const match: Kind = {
  read: (frame) => {
    const it = readMatch(name, frame)
    if (isFrameRejected(it)) return it
    return [
      trade({
        venue: name,
        product: it.product_id,
        price: it.price,
        size: it.size,
        side: takerSide[it.side],
        tradeId: Wire.present(it.trade_id),
        timestamp: Wire.present(it.time),
        sequence: Wire.present(it.sequence)
      })
    ]
  },
  plan: {
    wanted: ["product_id", "price", "size", "side", "trade_id", "time", "sequence"],
    times: ["time"],
    tables: [],
    pinned,
    build: (members) => {
      const product = Layout.text(members, 0)
      const priceText = Layout.text(members, 1)
      const sizeText = Layout.text(members, 2)
      const makerSide = Layout.text(members, 3)
      const tradeId = Layout.text(members, 4)
      const sequence = Layout.text(members, 6)
      if (!product || priceText === undefined || sizeText === undefined) return undefined
      if (makerSide !== "buy" && makerSide !== "sell") return undefined
      const price = Decimal.parse(priceText)
      const size = Decimal.parse(sizeText)
      const time = Layout.timestamp(members, 5)
      if (price === undefined || size === undefined || time === null || !isId(tradeId) || !isId(sequence)) {
        return undefined
      }
      return [
        trade({ venue: name, product, price, size, side: takerSide[makerSide], tradeId, timestamp: time, sequence })
      ]
    }
  }
}

// --- ticker ------------------------------------------------------------------

const readTicker = Wire.reader({
  product_id: Schema.NonEmptyString,
  price: Wire.OptionalDecimal,
  best_bid: Wire.OptionalDecimal,
  best_bid_size: Wire.OptionalDecimal,
  best_ask: Wire.OptionalDecimal,
  best_ask_size: Wire.OptionalDecimal,
  volume_24h: Wire.OptionalDecimal,
  time: Wire.optional(Timestamp.FromIso),
  sequence: Wire.optional(Wire.Id)
})

const tickerKind: Kind = {
  read: (frame) => {
    const it = readTicker(name, frame)
    if (isFrameRejected(it)) return it
    if (!Wire.hasAny(frame, "price", "best_bid", "best_ask")) {
      return frameRejected(name, "MissingField", "price", "price is missing, and so are best_bid and best_ask")
    }
    return [ticker({
      venue: name,
      product: it.product_id,
      price: Wire.presentDecimal(it.price),
      bid: Wire.presentDecimal(it.best_bid),
      bidSize: Wire.presentDecimal(it.best_bid_size),
      ask: Wire.presentDecimal(it.best_ask),
      askSize: Wire.presentDecimal(it.best_ask_size),
      volume: Wire.presentDecimal(it.volume_24h),
      timestamp: Wire.present(it.time),
      sequence: Wire.present(it.sequence)
    })]
  },
  plan: {
    wanted: [
      "product_id",
      "price",
      "best_bid",
      "best_bid_size",
      "best_ask",
      "best_ask_size",
      "volume_24h",
      "time",
      "sequence"
    ],
    times: ["time"],
    tables: [],
    pinned,
    build: (members) => {
      const product = Layout.text(members, 0)
      const price = optionalDecimal(Layout.text(members, 1))
      const bid = optionalDecimal(Layout.text(members, 2))
      const bidSize = optionalDecimal(Layout.text(members, 3))
      const ask = optionalDecimal(Layout.text(members, 4))
      const askSize = optionalDecimal(Layout.text(members, 5))
      const volume = optionalDecimal(Layout.text(members, 6))
      const time = Layout.timestamp(members, 7)
      const sequence = Layout.text(members, 8)
      if (
        !product || price === null || bid === null || bidSize === null || ask === null || askSize === null ||
        volume === null || time === null || !isId(sequence) ||
        (price === undefined && bid === undefined && ask === undefined)
      ) {
        return undefined
      }
      return [ticker({ venue: name, product, price, bid, bidSize, ask, askSize, volume, timestamp: time, sequence })]
    }
  }
}

// --- snapshot ----------------------------------------------------------------

/** The levels that a table of two columns holds, or `undefined` where a cell is no decimal. */
const levelsOf = (cells: Layout.Cells | undefined, frame: string): Array<Level> | undefined => {
  if (cells === undefined) return undefined
  const levels: Array<Level> = []
  for (let i = 0; i + 3 < cells.length; i += 4) {
    const price = Decimal.parseRange(frame, cells[i] ?? 0, cells[i + 1] ?? 0)
    const size = Decimal.parseRange(frame, cells[i + 2] ?? 0, cells[i + 3] ?? 0)
    if (price === undefined || size === undefined) return undefined
    levels.push([price, size])
  }
  return levels
}

const readSnapshot = Wire.reader({
  product_id: Schema.NonEmptyString,
  bids: Wire.Levels,
  asks: Wire.Levels,
  time: Wire.optional(Timestamp.FromIso)
})

const snapshot: Kind = {
  read: (frame) => {
    const it = readSnapshot(name, frame)
    if (isFrameRejected(it)) return it
    return [
      bookSnapshot({
        venue: name,
        product: it.product_id,
        bids: it.bids,
        asks: it.asks,
        timestamp: Wire.present(it.time)
      })
    ]
  },
  plan: {
    wanted: ["product_id", "time"],
    times: ["time"],
    tables: [["bids", 2], ["asks", 2]],
    pinned,
    build: (members) => {
      const product = Layout.text(members, 0)
      const time = Layout.timestamp(members, 1)
      const bids = levelsOf(members.tables[0], members.frame)
      const asks = levelsOf(members.tables[1], members.frame)
      if (!product || bids === undefined || asks === undefined || time === null) return undefined
      return [bookSnapshot({ venue: name, product, bids, asks, timestamp: time })]
    }
  }
}

// --- l2update ----------------------------------------------------------------

/** Changes of a book, parted into its sides, each in the frame's order. */
interface Changes {
  readonly bids: Array<Level>
  readonly asks: Array<Level>
}

/** The side that is written between two offsets. By its letters: `startsWith` costs ten times as much. */
const sideAt = (frame: string, from: number, to: number): Side | undefined => {
  const first = frame.charCodeAt(from)
  if (first === 98) {
    return to - from === 3 && frame.charCodeAt(from + 1) === 117 && frame.charCodeAt(from + 2) === 121
      ? "buy"
      : undefined
  }
  return first === 115 && to - from === 4 && frame.charCodeAt(from + 1) === 101 &&
      frame.charCodeAt(from + 2) === 108 && frame.charCodeAt(from + 3) === 108
    ? "sell"
    : undefined
}

const Changes = Wire.rows<Changes>((rows) => {
  const changes: Changes = { bids: [], asks: [] }
  for (let index = 0; index < rows.length; index++) {
    const row = rows[index]
    if (!Array.isArray(row)) return new Wire.BadCell([index], "array")
    if (row.length === 0) return new Wire.BadCell([index, 0], undefined)
    if (row[0] !== "buy" && row[0] !== "sell") return new Wire.BadCell([index, 0], "\"buy\" | \"sell\"")
    const price = Wire.decimalCell(row, index, 1)
    if (price instanceof Wire.BadCell) return price
    const size = Wire.decimalCell(row, index, 2)
    if (size instanceof Wire.BadCell) return size
    const side = row[0] === "buy" ? changes.bids : changes.asks
    side.push([price, size])
  }
  return changes
})

const readUpdate = Wire.reader({
  product_id: Schema.NonEmptyString,
  changes: Changes,
  time: Wire.optional(Timestamp.FromIso)
})

const update: Kind = {
  read: (frame) => {
    const it = readUpdate(name, frame)
    if (isFrameRejected(it)) return it
    return [
      bookDelta({
        venue: name,
        product: it.product_id,
        bids: it.changes.bids,
        asks: it.changes.asks,
        timestamp: Wire.present(it.time)
      })
    ]
  },
  plan: {
    wanted: ["product_id", "time"],
    times: ["time"],
    tables: [["changes", 3]],
    pinned,
    build: (members) => {
      const product = Layout.text(members, 0)
      const time = Layout.timestamp(members, 1)
      const { frame } = members
      const cells = members.tables[0]
      if (!product || cells === undefined || time === null) return undefined
      const bids: Array<Level> = []
      const asks: Array<Level> = []
      for (let i = 0; i + 5 < cells.length; i += 6) {
        const written = sideAt(frame, cells[i] ?? 0, cells[i + 1] ?? 0)
        if (written === undefined) return undefined
        const price = Decimal.parseRange(frame, cells[i + 2] ?? 0, cells[i + 3] ?? 0)
        const size = Decimal.parseRange(frame, cells[i + 4] ?? 0, cells[i + 5] ?? 0)
        if (price === undefined || size === undefined) return undefined
        const side = written === "buy" ? bids : asks
        side.push([price, size])
      }
      return [bookDelta({ venue: name, product, bids, asks, timestamp: time })]
    }
  }
}

// --- subscriptions, error ----------------------------------------------------

const readSubscriptions = Wire.reader({
  channels: Wire.optional(Schema.Array(Schema.Union([
    Schema.Struct({
      name: Schema.NonEmptyString,
      product_ids: Wire.optional(Schema.Array(Schema.NonEmptyString))
    }),
    Schema.NonEmptyString
  ])))
})

const isName = (entry: unknown): entry is string => typeof entry === "string" && entry !== ""

/** The answer lists every subscription of the connection, the earlier ones included. */
const subscriptions: Kind = {
  read: (frame) => {
    const listed = frame["channels"]
    // Bare names need no schema; a hostile megabyte of them would take it more than 50 ms.
    if (Array.isArray(listed) && listed.length > 0 && listed.every(isName)) {
      return listed.map((channel) => subscribed({ venue: name, channel }))
    }
    const it = readSubscriptions(name, frame)
    if (isFrameRejected(it)) return it
    const events: Array<Subscribed> = []
    for (const entry of it.channels ?? []) {
      const channel = typeof entry === "string" ? entry : entry.name
      const products = typeof entry === "string" ? [] : entry.product_ids ?? []
      for (const product of products) events.push(subscribed({ venue: name, channel, product }))
      if (products.length === 0) events.push(subscribed({ venue: name, channel }))
    }
    return events.length === 0 ? [subscribed({ venue: name })] : events
  },
  plan: undefined
}

const readError = Wire.reader({
  message: Wire.optional(Schema.String),
  reason: Wire.optional(Schema.String)
})

/** `message` says what failed, `reason` why: `Failed to subscribe: X-Y is not a valid product`. */
const error: Kind = {
  read: (frame) => {
    const it = readError(name, frame)
    if (isFrameRejected(it)) return it
    const message = [it.message, it.reason].filter((part) => typeof part === "string" && part !== "").join(": ")
    return [new VenueError(message === "" ? { venue: name } : { venue: name, message })]
  },
  plan: undefined
}

// --- kinds without prices ----------------------------------------------------

const fixed = (event: MarketEvent): Kind => ({
  read: () => [event],
  plan: { wanted: [], times: [], tables: [], pinned, build: () => [event] }
})

const kinds: ReadonlyMap<string, Kind> = new Map([
  ["match", match],
  ["last_match", match],
  ["ticker", tickerKind],
  ["snapshot", snapshot],
  ["l2update", update],
  ["heartbeat", fixed(heartbeat({ venue: name, kind: "heartbeat" }))],
  ["subscriptions", subscriptions],
  ["error", error]
])

const makeDecode = (): Decode => {
  const layouts = Layout.make<Events>()
  return (frame) => {
    if (typeof frame !== "string") return Rejection.binary(name, frame)
    const known = layouts.read(frame)
    if (known !== undefined) return known
    const json = ExactJson.parse(frame)
    if (json instanceof ExactJson.Malformed) return Rejection.malformed(name, frame, json)
    if (!ExactJson.isObject(json)) return Rejection.notAnObject(name, json)
    if (!Object.hasOwn(json, "type")) return Rejection.unknownMessage(name, "type")
    const type = json["type"]
    if (typeof type !== "string" || type === "") {
      return frameRejected(
        name,
        "InvalidField",
        "type",
        `type: expected a non-empty string, found ${ExactJson.describe(type)}`
      )
    }
    const kind = kinds.get(type) ?? fixed(other({ venue: name, kind: type }))
    const events = kind.read(json)
    if (kind.plan !== undefined && !isFrameRejected(events)) layouts.learn(frame, json, kind.plan)
    return events
  }
}

// --- subscribing -------------------------------------------------------------

/**
 * One frame for each group of products that want the same channels: one frame
 * in all where every product wants every channel, which is the usual case.
 */
const request = (type: "subscribe" | "unsubscribe", channels: ReadonlyArray<Channel>): ReadonlyArray<Ask> => {
  const wanted = new Map<string | undefined, Array<string>>()
  for (const { channel, product } of channels) {
    const names = wanted.get(product)
    if (names === undefined) wanted.set(product, [channel])
    else if (!names.includes(channel)) names.push(channel)
  }
  const groups = new Map<string, { readonly products: Array<string>; readonly names: ReadonlyArray<string> }>()
  for (const [product, names] of wanted) {
    const key = JSON.stringify([product === undefined, ...[...names].sort()])
    const group = groups.get(key)
    if (group === undefined) groups.set(key, { products: product === undefined ? [] : [product], names })
    else if (product !== undefined) group.products.push(product)
  }
  return Array.from(
    groups.values(),
    ({ names, products }) => ({
      text: JSON.stringify(
        products.length === 0 ? { type, channels: names } : { type, product_ids: products, channels: names }
      ),
      channels: names.flatMap((channel) =>
        products.length === 0 ? [{ channel }] : products.map((product) => ({ channel, product }))
      ),
      requestId: undefined,
      isListed: true
    })
  )
}

/** The channels of several types of messages, or of a type that is not named as they are. */
const typesOf: ReadonlyMap<string, ReadonlyArray<string>> = new Map([
  ["matches", ["match"]],
  ["ticker_batch", ["ticker"]],
  ["level2", ["l2update"]],
  ["level2_batch", ["l2update"]],
  ["level2_50", ["l2update"]],
  ["full", ["received", "open", "done", "match", "change", "activate"]],
  ["user", ["received", "open", "done", "match", "change", "activate"]],
  ["rfq_matches", ["rfq_match"]],
  ["auctionfeed", ["auction"]]
])

const topics = ({ channel, product }: Channel): ReadonlyArray<Topic> =>
  (typesOf.get(channel) ?? [channel]).map((name) => ({ name, product }))

/** The types whose events are theirs alone, a snapshot's being those of the changes that follow. */
const ofTag: Readonly<Partial<Record<MarketEvent["_tag"], Topic>>> = {
  Trade: { name: "match" },
  Ticker: { name: "ticker" },
  BookSnapshot: { name: "l2update" },
  BookDelta: { name: "l2update" }
}

const topicOf = (frame: Frame, events: ReadonlyArray<MarketEvent>): Topic | undefined => {
  const event = events[0]
  if (event?._tag !== "Other" && event?._tag !== "Heartbeat") return event === undefined ? undefined : ofTag[event._tag]
  const json = Topics.objectOf(frame)
  const name = Topics.textIn(json, "type")
  return name === undefined ? undefined : { name, product: Topics.textIn(json, "product_id") }
}

const limitsSource = "https://docs.cdp.coinbase.com/exchange/websocket-feed/rate-limits, read 2026-11-21"

/**
 * Makes the venue anew, with no layout learned. `venue` is one for all to share.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (): Venue => ({
  name,
  title: "Coinbase Exchange",
  endpoint: "wss://ws-feed.exchange.coinbase.com",
  documentation: "https://docs.cdp.coinbase.com/exchange/websocket-feed/overview",
  prices: "string",
  continuity: "none",
  heartbeat: "heartbeat channel per product, 1 s",
  // The heartbeat channel beats per product, for who subscribes to it; every connection answers protocol pings.
  keepAlive: { _tag: "Protocol" },
  limits: "8 connections/s per IP, bursts of 20; 100 messages/s per IP; first subscribe within 5 s",
  rates: [
    { of: "dials", per: "address", limit: 8, windowMillis: 1_000, source: limitsSource },
    { of: "messages", per: "address", limit: 100, windowMillis: 1_000, source: limitsSource }
  ],
  sessionMillis: undefined,
  // `level2` asks for a signed request; `level2_batch` gives the same messages every 50 ms without.
  channels: { trade: "matches", ticker: "ticker", book: "level2_batch" },
  subscribe: (channels) => request("subscribe", channels),
  unsubscribe: (channels) => request("unsubscribe", channels),
  decode: Wire.bounded(name, makeDecode()),
  topics,
  topicOf,
  // The product stands in its words.
  refused: (_, { message = "" }) => Dialect.mentions(message),
  normalise: (product) => Result.succeed(product.toUpperCase()),
  isQuiet: (channel) => /match|^full$|^user$|^auction/.test(channel)
})

/**
 * Coinbase Exchange.
 *
 * @category venues
 * @since 0.1.0
 */
export const venue: Venue = make()
