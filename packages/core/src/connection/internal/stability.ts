/**
 * Whether an epoch has shown that the venue is well: its success, for the backoff
 * and for the breaker, comes when the policy's `resetOn` is met.
 *
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import type * as Breaker from "../../resilience/Breaker.ts"
import type * as Backoff from "../../resilience/internal/backoff.ts"
import * as SharedTimer from "../../value/internal/sharedTimer.ts"
import type { Parts } from "./connectionParts.ts"
import type { Session } from "./dialler.ts"

/**
 * The stability of one dial and its epoch, which the breaker has admitted.
 *
 * @category models
 * @since 0.1.0
 */
export class Stability<A> {
  readonly session: Session
  readonly permit: Breaker.Permit
  /** Whether it has met the policy's `resetOn`. */
  isStable = false
  private readonly parts: Parts<A>
  private readonly backoff: Backoff.Stepper

  constructor(parts: Parts<A>, backoff: Backoff.Stepper, session: Session, permit: Breaker.Permit) {
    this.parts = parts
    this.backoff = backoff
    this.session = session
    this.permit = permit
  }

  /** The epoch met the policy's `resetOn`: the backoff begins anew and the breaker is told of a success. */
  confirmStable(): Effect.Effect<void> {
    return Effect.suspend(() => {
      const { permit, session } = this
      this.isStable = true
      session.token.confirm()
      if (session.retries > 0) this.parts.options.recorder.backoffReset()
      session.retries = 0
      const report = typeof this.parts.policy.retry.resetOn === "object" ? permit.confirmStable : permit.succeed
      return Effect.andThen(this.backoff.reset, report)
    })
  }

  /**
   * Waits for what shows in time that it is stable, and gives what is then to be done to `run`; nothing if time shows
   * nothing.
   */
  watch(context: Context.Context<never>, run: (effect: Effect.Effect<void>) => void): SharedTimer.Alarm | undefined {
    const { breaker } = this.parts.options
    const { circuit, retry: { resetOn } } = this.parts.policy
    if (typeof resetOn === "object") {
      return SharedTimer.after(context, resetOn.stableFor, () => run(this.confirmStable()))
    }
    if (circuit === "none") return undefined
    // The connect was the probe's success. Where more are asked for, a link that stays up has no way to give them,
    // and its drop in a week would count as a failed probe: one that outlives the breaker's rest has shown enough.
    return SharedTimer.after(context, circuit.openDuration, () => {
      if (this.isStable) run(breaker.recordStable)
    })
  }
}
