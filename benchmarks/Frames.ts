/**
 * Frames in the venues' shapes, from a seed: what the benchmarks read where no
 * corpus is given.
 */
import { readFileSync } from "node:fs"

const pad = (value: number, digits: number): string => String(value).padStart(digits, "0")

// A small linear congruential generator: the same frames on every run.
const makeNext = (seed: number) => {
  let state = seed >>> 0
  return (bound: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 0x100000000) * bound)
  }
}

/** The products of a benchmark by their number: `BTC-USD` if there is one. */
export const products = (count: number): ReadonlyArray<string> =>
  count === 1 ? ["BTC-USD"] : Array.from({ length: count }, (_, i) => `P${pad(i, 3)}-USD`)

/** A Coinbase Exchange `match`, about 270 bytes, of each product in turn: prices are JSON strings. */
export const coinbaseMatches = (count: number, seed = 1, of = products(1)): Array<string> => {
  const next = makeNext(seed)
  return Array.from({ length: count }, (_, i) =>
    JSON.stringify({
      type: "match",
      trade_id: 865127782 + i,
      maker_order_id: `5f4bb11b-f065-4025-ad53-2091b10ad2${pad(next(100), 2)}`,
      taker_order_id: `66715b57-0167-4ae9-8b2b-75a064a923${pad(next(100), 2)}`,
      side: next(2) === 0 ? "buy" : "sell",
      size: `0.${pad(1 + next(99_999_999), 8)}`,
      price: `${43_000 + next(999)}.${pad(next(100), 2)}`,
      product_id: of[i % of.length],
      sequence: 85_911_213_453 + i * 7,
      time: `2026-10-28T12:${pad(Math.floor(i / 60) % 60, 2)}:${pad(i % 60, 2)}.${pad(next(1_000_000), 6)}Z`
    }))
}

/** The generic price message with its price as a JSON number, trailing zeros kept. */
export const genericNumbers = (count: number, seed = 1): Array<string> => {
  const next = makeNext(seed)
  return Array.from(
    { length: count },
    (_, i) =>
      `{"product_id":"BTC-USD","price":${43_000 + next(999)}.${pad(next(100), 2)}${next(2) === 0 ? "0" : ""},` +
      `"timestamp":"2026-10-28T12:${pad(Math.floor(i / 60) % 60, 2)}:${pad(i % 60, 2)}.${pad(next(1000), 3)}Z",` +
      `"exchange":"synthetic","sequence":${1_000_000 + i}}`
  )
}

/** The frames of a recording: raw lines, or envelopes with a member `raw`. */
export const recorded = (file: string, select: (text: string) => boolean): Array<string> =>
  readFileSync(file, "utf8").split("\n").filter((line) => line !== "").map((line) => {
    const parsed: unknown = JSON.parse(line)
    return typeof parsed === "object" && parsed !== null && "raw" in parsed && typeof parsed.raw === "string"
      ? parsed.raw
      : line
  }).filter(select)
