/**
 * Decodes recorded frames of venues and compares with what they should give.
 * `TICKLINE_CORPUS` names the folder with `<venue>.frames.jsonl` and
 * `<venue>.events.jsonl`; without it each venue counts as skipped.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Rejection from "@tickline/core/codec/Rejection"
import * as Ndjson from "@tickline/core/event/Ndjson"
import * as Timestamp from "@tickline/core/value/Timestamp"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { cases } from "./Frames.ts"

/** The venues that have a corpus, in its order. */
const named = ["coinbase", "coinbase-exchange", "kraken", "hyperliquid", "dydx"]
const venues = named.flatMap((name) => cases.flatMap(({ make }) => make().name === name ? [make] : []))

const corpus = process.env["TICKLINE_CORPUS"]

const readLines = (folder: string, file: string): ReadonlyArray<Record<string, unknown>> =>
  readFileSync(join(folder, file), "utf8").split("\n").filter((line) => line !== "").map((line) => JSON.parse(line))

const marketData = new Set(["Trade", "Ticker", "BookSnapshot", "BookDelta", "PriceUpdate"])

/** What is compared of an event: all of market data but `volume`, timestamps as instants; of others the tag. */
const comparable = (event: Record<string, unknown>): Record<string, unknown> => {
  if (!marketData.has(String(event["_tag"]))) return { _tag: event["_tag"] }
  const { frame: _frame, id: _id, timestamp, volume: _volume, ...members } = event
  if (typeof timestamp !== "string") return members
  const instant = Timestamp.parse(timestamp)
  return { ...members, timestamp: instant === undefined ? timestamp : String(Timestamp.toEpochNanos(instant)) }
}

/** Market events in order; of the others which tags occur. */
const account = (events: ReadonlyArray<Record<string, unknown>>): object => ({
  market: events.filter((event) => marketData.has(String(event["_tag"]))).map(comparable),
  tags: [...new Set(events.map((event) => String(event["_tag"])))].sort()
})

describe("Conformance", () => {
  for (const make of venues) {
    const { name } = make()
    if (corpus === undefined || corpus === "") {
      it.skip(`${name} (skipped: TICKLINE_CORPUS names no folder)`, () => {})
      continue
    }
    it(`${name} decodes its corpus`, () => {
      const frames = readLines(corpus, `${name}.frames.jsonl`)
      const expected = readLines(corpus, `${name}.events.jsonl`)
      assert.isAbove(frames.length, 0)
      assert.strictEqual(frames.length, expected.length)
      const shared = make()
      for (let i = 0; i < frames.length; i++) {
        const text = String(frames[i]?.["raw"])
        const wanted = expected[i]?.["events"] as ReadonlyArray<Record<string, unknown>>
        // As one of many frames, and as the first that a decoder sees: the two must agree.
        for (const venue of [shared, make()]) {
          const decoded = venue.decode(text)
          const events = (Rejection.isFrameRejected(decoded) ? [decoded] : decoded).map((event) =>
            JSON.parse(Ndjson.toJson(event)) as Record<string, unknown>
          )
          assert.deepStrictEqual(account(events), account(wanted), String(frames[i]?.["id"]))
        }
      }
    })
  }
})
