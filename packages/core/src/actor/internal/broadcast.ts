/**
 * Values told to whoever listens.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"

// How far a reader may be behind before it misses the oldest.
const behind = 1_024

/**
 * Tells values to its streams; nothing is kept for those that come later.
 *
 * @category models
 * @since 0.1.0
 */
export class Broadcast<A> {
  private readonly listeners = new Set<(value: A) => void>()

  publish(value: A): void {
    for (const listener of this.listeners) listener(value)
  }

  /** Each value from now on, after what `first` says there is. */
  stream(first: () => ReadonlyArray<A>): Stream.Stream<A> {
    return Stream.callback<A>((queue) =>
      Effect.acquireRelease(
        Effect.sync(() => {
          const listener = (value: A): void => void Queue.offerUnsafe(queue, value)
          first().forEach(listener)
          this.listeners.add(listener)
          return listener
        }),
        (listener) => Effect.sync(() => this.listeners.delete(listener))
      ), { bufferSize: behind, strategy: "sliding" })
  }
}
