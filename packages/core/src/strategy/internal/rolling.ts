/**
 * Means, deviations and extremes of the last values of a series, at the same
 * cost whatever their number, and without a trace of those that have left.
 *
 * Nothing is ever subtracted. Values are kept in blocks as long as the window: it
 * is always the end of one block and the beginning of the next. What there is to
 * know of each end of a block is reckoned once, from its last value backwards,
 * when the block is full; that of the beginning grows with each value. Both put
 * together are the window.
 *
 * @since 0.1.0
 */
import { Levels } from "./magnitude.ts"

/** A value that is there. */
const valueAt = (array: Float64Array, at: number): number => array[at] ?? Number.NaN

/** An array twice as long, and no longer than what may be in it. */
const grown = (array: Float64Array<ArrayBuffer>, most: number): Float64Array<ArrayBuffer> => {
  const longer = new Float64Array(Math.min(2 * array.length, most))
  longer.set(array)
  return longer
}

const firstLength = 64

abstract class Rolling {
  /** How many values the window has. */
  protected readonly length: number
  /** Those of this block up to `at`, then those of the one before. */
  protected values: Float64Array<ArrayBuffer>
  protected at = 0
  /** Whether there was a block before this one. */
  protected isTurned = false

  constructor(length: number) {
    this.length = length
    this.values = new Float64Array(Math.min(length, firstLength))
  }

  /** Whether there are as many values as the window has. */
  get isFull(): boolean {
    return this.isTurned || this.at === this.length
  }

  /** Makes room for a value: its place, where the one is that leaves the window. */
  protected place(): number {
    if (this.at === this.length) {
      this.turn()
      this.isTurned = true
      this.at = 0
    } else if (this.at === this.values.length) this.values = grown(this.values, this.length)
    return this.at++
  }

  /** The block is full: reckons its ends, and begins the next. */
  protected abstract turn(): void
}

/**
 * The mean of the last values.
 *
 * @category models
 * @since 0.1.0
 */
export class RollingMean extends Rolling {
  private readonly levels = new Levels()
  // The sum of each end of the block before, and of the beginning of this one.
  private sumsBefore = new Float64Array(0)
  private sum = 0

  get mean(): number {
    const sum = this.isTurned ? valueAt(this.sumsBefore, this.at) + this.sum : this.sum
    return sum / (this.length * this.levels.factor)
  }

  push(value: number): void {
    const place = this.place()
    const isOther = this.levels.replace(value, this.isTurned ? this.values[place] : undefined)
    this.values[place] = value
    if (isOther) this.reckon()
    else this.sum += value * this.levels.factor
  }

  protected turn(): void {
    this.at = 0
    this.reckonBefore()
    this.sum = 0
  }

  // All anew: the factor is another. That happens at most twice for each value that is tiny or huge.
  private reckon(): void {
    if (this.isTurned) this.reckonBefore()
    this.sum = 0
    for (let i = 0; i < this.at; i++) this.sum += valueAt(this.values, i) * this.levels.factor
  }

  private reckonBefore(): void {
    if (this.sumsBefore.length === 0) this.sumsBefore = new Float64Array(this.length + 1)
    let sum = 0
    for (let i = this.length - 1; i >= this.at; i--) {
      sum += valueAt(this.values, i) * this.levels.factor
      this.sumsBefore[i] = sum
    }
  }
}

/**
 * The mean of the last values, by their weights, which are not negative.
 *
 * @category models
 * @since 0.1.0
 */
export class RollingWeighted extends Rolling {
  private weights: Float64Array<ArrayBuffer>
  private readonly valueLevels = new Levels()
  private readonly weightLevels = new Levels()
  // The sums of each end of the block before, and of the beginning of this one.
  private sumsBefore = new Float64Array(0)
  private totalsBefore = new Float64Array(0)
  private sum = 0
  private total = 0

  constructor(length: number) {
    super(length)
    this.weights = new Float64Array(this.values.length)
  }

  /** The mean; `undefined` where all weights are zero. */
  get mean(): number | undefined {
    const total = this.isTurned ? valueAt(this.totalsBefore, this.at) + this.total : this.total
    if (total === 0) return undefined
    const sum = this.isTurned ? valueAt(this.sumsBefore, this.at) + this.sum : this.sum
    return sum / total / this.valueLevels.factor
  }

  push(value: number, weight: number): void {
    const place = this.place()
    if (this.weights.length < this.values.length) this.weights = grown(this.weights, this.length)
    const hasOther = this.valueLevels.replace(value, this.isTurned ? this.values[place] : undefined)
    const isOther = this.weightLevels.replace(weight, this.isTurned ? this.weights[place] : undefined)
    this.values[place] = value
    this.weights[place] = weight
    if (hasOther || isOther) this.reckon()
    else {
      const weighs = weight * this.weightLevels.factor
      this.sum += value * this.valueLevels.factor * weighs
      this.total += weighs
    }
  }

  protected turn(): void {
    this.at = 0
    this.reckonBefore()
    this.sum = 0
    this.total = 0
  }

  private reckon(): void {
    if (this.isTurned) this.reckonBefore()
    this.sum = 0
    this.total = 0
    for (let i = 0; i < this.at; i++) {
      const weighs = valueAt(this.weights, i) * this.weightLevels.factor
      this.sum += valueAt(this.values, i) * this.valueLevels.factor * weighs
      this.total += weighs
    }
  }

  private reckonBefore(): void {
    const { length } = this
    if (this.sumsBefore.length === 0) {
      this.sumsBefore = new Float64Array(length + 1)
      this.totalsBefore = new Float64Array(length + 1)
    }
    let sum = 0
    let total = 0
    for (let i = length - 1; i >= this.at; i--) {
      const weighs = valueAt(this.weights, i) * this.weightLevels.factor
      sum += valueAt(this.values, i) * this.valueLevels.factor * weighs
      total += weighs
      this.sumsBefore[i] = sum
      this.totalsBefore[i] = total
    }
  }
}

/**
 * The mean and the population deviation of the last values. A square is only ever
 * of a distance to a mean, so that nothing cancels: what is flat has none.
 *
 * @category models
 * @since 0.1.0
 */
export class RollingDeviation extends Rolling {
  private readonly levels = new Levels()
  // The mean and the sum of squared distances to it, of each end of the block before, and of the beginning of this one.
  private meansBefore = new Float64Array(0)
  private squaresBefore = new Float64Array(0)
  private ownMean = 0
  private ownSquares = 0

  /** What the last values were multiplied by. */
  get factor(): number {
    return this.levels.factor
  }

  /** The mean, times the factor. */
  get mean(): number {
    const before = this.length - this.at
    if (!this.isTurned || before === 0) return this.ownMean
    const mean = valueAt(this.meansBefore, this.at)
    return mean + (this.ownMean - mean) * (this.at / this.length)
  }

  /** The deviation, times the factor. */
  get deviation(): number {
    const before = this.length - this.at
    if (!this.isTurned || before === 0) return Math.sqrt(this.ownSquares / this.length)
    const between = this.ownMean - valueAt(this.meansBefore, this.at)
    const squares = this.ownSquares + valueAt(this.squaresBefore, this.at) +
      between * between * (this.at * (before / this.length))
    return Math.sqrt(squares / this.length)
  }

  push(value: number): void {
    const place = this.place()
    const isOther = this.levels.replace(value, this.isTurned ? this.values[place] : undefined)
    this.values[place] = value
    if (isOther) this.reckon()
    else this.enter(value * this.levels.factor, this.at)
  }

  protected turn(): void {
    this.at = 0
    this.reckonBefore()
    this.ownMean = 0
    this.ownSquares = 0
  }

  private enter(value: number, count: number): void {
    const distance = value - this.ownMean
    this.ownMean += distance / count
    this.ownSquares += distance * (value - this.ownMean)
  }

  private reckon(): void {
    if (this.isTurned) this.reckonBefore()
    this.ownMean = 0
    this.ownSquares = 0
    for (let i = 0; i < this.at; i++) this.enter(valueAt(this.values, i) * this.levels.factor, i + 1)
  }

  private reckonBefore(): void {
    const { length } = this
    if (this.meansBefore.length === 0) {
      this.meansBefore = new Float64Array(length)
      this.squaresBefore = new Float64Array(length)
    }
    let mean = 0
    let squares = 0
    for (let i = length - 1; i >= this.at; i--) {
      const value = valueAt(this.values, i) * this.levels.factor
      const distance = value - mean
      mean += distance / (length - i)
      squares += distance * (value - mean)
      this.meansBefore[i] = mean
      this.squaresBefore[i] = squares
    }
  }
}

/**
 * The highest of the last values, each of them a double and what rounding to it
 * has left off.
 *
 * @category models
 * @since 0.1.0
 */
export class RollingHighest extends Rolling {
  private rests: Float64Array<ArrayBuffer>
  // The highest of each end of the block before, and that of the beginning of this one.
  private highestBefore = new Float64Array(0)
  private restsBefore = new Float64Array(0)
  private ownHighest = Number.NEGATIVE_INFINITY
  private ownRest = 0
  /** The highest, and what was left off it. */
  highest = Number.NEGATIVE_INFINITY
  rest = 0

  constructor(length: number) {
    super(length)
    this.rests = new Float64Array(this.values.length)
  }

  push(value: number, rest: number): void {
    const place = this.place()
    if (this.rests.length < this.values.length) this.rests = grown(this.rests, this.length)
    this.values[place] = value
    this.rests[place] = rest
    if (value > this.ownHighest || (value === this.ownHighest && rest > this.ownRest)) {
      this.ownHighest = value
      this.ownRest = rest
    }
    this.highest = this.ownHighest
    this.rest = this.ownRest
    if (!this.isTurned || this.at === this.length) return
    const highest = valueAt(this.highestBefore, this.at)
    const restBefore = valueAt(this.restsBefore, this.at)
    if (highest > this.highest || (highest === this.highest && restBefore > this.rest)) {
      this.highest = highest
      this.rest = restBefore
    }
  }

  protected turn(): void {
    const { length } = this
    if (this.highestBefore.length === 0) {
      this.highestBefore = new Float64Array(length)
      this.restsBefore = new Float64Array(length)
    }
    let highest = Number.NEGATIVE_INFINITY
    let rest = 0
    for (let i = length - 1; i >= 0; i--) {
      const value = valueAt(this.values, i)
      const its = valueAt(this.rests, i)
      if (value > highest || (value === highest && its > rest)) {
        highest = value
        rest = its
      }
      this.highestBefore[i] = highest
      this.restsBefore[i] = rest
    }
    this.ownHighest = Number.NEGATIVE_INFINITY
    this.ownRest = 0
  }
}
