/**
 * What a feed writes on an event.
 *
 * @since 0.1.0
 */
import type { Members } from "../../value/internal/uncheckedConstructor.ts"
import type { BookDelta, BookSnapshot, PriceUpdate, Ticker, Trade } from "../MarketData.ts"

/** Any of the five. */
type Any = Trade | Ticker | BookSnapshot | BookDelta | PriceUpdate

/**
 * Writes on an event what a feed knows of it, and gives the same event: for
 * whoever has just had it decoded, and before anybody else has it.
 *
 * @category combinators
 * @since 0.1.0
 */
export const stamp = <A extends Any>(
  event: A,
  { name, receivedAt }: Pick<Members<Any>, "name" | "receivedAt">
): A => {
  const own: { -readonly [K in "name" | "receivedAt"]?: Any[K] } = event
  if (receivedAt !== undefined) own.receivedAt = receivedAt
  if (name !== undefined) own.name = name
  return event
}
