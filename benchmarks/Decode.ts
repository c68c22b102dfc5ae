/** Frame → typed event with exact decimals, beside `JSON.parse` and what else reads numbers without loss. */
import "effect/schema/SchemaJITCompiler/enable"
import * as CoinbaseExchange from "@tickline/core/venue/coinbase-exchange/Venue"
import * as Generic from "@tickline/core/venue/generic/Venue"
import type { Venue } from "@tickline/core/venue/Venue"
import * as Frames from "./Frames.ts"
import { peer } from "./Peers.ts"
import * as Rounds from "./Rounds.ts"

const corpus = process.env["TICKLINE_CORPUS"]
const strings = corpus === undefined
  ? Frames.coinbaseMatches(2_000)
  : Frames.recorded(`${corpus}/coinbase-exchange.frames.jsonl`, (text) => text.includes("\"type\":\"match\""))
const numbers = Frames.genericNumbers(2_000)

let sink = 0
const passes = (frames: ReadonlyArray<string>, read: (frame: string) => unknown) => (): number => {
  const repeats = Math.ceil(20_000 / frames.length)
  const begun = performance.now()
  for (let i = 0; i < repeats; i++) for (const frame of frames) if (read(frame) !== undefined) sink++
  return (performance.now() - begun) / (repeats * frames.length) * 1_000
}

const decoding = (decode: Venue["decode"]) => (frame: string): unknown => {
  const events = decode(frame)
  if ("_tag" in events) throw new Error(`${events.field}: ${events.message}`)
  return events
}

const { parse: lossless } = await peer<{ parse: (text: string) => unknown }>("lossless-json")
const reviver = (_key: string, value: unknown, context?: { source?: string }): unknown =>
  typeof value === "number" ? context?.source : value
const withSource = (text: string): unknown => JSON.parse(text, reviver)

const results = await Rounds.interleave({
  strings: passes(strings, decoding(CoinbaseExchange.venue.decode)),
  stringsParse: passes(strings, JSON.parse),
  numbers: passes(numbers, decoding(Generic.venue.decode)),
  numbersParse: passes(numbers, JSON.parse),
  numbersLossless: passes(numbers, lossless),
  numbersReviver: passes(numbers, withSource)
}, { rounds: 15, warmup: 4 })

const micros = (values: ReadonlyArray<number>): string => `${Rounds.median(values).toFixed(2)} µs`

Rounds.report([
  {
    name: "decode, string prices (Coinbase Exchange) ÷ JSON.parse",
    value: Rounds.ratio(results.strings, results.stringsParse),
    unit: "×",
    higher: false,
    must: 1.25,
    goal: 1,
    detail: `${micros(results.strings)} a frame, JSON.parse ${micros(results.stringsParse)}`
  },
  {
    name: "decode, number prices with scale kept (generic) ÷ JSON.parse",
    value: Rounds.ratio(results.numbers, results.numbersParse),
    unit: "×",
    higher: false,
    must: 1.25,
    goal: 1,
    detail: `${micros(results.numbers)} a frame, JSON.parse ${micros(results.numbersParse)}`
  },
  {
    name: "peer: lossless-json (parse only) ÷ JSON.parse",
    value: Rounds.ratio(results.numbersLossless, results.numbersParse),
    unit: "×",
    higher: false
  },
  {
    name: "peer: JSON.parse with a source reviver ÷ JSON.parse",
    value: Rounds.ratio(results.numbersReviver, results.numbersParse),
    unit: "×",
    higher: false
  }
])
if (sink === 0) throw new Error("nothing was read")
