/** Breakages of candles, of indicators, and of what the runner makes of them. */
import type { Breakage } from "./Breakage.ts"

const strategy = "packages/core/src/strategy"
const candles = `${strategy}/Candles.ts`
const indicators = `${strategy}/Indicators.ts`
const averages = `${strategy}/internal/averages.ts`
const rolling = `${strategy}/internal/rolling.ts`
const magnitude = `${strategy}/internal/magnitude.ts`
const doubles = `${strategy}/internal/doubles.ts`
const spec = `${strategy}/IndicatorSpec.ts`
const runner = "packages/node/src/runner"
const calculating = `${runner}/Calculating.ts`
const line = `${runner}/internal/candleLine.ts`
const ofCandles = "packages/core/test/Candles.test.ts"
const ofIndicators = "packages/core/test/Indicators.test.ts"
const ofRunner = "packages/node/test/runner/Indicators.test.ts"

export const breakages: ReadonlyArray<Breakage> = [
  {
    name: "tickline indicators takes a price of too many digits for none",
    file: line,
    original: "Decimal.parse(text) ?? (number.test(text)",
    replacement: "Decimal.parse(text) ?? (text === \"\"",
    test: [ofRunner, "reads a price of any length"]
  },
  {
    name: "candles: the highest price is the last",
    file: candles,
    original: "if (BigDecimal.isGreaterThan(price, into.high)) into.high = price",
    replacement: "into.high = price",
    test: [ofCandles, "hold the first, the highest"]
  },
  {
    name: "candles: a late trade is the close",
    file: candles,
    original: "  if (!isBefore(at, into.closeAt)) {",
    replacement: "  if (true) {",
    test: [ofCandles, "are the same in whatever order"]
  },
  {
    name: "candles: a trade at the end of a candle is in it",
    file: candles,
    original: "!isBefore(timestamp, only.from) && isBefore(timestamp, only.to)",
    replacement: "!isBefore(timestamp, only.from) && !isBefore(only.to, timestamp)",
    test: [ofCandles, "hold the first, the highest"]
  },
  {
    name: "candles: times before 1970 are of the interval after theirs",
    file: candles,
    original: "return self % by < 0n ? quotient - 1n : quotient",
    replacement: "return quotient",
    test: [ofCandles, "are aligned to the epoch"]
  },
  {
    name: "candles: one that began in the middle is whole",
    file: candles,
    original: "const isCut = this.began === undefined || isBefore(from, this.began) ||",
    replacement: "const isCut = this.began === undefined ||",
    test: [ofCandles, "are not whole if they began in the middle"]
  },
  {
    name: "candles: one that is cut at its end is whole",
    file: candles,
    original: "this.newest === undefined || isBefore(this.newest, to)",
    replacement: "this.newest === undefined",
    test: [ofCandles, "come from a stream of trades"]
  },
  {
    name: "candles: what was missed changes nothing",
    file: candles,
    original: "isWhole: !isTouched && !isCut",
    replacement: "isWhole: !isCut",
    test: [ofCandles, "are not whole where data was missed"]
  },
  {
    name: "candles: a straggler ends what is missing",
    file: candles,
    original: "if (!isBefore(timestamp, one.from)) one.to ??= timestamp",
    replacement: "one.to ??= timestamp",
    test: [ofCandles, "go on being not whole while a straggler"]
  },
  {
    name: "candles: nobody waits for late trades",
    file: candles,
    original: "Timestamp.toEpochNanos(to) - this.lateness",
    replacement: "Timestamp.toEpochNanos(to)",
    test: [ofCandles, "wait for late trades"]
  },
  {
    name: "candles: a trade after the close opens its candle anew",
    file: candles,
    original: "if (this.horizon !== undefined && index < this.horizon) {",
    replacement: "if (this.horizon === undefined) {",
    test: [ofCandles, "wait for late trades"]
  },
  {
    name: "candles: a silence gives none",
    file: candles,
    original: "this.isFlat = gaps !== \"skip\"",
    replacement: "this.isFlat = false",
    test: [ofCandles, "are flat where nothing was traded"]
  },
  {
    name: "candles: a time in the far future gives millions",
    file: candles,
    original: "const mostFlat = 10_000n",
    replacement: "const mostFlat = 10_001n",
    test: [ofCandles, "are not made by the million"]
  },
  {
    name: "indicators: an average is seeded by the first value",
    file: averages,
    original: "this.isSeededByFirst ? this.share : 1 / this.count",
    replacement: "this.share",
    test: [ofIndicators, "ema:5 equals its definition over usual prices"]
  },
  {
    name: "indicators: an average seeded by the first value is ready too late",
    file: averages,
    original: "} else this.value += (value - this.value) * this.share",
    replacement: "} else this.value += (value - this.value) / this.length",
    test: [ofIndicators, "ema:5:first equals its definition over usual prices"]
  },
  {
    name: "indicators: RSI of a price that rests fades",
    file: averages,
    original: "      if (this.length === 1) this.share = undefined",
    replacement: "      this.share = undefined",
    test: [ofIndicators, "keep RSI as it is"]
  },
  {
    name: "indicators: RSI of one change remembers the one before",
    file: averages,
    original: "      if (this.length === 1) this.share = undefined",
    replacement: "      if (this.length === 0) this.share = undefined",
    test: [ofIndicators, "rsi:1 equals its definition over prices that hardly move"]
  },
  {
    name: "indicators: RSI knows one size of changes",
    file: averages,
    original: "const level = levelOf(Math.max(Math.abs(change), unscaled))",
    replacement: "const level = levelOf(Math.abs(change))",
    test: [ofIndicators, "rsi:5 equals its definition over huge prices with tiny ones between"]
  },
  {
    name: "indicators: the fast average of MACD begins with the slow one",
    file: indicators,
    original: "this.wait = slow - fast\n",
    replacement: "this.wait = slow - fast - slow + fast\n",
    test: [ofIndicators, "macd:3:6:4 equals its definition over usual prices"]
  },
  {
    name: "indicators: a window is reckoned anew for each value",
    file: rolling,
    original: "if (isOther) this.reckon()\n    else this.sum +=",
    replacement: "if (isOther || this.isTurned) this.reckon()\n    else this.sum +=",
    test: [ofIndicators, "cost about the same whatever the window"]
  },
  {
    name: "indicators: a window keeps the sum of what has left",
    file: rolling,
    original: "    this.at = 0\n    this.reckonBefore()\n    this.sum = 0\n  }\n\n  // All anew: the factor",
    replacement: "    this.at = 0\n    this.reckonBefore()\n  }\n\n  // All anew: the factor",
    test: [ofIndicators, "sma:7 equals its definition over usual prices"]
  },
  {
    name: "indicators: a huge price that has left makes tiny ones nothing",
    file: magnitude,
    original: "const isOther = factor !== this.factor",
    replacement: "const isOther = factor < this.factor",
    test: [ofIndicators, "bollinger:6:2 equals its definition over huge prices, then tiny ones"]
  },
  {
    name: "indicators: averages of the smallest doubles stand still",
    file: magnitude,
    original: "export class Reach {\n  factor: number = factors[0]",
    replacement: "export class Reach {\n  factor: number = factors[1]",
    test: [ofIndicators, "come to the smallest doubles"]
  },
  {
    name: "indicators: squares of huge prices overflow",
    file: magnitude,
    original: "export const factors = [2 ** 600, 1, 2 ** -600] as const",
    replacement: "export const factors = [2 ** 600, 1, 1] as const",
    test: [ofIndicators, "bollinger:6:2 equals its definition over huge prices"]
  },
  {
    name: "indicators: squares of tiny prices vanish",
    file: magnitude,
    original: "export const factors = [2 ** 600, 1, 2 ** -600] as const",
    replacement: "export const factors = [1, 1, 2 ** -600] as const",
    test: [ofIndicators, "bollinger:6:2 equals its definition over tiny prices"]
  },
  {
    name: "indicators: what is between the means of two blocks is no deviation",
    file: rolling,
    original: "between * between * (this.at * (before / this.length))",
    replacement: "0",
    test: [ofIndicators, "bollinger:6:2 equals its definition over usual prices"]
  },
  {
    name: "indicators: the highest price forgets the block before",
    file: rolling,
    original: "if (!this.isTurned || this.at === this.length) return",
    replacement: "if (this.isTurned) return",
    test: [ofIndicators, "stochastic:5:3:2 equals its definition over usual prices"]
  },
  {
    name: "indicators: a flat range is at its bottom",
    file: indicators,
    original: "slow.push(range === 0 ? 50 : 100 * (above / range))",
    replacement: "slow.push(range === 0 ? 0 : 100 * (above / range))",
    test: [ofIndicators, "stochastic:5:3:2 equals its definition over one price"]
  },
  {
    name: "indicators: a late candle begins its day's VWAP anew",
    file: indicators,
    original: "const known = this.days.get(at)",
    replacement: "const known = at === [...this.days.keys()].at(-1) ? this.days.get(at) : undefined",
    test: [ofRunner, "takes a late candle for one of its own day"]
  },
  {
    name: "indicators: VWAP of the day goes on for ever",
    file: indicators,
    original: "this.last = dayOf(timestamp)",
    replacement: "this.last = 0",
    test: [ofIndicators, "vwap equals its definition over usual prices"]
  },
  {
    name: "indicators: VWAP without volume is nothing",
    file: indicators,
    original: "return average.isWeighed ? average.value / this.prices.factor : typical",
    replacement: "return average.value / this.prices.factor",
    test: [ofIndicators, "vwap equals its definition over prices without volume"]
  },
  {
    name: "indicators: the true range does not look at the close before",
    file: indicators,
    original: "average.push(Math.max(high - low, Math.abs(high - close), Math.abs(low - close)))",
    replacement: "average.push(Math.max(high - low, Math.abs(close - close)))",
    test: [ofIndicators, "atr:5 equals its definition over other usual prices"]
  },
  {
    name: "indicators: differences are of the nearest doubles",
    file: doubles,
    original: "(aRest - bRest))",
    replacement: "0 * (aRest - bRest))",
    test: [ofIndicators, "take differences of decimals"]
  },
  {
    name: "indicators: a decimal is rounded twice",
    file: doubles,
    original: "Number(decimal.value) / (powers[decimal.scale] ?? 1)",
    replacement: "Number(decimal.value) * (1 / (powers[decimal.scale] ?? 1))",
    test: [ofIndicators, "round a decimal once"]
  },
  {
    name: "indicators: a fast average that is not faster is taken",
    file: spec,
    original: "f < s ? Indicators.macd(f, s, g) : undefined",
    replacement: "f <= s ? Indicators.macd(f, s, g) : undefined",
    test: [ofIndicators, "are named by a text"]
  },
  {
    name: "indicators: a name of a method is an indicator",
    file: spec,
    original:
      "  const form = Object.hasOwn(forms, name) ? forms[name] : undefined\n  if (form !== undefined) return form.form",
    replacement: "  const form = forms[name]\n  if (form !== undefined) return form.form",
    test: [ofIndicators, "are named by a text"]
  },
  {
    name: "indicators: an argument that is none is a file",
    file: calculating,
    original: "arg === \"-\" || arg.includes(\"/\") || arg.includes(\".json\")",
    replacement: "arg === \"-\" || arg.includes(\"/\") || arg.includes(\".\")",
    test: [ofRunner, "never reads an argument that is no indicator"]
  },
  {
    name: "indicators: the lines before a wrong one are lost",
    file: calculating,
    original: "            yield* stdout.write(out)\n            return yield*",
    replacement: "            return yield*",
    test: [ofRunner, "ends with 1 at a line that is neither"]
  },
  {
    name: "indicators: blank lines are not counted",
    file: calculating,
    original: "          count++\n          const found = read(line)",
    replacement: "          const found = read(line)\n          if (found !== undefined) count++",
    test: [ofRunner, "ends with 1 at a line that is neither"]
  },
  {
    name: "indicators: a value larger than a double is null",
    file: calculating,
    original: "if (typeof value === \"number\") return String(finite(value))\n  const members",
    replacement: "if (typeof value === \"number\") return JSON.stringify(value)\n  const members",
    test: [ofRunner, "prints the largest double"]
  },
  {
    name: "indicators: a signal ends nothing",
    file: calculating,
    original: "Effect.raceFirst(Effect.asVoid(signal), stdout.closed)",
    replacement: "stdout.closed",
    test: [ofRunner, "ends quietly with 0 when its reader has gone"]
  },
  {
    name: "indicators: a timestamp loses its digits",
    file: line,
    original: "const timestamp = typeof value === \"string\" ? JSON.stringify(value) : text",
    replacement: "const timestamp = typeof value === \"string\" ? JSON.stringify(value) : String(Number(text))",
    test: [ofRunner, "gives the timestamp as it was written"]
  },
  {
    name: "indicators: a volume below zero is taken",
    file: line,
    original: "return found.volume.value < 0n ?",
    replacement: "return found.volume.value < -9_999n ?",
    test: [ofRunner, "ends with 1 at a line that is neither"]
  },
  {
    name: "indicators: infinity is a price",
    file: line,
    original: "return Number.isFinite(Number(text)) ? decimal",
    replacement: "return text !== undefined ? decimal",
    test: [ofRunner, "ends with 1 at a line that is neither"]
  },
  {
    name: "indicators: a price with some member of a candle is no price",
    file: line,
    original: "const isCandle = members.every(",
    replacement: "const isCandle = members.some(",
    test: [ofRunner, "counts blank lines, reads CRLF"]
  }
]
