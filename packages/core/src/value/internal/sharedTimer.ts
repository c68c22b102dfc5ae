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

/**
 * What calls back when its time has come, unless it is cancelled before.
 *
 * @category models
 * @since 0.1.0
 */
export interface Alarm {
  cancel(): void
}

// One of those that wait equally long: it knows its neighbours, so that it costs nothing but itself.
class Queued implements Alarm {
  readonly timer: Timer
  /** On the monotonic clock, in milliseconds. */
  readonly dueAt: number
  readonly onDue: () => void
  previous: Queued | undefined
  next: Queued | undefined = undefined
  isQueued = true

  constructor(timer: Timer, dueAt: number, onDue: () => void, previous: Queued | undefined) {
    this.timer = timer
    this.dueAt = dueAt
    this.onDue = onDue
    this.previous = previous
  }

  cancel(): void {
    if (this.isQueued) this.timer.cancel(this)
  }
}

// Each by its clock, and by how long it waits, while somebody waits.
const timers = new WeakMap<Clock.Clock, Map<number, Timer>>()

class Timer {
  private readonly clock: Clock.Clock
  private readonly millis: number
  // The queue is in the order in which they are due, since each waits equally long.
  private first: Queued | undefined
  private last: Queued | undefined
  private lastDueAt: number | undefined
  private sleeper: Fiber.Fiber<void> | undefined

  constructor(clock: Clock.Clock, millis: number) {
    this.clock = clock
    this.millis = millis
  }

  set(scheduler: Scheduler.Scheduler, onDue: () => void): Alarm {
    const dueAt = Monotonic.nowMillis(this.clock) + this.millis
    // Where time stands still, whoever asks at one instant is due among what else is due then.
    if (dueAt === this.lastDueAt) {
      const sleeper = this.fork(scheduler, Effect.flatMap(Effect.sleep(this.millis), () => Effect.sync(onDue)))
      return { cancel: () => sleeper.interruptUnsafe() }
    }
    const alarm = new Queued(this, dueAt, onDue, this.last)
    if (this.last === undefined) this.first = alarm
    else this.last.next = alarm
    this.last = alarm
    this.lastDueAt = dueAt
    // Nobody is called back before it is known how that is cancelled.
    this.sleeper ??= this.fork(scheduler, Effect.flatMap(Effect.sleep(this.millis), () => this.sleep()))
    return alarm
  }

  cancel(alarm: Queued): void {
    this.take(alarm)
    if (this.first === undefined) this.stop()
  }

  private take(alarm: Queued): void {
    const { next, previous } = alarm
    if (previous === undefined) this.first = next
    else previous.next = next
    if (next === undefined) this.last = previous
    else next.previous = previous
    alarm.isQueued = false
    // Whoever keeps it keeps none of the others.
    alarm.next = alarm.previous = undefined
  }

  // Nothing of whoever came first is kept for those who come later.
  private fork(scheduler: Scheduler.Scheduler, effect: Effect.Effect<void>): Fiber.Fiber<void> {
    const context = Context.add(Context.make(Clock.Clock, this.clock), Scheduler.Scheduler, scheduler)
    return Effect.runForkWith(context)(effect)
  }

  // It may be that it is woken a little too early.
  private sleep(): Effect.Effect<void> {
    return Effect.suspend(() => {
      for (let alarm = this.first; alarm !== undefined; alarm = this.first) {
        const wait = alarm.dueAt - Monotonic.nowMillis(this.clock)
        // A picosecond is no time: it is what a sum of doubles is off by.
        if (wait > 1e-6) return Effect.flatMap(Effect.sleep(wait), () => this.sleep())
        this.take(alarm)
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
 * of nothing is one millisecond. `onDue` must not throw. Where nobody waits any
 * more, nothing keeps a process alive.
 *
 * @category constructors
 * @since 0.1.0
 */
export const after = (
  context: Context.Context<never>,
  duration: Duration.Duration,
  onDue: () => void
): Alarm => {
  const clock = Context.get(context, Clock.Clock)
  const millis = Math.max(1, Duration.toMillis(duration))
  let ofClock = timers.get(clock)
  if (ofClock === undefined) timers.set(clock, ofClock = new Map<number, Timer>())
  let timer = ofClock.get(millis)
  if (timer === undefined) ofClock.set(millis, timer = new Timer(clock, millis))
  return timer.set(Context.get(context, Scheduler.Scheduler), onDue)
}
