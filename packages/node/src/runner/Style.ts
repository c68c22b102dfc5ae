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
// What a text is cut between: a colour, or a character.
const pieces = new RegExp(`${escape}|.`, "gsu")

const isNarrow = /^[ -~]*$/
const mark = /^\p{M}$/u
const emoji = /^\p{Emoji_Presentation}$/u

/** The blocks of East Asian characters that take two cells (Unicode, EastAsianWidth: W and F). */
const wide: ReadonlyArray<readonly [first: number, last: number]> = [
  [0x1100, 0x115f],
  [0x2329, 0x232a],
  [0x2e80, 0x303e],
  [0x3041, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe10, 0xfe19],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x16fe0, 0x18cff],
  [0x1b000, 0x1b2ff],
  [0x1f200, 0x1f2ff],
  [0x20000, 0x3fffd]
]

/** The cells of one character that is printable. */
const cellsOf = (character: string): number => {
  const point = character.codePointAt(0) ?? 0
  if (point < 0x300) return 1
  if (mark.test(character)) return 0
  return emoji.test(character) || wide.some(([first, last]) => point >= first && point <= last) ? 2 : 1
}

/**
 * The number of cells that a text takes, its colours aside: a wide character
 * takes two, a combining mark none. The text is printable ([Printable](@tickline/core)).
 *
 * @category getters
 * @since 0.1.0
 */
export const width = (text: string): number => {
  const bare = text.includes("\u001b") ? text.replace(escapes, "") : text
  if (isNarrow.test(bare)) return bare.length
  let cells = 0
  for (const character of bare) cells += cellsOf(character)
  return cells
}

/**
 * Cuts a text to so many cells, with an ellipsis where something is cut;
 * colours, pairs of surrogates and marks stay whole.
 *
 * @category getters
 * @since 0.1.0
 */
export const fit = (text: string, cells: number): string => {
  if (width(text) <= cells) return text
  if (cells < 1) return ""
  let out = ""
  let room = cells - 1
  let colored = false
  for (const [piece] of text.matchAll(pieces)) {
    if (piece.startsWith("\u001b")) {
      colored = true
      out += piece
      continue
    }
    const taken = cellsOf(piece)
    if (taken > room) break
    out += piece
    room -= taken
  }
  return `${out}…${colored ? "\u001b[0m" : ""}`
}

/**
 * Cuts a text without colours to so many cells in its middle, so that names
 * which begin alike stay apart.
 *
 * @category getters
 * @since 0.1.0
 */
export const fitMiddle = (text: string, cells: number): string => {
  if (width(text) <= cells) return text
  if (cells < 5) return fit(text, cells)
  let head = ""
  let tail = ""
  let room = cells - 1
  // A character with its marks.
  const characters = text.match(/.\p{M}*/gsu) ?? []
  const add = (character: string | undefined, put: (character: string) => void): boolean => {
    if (character === undefined || width(character) > room) return false
    room -= width(character)
    put(character)
    return true
  }
  for (let first = 0, last = characters.length - 1; first <= last; first++, last--) {
    if (!add(characters[first], (character) => head += character)) break
    if (!add(characters[last], (character) => tail = character + tail)) break
  }
  return `${head}…${tail}`
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
 * Breaks a text between words into lines of at most so many cells. The first
 * begins with `first`, each other with `indent`; a word that is longer than a
 * line has one of its own.
 *
 * @category getters
 * @since 0.1.0
 */
export const wrap = (
  text: string,
  cells: number,
  indent: string = "",
  first: string = indent
): ReadonlyArray<string> => {
  const lines: Array<string> = []
  let line = first
  let isEmpty = true
  for (const word of text.split(" ")) {
    const next = isEmpty ? line + word : `${line} ${word}`
    if (!isEmpty && width(next) > cells) {
      lines.push(line)
      line = indent + word
    } else {
      line = next
    }
    isEmpty = false
  }
  return [...lines, line]
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
    rows.reduce((widest, row) => Math.max(widest, width(row[index] ?? "")), width(title))
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
