/**
 * Limits that hold in every rolling window, not on average: at most so much
 * cost in any so many milliseconds, for several windows at once. A log of what
 * was taken is kept, so that no burst at the edge of a window gets through; a
 * token bucket of 5 a second lets 9 through in one.
 *
 * `take` admits and charges in one step, so that what is charged is what is
 * sent; `reserve` admits what is spent later. Both are synchronous, also where
 * the limit is shared by processes: whoever is not admitted does `wait`, in
 * which the others are asked, and tries again.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"

/**
 * At most `limit` of cost, a finite number of 1 or more, in any rolling window
 * of `windowMillis`, a finite number above 0.
 *
 * @category models
 * @since 0.1.0
 */
export interface Window {
  readonly limit: number
  readonly windowMillis: number
}

/**
 * The cost cannot be admitted now: it would be in `retryAfterMillis`, or never
 * (`Infinity`) where it is more than a window ever admits, or the limit's scope
 * has closed.
 *
 * @category errors
 * @since 0.1.0
 */
export class RateLimited extends Schema.TaggedError<RateLimited>()("RateLimited", {
  key: Schema.String,
  retryAfterMillis: Schema.Number
}) {
  override get message(): string {
    return this.retryAfterMillis === Infinity
      ? `rate limited: ${this.key} never admits this`
      : `rate limited: ${this.key}, retry after ${this.retryAfterMillis} ms`
  }
}

/**
 * A cost that is not a finite number of 0 or more, such as that of a `cost`
 * function that divided by zero. Nothing was charged and nothing was sent.
 *
 * @category errors
 * @since 0.1.0
 */
export class InvalidCost extends Schema.TaggedError<InvalidCost>()("InvalidCost", {
  key: Schema.String,
  cost: Schema.Number
}) {
  override get message(): string {
    return `rate limit of ${this.key}: expected a cost that is a finite number of 0 or more, got ${this.cost}`
  }
}

/**
 * A limit that nothing could keep: its `limit` is not a finite number of 1 or
 * more, or its `windowMillis` not a finite number above 0.
 *
 * @category errors
 * @since 0.1.0
 */
export class InvalidLimit extends Schema.TaggedError<InvalidLimit>()("InvalidLimit", {
  limit: Schema.Number,
  windowMillis: Schema.Number
}) {
  override get message(): string {
    return "rate limit: expected a finite limit of 1 or more in a finite window above 0 ms, " +
      `got ${this.limit} in ${this.windowMillis} ms`
  }
}

/**
 * A cost that was admitted before it is known when it is spent: it counts in
 * every window until it is. Of its two ends the first counts. Of a limit that
 * processes share it counts for as long as it may be spent, and lapses then.
 *
 * @category models
 * @since 0.1.0
 */
export interface Reservation {
  /** Waits until it may be spent: at once, or admitted anew if it has lapsed. */
  readonly due: Effect.Effect<void>
  /** It is spent at `at`, and counts from then on. */
  readonly use: (at: number) => void
  /** It will not be spent: nothing was charged. */
  readonly release: () => void
}

/**
 * What was taken, as far as it still counts. A cost that is no cost (see
 * `isCost`) is never admitted.
 *
 * @category models
 * @since 0.1.0
 */
export interface RollingLimit {
  /**
   * Admits and charges the cost at `at` (`Monotonic.now`), or says after how
   * many milliseconds it could be, charging nothing. 0 is admitted; `Infinity`
   * is never. What `spares` leaves a tenth of each limit, one at least, to what
   * does not.
   */
  readonly take: (at: number, cost?: number | undefined, spares?: boolean | undefined) => number
  /**
   * As `take`, for what is spent later: gives the reservation instead of 0. Who
   * waits for what is reserved waits as if it were spent now.
   */
  readonly reserve: (at: number, cost?: number | undefined, spares?: boolean | undefined) => Reservation | number
  /**
   * As `take`, charging nothing in any case. Of a limit that processes share: what is known here, and 1 if the others have
   * to be asked.
   */
  readonly waitFor: (at: number, cost?: number | undefined, spares?: boolean | undefined) => number
  /**
   * Waits, after it took `waitMillis` to be admitted, until it is worth trying again: so long, or until the processes that
   * share the limit have admitted it.
   */
  readonly wait: (
    waitMillis: number,
    cost?: number | undefined,
    spares?: boolean | undefined
  ) => Effect.Effect<void>
  /** What of each window's limit is left at `at`, in the windows' order. */
  readonly left: (at: number) => ReadonlyArray<number>
}
