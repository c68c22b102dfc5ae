import { assert, it } from "@effect/vitest"
import { mostWithin } from "@tickline/testing/Enforcement"
import * as FaultPlan from "@tickline/testing/FaultPlan"
import * as Simulation from "@tickline/testing/Simulation"
import * as Effect from "effect/Effect"
import * as Harbour from "./Harbour.ts"
import * as MockHarbour from "./MockHarbour.ts"

it.effect("lives through an hour of trouble, within its limits", () =>
  Effect.gen(function*() {
    const report = yield* Simulation.run({
      seed: 7,
      venue: { client: Harbour.venue, server: MockHarbour.make() },
      lasts: "1 hour",
      latency: 40,
      faults: FaultPlan.random({ seed: 7, within: "50 minutes" })
    })
    assert.deepStrictEqual(report.violations, [])
    assert.isTrue(report.accounts.every(Simulation.isBalanced))
    assert.isAbove(report.drops, 3)
    for (const { connection } of report.heard) {
      const times = report.heard.filter((heard) => heard.connection === connection).map(({ at }) => at)
      assert.isAtMost(mostWithin(times, 1_000), 10)
    }
  }))
