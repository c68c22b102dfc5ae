/**
 * One member of a JSON object, read from its text without parsing the rest.
 *
 * @since 0.1.0
 */
import * as ExactJson from "../ExactJson.ts"

/** Whether an odd number of backslashes stands before an offset: an even number escape one another. */
const isEscaped = (text: string, at: number): boolean => {
  let backslashes = 0
  while (text.charCodeAt(at - 1 - backslashes) === 92) backslashes++
  return backslashes % 2 === 1
}

/** The offset after the closing quote of the string that begins at an offset; the text's end where it has none. */
const afterString = (text: string, start: number): number => {
  let end = start
  do {
    end = text.indexOf("\"", end + 1)
    if (end === -1) return text.length
  } while (isEscaped(text, end))
  return end + 1
}

/** The offset of the next character that is no white space. */
const afterSpace = (text: string, start: number): number => {
  let at = start
  for (let code = text.charCodeAt(at); code === 32 || code === 10 || code === 13 || code === 9;) {
    code = text.charCodeAt(++at)
  }
  return at
}

/** The offset of what ends the value that begins at an offset: a comma, a bracket that it did not open, or no more text. */
const afterValue = (text: string, start: number): number => {
  let depth = 0
  for (let at = start; at < text.length;) {
    switch (text.charCodeAt(at)) {
      case 34: // "
        at = afterString(text, at)
        break
      case 123: // {
      case 91: // [
        depth++
        at++
        break
      case 125: // }
      case 93: // ]
        if (depth === 0) return at
        depth--
        at++
        break
      case 44: // ,
        if (depth === 0) return at
        at++
        break
      default:
        at++
    }
  }
  return text.length
}

/** Whether the string between two offsets, quotes included, is the name. */
const isName = (text: string, from: number, to: number, name: string): boolean => {
  const written = text.slice(from + 1, to - 1)
  return written.includes("\\") ? unquoted(text.slice(from, to)) === name : written === name
}

/** What a JSON string holds; `undefined` where it is none. */
const unquoted = (written: string): string | undefined => {
  const read = ExactJson.parse(written)
  return typeof read === "string" ? read : undefined
}

/**
 * The text of an object's own member: that of a number, or of what a string
 * holds. One pass over the text, which builds nothing but what it returns; of
 * members with the same name the last counts, as in `JSON.parse`.
 *
 * @category decoding
 * @since 0.1.0
 */
export const memberText = (text: string, name: string): string | undefined => {
  let at = afterSpace(text, 0)
  if (text.charCodeAt(at) !== 123) return undefined
  let found: string | undefined
  do {
    const key = afterSpace(text, at + 1)
    if (text.charCodeAt(key) !== 34) return undefined
    const colon = afterString(text, key)
    at = afterSpace(text, colon)
    if (text.charCodeAt(at) !== 58) return undefined
    const value = afterSpace(text, at + 1)
    at = afterValue(text, value)
    if (isName(text, key, colon, name)) found = text.slice(value, at)
  } while (text.charCodeAt(at) === 44)
  if (text.charCodeAt(at) !== 125 || afterSpace(text, at + 1) !== text.length) return undefined
  return found?.startsWith("\"") === true ? unquoted(found) : found?.trimEnd()
}
