/**
 * A queue over an array that is used round and round.
 *
 * @since 0.1.0
 */

/**
 * A queue that grows by doubling, and can be left at either end.
 *
 * @category models
 * @since 0.1.0
 */
export class Ring<A> {
  size = 0
  private items: Array<A | undefined> = []
  private head = 0

  push(item: A): void {
    if (this.size === this.items.length) this.grow()
    this.items[(this.head + this.size) & (this.items.length - 1)] = item
    this.size++
  }

  /** Takes the oldest. */
  shift(): A | undefined {
    if (this.size === 0) return undefined
    const item = this.items[this.head]
    this.items[this.head] = undefined
    this.head = (this.head + 1) & (this.items.length - 1)
    this.size--
    return item
  }

  /** Takes the newest. */
  pop(): A | undefined {
    if (this.size === 0) return undefined
    this.size--
    const at = (this.head + this.size) & (this.items.length - 1)
    const item = this.items[at]
    this.items[at] = undefined
    return item
  }

  /** Keeps those alone for which it holds. */
  filter(keeps: (item: A) => boolean): void {
    const kept = this.toArray().filter(keeps)
    this.items = []
    this.head = 0
    this.size = 0
    for (const item of kept) this.push(item)
  }

  /** All, the oldest first. */
  toArray(): Array<A> {
    const all: Array<A> = []
    for (let i = 0; i < this.size; i++) {
      const item = this.items[(this.head + i) & (this.items.length - 1)]
      if (item !== undefined) all.push(item)
    }
    return all
  }

  private grow(): void {
    const { head, items, size } = this
    const grown = Array.from<A | undefined>({ length: Math.max(4, items.length * 2) })
    for (let i = 0; i < size; i++) grown[i] = items[(head + i) & (items.length - 1)]
    this.items = grown
    this.head = 0
  }
}
