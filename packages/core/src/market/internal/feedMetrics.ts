/**
 * What a feed tells Effect's `Metric` of itself: events by channel, gaps by
 * cause, subscriptions that do not deliver, and how old each subscription's
 * data is. Updated once a batch or a transition.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { constVoid } from "effect/Function"
import * as Metric from "effect/Metric"
import * as Record from "effect/Record"
import type * as Scope from "effect/Scope"
import type { Gap } from "../../event/Lifecycle.ts"
import * as Channel from "../../value/Channel.ts"
import * as LazyCounter from "../../value/internal/lazyCounter.ts"
import * as MetricAttributes from "../../value/internal/metricAttributes.ts"
import * as MetricDefinitions from "../../value/internal/metricDefinitions.ts"
import * as Monotonic from "../../value/Monotonic.ts"

/**
 * The metrics of one feed.
 *
 * @category models
 * @since 0.1.0
 */
export interface FeedMetrics {
  /** These are subscriptions, too, with how old the data of each is at a time of the monotonic clock, in milliseconds. */
  readonly follow: (
    channels: ReadonlyArray<Channel.Channel>,
    ageOf: (channel: Channel.Channel, now: number) => number
  ) => void
  /** These are subscriptions no longer. */
  readonly unfollow: (channels: ReadonlyArray<Channel.Channel>) => void
  /** A batch brought so many events of a channel. */
  readonly arrived: (channel: string, events: number) => void
  /** An event came in so many milliseconds after the venue's own time on it. */
  readonly latency: (millis: number) => void
  /** So many gaps began or were found, one for each channel and product. */
  readonly gaps: (cause: Gap["cause"], count: number) => void
  /** A subscription was found not to deliver. */
  readonly stale: () => void
}

// A metric with an attribute is made once; its values are kept by the context's label.
const gapsOf = Record.map(
  { disconnect: true, sequence: true, checksum: true, crossed: true, overflow: true, stale: true } satisfies {
    readonly [Cause in Gap["cause"]]: true
  },
  (_, cause) => Metric.withAttributes(MetricDefinitions.gaps, { cause })
)

/**
 * Makes the metrics of a feed, all of them at zero. The ages are no longer read
 * once the scope has ended.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (label: string): Effect.Effect<FeedMetrics, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.contextWith((context: Context.Context<never>) =>
      Effect.sync(() => {
        const labelled = MetricAttributes.add(context, { connection: label })
        for (const metric of [MetricDefinitions.stale, MetricDefinitions.latency, ...Object.values(gapsOf)]) {
          metric.valueUnsafe(labelled)
        }
        const events = new Map<string, LazyCounter.LazyCounter>()
        const ages = new Map<string, Metric.Registration>()

        const eventsOf = (channel: string): LazyCounter.LazyCounter => {
          const known = events.get(channel)
          if (known !== undefined) return known
          const made = LazyCounter.make(MetricDefinitions.events, MetricAttributes.add(labelled, { channel }))
          events.set(channel, made)
          return made
        }

        const follow: FeedMetrics["follow"] = (channels, ageOf) => {
          for (const channel of channels) {
            const key = Channel.key(channel)
            eventsOf(channel.channel)
            if (ages.has(key)) continue
            const of = MetricAttributes.add(labelled, {
              channel: channel.channel,
              ...(channel.product === undefined ? {} : { product: channel.product })
            })
            ages.set(
              key,
              Metric.registerUnsafe(MetricDefinitions.age, of, {
                get: (reader) => ({ value: ageOf(channel, Monotonic.nowMillis(Context.get(reader, Clock.Clock))) }),
                update: constVoid,
                modify: constVoid
              })
            )
          }
        }

        const unfollow: FeedMetrics["unfollow"] = (channels) => {
          for (const channel of channels) {
            const key = Channel.key(channel)
            ages.get(key)?.remove()
            ages.delete(key)
          }
        }

        const metrics: FeedMetrics = {
          follow,
          unfollow,
          arrived: (channel, count) => {
            eventsOf(channel).sum += count
          },
          latency: (millis) => MetricDefinitions.latency.updateUnsafe(millis, labelled),
          gaps: (cause, count) => gapsOf[cause].updateUnsafe(count, labelled),
          stale: () => MetricDefinitions.stale.updateUnsafe(1, labelled)
        }
        return { metrics, end: () => ages.forEach((registration) => registration.remove()) }
      })
    ),
    ({ end }) => Effect.sync(end)
  ).pipe(Effect.map(({ metrics }) => metrics))
