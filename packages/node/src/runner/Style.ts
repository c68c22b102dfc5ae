/**
 * Text for people: colours that degrade to none, widths that count cells, and
 * tables.
 *
 * Only the 16 colours that every terminal has, by their meaning there, so that
 * the terminal's own theme holds.
 *
 * @since 0.1.0
 */

/**
 * The colours and weights in use.
 *
 * @category models
 * @since 0.1.0
 */
export type Tone = "bold" | "dim" | "red" | "green" | "yellow" | "blue" | "magenta" | "cyan" | "inverse"

const codes: Readonly<Record<Tone, readonly [number, number]>> = {
  bold: [1, 22],
  dim: [2, 22],
  inverse: [7, 27],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  blue: [34, 39],
  magenta: [35, 39],
  cyan: [36, 39]
}

/**
 * Puts a tone on a text, or leaves it where there is no colour.
 *
 * @category models
 * @since 0.1.0
 */
export type Paint = (tone: Tone, text: string) => string

/**
 * Makes the paint for an output with or without colour.
 *
 * @category constructors
 * @since 0.1.0
 */
export const paint = (hasColor: boolean): Paint =>
  hasColor
    ? (tone, text) => text === "" ? "" : `\u001b[${codes[tone][0]}m${text}\u001b[${codes[tone][1]}m`
    : (_, text) => text

// Control Sequence Introducer, parameters, `m`: what `paint` writes. Spelled out, as a pattern must not hold ESC itself.
const escape = "\u001b\\[[0-9;]*m"
const escapes = new RegExp(escape, "g")
const leadingEscape = new RegExp(`^${escape}`)

/**
 * The number of cells that a text takes, its colours aside. The runner prints
 * characters of one cell only.
 *
 * @category getters
 * @since 0.1.0
 */
export const width = (text: string): number => text.replace(escapes, "").length

/**
 * Cuts a text to so many cells, with an ellipsis where something is cut;
 * colours stay whole.
 *
 * @category getters
 * @since 0.1.0
 */
export const fit = (text: string, cells: number): string => {
  if (width(text) <= cells) return text
  let out = ""
  let room = Math.max(0, cells - 1)
  let index = 0
  let colored = false
  while (index < text.length) {
    const found = leadingEscape.exec(text.slice(index, index + 12))?.[0]
    if (found !== undefined) {
      colored = true
      out += found
      index += found.length
    } else if (room === 0) {
      break
    } else {
      out += text[index]
      room--
      index++
    }
  }
  return `${out}…${colored ? "\u001b[0m" : ""}`
}

/**
 * Fills a text with blanks to so many cells.
 *
 * @category getters
 * @since 0.1.0
 */
export const pad = (text: string, cells: number, align: "left" | "right" = "left"): string => {
  const blanks = " ".repeat(Math.max(0, cells - width(text)))
  return align === "left" ? text + blanks : blanks + text
}

/**
 * A column of a table: its title, and to which side its cells are flush.
 *
 * @category models
 * @since 0.1.0
 */
export interface Column {
  readonly title: string
  readonly align?: "left" | "right" | undefined
}

/**
 * Lays out a table: the titles, then the rows, columns two blanks apart.
 *
 * @category getters
 * @since 0.1.0
 */
export const table = (
  paint: Paint,
  columns: ReadonlyArray<Column>,
  rows: ReadonlyArray<ReadonlyArray<string>>
): ReadonlyArray<string> => {
  const widths = columns.map(({ title }, index) =>
    Math.max(width(title), ...rows.map((row) => width(row[index] ?? "")))
  )
  const line = (cells: ReadonlyArray<string>) =>
    columns.map(({ align }, index) => pad(cells[index] ?? "", widths[index] ?? 0, align)).join("  ").trimEnd()
  return [line(columns.map(({ title }) => paint("dim", title))), ...rows.map(line)]
}

/**
 * A number of milliseconds for people: `250 ms`, `1.5 s`, `2 m 05 s`, `1 h 00 m`.
 *
 * @category getters
 * @since 0.1.0
 */
export const span = (millis: number): string => {
  if (millis < 1000) return `${Math.round(millis)} ms`
  const seconds = millis / 1000
  if (seconds < 60) return `${seconds < 10 ? Number(seconds.toFixed(2)) : Number(seconds.toFixed(1))} s`
  const two = (value: number) => String(Math.floor(value)).padStart(2, "0")
  return seconds < 3600
    ? `${Math.floor(seconds / 60)} m ${two(seconds % 60)} s`
    : `${Math.floor(seconds / 3600)} h ${two((seconds % 3600) / 60)} m`
}

/**
 * A whole number for people, in groups of three.
 *
 * @category getters
 * @since 0.1.0
 */
export const grouped = (value: number): string => String(value).replace(/\B(?=(\d{3})+$)/g, ",")

/**
 * A count and what is counted: `1 drop`, `1,200 drops`.
 *
 * @category getters
 * @since 0.1.0
 */
export const counted = (count: number, one: string, many: string = `${one}s`): string =>
  `${grouped(count)} ${count === 1 ? one : many}`
