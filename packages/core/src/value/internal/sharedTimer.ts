/**
 * One timer for all that wait equally long. After an outage a thousand dials
 * have the same deadline, which nearly none of them comes to: a fiber and a
 * timer for each cost more than the rest of what is done about it.
 *
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as Scheduler from "effect/Scheduler"
import * as Monotonic from "../Monotonic.ts"

interface Alarm {
  /** On the monotonic clock, in milliseconds. */
  readonly dueAt: number
  readonly onDue: () => void
}

// Each by its clock, and by how long it waits, while somebody waits.
const timers = new WeakMap<Clock.Clock, Map<number, Timer>>()

class Timer {
  private readonly clock: Clock.Clock
  private readonly millis: number
  // As they are due, since each waits equally long.
  private readonly alarms = new Set<Alarm>()
  private lastDueAt: number | undefined
  private sleeper: Fiber.Fiber<void> | undefined

  constructor(clock: Clock.Clock, millis: number) {
    this.clock = clock
    this.millis = millis
  }

  set(scheduler: Scheduler.Scheduler, onDue: () => void): () => void {
    const dueAt = Monotonic.nowMillis(this.clock) + this.millis
    // Where time stands still, whoever asks at one instant is due among what else is due then.
    if (dueAt === this.lastDueAt) {
      const sleeper = this.fork(scheduler, Effect.flatMap(Effect.sleep(this.millis), () => Effect.sync(onDue)))
      return () => sleeper.interruptUnsafe()
    }
    const alarm = { dueAt, onDue }
    this.alarms.add(alarm)
    this.lastDueAt = dueAt
    // Nobody is called back before it is known how that is taken back.
    this.sleeper ??= this.fork(scheduler, Effect.flatMap(Effect.sleep(this.millis), () => this.sleep()))
    return () => {
      if (this.alarms.delete(alarm) && this.alarms.size === 0) this.stop()
    }
  }

  // Nothing of whoever came first is kept for those who come later.
  private fork(scheduler: Scheduler.Scheduler, effect: Effect.Effect<void>): Fiber.Fiber<void> {
    const context = Context.add(Context.make(Clock.Clock, this.clock), Scheduler.Scheduler, scheduler)
    return Effect.runForkWith(context)(effect)
  }

  // It may be that it is woken a little too early.
  private sleep(): Effect.Effect<void> {
    return Effect.suspend(() => {
      for (const alarm of this.alarms) {
        const wait = alarm.dueAt - Monotonic.nowMillis(this.clock)
        // A picosecond is no time: it is what a sum of doubles is off by.
        if (wait > 1e-6) return Effect.flatMap(Effect.sleep(wait), () => this.sleep())
        this.alarms.delete(alarm)
        alarm.onDue()
      }
      if (this.sleeper !== undefined) this.stop()
      return Effect.void
    })
  }

  private stop(): void {
    this.sleeper?.interruptUnsafe()
    this.sleeper = undefined
    timers.get(this.clock)?.delete(this.millis)
  }
}

/**
 * Calls back when so much time has passed, on the clock of the context; a wait
 * of nothing is one millisecond. `onDue` must not throw. Returns what takes that
 * back: where nobody waits any more, nothing keeps a process alive.
 *
 * @category constructors
 * @since 0.1.0
 */
export const after = (
  context: Context.Context<never>,
  duration: Duration.Duration,
  onDue: () => void
): () => void => {
  const clock = Context.get(context, Clock.Clock)
  const millis = Math.max(1, Duration.toMillis(duration))
  let ofClock = timers.get(clock)
  if (ofClock === undefined) timers.set(clock, ofClock = new Map<number, Timer>())
  let timer = ofClock.get(millis)
  if (timer === undefined) ofClock.set(millis, timer = new Timer(clock, millis))
  return timer.set(Context.get(context, Scheduler.Scheduler), onDue)
}
