/**
 * What a run came to: the events that were printed, and the life of its
 * connections.
 *
 * @since 0.1.0
 */
import type * as Lifecycle from "@tickline/core/event/Lifecycle"
import type * as MarketEvent from "@tickline/core/event/MarketEvent"
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
  /** Counts events that were printed. */
  readonly printed: (tag: MarketEvent.AnyEvent["_tag"], count: number) => void
  /** Counts events that were not printed, and why. */
  readonly unprinted: (why: string, count: number) => void
  /** The count as a line for people, of a run of so many milliseconds; without its connections if it has no time. */
  readonly summary: (millis?: number | undefined) => string
}

/**
 * Makes a tally of nothing.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (): Tally => {
  const byTag = new Map<string, number>()
  const byReason = new Map<string, number>()
  // The connections that are up, and the gaps that have not ended.
  const up = new Set<string>()
  const open = new Set<string>()
  let printed = 0
  let epochs = 0
  let drops = 0
  let gaps = 0

  const connection = ({ leg = 1, state, venue }: Lifecycle.ConnectionEvent): void => {
    const key = `${venue} ${leg}`
    if (state === "Connected") {
      epochs++
      up.add(key)
    } else if (up.delete(key) && state !== "Closing") {
      drops++
    }
  }

  // A gap is told when it is noticed, and again when it is over; or once, then.
  const gap = ({ cause, channel, from, product, to, venue }: Lifecycle.Gap): void => {
    const key = [venue, product, channel, from, cause].join(" ")
    const isKnown = to === undefined ? open.has(key) : open.delete(key)
    if (to === undefined) open.add(key)
    if (!isKnown) gaps++
  }

  return {
    observe: (event) => {
      if (event._tag === "Connection") connection(event)
      if (event._tag === "Gap") gap(event)
    },
    printed: (tag, count) => {
      printed += count
      byTag.set(tag, (byTag.get(tag) ?? 0) + count)
    },
    unprinted: (why, count) => {
      if (count > 0) byReason.set(why, (byReason.get(why) ?? 0) + count)
    },
    summary: (millis) => {
      const parts = Array.from(byTag, ([tag, count]) => `${grouped(count)} ${tag}`).join(", ")
      const others = Array.from(byReason, ([why, count]) => `; ${counted(count, "event")} ${why}`).join("")
      if (millis === undefined) return `${counted(printed, "event")}${parts === "" ? "" : ` (${parts})`}${others}\n`
      return `${counted(printed, "event")} in ${span(millis)}${parts === "" ? "" : ` (${parts})`}${others}; ` +
        `${counted(epochs, "epoch")}, ${counted(drops, "drop")}, ${counted(gaps, "gap")}\n`
    }
  }
}
