/** One direction of a connection. */
import type { Timeline } from "./timeline.ts"

/** A one-way latency in milliseconds: fixed, or uniformly between two bounds. */
export type Latency = number | { readonly min: number; readonly max: number }

/** One direction of a connection: in order, late by the latency of the moment, held back while blocked. */
export interface Link {
  readonly push: (deliver: () => void) => void
  /** Lets through what was held back, as far as nothing blocks. */
  readonly pass: () => void
  readonly clear: () => void
}

/** Makes a link. A later message never overtakes an earlier one, whatever became of the latency. */
export const make = (
  { isBlocked, latency, now, schedule }: Timeline & {
    readonly latency: () => number
    readonly isBlocked: () => boolean
  }
): Link => {
  const held: Array<() => void> = []
  // Where it begins: shifting a long array costs its length each time.
  let passed = 0
  let underWay = 0
  let lastAt = 0
  // What is sent within one millisecond travels together, as in one segment.
  let segment: { readonly sentAt: number; readonly deliveries: Array<() => void> } | undefined
  const arrive = (deliver: () => void): void => {
    if (held.length > passed || isBlocked()) held.push(deliver)
    else deliver()
  }
  return {
    push: (deliver) => {
      const sentAt = now()
      if (segment?.sentAt === sentAt) {
        segment.deliveries.push(deliver)
        return
      }
      const at = Math.max(sentAt + latency(), lastAt)
      lastAt = at
      if (at <= sentAt && underWay === 0) return arrive(deliver)
      underWay++
      const deliveries = [deliver]
      segment = { sentAt, deliveries }
      schedule(at - sentAt, () => {
        if (segment?.deliveries === deliveries) segment = undefined
        // What a delivery leads to within this millisecond stays behind the rest of the segment.
        for (const each of deliveries) arrive(each)
        underWay--
      })
    },
    pass: () => {
      // A delivery may wake the reader, who lets the next through from within it.
      while (held.length > passed && !isBlocked()) held[passed++]!()
      if (passed * 2 >= held.length) {
        held.splice(0, passed)
        passed = 0
      }
    },
    clear: () => {
      held.length = 0
      passed = 0
    }
  }
}
