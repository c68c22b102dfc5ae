/** How well a trader does, figure by figure, and against the whole curve at once. */
import { assert, describe, it } from "@effect/vitest"
import * as Performance from "@tickline/core/strategy/Performance"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Arbitrary from "effect/Arbitrary"
import * as BigDecimal from "effect/BigDecimal"
import * as Schema from "effect/Schema"

const decimal = (text: string): Decimal.Decimal => Decimal.parse(text) ?? assert.fail(`no decimal: ${text}`)
const day = 86_400_000
const monday = Math.floor(1_750_000_000_000 / day) * day

const after = (first: string, ...points: ReadonlyArray<readonly [total: string, at: number, isExposed?: boolean]>) =>
  points.reduce(
    (self, [total, at, isExposed = false]) => Performance.equity(self, decimal(total), monday + at, isExposed),
    Performance.start(decimal(first), monday)
  )

describe("a performance", () => {
  it("of nothing has no figures that cannot be told", () => {
    assert.deepStrictEqual(Performance.summary(Performance.start(decimal("100"), monday)), {
      return: 0,
      drawdown: 0,
      drawdownNow: 0,
      trades: 0,
      wins: 0,
      losses: 0,
      exposure: 0,
      volume: Decimal.zero
    })
  })

  it("returns what was gained of the first total, and falls from its peak", () => {
    const { drawdown, drawdownNow, return: gained } = Performance.summary(
      after("100", ["150", 1], ["90", 2], ["200", 3], ["180", 4], ["190", 5])
    )
    assert.approximately(gained, 0.9, 1e-12)
    assert.approximately(drawdown, 0.4, 1e-12)
    assert.approximately(drawdownNow, 0.05, 1e-12)
    assert.approximately(Performance.summary(after("100", ["80", 1])).drawdown, 0.2, 1e-12)
  })

  it("counts wins and losses after fees, and what they came to", () => {
    let self = Performance.start(decimal("100"), monday)
    for (const profit of ["3", "-1", "0", "0.5", "-0.75"]) self = Performance.trade(self, decimal(profit))
    const { averageLoss, averageWin, hitRate, losses, profitFactor, trades, wins } = Performance.summary(self)
    assert.deepStrictEqual([trades, wins, losses, hitRate, averageWin, averageLoss, profitFactor], [
      5,
      2,
      2,
      0.4,
      1.75,
      0.875,
      2
    ])
    const onlyLost = Performance.summary(Performance.trade(Performance.start(decimal("1"), 0), decimal("-1")))
    assert.deepStrictEqual([onlyLost.hitRate, onlyLost.averageWin, onlyLost.profitFactor], [0, undefined, 0])
    const onlyWon = Performance.summary(Performance.trade(Performance.start(decimal("1"), 0), decimal("1")))
    assert.deepStrictEqual([onlyWon.hitRate, onlyWon.averageLoss, onlyWon.profitFactor], [1, undefined, undefined])
  })

  it("is exposed while there is a position", () => {
    const self = after("100", ["100", 10, true], ["101", 30, true], ["101", 40, false], ["101", 100, true])
    assert.approximately(Performance.summary(self).exposure, 0.3, 1e-12)
  })

  it("sums what was traded exactly", () => {
    const self = ["0.1", "0.2", "99999999999999999999"].reduce(
      (self, value) => Performance.fill(self, decimal(value)),
      Performance.start(decimal("1"), 0)
    )
    assert.strictEqual(Decimal.format(Performance.summary(self).volume), "99999999999999999999.3")
  })

  it("has a Sharpe ratio of its daily returns × √365", () => {
    // 1 %, 2 %, then nothing on Wednesday, then −1 %.
    const self = after("100", ["105", day / 2], ["101", day - 1], ["103.02", day * 1.5], ["101.9898", day * 3.5])
    const returns = [0.01, 0.02, 0, -0.01]
    const mean = 0.005
    const deviation = Math.sqrt(returns.reduce((sum, value) => sum + (value - mean) ** 2, 0) / 3)
    assert.approximately(Performance.summary(self).sharpe ?? NaN, mean / deviation * Math.sqrt(365), 1e-9)
  })

  it("has none under two days, or if all returns are the same", () => {
    const sharpe = (...points: Parameters<typeof after>) => Performance.summary(after(...points)).sharpe
    assert.strictEqual(sharpe("100", ["101", 1], ["102", day * 2 - 1]), undefined)
    assert.isDefined(sharpe("100", ["101", 1], ["105", day * 2]))
    assert.strictEqual(sharpe("100", ["100", day * 5]), undefined)
    const evening = Performance.start(decimal("100"), monday + day - 1000)
    const night = Performance.equity(evening, decimal("110"), monday + day + 1000, true)
    assert.strictEqual(Performance.summary(night).sharpe, undefined)
  })

  it("does not go back in time", () => {
    const self = after("100", ["100", 3000, true], ["101", 1000, true], ["102", 4000, false])
    assert.approximately(Performance.summary(self).exposure, 0.25, 1e-12)
  })

  it("of a trader that is ruined has figures all the same", () => {
    const { drawdown, return: gained } = Performance.summary(
      after("100", ["-50", day], ["10", day * 2], ["5", day * 3])
    )
    assert.strictEqual(drawdown, 1.5)
    assert.strictEqual(gained, -0.95)
  })

  const below = (count: number) => Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: count - 1 }))

  it.prop(
    "is what the whole curve comes to, looked at at once",
    [Arbitrary.array(
      Arbitrary.schema(Schema.Struct({ total: below(100_000), wait: below(150), isExposed: Schema.Boolean })),
      { minLength: 1, maxLength: 80 }
    )],
    ([points]) => {
      const curve = [{ total: 500, at: monday + day / 3, isExposed: false }]
      for (const { isExposed, total, wait } of points) {
        curve.push({ total: total / 100 + 1, at: (curve.at(-1)?.at ?? 0) + wait * 3_600_000, isExposed })
      }
      let self = Performance.start(decimal("500"), curve[0]?.at ?? 0)
      for (const { at, isExposed, total } of curve.slice(1)) {
        self = Performance.equity(self, BigDecimal.make(BigInt(Math.round(total * 100)), 2), at, isExposed)
      }
      const { drawdown, exposure, sharpe } = Performance.summary(self)
      let [peak, deepest, exposed] = [0, 0, 0]
      for (const [index, { at, isExposed, total }] of curve.entries()) {
        peak = Math.max(peak, total)
        deepest = Math.max(deepest, (peak - total) / peak)
        if (isExposed) exposed += (curve[index + 1]?.at ?? at) - at
      }
      const [first, last] = [curve[0]?.at ?? 0, curve.at(-1)?.at ?? 0]
      assert.approximately(drawdown, deepest, 1e-12)
      assert.approximately(exposure, last === first ? 0 : exposed / (last - first), 1e-12)
      const returns: Array<number> = []
      let before = 500
      for (let end = monday + day; end - day <= last; end += day) {
        const close = curve.findLast(({ at }) => at < end)?.total ?? before
        returns.push(close / before - 1)
        before = close
      }
      const mean = returns.reduce((sum, value) => sum + value, 0) / returns.length
      const squares = returns.reduce((sum, value) => sum + (value - mean) ** 2, 0)
      if (last - first < 2 * day || squares === 0) assert.strictEqual(sharpe, undefined)
      else {
        const expected = mean / Math.sqrt(squares / (returns.length - 1)) * Math.sqrt(365)
        assert.approximately(sharpe ?? NaN, expected, Math.abs(expected) * 1e-6 + 1e-9)
      }
    },
    { timeout: 30_000, arbitrary: { runs: 300, size: 80, seed: "performance" } }
  )
})
