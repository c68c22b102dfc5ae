/**
 * What this process takes of its machine: for the alerts of a trader.
 *
 * @since 0.1.0
 */
import * as Monotonic from "@tickline/core/value/Monotonic"
import * as Effect from "effect/Effect"
import process from "node:process"

/**
 * A measure: megabytes of memory, and the share of one processor since it was asked
 * for last.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make: Effect.Effect<
  Effect.Effect<{ readonly memoryMegabytes: number; readonly cpu?: number }>
> = Effect.gen(function*() {
  let usage = process.cpuUsage()
  let at = yield* Monotonic.now
  return Effect.map(Monotonic.now, (now) => {
    const { system, user } = process.cpuUsage(usage)
    const millis = now - at
    usage = process.cpuUsage()
    at = now
    return {
      memoryMegabytes: process.memoryUsage.rss() / 1_000_000,
      ...(millis > 0 ? { cpu: (system + user) / 1_000 / millis } : {})
    }
  })
})
