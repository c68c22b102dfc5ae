/**
 * Which numbers of a sequence have come, and which are missing between them.
 *
 * @since 0.1.0
 */

/**
 * What the numbers of a message say: they follow those before; some are missing
 * before them; they fill what was missing, in part or whole; or all of them are
 * there already.
 *
 * @category models
 * @since 0.1.0
 */
export type Step = "next" | "gap" | "late" | "seen"

interface Range {
  readonly first: number
  readonly last: number
}

// So many holes are remembered. Of what is before the last of them nothing is known.
const mostHoles = 1_000

/**
 * The numbers of one sequence, each of which is a whole one.
 *
 * @category models
 * @since 0.1.0
 */
export class NumberRanges {
  /** The highest number that has come. */
  last: number | undefined
  /** The highest number before the last step that went on. */
  before: number | undefined
  private first = 0
  // What is missing between the first and the last, in order.
  private holes: Array<Range> = []

  /** How many numbers were missing before the step that was a gap: those from `before` on to this one. */
  missingBefore(first: number): number {
    return this.before === undefined ? 0 : first - this.before - 1
  }

  /** Whether a number is missing between two that have come. */
  isMissing(number: number): boolean {
    return this.holes.some(({ first, last }) => first <= number && number <= last)
  }

  /** How many numbers are missing of those from the first to the last. */
  countMissing(from: number, to: number): number {
    return this.holes.reduce(
      (count, { first, last }) => count + Math.max(0, Math.min(last, to) - Math.max(first, from) + 1),
      0
    )
  }

  /** A message has these numbers, from the first to the last. */
  add(first: number, last = first): Step {
    const { last: highest } = this
    if (highest !== undefined && last <= highest) return this.fill(first, last)
    this.before = highest
    this.last = last
    if (highest === undefined) {
      this.first = first
      return "next"
    }
    if (first > highest + 1) {
      this.open({ first: highest + 1, last: first - 1 })
      return "gap"
    }
    if (first <= highest) this.fill(first, highest)
    return "next"
  }

  /**
   * A state has come that holds all up to a number: the next one follows it. Messages of before which have not come may
   * come late nevertheless. A number that is lower than those that have come begins anew.
   */
  restart(at: number): void {
    const { last } = this
    if (last !== undefined && at >= last) {
      if (at > last) this.open({ first: last + 1, last: at })
    } else {
      this.first = at + 1
      this.holes = []
    }
    this.last = at
  }

  private open(hole: Range): void {
    this.holes.push(hole)
    if (this.holes.length <= mostHoles) return
    this.first = (this.holes.shift()?.last ?? 0) + 1
  }

  private fill(first: number, last: number): Step {
    let isNew = false
    if (first < this.first) {
      isNew = true
      if (last + 1 < this.first) this.holes.unshift({ first: last + 1, last: this.first - 1 })
      if (this.holes.length > mostHoles) this.holes.shift()
      else this.first = first
    }
    if (this.holes.length === 0) return isNew ? "late" : "seen"
    const left: Array<Range> = []
    for (const hole of this.holes) {
      if (hole.last < first || last < hole.first) {
        left.push(hole)
        continue
      }
      isNew = true
      if (hole.first < first) left.push({ first: hole.first, last: first - 1 })
      if (last < hole.last) left.push({ first: last + 1, last: hole.last })
    }
    this.holes = left
    return isNew ? "late" : "seen"
  }
}
