/**
 * The ladder: the order books that are followed, how their connections stand and
 * what happened, as lines for a terminal of any size. Pure but for what it
 * remembers.
 *
 * Levels are shown of a book that is whole, and of no other. A draw costs what is
 * shown, whatever the depth of the books and the number of their changes.
 *
 * @since 0.1.0
 */
import type { Gap } from "@tickline/core/event/Lifecycle"
import * as MarketEvent from "@tickline/core/event/MarketEvent"
import * as OrderBook from "@tickline/core/market/OrderBook"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Printable from "@tickline/core/value/Printable"
import { running } from "./internal/healthLines.ts"
import { layout } from "./internal/ladderLayout.ts"
import { LadderLevels } from "./internal/ladderLevels.ts"
import type { Panel } from "./internal/ladderView.ts"
import { type Clocks, Gaps, lengthOf, timeOf, VenueHealth } from "./internal/venueHealth.ts"
import type { Size } from "./internal/view.ts"
import { counted, type Paint, type Tone } from "./Style.ts"

/**
 * A book that is followed. `method` is what proves it, in words: `sequence`;
 * `undefined` if nothing does.
 *
 * @category models
 * @since 0.1.0
 */
export interface Followed {
  readonly venue: string
  /** The venue's own symbol. */
  readonly product: string
  readonly method: string | undefined
}

/**
 * How a ladder is made. `depth` is the most levels that are shown of each side;
 * by default as many as fit.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options extends Clocks {
  readonly title: string
  readonly books: ReadonlyArray<Followed>
  readonly depth?: number | undefined
}

/**
 * A ladder.
 *
 * @category models
 * @since 0.1.0
 */
export interface Ladder {
  /** What a feed tells: of books and connections, not of levels. */
  readonly observe: (event: MarketEvent.AnyEvent) => void
  /** The book at a place among those that are followed, as it is now. */
  readonly update: (place: number, book: OrderBook.OrderBook) => void
  /** The book at a place cannot be had, and why. */
  readonly refuse: (place: number, reason: string) => void
  /** From now on nothing changes: what is drawn is how things stood at the end. */
  readonly end: () => void
  /** What is to be drawn now. */
  readonly lines: (paint: Paint, size: Size) => ReadonlyArray<string>
}

interface Entry extends Followed {
  book: OrderBook.OrderBook | undefined
  refusal: string | undefined
  changedAt: number | undefined
  last: string | undefined
  readonly gaps: Gaps
  gapAt: number | undefined
  readonly levels: LadderLevels
}

const keyOf = (venue: string, product: string): string => `${venue}\n${product}`

const printable = (text: string): string => Printable.cut(text, 300)

/** The last price, as an event tells it. */
const lastOf = (event: MarketEvent.MarketData): string | undefined => {
  switch (event._tag) {
    case "Trade":
      return `last ${Decimal.format(event.price)} ${event.side} ${Decimal.format(event.size)}`
    case "Ticker":
    case "PriceUpdate":
      return event.price === undefined ? undefined : `last ${Decimal.format(event.price)}`
    default:
      return undefined
  }
}

/** What is proven of a book, or why it has no levels: in full first, then in fewer words. */
const provenOf = ({ book, method, refusal }: Entry): ReadonlyArray<string> => {
  if (refusal !== undefined) return [refusal]
  if (book === undefined) return ["not asked for yet"]
  switch (book._tag) {
    case "Live": {
      const by = method === undefined ? "" : ` by ${method}`
      const { provenLevels } = book
      return provenLevels === undefined
        ? [`every level proven${by}`, `proven${by}`, "proven"]
        : [`best ${provenLevels} levels proven${by}`, `best ${provenLevels} proven${by}`, `best ${provenLevels} proven`]
    }
    case "Gapped":
      return [`${book.cause}: ${book.reason}`, book.cause]
    default:
      return [book.reason]
  }
}

/** The same, behind the venue's word for how the product trades, while that is not continuously. */
const wordsOf = (entry: Entry): ReadonlyArray<string> => {
  const words = provenOf(entry)
  const status = entry.book?.tradingStatus
  if (status === undefined) return words
  return [...words.map((each) => `${printable(status)} · ${each}`), printable(status)]
}

/**
 * Makes a ladder of the books, in their order.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: Options): Ladder => {
  const { monotonic, now } = options
  const startedAt = monotonic()
  const health = new VenueHealth(options)
  const venues = [...new Set(options.books.map(({ venue }) => venue))]
  const entries = options.books.map((followed): Entry => ({
    ...followed,
    book: undefined,
    refusal: undefined,
    changedAt: undefined,
    last: undefined,
    gaps: new Gaps(),
    gapAt: undefined,
    levels: new LadderLevels()
  }))
  const byProduct = new Map(entries.map((entry) => [keyOf(entry.venue, entry.product), entry]))
  const entryOf = ({ product = "", venue }: { readonly venue: string; readonly product?: string | undefined }) =>
    byProduct.get(keyOf(venue, product))
  let ended: { readonly at: number; readonly time: string } | undefined

  // A gap for which the connection is to blame is told by its own lines.
  const gap = (event: Gap): void => {
    const entry = entryOf(event)
    if (entry === undefined || (entry.book !== undefined && event.channel !== entry.book.channel)) return
    const isNew = entry.gaps.take(event)
    entry.gapAt = monotonic()
    if (event.cause === "disconnect") return
    const note = (tone: Tone, text: string, more = "") =>
      health.note(
        tone,
        `${entry.product}: ${text}${more}`,
        entry.venue,
        (count) => `${counted(count, "book")}: ${text}`
      )
    if (isNew) note("red", `gap, ${event.cause}`)
    if (event.to === undefined) return
    const length = lengthOf(event)
    note(
      "green",
      event.recovered === undefined ? "whole again" : `whole again, by ${event.recovered}`,
      length === undefined ? "" : ` after ${length}`
    )
  }

  const panelOf = (entry: Entry, at: number): Panel => {
    const { book, changedAt, refusal } = entry
    const whole = refusal === undefined && book !== undefined && OrderBook.isWhole(book) ? book : undefined
    return {
      venue: entry.venue,
      product: printable(entry.product),
      state: refusal === undefined ? book?._tag ?? "Syncing" : "No book",
      words: wordsOf(entry).map(printable),
      changedMillis: changedAt === undefined ? undefined : Math.max(0, at - changedAt),
      counts: whole === undefined ? undefined : [whole.bidLevels, whole.askLevels],
      last: entry.last,
      gaps: entry.gaps.count,
      lastGap: entry.gaps.last,
      gapMillis: entry.gapAt === undefined ? undefined : at - entry.gapAt,
      get lines() {
        return entry.levels.lines
      },
      levels: whole === undefined ? undefined : (depth) => entry.levels.view(whole, depth, at)
    }
  }

  return {
    observe: (event) => {
      if (ended !== undefined) return
      health.observe(event)
      if (event._tag === "Gap") return gap(event)
      if (!MarketEvent.isMarketData(event)) return
      const entry = entryOf(event)
      if (entry !== undefined) entry.last = lastOf(event) ?? entry.last
    },
    update: (place, book) => {
      const entry = entries[place]
      if (entry === undefined || ended !== undefined) return
      const at = monotonic()
      // What a book is when it is first looked at is no change; of one without levels it is told how long it has none.
      const isWhole = OrderBook.isWhole(book)
      if (isWhole || entry.book === undefined || OrderBook.isWhole(entry.book)) entry.changedAt = at
      entry.book = book
      entry.levels.update(isWhole ? book : undefined, at)
    },
    refuse: (place, reason) => {
      const entry = entries[place]
      if (entry !== undefined && ended === undefined) entry.refusal = reason
    },
    end: () => {
      ended = { at: monotonic(), time: timeOf(now()) }
    },
    lines: (paint, size) => {
      const at = ended?.at ?? monotonic()
      return layout(
        {
          title: options.title,
          note: ended === undefined ? running(at - startedAt) : `as it was at the end, ${ended.time}`,
          venues: venues.map((venue) => health.health(venue)),
          panels: entries.map((entry) => panelOf(entry, at)),
          depth: options.depth ?? Infinity,
          happened: health.happenings()
        },
        paint,
        size
      )
    }
  }
}
