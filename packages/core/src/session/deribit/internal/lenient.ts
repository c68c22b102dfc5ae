/**
 * Values that Deribit writes in more ways than its description says, and those
 * that nobody else may read.
 *
 * @since 0.1.0
 */
import type * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import * as SchemaTransformation from "effect/SchemaTransformation"
import type * as ExactJson from "../../../codec/ExactJson.ts"

const BooleanText = Schema.Literals(["true", "false"])

/**
 * A boolean: described as its text in places where it is sent as itself.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Flag: Schema.Codec<boolean, boolean | "true" | "false"> = Schema.Union([Schema.Boolean, BooleanText]).pipe(
  Schema.decodeTo(
    Schema.Boolean,
    SchemaTransformation.transform<boolean, boolean | "true" | "false">({
      decode: (value) => value === true || value === "true",
      encode: (value) => value
    })
  )
)

const LockedText = Schema.Literals(["true", "partial", "false"])

/**
 * Which part of the platform is locked, also where a boolean says it.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Locked: Schema.Codec<typeof LockedText.Type, typeof LockedText.Type | boolean> = Schema.Union([
  LockedText,
  Schema.Boolean
]).pipe(
  Schema.decodeTo(
    LockedText,
    SchemaTransformation.transform<typeof LockedText.Type, typeof LockedText.Type | boolean>({
      decode: (value) => value === true ? "true" : value === false ? "false" : value,
      encode: (value) => value
    })
  )
)

/**
 * A secret: a text on the wire, and nowhere else.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Secret: Schema.Codec<Redacted.Redacted<string>, string> = Schema.RedactedFromValue(Schema.String)

const isList = <A>(value: ReadonlyArray<A> | A): value is ReadonlyArray<A> => Array.isArray(value)

/**
 * A list, also where the venue sends its only member by itself.
 *
 * @category schemas
 * @since 0.1.0
 */
export const list = <A, I>(
  item: Schema.Codec<A, I>
): Schema.Codec<ReadonlyArray<A>, ReadonlyArray<I> | I> => {
  const items = Schema.Array(item)
  return Schema.Union([items, item]).pipe(
    Schema.decodeTo(
      Schema.toType(items),
      SchemaTransformation.transform<ReadonlyArray<A>, ReadonlyArray<A> | A>({
        decode: (value) => isList(value) ? value : [value],
        encode: (value) => value
      })
    )
  )
}

const isJson = (value: unknown): value is ExactJson.Json =>
  value === null || typeof value === "string" || typeof value === "boolean" || typeof value === "object"

/**
 * What the venue does not describe, as the exact JSON that it is.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Json: Schema.Codec<ExactJson.Json> = Schema.declare(isJson, { expected: "JSON" })
