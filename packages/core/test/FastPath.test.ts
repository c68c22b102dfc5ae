/**
 * Frames whose layout is known are read without being parsed. Two things hold
 * of it on every venue: what a frame means does not depend on the frames before
 * it, and what comes often is in fact read that way.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Rejection from "@tickline/core/codec/Rejection"
import * as Ndjson from "@tickline/core/event/Ndjson"
import type { Venue } from "@tickline/core/venue/Venue"
import { type Case, cases, framesOf } from "./Frames.ts"

const printed = (decoded: ReturnType<Venue["decode"]>): string =>
  (Rejection.isFrameRejected(decoded) ? [decoded] : decoded).map((event) => Ndjson.toJson(event)).join()

const print = (venue: Venue, frame: string): string => printed(venue.decode(frame))

/** How many characters a decoder looks at one by one. */
const looked = (venue: Venue, frame: string): number => {
  const { charCodeAt } = String.prototype
  let times = 0
  // oxlint-disable-next-line no-extend-native -- counted here, and put back
  String.prototype.charCodeAt = function(this: string, at: number) {
    times++
    return charCodeAt.call(this, at)
  }
  try {
    venue.decode(frame)
  } finally {
    // oxlint-disable-next-line no-extend-native -- as it was
    String.prototype.charCodeAt = charCodeAt
  }
  return times
}

/** What comes so rarely that it is parsed: what opens a subscription at dYdX, and its markets. */
const isRare = (frame: string): boolean => /^\{"type":"subscribed"|"channel":"v4_markets"/.test(frame)

/** One frame of each kind of market data. */
const dataOf = (one: Case): ReadonlyArray<string> => {
  const kinds = new Map<string, string>()
  for (const frame of framesOf(one)) {
    const decoded = one.make().decode(frame)
    if (Rejection.isFrameRejected(decoded) || isRare(frame)) continue
    const tag = decoded.find(({ _tag }) => /^(Trade|Ticker|Quote|BookSnapshot|BookDelta|PriceUpdate)$/.test(_tag))?._tag
    // Binance's streams differ more than their events do.
    const stream = /"stream":"[^"]*@(\w+)/.exec(frame)?.[1] ?? ""
    if (tag !== undefined && !kinds.has(tag + stream)) kinds.set(tag + stream, frame)
  }
  return [...kinds.values()]
}

/** What a value is replaced with, each of which is right in some places and wrong in others. */
const values = [
  "null",
  "true",
  "[]",
  "{}",
  "0",
  "01",
  "1.",
  "-1e3",
  "12345678901234567890.10",
  "1700000000000",
  "\"\"",
  "\"0\"",
  "\"01\"",
  "\".5\"",
  "\"-1e3\"",
  "\"1.10\"",
  "\"1:\"",
  "\"x\"",
  "\"buy\"",
  "\"sell\"",
  "\"BUY\"",
  "\"\\u0031\"",
  "\"\n\"",
  "\"2024-02-30T00:00:00Z\""
]

/** The values of a frame with their members' names and commas. Of long tables, the first and the last rows stand for all. */
const placesOf = (frame: string): ReadonlyArray<RegExpExecArray> => {
  const places = [
    ...frame.matchAll(/(?<=[{[,:])("[^"]*":)?("[^"]*"(?!:)|-?[\d.]+|null|true|false|\[\]|\{\})(,?)/g)
  ]
  return [...places.slice(0, 16), ...places.slice(16).slice(-8)]
}

/** The frame with each of its values replaced by each of these. */
const replacementsOf = (frame: string, values: ReadonlyArray<string>): ReadonlyArray<ReadonlyArray<string>> =>
  placesOf(frame).map(({ 0: all, 1: name = "", 3: comma = "", index }) =>
    values.map((value) => frame.slice(0, index) + name + value + comma + frame.slice(index + all.length))
  )

/** The frame with each of its values replaced, doubled, or without its member, and with white space. */
const variantsOf = (frame: string): ReadonlyArray<string> => {
  const variants = [
    ` ${frame}`,
    `${frame} `,
    frame.slice(0, -1),
    `${frame}}`,
    frame.replaceAll(/([:,])(?=["[{\d])/g, "$1 ")
  ]
  for (const { 0: all, 1: name = "", 2: value = "", 3: comma = "", index } of placesOf(frame)) {
    const instead = (text: string) => frame.slice(0, index) + text + frame.slice(index + all.length)
    for (const other of values) variants.push(instead(`${name}${other}${comma}`))
    variants.push(instead(""), instead(`${name}${value},${name}${value}${comma}`), instead(`${name} ${value}${comma}`))
    if (name !== "") variants.push(instead(`"other":${value}${comma}`), instead(`${name}${value},"more":1${comma}`))
  }
  return variants
}

describe("frames whose layout is known", () => {
  for (const one of cases) {
    const { name } = one.make()

    it(`are read without being parsed: ${name}`, () => {
      const data = dataOf(one)
      assert.isAtLeast(data.length, 1)
      const venue = one.make()
      for (const frame of data) {
        // White space at the end is JSON and no venue's layout: it is parsed after all.
        const spaced = `${frame} `
        assert.strictEqual(print(venue, frame), print(venue, spaced), frame)
        assert.isBelow(looked(venue, frame) + frame.length / 2, looked(venue, spaced), frame)
      }
    })

    it(`mean what they mean as the first of all: ${name}`, () => {
      const parsing = one.make()
      for (const frame of dataOf(one)) {
        const knowing = one.make()
        knowing.decode(frame)
        for (const variant of variantsOf(frame)) {
          const decoded = print(knowing, variant)
          // With white space at its end a frame teaches nothing, and is never read by a layout.
          const expected = print(parsing, `${variant} `)
          if (decoded === expected || (decoded.includes("Malformed") && expected.includes("Malformed"))) continue
          assert.strictEqual(decoded, expected, variant)
        }
      }
    })

    it(`mean the same after one whose member is of another kind: ${name}`, () => {
      const parsing = one.make()
      const meant = new Map<string, string>()
      const meaningOf = (frame: string): string => {
        const known = meant.get(frame) ?? print(parsing, `${frame} `)
        meant.set(frame, known)
        return known
      }
      for (const frame of dataOf(one)) {
        for (const variants of replacementsOf(frame, ["7", "\"7\"", "null", "\"\"", "\"x\"", "\"01\"", "true"])) {
          for (const before of variants.filter((variant) => !meaningOf(variant).includes("FrameRejected"))) {
            const knowing = one.make()
            knowing.decode(before)
            for (const variant of variants) {
              assert.strictEqual(print(knowing, variant), meaningOf(variant), `${variant} after ${before}`)
            }
          }
        }
      }
    })
  }
})
