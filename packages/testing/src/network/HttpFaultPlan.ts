/**
 * A fault plan of a host that answers over HTTP: what its requests meet, and
 * when. The faults are those of a `FaultPlan` that strike dials, and one of
 * answers alone.
 *
 * **Example** (a venue that is gone for a minute, then asks for patience)
 *
 * ```ts
 * const rest = yield* network.serveHttp("https://venue.test", answer)
 * yield* HttpFaultPlan.run(network, rest, [
 *   FaultPlan.at("10 seconds", { _tag: "Down", forMillis: 60_000 }),
 *   FaultPlan.at("70 seconds", { _tag: "Status", status: 429, retryAfterSeconds: 2 })
 * ])
 * ```
 *
 * @since 0.1.0
 */
import * as Monotonic from "@tickline/core/value/Monotonic"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Fault from "./Fault.ts"
import * as FaultPlan from "./FaultPlan.ts"
import * as HostFaults from "./internal/hostFaults.ts"
import type { HttpHost, VirtualNetwork } from "./VirtualNetwork.ts"

/**
 * What a fault does: to the next requests (`Refuse`, `Hang`, `Status`), to all
 * of some time (`Down`, `Latency`), or to the bodies of the next so many answers,
 * which break off in the middle (`Truncate`).
 *
 * @category models
 * @since 0.1.0
 */
export type Action =
  | Extract<FaultPlan.Action, { readonly _tag: "Refuse" | "Hang" | "Status" | "Down" | "Latency" }>
  | { readonly _tag: "Truncate"; readonly answers: number }

const format = (action: Action): string =>
  action._tag === "Truncate" ? `truncate=${action.answers}` : FaultPlan.formatAction(action)

/**
 * Runs a plan on a host until the plan or the scope ends. Its times count from
 * now.
 *
 * @category running
 * @since 0.1.0
 */
export const run = Effect.fnUntraced(function*(
  network: VirtualNetwork,
  host: HttpHost,
  plan: ReadonlyArray<FaultPlan.Timed<Action>>
): Effect.fn.Return<void, never, Scope.Scope> {
  const scope = yield* Effect.scope
  const begun = yield* Monotonic.now
  const faults = HostFaults.make(host, scope)

  const apply = (action: Action): Effect.Effect<void> =>
    action._tag === "Truncate"
      ? host.script(...Array.from({ length: action.answers }, () => ({ _tag: "Truncate" as const })))
      : faults.apply(action)

  const strikes = Effect.gen(function*() {
    let due = Fault.next(plan, -1)
    while (due !== undefined) {
      yield* Effect.sleep(begun + due.atMillis - (yield* Monotonic.now))
      for (const action of due.actions) {
        network.log.add(yield* Monotonic.now, "fault", { host: host.url, action: format(action) })
        yield* apply(action)
      }
      due = Fault.next(plan, due.atMillis)
    }
  })
  yield* Effect.forkIn(strikes, scope, { startImmediately: true })
})
