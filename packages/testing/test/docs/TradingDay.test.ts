import { assert, it } from "@effect/vitest"
import * as TradingSimulation from "@tickline/testing/TradingSimulation"
import * as Effect from "effect/Effect"

it.live("is worth what its accounts are, after an hour of trouble", () =>
  Effect.gen(function*() {
    const report = yield* TradingSimulation.run({ seed: 7, lasts: "1 hour", traders: 2 })
    assert.deepStrictEqual(report.violations, [])
    assert.isAbove(report.fills, 0)
    assert.isAbove(report.comparisons, 0)
  }), 60_000)
