/**
 * What an event of a feed says of a subscription: confirmed, or refused.
 *
 * @since 0.1.0
 */
import type * as MarketEvent from "../../event/MarketEvent.ts"
import type * as Dialect from "../../protocol/Dialect.ts"
import type { Frame } from "../../transport/Frame.ts"
import type { Venue } from "../../venue/Venue.ts"

/**
 * Makes what reads the answer in an event, if it is one.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (venue: Venue) => (event: MarketEvent.MarketEvent, frame: Frame): Dialect.Answer | undefined => {
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
