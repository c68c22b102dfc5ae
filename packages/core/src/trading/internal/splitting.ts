/**
 * How an amount is divided among the live books of several exchanges.
 *
 * @since 0.1.0
 */
import * as BigDecimal from "effect/BigDecimal"
import { priceFor } from "../../market/OrderBook.ts"
import * as Decimal from "../../value/Decimal.ts"
import * as Exact from "../../value/internal/exactArithmetic.ts"
import * as Instrument from "../Instrument.ts"
import type { OrderRequest } from "../OrderRequest.ts"
import type { Candidate } from "../RoutingStrategy.ts"

/**
 * An exchange that may take a part, and the rules of what it trades.
 *
 * @category models
 * @since 0.1.0
 */
export interface Place extends Candidate {
  readonly instrument: Instrument.Instrument
}

/**
 * A part of an order: at which exchange, how much, and at which price or better.
 *
 * @category models
 * @since 0.1.0
 */
export interface Part {
  readonly exchange: string
  readonly amount: Decimal.Decimal
  readonly price: Decimal.Decimal
}

const one = BigDecimal.make(1n, 0)

/** What one unit costs a buyer with the fee, or brings a seller. */
const effective = (side: "buy" | "sell", price: Decimal.Decimal, { fees }: Candidate): Decimal.Decimal => {
  const share = fees?.taker ?? Decimal.zero
  return BigDecimal.multiply(price, side === "buy" ? BigDecimal.sum(one, share) : BigDecimal.subtract(one, share))
}

/**
 * The greatest amount that is legal and no more than this, with the digits of the
 * lot, of an order that is worth enough at a price; zero if none is. What only
 * reduces a position may be worth less.
 *
 * @category getters
 * @since 0.1.0
 */
export const legal = (
  instrument: Instrument.Instrument,
  { amount, price, reduceOnly }: Pick<OrderRequest, "amount" | "reduceOnly"> & { readonly price: Decimal.Decimal }
): Decimal.Decimal => {
  const { lot, maximum, minimum = lot } = instrument
  const most = maximum === undefined ? amount : BigDecimal.min(amount, maximum)
  const scale = Math.max(most.scale, lot.scale)
  const whole = BigDecimal.make(Exact.unitsOf(most, scale) / Exact.unitsOf(lot, scale) * lot.value, lot.scale)
  return BigDecimal.isLessThan(whole, minimum) ||
      Instrument.checkValue(instrument, { amount: whole, price, reduceOnly }) !== undefined
    ? Decimal.zero
    : whole
}

/**
 * The parts of an amount, by what is offered at the best prices, fees included;
 * together no more than the amount. What is no legal part of an exchange is
 * offered to the others; of several, of the one that offers least first.
 *
 * @category getters
 * @since 0.1.0
 */
export const partsOf = (
  { amount, price: limit, reduceOnly, side }: Pick<OrderRequest, "amount" | "side" | "reduceOnly"> & {
    readonly price?: Decimal.Decimal | undefined
  },
  places: ReadonlyArray<Place>
): ReadonlyArray<Part> => {
  const worse = (price: Decimal.Decimal, than: Decimal.Decimal): boolean =>
    side === "buy" ? BigDecimal.isGreaterThan(price, than) : BigDecimal.isLessThan(price, than)
  const levels = places.flatMap((place) =>
    ((side === "buy" ? place.book?.asks : place.book?.bids) ?? [])
      .filter(([price]) => limit === undefined || !worse(price, limit))
      .map(([price, size]) => ({ place, price, size, effective: effective(side, price, place) }))
  ).toSorted((first, second) =>
    side === "buy"
      ? BigDecimal.Order(first.effective, second.effective)
      : BigDecimal.Order(second.effective, first.effective)
  )
  const depthOf = (of: Place): Decimal.Decimal =>
    levels.reduce((sum, { place, size }) => place === of ? BigDecimal.sum(sum, size) : sum, Decimal.zero)
  const wanted = new Map<Place, { amount: Decimal.Decimal; price: Decimal.Decimal }>()
  let left = amount
  for (const { place, price, size } of levels) {
    if (left.value === 0n) break
    const taken = BigDecimal.min(size, left)
    if (taken.value <= 0n) continue
    const before = wanted.get(place)?.amount ?? Decimal.zero
    wanted.set(place, { amount: BigDecimal.sum(before, taken), price })
    left = BigDecimal.subtract(left, taken)
  }
  const parts = [...wanted].map(([place, part]) => ({
    place,
    ...part,
    legal: legal(place.instrument, { ...part, reduceOnly })
  }))
  // Who offers more may take it all, deeper in the book.
  const [illegal] = parts.filter((part) => part.legal.value === 0n)
    .toSorted((one, other) => BigDecimal.Order(depthOf(one.place), depthOf(other.place)))
  if (illegal !== undefined) {
    return partsOf({ amount, price: limit, reduceOnly, side }, places.filter((place) => place !== illegal.place))
  }
  // What no whole lots are made of at one exchange may be some at another, if there is so much there.
  let rest = BigDecimal.subtract(amount, parts.reduce((sum, part) => BigDecimal.sum(sum, part.legal), Decimal.zero))
  return parts.map(({ legal: least, place, price }) => {
    const { book } = place
    const more = legal(place.instrument, { amount: BigDecimal.sum(least, rest), price, reduceOnly })
    const taken = book === undefined ? undefined : priceFor(book, side, more)
    const isThere = taken?.worst !== undefined && BigDecimal.equals(taken.size, more) &&
      (limit === undefined || !worse(taken.worst, limit))
    if (!isThere || taken.worst === undefined) return { exchange: place.exchange, amount: least, price }
    rest = BigDecimal.subtract(rest, BigDecimal.subtract(more, least))
    return { exchange: place.exchange, amount: more, price: taken.worst }
  })
}
