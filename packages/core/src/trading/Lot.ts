/**
 * What one order has entered, as a value: how much of it is open, what that has
 * cost, where it stops, and what was gained of what is closed.
 *
 * Prices and amounts are exact; times are milliseconds since 1970.
 *
 * @since 0.1.0
 */
import * as BigDecimal from "effect/BigDecimal"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as Decimal from "../value/Decimal.ts"
import * as Exact from "../value/internal/exactArithmetic.ts"
import * as Printable from "../value/Printable.ts"
import * as Exposure from "./internal/exposure.ts"
import type { Fill } from "./OrderEvent.ts"

/**
 * What one order has entered, under its client id. `product` is the name under
 * which it was admitted, `symbol` the exchange's. `amount` and `cost` are of what
 * is still open, `entryPrice` is the average (rounded to eight digits more than
 * the prices have); `entered` is all that was ever entered. `realized` and `fees`
 * are in the portfolio's currency. A fee that was taken in what was bought is in
 * none of them: `amount` is so much less, at the same cost.
 *
 * @category models
 * @since 0.1.0
 */
export interface Lot {
  readonly id: string
  readonly exchange: string
  readonly product: string
  readonly symbol: string
  readonly direction: "long" | "short"
  readonly amount: Decimal.Decimal
  readonly cost: Decimal.Decimal
  readonly entryPrice: Decimal.Decimal
  readonly stop: Decimal.Decimal | undefined
  readonly target: Decimal.Decimal | undefined
  readonly openedAt: number
  readonly entered: Decimal.Decimal
  readonly realized: Decimal.Decimal
  readonly fees: Decimal.Decimal
  readonly tradeIds: ReadonlyArray<string>
}

/**
 * A lot of which nothing is open any more. What it gained is `realized` less `fees`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Closed extends Omit<Lot, "amount" | "cost" | "stop" | "target"> {
  readonly closedAt: number
}

/**
 * A fill that belongs to no lot in such a way: `reason` says why. Nothing has
 * changed; what the portfolio says is not what the exchange has.
 *
 * @category errors
 * @since 0.1.0
 */
export class Unbookable extends Schema.TaggedError<Unbookable>()("Unbookable", {
  id: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return Printable.escape(`a fill of lot ${this.id} cannot be booked: ${this.reason}`)
  }
}

const refuse = (id: string, reason: string): Result.Result<never, Unbookable> =>
  Result.fail(new Unbookable({ id, reason }))

const signed = (isIn: boolean, of: Decimal.Decimal): Decimal.Decimal => isIn ? of : BigDecimal.negate(of)

// What no fill of a lot can be, whether it enters or leaves it.
const illegal = (lot: Lot, { amount, exchange, price, product }: Fill): string | undefined => {
  if (!Decimal.isPositive(amount) || !Decimal.isPositive(price)) {
    return `${Decimal.format(amount)} at ${Decimal.format(price)}`
  }
  return lot.exchange === exchange && lot.symbol === product
    ? undefined
    : `it is of ${product} at ${exchange}, the lot of ${lot.symbol} at ${lot.exchange}`
}

// What has come of what was bought: of spot a fee may be taken in it.
const received = ({ amount, fee = Decimal.zero, feeAsset, side }: Fill, base: string | undefined): Decimal.Decimal =>
  side === "buy" && base !== undefined && feeAsset === base ? BigDecimal.subtract(amount, fee) : amount

const feeIn = (quote: string, { fee = Decimal.zero, feeAsset = quote }: Fill): Decimal.Decimal =>
  feeAsset === quote ? fee : Decimal.zero

const away = (price: Decimal.Decimal, share: Decimal.Decimal | undefined, isAbove: boolean) =>
  share && BigDecimal.multiply(price, BigDecimal.sum(BigDecimal.make(1n, 0), signed(isAbove, share)))

/**
 * How a lot is entered: its id, its product's name and the time, where it begins;
 * the currency that counts, the asset that is bought if it is spot, and how far
 * its stop and its target are from the average, as a share of it.
 */
interface Entering extends Pick<Lot, "id" | "product"> {
  readonly at: number
  readonly quote: string
  readonly base?: string | undefined
  readonly stop: Decimal.Decimal | undefined
  readonly target: Decimal.Decimal | undefined
}

const begin = ({ at, id, product }: Entering, { exchange, price, product: symbol, side }: Fill): Lot => ({
  id,
  exchange,
  product,
  symbol,
  direction: side === "buy" ? "long" : "short",
  amount: Decimal.zero,
  cost: Decimal.zero,
  entryPrice: price,
  stop: undefined,
  target: undefined,
  openedAt: at,
  entered: Decimal.zero,
  realized: Decimal.zero,
  fees: Decimal.zero,
  tradeIds: []
})

/**
 * The lot after a fill of the order that enters it; `undefined` begins one, which
 * is long if the fill bought, and short if it sold.
 *
 * @category combinators
 * @since 0.1.0
 */
export const enter = (
  self: Lot | undefined,
  fill: Fill,
  terms: Entering
): Result.Result<Lot, Unbookable> => {
  const lot = self ?? begin(terms, fill)
  const isLong = lot.direction === "long"
  const reason = illegal(lot, fill) ??
    (isLong === (fill.side === "buy") ? undefined : `a ${fill.side} does not enter a ${lot.direction}`)
  if (reason !== undefined) return refuse(lot.id, reason)
  const came = received(fill, terms.base)
  if (!Decimal.isPositive(came)) return refuse(lot.id, `its fee is all of ${Decimal.format(fill.amount)}`)
  const amount = BigDecimal.sum(lot.amount, came)
  const cost = BigDecimal.sum(lot.cost, BigDecimal.multiply(fill.amount, fill.price))
  const entered = BigDecimal.sum(lot.entered, fill.amount)
  const entryPrice = Exact.quotient(cost, amount, Math.max(0, cost.scale - entered.scale))
  return Result.succeed({
    ...lot,
    amount,
    cost,
    entryPrice,
    stop: away(entryPrice, terms.stop, !isLong),
    target: away(entryPrice, terms.target, isLong),
    entered,
    fees: BigDecimal.sum(lot.fees, feeIn(terms.quote, fill)),
    tradeIds: [...lot.tradeIds, fill.tradeId]
  })
}

/**
 * The lot after a fill that closes it or a part of it, at that part's share of the
 * cost. It is closed if nothing is left of its amount. The stop and the target
 * stay.
 *
 * @category combinators
 * @since 0.1.0
 */
export const exit = (self: Lot, fill: Fill, quote: string): Result.Result<Lot, Unbookable> => {
  const { direction, id } = self
  const { price, side } = fill
  const isLong = direction === "long"
  const reason = illegal(self, fill) ??
    (isLong === (side === "sell") ? undefined : `a ${side} does not close a ${direction}`) ??
    (BigDecimal.isGreaterThan(fill.amount, self.amount)
      ? `${Decimal.format(fill.amount)} of ${Decimal.format(self.amount)}`
      : undefined)
  if (reason !== undefined) return refuse(id, reason)
  // A part of the cost is rounded to its digits: they are no fewer than those of what is traded.
  const fine = BigDecimal.scale(self.cost, Math.max(self.cost.scale, fill.amount.scale + price.scale))
  // As accounts have it: what goes out is below zero.
  const { amount, cost, realized } = Exposure.trade(
    { amount: signed(isLong, self.amount), cost: signed(isLong, fine), realized: self.realized },
    signed(!isLong, fill.amount),
    signed(!isLong, BigDecimal.multiply(fill.amount, price))
  )
  return Result.succeed({
    ...self,
    amount: BigDecimal.abs(amount),
    cost: BigDecimal.abs(cost),
    realized,
    fees: BigDecimal.sum(self.fees, feeIn(quote, fill)),
    tradeIds: [...self.tradeIds, fill.tradeId]
  })
}

/**
 * The lot with nothing left, whose cost is lost: what is left of it nobody trades.
 *
 * @category combinators
 * @since 0.1.0
 */
export const writeOff = (self: Lot): Lot => ({
  ...self,
  amount: Decimal.zero,
  cost: Decimal.zero,
  realized: BigDecimal.subtract(self.realized, self.cost)
})

/**
 * What a lot would gain if it was closed at a price, without fees.
 *
 * @category getters
 * @since 0.1.0
 */
export const unrealized = ({ amount, cost, direction }: Lot, price: Decimal.Decimal): Decimal.Decimal => {
  const gained = BigDecimal.subtract(BigDecimal.multiply(amount, price), cost)
  return signed(direction === "long", gained)
}

/**
 * What a lot is worth at a price: what was set aside for it, and what it has
 * gained.
 *
 * @category getters
 * @since 0.1.0
 */
export const value = (self: Lot, price: Decimal.Decimal): Decimal.Decimal =>
  BigDecimal.sum(self.cost, unrealized(self, price))

/**
 * Which of a lot's stop and target a price reaches; the stop if both.
 *
 * @category getters
 * @since 0.1.0
 */
export const reached = ({ direction, stop, target }: Lot, price: Decimal.Decimal): "stop" | "target" | undefined => {
  const isAtMost = (limit: Decimal.Decimal | undefined) => limit && BigDecimal.isLessThanOrEqualTo(price, limit)
  const isAtLeast = (limit: Decimal.Decimal | undefined) => limit && BigDecimal.isGreaterThanOrEqualTo(price, limit)
  const [isStopped, isThere] = direction === "long" ? [isAtMost, isAtLeast] : [isAtLeast, isAtMost]
  return isStopped(stop) === true ? "stop" : isThere(target) === true ? "target" : undefined
}
