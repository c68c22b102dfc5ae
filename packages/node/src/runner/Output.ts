/**
 * What a command prints: its data on stdout, one JSON object a line or one
 * readable line an event, and what it says to people on stderr.
 *
 * @since 0.1.0
 */
import type * as MarketData from "@tickline/core/event/MarketData"
import type * as MarketEvent from "@tickline/core/event/MarketEvent"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Printable from "@tickline/core/value/Printable"
import * as Timestamp from "@tickline/core/value/Timestamp"
import type { Sink } from "./Host.ts"
import { pad, type Paint, span } from "./Style.ts"

/**
 * The form of what a command prints.
 *
 * @category models
 * @since 0.1.0
 */
export type Format = "pretty" | "ndjson"

/**
 * The names of the forms.
 *
 * @category constants
 * @since 0.1.0
 */
export const formats: ReadonlyArray<Format> = ["pretty", "ndjson"]

/**
 * A JSON text as a line of NDJSON, its line feed included. On a terminal what
 * must not be shown there is escaped as JSON has it, which whoever reads the
 * line reads as the same; anywhere else the line is as it was.
 *
 * @category encoding
 * @since 0.1.0
 */
export const jsonLine = (json: string, { isTerminal }: Pick<Sink, "isTerminal">): string =>
  `${isTerminal ? Printable.escape(json) : json}\n`

const time = (timestamp: Timestamp.Timestamp | undefined): string =>
  timestamp === undefined ? "" : Timestamp.format(timestamp).slice(11)

/** Of an instant its time of day; a sequence number as it is. */
const brief = (bound: string | undefined): string | undefined =>
  bound !== undefined && /^\d{4}-\d\d-\d\dT/.test(bound) ? bound.slice(11) : bound

const levels = (count: number): string => `${count} ${count === 1 ? "level" : "levels"}`

const side = (paint: Paint, side: MarketData.Side | undefined): string =>
  side === undefined ? pad("", 4) : paint(side === "buy" ? "green" : "red", pad(side, 4))

const connectionTone = (state: string): "green" | "yellow" | "red" | "dim" => {
  switch (state) {
    case "Connected":
      return "green"
    case "CircuitOpen":
    case "Failed":
      return "red"
    case "Connecting":
    case "Reconnecting":
      return "yellow"
    default:
      return "dim"
  }
}

const members = (paint: Paint, event: MarketEvent.AnyEvent): string => {
  const decimal = (label: string, value: Decimal.Decimal | undefined) =>
    value === undefined ? "" : ` ${paint("dim", label)} ${Decimal.format(value)}`
  const text = (label: string, value: string | undefined) =>
    value === undefined ? "" : ` ${paint("dim", label)} ${Printable.escape(value)}`
  switch (event._tag) {
    case "Trade":
      return `${side(paint, event.side)} ${Decimal.format(event.size)} @ ${
        paint("bold", Decimal.format(event.price))
      } ${paint("dim", `${time(event.timestamp)}${event.history === true ? " history" : ""}`)}`
    case "Ticker":
      return `${event.price === undefined ? "" : paint("bold", Decimal.format(event.price))}${
        decimal("bid", event.bid)
      }${decimal("ask", event.ask)} ${paint("dim", time(event.timestamp))}`.trim()
    case "BookSnapshot":
      return `${levels(event.bids.length)} of bids, ${levels(event.asks.length)} of asks ${
        paint("dim", time(event.timestamp))
      }`
    case "BookDelta":
      return event.bids.map(([price, size]) => `bid ${Decimal.format(price)} × ${Decimal.format(size)}`)
        .concat(event.asks.map(([price, size]) => `ask ${Decimal.format(price)} × ${Decimal.format(size)}`))
        .concat(paint("dim", time(event.timestamp))).join(" ")
    case "Book": {
      const [bid, ask] = [event.bids[0], event.asks[0]].map((level) =>
        level === undefined ? "–" : `${paint("bold", Decimal.format(level[0]))} × ${Decimal.format(level[1])}`
      )
      return event.state === "Live" || event.state === "Unverified"
        ? `${paint(event.state === "Live" ? "green" : "yellow", event.state)}${
          text("trading", event.tradingStatus)
        } ${bid} | ${ask} ${paint("dim", time(event.timestamp))}`
        : `${paint(event.state === "Gapped" ? "red" : "dim", event.state)}${text("by", event.cause)} ${
          paint("dim", Printable.escape(event.reason ?? ""))
        }`
    }
    case "PriceUpdate":
      return `${paint("bold", Decimal.format(event.price))} ${paint("dim", time(event.timestamp))}`
    case "Heartbeat":
    case "Other":
      return paint("dim", Printable.escape(event.kind))
    case "Subscribed":
    case "Unsubscribed":
      return Printable.escape([event.channel, event.requestId].filter((text) => text !== undefined).join(" "))
    case "VenueError":
      return paint("red", Printable.escape([event.code, event.message].filter((text) => text !== undefined).join(": ")))
    case "Response":
      return text("request", event.requestId).trim()
    case "FrameRejected":
      return `${paint("yellow", event.reason)}${text("at", event.field)}${paint("dim", ":")} ${
        Printable.escape(event.message)
      }`
    case "Connection":
      return [
        paint(connectionTone(event.state), event.state),
        event.leg === undefined ? "" : `leg ${event.leg}`,
        event.epoch === undefined ? "" : `epoch ${event.epoch}`,
        event.attempt === undefined ? "" : `attempt ${event.attempt}`,
        event.delayMillis === undefined ? "" : `in ${span(event.delayMillis)}`,
        paint("dim", Printable.escape(event.reason ?? ""))
      ].filter((part) => part !== "").join(" ")
    case "Breaker":
      return `${event.from} → ${
        paint(event.to === "Closed" ? "green" : event.to === "Open" ? "red" : "yellow", event.to)
      }${event.openForMillis === undefined ? "" : ` for ${span(event.openForMillis)}`}`
    case "Gap":
      return `${paint("yellow", event.cause)}${text("in", event.channel)}${text("from", brief(event.from))}${
        text("to", brief(event.to))
      }${text("recovered by", event.recovered)}`
    case "Rotated":
      return `${paint("green", "rotated")} from leg ${event.from} to leg ${event.to} ${
        paint("dim", Printable.escape(event.reason))
      }`
    case "Stale":
      return `silent for ${span(event.silentForMillis)}`
  }
}

const tone = (event: MarketEvent.AnyEvent) => {
  switch (event._tag) {
    case "FrameRejected":
    case "Gap":
    case "Stale":
      return "yellow" as const
    case "VenueError":
      return "red" as const
    case "Connection":
    case "Breaker":
    case "Rotated":
      return "magenta" as const
    case "Heartbeat":
    case "Other":
    case "Response":
      return "dim" as const
    default:
      return "cyan" as const
  }
}

/**
 * An event as one line for people, without the line feed.
 *
 * @category getters
 * @since 0.1.0
 */
export const eventLine = (
  paint: Paint,
  event: MarketEvent.AnyEvent,
  origin?: { readonly frame: number } | undefined
): string => {
  const product = "product" in event && event.product !== undefined ? Printable.escape(event.product) : ""
  const number = origin === undefined ? "" : paint("dim", pad(`#${origin.frame}`, 7))
  return `${number}${paint(tone(event), pad(event._tag, 13))} ${pad(product, 9)} ${members(paint, event)}`.trimEnd()
}
