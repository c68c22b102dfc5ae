import { assert, it } from "@effect/vitest"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as AdaptiveBackoff from "../src/resilience/internal/adaptiveBackoff.ts"
import * as Backoff from "../src/resilience/internal/backoff.ts"

it("adaptive: a failure is rapid up to and with the window, counted from the end of the delay before it", () => {
  const options = {
    base: Duration.millis(100),
    factor: 3,
    cap: Duration.minutes(10),
    jitter: "none",
    adaptive: { rapidFactor: 2, rapidWindow: Duration.seconds(5), recoverFactor: 0.5 }
  } as const
  const before: AdaptiveBackoff.Adaptive = { ...AdaptiveBackoff.initial, delayMillis: 1000, failedAt: 0 }
  const next = (failure: AdaptiveBackoff.Failure, now: number, state = before) => {
    const { delayMillis, pattern } = AdaptiveBackoff.adapt(options, state, failure, now)
    return [delayMillis, pattern]
  }
  const refused: AdaptiveBackoff.Failure = { kind: "Refused", uptimeMillis: undefined }
  assert.deepStrictEqual(next(refused, 6000), [2000, "rapid_consecutive"])
  assert.deepStrictEqual(next(refused, 6001), [3000, undefined])
  assert.deepStrictEqual(next(refused, 1000), [2000, "rapid_consecutive"])
  // A connection that came and went within the window is a recovery the first time; one that lived as long is none.
  const dropped = (uptimeMillis: number): AdaptiveBackoff.Failure => ({ kind: "Dropped", uptimeMillis })
  assert.deepStrictEqual(next(dropped(4999), 9000), [500, "intermittent_recovery"])
  assert.deepStrictEqual(next(dropped(5000), 9000), [100, undefined])
  assert.deepStrictEqual(next(dropped(4999), 9000, { ...before, brief: true }), [2000, "rapid_consecutive"])
})

it.effect("a delay between whose bounds is no choice of a millisecond is waited as it is", () =>
  Effect.gen(function*() {
    for (const [jitter, millis] of [["equal", 1.5], ["full", 0.5], ["equal", 1]] as const) {
      const delay = Duration.millis(millis)
      const step = yield* Schedule.toStep(Backoff.schedule({ base: delay, factor: 1, cap: delay, jitter }))
      const [, waited] = yield* Effect.orDie(step(0, { kind: "Refused", uptimeMillis: undefined }))
      assert.strictEqual(Duration.toMillis(waited), millis)
    }
  }))
