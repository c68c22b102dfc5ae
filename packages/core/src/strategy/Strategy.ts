/**
 * Strategies: what to do after each candle of a product. A strategy is a value;
 * `make` gives its state for one product, which is shown that product's candles,
 * one after the other, and answers each with a decision, or with none while it
 * knows too little. It has no clock: the same candles give the same decisions,
 * live, in a replay and in a backtest.
 *
 * Three are here, with the figures of a scalping bot as their defaults, and one
 * that combines others by weights, which can follow how each of them does. Who
 * writes one of their own gives an object of the same shape.
 *
 * **Example** (buys after three candles that closed higher)
 *
 * ```ts
 * const threeUp: Strategy.Strategy = {
 *   name: "three-up",
 *   warmUp: 4,
 *   make: () => {
 *     let last: number | undefined
 *     let seen = 0
 *     let ups = 0
 *     return {
 *       decide: (candle) => {
 *         const close = Number(Decimal.format(candle.close))
 *         ups = last !== undefined && close > last ? ups + 1 : 0
 *         last = close
 *         if (++seen < 4) return undefined
 *         return ups >= 3 ? { side: "buy", confidence: 0.8 } : { side: "hold", confidence: 0.5 }
 *       }
 *     }
 *   }
 * }
 * ```
 *
 * @since 0.1.0
 */
import * as Duration from "effect/Duration"
import type { Candle } from "./Candles.ts"
import * as Indicators from "./Indicators.ts"
import { Weights } from "./internal/weights.ts"

/**
 * What a strategy would do: buy, sell, or leave things as they are. `confidence`
 * is from 0 to 1; `reason` says why, for people.
 *
 * @category models
 * @since 0.1.0
 */
export interface Decision {
  readonly side: "buy" | "sell" | "hold"
  readonly confidence: number
  readonly reason?: string | undefined
}

/**
 * A strategy. `warmUp` is after how many candles it answers first; `make` begins
 * with one product, and `decide` is called once for each of its candles, in order.
 *
 * @category models
 * @since 0.1.0
 */
export interface Strategy {
  readonly name: string
  readonly warmUp: number
  readonly make: () => { readonly decide: (candle: Candle) => Decision | undefined }
}

/** What the three have in common. */
interface Common {
  /** How many candles it must have seen, if its indicators do not need more. */
  readonly candles?: number | undefined
  /** The confidence of what it decides. */
  readonly confidence?: number | undefined
  /** The confidence with which it holds. */
  readonly holds?: number | undefined
}

interface FastOptions extends Common {
  /** The periods of the two averages, `short` less than `long`. Default: 3 and 5. */
  readonly short?: number | undefined
  readonly long?: number | undefined
}

const hold = (confidence: number): Decision => ({ side: "hold", confidence })

// Shows a strategy how many candles there have been, and lets it answer once there are enough of them.
const after = (
  name: string,
  warmUp: number,
  make: () => (input: Indicators.Input) => Decision | undefined
): Strategy => ({
  name,
  warmUp,
  make: () => {
    const decide = make()
    let seen = 0
    return {
      decide: (candle) => {
        seen++
        const decision = decide(Indicators.ofCandle(candle))
        return seen < warmUp ? undefined : decision
      }
    }
  }
})

/**
 * Follows the trend: buys while a short exponential average of the closes is
 * above a long one, and sells while it is below.
 *
 * Defaults: averages over 3 and 5 candles, an answer from the 10th candle on,
 * confidence 0.8; where both are equal it holds, with 0.5.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fast = (
  { candles = 10, confidence = 0.8, holds = 0.5, long = 5, short = 3 }: FastOptions = {}
): Strategy =>
  after("fast", Math.max(candles, long, short), () => {
    const averages = { short: Indicators.ema(short), long: Indicators.ema(long) }
    return (input) => {
      const over = averages.short.update(input)
      const under = averages.long.update(input)
      if (over === undefined || under === undefined) return undefined
      if (over === under) return hold(holds)
      return over > under
        ? { side: "buy", confidence, reason: `ema ${short} above ema ${long}` }
        : { side: "sell", confidence, reason: `ema ${short} below ema ${long}` }
    }
  })

interface MomentumOptions extends Common {
  /** The RSI: over how many changes (7), how they are averaged (`simple`), and what is too low (30) and too high (70). */
  readonly rsi?: {
    readonly period?: number | undefined
    readonly average?: "wilder" | "simple" | undefined
    readonly low?: number | undefined
    readonly high?: number | undefined
  } | undefined
  /** The MACD: its periods (6, 13, 5), and which of its lines is compared with zero (`signal`). */
  readonly macd?: {
    readonly fast?: number | undefined
    readonly slow?: number | undefined
    readonly signal?: number | undefined
    readonly line?: "macd" | "signal" | undefined
  } | undefined
}

/**
 * Buys what has fallen while its trend is up, and sells what has risen while its
 * trend is down: an RSI below 30 with the MACD's signal line above zero, and an
 * RSI above 70 with that below zero.
 *
 * Defaults: RSI over 7 changes with plain averages, MACD 6/13/5, at least 13
 * candles (its MACD has its first value at the 17th, and is not taken for more
 * than it is before), confidence 0.9; else it holds, with 0.5.
 *
 * @category constructors
 * @since 0.1.0
 */
export const momentum = (
  { candles = 13, confidence = 0.9, holds = 0.5, macd = {}, rsi = {} }: MomentumOptions = {}
): Strategy => {
  const { average = "simple", high = 70, low = 30, period = 7 } = rsi
  const { fast = 6, line = "signal", signal = 5, slow = 13 } = macd
  return after("momentum", Math.max(candles, period + 1, slow + signal - 1), () => {
    const strength = Indicators.rsi(period, { average })
    const trend = Indicators.macd(fast, slow, signal)
    return (input) => {
      const index = strength.update(input)
      const lines = trend.update(input)
      if (index === undefined || lines === undefined) return undefined
      if (index < low && lines[line] > 0) {
        return { side: "buy", confidence, reason: `rsi below ${low}, ${line} line above 0` }
      }
      if (index > high && lines[line] < 0) {
        return { side: "sell", confidence, reason: `rsi above ${high}, ${line} line below 0` }
      }
      return hold(holds)
    }
  })
}

interface ConservativeOptions extends Common {
  /** The Bollinger bands: over how many closes (10), and how many deviations wide (2). */
  readonly bollinger?: { readonly period?: number | undefined; readonly deviations?: number | undefined } | undefined
  /** The stochastic oscillator: its range (7), what %K (1) and %D (3) average, and what is too low (20) and too high (80). */
  readonly stochastic?: {
    readonly range?: number | undefined
    readonly k?: number | undefined
    readonly d?: number | undefined
    readonly low?: number | undefined
    readonly high?: number | undefined
  } | undefined
  /** Over how many candles prices are weighted by volume; `"day"` (the default) is since the UTC day began. */
  readonly vwap?: number | "day" | undefined
}

/**
 * Buys what is cheap by three measures at once, and sells what is dear by all
 * three: the close beyond a Bollinger band, the stochastic %D near its end, and
 * the close on the far side of the average price by volume.
 *
 * Defaults: bands over 10 closes, 2 population deviations wide; %D of 7 candles,
 * averaged over 3, below 20 or above 80; the average price of the UTC day; at
 * least 10 candles; confidence 0.7; else it holds, with 0.6.
 *
 * @category constructors
 * @since 0.1.0
 */
export const conservative = (
  { bollinger = {}, candles = 10, confidence = 0.7, holds = 0.6, stochastic = {}, vwap = "day" }: ConservativeOptions =
    {}
): Strategy => {
  const { deviations = 2, period = 10 } = bollinger
  const { d = 3, high = 80, k = 1, low = 20, range = 7 } = stochastic
  const volumeCandles = vwap === "day" ? 1 : vwap
  return after("conservative", Math.max(candles, period, range + k + d - 2, volumeCandles), () => {
    const bands = Indicators.bollinger(period, deviations)
    const oscillator = Indicators.stochastic(range, k, d)
    const average = vwap === "day" ? Indicators.vwap() : Indicators.vwap(vwap)
    return (input) => {
      const band = bands.update(input)
      const place = oscillator.update(input)
      const fair = average.update(input)
      if (band === undefined || place === undefined || fair === undefined) return undefined
      const { close } = input
      if (close < band.lower && place.d < low && close < fair) {
        return { side: "buy", confidence, reason: `below the band, %D below ${low}, below the average price` }
      }
      if (close > band.upper && place.d > high && close > fair) {
        return { side: "sell", confidence, reason: `above the band, %D above ${high}, above the average price` }
      }
      return hold(holds)
    }
  })
}

/**
 * A strategy that is combined with others, and how much it counts.
 *
 * @category models
 * @since 0.1.0
 */
export interface Member {
  readonly strategy: Strategy
  /** Greater than zero; only its share of all weights matters. */
  readonly weight: number
}

/**
 * How the weights of combined strategies follow how these do.
 *
 * Every `every` of event time (300 s), each member has a score: of what it
 * decided to buy or sell since the last time, the share that the next candle
 * proved right by closing on that side. A close that did not move proves nothing.
 * A member whose decisions were all right gains `step` of its weight (0.2), one
 * whose decisions were all wrong loses as much, and one without any keeps it.
 * Then the weights are brought to a sum of one: none of them below `floor`
 * (0.05, or what it began with if that is less), and none moved by more than
 * `step` of what it was.
 *
 * @category models
 * @since 0.1.0
 */
export interface Adaptation {
  readonly every?: Duration.Input | undefined
  readonly floor?: number | undefined
  readonly step?: number | undefined
}

interface CombinedOptions {
  /** A side's score must be above this. Default: 0.5. */
  readonly threshold?: number | undefined
  /** The confidence with which it holds. Default: 0.5. */
  readonly holds?: number | undefined
  /** How the weights follow how the members do; `"none"` leaves them as they are. Default: as `Adaptation` says. */
  readonly adapt?: Adaptation | "none" | undefined
  readonly name?: string | undefined
}

const scoreOf = (
  decisions: ReadonlyArray<Decision | undefined>,
  weights: ReadonlyArray<number>,
  side: Decision["side"]
): number => {
  let score = 0
  let total = 0
  decisions.forEach((decision, at) => {
    const weight = weights[at] ?? 0
    if (decision === undefined) return
    total += weight
    if (decision.side === side) score += decision.confidence * weight
  })
  return total === 0 ? 0 : score / total
}

/**
 * Several strategies as one. The score of a side is the sum of the confidences
 * of those that decide for it, each by its weight, over the weights of all that
 * answered; those that hold count in the divisor only. The side with the higher
 * score is decided for, with the score as its confidence, if that is above the
 * threshold.
 *
 * Default: `fast` and `momentum` with 0.4 each, `conservative` with 0.2. With
 * these weights fast alone never decides anything, and a decision of which a
 * trader wants to be 0.7 sure needs all three: whoever wants more trades gives
 * other members, weights or thresholds.
 *
 * @category constructors
 * @since 0.1.0
 */
export const combined = (
  members: ReadonlyArray<Member> = [
    { strategy: fast(), weight: 0.4 },
    { strategy: momentum(), weight: 0.4 },
    { strategy: conservative(), weight: 0.2 }
  ],
  { adapt = {}, holds = 0.5, name = "combined", threshold = 0.5 }: CombinedOptions = {}
): Strategy => ({
  name,
  warmUp: Math.min(...members.map(({ strategy }) => strategy.warmUp)),
  make: () => {
    const made = members.map(({ strategy }) => strategy.make())
    const weights = new Weights(
      members.map(({ weight }) => weight),
      adapt === "none" ? undefined : {
        everyMillis: Duration.toMillis(Duration.fromInputUnsafe(adapt.every ?? "300 seconds")),
        floor: adapt.floor ?? 0.05,
        step: adapt.step ?? 0.2
      }
    )
    return {
      decide: (candle) => {
        const decisions = made.map(({ decide }) => decide(candle))
        // What is decided now is weighed by what was known before.
        weights.candle(candle, decisions)
        if (decisions.every((decision) => decision === undefined)) return undefined
        const buy = scoreOf(decisions, weights.current, "buy")
        const sell = scoreOf(decisions, weights.current, "sell")
        const [side, score] = buy > sell ? ["buy" as const, buy] : ["sell" as const, sell]
        if (buy === sell || score <= threshold) return hold(holds)
        const names = members.flatMap(({ strategy }, at) => decisions[at]?.side === side ? [strategy.name] : [])
        return { side, confidence: score, reason: names.join(", ") }
      }
    }
  }
})

/**
 * The strategies that have names, with their defaults.
 *
 * @category constants
 * @since 0.1.0
 */
export const byName: Readonly<Record<"fast" | "momentum" | "conservative" | "combined", Strategy>> = {
  fast: fast(),
  momentum: momentum(),
  conservative: conservative(),
  combined: combined()
}
