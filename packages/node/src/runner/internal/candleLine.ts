/**
 * A line of candles or prices, as an indicator takes it.
 *
 * @since 0.1.0
 */
import * as ExactJson from "@tickline/core/codec/ExactJson"
import * as Indicators from "@tickline/core/strategy/Indicators"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Timestamp from "@tickline/core/value/Timestamp"

/**
 * A candle, and its timestamp as JSON, as it was written.
 *
 * @category models
 * @since 0.1.0
 */
export interface CandleLine {
  readonly input: Indicators.Input
  readonly timestamp: string | undefined
}

/** Of input that is quoted so many characters are shown. */
const quotedLength = 64

const quoted = (text: string): string => text.length > quotedLength ? `${text.slice(0, quotedLength)}…` : text

/** A value as it is shown in a message. */
const shown = (value: ExactJson.Json | undefined): string => {
  if (value === undefined) return "is missing"
  if (value instanceof ExactJson.JsonNumber) return quoted(value.text)
  if (typeof value === "string") return `"${quoted(value)}"`
  return Array.isArray(value) ? "is an array" : ExactJson.isObject(value) ? "is an object" : String(value)
}

const wrong = (member: string, value: ExactJson.Json | undefined, expected: string): string =>
  `${member} ${shown(value)}: expected ${expected}`

const textOf = (value: ExactJson.Json | undefined): string | undefined =>
  typeof value === "string" ? value : value instanceof ExactJson.JsonNumber ? value.text : undefined

const number = /^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$/

/**
 * What a text says: of one that has more digits than decimals may, as all digits
 * of a tiny double are, the nearest double.
 */
const parse = (text: string): Decimal.Decimal | undefined =>
  Decimal.parse(text) ?? (number.test(text) ? Decimal.parse(String(Number(text))) ?? Decimal.zero : undefined)

/** A decimal that a double can stand for, or what is wrong with it. */
const decimalOf = (object: ExactJson.JsonObject, member: string): Decimal.Decimal | string => {
  const value = Object.hasOwn(object, member) ? object[member] : undefined
  const text = textOf(value)
  const decimal = text === undefined ? undefined : parse(text)
  if (decimal === undefined) return wrong(member, value, "a decimal number, or the text of one")
  return Number.isFinite(Number(text)) ? decimal : wrong(member, value, "a number no larger than a double, 1.79e308")
}

const members = ["open", "high", "low", "close", "volume"] as const

/** The members of a candle, or what is wrong with the first that is none. */
const candleOf = (object: ExactJson.JsonObject): Parameters<typeof Indicators.ofCandle>[0] | string => {
  const found = { open: Decimal.zero, high: Decimal.zero, low: Decimal.zero, close: Decimal.zero, volume: Decimal.zero }
  for (const member of members) {
    const value = decimalOf(object, member)
    if (typeof value === "string") return value
    found[member] = value
  }
  return found.volume.value < 0n ? wrong("volume", object["volume"], "zero or more") : found
}

/**
 * Reads a line, or says what is wrong with it. A line with a price that is no
 * whole candle is the price; other members are passed over.
 *
 * @category decoding
 * @since 0.1.0
 */
export const read = (line: string): CandleLine | string => {
  const json = ExactJson.parse(line)
  if (json instanceof ExactJson.Malformed) return `"${quoted(line)}" is no JSON: ${json.message}`
  if (!ExactJson.isObject(json)) return `"${quoted(line)}" is no object: expected a candle or a price`
  const isCandle = members.every((member) => Object.hasOwn(json, member))
  const price = Object.hasOwn(json, "price") && !isCandle ? decimalOf(json, "price") : undefined
  if (typeof price === "string") return price
  const candle = price === undefined
    ? candleOf(json)
    : { open: price, high: price, low: price, close: price, volume: Decimal.zero }
  if (typeof candle === "string") return candle
  if (!Object.hasOwn(json, "timestamp")) return { input: Indicators.ofCandle(candle), timestamp: undefined }
  const value = json["timestamp"]
  const text = textOf(value)
  const from = text === undefined ? undefined : Timestamp.parse(text)
  if (from === undefined) return wrong("timestamp", value, "ISO-8601 with a zone, or Unix time")
  const timestamp = typeof value === "string" ? JSON.stringify(value) : text
  return { input: Indicators.ofCandle({ ...candle, from }), timestamp }
}
