/**
 * How well a product suits a trader of short terms: whether it moves, whether it
 * is traded, whether it is cheap to trade, and whether it goes somewhere.
 *
 * All figures are doubles: statistics, not prices.
 *
 * @since 0.1.0
 */
import { type Input, macd, rsi } from "./Indicators.ts"

/**
 * What counts as full, each as a share of the price but `volume`:
 *
 * - `range`: from the lowest low to the highest high. Default: 0.05
 * - `volume`: the mean value of the last five candles. Default: 1,000,000
 * - `spread`: what counts as too much of it. Default: 0.005
 * - `histogram`: of MACD 12/26/9, above or below zero. Default: 0.005
 *
 * @category models
 * @since 0.1.0
 */
export interface Scales {
  readonly range: number
  readonly volume: number
  readonly spread: number
  readonly histogram: number
}

/**
 * What counts as full where nothing is said.
 *
 * @category constants
 * @since 0.1.0
 */
export const scales: Scales = { range: 0.05, volume: 1_000_000, spread: 0.005, histogram: 0.005 }

/**
 * How a product is judged, each from 0 to 1. `overall` is 0.3 of the volatility
 * and of the volume, 0.2 of the spread and of the momentum; the grade is `Best`
 * from 0.75 on, `Good` from 0.6, `Fair` from 0.5, otherwise `Avoid`. Momentum is
 * the mean of how far RSI 14 is from its middle and of MACD's histogram.
 *
 * @category models
 * @since 0.1.0
 */
export interface Screened {
  readonly volatility: number
  readonly volume: number
  readonly spread: number
  readonly momentum: number
  readonly overall: number
  readonly grade: "Best" | "Good" | "Fair" | "Avoid"
}

const lastly = 5

const bounded = (share: number): number => Math.min(1, Math.max(0, share))

const mean = (values: ReadonlyArray<number>): number => values.reduce((sum, value) => sum + value, 0) / values.length

// A sum such as 0.3 + 0.3 may be a last digit short of the grade that it is.
const slack = 1e-12

const gradeOf = (overall: number): Screened["grade"] =>
  overall >= 0.75 - slack ? "Best" : overall >= 0.6 - slack ? "Good" : overall >= 0.5 - slack ? "Fair" : "Avoid"

/**
 * Judges a product by its candles, oldest first, and its bid and ask. Absent
 * before there are the 34 candles that MACD needs, and where a price is not above
 * zero.
 *
 * @category constructors
 * @since 0.1.0
 */
export const screen = (
  candles: ReadonlyArray<Input>,
  quote: { readonly bid: number; readonly ask: number },
  options: Partial<Scales> = {}
): Screened | undefined => {
  const full = { ...scales, ...options }
  const [strength, convergence] = [rsi(14), macd(12, 26, 9)]
  let [index, histogram]: [number | undefined, number | undefined] = [undefined, undefined]
  for (const candle of candles) {
    index = strength.update(candle)
    histogram = convergence.update(candle)?.histogram
  }
  const close = candles.at(-1)?.close ?? 0
  const middle = (quote.bid + quote.ask) / 2
  if (index === undefined || histogram === undefined || !(close > 0) || !(middle > 0)) return undefined
  const range = candles.reduce((most, { high }) => Math.max(most, high), 0) -
    candles.reduce((least, { low }) => Math.min(least, low), Infinity)
  const volatility = bounded(range / close / full.range)
  const volume = bounded(mean(candles.slice(-lastly).map(({ close, volume }) => close * volume)) / full.volume)
  const spread = bounded(1 - (quote.ask - quote.bid) / middle / full.spread)
  const momentum = mean([
    bounded(Math.abs(index - 50) / 50),
    bounded(Math.abs(histogram) / close / full.histogram)
  ])
  const overall = 0.3 * volatility + 0.3 * volume + 0.2 * spread + 0.2 * momentum
  return { volatility, volume, spread, momentum, overall, grade: gradeOf(overall) }
}
