/**
 * By what the level of a price is known.
 *
 * @since 0.1.0
 */
import * as BigDecimal from "effect/BigDecimal"
import * as Decimal from "../../value/Decimal.ts"

/**
 * The text of a price's value: prices of one value are one level, however they
 * are written.
 *
 * @category getters
 * @since 0.1.0
 */
export const priceKey = (price: Decimal.Decimal): string => Decimal.format(BigDecimal.normalize(price))
