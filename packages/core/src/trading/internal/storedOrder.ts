/**
 * What a storage keeps of an order, and what an event makes of it: the same for
 * each kind of storage.
 *
 * @since 0.1.0
 */
import * as BigDecimal from "effect/BigDecimal"
import * as Equal from "effect/Equal"
import * as Schema from "effect/Schema"
import * as Decimal from "../../value/Decimal.ts"
import * as Order from "../Order.ts"
import { Fill, OrderUpdate, Outcome } from "../OrderEvent.ts"
import { OrderRequest } from "../OrderRequest.ts"
import { isOver } from "../OrderStatus.ts"
import type { Decision } from "../Storage.ts"

const Event = Schema.Union([...Outcome.members, Fill, OrderUpdate])

const encodeEvent = Schema.encodeSync(Event)

/**
 * An event of an order as text, with all that it has.
 *
 * @category schemas
 * @since 0.1.0
 */
export const EventText = Schema.fromJsonString(Event)

/**
 * A request as text.
 *
 * @category schemas
 * @since 0.1.0
 */
export const RequestText = Schema.fromJsonString(OrderRequest)

const valueOf = (decimal: Decimal.Decimal): string => Decimal.format(BigDecimal.normalize(decimal))

/**
 * What an order means, whatever its name, in words that are the same for the same
 * meaning only.
 *
 * @category getters
 * @since 0.1.0
 */
export const meaning = (request: OrderRequest): string => {
  const { amount, price, product, reduceOnly, side, timeInForce, type } = request
  const at = price === undefined ? "" : ` at ${valueOf(price)}`
  return `${type} ${side} ${valueOf(amount)} ${JSON.stringify(product)}${at} ${timeInForce}${
    reduceOnly ? " reduce-only" : ""
  }`
}

/**
 * Whether an order did not happen, and cannot any more: the same may be sent again.
 *
 * @category predicates
 * @since 0.1.0
 */
export const didNotHappen = (order: Order.Order): boolean => order.status === "absent" || order.status === "rejected"

/**
 * Whether an order is one of those that are asked for.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isAmong = (order: Order.Order, only: "open" | "unsettled" | undefined): boolean =>
  only === undefined || !(only === "open" ? isOver(order.status) : Order.isSettled(order))

const changesNothing = (before: Order.Order, after: Order.Order): boolean =>
  before.status === after.status && before.orderId === after.orderId && before.outcome === after.outcome &&
  before.fills === after.fills && Equal.equals(before.price, after.price) &&
  Equal.equals(before.amount, after.amount) && Equal.equals(before.filled, after.filled) &&
  Equal.equals(before.averagePrice, after.averagePrice)

/**
 * The order after an event, the same one if that changes nothing, or why it
 * cannot be. An event that was stored before may be given again.
 *
 * @category combinators
 * @since 0.1.0
 */
export const after = (
  order: Order.Order,
  event: Order.Input,
  wasStored: boolean
): Order.Order | { readonly reason: string } => {
  if (wasStored) return order
  const { request } = order
  if (event._tag === "Fill" && (event.product !== request.product || event.side !== request.side)) {
    return { reason: `a ${event.side} of ${event.product} is no fill of a ${request.side} of ${request.product}` }
  }
  if (!Order.allows(order, event)) {
    const { amount, filled, request: { clientId }, status } = order
    const known = `${status} with ${Decimal.format(filled)} of ${Decimal.format(amount)} filled`
    return { reason: `${event._tag} of order ${clientId}, which is ${known}` }
  }
  const next = Order.transition(order, event)
  return changesNothing(order, next) ? order : next
}

/**
 * The order that its events make.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fold = (exchange: string, request: OrderRequest, events: ReadonlyArray<Order.Input>): Order.Order =>
  events.reduce(Order.transition, Order.make(exchange, request))

/**
 * The record of an event that was refused.
 *
 * @category constructors
 * @since 0.1.0
 */
export const contradiction = (exchange: string, clientId: string, reason: string, event: Order.Input): Decision => ({
  kind: "contradiction",
  exchange,
  clientId,
  reason,
  detail: encodeEvent(event)
})

/**
 * What a fill adds to a position.
 *
 * @category getters
 * @since 0.1.0
 */
export const signed = ({ amount, side }: Fill): Decimal.Decimal => side === "buy" ? amount : BigDecimal.negate(amount)
