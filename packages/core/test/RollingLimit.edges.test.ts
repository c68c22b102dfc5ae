import { assert, describe, it } from "@effect/vitest"
import * as Governor from "@tickline/core/resilience/Governor"
import * as RollingLimit from "@tickline/core/resilience/RollingLimit"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import * as WakeableSleep from "../src/connection/internal/wakeableSleep.ts"
import * as ConnectionLimits from "../src/resilience/internal/connectionLimits.ts"
import * as RollingLimits from "../src/resilience/internal/rollingLimit.ts"

const reserved = (log: RollingLimit.RollingLimit, at: number, cost?: number): RollingLimit.Reservation => {
  const reservation = log.reserve(at, cost)
  if (typeof reservation === "number") throw new Error(`not reserved, in ${reservation} ms`)
  return reservation
}

describe("RollingLimit.take: edges", () => {
  it("admits a cost that is the whole limit, and none that is more by any fraction", () => {
    const log = RollingLimits.make([{ limit: 3, windowMillis: 1_000 }])
    assert.strictEqual(log.waitFor(0, 3), 0)
    assert.strictEqual(log.take(0, 3.001), Infinity)
    assert.strictEqual(log.take(0, 3), 0)
    assert.strictEqual(log.waitFor(0, 0), 0)
    assert.strictEqual(log.waitFor(0, 3), 1_001)
    // What spares has less of it, and can never have the whole.
    assert.strictEqual(log.waitFor(5_000, 3, true), Infinity)
    assert.strictEqual(log.take(5_000, 2, true), 0)
  })

  it("waits until enough has left, be it one cost or several, in the narrowest window", () => {
    const log = RollingLimits.make([{ limit: 4, windowMillis: 1_000 }, { limit: 6, windowMillis: 5_000 }])
    for (const at of [0, 100, 200, 300]) assert.strictEqual(log.take(at), 0)
    assert.deepStrictEqual([1, 2, 3].map((cost) => log.waitFor(400, cost)), [601, 701, 4_601])
    assert.deepStrictEqual(log.left(400), [0, 2])
    // A time between two milliseconds waits into the next.
    assert.strictEqual(log.waitFor(400.5), 601)
  })

  it("what is within one millisecond is counted once each, and until the last of it has left", () => {
    const log = RollingLimits.make([{ limit: 2, windowMillis: 1_000 }])
    assert.deepStrictEqual([log.take(0.25), log.take(0.75)], [0, 0])
    assert.deepStrictEqual([log.left(1_000.5), log.left(1_000.75), log.left(1_000.8)], [[0], [0], [2]])
  })

  it("goes on as exactly after thousands as after one", () => {
    const log = RollingLimits.make([{ limit: 3, windowMillis: 10 }, { limit: 1_500, windowMillis: 5_000 }])
    for (let at = 0; at < 40_000; at += 4) assert.strictEqual(log.take(at), 0, `at ${at}`)
    assert.strictEqual(log.waitFor(39_997), 2)
    assert.deepStrictEqual(log.left(39_997), [0, 1_500 - 1_250])
    assert.deepStrictEqual(log.left(45_000), [3, 1_500])
  })

  it("a reservation counts until it is used or released, in every window, and ends once", () => {
    const log = RollingLimits.make([{ limit: 3, windowMillis: 1_000 }])
    const first = reserved(log, 0, 2)
    assert.deepStrictEqual(log.left(0), [1])
    assert.deepStrictEqual(log.left(60_000), [1])
    assert.strictEqual(log.reserve(60_000, 2), 1_001)
    assert.strictEqual(log.take(60_000, 2), 1_001)
    const second = reserved(log, 60_000)
    assert.deepStrictEqual(log.left(60_000), [0])
    second.release()
    second.release()
    second.use(60_000)
    assert.deepStrictEqual(log.left(60_000), [1])
    first.use(60_500)
    first.use(60_600)
    first.release()
    assert.deepStrictEqual(log.left(61_500), [1])
    assert.deepStrictEqual(log.left(61_501), [3])
    assert.strictEqual(log.take(61_501, 3), 0)
    assert.deepStrictEqual(log.reserve(62_501), 1)
    assert.strictEqual(log.reserve(61_501, NaN), Infinity)
    assert.strictEqual(log.reserve(61_501, 4), Infinity)
  })

  it("with something reserved, waits for what was taken where that is enough", () => {
    const log = RollingLimits.make([{ limit: 3, windowMillis: 1_000 }])
    assert.strictEqual(log.take(0, 2), 0)
    reserved(log, 500)
    assert.strictEqual(log.waitFor(600, 2), 401)
    assert.strictEqual(log.waitFor(600, 3), 1_001)
  })

  it("what is taken in fractions leaves no rest behind that would have to be waited for", () => {
    const log = RollingLimits.make([{ limit: 2, windowMillis: 1_000 }])
    assert.deepStrictEqual([log.take(0, 0.4), log.take(100, 0.8), log.take(200, 0.6)], [0, 0, 0])
    assert.strictEqual(log.waitFor(300, 2), 901)
  })

  it("what costs nothing takes no place in a millisecond", () => {
    const log = RollingLimits.make([{ limit: 1, windowMillis: 1_000 }])
    assert.deepStrictEqual([log.take(0.25), log.take(0.75, 0)], [0, 0])
    assert.deepStrictEqual([log.left(1_000.25), log.left(1_000.5)], [[0], [1]])
  })

  it("waits a whole number of milliseconds for what is reserved, be the window none", () => {
    const log = RollingLimits.make([{ limit: 1, windowMillis: 1_000.5 }])
    reserved(log, 0)
    assert.strictEqual(log.waitFor(0), 1_002)
  })

  it("of several logs all can be taken and reserved by who spares nothing", () => {
    const all = RollingLimits.combine([RollingLimits.make([{ limit: 4, windowMillis: 1_000 }])])
    assert.deepStrictEqual([1, 2].map(() => all.take(0)), [0, 0])
    assert.deepStrictEqual([1, 2].map(() => typeof all.reserve(0)), ["object", "object"])
    assert.deepStrictEqual(all.left(0), [0])
  })

  it("reserves of several logs as one, or of none", () => {
    const mine = RollingLimits.make([{ limit: 2, windowMillis: 1_000 }])
    const shared = RollingLimits.make([{ limit: 1, windowMillis: 500 }])
    const all = RollingLimits.combine([mine, shared])
    const first = reserved(all, 0)
    assert.deepStrictEqual(all.left(0), [1, 0])
    assert.strictEqual(all.reserve(0), 501)
    assert.deepStrictEqual(all.left(0), [1, 0])
    first.release()
    assert.deepStrictEqual(all.left(0), [2, 1])
    reserved(all, 0).use(100)
    assert.deepStrictEqual([all.left(600), all.left(601), all.left(1_101)], [[1, 0], [1, 1], [2, 1]])
    assert.strictEqual(all.take(1_200), 0)
    assert.deepStrictEqual([all.waitFor(1_700), all.take(1_700), all.reserve(1_700)], [1, 1, 1])
    assert.deepStrictEqual([all.waitFor(1_701), all.waitFor(1_701, 1, true), all.waitFor(1_701, 2)], [0, 500, Infinity])
    assert.strictEqual(all.reserve(2_000, -1), Infinity)
    assert.strictEqual(RollingLimits.combine([]).take(0, 1_000), 0)
    assert.strictEqual(all.waitFor(2_000), 0)
    // What spares has to spare of each.
    assert.strictEqual(all.waitFor(2_000, 2, true), Infinity)
  })
})

describe("Governor.Governor: edges", () => {
  const windows = [{ limit: 1, windowMillis: 1_000 }]
  const take = (governor: Governor.Governor, key: string, of = windows) =>
    Effect.scoped(
      Effect.flatMap(governor.share(key, of), (log) => Effect.map(Clock.currentTimeMillis, (now) => log.take(now)))
    )

  it.effect("what is a whole window old counts for who declares it anew, and a millisecond later no more", () =>
    Effect.gen(function*() {
      const governor = Governor.make()
      assert.strictEqual(yield* take(governor, "a"), 0)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(yield* take(governor, "a"), 1)
      assert.strictEqual(yield* take(governor, "a"), 1)
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(yield* take(governor, "a"), 0)
    }))

  it.effect("windows that two declare hold until both have left", () =>
    Effect.gen(function*() {
      const governor = Governor.make()
      const [one, other] = [yield* Scope.make(), yield* Scope.make()]
      const log = yield* Scope.provide(governor.share("a", windows), one)
      yield* Scope.provide(governor.share("a", windows), other)
      assert.lengthOf(log.left(0), 1)
      assert.strictEqual(log.take(0), 0)
      yield* Scope.close(one, Exit.void)
      assert.strictEqual(log.take(0), 1_001)
      yield* Scope.close(other, Exit.void)
      assert.deepStrictEqual(log.left(0), [])
      assert.strictEqual(log.take(0), 0)
    }))

  it.effect("forgets no key that somebody holds, however many come and go", () =>
    Effect.gen(function*() {
      const governor = Governor.make()
      const held = yield* governor.share("held", windows)
      yield* TestClock.adjust("1 hour")
      for (let i = 0; i < 600; i++) yield* take(governor, `key ${i}`)
      assert.strictEqual(held.take(3_600_000), 0)
      assert.strictEqual(yield* take(governor, "held"), 1_001)
    }))

  it.effect("looks what it can forget at the 257th key, and then when there are twice as many as are kept", () =>
    Effect.gen(function*() {
      const governor = Governor.make()
      const idle = (key: string) => Effect.scoped(governor.share(key, windows))
      const many = (name: string, count: number) =>
        Effect.forEach(Array.from({ length: count }, (_, i) => `${name} ${i}`), idle, { discard: true })
      const first = yield* idle("first")
      for (let i = 0; i < 200; i++) yield* governor.share(`held ${i}`, windows)
      yield* many("idle", 55)
      assert.strictEqual(yield* idle("first"), first)
      // Of 256 keys 200 are held.
      const second = yield* idle("second")
      assert.notStrictEqual(yield* idle("first"), first)
      yield* many("later", 198)
      assert.strictEqual(yield* idle("second"), second)
      yield* idle("one more")
      assert.notStrictEqual(yield* idle("second"), second)
    }))

  it.effect("forgets a key once nobody holds it and nothing of it counts, and not before", () =>
    Effect.gen(function*() {
      const governor = Governor.make()
      const shared = (key: string) => Effect.scoped(governor.share(key, windows))
      const many = Effect.fnUntraced(function*(name: string) {
        for (let i = 0; i < 600; i++) yield* shared(`${name} ${i}`)
      })
      const first = yield* shared("a")
      assert.strictEqual(first, yield* shared("a"))
      assert.strictEqual(yield* take(governor, "b"), 0)
      const b = yield* shared("b")
      yield* many("early")
      assert.notStrictEqual(first, yield* shared("a"))
      assert.strictEqual(b, yield* shared("b"))
      yield* TestClock.adjust("1001 millis")
      yield* many("late")
      assert.notStrictEqual(b, yield* shared("b"))
    }))
})

describe("RollingLimit: edges", () => {
  it("names what it refuses: never, or after how long, and what was wrong", () => {
    const limited = (retryAfterMillis: number) =>
      new RollingLimit.RateLimited({ key: "venue", retryAfterMillis }).message
    assert.strictEqual(limited(Infinity), "rate limited: venue never admits this")
    assert.strictEqual(limited(20), "rate limited: venue, retry after 20 ms")
    assert.throws(
      () => RollingLimits.make([{ limit: 1, windowMillis: 1 }, { limit: 0.5, windowMillis: 1_000 }]),
      "rate limit: expected a finite limit of 1 or more in a finite window above 0 ms, got 0.5 in 1000 ms"
    )
  })

  it.effect("a sleep that nobody cuts short lasts as long as it says", () =>
    Effect.gen(function*() {
      const sleep = yield* Effect.forkChild(WakeableSleep.make().sleep(Effect.sleep(1_000)), { startImmediately: true })
      yield* TestClock.adjust("999 millis")
      assert.isUndefined(sleep.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      yield* Fiber.join(sleep)
    }))

  it.effect("a sleep is cut short once for each wake, be it before it begins", () =>
    Effect.gen(function*() {
      const sleeper = WakeableSleep.make()
      sleeper.wake()
      yield* sleeper.sleep(Effect.sleep(1_000))
      const second = yield* Effect.forkChild(sleeper.sleep(Effect.sleep(1_000)), { startImmediately: true })
      yield* TestClock.adjust("999 millis")
      assert.isUndefined(second.pollUnsafe())
      sleeper.wake()
      yield* TestClock.adjust(0)
      yield* Fiber.join(second)
      const third = yield* Effect.forkChild(sleeper.sleep(Effect.sleep(1_000)), { startImmediately: true })
      yield* TestClock.adjust("999 millis")
      assert.isUndefined(third.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      yield* Fiber.join(third)
    }))
})

describe("Limits", () => {
  const limits: ReadonlyArray<ConnectionLimits.Limit> = [
    { of: "messages", per: "connection", limit: 4, windowMillis: 1_000 },
    { of: "subscriptions", per: "connection", limit: 2, windowMillis: 1_000 },
    { of: "subscriptions", per: "connection", limit: 1, windowMillis: undefined },
    { of: "dials", per: "address", limit: 1, windowMillis: 60_000 }
  ]

  it.effect("keeps each limit for what it is of, a little longer than the peer, and those per address together", () =>
    Effect.gen(function*() {
      const one = yield* ConnectionLimits.make(limits, "venue.test")
      const two = yield* ConnectionLimits.make(limits, "venue.test")
      const elsewhere = yield* ConnectionLimits.make(limits, "other.test")
      assert.deepStrictEqual(one.messages?.left(0), [4])
      assert.deepStrictEqual(one.asks?.left(0), [4, 2])
      // An ask costs what its message does, and counts 1 as a subscription.
      assert.strictEqual(one.asks?.take(0, 3), 0)
      assert.deepStrictEqual(one.asks?.left(0), [1, 1])
      assert.deepStrictEqual(two.asks?.left(0), [4, 2])
      assert.strictEqual(one.messages?.waitFor(0, 2), 1_000 + ConnectionLimits.transitMillis + 1)
      assert.strictEqual(one.dials.take(0), 0)
      assert.strictEqual(two.dials.take(0), 60_000 + ConnectionLimits.transitMillis + 1)
      assert.strictEqual(elsewhere.dials.take(0), 0)
    }).pipe(Effect.provideService(Governor.Governor, Governor.make())))

  it.effect("has none for what nothing limits", () =>
    Effect.gen(function*() {
      const logs = yield* ConnectionLimits.make(limits.slice(1, 3), "venue.test")
      assert.isUndefined(logs.messages)
      assert.deepStrictEqual(logs.asks?.left(0), [2])
      assert.deepStrictEqual(logs.dials.left(0), [])
      const reservation = logs.asks?.reserve(0, 5)
      assert.deepStrictEqual(logs.asks?.left(0), [1])
      if (typeof reservation === "object") reservation.release()
      assert.deepStrictEqual(logs.asks?.left(0), [2])
      assert.isUndefined((yield* ConnectionLimits.make([], "venue.test")).asks)
    }))
})
