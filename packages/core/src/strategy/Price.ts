/**
 * The price of now of a product, for whoever keeps stops and values positions.
 *
 * @since 0.1.0
 */
import type * as Decimal from "../value/Decimal.ts"
import type * as Timestamp from "../value/Timestamp.ts"

/**
 * The newest price of a product, by the name that signals have for it, and when
 * it was, in event time.
 *
 * @category models
 * @since 0.1.0
 */
export interface Price {
  readonly _tag: "Price"
  readonly product: string
  readonly price: Decimal.Decimal
  readonly at: Timestamp.Timestamp
}
