/**
 * Schema codecs for the members that venues write: identifiers, decimals, times.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import * as SchemaTransformation from "effect/SchemaTransformation"
import * as Decimal from "../../value/Decimal.ts"
import * as Digits from "../../value/internal/digits.ts"
import * as Timestamp from "../../value/Timestamp.ts"
import { JsonNumber, type JsonObject } from "../ExactJson.ts"

/**
 * A JSON number as its text.
 *
 * @category schemas
 * @since 0.1.0
 */
export const NumberText = Schema.instanceOf(JsonNumber, { expected: "number" })

/** A JSON number as a text, for codecs that take strings and numbers alike. */
const TextOfNumber = NumberText.pipe(
  Schema.decodeTo(
    Schema.String,
    SchemaTransformation.transform<string, JsonNumber>({
      decode: (number) => number.text,
      encode: (text) => new JsonNumber(text)
    })
  )
)

/**
 * An identifier or sequence number: a JSON string or number, as its own text.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Id = Schema.Union([Schema.NonEmptyString, TextOfNumber])

/**
 * A timestamp written as a JSON string or as a JSON number.
 *
 * @category schemas
 * @since 0.1.0
 */
export const TimestampText = Schema.Union([
  Timestamp.FromText,
  TextOfNumber.pipe(Schema.decodeTo(Timestamp.FromText))
])

/**
 * A member that a venue may leave out or send as `null`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const optional = <S extends Schema.Constraint>(schema: S): Schema.optionalKey<Schema.NullOr<S>> =>
  Schema.optionalKey(Schema.NullOr(schema))

/**
 * A decimal that a venue may leave out, or send as `null` or as an empty string
 * where there is none: the quote of a side without orders, the last price before
 * the first trade.
 *
 * @category schemas
 * @since 0.1.0
 */
export const OptionalDecimal = optional(Schema.Union([Decimal.FromText, Schema.Literal("")]))

/**
 * Whether an object has a member of any of these names, with or without a value.
 *
 * @category predicates
 * @since 0.1.0
 */
export const hasAny = (object: JsonObject, ...names: ReadonlyArray<string>): boolean =>
  names.some((name) => Object.hasOwn(object, name))

/**
 * A time as whole milliseconds since 1970, whatever its magnitude: the text of
 * the number. `undefined` where it is none.
 *
 * @category constructors
 * @since 0.1.0
 */
export const millis = (text: string): Timestamp.Timestamp | undefined => {
  const millis = Digits.toSafe(text)
  return millis === undefined ? undefined : Timestamp.fromEpochMillis(millis)
}

/** Generated values are whole milliseconds, which are all that can be written. */
const TimestampOfMillis = Schema.declare(Timestamp.isTimestamp, {
  expected: "Timestamp",
  toCodecArbitrary: () =>
    Schema.link<Timestamp.Timestamp>()(
      Schema.Int.check(Schema.isGreaterThanOrEqualTo(0)),
      SchemaTransformation.transform<Timestamp.Timestamp, number>({
        decode: Timestamp.fromEpochMillis,
        encode: Timestamp.epochMillis
      })
    )
})

/**
 * A timestamp written as a JSON number of milliseconds since 1970.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Millis = TextOfNumber.pipe(
  Schema.decodeTo(
    TimestampOfMillis,
    SchemaTransformation.transformEffect<Timestamp.Timestamp, string>({
      decode: (text, options) => {
        const timestamp = millis(text)
        return timestamp === undefined
          ? Effect.fail(new SchemaIssue.InvalidValue({ expected: "milliseconds since 1970" }, text, options))
          : Effect.succeed(timestamp)
      },
      encode: (timestamp) => Effect.succeed(String(Timestamp.epochMillis(timestamp)))
    })
  )
)

/**
 * A decimal written as a JSON number, or as a string with the same digits.
 *
 * @category schemas
 * @since 0.1.0
 */
export const DecimalOfNumber = Id.pipe(Schema.decodeTo(Decimal.FromText))
