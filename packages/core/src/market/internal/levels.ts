/**
 * The levels of a book: two sides, each sorted by price with its best level
 * first, exact, in pages of up to 128 levels: an update moves a handful of places
 * whatever the depth of the book, most updates are of the end of the first page,
 * and what goes leaves its place to what comes at its price.
 *
 * @since 0.1.0
 */
import type { Level } from "../../event/MarketData.ts"
import type { Decimal } from "../../value/Decimal.ts"
import * as Digits from "../../value/internal/digits.ts"
import * as Integer64 from "../../value/internal/integer64.ts"
import { type Key, LevelPage, mostKeys } from "./levelPage.ts"

// The units that prices are counted in: ten to the minus `digits`.
interface Scale {
  digits: number
}

const keyOf = ({ scale, value }: Decimal, digits: number, sign: 1 | -1): Key => {
  const shift = digits - scale
  const key = Integer64.toNumber(value) * (Digits.powers[shift] ?? Number.POSITIVE_INFINITY)
  return Number.isSafeInteger(key) ? sign * key : BigInt(sign) * value * 10n ** BigInt(shift)
}

/**
 * One side of a book.
 *
 * @category models
 * @since 0.1.0
 */
export class Side {
  /** How many levels there are. */
  count = 0
  private readonly sign: 1 | -1
  private readonly scale: Scale
  private pages: Array<LevelPage> = []

  constructor(side: "bids" | "asks", scale: Scale) {
    this.sign = side === "bids" ? -1 : 1
    this.scale = scale
  }

  /** Puts a level in the place of the one at its price; a size of zero removes that. */
  set(level: Level): void {
    const key = keyOf(level[0], this.scale.digits, this.sign)
    const isGone = level[1].value === 0n
    const index = this.pageFor(key)
    const page = this.pages[index]
    if (page === undefined) {
      if (!isGone) this.append(key, level)
      return
    }
    const at = page.placeOf(key)
    const isThere = page.keys[at] === key && page.level(at) !== undefined
    if (isGone) {
      if (isThere) this.remove(index, page, at)
    } else if (isThere) {
      page.replace(at, level)
    } else if (at === 0 && page.count >= mostKeys && index === this.pages.length - 1) {
      // A snapshot comes in order: what goes on behind a full page begins the next one, and leaves that full.
      this.append(key, level)
    } else {
      page.insert(at, key, level)
      this.count++
      if (page.keys.length > mostKeys) this.shorten(index, page)
    }
  }

  clear(): void {
    this.pages = []
    this.count = 0
  }

  /** The key of the best level; `undefined` if there is none. */
  bestKey(): Key | undefined {
    const page = this.pages[0]
    return page?.keys[page.keys.length - 1]
  }

  /** The best level. */
  best(): Level | undefined {
    return this.pages[0]?.best()
  }

  /** The best so many levels, best first. */
  top(depth: number): Array<Level> {
    const found: Array<Level> = []
    for (const level of this) {
      if (found.length >= depth) break
      found.push(level)
    }
    return found
  }

  /** All levels, best first. */
  *[Symbol.iterator](): Generator<Level, void> {
    for (const page of this.pages) {
      for (let at = page.keys.length - 1; at >= 0; at--) {
        const level = page.level(at)
        if (level !== undefined) yield level
      }
    }
  }

  /** Removes what is worse than the best so many levels. */
  truncate(depth: number): void {
    while (this.count > depth) {
      const page = this.pages[this.pages.length - 1]
      if (page === undefined) return
      const worse = Math.min(page.count, this.count - depth)
      this.count -= worse
      if (worse === page.count) this.pages.pop()
      else page.removeWorst(worse)
    }
  }

  /** Counts prices in the units of the scale as it is now. */
  rescale(): void {
    for (const page of this.pages) page.rekey(([price]) => keyOf(price, this.scale.digits, this.sign))
  }

  // The first page whose worst level is not before the key: where it is or belongs. The last page has what is beyond all.
  private pageFor(key: Key): number {
    const { pages } = this
    let low = 0
    let high = pages.length - 1
    const first = pages[0]
    if (first !== undefined && first.worstKey >= key) return 0
    while (low < high) {
      const middle = (low + high) >>> 1
      const page = pages[middle]
      if (page !== undefined && page.worstKey < key) low = middle + 1
      else high = middle
    }
    return low
  }

  private append(key: Key, level: Level): void {
    const page = new LevelPage()
    page.insert(0, key, level)
    this.pages.push(page)
    this.count++
  }

  // A page that has too many keys forgets those of levels that are gone. Where these are few the better half of it stays.
  private shorten(index: number, page: LevelPage): void {
    if (page.count <= mostKeys * 3 / 4) page.compact()
    else this.pages.splice(index + 1, 0, page.takeWorst(page.count >>> 1))
  }

  private remove(index: number, page: LevelPage, at: number): void {
    page.remove(at)
    this.count--
    if (page.count === 0) this.pages.splice(index, 1)
    else if (page.count < mostKeys / 4) this.merge(index, page)
  }

  // A page that has become small takes the next one in, if both fit into three quarters of one.
  private merge(index: number, page: LevelPage): void {
    const next = this.pages[index + 1]
    if (next === undefined || page.count + next.count > mostKeys * 3 / 4) return
    this.pages.splice(index, 2, next.with(page))
  }
}

/**
 * The levels of one book.
 *
 * @category models
 * @since 0.1.0
 */
export class Levels {
  private readonly scale: Scale = { digits: 0 }
  readonly bids = new Side("bids", this.scale)
  readonly asks = new Side("asks", this.scale)

  /** Puts levels in the place of those at their prices, in order; a size of zero removes one. */
  apply(bids: ReadonlyArray<Level>, asks: ReadonlyArray<Level>): void {
    this.applyTo(this.bids, bids)
    this.applyTo(this.asks, asks)
  }

  clear(): void {
    this.bids.clear()
    this.asks.clear()
  }

  /** Removes what is worse than the best so many levels of each side. */
  truncate(depth: number): void {
    this.bids.truncate(depth)
    this.asks.truncate(depth)
  }

  /** Whether the best bid is above the best ask. */
  isCrossed(): boolean {
    const bid = this.bids.bestKey()
    const ask = this.asks.bestKey()
    return bid !== undefined && ask !== undefined && -bid > ask
  }

  private applyTo(side: Side, levels: ReadonlyArray<Level>): void {
    for (const level of levels) {
      if (level[0].scale > this.scale.digits) {
        this.scale.digits = level[0].scale
        this.bids.rescale()
        this.asks.rescale()
      }
      side.set(level)
    }
  }
}
