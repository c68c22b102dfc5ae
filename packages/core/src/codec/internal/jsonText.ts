/**
 * JSON values for people: in the words of a message, and without exact numbers.
 *
 * @since 0.1.0
 */
import * as EscapedText from "../../value/internal/escapedText.ts"
import { isObject, type Json, JsonNumber } from "../ExactJson.ts"

/**
 * A value in words for a message: strings and numbers quoted and cut.
 *
 * @category getters
 * @since 0.1.0
 */
export const describe = (value: unknown): string => {
  if (value === null) return "null"
  if (typeof value === "string") return value === "" ? "an empty string" : `the string ${EscapedText.quote(value)}`
  if (value instanceof JsonNumber) return `the number ${EscapedText.quote(value.text).slice(1, -1)}`
  if (Array.isArray(value)) return "an array"
  return typeof value === "boolean" ? String(value) : "an object"
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
