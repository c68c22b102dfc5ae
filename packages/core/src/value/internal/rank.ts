/**
 * The value below which a share of some values lies.
 *
 * @since 0.1.0
 */

/**
 * The value at a share of all, from 0 to 1, in ascending order, such as 0.99 for
 * the p99: the highest of them for few; `undefined` of none.
 *
 * @category getters
 * @since 0.1.0
 */
export const rankOf = (values: ReadonlyArray<number>, share: number): number | undefined => {
  const sorted = values.toSorted((one, other) => one - other)
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]
}
