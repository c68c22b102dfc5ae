/**
 * The dialect of a feed whose data is a recording. What it asks goes nowhere, and
 * what was answered then was answered to others: it counts by its names alone.
 *
 * @since 0.1.0
 */
import type { MarketEvent } from "../../event/MarketEvent.ts"
import type { Answer, Ask, Dialect } from "../../protocol/Dialect.ts"
import type { Frame } from "../../transport/Frame.ts"
import type { Channel } from "../../value/Channel.ts"
import type { Venue } from "../../venue/Venue.ts"

/**
 * Makes the dialect of a venue without ids, and without lists that refuse what
 * they leave out. A refusal that names nothing refuses nothing.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (venue: Venue): Pick<Dialect<MarketEvent>, "subscribe" | "unsubscribe" | "answer"> => {
  const withoutId = (asks: ReadonlyArray<Ask>): ReadonlyArray<Ask> =>
    asks.map(({ channels, text }) => ({ channels, text, requestId: undefined }))
  return {
    subscribe: (channels: ReadonlyArray<Channel>, id) => withoutId(venue.subscribe(channels, id)),
    unsubscribe: (channels: ReadonlyArray<Channel>, id) => withoutId(venue.unsubscribe(channels, id)),
    answer: (event: MarketEvent, frame: Frame): Answer | undefined => {
      if (event._tag === "Subscribed") {
        const { channel, product } = event
        return channel === undefined && product === undefined ? undefined : { _tag: "Confirmed", channel, product }
      }
      if (event._tag !== "VenueError") return undefined
      const named = venue.refused?.(frame, event)
      // A function finds it in the words, and so may find nothing.
      if (named === undefined || typeof named === "function" || Object.keys(named).length === 0) return undefined
      const { code, message } = event
      return { _tag: "Refused", code, message, ...named }
    }
  }
}
