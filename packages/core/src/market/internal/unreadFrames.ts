/**
 * Of which channel and product a frame is that could not be read.
 *
 * @since 0.1.0
 */
import { other } from "../../event/VenueMessage.ts"
import type { Frame } from "../../transport/Frame.ts"
import type { Topic, Venue } from "../../venue/Venue.ts"

/**
 * By what a frame says its data is known, as of one of a kind that has no event;
 * `undefined` if it does not say it, or is no text.
 *
 * @category getters
 * @since 0.1.0
 */
export const topicOfUnread = (venue: Venue, frame: Frame): Topic | undefined =>
  typeof frame === "string" ? venue.topicOf?.(frame, [other({ venue: venue.name, kind: "" })]) : undefined
