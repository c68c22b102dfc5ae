/** One order for everything that happens on a network, on Effect's clock. */
import * as Monotonic from "@tickline/core/value/Monotonic"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"

/** `schedule` runs a callback after so many milliseconds; of what is due together the first scheduled runs first. */
export interface Timeline {
  readonly now: () => number
  readonly schedule: (afterMillis: number, run: () => void) => void
}

interface Due {
  readonly at: number
  readonly run: () => void
}

/** Makes a timeline. With the scope's end nothing of it is due any more. */
export const make = Effect.gen(function*(): Effect.fn.Return<Timeline, never, Scope.Scope> {
  const clock = yield* Clock.Clock
  const context = yield* Effect.context()
  const scope = yield* Effect.scope
  const now = (): number => Monotonic.nowMillis(clock)

  // Latest first, so that what is due next is at the end; of what is due together the first scheduled is nearer to it.
  const timeline: Array<Due> = []
  const sleepers = new Set<Fiber.Fiber<void>>()
  // When sleepers wake. One that wakes to find nothing due goes back to sleep, or ends where another sleeps for less.
  const wakes = new Set<number>()
  let isFiring = false

  // The time for which somebody has to be put to sleep, where nobody yet sleeps that long or less.
  const claim = (): number | undefined => {
    const due = timeline.at(-1)
    if (due === undefined) return undefined
    for (const at of wakes) if (at <= due.at) return undefined
    wakes.add(due.at)
    return due.at
  }

  const fire = (): void => {
    isFiring = true
    for (let due = timeline.at(-1); due !== undefined && due.at <= now(); due = timeline.at(-1)) {
      timeline.pop()
      due.run()
    }
    isFiring = false
  }

  const sleeper = (at: number): Effect.Effect<void> =>
    Effect.flatMap(Effect.sleep(at - now()), () => {
      wakes.delete(at)
      fire()
      const next = claim()
      return next === undefined ? Effect.void : sleeper(next)
    })

  const schedule = (afterMillis: number, run: () => void): void => {
    const at = now() + afterMillis
    let low = 0
    let high = timeline.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (timeline[middle]!.at > at) low = middle + 1
      else high = middle
    }
    timeline.splice(low, 0, { at, run })
    if (isFiring) return
    const wake = claim()
    if (wake === undefined) return
    const fiber = Effect.runForkWith(context)(sleeper(wake))
    sleepers.add(fiber)
    fiber.addObserver(() => sleepers.delete(fiber))
  }

  yield* Scope.addFinalizer(scope, Effect.suspend(() => Fiber.interruptAll(sleepers)))

  return { now, schedule }
})
