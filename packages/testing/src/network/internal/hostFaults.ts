/**
 * The faults that strike whoever asks a host anew, over a socket or over HTTP.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as Fault from "../Fault.ts"
import type { DialOutcome, Host, Latency } from "../VirtualNetwork.ts"

// What such a fault does: to the next dials or requests, or to all of some time.
type HostAction =
  | Extract<Fault.Action, { readonly _tag: "Refuse" | "Hang" | "Status" }>
  | { readonly _tag: "Down"; readonly forMillis: number }
  | { readonly _tag: "Latency"; readonly latency: Latency; readonly forMillis: number }

// What a host of either kind can be told of those who ask it.
interface Asked extends Pick<Host, "setLatency"> {
  readonly script: (
    ...outcomes: ReadonlyArray<Extract<DialOutcome, { readonly _tag: "Refuse" | "Hang" | "Reject" }>>
  ) => Effect.Effect<void>
  readonly otherwise: (
    outcome: Extract<DialOutcome, { readonly _tag: "Refuse" | "Accept" }>
  ) => Effect.Effect<void>
}

/**
 * What a plan does to its host: `apply` strikes it, `later` undoes a fault that
 * lasts, in a fiber of its own, so that the plan goes on.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (host: Asked, scope: Scope.Scope) => {
  let downs = 0

  const later = (millis: number, undo: Effect.Effect<void>): Effect.Effect<void> =>
    Effect.asVoid(Effect.forkIn(Effect.delay(undo, millis), scope))

  const apply = (action: HostAction): Effect.Effect<void> => {
    switch (action._tag) {
      case "Refuse":
        return host.script(...Array.from({ length: action.dials }, () => ({ _tag: "Refuse" as const })))
      case "Hang":
        return host.script({ _tag: "Hang" })
      case "Status":
        return host.script({
          _tag: "Reject",
          status: action.status,
          retryAfterMillis: action.retryAfterSeconds === undefined ? undefined : action.retryAfterSeconds * 1_000
        })
      case "Down":
        downs++
        return Effect.andThen(
          host.otherwise({ _tag: "Refuse" }),
          later(
            action.forMillis,
            Effect.suspend(() => --downs === 0 ? host.otherwise({ _tag: "Accept" }) : Effect.void)
          )
        )
      case "Latency":
        return Effect.andThen(host.setLatency(action.latency), later(action.forMillis, host.setLatency(undefined)))
    }
  }

  return { apply, later }
}
