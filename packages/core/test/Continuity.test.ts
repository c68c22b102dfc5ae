import { assert, describe, it } from "@effect/vitest"
import * as Continuity from "../src/protocol/internal/continuity.ts"

describe("Continuity", () => {
  it("of a book: a delta applies that follows its state, and an older one is passed over", () => {
    const of = (
      at: bigint | undefined,
      sequence: bigint,
      firstSequence?: bigint,
      previousSequence?: bigint,
      isFirst?: boolean
    ) => Continuity.delta(at, { sequence, firstSequence, previousSequence }, isFirst)
    assert.strictEqual(of(undefined, 5n), "needs snapshot")
    // By the number before it, as Deribit has it.
    assert.strictEqual(of(10n, 15n, undefined, 10n), "applies")
    assert.strictEqual(of(10n, 15n, undefined, 11n), "break")
    assert.strictEqual(of(10n, 15n, undefined, 9n, true), "break")
    assert.strictEqual(of(10n, 10n, undefined, 10n), "older")
    assert.strictEqual(of(10n, 9n, undefined, 8n), "older")
    // By the number of its first change, as Binance has it: it may reach back before what the book has.
    assert.strictEqual(of(10n, 15n, 11n), "applies")
    assert.strictEqual(of(10n, 15n, 12n), "break")
    // One that overlaps what the book has is applied: sizes are absolute.
    assert.strictEqual(of(10n, 15n, 9n), "applies")
    assert.strictEqual(of(10n, 15n, 9n, undefined, true), "applies")
    assert.strictEqual(of(10n, 15n, 12n, undefined, true), "break")
    assert.strictEqual(of(10n, 15n, 9n, 8n, true), "applies")
    assert.strictEqual(of(10n, 15n, 9n, 8n), "break")
    // By its number alone.
    assert.strictEqual(of(10n, 11n), "applies")
    assert.strictEqual(of(10n, 12n), "break")
  })
})
