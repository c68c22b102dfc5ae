/**
 * What an account has at stake in one product: its position, and its orders that
 * rest. All exact, except that a part of a whole is rounded to the digits of the
 * whole, and a margin up.
 *
 * @since 0.1.0
 */
import * as BigDecimal from "effect/BigDecimal"
import type { Side } from "../../event/MarketData.ts"
import * as Decimal from "../../value/Decimal.ts"
import * as Exact from "../../value/internal/exactArithmetic.ts"
import type { Instrument } from "../Instrument.ts"

/**
 * A position: below zero it is short. `cost` is what was paid for it, less what
 * was received; `realized` is what its trades have gained.
 *
 * @category models
 * @since 0.1.0
 */
export interface Position {
  readonly amount: Decimal.Decimal
  readonly cost: Decimal.Decimal
  readonly realized: Decimal.Decimal
}

/**
 * What orders can cost: for so much, at such a value, with such fees.
 *
 * @category models
 * @since 0.1.0
 */
export interface Open {
  readonly amount: Decimal.Decimal
  readonly value: Decimal.Decimal
  readonly fee: Decimal.Decimal
}

/**
 * What an account has at stake in one product.
 *
 * @category models
 * @since 0.1.0
 */
export interface Exposure {
  readonly position: Position
  readonly buy: Open
  readonly sell: Open
}

const nothing: Open = { amount: Decimal.zero, value: Decimal.zero, fee: Decimal.zero }

/**
 * Nothing at stake.
 *
 * @category constants
 * @since 0.1.0
 */
export const none: Exposure = {
  position: { amount: Decimal.zero, cost: Decimal.zero, realized: Decimal.zero },
  buy: nothing,
  sell: nothing
}

const least = (one: Decimal.Decimal, other: Decimal.Decimal): Decimal.Decimal =>
  BigDecimal.isLessThan(one, other) ? one : other

const most = (one: Decimal.Decimal, other: Decimal.Decimal): Decimal.Decimal =>
  BigDecimal.isGreaterThan(one, other) ? one : other

/** So much of a whole as `part` is of `amount`. */
const shareOf = (whole: Decimal.Decimal, part: Decimal.Decimal, amount: Decimal.Decimal): Decimal.Decimal =>
  Exact.divide(BigDecimal.multiply(whole, part), amount, whole.scale)

/**
 * Adds what an order can cost, or takes it away.
 *
 * @category combinators
 * @since 0.1.0
 */
export const change = (self: Exposure, side: Side, by: Open, sign: "add" | "remove"): Exposure => {
  const combine = sign === "add" ? BigDecimal.sum : BigDecimal.subtract
  const { amount, fee, value } = self[side]
  return {
    ...self,
    [side]: { amount: combine(amount, by.amount), value: combine(value, by.value), fee: combine(fee, by.fee) }
  }
}

/**
 * The position after a trade of an amount that has cost so much; both are below
 * zero for what goes out.
 *
 * @category combinators
 * @since 0.1.0
 */
export const trade = (self: Position, amount: Decimal.Decimal, cost: Decimal.Decimal): Position => {
  const after = BigDecimal.sum(self.amount, amount)
  if (self.amount.value === 0n || self.amount.value > 0n === amount.value > 0n) {
    return { ...self, amount: after, cost: BigDecimal.sum(self.cost, cost) }
  }
  const [had, traded] = [BigDecimal.abs(self.amount), BigDecimal.abs(amount)]
  const closed = least(had, traded)
  const received = shareOf(cost, closed, traded)
  const paid = BigDecimal.equals(closed, had) ? self.cost : shareOf(self.cost, closed, had)
  return {
    amount: after,
    cost: BigDecimal.sum(BigDecimal.subtract(self.cost, paid), BigDecimal.subtract(cost, received)),
    realized: BigDecimal.subtract(self.realized, BigDecimal.sum(paid, received))
  }
}

/** What is at stake if all orders of one side are filled, with the fees. */
const atStake = ({ position, ...open }: Exposure, side: Side, leverage: Decimal.Decimal): Decimal.Decimal => {
  const { amount, fee, value } = open[side]
  const isSame = position.amount.value === 0n || (position.amount.value > 0n) === (side === "buy")
  const [had, cost] = [BigDecimal.abs(position.amount), BigDecimal.abs(position.cost)]
  if (isSame) return BigDecimal.sum(marginOf(BigDecimal.sum(cost, value), leverage), fee)
  // What only closes the position needs nothing.
  const opens = BigDecimal.subtract(amount, had)
  return Decimal.isPositive(opens)
    ? BigDecimal.sum(marginOf(shareOf(value, opens, amount), leverage), shareOf(fee, opens, amount))
    : Decimal.zero
}

const marginOf = (value: Decimal.Decimal, leverage: Decimal.Decimal): Decimal.Decimal => {
  const margin = Exact.divide(value, leverage, value.scale)
  return BigDecimal.isLessThan(BigDecimal.multiply(margin, leverage), value)
    ? BigDecimal.make(margin.value + 1n, margin.scale)
    : margin
}

/**
 * Amounts by asset.
 *
 * @category models
 * @since 0.1.0
 */
export type Needs = Iterable<readonly [asset: string, amount: Decimal.Decimal]>

/**
 * What must stay in the account, by asset: of spot what its orders would give
 * away, otherwise the margin of its position and of the orders that would enlarge
 * it, whichever side would need more.
 *
 * @category getters
 * @since 0.1.0
 */
export const needs = (
  { base, feeAsset }: Instrument,
  self: Exposure,
  leverage: Decimal.Decimal
): Needs =>
  base === undefined
    ? [[feeAsset, most(atStake(self, "buy", leverage), atStake(self, "sell", leverage))]]
    : [[feeAsset, BigDecimal.sum(self.buy.value, self.buy.fee)], [base, self.sell.amount]]
