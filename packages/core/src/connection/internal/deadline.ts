/**
 * An effect that has a deadline.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as SharedTimer from "../../value/internal/sharedTimer.ts"

/**
 * `Effect.timeoutOrElse` with a failure, for what is done thousands of times at
 * once, such as the dials after an outage: nobody waits for the end of the timer
 * that was not needed. What is late has ended before it is said to be.
 *
 * @category combinators
 * @since 0.1.0
 */
export const within =
  <E2>(duration: Duration.Duration, late: () => E2) =>
  <A, E, R>(self: Effect.Effect<A, E, R>): Effect.Effect<A, E | E2, R> =>
    Effect.contextWith((context) =>
      Effect.callback<A, E | E2>((resume) => {
        const work = Effect.runForkWith(context)(self)
        if (work.pollUnsafe() !== undefined) return resume(Fiber.join(work))
        const alarm = SharedTimer.after(context, duration, () => {
          resume(Effect.andThen(Fiber.interrupt(work), Effect.suspend(() => Effect.fail(late()))))
        })
        work.addObserver((exit) => {
          alarm.cancel()
          resume(exit)
        })
        return Effect.suspend(() => {
          alarm.cancel()
          return Fiber.interrupt(work)
        })
      })
    )
