/**
 * A single pass over frames that no fixed layout fits, such as batches whose
 * elements differ from one to the next: the caller says piece by piece what
 * must come, and takes the decimals as they pass. It knows compact JSON without
 * escapes, which is how venues write; a step that meets anything else fails,
 * nothing was decided, and the frame is read the exact way.
 *
 * @since 0.1.0
 */
import type * as Decimal from "../../value/Decimal.ts"
import * as DecimalText from "../../value/internal/decimal.ts"

/** A double holds every integer of this many digits exactly. */
const exactDoubleDigits = 15

/** Digits and point, then the signs and the exponent's letter. */
const isOfNumber = (code: number): boolean =>
  (code <= 57 && code >= 45 && code !== 47) || code === 101 || code === 69 || code === 43

/**
 * A place in a text, and the steps that move it on. A step that fails leaves
 * the place where it was.
 *
 * @category models
 * @since 0.1.0
 */
export class Scanner {
  text = ""
  /** The place, in UTF-16 units from the start. */
  at = 0
  /** Where what `string` or `integer` read begins, quotes not included. */
  from = 0
  /** Where it ends. */
  to = 0

  /** Begins a text. */
  begin(text: string): void {
    this.text = text
    this.at = 0
  }

  /** Whether the whole text was read. */
  isAtEnd(): boolean {
    return this.at === this.text.length
  }

  /** Passes over exactly this word. */
  word(word: string): boolean {
    const { at, text } = this
    // By its letters: `startsWith` costs ten times as much.
    for (let i = 0; i < word.length; i++) if (text.charCodeAt(at + i) !== word.charCodeAt(i)) return false
    this.at = at + word.length
    return true
  }

  /** Passes over one character, given its code. */
  code(code: number): boolean {
    if (this.text.charCodeAt(this.at) !== code) return false
    this.at++
    return true
  }

  /** Reads a string without escapes; `from` and `to` say where it is. */
  string(): boolean {
    const { text } = this
    let at = this.at
    if (text.charCodeAt(at) !== 34) return false
    const from = ++at
    for (let code = text.charCodeAt(at); code !== 34; code = text.charCodeAt(++at)) {
      // NaN, past the end, fails the comparison as well.
      if (!(code >= 32) || code === 92) return false
    }
    this.from = from
    this.to = at
    this.at = at + 1
    return true
  }

  /** Reads a whole number that is not negative and has at most 15 digits; `undefined` where there is none. */
  integer(): number | undefined {
    const { text } = this
    let at = this.at
    let value = 0
    for (let code = text.charCodeAt(at); code >= 48 && code <= 57; code = text.charCodeAt(++at)) {
      value = value * 10 + (code - 48)
    }
    const from = this.at
    const digits = at - from
    if (digits === 0 || digits > exactDoubleDigits || (digits > 1 && text.charCodeAt(from) === 48)) return undefined
    // A point or an exponent would go on.
    const next = text.charCodeAt(at)
    if (next === 46 || next === 101 || next === 69) return undefined
    this.from = from
    this.to = at
    this.at = at
    return value
  }

  /** What `string` or `integer` read. */
  slice(): string {
    return this.text.slice(this.from, this.to)
  }

  /** Whether what `string` read is exactly this. */
  is(word: string): boolean {
    const { from, text } = this
    if (this.to - from !== word.length) return false
    for (let i = 0; i < word.length; i++) if (text.charCodeAt(from + i) !== word.charCodeAt(i)) return false
    return true
  }

  /** Reads a number as a decimal, exactly; `undefined` where there is none. */
  number(): Decimal.Decimal | undefined {
    const { text } = this
    const first = this.at
    const usual = DecimalText.usualAt(text, first, text.length)
    const end = DecimalText.usualEnd
    const next = text.charCodeAt(end)
    // What goes on with a point or an exponent is not usual.
    if (usual !== undefined && next !== 46 && next !== 101 && next !== 69) {
      this.at = end
      return usual
    }
    let at = first
    while (isOfNumber(text.charCodeAt(at))) at++
    const decimal = DecimalText.parseRange(text, first, at)
    if (decimal !== undefined) this.at = at
    return decimal
  }

  /** Reads a string that is a decimal, as `Decimal.parse` reads it; `undefined` where it is none. */
  decimal(): Decimal.Decimal | undefined {
    const { text } = this
    const start = this.at
    const usual = text.charCodeAt(start) === 34 ? DecimalText.usualAt(text, start + 1, text.length) : undefined
    if (usual !== undefined && text.charCodeAt(DecimalText.usualEnd) === 34) {
      this.at = DecimalText.usualEnd + 1
      return usual
    }
    if (!this.string()) return undefined
    const decimal = DecimalText.parseRange(text, this.from, this.to)
    if (decimal === undefined) this.at = start
    return decimal
  }
}

/**
 * Makes a scanner.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (): Scanner => new Scanner()
