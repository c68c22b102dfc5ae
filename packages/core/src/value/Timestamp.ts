/**
 * Instants to the nanosecond and beyond, without `Date`. A timestamp keeps the
 * number of fraction digits the venue sent, so it prints as precisely as it was
 * read and no more.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Hash from "effect/Hash"
import * as Order from "effect/Order"
import * as Schema from "effect/Schema"
import * as SchemaIssue from "effect/SchemaIssue"
import * as SchemaTransformation from "effect/SchemaTransformation"
import * as Decimal from "./Decimal.ts"
import { civilFromDays, daysFromCivil, daysInMonth, digitAt, twoDigitsAt, weights } from "./internal/calendar.ts"
import * as Digits from "./internal/digits.ts"

const TypeId = "~@tickline/core/Timestamp"

/** 9999-12-31T23:59:59Z, the last second that ISO-8601 writes with four digits of year. */
const lastSecond = 253_402_300_799
/** 0000-01-01T00:00:00Z. */
const firstSecond = -62_167_219_200
/** More fraction digits than this are refused: no clock has them. */
const maxFraction = 30

const pad = (value: number, width: number): string => value.toString().padStart(width, "0")

/**
 * An instant. Two timestamps are equal when they are the same instant, however
 * precisely it was written.
 *
 * @category models
 * @since 0.1.0
 */
export class Timestamp implements Equal.Equal {
  readonly [TypeId]: typeof TypeId = TypeId
  /** Whole seconds since 1970-01-01T00:00:00Z, leap seconds not counted. */
  readonly epochSeconds: number
  /** Nanoseconds within the second, 0 to 999,999,999. */
  readonly nanos: number
  /** How many fraction digits of a second were sent. */
  readonly digits: number
  /** The fraction's digits after the ninth, as sent; nearly always empty. */
  readonly finer: string

  constructor(epochSeconds: number, nanos: number, digits: number, finer: string) {
    this.epochSeconds = epochSeconds
    this.nanos = nanos
    this.digits = digits
    this.finer = finer
  }

  [Equal.symbol](that: unknown): boolean {
    return isTimestamp(that) && compare(this, that) === 0
  }

  [Hash.symbol](): number {
    return Hash.combine(Hash.number(this.epochSeconds), Hash.number(this.nanos))
  }

  /** ISO-8601 UTC with `Z`, at the precision that was sent. */
  toString(): string {
    return format(this)
  }

  /** As `toString`. */
  toJSON(): string {
    return format(this)
  }
}

/**
 * Returns whether the value is a timestamp.
 *
 * @category guards
 * @since 0.1.0
 */
export const isTimestamp = (value: unknown): value is Timestamp => value instanceof Timestamp

const compare = (self: Timestamp, that: Timestamp): -1 | 0 | 1 => {
  if (self.epochSeconds !== that.epochSeconds) return self.epochSeconds < that.epochSeconds ? -1 : 1
  if (self.nanos !== that.nanos) return self.nanos < that.nanos ? -1 : 1
  if (self.finer === that.finer) return 0
  const width = Math.max(self.finer.length, that.finer.length)
  const left = self.finer.padEnd(width, "0")
  const right = that.finer.padEnd(width, "0")
  return left === right ? 0 : left < right ? -1 : 1
}

const make = (epochSeconds: number, nanos: number, digits: number, finer: string): Timestamp | undefined =>
  epochSeconds < firstSecond || epochSeconds > lastSecond
    ? undefined
    : new Timestamp(epochSeconds, nanos, digits, finer)

/** Seconds east of UTC of `Z`, `+hh:mm`, `-hh:mm` or `+hhmm` at the end of the text; NaN where it is none. */
const offsetAt = (text: string, at: number): number => {
  const sign = text.charCodeAt(at)
  if (sign === 90) return at + 1 === text.length ? 0 : Number.NaN
  if (sign !== 43 && sign !== 45) return Number.NaN
  const colon = text.charCodeAt(at + 3) === 58 ? 1 : 0
  if (at + 5 + colon !== text.length) return Number.NaN
  const hours = twoDigitsAt(text, at + 1)
  const minutes = twoDigitsAt(text, at + 3 + colon)
  if (!(hours <= 23 && minutes <= 59)) return Number.NaN
  const seconds = hours * 3600 + minutes * 60
  return sign === 43 ? seconds : -seconds
}

const nanosOf = (fraction: string): number => Number(fraction.slice(0, 9).padEnd(9, "0"))

/**
 * Reads an ISO-8601 date and time with seconds and with `Z` or an offset, such
 * as `2021-04-17T16:43:29.571587Z`. The calendar is checked in full; a leap
 * second (`:60`) and a time without zone are refused with `undefined`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromIso = (text: string): Timestamp | undefined => {
  if (
    text.length < 20 || text.charCodeAt(4) !== 45 || text.charCodeAt(7) !== 45 || text.charCodeAt(10) !== 84 ||
    text.charCodeAt(13) !== 58 || text.charCodeAt(16) !== 58
  ) {
    return undefined
  }
  const year = twoDigitsAt(text, 0) * 100 + twoDigitsAt(text, 2)
  const month = twoDigitsAt(text, 5)
  const day = twoDigitsAt(text, 8)
  const hour = twoDigitsAt(text, 11)
  const minute = twoDigitsAt(text, 14)
  const second = twoDigitsAt(text, 17)
  if (
    Number.isNaN(year) || !(month >= 1 && month <= 12 && day >= 1 && day <= daysInMonth(year, month)) ||
    !(hour <= 23 && minute <= 59 && second <= 59)
  ) {
    return undefined
  }
  let at = 19
  let nanos = 0
  let digits = 0
  let finer = ""
  if (text.charCodeAt(at) === 46) {
    at++
    for (; at < text.length; at++) {
      const digit = digitAt(text, at)
      if (Number.isNaN(digit)) break
      if (digits < 9) nanos = nanos * 10 + digit
      digits++
    }
    if (digits === 0 || digits > maxFraction) return undefined
    if (digits > 9) finer = text.slice(at - digits + 9, at)
    nanos *= weights[digits] ?? 1
  }
  const offset = offsetAt(text, at)
  if (Number.isNaN(offset)) return undefined
  const seconds = daysFromCivil(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset
  return make(seconds, nanos, digits, finer)
}

const epoch = /^(\d{1,20})(?:\.(\d{1,30}))?$/

/**
 * Reads a point of Unix time from the text of a non-negative number. Its unit
 * is told by its magnitude: up to 11 digits before the point are seconds, 12 to
 * 14 milliseconds, 15 to 17 microseconds, 18 to 20 nanoseconds.
 */
const fromEpoch = (text: string): Timestamp | undefined => {
  // How most venues write a time.
  const millis = text.length >= 12 && text.length <= 14 ? Digits.toSafe(text) : undefined
  if (millis !== undefined) {
    const seconds = Math.floor(millis / 1000)
    return new Timestamp(seconds, (millis - seconds * 1000) * 1_000_000, 3, "")
  }
  let match = epoch.exec(text)
  if (match === null) {
    const decimal = Decimal.parse(text)
    match = decimal === undefined ? null : epoch.exec(Decimal.format(decimal))
    if (match === null) return undefined
  }
  const whole = match[1] ?? ""
  const unit = whole.length <= 11 ? 0 : whole.length <= 14 ? 3 : whole.length <= 17 ? 6 : 9
  const point = whole.length - unit
  const fraction = whole.slice(point) + (match[2] ?? "")
  if (fraction.length > maxFraction) return undefined
  return make(Number(whole.slice(0, point)), nanosOf(fraction), fraction.length, fraction.slice(9))
}

/**
 * Reads a timestamp from what a venue sends: ISO-8601, or a point of Unix time
 * whose unit its magnitude tells. `undefined` where it is neither.
 *
 * @category constructors
 * @since 0.1.0
 */
export const parse = (text: string): Timestamp | undefined =>
  text.charCodeAt(4) === 45 ? fromIso(text) : fromEpoch(text)

/**
 * The instant of a clock's reading, in milliseconds since 1970 (three fraction
 * digits). Parts of a millisecond are dropped, and what lies outside the years
 * 0000 to 9999 is brought to their bound.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromEpochMillis = (millis: number): Timestamp => {
  const whole = Math.min(Math.max(Math.floor(millis), firstSecond * 1000), lastSecond * 1000 + 999)
  const seconds = Math.floor(whole / 1000)
  return new Timestamp(seconds, (whole - seconds * 1000) * 1_000_000, 3, "")
}

/**
 * ISO-8601 UTC with `Z`, at the precision that was sent.
 *
 * @category getters
 * @since 0.1.0
 */
export const format = (self: Timestamp): string => {
  const days = Math.floor(self.epochSeconds / 86_400)
  const second = self.epochSeconds - days * 86_400
  const [year, month, day] = civilFromDays(days)
  const fraction = self.digits === 0 ? "" : `.${(pad(self.nanos, 9) + self.finer).slice(0, self.digits)}`
  return `${pad(year, 4)}-${pad(month, 2)}-${pad(day, 2)}T${pad(Math.floor(second / 3600), 2)}:` +
    `${pad(Math.floor(second / 60) % 60, 2)}:${pad(second % 60, 2)}${fraction}Z`
}

/**
 * Milliseconds since 1970, parts of a millisecond dropped.
 *
 * @category getters
 * @since 0.1.0
 */
export const epochMillis = (self: Timestamp): number => self.epochSeconds * 1000 + Math.floor(self.nanos / 1_000_000)

/**
 * Nanoseconds since 1970, finer parts dropped.
 *
 * @category getters
 * @since 0.1.0
 */
export const toEpochNanos = (self: Timestamp): bigint => BigInt(self.epochSeconds) * 1_000_000_000n + BigInt(self.nanos)

/**
 * Orders timestamps by instant.
 *
 * @category instances
 * @since 0.1.0
 */
export const TimestampOrder: Order.Order<Timestamp> = Order.make(compare)

const TimestampInMemory = Schema.declare(isTimestamp, { expected: "Timestamp" })

const fromTextWith = (
  read: (text: string) => Timestamp | undefined,
  expected: string
): Schema.decodeTo<Schema.declare<Timestamp>, Schema.String> =>
  Schema.String.pipe(
    Schema.decodeTo(
      TimestampInMemory,
      SchemaTransformation.transformEffect<Timestamp, string>({
        decode: (text, options) => {
          const timestamp = read(text)
          return timestamp === undefined
            ? Effect.fail(new SchemaIssue.InvalidValue({ expected }, text, options))
            : Effect.succeed(timestamp)
        },
        encode: (timestamp) => Effect.succeed(format(timestamp))
      })
    )
  )

/**
 * A timestamp as text: reads what `parse` reads, writes ISO-8601 UTC.
 *
 * @category schemas
 * @since 0.1.0
 */
export const FromText = fromTextWith(parse, "an ISO-8601 or Unix timestamp")

/**
 * A timestamp as ISO-8601 text: reads what `fromIso` reads, writes UTC.
 *
 * @category schemas
 * @since 0.1.0
 */
export const FromIso = fromTextWith(fromIso, "an ISO-8601 timestamp")
