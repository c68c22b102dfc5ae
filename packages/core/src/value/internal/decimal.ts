/**
 * Reads decimals from text.
 *
 * @since 0.1.0
 */
import * as BigDecimal from "effect/BigDecimal"

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
export const ofSafe = (value: number, scale: number): Decimal => {
  const place = Math.imul((value | 0) + scale, 0x9e37_79b1) >>> 22
  const known = lately[place]
  if (known !== undefined && latelyValues[place] === value && known.scale === scale) return known
  const made = BigDecimal.make(BigInt(value), scale)
  lately[place] = made
  latelyValues[place] = value
  return made
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
  return BigDecimal.make(BigInt(negative ? -value : value), scale)
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
  if (at >= end) return undefined
  const first = at
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
  if (point === end - 1) return undefined
  const digits = end - first - (point === nowhere ? 0 : 1)
  // `01` is no JSON number; `0` and `0.1` are.
  if (text.charCodeAt(first) === 48 && digits > 1 && point !== first + 1) return undefined
  const scale = point === nowhere ? 0 : end - 1 - point
  if (digits <= exactDoubleDigits) return negative ? BigDecimal.make(BigInt(-value), scale) : ofSafe(value, scale)
  if (digits > maxDigits) return undefined
  const exact = BigInt(withoutPoint(text, first, point, end))
  return BigDecimal.make(negative ? -exact : exact, scale)
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
