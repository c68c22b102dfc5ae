/**
 * Schemas of what exact JSON holds: the values of a message that is read, or
 * written, by a Schema. Numbers go from their text to an exact value and back,
 * and never through a float.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import * as SchemaTransformation from "effect/SchemaTransformation"
import * as DecimalValue from "../value/Decimal.ts"
import type * as TimestampValue from "../value/Timestamp.ts"
import { JsonNumber } from "./ExactJson.ts"
import * as MemberSchemas from "./internal/memberSchemas.ts"

/**
 * A decimal that is written as a JSON number, with the digits and the trailing
 * zeros that it has. A string with the digits of a number is read as well.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Decimal: Schema.Codec<DecimalValue.Decimal, JsonNumber | string> = Schema.Union([
  MemberSchemas.NumberText,
  Schema.NonEmptyString
]).pipe(
  Schema.decodeTo(
    Schema.BigDecimal,
    SchemaTransformation.transformEffect<DecimalValue.Decimal, JsonNumber | string>({
      decode: (json, options) => {
        const decimal = DecimalValue.parse(String(json))
        return decimal === undefined
          ? Effect.fail(new SchemaIssue.InvalidValue({ expected: "a decimal" }, json, options))
          : Effect.succeed(decimal)
      },
      encode: (decimal) => Effect.succeed(new JsonNumber(DecimalValue.format(decimal)))
    })
  )
)

const wholeNumber = /^-?\d+$/

/**
 * A whole number that a `number` holds exactly, such as a count or a depth.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Integer: Schema.Codec<number, JsonNumber> = MemberSchemas.NumberText.pipe(
  Schema.decodeTo(
    Schema.Int,
    SchemaTransformation.transformEffect<number, JsonNumber>({
      decode: (json, options) => {
        const integer = wholeNumber.test(json.text) ? Number(json.text) : Number.NaN
        return Number.isSafeInteger(integer)
          ? Effect.succeed(integer)
          : Effect.fail(new SchemaIssue.InvalidValue({ expected: "a whole number" }, json, options))
      },
      encode: (integer) => Effect.succeed(new JsonNumber(String(integer)))
    })
  )
)

/**
 * An identifier: a JSON string, or a JSON number as its own text. It is written
 * as a string.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Id: Schema.Codec<string, JsonNumber | string> = MemberSchemas.Id

/**
 * A time that is written as a JSON number of milliseconds since 1970.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Millis: Schema.Codec<TimestampValue.Timestamp, JsonNumber> = MemberSchemas.Millis

/**
 * A member that a peer leaves out, or sends as `null`, where it has no value.
 *
 * @category schemas
 * @since 0.1.0
 */
export const optional = MemberSchemas.optional
