/**
 * The ids that came last, of which nothing is known but whether two are the same.
 *
 * @since 0.1.0
 */
import * as Digits from "../../value/internal/digits.ts"

// So many are remembered of each kind, at least.
const mostIds = 1_024

/**
 * The ids of one kind of message, a thousand of them at least.
 *
 * @category models
 * @since 0.1.0
 */
export class RecentIds {
  // Most venues number what they send: those that were higher than all before, in turn, the highest the last.
  private readonly rising: Array<number> = []
  private count = 0
  private highest = -1
  // The others, in two generations: the older one is forgotten when the newer one is full. A text that is a part of a
  // frame's would keep the frame.
  private newer = new Set<string | number>()
  private older = new Set<string | number>()

  /** Remembers an id. Returns whether it was known. */
  add(id: string): boolean {
    const number = Digits.toSafe(id)
    if (number !== undefined && number > this.highest) {
      this.highest = number
      this.rising[this.count++ % mostIds] = number
      return false
    }
    if (number !== undefined && this.hasRisen(number)) return true
    const key = number ?? id
    if (this.newer.has(key) || this.older.has(key)) return true
    if (this.newer.size >= mostIds) {
      this.older = this.newer
      this.newer = new Set()
    }
    this.newer.add(key)
    return false
  }

  // Those are in order: from the last one back, until one is lower.
  private hasRisen(number: number): boolean {
    for (let i = this.count - 1; i >= Math.max(0, this.count - mostIds); i--) {
      const one = this.rising[i % mostIds] ?? -1
      if (one <= number) return one === number
    }
    return false
  }
}
