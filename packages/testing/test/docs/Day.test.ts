import { assert, it } from "@effect/vitest"
import * as ExchangeSimulation from "@tickline/testing/ExchangeSimulation"
import * as Effect from "effect/Effect"

it.effect("holds what the exchange has, after six hours of trouble", () =>
  Effect.gen(function*() {
    const report = yield* ExchangeSimulation.run({ seed: 7, lasts: "6 hours" })
    assert.deepStrictEqual(report.violations, [])
    assert.isAbove(report.outcomes.OutcomeUnknown, 0)
    assert.isAbove(report.fills, 0)
  }))
