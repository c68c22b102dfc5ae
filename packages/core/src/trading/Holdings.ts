/**
 * What an account has at an exchange: its money, and its positions.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as Decimal from "../value/Decimal.ts"

/**
 * An account's amount of an asset: all of it, without what open positions have
 * gained, and what of it is not held by orders or as a margin.
 *
 * @category models
 * @since 0.1.0
 */
export class Balance extends Schema.Class<Balance>("Balance")({
  exchange: Schema.String,
  asset: Schema.NonEmptyString,
  available: Decimal.FromText,
  total: Decimal.FromText
}) {}

/**
 * An account's position in a product: `amount` is above zero if it is long, below
 * if it is short, in the units of the product's orders. `averagePrice` is that at
 * which it was entered, if the exchange says so.
 *
 * @category models
 * @since 0.1.0
 */
export class Position extends Schema.Class<Position>("Position")({
  exchange: Schema.String,
  product: Schema.NonEmptyString,
  amount: Decimal.FromText,
  averagePrice: Schema.optionalKey(Decimal.FromText)
}) {}
