/**
 * The live table: what a connection is doing and what its prices are, gathered
 * from events and laid out for a terminal of any size. Pure but for what it
 * remembers.
 *
 * @since 0.1.0
 */
import * as Decimal from "@tickline/core/value/Decimal"
import type * as MarketEvent from "@tickline/core/value/MarketEvent"
import * as Printable from "@tickline/core/value/Printable"
import * as Timestamp from "@tickline/core/value/Timestamp"
import { fit, grouped, pad, type Paint, span, type Tone, width } from "./Style.ts"

/**
 * What the table's last columns show: the quote or trade, or what a client that
 * reads prices as floating-point numbers would have shown.
 *
 * @category models
 * @since 0.1.0
 */
export type Detail = "market" | "float"

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
  readonly detail: Detail
  /** Now, in epoch milliseconds. */
  readonly now: () => number
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
  readonly lines: (
    paint: Paint,
    size: { readonly columns: number; readonly rows: number }
  ) => ReadonlyArray<string>
}

/** A rate is that of the last seconds; shorter and it trembles, longer and it lags. */
const rateSeconds = 5

interface Row {
  readonly product: string
  price: string
  side: MarketEvent.Side | undefined
  extra: string
  at: string
  total: number
  /** How many came in each of the last seconds, by second. */
  readonly recent: Map<number, number>
}

interface Section {
  readonly venue: string
  readonly rows: Map<string, Row>
  state: string
  epoch: number
  dials: number
  drops: number
  waitUntil: number | undefined
  attempt: number | undefined
  breaker: MarketEvent.BreakerEvent["to"]
  gaps: number
  lastGap: string | undefined
  rejected: number
}

const clock = (millis: number): string => Timestamp.format(Timestamp.fromEpochMillis(millis)).slice(11, 23)

/** A reason without the address that it begins with: the line says whose it is. */
const why = (reason: string | undefined): string =>
  reason === undefined ? "" : `: ${reason.replace(/^wss?:\/\/\S+: /, "")}`

const states: Readonly<Record<string, Tone>> = {
  Connected: "green",
  Connecting: "yellow",
  Reconnecting: "yellow",
  CircuitOpen: "red",
  Failed: "red",
  Closing: "dim",
  Disconnected: "dim"
}

const breakers: Readonly<Record<MarketEvent.BreakerEvent["to"], Tone>> = {
  Closed: "green",
  HalfOpen: "yellow",
  Open: "red"
}

/**
 * What a client that reads a price as a floating-point number shows for it.
 *
 * @category getters
 * @since 0.1.0
 */
export const asFloat = (price: string): string => String(Number(price))

/** The price a float client shows, the digits that it lost or made up in red. */
const float = (paint: Paint, price: string, cells: number): string => {
  const shown = asFloat(price)
  if (shown === price) return paint("dim", pad("the same", cells))
  let same = 0
  while (same < shown.length && shown[same] === price[same]) same++
  const made = shown.slice(same)
  const missing = price.slice(same).replace(/\D/g, "").length
  const lost = made === "" ? ` −${missing} digit${missing === 1 ? "" : "s"}` : ""
  return pad(shown.slice(0, same) + paint("red", made) + paint("red", lost), cells)
}

const describe = (event: MarketEvent.MarketData): { readonly price?: string; readonly extra: string } => {
  switch (event._tag) {
    case "Trade":
      return { price: Decimal.format(event.price), extra: Decimal.format(event.size) }
    case "PriceUpdate":
      return { price: Decimal.format(event.price), extra: "" }
    case "Ticker": {
      const quote = [event.bid, event.ask].map((side) => side === undefined ? "" : Decimal.format(side)).join(" / ")
      const extra = quote === " / " ? "" : quote
      return event.price === undefined ? { extra } : { price: Decimal.format(event.price), extra }
    }
    case "BookSnapshot":
    case "BookDelta":
      return { extra: `book ${event.bids.length}b ${event.asks.length}a` }
  }
}

/**
 * Makes a board of venues, in the order in which they are first heard of.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: Options): Board => {
  const { now } = options
  const startedAt = now()
  const sections = new Map<string, Section>()
  const happened: Array<{ readonly at: number; readonly tone: Tone; readonly text: string; readonly venue: string }> =
    []

  const section = (venue: string): Section => {
    let found = sections.get(venue)
    if (found === undefined) {
      found = {
        venue,
        rows: new Map(),
        state: "Disconnected",
        epoch: 0,
        dials: 0,
        drops: 0,
        waitUntil: undefined,
        attempt: undefined,
        breaker: "Closed",
        gaps: 0,
        lastGap: undefined,
        rejected: 0
      }
      sections.set(venue, found)
    }
    return found
  }

  const note = (tone: Tone, text: string, venue = ""): void => {
    happened.push({ at: now(), tone, text: Printable.escape(text), venue })
    if (happened.length > 100) happened.shift()
  }

  const told = (venue: string, tone: Tone, text: string): void => note(tone, text, venue)

  const market = (of: Section, event: MarketEvent.MarketData): void => {
    const product = event.product ?? "?"
    let row = of.rows.get(product)
    if (row === undefined) {
      row = { product, price: "", side: undefined, extra: "", at: "", total: 0, recent: new Map() }
      of.rows.set(product, row)
    }
    const { extra, price } = describe(event)
    if (price !== undefined) row.price = price
    if (event._tag === "Trade") row.side = event.side
    row.extra = extra
    if (event.timestamp !== undefined) row.at = Timestamp.format(event.timestamp).slice(11, 23)
    row.total++
    const second = Math.floor(now() / 1000)
    row.recent.set(second, (row.recent.get(second) ?? 0) + 1)
    if (row.recent.size > rateSeconds + 2) {
      for (const key of row.recent.keys()) if (key < second - rateSeconds) row.recent.delete(key)
    }
  }

  const connection = (of: Section, event: MarketEvent.ConnectionEvent): void => {
    if (of.state === "Connected" && event.state !== "Closing") of.drops++
    of.state = event.state
    of.attempt = event.attempt
    of.waitUntil = event.delayMillis === undefined ? undefined : now() + event.delayMillis
    switch (event.state) {
      case "Connecting":
        of.dials++
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
        of.gaps++
        const [from, to] = [event.from, event.to].map((text) => text === undefined ? undefined : Date.parse(text))
        const length = from === undefined || to === undefined || Number.isNaN(to - from) ? "" : `${span(to - from)} `
        of.lastGap = length === "" ? event.cause : length.trimEnd()
        return
      }
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

  const rate = (row: Row): string => {
    const second = Math.floor(now() / 1000)
    let count = 0
    // The second under way is not over yet.
    for (let back = 1; back <= rateSeconds; back++) count += row.recent.get(second - back) ?? 0
    const seconds = Math.min(rateSeconds, Math.max(1, Math.floor((now() - startedAt) / 1000)))
    return (count / seconds).toFixed(1)
  }

  const head = (paint: Paint, of: Section): ReadonlyArray<string> => {
    const left = of.waitUntil === undefined ? 0 : Math.max(0, of.waitUntil - now())
    const wait = of.waitUntil === undefined || of.state === "Connected"
      ? ""
      : `attempt ${of.attempt ?? 1} in ${(left / 1000).toFixed(1)} s`
    const facts = [
      `epoch ${of.epoch}`,
      `dials ${of.dials}`,
      `drops ${of.drops}`,
      `breaker ${paint(breakers[of.breaker], of.breaker)}`,
      ...(of.rejected > 0 ? [`rejected ${paint("yellow", String(of.rejected))}`] : []),
      ...(of.lastGap === undefined ? [] : [`gaps ${of.gaps}, last ${of.lastGap}`])
    ]
    return [
      `${paint("bold", of.venue)}  ${paint(states[of.state] ?? "dim", `● ${of.state}`)}  ${paint("yellow", wait)}`,
      `  ${facts.join(paint("dim", " · "))}`
    ]
  }

  const rows = (paint: Paint, of: Section, columns: number): ReadonlyArray<string> => {
    const all = [...of.rows.values()]
    const priceCells = Math.max(12, ...all.map((row) => row.price.length))
    const productCells = Math.max(9, ...all.map((row) => row.product.length))
    if (options.detail === "float") {
      const title = `  ${pad("product", productCells)}  ${pad("exact price", priceCells)}  ${
        pad("a float client shows", 22)
      }  ${pad("/s", 5, "right")}  ${pad("events", 6, "right")}`
      return [
        paint("dim", title),
        ...all.map((row) =>
          `  ${pad(Printable.escape(row.product), productCells)}  ${paint("bold", pad(row.price, priceCells))}  ${
            float(paint, row.price, 22)
          }  ${pad(rate(row), 5, "right")}  ${pad(grouped(row.total), 6, "right")}`
        )
      ]
    }
    const extraCells = Math.max(4, ...all.map((row) => row.extra.length))
    // 42 cells are the other columns and the blanks between; what is left for this one may be too little to be read.
    const room = columns - productCells - priceCells - 42
    const extras = room < 8 ? 0 : Math.min(extraCells, room)
    const title = `  ${pad("product", productCells)}  ${pad("price", priceCells)}  ${pad("side", 4)}  ${
      pad("size or quote", extras).slice(0, extras)
    }  ${pad("time", 12)}  ${pad("/s", 5, "right")}  ${pad("events", 7, "right")}`
    return [
      paint("dim", title),
      ...all.map((row) =>
        `  ${pad(Printable.escape(row.product), productCells)}  ${paint("bold", pad(row.price, priceCells))}  ${
          paint(row.side === "sell" ? "red" : "green", pad(row.side ?? "", 4))
        }  ${pad(fit(row.extra, extras), extras)}  ${pad(row.at, 12)}  ${pad(rate(row), 5, "right")}  ${
          pad(grouped(row.total), 7, "right")
        }`
      )
    ]
  }

  return {
    observe,
    note,
    lines: (paint, { columns, rows: height }) => {
      const elapsed = span(Math.floor((now() - startedAt) / 1000) * 1000)
      const right = paint("dim", `${elapsed} · ^C ends`)
      const left = paint("bold", options.title)
      const gap = " ".repeat(Math.max(1, columns - width(left) - width(right)))
      const out = [`${left}${gap}${right}`]
      if (options.note !== undefined) out.push(paint("dim", options.note))
      for (const of of sections.values()) {
        out.push("", ...head(paint, of))
        if (of.rows.size > 0) out.push(...rows(paint, of, columns))
      }
      // What is left of the terminal shows what happened of late, at least two lines of it.
      const room = Math.max(2, Math.min(10, height - out.length - 3))
      const late = happened.slice(-room)
      const widest = Math.max(...[...sections.keys()].map((venue) => venue.length))
      if (late.length > 0) {
        out.push(
          "",
          ...late.map(({ at, text, tone, venue }) => {
            const whose = sections.size > 1 ? `${paint("dim", pad(venue, widest))}  ` : ""
            return `${paint("dim", clock(at))}  ${whose}${paint(tone, text)}`
          })
        )
      }
      return out
    }
  }
}
