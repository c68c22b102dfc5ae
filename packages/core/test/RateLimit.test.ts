import { assert, describe, it } from "@effect/vitest"
import * as RateLimit from "@tickline/core/resilience/RateLimit"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"

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

describe("RateLimit.Log", () => {
  it("never admits more than the limit in any rolling window, whatever the bursts", () => {
    for (let seed = 1; seed <= 50; seed++) {
      const next = makeNext(seed)
      const windows = [{ limit: 5, windowMillis: 1_000 }, { limit: 20, windowMillis: 10_000 }]
      const log = RateLimit.makeRollingLimit(windows)
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
    const log = RateLimit.makeRollingLimit([{ limit: 2, windowMillis: 1_000 }])
    assert.deepStrictEqual([log.take(0), log.take(400), log.take(500)], [0, 0, 501])
    assert.strictEqual(log.take(1_000), 1)
    assert.strictEqual(log.take(1_001), 0)
    assert.deepStrictEqual(log.left(1_001), [0])
    assert.deepStrictEqual(log.left(1_401), [1])
  })

  it("leaves room to what is urgent, and never all of it", () => {
    for (const [limit, others] of [[20, 18], [5, 4], [2, 1], [1.5, 1], [1, 1]] as const) {
      const log = RateLimit.makeRollingLimit([{ limit, windowMillis: 1_000 }])
      let admitted = 0
      while (log.take(0, 1, true) === 0) admitted++
      assert.strictEqual(admitted, others, `of ${limit}`)
      assert.isBelow(log.waitFor(0, 1, true), Infinity)
    }
  })

  it("says never to a cost beyond the limit, and charges nothing for what it refuses", () => {
    const log = RateLimit.makeRollingLimit([{ limit: 3, windowMillis: 1_000 }])
    assert.strictEqual(log.take(0, 4), Infinity)
    assert.deepStrictEqual(log.left(0), [3])
  })

  it("charges all of several logs, or none", () => {
    const mine = RateLimit.makeRollingLimit([{ limit: 2, windowMillis: 1_000 }])
    const shared = RateLimit.makeRollingLimit([{ limit: 1, windowMillis: 500 }])
    const all = RateLimit.combine([mine, shared])
    assert.deepStrictEqual([all.take(0), all.take(0)], [0, 501])
    assert.deepStrictEqual([mine.left(0), shared.left(0)], [[1], [0]])
  })
})

describe("RateLimit.Governor", () => {
  const share = (governor: RateLimit.Governor, windows: ReadonlyArray<RateLimit.Window>) =>
    governor.share("ws://venue.test dials", windows)
  const at = Clock.currentTimeMillis

  it.effect("judges all that share a key by the windows of each, what was taken before included", () =>
    Effect.gen(function*() {
      const governor = RateLimit.makeGovernor()
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
      const governor = RateLimit.makeGovernor()
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

describe("RateLimit", () => {
  it.effect("refuses a cost that is no cost, and limits on", () =>
    Effect.gen(function*() {
      const limit = yield* RateLimit.make({ key: "venue", windows: [{ limit: 2, windowMillis: 1_000 }] })
      for (const cost of [NaN, -1, Infinity, -Infinity]) {
        const error = yield* Effect.flip(limit.acquire({ cost }))
        assert.strictEqual(error._tag, "InvalidCost")
        assert.strictEqual(limit.log.take(0, cost), Infinity)
        assert.strictEqual(RateLimit.combine([limit.log]).take(0, cost), Infinity)
      }
      yield* limit.acquire()
      yield* limit.acquire()
      assert.deepInclude(yield* Effect.flip(limit.acquire({ withinMillis: 0 })), { retryAfterMillis: 1_001 })
    }))

  it.effect("refuses a limit that nothing could keep", () =>
    Effect.gen(function*() {
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
        const error = yield* Effect.flip(RateLimit.make({ key: "venue", windows: [{ limit, windowMillis }] }))
        assert.strictEqual(error._tag, "InvalidLimit", `${limit} in ${windowMillis}`)
      }
    }))

  it.effect("lets what is more urgent pass who waits for more, and the next go where the head leaves", () =>
    Effect.gen(function*() {
      const limit = yield* RateLimit.make({ key: "venue", windows: [{ limit: 10, windowMillis: 5_000 }] })
      const order: Array<string> = []
      yield* limit.acquire({ cost: 8 })
      yield* acquired(limit, "dear", order, { cost: 10, priority: "query" })
      yield* TestClock.adjust("1 second")
      yield* acquired(limit, "free", order, { cost: 0, priority: "cancel" })
      yield* acquired(limit, "cheap", order, { cost: 1, priority: "cancel" })
      yield* TestClock.adjust("1 second")
      const dear = yield* acquired(limit, "order", order, { cost: 9 })
      yield* acquired(limit, "next", order, { cost: 1, priority: "subscribe" })
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(order, ["free@1000", "cheap@1000"])
      yield* Fiber.interrupt(dear)
      yield* TestClock.adjust(0)
      assert.deepStrictEqual(order, ["free@1000", "cheap@1000", "next@2000"])
    }))

  it.effect("fails who waits when its scope closes, and who comes after", () =>
    Effect.gen(function*() {
      const { limit, waiting } = yield* Effect.scoped(Effect.gen(function*() {
        const limit = yield* RateLimit.make({ key: "venue", windows: [{ limit: 1, windowMillis: 1_000 }] })
        yield* limit.acquire()
        const waiting = yield* Effect.forkDetach(Effect.flip(limit.acquire()), { startImmediately: true })
        return { limit, waiting }
      }))
      assert.deepInclude(yield* Fiber.join(waiting), { _tag: "RateLimited", retryAfterMillis: Infinity })
      assert.strictEqual(limit.waiting(), 0)
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* Effect.flip(limit.acquire()))._tag, "RateLimited")
    }))

  const acquired = (limit: RateLimit.RateLimit, name: string, order: Array<string>, wish?: RateLimit.Wish) =>
    Effect.forkChild(
      Effect.andThen(
        limit.acquire(wish),
        Effect.map(Clock.currentTimeMillis, (at) => {
          order.push(`${name}@${at}`)
        })
      ),
      { startImmediately: true }
    )

  it.effect("queues in the order of priority, then of arrival", () =>
    Effect.gen(function*() {
      const limit = yield* RateLimit.make({ key: "venue", windows: [{ limit: 1, windowMillis: 100 }] })
      const order: Array<string> = []
      for (
        const [name, priority] of [
          ["first", "query"],
          ["query", "query"],
          ["subscribe", "subscribe"],
          ["order", "order"],
          ["pong", "heartbeat"],
          ["order 2", "order"]
        ] as const
      ) yield* acquired(limit, name, order, { priority })
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(order, [
        "first@0",
        "pong@101",
        "order@202",
        "order 2@303",
        "subscribe@404",
        "query@505"
      ])
      assert.strictEqual(limit.waiting(), 0)
    }))

  it.effect("fails what may not wait so long, at once where that is known, and when its time is up", () =>
    Effect.gen(function*() {
      const limit = yield* RateLimit.make({ key: "venue", windows: [{ limit: 1, windowMillis: 1_000 }] })
      yield* limit.acquire()
      const error = yield* Effect.flip(limit.acquire({ withinMillis: 500 }))
      assert.deepInclude(error, { _tag: "RateLimited", key: "venue", retryAfterMillis: 1_001 })
      const ahead = yield* Effect.forkChild(limit.acquire())
      const late = yield* Effect.forkChild(Effect.flip(limit.acquire({ withinMillis: 1_500 })))
      yield* TestClock.adjust(0)
      yield* TestClock.adjust("1500 millis")
      yield* Fiber.join(ahead)
      assert.deepInclude(yield* Fiber.join(late), { _tag: "RateLimited", retryAfterMillis: 502 })
      assert.strictEqual(limit.waiting(), 0)
    }))

  it.effect("is full at its capacity, and charges nothing for who left", () =>
    Effect.gen(function*() {
      const limit = yield* RateLimit.make({ key: "venue", windows: [{ limit: 1, windowMillis: 1_000 }], capacity: 1 })
      yield* limit.acquire()
      const leaving = yield* Effect.forkChild(limit.acquire(), { startImmediately: true })
      assert.strictEqual((yield* Effect.flip(limit.acquire()))._tag, "RateLimited")
      yield* Fiber.interrupt(leaving)
      yield* TestClock.adjust("2 seconds")
      assert.deepStrictEqual(limit.log.left(yield* Clock.currentTimeMillis), [1])
    }))
})
