import { assert, describe, it } from "@effect/vitest"
import * as Governor from "@tickline/core/resilience/Governor"
import type * as RollingLimit from "@tickline/core/resilience/RollingLimit"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import * as RollingLimits from "../src/resilience/internal/rollingLimit.ts"

// The most that falls into any closed window of the length, over all offsets.
const densest = (times: ReadonlyArray<number>, windowMillis: number, costs?: ReadonlyArray<number>): number =>
  Math.max(
    0,
    ...times.map((from) =>
      times.reduce((sum, at, i) => at >= from && at <= from + windowMillis ? sum + (costs?.[i] ?? 1) : sum, 0)
    )
  )

const makeNext = (seed: number) => {
  let state = seed
  return (bound: number): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor(state / 0x100000000 * bound)
  }
}

describe("RollingLimit.take", () => {
  it("never admits more than the limit in any rolling window, whatever the bursts", () => {
    for (let seed = 1; seed <= 50; seed++) {
      const next = makeNext(seed)
      const windows = [{ limit: 5, windowMillis: 1_000 }, { limit: 20, windowMillis: 10_000 }]
      const log = RollingLimits.make(windows)
      const times: Array<number> = []
      const costs: Array<number> = []
      let at = 0
      for (let i = 0; i < 2_000; i++) {
        at += next(10) === 0 ? next(3_000) : next(40)
        const cost = 1 + next(3)
        if (log.take(at, cost) === 0) {
          times.push(at)
          costs.push(cost)
        }
      }
      for (const { limit, windowMillis } of windows) {
        assert.isAtMost(densest(times, windowMillis, costs), limit, `seed ${seed}`)
      }
      assert.isAbove(times.length, 50)
    }
  })

  it("admits at the very time it names, and not a millisecond before", () => {
    const log = RollingLimits.make([{ limit: 2, windowMillis: 1_000 }])
    assert.deepStrictEqual([log.take(0), log.take(400), log.take(500)], [0, 0, 501])
    assert.strictEqual(log.take(1_000), 1)
    assert.strictEqual(log.take(1_001), 0)
    assert.deepStrictEqual(log.left(1_001), [0])
    assert.deepStrictEqual(log.left(1_401), [1])
  })

  it("leaves room to what is urgent, and never all of it", () => {
    for (const [limit, others] of [[20, 18], [5, 4], [2, 1], [1.5, 1], [1, 1]] as const) {
      const log = RollingLimits.make([{ limit, windowMillis: 1_000 }])
      let admitted = 0
      while (log.take(0, 1, true) === 0) admitted++
      assert.strictEqual(admitted, others, `of ${limit}`)
      assert.isBelow(log.waitFor(0, 1, true), Infinity)
    }
  })

  it("says never to a cost beyond the limit, and charges nothing for what it refuses", () => {
    const log = RollingLimits.make([{ limit: 3, windowMillis: 1_000 }])
    assert.strictEqual(log.take(0, 4), Infinity)
    assert.deepStrictEqual(log.left(0), [3])
  })

  it("charges all of several logs, or none", () => {
    const mine = RollingLimits.make([{ limit: 2, windowMillis: 1_000 }])
    const shared = RollingLimits.make([{ limit: 1, windowMillis: 500 }])
    const all = RollingLimits.combine([mine, shared])
    assert.deepStrictEqual([all.take(0), all.take(0)], [0, 501])
    assert.deepStrictEqual([mine.left(0), shared.left(0)], [[1], [0]])
  })
})

describe("Governor.Governor", () => {
  const share = (governor: Governor.Governor, windows: ReadonlyArray<RollingLimit.Window>) =>
    governor.share("ws://venue.test dials", windows)
  const at = Clock.currentTimeMillis

  it.effect("judges all that share a key by the windows of each, what was taken before included", () =>
    Effect.gen(function*() {
      const governor = Governor.make()
      const lax = yield* share(governor, [{ limit: 5, windowMillis: 1_000 }])
      for (let i = 0; i < 3; i++) assert.strictEqual(lax.take(0), 0)
      yield* Effect.scoped(Effect.gen(function*() {
        const strict = yield* share(governor, [{ limit: 2, windowMillis: 1_000 }, { limit: 4, windowMillis: 60_000 }])
        assert.strictEqual(strict.take(0), 1_001)
        assert.strictEqual(lax.take(0), 1_001)
        assert.strictEqual(strict.take(1_001), 0)
        assert.strictEqual(lax.take(1_001), 59_000)
      }))
      // Who declared them has left.
      assert.strictEqual(lax.take(1_001), 0)
    }))

  it.effect("remembers what was taken for as long as it counts, and then forgets the key", () =>
    Effect.gen(function*() {
      const governor = Governor.make()
      const windows = [{ limit: 1, windowMillis: 1_000 }]
      const isFree = Effect.scoped(
        Effect.flatMap(share(governor, windows), (log) => Effect.map(at, (now) => log.take(now) === 0))
      )
      assert.isTrue(yield* isFree)
      assert.isFalse(yield* isFree)
      // Many others between, which are looked through.
      for (let i = 0; i < 2_000; i++) yield* Effect.scoped(governor.share(`key ${i}`, windows))
      assert.isFalse(yield* isFree)
      yield* TestClock.adjust("1001 millis")
      assert.isTrue(yield* isFree)
    }))
})

describe("RollingLimit", () => {
  it("refuses a cost that is no cost, and limits on", () => {
    const log = RollingLimits.make([{ limit: 2, windowMillis: 1_000 }])
    for (const cost of [NaN, -1, Infinity, -Infinity]) {
      assert.isFalse(RollingLimits.isCost(cost))
      assert.strictEqual(log.take(0, cost), Infinity)
      assert.strictEqual(RollingLimits.combine([log]).take(0, cost), Infinity)
    }
    assert.deepStrictEqual([log.take(0), log.take(0), log.take(0)], [0, 0, 1_001])
  })

  it("refuses a limit that nothing could keep", () => {
    for (
      const [limit, windowMillis] of [
        [NaN, 1_000],
        [0, 1_000],
        [-1, 1_000],
        [Infinity, 1_000],
        [1, NaN],
        [1, 0],
        [1, -1],
        [1, Infinity]
      ] as const
    ) {
      const windows = [{ limit, windowMillis }]
      assert.strictEqual(RollingLimits.fault(windows)?._tag, "InvalidLimit", `${limit} in ${windowMillis}`)
      assert.throws(() => RollingLimits.make(windows), "expected a finite limit")
    }
  })
})
