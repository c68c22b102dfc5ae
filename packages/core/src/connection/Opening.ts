/**
 * What is said on a new epoch before the connection counts as up: who signs in
 * does so here, and who has to know how things stand asks here.
 *
 * The order on each epoch is: `signIn`, then all subscriptions, until each is
 * answered, then `reconcile`, and only then `Connected`. Until then nobody else's
 * messages go out. Where a step fails, or a subscription that the peer had
 * confirmed before is refused, the dial has failed: it is recorded as such and
 * tried again by the policy, unless it is an `AuthError`, which stops.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type { InvalidCost, RateLimited } from "../resilience/RollingLimit.ts"
import type { AuthError, NotSent, OutboxFull, RestoreFailed } from "./ConnectError.ts"
import type { Accepted, Message, SendOptions } from "./Outbox.ts"

/**
 * An epoch that is being opened. What it sends waits for the peer's limits, and
 * goes before everybody else's; requests go through it with `via`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Opening {
  readonly epoch: number
  readonly send: (
    message: Message,
    options?: Pick<SendOptions, "deadline"> | undefined
  ) => Effect.Effect<Accepted, NotSent | OutboxFull | RateLimited | InvalidCost>
}

/**
 * A step of the opening. It has the policy's connect timeout.
 *
 * @category models
 * @since 0.1.0
 */
export type Step = (opening: Opening) => Effect.Effect<void, AuthError | RestoreFailed>

/**
 * The steps of the opening, each of which may be left out.
 *
 * @category models
 * @since 0.1.0
 */
export interface Steps {
  readonly signIn?: Step | undefined
  readonly reconcile?: Step | undefined
}
