/**
 * Integers of 64 bits between `bigint` and `number`, by the two words that they
 * are stored in: a fraction of the time that `BigInt` and `Number` take.
 *
 * @since 0.1.0
 */

const words = new Int32Array(2)
const signed = new BigInt64Array(words.buffer)
const low = new Uint8Array(Int32Array.of(1).buffer)[0] === 1 ? 0 : 1
const high = 1 - low
const wordSize = 0x1_0000_0000

/**
 * The integer that a safe double is.
 *
 * @category conversions
 * @since 0.1.0
 */
export const fromSafe = (value: number): bigint => {
  words[low] = value
  words[high] = Math.floor(value / wordSize)
  return signed[0] ?? 0n
}

/**
 * `head × power + tail`, of which none is below zero or has more than 30 bits.
 *
 * @category conversions
 * @since 0.1.0
 */
export const fromParts = (head: number, power: number, tail: number): bigint => {
  // In parts that a double holds.
  const upper = (head >>> 15) * power
  const lower = (head & 0x7fff) * power + tail + (upper % 0x2_0000) * 0x8000
  words[low] = lower
  words[high] = Math.floor(upper / 0x2_0000) + Math.floor(lower / wordSize)
  return signed[0] ?? 0n
}

/**
 * The double that is nearest to an integer of any size, as `Number` gives it.
 *
 * @category conversions
 * @since 0.1.0
 */
export const toNumber = (value: bigint): number => {
  signed[0] = value
  if (signed[0] !== value) return Number(value)
  return (words[high] ?? 0) * wordSize + ((words[low] ?? 0) >>> 0)
}
