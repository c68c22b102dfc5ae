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
import { maxDigits, parseRange, refusal } from "./internal/decimal.ts"

/**
 * A decimal whose scale is that of the text it was read from. `1e5` has scale
 * -5; a zero never has a negative scale.
 *
 * @category models
 * @since 0.1.0
 */
export type Decimal = BigDecimal.BigDecimal

/**
 * Zero.
 *
 * @category constants
 * @since 0.1.0
 */
export const zero: Decimal = BigDecimal.make(0n, 0)

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

/**
 * A decimal as text that is greater than zero.
 *
 * @category schemas
 * @since 0.1.0
 */
export const PositiveFromText = FromText.check(Schema.isGreaterThanBigDecimal(zero))
