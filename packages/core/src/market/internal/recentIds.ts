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
  // Most venues number what they send: those that were higher than all before, as runs of numbers that follow each other.
  // The one that goes on, and those before it, first and last in turn, as many as there is room for.
  private first = 0
  private highest = -1
  private runs: Array<number> | undefined
  private count = 0
  // The others, in two generations: the older one is forgotten when the newer one is full. A text that is a part of a
  // frame's would keep the frame.
  private newer: Set<string | number> | undefined
  private older: Set<string | number> | undefined

  /** Remembers an id. Returns whether it was known. */
  add(id: string): boolean {
    const number = Digits.toSafe(id)
    if (number !== undefined && number > this.highest) {
      if (number !== this.highest + 1) this.begin(number)
      this.highest = number
      return false
    }
    if (number !== undefined && this.hasRisen(number)) return true
    const key = number ?? id
    if (this.newer?.has(key) === true || this.older?.has(key) === true) return true
    if (this.newer !== undefined && this.newer.size >= mostIds) {
      this.older = this.newer
      this.newer = undefined
    }
    this.newer = (this.newer ?? new Set()).add(key)
    return false
  }

  private begin(first: number): void {
    if (this.highest >= this.first) {
      const place = (this.count++ % mostIds) * 2
      const runs = this.runs ??= []
      runs[place] = this.first
      runs[place + 1] = this.highest
    }
    this.first = first
  }

  // They are in order: from the last one back, until one is lower.
  private hasRisen(number: number): boolean {
    if (number >= this.first) return true
    const runs = this.runs ?? []
    for (let i = this.count - 1; i >= Math.max(0, this.count - mostIds); i--) {
      const place = (i % mostIds) * 2
      if ((runs[place + 1] ?? -1) < number) return false
      if ((runs[place] ?? 0) <= number) return true
    }
    return false
  }
}
