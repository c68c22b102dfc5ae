/**
 * One order of ours and everything that is known of it, as a value: what was
 * asked for, the outcome, how far it has come, and its fills.
 *
 * `transition` takes the next thing that is said of it and gives the order as it
 * is then. Answers and notices overtake each other at every exchange, so that
 * what is older than what is known changes nothing: an `open` that comes after
 * `filled`, a fill that was there already. What contradicts what is known (a
 * second outcome, a fill of an order that was never sent, more filled than the
 * amount) is forbidden: a defect. Whoever reads it from a peer asks `allows`
 * first.
 *
 * @since 0.1.0
 */
import * as BigDecimal from "effect/BigDecimal"
import * as Decimal from "../value/Decimal.ts"
import * as Exact from "../value/internal/exactArithmetic.ts"
import { statusAfter } from "./internal/statusTransitions.ts"
import { type Fill, OrderUpdate, type Outcome } from "./OrderEvent.ts"
import type { OrderRequest } from "./OrderRequest.ts"
import { isOver, type OrderStatus } from "./OrderStatus.ts"

/**
 * An order and what is known of it. `price` and `amount` are as they were last
 * amended. `filled` is the most that the exchange has said or its fills come to;
 * fills may be reported later than the amount. `outcome` is that of placing it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Order {
  readonly exchange: string
  readonly request: OrderRequest
  readonly orderId: string | undefined
  readonly status: OrderStatus
  readonly outcome: Outcome | undefined
  readonly price: Decimal.Decimal | undefined
  readonly amount: Decimal.Decimal
  readonly filled: Decimal.Decimal
  /** In the order in which they were reported, each once by its `tradeId`. */
  readonly fills: ReadonlyArray<Fill>
  /** The exchange's own figure. */
  readonly averagePrice: Decimal.Decimal | undefined
}

/**
 * What can be said of an order: the outcome of placing it, its fills and its
 * updates. A command that amends or cancels it and is taken gives an
 * `OrderUpdate`; one that is not changes nothing.
 *
 * @category models
 * @since 0.1.0
 */
export type Input = Outcome | Fill | OrderUpdate

/**
 * An order of which nothing is said yet.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (exchange: string, request: OrderRequest): Order => ({
  exchange,
  request,
  orderId: undefined,
  status: "pending",
  outcome: undefined,
  price: request.price,
  amount: request.amount,
  filled: Decimal.zero,
  fills: [],
  averagePrice: undefined
})

const sumOf = (fills: ReadonlyArray<Fill>): Decimal.Decimal =>
  fills.reduce((sum, { amount }) => BigDecimal.sum(sum, amount), Decimal.zero)

const isResting = (status: OrderStatus): boolean => status === "open" || status === "partially-filled"

/** An outcome is said once; only what was unknown is reconciled. */
const allowsOutcome = (from: Outcome | undefined, to: Outcome): boolean =>
  to._tag === "Reconciled" ? from?._tag === "OutcomeUnknown" : from === undefined

const saidOf = (order: Order, input: Input): OrderStatus => {
  switch (input._tag) {
    case "Rejected":
      return "rejected"
    case "NotSent":
      return "absent"
    case "OutcomeUnknown":
      // What the exchange has said meanwhile stays known.
      return order.status === "pending" && order.orderId === undefined ? "unknown" : order.status
    case "Fill":
      return isOver(order.status) && order.status !== "rejected" && order.status !== "absent"
        ? order.status
        : "partially-filled"
    default:
      return input.status
  }
}

const most = (one: Decimal.Decimal, other: Decimal.Decimal | undefined): Decimal.Decimal =>
  other !== undefined && BigDecimal.isGreaterThan(other, one) ? other : one

// The order after an input, or why it cannot be.
const next = (order: Order, input: Input): Order | string => {
  // An update that is older than the end says nothing of the terms at the end.
  const terms = input._tag === "OrderUpdate" && !isOver(order.status) ? input : undefined
  const fill = input._tag === "Fill" ? input : undefined
  const outcome = input._tag === "Fill" || input._tag === "OrderUpdate" ? undefined : input
  if (outcome !== undefined && !allowsOutcome(order.outcome, outcome)) {
    return `${outcome._tag} after ${order.outcome?._tag ?? "no outcome"}`
  }
  if (fill !== undefined && order.fills.some(({ tradeId }) => tradeId === fill.tradeId)) return order
  const said = saidOf(order, input)
  const status = statusAfter(order.status, said, order.orderId !== undefined)
  if (status === "forbidden") return `${said} after ${order.status}`
  const fills = fill === undefined ? order.fills : [...order.fills, fill]
  const amount = terms?.amount ?? order.amount
  const known = most(most(order.filled, sumOf(fills)), "filled" in input ? input.filled : undefined)
  const filled = status === "filled" ? most(known, amount) : known
  const progress = BigDecimal.Order(filled, amount)
  if (progress > 0) return `${Decimal.format(filled)} filled of ${Decimal.format(amount)}`
  return {
    ...order,
    // An amendment may give an order another id, and a fill be older than that.
    orderId: fill !== undefined ? order.orderId ?? fill.orderId : input.orderId ?? order.orderId,
    status: !isResting(status) ? status : progress === 0 ? "filled" : filled.value > 0n ? "partially-filled" : "open",
    outcome: outcome ?? order.outcome,
    price: terms?.price ?? order.price,
    amount,
    filled,
    fills,
    averagePrice: (input._tag === "OrderUpdate" ? input.averagePrice : undefined) ?? order.averagePrice
  }
}

/**
 * Whether something may be said of an order as it is.
 *
 * @category predicates
 * @since 0.1.0
 */
export const allows = (self: Order, input: Input): boolean => typeof next(self, input) !== "string"

/**
 * The order after something was said of it. Throws if it contradicts what is known, which is a defect.
 *
 * @category combinators
 * @since 0.1.0
 */
export const transition = (self: Order, input: Input): Order => {
  const after = next(self, input)
  if (typeof after === "string") throw new Error(`order ${self.request.clientId}: ${after}`)
  return after
}

/**
 * Whether the order is over and all its fills are there.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isSettled = (self: Order): boolean =>
  isOver(self.status) && BigDecimal.equals(sumOf(self.fills), self.filled)

/**
 * The average price of what is filled: of the fills if all of them are there,
 * otherwise what the exchange has said; `undefined` if it has said nothing. That
 * of the fills is rounded to eight digits more than their prices have, without
 * trailing zeros beyond those.
 *
 * @category getters
 * @since 0.1.0
 */
export const averagePrice = (self: Order): Decimal.Decimal | undefined => {
  const { fills } = self
  const amount = sumOf(fills)
  if (amount.value === 0n || !BigDecimal.equals(amount, self.filled)) return self.averagePrice
  const cost = fills.reduce(
    (sum, { amount, price }) => BigDecimal.sum(sum, BigDecimal.multiply(price, amount)),
    Decimal.zero
  )
  const digits = Math.max(...fills.map(({ price }) => price.scale))
  return Exact.quotient(cost, amount, digits)
}

/**
 * What is left of the amount, whether or not it can still be filled.
 *
 * @category getters
 * @since 0.1.0
 */
export const remaining = (self: Order): Decimal.Decimal => BigDecimal.subtract(self.amount, self.filled)

/**
 * The order as an update. `withTerms` adds its price and its amount, for whoever
 * has asked for it.
 *
 * @category getters
 * @since 0.1.0
 */
export const toUpdate = (
  self: Order,
  options?: { readonly withTerms?: boolean | undefined } | undefined
): OrderUpdate => {
  const { amount, exchange, filled, orderId, price, request, status } = self
  const average = averagePrice(self)
  return new OrderUpdate({
    exchange,
    product: request.product,
    side: request.side,
    clientId: request.clientId,
    ...(orderId === undefined ? {} : { orderId }),
    status,
    filled,
    remaining: remaining(self),
    ...(average === undefined ? {} : { averagePrice: average }),
    ...(options?.withTerms !== true ? {} : { ...(price === undefined ? {} : { price }), amount })
  })
}
