/**
 * What a feed writes on an event.
 *
 * @since 0.1.0
 */
import type { BookDelta, BookSnapshot, PriceUpdate, Ticker, Trade } from "../MarketData.ts"

/** Any of the five. */
type Any = Trade | Ticker | BookSnapshot | BookDelta | PriceUpdate

/**
 * What is written: when it came in, its product in the one text that the feed
 * has of it, and the common name of that. What is `undefined` stays as it is.
 *
 * @category models
 * @since 0.1.0
 */
export type Mark = { -readonly [K in "receivedAt" | "product" | "name"]?: Any[K] | undefined }

/**
 * Writes on an event what a feed knows of it, and gives the same event: for
 * whoever has just had it decoded, and before anybody else has it.
 *
 * @category combinators
 * @since 0.1.0
 */
export const stamp = <A extends Any>(event: A, { name, product, receivedAt }: Mark): A => {
  const own: Mark = event
  if (receivedAt !== undefined) own.receivedAt = receivedAt
  // Where it is looked up once more its hash is known.
  if (product !== undefined) own.product = product
  if (name !== undefined) own.name = name
  return event
}
