/**
 * What of one epoch the venue does not answer within the policy's
 * `acknowledgementTimeout`: it is refused, or, where nothing at all is answered,
 * the restore has failed.
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { RestoreFailed } from "../ConnectError.ts"
import type { Parts } from "./connectionParts.ts"

/**
 * The epoch whose answers are waited for.
 *
 * - `refused`: some were refused, which is to be told
 * - `failed`: nothing is answered, which ends it
 *
 * @category models
 * @since 0.1.0
 */
export interface WatchedEpoch {
  readonly number: number
  readonly isOver: () => boolean
  readonly refused: () => Effect.Effect<void>
  readonly failed: (failure: RestoreFailed) => Effect.Effect<void>
}

/**
 * The subscriptions of one epoch whose answers have a deadline.
 *
 * @category models
 * @since 0.1.0
 */
export class UnansweredSubscriptions<A> {
  private readonly parts: Parts<A>
  private readonly epoch: WatchedEpoch
  private readonly millis: number
  private isWatching = false

  constructor(parts: Parts<A>, epoch: WatchedEpoch) {
    this.parts = parts
    this.epoch = epoch
    this.millis = Duration.toMillis(parts.policy.acknowledgementTimeout)
  }

  /** Waits until all is answered or refused; at once if another one does. */
  watch(): Effect.Effect<void> {
    return Effect.suspend(() => {
      if (this.isWatching) return Effect.void
      this.isWatching = true
      return Effect.ensuring(
        this.next(),
        Effect.sync(() => {
          this.isWatching = false
        })
      )
    })
  }

  private next(): Effect.Effect<void> {
    return Effect.suspend(() => {
      const { epoch, millis } = this
      const { options: { inbox, subscriptions }, states } = this.parts
      const since = subscriptions.waitingSince()
      if (since === undefined || epoch.isOver()) return Effect.void
      const wait = since + millis - states.now()
      if (wait > 0) return Effect.andThen(Effect.sleep(wait), this.next())
      const channel = subscriptions.expire(states.now(), millis)
      inbox.wake()
      if (channel === undefined) return Effect.andThen(epoch.refused(), this.next())
      const detail = `no answer to the subscription of ${channel.channel}${
        channel.product === undefined ? "" : ` of ${channel.product}`
      } within ${millis} ms`
      return epoch.failed(new RestoreFailed({ epoch: epoch.number, detail }))
    })
  }
}
