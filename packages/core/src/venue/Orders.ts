/**
 * What a venue says of the single orders of a book, where a channel sends these
 * and not levels.
 *
 * @since 0.1.0
 */
import type { Decimal } from "../value/Decimal.ts"
import type { Timestamp } from "../value/Timestamp.ts"

/**
 * An order that rests in a book. `size` is what is left of it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Order {
  readonly id: string
  readonly side: "bids" | "asks"
  readonly price: Decimal
  readonly size: Decimal
}

/**
 * What a message does to a book:
 *
 * - `Opened`: the order rests from now on
 * - `Matched`: so much of an order that rests was traded
 * - `Changed`: the order has another size and, if one is said, another price; an
 *   order that does not rest is passed over
 * - `Done`: the order rests no more, if it did
 * - `Nothing`: the message has a number, and is of no order that rests
 *
 * @category models
 * @since 0.1.0
 */
export type OrderChange =
  | { readonly _tag: "Opened"; readonly order: Order }
  | { readonly _tag: "Matched"; readonly id: string; readonly size: Decimal }
  | { readonly _tag: "Changed"; readonly id: string; readonly size: Decimal; readonly price: Decimal | undefined }
  | { readonly _tag: "Done"; readonly id: string }
  | { readonly _tag: "Nothing" }

/**
 * A message about one order. `sequence` is one more than that of the message
 * before it of the product.
 *
 * @category models
 * @since 0.1.0
 */
export interface OrderMessage {
  readonly _tag: "OrderMessage"
  readonly product: string
  readonly sequence: string
  readonly timestamp: Timestamp | undefined
  readonly change: OrderChange
}

/**
 * All orders that rest after the message of that number.
 *
 * @category models
 * @since 0.1.0
 */
export interface OrderSnapshot {
  readonly _tag: "OrderSnapshot"
  readonly sequence: string
  readonly orders: ReadonlyArray<Order>
}
