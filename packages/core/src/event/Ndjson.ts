/**
 * Events as lines of NDJSON.
 *
 * @since 0.1.0
 */
import * as Decimal from "../value/Decimal.ts"
import { decimal, instant, number, text } from "./internal/jsonMembers.ts"
import type { Level } from "./MarketData.ts"
import type { AnyEvent, MarketData } from "./MarketEvent.ts"

const levels = (side: ReadonlyArray<Level>): string => {
  let out = "["
  for (let i = 0; i < side.length; i++) {
    const level = side[i]
    if (level !== undefined) {
      out += `${i === 0 ? "" : ","}["${Decimal.format(level[0])}","${Decimal.format(level[1])}"]`
    }
  }
  return `${out}]`
}

/** What a feed has added. */
const received = (event: MarketData, isMarked: boolean): string =>
  isMarked ? instant("receivedAt", event.receivedAt) + text("name", event.name) : ""

const body = (event: AnyEvent, isMarked: boolean): string => {
  switch (event._tag) {
    case "Trade":
      return text("product", event.product) + decimal("price", event.price) + decimal("size", event.size) +
        text("side", event.side) + text("tradeId", event.tradeId) + instant("timestamp", event.timestamp) +
        text("sequence", event.sequence) + (event.history === true ? ",\"history\":true" : "") +
        received(event, isMarked)
    case "Ticker":
      return text("product", event.product) + decimal("price", event.price) + decimal("bid", event.bid) +
        decimal("bidSize", event.bidSize) + decimal("ask", event.ask) + decimal("askSize", event.askSize) +
        decimal("volume", event.volume) + instant("timestamp", event.timestamp) + text("sequence", event.sequence) +
        received(event, isMarked)
    case "BookSnapshot":
      return text("product", event.product) + `,"bids":${levels(event.bids)},"asks":${levels(event.asks)}` +
        instant("timestamp", event.timestamp) + text("sequence", event.sequence) + text("checksum", event.checksum) +
        received(event, isMarked)
    case "BookDelta":
      return text("product", event.product) + `,"bids":${levels(event.bids)},"asks":${levels(event.asks)}` +
        instant("timestamp", event.timestamp) + text("firstSequence", event.firstSequence) +
        text("sequence", event.sequence) + text("previousSequence", event.previousSequence) +
        text("checksum", event.checksum) + received(event, isMarked)
    case "Book":
      return text("product", event.product) + text("state", event.state) +
        `,"bids":${levels(event.bids)},"asks":${levels(event.asks)}` + text("sequence", event.sequence) +
        text("checksum", event.checksum) + instant("timestamp", event.timestamp) +
        text("tradingStatus", event.tradingStatus) + text("cause", event.cause) +
        text("reason", event.reason)
    case "PriceUpdate":
      return text("product", event.product) + decimal("price", event.price) + instant("timestamp", event.timestamp) +
        received(event, isMarked)
    case "Heartbeat":
    case "Other":
      return text("kind", event.kind)
    case "Subscribed":
    case "Unsubscribed":
      return text("channel", event.channel) + text("product", event.product) + text("requestId", event.requestId)
    case "VenueError":
      return text("code", event.code) + text("message", event.message) + text("requestId", event.requestId)
    case "Response":
      return text("requestId", event.requestId) +
        (event.result === undefined ? "" : `,"result":${JSON.stringify(event.result)}`)
    case "FrameRejected":
      return text("reason", event.reason) + text("field", event.field) + text("message", event.message)
    case "Connection":
      return text("state", event.state) + number("epoch", event.epoch) + number("attempt", event.attempt) +
        number("delayMillis", event.delayMillis) + text("reason", event.reason) + instant("at", event.at) +
        number("leg", event.leg)
    case "Breaker":
      return number("leg", event.leg) + text("from", event.from) + text("to", event.to) +
        number("openForMillis", event.openForMillis) +
        instant("at", event.at)
    case "Gap":
      return text("product", event.product) + text("channel", event.channel) + text("from", event.from) +
        text("to", event.to) + text("cause", event.cause) + text("recovered", event.recovered) +
        number("missing", event.missing)
    case "Rotated":
      return number("from", event.from) + number("to", event.to) + text("reason", event.reason) +
        instant("at", event.at)
    case "Stale":
      return text("product", event.product) + text("channel", event.channel) +
        number("silentForMillis", event.silentForMillis)
  }
}

const line = (event: AnyEvent, isMarked: boolean, tail: string): string =>
  `{"_tag":"${event._tag}"${text("venue", event.venue)}${body(event, isMarked)}${tail}}`

/**
 * The event as one line of NDJSON, without the line feed: `_tag`, `venue`, then
 * its members in the order of the interface. Equal to the schema's encoding.
 * `origin` adds where `decode` found it: the input's line, and the envelope's id.
 *
 * @category getters
 * @since 0.1.0
 */
export const toJson = (
  event: AnyEvent,
  origin?: { readonly frame: number; readonly id?: string | undefined } | undefined
): string => line(event, true, origin === undefined ? "" : number("frame", origin.frame) + text("id", origin.id))

/**
 * As `toJson`, with the members that the venue sent alone: without `receivedAt`
 * and `name`, which a feed adds.
 *
 * @category getters
 * @since 0.1.0
 */
export const toVenueJson = (event: AnyEvent): string => line(event, false, "")
