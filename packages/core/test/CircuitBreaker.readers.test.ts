import { assert, it } from "@effect/vitest"
import * as CircuitBreaker from "@tickline/core/resilience/CircuitBreaker"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"

it.effect("a reader of transitions that is more than 128 behind loses the oldest", () =>
  Effect.gen(function*() {
    const breaker = yield* CircuitBreaker.make({
      failureThreshold: 1,
      window: undefined,
      openDuration: Duration.seconds(10),
      openFactor: 1,
      openCap: Duration.seconds(10),
      halfOpen: { successThreshold: 1 }
    })
    const gate = yield* Deferred.make<void>()
    const read: Array<number> = []
    yield* breaker.transitions.pipe(
      Stream.runForEach(({ at }) =>
        Effect.suspend(() => {
          read.push(at)
          return Deferred.await(gate)
        })
      ),
      Effect.forkScoped({ startImmediately: true })
    )
    for (let i = 0; i <= 100; i++) {
      yield* breaker.recordFailure("down")
      yield* TestClock.adjust(1)
      yield* breaker.reset
      yield* TestClock.adjust(1)
    }
    yield* Deferred.succeed(gate, void 0)
    yield* TestClock.adjust(0)
    assert.deepStrictEqual(read, [0, ...Array.from({ length: 128 }, (_, i) => 201 - 127 + i)])
  }))
