/**
 * What a circuit breaker is told and tells: its policy, where it stands, and
 * its steps from one state to another. `CircuitBreaker` makes breakers.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"

/**
 * When a breaker opens, for how long, and how it closes.
 *
 * - `failureThreshold`: so many failures open it, 1 or more
 * - `window`: `undefined` counts failures in a row, which a success ends; else
 *   failures count while they are younger than it, whatever succeeds between
 * - `openDuration`, `openFactor`, `openCap`: opening n without a close between
 *   lasts `min(openDuration × openFactor^(n - 1), openCap)`
 * - `halfOpen`: `"skip"` closes the breaker, its counters reset, when the open
 *   time is over; else so many probes in a row must succeed, one at a time
 *
 * @category models
 * @since 0.1.0
 */
export interface Policy {
  readonly failureThreshold: number
  readonly window: Duration.Duration | undefined
  readonly openDuration: Duration.Duration
  readonly openFactor: number
  readonly openCap: Duration.Duration
  readonly halfOpen: "skip" | { readonly successThreshold: number }
}

/**
 * Where a breaker stands.
 *
 * - `Closed`: everything is admitted. `failures` counts towards the threshold;
 *   with a window `failedAt` has the time of each, by the monotonic clock,
 *   oldest first
 * - `Open`: nothing is admitted before `until`, by the monotonic clock. This is
 *   opening number `openings` since the breaker was last closed, after
 *   `failures` failures. `ready` is whether the open time is over, so that the
 *   next to ask is admitted; only `Breaker.state` sets it, as nothing else
 *   happens at that moment
 * - `HalfOpen`: one probe at a time is admitted; `probing` is whether one is
 *   under way
 *
 * @category models
 * @since 0.1.0
 */
export type State =
  | { readonly _tag: "Closed"; readonly failures: number; readonly failedAt: ReadonlyArray<number> }
  | {
    readonly _tag: "Open"
    readonly until: number
    readonly openings: number
    readonly failures: number
    readonly ready: boolean
  }
  | { readonly _tag: "HalfOpen"; readonly successes: number; readonly probing: boolean; readonly openings: number }

/**
 * One step from a state to another, at `at`: in the monotonic milliseconds of
 * `transition`, and in epoch milliseconds where a breaker tells it. Where it
 * opens, `openForMillis` is for how long, and `failures` after how many.
 *
 * @category models
 * @since 0.1.0
 */
export interface Transition {
  readonly from: State["_tag"]
  readonly to: State["_tag"]
  readonly at: number
  readonly reason: string
  readonly openForMillis?: number
  readonly failures?: number
}
