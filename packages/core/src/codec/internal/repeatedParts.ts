/**
 * The parts of a frame that repeat: the objects of a list and the rows of a book,
 * read from where they begin to where they end.
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
