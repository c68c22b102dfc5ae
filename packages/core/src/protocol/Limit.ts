/**
 * What a peer publishes of its limits, and where.
 *
 * @since 0.1.0
 */
import type * as ConnectionLimits from "../resilience/internal/connectionLimits.ts"
import * as Period from "../value/Period.ts"

/**
 * A published limit, with where the peer says so and the day on which that was
 * read.
 *
 * @category models
 * @since 0.1.0
 */
export interface Limit extends ConnectionLimits.Limit {
  readonly source: string
}

/**
 * A limit for people: `150 dials in 10 m per address`, or, of how many there may
 * be at once, `32 dials at once per address`.
 *
 * @category getters
 * @since 0.1.0
 */
export const format = ({ limit, of, per, windowMillis }: ConnectionLimits.Limit): string => {
  const window = windowMillis === undefined ? "at once" : `in ${Period.format(windowMillis)}`
  return `${limit.toLocaleString("en-US")} ${of} ${window} per ${per}`
}
