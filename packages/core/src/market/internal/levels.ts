/**
 * The levels of a book: two sides, each sorted by price with its best level
 * first, exact, in pages.
 *
 * A page holds up to 128 levels beside each other, its best last, so that an
 * update moves a handful of places whatever the depth of the book; and most
 * updates are of the end of the first page.
 *
 * @since 0.1.0
 */
import type { Level } from "../../event/MarketData.ts"
import type { Decimal } from "../../value/Decimal.ts"

// A price as an integer, in units of the scale that all levels of the book share, negative on the bids' side: exact, the
// best the least, and quick to compare. What is no safe integer is a bigint; the two compare by value.
type Key = number | bigint

// Prices by their keys, the best last, and what stands there, with the text of the venue.
interface Page {
  readonly keys: Array<Key>
  readonly prices: Array<Decimal>
  readonly sizes: Array<Decimal>
}

const pageLevels = 128

const emptyPage = (): Page => ({ keys: [], prices: [], sizes: [] })

const worstKey = ({ keys }: Page): Key => keys[0] ?? 0

// What `splice` does to one place, without the array that it gives back.
const insert = <A>(values: Array<A>, at: number, value: A): void => {
  const last = values[values.length - 1]
  if (last === undefined || at >= values.length) {
    values.push(value)
    return
  }
  values.push(last)
  for (let i = values.length - 2; i > at; i--) values[i] = values[i - 1] ?? last
  values[at] = value
}

const take = <A>(values: Array<A>, at: number): void => {
  for (let i = at; i < values.length - 1; i++) {
    const next = values[i + 1]
    if (next !== undefined) values[i] = next
  }
  values.pop()
}

// The units that prices are counted in: ten to the minus `digits`.
interface Scale {
  digits: number
}

const powers: ReadonlyArray<number> = Array.from({ length: 16 }, (_, exponent) => 10 ** exponent)

const keyOf = ({ scale, value }: Decimal, digits: number, sign: 1 | -1): Key => {
  if (value === 0n) return 0
  const shift = digits - scale
  const key = Number(value) * (powers[shift] ?? Number.POSITIVE_INFINITY)
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
  private pages: Array<Page> = []

  constructor(side: "bids" | "asks", scale: Scale) {
    this.sign = side === "bids" ? -1 : 1
    this.scale = scale
  }

  /** Puts a level in the place of the one at its price; a size of zero removes that. */
  set(price: Decimal, size: Decimal): void {
    const key = keyOf(price, this.scale.digits, this.sign)
    const index = this.pageFor(key)
    const page = this.pages[index]
    if (page === undefined) {
      if (size.value !== 0n) this.append(key, price, size)
      return
    }
    const at = this.placeIn(page, key)
    const isThere = page.keys[at] === key
    if (size.value === 0n) {
      if (isThere) this.remove(index, page, at)
    } else if (isThere) {
      page.prices[at] = price
      page.sizes[at] = size
    } else if (at === 0 && page.keys.length >= pageLevels && index === this.pages.length - 1) {
      // A snapshot comes in order: what goes on behind a full page begins the next one, and leaves that full.
      this.append(key, price, size)
    } else {
      insert(page.keys, at, key)
      insert(page.prices, at, price)
      insert(page.sizes, at, size)
      this.count++
      if (page.keys.length > pageLevels) this.split(index, page)
    }
  }

  clear(): void {
    this.pages = []
    this.count = 0
  }

  /** The key of the best level; `undefined` if there is none. */
  bestKey(): Key | undefined {
    return this.pages[0]?.keys.at(-1)
  }

  /** The best level. */
  best(): Level | undefined {
    const page = this.pages[0]
    const price = page?.prices.at(-1)
    const size = page?.sizes.at(-1)
    return price === undefined || size === undefined ? undefined : [price, size]
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
    for (const { prices, sizes } of this.pages) {
      for (let i = prices.length - 1; i >= 0; i--) {
        const price = prices[i]
        const size = sizes[i]
        if (price !== undefined && size !== undefined) yield [price, size]
      }
    }
  }

  /** Removes what is worse than the best so many levels. */
  truncate(depth: number): void {
    while (this.count > depth) {
      const page = this.pages[this.pages.length - 1]
      if (page === undefined) return
      const worse = Math.min(page.keys.length, this.count - depth)
      this.count -= worse
      page.keys.splice(0, worse)
      page.prices.splice(0, worse)
      page.sizes.splice(0, worse)
      if (page.keys.length === 0) this.pages.pop()
    }
  }

  /** Counts prices in the units of the scale as it is now. */
  rescale(): void {
    for (const { keys, prices } of this.pages) {
      for (let i = 0; i < keys.length; i++) {
        const price = prices[i]
        if (price !== undefined) keys[i] = keyOf(price, this.scale.digits, this.sign)
      }
    }
  }

  // The first page whose worst level is not before the key: where it is or belongs. The last page has what is beyond all.
  private pageFor(key: Key): number {
    const { pages } = this
    let low = 0
    let high = pages.length - 1
    const first = pages[0]
    if (first !== undefined && worstKey(first) >= key) return 0
    while (low < high) {
      const middle = (low + high) >>> 1
      const page = pages[middle]
      if (page !== undefined && worstKey(page) < key) low = middle + 1
      else high = middle
    }
    return low
  }

  private placeIn({ keys }: Page, key: Key): number {
    let low = 0
    let high = keys.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (key < (keys[middle] ?? 0)) low = middle + 1
      else high = middle
    }
    return low
  }

  private append(key: Key, price: Decimal, size: Decimal): void {
    const page = emptyPage()
    page.keys.push(key)
    page.prices.push(price)
    page.sizes.push(size)
    this.pages.push(page)
    this.count++
  }

  private remove(index: number, page: Page, at: number): void {
    take(page.keys, at)
    take(page.prices, at)
    take(page.sizes, at)
    this.count--
    if (page.keys.length === 0) this.pages.splice(index, 1)
    else if (page.keys.length < pageLevels / 4) this.merge(index, page)
  }

  // The better half stays where it is.
  private split(index: number, page: Page): void {
    const half = page.keys.length >>> 1
    this.pages.splice(index + 1, 0, {
      keys: page.keys.splice(0, half),
      prices: page.prices.splice(0, half),
      sizes: page.sizes.splice(0, half)
    })
  }

  // A page that has become small takes the next one in, if both fit into three quarters of one.
  private merge(index: number, page: Page): void {
    const next = this.pages[index + 1]
    if (next === undefined || page.keys.length + next.keys.length > pageLevels * 3 / 4) return
    page.keys.unshift(...next.keys)
    page.prices.unshift(...next.prices)
    page.sizes.unshift(...next.sizes)
    this.pages.splice(index + 1, 1)
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
    for (const [price, size] of levels) {
      if (price.scale > this.scale.digits) {
        this.scale.digits = price.scale
        this.bids.rescale()
        this.asks.rescale()
      }
      side.set(price, size)
    }
  }
}
