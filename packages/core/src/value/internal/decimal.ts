/**
 * Reads decimals from text.
 *
 * @since 0.1.0
 */
import * as BigDecimal from "effect/BigDecimal"
import { powers } from "./digits.ts"
import * as Integer64 from "./integer64.ts"

type Decimal = BigDecimal.BigDecimal

const zero: Decimal = BigDecimal.make(0n, 0)

/**
 * The most digits that a decimal may need in plain notation, the zero before
 * the point included. Bounds what a few bytes such as `1e999999999` can cost.
 *
 * @category constants
 * @since 0.1.0
 */
export const maxDigits = 1000

/** A double holds every integer of this many digits exactly. */
const exactDoubleDigits = 15

const exponential = /^(-?)(0|[1-9]\d*)(?:\.(\d+))?[eE]([+-]?\d+)$/

const jsonNumber = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/

/** The place of a point that is not there. */
const nowhere = -1

const withoutPoint = (text: string, from: number, point: number, end: number): string =>
  point === nowhere ? text.slice(from, end) : text.slice(from, point) + text.slice(point + 1, end)

const parseExponential = (text: string): Decimal | undefined => {
  const match = exponential.exec(text)
  if (match === null) return undefined
  const fraction = match[3] ?? ""
  const digits = (match[2] + fraction).replace(/^0+(?=\d)/, "")
  const scale = fraction.length - Number(match[4])
  if (digits === "0" && scale <= 0) return BigDecimal.make(0n, 0)
  const needed = scale <= 0 ? digits.length - scale : Math.max(digits.length, scale + 1)
  if (needed > maxDigits) return undefined
  const value = BigInt(digits)
  return BigDecimal.make(match[1] === "-" ? -value : value, scale)
}

// Prices near the touch and sizes of zero come again and again: one that was made lately is found sooner than a new one
// is made. Each place holds the last of those that belong there.
const places = 1_024
const lately = Array.from({ length: places }, (): Decimal | undefined => undefined)
const latelyValues = new Float64Array(places)

/**
 * The decimal of a whole number that a double holds exactly, and is not below
 * zero, and a scale. Of two calls with the same both may give the same object.
 */
const ofSafe = (value: number, scale: number): Decimal => {
  const place = Math.imul((value | 0) + scale, 0x9e37_79b1) >>> 22
  const known = lately[place]
  if (known !== undefined && latelyValues[place] === value && known.scale === scale) return known
  const made = BigDecimal.make(Integer64.fromSafe(value), scale)
  lately[place] = made
  latelyValues[place] = value
  return made
}

const longPowers = powers.map(BigInt)

/** From this many digits on a decimal is not usual. */
const usualDigits = 27

/** Where the digits end that `usualAt` has read last. */
export let usualEnd = 0

// Digits are added as 32-bit integers, nine at most: to add one to a double takes four times as long.

const longAt = (text: string, first: number, limit: number): Decimal | undefined => {
  let at = first
  let point = nowhere
  let digits = 0
  let head = 0
  let middle = 0
  let tail = 0
  for (; at < limit; at++) {
    const digit = text.charCodeAt(at) - 48
    if (digit >>> 0 < 10) {
      if (digits < 9) head = (head * 10 + digit) | 0
      else if (digits < 18) middle = (middle * 10 + digit) | 0
      else if (digits < usualDigits) tail = (tail * 10 + digit) | 0
      else break
      digits++
    } else if (digit === -2 && point === nowhere) {
      point = at
    } else {
      break
    }
  }
  usualEnd = at
  // `01` is no JSON number; `0` and `0.1` are.
  if (
    digits === 0 || digits === usualDigits || point === first || point === at - 1 ||
    (digits > 1 && point !== first + 1 && text.charCodeAt(first) === 48)
  ) {
    return undefined
  }
  const scale = point === nowhere ? 0 : at - 1 - point
  if (digits <= 9) return ofSafe(head, scale)
  const power = powers[digits - 9] ?? 0
  if (digits <= exactDoubleDigits) return ofSafe(head * power + middle, scale)
  if (digits <= 18) return BigDecimal.make(Integer64.fromParts(head, power, middle), scale)
  const upper = Integer64.fromParts(head, 1e9, middle)
  return BigDecimal.make(upper * (longPowers[digits - 18] ?? 0n) + Integer64.fromSafe(tail), scale)
}

/**
 * Reads the digits and the point that begin at a place of a text and end before
 * another, if they are a decimal of usual length: `usualEnd` says where they end.
 * `undefined` leaves them to `parseRange`.
 */
export const usualAt = (text: string, first: number, limit: number): Decimal | undefined => {
  // Most prices and sizes are up to six digits, a point, and up to nine: no further is looked.
  let at = first
  let digit = 0
  let whole = 0
  for (const most = Math.min(limit, first + 7); at < most; at++) {
    digit = text.charCodeAt(at) - 48
    if (digit >>> 0 > 9) break
    whole = (whole * 10 + digit) | 0
  }
  const before = at - first
  // What has an exponent is not usual.
  if (digit === 53 || digit === 21) {
    usualEnd = at
    return undefined
  }
  if (
    at === limit || digit !== -2 || before === 0 || before > 6 || (before > 1 && text.charCodeAt(first) === 48)
  ) {
    return longAt(text, first, limit)
  }
  let fraction = 0
  for (const most = Math.min(limit, ++at + 10); at < most; at++) {
    digit = text.charCodeAt(at) - 48
    if (digit >>> 0 > 9) break
    fraction = (fraction * 10 + digit) | 0
  }
  const scale = at - first - before - 1
  if (scale === 0 || scale > 9) return longAt(text, first, limit)
  usualEnd = at
  return ofSafe(whole * (powers[scale] ?? 0) + fraction, scale)
}

// The usual number with an exponent: digits that a double holds, and an exponent of a few digits. `undefined` leaves it to
// the expression, which is slow where a book is full of such.
const parseShortExponential = (
  text: string,
  first: number,
  point: number,
  letter: number,
  end: number,
  negative: boolean,
  value: number
): Decimal | undefined => {
  const digits = letter - first - (point === nowhere ? 0 : 1)
  if (digits > exactDoubleDigits || end - letter > 6 || point === letter - 1) return undefined
  if (text.charCodeAt(first) === 48 && digits > 1 && point !== first + 1) return undefined
  let at = letter + 1
  const sign = text.charCodeAt(at)
  if (sign === 43 || sign === 45) at++
  if (at >= end) return undefined
  let exponent = 0
  for (; at < end; at++) {
    const code = text.charCodeAt(at)
    if (!(code >= 48 && code <= 57)) return undefined
    exponent = exponent * 10 + (code - 48)
  }
  const scale = (point === nowhere ? 0 : letter - 1 - point) - (sign === 45 ? -exponent : exponent)
  if (value === 0 && scale <= 0) return zero
  let significant = 1
  for (let power = 10; value >= power; power *= 10) significant++
  if ((scale <= 0 ? significant - scale : Math.max(significant, scale + 1)) > maxDigits) return undefined
  return BigDecimal.make(Integer64.fromSafe(negative ? -value : value), scale)
}

/**
 * Reads the decimal between two offsets of a text, as `parse` does.
 *
 * @category constructors
 * @since 0.1.0
 */
export const parseRange = (text: string, start: number, end: number): Decimal | undefined => {
  let at = start
  const negative = at < end && text.charCodeAt(at) === 45
  if (negative) at++
  const first = at
  const usual = end - first > usualDigits ? undefined : usualAt(text, first, end)
  if (usual !== undefined && usualEnd === end) {
    return negative ? BigDecimal.make(-usual.value, usual.scale) : usual
  }
  let point = nowhere
  let value = 0
  for (; at < end; at++) {
    const code = text.charCodeAt(at)
    if (code >= 48 && code <= 57) {
      value = value * 10 + (code - 48)
    } else if (code === 46 && point === nowhere && at > first) {
      point = at
    } else if ((code === 101 || code === 69) && at > first) {
      return parseShortExponential(text, first, point, at, end, negative, value) ??
        parseExponential(text.slice(start, end))
    } else {
      return undefined
    }
  }
  if (first === end || point === end - 1) return undefined
  const digits = end - first - (point === nowhere ? 0 : 1)
  // `01` is no JSON number; `0` and `0.1` are.
  if (text.charCodeAt(first) === 48 && digits > 1 && point !== first + 1) return undefined
  if (digits > maxDigits) return undefined
  const exact = BigInt(withoutPoint(text, first, point, end))
  return BigDecimal.make(negative ? -exact : exact, point === nowhere ? 0 : end - 1 - point)
}

/**
 * Says why `parse` refused a text: it is no number, or it is too long.
 *
 * @category getters
 * @since 0.1.0
 */
export const refusal = (text: string): "not a number" | `more than ${number} digits in plain notation` =>
  jsonNumber.test(text) ? `more than ${maxDigits} digits in plain notation` : "not a number"

/**
 * How many digits stand after the point in plain notation.
 *
 * @category getters
 * @since 0.1.0
 */
export const decimalPlaces = (self: Decimal): number => Math.max(0, self.scale)
