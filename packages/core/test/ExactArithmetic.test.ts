/** Quotients of decimals. */
import { assert, describe, it } from "@effect/vitest"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Exact from "../src/value/internal/exactArithmetic.ts"

const decimal = (text: string): Decimal.Decimal => Decimal.parse(text) ?? assert.fail(`no decimal: ${text}`)

describe("exact arithmetic", () => {
  it("rounds half away from zero", () => {
    for (
      const [above, below, scale, result] of [
        ["1", "3", 4, "0.3333"],
        ["2", "3", 4, "0.6667"],
        ["0.5", "1", 0, "1"],
        ["-0.5", "1", 0, "-1"],
        ["-0.49", "1", 0, "0"],
        ["1", "8e2", 3, "0.001"],
        ["1e5", "0.25", 0, "400000"]
      ] as const
    ) {
      assert.strictEqual(Decimal.format(Exact.divide(decimal(above), decimal(below), scale)), result)
    }
  })
})
