/**
 * An independent reader of exact JSON to test ours against: `JSON.parse` with
 * the source text that Node's reviver is given. Slow and simple.
 */
import * as ExactJson from "@tickline/core/codec/ExactJson"

/** A number as its text, in plain data that `deepStrictEqual` compares. */
export interface NumberText {
  readonly number: string
}

/** Whether `JSON.parse` accepts the text. */
export const referenceAccepts = (text: string): boolean => {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** Our value as plain data. */
export const plain = (
  json: ExactJson.Json,
  number: (text: string) => unknown = (text) => ({ number: text })
): unknown => {
  if (json instanceof ExactJson.JsonNumber) return number(json.text)
  if (Array.isArray(json)) return json.map((value) => plain(value, number))
  if (typeof json !== "object" || json === null) return json
  const out: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(json)) {
    Object.defineProperty(out, key, {
      value: plain(value as ExactJson.Json, number),
      writable: true,
      enumerable: true,
      configurable: true
    })
  }
  return out
}

/** The reviver of ES2026, which TypeScript's library does not have yet. */
type Reviver = (this: unknown, key: string, value: unknown, context: { readonly source?: string }) => unknown

/** What the reference reads, as plain data. */
export const reference = (text: string): unknown => {
  const reviver: Reviver = (_key, value, context) =>
    typeof value === "number" ? { number: String(context.source) } : value
  return JSON.parse(text, reviver as (this: unknown, key: string, value: unknown) => unknown)
}

/** A JSON number's text in plain notation, digit by digit. */
export const expand = (text: string): string => {
  const negative = text.startsWith("-")
  const [mantissa = "", exponent = "0"] = text.replace(/^-/, "").toLowerCase().split("e")
  const [whole = "", fraction = ""] = mantissa.split(".")
  const digits = [...(whole + fraction)]
  let point = whole.length + Number(exponent)
  while (point < 1) {
    digits.unshift("0")
    point++
  }
  while (point > digits.length) digits.push("0")
  while (point > 1 && digits[0] === "0") {
    digits.shift()
    point--
  }
  const plainText = digits.slice(0, point).join("") + (point < digits.length ? `.${digits.slice(point).join("")}` : "")
  return negative && /[1-9]/.test(plainText) ? `-${plainText}` : plainText
}
