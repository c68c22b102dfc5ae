/**
 * What a feed writes on each market event as it is decoded: when its batch came
 * in, and its product, in the one text that the feed has of it, with its common
 * name.
 *
 * @since 0.1.0
 */
import type { FrameRejected } from "../../codec/Rejection.ts"
import * as ReceivedStamp from "../../event/internal/receivedStamp.ts"
import * as MarketEvent from "../../event/MarketEvent.ts"
import type { Frame } from "../../transport/Frame.ts"
import * as Timestamp from "../../value/Timestamp.ts"
import type { Venue } from "../../venue/Venue.ts"
import type { Products } from "./products.ts"

/**
 * Makes the decoder of a feed: that of the venue, whose market events it marks.
 * The frames of one batch share one instant.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  venue: Venue,
  products: Products
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
    for (const event of decoded) {
      if (!MarketEvent.isMarketData(event)) continue
      const product = event.product === undefined ? undefined : products.of(event.product)
      mark.product = product?.symbol
      mark.name = product?.name
      ReceivedStamp.stamp(event, mark)
    }
    return decoded
  }
}
