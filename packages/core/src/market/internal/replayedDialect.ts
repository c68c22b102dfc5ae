/**
 * The dialect of a connection whose data is a recording. What it asks goes
 * nowhere. An answer to what was asked in the same words then counts by its id;
 * any other was an answer to somebody else, and counts by its names alone.
 *
 * @since 0.1.0
 */
import type { MarketEvent } from "../../event/MarketEvent.ts"
import type { Answer, Dialect } from "../../protocol/Dialect.ts"
import type { Frame } from "../../transport/Frame.ts"
import type { Channel } from "../../value/Channel.ts"
import type { Ask, Venue } from "../../venue/Venue.ts"
import * as SubscriptionAnswers from "./subscriptionAnswers.ts"

/**
 * Makes the dialect of a venue, without lists that refuse what they leave out. A
 * refusal that names nothing refuses nothing. `wrote` says whether a frame was
 * written in the recording.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  venue: Venue,
  wrote: (text: string) => boolean
): Pick<Dialect<MarketEvent>, "subscribe" | "unsubscribe" | "answer"> => {
  const usual = SubscriptionAnswers.make(venue)
  const ours = new Set<string>()
  const known = (asks: ReadonlyArray<Ask>): ReadonlyArray<Ask> =>
    asks.map(({ channels, requestId, text }) => {
      if (requestId === undefined || !wrote(text)) return { channels, text, requestId: undefined }
      ours.add(requestId)
      return { channels, text, requestId }
    })
  return {
    subscribe: (channels: ReadonlyArray<Channel>, id) => known(venue.subscribe(channels, id)),
    unsubscribe: (channels: ReadonlyArray<Channel>, id) => known(venue.unsubscribe(channels, id)),
    answer: (event: MarketEvent, frame: Frame): Answer | undefined => {
      if ("requestId" in event && event.requestId !== undefined && ours.has(event.requestId)) return usual(event, frame)
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
