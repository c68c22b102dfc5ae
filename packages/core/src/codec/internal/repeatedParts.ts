/**
 * The parts of a frame that repeat: tables, rows, lists of objects and levels of
 * a book, read from where they begin to where they end.
 *
 * @since 0.1.0
 */
import type { Scanner } from "./scanner.ts"

/**
 * The captured texts of an object, and for each wanted member its place among
 * them: 0 where the object has none, negative for a time that was captured in
 * three parts.
 *
 * @category models
 * @since 0.1.0
 */
export interface Captured {
  readonly texts: ReadonlyArray<string | undefined>
  readonly places: ReadonlyArray<number>
}

/**
 * Reads compact rows of strings without escapes that begin at an offset, and
 * notes the cells. Returns the offset after the closing bracket, or `undefined`
 * where they are written otherwise.
 */
export const readTable = (text: string, start: number, columns: number, cells: Array<number>): number | undefined => {
  if (text.charCodeAt(start) !== 91) return undefined
  let at = start + 1
  if (text.charCodeAt(at) === 93) return at + 1
  for (;;) {
    if (text.charCodeAt(at) !== 91) return undefined
    at++
    for (let column = 0; column < columns; column++) {
      if (column > 0 && text.charCodeAt(at++) !== 44) return undefined
      if (text.charCodeAt(at) !== 34) return undefined
      const from = ++at
      for (let code = text.charCodeAt(at); code !== 34; code = text.charCodeAt(++at)) {
        // NaN, past the end, fails the comparison as well.
        if (!(code >= 32) || code === 92) return undefined
      }
      cells.push(from, at)
      at++
    }
    if (text.charCodeAt(at) !== 93) return undefined
    const next = text.charCodeAt(at + 1)
    at += 2
    if (next === 93) return at
    if (next !== 44) return undefined
  }
}

/** A part of a row that is always the same, as the codes of its characters, and whether a string begins after it. */
export interface Part {
  readonly codes: Uint8Array
  readonly isLast: boolean
  readonly isQuoted: boolean
}

export const makePart = (text: string, isLast: boolean): Part => ({
  codes: Uint8Array.from(text, (character) => character.charCodeAt(0)),
  isLast,
  isQuoted: text.endsWith("\"")
})

/**
 * Reads rows that are written in the given parts, and notes the cells. Returns
 * the offset after the closing bracket, or `undefined`. What the cells of numbers
 * hold is made of a number's characters, and is for the plan to read.
 */
export const readRows = (
  text: string,
  start: number,
  parts: ReadonlyArray<Part>,
  cells: Array<number>
): number | undefined => {
  if (text.charCodeAt(start) !== 91) return undefined
  let at = start + 1
  if (text.charCodeAt(at) === 93) return at + 1
  for (;;) {
    for (const { codes, isLast, isQuoted } of parts) {
      for (let k = 0; k < codes.length; k++) if (text.charCodeAt(at++) !== codes[k]) return undefined
      if (isLast) break
      const from = at
      let code = text.charCodeAt(at)
      if (isQuoted) {
        while (code !== 34) {
          // NaN, past the end, fails the comparison as well.
          if (!(code >= 32) || code === 92) return undefined
          code = text.charCodeAt(++at)
        }
      } else {
        // Digits and point, then the signs and the exponent's letter.
        while ((code <= 57 && code >= 45) || code === 101 || code === 69 || code === 43) code = text.charCodeAt(++at)
      }
      cells.push(from, at)
    }
    const next = text.charCodeAt(at)
    at++
    if (next === 93) return at
    if (next !== 44) return undefined
    if (text.charCodeAt(at) === 32) at++
  }
}

/**
 * Reads the objects of a list that begins at an offset. Returns the offset after
 * the closing bracket, or `undefined`.
 */
export const readList = (
  text: string,
  start: number,
  row: RegExp,
  places: ReadonlyArray<number>,
  objects: Array<Captured>
): number | undefined => {
  if (text.charCodeAt(start) !== 91) return undefined
  let at = start + 1
  if (text.charCodeAt(at) === 93) return at + 1
  for (;;) {
    row.lastIndex = at
    const texts = row.exec(text)
    if (texts === null) return undefined
    objects.push({ texts, places })
    at = row.lastIndex
    const next = text.charCodeAt(at)
    at++
    if (next === 93) return at
    if (next !== 44) return undefined
    if (text.charCodeAt(at) === 32) at++
  }
}

/**
 * Reads the rows of a book where the scanner stands, brackets included;
 * `isSpaced` says that a space stands after each comma and colon. What it does
 * not read, `undefined`, is left to the exact way.
 */
export type ReadRows = (scanner: Scanner, isSpaced: boolean) => object | undefined
