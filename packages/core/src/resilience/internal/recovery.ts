/**
 * What follows a failure, as one pure function: given the policy, the outage so
 * far, the failure, the breaker and the time, `next` says whether to dial again,
 * and not before when, whether to refresh the token first, or how it ends.
 *
 * The order of its rules is what keeps retries and breaker apart: a failure that
 * nothing can mend stops; the failure after the last retry aborts, whatever the
 * breaker says; an open breaker rejects where the policy does not wait for it,
 * and uses up no retry; everything else is retried (`RetryWait` says when).
 *
 * It knows no socket, waits for nothing and asks no clock: who dials carries out
 * what it says. Times are those of the monotonic clock, in milliseconds.
 *
 * @since 0.1.0
 */
import type { State } from "../Circuit.ts"
import type { ConnectionPolicy } from "../ConnectionPolicy.ts"

/**
 * What a kind of failure asks for: another attempt by the policy, another one
 * with a refreshed token, or the end.
 *
 * @category models
 * @since 0.1.0
 */
export type Answer = "retry" | "reauthenticate" | "stop"

/**
 * What is to be known of a failure: the answer to its kind, and for how many
 * milliseconds the peer wants to be left alone, 0 for not at all.
 *
 * @category models
 * @since 0.1.0
 */
export interface Failure {
  readonly answer: Answer
  readonly restMillis: number
}

/**
 * An outage so far.
 *
 * - `retries`: the attempts since its first failure
 * - `hasConnected`: whether there has been a connection since the owner asked
 * - `canRefresh`: whether a token can be refreshed that was not yet
 *
 * @category models
 * @since 0.1.0
 */
export interface Outage {
  readonly retries: number
  readonly hasConnected: boolean
  readonly canRefresh: boolean
}

/**
 * The next attempt is number `attempt` of this outage. It is not made before
 * the peer has been left alone for `restMillis`, nor before `openUntil`, when a
 * breaker that is open now admits again.
 *
 * @category models
 * @since 0.1.0
 */
export interface Retry {
  readonly _tag: "Retry"
  readonly attempt: number
  readonly decidedAt: number
  readonly restMillis: number
  readonly openUntil: number | undefined
}

/**
 * What to do next.
 *
 * - `Retry`: wait, then try again
 * - `Refresh`: refresh the token and try again at once
 * - `Stop`: the failure is the end
 * - `Abort`: the retries are used up
 * - `Reject`: the breaker is open until `until`, and the policy does not wait;
 *   `retry` is the attempt that is left to whoever asks again later
 *
 * @category models
 * @since 0.1.0
 */
export type Step =
  | Retry
  | { readonly _tag: "Refresh" }
  | { readonly _tag: "Stop" }
  | { readonly _tag: "Abort"; readonly retries: number }
  | { readonly _tag: "Reject"; readonly until: number; readonly retry: Retry }

/**
 * Whether attempts wait for an open breaker, rather than fail. So they do where
 * the policy has none: the breaker is then one that never opens.
 *
 * @category predicates
 * @since 0.1.0
 */
export const waitsForBreaker = ({ circuit }: Pick<ConnectionPolicy, "circuit">): boolean =>
  circuit === "none" || circuit.whenOpen === "wait"

/**
 * Whether a failure counts for the breaker: one that is not retried says nothing
 * about the peer's health.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isCounted = (
  policy: Pick<ConnectionPolicy, "retryInitialConnect">,
  { hasConnected }: Pick<Outage, "hasConnected">,
  answer: Answer
): boolean => answer === "retry" && (hasConnected || policy.retryInitialConnect)

/**
 * Decides what follows a failure at `now`, by the state of the breaker as the
 * failure has left it.
 *
 * @category combinators
 * @since 0.1.0
 */
export const next = (
  policy: Pick<ConnectionPolicy, "retry" | "circuit" | "retryInitialConnect">,
  { canRefresh, hasConnected, retries }: Outage,
  { answer, restMillis }: Failure,
  breaker: State,
  now: number
): Step => {
  if (answer === "reauthenticate" && canRefresh) return { _tag: "Refresh" }
  if (!isCounted(policy, { hasConnected }, answer)) return { _tag: "Stop" }
  const { maxRetries } = policy.retry
  if (maxRetries !== "unlimited" && retries >= maxRetries) return { _tag: "Abort", retries }
  const openUntil = breaker._tag === "Open" && breaker.until > now ? breaker.until : undefined
  const retry = { _tag: "Retry", attempt: retries + 1, decidedAt: now, restMillis } as const
  return openUntil === undefined || waitsForBreaker(policy)
    ? { ...retry, openUntil }
    : { _tag: "Reject", until: openUntil, retry: { ...retry, openUntil: undefined } }
}
