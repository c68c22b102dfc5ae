/**
 * The ids that came last, of which nothing is known but whether two are the same.
 *
 * @since 0.1.0
 */
import * as Digits from "../../value/internal/digits.ts"

// Two generations of so many: the older one is forgotten when the newer one is full.
const mostIds = 1_000

/**
 * The ids of one kind of message, a thousand of them at least.
 *
 * @category models
 * @since 0.1.0
 */
export class RecentIds {
  // A text that is a part of a frame's would keep the frame.
  private newer = new Set<string | number>()
  private older = new Set<string | number>()

  /** Remembers an id. Returns whether it was known. */
  add(id: string): boolean {
    const key = Digits.toSafe(id) ?? id
    if (this.newer.has(key) || this.older.has(key)) return true
    if (this.newer.size >= mostIds) {
      this.older = this.newer
      this.newer = new Set()
    }
    this.newer.add(key)
    return false
  }
}
