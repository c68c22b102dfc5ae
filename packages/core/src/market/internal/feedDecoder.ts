/**
 * What a feed writes on each market event as it is decoded: when its batch came
 * in.
 *
 * @since 0.1.0
 */
import type { FrameRejected } from "../../codec/Rejection.ts"
import * as ReceivedStamp from "../../event/internal/receivedStamp.ts"
import * as MarketEvent from "../../event/MarketEvent.ts"
import type { Frame } from "../../transport/Frame.ts"
import * as Timestamp from "../../value/Timestamp.ts"
import type { Venue } from "../../venue/Venue.ts"

/**
 * Makes the decoder of a feed: that of the venue, whose market events it marks.
 * The frames of one batch share one instant.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  venue: Venue
): (frame: Frame, at: number) => ReadonlyArray<MarketEvent.MarketEvent> | FrameRejected => {
  const mark: ReceivedStamp.Mark = { receivedAt: undefined, product: undefined, name: undefined }
  let markedAt: number | undefined

  return (frame, at) => {
    const decoded = venue.decode(frame)
    if ("_tag" in decoded) return decoded
    if (at !== markedAt) {
      markedAt = at
      mark.receivedAt = Timestamp.fromEpochMillis(at)
    }
    for (const event of decoded) if (MarketEvent.isMarketData(event)) ReceivedStamp.stamp(event, mark)
    return decoded
  }
}
