/**
 * A sorted array: what comes first in its order is the last element, where
 * elements come and go without moving others.
 *
 * @since 0.1.0
 */

/**
 * A sorted array. Of two elements that may be there at once, one is before the
 * other.
 *
 * @category models
 * @since 0.1.0
 */
export class Sorted<A> {
  /** The first in order is the last here. */
  readonly items: Array<A> = []
  private readonly isBefore: (one: A, other: A) => boolean

  constructor(isBefore: (one: A, other: A) => boolean) {
    this.isBefore = isBefore
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
    const { isBefore, items } = this
    let low = 0
    let high = items.length
    while (low < high) {
      const middle = (low + high) >>> 1
      const other = items[middle]
      if (other !== undefined && isBefore(item, other)) low = middle + 1
      else high = middle
    }
    return low
  }
}
