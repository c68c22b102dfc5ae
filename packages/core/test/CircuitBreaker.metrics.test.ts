import { assert, describe, it } from "@effect/vitest"
import type * as Breaker from "@tickline/core/resilience/Breaker"
import * as BreakerMetrics from "@tickline/core/resilience/BreakerMetrics"
import type * as Circuit from "@tickline/core/resilience/Circuit"
import * as CircuitBreaker from "@tickline/core/resilience/CircuitBreaker"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as PrometheusMetrics from "effect/observability/PrometheusMetrics"
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
  Effect.replicateEffect(Effect.ignore(breaker.execute(Effect.fail("down"))), times, { discard: true })
const succeed = (breaker: Breaker.Breaker) => breaker.execute(Effect.void)

describe("the metrics of a breaker", () => {
  it.effect("times, rates and counts by the virtual clock, and a reset that leaves the state", () =>
    Effect.gen(function*() {
      yield* TestClock.adjust(20)
      const breaker = yield* CircuitBreaker.make({ ...policy, failureThreshold: 2 }, { key: "k" })
      yield* TestClock.adjust(1000)
      yield* succeed(breaker)
      yield* succeed(breaker)
      yield* fail(breaker, 2)
      yield* TestClock.adjust(4000)
      yield* Effect.ignore(succeed(breaker))
      yield* TestClock.adjust(6000)
      yield* succeed(breaker)
      yield* TestClock.adjust(500)
      const metrics = yield* breaker.metrics
      const { failureHistory, successHistory, transitionHistory, ...figures } = metrics
      assert.deepStrictEqual(figures, {
        key: "k",
        state: "HalfOpen",
        stateTransitions: 2,
        failures: 2,
        successes: 3,
        consecutiveFailures: 0,
        consecutiveSuccesses: 1,
        failureRate: 40,
        successRate: 60,
        timeInState: 500,
        timeClosed: 1000,
        timeOpen: 10_000,
        timeHalfOpen: 500,
        averageStateDuration: 11_500 / 3,
        timeouts: 1,
        halfOpenAttempts: 1,
        rejected: 1,
        openedAt: 1020,
        closedAt: undefined,
        openUntil: undefined,
        calls: 5,
        fastestCall: 0,
        slowestCall: 0,
        averageCall: 0,
        backoffEnabled: true,
        backoffMultiplier: 2,
        backoffMax: 80_000,
        resetAt: undefined
      })
      assert.deepStrictEqual(successHistory, [1020, 1020, 11_020])
      assert.deepStrictEqual(failureHistory, [{ at: 1020, reason: "down" }, { at: 1020, reason: "down" }])
      assert.deepStrictEqual(transitionHistory.map(({ to }) => to), ["Open", "HalfOpen"])

      yield* breaker.resetMetrics
      const fresh = yield* breaker.metrics
      assert.deepStrictEqual(
        [fresh.state, fresh.failures, fresh.stateTransitions, fresh.timeOpen, fresh.resetAt],
        ["HalfOpen", 0, 0, 0, 11_520]
      )
      assert.deepStrictEqual(fresh.failureHistory, [])
      yield* TestClock.adjust(80)
      assert.deepInclude(yield* breaker.metrics, { timeInState: 80, timeHalfOpen: 80, averageStateDuration: 80 })
    }))

  it.effect("histories hold the last hundred", () =>
    Effect.gen(function*() {
      const breaker = yield* CircuitBreaker.make("none")
      for (let i = 0; i < 250; i++) {
        yield* succeed(breaker)
        yield* TestClock.adjust(1)
      }
      const { successHistory, successes } = yield* breaker.metrics
      assert.strictEqual(successes, 250)
      assert.deepStrictEqual(successHistory, Array.from({ length: 100 }, (_, i) => 150 + i))
    }))

  it.effect("tell the state as a number: closed, half-open, open", () =>
    Effect.gen(function*() {
      const breaker = yield* CircuitBreaker.make({ ...policy, failureThreshold: 1 })
      const state = Effect.map(breaker.metrics, (metrics) =>
        /^circuit_breaker_state\{.*\} (\d)$/m.exec(BreakerMetrics.toPrometheus([metrics]))?.[1])
      const told = [yield* state]
      yield* fail(breaker)
      told.push(yield* state)
      yield* TestClock.adjust("10 seconds")
      yield* breaker.acquire
      told.push(yield* state)
      assert.deepStrictEqual(told, ["0", "2", "1"])
    }))

  it.effect("among Effect's, what only grows is a counter and the rest are gauges", () =>
    Effect.gen(function*() {
      yield* BreakerMetrics.register(yield* CircuitBreaker.make(policy, { key: "k" }))
      const told = (yield* Metric.snapshot).filter(({ id }) => id.startsWith("circuit_breaker_"))
      assert.lengthOf(told, 23)
      for (const { id, state } of told) {
        assert.strictEqual("incremental" in state && state.incremental, id.endsWith("_total"), id)
      }
      const text = yield* PrometheusMetrics.format()
      for (const { id } of told) {
        assert.include(text, `# TYPE ${id} ${id.endsWith("_total") ? "counter" : "gauge"}\n`)
      }
    }).pipe(Effect.scoped, Effect.provideService(Metric.MetricRegistry, new Map())))

  it.effect("as JSON and as Prometheus text", () =>
    Effect.gen(function*() {
      const breaker = yield* CircuitBreaker.make({ ...policy, failureThreshold: 1 }, { key: "wss://\"a\"" })
      const other = yield* CircuitBreaker.make(policy, { key: "b" })
      yield* fail(breaker)
      const metrics = [yield* breaker.metrics, yield* other.metrics] as const
      const json = JSON.parse(JSON.stringify(BreakerMetrics.toJson(metrics[0])))
      assert.strictEqual(json.current_state, "Open")
      assert.strictEqual(json.total_failures, 1)
      assert.strictEqual(json.closed_at_ms, null)
      assert.deepStrictEqual(json.transition_history, [
        { at_ms: 0, from: "Closed", to: "Open", reason: "1 failure, the last: down", open_for_ms: 10_000 }
      ])
      const text = BreakerMetrics.toPrometheus(metrics)
      assert.include(
        text,
        "# HELP circuit_breaker_state 0 closed, 1 half-open, 2 open\n# TYPE circuit_breaker_state gauge\n" +
          "circuit_breaker_state{key=\"wss://\\\"a\\\"\"} 2\ncircuit_breaker_state{key=\"b\"} 0\n"
      )
      for (const line of text.trimEnd().split("\n")) {
        assert.match(line, /^(# (HELP|TYPE) \w+ .+|\w+\{key=".*"\} -?[\d.]+)$/)
      }
    }))
})
