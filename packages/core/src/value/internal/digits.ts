/**
 * Whole numbers as venues write them: digits, and nothing else.
 *
 * @since 0.1.0
 */

// So many digits are always a safe integer.
const mostSafe = 15

const areDigits = (text: string): boolean => {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code < 48 || code > 57) return false
  }
  return text.length > 0
}

/**
 * The number that the digits are, of any length; `undefined` of anything else.
 *
 * @category decoding
 * @since 0.1.0
 */
export const toBigInt = (text: string | undefined): bigint | undefined =>
  text !== undefined && areDigits(text) ? BigInt(text) : undefined

/**
 * The powers of ten that a double holds as exact integers of at most 16 digits.
 *
 * @category constants
 * @since 0.1.0
 */
export const powers: ReadonlyArray<number> = Array.from({ length: 16 }, (_, exponent) => 10 ** exponent)

// So many digits are a 32-bit integer: to add a digit to a double takes four times as long.
const groupDigits = 9

// The number of at most nine digits between two places of a text, or -1 where there is anything else.
const groupIn = (text: string, from: number, to: number): number => {
  let number = 0
  for (let at = from; at < to; at++) {
    const digit = text.charCodeAt(at) - 48
    if (digit < 0 || digit > 9) return -1
    number = (number * 10 + digit) | 0
  }
  return number
}

/**
 * The number that at most 15 digits are, which is exact; `undefined` of anything
 * else.
 *
 * @category decoding
 * @since 0.1.0
 */
export const toSafe = (text: string | undefined): number | undefined => {
  if (text === undefined || text.length > mostSafe || text.length === 0) return undefined
  const cut = text.length - groupDigits
  const low = groupIn(text, Math.max(0, cut), text.length)
  const high = cut > 0 ? groupIn(text, 0, cut) : 0
  return high < 0 || low < 0 ? undefined : high * 1e9 + low
}

/**
 * A whole number of any size: a `number` where at most 15 digits are needed,
 * and else a `bigint`. Two of one value are the same, and all compare by value.
 *
 * @category models
 * @since 0.1.0
 */
export type Integer = number | bigint

/**
 * The number that the digits are, of any length; `undefined` of anything else.
 *
 * @category decoding
 * @since 0.1.0
 */
export const toInteger = (text: string | undefined): Integer | undefined => {
  const safe = toSafe(text)
  if (safe !== undefined) return safe
  const big = toBigInt(text)
  return big !== undefined && big < 10n ** BigInt(mostSafe) ? Number(big) : big
}

/**
 * The number after one.
 *
 * @category combinators
 * @since 0.1.0
 */
export const after = (number: Integer): Integer => typeof number === "bigint" ? number + 1n : number + 1
