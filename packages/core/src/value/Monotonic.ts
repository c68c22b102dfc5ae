/**
 * The clock for what waits. Deadlines, intervals, limits and durations are
 * measured on it: it only ever goes forward, at the rate at which `Effect.sleep`
 * does, whatever is done to the wall clock. Its zero means nothing; what is told
 * to people takes the wall clock, `Clock.currentTimeMillis`.
 *
 * @since 0.1.0
 */
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Integer64 from "./internal/integer64.ts"

/**
 * The milliseconds that a clock's monotonic side has counted, with their
 * fraction.
 *
 * @category getters
 * @since 0.1.0
 */
export const nowMillis = (clock: Clock.Clock): number =>
  Integer64.toNumber(clock.monotonicTimeNanosUnsafe()) / 1_000_000

/**
 * The milliseconds that the current clock's monotonic side has counted, with
 * their fraction.
 *
 * @category getters
 * @since 0.1.0
 */
export const now: Effect.Effect<number> = Effect.clockWith((clock) => Effect.succeed(nowMillis(clock)))
