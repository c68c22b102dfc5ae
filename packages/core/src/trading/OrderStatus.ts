/**
 * How far an order has come, in words that serve for every exchange.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * How far an order has come:
 *
 * - `pending`: the exchange has said no more than that it has it
 * - `open`, `partially-filled`: it rests in the book
 * - `filled`, `cancelled`, `rejected`, `expired`: it is over
 * - `absent`: it is not at the exchange, and can no longer come there
 * - `unknown`: nobody here knows
 *
 * @category schemas
 * @since 0.1.0
 */
export const OrderStatus = Schema.Literals([
  "pending",
  "open",
  "partially-filled",
  "filled",
  "cancelled",
  "rejected",
  "expired",
  "absent",
  "unknown"
])

/**
 * How far an order has come.
 *
 * @category models
 * @since 0.1.0
 */
export type OrderStatus = typeof OrderStatus.Type

/**
 * Whether an order of this status is over: it can be neither filled any more nor
 * cancelled. Its fills may be reported later.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isOver = (self: OrderStatus): boolean => {
  switch (self) {
    case "filled":
    case "cancelled":
    case "rejected":
    case "expired":
    case "absent":
      return true
    default:
      return false
  }
}
