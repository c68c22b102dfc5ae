import { assert, describe, it } from "@effect/vitest"
import * as Breaker from "@tickline/core/resilience/Breaker"
import type * as Circuit from "@tickline/core/resilience/Circuit"
import * as CircuitBreaker from "@tickline/core/resilience/CircuitBreaker"
import * as Presets from "@tickline/core/resilience/Presets"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as BreakerTransitions from "../src/resilience/internal/breakerTransitions.ts"

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
const tag = (breaker: Breaker.Breaker) => Effect.map(breaker.state, ({ _tag }) => _tag)

describe("CircuitBreaker", () => {
  it.effect("opens at the threshold and rejects at once", () =>
    Effect.gen(function*() {
      const breaker = yield* CircuitBreaker.make(policy, { key: "wss://venue" })
      yield* TestClock.adjust(1000)
      yield* fail(breaker, 4)
      assert.strictEqual(yield* tag(breaker), "Closed")
      yield* fail(breaker)
      assert.deepStrictEqual(yield* breaker.state, {
        _tag: "Open",
        until: 11_000,
        openings: 1,
        failures: 5,
        ready: false
      })
      yield* TestClock.adjust(1)
      let ran = false
      const error = yield* Effect.flip(breaker.execute(Effect.sync(() => {
        ran = true
      })))
      assert.isFalse(ran)
      assert.instanceOf(error, Breaker.CircuitOpen)
      assert.deepStrictEqual({ ...error }, {
        _tag: "CircuitOpen",
        key: "wss://venue",
        until: 11_000,
        retryAfterMillis: 9999,
        probing: false
      })
      assert.strictEqual(error.message, "circuit of wss://venue open for another 9999 ms")
    }))

  it.effect("admits whoever waits for as long as it says, also to a part of a millisecond", () =>
    Effect.gen(function*() {
      const breaker = yield* CircuitBreaker.make(policy)
      yield* fail(breaker, 5)
      yield* TestClock.adjust(Duration.micros(9_999_700n))
      const { retryAfterMillis } = yield* Effect.flip(breaker.acquire)
      assert.strictEqual(retryAfterMillis, 1)
      yield* TestClock.adjust(retryAfterMillis)
      yield* breaker.acquire
    }))

  it.effect("a success in between starts the count again, but not within a window", () =>
    Effect.gen(function*() {
      const consecutive = yield* CircuitBreaker.make(policy)
      const windowed = yield* CircuitBreaker.make({ ...policy, window: Duration.seconds(60) })
      for (const breaker of [consecutive, windowed]) {
        yield* fail(breaker, 4)
        yield* succeed(breaker)
        yield* fail(breaker)
      }
      assert.strictEqual(yield* tag(consecutive), "Closed")
      assert.strictEqual(yield* tag(windowed), "Open")
    }))

  it.effect("with a window failures count while they are younger than it", () =>
    Effect.gen(function*() {
      const spread = (gap: number) =>
        Effect.gen(function*() {
          const breaker = yield* CircuitBreaker.make({ ...policy, failureThreshold: 2, window: Duration.seconds(60) })
          yield* fail(breaker)
          yield* TestClock.adjust(gap)
          yield* fail(breaker)
          return yield* tag(breaker)
        })
      assert.strictEqual(yield* spread(59_999), "Open")
      assert.strictEqual(yield* spread(60_000), "Closed")
    }))

  it.effect("half-opens at the first attempt after the open time, to the millisecond", () =>
    Effect.gen(function*() {
      const breaker = yield* CircuitBreaker.make(policy)
      yield* fail(breaker, 5)
      yield* TestClock.adjust(9999)
      assert.isTrue(Exit.isFailure(yield* Effect.exit(breaker.acquire)))
      yield* TestClock.adjust(1)
      const ready = yield* breaker.state
      assert.isTrue(ready._tag === "Open" && ready.ready)
      yield* TestClock.adjust(500)
      yield* breaker.acquire
      assert.deepStrictEqual(yield* breaker.state, { _tag: "HalfOpen", successes: 0, probing: true, openings: 1 })
      const { transitionHistory, timeouts } = yield* breaker.metrics
      assert.deepStrictEqual(transitionHistory.at(-1), {
        from: "Open",
        to: "HalfOpen",
        at: 10_500,
        reason: "open time over"
      })
      assert.strictEqual(timeouts, 1)
    }))

  it.effect("closes after three probes, one at a time", () =>
    Effect.gen(function*() {
      const breaker = yield* CircuitBreaker.make(policy)
      yield* fail(breaker, 5)
      yield* TestClock.adjust("10 seconds")
      for (const expected of ["HalfOpen", "HalfOpen", "Closed"]) {
        const permit = yield* breaker.acquire
        const other = yield* Effect.flip(breaker.acquire)
        assert.deepInclude(other, { probing: true, retryAfterMillis: 0, until: 10_000 })
        assert.strictEqual(other.message, "circuit open: a probe is under way")
        yield* permit.succeed
        assert.strictEqual(yield* tag(breaker), expected)
      }
      assert.strictEqual((yield* breaker.metrics).halfOpenAttempts, 3)
    }))

  it.effect("a stable period closes outright", () =>
    Effect.gen(function*() {
      const breaker = yield* CircuitBreaker.make(policy)
      yield* fail(breaker, 5)
      yield* TestClock.adjust("10 seconds")
      const permit = yield* breaker.acquire
      yield* permit.confirmStable
      assert.strictEqual(yield* tag(breaker), "Closed")
    }))

  it.effect("opens for 10, 20, 40, 80, 80 s, and for 10 s again once it was closed", () =>
    Effect.gen(function*() {
      const breaker = yield* CircuitBreaker.make(policy)
      yield* fail(breaker, 5)
      const lasted: Array<number | undefined> = []
      for (const seconds of [10, 20, 40, 80, 80]) {
        lasted.push((yield* breaker.metrics).transitionHistory.at(-1)?.openForMillis)
        yield* TestClock.adjust(seconds * 1000 - 1)
        assert.isTrue(Exit.isFailure(yield* Effect.exit(succeed(breaker))))
        yield* TestClock.adjust(1)
        yield* fail(breaker)
      }
      assert.deepStrictEqual(lasted, [10_000, 20_000, 40_000, 80_000, 80_000])
      yield* TestClock.adjust("80 seconds")
      yield* Effect.replicateEffect(succeed(breaker), 3, { discard: true })
      yield* fail(breaker, 5)
      const state = yield* breaker.state
      assert.isTrue(state._tag === "Open" && state.openings === 1)
      assert.strictEqual((yield* breaker.metrics).transitionHistory.at(-1)?.openForMillis, 10_000)
    }))

  it.effect("without half-open it is closed after the open time, its counters reset", () =>
    Effect.gen(function*() {
      const { circuit } = Presets.patient
      const breaker = yield* CircuitBreaker.make(circuit)
      yield* fail(breaker, 10)
      yield* TestClock.adjust(299_999)
      assert.isTrue(Exit.isFailure(yield* Effect.exit(breaker.acquire)))
      yield* TestClock.adjust(1)
      yield* breaker.acquire
      yield* breaker.acquire
      assert.deepStrictEqual(yield* breaker.state, BreakerTransitions.closed)
      yield* fail(breaker, 9)
      assert.strictEqual(yield* tag(breaker), "Closed")
    }))

  it.effect("\"none\" always admits", () =>
    Effect.gen(function*() {
      const breaker = yield* CircuitBreaker.make("none")
      yield* fail(breaker, 1000)
      yield* succeed(breaker)
      const metrics = yield* breaker.metrics
      assert.deepStrictEqual([metrics.state, metrics.failures, metrics.rejected], ["Closed", 1000, 0])
    }))

  describe("permits", () => {
    const halfOpen = Effect.gen(function*() {
      const breaker = yield* CircuitBreaker.make(policy)
      yield* fail(breaker, 5)
      yield* TestClock.adjust("10 seconds")
      return breaker
    })

    it.effect("only the first report counts", () =>
      Effect.gen(function*() {
        const breaker = yield* halfOpen
        const permit = yield* breaker.acquire
        yield* permit.succeed
        yield* permit.succeed
        yield* permit.confirmStable
        yield* permit.fail("late")
        const second = yield* breaker.acquire
        yield* permit.release
        assert.deepStrictEqual(yield* breaker.state, { _tag: "HalfOpen", successes: 1, probing: true, openings: 1 })
        yield* second.release
        yield* second.fail("late")
        assert.deepStrictEqual(yield* breaker.state, { _tag: "HalfOpen", successes: 1, probing: false, openings: 1 })
      }))

    it.effect("count for nothing once the breaker has opened or been reset", () =>
      Effect.gen(function*() {
        const breaker = yield* CircuitBreaker.make(policy)
        const early = yield* breaker.acquire
        yield* fail(breaker, 5)
        yield* TestClock.adjust("10 seconds")
        const probe = yield* breaker.acquire
        yield* early.fail("old")
        assert.strictEqual(yield* tag(breaker), "HalfOpen")
        yield* early.confirmStable
        assert.strictEqual(yield* tag(breaker), "HalfOpen")
        yield* breaker.reset
        const { failures } = yield* breaker.metrics
        yield* probe.fail("old")
        assert.strictEqual((yield* breaker.metrics).failures, failures)
        assert.deepStrictEqual(yield* breaker.state, BreakerTransitions.closed)
      }))

    it.effect("an interrupted probe frees its slot without counting", () =>
      Effect.gen(function*() {
        const breaker = yield* halfOpen
        const fiber = yield* Effect.forkChild(breaker.execute(Effect.never), { startImmediately: true })
        assert.isTrue(Exit.isFailure(yield* Effect.exit(succeed(breaker))))
        const before = yield* breaker.metrics
        yield* Fiber.interrupt(fiber)
        const after = yield* breaker.metrics
        assert.deepStrictEqual([after.failures, after.successes], [before.failures, before.successes])
        yield* succeed(breaker)
        assert.deepStrictEqual(yield* breaker.state, { _tag: "HalfOpen", successes: 1, probing: false, openings: 1 })
      }))

    it.effect("a failure of another in half-open opens it, and the probe under way no longer counts", () =>
      Effect.gen(function*() {
        const breaker = yield* halfOpen
        const probe = yield* breaker.acquire
        yield* breaker.recordFailure("Dropped")
        yield* probe.confirmStable
        const state = yield* breaker.state
        assert.isTrue(state._tag === "Open" && state.openings === 2 && state.until === 30_000)
      }))

    it.effect("recordStable closes a breaker whose probe has reported, and says nothing of any other", () =>
      Effect.gen(function*() {
        const breaker = yield* halfOpen
        yield* breaker.recordStable
        assert.strictEqual(yield* tag(breaker), "Open")
        yield* Effect.flatMap(breaker.acquire, ({ succeed }) => succeed)
        const { successes } = yield* breaker.metrics
        yield* breaker.recordStable
        assert.deepStrictEqual(yield* breaker.state, BreakerTransitions.closed)
        yield* breaker.recordStable
        assert.strictEqual((yield* breaker.metrics).successes, successes + 1)
      }))

    it.effect("recordFailure counts towards the threshold", () =>
      Effect.gen(function*() {
        const breaker = yield* CircuitBreaker.make(policy)
        yield* Effect.replicateEffect(breaker.recordFailure("Dropped"), 5, { discard: true })
        const { failureHistory, transitionHistory } = yield* breaker.metrics
        assert.strictEqual(transitionHistory.at(-1)?.reason, "5 failures, the last: Dropped")
        assert.strictEqual(failureHistory.length, 5)
      }))
  })

  describe("execute", () => {
    it.effect("passes value and error on; a defect is a failure", () =>
      Effect.gen(function*() {
        const breaker = yield* CircuitBreaker.make(policy)
        assert.strictEqual(yield* breaker.execute(Effect.succeed(42)), 42)
        assert.strictEqual(yield* Effect.flip(breaker.execute(Effect.fail("down"))), "down")
        yield* Effect.exit(breaker.execute(Effect.die(new Error("bug"))))
        const { failures, failureHistory, successes } = yield* breaker.metrics
        assert.deepStrictEqual([successes, failures], [1, 2])
        assert.deepStrictEqual(failureHistory.map(({ reason }) => reason), ["down", "defect: Error"])
      }))

    it.effect("names a failure by its tag, its name, or its value", () =>
      Effect.gen(function*() {
        const errors = [{ _tag: "Refused" }, { _tag: 5 }, {}, new TypeError("no"), null, undefined, 5, "down"]
        const breaker = yield* CircuitBreaker.make("none")
        for (const error of errors) yield* Effect.ignore(breaker.execute(Effect.fail(error)))
        assert.deepStrictEqual((yield* breaker.metrics).failureHistory.map(({ reason }) => reason), [
          "Refused",
          "object",
          "object",
          "TypeError",
          "null",
          "undefined",
          "5",
          "down"
        ])
      }))

    it.effect("an error that is no failure is a success", () =>
      Effect.gen(function*() {
        const breaker = yield* CircuitBreaker.make(policy)
        const call = breaker.execute(Effect.fail({ _tag: "Rejected" }), {
          isFailure: ({ _tag }) => _tag !== "Rejected"
        })
        yield* Effect.replicateEffect(Effect.ignore(call), 10, { discard: true })
        assert.strictEqual((yield* breaker.metrics).successes, 10)
      }))

    it.effect("measures calls", () =>
      Effect.gen(function*() {
        const breaker = yield* CircuitBreaker.make(policy)
        for (const millis of [30, 10, 20]) {
          const fiber = yield* Effect.forkChild(breaker.execute(Effect.sleep(millis)), { startImmediately: true })
          yield* TestClock.adjust(millis)
          yield* Fiber.join(fiber)
        }
        const { averageCall, calls, fastestCall, slowestCall } = yield* breaker.metrics
        assert.deepStrictEqual([calls, fastestCall, slowestCall, averageCall], [3, 10, 30, 20])
      }))
  })

  describe("waiting", () => {
    it.effect("awaitPermit is admitted exactly when the open time is over, one probe after the other", () =>
      Effect.gen(function*() {
        const breaker = yield* CircuitBreaker.make(policy)
        yield* fail(breaker, 5)
        const admitted: Array<number> = []
        const probe = Effect.scoped(Effect.gen(function*() {
          const permit = yield* breaker.awaitPermit
          admitted.push(yield* Clock.currentTimeMillis)
          yield* Effect.sleep(100)
          yield* permit.succeed
        }))
        yield* Effect.forkChild(Effect.all([probe, probe, probe], { concurrency: 3 }), { startImmediately: true })
        yield* TestClock.adjust("1 minute")
        assert.deepStrictEqual(admitted, [10_000, 10_100, 10_200])
        assert.strictEqual(yield* tag(breaker), "Closed")
      }))

    it.effect("awaitPermit gives the slot back with its scope, and can be interrupted", () =>
      Effect.gen(function*() {
        const breaker = yield* CircuitBreaker.make(policy)
        yield* fail(breaker, 5)
        const waiting = yield* Effect.forkChild(Effect.scoped(breaker.awaitPermit), { startImmediately: true })
        yield* Fiber.interrupt(waiting)
        yield* TestClock.adjust("10 seconds")
        const scope = yield* Scope.make()
        yield* Scope.provide(breaker.awaitPermit, scope)
        assert.isTrue(Exit.isFailure(yield* Effect.exit(breaker.acquire)))
        yield* Scope.close(scope, Exit.void)
        yield* breaker.acquire
      }))

    it.effect("changed completes at a transition and at a freed slot, not at a count", () =>
      Effect.gen(function*() {
        const breaker = yield* CircuitBreaker.make({ ...policy, failureThreshold: 2 })
        const happened = Effect.fnUntraced(function*(event: Effect.Effect<unknown, unknown>) {
          const seen = yield* Deferred.make<void>()
          const fiber = yield* Effect.forkChild(
            Effect.andThen(breaker.changed, Deferred.succeed(seen, undefined)),
            { startImmediately: true }
          )
          yield* Effect.ignore(event)
          yield* Effect.yieldNow
          yield* Effect.yieldNow
          const done = yield* Deferred.isDone(seen)
          yield* Fiber.interrupt(fiber)
          return done
        })
        assert.isFalse(yield* happened(fail(breaker)))
        assert.isTrue(yield* happened(fail(breaker)))
        yield* TestClock.adjust("10 seconds")
        const permit = yield* breaker.acquire
        assert.isTrue(yield* happened(permit.release))
        assert.isFalse(yield* happened(breaker.acquire))
        assert.isFalse(yield* happened(Effect.flip(breaker.acquire)))
        assert.isTrue(yield* happened(breaker.reset))
      }))

    it.effect("each transition is told to every reader and every observer", () =>
      Effect.gen(function*() {
        const breaker = yield* CircuitBreaker.make({ ...policy, failureThreshold: 1 })
        const told: Array<string> = []
        for (const name of ["a", "b"]) {
          yield* breaker.observe(({ to }) => void told.push(`observer ${name}: ${to}`))
          yield* breaker.transitions.pipe(
            Stream.runForEach(({ to }) => Effect.sync(() => void told.push(`reader ${name}: ${to}`))),
            Effect.forkScoped({ startImmediately: true })
          )
        }
        yield* fail(breaker)
        yield* TestClock.adjust(0)
        assert.deepStrictEqual(told.toSorted(), [
          "observer a: Open",
          "observer b: Open",
          "reader a: Open",
          "reader b: Open"
        ])
        // Closed by hand, its open time did not end in an attempt.
        yield* breaker.reset
        assert.strictEqual((yield* breaker.metrics).timeouts, 0)
      }).pipe(Effect.scoped))

    it.effect("transitions are published with time and reason", () =>
      Effect.gen(function*() {
        const breaker = yield* CircuitBreaker.make({ ...policy, failureThreshold: 1 })
        const fiber = yield* breaker.transitions.pipe(Stream.take(3), Stream.runCollect, Effect.forkChild)
        yield* TestClock.adjust(5)
        yield* fail(breaker)
        yield* TestClock.adjust("10 seconds")
        const permit = yield* breaker.acquire
        yield* TestClock.adjust(7)
        yield* permit.confirmStable
        assert.deepStrictEqual(yield* Fiber.join(fiber), [
          {
            from: "Closed",
            to: "Open",
            at: 5,
            reason: "1 failure, the last: down",
            openForMillis: 10_000,
            failures: 1
          },
          { from: "Open", to: "HalfOpen", at: 10_005, reason: "open time over" },
          { from: "HalfOpen", to: "Closed", at: 10_012, reason: "stable" }
        ])
      }))
  })

  it.effect("the registry gives one breaker per key", () =>
    Effect.gen(function*() {
      const breakers = yield* CircuitBreaker.CircuitBreaker
      const [a, again, b] = yield* Effect.all([breakers.get("a"), breakers.get("a"), breakers.get("b")], {
        concurrency: 3
      })
      assert.strictEqual(a, again)
      yield* fail(a, 5)
      assert.deepStrictEqual([yield* tag(a), yield* tag(b)], ["Open", "Closed"])
      assert.deepStrictEqual((yield* breakers.all).map(({ key }) => key), ["a", "b"])
    }).pipe(Effect.provide(CircuitBreaker.layer(policy))))
})
