/**
 * Exact decimals. A decimal is Effect's `BigDecimal` whose scale is that of the
 * text it was read from, so `"43250.10"` stays `43250.10`: the trailing zero is
 * part of what the venue said (and of some venues' checksums).
 *
 * `BigDecimal` compares by value, so `1.0` equals `1.00`; only `format` shows
 * the scale.
 *
 * @since 0.1.0
 */
import * as BigDecimal from "effect/BigDecimal"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import * as SchemaTransformation from "effect/SchemaTransformation"

/**
 * A decimal whose scale is that of the text it was read from. `1e5` has scale
 * -5; a zero never has a negative scale.
 *
 * @category models
 * @since 0.1.0
 */
export type Decimal = BigDecimal.BigDecimal

/**
 * The most digits that a decimal may need in plain notation, the zero before
 * the point included. Bounds what a few bytes such as `1e999999999` can cost.
 *
 * @category constants
 * @since 0.1.0
 */
export const maxDigits = 1000

/**
 * Zero.
 *
 * @category constants
 * @since 0.1.0
 */
export const zero: Decimal = BigDecimal.make(0n, 0)

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
  if (digits <= exactDoubleDigits) return BigDecimal.make(BigInt(negative ? -value : value), scale)
  if (digits > maxDigits) return undefined
  const exact = BigInt(withoutPoint(text, first, point, end))
  return BigDecimal.make(negative ? -exact : exact, scale)
}

/**
 * Reads a decimal from a text that is exactly a JSON number: no `+`, no leading
 * zero, no bare point, no white space, no `Infinity`; exponents are fine.
 * `undefined` where it is none, or where it would need more than `maxDigits` in
 * plain notation. `-0` reads as `0` with its scale.
 *
 * @category constructors
 * @since 0.1.0
 */
export const parse = (text: string): Decimal | undefined => parseRange(text, 0, text.length)

/**
 * Says why `parse` refused a text: it is no number, or it is too long.
 *
 * @category getters
 * @since 0.1.0
 */
export const refusal = (text: string): "not a number" | `more than ${number} digits in plain notation` =>
  jsonNumber.test(text) ? `more than ${maxDigits} digits in plain notation` : "not a number"

/**
 * The decimal in plain notation with all its digits and trailing zeros:
 * `0.000000010` for `1.0e-8`, `100000` for `1e5`.
 *
 * @category getters
 * @since 0.1.0
 */
export const format = (self: Decimal): string => {
  const { scale, value } = self
  const text = value.toString()
  if (scale === 0) return text
  if (scale < 0) return value === 0n ? "0" : text + "0".repeat(-scale)
  const negative = value < 0n
  const digits = (negative ? text.slice(1) : text).padStart(scale + 1, "0")
  const point = digits.length - scale
  return `${negative ? "-" : ""}${digits.slice(0, point)}.${digits.slice(point)}`
}

/**
 * How many digits stand after the point in plain notation.
 *
 * @category getters
 * @since 0.1.0
 */
export const decimalPlaces = (self: Decimal): number => Math.max(0, self.scale)

/**
 * Whether the decimal is greater than zero.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isPositive = (self: Decimal): boolean => self.value > 0n

/**
 * A decimal as text: exact both ways, the scale kept. What `parse` refuses is
 * a schema issue.
 *
 * @category schemas
 * @since 0.1.0
 */
export const FromText: Schema.decodeTo<Schema.BigDecimal, Schema.String> = Schema.String.pipe(
  Schema.decodeTo(
    Schema.BigDecimal,
    SchemaTransformation.transformEffect<Decimal, string>({
      decode: (text, options) => {
        const decimal = parse(text)
        return decimal === undefined
          ? Effect.fail(
            new SchemaIssue.InvalidValue(
              { expected: refusal(text) === "not a number" ? "a decimal" : `at most ${maxDigits} digits` },
              text,
              options
            )
          )
          : Effect.succeed(decimal)
      },
      encode: (decimal) => Effect.succeed(format(decimal))
    })
  )
)
