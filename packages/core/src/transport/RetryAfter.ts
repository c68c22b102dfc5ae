/**
 * How long a venue's answer asks to be left alone.
 *
 * @since 0.1.0
 */
import * as DateTime from "effect/DateTime"
import * as Option from "effect/Option"

/** A `Retry-After` is obeyed up to a day; what asks for more is taken for a mistake. */
const retryAfterCapMillis = 86_400_000

const httpDate = (text: string): number | undefined =>
  /^[A-Z][a-z]+,? /.test(text)
    ? Option.getOrUndefined(Option.map(DateTime.make(text), DateTime.toEpochMillis))
    : undefined

/**
 * How long an answer's `Retry-After` (RFC 9110 §10.2.3) asks to wait, in
 * milliseconds, at most a day; `undefined` without one that can be read. It is
 * seconds, or a date, which is read against the answer's own `Date` if it has
 * one, so that a wrong clock on either side does not matter, and against `now`,
 * in epoch milliseconds, otherwise.
 *
 * @category getters
 * @since 0.1.0
 */
export const millisOf = (
  headers: Readonly<Record<string, string | ReadonlyArray<string> | undefined>>,
  now: number
): number | undefined => {
  const textOf = (name: string): string | undefined => {
    const value = headers[name]
    return typeof value === "string" ? value.trim() : undefined
  }
  const value = textOf("retry-after")
  if (value === undefined) return undefined
  if (/^\d+$/.test(value)) return Math.min(Number(value) * 1_000, retryAfterCapMillis)
  const until = httpDate(value)
  if (until === undefined) return undefined
  return Math.min(Math.max(until - (httpDate(textOf("date") ?? "") ?? now), 0), retryAfterCapMillis)
}
