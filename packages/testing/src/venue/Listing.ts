/**
 * The few questions over HTTP that a general client asks a venue before it
 * subscribes: what is listed, and what time it is. Each answer has the venue's
 * own shape, and is of the mock's own products. Pure values.
 *
 * @since 0.1.0
 */
import type { Market } from "./Market.ts"

/**
 * A question: the method, the path without query, the query, and the body's
 * text.
 *
 * @category models
 * @since 0.1.0
 */
export interface Question {
  readonly method: string
  readonly path: string
  readonly query: ReadonlyMap<string, string>
  readonly body: string
}

/**
 * What a venue may look at when it answers: the time in epoch milliseconds, and
 * the markets of all that it lists.
 *
 * @category models
 * @since 0.1.0
 */
export interface Floor {
  readonly atMillis: number
  readonly markets: ReadonlyArray<Market>
}

/**
 * Answers a question: the body, as JSON will have it; `undefined` where the
 * venue knows no such path, which is answered 404.
 *
 * @category models
 * @since 0.1.0
 */
export type Listing = (question: Question, floor: Floor) => unknown
