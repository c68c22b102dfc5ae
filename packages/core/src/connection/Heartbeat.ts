/**
 * Protocol pings with a deadline: finds links that are connected and dead.
 *
 * A miss is only ever a confirmed one. While the socket is paused because a
 * consumer does not take, no pong can be read, so the deadline stands still and
 * starts afresh on resume; the same holds when our own event loop was late.
 * Both are reported as stalls of ours, never as a dead peer.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { Wire, WireClosed } from "../transport/Transport.ts"

/**
 * Who kept the pong from being read: a consumer that does not take, or our own
 * event loop.
 *
 * @category models
 * @since 0.1.0
 */
export type Stall = "consumer" | "loop"

/**
 * What a heartbeat needs to know, in milliseconds.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly wire: Wire
  readonly intervalMillis: number
  readonly timeoutMillis: number
  /** Whether reading stands still now, because of a consumer. */
  readonly isStalled: () => boolean
  /** When reading last went on after standing still, in epoch milliseconds. */
  readonly resumedAt: () => number
  readonly onRoundTrip: (millis: number) => Effect.Effect<void>
  readonly onStall: (stall: Stall) => Effect.Effect<void>
  /** What to do about a miss: the effect's value says whether to go on. */
  readonly onMiss: Effect.Effect<boolean>
}

const sleepUntil = (at: number): Effect.Effect<number> =>
  Effect.flatMap(
    Clock.currentTimeMillis,
    (now) => Effect.andThen(at > now ? Effect.sleep(at - now) : Effect.void, Clock.currentTimeMillis)
  )

// Completes when a pong that was asked for at `begun` is overdue and nobody but the peer is to blame.
const overdue = Effect.fnUntraced(function*(options: Options, begun: number) {
  let from = begun
  let isReported = false
  while (true) {
    const due = from + options.timeoutMillis
    const now = yield* sleepUntil(due)
    if (options.isStalled()) {
      if (!isReported) yield* options.onStall("consumer")
      isReported = true
      from = now
    } else if (now - due > options.timeoutMillis / 2) {
      yield* options.onStall("loop")
      from = now
    } else if (options.resumedAt() > from) {
      from = options.resumedAt()
    } else {
      return
    }
  }
})

/**
 * Pings every interval until a miss is to end it.
 *
 * @category running
 * @since 0.1.0
 */
export const run = Effect.fnUntraced(function*(options: Options): Effect.fn.Return<void, WireClosed> {
  while (true) {
    yield* Effect.sleep(options.intervalMillis)
    const begun = yield* Clock.currentTimeMillis
    const isAnswered = yield* Effect.raceFirst(
      Effect.as(options.wire.ping, true),
      Effect.as(overdue(options, begun), false)
    )
    if (isAnswered) {
      yield* options.onRoundTrip((yield* Clock.currentTimeMillis) - begun)
    } else if (!(yield* options.onMiss)) {
      return
    }
  }
})
