/**
 * What holds of every kind of message that a venue declares, by the declaration
 * alone: a venue that declares one is tested without a line more.
 */
import { assert, describe, it } from "@effect/vitest"
import * as ExactJson from "@tickline/core/codec/ExactJson"
import type { MarketEvent } from "@tickline/core/event/MarketEvent"
import * as Ndjson from "@tickline/core/event/Ndjson"
import * as Venues from "@tickline/core/venue/Venues"
import * as Layout from "../src/codec/internal/layout.ts"
import { print, variantsOf } from "./Variants.ts"

const kinds = Venues.all.flatMap((venue) =>
  (venue.messages ?? []).map((message) => ({ venue, message, title: `${venue.name}: ${message.sample.slice(0, 60)}` }))
)

it("every venue declares its messages", () => {
  for (const venue of Venues.all) assert.isAbove(venue.messages?.length ?? 0, 2, venue.name)
})

describe("every declared kind", () => {
  for (const { message, title, venue } of kinds) {
    const { sample } = message

    it(`is read as its own: ${title}`, () => {
      const json = ExactJson.parse(sample)
      if (json instanceof ExactJson.Malformed || !ExactJson.isObject(json)) return assert.fail(sample)
      const events = message.read(venue.name, json)
      if ("_tag" in events) return assert.fail(events.message)
      assert.strictEqual(print(venue, sample), events.map((event) => Ndjson.toJson(event)).join())
      // What is not rare is read without being parsed once one of it was.
      const plan = message.plan(json)
      if (plan === undefined) return
      const layouts = Layout.make<ReadonlyArray<MarketEvent>>()
      layouts.learn(sample, json, plan)
      assert.deepStrictEqual(layouts.read(sample), events)
    })

    it(`means what it means as the first of all, changed in any place: ${title}`, () => {
      venue.decode(sample)
      let rejected = 0
      for (const variant of variantsOf(sample)) {
        const decoded = print(venue, variant)
        // With white space at its end a frame teaches nothing, and is never read by a layout.
        const expected = print(venue, `${variant} `)
        if (expected.includes("FrameRejected")) rejected++
        if (decoded.includes("Malformed") && expected.includes("Malformed")) continue
        assert.strictEqual(decoded, expected, variant)
      }
      assert.isAbove(rejected, 1)
    })
  }
})
