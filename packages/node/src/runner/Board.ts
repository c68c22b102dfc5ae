/**
 * The live table: what connections are doing and what the prices are, gathered
 * from events; `BoardLayout` lays it out. Pure but for what it remembers.
 *
 * However many products there are, a draw costs what is shown: of the busiest
 * some hundreds are at hand, of the others only how many events they had.
 *
 * @since 0.1.0
 */
import type * as MarketData from "@tickline/core/event/MarketData"
import * as MarketEvent from "@tickline/core/event/MarketEvent"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Printable from "@tickline/core/value/Printable"
import * as Timestamp from "@tickline/core/value/Timestamp"
import * as BoardLayout from "./BoardLayout.ts"
import { type Clocks, copied, VenueHealth } from "./internal/venueHealth.ts"
import type { Paint, Tone } from "./Style.ts"

/**
 * How a board is made.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options extends Clocks {
  readonly title: string
  /** What is said below the title. */
  readonly note?: string | undefined
  readonly detail: BoardLayout.Detail
}

/**
 * A board.
 *
 * @category models
 * @since 0.1.0
 */
export interface Board {
  readonly observe: (event: MarketEvent.AnyEvent) => void
  /** Adds a line to what happened of late, of a venue or of none. */
  readonly note: (tone: Tone, text: string, venue?: string | undefined) => void
  /** The table as it is to be drawn now. */
  readonly lines: (paint: Paint, size: BoardLayout.Size) => ReadonlyArray<string>
}

/** The busiest products at hand: more than any terminal has lines. */
const mostRows = 512

/** Products of a venue whose events are counted; beyond that the one that came first is forgotten. */
const mostProducts = 250_000

/** A product name is shown up to so many characters. */
const longestName = 100

/** What a rate forgets half of: shorter and it trembles, longer and it lags. */
const halfLifeMillis = 3_000

const decay = (millis: number): number => 2 ** (-millis / halfLifeMillis)

type Quote = Readonly<Record<"bid" | "bidSize" | "ask" | "askSize" | "volume", Decimal.Decimal | undefined>>

/** What is kept of a product. No event is: its texts may be pieces of a frame, and would keep the whole of it. */
interface Row {
  readonly name: string
  readonly since: number
  /** Events, each weighing less the older it is, as of `at`. */
  weight: number
  at: number
  events: number
  isShown: boolean
  price: Decimal.Decimal | undefined
  side: MarketData.Side | undefined
  size: Decimal.Decimal | undefined
  tradeId: string | undefined
  quote: Quote | undefined
  book: string | undefined
  timestamp: Timestamp.Timestamp | undefined
}

interface Section {
  readonly venue: string
  /** The busiest. */
  rows: Map<string, Row>
  /** Every product, and the events of those that are not among the busiest. */
  readonly products: Map<string, number>
  isMore: boolean
}

const text = (value: Decimal.Decimal | undefined): string | undefined =>
  value === undefined ? undefined : Decimal.format(value)

/**
 * Makes a board of venues, in the order in which they are first heard of.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: Options): Board => {
  const { monotonic } = options
  const startedAt = monotonic()
  const sections = new Map<string, Section>()
  const health = new VenueHealth(options)

  const section = (venue: string): Section => {
    let found = sections.get(venue)
    if (found === undefined) {
      found = { venue, rows: new Map(), products: new Map(), isMore: false }
      sections.set(venue, found)
    }
    return found
  }

  // What is shown stays until another is twice as busy: a table of equals would flicker.
  const busiestFirst = (of: Section): Array<Row> => {
    const at = monotonic()
    const weights = new Map<Row, number>()
    for (const row of of.rows.values()) weights.set(row, row.weight * decay(at - row.at) * (row.isShown ? 2 : 1))
    return [...of.rows.values()].sort((a, b) => (weights.get(b) ?? 0) - (weights.get(a) ?? 0))
  }

  const rowOf = (of: Section, product: string, at: number): Row => {
    const name = Printable.cut(product, longestName)
    const found = of.rows.get(name)
    if (found !== undefined) return found
    if (of.rows.size >= 2 * mostRows) {
      const kept = busiestFirst(of)
      for (const { events, name } of kept.splice(mostRows)) of.products.set(name, events)
      of.rows = new Map(kept.map((row) => [row.name, row]))
    }
    const row: Row = {
      name: copied(name),
      since: at,
      weight: 0,
      at,
      events: of.products.get(name) ?? 0,
      isShown: false,
      price: undefined,
      side: undefined,
      size: undefined,
      tradeId: undefined,
      quote: undefined,
      book: undefined,
      timestamp: undefined
    }
    of.rows.set(row.name, row)
    of.products.set(row.name, row.events)
    if (of.products.size > mostProducts) {
      for (const first of of.products.keys()) {
        of.products.delete(first)
        of.isMore = true
        break
      }
    }
    return row
  }

  const market = (of: Section, event: MarketEvent.MarketData): void => {
    const at = monotonic()
    const row = rowOf(of, event.product ?? "?", at)
    row.weight = row.weight * decay(at - row.at) + 1
    row.at = at
    row.events++
    if (event.timestamp !== undefined) row.timestamp = event.timestamp
    switch (event._tag) {
      case "Trade":
        row.price = event.price
        row.side = event.side
        row.size = event.size
        // Up to twelve characters are never a piece of a longer text.
        row.tradeId = event.tradeId === undefined || event.tradeId.length <= 12
          ? event.tradeId
          : copied(event.tradeId.slice(0, longestName))
        return
      case "PriceUpdate":
        row.price = event.price
        return
      case "Ticker": {
        const { ask, askSize, bid, bidSize, volume } = event
        row.quote = { ask, askSize, bid, bidSize, volume }
        row.price = event.price ?? row.price
        return
      }
      case "BookSnapshot":
      case "BookDelta":
        // Only how large it was: of a book its levels would be kept.
        row.book = `${event.bids.length} bids, ${event.asks.length} asks`
    }
  }

  const observe = (event: MarketEvent.AnyEvent): void => {
    const of = section(event.venue)
    health.observe(event)
    if (MarketEvent.isMarketData(event)) market(of, event)
  }

  const rate = (row: Row, at: number): number => {
    // A row that is young has not had the time to weigh what it will.
    const filled = 1 - decay(Math.max(1_000, at - row.since))
    return row.weight * decay(at - row.at) * Math.LN2 * 1000 / halfLifeMillis / filled
  }

  const view = (row: Row, at: number): BoardLayout.Row => ({
    product: row.name,
    price: text(row.price),
    side: row.side,
    size: text(row.size),
    bid: text(row.quote?.bid),
    bidSize: text(row.quote?.bidSize),
    ask: text(row.quote?.ask),
    askSize: text(row.quote?.askSize),
    volume: text(row.quote?.volume),
    book: row.book,
    tradeId: row.tradeId === undefined ? undefined : Printable.cut(row.tradeId, longestName),
    time: row.timestamp === undefined ? undefined : Timestamp.format(row.timestamp).slice(11).replace("Z", ""),
    rate: rate(row, at),
    events: row.events
  })

  const rows = (of: Section, most: number): ReadonlyArray<BoardLayout.Row> => {
    const at = monotonic()
    const shown = of.rows.size <= most ? [...of.rows.values()] : busiestFirst(of).slice(0, most)
    for (const row of of.rows.values()) row.isShown = false
    for (const row of shown) row.isShown = true
    return shown.sort((a, b) => a.name < b.name ? -1 : a.name > b.name ? 1 : 0).map((row) => view(row, at))
  }

  const viewOf = (of: Section): BoardLayout.Section => ({
    ...health.health(of.venue),
    products: of.products.size,
    isMore: of.isMore,
    rows: (most) => rows(of, most)
  })

  return {
    observe,
    note: (tone, text, venue) => health.note(tone, text, venue),
    lines: (paint, size) =>
      BoardLayout.layout(
        {
          title: options.title,
          note: options.note,
          detail: options.detail,
          elapsedMillis: monotonic() - startedAt,
          sections: Array.from(sections.values(), viewOf),
          happened: health.happenings()
        },
        paint,
        size
      )
  }
}
