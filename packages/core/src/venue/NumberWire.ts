/**
 * What venues share that write prices as JSON numbers: decimals that keep the
 * digits of the number, and lists of objects of which each is an event.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { isObject, type Json, JsonNumber, type JsonObject } from "../codec/ExactJson.ts"
import * as Rejection from "../codec/Rejection.ts"
import { type FrameRejected, isFrameRejected } from "../codec/Rejection.ts"
import * as Decimal from "../value/Decimal.ts"
import * as Wire from "./internal/wire.ts"

/**
 * A decimal written as a JSON number, or as a string with the same digits.
 *
 * @category schemas
 * @since 0.1.0
 */
export const DecimalOfNumber = Wire.Id.pipe(Schema.decodeTo(Decimal.FromText))

/**
 * Reads the decimal of one cell of a row, written as a JSON number or as a
 * string; `path` is where it stands.
 *
 * @category constructors
 * @since 0.1.0
 */
export const decimal = (cell: unknown, path: ReadonlyArray<PropertyKey>): Decimal.Decimal | Wire.BadCell => {
  if (cell === undefined) return new Wire.BadCell(path, undefined)
  const text = cell instanceof JsonNumber ? cell.text : cell
  if (typeof text !== "string") return new Wire.BadCell(path, "number")
  const decimal = Decimal.parse(text)
  if (decimal !== undefined) return decimal
  return new Wire.BadCell(
    path,
    Decimal.refusal(text) === "not a number" ? "a decimal" : `at most ${Decimal.maxDigits} digits`
  )
}

/**
 * Reads a list of objects, each with `read`, which is told where it stands:
 * what they are, in order, or why the first bad one is refused.
 *
 * @category constructors
 * @since 0.1.0
 */
export const objects = <A>(
  venue: string,
  list: Json | undefined,
  at: ReadonlyArray<PropertyKey>,
  read: (object: JsonObject, at: ReadonlyArray<PropertyKey>) => A | FrameRejected
): ReadonlyArray<A> | FrameRejected => {
  if (!Array.isArray(list)) return Rejection.unexpected(venue, at, "array", list)
  const all: Array<A> = []
  for (let index = 0; index < list.length; index++) {
    const element: Json = list[index]
    const place = [...at, index]
    if (!isObject(element)) return Rejection.unexpected(venue, place, "object", element)
    const one = read(element, place)
    if (isFrameRejected(one)) return one
    all.push(one)
  }
  return all
}
