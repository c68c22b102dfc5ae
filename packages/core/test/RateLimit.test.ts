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
      const log = RateLimit.makeLog(windows)
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
    const log = RateLimit.makeLog([{ limit: 2, windowMillis: 1_000 }])
    assert.deepStrictEqual([log.take(0), log.take(400), log.take(500)], [0, 0, 501])
    assert.strictEqual(log.take(1_000), 1)
    assert.strictEqual(log.take(1_001), 0)
    assert.deepStrictEqual(log.left(1_001), [0])
    assert.deepStrictEqual(log.left(1_401), [1])
  })

  it("says never to a cost beyond the limit, and charges nothing for what it refuses", () => {
    const log = RateLimit.makeLog([{ limit: 3, windowMillis: 1_000 }])
    assert.strictEqual(log.take(0, 4), Infinity)
    assert.deepStrictEqual(log.left(0), [3])
  })

  it("charges all of several logs, or none", () => {
    const mine = RateLimit.makeLog([{ limit: 2, windowMillis: 1_000 }])
    const shared = RateLimit.makeLog([{ limit: 1, windowMillis: 500 }])
    const all = RateLimit.both([mine, shared])
    assert.deepStrictEqual([all.take(0), all.take(0)], [0, 501])
    assert.deepStrictEqual([mine.left(0), shared.left(0)], [[1], [0]])
  })
})

describe("RateLimit", () => {
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
      assert.deepStrictEqual({ key: error.key, retryAfterMillis: error.retryAfterMillis }, {
        key: "venue",
        retryAfterMillis: 1_001
      })
      const ahead = yield* Effect.forkChild(limit.acquire())
      const late = yield* Effect.forkChild(Effect.flip(limit.acquire({ withinMillis: 1_500 })))
      yield* TestClock.adjust(0)
      yield* TestClock.adjust("1500 millis")
      yield* Fiber.join(ahead)
      assert.strictEqual((yield* Fiber.join(late)).retryAfterMillis, 502)
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
