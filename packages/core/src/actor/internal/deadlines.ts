/**
 * The questions of one actor that wait for an answer within a time, with one
 * timer for all of them.
 *
 * @since 0.1.0
 */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"

/**
 * What has a deadline, on the monotonic clock in milliseconds, until it is over.
 *
 * @category models
 * @since 0.1.0
 */
export interface Timed {
  readonly until: number
  readonly isOver: boolean
}

/**
 * Tells what was not over in time, in the order of the deadlines.
 *
 * @category models
 * @since 0.1.0
 */
export class Deadlines<A extends Timed> {
  private readonly context: Context.Context<never>
  private readonly now: () => number
  private readonly onLate: (late: A) => void
  // By deadline; what is over leaves when it is at the front.
  private waiting: Array<A> = []
  private front = 0
  private timer: Fiber.Fiber<void> | undefined
  private due = Infinity

  constructor(context: Context.Context<never>, now: () => number, onLate: (late: A) => void) {
    this.context = context
    this.now = now
    this.onLate = onLate
  }

  add(timed: A): void {
    this.tidy()
    const { waiting } = this
    const last = waiting.at(-1)
    if (last === undefined || last.until <= timed.until) waiting.push(timed)
    else {
      const place = waiting.findLastIndex(({ until }) => until <= timed.until) + 1
      waiting.splice(Math.max(this.front, place), 0, timed)
    }
    if (timed.until < this.due) this.arm(timed.until)
  }

  stop(): void {
    this.waiting = []
    this.front = 0
    this.timer?.interruptUnsafe()
    this.timer = undefined
    this.due = Infinity
  }

  private arm(due: number): void {
    this.timer?.interruptUnsafe()
    this.due = due
    const wait = Math.max(0, Math.ceil(due - this.now()))
    const timer = Effect.runForkWith(this.context)(Effect.sleep(wait))
    this.timer = timer
    timer.addObserver((exit) => {
      if (Exit.isSuccess(exit) && this.timer === timer) this.fire()
    })
  }

  private fire(): void {
    this.timer = undefined
    this.due = Infinity
    const now = this.now()
    while (true) {
      this.tidy()
      const next = this.waiting[this.front]
      if (next === undefined) return
      if (next.until > now) return this.arm(next.until)
      this.front++
      this.onLate(next)
    }
  }

  // What is over at the front is let go.
  private tidy(): void {
    const { waiting } = this
    while (this.front < waiting.length && waiting[this.front]?.isOver) this.front++
    if (this.front === waiting.length) {
      waiting.length = 0
      this.front = 0
    } else if (this.front > 64 && this.front * 2 > waiting.length) {
      waiting.splice(0, this.front)
      this.front = 0
    }
  }
}
