import { assert, describe, it } from "@effect/vitest"
import type * as Breaker from "@tickline/core/resilience/Breaker"
import type * as Circuit from "@tickline/core/resilience/Circuit"
import * as CircuitBreaker from "@tickline/core/resilience/CircuitBreaker"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Metric from "effect/Metric"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"

const policy: Circuit.Policy = {
  failureThreshold: 5,
  window: undefined,
  openDuration: Duration.seconds(10),
  openFactor: 2,
  openCap: Duration.seconds(80),
  halfOpen: { successThreshold: 3 }
}

const fail = (breaker: Breaker.Breaker, times = 1) =>
  Effect.replicateEffect(breaker.recordFailure("Dropped"), times, { discard: true })
const tag = (breaker: Breaker.Breaker) => Effect.map(breaker.state, ({ _tag }) => _tag)

/** The keys whose breakers are among Effect's metrics. */
const measured = Effect.map(
  Metric.snapshot,
  (metrics) =>
    new Set(
      metrics.filter(({ id }) => id.startsWith("circuit_breaker_")).flatMap(({ attributes }) =>
        Object.values(attributes ?? {}).filter((value) => value.startsWith("key "))
      )
    )
)

describe("more breakers than are measured", () => {
  it.effect("those that are watched or were asked for last are among the metrics", () =>
    Effect.gen(function*() {
      const breakers = yield* CircuitBreaker.CircuitBreaker
      const failing = (n: number) => Effect.tap(breakers.get(`key ${n}`), (breaker) => breaker.recordFailure("Dropped"))
      yield* (yield* failing(0)).observe(() => {})
      for (let n = 1; n < 1_024; n++) yield* failing(n)
      assert.strictEqual((yield* measured).size, 1_024)
      for (let n = 1_024; n < 1_034; n++) yield* failing(n)
      const keys = yield* measured
      assert.strictEqual(keys.size, 1_024)
      assert.isTrue(keys.has("key 0"), "it is watched")
      for (let n = 1; n <= 10; n++) assert.isFalse(keys.has(`key ${n}`), `key ${n}`)
      for (let n = 11; n < 1_034; n++) assert.isTrue(keys.has(`key ${n}`), `key ${n}`)
    }).pipe(Effect.scoped, Effect.provide(CircuitBreaker.layer(policy))))
})

describe("more breakers than are kept", () => {
  it.effect("forgets keys that have nothing to say, and keeps what is open, watched or held", () =>
    Effect.gen(function*() {
      const breakers = yield* CircuitBreaker.CircuitBreaker
      yield* fail(yield* breakers.get("open"), 5)
      yield* fail(yield* breakers.get("failing"), 4)
      const watched: Array<string> = []
      yield* (yield* breakers.get("watched")).observe(({ to }) => watched.push(to))
      const held = yield* breakers.get("held")
      for (let i = 0; i < 1_100; i++) yield* (yield* breakers.get(`key ${i}`)).execute(Effect.void)
      const keys = new Set((yield* breakers.all).map(({ key }) => key))
      assert.isAtMost(keys.size, 1_100)
      for (const key of ["open", "failing", "watched"]) assert.isTrue(keys.has(key), key)
      assert.strictEqual(yield* tag(yield* breakers.get("open")), "Open")
      yield* fail(yield* breakers.get("failing"), 1)
      assert.strictEqual(yield* tag(yield* breakers.get("failing")), "Open")
      yield* fail(yield* breakers.get("watched"), 5)
      assert.deepStrictEqual(watched, ["Open"])
      // Who holds one holds that of whoever asks for it next; once it fails, the registry keeps it again.
      assert.isFalse(keys.has("held"))
      yield* fail(held, 5)
      assert.isTrue((yield* breakers.all).includes(held))
      assert.strictEqual(yield* breakers.get("held"), held)
    }).pipe(Effect.scoped, Effect.provide(CircuitBreaker.layer(policy))))

  const get = (key: string) => Effect.flatMap(CircuitBreaker.CircuitBreaker, (breakers) => breakers.get(key))
  const keys = Effect.flatMap(
    CircuitBreaker.CircuitBreaker,
    ({ all }) => Effect.map(all, (breakers) => breakers.map(({ key }) => key))
  )
  /** Asks for the keys of these numbers. */
  const visit = (from: number, to: number) => Effect.forEach(numbered(from, to), get, { discard: true })
  const numbered = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => `key ${from + i}`)

  it.effect("at the 1,025th the 512 that were asked for longest ago are forgotten, and not one before", () =>
    Effect.gen(function*() {
      yield* visit(0, 1_024)
      assert.deepStrictEqual(yield* keys, numbered(0, 1_024))
      yield* get("key 0")
      yield* get("key 1024")
      assert.deepStrictEqual(yield* keys, [...numbered(513, 1_024), "key 0", "key 1024"])
      // The same at the next that would be one too many.
      yield* visit(1_025, 1_536)
      assert.lengthOf(yield* keys, 1_024)
      yield* get("key 1536")
      assert.lengthOf(yield* keys, 513)
    }).pipe(Effect.provide(CircuitBreaker.layer(policy))))

  it.effect("where most are worth keeping, it is looked again when there are twice as many", () =>
    Effect.gen(function*() {
      yield* Effect.forEach(numbered(0, 1_024), (key) => Effect.flatMap(get(key), fail), { discard: true })
      yield* visit(1_024, 2_048)
      assert.lengthOf(yield* keys, 2_048)
      yield* get("key 2048")
      assert.deepStrictEqual(yield* keys, [...numbered(0, 1_024), "key 2048"])
    }).pipe(Effect.provide(CircuitBreaker.layer(policy))))

  it.effect("of a registry that never opens, failures are nothing to keep", () =>
    Effect.gen(function*() {
      yield* Effect.flatMap(get("failing"), fail)
      yield* visit(0, 1_024)
      assert.notInclude(yield* keys, "failing")
    }).pipe(Effect.provide(CircuitBreaker.layer("none"))))

  const rests: ReadonlyArray<readonly [what: string, policy: Circuit.Policy, failures: number, millis: number]> = [
    ["a failure counts for ten minutes", policy, 1, 600_000],
    ["a failure counts for as long as an open time can be", { ...policy, openCap: Duration.hours(1) }, 1, 3_600_000],
    ["a failure counts for its window", { ...policy, window: Duration.minutes(20) }, 1, 1_200_000],
    ["an open time counts for ten minutes after its end", policy, 5, 610_000]
  ]
  for (const [what, policy, failures, millis] of rests) {
    it.effect(`${what}, and then no more`, () =>
      Effect.gen(function*() {
        yield* TestClock.adjust(50)
        const breaker = yield* get("failing")
        yield* fail(breaker, failures)
        yield* visit(1, 1_024)
        // To be asked, and to refuse, is nothing new.
        yield* TestClock.adjust("5 seconds")
        yield* Effect.exit(breaker.acquire)
        yield* TestClock.adjust(millis - 5_001)
        yield* visit(1_024, 1_536)
        assert.include(yield* keys, "failing")
        yield* TestClock.adjust(1)
        yield* get("key 1536")
        assert.notInclude(yield* keys, "failing")
      }).pipe(Effect.provide(CircuitBreaker.layer(policy))))
  }

  it.effect("one that is not watched any more is nothing to keep", () =>
    Effect.gen(function*() {
      const breaker = yield* get("key 0")
      yield* Effect.scoped(breaker.observe(() => {}))
      yield* visit(1, 1_025)
      assert.notInclude(yield* keys, "key 0")
    }).pipe(Effect.provide(CircuitBreaker.layer(policy))))

  it.effect("one that was forgotten and is asked for while somebody holds it is kept again, and measured", () =>
    Effect.gen(function*() {
      const held = yield* get("key 0")
      // What nobody holds is looked for at the first sweep and at the second.
      yield* visit(1, 1_600)
      assert.notInclude(yield* keys, "key 0")
      assert.isFalse((yield* measured).has("key 0"))
      assert.strictEqual(yield* get("key 0"), held)
      assert.strictEqual((yield* keys).at(-1), "key 0")
      assert.isTrue((yield* measured).has("key 0"))
    }).pipe(Effect.provide(CircuitBreaker.layer(policy))))

  it.effect("none is measured once the layer has ended, whoever asks", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const context = yield* Layer.buildWithScope(CircuitBreaker.layer(policy), scope)
      yield* Effect.provideContext(visit(0, 2), context)
      assert.deepStrictEqual([...yield* measured], ["key 0", "key 1"])
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual((yield* measured).size, 0)
      yield* Effect.provideContext(visit(1, 4), context)
      assert.strictEqual((yield* measured).size, 0)
    }).pipe(Effect.provideService(Metric.MetricRegistry, new Map())))
})
