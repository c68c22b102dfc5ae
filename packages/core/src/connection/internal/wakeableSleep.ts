/**
 * A sleep that can be cut short.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"

/**
 * What can cut a sleep short, or another wait: `wake` ends it, or the next one where nobody
 * sleeps, so that none is missed. One at a time.
 *
 * @category models
 * @since 0.1.0
 */
export interface WakeableSleep {
  readonly sleep: (until: Effect.Effect<void>) => Effect.Effect<void>
  readonly wake: () => void
}

/**
 * Makes a sleep that can be cut short.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (): WakeableSleep => {
  let resume: ((effect: Effect.Effect<void>) => void) | undefined
  let isWoken = false
  const woken = Effect.callback<void>((callback) => {
    if (isWoken) {
      isWoken = false
      return callback(Effect.void)
    }
    resume = callback
    return Effect.sync(() => {
      resume = undefined
    })
  })
  return {
    sleep: (until) => Effect.raceFirst(woken, until),
    wake: () => {
      const callback = resume
      resume = undefined
      isWoken = callback === undefined
      callback?.(Effect.void)
    }
  }
}
