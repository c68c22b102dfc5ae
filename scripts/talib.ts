/**
 * `pnpm talib`: whether our indicators say what TA-Lib says.
 *
 * TA-Lib's own C functions, as WebAssembly from `talib-web`, which is installed
 * into a folder of its own, and ours read the same series: random ones, and real
 * prices where `TICKLINE_CORPUS` names a folder of captured events.
 * (The JavaScript of that package calls them with an end one past the data and
 * no place for the counts, so it is passed by.)
 *
 * Both must be within the bounds of our indicators. Where they are not, as where
 * TA-Lib takes less than 1e-14 for zero, its variance cancels, or a flat range
 * has 0 for its raw %K and not 50, the definition in exact fractions decides, and
 * ours must be within the bounds of that. Prints a table; exits 1 where ours is
 * not.
 */
import * as Indicators from "@tickline/core/strategy/Indicators"
import * as Fs from "node:fs"
import { createRequire } from "node:module"
import * as Path from "node:path"
import { peer } from "../benchmarks/Peers.ts"
import * as Reference from "../packages/core/test/Indicators.reference.ts"
import { installPeers } from "./peers.ts"

/** What is used of the module that talib-web makes of TA-Lib: its memory, and its functions by their C names. */
interface Talib {
  readonly HEAPF64: Float64Array
  readonly HEAP32: Int32Array
  readonly _malloc: (bytes: number) => number
  readonly _free: (pointer: number) => void
  readonly [name: `_TA_${string}`]: (...args: ReadonlyArray<number>) => number
}

interface Candle {
  readonly high: number
  readonly low: number
  readonly close: number
}

/** Columns of values, each from the same candle on, counted from 0. */
interface Values {
  readonly begin: number
  readonly columns: ReadonlyArray<ReadonlyArray<number>>
}

type Inputs = ReadonlyArray<keyof Candle>

/** Calls a function of TA-Lib over a whole series. */
const call = (
  talib: Talib,
  name: string,
  candles: ReadonlyArray<Candle>,
  inputs: Inputs,
  options: ReadonlyArray<number>,
  outputs: number
): Values => {
  const pointers = [...inputs, ...Array.from({ length: outputs })].map(() => talib._malloc(8 * candles.length))
  const counts = talib._malloc(8)
  const view = (pointer: number) => talib.HEAPF64.subarray(pointer / 8, pointer / 8 + candles.length)
  inputs.forEach((input, i) => view(pointers[i] ?? 0).set(candles.map((candle) => candle[input])))
  const [ins, outs] = [pointers.slice(0, inputs.length), pointers.slice(inputs.length)]
  const code = talib[`_TA_${name}`]?.(0, candles.length - 1, ...ins, ...options, counts, counts + 4, ...outs)
  if (code !== 0) throw new Error(`TA_${name} gave ${code}`)
  const [begin = 0, length = 0] = talib.HEAP32.subarray(counts / 4, counts / 4 + 2)
  const columns = outs.map((pointer) => [...view(pointer).subarray(0, length)])
  for (const pointer of [...pointers, counts]) talib._free(pointer)
  return { begin, columns }
}

type Value = number | Readonly<Record<string, number>>

/** An indicator of ours, TA-Lib's, the definition, member by member, and the window that the bound is of. */
interface Subject {
  readonly name: string
  readonly ours: () => Indicators.Indicator<Value>
  readonly members: ReadonlyArray<string>
  readonly theirs: (talib: Talib, candles: ReadonlyArray<Candle>) => Values
  readonly exact: (candles: ReadonlyArray<Reference.Candle>) => Exact
  /** Of a share, such as RSI, there is none: its bound is 1e-7. */
  readonly bound: "window" | "series" | "share"
  /** How many candles a value looks at; none where it looks at all. */
  readonly window?: number
}

const close: Inputs = ["close"]
const range: Inputs = ["high", "low", "close"]

const record = (value: object): Readonly<Record<string, number>> => ({ ...value } as Readonly<Record<string, number>>)

const wrapped = <A extends object>(indicator: Indicators.Indicator<A>): Indicators.Indicator<Value> => ({
  update: (input) => {
    const value = indicator.update(input)
    return value && record(value)
  }
})

const subjects: ReadonlyArray<Subject> = [
  ...[2, 20, 200].map((n): Subject => ({
    name: `SMA ${n}`,
    ours: () => Indicators.sma(n),
    members: [""],
    theirs: (talib, candles) => call(talib, "SMA", candles, close, [n], 1),
    exact: (candles) => ({ "": Reference.sma(candles, n) }),
    bound: "window",
    window: n
  })),
  ...[2, 20, 200].map((n): Subject => ({
    name: `EMA ${n}`,
    ours: () => Indicators.ema(n),
    members: [""],
    theirs: (talib, candles) => call(talib, "EMA", candles, close, [n], 1),
    exact: (candles) => ({ "": Reference.ema(candles, n, "mean") }),
    bound: "series"
  })),
  ...[2, 14, 50].map((n): Subject => ({
    name: `RSI ${n}`,
    ours: () => Indicators.rsi(n),
    members: [""],
    theirs: (talib, candles) => call(talib, "RSI", candles, close, [n], 1),
    exact: (candles) => ({ "": Reference.rsi(candles, n, "wilder") }),
    bound: "share"
  })),
  ...[[12, 26, 9], [3, 10, 16]].map(([f = 0, s = 0, g = 0]): Subject => ({
    name: `MACD ${f} ${s} ${g}`,
    ours: () => wrapped(Indicators.macd(f, s, g)),
    members: ["macd", "signal", "histogram"],
    theirs: (talib, candles) => call(talib, "MACD", candles, close, [f, s, g], 3),
    exact: (candles) => Reference.macd(candles, f, s, g),
    bound: "series"
  })),
  ...[[20, 2], [5, 2.5]].map(([n = 0, k = 0]): Subject => ({
    name: `BBANDS ${n} ${k}`,
    ours: () => wrapped(Indicators.bollinger(n, k)),
    members: ["upper", "middle", "lower"],
    theirs: (talib, candles) => call(talib, "BBANDS", candles, close, [n, k, k, 0], 3),
    exact: (candles) => Reference.bollinger(candles, n, Reference.ofDouble(k)),
    bound: "window",
    window: n
  })),
  ...[[14, 3, 3], [5, 3, 2]].map(([k = 0, s = 0, d = 0]): Subject => ({
    name: `STOCH ${k} ${s} ${d}`,
    ours: () => wrapped(Indicators.stochastic(k, s, d)),
    members: ["k", "d"],
    theirs: (talib, candles) => call(talib, "STOCH", candles, range, [k, s, 0, d, 0], 2),
    exact: (candles) => Reference.stochastic(candles, k, s, d),
    bound: "share",
    window: k + s + d - 2
  })),
  ...[2, 14].map((n): Subject => ({
    name: `ATR ${n}`,
    ours: () => Indicators.atr(n),
    members: [""],
    theirs: (talib, candles) => call(talib, "ATR", candles, range, [n], 1),
    exact: (candles) => ({ "": Reference.atr(candles, n) }),
    bound: "series"
  }))
]

/** Whole numbers below a bound, by a linear congruence (Numerical Recipes). */
const random = (seed: number): (below: number) => number => {
  let state = seed >>> 0
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * below)
  }
}

/** A walk in steps of `tick`, each as likely up as down, which rests for a while now and then. */
const walk = (seed: number, options: { start: number; step: number; tick: number; rests: boolean }) => {
  const next = random(seed)
  let price = options.start
  let rest = 0
  return Array.from({ length: 1_000 }, (): Candle => {
    if (options.rests && rest === 0 && next(40) === 0) rest = 30
    if (rest > 0) {
      rest--
      const still = price * options.tick
      return { high: still, low: still, close: still }
    }
    price = Math.max(price + next(2 * options.step + 1) - options.step, 1)
    const [high, low] = [price + next(options.step), Math.max(price - next(options.step), 0)]
    return { high: high * options.tick, low: low * options.tick, close: price * options.tick }
  })
}

const randomSeries: ReadonlyArray<readonly [name: string, candles: ReadonlyArray<Candle>]> = [
  ["a walk", walk(1, { start: 4_325_010, step: 2_000, tick: 0.01, rests: false })],
  ["a wild walk", walk(2, { start: 10_000, step: 5_000, tick: 0.0001, rests: false })],
  ["a walk with rests", walk(3, { start: 100_000, step: 100, tick: 0.01, rests: true })],
  ["a walk of tiny prices", walk(4, { start: 100_000, step: 500, tick: 1e-14, rests: true })],
  ["a walk that hardly moves", walk(5, { start: 1_000_000_000, step: 2, tick: 0.001, rests: true })],
  ["a walk of large prices", walk(6, { start: 1_000_000, step: 2_000, tick: 1e6, rests: false })]
]

/** The price that an event is of: that of a trade, or of the first level that changed of a book's bids. */
const priceOf = (event: Readonly<Record<string, unknown>>): string | undefined => {
  const { bids, price } = event
  const level: unknown = Array.isArray(bids) ? bids[0] : undefined
  const found: unknown = event["_tag"] === "BookDelta" && Array.isArray(level) ? level[0] : price
  return typeof found === "string" ? found : undefined
}

/** Captured prices by venue and product, of those with more than 100: trades, tickers and changes of books. */
const captured = (folder: string): ReadonlyArray<readonly [name: string, candles: ReadonlyArray<Candle>]> => {
  const found = new Map<string, Array<Candle>>()
  for (const file of Fs.readdirSync(folder).filter((name) => name.endsWith(".events.jsonl")).toSorted()) {
    for (const line of Fs.readFileSync(Path.join(folder, file), "utf8").split("\n")) {
      if (line === "") continue
      const { events }: { readonly events: ReadonlyArray<Readonly<Record<string, unknown>>> } = JSON.parse(line)
      for (const event of events) {
        const price = priceOf(event)
        if (price === undefined) continue
        const of = `${event["venue"]} ${event["product"]}`
        const candles = found.get(of) ?? []
        const close = Number(price)
        // From the last price to this one, so that there are highs and lows.
        const last = candles.at(-1)?.close ?? close
        candles.push({ high: Math.max(last, close), low: Math.min(last, close), close })
        found.set(of, candles)
      }
    }
  }
  return [...found].filter(([, candles]) => candles.length > 100).map(([of, candles]) => [of, candles.slice(0, 1_000)])
}

const exactly = (candle: Candle): Reference.Candle => ({
  high: Reference.ofDouble(candle.high),
  low: Reference.ofDouble(candle.low),
  close: Reference.ofDouble(candle.close),
  volume: Reference.zero,
  day: 0
})

type Exact = Readonly<Record<string, Reference.Series>>

/** What the definition gives at a candle, in exact fractions: over its window, or over the whole series, which is kept. */
const exactOf = (subject: Subject, candles: ReadonlyArray<Candle>) => {
  let whole: Exact | undefined
  return (at: number, member: string): Reference.Fraction | undefined => {
    if (subject.window === undefined) {
      whole ??= subject.exact(candles.map(exactly))
      return whole[member]?.[at]
    }
    return subject.exact(candles.slice(at + 1 - subject.window, at + 1).map(exactly))[member]?.at(-1)
  }
}

const isWithin = (value: number, exact: Reference.Fraction | undefined, bound: number): boolean =>
  exact !== undefined && !Reference.isLess(
    Reference.ofDouble(bound),
    Reference.size(Reference.minus(Reference.ofDouble(value), exact))
  )

interface Outcome {
  readonly compared: number
  /** The largest difference of those that are within the bound, as a share of it. */
  readonly worst: number
  readonly disputed: number
  readonly wrong: ReadonlyArray<string>
}

const compare = (talib: Talib, subject: Subject, candles: ReadonlyArray<Candle>): Outcome => {
  const theirs = subject.theirs(talib, candles)
  const indicator = subject.ours()
  const exact = exactOf(subject, candles)
  const sizes = candles.map(({ close, high, low }) => Math.max(Math.abs(close), Math.abs(high), Math.abs(low)))
  const wrong: Array<string> = []
  let [compared, worst, disputed, largest] = [0, 0, 0, 0]
  candles.forEach(({ close, high, low }, at) => {
    const value = indicator.update({ open: close, high, low, close, volume: 0 })
    largest = Math.max(largest, sizes[at] ?? 0)
    const window = subject.bound === "window" ? sizes.slice(Math.max(at + 1 - (subject.window ?? 0), 0), at + 1) : []
    const bound = subject.bound === "share"
      ? 1e-7
      : 1e-9 * (subject.bound === "window" ? Math.max(...window) : largest)
    subject.members.forEach((member, column) => {
      const own = typeof value === "object" ? value[member] : value
      const their = theirs.columns[column]?.[at - theirs.begin]
      if (own === undefined || their === undefined) {
        if (own !== their) wrong.push(`${member} at candle ${at + 1}: ${own}, TA-Lib ${their}`)
        return
      }
      compared++
      const off = Math.abs(own - their)
      if (off <= bound) worst = Math.max(worst, off / bound)
      else {
        disputed++
        if (!isWithin(own, exact(at, member), bound)) {
          wrong.push(`${member} at candle ${at + 1}: ${own}, TA-Lib ${their}`)
        }
      }
    })
  })
  return { compared, worst, disputed, wrong }
}

installPeers()
const require = createRequire(new URL("../benchmarks/peers/package.json", import.meta.url))
const wasm = Fs.readFileSync(Path.join(Path.dirname(require.resolve("talib-web")), "talib.wasm"))
const { init } = await peer<{ readonly init: (wasm: string) => Promise<Talib> }>("talib-web")
// The package fetches its file by its path, which Node does not do; it does read a URL with the bytes in it.
const talib = await init(`data:application/wasm;base64,${wasm.toString("base64")}`)

const corpus = process.env["TICKLINE_CORPUS"]
const real = corpus === undefined ? [] : captured(corpus)
const rows = [["series", "indicator", "values", "largest difference ÷ bound", "exact value governs", "wrong"]]
const wrongs: Array<string> = []
for (const [name, candles] of [...randomSeries, ...real]) {
  for (const subject of subjects) {
    const { compared, disputed, worst, wrong } = compare(talib, subject, candles)
    rows.push([name, subject.name, String(compared), worst.toExponential(1), String(disputed), String(wrong.length)])
    wrongs.push(...wrong.map((one) => `${name}, ${subject.name}: ${one}`))
  }
}
const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
for (const row of rows) {
  process.stdout.write(`${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join("  ").trimEnd()}\n`)
}
if (corpus === undefined) process.stdout.write("No real series: TICKLINE_CORPUS names no folder of captured events.\n")
for (const one of wrongs.slice(0, 20)) process.stderr.write(`${one}\n`)
if (wrongs.length > 0) process.exit(1)
