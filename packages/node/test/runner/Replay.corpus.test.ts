/**
 * Recorded frames of venues replay without a false gap. `TICKLINE_CORPUS` names
 * the folder with `<venue>.frames.jsonl`; without it they count as skipped.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { existsSync } from "node:fs"
import { join } from "node:path"
import * as TestHost from "./TestHost.ts"

const corpus = process.env["TICKLINE_CORPUS"] ?? ""

describe("replay of the corpus", () => {
  for (const venue of ["kraken", "coinbase-exchange"]) {
    const path = join(corpus, `${venue}.frames.jsonl`)
    if (corpus === "" || !existsSync(path)) {
      it.skip(`${venue} (skipped: TICKLINE_CORPUS names no folder with its frames)`, () => {})
      continue
    }

    it.live(`${venue}: no book is broken, and twice the same`, () =>
      Effect.gen(function*() {
        const run = Effect.fnUntraced(function*(...flags: ReadonlyArray<string>) {
          const world = TestHost.make()
          assert.strictEqual(yield* TestHost.run(world, "replay", path, "--venue", venue, ...flags), 0)
          return world
        })
        const books = (yield* run("--book", "10", "--lifecycle")).objects()
        const states = new Set(books.filter(({ _tag }) => _tag === "Book").map(({ state }) => state))
        assert.isTrue(states.has("Live") || states.has("Unverified"))
        assert.isFalse(states.has("Gapped"))
        assert.deepStrictEqual(books.filter(({ _tag }) => _tag === "Gap"), [])
        const events = (yield* run("--lifecycle", "--ledger")).stdout()
        assert.notInclude(events, "\"_tag\":\"Gap\"")
        assert.strictEqual((yield* run("--lifecycle", "--ledger")).stdout(), events)
      }))
  }
})
