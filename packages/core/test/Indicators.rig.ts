/** Holds an indicator against its definition in exact fractions. */
import { assert } from "@effect/vitest"
import * as Indicators from "@tickline/core/strategy/Indicators"
import * as IndicatorSpec from "@tickline/core/strategy/IndicatorSpec"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Timestamp from "@tickline/core/value/Timestamp"
import * as Result from "effect/Result"
import * as Reference from "./Indicators.reference.ts"
import type { Texts } from "./Indicators.series.ts"

/** A decimal that is surely one. */
export const decimal = (text: string): Decimal.Decimal => Decimal.parse(text) ?? assert.fail(`no decimal: ${text}`)

/** A candle as indicators take it, and exactly. */
export interface Both {
  readonly input: Indicators.Input
  readonly exact: Reference.Candle
}

export const bothOf = (texts: Texts): Both => {
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

export const made = (spec: string): Indicators.Indicator<IndicatorSpec.Value> =>
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

/** Whether the bound of an indicator is that of a share. */
export const isShare = (spec: string): boolean => spec.startsWith("rsi") || spec.startsWith("stochastic")

/** What is wrong with what an indicator gives for a series. */
export const wrong = (spec: string, candles: ReadonlyArray<Both>): ReadonlyArray<string> => {
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
