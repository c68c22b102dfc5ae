/**
 * A mock venue that writes down what it sends: the sender's side of the demo's
 * account.
 *
 * @since 0.1.0
 */
import type { Tick } from "@tickline/testing/Market"
import type { MockVenue } from "@tickline/testing/MockVenue"
import type { Sent } from "./Account.ts"

/**
 * A venue and what it has sent. A message is known by its market's timestamp, which
 * rises from one to the next.
 *
 * @category models
 * @since 0.1.0
 */
export interface AccountedVenue {
  readonly venue: MockVenue
  /** What was sent, in order, copies included. */
  readonly sent: ReadonlyArray<Sent>
  /** Sends the next message twice. */
  readonly repeatNext: () => void
}

/**
 * Makes one around a mock venue. `now` gives epoch milliseconds.
 *
 * A tick is written once however many clients it goes to: it was published.
 * What greets a client's subscription is written each time.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (venue: MockVenue, now: () => number): AccountedVenue => {
  const sent: Array<Sent> = []
  const latest = new Map<string, { readonly id: string; readonly copies: number }>()
  let isRepeating = false

  const published = (tick: Tick): number => {
    const known = latest.get(tick.product)
    if (known?.id === tick.timestamp) return known.copies
    const copies = isRepeating ? 2 : 1
    isRepeating = false
    latest.set(tick.product, { id: tick.timestamp, copies })
    for (let copy = 0; copy < copies; copy++) sent.push({ product: tick.product, id: tick.timestamp, at: now() })
    return copies
  }

  return {
    sent,
    repeatNext: () => {
      isRepeating = true
    },
    venue: {
      ...venue,
      receive: (session, frame, floor) => {
        const answer = venue.receive(session, frame, floor)
        for (const { data } of answer.replies) {
          const last = data === undefined ? undefined : floor.market(data.product)?.last
          if (last !== undefined) sent.push({ product: last.product, id: last.timestamp, at: now() })
        }
        return answer
      },
      publish: (session, tick, floor) => {
        const frames = venue.publish(session, tick, floor)
        if (frames.length === 0) return frames
        return published(tick) === 1 ? frames : [...frames, ...frames]
      }
    }
  }
}
