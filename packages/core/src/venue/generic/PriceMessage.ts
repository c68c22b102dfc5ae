/**
 * The generic price message,
 * `{"product_id":"BTC-USD","price":"45000.50","timestamp":"2025-10-28T12:00:00Z"}`,
 * for servers of one's own. Members may have other names, the price may be a
 * JSON string or number (exact either way), the timestamp ISO-8601 or Unix time
 * in seconds, milliseconds or microseconds. What is refused says in which of
 * three ways it failed (it does not parse, a member has the wrong type, a member
 * breaks a rule), and names the member and the reason.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as ExactJson from "../../codec/ExactJson.ts"
import * as JsonText from "../../codec/internal/jsonText.ts"
import * as Decimal from "../../value/Decimal.ts"
import * as DecimalText from "../../value/internal/decimal.ts"
import * as Timestamp from "../../value/Timestamp.ts"

/**
 * A price of a product at an instant, as a generic price message says it.
 *
 * @category models
 * @since 0.1.0
 */
export class PriceMessage extends Schema.Class<PriceMessage>("PriceMessage")({
  product: Schema.NonEmptyString,
  price: Decimal.FromText.check(Schema.isGreaterThanBigDecimal(Decimal.zero)),
  timestamp: Schema.optionalKey(Timestamp.FromText)
}) {
  /** The product, by the name of the message's own member. */
  get productId(): string {
    return this.product
  }

  /** The product, by its other usual name. */
  get symbol(): string {
    return this.product
  }
}

/**
 * Why a message was refused. A plain value: it captures no stack.
 *
 * - `parse`: not JSON, or not an object.
 * - `type`: a member's value is of the wrong type, or no number where one is asked for.
 * - `validation`: a member is missing, empty, or breaks a rule.
 *
 * @category models
 * @since 0.1.0
 */
export class PriceRejected extends Schema.TaggedClass<PriceRejected>()("PriceRejected", {
  category: Schema.Literals(["parse", "type", "validation"]),
  reason: Schema.Literals(["MalformedJson", "NotAnObject", "MissingField", "InvalidField"]),
  /** The member's name as the message has it, or as it should be where it is missing. */
  field: Schema.optionalKey(Schema.String),
  message: Schema.String
}) {}

/**
 * The rules of a dialect.
 *
 * @category models
 * @since 0.1.0
 */
export interface Rules {
  /** For each part of the message the names of its member; the first that has a value counts. */
  readonly fieldMap: {
    readonly product: ReadonlyArray<string>
    readonly price: ReadonlyArray<string>
    readonly timestamp: ReadonlyArray<string>
  }
  /** Whether a message without timestamp is refused. Product and price are always required. */
  readonly timestampRequired: boolean
  /** Members beyond those of `fieldMap` that must be there, and not `null`. */
  readonly requiredFields: ReadonlyArray<string>
  /** Refuses what is older than this, in milliseconds. */
  readonly maxAgeMillis: number | undefined
  /** Refuses what is further in the future than this, in milliseconds. */
  readonly maxFutureSkewMillis: number | undefined
  /** Refuses prices with more decimal places than this. */
  readonly maxDecimalPlaces: number | undefined
}

/**
 * The usual rules: `product_id` or `symbol`, `price`, and
 * `timestamp` or `ts`, all three required. Age and decimal places are not
 * limited.
 *
 * @category constants
 * @since 0.1.0
 */
export const strict: Rules = {
  fieldMap: { product: ["product_id", "symbol"], price: ["price"], timestamp: ["timestamp", "ts"] },
  timestampRequired: true,
  requiredFields: [],
  maxAgeMillis: undefined,
  maxFutureSkewMillis: undefined,
  maxDecimalPlaces: undefined
}

/**
 * As `strict`, without the need for a timestamp.
 *
 * @category constants
 * @since 0.1.0
 */
export const lenient: Rules = { ...strict, timestampRequired: false }

const refuse = (
  category: PriceRejected["category"],
  reason: PriceRejected["reason"],
  field: string | undefined,
  message: string
): PriceRejected => new PriceRejected({ category, reason, ...(field === undefined ? {} : { field }), message })

const nullOrEmpty = (field: string, json: ExactJson.Json): PriceRejected | undefined =>
  json === null
    ? refuse("type", "InvalidField", field, `${field} is null`)
    : json === ""
    ? refuse("validation", "InvalidField", field, `${field} is empty`)
    : undefined

/**
 * Checks a product: a string that is not empty. `null`, an empty string and
 * another type are three different refusals.
 */
const validateProduct = (json: ExactJson.Json, field = "product_id"): string | PriceRejected =>
  nullOrEmpty(field, json) ??
    (typeof json === "string"
      ? json
      : refuse("type", "InvalidField", field, `${field} must be a string, found ${JsonText.describe(json)}`))

/**
 * Checks a price: a JSON string or number that is a decimal greater than zero,
 * with no more decimal places than `maxDecimalPlaces`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const validatePrice = (
  json: ExactJson.Json,
  field = "price",
  rules: Pick<Rules, "maxDecimalPlaces"> = strict
): Decimal.Decimal | PriceRejected => {
  const bad = nullOrEmpty(field, json)
  if (bad !== undefined) return bad
  const text = typeof json === "string" ? json : json instanceof ExactJson.JsonNumber ? json.text : undefined
  if (text === undefined) {
    return refuse("type", "InvalidField", field, `${field} must be numeric, found ${JsonText.describe(json)}`)
  }
  const price = Decimal.parse(text)
  if (price === undefined) {
    return DecimalText.refusal(text) === "not a number"
      ? refuse("type", "InvalidField", field, `${field} must be numeric, found ${JsonText.describe(json)}`)
      : refuse("validation", "InvalidField", field, `${field} has ${DecimalText.refusal(text)}`)
  }
  if (!Decimal.isPositive(price)) {
    return refuse(
      "validation",
      "InvalidField",
      field,
      `${field} must be greater than zero, found ${JsonText.describe(json)}`
    )
  }
  const places = DecimalText.decimalPlaces(price)
  if (rules.maxDecimalPlaces !== undefined && places > rules.maxDecimalPlaces) {
    return refuse(
      "validation",
      "InvalidField",
      field,
      `${field} has ${places} decimal places, at most ${rules.maxDecimalPlaces} are allowed`
    )
  }
  return price
}

/**
 * Checks a timestamp: ISO-8601 in a JSON string, or Unix time in a JSON string
 * or number. `nowMillis` is what the limits of age and skew are measured by;
 * without it they are not applied.
 *
 * @category constructors
 * @since 0.1.0
 */
export const validateTimestamp = (
  json: ExactJson.Json,
  field = "timestamp",
  rules: Pick<Rules, "maxAgeMillis" | "maxFutureSkewMillis"> = strict,
  nowMillis?: number | undefined
): Timestamp.Timestamp | PriceRejected => {
  const bad = nullOrEmpty(field, json)
  if (bad !== undefined) return bad
  const text = typeof json === "string" ? json : json instanceof ExactJson.JsonNumber ? json.text : undefined
  if (text === undefined) {
    return refuse(
      "type",
      "InvalidField",
      field,
      `${field} must be a string or a number, found ${JsonText.describe(json)}`
    )
  }
  const timestamp = Timestamp.parse(text)
  if (timestamp === undefined) {
    return refuse(
      "type",
      "InvalidField",
      field,
      `${field} must be ISO-8601 or Unix time, found ${JsonText.describe(json)}`
    )
  }
  if (nowMillis === undefined) return timestamp
  const age = nowMillis - Timestamp.epochMillis(timestamp)
  if (rules.maxAgeMillis !== undefined && age > rules.maxAgeMillis) {
    return refuse(
      "validation",
      "InvalidField",
      field,
      `${field} is ${age} ms old, at most ${rules.maxAgeMillis} are allowed`
    )
  }
  if (rules.maxFutureSkewMillis !== undefined && -age > rules.maxFutureSkewMillis) {
    return refuse(
      "validation",
      "InvalidField",
      field,
      `${field} is ${-age} ms in the future, at most ${rules.maxFutureSkewMillis} are allowed`
    )
  }
  return timestamp
}

/**
 * A number's text, its exact value, and how many digits stand after the point
 * in plain notation; `undefined` where the text is no number.
 *
 * @category getters
 * @since 0.1.0
 */
export const preservePrecision = (
  text: string
): { readonly text: string; readonly decimal: Decimal.Decimal; readonly decimalPlaces: number } | undefined => {
  const decimal = Decimal.parse(text)
  return decimal === undefined ? undefined : { text, decimal, decimalPlaces: DecimalText.decimalPlaces(decimal) }
}

/** The first of a part's names under which the message has a value, or else has `null`; `undefined` for none. */
const nameIn = (message: ExactJson.JsonObject, names: ReadonlyArray<string>): string | undefined =>
  names.find((name) => Object.hasOwn(message, name) && message[name] !== null) ??
    names.find((name) => Object.hasOwn(message, name))

/**
 * Reads a message from a JSON object. Of several faults the first in the
 * message's order is told; a missing member counts as standing at its end.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromObject = (
  message: ExactJson.JsonObject,
  rules: Rules = strict,
  nowMillis?: number | undefined
): Result.Result<PriceMessage, PriceRejected> => {
  const { fieldMap } = rules
  const names = Object.keys(message)
  let fault: PriceRejected | undefined
  let place = Number.POSITIVE_INFINITY
  const check = <A extends object | string>(
    candidates: ReadonlyArray<string>,
    required: boolean,
    validate: (json: ExactJson.Json, field: string) => A | PriceRejected
  ): A | undefined => {
    const name = nameIn(message, candidates)
    const value = name === undefined ? undefined : message[name]
    if (name === undefined || value === undefined || (value === null && !required)) {
      if (required) fault ??= refuse("validation", "MissingField", candidates[0], `${candidates[0]} is missing`)
      return undefined
    }
    const result = validate(value, name)
    if (!(result instanceof PriceRejected)) return result
    const at = names.indexOf(name)
    if (at < place) {
      fault = result
      place = at
    }
    return undefined
  }
  const product = check(fieldMap.product, true, validateProduct)
  const price = check(fieldMap.price, true, (json, field) => validatePrice(json, field, rules))
  const timestamp = check(
    fieldMap.timestamp,
    rules.timestampRequired,
    (json, field) => validateTimestamp(json, field, rules, nowMillis)
  )
  for (const field of rules.requiredFields) check([field], true, (json) => nullOrEmpty(field, json) ?? {})
  if (fault !== undefined || product === undefined || price === undefined) {
    return Result.fail(fault ?? refuse("validation", "InvalidField", undefined, "the message is not valid"))
  }
  return Result.succeed(
    new PriceMessage(
      timestamp === undefined ? { product, price } : { product, price, timestamp },
      // Everything was validated just now.
      { disableChecks: true }
    )
  )
}

/**
 * Reads a message from its text.
 *
 * @category constructors
 * @since 0.1.0
 */
export const parseJson = (
  text: string,
  rules: Rules = strict,
  nowMillis?: number | undefined
): Result.Result<PriceMessage, PriceRejected> => {
  const json = ExactJson.parse(text)
  if (json instanceof ExactJson.Malformed) {
    return Result.fail(
      refuse(
        "parse",
        "MalformedJson",
        undefined,
        text === "" ? "JSON syntax: the message is empty" : `JSON syntax: ${json.message}`
      )
    )
  }
  if (!ExactJson.isObject(json)) {
    return Result.fail(
      refuse(
        "parse",
        "NotAnObject",
        undefined,
        `invalid structure: expected an object, found ${JsonText.describe(json)}`
      )
    )
  }
  return fromObject(json, rules, nowMillis)
}
