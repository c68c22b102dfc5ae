/**
 * What a tracker of freshness keeps of a subscription: whether it is waited for,
 * and how long it was silent between what it delivered.
 *
 * @since 0.1.0
 */
import type { Channel } from "../../value/Channel.ts"

/** So many of the last silences are remembered. */
const remembered = 256

/** Where each figure is; the silences stand behind them. */
const [lastAt, count, longest, max, total, within, first] = [0, 1, 2, 3, 4, 5, 6]

const none = new Float64Array(first)

/**
 * What is known of one subscription, in milliseconds.
 *
 * Its silences and their figures are in one array: where there are a thousand
 * subscriptions none is in a cache, and each object that a message touches has
 * to be fetched.
 *
 * @category models
 * @since 0.1.0
 */
export class FreshnessEntry {
  readonly channel: Channel
  isSubscribed = true
  /** Whether it has delivered in this epoch. */
  isHeard = false
  private figures = none
  readonly deadlineMillis: number
  readonly isQuiet: boolean
  /** Since when it is waited for, or undefined where it is not (no epoch is up). */
  askedAt: number | undefined = undefined
  private readonly madeAt: number
  /** Since when the step is waited for. */
  steppedAt: number | undefined = undefined
  steps = 0

  constructor(channel: Channel, deadlineMillis: number, isQuiet: boolean, madeAt: number) {
    this.channel = channel
    this.deadlineMillis = deadlineMillis
    this.isQuiet = isQuiet
    this.madeAt = madeAt
  }

  /** Whether it has ever delivered. */
  get hasDelivered(): boolean {
    return this.figures !== none
  }

  /** When it last delivered; before the first time, when it was made. */
  get lastAt(): number {
    return this.hasDelivered ? this.figure(lastAt) : this.madeAt
  }

  /** The longest that it was silent, as far as it says how patient one has to be. */
  get longest(): number {
    return this.figure(longest)
  }

  /** The longest that was counted. */
  get max(): number {
    return this.figure(max)
  }

  /** The sum of all that were counted. */
  get total(): number {
    return this.figure(total)
  }

  /** The sum of what of them was within the target. */
  get within(): number {
    return this.figure(within)
  }

  /** The last silences, the shortest first. */
  get sorted(): Float64Array {
    return this.figures.slice(first, first + Math.min(remembered, this.figure(count))).sort()
  }

  /** It has delivered: the silence since the last time is counted. */
  delivered(at: number, targetMillis: number): void {
    const { figures } = this
    const silence = at - (figures[lastAt] ?? 0)
    const before = figures[count] ?? 0
    figures[lastAt] = at
    figures[count] = before + 1
    figures[first + before % remembered] = silence
    figures[total] = (figures[total] ?? 0) + silence
    figures[within] = (figures[within] ?? 0) + Math.min(silence, targetMillis)
    if (silence > (figures[max] ?? 0)) figures[max] = silence
    if (silence > (figures[longest] ?? 0)) figures[longest] = silence
  }

  /**
   * It has delivered for the first time, or the first time since an outage: that silence is not counted. `waited`, if
   * there is one, says how patient one has to be.
   */
  resumed(at: number, waited: number | undefined): void {
    if (!this.hasDelivered) this.figures = new Float64Array(first + remembered)
    this.figures[lastAt] = at
    if (waited !== undefined && waited > this.longest) this.figures[longest] = waited
  }

  private figure(of: number): number {
    return this.figures[of] ?? 0
  }
}
