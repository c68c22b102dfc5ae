/** A program under many interleavings, each of which follows from its seed. */
import { assert, describe, it } from "@effect/vitest"
import * as Probe from "@tickline/testing/Probe"
import * as SeededScheduler from "@tickline/testing/SeededScheduler"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as PubSub from "effect/PubSub"
import * as Random from "effect/Random"
import * as Ref from "effect/Ref"
import { PreventSchedulerYield } from "effect/Scheduler"
import * as Semaphore from "effect/Semaphore"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"

/** Counts visits as whoever has not thought of a second visitor does. */
const countVisits = Effect.gen(function*() {
  const visits = yield* Ref.make(0)
  const visit = Effect.flatMap(Ref.get(visits), (count) => Ref.set(visits, count + 1))
  yield* Effect.all([visit, visit, visit], { concurrency: "unbounded" })
  assert.strictEqual(yield* Ref.get(visits), 3, "visits")
})

/** The order in which five fibers pass, each three times. */
const passing = Effect.gen(function*() {
  const order: Array<string> = []
  const pass = (name: string) =>
    Effect.forEach([1, 2, 3], (time) => Effect.andThen(Effect.yieldNow, Effect.sync(() => order.push(name + time))))
  yield* Effect.forEach(["a", "b", "c", "d", "e"], pass, { concurrency: "unbounded" })
  return order.join(" ")
})

const under = <A, E>(seed: number, program: Effect.Effect<A, E>) => Effect.provide(program, SeededScheduler.layer(seed))

describe("SeededScheduler", () => {
  it.effect("finds a lost update, and names its seed", () =>
    Effect.gen(function*() {
      yield* countVisits // Effect's own scheduler never shows it
      const failure = yield* Effect.flip(SeededScheduler.check(countVisits, { seeds: [1, 200] }))
      assert.strictEqual(failure._tag, "SeedFailed")
      assert.match(failure.message, /^under seed \d+: AssertionError: visits: expected [12] to equal 3/)
      const alone = yield* Effect.flip(
        SeededScheduler.check(countVisits, { seeds: [failure.seed, failure.seed] })
      )
      assert.strictEqual(alone.seed, failure.seed)
      assert.strictEqual(alone.detail.split("\n")[0], failure.detail.split("\n")[0])
    }))

  it.effect("passes what is right under every seed", () =>
    SeededScheduler.check(
      Effect.gen(function*() {
        const visits = yield* Ref.make(0)
        const guard = yield* Semaphore.make(1)
        const visit = Effect.flatMap(Ref.get(visits), (count) => Ref.set(visits, count + 1))
        yield* Effect.all([visit, visit, visit].map((each) => guard.withPermits(1)(each)), { concurrency: "unbounded" })
        assert.strictEqual(yield* Ref.get(visits), 3)
      }),
      { seeds: [1, 500] }
    ))

  it.effect("has the same order for the same seed, and others for others", () =>
    Effect.gen(function*() {
      const seeds = Array.from({ length: 20 }, (_, seed) => seed)
      const first = yield* Effect.forEach(seeds, (seed) => under(seed, passing))
      const again = yield* Effect.forEach(seeds, (seed) => under(seed, passing))
      assert.deepStrictEqual(again, first)
      assert.strictEqual(new Set(first).size, seeds.length)
    }))

  it.effect("keeps priorities, and lets each of the most urgent go first under some seed", () =>
    Effect.gen(function*() {
      const firsts = new Set<string>()
      for (let seed = 1; seed <= 40; seed++) {
        const order: Array<string> = []
        const fibers = ["late", "a", "b", "c"].map((name) =>
          Effect.andThen(Effect.yieldNowWith(name === "late" ? 1 : 0), Effect.sync(() => order.push(name))).pipe(
            Effect.provideService(PreventSchedulerYield, true)
          )
        )
        yield* under(seed, Effect.all(fibers, { concurrency: "unbounded" }))
        assert.strictEqual(order.at(-1), "late")
        firsts.add(order[0] ?? "")
      }
      assert.deepStrictEqual([...firsts].toSorted(), ["a", "b", "c"])
    }))

  it.effect("draws a program's chance from the seed", () =>
    Effect.gen(function*() {
      const drawn = Effect.all([Random.next, Random.next])
      assert.deepStrictEqual(yield* under(3, drawn), yield* under(3, drawn))
      assert.notDeepEqual(yield* under(3, drawn), yield* under(4, drawn))
    }))

  it.effect("does not let time move while a fiber is ready", () =>
    SeededScheduler.check(
      Effect.gen(function*() {
        const ended: Array<number> = []
        const busy = Effect.repeat(Effect.yieldNow, { times: 20 }).pipe(
          Effect.andThen(Clock.currentTimeMillis),
          Effect.tap((at) => Effect.sync(() => ended.push(at)))
        )
        yield* Effect.forkChild(busy)
        // What one step wakes is over before the next.
        yield* Effect.forkChild(Effect.andThen(Effect.sleep(10), busy))
        yield* Effect.forkChild(Effect.andThen(Effect.sleep(11), busy))
        yield* TestClock.adjust(20)
        assert.deepStrictEqual(ended, [0, 10, 11])
        yield* TestClock.setTime(30)
        assert.strictEqual(yield* Clock.currentTimeMillis, 30)
      }),
      { seeds: [1, 100] }
    ))

  it.effect("settles without moving time", () =>
    SeededScheduler.check(
      Effect.gen(function*() {
        let passed = 0
        yield* Effect.forkChild(Effect.repeat(Effect.sync(() => passed++), { times: 9 }))
        yield* SeededScheduler.settled
        assert.strictEqual(passed, 10)
        assert.strictEqual(yield* Clock.currentTimeMillis, 0)
      }),
      { seeds: [1, 100] }
    ))

  it.effect("says of a program that waits for ever that nothing can go on", () =>
    Effect.gen(function*() {
      const lost = Effect.gen(function*() {
        const answer = yield* Deferred.make<void>()
        yield* Deferred.await(answer)
      })
      const failure = yield* Effect.flip(SeededScheduler.check(lost, { seeds: [5, 9] }))
      assert.strictEqual(
        failure.message,
        "under seed 5: nothing can go on: no fiber is ready, and nobody lets time go on"
      )
    }))

  it.effect("says of a program that never rests that it is still running", () =>
    Effect.gen(function*() {
      const failure = yield* Effect.flip(
        SeededScheduler.check(Effect.forever(Effect.yieldNow), { seeds: [5, 9], steps: 30_000 })
      )
      assert.strictEqual(failure.message, "under seed 5: still running after 30000 steps")
    }))

  it.effect("lets what a promise wakes go on", () =>
    SeededScheduler.check(Effect.promise(() => Promise.resolve(1)), { seeds: [1, 20] }))

  it.effect("has the probes see what was there before time went on", () =>
    SeededScheduler.check(
      Effect.gen(function*() {
        const published = yield* PubSub.unbounded<number>()
        const kept = yield* Probe.record(Stream.fromPubSub(published))
        yield* PubSub.publishAll(published, [1, 2, 3])
        yield* Probe.until(Effect.sync(() => kept.length === 3), { within: 0 })
        const sleeping = yield* Effect.forkChild(Effect.sleep(5))
        assert.strictEqual(yield* Probe.within(Effect.as(Fiber.join(sleeping), "woken")), "woken")
      }),
      { seeds: [1, 200] }
    ))
})
