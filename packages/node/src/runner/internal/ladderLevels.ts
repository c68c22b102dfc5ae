/** The levels of a whole book as texts: what has changed, how much there is in all, and how wide it stands. */
import type * as MarketData from "@tickline/core/event/MarketData"
import * as OrderBook from "@tickline/core/market/OrderBook"
import * as Decimal from "@tickline/core/value/Decimal"
import * as BigDecimal from "effect/BigDecimal"
import { type Digits, measure } from "./digits.ts"
import type { Change, Level, Levels } from "./ladderView.ts"

/** What has become of a level, and until when that is shown. */
interface Mark {
  readonly change: Change
  readonly until: number
}

type Marks = ReadonlyArray<Mark | undefined>

/** For so long it is shown that a level has changed: long enough to be seen, too short to be in the way. */
const markMillis = 600

/**
 * What has become of the levels of a side, each at its place, since they were
 * read before. A level that was only too deep to be read then is not new.
 */
const marksOf = (
  before: ReadonlyArray<MarketData.Level>,
  marks: Marks,
  after: ReadonlyArray<MarketData.Level>,
  { at, isCut, isBetter }: {
    readonly at: number
    readonly isCut: boolean
    readonly isBetter: (a: Decimal.Decimal, b: Decimal.Decimal) => boolean
  }
): Marks => {
  let index = 0
  return after.map(([price, size]) => {
    let old = before[index]
    while (old !== undefined && isBetter(old[0], price)) old = before[++index]
    if (old === undefined) return isCut ? undefined : { change: "new", until: at + markMillis }
    if (!BigDecimal.equals(old[0], price)) return { change: "new", until: at + markMillis }
    const mark = marks[index++]
    if (BigDecimal.equals(old[1], size)) return mark
    return { change: BigDecimal.isGreaterThan(size, old[1]) ? "grown" : "shrunk", until: at + markMillis }
  })
}

/** A number that grows at once, and shrinks only if it has not been reached for some time: a frame that does not tremble. */
class Peak {
  private held = -Infinity
  private until = -Infinity

  of(wanted: number, at: number): number {
    if (wanted >= this.held || at >= this.until) {
      this.held = wanted
      this.until = at + 10_000
    }
    return this.held
  }
}

const steps = [1n, 2n, 5n]

/** The place of the least of 1, 2, 5, 10, 20, … that is not less, among such numbers. */
const rankOf = ({ scale, value }: Decimal.Decimal): number => {
  const digits = String(value)
  const lead = 10n ** BigInt(digits.length - 1)
  const step = steps.findIndex((step) => value <= step * lead)
  return (digits.length - 1 - scale) * steps.length + (step < 0 ? steps.length : step)
}

/** The number at a place among 1, 2, 5, 10, 20, … */
const ranked = (rank: number): Decimal.Decimal => {
  const exponent = Math.floor(rank / steps.length)
  const step = steps[rank - exponent * steps.length] ?? 1n
  return exponent < 0 ? BigDecimal.make(step, -exponent) : BigDecimal.make(step * 10n ** BigInt(exponent), 0)
}

/** A size as a share of another, to the ten-thousandth: for a bar. */
const shareOf = (size: Decimal.Decimal, full: Decimal.Decimal): number => {
  const scale = Math.max(size.scale, full.scale)
  const [part, whole] = [size, full].map((each) => each.value * 10n ** BigInt(scale - each.scale))
  return part === undefined || whole === undefined || whole === 0n ? 0 : Number(part * 10_000n / whole) / 10_000
}

const tenThousand = BigDecimal.make(10_000n, 0)

/** The spread in hundredths of a percent of the mid, to a hundredth. */
const basisPointsOf = (spread: Decimal.Decimal, mid: Decimal.Decimal): string | undefined => {
  const found = BigDecimal.divide(BigDecimal.multiply(spread, tenThousand), mid)
  if (found._tag === "None") return undefined
  const text = Decimal.format(BigDecimal.round(found.value, { scale: 2, mode: "half-even" }))
  return spread.value > 0n && text === "0.00" ? "< 0.01" : text
}

const better = {
  bids: (a: Decimal.Decimal, b: Decimal.Decimal) => BigDecimal.isGreaterThan(a, b),
  asks: (a: Decimal.Decimal, b: Decimal.Decimal) => BigDecimal.isLessThan(a, b)
}

const widthNames = ["price", "size", "total"] as const

/** What is remembered of a book from one picture to the next. */
export class LadderLevels {
  private marks: Readonly<Record<"bids" | "asks", Marks>> = { bids: [], asks: [] }
  private before: OrderBook.Ladder | undefined
  // How deep it is shown: of what is not to be seen no change is looked for.
  private depth = 0
  /** So many lines each side has had of late. */
  lines = 0
  private readonly peaks = {
    lines: new Peak(),
    rank: new Peak(),
    price: { whole: new Peak(), fraction: new Peak() },
    size: { whole: new Peak(), fraction: new Peak() },
    total: { whole: new Peak(), fraction: new Peak() }
  }

  /** The book has changed; `undefined` if it has no levels now. */
  update(book: OrderBook.Ladder | undefined, at: number): void {
    const { before, depth } = this
    const changed = (side: "bids" | "asks"): Marks =>
      before === undefined || book === undefined
        ? []
        : marksOf(before[side].slice(0, depth), this.marks[side], book[side].slice(0, depth), {
          at,
          isCut: before[side === "bids" ? "bidLevels" : "askLevels"] > Math.min(depth, before[side].length),
          isBetter: better[side]
        })
    this.marks = { bids: changed("bids"), asks: changed("asks") }
    this.before = book
  }

  /** The best so many levels of the book as texts. */
  view(book: OrderBook.Whole, depth: number, at: number): Levels {
    const asks = book.asks.slice(0, depth)
    const bids = book.bids.slice(0, depth)
    this.depth = depth
    this.lines = this.peaks.lines.of(Math.max(asks.length, bids.length), at)
    const most = [...asks, ...bids].reduce((most, [, size]) => BigDecimal.max(most, size), Decimal.zero)
    const full = ranked(this.peaks.rank.of(most.value === 0n ? 0 : rankOf(most), at))
    const proven = book._tag === "Live" ? book.provenLevels ?? Infinity : Infinity
    const sideOf = (side: "bids" | "asks", levels: ReadonlyArray<MarketData.Level>): ReadonlyArray<Level> => {
      let total = Decimal.zero
      return levels.map(([price, size], index) => {
        total = BigDecimal.sum(total, size)
        const mark = this.marks[side][index]
        return {
          price: Decimal.format(price),
          size: Decimal.format(size),
          total: Decimal.format(total),
          share: shareOf(size, full),
          change: mark !== undefined && mark.until > at ? mark.change : undefined,
          isProven: index < proven
        }
      })
    }
    const mid = OrderBook.mid(book)
    const spread = OrderBook.spread(book)
    const midText = mid === undefined ? undefined : Decimal.format(mid)
    const [shownAsks, shownBids] = [sideOf("asks", asks), sideOf("bids", bids)]
    const all = [...shownAsks, ...shownBids]
    const digits = (name: typeof widthNames[number]): Digits => {
      const texts = all.map((level) => level[name])
      const { fraction, whole } = measure(
        name === "price" && midText !== undefined ? [...texts, midText] : texts,
        Infinity
      )
      return { whole: this.peaks[name].whole.of(whole, at), fraction: this.peaks[name].fraction.of(fraction, at) }
    }
    return {
      asks: shownAsks,
      bids: shownBids,
      mid: midText,
      spread: spread === undefined ? undefined : Decimal.format(spread),
      basisPoints: spread === undefined || mid === undefined ? undefined : basisPointsOf(spread, mid),
      isCrossed: spread !== undefined && spread.value < 0n,
      full: Decimal.format(full),
      digits: { price: digits("price"), size: digits("size"), total: digits("total") }
    }
  }
}
