/** Series of candles of every kind, as the texts of their prices; the same every time. */

export interface Texts {
  readonly high: string
  readonly low: string
  readonly close: string
  readonly volume: string
  readonly day: number
}

/** Whole numbers below a bound, by a linear congruence (Numerical Recipes). */
export const random = (seed: number): (below: number) => number => {
  let state = seed >>> 0
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

const count = 48

/** A series by the whole numbers of its closes, how far highs and lows are away, and what comes after the digits. */
const walk = (
  seed: number,
  options: {
    readonly start: number
    readonly step: number
    readonly exponent: (at: number) => number
    readonly volume?: (at: number, next: (below: number) => number) => string
  }
): ReadonlyArray<Texts> => {
  const next = random(seed)
  let close = options.start
  return Array.from({ length: count }, (_, at) => {
    close = Math.max(close + next(2 * options.step + 1) - options.step, 1)
    const ends = `e${options.exponent(at)}`
    return {
      high: `${close + next(options.step + 1)}${ends}`,
      low: `${Math.max(close - next(options.step + 1), 0)}${ends}`,
      close: `${close}${ends}`,
      volume: options.volume?.(at, next) ?? `${next(1000)}e-2`,
      day: Math.floor(at / 25)
    }
  })
}

const flat = (price: string, volume: string): ReadonlyArray<Texts> =>
  Array.from({ length: count }, () => ({ high: price, low: price, close: price, volume, day: 0 }))

const pick = (seed: number, prices: ReadonlyArray<string>, volumes: ReadonlyArray<string>): ReadonlyArray<Texts> => {
  const next = random(seed)
  return Array.from({ length: count }, (_, at) => {
    const close = prices[next(prices.length)] ?? "1"
    return { high: close, low: close, close, volume: volumes[next(volumes.length)] ?? "1", day: Math.floor(at / 20) }
  })
}

export const kinds: Readonly<Record<string, ReadonlyArray<Texts>>> = {
  "usual prices": walk(1, { start: 4_325_010, step: 900, exponent: () => -2 }),
  "other usual prices": walk(2, { start: 10_000, step: 5_000, exponent: () => -4 }),
  "prices that hardly move": walk(3, { start: 100_000_000, step: 1, exponent: () => -3 }),
  "prices of more digits than a double has": pick(
    4,
    ["100000000000000000.01", "100000000000000000.02", "100000000000000000.04", "100000000000000000.05"],
    ["1", "2.5"]
  ),
  "tiny prices": walk(5, { start: 500, step: 90, exponent: () => -300 }),
  "prices of the smallest doubles": walk(6, { start: 500_000, step: 90_000, exponent: () => -322 }),
  "huge prices": walk(7, { start: 500, step: 90, exponent: () => 300 }),
  "the hugest prices": walk(8, { start: 1_000, step: 300, exponent: () => 305, volume: () => "1.7e308" }),
  "huge prices, then tiny ones": walk(9, { start: 500, step: 90, exponent: (at) => at < 20 ? 300 : -300 }),
  "huge prices among usual ones": walk(10, { start: 500, step: 90, exponent: (at) => at % 17 === 3 ? 250 : -2 }),
  "tiny prices, then huge ones": walk(11, { start: 500, step: 90, exponent: (at) => at < 30 ? -300 : 300 }),
  "huge prices with tiny ones between": walk(19, {
    start: 500,
    step: 90,
    exponent: (at) => at >= 15 && at < 30 ? -300 : 300
  }),
  "all sizes by turns": walk(12, {
    start: 500,
    step: 90,
    exponent: (at) => ((at * 7) % 13) * 49 - 300,
    volume: (at, next) => `${next(9)}e${((at * 5) % 11) * 59 - 290}`
  }),
  "one huge price among small ones": walk(13, { start: 500, step: 90, exponent: (at) => at === 5 ? 20 : -2 }),
  "prices that take turns": pick(14, ["100", "0.01"], ["1"]),
  "prices without volume": walk(15, { start: 500, step: 90, exponent: () => 0, volume: () => "0" }),
  "volume now and then": walk(16, {
    start: 500,
    step: 90,
    exponent: () => 0,
    volume: (at) => at % 8 === 0 ? "1e-300" : "0"
  }),
  "one huge volume": walk(17, { start: 500, step: 90, exponent: () => 0, volume: (at) => at === 9 ? "1e300" : "1" }),
  "one price": flat("0.1", "1"),
  "one price of many digits": flat("43250.10000000000000000000000000000001", "0"),
  "nothing": flat("0", "0"),
  "prices below zero": pick(18, ["-37.63", "-40.32", "0", "12.5", "-0.01"], ["1", "0", "3"])
}

const forms: ReadonlyArray<(n: (most: number) => number) => string> = [
  (n) => `sma:${n(12)}`,
  (n) => `ema:${n(12)}${n(2) === 1 ? ":first" : ""}`,
  (n) => `rsi:${n(12)}${n(2) === 1 ? ":simple" : ""}`,
  (n) => `macd:${n(4)}:${4 + n(6)}:${n(5)}`,
  (n) => `bollinger:${n(12)}:${n(4)}.${n(9)}`,
  (n) => `stochastic:${n(12)}:${n(5)}:${n(5)}`,
  (n) => `vwap${n(4) === 1 ? "" : `:${n(12)}`}`,
  (n) => `atr:${n(12)}`
]

/**
 * A series and an indicator by chance: every few candles another size, from 1e-290 to 1e300, flat, by turns of two
 * sizes, or of few digits at the end of many; volumes likewise, and none now and then.
 */
export const adversarial = (seed: number): { readonly spec: string; readonly series: ReadonlyArray<Texts> } => {
  const next = random(seed * 7_919)
  const exponent = () => next(2) === 0 ? -2 : next(561) - 290
  const spec = forms[seed % forms.length]?.((most) => 1 + next(most)) ?? ""
  let [one, other, volumes, digits, manner] = [-2, -2, -2, 5_000, 0]
  const series = Array.from({ length: 50 }, (_, at): Texts => {
    if (next(7) === 0) [one, other, volumes, manner] = [exponent(), exponent(), exponent(), next(4)]
    const ends = `e${manner === 1 && at % 2 === 1 ? other : one}`
    const moved = () => manner === 2 ? 0 : next(401) - 200
    digits = Math.max(digits + moved(), 1)
    const [high, low] = [digits + Math.abs(moved()), Math.max(digits - Math.abs(moved()), 0)]
    const front = manner === 3 ? "10000000000000000" : ""
    const text = (of: number) => `${front === "" ? of : front + String(of).padStart(6, "0")}${ends}`
    const volume = next(3) === 0 ? "0" : `${next(1_000)}e${volumes}`
    return { high: text(high), low: text(low), close: text(digits), volume, day: Math.floor(at / 20) }
  })
  return { spec, series }
}
