/**
 * What is told to any number of readers from where no effect can run.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as PubSub from "effect/PubSub"

/**
 * Publishes to a sliding hub at once: a reader that is behind by the hub's
 * capacity loses the oldest. `PubSub.publishUnsafe` alone would leave the new
 * one out there, for all readers.
 *
 * @category combinators
 * @since 0.1.0
 */
export const publishUnsafe = <A>(sliding: PubSub.PubSub<A>, value: A): void => {
  // A sliding hub never lets anybody wait.
  if (!PubSub.publishUnsafe(sliding, value)) Effect.runSync(PubSub.publish(sliding, value))
}
