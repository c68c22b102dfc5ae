/**
 * Every value of a frame of every kind, replaced by every odd one: the decoders answer the same whether they know the
 * frame's layout or not, and what they refuse they name.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Rejection from "@tickline/core/codec/Rejection"
import * as Ndjson from "@tickline/core/event/Ndjson"
import type { Venue } from "@tickline/core/venue/Venue"
import * as Venues from "@tickline/core/venue/Venues"
import * as Explanation from "@tickline/node/runner/Explanation"
import { frames } from "./frames.ts"

const odd: ReadonlyArray<string> = [
  "null",
  "\"\"",
  "true",
  "[]",
  "{}",
  "NaN",
  "\"NaN\"",
  "\"Infinity\"",
  "0",
  "-0",
  "\"-0.00\"",
  "-5",
  "\"-5\"",
  "1e-8",
  "\"1.0e-8\"",
  "\"1e4000\"",
  "\" 1\"",
  "\"1,5\"",
  "\"0x10\"",
  "\"\\u0031\"",
  "12345678901234567890.12345678901234567890",
  "\"12345678901234567890.12345678901234567890\"",
  "1795219200123",
  "\"1795219200\"",
  "\"2026-02-30T00:00:00Z\"",
  "\"2026-11-25T12:00:00+02:00\"",
  "\"UNKNOWN_ORDER_SIDE\""
]

/** What a frame gives, as printed; of what is refused all but the words, which quote where in the text it stands. */
const printed = (venue: Venue, frame: string): ReadonlyArray<string> => {
  const decoded = venue.decode(frame)
  return Rejection.isFrameRejected(decoded)
    ? [`${decoded.reason} ${decoded.field ?? ""}`]
    : decoded.map((event) => Ndjson.toJson(event))
}

describe("odd values", () => {
  for (const venue of Venues.all) {
    it(`${venue.name} reads them alike by a known layout and exactly, or names where they stand`, () => {
      const samples = frames[venue.name] ?? []
      for (const [, frame] of samples) venue.decode(frame)
      for (const [, frame] of samples) {
        for (const { end, path, start } of Explanation.leaves(frame)) {
          for (const value of odd) {
            const changed = frame.slice(0, start) + value + frame.slice(end)
            const found = printed(venue, changed)
            // White space before it keeps a frame off the fast way.
            assert.deepStrictEqual(printed(venue, ` ${changed}`), found, changed)
            assert.isFalse(
              found.some((line) => line.startsWith("InvalidField") && line !== `InvalidField ${path}`),
              changed
            )
            for (const line of found) {
              // A decimal is one in plain notation, and what is not there is absent.
              assert.notMatch(line, /"(?:price|size|bid|bidSize|ask|askSize|volume)":"(?!-?\d+(?:\.\d+)?")/, changed)
              if (!line.includes("\"Response\"")) assert.notMatch(line, /:null/, changed)
            }
          }
        }
      }
    })
  }
})
