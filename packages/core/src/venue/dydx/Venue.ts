/**
 * dYdX v4, the WebSocket feed of its indexer.
 *
 * Prices and sizes are JSON strings. `message_id` counts the messages of a
 * connection, over all its channels, and is the sequence of trades and books.
 * Book rows are `[price, size]` in updates and `{price, size}` in the snapshot;
 * sizes are absolute. `side` is the taker's.
 *
 * Message shapes: https://docs.dydx.xyz/indexer-client/websockets and, to the
 * letter, the indexer's own source,
 * https://github.com/dydxprotocol/v4-chain/tree/main/indexer/services/socks (both read 2026-11-21).
 *
 * @see https://docs.dydx.xyz/indexer-client/websockets
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as ExactJson from "../../codec/ExactJson.ts"
import * as Scanner from "../../codec/internal/scanner.ts"
import * as Topics from "../../codec/internal/topics.ts"
import * as Rejection from "../../codec/Rejection.ts"
import { type FrameRejected, isFrameRejected } from "../../codec/Rejection.ts"
import { bookDelta, bookSnapshot, type Level, priceUpdate, trade } from "../../event/MarketData.ts"
import type { MarketEvent } from "../../event/MarketEvent.ts"
import { heartbeat, other, subscribed, unsubscribed, VenueError } from "../../event/VenueMessage.ts"
import type { Frame } from "../../transport/Frame.ts"
import type { Channel } from "../../value/Channel.ts"
import * as Decimal from "../../value/Decimal.ts"
import * as Timestamp from "../../value/Timestamp.ts"
import * as Wire from "../internal/wire.ts"
import type { Ask, Decode, Topic, Venue } from "../Venue.ts"

const name = "dydx"

type Events = ReadonlyArray<MarketEvent>

/** What an element of a frame's contents is read with: where it stands, and what the frame says of all of them. */
interface Place {
  readonly at: ReadonlyArray<PropertyKey>
  readonly product: string | undefined
  readonly sequence: string | undefined
  /** Whether the contents are those of a `subscribed`: the state so far. */
  readonly isSnapshot: boolean
}

/** Reads one element: no event where it holds nothing of its channel. */
type ReadContents = (contents: ExactJson.JsonObject, place: Place) => Events | FrameRejected

const none: Events = []

/** The taker's side. */
const sides = { BUY: "buy", SELL: "sell" } as const

// --- v4_trades ---------------------------------------------------------------

const readTrade = Wire.reader({
  id: Wire.optional(Wire.Id),
  side: Schema.Literals(["BUY", "SELL"]),
  size: Decimal.FromText,
  price: Decimal.FromText,
  createdAt: Wire.optional(Timestamp.FromIso)
})

const trades: ReadContents = (contents, { at, isSnapshot, product, sequence }) => {
  const rows = contents["trades"] ?? []
  const path = [...at, "trades"]
  if (!Array.isArray(rows)) return Rejection.unexpected(name, path, "an array", rows)
  const events: Array<MarketEvent> = []
  for (let index = 0; index < rows.length; index++) {
    const row: ExactJson.Json | undefined = rows[index]
    if (row === undefined || !ExactJson.isObject(row)) {
      return Rejection.unexpected(name, [...path, index], "an object", row)
    }
    const it = readTrade(name, row, [...path, index])
    if (isFrameRejected(it)) return it
    if (product === undefined) return Rejection.unexpected(name, ["id"], "a market", undefined)
    const timestamp = Wire.present(it.createdAt)
    events.push(
      trade({
        venue: name,
        product,
        price: it.price,
        size: it.size,
        side: sides[it.side],
        tradeId: Wire.present(it.id),
        timestamp,
        sequence,
        history: isSnapshot
      })
    )
  }
  return events
}

// --- v4_orderbook ------------------------------------------------------------

/** Rows that are `[price, size]` or `{price, size}`; an offset may follow. */
const Rows = Wire.rows<ReadonlyArray<Level>>((rows) => Wire.levelsOf(rows, "price", "size"))

const readRows = Wire.reader({ bids: Wire.optional(Rows), asks: Wire.optional(Rows) })

/** The rows of one side, `null` where they are not what they should be: a batch may hold a hundred thousand of them. */
const plainRows = (rows: ExactJson.Json | undefined): ReadonlyArray<Level> | undefined | null => {
  if (rows === undefined || rows === null) return undefined
  const levels = Array.isArray(rows) ? Wire.levelsOf(rows, "price", "size") : null
  return levels instanceof Wire.BadCell ? null : levels
}

const orderbook: ReadContents = (contents, { at, isSnapshot, product, sequence }) => {
  let bids = plainRows(contents["bids"])
  let asks = plainRows(contents["asks"])
  if (bids === null || asks === null) {
    const it = readRows(name, contents, at)
    if (isFrameRejected(it)) return it
    bids = Wire.present(it.bids)
    asks = Wire.present(it.asks)
  }
  if (bids === undefined && asks === undefined) return none
  return [
    isSnapshot
      ? bookSnapshot({ venue: name, product, bids: bids ?? [], asks: asks ?? [], sequence })
      : bookDelta({ venue: name, product, bids: bids ?? [], asks: asks ?? [], sequence })
  ]
}

// --- v4_markets --------------------------------------------------------------

const readMarket = Wire.reader({
  oraclePrice: Wire.optional(Decimal.FromText),
  effectiveAt: Wire.optional(Timestamp.FromIso)
})

/** `markets` in the state so far, `oraclePrices` in updates; `trading` has no price. */
const markets: ReadContents = (contents, { at }) => {
  const events: Array<MarketEvent> = []
  for (const [member, group] of ExactJson.entries(contents)) {
    if ((member !== "markets" && member !== "oraclePrices") || group === null) continue
    if (!ExactJson.isObject(group)) return Rejection.unexpected(name, [...at, member], "an object", group)
    for (const [product, market] of ExactJson.entries(group)) {
      const path = [...at, member, product]
      if (!ExactJson.isObject(market)) return Rejection.unexpected(name, path, "an object", market)
      const it = readMarket(name, market, path)
      if (isFrameRejected(it)) return it
      // A market has no oracle price before its first.
      const price = Wire.present(it.oraclePrice)
      if (price !== undefined) {
        events.push(priceUpdate({ venue: name, product, price, timestamp: Wire.present(it.effectiveAt) }))
      }
    }
  }
  return events
}

/** The channels whose contents have events. */
const channels: ReadonlyMap<string, ReadContents> = new Map([
  ["v4_trades", trades],
  ["v4_orderbook", orderbook],
  ["v4_markets", markets]
])

// --- frames ------------------------------------------------------------------

const readHead = Wire.reader({
  channel: Schema.NonEmptyString,
  id: Wire.optional(Wire.Id),
  message_id: Wire.optional(Wire.Id)
})

interface Head {
  readonly channel: string
  readonly product: string | undefined
  readonly sequence: string | undefined
}

const head = (frame: ExactJson.JsonObject): Head | FrameRejected => {
  const it = readHead(name, frame)
  if (isFrameRejected(it)) return it
  const id = Wire.present(it.id)
  // The channels of all markets are subscribed to by their own name for an id.
  return { channel: it.channel, product: id === it.channel ? undefined : id, sequence: Wire.present(it.message_id) }
}

const readContents = (
  contents: ExactJson.Json | undefined,
  { channel, product, sequence }: Head,
  at: ReadonlyArray<PropertyKey>,
  isSnapshot: boolean
): Events | FrameRejected => {
  const read = channels.get(channel)
  if (read === undefined) return none
  if (contents === undefined || !ExactJson.isObject(contents)) {
    return Rejection.unexpected(name, at, "an object", contents)
  }
  return read(contents, { at, product, sequence, isSnapshot })
}

/** The confirmation, then the state so far. */
const subscription = (frame: ExactJson.JsonObject): Events | FrameRejected => {
  const it = head(frame)
  if (isFrameRejected(it)) return it
  const confirmation = subscribed({ venue: name, channel: it.channel, product: it.product })
  if ((frame["contents"] ?? null) === null) return [confirmation]
  const events = readContents(frame["contents"], it, ["contents"], true)
  return isFrameRejected(events) ? events : [confirmation, ...events]
}

const unsubscription = (frame: ExactJson.JsonObject): Events | FrameRejected => {
  const it = head(frame)
  return isFrameRejected(it) ? it : [unsubscribed({ venue: name, channel: it.channel, product: it.product })]
}

const update = (frame: ExactJson.JsonObject): Events | FrameRejected => {
  const it = head(frame)
  if (isFrameRejected(it)) return it
  const events = readContents(frame["contents"], it, ["contents"], false)
  return isFrameRejected(events) || events.length > 0 ? events : [other({ venue: name, kind: it.channel })]
}

/** `contents` lists what single updates would have held, oldest first. */
const batch = (frame: ExactJson.JsonObject): Events | FrameRejected => {
  const it = head(frame)
  if (isFrameRejected(it)) return it
  const { contents } = frame
  if (!Array.isArray(contents)) return Rejection.unexpected(name, ["contents"], "an array", contents)
  const all: Array<MarketEvent> = []
  for (let index = 0; index < contents.length; index++) {
    const events = readContents(contents[index], it, ["contents", index], false)
    if (isFrameRejected(events)) return events
    if (events.length === 0) all.push(other({ venue: name, kind: it.channel }))
    for (const event of events) all.push(event)
  }
  return all.length === 0 ? [other({ venue: name, kind: it.channel })] : all
}

const readError = Wire.reader({ message: Wire.optional(Schema.String) })

const readRefusal = Wire.reader({
  type: Schema.Literal("error"),
  message: Wire.optional(Schema.String),
  channel: Wire.optional(Schema.NonEmptyString),
  id: Wire.optional(Schema.NonEmptyString)
})

/** The indexer's own form: `(v4_trades-BTC-USD)`. */
const subscriptionForm = /\((v4_\w+)-(.+)\)/

/** A limit on a channel is told without the id: `Per-connection subscription limit reached for v4_trades`. */
const channelForm = /\bfor (v4_\w+)/

/** Some errors have a channel and an id, others name both in parentheses. */
const refused = (frame: Frame): Partial<Channel> | undefined => {
  const json = Topics.objectOf(frame)
  if (json === undefined) return undefined
  const it = readRefusal(name, json)
  if (isFrameRejected(it)) return undefined
  const message = it.message ?? ""
  const [, channel = it.channel ?? channelForm.exec(message)?.[1], product = it.id] = subscriptionForm.exec(message) ??
    []
  if (!channel) return undefined
  return product && product !== channel ? { channel, product } : { channel }
}

/** What is wrong stands in words; neither a code nor the request is named. */
const error = (frame: ExactJson.JsonObject): Events | FrameRejected => {
  const it = readError(name, frame)
  if (isFrameRejected(it)) return it
  return [new VenueError(it.message ? { venue: name, message: it.message } : { venue: name })]
}

const kinds: ReadonlyMap<string, (frame: ExactJson.JsonObject) => Events | FrameRejected> = new Map([
  ["subscribed", subscription],
  ["unsubscribed", unsubscription],
  ["channel_data", update],
  ["channel_batch_data", batch],
  ["error", error],
  // Answers `{"type":"ping"}`; the indexer of today no longer sends it.
  ["pong", () => [heartbeat({ venue: name, kind: "pong" })]]
])

// --- the fast way ------------------------------------------------------------

const quote = 34
const comma = 44
const opening = 91
const closing = 93
const end = 125

/** Rows of `["price","size"]`, their brackets included. */
const scanRows = (scanner: Scanner.Scanner): Array<Level> | undefined => {
  const levels: Array<Level> = []
  if (!scanner.code(opening)) return undefined
  if (scanner.code(closing)) return levels
  do {
    if (!scanner.code(opening)) return undefined
    const price = scanner.decimal()
    if (price === undefined || !scanner.code(comma)) return undefined
    const size = scanner.decimal()
    if (size === undefined || !scanner.code(closing)) return undefined
    levels.push([price, size])
  } while (scanner.code(comma))
  return scanner.code(closing) ? levels : undefined
}

type ScanContents = (scanner: Scanner.Scanner, product: string, sequence: string, events: Array<MarketEvent>) => boolean

/** `{"bids":[…],"asks":[…]}`, either or both, in either order. */
const scanOrderbook: ScanContents = (scanner, product, sequence, events) => {
  let bids: Array<Level> | undefined
  let asks: Array<Level> | undefined
  if (!scanner.word("{\"")) return false
  do {
    if (scanner.word("bids\":")) {
      bids = scanRows(scanner)
      if (bids === undefined) return false
    } else if (scanner.word("asks\":")) {
      asks = scanRows(scanner)
      if (asks === undefined) return false
    } else {
      return false
    }
  } while (scanner.word(",\""))
  if (!scanner.code(end)) return false
  events.push(
    bookDelta({ venue: name, product, bids: bids ?? [], asks: asks ?? [], sequence })
  )
  return true
}

/** One trade: members whose values are all strings, in any order. */
const scanTrade = (scanner: Scanner.Scanner, product: string, sequence: string): MarketEvent | undefined => {
  let id: string | undefined
  let price: Decimal.Decimal | undefined
  let size: Decimal.Decimal | undefined
  let side: "buy" | "sell" | undefined
  let createdAt: Timestamp.Timestamp | undefined
  if (!scanner.code(123)) return undefined
  do {
    if (scanner.word("\"id\":")) {
      if (!scanner.string() || scanner.from === scanner.to) return undefined
      id = scanner.slice()
    } else if (scanner.word("\"price\":")) {
      price = scanner.decimal()
      if (price === undefined) return undefined
    } else if (scanner.word("\"size\":")) {
      size = scanner.decimal()
      if (size === undefined) return undefined
    } else if (scanner.word("\"side\":")) {
      if (!scanner.string()) return undefined
      side = scanner.is("BUY") ? "buy" : scanner.is("SELL") ? "sell" : undefined
      if (side === undefined) return undefined
    } else if (scanner.word("\"createdAt\":")) {
      if (!scanner.string()) return undefined
      createdAt = Timestamp.fromIso(scanner.slice())
      if (createdAt === undefined) return undefined
    } else if (!scanner.string() || !scanner.word(":") || !scanner.string()) {
      return undefined
    }
  } while (scanner.code(comma))
  if (!scanner.code(end) || price === undefined || size === undefined || side === undefined) return undefined
  return trade({ venue: name, product, price, size, side, tradeId: id, timestamp: createdAt, sequence })
}

/** `{"trades":[…]}`. */
const scanTrades: ScanContents = (scanner, product, sequence, events) => {
  if (!scanner.word("{\"trades\":[")) return false
  do {
    const event = scanTrade(scanner, product, sequence)
    if (event === undefined) return false
    events.push(event)
  } while (scanner.code(comma))
  return scanner.word("]}")
}

/** Reads an update of trades or of a book as the indexer writes it; `undefined` where the exact way must. */
const scan = (scanner: Scanner.Scanner, frame: string): Events | undefined => {
  scanner.begin(frame)
  if (!scanner.word("{\"type\":\"channel_")) return undefined
  const isBatch = scanner.word("batch_data")
  if (!isBatch && !scanner.word("data")) return undefined
  if (!scanner.word("\",\"connection_id\":") || !scanner.string() || !scanner.word(",\"message_id\":")) return undefined
  if (scanner.integer() === undefined) return undefined
  const sequence = scanner.slice()
  if (!scanner.word(",\"id\":") || !scanner.string() || scanner.from === scanner.to) return undefined
  const product = scanner.slice()
  if (!scanner.word(",\"channel\":\"v4_")) return undefined
  const scanContents = scanner.word("orderbook") ? scanOrderbook : scanner.word("trades") ? scanTrades : undefined
  if (scanContents === undefined || !scanner.code(quote)) return undefined
  if (!scanner.word(",\"version\":") || !scanner.string() || !scanner.word(",\"contents\":")) return undefined
  const events: Array<MarketEvent> = []
  if (isBatch) {
    if (!scanner.code(opening)) return undefined
    do {
      if (!scanContents(scanner, product, sequence, events)) return undefined
    } while (scanner.code(comma))
    if (!scanner.code(closing)) return undefined
  } else if (!scanContents(scanner, product, sequence, events)) {
    return undefined
  }
  return scanner.code(end) && scanner.isAtEnd() ? events : undefined
}

const makeDecode = (): Decode => {
  const scanner = Scanner.make()
  return (frame) => {
    if (typeof frame !== "string") return Rejection.binary(name, frame)
    const known = scan(scanner, frame)
    if (known !== undefined) return known
    const json = ExactJson.parse(frame)
    if (json instanceof ExactJson.Malformed) return Rejection.malformed(name, frame, json)
    if (!ExactJson.isObject(json)) return Rejection.notAnObject(name, json)
    if (!Object.hasOwn(json, "type")) return Rejection.unknownMessage(name, "type")
    const { type } = json
    if (typeof type !== "string" || type === "") {
      return Rejection.unexpected(name, ["type"], "a non-empty string", type)
    }
    const read = kinds.get(type)
    return read === undefined ? [other({ venue: name, kind: type })] : read(json)
  }
}

// --- subscribing -------------------------------------------------------------

/** The channels whose events are theirs alone. */
const ofTag: Readonly<Partial<Record<MarketEvent["_tag"], Topic>>> = {
  Trade: { name: "v4_trades" },
  BookSnapshot: { name: "v4_orderbook" },
  BookDelta: { name: "v4_orderbook" },
  PriceUpdate: { name: "v4_markets" }
}

/** Whether the state that a confirmation comes with holds anything. */
const isState = (contents: ExactJson.Json | undefined): boolean =>
  contents !== undefined && ExactJson.isObject(contents) &&
  Object.values(contents).some((value) => typeof value === "object" && value !== null && Object.keys(value).length > 0)

const topicOf = (frame: Frame, events: ReadonlyArray<MarketEvent>): Topic | undefined => {
  const last = events.at(-1)
  if (last?._tag !== "Other" && last?._tag !== "Subscribed") return last === undefined ? undefined : ofTag[last._tag]
  const json = Topics.objectOf(frame)
  if (json === undefined) return undefined
  const it = head(json)
  if (isFrameRejected(it)) return undefined
  return last._tag === "Other" || isState(json["contents"]) ? { name: it.channel, product: it.product } : undefined
}

/** The channels that are of all markets at once, and take no id. */
const ofAllMarkets = new Set(["v4_markets", "v4_block_height"])

/** One frame a subscription; a channel of all markets is asked for once, even where products of it are named. */
const request = (
  message: (channel: string, id: string | undefined) => object,
  channels: ReadonlyArray<Channel>
): ReadonlyArray<Ask> => {
  const asks = new Map<string, Array<Channel>>()
  for (const wanted of channels) {
    const text = JSON.stringify(message(wanted.channel, ofAllMarkets.has(wanted.channel) ? undefined : wanted.product))
    const same = asks.get(text)
    if (same === undefined) asks.set(text, [wanted])
    else same.push(wanted)
  }
  return Array.from(asks, ([text, channels]) => ({ text, channels, requestId: undefined }))
}

/**
 * What a user may choose. `batched`: whether updates come collected, every 250
 * ms, as `channel_batch_data` (the default), or each by itself as it happens.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly batched?: boolean | undefined
}

/**
 * Makes the venue, with updates batched or not.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = ({ batched = true }: Options = {}): Venue => ({
  name,
  title: "dYdX v4",
  // https://docs.dydx.xyz/indexer-client/websockets (read 2026-11-21)
  endpoint: "wss://indexer.dydx.trade/v4/ws",
  documentation: "https://docs.dydx.xyz/indexer-client/websockets",
  prices: "string",
  continuity: "sequence",
  // https://docs.dydx.exchange/api_integration-indexer/indexer_websocket#maintaining-a-connection (read 2026-11-21)
  heartbeat: "protocol ping from the server every 30 s, a pong due within 10 s",
  keepAlive: { _tag: "Protocol" },
  // https://docs.dydx.exchange/api_integration-indexer/indexer_websocket#rate-limiting; the 32 are the defaults of
  // indexer/services/socks/src/config.ts of dydxprotocol/v4-chain (both read 2026-11-21).
  limits: "per connection: 32 subscriptions a channel, 2 subscribes a second of the same, 2 invalid messages a second",
  // Each is counted per channel and id, or is of messages that are not sent at all: none is a limit on a connection.
  rates: [],
  sessionMillis: undefined,
  // There is no ticker: an oracle's price of every market is what comes closest.
  channels: { trade: "v4_trades", ticker: "v4_markets", book: "v4_orderbook" },
  wholeChannels: ofAllMarkets,
  subscribe: (channels) =>
    request((channel, id) => ({
      type: "subscribe",
      channel,
      ...(id === undefined ? {} : { id }),
      ...(batched ? { batched } : {})
    }), channels),
  // One product of a channel of all markets cannot be given up: the others may still be wanted.
  unsubscribe: (channels) =>
    request(
      (channel, id) => ({ type: "unsubscribe", channel, ...(id === undefined ? {} : { id }) }),
      channels.filter(({ channel, product }) => product === undefined || !ofAllMarkets.has(channel))
    ),
  decode: Wire.bounded(name, makeDecode()),
  topics: ({ channel, product }) => [{ name: channel, product }],
  topicOf,
  isQuiet: (channel) => channel === "v4_trades" || channel === "v4_candles" || channel.includes("subaccounts"),
  refused
})

/**
 * dYdX v4, with batched updates.
 *
 * @category venues
 * @since 0.1.0
 */
export const venue: Venue = make()
