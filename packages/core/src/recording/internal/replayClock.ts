/**
 * The clock of a replay: it says what time it was, and goes on by the lines of
 * the recording alone.
 *
 * @since 0.1.0
 */
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

interface Sleeper {
  readonly until: number
  readonly wake: () => void
}

const nanos = (millis: number): bigint => BigInt(Math.floor(millis)) * 1_000_000n

/**
 * A clock that stands still until it is set. The wall clock is that of the lines,
 * and may go back with them; the monotonic one, by which sleepers are woken,
 * never does. Both are in milliseconds.
 *
 * @category models
 * @since 0.1.0
 */
export class ReplayClock implements Clock.Clock {
  private readonly rest: () => void
  private readonly sleepers: Array<Sleeper> = []
  private start: number | undefined
  private wall = 0
  private monotonic = 0
  // The monotonic time in nanoseconds, and of which milliseconds: it is asked for several times at each moment.
  private nanos = 0n
  private nanosOf = 0

  /** `rest` lets every fiber that was woken do what it can. */
  constructor(rest: () => void) {
    this.rest = rest
  }

  readonly currentTimeMillis = Effect.sync(() => this.currentTimeMillisUnsafe())
  readonly currentTimeNanos = Effect.sync(() => this.currentTimeNanosUnsafe())
  readonly monotonicTimeNanos = Effect.sync(() => this.monotonicTimeNanosUnsafe())

  currentTimeMillisUnsafe(): number {
    return this.wall
  }

  currentTimeNanosUnsafe(): bigint {
    return nanos(this.wall)
  }

  monotonicTimeNanosUnsafe(): bigint {
    if (this.nanosOf !== this.monotonic) {
      this.nanosOf = this.monotonic
      this.nanos = nanos(this.monotonic)
    }
    return this.nanos
  }

  sleep(duration: Duration.Duration): Effect.Effect<void> {
    return Effect.callback((resume) => {
      const millis = Duration.toMillis(duration)
      if (!(millis > 0)) return resume(Effect.void)
      const sleeper = { until: this.monotonic + millis, wake: () => resume(Effect.void) }
      // Those of one moment are woken in the order in which they came.
      const later = this.sleepers.findIndex(({ until }) => until > sleeper.until)
      this.sleepers.splice(later === -1 ? this.sleepers.length : later, 0, sleeper)
      return Effect.sync(() => {
        const at = this.sleepers.indexOf(sleeper)
        if (at !== -1) this.sleepers.splice(at, 1)
      })
    })
  }

  /** Whether somebody sleeps until a line's time or less. */
  wakes(millis: number): boolean {
    const [first] = this.sleepers
    return first !== undefined && first.until <= millis - (this.start ?? millis)
  }

  /** Goes on to a line's time, in epoch milliseconds, by way of all who sleep until then or less. */
  set(millis: number): void {
    const start = this.start ??= millis
    const until = Math.max(this.monotonic, millis - start)
    for (let next = this.sleepers[0]; next !== undefined && next.until <= until; next = this.sleepers[0]) {
      this.sleepers.shift()
      this.monotonic = next.until
      this.wall = start + next.until
      next.wake()
      this.rest()
    }
    this.monotonic = until
    this.wall = millis
  }
}
