import { assert, describe, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import * as AdaptiveBackoff from "../src/resilience/internal/adaptiveBackoff.ts"
import * as Backoff from "../src/resilience/internal/backoff.ts"

const seeds = Array.from({ length: 100 }, (_, i) => `backoff-${i}`)

/** Runs a check for each seed; a failing one names its seed. */
const forSeeds = (check: Effect.Effect<void>) =>
  Effect.forEach(
    seeds,
    (seed) =>
      Effect.catchDefect(Random.withSeed(check, seed), (defect) =>
        Effect.die(new Error(`seed ${seed}`, { cause: defect }))),
    { discard: true }
  )

const options = Effect.gen(function*() {
  const base = yield* Random.nextIntBetween(1, 5000)
  const cap = base + (yield* Random.nextIntBetween(0, 120_000))
  const factor = 1 + (yield* Random.nextIntBetween(0, 40)) / 10
  const jitter = yield* Random.choice(["none", "full", "equal"] as const)
  return { base: Duration.millis(base), cap: Duration.millis(cap), factor, jitter } satisfies Backoff.Options
})

const anyFailure: Effect.Effect<AdaptiveBackoff.Failure> = Effect.gen(function*() {
  const kind = yield* Random.choice(["Refused", "TimedOut", "Unreachable", "NotResolved", "Dropped"] as const)
  return { kind, uptimeMillis: kind === "Dropped" ? yield* Random.nextIntBetween(0, 20_000) : undefined }
})

const refused: AdaptiveBackoff.Failure = { kind: "Refused", uptimeMillis: undefined }

describe("Backoff, over random options and seeds", () => {
  it.effect("is min(base × factor^(n - 1), cap), grows to the cap, and jitter stays within its bounds", () =>
    forSeeds(Effect.gen(function*() {
      const given = yield* options
      const step = yield* Schedule.toStep(Backoff.schedule(given))
      const [base, cap] = [Duration.toMillis(given.base), Duration.toMillis(given.cap)]
      let before = 0
      for (let n = 1; n <= 40; n++) {
        const [output, delay] = yield* Effect.orDie(step(n, refused))
        const nominal = Duration.toMillis(output)
        const waited = Duration.toMillis(delay)
        // A Duration holds whole nanoseconds.
        assert.approximately(nominal, Math.min(base * given.factor ** (n - 1), cap), 1e-5)
        assert.isAtLeast(nominal, before)
        assert.isAtMost(waited, nominal)
        assert.isAtLeast(waited, given.jitter === "none" ? nominal : given.jitter === "equal" ? nominal / 2 : 0)
        before = nominal
      }
    })))

  it.effect("adaptive: between base and cap, ≥ 1.8 while rapid, ≥ 0.8 cap while persistent, never more after a recovery", () =>
    forSeeds(Effect.gen(function*() {
      const given = {
        ...yield* options,
        adaptive: {
          rapidFactor: 1.8 + (yield* Random.nextIntBetween(0, 20)) / 10,
          rapidWindow: Duration.millis(yield* Random.nextIntBetween(1, 10_000)),
          recoverFactor: (yield* Random.nextIntBetween(1, 10)) / 10
        }
      }
      const [base, cap] = [Duration.toMillis(given.base), Duration.toMillis(given.cap)]
      let state = AdaptiveBackoff.initial
      let now = 0
      for (let n = 0; n < 60; n++) {
        const failure = yield* anyFailure
        now += state.delayMillis + (failure.uptimeMillis ?? (yield* Random.nextIntBetween(0, 12_000)))
        const next = AdaptiveBackoff.adapt(given, state, failure, now)
        assert.isAtLeast(next.delayMillis, base)
        assert.isAtMost(next.delayMillis, cap)
        switch (next.pattern) {
          case "rapid_consecutive":
            assert.isAtLeast(next.delayMillis, Math.min(cap, state.delayMillis * 1.8))
            break
          case "persistent_failure":
            assert.isAtLeast(next.delayMillis, Math.max(0.8 * cap, state.delayMillis))
            break
          case "intermittent_recovery":
            assert.isAtMost(next.delayMillis, state.delayMillis)
            break
        }
        state = next
      }
    })))
})
