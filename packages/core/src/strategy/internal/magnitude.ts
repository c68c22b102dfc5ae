/**
 * How large prices are, so that neither their squares nor their sums overflow or
 * vanish: tiny and huge ones are reckoned multiplied by a power of two, which
 * loses nothing.
 *
 * @since 0.1.0
 */

/** Sizes below the first are tiny, those from the second on are huge. */
const bounds = [2 ** -400, 2 ** 400] as const

/**
 * Tiny, usual or huge.
 *
 * @category models
 * @since 0.1.0
 */
export type Level = 0 | 1 | 2

/**
 * By what values of each level are multiplied.
 *
 * @category constants
 * @since 0.1.0
 */
export const factors = [2 ** 600, 1, 2 ** -600] as const

/**
 * The level of a size, which is not negative.
 *
 * @category getters
 * @since 0.1.0
 */
export const levelOf = (size: number): Level => size < bounds[0] ? 0 : size < bounds[1] ? 1 : 2

/**
 * The factor of a series, by its largest value so far.
 *
 * @category models
 * @since 0.1.0
 */
export class Reach {
  factor: number = factors[0]
  private level: Level = 0

  /** Counts a size, which is not negative; gives by what all that was reckoned so far is to be multiplied. */
  grow(size: number): number {
    const level = levelOf(size)
    if (level <= this.level) return 1
    const was = this.factor
    this.level = level
    this.factor = factors[level]
    return this.factor / was
  }
}

/**
 * The factor of what is in a window, by the largest value in it.
 *
 * @category models
 * @since 0.1.0
 */
export class Levels {
  factor: number = factors[0]
  private usual = 0
  private huge = 0

  /** A value takes the place of another, or comes in addition; gives whether the factor is another now. */
  replace(value: number, old: number | undefined): boolean {
    const level = levelOf(Math.abs(value))
    const was = old === undefined ? 0 : levelOf(Math.abs(old))
    if (level === was) return false
    if (level === 1) this.usual++
    else if (level === 2) this.huge++
    if (was === 1) this.usual--
    else if (was === 2) this.huge--
    const factor = factors[this.huge > 0 ? 2 : this.usual > 0 ? 1 : 0]
    const isOther = factor !== this.factor
    this.factor = factor
    return isOther
  }
}
