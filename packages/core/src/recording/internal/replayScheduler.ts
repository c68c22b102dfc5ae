/**
 * A scheduler that comes to rest when it is told to: between two lines of a
 * recording every fiber has done what it can, in the same order every time.
 *
 * @since 0.1.0
 */
import type * as Fiber from "effect/Fiber"
import * as Scheduler from "effect/Scheduler"

/**
 * The scheduler of one replay.
 *
 * @category models
 * @since 0.1.0
 */
export class ReplayScheduler implements Scheduler.Scheduler {
  readonly executionMode = "async"
  private readonly usual = new Scheduler.MixedScheduler()
  private readonly loop = this.usual.makeDispatcher()
  // By priority, the lowest first; nearly all have the same.
  private readonly ready = new Map<number, Array<() => void>>()
  private isDue = false
  private isRunning = false

  shouldYield(fiber: Fiber.Fiber<unknown, unknown>): boolean {
    return this.usual.shouldYield(fiber)
  }

  makeDispatcher(): Scheduler.SchedulerDispatcher {
    return {
      scheduleTask: (task, priority) => {
        const tasks = this.ready.get(priority)
        if (tasks === undefined) this.ready.set(priority, [task])
        else tasks.push(task)
        this.see()
      },
      flush: () => this.rest()
    }
  }

  /** Runs what is ready, and what that makes ready, until nothing is. */
  rest(): void {
    if (this.isRunning) return
    this.isRunning = true
    try {
      while (this.ready.size > 0) {
        const first = this.ready.size === 1 ? this.ready.keys().next().value : Math.min(...this.ready.keys())
        if (first === undefined) return
        const tasks = this.ready.get(first) ?? []
        this.ready.delete(first)
        for (const task of tasks) task()
      }
    } finally {
      this.isRunning = false
    }
  }

  // What somebody outside of the replay has made ready runs in a turn of its own.
  private see(): void {
    if (this.isDue || this.isRunning) return
    this.isDue = true
    this.loop.scheduleTask(() => {
      this.isDue = false
      this.rest()
    }, 0)
  }
}
