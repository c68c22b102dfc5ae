/**
 * A page of one side of a book: some levels that follow each other, sorted, with
 * the best last.
 *
 * Levels stay where they are: what moves when one comes or goes are keys and
 * small integers, which an engine moves much sooner than objects.
 *
 * @since 0.1.0
 */
import type { Level } from "../../event/MarketData.ts"

/**
 * A price as an integer, in units of the scale that all levels of the book
 * share, negative on the bids' side: exact, the best the least, and quick to
 * compare. What is no safe integer is a bigint; the two compare by value.
 *
 * @category models
 * @since 0.1.0
 */
export type Key = number | bigint

/**
 * How many levels a page holds at most. One more is there before it is split.
 *
 * @category constants
 * @since 0.1.0
 */
export const mostLevels = 128

const inOrder = Uint8Array.from({ length: mostLevels + 1 }, (_, place) => place)

/** Most updates are near the touch: so many levels are gone through before the rest is halved again and again. */
const near = 32

/**
 * A page of levels.
 *
 * @category models
 * @since 0.1.0
 */
export class LevelPage {
  /** Those of the levels, the best last. */
  readonly keys: Array<Key> = []
  // For each key the place of its level among the levels; behind those the places that are free.
  private readonly places = inOrder.slice()
  private readonly levels: Array<Level | undefined> = []

  get count(): number {
    return this.keys.length
  }

  /** That of the worst level. */
  get worstKey(): Key {
    return this.keys[0] ?? 0
  }

  /** The level of a key, by the place of that. */
  level(at: number): Level | undefined {
    return this.levels[this.places[at] ?? 0]
  }

  /** The place of the first key that is not behind this one. */
  placeOf(key: Key): number {
    const { keys } = this
    let high = keys.length
    const far = Math.max(0, high - near)
    while (high > far && (keys[high - 1] ?? 0) <= key) high--
    if (high > far) return high
    let low = 0
    while (low < high) {
      const middle = (low + high) >>> 1
      if (key < (keys[middle] ?? 0)) low = middle + 1
      else high = middle
    }
    return low
  }

  replace(at: number, level: Level): void {
    this.levels[this.places[at] ?? 0] = level
  }

  insert(at: number, key: Key, level: Level): void {
    const { keys, places } = this
    const end = keys.length
    const free = places[end] ?? 0
    keys.push(key)
    for (let i = end; i > at; i--) {
      keys[i] = keys[i - 1] ?? key
      places[i] = places[i - 1] ?? 0
    }
    keys[at] = key
    places[at] = free
    this.levels[free] = level
  }

  remove(at: number): void {
    const { keys, places } = this
    const end = keys.length - 1
    const freed = places[at] ?? 0
    for (let i = at; i < end; i++) {
      keys[i] = keys[i + 1] ?? 0
      places[i] = places[i + 1] ?? 0
    }
    keys.pop()
    places[end] = freed
    this.levels[freed] = undefined
  }

  /** Takes the worst so many levels out, into a page of their own. */
  takeWorst(many: number): LevelPage {
    const worst = new LevelPage()
    for (let at = 0; at < many; at++) worst.add(this, at)
    this.removeWorst(many)
    return worst
  }

  removeWorst(many: number): void {
    for (let removed = 0; removed < many; removed++) this.remove(0)
  }

  /** The levels of this page and of a better one. */
  with(better: LevelPage): LevelPage {
    const joined = new LevelPage()
    for (const page of [this, better]) for (let at = 0; at < page.count; at++) joined.add(page, at)
    return joined
  }

  /** Counts all in another unit: each key is made anew. */
  rekey(keyOf: (level: Level) => Key): void {
    for (let at = 0; at < this.count; at++) {
      const level = this.level(at)
      if (level !== undefined) this.keys[at] = keyOf(level)
    }
  }

  private add(from: LevelPage, at: number): void {
    const key = from.keys[at]
    const level = from.level(at)
    if (key !== undefined && level !== undefined) this.insert(this.count, key, level)
  }
}
