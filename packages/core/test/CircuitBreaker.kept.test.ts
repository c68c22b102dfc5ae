import { assert, describe, it } from "@effect/vitest"
import * as CircuitBreaker from "@tickline/core/resilience/CircuitBreaker"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"

const policy: CircuitBreaker.Policy = {
  failureThreshold: 5,
  window: undefined,
  openDuration: Duration.seconds(10),
  openFactor: 2,
  openCap: Duration.seconds(80),
  halfOpen: { successThreshold: 3 }
}

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
