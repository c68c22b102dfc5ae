/**
 * What a peer publishes of its limits, and where.
 *
 * @since 0.1.0
 */
import type * as Limits from "../resilience/Limits.ts"

/**
 * A published limit, with where the peer says so and the day on which that was
 * read.
 *
 * @category models
 * @since 0.1.0
 */
export interface Limit extends Limits.Limit {
  readonly source: string
}
