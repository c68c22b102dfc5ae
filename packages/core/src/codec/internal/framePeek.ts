/**
 * Reading of a frame what it is of, beside its events: the beginning of the
 * frame where the venue writes it as it always does, the whole of it else.
 *
 * @since 0.1.0
 */
import * as ExactJson from "../ExactJson.ts"
import { escapePattern } from "./escapePattern.ts"

type Frame = string | Uint8Array

/**
 * The object that a frame is, or `undefined` where it is none.
 *
 * @category decoding
 * @since 0.1.0
 */
export const objectOf = (frame: Frame): ExactJson.JsonObject | undefined => {
  if (typeof frame !== "string") return undefined
  const json = ExactJson.parse(frame)
  return json instanceof ExactJson.Malformed || !ExactJson.isObject(json) ? undefined : json
}

/**
 * The object that a member is, or `undefined` where it is none.
 *
 * @category getters
 * @since 0.1.0
 */
export const objectIn = (
  object: ExactJson.JsonObject | undefined,
  member: string
): ExactJson.JsonObject | undefined => {
  const value = object !== undefined && Object.hasOwn(object, member) ? object[member] : undefined
  return value !== undefined && ExactJson.isObject(value) ? value : undefined
}

/**
 * The objects of the list that a member is; none where it is no list.
 *
 * @category getters
 * @since 0.1.0
 */
export const objectsIn = (
  object: ExactJson.JsonObject | undefined,
  member: string
): ReadonlyArray<ExactJson.JsonObject> => {
  const value = object !== undefined && Object.hasOwn(object, member) ? object[member] : undefined
  const items: ReadonlyArray<ExactJson.Json> = Array.isArray(value) ? value : []
  return items.filter(ExactJson.isObject)
}

/**
 * The text that a member is, or `undefined` where it is none.
 *
 * @category getters
 * @since 0.1.0
 */
export const textIn = (object: ExactJson.JsonObject | undefined, member: string): string | undefined => {
  const value = object !== undefined && Object.hasOwn(object, member) ? object[member] : undefined
  return typeof value === "string" ? value : undefined
}

// After so many frames of one subject in a row it has a pattern, which compares several letters at a time; one that is
// longer never has, as an engine refuses patterns of many letters.
const manyInARow = 64
const mostLetters = 256

// What a frame begins with, and the text in it.
class Subject {
  readonly beginning: string
  readonly whole: string
  readonly text: string
  private inARow = 0
  private pattern: RegExp | undefined = undefined

  constructor(beginning: string, text: string) {
    this.beginning = beginning
    this.whole = `${beginning}${text}"`
    this.text = text
  }

  isOf(frame: string): boolean {
    if (this.pattern !== undefined) return this.pattern.test(frame)
    if (frame.slice(0, this.whole.length) !== this.whole) {
      this.inARow = 0
      return false
    }
    if (++this.inARow === manyInARow && this.whole.length <= mostLetters) {
      this.pattern = new RegExp(`^${escapePattern(this.whole)}`)
    }
    return true
  }
}

// Frames of one subject follow each other: that one begins like the last is seen sooner than its text is looked for.
let latest = new Subject("", "")

/**
 * The text that the frame has after the beginning, up to the next quote;
 * `undefined` where it begins otherwise, or the text has escapes.
 *
 * @category decoding
 * @since 0.1.0
 */
export const textAfter = (frame: Frame, beginning: string): string | undefined => {
  if (typeof frame !== "string") return undefined
  if (beginning === latest.beginning && latest.isOf(frame)) return latest.text
  if (!frame.startsWith(beginning)) return undefined
  const end = frame.indexOf("\"", beginning.length)
  const text = frame.slice(beginning.length, end)
  if (end < 0 || text.includes("\\")) return undefined
  latest = new Subject(beginning, text)
  return text
}

/**
 * The text that a member has in all objects of a list; `undefined` where they
 * differ, or have none.
 *
 * @category getters
 * @since 0.1.0
 */
export const textInAll = (list: ExactJson.Json | undefined, member: string): string | undefined => {
  if (!Array.isArray(list)) return undefined
  const items: ReadonlyArray<ExactJson.Json> = list
  const texts = new Set(items.map((item) => ExactJson.isObject(item) ? textIn(item, member) : undefined))
  const [text] = texts
  return texts.size === 1 ? text : undefined
}
