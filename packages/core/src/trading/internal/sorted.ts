/**
 * A sorted array: what comes first in its order is the last element, where
 * elements come and go without moving others.
 *
 * @since 0.1.0
 */

/**
 * A sorted array. `compare` orders no two elements alike.
 *
 * @category models
 * @since 0.1.0
 */
export class Sorted<A> {
  /** The first in order is the last here. */
  readonly items: Array<A> = []
  private readonly compare: (one: A, other: A) => number

  constructor(compare: (one: A, other: A) => number) {
    this.compare = compare
  }

  /** The first in order. */
  first(): A | undefined {
    return this.items[this.items.length - 1]
  }

  insert(item: A): void {
    this.items.splice(this.placeOf(item), 0, item)
  }

  /** Removes an element that is there. */
  remove(item: A): void {
    this.items.splice(this.placeOf(item), 1)
  }

  private placeOf(item: A): number {
    const { compare, items } = this
    let low = 0
    let high = items.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const other = items[middle]
      if (other !== undefined && compare(item, other) < 0) low = middle + 1
      else high = middle
    }
    return low
  }
}
