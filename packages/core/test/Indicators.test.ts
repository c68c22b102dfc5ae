/** Each indicator against its definition in exact fractions, over series of every kind. */
import { assert, describe, it } from "@effect/vitest"
import * as Indicators from "@tickline/core/strategy/Indicators"
import * as IndicatorSpec from "@tickline/core/strategy/IndicatorSpec"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Timestamp from "@tickline/core/value/Timestamp"
import * as Result from "effect/Result"
import * as Reference from "./Indicators.reference.ts"
import { kinds, type Texts } from "./Indicators.series.ts"

const decimal = (text: string): Decimal.Decimal => Decimal.parse(text) ?? assert.fail(`no decimal: ${text}`)

interface Both {
  readonly input: Indicators.Input
  readonly exact: Reference.Candle
}

const bothOf = (texts: Texts): Both => {
  const [high, low, close, volume] = [texts.high, texts.low, texts.close, texts.volume].map(decimal) as [
    Decimal.Decimal,
    Decimal.Decimal,
    Decimal.Decimal,
    Decimal.Decimal
  ]
  return {
    input: Indicators.ofCandle({
      open: close,
      high,
      low,
      close,
      volume,
      from: Timestamp.fromEpochMillis(texts.day * 86_400_000)
    }),
    exact: {
      high: Reference.ofDecimal(high),
      low: Reference.ofDecimal(low),
      close: Reference.ofDecimal(close),
      volume: Reference.ofDecimal(volume),
      day: texts.day
    }
  }
}

const made = (spec: string): Indicators.Indicator<IndicatorSpec.Value> =>
  Result.getOrThrowWith(IndicatorSpec.parse(spec), (error) => error)

/** The definition that a spec names, member by member, and the window that its accuracy is of. */
const definition = (
  spec: string,
  candles: ReadonlyArray<Reference.Candle>
): { readonly members: Readonly<Record<string, Reference.Series>>; readonly window: number | undefined } => {
  const [name, a = "", b = "", c = ""] = spec.split(":")
  const n = Number(a)
  switch (name) {
    case "sma":
      return { members: { value: Reference.sma(candles, n) }, window: n }
    case "ema":
      return { members: { value: Reference.ema(candles, n, b === "first" ? "first" : "mean") }, window: undefined }
    case "rsi":
      return { members: { value: Reference.rsi(candles, n, b === "simple" ? "simple" : "wilder") }, window: undefined }
    case "macd":
      return { members: { ...Reference.macd(candles, n, Number(b), Number(c)) }, window: undefined }
    case "bollinger":
      return { members: { ...Reference.bollinger(candles, n, Reference.ofDecimal(decimal(b))) }, window: n }
    case "stochastic":
      return { members: { ...Reference.stochastic(candles, n, Number(b), Number(c)) }, window: undefined }
    case "vwap":
      return { members: { value: Reference.vwap(candles, a === "" ? undefined : n) }, window: a === "" ? undefined : n }
    case "atr":
      return { members: { value: Reference.atr(candles, n) }, window: undefined }
    default:
      return assert.fail(spec)
  }
}

const isShare = (spec: string): boolean => spec.startsWith("rsi") || spec.startsWith("stochastic")

/** What is wrong with what an indicator gives for a series. */
const wrong = (spec: string, candles: ReadonlyArray<Both>): ReadonlyArray<string> => {
  const exact = candles.map(({ exact }) => exact)
  const { members, window } = definition(spec, exact)
  const largest = Reference.largest(exact, window)
  const indicator = made(spec)
  return candles.flatMap(({ input }, at) => {
    const value = indicator.update(input)
    return Object.entries(members).flatMap(([member, series]) => {
      const expected = series[at]
      const found = typeof value === "object" ? Reflect.get(value, member) : value
      if (expected === undefined) return found === undefined ? [] : [`${member} at ${at + 1}: ${found} too early`]
      if (typeof found !== "number" || !Number.isFinite(found)) return [`${member} at ${at + 1}: ${found}`]
      const bound = isShare(spec)
        ? Reference.ofDouble(1e-7)
        // What is rounded to the smallest doubles, before and after, is off by as much.
        : Reference.plus(
          Reference.times(largest[at] ?? Reference.zero, Reference.ofDecimal(decimal("1e-9"))),
          Reference.ofDouble(2e-323)
        )
      const off = Reference.size(Reference.minus(Reference.ofDouble(found), expected))
      return Reference.isLess(bound, off) ? [`${member} at ${at + 1}: ${found}`] : []
    })
  })
}

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
})
