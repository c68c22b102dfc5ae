/**
 * Technical indicators, one candle at a time: each at the same cost whatever its
 * window, and as exact as doubles can be, on any series.
 *
 * An indicator equals the exact value within 1e-9 of the largest price of the
 * series so far (`sma`, `bollinger` and `vwap` over a window: of the window, so
 * that a huge price leaves no trace when it has left); RSI and the stochastic
 * oscillator within 1e-7. They are statistics, not prices, and thus doubles.
 *
 * **Example** (how two averages cross)
 *
 * ```ts
 * const fast = Indicators.ema(12)
 * const slow = Indicators.ema(26)
 * const isAbove = Stream.map(candles, (candle) => {
 *   const input = Indicators.ofCandle(candle)
 *   const [short, long] = [fast.update(input), slow.update(input)]
 *   return short !== undefined && long !== undefined && short > long
 * })
 * ```
 *
 * @since 0.1.0
 */
import type * as Decimal from "../value/Decimal.ts"
import type * as Timestamp from "../value/Timestamp.ts"
import { Fading, UpwardShare, Weighted } from "./internal/averages.ts"
import * as Doubles from "./internal/doubles.ts"
import { Reach } from "./internal/magnitude.ts"
import { RollingDeviation, RollingHighest, RollingMean, RollingWeighted } from "./internal/rolling.ts"

/**
 * What prices have more than the doubles nearest to them.
 *
 * @category models
 * @since 0.1.0
 */
export interface Finer {
  readonly high: number
  readonly low: number
  readonly close: number
}

/**
 * A candle as doubles, all of them finite, `volume` not negative.
 *
 * `timestamp`, an instant or milliseconds since 1970, is of its beginning; only a
 * VWAP of the day looks at it. With `finer` the indicators that are made of
 * differences read prices to 32 digits, where a double has 16.
 *
 * @category models
 * @since 0.1.0
 */
export interface Input {
  readonly open: number
  readonly high: number
  readonly low: number
  readonly close: number
  readonly volume: number
  readonly timestamp?: Timestamp.Timestamp | number | undefined
  readonly finer?: Finer | undefined
}

/**
 * An indicator and what it has seen so far. `update` adds a candle, and gives
 * `undefined` for as long as there are too few.
 *
 * @category models
 * @since 0.1.0
 */
export interface Indicator<A> {
  readonly update: (input: Input) => A | undefined
}

/**
 * A candle's decimals as an indicator takes them: each is rounded once, to the
 * nearest double.
 *
 * @category constructors
 * @since 0.1.0
 */
export const ofCandle = (candle: {
  readonly open: Decimal.Decimal
  readonly high: Decimal.Decimal
  readonly low: Decimal.Decimal
  readonly close: Decimal.Decimal
  readonly volume: Decimal.Decimal
  readonly from?: Timestamp.Timestamp | undefined
}): Input => {
  const high = Doubles.nearest(candle.high)
  const low = Doubles.nearest(candle.low)
  const close = Doubles.nearest(candle.close)
  return {
    open: Doubles.nearest(candle.open),
    high,
    low,
    close,
    volume: Doubles.nearest(candle.volume),
    timestamp: candle.from,
    finer: {
      high: Doubles.restOf(candle.high, high),
      low: Doubles.restOf(candle.low, low),
      close: Doubles.restOf(candle.close, close)
    }
  }
}

const wholeLength = (name: string, length: number): number => {
  if (!Number.isSafeInteger(length) || length < 1) throw new RangeError(`${name}: ${length} is no number of candles`)
  return length
}

const sizeOf = ({ close, high, low }: Input): number => Math.max(Math.abs(high), Math.abs(low), Math.abs(close))

class Sma implements Indicator<number> {
  private readonly window: RollingMean

  constructor(length: number) {
    this.window = new RollingMean(wholeLength("sma", length))
  }

  update({ close }: Input): number | undefined {
    this.window.push(close)
    return this.window.isFull ? this.window.mean : undefined
  }
}

/**
 * The mean of the last closes. The first value is at candle `length`.
 *
 * A number of candles that is not whole or less than one is a defect, here and
 * below.
 *
 * @category constructors
 * @since 0.1.0
 */
export const sma = (length: number): Indicator<number> => new Sma(length)

class Ema implements Indicator<number> {
  private readonly reach = new Reach()
  private readonly average: Fading

  constructor(length: number, seed: "mean" | "first") {
    this.average = new Fading(wholeLength("ema", length), 2 / (length + 1), seed === "first")
  }

  update({ close }: Input): number | undefined {
    const { average, reach } = this
    const factor = reach.grow(Math.abs(close))
    if (factor !== 1) average.multiply(factor)
    average.push(close * reach.factor)
    return average.isReady ? average.value / reach.factor : undefined
  }
}

/**
 * The exponential average of closes, α = 2 ÷ (`length` + 1), seeded by the mean
 * of the first closes, which is the default, or by the first close. The first
 * value is at candle `length` either way.
 *
 * @category constructors
 * @since 0.1.0
 */
export const ema = (
  length: number,
  options: { readonly seed?: "mean" | "first" | undefined } = {}
): Indicator<number> => new Ema(length, options.seed ?? "mean")

/** The changes from close to close. */
class Changes {
  private last: Input | undefined

  /** The change to this close; `undefined` at the first. */
  next(input: Input): number | undefined {
    const { last } = this
    this.last = input
    return last && Doubles.difference(input.close, input.finer?.close ?? 0, last.close, last.finer?.close ?? 0)
  }
}

class WilderRsi implements Indicator<number> {
  private readonly changes = new Changes()
  private readonly upwards: UpwardShare

  constructor(length: number) {
    this.upwards = new UpwardShare(wholeLength("rsi", length))
  }

  update(input: Input): number | undefined {
    const { upwards } = this
    const change = this.changes.next(input)
    if (change === undefined) return undefined
    upwards.push(change)
    return upwards.isReady ? 100 * (upwards.share ?? 0.5) : undefined
  }
}

class SimpleRsi implements Indicator<number> {
  private readonly changes = new Changes()
  /** The share of changes that were upwards, by their sizes. */
  private readonly window: RollingWeighted

  constructor(length: number) {
    this.window = new RollingWeighted(wholeLength("rsi", length))
  }

  update(input: Input): number | undefined {
    const change = this.changes.next(input)
    if (change === undefined) return undefined
    this.window.push(change > 0 ? 1 : 0, Math.abs(change))
    return this.window.isFull ? 100 * (this.window.mean ?? 0.5) : undefined
  }
}

/**
 * The relative strength index of closes, 0 to 100: 100 × the average gain ÷ the
 * sum of the average gain and the average loss; 50 where both are zero.
 *
 * The averages are Wilder's, seeded by the means of the first `length` changes,
 * which is the default; or the plain means of the last `length` changes. The
 * first value is at candle `length` + 1.
 *
 * @category constructors
 * @since 0.1.0
 */
export const rsi = (
  length: number,
  options: { readonly average?: "wilder" | "simple" | undefined } = {}
): Indicator<number> => options.average === "simple" ? new SimpleRsi(length) : new WilderRsi(length)

/**
 * The fast average less the slow one, the average of that, and the one less the
 * other.
 *
 * @category models
 * @since 0.1.0
 */
export interface Macd {
  readonly macd: number
  readonly signal: number
  readonly histogram: number
}

class MacdImpl implements Indicator<Macd> {
  private readonly reach = new Reach()
  private readonly fast: Fading
  private readonly slow: Fading
  private readonly signal: Fading
  /** How many candles the slow average is ahead of the fast one. */
  private wait: number

  constructor(fast: number, slow: number, signal: number) {
    this.fast = new Fading(wholeLength("macd", fast), 2 / (fast + 1))
    this.slow = new Fading(wholeLength("macd", slow), 2 / (slow + 1))
    this.signal = new Fading(wholeLength("macd", signal), 2 / (signal + 1))
    this.wait = slow - fast
    if (this.wait <= 0) throw new RangeError(`macd: the fast average, of ${fast}, is not shorter than ${slow}`)
  }

  update({ close }: Input): Macd | undefined {
    const { fast, reach, signal, slow } = this
    const factor = reach.grow(Math.abs(close))
    if (factor !== 1) { for (const average of [fast, slow, signal]) average.multiply(factor) }
    const price = close * reach.factor
    slow.push(price)
    if (this.wait > 0) {
      this.wait--
      return undefined
    }
    fast.push(price)
    if (!slow.isReady) return undefined
    const macd = fast.value - slow.value
    signal.push(macd)
    if (!signal.isReady) return undefined
    return {
      macd: macd / reach.factor,
      signal: signal.value / reach.factor,
      histogram: (macd - signal.value) / reach.factor
    }
  }
}

/**
 * Moving average convergence and divergence of closes: exponential averages over
 * `fast` and `slow` candles, seeded by means so that both begin at candle `slow`,
 * and one over `signal` of their difference, seeded by the mean of the first. The
 * first value is at candle `slow` + `signal` − 1. A fast average that is not the
 * shorter one is a defect.
 *
 * @category constructors
 * @since 0.1.0
 */
export const macd = (fast: number, slow: number, signal: number): Indicator<Macd> => new MacdImpl(fast, slow, signal)

/**
 * A mean, and so many deviations above and below it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Bands {
  readonly upper: number
  readonly middle: number
  readonly lower: number
}

class Bollinger implements Indicator<Bands> {
  private readonly window: RollingDeviation
  private readonly width: number

  constructor(length: number, width: number) {
    this.window = new RollingDeviation(wholeLength("bollinger", length))
    this.width = width
    if (!Number.isFinite(width)) throw new RangeError(`bollinger: ${width} is no number of deviations`)
  }

  update({ close }: Input): Bands | undefined {
    const { width, window } = this
    window.push(close)
    if (!window.isFull) return undefined
    const { deviation, factor, mean } = window
    const away = width * deviation
    return { upper: (mean + away) / factor, middle: mean / factor, lower: (mean - away) / factor }
  }
}

/**
 * Bollinger bands of closes: the mean of the last ones, and `width` population
 * deviations above and below it. The first value is at candle `length`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const bollinger = (length: number, width: number): Indicator<Bands> => new Bollinger(length, width)

/**
 * Where the close is between the lowest and the highest price, in per cent, and
 * the mean of that.
 *
 * @category models
 * @since 0.1.0
 */
export interface Oscillator {
  readonly k: number
  readonly d: number
}

class Stochastic implements Indicator<Oscillator> {
  private readonly highest: RollingHighest
  /** Of the lows, each with the other sign. */
  private readonly lowest: RollingHighest
  private readonly slow: RollingMean
  private readonly mean: RollingMean

  constructor(length: number, slow: number, mean: number) {
    this.highest = new RollingHighest(wholeLength("stochastic", length))
    this.lowest = new RollingHighest(length)
    this.slow = new RollingMean(wholeLength("stochastic", slow))
    this.mean = new RollingMean(wholeLength("stochastic", mean))
  }

  update({ close, finer, high, low }: Input): Oscillator | undefined {
    const { highest, lowest, mean, slow } = this
    highest.push(high, finer?.high ?? 0)
    lowest.push(-low, -(finer?.low ?? 0))
    if (!highest.isFull) return undefined
    const range = Doubles.difference(highest.highest, highest.rest, -lowest.highest, -lowest.rest)
    const above = Doubles.difference(close, finer?.close ?? 0, -lowest.highest, -lowest.rest)
    slow.push(range === 0 ? 50 : 100 * (above / range))
    if (!slow.isFull) return undefined
    const k = slow.mean
    mean.push(k)
    return mean.isFull ? { k, d: mean.mean } : undefined
  }
}

/**
 * The slow stochastic oscillator: 100 × (close − lowest) ÷ (highest − lowest) of
 * the last `length` candles, 50 where that range is zero; `k` is the mean of the
 * last `slow` of these, `d` the mean of the last `mean` of that. The first value
 * is at candle `length` + `slow` + `mean` − 2.
 *
 * @category constructors
 * @since 0.1.0
 */
export const stochastic = (length: number, slow: number, mean: number): Indicator<Oscillator> =>
  new Stochastic(length, slow, mean)

const typicalOf = ({ close, high, low }: Input): number => {
  const sum = high + low + close
  return Number.isFinite(sum) ? sum / 3 : high / 3 + low / 3 + close / 3
}

const dayOf = (timestamp: Timestamp.Timestamp | number): number =>
  Math.floor(typeof timestamp === "number" ? timestamp / 86_400_000 : timestamp.epochSeconds / 86_400)

/** Of so many days a late candle finds the others. */
const mostDays = 31

interface Day {
  readonly volumes: Reach
  readonly average: Weighted
}

class DayVwap implements Indicator<number> {
  private readonly prices = new Reach()
  private readonly days = new Map<number | undefined, Day>()
  private last: number | undefined

  update(input: Input): number {
    const { timestamp, volume } = input
    if (timestamp !== undefined) this.last = dayOf(timestamp)
    const price = this.prices.grow(sizeOf(input))
    if (price !== 1) { for (const { average } of this.days.values()) average.multiply(price, 1) }
    const { average, volumes } = this.dayAt(this.last)
    const weight = volumes.grow(volume)
    if (weight !== 1) average.multiply(1, weight)
    const typical = typicalOf(input)
    average.push(typical * this.prices.factor, volume * volumes.factor)
    return average.isWeighed ? average.value / this.prices.factor : typical
  }

  private dayAt(at: number | undefined): Day {
    const known = this.days.get(at)
    if (known !== undefined) return known
    const day: Day = { volumes: new Reach(), average: new Weighted() }
    this.days.set(at, day)
    if (this.days.size > mostDays) {
      const [oldest] = this.days.keys()
      this.days.delete(oldest)
    }
    return day
  }
}

class WindowVwap implements Indicator<number> {
  private readonly window: RollingWeighted

  constructor(length: number) {
    this.window = new RollingWeighted(wholeLength("vwap", length))
  }

  update(input: Input): number | undefined {
    const typical = typicalOf(input)
    this.window.push(typical, input.volume)
    return this.window.isFull ? this.window.mean ?? typical : undefined
  }
}

/**
 * The mean of (high + low + close) ÷ 3 by volume: of the UTC day so far, or of
 * the last `length` candles. Without any volume it is the last such price. The
 * first value is at the first candle, or at candle `length`. A candle without a
 * timestamp is of the day of the one before; one that comes late is of its own day,
 * where that is among the latest 31.
 *
 * @category constructors
 * @since 0.1.0
 */
export const vwap = (length?: number | undefined): Indicator<number> =>
  length === undefined ? new DayVwap() : new WindowVwap(length)

class Atr implements Indicator<number> {
  private readonly reach = new Reach()
  private readonly average: Fading
  private last: number | undefined

  constructor(length: number) {
    this.average = new Fading(wholeLength("atr", length), 1 / length)
  }

  update(input: Input): number | undefined {
    const { average, last, reach } = this
    const factor = reach.grow(sizeOf(input))
    if (factor !== 1) average.multiply(factor)
    this.last = input.close
    if (last === undefined) return undefined
    const [high, low, close] = [input.high * reach.factor, input.low * reach.factor, last * reach.factor]
    average.push(Math.max(high - low, Math.abs(high - close), Math.abs(low - close)))
    return average.isReady ? average.value / reach.factor : undefined
  }
}

/**
 * Wilder's average of the true range, which is the largest of high − low and the
 * distances of both from the close before. The first candle gives no range; the
 * average is seeded by the mean of the next `length`, so that the first value is
 * at candle `length` + 1.
 *
 * @category constructors
 * @since 0.1.0
 */
export const atr = (length: number): Indicator<number> => new Atr(length)
