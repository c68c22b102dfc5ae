/** The columns of the live table: which fit, and how their numbers stand under each other. */
import { counted, fit, fitMiddle, grouped, pad, type Paint, type Tone, width } from "../Style.ts"
import { aligned, measure, split } from "./digits.ts"
import { gap } from "./healthLines.ts"
import type { Row, View } from "./view.ts"

/** What a client that reads a price as a floating-point number shows for it. */
export const asFloat = (price: string): string => String(Number(price))

export interface Column {
  readonly title: string
  readonly cells: number
  /** The cells of its fractions, their point included. */
  readonly fraction: number
  readonly cell: (row: Row) => string
}

/** How a column is made for the rows that are shown; a fraction gets at most so many cells, its point included. */
type Make = (rows: ReadonlyArray<Row>, fraction: number) => Column

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

export const widthOf = (columns: ReadonlyArray<Column>): number =>
  columns.reduce((sum, { cells }) => sum + cells + gap, -gap)

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
export const choose = (view: View, paint: Paint, rows: ReadonlyArray<Row>, cells: number): ReadonlyArray<Column> => {
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
