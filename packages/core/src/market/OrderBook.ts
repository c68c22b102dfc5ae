/**
 * Order books whose state is part of their type: levels can be had of a book
 * that is `Live` or `Unverified`, and of no other.
 *
 * - `Syncing`: no whole book yet, or again none
 * - `Live`: that nothing is missing is proven by the venue's own method
 * - `Unverified`: the venue gives no way to prove it, or its way does not hold
 * - `Gapped`: something is missing; the book is being asked for anew
 *
 * A book here is a value: what it says does not change. `MarketFeed.book` gives
 * one after another.
 *
 * **Example** (the spread, while there is one)
 *
 * ```ts
 * feed.book("BTC-USD").pipe(
 *   Stream.filter(OrderBook.isWhole),
 *   Stream.runForEach((book) => Console.log(OrderBook.spread(book)))
 * )
 * ```
 *
 * @since 0.1.0
 */
import * as BigDecimal from "effect/BigDecimal"
import { Book } from "../event/Book.ts"
import type { Level } from "../event/MarketData.ts"
import type * as Decimal from "../value/Decimal.ts"
import type { Timestamp } from "../value/Timestamp.ts"

interface Of {
  readonly venue: string
  readonly product: string
  /** The venue's own channel. */
  readonly channel: string
  /**
   * The venue's word for how the product trades, such as `"auction"` or `"cancel_only"`, while it says that this is not
   * continuously: until then the best bid may be above the best ask, and that is no break.
   */
  readonly tradingStatus?: string | undefined
  /** The number of the book's last change, the venue's time of it and its checksum, if it sends them. */
  readonly sequence: string | undefined
  readonly timestamp: Timestamp | undefined
  readonly checksum: string | undefined
}

/**
 * The best levels of each side, best first, at most as many as were asked for;
 * `bidLevels` and `askLevels` count all that there are.
 *
 * @category models
 * @since 0.1.0
 */
export interface Ladder {
  readonly bids: ReadonlyArray<Level>
  readonly asks: ReadonlyArray<Level>
  readonly bidLevels: number
  readonly askLevels: number
}

/**
 * A book that has levels. `provenLevels` is how many of each side, from the best
 * on, the venue's method says something of; `undefined` if of all.
 *
 * @category models
 * @since 0.1.0
 */
export type Whole =
  & Of
  & Ladder
  & (
    | { readonly _tag: "Live"; readonly provenLevels: number | undefined }
    | { readonly _tag: "Unverified"; readonly reason: string }
  )

/**
 * An order book.
 *
 * @category models
 * @since 0.1.0
 */
export type OrderBook =
  | Whole
  | Of & { readonly _tag: "Syncing"; readonly reason: string }
  | Of & {
    readonly _tag: "Gapped"
    readonly cause: "sequence" | "checksum" | "crossed" | "disconnect"
    readonly reason: string
  }

/**
 * Which order book. `depth` is how many of its best levels are told, of each
 * side (10 if nothing else is said); `channel` another of the venue's own
 * channels than its usual one, such as Kraken's `book-100`; `isRaw` asks for the
 * levels as they were sent where a venue's sides may cross (dYdX), and not for the
 * view without what crosses, which is told if nothing else is said.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly depth?: number | undefined
  readonly channel?: string | undefined
  readonly isRaw?: boolean | undefined
}

/**
 * Whether a book has levels.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isWhole = (self: OrderBook): self is Whole => self._tag === "Live" || self._tag === "Unverified"

/**
 * The book as the event that the runner prints.
 *
 * @category encoding
 * @since 0.1.0
 */
export const toEvent = (self: OrderBook): Book => {
  const { checksum, product, sequence, timestamp, tradingStatus, venue } = self
  return new Book({
    venue,
    product,
    state: self._tag,
    bids: isWhole(self) ? self.bids : [],
    asks: isWhole(self) ? self.asks : [],
    ...(sequence === undefined ? {} : { sequence }),
    ...(checksum === undefined ? {} : { checksum }),
    ...(timestamp === undefined ? {} : { timestamp }),
    ...(tradingStatus === undefined ? {} : { tradingStatus }),
    ...(self._tag === "Gapped" ? { cause: self.cause } : {}),
    ...("reason" in self ? { reason: self.reason } : {})
  })
}

const half = BigDecimal.make(5n, 1)

/**
 * The middle between the best prices; `undefined` if a side is empty.
 *
 * @category getters
 * @since 0.1.0
 */
export const mid = ({ asks: [ask], bids: [bid] }: Ladder): Decimal.Decimal | undefined =>
  bid === undefined || ask === undefined ? undefined : BigDecimal.multiply(BigDecimal.sum(bid[0], ask[0]), half)

/**
 * The best ask less the best bid; `undefined` if a side is empty.
 *
 * @category getters
 * @since 0.1.0
 */
export const spread = ({ asks: [ask], bids: [bid] }: Ladder): Decimal.Decimal | undefined =>
  bid === undefined || ask === undefined ? undefined : BigDecimal.subtract(ask[0], bid[0])

// Quotients have no last digit: so many digits after the point are given.
const quotientDigits = 18

const quotient = (dividend: Decimal.Decimal, divisor: Decimal.Decimal): Decimal.Decimal | undefined => {
  const exact = BigDecimal.divide(dividend, divisor)
  return exact._tag === "None" ? undefined : BigDecimal.round(exact.value, { scale: quotientDigits, mode: "half-even" })
}

/**
 * How much more is bid than asked at the best prices, as a share of both: from
 * -1 to 1, with 18 digits after the point. `undefined` if a side is empty.
 *
 * @category getters
 * @since 0.1.0
 */
export const imbalance = ({ asks: [ask], bids: [bid] }: Ladder): Decimal.Decimal | undefined =>
  bid === undefined || ask === undefined
    ? undefined
    : quotient(BigDecimal.subtract(bid[1], ask[1]), BigDecimal.sum(bid[1], ask[1]))

/**
 * The middle between the best prices, each weighted by the size of the other
 * side, with 18 digits after the point. `undefined` if a side is empty.
 *
 * @category getters
 * @since 0.1.0
 */
export const microprice = ({ asks: [ask], bids: [bid] }: Ladder): Decimal.Decimal | undefined =>
  bid === undefined || ask === undefined
    ? undefined
    : quotient(
      BigDecimal.sum(BigDecimal.multiply(bid[0], ask[1]), BigDecimal.multiply(ask[0], bid[1])),
      BigDecimal.sum(bid[1], ask[1])
    )

/**
 * What a taker would get for a size: the size that there is, at most the one
 * asked for; what it costs in the quote currency; and the worst price that is
 * paid, `undefined` if there is nothing.
 *
 * @category models
 * @since 0.1.0
 */
export interface Taking {
  readonly size: Decimal.Decimal
  readonly cost: Decimal.Decimal
  readonly worst: Decimal.Decimal | undefined
}

const nothing = BigDecimal.make(0n, 0)

const take = (
  levels: ReadonlyArray<Level>,
  most: (price: Decimal.Decimal, size: Decimal.Decimal, taken: Decimal.Decimal) => Decimal.Decimal
): Taking => {
  let taking: Taking = { size: nothing, cost: nothing, worst: undefined }
  for (const [price, size] of levels) {
    const part = most(price, size, taking.size)
    if (BigDecimal.isLessThanOrEqualTo(part, nothing)) break
    taking = {
      size: BigDecimal.sum(taking.size, part),
      cost: BigDecimal.sum(taking.cost, BigDecimal.multiply(price, part)),
      worst: price
    }
  }
  return taking
}

/**
 * What a buyer or a seller would get for a size, from the levels that the ladder
 * has: a `size` that is less than asked for says that they are too few.
 *
 * @category getters
 * @since 0.1.0
 */
export const priceFor = (self: Ladder, side: "buy" | "sell", size: Decimal.Decimal): Taking =>
  take(
    side === "buy" ? self.asks : self.bids,
    (_, there, taken) => BigDecimal.min(there, BigDecimal.subtract(size, taken))
  )

/**
 * What there is for a buyer or a seller down to a price, that price included.
 *
 * @category getters
 * @since 0.1.0
 */
export const sizeTo = (self: Ladder, side: "buy" | "sell", price: Decimal.Decimal): Taking =>
  take(
    side === "buy" ? self.asks : self.bids,
    (at, there) =>
      (side === "buy" ? BigDecimal.isLessThanOrEqualTo(at, price) : BigDecimal.isGreaterThanOrEqualTo(at, price))
        ? there
        : nothing
  )
