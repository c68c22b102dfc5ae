/**
 * What a run came to: the events that were printed, and the life of its
 * connections.
 *
 * @since 0.1.0
 */
import type * as MarketEvent from "@tickline/core/value/MarketEvent"
import { counted, grouped, span } from "./Style.ts"

/**
 * A count of events.
 *
 * @category models
 * @since 0.1.0
 */
export interface Tally {
  /** Notes an event that came, printed or not. */
  readonly observe: (event: MarketEvent.AnyEvent) => void
  /** Counts an event that was printed. */
  readonly printed: (event: MarketEvent.AnyEvent) => void
  /** The count as a line for people, of a run of so many milliseconds. */
  readonly summary: (millis: number) => string
}

/**
 * Makes a tally of nothing.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (): Tally => {
  const byTag = new Map<string, number>()
  let printed = 0
  let epochs = 0
  let drops = 0
  let gaps = 0
  return {
    observe: (event) => {
      if (event._tag === "Connection" && event.state === "Connected") epochs++
      if (event._tag === "Connection" && event.state === "Reconnecting" && event.attempt === 1) drops++
      if (event._tag === "Gap") gaps++
    },
    printed: ({ _tag }) => {
      printed++
      byTag.set(_tag, (byTag.get(_tag) ?? 0) + 1)
    },
    summary: (millis) => {
      const parts = Array.from(byTag, ([tag, count]) => `${grouped(count)} ${tag}`).join(", ")
      return `${counted(printed, "event")} in ${span(millis)}${parts === "" ? "" : ` (${parts})`}; ` +
        `${counted(epochs, "epoch")}, ${counted(drops, "drop")}, ${counted(gaps, "gap")}\n`
    }
  }
}
