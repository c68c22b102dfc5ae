/**
 * Which state of an actor may follow which.
 *
 * @since 0.1.0
 */
import type { ActorState } from "../ActorState.ts"

const next: { readonly [From in ActorState["_tag"]]: ReadonlyArray<ActorState["_tag"]> } = {
  Starting: ["Running", "Stopping", "Stopped"],
  Running: ["Restarting", "Stopping", "Stopped"],
  Restarting: ["Running", "Restarting", "Stopping", "Stopped"],
  Stopping: ["Stopping", "Stopped"],
  Stopped: []
}

/**
 * Whether an actor may come from one state to the other.
 *
 * @category getters
 * @since 0.1.0
 */
export const allows = (from: ActorState, to: ActorState): boolean => next[from._tag].includes(to._tag)
