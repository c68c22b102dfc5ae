/** Strategies: vectors computed by hand, and what they decide against the whole history computed anew. */
import { assert, describe, it } from "@effect/vitest"
import { Candle } from "@tickline/core/strategy/Candles"
import * as Strategy from "@tickline/core/strategy/Strategy"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Timestamp from "@tickline/core/value/Timestamp"
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"

interface Prices {
  readonly high?: number
  readonly low?: number
  readonly volume?: number
}

const decimal = (value: number): Decimal.Decimal => Decimal.parse(String(value)) ?? assert.fail(String(value))

/** The nth candle of ten seconds, of which the close is given. */
const candle = (n: number, close: number, { high = close, low = close, volume = 1 }: Prices = {}): Candle =>
  new Candle({
    from: Timestamp.fromEpochMillis(n * 10_000),
    to: Timestamp.fromEpochMillis((n + 1) * 10_000),
    open: decimal(close),
    high: decimal(high),
    low: decimal(low),
    close: decimal(close),
    volume: decimal(volume),
    trades: 1,
    isWhole: true
  })

const decisions = (
  strategy: Strategy.Strategy,
  candles: ReadonlyArray<Candle>
): ReadonlyArray<Strategy.Decision | undefined> => {
  const { decide } = strategy.make()
  return candles.map(decide)
}

const shown = (decision: Strategy.Decision | undefined): string =>
  decision === undefined ? "-" : `${decision.side} ${Number(decision.confidence.toPrecision(12))}`

/** What is decided on each close. */
const on = (strategy: Strategy.Strategy, closes: ReadonlyArray<number>): ReadonlyArray<string> =>
  decisions(strategy, closes.map((close, n) => candle(n, close))).map(shown)

const last = (strategy: Strategy.Strategy, closes: ReadonlyArray<number>): string =>
  on(strategy, closes).at(-1) ?? "none"

const range = (from: number, to: number): ReadonlyArray<number> =>
  Array.from({ length: to - from + 1 }, (_, at) => from + at)

/** Says the same on every candle, from the nth on. */
const says = (
  side: Strategy.Decision["side"],
  confidence: number,
  warmUp = 1,
  name: string = side
): Strategy.Strategy => ({
  name,
  warmUp,
  make: () => {
    let seen = 0
    return { decide: () => ++seen < warmUp ? undefined : { side, confidence } }
  }
})

describe("fast", () => {
  it("follows the trend from the tenth candle on", () => {
    // Of a straight line both averages lag: by 1 candle over 3, by 2 over 5.
    assert.deepStrictEqual(on(Strategy.fast(), range(1, 11)), [..."-".repeat(9), "buy 0.8", "buy 0.8"])
    assert.strictEqual(last(Strategy.fast(), range(1, 11).map((n) => 20 - n)), "sell 0.8")
  })

  it("holds while both averages are the same", () => {
    // 4 and 5 equal averages of 10; then the short one goes half way to 12, and the long one a third.
    const flat = Array.from({ length: 10 }, () => 10)
    assert.strictEqual(last(Strategy.fast(), flat), "hold 0.5")
    assert.strictEqual(last(Strategy.fast(), [...flat, 12]), "buy 0.8")
  })

  it("has no figure that cannot be set", () => {
    const set = Strategy.fast({ short: 1, long: 2, candles: 1, confidence: 0.6, holds: 0.4 })
    assert.strictEqual(set.warmUp, 2)
    assert.deepStrictEqual(on(set, [10, 13, 13, 10]), ["-", "buy 0.6", "buy 0.6", "sell 0.6"])
    assert.deepStrictEqual(on(set, [10, 10]), ["-", "hold 0.4"])
  })
})

describe("momentum", () => {
  const small = Strategy.momentum({
    candles: 1,
    rsi: { period: 2 },
    macd: { fast: 1, slow: 2, signal: 1 }
  })

  it("buys what has fallen while its trend is up", () => {
    // The slow average is 15, 31.67, 34.56, 34.85: the last closes are 1.44 and 0.15 above it. Of the last two changes
    // +20 and -4 the RSI is 83.3, and of -4 and -1 it is 0.
    assert.deepStrictEqual(on(small, [10, 20, 40, 36, 35]), ["-", "-", "hold 0.5", "hold 0.5", "buy 0.9"])
  })

  it("sells what has risen while its trend is down", () => {
    assert.deepStrictEqual(on(small, [40, 30, 10, 14, 15]), ["-", "-", "hold 0.5", "hold 0.5", "sell 0.9"])
  })

  it("answers when its signal line has a value, and no earlier", () => {
    assert.strictEqual(Strategy.momentum().warmUp, 17)
    const answers = on(Strategy.momentum(), range(1, 18))
    assert.deepStrictEqual(answers.map((one) => one !== "-").indexOf(true), 16)
    assert.strictEqual(Strategy.momentum({ candles: 30 }).warmUp, 30)
  })

  it("looks at the line that it is to look at", () => {
    // After a long fall and a rise the MACD is above zero, and its average over five not yet.
    const closes = [...range(0, 16).map((n) => 100 - n), 90, 95, 100, 101, 100, 99, 98, 97]
    const options = { rsi: { period: 2, low: 50 } }
    const byMacd = on(Strategy.momentum({ ...options, macd: { line: "macd" } }), closes)
    const bySignal = on(Strategy.momentum(options), closes)
    assert.include(byMacd, "buy 0.9")
    assert.notDeepEqual(byMacd, bySignal)
  })
})

describe("conservative", () => {
  const small = Strategy.conservative({
    candles: 1,
    bollinger: { period: 3, deviations: 1 },
    stochastic: { range: 2, k: 1, d: 1 },
    vwap: 3
  })

  it("buys what is cheap by all three measures", () => {
    // Mean 9, deviation 1.41: the band ends at 7.59. %K of 10 and 7 is 0. The average price is 9.
    assert.deepStrictEqual(on(small, [10, 10, 7]), ["-", "-", "buy 0.7"])
  })

  it("sells what is dear by all three", () => {
    assert.deepStrictEqual(on(small, [10, 10, 13]), ["-", "-", "sell 0.7"])
  })

  it("holds where one of them is missing", () => {
    assert.strictEqual(last(small, [10, 10, 10]), "hold 0.6")
    // The band is as wide as it was, and a low of 1 makes 7 the middle of the range.
    const { decide } = small.make()
    const low = [candle(0, 10), candle(1, 10, { low: 1 }), candle(2, 7)]
    assert.deepStrictEqual(low.map((one) => shown(decide(one))), ["-", "-", "hold 0.6"])
    // Nearly all was traded at about 6.7: 7 is not below the average price.
    const heavy = [candle(0, 10, { low: 0.1, volume: 1000 }), candle(1, 10), candle(2, 7)]
    assert.strictEqual(shown(decisions(small, heavy).at(-1)), "hold 0.6")
  })

  it("weighs the prices of the day, and not those of the day before", () => {
    const strategy = Strategy.conservative({
      candles: 1,
      bollinger: { period: 3, deviations: 1 },
      stochastic: { range: 2, k: 1, d: 1 }
    })
    // 8,640 candles are a day. The day before was cheap, and the day is dear: only the day counts.
    const yesterday = [candle(8_630, 1, { volume: 1_000_000 })]
    const today = [candle(8_640, 10), candle(8_641, 10), candle(8_642, 7)]
    assert.strictEqual(shown(decisions(strategy, [...yesterday, ...today]).at(-1)), "buy 0.7")
  })

  it("answers from the tenth candle on", () => {
    assert.strictEqual(Strategy.conservative().warmUp, 10)
    assert.deepStrictEqual(on(Strategy.conservative(), range(1, 11)).slice(8), ["-", "hold 0.6", "hold 0.6"])
  })
})

describe("combined", () => {
  const members = (
    fast: Strategy.Strategy,
    momentum: Strategy.Strategy,
    conservative: Strategy.Strategy
  ): ReadonlyArray<Strategy.Member> => [
    { strategy: fast, weight: 0.4 },
    { strategy: momentum, weight: 0.4 },
    { strategy: conservative, weight: 0.2 }
  ]
  const never = says("hold", 0.5, Infinity)
  const one = (...of: Parameters<typeof members>) => on(Strategy.combined(members(...of), { adapt: "none" }), [1]).at(0)

  it("weighs what each of them says", () => {
    assert.strictEqual(one(says("buy", 0.8), says("hold", 0.5), says("hold", 0.6)), "hold 0.5") // 0.32
    assert.strictEqual(one(says("buy", 0.8), says("buy", 0.9), says("hold", 0.6)), "buy 0.68")
    assert.strictEqual(one(says("hold", 0.5), says("sell", 0.9), says("sell", 0.7)), "hold 0.5") // exactly 0.50
    assert.strictEqual(one(says("sell", 0.8), says("sell", 0.9), says("sell", 0.7)), "sell 0.82")
    assert.strictEqual(one(says("buy", 0.8), says("sell", 0.8), says("hold", 0.6)), "hold 0.5")
  })

  it("divides by the weights of those that answered alone", () => {
    assert.strictEqual(one(says("buy", 0.8), never, says("hold", 0.6)), "buy 0.533333333333")
    assert.strictEqual(one(says("buy", 0.8), never, says("buy", 0.7)), "buy 0.766666666667")
    assert.strictEqual(one(never, never, never), "-")
  })

  it("answers as soon as one of them does", () => {
    const strategy = Strategy.combined(members(says("buy", 0.9, 3), never, says("buy", 0.9, 5)), { adapt: "none" })
    assert.strictEqual(strategy.warmUp, 3)
    assert.deepStrictEqual(on(strategy, [1, 2, 3]), ["-", "-", "buy 0.9"])
    assert.strictEqual(Strategy.combined().warmUp, 10)
  })

  it("says who decided", () => {
    const [decision] = decisions(
      Strategy.combined(members(says("buy", 0.9, 1, "a"), says("buy", 0.9, 1, "b"), never)),
      [
        candle(0, 1)
      ]
    )
    assert.strictEqual(decision?.reason, "a, b")
  })

  it("refuses weights that are none", () => {
    const strategy = says("buy", 1)
    assert.throws(() => Strategy.combined([{ strategy, weight: 0 }]).make(), RangeError)
    assert.throws(() => Strategy.combined([{ strategy, weight: Number.NaN }]).make(), RangeError)
  })
})

describe("weights", () => {
  const strategies: ReadonlyArray<Strategy.Member> = [
    { strategy: says("buy", 1), weight: 1 },
    { strategy: says("sell", 1), weight: 1 }
  ]
  // Each says its side with confidence 1, so that the score of the stronger is its weight.
  const watched = (options: Strategy.Adaptation, closes: ReadonlyArray<number>) =>
    on(Strategy.combined(strategies, { threshold: 0, adapt: options }), closes)

  it("follow who was right, every so long of event time, by a fifth at most", () => {
    // The first candle ends at 10 s, so the weights change at 40, 70 and 100 s. From 0.5 and 0.5 they would be 0.6 and
    // 0.4; from there 0.72 and 0.32, which is brought to one by what the first may not gain.
    const closes = range(1, 10)
    assert.deepStrictEqual(watched({ every: "30 seconds" }, closes), [
      "hold 0.5",
      "hold 0.5",
      "hold 0.5",
      "buy 0.6",
      "buy 0.6",
      "buy 0.6",
      "buy 0.68",
      "buy 0.68",
      "buy 0.68",
      "buy 0.744"
    ])
  })

  it("gain a fifth at most, however much another loses", () => {
    // The strong one would have 0.72 and the others 0.06 each: what is missing to one goes to it, as they may not gain more.
    const members = [
      { strategy: says("sell", 1), weight: 0.9 },
      { strategy: says("buy", 1), weight: 0.05 },
      { strategy: says("buy", 1), weight: 0.05 }
    ]
    const strategy = Strategy.combined(members, { threshold: 0, adapt: { every: "10 seconds" } })
    assert.deepStrictEqual(on(strategy, [1, 2]), ["sell 0.9", "sell 0.88"])
  })

  it("follow what was decided since they changed last, and nothing before", () => {
    // All was right, then half: that is neither gain nor loss.
    const found = watched({ every: "20 seconds" }, [1, 2, 3, 4, 3])
    assert.deepStrictEqual([found[2], found[4]], ["buy 0.6", "buy 0.6"])
  })

  it("come no nearer to nothing than the floor", () => {
    assert.strictEqual(watched({ every: "10 seconds" }, range(1, 60)).at(-1), "buy 0.95")
    assert.strictEqual(watched({ every: "10 seconds", floor: 0.2 }, range(1, 60)).at(-1), "buy 0.8")
  })

  it("move by half of the step where half was right", () => {
    // Of four decisions each has two right: neither gains. Of three one has two: a third of the step.
    assert.strictEqual(watched({ every: "40 seconds" }, [3, 4, 3, 4, 3]).at(-1), "hold 0.5")
    assert.strictEqual(watched({ every: "30 seconds" }, [3, 4, 3, 4]).at(-1), "buy 0.533333333333")
  })

  it("are not moved by closes that prove nothing", () => {
    assert.strictEqual(watched({ every: "30 seconds" }, [3, 3, 3, 3, 3]).at(-1), "hold 0.5")
    assert.strictEqual(watched({ every: "30 seconds" }, [3, 3, 3, 4]).at(-1), "buy 0.6")
  })

  it("stay as they are for 300 s", () => {
    const found = watched({}, range(1, 31))
    assert.deepStrictEqual([found[29], found[30]], ["hold 0.5", "buy 0.6"])
  })

  it("begin anew with each product", () => {
    const strategy = Strategy.combined(strategies, { threshold: 0, adapt: { every: "10 seconds" } })
    assert.strictEqual(last(strategy, range(1, 60)), "buy 0.95")
    assert.strictEqual(on(strategy, range(1, 60)).at(0), "hold 0.5")
  })

  it.prop(
    "are never moved by more than a fifth, nor below the floor",
    [Arbitrary.array(Arbitrary.schema(below(4)), { minLength: 1, maxLength: 100 })],
    ([closes]) => {
      let before = 0.5
      for (const shown of watched({ every: "20 seconds" }, closes)) {
        const [side, score] = shown.split(" ")
        const weight = side === "buy" ? Number(score) : side === "sell" ? 1 - Number(score) : 0.5
        assert.isAtMost(Math.abs(weight - before), 0.2 * Math.min(before, 1 - before) + 1e-9)
        assert.isAtLeast(Math.min(weight, 1 - weight), 0.05 - 1e-9)
        before = weight
      }
    },
    { arbitrary: { runs: 300, size: 100, seed: 11 } }
  )
})

/** The strategies once more, from the whole history each time. */
const anew = {
  mean: (values: ReadonlyArray<number>) => values.reduce((sum, value) => sum + value, 0) / values.length,
  ema: (values: ReadonlyArray<number>, n: number): number =>
    values.slice(n).reduce((ema, value) => ema + (value - ema) * 2 / (n + 1), anew.mean(values.slice(0, n))),
  fast: (closes: ReadonlyArray<number>): string => {
    const difference = anew.ema(closes, 3) - anew.ema(closes, 5)
    return Math.abs(difference) < 1e-9 ? "?" : difference > 0 ? "buy 0.8" : "sell 0.8"
  },
  momentum: (closes: ReadonlyArray<number>): string => {
    const changes = closes.slice(-8).flatMap((close, at, all) => at === 0 ? [] : [close - (all[at - 1] ?? 0)])
    const gains = changes.reduce((sum, change) => sum + Math.max(change, 0), 0)
    const losses = changes.reduce((sum, change) => sum + Math.max(-change, 0), 0)
    const rsi = gains + losses === 0 ? 50 : 100 * gains / (gains + losses)
    const lines = range(13, closes.length).map((count) =>
      anew.ema(closes.slice(7, count), 6) - anew.ema(closes.slice(0, count), 13)
    )
    const signal = anew.ema(lines, 5)
    if (Math.abs(signal) < 1e-9 || Math.abs(rsi - 30) < 1e-6 || Math.abs(rsi - 70) < 1e-6) return "?"
    return rsi < 30 && signal > 0 ? "buy 0.9" : rsi > 70 && signal < 0 ? "sell 0.9" : "hold 0.5"
  },
  conservative: (candles: ReadonlyArray<{ readonly close: number; readonly high: number; readonly low: number }>) => {
    const closes = candles.slice(-10).map(({ close }) => close)
    const [mean, close] = [anew.mean(closes), closes.at(-1) ?? 0]
    const deviation = Math.sqrt(anew.mean(closes.map((value) => (value - mean) ** 2)))
    const raw = range(candles.length - 2, candles.length).map((count) => {
      const window = candles.slice(count - 7, count)
      const low = Math.min(...window.map((one) => one.low))
      const high = Math.max(...window.map((one) => one.high))
      return high === low ? 50 : 100 * ((window.at(-1)?.close ?? 0) - low) / (high - low)
    })
    const d = anew.mean(raw)
    const fair = anew.mean(candles.map((one) => (one.high + one.low + one.close) / 3))
    const edges = [close - mean + 2 * deviation, close - mean - 2 * deviation, d - 20, d - 80, close - fair]
    if (edges.some((edge) => Math.abs(edge) < 1e-6)) return "?"
    if (close < mean - 2 * deviation && d < 20 && close < fair) return "buy 0.7"
    return close > mean + 2 * deviation && d > 80 && close > fair ? "sell 0.7" : "hold 0.6"
  }
}

const below = (count: number) => Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: count - 1 }))

const Move = Schema.Struct({
  trend: Schema.Literals([-1, 1, 1]),
  move: Schema.Int.check(Schema.isBetween({ minimum: -20, maximum: 40 })),
  up: below(6),
  down: below(6)
})

const Moves = Arbitrary.array(Arbitrary.schema(Move), { minLength: 1, maxLength: 120 })

/** Prices that go up for a while, and then down. */
const seriesOf = (moves: ReadonlyArray<typeof Move.Type>) => {
  let close = 10_000
  let sign = 1
  return moves.map(({ down, move, trend, up }, at) => {
    if (at % 12 === 0) sign *= trend
    close += sign * move
    return { close, high: close + up, low: close - down }
  })
}

describe("any strategy", () => {
  const seen = new Set<string>()

  it.prop(
    "decides on each candle what the whole history says",
    [Moves],
    ([moves]) => {
      const series = seriesOf(moves)
      const candles = series.map((of, n) => candle(n, of.close, of))
      const closes = series.map(({ close }) => close)
      const same = (strategy: Strategy.Strategy, expected: (count: number) => string) => {
        decisions(strategy, candles).map(shown).forEach((told, at) => {
          const wanted = at + 1 < strategy.warmUp ? "-" : expected(at + 1)
          if (wanted === "?") return
          assert.strictEqual(told, wanted, `${strategy.name} at ${at + 1}`)
          seen.add(`${strategy.name} ${told}`)
        })
      }
      same(Strategy.fast(), (count) => anew.fast(closes.slice(0, count)))
      same(Strategy.momentum(), (count) => anew.momentum(closes.slice(0, count)))
      same(Strategy.conservative(), (count) => anew.conservative(series.slice(0, count)))
    },
    { timeout: 60_000, arbitrary: { runs: 200, size: 120, seed: 5 } }
  )

  it("decides everything that it can in those series", () => {
    assert.deepStrictEqual([...seen].toSorted(), [
      "conservative -",
      "conservative buy 0.7",
      "conservative hold 0.6",
      "conservative sell 0.7",
      "fast -",
      "fast buy 0.8",
      "fast sell 0.8",
      "momentum -",
      "momentum buy 0.9",
      "momentum hold 0.5",
      "momentum sell 0.9"
    ])
  })

  it.prop(
    "decides on a beginning what it decides on the whole",
    [Moves, Arbitrary.schema(below(101))],
    ([moves, percent]) => {
      const candles = seriesOf(moves).map((of, n) => candle(n, of.close, of))
      const count = Math.floor(candles.length * percent / 100)
      for (const strategy of Object.values(Strategy.byName)) {
        const whole = decisions(strategy, candles).slice(0, count)
        assert.deepStrictEqual(decisions(strategy, candles.slice(0, count)), whole)
      }
    },
    { timeout: 60_000, arbitrary: { runs: 100, size: 120, seed: 7 } }
  )
})
