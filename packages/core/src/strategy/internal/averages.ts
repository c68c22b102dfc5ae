/**
 * Averages of a series in which old values fade and none leaves.
 *
 * @since 0.1.0
 */
import { factors, type Level, levelOf } from "./magnitude.ts"

/**
 * An exponential average: each value gets a share of it. It is seeded by the mean
 * of the first values, or by the first.
 *
 * @category models
 * @since 0.1.0
 */
export class Fading {
  value = 0
  private count = 0
  private readonly length: number
  private readonly share: number
  private readonly isSeededByFirst: boolean

  constructor(length: number, share: number, isSeededByFirst = false) {
    this.length = length
    this.share = share
    this.isSeededByFirst = isSeededByFirst
  }

  /** Whether there are as many values as the average begins with. */
  get isReady(): boolean {
    return this.count === this.length
  }

  push(value: number): void {
    if (this.count < this.length) {
      this.count++
      const share = this.count === 1 ? 1 : this.isSeededByFirst ? this.share : 1 / this.count
      this.value += (value - this.value) * share
    } else this.value += (value - this.value) * this.share
  }

  /** What it was made of was multiplied by a factor. */
  multiply(factor: number): void {
    this.value *= factor
  }
}

/**
 * Of how much a series has moved, the share that was upwards, by Wilder's
 * averages: each change has one part in `length`. It is undefined until something
 * has moved, and stays as it is while nothing does, however long.
 *
 * @category models
 * @since 0.1.0
 */
export class UpwardShare {
  share: number | undefined
  /** The average of the changes' sizes, times the factor of its level. */
  private moved = 0
  private level: Level = 0
  private count = 0
  private readonly length: number

  constructor(length: number) {
    this.length = length
  }

  /** Whether there are as many changes as the averages are seeded with. */
  get isReady(): boolean {
    return this.count === this.length
  }

  push(change: number): void {
    if (this.count < this.length) this.count++
    const { count } = this
    // What is kept of the average; of a single change nothing is.
    let kept = this.moved * ((count - 1) / count)
    const unscaled = kept / factors[this.level]
    const level = levelOf(Math.max(Math.abs(change), unscaled))
    if (level !== this.level) {
      kept = unscaled * factors[level]
      this.level = level
    }
    const size = Math.abs(change) * factors[level]
    this.moved = kept + size / count
    if (size === 0) {
      if (this.length === 1) this.share = undefined
      return
    }
    const upwards = change > 0 ? 1 : 0
    if (this.share === undefined) this.share = upwards
    else this.share += (upwards - this.share) * (size / count / this.moved)
  }
}

/**
 * The mean of a series by weights, which are not negative.
 *
 * @category models
 * @since 0.1.0
 */
export class Weighted {
  value = 0
  private total = 0

  /** Whether something had a weight. */
  get isWeighed(): boolean {
    return this.total > 0
  }

  push(value: number, weight: number): void {
    if (weight === 0) return
    this.total += weight
    this.value += (value - this.value) * (weight / this.total)
  }

  /** What it was made of was multiplied by a factor, and its weights by another. */
  multiply(value: number, weight: number): void {
    this.value *= value
    this.total *= weight
  }
}
