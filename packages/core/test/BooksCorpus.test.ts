/**
 * Books kept from recorded frames: where the venue has a method every state is
 * proven by it, and nothing is told that was not. `TICKLINE_CORPUS` names the
 * folder with `<venue>.frames.jsonl`; without it each venue counts as skipped.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Rejection from "@tickline/core/codec/Rejection"
import * as CoinbaseExchange from "@tickline/core/venue/coinbase-exchange/Venue"
import { checksum } from "@tickline/core/venue/kraken/KrakenChecksum"
import * as Kraken from "@tickline/core/venue/kraken/Venue"
import { readFileSync } from "node:fs"
import { join } from "node:path"
import { Books } from "../src/market/internal/books.ts"

const corpus = process.env["TICKLINE_CORPUS"]

interface Recorded {
  readonly raw: string
  readonly connection: string
}

const read = (folder: string, venue: string): ReadonlyArray<Recorded> =>
  readFileSync(join(folder, `${venue}.frames.jsonl`), "utf8").split("\n").filter((line) => line !== "")
    .map((line): Recorded => JSON.parse(line))

describe("books of the corpus", () => {
  if (corpus === undefined || corpus === "") {
    it.skip("Kraken and Coinbase Exchange (skipped: TICKLINE_CORPUS names no folder)", () => {})
    return
  }

  it("every Kraken book has the venue's checksum after every update", () => {
    let proven = 0
    for (const [, frames] of Map.groupBy(read(corpus, "kraken"), ({ connection }) => connection)) {
      const books = new Books(Kraken.venue)
      for (const { raw } of frames) {
        const events = Kraken.venue.decode(raw)
        if (Rejection.isFrameRejected(events)) assert.fail(raw)
        for (const { book, event } of books.frame(raw, events)) {
          // An update without its snapshot is of a book that nobody has.
          const isKnown = frames.some(({ raw }) =>
            raw.includes("\"snapshot\"") && raw.includes(`"${book.product}"`) && raw.includes("\"bids\"")
          )
          assert.strictEqual(book.standing._tag, isKnown ? "Live" : "Syncing", raw)
          if (!isKnown) continue
          assert.strictEqual(checksum(book.levels.asks.top(10), book.levels.bids.top(10)), event?.checksum, raw)
          assert.isAtMost(book.levels.asks.count, book.depth ?? 0)
          proven++
        }
      }
    }
    assert.isAbove(proven, 30)
  })

  it("no Coinbase Exchange book is broken", () => {
    let whole = 0
    for (const [, frames] of Map.groupBy(read(corpus, "coinbase-exchange"), ({ connection }) => connection)) {
      const books = new Books(CoinbaseExchange.venue)
      for (const { raw } of frames) {
        const events = CoinbaseExchange.venue.decode(raw)
        if (Rejection.isFrameRejected(events)) continue
        for (const { book } of books.frame(raw, events)) {
          assert.notStrictEqual(book.standing._tag, "Gapped", raw)
          if (book.standing._tag === "Unverified") whole++
        }
      }
    }
    assert.isAbove(whole, 50)
  })
})
