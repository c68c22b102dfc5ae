/**
 * The subscriptions that venues have refused: which, with what reason, and
 * whether anything is left of what was asked for.
 *
 * @since 0.1.0
 */
import type { SubscriptionRefused } from "@tickline/core/connection/ConnectError"
import type * as MarketEvent from "@tickline/core/event/MarketEvent"
import type * as MarketFeed from "@tickline/core/market/MarketFeed"
import * as Channel from "@tickline/core/value/Channel"
import * as Printable from "@tickline/core/value/Printable"
import * as Effect from "effect/Effect"

/**
 * The subscriptions that venues have refused.
 *
 * @category models
 * @since 0.1.0
 */
export interface Refusals {
  /** Looks up what has become of a feed's subscriptions: whether all are refused, and whether any was not before. */
  readonly update: (
    feed: MarketFeed.MarketFeed["Service"]
  ) => Effect.Effect<{ readonly isWhole: boolean; readonly isNew: boolean }>
  /** What is refused of a venue, in the order in which it was asked for. */
  readonly of: (venue: string) => ReadonlyArray<SubscriptionRefused>
  /** A sentence for each subscription that is refused. */
  readonly sentences: () => ReadonlyArray<string>
}

/**
 * Whether an event may say what has become of a subscription.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isAnswer = (event: MarketEvent.AnyEvent): boolean =>
  event._tag === "VenueError" || event._tag === "Subscribed" || event._tag === "Response"

/**
 * Begins with nothing refused.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (): Refusals => {
  const byVenue = new Map<string, ReadonlyMap<string, SubscriptionRefused>>()
  const of = (venue: string) => [...byVenue.get(venue)?.values() ?? []]

  const update = Effect.fnUntraced(function*(feed: MarketFeed.MarketFeed["Service"]) {
    const { venue } = feed
    const known = byVenue.get(venue.name)
    const refused = new Map<string, SubscriptionRefused>()
    const subscriptions = yield* feed.subscriptions
    // What keeps the connection alive says nothing of what was asked for.
    const products = [...new Set(subscriptions.flatMap(({ channel }) => channel.product ?? []))]
    const beats = new Set(venue.keepAlive.channels?.(products).map(({ channel }) => channel))
    const asked = subscriptions.filter(({ channel }) => !beats.has(channel.channel))
    for (const { channel, refusal, standing } of asked) {
      const key = Channel.key(channel)
      // A connection that is new has not been answered yet: what was last said holds.
      const found = standing === "refused" ? refusal : standing === "confirmed" ? undefined : known?.get(key)
      if (found !== undefined) refused.set(key, found)
    }
    byVenue.set(venue.name, refused)
    return {
      isWhole: asked.length > 0 && refused.size === asked.length,
      isNew: [...refused.keys()].some((key) => known?.has(key) !== true)
    }
  })

  return {
    update,
    of,
    sentences: () =>
      [...byVenue.keys()].flatMap((venue) =>
        of(venue).map(({ channel, reason }) => {
          const what = channel.product === undefined ? channel.channel : `${channel.channel} of ${channel.product}`
          return Printable.escape(`${venue} refused the subscription to ${what}: ${reason}`)
        })
      )
  }
}
