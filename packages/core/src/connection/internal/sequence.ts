/**
 * Continuity of a numbered stream: counts the gaps between the numbers that a
 * user's sequence member carries, and the numbers that ran backwards. Nothing
 * is reordered and nothing repaired; a repeat is neither.
 *
 * @since 0.1.0
 */
import * as ExactJson from "../../codec/ExactJson.ts"
import type { Observer } from "../Observer.ts"

/**
 * Reads a message's sequence number, or `undefined` where it has none.
 *
 * @category models
 * @since 0.1.0
 */
export type SequenceOf<A> = (message: A) => bigint | undefined

/**
 * What one number says about the ones before it.
 *
 * @category models
 * @since 0.1.0
 */
export type Step =
  | { readonly _tag: "InOrder" }
  | { readonly _tag: "Gap"; readonly from: bigint; readonly to: bigint; readonly missing: bigint }
  | { readonly _tag: "Violation"; readonly from: bigint; readonly to: bigint }

const inOrder: Step = { _tag: "InOrder" }

/**
 * Compares a number with the highest seen before it.
 *
 * @category constructors
 * @since 0.1.0
 */
export const step = (last: bigint | undefined, next: bigint): Step => {
  if (last === undefined) return inOrder
  if (next < last) return { _tag: "Violation", from: last, to: next }
  const missing = next - last - 1n
  return missing > 0n ? { _tag: "Gap", from: last, to: next, missing } : inOrder
}

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
 */
const textMember = (text: string, name: string): string | undefined => {
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

/**
 * Reads the sequence number from a member of that name: a whole number, or a
 * string of its digits, of any length. The member is the message's own where it
 * is an object, else that of the JSON object which a text frame holds; members
 * of what that object holds do not count.
 *
 * @category constructors
 * @since 0.1.0
 */
export const member = (name: string): SequenceOf<unknown> => (message) => {
  const value: unknown = typeof message === "string"
    ? textMember(message, name)
    : typeof message === "object" && message !== null
    ? Reflect.get(message, name)
    : undefined
  if (typeof value === "bigint") return value
  if (typeof value === "number") return Number.isSafeInteger(value) ? BigInt(value) : undefined
  const digits = value instanceof ExactJson.JsonNumber ? value.text : value
  return typeof digits === "string" && /^\d+$/.test(digits) ? BigInt(digits) : undefined
}

/**
 * Follows the numbers of one epoch, and says of each what it says.
 *
 * @category constructors
 * @since 0.1.0
 */
export const observe = <A>(sequenceOf: SequenceOf<A>, onStep: (step: Step) => void): Observer<A> => {
  let last: bigint | undefined
  return {
    batch: ({ messages }) => {
      for (const message of messages) {
        const next = sequenceOf(message)
        if (next === undefined) continue
        const found = step(last, next)
        onStep(found)
        if (found._tag !== "Violation") last = next
      }
    },
    ended: () => {}
  }
}
