/**
 * Who lets a session's calls out only as far as there are credits for them: the
 * venue ends the session of who has none.
 *
 * @since 0.1.0
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { NotSent } from "../../../connection/ConnectError.ts"
import type { SendOptions } from "../../../connection/Outbox.ts"
import type * as Credits from "../Credits.ts"
import type { CreditMetrics } from "./creditMetrics.ts"
import type { SharedCredits } from "./sharedCredits.ts"

/**
 * A call that was let through: it says that it was written, and with which id, or
 * that it was not.
 *
 * @category models
 * @since 0.1.0
 */
export interface Passed {
  readonly written: (id: string) => void
  readonly done: () => void
}

/**
 * What is let through: from which pool it draws, how urgent it is, and until when
 * it may wait, in milliseconds of the monotonic clock.
 *
 * @category models
 * @since 0.1.0
 */
export interface Asking extends Pick<SendOptions, "priority"> {
  readonly pool: Credits.Pool
  readonly until: number
}

/**
 * The calls of one session that were let through, and are not known to have been
 * read. They draw from the credits of the address until the session has signed
 * in, then from those of its account.
 *
 * The venue takes the credits when it reads a call, and a pool that is full does
 * not fill up while calls are held up on their way: what is not known to have
 * been read counts as read just now. An answer shows that all that was written
 * before its call was read.
 *
 * @category models
 * @since 0.1.0
 */
export class CreditGate {
  private readonly now: () => number
  private readonly metrics: CreditMetrics
  private readonly address: SharedCredits
  private readonly account: SharedCredits
  private owner: SharedCredits
  private unread: Array<{ readonly id: string; readonly pool: Credits.Pool; readonly owner: SharedCredits }> = []
  private over = Deferred.makeUnsafe<never, NotSent>()

  constructor(now: () => number, metrics: CreditMetrics, address: SharedCredits, account: SharedCredits) {
    this.now = now
    this.metrics = metrics
    this.address = address
    this.account = account
    this.owner = address
  }

  /** What is left of each pool of the account. */
  get left(): Credits.Credits["left"] {
    return this.account.left
  }

  /** The account's own limits. */
  learn(limits: Credits.Limits): void {
    this.account.learn(limits)
  }

  /** The venue says that a pool is empty. */
  exhausted(pool: Credits.Pool): void {
    this.metrics.exhausted(pool)
    this.owner.exhausted(pool)
  }

  /** The session has signed in. */
  signedIn(): void {
    this.owner = this.account
    this.account.join()
  }

  /** A call is written now, whatever is left. */
  written(id: string, pool: Credits.Pool): void {
    this.owner.hold(pool)
    this.unread.push({ id, pool, owner: this.owner })
  }

  /** A call is answered. */
  answered(id: string): void {
    this.read(this.unread.findLastIndex((call) => call.id === id) + 1)
  }

  /** An epoch has begun. */
  begin(): void {
    this.over = Deferred.makeUnsafe()
  }

  /** The epoch has ended: what waits is not sent, and nothing more of it is read. */
  end(): void {
    this.read(this.unread.length)
    if (this.owner === this.account) this.account.leave()
    this.owner = this.address
    Deferred.doneUnsafe(this.over, Effect.fail(new NotSent({ reason: "EpochEnded" })))
  }

  /** Waits, within this epoch, until there are credits for a call, and for those that were let through before it. */
  pass(asking: Asking, isWaiting = false): Effect.Effect<Passed, NotSent> {
    return Effect.suspend(() => {
      const { over, owner } = this
      const { pool, priority, until } = asking
      const wait = owner.waitFor(pool, priority)
      if (wait > 0) {
        const left = until - this.now()
        if (left <= 0) return Effect.fail(new NotSent({ reason: "TimedOut" }))
        if (!isWaiting) this.metrics.waited(pool)
        return Effect.raceFirst(Effect.sleep(Math.min(wait, left)), Deferred.await(over)).pipe(
          Effect.flatMap(() => this.pass(asking, true))
        )
      }
      owner.hold(pool)
      let isHeld = true
      const done = (): void => {
        if (isHeld) owner.release(pool)
        isHeld = false
      }
      return Effect.succeed({
        done,
        written: (id) => {
          done()
          this.written(id, pool)
        }
      })
    })
  }

  // So many of those that were written first have been read by now.
  private read(count: number): void {
    for (const { owner, pool } of this.unread.splice(0, count)) owner.spend(pool)
  }
}
