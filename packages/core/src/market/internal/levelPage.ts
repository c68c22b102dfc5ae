/**
 * A page of one side of a book: some levels that follow each other, sorted, with
 * the best last.
 *
 * Levels stay where they are: what moves when one comes are keys and small
 * integers, which an engine moves much sooner than objects.
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
 * How many keys a page holds at most. One more is there before it is shortened.
 *
 * @category constants
 * @since 0.1.0
 */
export const mostKeys = 128

const inOrder = Uint8Array.from({ length: mostKeys + 1 }, (_, place) => place)

/** Most updates are near the touch: so many levels are gone through before the rest is halved again and again. */
const near = 32

/**
 * A page of levels.
 *
 * A key whose level is gone stays until its place is needed: near the touch
 * levels come and go at the same few prices, where nothing is moved then. The
 * best key has its level always.
 *
 * @category models
 * @since 0.1.0
 */
export class LevelPage {
  /** How many levels there are. */
  count = 0
  /** Those of the levels, and of some that are gone, the best last. */
  readonly keys: Array<Key> = []
  // For each key the place of its level among the levels; behind those the places that are free.
  private readonly places = inOrder.slice()
  private readonly levels: Array<Level | undefined> = []

  /** That of the worst level, or of one that is gone and was worse. */
  get worstKey(): Key {
    return this.keys[0] ?? 0
  }

  /** The level of a key, by the place of that; `undefined` if it is gone. */
  level(at: number): Level | undefined {
    return this.levels[this.places[at] ?? 0]
  }

  /** The best level. */
  best(): Level | undefined {
    return this.level(this.keys.length - 1)
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

  /** Puts a level at the place of its key, where there is none yet. */
  insert(at: number, key: Key, level: Level): void {
    const { keys, levels, places } = this
    const end = keys.length
    this.count++
    const here = places[at] ?? 0
    if (at < end && levels[here] === undefined) {
      // That of this price or of the next better one, which is gone.
      keys[at] = key
      levels[here] = level
      return
    }
    const free = places[end] ?? 0
    keys.push(key)
    for (let i = end; i > at; i--) {
      keys[i] = keys[i - 1] ?? key
      places[i] = places[i - 1] ?? 0
    }
    keys[at] = key
    places[at] = free
    levels[free] = level
  }

  remove(at: number): void {
    const { keys, levels, places } = this
    levels[places[at] ?? 0] = undefined
    this.count--
    if (at < keys.length - 1) return
    do keys.pop()
    while (keys.length > 0 && this.best() === undefined)
  }

  /** Takes the worst so many levels out, into a page of their own. */
  takeWorst(many: number): LevelPage {
    const worst = new LevelPage()
    for (let at = 0; worst.count < many && at < this.keys.length; at++) worst.add(this, at)
    this.removeWorst(many)
    return worst
  }

  removeWorst(many: number): void {
    const { levels, places } = this
    const left = this.count - many
    for (let at = 0; this.count > left && at < this.keys.length; at++) {
      const place = places[at] ?? 0
      if (levels[place] !== undefined) this.count--
      levels[place] = undefined
    }
    this.compact()
  }

  /** Forgets the keys of levels that are gone. */
  compact(): void {
    const { keys, levels, places } = this
    let end = 0
    for (let at = 0; at < keys.length; at++) {
      const place = places[at] ?? 0
      if (levels[place] === undefined) continue
      keys[end] = keys[at] ?? 0
      places[at] = places[end] ?? 0
      places[end++] = place
    }
    keys.length = end
  }

  /** The levels of this page and of a better one. */
  with(better: LevelPage): LevelPage {
    const joined = new LevelPage()
    for (const page of [this, better]) for (let at = 0; at < page.keys.length; at++) joined.add(page, at)
    return joined
  }

  /** Counts all in another unit: each key is made anew. */
  rekey(keyOf: (level: Level) => Key): void {
    this.compact()
    for (let at = 0; at < this.keys.length; at++) {
      const level = this.level(at)
      if (level !== undefined) this.keys[at] = keyOf(level)
    }
  }

  private add(from: LevelPage, at: number): void {
    const key = from.keys[at]
    const level = from.level(at)
    if (key !== undefined && level !== undefined) this.insert(this.keys.length, key, level)
  }
}
