/** Nonces that are kept in memory. */
import { assert, describe, it } from "@effect/vitest"
import * as NonceStore from "@tickline/core/trading/NonceStore"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"

describe("NonceStore.layerMemory", () => {
  it.effect("gives the time, or the next number above the last", () =>
    Effect.gen(function*() {
      const nonces = yield* NonceStore.NonceStore
      yield* TestClock.setTime(1_700_000_000_000)
      assert.deepStrictEqual(
        yield* Effect.all([nonces.next("a"), nonces.next("a"), nonces.next("b"), nonces.next("a")]),
        [1_700_000_000_000, 1_700_000_000_001, 1_700_000_000_000, 1_700_000_000_002]
      )
      yield* TestClock.adjust(50)
      assert.strictEqual(yield* nonces.next("a"), 1_700_000_000_050)
      // A wall clock that was set back.
      yield* TestClock.setTime(1_600_000_000_000)
      assert.strictEqual(yield* nonces.next("a"), 1_700_000_000_051)
    }).pipe(Effect.provide(NonceStore.layerMemory)))

  it.effect("gives whole numbers, also by a clock that tells parts of a millisecond", () =>
    Effect.gen(function*() {
      const nonces = yield* NonceStore.NonceStore
      yield* TestClock.setTime(1_700_000_000_000.75)
      assert.deepStrictEqual(
        yield* Effect.all([nonces.next("a"), nonces.next("a")]),
        [1_700_000_000_000, 1_700_000_000_001]
      )
    }).pipe(Effect.provide(NonceStore.layerMemory)))
})
