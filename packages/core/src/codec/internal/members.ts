/**
 * The members of a message: each says how it is read exactly, and how fast.
 *
 * @since 0.1.0
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as SchemaParser from "effect/SchemaParser"
import type * as ExactJson from "../ExactJson.ts"
import * as Rejection from "../Rejection.ts"
import * as BookRows from "./bookRows.ts"
import { type FieldPath, pathOf } from "./fieldPath.ts"
import type * as Layout from "./layout.ts"
import * as MemberSchemas from "./memberSchemas.ts"
import * as RejectionWords from "./rejectionWords.ts"

/**
 * A member whose value is an `A`.
 *
 * @category models
 * @since 0.1.0
 */
export abstract class Member<out A> {
  declare readonly "~value": A
  /** A value as a venue might write it, in JSON. */
  abstract readonly sample: string
  /** The same, which may be absent or `null`, or `null` only. */
  abstract or(without: Without): Member<A | undefined>
}

/** Which of absent and `null` stand for a value that there is none of. */
export type Without = "none" | "null" | "either"

/**
 * Whether a value is one that stands for none.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isWithout = (without: Without, value: unknown): boolean =>
  value === undefined ? without === "either" : value === null && without !== "none"

const withoutSchema = (
  schema: Schema.ConstraintDecoder<unknown>,
  without: Without
): Schema.ConstraintDecoder<unknown> =>
  without === "either" ? MemberSchemas.optional(schema) : without === "null" ? Schema.NullOr(schema) : schema

/** How the captured text of a scalar becomes its value: numbers, by which every member of a frame is told apart. */
export const codes = {
  text: 0,
  string: 1,
  decimal: 2,
  time: 3,
  iso: 4,
  millis: 5,
  flag: 6,
  word: 7,
  pinned: 8,
  prefix: 9
} as const

type Code = keyof typeof codes

interface ScalarOptions {
  readonly code: Code
  readonly schema: Schema.ConstraintDecoder<unknown>
  readonly sample: string
  readonly isOptional?: boolean
  /** Whether an empty string stands for no value. */
  readonly isBlank?: boolean
  readonly isNullable?: boolean
  readonly words?: Readonly<Record<string, unknown>>
  readonly separator?: string
}

/**
 * A string, a number or a boolean.
 *
 * @category models
 * @since 0.1.0
 */
export class Scalar<out A> extends Member<A> {
  readonly code: number
  readonly schema: Schema.ConstraintDecoder<unknown>
  readonly sample: string
  readonly isOptional: boolean
  /** Whether an empty string stands for no value. */
  readonly isBlank: boolean
  /** Whether a number may be `null` in another message. */
  readonly isNullable: boolean
  /** Whether it names the kind of its message. */
  readonly isPinned: boolean
  readonly isTime: boolean
  /** The texts that it may be, and what each means. */
  readonly words: ReadonlyArray<string>
  readonly meanings: ReadonlyArray<unknown>
  /** Up to where the text names the kind. */
  readonly separator: string
  readonly #options: ScalarOptions

  constructor(options: ScalarOptions) {
    super()
    this.#options = options
    this.code = codes[options.code]
    this.schema = options.schema
    this.sample = options.sample
    this.isOptional = options.isOptional ?? false
    this.isBlank = options.isBlank ?? false
    this.isNullable = options.isNullable ?? false
    this.words = Object.keys(options.words ?? {})
    this.meanings = Object.values(options.words ?? {})
    this.separator = options.separator ?? ""
    this.isPinned = options.code === "pinned" || options.code === "prefix"
    this.isTime = options.code === "time" || options.code === "iso"
  }

  or(without: Without): Scalar<A | undefined> {
    const { code, sample, schema } = this
    return new Scalar({
      ...this.#options,
      schema: withoutSchema(schema, without),
      isOptional: true,
      isNullable: code === codes.decimal && !sample.startsWith("\"")
    })
  }

  /** What the value that the Schema has read means. */
  mean(value: unknown): unknown {
    if (value === null || value === undefined || typeof value !== "string") return value ?? undefined
    if (this.code === codes.prefix) return value.split(this.separator, 1)[0]
    return this.isBlank && value === "" ? undefined : value
  }
}

/**
 * A value that only its Schema can read: a message that has one is never read
 * the fast way.
 *
 * @category models
 * @since 0.1.0
 */
export class Exact<out A> extends Member<A> {
  readonly schema: Schema.ConstraintDecoder<unknown>
  readonly sample: string
  /** What the value that the Schema has read means. */
  readonly mean: (value: unknown) => unknown

  constructor(
    schema: Schema.ConstraintDecoder<unknown>,
    sample: string,
    mean: (value: unknown) => unknown = (value) => value
  ) {
    super()
    this.schema = schema
    this.sample = sample
    this.mean = mean
  }

  or(without: Without): Exact<A | undefined> {
    return new Exact(withoutSchema(this.schema, without), this.sample, this.mean)
  }
}

/** What a layout hands over for rows: which of its segments, and where in the plan. */
type Segment =
  | { readonly _tag: "Book"; readonly read: Layout.ReadRows }
  | { readonly _tag: "List"; readonly names: ReadonlyArray<string> }

/**
 * How rows become a value: exactly, and from a layout's segment.
 *
 * @category models
 * @since 0.1.0
 */
export interface Reading<A> {
  readonly exact: (rows: ReadonlyArray<unknown>) => A | BookRows.BadCell
  readonly segment: Segment
  /** The value of the plan's segment of this index, or `undefined`. */
  readonly fast: (members: Layout.Members, index: number) => A | undefined
  readonly sample: string
}

/**
 * The rows of a book.
 *
 * @category models
 * @since 0.1.0
 */
export class Book<out A extends object | undefined> extends Member<A> {
  readonly reading: Reading<object>
  readonly schema: Schema.ConstraintDecoder<unknown>
  readonly sample: string
  /** Which of absent and `null` stand for no rows. */
  readonly without: Without

  constructor(reading: Reading<object>, without: Without = "none") {
    super()
    this.reading = reading
    this.sample = reading.sample
    this.without = without
    this.schema = withoutSchema(BookRows.rows(reading.exact), without)
  }

  or(without: Without): Book<A | undefined> {
    return new Book(this.reading, without)
  }

  /** Reads what stands in an array at a place. */
  exactly(
    venue: string,
    value: ExactJson.Json | undefined,
    place: FieldPath
  ): object | undefined | Rejection.FrameRejected {
    const read = this.plain(value)
    if (read !== false) return read
    const at = pathOf(place)
    if (value === undefined) return Rejection.unexpected(venue, at, "rows", value)
    const result = SchemaParser.decodeUnknownResult(this.schema)(value)
    return Result.isFailure(result)
      ? Rejection.frameRejected(venue, ...RejectionWords.invalid(value, result.failure, at))
      : undefined
  }

  /** The rows without the help of the Schema; `false` where it must tell what is wrong. */
  plain(value: ExactJson.Json | undefined): object | undefined | false {
    if (isWithout(this.without, value)) return undefined
    const read = Array.isArray(value) && this.reading.exact(value)
    return read instanceof BookRows.BadCell ? false : read
  }
}
