/**
 * How long a subscription was silent between what it delivered.
 *
 * @since 0.1.0
 */

/** So many of the last silences are remembered. */
const remembered = 256

/** Where each figure is; the silences stand behind them. */
const [lastAt, count, longest, max, total, within, first] = [0, 1, 2, 3, 4, 5, 6]

/**
 * The silences of one subscription, in milliseconds.
 *
 * They and their figures are in one array: where there are a thousand
 * subscriptions none is in a cache, and each object that a message touches has
 * to be fetched.
 *
 * @category models
 * @since 0.1.0
 */
export class Silences {
  private readonly figures = new Float64Array(first + remembered)

  /** When it last delivered. */
  get lastAt(): number {
    return this.figures[lastAt] ?? 0
  }

  /** The longest that it was silent, as far as it says how patient one has to be. */
  get longest(): number {
    return this.figures[longest] ?? 0
  }

  /** The longest that was counted. */
  get max(): number {
    return this.figures[max] ?? 0
  }

  /** The sum of all that were counted. */
  get total(): number {
    return this.figures[total] ?? 0
  }

  /** The sum of what of them was within the target. */
  get within(): number {
    return this.figures[within] ?? 0
  }

  /** The last silences, the shortest first. */
  get sorted(): Float64Array {
    return this.figures.slice(first, first + Math.min(remembered, this.figures[count] ?? 0)).sort()
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
    this.figures[lastAt] = at
    if (waited !== undefined && waited > this.longest) this.figures[longest] = waited
  }
}
