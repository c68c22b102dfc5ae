/**
 * By what key a consumer that conflates keeps the newest event.
 *
 * @since 0.1.0
 */
import type * as MarketEvent from "../../event/MarketEvent.ts"

/**
 * What a consumer that conflates tells events apart by: the kind, and the
 * product or what else the kind is about.
 *
 * @category getters
 * @since 0.1.0
 */
export const keyOf = (event: MarketEvent.MarketEvent): string => {
  switch (event._tag) {
    case "Trade":
    case "Ticker":
    case "BookSnapshot":
    case "BookDelta":
    case "PriceUpdate":
      return `${event._tag}\n${event.product ?? ""}`
    case "Heartbeat":
    case "Other":
      return `${event._tag}\n${event.kind}`
    case "Subscribed":
    case "Unsubscribed":
      return `${event._tag}\n${event.channel ?? ""}\n${event.product ?? ""}`
    case "VenueError":
      return `${event._tag}\n${event.requestId ?? ""}\n${event.code ?? ""}`
    case "Response":
      return `${event._tag}\n${event.requestId ?? ""}`
  }
}
