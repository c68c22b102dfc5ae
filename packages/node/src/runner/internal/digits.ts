/** Numbers under each other, aligned at the point; what does not fit of one is marked. */
import { pad } from "../Style.ts"

/** The cells of numbers, aligned at the point: those of the whole part, and those from the point on. */
export interface Digits {
  readonly whole: number
  readonly fraction: number
}

/** A whole part beyond this is not shown: no price has it. */
const longestWhole = 24

export const split = (text: string): readonly [whole: string, fraction: string] => {
  const point = text.indexOf(".")
  return point < 0 ? [text, ""] : [text.slice(0, point), text.slice(point)]
}

export const measure = (texts: ReadonlyArray<string>, most: number): Digits => {
  let whole = 1
  let fraction = 0
  for (const text of texts) {
    const [before, after] = split(text)
    if (before.length <= longestWhole) whole = Math.max(whole, before.length)
    fraction = Math.max(fraction, after.length)
  }
  return { whole, fraction: Math.min(fraction, most) }
}

/** A number in its cells; what does not fit is marked. */
export const aligned = (text: string, digits: Digits): string => {
  const [before, after] = split(text)
  const blank = " ".repeat(digits.fraction)
  if (text === "") return " ".repeat(digits.whole) + blank
  if (before.length > digits.whole) return pad("…", digits.whole, "right") + blank
  const fraction = after.length <= digits.fraction ? after : `${after.slice(0, digits.fraction - 1)}…`
  return pad(before, digits.whole, "right") + pad(fraction, digits.fraction)
}
