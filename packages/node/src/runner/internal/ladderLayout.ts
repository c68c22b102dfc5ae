/**
 * How the ladder is laid out: as many books beside and above each other as have
 * room for some levels, the others as a line each; how connections stand above
 * them, and what happened below, or beside them on a wide terminal. Pure.
 */
import { counted, fit, pad, type Paint, width } from "../Style.ts"
import { type Digits, measure } from "./digits.ts"
import { crowd, happening, head, titleLine } from "./healthLines.ts"
import { leastCells, linesOf, panelLine, panelLines } from "./ladderPanel.ts"
import type { Panel, View } from "./ladderView.ts"
import type { Health, Size } from "./view.ts"

/** Between books that stand beside each other. */
const rule = " │ "

const leastPanel = 34
/** So many levels of each side make a book worth its place. */
const leastDepth = 5
/** What happened stands beside the books if it has so many cells, and has at most so many. */
const leastBeside = 44
const mostBeside = 90
const mostPanel = 76

/** How many books stand beside each other: as many as have room for the numbers and bars of all that may be shown. */
const acrossOf = (panels: ReadonlyArray<Panel>, columns: number, lines: number): number => {
  const fitting = (cells: number): number =>
    Math.max(1, Math.min(panels.length, Math.floor((columns + rule.length) / (cells + rule.length))))
  const most = fitting(leastPanel)
  if (most === 1) return 1
  return fitting(
    panels.slice(0, most * Math.ceil(lines / linesOf(1))).reduce(
      (cells, { levels }) => levels === undefined ? cells : Math.max(cells, leastCells(levels(leastDepth))),
      leastPanel
    )
  )
}

const bestDigits = (panels: ReadonlyArray<Panel>, side: "asks" | "bids"): Digits =>
  measure(panels.flatMap(({ levels }) => levels?.(1)[side][0]?.price ?? []), Infinity)

/** The books that have no room for their levels, a line each, or how many there are. */
const restLines = (paint: Paint, rest: ReadonlyArray<Panel>, cells: number, lines: number): ReadonlyArray<string> => {
  const shown = rest.length <= lines ? rest : rest.slice(0, Math.max(0, lines - 1))
  const name = Math.min(Math.floor(cells / 3), shown.reduce((most, { product }) => Math.max(most, width(product)), 0))
  const digits = { bid: bestDigits(shown, "bids"), ask: bestDigits(shown, "asks"), cells, name }
  const hidden = rest.length - shown.length
  return [
    ...shown.map((panel) => panelLine(paint, panel, digits)),
    ...(hidden === 0 || lines === 0 ? [] : [paint("dim", fit(`… and ${counted(hidden, "more book")}`, cells))])
  ]
}

/** The lines of books beside each other, with a rule between. */
const besideEachOther = (
  paint: Paint,
  all: ReadonlyArray<ReadonlyArray<string>>,
  cells: number
): ReadonlyArray<string> => {
  const height = all.reduce((most, lines) => Math.max(most, lines.length), 0)
  return Array.from(
    { length: height },
    (_, index) =>
      all.map((lines, place) => place === all.length - 1 ? lines[index] ?? "" : pad(lines[index] ?? "", cells))
        .join(paint("dim", rule))
  )
}

/** The books in so many cells and lines. */
const books = (paint: Paint, { depth, panels }: View, cells: number, lines: number): ReadonlyArray<string> => {
  const most = acrossOf(panels, cells, lines)
  const wanted = Math.ceil(panels.length / most)
  const least = linesOf(Math.min(depth, leastDepth))
  // Those that have no room get a line each, as far as that leaves enough to the others; a blank line stands between.
  const restLinesOf = (rows: number): number =>
    rows >= wanted ? 0 : Math.min(panels.length - most * rows, Math.max(1, Math.floor(lines / 4)))
  let rows = wanted
  while (rows > 1 && rows * (least + 1) + restLinesOf(rows) > lines + 1) rows--
  const shown = panels.slice(0, most * rows)
  const rest = panels.slice(shown.length)
  const spare = lines - rows * (least + 1)
  const restHeight = Math.max(restLinesOf(rows), Math.min(rest.length, spare))
  const between = restHeight > 0 && lines >= 14 ? 1 : 0
  const height = Math.max(1, Math.floor((lines + 1 - restHeight - between) / rows) - 1)
  if (height < linesOf(0) + 1) return restLines(paint, panels, cells, lines)
  // Five are three and two, not four and one.
  const across = Math.ceil(shown.length / rows)
  const panelCells = Math.floor((cells + rule.length) / across) - rule.length
  const out: Array<string> = []
  for (let row = 0; row < rows; row++) {
    if (row > 0) out.push("")
    const ofRow = shown.slice(row * across, (row + 1) * across)
    out.push(
      ...besideEachOther(paint, ofRow.map((panel) => panelLines(paint, panel, panelCells, height, depth)), panelCells)
    )
  }
  if (between > 0) out.push("")
  if (restHeight > 0) out.push(...restLines(paint, rest, cells, restHeight))
  return out.slice(0, lines)
}

/** How connections stand: a line each if there is room, else several to a line. */
const heads = (paint: Paint, venues: ReadonlyArray<Health>, cells: number, lines: number): ReadonlyArray<string> => {
  if (cells >= 60 && venues.length <= Math.floor(lines / 8)) {
    return venues.flatMap((venue) => head(paint, venue, ["", ""], "same line", cells))
  }
  const out: Array<string> = []
  const most = Math.max(1, Math.floor((lines - 4) / 5))
  let shown = 0
  for (const venue of venues) {
    const text = head(paint, venue, ["", ""], "nowhere", cells).join("")
    const last = out.at(-1)
    const joined = last === undefined ? cells + 1 : width(last) + rule.length + width(text)
    if (joined <= cells) out[out.length - 1] = `${last}${" ".repeat(rule.length)}${text}`
    else if (out.length < most) out.push(text)
    else break
    shown++
  }
  if (shown < venues.length) out[out.length - 1] = paint("dim", fit(crowd(venues, shown - 1), cells))
  return out
}

/**
 * Lays the ladder out. No line is wider than the terminal, and there is one line
 * less than the terminal has, which is the cursor's.
 */
export const layout = (given: View, paint: Paint, { columns, rows: height }: Size): ReadonlyArray<string> => {
  const lines = Math.max(1, height - 1)
  const { happened, venues } = given
  // Books that cannot be had need no room.
  const isThere = ({ state }: Panel): boolean => state !== "No book"
  const panels = [...given.panels.filter(isThere), ...given.panels.filter((panel) => !isThere(panel))]
  const view: View = { ...given, panels }
  const spare = columns - acrossOf(panels, columns, lines) * (mostPanel + rule.length)
  const besideCells = spare >= leastBeside ? Math.min(mostBeside, spare) : 0
  const cells = besideCells === 0 ? columns : columns - besideCells - rule.length

  const out: Array<string> = []
  if (lines > 4) out.push(titleLine(paint, view.title, view.note, columns))
  out.push(...heads(paint, venues, columns, lines))
  if (lines >= 20) out.push("")

  const names = venues.length > 1 ? venues.reduce((most, { venue }) => Math.max(most, width(venue)), 0) : 0
  const late = (count: number, cells: number): ReadonlyArray<string> =>
    count <= 0
      ? []
      : happened.slice(-count).map((each) => happening(paint, each, Math.min(names, Math.floor(cells / 4)), cells))
  const room = lines - out.length
  if (besideCells > 0) {
    const left = books(paint, view, cells, room)
    const right = late(room, besideCells)
    const bar = paint("dim", rule)
    for (let index = 0; index < Math.max(left.length, right.length); index++) {
      out.push(pad(left[index] ?? "", cells) + bar + (right[index] ?? ""))
    }
    return out
  }
  // The books stay where they are when something happens: its lines are theirs from the start.
  const reserved = lines >= 40 ? 6 : lines >= 30 ? 4 : lines >= 22 ? 2 : lines >= 16 ? 1 : 0
  const drawn = books(paint, view, cells, room - reserved)
  const below = room - drawn.length
  const blank = below > reserved ? [""] : []
  return [...out, ...drawn, ...blank, ...late(below - blank.length, cells)].slice(0, lines)
}
