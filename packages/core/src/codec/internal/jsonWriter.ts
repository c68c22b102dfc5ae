/**
 * Exact JSON as text: each number is written as the text that it is.
 *
 * @since 0.1.0
 */
import { entries, type Json, JsonNumber, type JsonObject } from "../ExactJson.ts"

const isObject = (json: object): json is JsonObject => !Array.isArray(json)

const plain = /^[ !#-[\]-~]*$/

const quoted = (text: string): string => plain.test(text) ? `"${text}"` : JSON.stringify(text)

/**
 * The text of a value, without white space; members that are `undefined` are
 * left out.
 *
 * @category getters
 * @since 0.1.0
 */
export const write = (json: Json): string => {
  if (typeof json === "string") return quoted(json)
  if (json instanceof JsonNumber) return json.text
  if (typeof json !== "object" || json === null) return JSON.stringify(json)
  if (!isObject(json)) return `[${json.map(write).join()}]`
  let text = ""
  for (const [name, value] of entries(json)) {
    if (json[name] !== undefined) text += `${text === "" ? "" : ","}${quoted(name)}:${write(value)}`
  }
  return `{${text}}`
}
