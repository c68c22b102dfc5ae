/**
 * What arrives, by channel: how fresh it keeps its subscription, how much it is,
 * and how late it came.
 *
 * @since 0.1.0
 */
import type { NamedObserver } from "../../connection/Observer.ts"
import * as MarketEvent from "../../event/MarketEvent.ts"
import * as Timestamp from "../../value/Timestamp.ts"
import type { FeedMetrics } from "./feedMetrics.ts"
import type { FreshnessTracker } from "./freshnessTracker.ts"
import { RoutedChannels } from "./routedChannels.ts"

// How often the latency of an event is looked at, at most.
const latencyEveryMillis = 100

/**
 * Makes the observer of a feed's arrivals.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (freshness: FreshnessTracker, metrics: FeedMetrics): NamedObserver<MarketEvent.MarketEvent> => {
  let latencyDue = 0
  return {
    name: "freshness",
    attach: () => ({
      batch: ({ at, channels: belonging = [], messages, monotonicMillis }) => {
        // Most batches are of one subscription, or of several of one channel in turn.
        let name: string | undefined
        let count = 0
        let first = 0
        for (let i = 0; i < belonging.length; i++) {
          const channels = belonging[i]
          if (channels === belonging[i + 1] || channels === undefined) continue
          freshness.receivedAll(channels, monotonicMillis)
          const of = (channels instanceof RoutedChannels ? channels.channel : undefined) ?? channels[0]?.channel
          if (of !== name) {
            if (name !== undefined) metrics.arrived(name, count)
            name = of
            count = 0
          }
          count += i + 1 - first
          first = i + 1
        }
        if (name !== undefined) metrics.arrived(name, count)
        if (monotonicMillis < latencyDue) return
        const last = messages[messages.length - 1]
        // What a venue replays came late on purpose.
        const sentAt =
          last === undefined || !MarketEvent.isMarketData(last) || ("history" in last && last.history === true)
            ? undefined
            : last.timestamp
        if (sentAt === undefined) return
        latencyDue = monotonicMillis + latencyEveryMillis
        metrics.latency(at - Timestamp.epochMillis(sentAt))
      },
      ended: () => {}
    })
  }
}
