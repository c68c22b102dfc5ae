/**
 * What the consumers of a feed want, counted: a channel is asked for when its
 * first consumer comes and given up when its last one leaves.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Channel from "../../value/Channel.ts"

/**
 * How many consumers want which channels.
 *
 * @category models
 * @since 0.1.0
 */
export interface ChannelCounts<E = never> {
  /** Wants the channels until the scope ends. */
  readonly want: (channels: ReadonlyArray<Channel.Channel>) => Effect.Effect<void, E, Scope.Scope>
  /** How many consumers want each channel. */
  readonly counts: Effect.Effect<ReadonlyMap<string, number>>
}

/**
 * Makes the counts over the two calls that carry them out.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = <E = never>(source: {
  readonly subscribe: (channels: ReadonlyArray<Channel.Channel>) => Effect.Effect<void, E>
  readonly unsubscribe: (channels: ReadonlyArray<Channel.Channel>) => Effect.Effect<void>
}): ChannelCounts<E> => {
  const counts = new Map<string, number>()

  // Changes the counts by one and returns the channels whose count came to be `edge`.
  const change = (channels: ReadonlyArray<Channel.Channel>, by: 1 | -1, edge: 0 | 1): Array<Channel.Channel> =>
    channels.filter((channel) => {
      const key = Channel.key(channel)
      const count = (counts.get(key) ?? 0) + by
      if (count === 0) counts.delete(key)
      else counts.set(key, count)
      return count === edge
    })

  return {
    want: (channels) =>
      Effect.asVoid(Effect.acquireRelease(
        Effect.suspend(() => source.subscribe(change(channels, 1, 1))),
        () => Effect.suspend(() => source.unsubscribe(change(channels, -1, 0)))
      )),
    counts: Effect.sync(() => new Map(counts))
  }
}
