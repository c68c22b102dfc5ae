import { assert, describe, it } from "@effect/vitest"
import * as Presets from "@tickline/core/resilience/Presets"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import * as TestClock from "effect/testing/TestClock"
import * as AdaptiveBackoff from "../src/resilience/internal/adaptiveBackoff.ts"
import * as Backoff from "../src/resilience/internal/backoff.ts"

const refused: AdaptiveBackoff.Failure = { kind: "Refused", uptimeMillis: undefined }
const timedOut: AdaptiveBackoff.Failure = { kind: "TimedOut", uptimeMillis: undefined }
const dropped = (uptimeMillis: number): AdaptiveBackoff.Failure => ({ kind: "Dropped", uptimeMillis })

const delays = Effect.fnUntraced(function*(options: Backoff.Options, count: number) {
  const step = yield* Schedule.toStep(Backoff.schedule(options))
  const found: Array<number> = []
  for (let i = 0; i < count; i++) {
    const [, delay] = yield* Effect.orDie(step(0, refused))
    found.push(Duration.toMillis(delay))
  }
  return found
})

// NZ test 15: base 100 ms, cap 10 s.
const adaptive = {
  base: Duration.millis(100),
  factor: 1.5,
  cap: Duration.seconds(10),
  jitter: "none",
  adaptive: { rapidFactor: 2, rapidWindow: Duration.seconds(5), recoverFactor: 0.5 }
} as const satisfies Backoff.Options

/** Reports each failure as soon as the wait after the one before is over. */
const walk = Effect.fnUntraced(function*(stepper: Backoff.Stepper, failures: ReadonlyArray<AdaptiveBackoff.Failure>) {
  const found: Array<Backoff.Step> = []
  for (const failure of failures) {
    const step = yield* stepper.next(failure)
    found.push(step)
    yield* TestClock.adjust(step.delayMillis)
  }
  return found
})

describe("Backoff", () => {
  const sequences: ReadonlyArray<readonly [Presets.PresetName, ReadonlyArray<number>]> = [
    ["fast", [100, 200, 400, 800, 800, 800]],
    ["standard", [1000, 2000, 4000, 8000, 8000, 8000]],
    ["patient", [1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000]],
    ["supervised", [1000, 2000, 4000, 8000, 16000, 30000, 30000]],
    ["market-feed", [1000, 2000, 4000, 8000, 16000, 32000, 60000, 60000]],
    ["test", [10, 20, 40, 80, 100, 100]]
  ]
  for (const [name, expected] of sequences) {
    it.effect(`preset ${name}: ${expected.join(", ")} ms`, () =>
      Effect.gen(function*() {
        assert.deepStrictEqual(yield* delays(Presets.preset(name).backoff, expected.length), [...expected])
      }))
  }

  it.effect("preset recommended before jitter: 250 ms × 2 ≤ 30 s", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(
        yield* delays({ ...Presets.recommended.backoff, jitter: "none" }, 9),
        [250, 500, 1000, 2000, 4000, 8000, 16000, 30000, 30000]
      )
    }))

  it.effect("a factor of 1 is constant", () =>
    Effect.gen(function*() {
      const options = { ...Presets.fast.backoff, factor: 1 }
      assert.deepStrictEqual(yield* delays(options, 3), [100, 100, 100])
    }))

  it.effect("the cap holds where base × factor^n is more than a number can be", () =>
    Effect.gen(function*() {
      const found = yield* delays({ ...Presets.fast.backoff, factor: 10 }, 400)
      assert.deepStrictEqual(new Set(found.slice(1)), new Set([800]))
    }))

  it.effect("a fresh step starts again at the base, an old one goes on", () =>
    Effect.gen(function*() {
      const schedule = Backoff.schedule(Presets.fast.backoff)
      const first = yield* Schedule.toStep(schedule)
      yield* Effect.orDie(first(0, refused))
      const second = yield* Schedule.toStep(schedule)
      const [again] = yield* Effect.orDie(second(0, refused))
      const [on] = yield* Effect.orDie(first(0, refused))
      assert.deepStrictEqual([Duration.toMillis(again), Duration.toMillis(on)], [100, 200])
    }))

  it.effect("retries an effect at exactly the times of its delays", () =>
    Effect.gen(function*() {
      const at: Array<number> = []
      yield* Clock.currentTimeMillis.pipe(
        Effect.flatMap((now) => {
          at.push(now)
          return Effect.fail(refused)
        }),
        Effect.retry(Backoff.schedule(Presets.fast.backoff).pipe(Schedule.upTo({ times: 5 }))),
        Effect.ignore,
        Effect.forkChild({ startImmediately: true })
      )
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(at, [0, 100, 300, 700, 1500, 2300])
    }))

  it.effect("a stepper starts again at the base after a reset", () =>
    Effect.gen(function*() {
      const stepper = yield* Backoff.make(Presets.fast.backoff)
      const next = Effect.map(stepper.next(refused), ({ delayMillis }) => delayMillis)
      assert.deepStrictEqual([yield* next, yield* next, yield* next], [100, 200, 400])
      yield* stepper.reset
      assert.deepStrictEqual([yield* next, yield* next], [100, 200])
    }))

  for (const [jitter, least, many] of [["full", 0, 101], ["equal", 50, 51], ["none", 100, 1]] as const) {
    it.effect(`the output is the delay before jitter, which is from ${least} on where it is ${jitter}`, () =>
      Effect.gen(function*() {
        const options: Backoff.Options = { ...Presets.fast.backoff, factor: 1, jitter }
        const step = yield* Schedule.toStep(Backoff.schedule(options))
        const seen = new Set<number>()
        for (let i = 0; i < 2000; i++) {
          const [output, delay] = yield* Effect.orDie(step(0, refused))
          assert.strictEqual(Duration.toMillis(output), 100)
          seen.add(Duration.toMillis(delay))
        }
        assert.strictEqual(Math.min(...seen), least)
        assert.strictEqual(Math.max(...seen), 100)
        assert.strictEqual(seen.size, many)
      }).pipe(Random.withSeed("jitter")))
  }

  it("remembers nothing at first", () => {
    assert.deepStrictEqual(AdaptiveBackoff.initial, {
      delayMillis: 0,
      failedAt: undefined,
      unanswered: 0,
      brief: false,
      reset: false,
      pattern: undefined
    })
  })

  it.effect("the same seed gives the same delays, another others", () =>
    Effect.gen(function*() {
      const run = (seed: string) => Random.withSeed(delays(Presets.recommended.backoff, 8), seed)
      assert.deepStrictEqual(yield* run("a"), yield* run("a"))
      assert.notDeepEqual(yield* run("a"), yield* run("b"))
    }))

  describe("adaptive", () => {
    it.effect("rapid failures grow by at least 1.8", () =>
      Effect.gen(function*() {
        const stepper = yield* Backoff.make(adaptive)
        const found = yield* walk(stepper, [refused, refused, refused, refused])
        assert.deepStrictEqual(found.map(({ delayMillis }) => delayMillis), [100, 200, 400, 800])
        assert.deepStrictEqual(found.map(({ pattern }) => pattern), [
          undefined,
          "rapid_consecutive",
          "rapid_consecutive",
          "rapid_consecutive"
        ])
      }))

    it.effect("failures far apart grow by the plain factor", () =>
      Effect.gen(function*() {
        const stepper = yield* Backoff.make(adaptive)
        yield* walk(stepper, [refused])
        yield* TestClock.adjust(5001)
        assert.deepStrictEqual(yield* stepper.next(refused), { delayMillis: 150 })
      }))

    it.effect("three unanswered attempts in a row approach the cap; an answer between does not count", () =>
      Effect.gen(function*() {
        const stepper = yield* Backoff.make(adaptive)
        const found = yield* walk(stepper, [timedOut, timedOut, refused, timedOut, timedOut, timedOut, timedOut])
        assert.deepStrictEqual(found.map(({ delayMillis }) => delayMillis), [100, 200, 400, 800, 1600, 8000, 10000])
        assert.deepStrictEqual(found.slice(-3).map(({ pattern }) => pattern), [
          "rapid_consecutive",
          "persistent_failure",
          "persistent_failure"
        ])
      }))

    it.effect("a connection that came and went moderates the last delay, down to the base, once", () =>
      Effect.gen(function*() {
        const stepper = yield* Backoff.make(adaptive)
        yield* walk(stepper, [refused, refused, refused, refused])
        yield* stepper.reset
        const found = yield* walk(stepper, [dropped(4999), dropped(0), dropped(0)])
        assert.deepStrictEqual(found, [
          { delayMillis: 400, pattern: "intermittent_recovery" },
          { delayMillis: 800, pattern: "rapid_consecutive" },
          { delayMillis: 1600, pattern: "rapid_consecutive" }
        ])
        const low = yield* Backoff.make(adaptive)
        assert.deepStrictEqual(yield* walk(low, [refused, dropped(1)]), [
          { delayMillis: 100 },
          { delayMillis: 100, pattern: "intermittent_recovery" }
        ])
      }))

    it.effect("a connection that lived long starts again at the base", () =>
      Effect.gen(function*() {
        const stepper = yield* Backoff.make(adaptive)
        assert.deepStrictEqual(
          (yield* walk(stepper, [refused, refused, dropped(5000), refused])).map(({ delayMillis }) => delayMillis),
          [100, 200, 100, 200]
        )
      }))

    it.effect("after a reset an attempt that fails starts again at the base", () =>
      Effect.gen(function*() {
        const stepper = yield* Backoff.make(adaptive)
        yield* walk(stepper, [timedOut, timedOut, timedOut])
        yield* stepper.reset
        const found = yield* walk(stepper, [timedOut, timedOut, timedOut])
        assert.deepStrictEqual(found.map(({ delayMillis }) => delayMillis), [100, 200, 8000])
      }))

    it.effect("what it remembers can start another schedule", () =>
      Effect.gen(function*() {
        const state = AdaptiveBackoff.adapt(
          adaptive,
          AdaptiveBackoff.adapt(adaptive, AdaptiveBackoff.initial, refused, 0),
          refused,
          100
        )
        const step = yield* Schedule.toStep(Backoff.schedule(adaptive, state))
        const [, delay] = yield* Effect.orDie(step(300, refused))
        assert.strictEqual(Duration.toMillis(delay), 400)
      }))
  })
})
