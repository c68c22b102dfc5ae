/**
 * What a tracker of freshness keeps of a subscription: whether it is waited for,
 * and how long it was silent between what it delivered.
 *
 * @since 0.1.0
 */
import type { Channel } from "../../value/Channel.ts"
import type { FreshnessFigures, Silences } from "./freshnessFigures.ts"

// No place among the figures.
const nowhere = -1

/**
 * What is known of one subscription, in milliseconds. What a message changes
 * stands first, and in the figures.
 *
 * @category models
 * @since 0.1.0
 */
export class FreshnessEntry {
  /** Whether it has delivered in this epoch. */
  isHeard = false
  /** The place of its figures, once it has delivered. */
  place = nowhere
  private readonly figures: FreshnessFigures
  readonly channel: Channel
  readonly deadlineMillis: number
  readonly isQuiet: boolean
  /** Since when it is waited for, or undefined where it is not (no epoch is up). */
  askedAt: number | undefined = undefined
  private readonly madeAt: number
  /** Since when the step is waited for. */
  steppedAt: number | undefined = undefined
  steps = 0

  constructor(
    figures: FreshnessFigures,
    channel: Channel,
    deadlineMillis: number,
    isQuiet: boolean,
    madeAt: number
  ) {
    this.figures = figures
    this.channel = channel
    this.deadlineMillis = deadlineMillis
    this.isQuiet = isQuiet
    this.madeAt = madeAt
  }

  /** Whether it has ever delivered. */
  get hasDelivered(): boolean {
    return this.place !== nowhere
  }

  /** When it last delivered; before the first time, when it was made. */
  get lastAt(): number {
    return this.hasDelivered ? this.figures.lastAt(this.place) : this.madeAt
  }

  /** The longest that it was silent, as far as it says how patient one has to be. */
  get longest(): number {
    return this.figures.longest(this.place)
  }

  /** The silences that were counted. */
  get silences(): Silences {
    return this.figures.silencesOf(this.place)
  }

  /** It has delivered: the silence since the last time is counted. */
  delivered(at: number, targetMillis: number): void {
    this.figures.delivered(this.place, at, targetMillis)
  }

  /**
   * It has delivered for the first time, or the first time since an outage: that silence is not counted. `waited`, if
   * there is one, says how patient one has to be.
   */
  resumed(at: number, waited: number | undefined): void {
    if (!this.hasDelivered) this.place = this.figures.take()
    this.figures.resumed(this.place, at, waited)
  }

  /** Nobody asks for it any more. */
  end(): void {
    if (this.hasDelivered) this.figures.leave(this.place)
    this.place = nowhere
  }
}
