/**
 * An effect that has a deadline.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"

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
        const fork = Effect.runForkWith(context)
        const work = fork(self)
        if (work.pollUnsafe() !== undefined) return resume(Fiber.join(work))
        const timer = fork(Effect.sleep(duration))
        work.addObserver((exit) => {
          timer.interruptUnsafe()
          resume(exit)
        })
        timer.addObserver((exit) => {
          if (Exit.isSuccess(exit)) {
            resume(Effect.andThen(Fiber.interrupt(work), Effect.suspend(() => Effect.fail(late()))))
          }
        })
        return Effect.suspend(() => {
          timer.interruptUnsafe()
          return Fiber.interrupt(work)
        })
      })
    )
