/**
 * JSON read exactly: every number stays the text that was sent, so that 18
 * decimals, trailing zeros, exponents, `-0` and integers beyond 2^53 all
 * survive. It accepts precisely what `JSON.parse` accepts, up to `maxDepth`
 * levels of nesting and `maxNames` different names of members, and never throws.
 *
 * @since 0.1.0
 */
import { maxDepth, maxNames } from "./internal/parserLimits.ts"

/**
 * A JSON number as its source text.
 *
 * @category models
 * @since 0.1.0
 */
export class JsonNumber {
  /** The number exactly as it was written, such as `1.0e-8`. */
  readonly text: string

  constructor(text: string) {
    this.text = text
  }

  /** The text itself: nothing is rounded on the way into a message. */
  toString(): string {
    return this.text
  }
}

/**
 * A JSON object. Its prototype is that of any object; a member called
 * `__proto__` is a member like any other.
 *
 * @category models
 * @since 0.1.0
 */
export interface JsonObject {
  readonly [key: string]: Json
}

/**
 * A JSON value whose numbers are texts.
 *
 * @category models
 * @since 0.1.0
 */
export type Json = null | boolean | string | JsonNumber | ReadonlyArray<Json> | JsonObject

/** Where an object keeps the order of its members, where the engine has another. */
const order = Symbol("ExactJson/order")

/**
 * The members of an object in the order in which they were written. Those of a
 * JavaScript object begin with the names that are whole numbers, from the least.
 *
 * @category getters
 * @since 0.1.0
 */
export const entries = (object: JsonObject): ReadonlyArray<readonly [name: string, value: Json]> => {
  const names: unknown = Reflect.get(object, order)
  return Array.isArray(names)
    ? names.map((name: string) => [name, object[name] ?? null] as const)
    : Object.entries(object)
}

/**
 * Why a text is not JSON. A plain value: it captures no stack.
 *
 * @category models
 * @since 0.1.0
 */
export class Malformed {
  /** What was expected, and what stood there. */
  readonly message: string
  /** Where, in UTF-16 units from the start. */
  readonly offset: number
  /** Whether it may be JSON, but has more different names of members than are read. */
  readonly isTooLarge: boolean

  constructor(message: string, offset: number, isTooLarge = false) {
    this.message = message
    this.offset = offset
    this.isTooLarge = isTooLarge
  }
}

/**
 * Returns whether a value is a JSON object, and neither an array nor a number.
 *
 * @category guards
 * @since 0.1.0
 */
export const isObject = (json: Json): json is JsonObject =>
  typeof json === "object" && json !== null && !Array.isArray(json) && !(json instanceof JsonNumber)

// The members whose names are not looked at: no usual frame pays for the bound.
const freeMembers = 4_096

const isDigit = (code: number): boolean => code >= 48 && code <= 57

const escapes: Readonly<Record<string, string>> = {
  "\"": "\"",
  "\\": "\\",
  "/": "/",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t"
}

const fourHexDigits = /^[0-9a-fA-F]{4}$/

/** Reads one text. A method that fails notes why and returns `undefined`, which no JSON value is. */
class Reader {
  readonly text: string
  at = 0
  depth = 0
  members = 0
  names: Set<string> | undefined = undefined
  failure: Malformed | undefined = undefined

  constructor(text: string) {
    this.text = text
  }

  fail(expected: string): undefined {
    this.failure = new Malformed(
      this.at >= this.text.length
        ? `expected ${expected}, found the end`
        : `expected ${expected} at character ${this.at + 1}`,
      this.at
    )
    return undefined
  }

  /** The code of the next character that is no white space; NaN at the end. */
  next(): number {
    const { text } = this
    let code = text.charCodeAt(this.at)
    while (code === 32 || code === 10 || code === 13 || code === 9) code = text.charCodeAt(++this.at)
    return code
  }

  document(): Json | undefined {
    const value = this.value()
    if (value === undefined) return undefined
    this.next()
    return this.at === this.text.length ? value : this.fail("the end")
  }

  value(): Json | undefined {
    const code = this.next()
    switch (code) {
      case 34:
        return this.string()
      case 123:
      case 91: {
        if (this.depth === maxDepth) return this.fail(`at most ${maxDepth} levels of nesting`)
        this.depth++
        const value = code === 123 ? this.object() : this.array()
        this.depth--
        return value
      }
      case 116:
        return this.word("true", true)
      case 102:
        return this.word("false", false)
      case 110:
        return this.word("null", null)
      default:
        return code === 45 || isDigit(code) ? this.number() : this.fail("a value")
    }
  }

  word(word: string, value: boolean | null): Json | undefined {
    if (!this.text.startsWith(word, this.at)) return this.fail("a value")
    this.at += word.length
    return value
  }

  number(): Json | undefined {
    const { text } = this
    const from = this.at
    let at = from
    let code = text.charCodeAt(at)
    if (code === 45) code = text.charCodeAt(++at)
    let digits = at
    if (code === 48) code = text.charCodeAt(++at)
    else while (isDigit(code)) code = text.charCodeAt(++at)
    if (at > digits && code === 46) {
      digits = ++at
      code = text.charCodeAt(at)
      while (isDigit(code)) code = text.charCodeAt(++at)
    }
    if (at > digits && (code === 101 || code === 69)) {
      code = text.charCodeAt(++at)
      if (code === 43 || code === 45) code = text.charCodeAt(++at)
      digits = at
      while (isDigit(code)) code = text.charCodeAt(++at)
    }
    this.at = at
    return at > digits ? new JsonNumber(text.slice(from, at)) : this.fail("a digit")
  }

  string(): string | undefined {
    const { text } = this
    let from = ++this.at
    let read = ""
    for (;;) {
      let at = this.at
      let code = text.charCodeAt(at)
      while (code >= 32 && code !== 34 && code !== 92) code = text.charCodeAt(++at)
      this.at = at
      if (code === 34) {
        this.at++
        return read + text.slice(from, at)
      }
      if (code !== 92) {
        return this.fail(at >= text.length ? "the end of a string" : "no control character in a string")
      }
      read += text.slice(from, at)
      this.at++
      const escaped = this.escape()
      if (escaped === undefined) return this.fail("an escape sequence")
      read += escaped
      from = this.at
    }
  }

  escape(): string | undefined {
    const letter = this.text.charAt(this.at)
    if (letter === "u") {
      const hex = this.text.slice(this.at + 1, this.at + 5)
      if (!fourHexDigits.test(hex)) return undefined
      this.at += 5
      return String.fromCharCode(Number.parseInt(hex, 16))
    }
    this.at++
    return escapes[letter]
  }

  array(): Json | undefined {
    const values: Array<Json> = []
    this.at++
    if (this.next() === 93) {
      this.at++
      return values
    }
    for (;;) {
      const value = this.value()
      if (value === undefined) return undefined
      values.push(value)
      const code = this.next()
      if (code === 93) {
        this.at++
        return values
      }
      if (code !== 44) return this.fail("a comma or ]")
      this.at++
    }
  }

  /** Whether a member may have this name: whether it is one of few. */
  admits(name: string): boolean {
    if (++this.members <= freeMembers) return true
    this.names ??= new Set()
    if (this.names.has(name)) return true
    this.names.add(name)
    return this.names.size <= maxNames
  }

  object(): Json | undefined {
    const members: Record<string, Json> = {}
    let names: Array<string> | undefined
    this.at++
    if (this.next() === 125) {
      this.at++
      return members
    }
    for (;;) {
      if (this.next() !== 34) return this.fail("a member's name in quotes")
      const key = this.string()
      if (key === undefined) return undefined
      if (!this.admits(key)) {
        this.failure = new Malformed(`more than ${maxNames} different names of members`, this.at, true)
        return undefined
      }
      if (this.next() !== 58) return this.fail("a colon")
      this.at++
      const value = this.value()
      if (value === undefined) return undefined
      // A name that begins with a digit may be a whole number, which the engine would put before the others.
      if (names === undefined && isDigit(key.charCodeAt(0))) names = Object.keys(members)
      if (names !== undefined && !Object.hasOwn(members, key)) names.push(key)
      if (key === "__proto__") {
        // An assignment would set the prototype; as in `JSON.parse`, it is a member.
        Object.defineProperty(members, key, { value, writable: true, enumerable: true, configurable: true })
      } else {
        members[key] = value
      }
      const code = this.next()
      if (code === 125) {
        this.at++
        if (names !== undefined) Object.defineProperty(members, order, { value: names })
        return members
      }
      if (code !== 44) return this.fail("a comma or }")
      this.at++
    }
  }
}

/**
 * Reads a JSON text. Of members with the same name the last wins, as in
 * `JSON.parse`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const parse = (text: string): Json | Malformed => {
  const reader = new Reader(text)
  const json = reader.document()
  return json === undefined ? reader.failure ?? new Malformed("expected a value", 0) : json
}
