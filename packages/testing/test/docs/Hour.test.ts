import { assert, it } from "@effect/vitest"
import * as FaultPlan from "@tickline/testing/FaultPlan"
import * as Simulation from "@tickline/testing/Simulation"
import * as Effect from "effect/Effect"

it.effect("accounts for every message of an hour of trouble", () =>
  Effect.gen(function*() {
    const report = yield* Simulation.run({
      seed: 7,
      lasts: "1 hour",
      latency: { min: 5, max: 50 },
      faults: FaultPlan.random({ seed: 7, within: "50 minutes" })
    })
    assert.deepStrictEqual(report.violations, [])
    assert.isTrue(report.accounts.every(Simulation.isBalanced))
    assert.isAbove(report.drops, 0)
  }))
