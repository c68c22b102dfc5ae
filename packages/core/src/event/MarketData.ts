/**
 * The five events that carry prices.
 *
 * In memory a price or size is a `Decimal` and an instant a `Timestamp`; encoded
 * (by the schema or by `Ndjson`, which agree) every decimal is text in plain
 * notation with the venue's digits, and every instant ISO-8601 text. A member
 * that the venue did not send is absent.
 *
 * Two members are not the venue's: `receivedAt`, the wall clock's time at which
 * the frame came in, and `name`, the product's common name, such as `BTC-USD` of
 * Kraken's `BTC/USD`. A feed adds them; a decoder knows no clock and no table.
 *
 * Each class can be made in two ways: `new Trade({...})` validates, the
 * lower-case functions (`trade({...})`) trust their caller, take `undefined` for
 * absent, and are for decoders, which have just validated. The two give equal
 * instances.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as Decimal from "../value/Decimal.ts"
import { type Members, uncheckedConstructor } from "../value/internal/uncheckedConstructor.ts"
import * as Timestamp from "../value/Timestamp.ts"

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

/** What a feed adds to the venue's members. */
const received = {
  receivedAt: Schema.optionalKey(Timestamp.FromText),
  name: Schema.optionalKey(Schema.String)
}

/**
 * A trade. `product` is the venue's own symbol as sent, `side` the taker's,
 * whatever the venue's convention, and absent if the venue does not know it. `history`
 * marks a trade that the venue replays in a snapshot.
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
  history: Schema.optionalKey(Schema.Literal(true)),
  ...received
}) {}

/**
 * A product's last price and best quotes. `price` is absent if the frame is
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
  sequence: Schema.optionalKey(Schema.String),
  ...received
}) {}

/**
 * A whole book, or its top. Levels are in the frame's order, repeats kept.
 * `product` is absent only if the venue's frame does not name it.
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
  checksum: Schema.optionalKey(Schema.String),
  ...received
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
  checksum: Schema.optionalKey(Schema.String),
  ...received
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
  timestamp: Schema.optionalKey(Timestamp.FromText),
  ...received
}) {}

// ---------------------------------------------------------------------------
// Unchecked construction
// ---------------------------------------------------------------------------

/** A trade's members; `history` may be said not to be. */
type TradeMembers = Omit<Members<Trade>, "history"> & { readonly history?: boolean | undefined }

const UncheckedTrade = uncheckedConstructor(Trade.prototype, function(members: TradeMembers) {
  this._tag = "Trade"
  this.venue = members.venue
  this.product = members.product
  this.price = members.price
  this.size = members.size
  if (members.side !== undefined) this.side = members.side
  if (members.tradeId !== undefined) this.tradeId = members.tradeId
  if (members.timestamp !== undefined) this.timestamp = members.timestamp
  if (members.sequence !== undefined) this.sequence = members.sequence
  if (members.history === true) this.history = true
  if (members.receivedAt !== undefined) this.receivedAt = members.receivedAt
  if (members.name !== undefined) this.name = members.name
})

/**
 * Makes a trade from members that are known to be valid.
 *
 * @category constructors
 * @since 0.1.0
 */
export const trade = (members: TradeMembers): Trade => new UncheckedTrade(members)

const UncheckedTicker = uncheckedConstructor(Ticker.prototype, function(members: Members<Ticker>) {
  this._tag = "Ticker"
  this.venue = members.venue
  this.product = members.product
  if (members.price !== undefined) this.price = members.price
  if (members.bid !== undefined) this.bid = members.bid
  if (members.bidSize !== undefined) this.bidSize = members.bidSize
  if (members.ask !== undefined) this.ask = members.ask
  if (members.askSize !== undefined) this.askSize = members.askSize
  if (members.volume !== undefined) this.volume = members.volume
  if (members.timestamp !== undefined) this.timestamp = members.timestamp
  if (members.sequence !== undefined) this.sequence = members.sequence
  if (members.receivedAt !== undefined) this.receivedAt = members.receivedAt
  if (members.name !== undefined) this.name = members.name
})

/**
 * Makes a ticker from members that are known to be valid.
 *
 * @category constructors
 * @since 0.1.0
 */
export const ticker = (members: Members<Ticker>): Ticker => new UncheckedTicker(members)

const UncheckedBookSnapshot = uncheckedConstructor(BookSnapshot.prototype, function(members: Members<BookSnapshot>) {
  this._tag = "BookSnapshot"
  this.venue = members.venue
  if (members.product !== undefined) this.product = members.product
  this.bids = members.bids
  this.asks = members.asks
  if (members.timestamp !== undefined) this.timestamp = members.timestamp
  if (members.sequence !== undefined) this.sequence = members.sequence
  if (members.checksum !== undefined) this.checksum = members.checksum
  if (members.receivedAt !== undefined) this.receivedAt = members.receivedAt
  if (members.name !== undefined) this.name = members.name
})

/**
 * Makes a snapshot of a book from members that are known to be valid.
 *
 * @category constructors
 * @since 0.1.0
 */
export const bookSnapshot = (members: Members<BookSnapshot>): BookSnapshot => new UncheckedBookSnapshot(members)

const UncheckedBookDelta = uncheckedConstructor(BookDelta.prototype, function(members: Members<BookDelta>) {
  this._tag = "BookDelta"
  this.venue = members.venue
  if (members.product !== undefined) this.product = members.product
  this.bids = members.bids
  this.asks = members.asks
  if (members.timestamp !== undefined) this.timestamp = members.timestamp
  if (members.firstSequence !== undefined) this.firstSequence = members.firstSequence
  if (members.sequence !== undefined) this.sequence = members.sequence
  if (members.previousSequence !== undefined) this.previousSequence = members.previousSequence
  if (members.checksum !== undefined) this.checksum = members.checksum
  if (members.receivedAt !== undefined) this.receivedAt = members.receivedAt
  if (members.name !== undefined) this.name = members.name
})

/**
 * Makes changes of a book from members that are known to be valid.
 *
 * @category constructors
 * @since 0.1.0
 */
export const bookDelta = (members: Members<BookDelta>): BookDelta => new UncheckedBookDelta(members)

const UncheckedPriceUpdate = uncheckedConstructor(PriceUpdate.prototype, function(members: Members<PriceUpdate>) {
  this._tag = "PriceUpdate"
  this.venue = members.venue
  this.product = members.product
  this.price = members.price
  if (members.timestamp !== undefined) this.timestamp = members.timestamp
  if (members.receivedAt !== undefined) this.receivedAt = members.receivedAt
  if (members.name !== undefined) this.name = members.name
})

/**
 * Makes a price update from members that are known to be valid.
 *
 * @category constructors
 * @since 0.1.0
 */
export const priceUpdate = (members: Members<PriceUpdate>): PriceUpdate => new UncheckedPriceUpdate(members)
