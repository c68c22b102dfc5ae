/**
 * How long is waited before a retry: until the latest of the backoff's end, the
 * peer's own wish and the breaker's end, never their sum.
 *
 * @since 0.1.0
 */
import type { Retry } from "./recovery.ts"

/**
 * When a retry is made.
 *
 * - `dueAt`: the end of the backoff and of the peer's wish. The breaker, which
 *   may be opened for longer or closed by hand meanwhile, is asked again then
 * - `isOpen`: whether the breaker, as it stands, makes it later than that
 * - `delayMillis`: the whole wait from the decision, as it stands
 *
 * @category models
 * @since 0.1.0
 */
export interface Wait {
  readonly dueAt: number
  readonly isOpen: boolean
  readonly delayMillis: number
}

/**
 * The wait before a retry of which the backoff asks for so many milliseconds.
 *
 * @category combinators
 * @since 0.1.0
 */
export const of = ({ decidedAt, openUntil, restMillis }: Retry, backoffMillis: number): Wait => {
  const least = Math.max(backoffMillis, restMillis)
  const dueAt = decidedAt + least
  const isOpen = openUntil !== undefined && openUntil > dueAt
  return { dueAt, isOpen, delayMillis: isOpen ? Math.round(openUntil - decidedAt) : least }
}
