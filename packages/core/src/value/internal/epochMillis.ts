/**
 * From the monotonic clock to the wall clock.
 *
 * @since 0.1.0
 */
import type * as Clock from "effect/Clock"
import { nowMillis } from "../Monotonic.ts"

/**
 * The wall clock's time, in whole epoch milliseconds, at which the monotonic one
 * shows `at`, as far as can be said now: a wall clock that is set later says
 * otherwise.
 *
 * @category getters
 * @since 0.1.0
 */
export const toEpochMillis = (clock: Clock.Clock, at: number): number =>
  Math.round(clock.currentTimeMillisUnsafe() + at - nowMillis(clock))
