/**
 * The text of an instant, one for all that happens in it: a drop is told of each
 * of a thousand products.
 *
 * @since 0.1.0
 */
import * as Timestamp from "../../value/Timestamp.ts"

let last = Number.NaN
let text = ""

/**
 * An instant in epoch milliseconds as events have it.
 *
 * @category getters
 * @since 0.1.0
 */
export const of = (epochMillis: number): string => {
  if (epochMillis === last) return text
  text = Timestamp.format(Timestamp.fromEpochMillis(epochMillis))
  last = epochMillis
  return text
}
