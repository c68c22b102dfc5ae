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
import type * as Lifecycle from "@tickline/core/event/Lifecycle"
import type * as MarketData from "@tickline/core/event/MarketData"
import { counted, fit, fitMiddle, grouped, pad, type Paint, span, type Tone, width } from "./Style.ts"

/**
 * A product of a venue: texts, each absent where nothing is known.
 *
 * @category models
 * @since 0.1.0
 */
export interface Row {
  readonly product: string
  readonly price?: string | undefined
  readonly side?: MarketData.Side | undefined
  readonly size?: string | undefined
  readonly bid?: string | undefined
  readonly bidSize?: string | undefined
  readonly ask?: string | undefined
  readonly askSize?: string | undefined
  /** Of 24 hours, in the base currency. */
  readonly volume?: string | undefined
  /** How many levels the last frame of a book had. */
  readonly book?: string | undefined
  readonly tradeId?: string | undefined
  /** The time of day that the venue gave, with its fraction. */
  readonly time?: string | undefined
  /** Events a second. */
  readonly rate: number
  readonly events: number
}

/**
 * A venue.
 *
 * @category models
 * @since 0.1.0
 */
export interface Section {
  readonly venue: string
  readonly state: string
  readonly epoch: number
  readonly dials: number
  readonly drops: number
  readonly breaker: Lifecycle.BreakerEvent["to"]
  readonly rejected: number
  readonly gaps: number
  readonly lastGap: string | undefined
  /** The dial that is waited for. */
  readonly wait: { readonly attempt: number; readonly millis: number } | undefined
  /** How many products there are. */
  readonly products: number
  /** Whether there are more of them than were counted. */
  readonly isMore: boolean
  /** The busiest products, at most so many, in the order in which they are to stand. */
  readonly rows: (most: number) => ReadonlyArray<Row>
}

/**
 * Something that happened: when, of which venue or of none, and what.
 *
 * @category models
 * @since 0.1.0
 */
export interface Happening {
  readonly time: string
  readonly venue: string
  readonly tone: Tone
  readonly text: string
}

/**
 * What the last columns show: the market, or what a client that reads prices as
 * floating-point numbers would have shown.
 *
 * @category models
 * @since 0.1.0
 */
export type Detail = "market" | "float"

/**
 * All that is to be seen. Texts are printable.
 *
 * @category models
 * @since 0.1.0
 */
export interface View {
  readonly title: string
  readonly note: string | undefined
  readonly detail: Detail
  readonly elapsedMillis: number
  readonly sections: ReadonlyArray<Section>
  /** The latest last. */
  readonly happened: ReadonlyArray<Happening>
}

/**
 * The size of a terminal, in cells.
 *
 * @category models
 * @since 0.1.0
 */
export interface Size {
  readonly columns: number
  readonly rows: number
}

/**
 * What a client that reads a price as a floating-point number shows for it.
 *
 * @category getters
 * @since 0.1.0
 */
export const asFloat = (price: string): string => String(Number(price))

const states: Readonly<Record<string, Tone>> = {
  Connected: "green",
  Connecting: "yellow",
  Reconnecting: "yellow",
  CircuitOpen: "red",
  Failed: "red",
  Closing: "dim",
  Disconnected: "dim"
}

const breakers: Readonly<Record<Lifecycle.BreakerEvent["to"], Tone>> = {
  Closed: "green",
  HalfOpen: "yellow",
  Open: "red"
}

// ---------------------------------------------------------------------------
// Columns
// ---------------------------------------------------------------------------

/** The cells of numbers, aligned at the point: those of the whole part, and those from the point on. */
interface Digits {
  readonly whole: number
  readonly fraction: number
}

interface Column {
  readonly title: string
  readonly cells: number
  /** The cells of its fractions, their point included. */
  readonly fraction: number
  readonly cell: (row: Row) => string
}

/** How a column is made for the rows that are shown; a fraction gets at most so many cells, its point included. */
type Make = (rows: ReadonlyArray<Row>, fraction: number) => Column

/** A whole part beyond this is not shown: no price has it. */
const longestWhole = 24

const split = (text: string): readonly [whole: string, fraction: string] => {
  const point = text.indexOf(".")
  return point < 0 ? [text, ""] : [text.slice(0, point), text.slice(point)]
}

const measure = (texts: ReadonlyArray<string>, most: number): Digits => {
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
const aligned = (text: string, digits: Digits): string => {
  const [before, after] = split(text)
  const blank = " ".repeat(digits.fraction)
  if (text === "") return " ".repeat(digits.whole) + blank
  if (before.length > digits.whole) return pad("…", digits.whole, "right") + blank
  const fraction = after.length <= digits.fraction ? after : `${after.slice(0, digits.fraction - 1)}…`
  return pad(before, digits.whole, "right") + pad(fraction, digits.fraction)
}

const number = (title: string, of: (row: Row) => string | undefined): Make => (rows, fraction) => {
  const digits = measure(rows.map((row) => of(row) ?? ""), fraction)
  const cells = Math.max(width(title), digits.whole + digits.fraction)
  return {
    title: pad(title, cells, "right"),
    cells,
    fraction: digits.fraction,
    cell: (row) => pad(aligned(of(row) ?? "", digits), cells, "right")
  }
}

const words = (
  title: string,
  of: (row: Row) => string | undefined,
  align: "left" | "right" = "left",
  most: number = Infinity
): Make =>
(rows) => {
  const cells = Math.min(most, rows.reduce((widest, row) => Math.max(widest, width(of(row) ?? "")), width(title)))
  return {
    title: pad(fit(title, cells), cells, align),
    cells,
    fraction: 0,
    cell: (row) => pad(fitMiddle(of(row) ?? "", cells), cells, align)
  }
}

const rateOf = ({ rate }: Row): string => rate < 1_000 ? rate.toFixed(1) : grouped(Math.round(rate))

const toned = (make: Make, tone: (row: Row) => Tone, paint: Paint): Make => (rows, fraction) => {
  const column = make(rows, fraction)
  return { ...column, cell: (row) => paint(tone(row), column.cell(row)) }
}

const time = (cells: number): Make => words("time", ({ time }) => time?.slice(0, cells))

/** How a float client's price differs: the digits that it made up, and how many it lost. */
const difference = (price: string): { readonly same: string; readonly made: string; readonly lost: number } => {
  const shown = asFloat(price)
  let same = 0
  while (same < shown.length && shown[same] === price[same]) same++
  const made = shown.slice(same)
  return {
    same: shown.slice(0, same),
    made,
    lost: made === "" ? price.slice(same).replace(/\D/g, "").length : 0
  }
}

const lostText = (lost: number): string => lost === 0 ? "" : `−${counted(lost, "digit")}`

const float = (paint: Paint): Make => (rows) => {
  const title = "a float client shows"
  const digits = measure(rows.map(({ price }) => price === undefined ? "" : asFloat(price)), Infinity)
  const text = ({ price }: Row): string => {
    if (price === undefined) return ""
    const { lost, made, same } = difference(price)
    if (lost === 0 && made === "") return `${" ".repeat(digits.whole - 1)}${paint("dim", "the same")}`
    const [whole] = split(same + made)
    const blanks = " ".repeat(Math.max(0, digits.whole - whole.length))
    return `${blanks}${same}${paint("red", made)}${lost === 0 ? "" : ` ${paint("red", lostText(lost))}`}`
  }
  const cells = rows.reduce((widest, row) => Math.max(widest, width(text(row))), width(title))
  return { title: pad(title, cells), cells, fraction: 0, cell: (row) => pad(fit(text(row), cells), cells) }
}

const floatBriefly = (paint: Paint): Make => () => ({
  title: pad("float", 9),
  cells: 9,
  fraction: 0,
  cell: ({ price }) => {
    if (price === undefined) return " ".repeat(9)
    const { lost, made } = difference(price)
    return lost === 0 && made === ""
      ? paint("dim", pad("the same", 9))
      : paint("red", pad(fit(made === "" ? lostText(lost) : "differs", 9), 9))
  }
})

const gap = 2

const widthOf = (columns: ReadonlyArray<Column>): number => columns.reduce((sum, { cells }) => sum + cells + gap, -gap)

/** A fraction that has fewer cells than this is hardly worth its column. */
const leastFraction = 5

/** Makes the columns with the longest fraction, down to the least one, with which they fit. */
const squeeze = (
  makes: ReadonlyArray<Make>,
  rows: ReadonlyArray<Row>,
  cells: number,
  least: number
): ReadonlyArray<Column> | undefined => {
  const whole = makes.map((make) => make(rows, Infinity))
  if (widthOf(whole) <= cells) return whole
  // No fraction as wide as the terminal fits.
  const longest = whole.reduce((most, { fraction }) => Math.max(most, fraction), 0)
  for (let fraction = Math.min(longest - 1, cells); fraction >= least; fraction--) {
    const columns = makes.map((make) => make(rows, fraction))
    if (widthOf(columns) <= cells) return columns
  }
  return undefined
}

/** What is shown beside what must be, as far as there is room for it whole. */
const spares = [["rate"], ["time"], ["timeBriefly"], ["events"], ["bidSize", "askSize"], ["volume"], ["tradeId"]]

/** The columns that fit, in the order in which they stand. */
const choose = (view: View, paint: Paint, rows: ReadonlyArray<Row>, cells: number): ReadonlyArray<Column> => {
  const has = (of: (row: Row) => unknown) => rows.some((row) => of(row) !== undefined)
  const product = words("product", (row) => row.product, "left", Math.max(6, Math.floor(cells / (cells < 60 ? 3 : 4))))
  const price = number(view.detail === "float" ? "exact price" : "price", (row) => row.price)

  // All columns, in the order in which they stand; what is known of no product has none.
  const all = new Map<string, Make>([["product", product]])
  const add = (name: string, of: (row: Row) => unknown, make: Make) => {
    if (has(of)) all.set(name, make)
  }
  add("price", (row) => row.price, toned(price, () => "bold", paint))
  if (view.detail === "float") {
    add("float", (row) => row.price, float(paint))
    add("floatBriefly", (row) => row.price, floatBriefly(paint))
  } else {
    const sides = words("side", (row) => row.side)
    add("side", (row) => row.side, toned(sides, ({ side }) => side === "sell" ? "red" : "green", paint))
    add("size", (row) => row.size, number("size", (row) => row.size))
    add("bidSize", (row) => row.bidSize, number("bid size", (row) => row.bidSize))
    add("bid", (row) => row.bid, number("bid", (row) => row.bid))
    add("ask", (row) => row.ask, number("ask", (row) => row.ask))
    add("askSize", (row) => row.askSize, number("ask size", (row) => row.askSize))
    add("volume", (row) => row.volume, number("volume 24 h", (row) => row.volume))
    add("book", (row) => row.book, words("last book frame", (row) => row.book))
  }
  add("time", (row) => row.time, time(12))
  add("timeBriefly", (row) => row.time, time(8))
  add("tradeId", (row) => row.tradeId, words("trade id", (row) => row.tradeId, "right", 20))
  all.set("rate", words("/s", rateOf, "right"))
  all.set("events", words("events", (row) => grouped(row.events), "right"))
  const make = (names: ReadonlySet<string>) => [...all].flatMap(([name, make]) => names.has(name) ? [make] : [])

  const must = view.detail === "float"
    ? [["product", "price", "float"], ["product", "price", "floatBriefly"], ["product", "price"]]
    : [
      ["product", "price", "side", "size", "bid", "ask", "book"],
      ["product", "price", "side", "size", "bid", "ask"],
      ["product", "price", "size", "bid", "ask"],
      ["product", "price", "bid", "ask"],
      ["product", "price", "size"],
      ["product", "price"]
    ]
  for (const names of must) {
    // What a float client shows is compared digit by digit: it is shown whole, or in a word.
    const isWhole = names.includes("float")
    const chosen = new Set(names)
    const columns = squeeze(make(chosen), rows, cells, isWhole ? Infinity : leastFraction)
    if (columns === undefined) continue
    let found = columns
    for (const spare of spares) {
      if (spare.includes("timeBriefly") && chosen.has("time")) continue
      const more = make(new Set([...chosen, ...spare])).map((make) => make(rows, Infinity))
      if (widthOf(more) > cells) continue
      for (const name of spare) chosen.add(name)
      found = more
    }
    return found
  }
  return squeeze(make(new Set(["product", "price"])), rows, cells, 2) ??
    make(new Set(["product"])).map((make) => make(rows, 2))
}

// ---------------------------------------------------------------------------
// Lines
// ---------------------------------------------------------------------------

/** As many of the parts, whole, as fit beside each other. */
const beside = (parts: ReadonlyArray<string>, separator: string, cells: number): string => {
  let out = ""
  for (const part of parts) {
    const next = out === "" || part === "" ? out + part : out + separator + part
    if (width(next) <= cells) out = next
  }
  return out
}

const waitText = ({ wait }: Section): string =>
  wait === undefined ? "" : `attempt ${wait.attempt} in ${(wait.millis / 1000).toFixed(1)} s`

const facts = (paint: Paint, of: Section): ReadonlyArray<string> => [
  `epoch ${of.epoch}`,
  `breaker ${paint(breakers[of.breaker], of.breaker)}`,
  counted(of.drops, "drop"),
  counted(of.dials, "dial"),
  ...(of.rejected > 0 ? [`rejected ${paint("yellow", grouped(of.rejected))}`] : []),
  ...(of.lastGap === undefined ? [] : [`${counted(of.gaps, "gap")}, last ${of.lastGap}`])
]

/** The lines of a venue: its name and state and what else fits; the facts there, on a line of their own, or not at all. */
const head = (
  paint: Paint,
  of: Section,
  hidden: number,
  place: "same line" | "own line" | "nowhere",
  cells: number
): ReadonlyArray<string> => {
  const state = `● ${of.state}`
  const briefly = hidden > 0 ? `+${grouped(hidden)}` : ""
  // How many products are not shown is told however narrow it is.
  const left = cells - width(state) - gap - (briefly === "" ? 0 : briefly.length + gap)
  const name = fitMiddle(of.venue, Math.max(6, left))
  const found = fit(`${paint("bold", name)}  ${paint(states[of.state] ?? "dim", state)}`, cells)
  const count = `${of.isMore ? "more than " : ""}${grouped(of.products)} products`
  const fitting = hidden === 0 ? "" : width(found) + gap + count.length <= cells ? count : briefly
  const more = [fitting, paint("yellow", waitText(of))].filter((text) => text !== "")
  const separator = paint("dim", " · ")
  const first = beside([found, ...more], "  ", cells)
  if (place === "same line") {
    const rest = beside(facts(paint, of), separator, cells - width(first) - 3)
    return [rest === "" ? first : `${first}   ${rest}`]
  }
  // What the first line had no room for begins the second.
  const wait = waitText(of)
  const missing = wait === "" || first.includes(wait) ? [] : [paint("yellow", wait)]
  return place === "nowhere"
    ? [first]
    : [first, fit(`  ${beside([...missing, ...facts(paint, of)], separator, cells - gap)}`, cells)]
}

const happening = (
  paint: Paint,
  { text, time, tone, venue }: Happening,
  widest: number,
  cells: number
): string => {
  const whose = widest === 0 ? "" : `${paint("dim", pad(fitMiddle(venue, widest), widest))}  `
  return fit(`${paint("dim", cells < 60 ? time.slice(0, 8) : time)}  ${whose}${paint(tone, text)}`, cells)
}

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
    const left = paint("bold", fit(view.title, columns))
    const right = paint("dim", `${span(Math.floor(view.elapsedMillis / 1000) * 1000)} · ^C ends`)
    const between = columns - width(left) - width(right)
    out.push(between < 1 ? left : left + " ".repeat(between) + right)
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
    out.push(...head(paint, of, isCounted ? 0 : hidden, place, cells))
    for (const row of shown) out.push(fit(indent + table.map(({ cell }) => cell(row)).join(indent), cells))
    if (isCounted) {
      out.push(paint("dim", fit(`${indent}… and ${of.isMore ? "more than " : ""}${grouped(hidden)} more`, cells)))
    }
  })
  if (given.isCrowded) {
    const others = view.sections.slice(given.shown.length)
    const byState = new Map<string, number>()
    for (const { state } of others) byState.set(state, (byState.get(state) ?? 0) + 1)
    const which = Array.from(byState, ([state, count]) => `${count} ${state}`).join(", ")
    const what = given.shown.length === 0
      ? counted(others.length, "venue")
      : `… and ${counted(others.length, "more venue")}`
    out.push(paint("dim", fit(`${what}: ${which}`, cells)))
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
