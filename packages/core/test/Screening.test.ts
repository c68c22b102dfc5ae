/** How products are judged. */
import { assert, describe, it } from "@effect/vitest"
import * as Indicators from "@tickline/core/strategy/Indicators"
import * as Screening from "@tickline/core/strategy/Screening"
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"

const flat = (count: number, more: Partial<Indicators.Input> = {}): ReadonlyArray<Indicators.Input> =>
  Array.from({ length: count }, () => ({ open: 100, high: 100, low: 100, close: 100, volume: 0, ...more }))
const quote = { bid: 99.9, ask: 100.1 }
const judge = (...args: Parameters<typeof Screening.screen>) => Screening.screen(...args) ?? assert.fail("not judged")

describe("a product", () => {
  it("is not judged before there are 34 candles, or without prices", () => {
    assert.isUndefined(Screening.screen(flat(33), quote))
    assert.isDefined(Screening.screen(flat(34), quote))
    assert.isUndefined(Screening.screen([], quote))
    assert.isUndefined(Screening.screen(flat(34), { bid: 0, ask: 0 }))
    assert.isUndefined(Screening.screen(flat(34, { close: 0, low: 0 }), quote))
  })

  it("is volatile by its range over its last close, 5 % being full", () => {
    const candles = [...flat(17, { high: 101 }), ...flat(17, { low: 99 })]
    assert.approximately(judge(candles, quote).volatility, 0.4, 1e-12)
    assert.strictEqual(judge([...candles, ...flat(1, { high: 110 })], quote).volatility, 1)
    assert.approximately(judge(candles, quote, { range: 0.1 }).volatility, 0.2, 1e-12)
  })

  it("is traded by the mean value of its last five candles, a million being full", () => {
    const candles = [...flat(40, { volume: 1e9 }), ...flat(4, { volume: 1_000 }), ...flat(1, { volume: 6_000 })]
    assert.approximately(judge(candles, quote).volume, 0.2, 1e-12)
    assert.strictEqual(judge(flat(40, { volume: 10_001 }), quote).volume, 1)
  })

  it("is cheap by its spread over its price, 0.5 % being too much", () => {
    assert.approximately(judge(flat(34), quote).spread, 0.6, 1e-9)
    assert.strictEqual(judge(flat(34), { bid: 100, ask: 100 }).spread, 1)
    assert.strictEqual(judge(flat(34), { bid: 99, ask: 101 }).spread, 0)
    // A book that crosses is no better than one without a spread.
    assert.strictEqual(judge(flat(34), { bid: 101, ask: 99 }).spread, 1)
  })

  it("has the momentum of RSI 14 and MACD 12/26/9, up or down", () => {
    assert.strictEqual(judge(flat(40), quote).momentum, 0)
    const [strength, convergence] = [Indicators.rsi(14), Indicators.macd(12, 26, 9)]
    const candles = flat(60).map((candle, index) => ({ ...candle, close: 100 + index % 7 - index / 20 }))
    let expected = NaN
    for (const candle of candles) {
      const [index, histogram] = [strength.update(candle), convergence.update(candle)?.histogram]
      if (index === undefined || histogram === undefined) continue
      expected = (Math.abs(index - 50) / 50 + Math.min(1, Math.abs(histogram) / candle.close / 0.005)) / 2
    }
    assert.approximately(judge(candles, quote).momentum, expected, 1e-12)
    const rising = flat(60).map((candle, index) => ({ ...candle, close: 100 * 1.01 ** (index < 50 ? 0 : index - 49) }))
    const falling = flat(60).map((candle, index) => ({ ...candle, close: 100 * 0.99 ** (index < 50 ? 0 : index - 49) }))
    assert.approximately(judge(rising, quote).momentum, 1, 1e-9)
    assert.approximately(judge(falling, quote).momentum, 1, 1e-9)
  })

  it("is graded by 0.3, 0.3, 0.2 and 0.2 of them", () => {
    const still = { bid: 100, ask: 100 }
    const wide = { bid: 90, ask: 110 }
    const volatile = { high: 105 }
    const traded = { volume: 10_000 }
    const grades = [
      judge(flat(40, { ...volatile, ...traded }), still),
      judge(flat(40, { ...volatile, ...traded }), wide),
      judge(flat(40, traded), still),
      judge(flat(40, traded), wide)
    ]
    assert.deepStrictEqual(grades.map(({ grade }) => grade), ["Best", "Good", "Fair", "Avoid"])
    const found = grades.map(({ overall }) => Math.round(overall * 1e9) / 1e9)
    assert.deepStrictEqual(found, [0.8, 0.6, 0.5, 0.3])
    const moving = flat(60).map((candle, index) => ({ ...candle, close: 100 * 1.01 ** (index < 50 ? 0 : index - 49) }))
    const { momentum, overall } = judge(moving, wide, { range: 1e9 })
    assert.approximately(overall, 0.2 * momentum, 1e-6)
  })

  const below = (count: number) => Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: count - 1 }))

  it.prop(
    "is judged from 0 to 1, whatever it does",
    [
      Arbitrary.array(
        Arbitrary.schema(Schema.Struct({ close: below(100_000), range: below(1000), volume: below(1_000_000) })),
        { minLength: 34, maxLength: 80 }
      ),
      Arbitrary.schema(Schema.Struct({ bid: below(1000), ask: below(1000) }))
    ],
    ([candles, quote]) => {
      const inputs = candles.map(({ close, range, volume }) => ({
        open: close,
        high: close + range,
        low: Math.max(0, close - range),
        close,
        volume
      }))
      const judged = Screening.screen(inputs, quote)
      if (judged === undefined) return
      const { grade: _grade, ...figures } = judged
      for (const [name, figure] of Object.entries(figures)) assert.isTrue(figure >= 0 && figure <= 1, name)
    },
    { arbitrary: { runs: 100, seed: "screening" } }
  )
})
