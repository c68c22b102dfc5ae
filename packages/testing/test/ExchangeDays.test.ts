/** Days at an exchange, each from a seed. To run others: TICKLINE_SEEDS=17..17 npx -y pnpm@12 test ExchangeDays */
import { assert, describe, it } from "@effect/vitest"
import * as ExchangeSimulation from "@tickline/testing/ExchangeSimulation"
import * as Effect from "effect/Effect"

// In every run ten days of two traders of one account; by hand of three.
const asked = process.env["TICKLINE_SEEDS"]
const [first = 1, last = first] = (asked ?? "1..10").split("..").map(Number)
const traders = Number(process.env["TICKLINE_TRADERS"] ?? (asked === undefined ? 2 : 3))

const seeds = Array.from({ length: last - first + 1 }, (_, i) => first + i)

describe("A virtual day of traders at an exchange in trouble", () => {
  for (const seed of seeds) {
    it.live(`seed ${seed}`, () =>
      Effect.gen(function*() {
        const report = yield* ExchangeSimulation.run({ seed, traders, keepLog: false })
        const { comparisons, connections, fills, outcomes, tests, violations } = report
        const replay = `TICKLINE_SEEDS=${seed}..${seed} TICKLINE_TRADERS=${traders} npx -y pnpm@12 test ExchangeDays`
        assert.deepStrictEqual(violations.slice(0, 5), [], replay)
        // The day was neither calm nor quiet.
        assert.isAbove(tests, 2_500 * traders)
        assert.isAbove(connections, 20 * traders)
        assert.isAbove(fills, 50 * traders)
        assert.isAbove(comparisons, 24)
        for (const count of Object.values(outcomes)) assert.isAbove(count, 20)
      }), 120_000)
  }

  it.live("six hours of three traders, two of one account", () =>
    Effect.gen(function*() {
      const { violations } = yield* ExchangeSimulation.run({ seed: 11, lasts: "6 hours", keepLog: false })
      assert.deepStrictEqual(violations, [])
    }), 60_000)

  it.live("the same seed gives the same day, to the byte; another seed gives another", () =>
    Effect.gen(function*() {
      const once = (seed: number) => ExchangeSimulation.run({ seed, lasts: "4 hours", logFrames: true })
      const [one, again, other] = [yield* once(3), yield* once(3), yield* once(4)]
      assert.isAbove(one.log.lines.length, 1_000)
      assert.deepStrictEqual(again.log.lines, one.log.lines)
      assert.strictEqual(again.hash, one.hash)
      assert.notStrictEqual(other.hash, one.hash)
    }), 60_000)
})
