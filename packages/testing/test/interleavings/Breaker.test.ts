/** A breaker asked by many at once, under many interleavings. */
import { assert } from "@effect/vitest"
import type * as Circuit from "@tickline/core/resilience/Circuit"
import * as CircuitBreaker from "@tickline/core/resilience/CircuitBreaker"
import * as Probe from "@tickline/testing/Probe"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import { PreventSchedulerYield } from "effect/Scheduler"
import { actors, pause, underSeeds } from "./Seeds.ts"

const policy: Circuit.Policy = {
  failureThreshold: 2,
  window: undefined,
  openDuration: Duration.millis(20),
  openFactor: 1,
  openCap: Duration.millis(20),
  halfOpen: { successThreshold: 2 }
}

const program = Probe.scoped(Effect.gen(function*() {
  const breakers = yield* CircuitBreaker.CircuitBreaker
  const breaker = yield* breakers.get("ws://venue.test")
  const passed: Array<string> = []
  yield* breaker.observe(({ from, to }) => passed.push(`${from} ${to}`))
  let probes = 0
  // An attempt fails, succeeds or is given up, by chance; as a probe it is alone.
  const attempt = Effect.scoped(Effect.gen(function*() {
    // The state that it was admitted in: nobody comes in between.
    const [permit, { _tag }] = yield* Effect.all([breaker.awaitPermit, breaker.state]).pipe(
      Effect.provideService(PreventSchedulerYield, true)
    )
    const isProbe = _tag === "HalfOpen"
    if (isProbe) assert.strictEqual(++probes, 1, "probes at a time")
    yield* Effect.ensuring(pause, Effect.sync(() => isProbe && probes--))
    const fate = yield* Random.nextIntBetween(0, 2)
    if (fate === 0) yield* permit.fail("by chance")
    if (fate === 1) yield* permit.succeed
  }))
  const patient = [attempt, attempt, attempt]
  const impatient = Effect.timeoutOption(attempt, 15).pipe(Effect.asVoid)
  yield* Probe.within(actors(patient, patient, patient, patient))
  assert.strictEqual(probes, 0)
  yield* Probe.within(actors([impatient, impatient], [impatient, attempt]).pipe(Effect.ignore))

  // Each state follows from the one before.
  let state = "Closed"
  for (const each of passed) {
    const [from = "", to = ""] = each.split(" ")
    assert.strictEqual(from, state, passed.join(", "))
    state = to
  }
  assert.strictEqual((yield* breaker.state)._tag, state)
})).pipe(Effect.provide(CircuitBreaker.layer(policy)))

underSeeds("A breaker admits all who wait, and probes one by one", program)
