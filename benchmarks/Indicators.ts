/**
 * Seven indicators over the same candles, one candle at a time, beside those of
 * `trading-signals` and of `technicalindicators`; and what longer series and
 * longer windows cost.
 *
 * The seven are those that all three have: SMA 20, EMA 20, RSI 14, MACD 12 26 9,
 * Bollinger 20 2, the stochastic oscillator 14 3 3 and ATR 14. All must end with
 * the same values. technicalindicators rounds RSI to two digits, and its
 * stochastic oscillator takes one mean less.
 */
import * as Indicators from "@tickline/core/strategy/Indicators"
import { peer } from "./Peers.ts"
import * as Rounds from "./Rounds.ts"

interface Signals {
  readonly add: (input: unknown) => unknown
  readonly getResult: () => unknown
}
type MakeSignals = new(...args: ReadonlyArray<unknown>) => Signals
interface TradingSignals {
  readonly SMA: MakeSignals
  readonly EMA: MakeSignals
  readonly RSI: MakeSignals
  readonly MACD: MakeSignals
  readonly BollingerBands: MakeSignals
  readonly StochasticOscillator: MakeSignals
  readonly ATR: MakeSignals
  readonly WSMA: MakeSignals
}

interface Technical {
  readonly nextValue: (input: unknown) => unknown
}
type MakeTechnical = new(input: object) => Technical
interface TechnicalIndicators {
  readonly SMA: MakeTechnical
  readonly EMA: MakeTechnical
  readonly RSI: MakeTechnical
  readonly MACD: MakeTechnical
  readonly BollingerBands: MakeTechnical
  readonly Stochastic: MakeTechnical
  readonly ATR: MakeTechnical
}

const signals = await peer<TradingSignals>("trading-signals")
const technical = await peer<TechnicalIndicators>("technicalindicators")

/** A walk, the same each time (the generator of Lehmer, with the factor of Park and Miller). */
const candlesOf = (count: number): ReadonlyArray<Indicators.Input> => {
  let state = 7
  const next = () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647
  let price = 43_250
  return Array.from({ length: count }, () => {
    const open = price
    price = Math.max(price + (next() - 0.5) * 40, 1)
    return {
      open,
      high: Math.max(open, price) + next() * 10,
      low: Math.min(open, price) - next() * 10,
      close: price,
      volume: next() * 3
    }
  })
}

const few = candlesOf(20_000)
/** Ten times the same ones, so that what differs is the length of the series and not where its candles lie. */
const many = Array.from({ length: 10 }, () => few).flat()

/** Microseconds a candle, and the last value of each indicator. */
interface Run {
  readonly micros: number
  readonly last: ReadonlyArray<unknown>
}

const timed = <A>(
  candles: ReadonlyArray<Indicators.Input>,
  indicators: ReadonlyArray<A>,
  update: (indicator: A, candle: Indicators.Input) => unknown
): Run => {
  const last: Array<unknown> = indicators.map(() => undefined)
  // The processor's time of this thread: what else runs on the machine does not count.
  const begun = process.threadCpuUsage().user
  for (const candle of candles) {
    for (let i = 0; i < indicators.length; i++) last[i] = update(indicators[i]!, candle)
  }
  return { micros: (process.threadCpuUsage().user - begun) / candles.length, last }
}

const seven = (): ReadonlyArray<Indicators.Indicator<unknown>> => [
  Indicators.sma(20),
  Indicators.ema(20),
  Indicators.rsi(14),
  Indicators.macd(12, 26, 9),
  Indicators.bollinger(20, 2),
  Indicators.stochastic(14, 3, 3),
  Indicators.atr(14)
]

const windowed = (length: number): ReadonlyArray<Indicators.Indicator<unknown>> => [
  Indicators.sma(length),
  Indicators.ema(length),
  Indicators.rsi(length, { average: "simple" }),
  Indicators.macd(12, length, 9),
  Indicators.bollinger(length, 2),
  Indicators.stochastic(length, 3, 3),
  Indicators.vwap(length),
  Indicators.atr(length)
]

const ours = (candles: ReadonlyArray<Indicators.Input>, indicators: ReadonlyArray<Indicators.Indicator<unknown>>) =>
  timed(candles, indicators, (indicator, candle) => indicator.update(candle))

const ofSignals = (): Run => {
  const { ATR, BollingerBands, EMA, MACD, RSI, SMA, StochasticOscillator, WSMA } = signals
  const [prices, candles] = [
    [
      new SMA(20),
      new EMA(20),
      new RSI(14, WSMA),
      new MACD(new EMA(12), new EMA(26), new EMA(9)),
      new BollingerBands(20, 2)
    ],
    [new StochasticOscillator({ kPeriod: 14, kSlowingPeriod: 3, dPeriod: 3 }), new ATR(14, WSMA)]
  ]
  const all = [
    ...prices.map((indicator) => ({ indicator, isOfPrices: true })),
    ...candles.map((indicator) => ({ indicator, isOfPrices: false }))
  ]
  return timed(few, all, ({ indicator, isOfPrices }, candle) => indicator.add(isOfPrices ? candle.close : candle))
}

const ofTechnical = (): Run => {
  const { ATR, BollingerBands, EMA, MACD, RSI, SMA, Stochastic } = technical
  const none = { values: [], high: [], low: [], close: [] }
  const macd = { fastPeriod: 12, slowPeriod: 26, signalPeriod: 9, SimpleMAOscillator: false, SimpleMASignal: false }
  const all = [
    { indicator: new SMA({ period: 20, ...none }), isOfPrices: true },
    { indicator: new EMA({ period: 20, ...none }), isOfPrices: true },
    { indicator: new RSI({ period: 14, ...none }), isOfPrices: true },
    { indicator: new MACD({ ...macd, ...none }), isOfPrices: true },
    { indicator: new BollingerBands({ period: 20, stdDev: 2, ...none }), isOfPrices: true },
    { indicator: new Stochastic({ period: 14, signalPeriod: 3, ...none }), isOfPrices: false },
    { indicator: new ATR({ period: 14, ...none }), isOfPrices: false }
  ]
  return timed(few, all, ({ indicator, isOfPrices }, candle) => indicator.nextValue(isOfPrices ? candle.close : candle))
}

/** Each library's name for the members that are compared: of MACD, of the bands, and of the oscillator's first mean. */
const figures = ({ last }: Run, names: readonly [macd: string, upper: string, mean: string]): ReadonlyArray<number> => {
  const member = (at: number, name: string): number => Number(Reflect.get(Object(last[at]), name))
  const rsi = Number(Number(last[2]).toFixed(2))
  return [
    Number(last[0]),
    Number(last[1]),
    rsi,
    member(3, names[0]),
    member(4, names[1]),
    member(5, names[2]),
    Number(last[6])
  ]
}

/** Ten short series, one after the other: a single one takes six milliseconds, and the system counts some of them at once. */
const shortSeries = (): number => {
  const micros = Array.from({ length: 10 }, () => ours(few, windowed(26)).micros)
  return micros.reduce((sum, each) => sum + each, 0) / micros.length
}

const expected = figures(ours(few, seven()), ["macd", "upper", "k"])
for (
  const found of [
    figures(ofSignals(), ["macd", "upper", "stochK"]),
    figures(ofTechnical(), ["MACD", "upper", "d"])
  ]
) {
  const isSame = found.every((value, i) => Math.abs(value - (expected[i] ?? Number.NaN)) < 1e-6)
  if (!isSame) throw new Error(`not the same indicators: ${expected.join(" ")} and ${found.join(" ")}`)
}

const results = await Rounds.interleave({
  ours: () => ours(few, seven()).micros,
  signals: () => ofSignals().micros,
  technical: () => ofTechnical().micros,
  few: shortSeries,
  many: () => ours(many, windowed(26)).micros,
  narrow: () => ours(many, windowed(26)).micros,
  wide: () => ours(many, windowed(5_000)).micros
}, { rounds: 9, warmup: 3 })

const faster = results.signals.map((micros, i) => Math.min(micros, results.technical[i] ?? Number.NaN))
const shown = (micros: ReadonlyArray<number>): string => `${Rounds.median(micros).toFixed(2)} µs`

Rounds.report([
  {
    name: "seven indicators, one candle: × faster than the faster of trading-signals and technicalindicators",
    value: Rounds.ratio(faster, results.ours),
    unit: "×",
    higher: true,
    must: 2,
    goal: 5,
    detail: `${shown(results.ours)} a candle, trading-signals ${shown(results.signals)}, ` +
      `technicalindicators ${shown(results.technical)}`
  },
  {
    name: "eight indicators, a candle of 200,000 ÷ one of 20,000",
    value: Rounds.ratio(results.many, results.few),
    unit: "×",
    higher: false,
    must: 1.5,
    goal: 1.1,
    detail: `${shown(results.many)} a candle`
  },
  {
    name: "eight indicators, a window of 5,000 candles ÷ one of 26",
    value: Rounds.ratio(results.wide, results.narrow),
    unit: "×",
    higher: false,
    must: 1.5,
    goal: 1.1,
    detail: `${shown(results.wide)} a candle`
  }
])
