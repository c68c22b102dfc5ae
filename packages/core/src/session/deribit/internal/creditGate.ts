/**
 * Who lets calls out only as far as there are credits for them: the venue ends
 * the session of who has none.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type { SendOptions } from "../../../connection/Outbox.ts"
import * as Credits from "../Credits.ts"
import type { CreditMetrics } from "./creditMetrics.ts"

/**
 * A call that was let through: it says that it was written, or that it was not.
 *
 * @category models
 * @since 0.1.0
 */
export interface Passed {
  readonly written: () => void
  readonly done: () => void
}

/**
 * The credits of one session, and the calls that were let through and are not
 * written yet.
 *
 * @category models
 * @since 0.1.0
 */
export class CreditGate {
  private readonly now: () => number
  private readonly metrics: CreditMetrics
  private credits: Credits.Credits
  private readonly unwritten = new Map<Credits.Pool, number>()

  constructor(now: () => number, metrics: CreditMetrics) {
    this.now = now
    this.metrics = metrics
    this.credits = Credits.make(now())
  }

  /** What is left of each pool. */
  get left(): Credits.Credits["left"] {
    return Credits.leftAt(this.credits, this.now())
  }

  /** The account's own limits. */
  learn(limits: Credits.Limits): void {
    this.credits = Credits.learn(this.credits, this.now(), limits)
  }

  /** The venue says that a pool is empty. */
  exhausted(pool: Credits.Pool): void {
    this.metrics.exhausted(pool)
    this.credits = Credits.exhausted(this.credits, this.now(), pool)
  }

  /** Takes for a call that is written now, whatever is left. */
  spend(pool: Credits.Pool): void {
    this.credits = Credits.spend(this.credits, this.now(), pool)
  }

  /** Waits until there are credits for a call, and for those that were let through before it. */
  pass(pool: Credits.Pool, priority: SendOptions["priority"], isWaiting = false): Effect.Effect<Passed> {
    return Effect.suspend(() => {
      const before = this.unwritten.get(pool) ?? 0
      const wait = Credits.waitFor(this.credits, this.now(), { pool, priority, before })
      if (wait > 0) {
        if (!isWaiting) this.metrics.waited(pool)
        return Effect.flatMap(Effect.sleep(wait), () => this.pass(pool, priority, true))
      }
      this.unwritten.set(pool, before + 1)
      let isUnwritten = true
      const done = (): void => {
        if (!isUnwritten) return
        isUnwritten = false
        this.unwritten.set(pool, (this.unwritten.get(pool) ?? 1) - 1)
      }
      return Effect.succeed({
        done,
        written: () => {
          done()
          this.spend(pool)
        }
      })
    })
  }
}
