/**
 * The live table: what connections are doing and what the prices are, gathered
 * from events; `BoardLayout` lays it out. Pure but for what it remembers.
 *
 * However many products there are, a draw costs what is shown: of the busiest
 * some hundreds are at hand, of the others only how many events they had.
 *
 * @since 0.1.0
 */
import type * as Lifecycle from "@tickline/core/event/Lifecycle"
import type * as MarketData from "@tickline/core/event/MarketData"
import type * as MarketEvent from "@tickline/core/event/MarketEvent"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Printable from "@tickline/core/value/Printable"
import * as Timestamp from "@tickline/core/value/Timestamp"
import * as BoardLayout from "./BoardLayout.ts"
import { type Paint, span, type Tone } from "./Style.ts"

/**
 * How a board is made.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly title: string
  /** What is said below the title. */
  readonly note?: string | undefined
  readonly detail: BoardLayout.Detail
  /** Now, in epoch milliseconds: what people are told. */
  readonly now: () => number
  /** Milliseconds of a clock that never steps: what waits and rates are measured by. */
  readonly monotonic: () => number
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

const mostHappenings = 200

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
  state: string
  /** The states of its connections, by leg. */
  readonly legs: Map<number, string>
  epoch: number
  dials: number
  drops: number
  waitUntil: number | undefined
  attempt: number | undefined
  breaker: Lifecycle.BreakerEvent["to"]
  gaps: number
  readonly openGaps: Set<string>
  lastGap: string | undefined
  rejected: number
}

interface Happening {
  readonly at: number
  readonly tone: Tone
  readonly text: string
  readonly venue: string
  times: number
}

const clock = (millis: number): string => Timestamp.format(Timestamp.fromEpochMillis(millis)).slice(11, 23)

/** A reason without the address that it begins with: the line says whose it is. */
const why = (reason: string | undefined): string =>
  reason === undefined ? "" : `: ${reason.replace(/^wss?:\/\/\S+: /, "")}`

const breakers: Readonly<Record<Lifecycle.BreakerEvent["to"], Tone>> = {
  Closed: "green",
  HalfOpen: "yellow",
  Open: "red"
}

/** A text that is a piece of nothing longer. */
const copied = (text: string): string => Buffer.from(text).toString()

const text = (value: Decimal.Decimal | undefined): string | undefined =>
  value === undefined ? undefined : Decimal.format(value)

/**
 * Makes a board of venues, in the order in which they are first heard of.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: Options): Board => {
  const { monotonic, now } = options
  const startedAt = monotonic()
  const sections = new Map<string, Section>()
  const happened: Array<Happening> = []

  const section = (venue: string): Section => {
    let found = sections.get(venue)
    if (found === undefined) {
      found = {
        venue,
        rows: new Map(),
        products: new Map(),
        isMore: false,
        state: "Disconnected",
        epoch: 0,
        dials: 0,
        drops: 0,
        waitUntil: undefined,
        attempt: undefined,
        breaker: "Closed",
        gaps: 0,
        legs: new Map(),
        openGaps: new Set(),
        lastGap: undefined,
        rejected: 0
      }
      sections.set(venue, found)
    }
    return found
  }

  const note = (tone: Tone, text: string, venue = ""): void => {
    const shown = copied(Printable.cut(text, 300))
    const last = happened.at(-1)
    if (last !== undefined && last.text === shown && last.venue === venue) {
      last.times++
      return
    }
    happened.push({ at: now(), tone, text: shown, venue, times: 1 })
    if (happened.length > mostHappenings) happened.shift()
  }

  const told = (venue: string, tone: Tone, text: string): void => note(tone, text, venue)

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

  const connection = (of: Section, event: Lifecycle.ConnectionEvent): void => {
    const { leg = 1 } = event
    if (of.legs.get(leg) === "Connected" && event.state !== "Closing") of.drops++
    if (event.state === "Connecting") of.dials++
    if (event.state === "Disconnected") of.legs.delete(leg)
    else of.legs.set(leg, event.state)
    // While another connection is up, so is the venue.
    if (event.state !== "Connected" && [...of.legs.values()].includes("Connected")) return
    of.state = event.state
    of.attempt = event.attempt
    of.waitUntil = event.delayMillis === undefined ? undefined : monotonic() + event.delayMillis
    switch (event.state) {
      case "Connecting":
        return
      case "Connected":
        of.epoch = event.epoch ?? of.epoch
        return told(of.venue, "green", `connected, epoch ${of.epoch}`)
      case "Reconnecting":
        return told(
          of.venue,
          "yellow",
          `attempt ${event.attempt ?? 1} in ${span(event.delayMillis ?? 0)}${why(event.reason)}`
        )
      case "CircuitOpen":
        return told(of.venue, "red", `circuit open for ${span(event.delayMillis ?? 0)}${why(event.reason)}`)
      case "Failed":
        return told(of.venue, "red", `gave up${why(event.reason)}`)
      default:
        return told(of.venue, "dim", event.state.toLowerCase())
    }
  }

  const observe = (event: MarketEvent.AnyEvent): void => {
    const of = section(event.venue)
    switch (event._tag) {
      case "Trade":
      case "Ticker":
      case "BookSnapshot":
      case "BookDelta":
      case "PriceUpdate":
        return market(of, event)
      case "Connection":
        return connection(of, event)
      case "Breaker":
        of.breaker = event.to
        return told(
          of.venue,
          breakers[event.to],
          `breaker ${event.from} → ${event.to}${
            event.openForMillis === undefined ? "" : ` for ${span(event.openForMillis)}`
          }`
        )
      case "Gap": {
        // One that is told twice, when it is noticed and when it is over, is one.
        const key = JSON.stringify([event.product, event.channel, event.from, event.cause])
        const isTold = event.to !== undefined && of.openGaps.delete(key)
        if (!isTold) of.gaps++
        if (event.to === undefined && of.openGaps.size < mostRows) of.openGaps.add(key)
        const [from, to] = [event.from, event.to].map((text) => text === undefined ? undefined : Date.parse(text))
        const length = from === undefined || to === undefined || Number.isNaN(to - from) ? "" : span(to - from)
        of.lastGap = length === "" ? event.cause : length
        return
      }
      case "Rotated":
        return told(of.venue, "green", `rotated to leg ${event.to}: ${event.reason}`)
      case "FrameRejected":
        of.rejected++
        return told(of.venue, "yellow", `rejected: ${event.message}`)
      case "VenueError":
        return told(of.venue, "red", `venue error: ${event.message ?? event.code ?? ""}`)
      case "Stale":
        return told(of.venue, "yellow", `stale: ${event.product ?? ""} for ${span(event.silentForMillis)}`)
      default:
        return
    }
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
    venue: of.venue,
    state: of.state,
    epoch: of.epoch,
    dials: of.dials,
    drops: of.drops,
    breaker: of.breaker,
    rejected: of.rejected,
    gaps: of.gaps,
    lastGap: of.lastGap,
    wait: of.waitUntil === undefined || of.state === "Connected"
      ? undefined
      : { attempt: of.attempt ?? 1, millis: Math.max(0, of.waitUntil - monotonic()) },
    products: of.products.size,
    isMore: of.isMore,
    rows: (most) => rows(of, most)
  })

  return {
    observe,
    note,
    lines: (paint, size) =>
      BoardLayout.layout(
        {
          title: options.title,
          note: options.note,
          detail: options.detail,
          elapsedMillis: monotonic() - startedAt,
          sections: Array.from(sections.values(), viewOf),
          happened: happened.map(({ at, text, times, tone, venue }) => ({
            time: clock(at),
            venue,
            tone,
            text: times === 1 ? text : `${text} (${times} ×)`
          }))
        },
        paint,
        size
      )
  }
}
