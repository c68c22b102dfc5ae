/**
 * Has books that are not whole asked for anew, and again while they do not become
 * so.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Channel from "../../value/Channel.ts"

/**
 * How long a snapshot that was asked for is waited for before it is asked for
 * once more, in milliseconds.
 *
 * @category constants
 * @since 0.1.0
 */
export const firstWaitMillis = 10_000

/**
 * How long is waited at most, in milliseconds, for a snapshot of the stream and
 * with one over HTTP.
 *
 * @category constants
 * @since 0.1.0
 */
export const mostWaitMillis = 60_000

/**
 * Who has a book, by the keys of their channels.
 *
 * @category models
 * @since 0.1.0
 */
export interface Subscribed {
  readonly by: ReadonlyMap<string, { readonly channel: Channel.Channel }>
}

/**
 * How books are asked for anew. `isWanted` says of one whether it still is not
 * whole, and somebody asks for it, on the epoch that is up.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options<A extends Subscribed> {
  readonly isWanted: (book: A) => boolean
  readonly resubscribe: (channels: ReadonlyArray<Channel.Channel>) => Effect.Effect<void>
}

/**
 * Asks for the books anew that are wanted after so long, and again, until none is;
 * each wait is twice the last.
 *
 * @category running
 * @since 0.1.0
 */
export const resync = <A extends Subscribed>(
  books: ReadonlyArray<A>,
  options: Options<A>,
  waitMillis: number
): Effect.Effect<void> => {
  const ask = Effect.suspend((): Effect.Effect<void> => {
    const wanted = books.filter(options.isWanted)
    if (wanted.length === 0) return Effect.void
    const channels = [...new Map(wanted.flatMap(({ by }) => [...by])).values()].map(({ channel }) => channel)
    const next = Math.min(Math.max(waitMillis * 2, firstWaitMillis), mostWaitMillis)
    return Effect.andThen(options.resubscribe(channels), resync(wanted, options, next))
  })
  // What is asked for at once is asked for when all have seen what came: how many answers are due is looked at there.
  return waitMillis === 0 ? Effect.andThen(Effect.yieldNow, ask) : Effect.delay(ask, waitMillis)
}
