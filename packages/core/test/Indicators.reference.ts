/**
 * The indicators by their definitions, over whole series and in exact fractions:
 * what the incremental ones are held against.
 */
import type * as Decimal from "@tickline/core/value/Decimal"

/** A fraction; the denominator is positive. */
export interface Fraction {
  readonly above: bigint
  readonly below: bigint
}

const greatestDivisor = (a: bigint, b: bigint): bigint => {
  let [one, other] = [a < 0n ? -a : a, b]
  while (other > 0n) [one, other] = [other, one % other]
  return one
}

const fraction = (above: bigint, below: bigint): Fraction => {
  const divisor = greatestDivisor(above, below)
  return divisor === 0n ? { above: 0n, below: 1n } : { above: above / divisor, below: below / divisor }
}

export const whole = (value: number): Fraction => ({ above: BigInt(value), below: 1n })
export const zero = whole(0)

export const plus = (a: Fraction, b: Fraction): Fraction =>
  fraction(a.above * b.below + b.above * a.below, a.below * b.below)
const negative = ({ above, below }: Fraction): Fraction => ({ above: -above, below })
export const minus = (a: Fraction, b: Fraction): Fraction => plus(a, negative(b))
export const times = (a: Fraction, b: Fraction): Fraction => fraction(a.above * b.above, a.below * b.below)
export const over = (a: Fraction, b: Fraction): Fraction =>
  b.above < 0n ? over(negative(a), negative(b)) : fraction(a.above * b.below, a.below * b.above)
export const isLess = (a: Fraction, b: Fraction): boolean => a.above * b.below < b.above * a.below
export const size = (a: Fraction): Fraction => a.above < 0n ? negative(a) : a
const larger = (a: Fraction, b: Fraction): Fraction => isLess(a, b) ? b : a
const smaller = (a: Fraction, b: Fraction): Fraction => isLess(a, b) ? a : b
const isZero = ({ above }: Fraction): boolean => above === 0n

/** A decimal's exact value. */
export const ofDecimal = ({ scale, value }: Decimal.Decimal): Fraction =>
  scale >= 0 ? fraction(value, 10n ** BigInt(scale)) : fraction(value * 10n ** BigInt(-scale), 1n)

/** A finite double's exact value. */
export const ofDouble = (double: number): Fraction => {
  const [digits = "", exponent = "0"] = Math.abs(double).toString(2).split("e")
  const [front = "", back = ""] = digits.split(".")
  const above = BigInt(`0b${front}${back}`) * (double < 0 ? -1n : 1n)
  const shift = Number(exponent) - back.length
  return shift >= 0 ? fraction(above << BigInt(shift), 1n) : fraction(above, 1n << BigInt(-shift))
}

const bitsOf = (value: bigint): number => value.toString(2).length

/** The root to some 150 digits of base two. */
const root = ({ above, below }: Fraction): Fraction => {
  if (above === 0n) return zero
  const half = Math.max(150 - Math.floor((bitsOf(above) - bitsOf(below)) / 2), 0)
  const square = (above << BigInt(2 * half)) / below
  let guess = 1n << BigInt(Math.ceil(bitsOf(square) / 2))
  for (;;) {
    const next = (guess + square / guess) >> 1n
    if (next >= guess) return fraction(guess, 1n << BigInt(half))
    guess = next
  }
}

export interface Candle {
  readonly high: Fraction
  readonly low: Fraction
  readonly close: Fraction
  readonly volume: Fraction
  /** The number of its day. */
  readonly day: number
}

/** Values of a series, `undefined` where there is none yet. */
export type Series = ReadonlyArray<Fraction | undefined>

const mean = (values: ReadonlyArray<Fraction>): Fraction => over(values.reduce(plus, zero), whole(values.length))

const isThere = (value: Fraction | undefined): value is Fraction => value !== undefined

/** Of each candle what the last `length` values up to it give, from as many on. */
const rolling = (
  values: Series,
  length: number,
  of: (window: ReadonlyArray<Fraction>) => Fraction
): Series =>
  values.map((_, at) => {
    const window = values.slice(Math.max(at + 1 - length, 0), at + 1).filter(isThere)
    return window.length === length ? of(window) : undefined
  })

const closesOf = (candles: ReadonlyArray<Candle>): ReadonlyArray<Fraction> => candles.map(({ close }) => close)

export const sma = (candles: ReadonlyArray<Candle>, length: number): Series => rolling(closesOf(candles), length, mean)

/** An average of values from the first that is there on: seeded by the mean of `length` of them. */
const smoothed = (values: Series, length: number, share: Fraction): Series => {
  const start = values.findIndex(isThere)
  let average: Fraction | undefined
  return values.map((value, at) => {
    if (start < 0 || value === undefined || at < start + length - 1) return undefined
    average = average === undefined
      ? mean(values.slice(start, start + length).filter(isThere))
      : plus(average, times(share, minus(value, average)))
    return average
  })
}

const alpha = (length: number): Fraction => fraction(2n, BigInt(length + 1))

export const ema = (candles: ReadonlyArray<Candle>, length: number, seed: "mean" | "first"): Series => {
  if (seed === "mean") return smoothed(closesOf(candles), length, alpha(length))
  let average: Fraction | undefined
  return candles.map(({ close }, at) => {
    average = average === undefined ? close : plus(average, times(alpha(length), minus(close, average)))
    return at >= length - 1 ? average : undefined
  })
}

export const rsi = (candles: ReadonlyArray<Candle>, length: number, average: "wilder" | "simple"): Series => {
  const changes = candles.map(({ close }, at) => {
    const before = candles[at - 1]
    return before && minus(close, before.close)
  })
  const gains = changes.map((change) => change && larger(change, zero))
  const losses = changes.map((change) => change && larger(negative(change), zero))
  const averages = (values: Series): Series =>
    average === "simple" ? rolling(values, length, mean) : smoothed(values, length, fraction(1n, BigInt(length)))
  const [up, down] = [averages(gains), averages(losses)]
  return candles.map((_, at) => {
    const [gain, loss] = [up[at], down[at]]
    if (gain === undefined || loss === undefined) return undefined
    const both = plus(gain, loss)
    return isZero(both) ? whole(50) : over(times(whole(100), gain), both)
  })
}

/** By the definition of the interface: the fast average is seeded by the closes up to candle `slow`. */
export const macd = (
  candles: ReadonlyArray<Candle>,
  fast: number,
  slow: number,
  signal: number
): { readonly macd: Series; readonly signal: Series; readonly histogram: Series } => {
  const closes = closesOf(candles)
  const late = closes.map((close, at) => at < slow - fast ? undefined : close)
  const [short, long] = [smoothed(late, fast, alpha(fast)), smoothed(closes, slow, alpha(slow))]
  const less = (a: Series, b: Series): Series =>
    a.map((value, at) => {
      const other = b[at]
      return value === undefined || other === undefined ? undefined : minus(value, other)
    })
  const line = less(short, long)
  const signals = smoothed(line, signal, alpha(signal))
  return { macd: line.map((value, at) => signals[at] && value), signal: signals, histogram: less(line, signals) }
}

export const bollinger = (
  candles: ReadonlyArray<Candle>,
  length: number,
  width: Fraction
): { readonly upper: Series; readonly middle: Series; readonly lower: Series } => {
  const band = (side: Fraction): Series =>
    rolling(closesOf(candles), length, (window) => {
      const middle = mean(window)
      const variance = mean(window.map((value) => times(minus(value, middle), minus(value, middle))))
      return plus(middle, times(times(side, width), root(variance)))
    })
  return { upper: band(whole(1)), middle: band(zero), lower: band(whole(-1)) }
}

export const stochastic = (
  candles: ReadonlyArray<Candle>,
  length: number,
  slow: number,
  smooth: number
): { readonly k: Series; readonly d: Series } => {
  const raw = candles.map(({ close }, at) => {
    if (at + 1 < length) return undefined
    const window = candles.slice(at + 1 - length, at + 1)
    const lowest = window.map(({ low }) => low).reduce(smaller)
    const highest = window.map(({ high }) => high).reduce(larger)
    return isZero(minus(highest, lowest))
      ? whole(50)
      : times(whole(100), over(minus(close, lowest), minus(highest, lowest)))
  })
  const k = rolling(raw, slow, mean)
  const d = rolling(k, smooth, mean)
  return { k: k.map((value, at) => d[at] && value), d }
}

const typical = ({ close, high, low }: Candle): Fraction => over(plus(plus(high, low), close), whole(3))

export const vwap = (candles: ReadonlyArray<Candle>, length: number | undefined): Series =>
  candles.map((candle, at) => {
    const window = length === undefined
      ? candles.slice(0, at + 1).filter(({ day }) => day === candle.day)
      : candles.slice(Math.max(at + 1 - length, 0), at + 1)
    if (length !== undefined && window.length < length) return undefined
    const volume = window.map((one) => one.volume).reduce(plus)
    return isZero(volume)
      ? typical(candle)
      : over(window.map((one) => times(typical(one), one.volume)).reduce(plus), volume)
  })

export const atr = (candles: ReadonlyArray<Candle>, length: number): Series => {
  const ranges = candles.map(({ high, low }, at) => {
    const before = candles[at - 1]
    return before && [minus(high, low), size(minus(high, before.close)), size(minus(low, before.close))].reduce(larger)
  })
  return smoothed(ranges, length, fraction(1n, BigInt(length)))
}

/** The largest price of each window, or of all so far. */
export const largest = (candles: ReadonlyArray<Candle>, length: number | undefined): ReadonlyArray<Fraction> =>
  candles.map((_, at) =>
    candles.slice(length === undefined ? 0 : Math.max(at + 1 - length, 0), at + 1)
      .flatMap(({ close, high, low }) => [close, high, low])
      .map(size)
      .reduce(larger)
  )
