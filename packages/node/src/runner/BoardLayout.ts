/**
 * How the live table is laid out: what is known of venues and products, as lines
 * for a terminal of any size. Pure.
 *
 * Every venue has a line as long as there is one for it; beyond that their number
 * and states are told. Of products the busiest are shown, and how many more there
 * are. Columns that do not fit are left out, the least needed first. A number is
 * whole, or its fraction ends in an ellipsis; where its whole part does not fit
 * there is an ellipsis alone.
 *
 * @since 0.1.0
 */
import { choose } from "./internal/boardColumns.ts"
import { crowd, gap, happening, head, running, titleLine } from "./internal/healthLines.ts"
import type { Size, View } from "./internal/view.ts"
import { fit, grouped, pad, type Paint, width } from "./Style.ts"

/**
 * What is shown (`View`): the venues (`Section`), their products (`Row`), what
 * happened (`Happening`) and what stands beside the prices (`Detail`), in a
 * terminal of a `Size`.
 *
 * @category models
 * @since 0.1.0
 */
export type { Detail, Happening, Row, Section, Size, View } from "./internal/view.ts"

/**
 * What a client that reads a price as a floating-point number shows for it.
 *
 * @category getters
 * @since 0.1.0
 */
export { asFloat } from "./internal/boardColumns.ts"

/** Gives each a share of what is there in turn, one at a time, up to what it wants; gives back what is left. */
const share = (left: number, given: Array<number>, wanted: ReadonlyArray<number>): number => {
  for (let isGiving = true; isGiving && left > 0;) {
    isGiving = false
    for (let index = 0; index < given.length && left > 0; index++) {
      if ((given[index] ?? 0) >= (wanted[index] ?? 0)) continue
      given[index] = (given[index] ?? 0) + 1
      left--
      isGiving = true
    }
  }
  return left
}

/** What a terminal of so many lines has room for. The needed comes first, and what is left over goes to the rest. */
const plan = (view: View, lines: number, { isWide, ownFacts }: { isWide: boolean; ownFacts: boolean }) => {
  const { sections } = view
  let left = lines
  const take = (wanted: number): number => {
    const taken = left >= wanted ? wanted : 0
    left -= taken
    return taken
  }
  const title = sections.length < left ? take(1) : 0
  const isCrowded = sections.length > left
  const heads = isCrowded ? Math.max(0, left - 1) : sections.length
  left -= isCrowded ? left : heads
  const shown = sections.slice(0, heads)
  const products = shown.map((of) => of.products)
  const rows = shown.map(() => 0)
  left = share(left, rows, products.map((count) => Math.min(1, count)))
  const titles = rows.some((count) => count > 0) ? take(1) : 0
  left = share(left, rows, products.map((count) => Math.min(3, count)))
  const facts = ownFacts ? take(heads) : 0
  const late = view.happened.length
  const least = isWide || late === 0 ? 0 : take(4)
  const note = view.note === undefined ? 0 : take(1)
  const blanks = take(heads + titles)
  left = share(left, rows, products)
  // A line of them and the blank before it, at least.
  const events = isWide || late === 0 || least + left < 2 ? 0 : least + left
  return { title, note, titles, isCrowded, shown, rows, facts: facts > 0, blanks: blanks > 0, events }
}

/** From here on what happened stands beside the table. */
const wideFrom = 150

/**
 * Lays out the table. No line is wider than the terminal, and there is one line
 * less than the terminal has, which is the cursor's.
 *
 * @category getters
 * @since 0.1.0
 */
export const layout = (view: View, paint: Paint, { columns, rows: height }: Size): ReadonlyArray<string> => {
  const isWide = columns >= wideFrom
  const lines = Math.max(1, height - 1)
  const besideCells = isWide ? Math.min(100, Math.floor(columns * 0.45)) : 0
  const cells = isWide ? columns - besideCells - 3 : Math.max(1, columns)
  const widest = view.sections.length > 1
    ? Math.min(Math.floor(cells / 4), view.sections.reduce((most, { venue }) => Math.max(most, width(venue)), 0))
    : 0
  const ownFacts = !isWide && cells < 100
  const given = plan(view, lines, { isWide, ownFacts })
  const out: Array<string> = []

  if (given.title > 0) {
    out.push(titleLine(paint, view.title, running(view.elapsedMillis), columns))
  }
  if (given.note > 0) out.push(paint("dim", fit(view.note ?? "", columns)))
  const top = out.length

  // Of rows that do not all fit the last line says how many more there are.
  const counts = given.shown.map(({ products }, index) => {
    const lines = given.rows[index] ?? 0
    return products <= lines || lines < 2 ? Math.min(lines, products) : lines - 1
  })
  const rows = given.shown.map((of, index) => of.rows(counts[index] ?? 0))
  const table = choose(view, paint, rows.flat(), cells - gap)
  const indent = " ".repeat(gap)
  if (given.titles > 0) {
    if (given.blanks) out.push("")
    out.push(paint("dim", fit(indent + table.map(({ title }) => title).join(indent), cells)))
  }
  given.shown.forEach((of, index) => {
    if (given.blanks) out.push("")
    const shown = rows[index] ?? []
    const hidden = of.products - shown.length
    const isCounted = hidden > 0 && (given.rows[index] ?? 0) > shown.length
    const place = ownFacts ? given.facts ? "own line" : "nowhere" : "same line"
    const all = `${of.isMore ? "more than " : ""}${grouped(of.products)} products`
    out.push(...head(paint, of, hidden === 0 || isCounted ? ["", ""] : [all, `+${grouped(hidden)}`], place, cells))
    for (const row of shown) out.push(fit(indent + table.map(({ cell }) => cell(row)).join(indent), cells))
    if (isCounted) {
      out.push(paint("dim", fit(`${indent}… and ${of.isMore ? "more than " : ""}${grouped(hidden)} more`, cells)))
    }
  })
  if (given.isCrowded) {
    out.push(paint("dim", fit(crowd(view.sections, given.shown.length), cells)))
  }

  if (isWide) {
    const table = out.splice(top)
    const lead = given.blanks ? [""] : []
    const late = view.happened.slice(-Math.max(1, lines - top - lead.length))
    const right = [...lead, ...late.map((each) => happening(paint, each, widest, besideCells))]
    const bar = paint("dim", " │ ")
    for (let index = 0; index < Math.min(lines - top, Math.max(table.length, right.length)); index++) {
      out.push(pad(table[index] ?? "", cells) + bar + (right[index] ?? ""))
    }
    return out
  }
  if (given.events > 1) {
    out.push("", ...view.happened.slice(1 - given.events).map((each) => happening(paint, each, widest, cells)))
  }
  return out
}
