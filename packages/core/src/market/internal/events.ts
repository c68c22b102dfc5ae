/**
 * What a feed's connection is to know of the events that it carries.
 *
 * @since 0.1.0
 */
import type * as MarketEvent from "../../event/MarketEvent.ts"
import type * as Dialect from "../../protocol/Dialect.ts"
import type { Frame } from "../../transport/Frame.ts"
import type { Venue } from "../../venue/Venue.ts"

/**
 * What an event says of a subscription.
 *
 * @category constructors
 * @since 0.1.0
 */
export const makeAnswerOf =
  (venue: Venue) => (event: MarketEvent.MarketEvent, frame: Frame): Dialect.Answer | undefined => {
    switch (event._tag) {
      case "Subscribed":
      case "Unsubscribed": {
        const { channel, product, requestId } = event
        return { _tag: "Confirmed", lists: true, requestId, channel, product }
      }
      case "Response":
        return { _tag: "Confirmed", requestId: event.requestId ?? "" }
      case "VenueError": {
        const { code, message, requestId } = event
        const named = venue.refused?.(frame, event)
        return {
          _tag: "Refused",
          requestId,
          code,
          message,
          ...(typeof named === "function" ? { names: named } : named)
        }
      }
      default:
        return undefined
    }
  }

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
