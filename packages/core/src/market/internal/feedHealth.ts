/**
 * How a feed is, and where the subscriptions stand that its users have asked for.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { Connection } from "../../connection/Connection.ts"
import { internals } from "../../connection/internal/connectionInternals.ts"
import type { MarketEvent } from "../../event/MarketEvent.ts"
import * as Channel from "../../value/Channel.ts"
import * as Monotonic from "../../value/Monotonic.ts"
import type { CompanionChannels } from "./companionChannels.ts"
import type { FreshnessTracker } from "./freshnessTracker.ts"

/**
 * Makes both.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  venue: string,
  connection: Connection<MarketEvent>,
  freshness: FreshnessTracker,
  { isOfBooks }: CompanionChannels
) => {
  const states = Effect.suspend(() => connection[internals].subscriptionStates)
  return {
    health: Effect.gen(function*() {
      const { epoch, lastHeardAt, state } = yield* connection.metrics
      const all = yield* states
      // That what only goes with a book is refused harms nobody.
      const subscriptions = all.filter(({ channel, standing }) => standing !== "refused" || !isOfBooks(channel))
      return {
        venue,
        state,
        epoch,
        lastHeardAt,
        subscriptions,
        freshness: freshness.report(yield* Monotonic.now)
      }
    }),
    subscriptions: Effect.gen(function*() {
      const asked = (yield* states).filter(({ channel }) => !isOfBooks(channel))
      const refusals = yield* connection[internals].refusals
      const reasons = new Map(refusals.map((refusal) => [Channel.key(refusal.channel), refusal]))
      return asked.map((state) => ({ ...state, refusal: reasons.get(Channel.key(state.channel)) }))
    })
  }
}
