/**
 * The seeds under which our own machinery is run: 1 to 1000 in the suite, others with
 *
 *     TICKLINE_SEEDS=1001..20000 npx -y pnpm@12 test interleavings
 *
 * and one alone, as a failure names it, with TICKLINE_SEEDS=17..17.
 */
import { it } from "@effect/vitest"
import * as SeededScheduler from "@tickline/testing/SeededScheduler"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"

const [first = 1, last = 1_000] = (process.env["TICKLINE_SEEDS"] ?? "1..1000").split("..").map(Number)

/** A test of a program under each of the seeds. */
export const underSeeds = <A, E>(name: string, program: Effect.Effect<A, E, Scope.Scope>) =>
  it.effect(
    `${name}: seeds ${first} to ${last}`,
    () => SeededScheduler.check(program, { seeds: [first, last] }),
    600_000
  )

export const url = "ws://venue.test/feed"

/** So many milliseconds, 0 to 40, of which many fall together. */
export const pause = Effect.flatMap(Random.nextIntBetween(0, 9), (times) => Effect.sleep(times * 5))

/** Does the steps of each actor in order, each after a pause, all actors at once. */
export const actors = <E, R>(
  ...scripts: ReadonlyArray<ReadonlyArray<Effect.Effect<unknown, E, R>>>
): Effect.Effect<void, E, R> =>
  Effect.forEach(
    scripts,
    (script) => Effect.forEach(script, (step) => Effect.andThen(pause, step), { discard: true }),
    { concurrency: "unbounded", discard: true }
  )
