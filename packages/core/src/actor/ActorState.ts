/**
 * Where an actor stands in its life.
 *
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import * as Data from "effect/Data"

/**
 * How an actor ended: it was stopped, or it crashed with a cause and was not
 * restarted.
 *
 * @category models
 * @since 0.1.0
 */
export interface Ended {
  readonly path: string
  readonly cause: Cause.Cause<unknown> | undefined
}

/**
 * The state of an actor:
 *
 * - `Starting`: its first state is made or restored
 * - `Running`: it handles messages
 * - `Restarting`: it crashed and waits `delayMillis` before it starts afresh, for
 *   the `attempt`th time within its intensity's window
 * - `Stopping`: it takes no message any more; `drain` handles those that wait
 * - `Stopped`
 *
 * @category models
 * @since 0.1.0
 */
export type ActorState = Data.TaggedEnum<{
  readonly Starting: {}
  readonly Running: {}
  readonly Restarting: {
    readonly cause: Cause.Cause<unknown>
    readonly attempt: number
    readonly delayMillis: number
  }
  readonly Stopping: { readonly mode: "drain" | "drop" }
  readonly Stopped: { readonly ended: Ended }
}>

/**
 * The constructors of `ActorState`, and `$is` and `$match`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const ActorState = Data.taggedEnum<ActorState>()
