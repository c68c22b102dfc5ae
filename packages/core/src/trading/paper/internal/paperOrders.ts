/**
 * Paper orders in the matching engine's words and in those of an exchange.
 *
 * @since 0.1.0
 */
import * as BigDecimal from "effect/BigDecimal"
import * as Decimal from "../../../value/Decimal.ts"
import * as Exact from "../../../value/internal/exactArithmetic.ts"
import type * as Timestamp from "../../../value/Timestamp.ts"
import type * as Clearing from "../../Clearing.ts"
import * as Instrument from "../../Instrument.ts"
import type { Command } from "../../MatchingCommand.ts"
import type { Refusal } from "../../MatchingEvent.ts"
import { Fill, OrderUpdate } from "../../OrderEvent.ts"
import type { OrderRequest } from "../../OrderRequest.ts"
import type { OrderStatus } from "../../OrderStatus.ts"
import { account } from "./fillModel.ts"

/**
 * An order, and what became of it.
 *
 * @category models
 * @since 0.1.0
 */
export interface PaperOrder {
  readonly request: OrderRequest
  /** The venue's own. */
  readonly symbol: string
  readonly orderId: string
  readonly status: OrderStatus
  readonly price: Decimal.Decimal | undefined
  readonly amount: Decimal.Decimal
  readonly fills: ReadonlyArray<Fill>
}

/**
 * How a request is placed. One that would trade with an order of ours is
 * cancelled.
 *
 * @category constructors
 * @since 0.1.0
 */
export const toCommand = (
  { amount, price, reduceOnly, side, timeInForce, type }: OrderRequest,
  product: string
): Command => {
  const placing = { _tag: "Place", account, product, side, amount, reduceOnly, selfTrade: "cancel-taker" } as const
  return type === "market" || price === undefined
    ? { ...placing, type: "market", timeInForce: timeInForce === "fok" ? "fok" : "ioc" }
    : { ...placing, type: "limit", price, timeInForce: timeInForce }
}

const filledOf = ({ amount: { scale }, fills }: PaperOrder): Decimal.Decimal =>
  Exact.trim(fills.reduce((sum, { amount }) => BigDecimal.sum(sum, amount), Decimal.zero), Math.max(0, scale))

/**
 * The order in the words of an exchange.
 *
 * @category getters
 * @since 0.1.0
 */
export const toUpdate = (exchange: string) => (order: PaperOrder): OrderUpdate => {
  const { amount, orderId, price, request: { clientId, product, side }, status } = order
  const filled = filledOf(order)
  return new OrderUpdate({
    exchange,
    product,
    side,
    clientId,
    orderId,
    status,
    filled,
    remaining: BigDecimal.subtract(amount, filled),
    ...(price === undefined ? {} : { price }),
    amount
  })
}

/**
 * The order after an event of it.
 *
 * @category combinators
 * @since 0.1.0
 */
export const advance = (
  self: PaperOrder,
  event: Exclude<Clearing.Event, { readonly _tag: "Rejected" }>,
  fill?: Fill
): PaperOrder => {
  switch (event._tag) {
    case "Traded": {
      const order = { ...self, fills: fill === undefined ? self.fills : [...self.fills, fill] }
      return { ...order, status: BigDecimal.equals(filledOf(order), self.amount) ? "filled" : "partially-filled" }
    }
    case "Cancelled":
      return { ...self, status: "cancelled" }
    case "Expired":
      return { ...self, status: "expired" }
    default:
      return self
  }
}

/**
 * An execution of an order. The engine counts in units that are finer than
 * anybody writes: the price has the digits that it was written with, `digits`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const toFill = (
  exchange: string,
  { orderId, request: { amount: { scale }, clientId, product, side } }: PaperOrder,
  { amount, price, tradeId }: Extract<Clearing.Event, { readonly _tag: "Traded" }>,
  { digits, fee, feeAsset, isMaker, timestamp }: {
    readonly fee: Decimal.Decimal
    readonly feeAsset: string
    readonly isMaker: boolean
    readonly digits: number
    readonly timestamp: Timestamp.Timestamp
  }
): Fill =>
  new Fill({
    exchange,
    product,
    side,
    clientId,
    orderId,
    price: Exact.trim(price, digits),
    amount: Exact.trim(amount, Math.max(0, scale)),
    fee: Exact.trim(fee, 0),
    feeAsset,
    tradeId,
    timestamp,
    liquidity: isMaker ? "maker" : "taker"
  })

const written = (value: Decimal.Decimal): string => Decimal.format(Exact.trim(value, 0))

/**
 * Why a command was refused, in words.
 *
 * @category getters
 * @since 0.1.0
 */
export const describe = (refusal: Refusal): string => {
  switch (refusal._tag) {
    case "UnknownProduct":
      return `unknown product ${refusal.product}`
    case "UnknownOrder":
      return "the order is not there, or is over"
    case "Illegal":
      return Instrument.describe(refusal)
    case "BelowFilled":
      return `${written(refusal.filled)} is filled`
    case "TooLate":
      return "it came too late"
    case "NotReducing":
      return "reduce-only, and there is no position to reduce"
    case "WouldTrade":
      return `post-only, and it would trade at ${written(refusal.price)}`
    case "NotFillable":
      return `fok, and only ${written(refusal.available)} is there`
    case "InsufficientFunds":
      return `insufficient funds: it needs ${written(refusal.needed)} ${refusal.asset}, and ${
        written(refusal.available)
      } is available`
  }
}
