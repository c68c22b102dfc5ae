/**
 * What is done about an actor that fails.
 *
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import type * as Duration from "effect/Duration"
import type * as Schedule from "effect/Schedule"

/**
 * What is done:
 *
 * - `resume`: it goes on with the next message, its state as it was before
 * - `restart`: it starts afresh, from what was persisted or from its first state,
 *   and then handles what waits. What it had acquired and its children end first
 * - `stop`: it ends, and whoever watches it is told
 * - `escalate`: it ends, and its parent fails with the same cause; without a
 *   parent it is `stop`
 *
 * The message in hand is not handled again.
 *
 * @category models
 * @since 0.1.0
 */
export type Directive = "resume" | "restart" | "stop" | "escalate"

/**
 * How an actor is supervised:
 *
 * - `decide`: what is done about a failure; default: an error of the handler's
 *   own type is an answer, after which it resumes, and anything else restarts it
 * - `intensity`: at most so many restarts within a time, beyond which it
 *   escalates if it has a parent and stops otherwise (default 5 within a minute)
 * - `backoff`: how long to wait before each restart, begun anew after a time of the
 *   intensity without one; if it ends, that is as too many restarts (default
 *   100 ms, doubled up to 10 s)
 *
 * @category models
 * @since 0.1.0
 */
export interface Supervisor {
  readonly decide?: ((cause: Cause.Cause<unknown>) => Directive) | undefined
  readonly intensity?: { readonly restarts: number; readonly within: Duration.Input } | undefined
  readonly backoff?: Schedule.Schedule<unknown, Cause.Cause<unknown>> | undefined
}
