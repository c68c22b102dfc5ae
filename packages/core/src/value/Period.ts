/**
 * A length of time that somebody has chosen, for people: `30 s`, `5 m`, `24 h`.
 *
 * @since 0.1.0
 */

const units = [["h", 3_600_000], ["m", 60_000], ["s", 1_000]] as const

/**
 * A number of milliseconds in the largest unit of which it is a whole number.
 *
 * @category getters
 * @since 0.1.0
 */
export const format = (millis: number): string => {
  const [unit, size] = units.find(([, size]) => millis >= size && millis % size === 0) ?? ["ms", 1]
  return `${millis / size} ${unit}`
}
