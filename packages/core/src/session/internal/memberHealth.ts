/**
 * How well a member of a pool does, from what its calls show.
 *
 * @since 0.1.0
 */
import { rankOf } from "../../value/internal/rank.ts"

// So many round trips are remembered.
const remembered = 100

// For how long an error counts.
const decayMillis = 60_000

/**
 * The health of one member: 100 where nothing waits, answers are quick and none
 * failed. Calls that wait cost 10 each, at most 40; a p99 of so many
 * milliseconds a 25th of them, at most 30; errors of the last minute 15 each, at
 * most 20. Times are of the monotonic clock, in milliseconds.
 *
 * @category models
 * @since 0.1.0
 */
export class MemberHealth {
  pending = 0
  private readonly trips: Array<number> = []
  private answers = 0
  private errors: ReadonlyArray<number> = []

  /** The 99th of a hundred round trips that are remembered, the longest where there are fewer; 0 without any. */
  get p99(): number {
    return rankOf(this.trips, 0.99) ?? 0
  }

  /** How many errors count. */
  errorsAt(at: number): number {
    return this.errors.filter((error) => at - error < decayMillis).length
  }

  answered(tripMillis: number): void {
    this.trips[this.answers++ % remembered] = tripMillis
  }

  failed(at: number): void {
    this.errors = [...this.errors.filter((error) => at - error < decayMillis), at]
  }

  /** From 10 to 100. */
  at(at: number): number {
    return 100 - Math.min(this.pending * 10, 40) - Math.min(this.p99 / 25, 30) - Math.min(this.errorsAt(at) * 15, 20)
  }
}
