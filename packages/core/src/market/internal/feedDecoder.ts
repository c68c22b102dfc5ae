/**
 * What a feed writes on each market event as it is decoded: when its batch came
 * in, and the common name of its product.
 *
 * @since 0.1.0
 */
import type { FrameRejected } from "../../codec/Rejection.ts"
import * as ReceivedStamp from "../../event/internal/receivedStamp.ts"
import * as MarketEvent from "../../event/MarketEvent.ts"
import type * as Symbols from "../../protocol/Symbols.ts"
import type { Frame } from "../../transport/Frame.ts"
import * as Timestamp from "../../value/Timestamp.ts"
import type { Venue } from "../../venue/Venue.ts"

// So many products' names are remembered: a peer that makes up products does not make it grow.
const mostNames = 10_000

/**
 * Makes the decoder of a feed: that of the venue, whose market events it marks.
 * The frames of one batch share one instant.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  venue: Venue,
  symbols: Symbols.Symbols
): (frame: Frame, at: number) => ReadonlyArray<MarketEvent.MarketEvent> | FrameRejected => {
  const names = new Map<string, string | undefined>()
  // Most events are of the product of the one before, and to compare two texts is cheaper than to find one.
  let last = ""
  let lastName = symbols.nameOf(venue, last)
  const nameOf = (product: string): string | undefined => {
    if (product === last) return lastName
    last = product
    lastName = names.get(product)
    if (lastName !== undefined || names.has(product)) return lastName
    lastName = symbols.nameOf(venue, product)
    if (names.size < mostNames) names.set(product, lastName)
    return lastName
  }
  const mark: { receivedAt: Timestamp.Timestamp | undefined; name: string | undefined } = {
    receivedAt: undefined,
    name: undefined
  }
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
      mark.name = event.product === undefined ? undefined : nameOf(event.product)
      ReceivedStamp.stamp(event, mark)
    }
    return decoded
  }
}
