/**
 * Decimals as doubles: the nearest one, what that has left off, and differences
 * that lose neither.
 *
 * @since 0.1.0
 */
import type { Decimal } from "../../value/Decimal.ts"

/** Powers of ten that a double holds exactly. */
const powers = Array.from({ length: 23 }, (_, exponent) => Number(`1e${exponent}`))

/** Whether a decimal is a quotient of two numbers that doubles hold exactly. */
const isShort = ({ scale, value }: Decimal): boolean =>
  scale >= 0 && scale <= 22 && value <= 9_007_199_254_740_991n && value >= -9_007_199_254_740_991n

/**
 * The double nearest to a decimal.
 *
 * @category getters
 * @since 0.1.0
 */
export const nearest = (decimal: Decimal): number =>
  isShort(decimal) ? Number(decimal.value) / (powers[decimal.scale] ?? 1) : Number(`${decimal.value}e${-decimal.scale}`)

/** A finite double as a whole number times a power of two. */
const partsOf = (double: number): readonly [mantissa: bigint, exponent: number] => {
  if (double === 0) return [0n, 0]
  let exponent = Math.max(Math.floor(Math.log2(Math.abs(double))) - 52, -1074)
  // In two steps: a power of two beyond 1,023 is none.
  let mantissa = double / 2 ** Math.floor(exponent / 2) / 2 ** (exponent - Math.floor(exponent / 2))
  while (!Number.isInteger(mantissa)) {
    mantissa *= 2
    exponent--
  }
  return [BigInt(mantissa), exponent]
}

const bitsOf = (value: bigint): number => (value < 0n ? -value : value).toString(2).length

/** A quotient to some 60 digits of base two. */
const quotient = (above: bigint, below: bigint): number => {
  const shift = Math.max(60 - bitsOf(above) + bitsOf(below), 0)
  const whole = Number((above << BigInt(shift)) / below)
  return whole / 2 ** Math.floor(shift / 2) / 2 ** (shift - Math.floor(shift / 2))
}

/** 2^27 + 1: it splits a double into two of half as many digits. */
const splitter = 134_217_729

/** What rounding has left off a product. */
const productRest = (a: number, b: number, product: number): number => {
  const [aSplit, bSplit] = [splitter * a, splitter * b]
  const [aHigh, bHigh] = [aSplit - (aSplit - a), bSplit - (bSplit - b)]
  const [aLow, bLow] = [a - aHigh, b - bHigh]
  return aLow * bLow - (product - aHigh * bHigh - aLow * bHigh - aHigh * bLow)
}

/**
 * What a decimal has more than the double nearest to it.
 *
 * @category getters
 * @since 0.1.0
 */
export const restOf = (decimal: Decimal, double: number): number => {
  if (isShort(decimal)) {
    const power = powers[decimal.scale] ?? 1
    const product = double * power
    return (Number(decimal.value) - product - productRest(double, power, product)) / power
  }
  if (!Number.isFinite(double)) return 0
  const [mantissa, exponent] = partsOf(double)
  const { scale, value } = decimal
  // value / 10^scale − mantissa × 2^exponent, over one denominator.
  const ten = 10n ** BigInt(Math.abs(scale))
  const two = 2n ** BigInt(Math.abs(exponent))
  const own = scale < 0 ? value * ten : value
  const its = (exponent < 0 ? mantissa : mantissa * two) * (scale < 0 ? 1n : ten)
  const above = exponent < 0 ? own * two - its : own - its
  if (above === 0n) return 0
  return quotient(above, (scale < 0 ? 1n : ten) * (exponent < 0 ? two : 1n))
}

/**
 * The difference of two values, each a double and what was left off it; the
 * largest double where it is larger.
 *
 * @category combinators
 * @since 0.1.0
 */
export const difference = (a: number, aRest: number, b: number, bRest: number): number => {
  const rounded = a - b
  if (!Number.isFinite(rounded)) return rounded > 0 ? Number.MAX_VALUE : -Number.MAX_VALUE
  const taken = rounded - a
  return rounded + (a - (rounded - taken) - (b + taken) + (aRest - bRest))
}
