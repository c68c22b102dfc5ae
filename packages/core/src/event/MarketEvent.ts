/**
 * The events that flow through the house: what a venue's frame says, why a
 * frame was refused, and what happened to the connection in between.
 *
 * In memory a price or size is a `Decimal` and an instant a `Timestamp`; encoded
 * (by the schema or by `toJson`, which agree) every decimal is text in plain
 * notation with the venue's digits, and every instant ISO-8601 text. A member
 * that the venue did not send is absent.
 *
 * Each class can be made in two ways: `new Trade({...})` validates, the
 * lower-case functions (`trade(...)`) trust their caller and are for decoders,
 * which have just validated. The two give equal instances.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { FrameRejected } from "../codec/Rejection.ts"
import * as Decimal from "../value/Decimal.ts"
import { trusted } from "../value/internal/trusted.ts"
import * as Timestamp from "../value/Timestamp.ts"

// ---------------------------------------------------------------------------
// Market data
// ---------------------------------------------------------------------------

/**
 * One level of a book: price, then size, which is absolute.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Level = Schema.Tuple([Decimal.FromText, Decimal.FromText])

/**
 * One level of a book: price, then size, which is absolute.
 *
 * @category models
 * @since 0.1.0
 */
export type Level = readonly [price: Decimal.Decimal, size: Decimal.Decimal]

/**
 * The side of the taker: `"buy"` when the trade lifted an ask.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Side = Schema.Literals(["buy", "sell"])

/**
 * The side of the taker: `"buy"` when the trade lifted an ask.
 *
 * @category models
 * @since 0.1.0
 */
export type Side = typeof Side.Type

/**
 * A trade. `product` is the venue's own symbol as sent, `side` the taker's,
 * whatever the venue's convention, and absent where the venue does not know it.
 * `history` marks a trade that the venue
 * replays in a snapshot.
 *
 * @category models
 * @since 0.1.0
 */
export class Trade extends Schema.TaggedClass<Trade>()("Trade", {
  venue: Schema.String,
  product: Schema.String,
  price: Decimal.FromText,
  size: Decimal.FromText,
  side: Schema.optionalKey(Side),
  tradeId: Schema.optionalKey(Schema.String),
  timestamp: Schema.optionalKey(Timestamp.FromText),
  sequence: Schema.optionalKey(Schema.String),
  history: Schema.optionalKey(Schema.Literal(true))
}) {}

/**
 * A product's last price and best quotes. `price` is absent where the frame is
 * quotes only; `volume` is that of 24 hours in the base currency.
 *
 * @category models
 * @since 0.1.0
 */
export class Ticker extends Schema.TaggedClass<Ticker>()("Ticker", {
  venue: Schema.String,
  product: Schema.String,
  price: Schema.optionalKey(Decimal.FromText),
  bid: Schema.optionalKey(Decimal.FromText),
  bidSize: Schema.optionalKey(Decimal.FromText),
  ask: Schema.optionalKey(Decimal.FromText),
  askSize: Schema.optionalKey(Decimal.FromText),
  volume: Schema.optionalKey(Decimal.FromText),
  timestamp: Schema.optionalKey(Timestamp.FromText),
  sequence: Schema.optionalKey(Schema.String)
}) {}

/**
 * A whole book, or its top. Levels are in the frame's order, repeats kept.
 * `product` is absent only where the venue's frame does not name it.
 *
 * @category models
 * @since 0.1.0
 */
export class BookSnapshot extends Schema.TaggedClass<BookSnapshot>()("BookSnapshot", {
  venue: Schema.String,
  product: Schema.optionalKey(Schema.String),
  bids: Schema.Array(Level),
  asks: Schema.Array(Level),
  timestamp: Schema.optionalKey(Timestamp.FromText),
  sequence: Schema.optionalKey(Schema.String),
  checksum: Schema.optionalKey(Schema.String)
}) {}

/**
 * Changes of a book. Sizes are absolute; a size of zero removes the level.
 *
 * @category models
 * @since 0.1.0
 */
export class BookDelta extends Schema.TaggedClass<BookDelta>()("BookDelta", {
  venue: Schema.String,
  product: Schema.optionalKey(Schema.String),
  bids: Schema.Array(Level),
  asks: Schema.Array(Level),
  timestamp: Schema.optionalKey(Timestamp.FromText),
  firstSequence: Schema.optionalKey(Schema.String),
  sequence: Schema.optionalKey(Schema.String),
  previousSequence: Schema.optionalKey(Schema.String),
  checksum: Schema.optionalKey(Schema.String)
}) {}

/**
 * A bare price without a trade, such as an oracle's.
 *
 * @category models
 * @since 0.1.0
 */
export class PriceUpdate extends Schema.TaggedClass<PriceUpdate>()("PriceUpdate", {
  venue: Schema.String,
  product: Schema.String,
  price: Decimal.FromText,
  timestamp: Schema.optionalKey(Timestamp.FromText)
}) {}

// ---------------------------------------------------------------------------
// What else a frame says
// ---------------------------------------------------------------------------

/**
 * A sign of life, such as `"heartbeat"`, `"testRequest"` or `"pong"`.
 *
 * @category models
 * @since 0.1.0
 */
export class Heartbeat extends Schema.TaggedClass<Heartbeat>()("Heartbeat", {
  venue: Schema.String,
  kind: Schema.String
}) {}

/**
 * The venue confirms a subscription: of one channel and product, of a channel
 * that has no products, or of nothing named.
 *
 * @category models
 * @since 0.1.0
 */
export class Subscribed extends Schema.TaggedClass<Subscribed>()("Subscribed", {
  venue: Schema.String,
  channel: Schema.optionalKey(Schema.String),
  product: Schema.optionalKey(Schema.String),
  requestId: Schema.optionalKey(Schema.String)
}) {}

/**
 * The venue confirms the end of a subscription.
 *
 * @category models
 * @since 0.1.0
 */
export class Unsubscribed extends Schema.TaggedClass<Unsubscribed>()("Unsubscribed", {
  venue: Schema.String,
  channel: Schema.optionalKey(Schema.String),
  product: Schema.optionalKey(Schema.String),
  requestId: Schema.optionalKey(Schema.String)
}) {}

/**
 * The venue reports an error of its own.
 *
 * @category models
 * @since 0.1.0
 */
export class VenueError extends Schema.TaggedClass<VenueError>()("VenueError", {
  venue: Schema.String,
  code: Schema.optionalKey(Schema.String),
  message: Schema.optionalKey(Schema.String),
  requestId: Schema.optionalKey(Schema.String)
}) {}

/**
 * The result of a request that says nothing of what was asked.
 *
 * @category models
 * @since 0.1.0
 */
export class Response extends Schema.TaggedClass<Response>()("Response", {
  venue: Schema.String,
  requestId: Schema.optionalKey(Schema.String),
  result: Schema.optionalKey(Schema.Unknown)
}) {}

/**
 * A well-formed frame of a kind that has no event of its own. No price is taken
 * from it.
 *
 * @category models
 * @since 0.1.0
 */
export class Other extends Schema.TaggedClass<Other>()("Other", {
  venue: Schema.String,
  kind: Schema.String
}) {}

// ---------------------------------------------------------------------------
// What happens to the connection
// ---------------------------------------------------------------------------

/**
 * The connection came into a state. `attempt` counts dials since the last
 * success, `delayMillis` is the wait before the next.
 *
 * @category models
 * @since 0.1.0
 */
export class ConnectionEvent extends Schema.TaggedClass<ConnectionEvent>()("Connection", {
  venue: Schema.String,
  state: Schema.Literals([
    "Connecting",
    "Connected",
    "Reconnecting",
    "CircuitOpen",
    "Closing",
    "Disconnected",
    "Failed"
  ]),
  epoch: Schema.optionalKey(Schema.Finite),
  attempt: Schema.optionalKey(Schema.Finite),
  delayMillis: Schema.optionalKey(Schema.Finite),
  reason: Schema.optionalKey(Schema.String),
  at: Schema.optionalKey(Timestamp.FromText)
}) {}

/**
 * The circuit breaker changed its state.
 *
 * @category models
 * @since 0.1.0
 */
export class BreakerEvent extends Schema.TaggedClass<BreakerEvent>()("Breaker", {
  venue: Schema.String,
  from: Schema.Literals(["Closed", "Open", "HalfOpen"]),
  to: Schema.Literals(["Closed", "Open", "HalfOpen"]),
  openForMillis: Schema.optionalKey(Schema.Finite),
  at: Schema.optionalKey(Timestamp.FromText)
}) {}

/**
 * Data went missing between two points, which are sequence numbers or
 * timestamps. `recovered` says how the hole was closed, where it was; `missing`
 * how many messages it holds, where that is known.
 *
 * @category models
 * @since 0.1.0
 */
export class Gap extends Schema.TaggedClass<Gap>()("Gap", {
  venue: Schema.String,
  product: Schema.optionalKey(Schema.String),
  channel: Schema.optionalKey(Schema.String),
  from: Schema.optionalKey(Schema.String),
  to: Schema.optionalKey(Schema.String),
  cause: Schema.Literals(["disconnect", "sequence", "checksum", "overflow", "stale"]),
  recovered: Schema.optionalKey(Schema.Literals(["snapshot", "backfill", "redundant"])),
  missing: Schema.optionalKey(Schema.Finite)
}) {}

/**
 * A product has been silent for longer than it should.
 *
 * @category models
 * @since 0.1.0
 */
export class Stale extends Schema.TaggedClass<Stale>()("Stale", {
  venue: Schema.String,
  product: Schema.optionalKey(Schema.String),
  channel: Schema.optionalKey(Schema.String),
  silentForMillis: Schema.Finite
}) {}

// ---------------------------------------------------------------------------
// Unions
// ---------------------------------------------------------------------------

/**
 * The five events that carry prices.
 *
 * @category schemas
 * @since 0.1.0
 */
export const MarketData = Schema.Union([Trade, Ticker, BookSnapshot, BookDelta, PriceUpdate])

/**
 * The five events that carry prices.
 *
 * @category models
 * @since 0.1.0
 */
export type MarketData = typeof MarketData.Type

/**
 * Everything that a well-formed frame can give.
 *
 * @category schemas
 * @since 0.1.0
 */
export const MarketEvent = Schema.Union([
  Trade,
  Ticker,
  BookSnapshot,
  BookDelta,
  PriceUpdate,
  Heartbeat,
  Subscribed,
  Unsubscribed,
  VenueError,
  Response,
  Other
])

/**
 * Everything that a well-formed frame can give.
 *
 * @category models
 * @since 0.1.0
 */
export type MarketEvent = typeof MarketEvent.Type

/**
 * What happened to the connection and to the data's continuity.
 *
 * @category schemas
 * @since 0.1.0
 */
export const LifecycleEvent = Schema.Union([ConnectionEvent, BreakerEvent, Gap, Stale])

/**
 * What happened to the connection and to the data's continuity.
 *
 * @category models
 * @since 0.1.0
 */
export type LifecycleEvent = typeof LifecycleEvent.Type

/**
 * Every event that the runner can print.
 *
 * @category schemas
 * @since 0.1.0
 */
export const AnyEvent = Schema.Union([...MarketEvent.members, FrameRejected, ...LifecycleEvent.members])

/**
 * Every event that the runner can print.
 *
 * @category models
 * @since 0.1.0
 */
export type AnyEvent = typeof AnyEvent.Type

/**
 * Returns whether the event carries prices (and counts for `--count`).
 *
 * @category guards
 * @since 0.1.0
 */
export const isMarketData = (event: AnyEvent): event is MarketData => {
  switch (event._tag) {
    case "Trade":
    case "Ticker":
    case "BookSnapshot":
    case "BookDelta":
    case "PriceUpdate":
      return true
    default:
      return false
  }
}

// ---------------------------------------------------------------------------
// Trusted construction
// ---------------------------------------------------------------------------

const TrustedTrade = trusted(Trade.prototype, function(
  venue: string,
  product: string,
  price: Decimal.Decimal,
  size: Decimal.Decimal,
  side: Side | undefined,
  tradeId: string | undefined,
  timestamp: Timestamp.Timestamp | undefined,
  sequence: string | undefined,
  history: boolean
) {
  this._tag = "Trade"
  this.venue = venue
  this.product = product
  this.price = price
  this.size = size
  if (side !== undefined) this.side = side
  if (tradeId !== undefined) this.tradeId = tradeId
  if (timestamp !== undefined) this.timestamp = timestamp
  if (sequence !== undefined) this.sequence = sequence
  if (history) this.history = true
})

/**
 * Makes a trade from members that are known to be valid.
 *
 * @category constructors
 * @since 0.1.0
 */
export const trade = (
  venue: string,
  product: string,
  price: Decimal.Decimal,
  size: Decimal.Decimal,
  side: Side | undefined,
  tradeId: string | undefined,
  timestamp: Timestamp.Timestamp | undefined,
  sequence: string | undefined,
  history: boolean
): Trade => new TrustedTrade(venue, product, price, size, side, tradeId, timestamp, sequence, history)

const TrustedTicker = trusted(Ticker.prototype, function(
  venue: string,
  product: string,
  price: Decimal.Decimal | undefined,
  bid: Decimal.Decimal | undefined,
  bidSize: Decimal.Decimal | undefined,
  ask: Decimal.Decimal | undefined,
  askSize: Decimal.Decimal | undefined,
  volume: Decimal.Decimal | undefined,
  timestamp: Timestamp.Timestamp | undefined,
  sequence: string | undefined
) {
  this._tag = "Ticker"
  this.venue = venue
  this.product = product
  if (price !== undefined) this.price = price
  if (bid !== undefined) this.bid = bid
  if (bidSize !== undefined) this.bidSize = bidSize
  if (ask !== undefined) this.ask = ask
  if (askSize !== undefined) this.askSize = askSize
  if (volume !== undefined) this.volume = volume
  if (timestamp !== undefined) this.timestamp = timestamp
  if (sequence !== undefined) this.sequence = sequence
})

/**
 * Makes a ticker from members that are known to be valid.
 *
 * @category constructors
 * @since 0.1.0
 */
export const ticker = (
  venue: string,
  product: string,
  price: Decimal.Decimal | undefined,
  bid: Decimal.Decimal | undefined,
  bidSize: Decimal.Decimal | undefined,
  ask: Decimal.Decimal | undefined,
  askSize: Decimal.Decimal | undefined,
  volume: Decimal.Decimal | undefined,
  timestamp: Timestamp.Timestamp | undefined,
  sequence: string | undefined
): Ticker => new TrustedTicker(venue, product, price, bid, bidSize, ask, askSize, volume, timestamp, sequence)

const TrustedBookSnapshot = trusted(BookSnapshot.prototype, function(
  venue: string,
  product: string | undefined,
  bids: ReadonlyArray<Level>,
  asks: ReadonlyArray<Level>,
  timestamp: Timestamp.Timestamp | undefined,
  sequence: string | undefined,
  checksum: string | undefined
) {
  this._tag = "BookSnapshot"
  this.venue = venue
  if (product !== undefined) this.product = product
  this.bids = bids
  this.asks = asks
  if (timestamp !== undefined) this.timestamp = timestamp
  if (sequence !== undefined) this.sequence = sequence
  if (checksum !== undefined) this.checksum = checksum
})

/**
 * Makes a snapshot of a book from members that are known to be valid.
 *
 * @category constructors
 * @since 0.1.0
 */
export const bookSnapshot = (
  venue: string,
  product: string | undefined,
  bids: ReadonlyArray<Level>,
  asks: ReadonlyArray<Level>,
  timestamp: Timestamp.Timestamp | undefined,
  sequence: string | undefined,
  checksum: string | undefined
): BookSnapshot => new TrustedBookSnapshot(venue, product, bids, asks, timestamp, sequence, checksum)

const TrustedBookDelta = trusted(BookDelta.prototype, function(
  venue: string,
  product: string | undefined,
  bids: ReadonlyArray<Level>,
  asks: ReadonlyArray<Level>,
  timestamp: Timestamp.Timestamp | undefined,
  firstSequence: string | undefined,
  sequence: string | undefined,
  previousSequence: string | undefined,
  checksum: string | undefined
) {
  this._tag = "BookDelta"
  this.venue = venue
  if (product !== undefined) this.product = product
  this.bids = bids
  this.asks = asks
  if (timestamp !== undefined) this.timestamp = timestamp
  if (firstSequence !== undefined) this.firstSequence = firstSequence
  if (sequence !== undefined) this.sequence = sequence
  if (previousSequence !== undefined) this.previousSequence = previousSequence
  if (checksum !== undefined) this.checksum = checksum
})

/**
 * Makes changes of a book from members that are known to be valid.
 *
 * @category constructors
 * @since 0.1.0
 */
export const bookDelta = (
  venue: string,
  product: string | undefined,
  bids: ReadonlyArray<Level>,
  asks: ReadonlyArray<Level>,
  timestamp: Timestamp.Timestamp | undefined,
  firstSequence: string | undefined,
  sequence: string | undefined,
  previousSequence: string | undefined,
  checksum: string | undefined
): BookDelta =>
  new TrustedBookDelta(venue, product, bids, asks, timestamp, firstSequence, sequence, previousSequence, checksum)

const TrustedPriceUpdate = trusted(PriceUpdate.prototype, function(
  venue: string,
  product: string,
  price: Decimal.Decimal,
  timestamp: Timestamp.Timestamp | undefined
) {
  this._tag = "PriceUpdate"
  this.venue = venue
  this.product = product
  this.price = price
  if (timestamp !== undefined) this.timestamp = timestamp
})

/**
 * Makes a price update from members that are known to be valid.
 *
 * @category constructors
 * @since 0.1.0
 */
export const priceUpdate = (
  venue: string,
  product: string,
  price: Decimal.Decimal,
  timestamp: Timestamp.Timestamp | undefined
): PriceUpdate => new TrustedPriceUpdate(venue, product, price, timestamp)

const trustedKind = <A extends { readonly _tag: Tag; readonly venue: string; readonly kind: string }, Tag>(
  prototype: A,
  tag: A["_tag"]
) =>
  trusted(prototype, function(venue: string, kind: string) {
    this._tag = tag
    this.venue = venue
    this.kind = kind
  })

const TrustedHeartbeat = trustedKind(Heartbeat.prototype, "Heartbeat")
const TrustedOther = trustedKind(Other.prototype, "Other")

/**
 * Makes a sign of life from members that are known to be valid.
 *
 * @category constructors
 * @since 0.1.0
 */
export const heartbeat = (venue: string, kind: string): Heartbeat => new TrustedHeartbeat(venue, kind)

/**
 * Makes an event of a kind of its own from members that are known to be valid.
 *
 * @category constructors
 * @since 0.1.0
 */
export const other = (venue: string, kind: string): Other => new TrustedOther(venue, kind)

const trustedConfirmation = <
  A extends {
    readonly _tag: string
    readonly venue: string
    readonly channel?: string
    readonly product?: string
    readonly requestId?: string
  }
>(prototype: A, tag: A["_tag"]) =>
  trusted(prototype, function(
    venue: string,
    channel: string | undefined,
    product: string | undefined,
    requestId: string | undefined
  ) {
    this._tag = tag
    this.venue = venue
    if (channel !== undefined) this.channel = channel
    if (product !== undefined) this.product = product
    if (requestId !== undefined) this.requestId = requestId
  })

const TrustedSubscribed = trustedConfirmation(Subscribed.prototype, "Subscribed")
const TrustedUnsubscribed = trustedConfirmation(Unsubscribed.prototype, "Unsubscribed")

/**
 * Makes the confirmation of a subscription from members that are known to be
 * valid.
 *
 * @category constructors
 * @since 0.1.0
 */
export const subscribed = (
  venue: string,
  channel: string | undefined,
  product: string | undefined,
  requestId: string | undefined
): Subscribed => new TrustedSubscribed(venue, channel, product, requestId)

/**
 * Makes the confirmation of a subscription's end from members that are known to
 * be valid.
 *
 * @category constructors
 * @since 0.1.0
 */
export const unsubscribed = (
  venue: string,
  channel: string | undefined,
  product: string | undefined,
  requestId: string | undefined
): Unsubscribed => new TrustedUnsubscribed(venue, channel, product, requestId)

// ---------------------------------------------------------------------------
// Text form
// ---------------------------------------------------------------------------

const levels = (side: ReadonlyArray<Level>): string => {
  let out = "["
  for (let i = 0; i < side.length; i++) {
    const level = side[i]
    if (level !== undefined) {
      out += `${i === 0 ? "" : ","}["${Decimal.format(level[0])}","${Decimal.format(level[1])}"]`
    }
  }
  return `${out}]`
}

const text = (key: string, value: string | undefined): string =>
  value === undefined ? "" : `,"${key}":${JSON.stringify(value)}`
const decimal = (key: string, value: Decimal.Decimal | undefined): string =>
  value === undefined ? "" : `,"${key}":"${Decimal.format(value)}"`
const instant = (key: string, value: Timestamp.Timestamp | undefined): string =>
  value === undefined ? "" : `,"${key}":"${Timestamp.format(value)}"`
const number = (key: string, value: number | undefined): string => value === undefined ? "" : `,"${key}":${value}`

const body = (event: AnyEvent): string => {
  switch (event._tag) {
    case "Trade":
      return text("product", event.product) + decimal("price", event.price) + decimal("size", event.size) +
        text("side", event.side) + text("tradeId", event.tradeId) + instant("timestamp", event.timestamp) +
        text("sequence", event.sequence) + (event.history === true ? ",\"history\":true" : "")
    case "Ticker":
      return text("product", event.product) + decimal("price", event.price) + decimal("bid", event.bid) +
        decimal("bidSize", event.bidSize) + decimal("ask", event.ask) + decimal("askSize", event.askSize) +
        decimal("volume", event.volume) + instant("timestamp", event.timestamp) + text("sequence", event.sequence)
    case "BookSnapshot":
      return text("product", event.product) + `,"bids":${levels(event.bids)},"asks":${levels(event.asks)}` +
        instant("timestamp", event.timestamp) + text("sequence", event.sequence) + text("checksum", event.checksum)
    case "BookDelta":
      return text("product", event.product) + `,"bids":${levels(event.bids)},"asks":${levels(event.asks)}` +
        instant("timestamp", event.timestamp) + text("firstSequence", event.firstSequence) +
        text("sequence", event.sequence) + text("previousSequence", event.previousSequence) +
        text("checksum", event.checksum)
    case "PriceUpdate":
      return text("product", event.product) + decimal("price", event.price) + instant("timestamp", event.timestamp)
    case "Heartbeat":
    case "Other":
      return text("kind", event.kind)
    case "Subscribed":
    case "Unsubscribed":
      return text("channel", event.channel) + text("product", event.product) + text("requestId", event.requestId)
    case "VenueError":
      return text("code", event.code) + text("message", event.message) + text("requestId", event.requestId)
    case "Response":
      return text("requestId", event.requestId) +
        (event.result === undefined ? "" : `,"result":${JSON.stringify(event.result)}`)
    case "FrameRejected":
      return text("reason", event.reason) + text("field", event.field) + text("message", event.message)
    case "Connection":
      return text("state", event.state) + number("epoch", event.epoch) + number("attempt", event.attempt) +
        number("delayMillis", event.delayMillis) + text("reason", event.reason) + instant("at", event.at)
    case "Breaker":
      return text("from", event.from) + text("to", event.to) + number("openForMillis", event.openForMillis) +
        instant("at", event.at)
    case "Gap":
      return text("product", event.product) + text("channel", event.channel) + text("from", event.from) +
        text("to", event.to) + text("cause", event.cause) + text("recovered", event.recovered) +
        number("missing", event.missing)
    case "Stale":
      return text("product", event.product) + text("channel", event.channel) +
        number("silentForMillis", event.silentForMillis)
  }
}

/**
 * The event as one line of NDJSON, without the line feed: `_tag`, `venue`, then
 * its members in the order of the interface. Equal to the schema's encoding.
 * `origin` adds where `decode` found it: the input's line, and the envelope's id.
 *
 * @category getters
 * @since 0.1.0
 */
export const toJson = (
  event: AnyEvent,
  origin?: { readonly frame: number; readonly id?: string | undefined } | undefined
): string => {
  const tail = origin === undefined ? "" : number("frame", origin.frame) + text("id", origin.id)
  return `{"_tag":"${event._tag}"${text("venue", event.venue)}${body(event)}${tail}}`
}
