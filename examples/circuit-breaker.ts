/**
 * A circuit breaker around any effect, here a shop of quotes that is out of
 * order for a while. It opens at three failures, is asked again after half a
 * second by one probe at a time, and closes at the second success.
 *
 * Run: npx -y pnpm@12 exec node examples/circuit-breaker.ts
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { CircuitBreaker } from "@tickline/core"
import { Clock, Console, Data, Duration, Effect, Fiber, Schedule, Stream } from "effect"

class Unavailable extends Data.TaggedError("Unavailable")<{}> {}

const program = Effect.gen(function*() {
  const begun = yield* Clock.currentTimeMillis
  // Out of order for the first 1.2 seconds.
  const quote = Effect.flatMap(
    Clock.currentTimeMillis,
    (now) => now - begun < 1200 ? Effect.fail(new Unavailable()) : Effect.succeed("43250.10")
  )

  const breaker = yield* CircuitBreaker.make({
    failureThreshold: 3,
    window: undefined,
    openDuration: Duration.millis(500),
    openFactor: 1,
    openCap: Duration.millis(500),
    halfOpen: { successThreshold: 2 }
  }, { key: "quotes" })

  const watching = yield* breaker.transitions.pipe(
    Stream.runForEach(({ at, from, reason, to }) => Console.log(`${at - begun} ms: ${from} → ${to} (${reason})`)),
    Effect.forkChild({ startImmediately: true })
  )

  yield* breaker.execute(quote).pipe(
    Effect.matchEffect({
      // `Unavailable` was asked for and failed; `CircuitOpen` was not even asked for.
      onFailure: (error) => Console.log(`  ${error._tag}${error._tag === "CircuitOpen" ? `: ${error.message}` : ""}`),
      onSuccess: (price) => Console.log(`  ${price}`)
    }),
    Effect.repeat({ schedule: Schedule.spaced("150 millis"), times: 13 })
  )

  yield* Fiber.interrupt(watching)
  const { failures, rejected, successes, timeOpen } = yield* breaker.metrics
  yield* Console.log(`${successes} successes, ${failures} failures, ${rejected} rejected, ${timeOpen} ms open`)
})

NodeRuntime.runMain(program)
