/**
 * Schema codecs for what venues write: frames read exactly, into exact values.
 *
 * A decoder is compiled when its first frame arrives, so that a Schema compiler
 * which the application enables at its start is used, and an environment that
 * forbids code generation still works.
 *
 * @since 0.1.0
 */
import * as BigDecimal from "effect/BigDecimal"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import * as SchemaParser from "effect/SchemaParser"
import * as SchemaTransformation from "effect/SchemaTransformation"
import { isObject, type Json, JsonNumber, type JsonObject } from "../codec/ExactJson.ts"
import type { Cells } from "../codec/internal/layout.ts"
import * as Rejection from "../codec/Rejection.ts"
import { type FrameRejected, frameRejected } from "../codec/Rejection.ts"
import type { Level } from "../event/MarketData.ts"
import { isMarketData, type MarketEvent } from "../event/MarketEvent.ts"
import * as Decimal from "../value/Decimal.ts"
import * as Timestamp from "../value/Timestamp.ts"
import type { Decode } from "./Venue.ts"

const NumberText = Schema.instanceOf(JsonNumber, { expected: "number" })

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
 * A decimal written as a JSON string or as a JSON number.
 *
 * @category schemas
 * @since 0.1.0
 */
export const DecimalText = Schema.Union([Decimal.FromText, TextOfNumber.pipe(Schema.decodeTo(Decimal.FromText))])

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
 * What an optional member holds: `undefined` for absent and for `null`.
 *
 * @category getters
 * @since 0.1.0
 */
export const present = <A>(value: A | null | undefined): A | undefined => value ?? undefined

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
 * What an optional decimal holds: `undefined` for absent, `null` and empty.
 *
 * @category getters
 * @since 0.1.0
 */
export const presentDecimal = (value: Decimal.Decimal | "" | null | undefined): Decimal.Decimal | undefined =>
  value === "" ? undefined : present(value)

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
export const millis = (text: string): Timestamp.Timestamp | undefined =>
  /^\d{1,15}$/.test(text) ? Timestamp.fromEpochMillis(Number(text)) : undefined

/**
 * A timestamp written as a JSON number of milliseconds since 1970.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Millis = TextOfNumber.pipe(
  Schema.decodeTo(
    Schema.declare(Timestamp.isTimestamp, { expected: "Timestamp" }),
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
 * What stands in a row where it is not what it should be.
 *
 * @category models
 * @since 0.1.0
 */
export class BadCell {
  readonly path: ReadonlyArray<PropertyKey>
  /** What was expected there; `undefined` where the cell is missing. */
  readonly expected: string | undefined

  constructor(path: ReadonlyArray<PropertyKey>, expected: string | undefined) {
    this.path = path
    this.expected = expected
  }
}

const decimalAt = (cell: unknown, index: number, column: PropertyKey): Decimal.Decimal | BadCell => {
  if (typeof cell !== "string") return new BadCell([index, column], "string")
  const decimal = Decimal.parse(cell)
  if (decimal !== undefined) return decimal
  return new BadCell(
    [index, column],
    Decimal.refusal(cell) === "not a number" ? "a decimal" : `at most ${Decimal.maxDigits} digits`
  )
}

/**
 * Reads the decimal of one cell of a row.
 *
 * @category constructors
 * @since 0.1.0
 */
export const decimalCell = (row: ReadonlyArray<unknown>, index: number, column: number): Decimal.Decimal | BadCell =>
  column >= row.length ? new BadCell([index, column], undefined) : decimalAt(row[column], index, column)

/**
 * Reads the book level that a row is: an object with a price and a size under
 * these names, or an array that begins with them. `index` is that of the row.
 *
 * @category constructors
 * @since 0.1.0
 */
export const level = (row: unknown, index: number, price: string, size: string): Level | BadCell => {
  if (Array.isArray(row)) {
    const first = decimalCell(row, index, 0)
    if (first instanceof BadCell) return first
    const second = decimalCell(row, index, 1)
    return second instanceof BadCell ? second : [first, second]
  }
  if (typeof row !== "object" || row === null || row instanceof JsonNumber) return new BadCell([index], "object")
  const read: Record<string, Decimal.Decimal> = {}
  for (const [name, cell] of Object.entries(row)) {
    if (name !== price && name !== size) continue
    const decimal = decimalAt(cell, index, name)
    if (decimal instanceof BadCell) return decimal
    read[name] = decimal
  }
  const first = read[price]
  const second = read[size]
  if (first === undefined) return new BadCell([index, price], undefined)
  return second === undefined ? new BadCell([index, size], undefined) : [first, second]
}

/**
 * Reads the book levels that rows are, as `level` does.
 *
 * @category constructors
 * @since 0.1.0
 */
export const levelsOf = (
  rows: ReadonlyArray<unknown>,
  price: string,
  size: string
): ReadonlyArray<Level> | BadCell => {
  const levels: Array<Level> = []
  for (let index = 0; index < rows.length; index++) {
    const read = level(rows[index], index, price, size)
    if (read instanceof BadCell) return read
    levels.push(read)
  }
  return levels
}

/**
 * A codec for rows that are read by hand, because books hold tens of thousands
 * of them. `read` gives the first bad cell, whose path the issue then bears.
 *
 * @category schemas
 * @since 0.1.0
 */
export const rows = <A extends object>(
  read: (rows: ReadonlyArray<unknown>) => A | BadCell
): Schema.decodeTo<Schema.declare<A>, Schema.Unknown> =>
  Schema.Unknown.pipe(
    Schema.decodeTo(
      Schema.declare<A>((value): value is A => typeof value === "object" && value !== null),
      SchemaTransformation.transformEffect<A, unknown>({
        decode: (value, options) => {
          if (!Array.isArray(value)) {
            return Effect.fail(new SchemaIssue.InvalidValue({ expected: "array" }, value, options))
          }
          const result = read(value)
          if (!(result instanceof BadCell)) return Effect.succeed(result)
          return Effect.fail(
            new SchemaIssue.Pointer(
              result.path,
              result.expected === undefined
                ? new SchemaIssue.MissingKey(undefined)
                : new SchemaIssue.InvalidValue({ expected: result.expected })
            )
          )
        },
        encode: (value) => Effect.succeed(value)
      })
    )
  )

/**
 * Book levels as rows of two strings, price and size. What a row holds beyond
 * them is passed over.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Levels: Schema.decodeTo<Schema.declare<ReadonlyArray<Level>>, Schema.Unknown> = rows<ReadonlyArray<Level>>(
  (input) => {
    const levels: Array<Level> = []
    for (let index = 0; index < input.length; index++) {
      const row = input[index]
      if (!Array.isArray(row)) return new BadCell([index], "array")
      const price = decimalCell(row, index, 0)
      if (price instanceof BadCell) return price
      const size = decimalCell(row, index, 1)
      if (size instanceof BadCell) return size
      levels.push([price, size])
    }
    return levels
  }
)

/**
 * The book levels in a layout's table of two columns, or `undefined` where a
 * cell is no decimal.
 *
 * @category getters
 * @since 0.1.0
 */
export const levels = (cells: Cells | undefined, frame: string): ReadonlyArray<Level> | undefined => {
  if (cells === undefined) return undefined
  const levels: Array<Level> = []
  for (let i = 0; i + 3 < cells.length; i += 4) {
    const price = Decimal.parseRange(frame, cells[i] ?? 0, cells[i + 1] ?? 0)
    const size = Decimal.parseRange(frame, cells[i + 2] ?? 0, cells[i + 3] ?? 0)
    if (price === undefined || size === undefined) return undefined
    levels.push([price, size])
  }
  return levels
}

/**
 * A JSON value for people and programs that know nothing of exact numbers: each
 * number is its own text.
 *
 * @category getters
 * @since 0.1.0
 */
export const plain = (json: Json): unknown => {
  if (json instanceof JsonNumber) return json.text
  if (Array.isArray(json)) return json.map(plain)
  if (!isObject(json)) return json
  return Object.fromEntries(Object.entries(json).map(([name, member]) => [name, plain(member)]))
}

type Fields = Readonly<Record<string, Schema.ConstraintDecoder<unknown>>>

type Decoder<A> = (input: unknown) => Result.Result<A, SchemaIssue.Issue>

/** The member of an object that an issue is about. */
const memberOf = (issue: SchemaIssue.Issue): PropertyKey | undefined =>
  issue._tag === "Pointer"
    ? issue.path[0]
    : issue._tag === "Composite" || issue._tag === "Encoding" || issue._tag === "Filter"
    ? memberOf(issue._tag === "Composite" ? issue.issues[0] : issue.issue)
    : undefined

/**
 * Makes a reader of one kind of frame, of the members that it may have: gives
 * the decoded members, or the rejection that names the first bad path. That is
 * the first bad member in the frame's order; where all that are there are good,
 * the first missing one in the order of the fields. `at` is where the object
 * stands in the frame, where it is a part of it, such as `["data"]`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const reader = <F extends Fields>(
  fields: F
): (
  venue: string,
  frame: JsonObject,
  at?: ReadonlyArray<PropertyKey>
) => Schema.Struct<F>["Type"] | FrameRejected => {
  let decode: Decoder<Schema.Struct<F>["Type"]> | undefined
  const single = new Map<string, Decoder<unknown>>()
  const decodeMember = (name: string, field: Schema.ConstraintDecoder<unknown>): Decoder<unknown> => {
    const known = single.get(name)
    if (known !== undefined) return known
    const made = SchemaParser.decodeUnknownResult(Schema.Struct({ [name]: field }))
    single.set(name, made)
    return made
  }
  return (venue, frame, at) => {
    decode ??= SchemaParser.decodeUnknownResult(Schema.Struct(fields))
    const result = decode(frame)
    if (Result.isSuccess(result)) return result.success
    const known = memberOf(result.failure)
    for (const name of Object.keys(frame)) {
      const field = Object.hasOwn(fields, name) ? fields[name] : undefined
      if (field === undefined) continue
      // A member that is known to be bad is not read again: it may be most of a large frame.
      if (name === known) break
      const member = decodeMember(name, field)(frame)
      if (Result.isFailure(member)) return Rejection.invalid(venue, frame, member.failure, at)
    }
    return Rejection.invalid(venue, frame, result.failure, at)
  }
}

/** Frames up to this length are not looked at: what they can become is a few megabytes. */
const usualFrame = 16_384

/** How many times its own length a frame may have in zeros that stand only for exponents. */
const mostExpansion = 8

const zerosOf = (decimal: Decimal.Decimal): number => Math.abs(decimal.scale)

const zerosOfLevels = (levels: ReadonlyArray<Level>): number => {
  let zeros = 0
  for (const [price, size] of levels) zeros += zerosOf(price) + zerosOf(size)
  return zeros
}

const zerosOfEvent = (event: MarketEvent): number => {
  if (!isMarketData(event)) return 0
  if (event._tag === "BookSnapshot" || event._tag === "BookDelta") {
    return zerosOfLevels(event.bids) + zerosOfLevels(event.asks)
  }
  let zeros = 0
  for (const member of Object.values(event)) if (BigDecimal.isBigDecimal(member)) zeros += zerosOf(member)
  return zeros
}

/**
 * Refuses what a long frame holds where plain notation makes it much longer: ten
 * mebibytes of `1e999` are a gigabyte of zeros, which no text can hold.
 *
 * @category constructors
 * @since 0.1.0
 */
export const bounded = (venue: string, decode: Decode): Decode => (frame) => {
  const decoded = decode(frame)
  if (frame.length <= usualFrame || "_tag" in decoded) return decoded
  const most = mostExpansion * frame.length
  let zeros = 0
  for (const event of decoded) {
    zeros += zerosOfEvent(event)
    if (zeros > most) {
      return frameRejected(venue, "TooLarge", undefined, `more than ${most} digits of exponents in plain notation`)
    }
  }
  return decoded
}
