/** Each indicator against its definition in exact fractions, over series of every kind. */
import { assert, describe, it } from "@effect/vitest"
import * as Indicators from "@tickline/core/strategy/Indicators"
import * as IndicatorSpec from "@tickline/core/strategy/IndicatorSpec"
import * as Result from "effect/Result"
import { bothOf, decimal, isShare, made, wrong } from "./Indicators.rig.ts"
import { adversarial, kinds } from "./Indicators.series.ts"

const specs = [
  "sma:1",
  "sma:7",
  "ema:1",
  "ema:5",
  "ema:5:first",
  "rsi:1",
  "rsi:5",
  "rsi:5:simple",
  "macd:3:6:4",
  "macd:1:2:1",
  "bollinger:1:2",
  "bollinger:6:2",
  "bollinger:3:2.5",
  "stochastic:5:3:2",
  "stochastic:1:1:1",
  "vwap",
  "vwap:1",
  "vwap:6",
  "atr:1",
  "atr:5"
]

describe("Indicators", () => {
  for (const [kind, series] of Object.entries(kinds)) {
    const candles = series.map(bothOf)
    for (const spec of specs) {
      // A share of what a double itself has not is no double's matter.
      if (isShare(spec) && kind === "prices of the smallest doubles") continue
      it(`${spec} equals its definition over ${kind}`, () => {
        assert.deepStrictEqual(wrong(spec, candles).slice(0, 3), [])
      })
    }
  }

  it("equal their definitions over series and windows by chance", () => {
    const found = Array.from({ length: 48 }, (_, i) => i + 1).flatMap((seed) => {
      const { series, spec } = adversarial(seed)
      return wrong(spec, series.map(bothOf)).slice(0, 1).map((one) => `${seed}, ${spec}: ${one}`)
    })
    assert.deepStrictEqual(found, [])
  })

  it("keep RSI as it is while a price stays flat, however long", () => {
    const rsi = Indicators.rsi(3)
    const input = (close: number) => ({ open: close, high: close, low: close, close, volume: 0 })
    for (const close of [100, 103, 102, 100, 101]) rsi.update(input(close))
    const before = rsi.update(input(100)) ?? assert.fail()
    let last: number | undefined
    for (let i = 0; i < 20_000; i++) last = rsi.update(input(100))
    assert.closeTo(last ?? assert.fail(), before, 1e-7)
    assert.isAbove(Math.abs(before - 50), 1)
  })

  it("cost about the same whatever the window", () => {
    const input = (at: number) => {
      const close = 100 + (at * 7_919) % 13
      return { open: close, high: close + at % 3, low: close - at % 5, close, volume: at % 7 }
    }
    // The processor's time of this thread: what else runs does not count.
    const millis = (window: number) => {
      const indicators = ["sma:n", "rsi:n:simple", "bollinger:n:2", "stochastic:n:3:3", "vwap:n", "macd:1:n:3", "atr:n"]
        .map((spec) => made(spec.replace(":n", `:${window}`)))
      const begun = process.threadCpuUsage().user
      for (let at = 0; at < 60_000; at++) for (const indicator of indicators) indicator.update(input(at))
      return (process.threadCpuUsage().user - begun) / 1_000
    }
    const narrow = millis(20)
    assert.isBelow(millis(20_000), 10 * narrow + 200)
  })

  it("come to the smallest doubles, steps smaller than which there are none", () => {
    const [ema, atr, vwap] = [Indicators.ema(30), Indicators.atr(30), Indicators.vwap()]
    const price = 3e-323
    const last: Array<number | undefined> = []
    for (let at = 0; at < 400; at++) {
      const [low, high] = at < 40 ? [0, 0] : [0, price]
      const input = { open: low, high, low, close: high, volume: 1 }
      last.splice(0, 3, ema.update(input), atr.update(input), vwap.update(at < 40 ? { ...input, volume: 0 } : input))
    }
    assert.deepStrictEqual(last, [price, price, 2e-323])
  })

  it("leave no trace of a huge price that has left the window", () => {
    const input = (close: number) => ({ open: close, high: close, low: close, close, volume: 1 })
    for (const spec of ["sma:3", "bollinger:3:2", "vwap:3"]) {
      const [one, other] = [made(spec), made(spec)]
      for (const close of [1e300, 1e300, 0.1, 0.7, 0.2]) one.update(input(close))
      for (const close of [5, 5, 0.1, 0.7, 0.2]) other.update(input(close))
      const [with1, without] = [one.update(input(0.3)), other.update(input(0.3))]
      assert.deepStrictEqual(JSON.stringify(with1), JSON.stringify(without))
    }
  })

  it("take differences of decimals, not of the doubles nearest to them", () => {
    const rsi = Indicators.rsi(2)
    const of = (text: string) => {
      const price = decimal(text)
      return Indicators.ofCandle({ open: price, high: price, low: price, close: price, volume: decimal("0") })
    }
    rsi.update(of("10000000000000000000.01"))
    rsi.update(of("10000000000000000000.04"))
    assert.closeTo(rsi.update(of("10000000000000000000.03")) ?? assert.fail(), 75, 1e-7)
  })

  it("round a decimal once, to the nearest double", () => {
    const texts = [
      "0.1",
      "43250.10",
      "9007199254740993",
      "1e22",
      "1e23",
      "123456789.123456789123456789",
      "-0.3",
      "5e-324"
    ]
    for (const text of [...texts, "1.7976931348623157e308", "1e-300", "0", "4.35", "2.5e-5"]) {
      const price = decimal(text)
      const input = Indicators.ofCandle({ open: price, high: price, low: price, close: price, volume: price })
      assert.strictEqual(input.close, Number(text), text)
      assert.strictEqual(input.open, Number(text), text)
    }
  })

  it("refuse a number of candles that is none", () => {
    for (const length of [0, -1, 1.5, Number.NaN, Infinity]) {
      for (const make of [Indicators.sma, Indicators.ema, Indicators.rsi, Indicators.vwap, Indicators.atr]) {
        assert.throws(() => make(length), RangeError)
      }
    }
    assert.throws(() => Indicators.macd(5, 5, 3), RangeError)
    assert.throws(() => Indicators.bollinger(5, Number.NaN), RangeError)
    assert.throws(() => Indicators.stochastic(5, 0, 3), RangeError)
  })

  it("are named by a text, or what was expected is said", () => {
    for (const spec of specs) assert.isTrue(Result.isSuccess(IndicatorSpec.parse(spec)), spec)
    const cases = [
      ["sma", "sma:n"],
      ["sma:0", "sma:n"],
      ["sma:05", "sma:n"],
      ["sma:5:6", "sma:n"],
      ["ema:5:last", "ema:n or ema:n:first"],
      ["rsi:5:first", "rsi:n or rsi:n:simple"],
      ["macd:26:12:9", "macd:f:s:g with f < s"],
      ["macd:12:12:9", "macd:f:s:g with f < s"],
      ["bollinger:20:0.0", "bollinger:n:k with k > 0"],
      ["stochastic:14:3", "stochastic:k:s:d"],
      ["vwap:", "vwap or vwap:n"],
      ["atr:1e3", "atr:n"]
    ] as const
    for (const [spec, expected] of cases) {
      const parsed = IndicatorSpec.parse(spec)
      const { _tag, failure } = Result.isFailure(parsed) ? parsed : assert.fail(spec)
      assert.deepStrictEqual([_tag, failure.spec, failure.expected], ["Failure", spec, expected])
    }
    const unknown = IndicatorSpec.parse("bolinger:20:2")
    assert.include(Result.isFailure(unknown) ? unknown.failure.message : "", "did you mean bollinger?")
    assert.isTrue(Result.isFailure(IndicatorSpec.parse("toString")))
  })
})
