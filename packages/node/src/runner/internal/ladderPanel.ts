/** One book as lines: its state, then asks above bids, with a bar for each size. */
import { counted, fit, fitMiddle, pad, type Paint, span, type Tone, width, wrap } from "../Style.ts"
import { aligned, type Digits } from "./digits.ts"
import { beside, gap } from "./healthLines.ts"
import type { Change, Level, Levels, Panel } from "./ladderView.ts"

const tones: Readonly<Record<Panel["state"], Tone>> = {
  Live: "green",
  Unverified: "yellow",
  Syncing: "yellow",
  Gapped: "red",
  "No book": "red"
}

const changes: Readonly<Record<Change, readonly [sign: string, tone: Tone]>> = {
  new: ["+", "cyan"],
  grown: ["▴", "green"],
  shrunk: ["▾", "red"]
}

const sides = { asks: "red", bids: "green" } as const

const eighths = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]

/** A bar of at most so many cells, to an eighth; of a size that there is, something is to be seen. */
const bar = (share: number, cells: number): string => {
  const parts = Math.max(1, Math.min(cells * 8, Math.round(share * cells * 8)))
  return "█".repeat(Math.floor(parts / 8)) + (eighths[parts % 8] ?? "")
}

const tenths = (millis: number): string => millis < 60_000 ? `${(millis / 1000).toFixed(1)} s` : span(millis)

/** How long ago a book changed, or how long it has been without levels. */
export const age = ({ changedMillis, levels }: Panel): string =>
  changedMillis === undefined
    ? ""
    : levels === undefined
    ? `for ${tenths(changedMillis)}`
    : `${tenths(changedMillis)} ago`

// A market in which nothing has moved for so long is looked at twice.
const oldMillis = 10_000

const paintedAge = (paint: Paint, panel: Panel): string =>
  paint((panel.changedMillis ?? 0) >= oldMillis ? "yellow" : "dim", age(panel))

/** The state in words and colour. */
export const stateText = (paint: Paint, { state }: Panel): string => paint(tones[state], `● ${state}`)

// A gap stands out for so long.
const recentMillis = 60_000

/** The gaps of a book: in full first, then in fewer words. */
const gapsTexts = ({ gaps, lastGap }: Panel): ReadonlyArray<string> =>
  gaps === 0 ? [""] : [`${counted(gaps, "gap")}, last ${lastGap ?? "open"}`, counted(gaps, "gap")]

/** Something at the left and something at the right, which gives way. */
const between = (left: string, right: string, cells: number): string => {
  const room = cells - width(left) - width(right)
  return right === "" || room < gap ? fit(left, cells) : left + " ".repeat(room) + right
}

/** The lines above the levels: what it is, and how it stands. */
const heading = (paint: Paint, panel: Panel, cells: number): ReadonlyArray<string> => {
  const { counts, last, levels, product, venue } = panel
  const right = paintedAge(paint, panel)
  const first = beside(
    [
      paint("bold", fitMiddle(product, cells)),
      paint("dim", venue),
      ...(last === undefined ? [] : [last]),
      ...(counts === undefined ? [] : [paint("dim", `${counted(counts[0], "bid")} × ${counted(counts[1], "ask")}`)])
    ],
    "  ",
    cells - (right === "" ? 0 : width(right) + gap)
  )
  const state = stateText(paint, panel)
  // Of a book without levels the words have lines of their own.
  const words = levels === undefined ? [""] : panel.words
  const room = cells - width(state) - 2 * gap
  const [gaps, why] = gapsTexts(panel).flatMap((gaps) => words.map((words) => [gaps, words] as const))
    .find(([gaps, words]) => width(gaps) + width(words) <= room) ?? ["", words.at(-1) ?? ""]
  return [
    between(first, right, cells),
    between(
      `${state}${" ".repeat(gap)}${paint("dim", why)}`,
      paint((panel.gapMillis ?? 0) < recentMillis ? "yellow" : "dim", gaps),
      cells
    )
  ]
}

interface Columns {
  readonly price: Digits
  readonly size: Digits
  readonly total: Digits | undefined
  /** The cells of a whole bar. */
  readonly bar: number
}

// The mark of the best levels, and that of a change.
const best = "▸ "
const changeCells = 2

const cellsOf = ({ fraction, whole }: Digits): number => whole + fraction

const titled = (title: string, digits: Digits): Digits => ({
  ...digits,
  whole: Math.max(digits.whole, title.length - digits.fraction)
})

const titles = { price: "price", size: "size", total: "total" }

const without = (digits: Levels["digits"]): number =>
  best.length + cellsOf(titled(titles.price, digits.price)) + gap + cellsOf(titled(titles.size, digits.size)) +
  changeCells

const leastBar = 8
const mostBar = 48

/** The cells that the numbers and a bar take. */
export const leastCells = ({ digits }: Levels): number => without(digits) + leastBar

const cut = (digits: Digits, fraction: number): Digits => ({
  ...digits,
  fraction: Math.min(digits.fraction, fraction)
})

/** Which columns fit: the total goes first, then the bar, then digits of the size, and of the price last. */
const choose = ({ digits }: Levels, cells: number): Columns => {
  const price = titled(titles.price, digits.price)
  const size = titled(titles.size, digits.size)
  const total = titled(titles.total, digits.total)
  const spare = cells - without(digits)
  if (spare >= cellsOf(total) + gap + leastBar) {
    return { price, size, total, bar: Math.min(mostBar, spare - cellsOf(total) - gap) }
  }
  if (spare >= leastBar) return { price, size, total: undefined, bar: Math.min(mostBar, spare) }
  if (spare >= 0) return { price, size, total: undefined, bar: 0 }
  const sizeFraction = Math.max(2, digits.size.fraction + spare)
  const priceFraction = Math.max(2, digits.price.fraction + spare + digits.size.fraction - sizeFraction)
  return { price: cut(price, priceFraction), size: cut(size, sizeFraction), total: undefined, bar: 0 }
}

const titleLine = (paint: Paint, { bar, price, size, total }: Columns, full: string, cells: number): string => {
  const number = (title: string, digits: Digits): string => pad(title, cellsOf(digits), "right")
  const line = " ".repeat(best.length) + number(titles.price, price) + " ".repeat(gap) + number(titles.size, size) +
    " ".repeat(changeCells) +
    (total === undefined ? "" : number(titles.total, total) + " ".repeat(gap))
  const scale = [`size, a full bar is ${full}`, `full bar ${full}`, `█ = ${full}`].find((text) => width(text) <= bar) ??
    ""
  return paint("dim", fit(line + scale, cells))
}

const levelLine = (paint: Paint, side: "asks" | "bids", level: Level, isBest: boolean, columns: Columns): string => {
  const { change, isProven, price, share, size, total } = level
  const [sign, tone] = change === undefined ? [" ", "dim" as const] : changes[change]
  const priceText = paint(isProven ? sides[side] : "dim", aligned(price, columns.price))
  const sizeText = aligned(size, columns.size)
  return [
    isBest ? paint("bold", best) : " ".repeat(best.length),
    isBest ? paint("bold", priceText) : priceText,
    " ".repeat(gap),
    change === undefined ? isProven ? sizeText : paint("dim", sizeText) : paint("bold", sizeText),
    paint(tone, sign),
    " ",
    columns.total === undefined ? "" : paint("dim", aligned(total, columns.total)) + " ".repeat(gap),
    // Bars are not to outshine the numbers.
    columns.bar === 0
      ? ""
      : paint("dim", isProven ? paint(sides[side], bar(share, columns.bar)) : bar(share, columns.bar))
  ].join("")
}

const midLine = (paint: Paint, levels: Levels, columns: Columns, cells: number): string => {
  const { asks, basisPoints, bids, isCrossed, mid, spread } = levels
  if (mid === undefined) {
    const empty = asks.length === 0 && bids.length === 0 ? "no levels" : asks.length === 0 ? "no asks" : "no bids"
    return paint("yellow", fit(" ".repeat(best.length) + empty, cells))
  }
  const words = [
    "mid",
    isCrossed ? paint("red", `crossed by ${spread?.replace("-", "") ?? ""}`) : `spread ${spread ?? ""}`,
    ...(basisPoints === undefined || isCrossed ? [] : [`${basisPoints} bp`])
  ]
  const number = paint("bold", aligned(mid, columns.price))
  const left = cells - best.length - cellsOf(columns.price) - gap
  return fit(`${" ".repeat(best.length)}${number}${" ".repeat(gap)}${beside(words, paint("dim", " · "), left)}`, cells)
}

/** How many lines a book takes that shows so many levels of each side. */
export const linesOf = (depth: number): number => headingLines + 2 * depth + 2

const headingLines = 2

/** A book in so many cells and at most so many lines, with at most so many levels of each side. */
export const panelLines = (
  paint: Paint,
  panel: Panel,
  cells: number,
  height: number,
  depth: number
): ReadonlyArray<string> => {
  const lines = [...heading(paint, panel, cells)]
  // The titles say for what a bar stands: they are left out only where there is hardly a level.
  const hasTitles = height >= linesOf(2)
  const room = Math.max(0, Math.min(depth, Math.floor((height - headingLines - (hasTitles ? 2 : 1)) / 2)))
  const blanks = (count: number): ReadonlyArray<string> => Array.from({ length: Math.max(0, count) }, () => "")
  if (panel.levels === undefined) {
    const words = wrap(panel.words[0] ?? "", cells - gap, " ".repeat(gap)).map((line) => paint("dim", fit(line, cells)))
    const held = panel.lines === 0 ? 0 : 2 * Math.min(room, panel.lines) + (hasTitles ? 2 : 1)
    return [...lines, ...words, ...blanks(held - words.length)].slice(0, height)
  }
  const levels = panel.levels(room)
  const columns = choose(levels, cells)
  const side = (name: "asks" | "bids") =>
    levels[name].map((level, index) => fit(levelLine(paint, name, level, index === 0, columns), cells))
  // The titles go where there is no line for them.
  if (hasTitles) lines.push(titleLine(paint, columns, levels.full, cells))
  const most = Math.min(room, panel.lines)
  lines.push(...blanks(most - levels.asks.length), ...side("asks").reverse())
  if (height > headingLines) lines.push(midLine(paint, levels, columns, cells))
  lines.push(...side("bids"), ...blanks(most - levels.bids.length))
  return lines.slice(0, height)
}

/** Where the parts of books in one line each stand; prices are aligned at the point if there is room for that. */
export interface LineColumns {
  readonly cells: number
  readonly name: number
  readonly bid: Digits
  readonly ask: Digits
}

/** A book in one line: its best prices, or why it has none. */
export const panelLine = (paint: Paint, panel: Panel, { ask, bid, cells, name }: LineColumns): string => {
  const product = paint("bold", pad(fitMiddle(panel.product, name), name))
  const state = stateText(paint, panel)
  if (panel.levels === undefined) {
    const found = beside([product, state, ...(panel.last === undefined ? [] : [panel.last])], "  ", cells)
    return fit(`${found}  ${paint("dim", panel.words[0] ?? "")}`, cells)
  }
  const { asks: [bestAsk], bids: [bestBid], spread } = panel.levels(1)
  const bidText = bestBid?.price ?? ""
  const askText = bestAsk?.price ?? ""
  const isRoomy = name + cellsOf(bid) + cellsOf(ask) + "● Unverified".length + 3 * gap <= cells
  const prices = [
    paint("green", isRoomy ? aligned(bidText, bid) : bidText),
    paint("red", isRoomy ? aligned(askText, ask) : askText)
  ]
  // What is not proven is not passed over in silence, however narrow it is.
  const parts = isRoomy || panel.state === "Live" ? [...prices, state] : [state, ...prices]
  const more = spread === undefined ? [] : [paint("dim", `spread ${spread}`)]
  return fit(beside([product, ...parts, ...more, paintedAge(paint, panel)], "  ", cells), cells)
}
