/**
 * Reading a configuration's tables, each wrong key and value named: by its path,
 * with what stands there, unless it may be a secret, and what was expected.
 *
 * @since 0.1.0
 */
import * as PolicyConfig from "@tickline/core/resilience/PolicyConfig"
import * as Decimal from "@tickline/core/value/Decimal"
import { nearest } from "@tickline/core/value/Suggestion"
import * as BigDecimal from "effect/BigDecimal"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import { UsageError } from "../RunnerError.ts"

/**
 * A table as it was written.
 *
 * @category models
 * @since 0.1.0
 */
export type Table = Readonly<Record<string, unknown>>

/**
 * A value, or the wrong use that stands in its place.
 *
 * @category models
 * @since 0.1.0
 */
export type Read<A> = Effect.Effect<A, UsageError>

/** A text, number or truth value as it was written. What is inside a table or a list has keys of its own. */
const shown = (value: unknown): { readonly value?: string } => {
  if (typeof value !== "string" && typeof value !== "number" && typeof value !== "boolean") return {}
  const text = String(value)
  return { value: text.length > 64 ? `${text.slice(0, 63)}…` : text }
}

/**
 * A wrong value. It is that of a key that is known and can hold no secret; else
 * `undefined`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const refuse = (key: string, value: unknown, expected: string): Effect.Effect<never, UsageError> =>
  Effect.fail(new UsageError({ key, ...shown(value), expected }))

const isTable = (value: unknown): value is Table => Predicate.isObject(value) && !Array.isArray(value)

/**
 * Names in quotes, with commas between them.
 *
 * @category getters
 * @since 0.1.0
 */
export const quoted = (names: ReadonlyArray<string>): string => names.map((name) => `"${name}"`).join(", ")

/**
 * The table if its keys are among those known.
 *
 * @category decoding
 * @since 0.1.0
 */
export const checked = (table: Table, path: string, known: ReadonlyArray<string>): Read<Table> => {
  for (const key of Object.keys(table)) {
    if (known.includes(key)) continue
    const meant = nearest(key, known)
    return refuse(
      `${path}${key}`,
      undefined,
      meant === undefined ? `one of the keys ${known.join(", ")}` : `a key there is (did you mean ${path}${meant}?)`
    )
  }
  return Effect.succeed(table)
}

/**
 * The table under a key, its keys among those known; an empty one where there is none.
 *
 * @category decoding
 * @since 0.1.0
 */
export const tableOf = (within: Table, key: string, path: string, known?: ReadonlyArray<string>): Read<Table> => {
  const table = Object.hasOwn(within, key) ? within[key] : {}
  if (!isTable(table)) return refuse(path, table, "a table")
  return known === undefined ? Effect.succeed(table) : checked(table, `${path}.`, known)
}

/**
 * What is read of the value under a key, or the default.
 *
 * @category decoding
 * @since 0.1.0
 */
export const read = <A, B>(
  table: Table,
  key: string,
  path: string,
  { expected, read }: Kind<A>,
  otherwise: B
): Read<A | B> => {
  if (!Object.hasOwn(table, key)) return Effect.succeed(otherwise)
  const found = read(table[key])
  return found === undefined ? refuse(`${path}.${key}`, table[key], expected) : Effect.succeed(found)
}

/**
 * A value under a key that `is` accepts, or the default.
 *
 * @category decoding
 * @since 0.1.0
 */
export const value = <A>(
  table: Table,
  key: string,
  path: string,
  expected: string,
  is: (value: unknown) => value is A,
  otherwise: A
): Read<A> => read(table, key, path, { expected, read: (found) => is(found) ? found : undefined }, otherwise)

/**
 * Whether it is a text that is not empty.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isText = (value: unknown): value is string => typeof value === "string" && value.trim() !== ""

/**
 * Whether it is a port.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isPort = (value: unknown): value is number =>
  typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= 65_535

/**
 * Whether it is one of these names.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isOneOf = <const A extends string>(names: ReadonlyArray<A>) => (value: unknown): value is A =>
  names.some((name) => name === value)

/**
 * Whether it may name a variable of the environment.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isVariable = (value: unknown): value is string => typeof value === "string" && /^\w+$/.test(value)

/**
 * The texts under a key, each once.
 *
 * @category decoding
 * @since 0.1.0
 */
export const textsOf = (table: Table, key: string, path: string, expected: string): Read<ReadonlyArray<string>> => {
  const found = Object.hasOwn(table, key) ? table[key] : []
  if (!Array.isArray(found)) return refuse(`${path}.${key}`, found, expected)
  const wrong = found.findIndex((item) => !isText(item))
  return wrong < 0
    ? Effect.succeed([...new Set<string>(found)])
    : refuse(`${path}.${key}[${wrong}]`, found[wrong], "a text that is not empty")
}

/**
 * How a value is read, and what was expected of one that cannot be.
 *
 * @category models
 * @since 0.1.0
 */
export interface Kind<A> {
  readonly expected: string
  readonly read: (value: unknown) => A | undefined
}

// A number of TOML is a double, whose shortest text is what was written, up to 15 digits.
const decimalIn = (value: unknown): Decimal.Decimal | undefined =>
  typeof value === "string" || typeof value === "number" ? Decimal.parse(String(value)) : undefined

const decimalsOf = (expected: string, isAllowed: (decimal: Decimal.Decimal) => boolean): Kind<Decimal.Decimal> => ({
  expected,
  read: (value) => {
    const decimal = decimalIn(value)
    return decimal !== undefined && isAllowed(decimal) ? decimal : undefined
  }
})

const one = BigDecimal.make(1n, 0)

/**
 * An amount, as text or as a number.
 *
 * @category constants
 * @since 0.1.0
 */
export const amount = decimalsOf("an amount above zero, such as \"0.05\"", Decimal.isPositive)

/**
 * A share that is more than nothing and less than the whole.
 *
 * @category constants
 * @since 0.1.0
 */
export const share = decimalsOf(
  "a share above 0 and below 1, such as 0.05",
  (decimal) => Decimal.isPositive(decimal) && BigDecimal.isLessThan(decimal, one)
)

/**
 * A share that is more than nothing, up to the whole.
 *
 * @category constants
 * @since 0.1.0
 */
export const shareOrWhole = decimalsOf(
  "a share above 0, up to 1, such as 0.1",
  (decimal) => Decimal.isPositive(decimal) && BigDecimal.isLessThanOrEqualTo(decimal, one)
)

/**
 * A duration above zero, in words or short.
 *
 * @category constants
 * @since 0.1.0
 */
export const duration: Kind<Duration.Duration> = {
  expected: "a duration greater than zero, such as \"20 seconds\" or \"500ms\"",
  read: (value) => {
    const found = typeof value === "string" ? Option.getOrUndefined(PolicyConfig.durationFromText(value)) : undefined
    return found !== undefined && Duration.isPositive(found) ? found : undefined
  }
}

/**
 * A whole number between two.
 *
 * @category constructors
 * @since 0.1.0
 */
export const whole = (least: number, most: number, expected: string): Kind<number> => ({
  expected,
  read: (value) =>
    typeof value === "number" && Number.isInteger(value) && value >= least && value <= most ? value : undefined
})

/**
 * A number above zero, up to a most.
 *
 * @category constructors
 * @since 0.1.0
 */
export const positive = (most: number, expected: string): Kind<number> => ({
  expected,
  read: (value) => typeof value === "number" && value > 0 && value <= most ? value : undefined
})
