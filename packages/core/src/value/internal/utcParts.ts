/**
 * A timestamp from the parts of its text, where they are known to be digits.
 *
 * @since 0.1.0
 */
import { Timestamp } from "../Timestamp.ts"
import { daysOf, digitAt, twoDigitsAt, weights } from "./calendar.ts"

/**
 * Reads what a pattern has parted already: `yyyy-mm-dd`, `hh:mm:ss`, and one to
 * nine digits of a fraction or none, all digits known to be digits, in UTC.
 * `undefined` where the calendar or the clock has no such time.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromUtcParts = (date: string, clock: string, fraction: string | undefined): Timestamp | undefined => {
  const days = daysOf(date)
  const hour = twoDigitsAt(clock, 0)
  const minute = twoDigitsAt(clock, 3)
  const second = twoDigitsAt(clock, 6)
  if (Number.isNaN(days) || hour > 23 || minute > 59 || second > 59) return undefined
  const seconds = days * 86_400 + hour * 3600 + minute * 60 + second
  if (fraction === undefined) return new Timestamp(seconds, 0, 0, "")
  let nanos = 0
  for (let at = 0; at < fraction.length; at++) nanos = nanos * 10 + digitAt(fraction, at)
  return new Timestamp(seconds, nanos * (weights[fraction.length] ?? 1), fraction.length, "")
}
