/**
 * Exact JSON as text: each number is written as the text that it is.
 *
 * @since 0.1.0
 */
import { entries, type Json, JsonNumber, type JsonObject } from "../ExactJson.ts"

const isObject = (json: object): json is JsonObject => !Array.isArray(json)

/**
 * The text of a value, without white space; members that are `undefined` are
 * left out.
 *
 * @category getters
 * @since 0.1.0
 */
export const write = (json: Json): string => {
  if (json instanceof JsonNumber) return json.text
  if (typeof json !== "object" || json === null) return JSON.stringify(json)
  if (!isObject(json)) return `[${json.map(write).join()}]`
  const members = entries(json).flatMap(([name, value]) =>
    json[name] === undefined ? [] : `${JSON.stringify(name)}:${write(value)}`
  )
  return `{${members.join()}}`
}
