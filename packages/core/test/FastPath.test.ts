/**
 * Frames whose layout is known are read without being parsed. Two things hold
 * of it on every venue: what a frame means does not depend on the frames before
 * it, and what comes often is in fact read that way.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Rejection from "@tickline/core/codec/Rejection"
import { type Case, cases, framesOf } from "./Frames.ts"
import { looked, print, replacementsOf, variantsOf } from "./Variants.ts"

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
