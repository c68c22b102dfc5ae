/**
 * Decimals as whole numbers, and quotients whose rounding is said.
 *
 * @since 0.1.0
 */
import * as BigDecimal from "effect/BigDecimal"
import type { Decimal } from "../Decimal.ts"

/**
 * The decimal as a whole number of units of ten to the minus `scale`; what is
 * finer than that is cut off.
 *
 * @category getters
 * @since 0.1.0
 */
export const unitsOf = (self: Decimal, scale: number): bigint =>
  self.scale === scale
    ? self.value
    : self.scale < scale
    ? self.value * 10n ** BigInt(scale - self.scale)
    : self.value / 10n ** BigInt(self.scale - scale)

// The first whole number divided by the second, which is positive, rounded half away from zero.
const divideRounded = (self: bigint, by: bigint): bigint => {
  const twice = 2n * (self < 0n ? -self : self) + by
  const quotient = twice / (2n * by)
  return self < 0n ? -quotient : quotient
}

/**
 * The first decimal divided by the second, which is positive, to `scale` digits,
 * rounded half away from zero.
 *
 * @category combinators
 * @since 0.1.0
 */
export const divide = (self: Decimal, by: Decimal, scale: number): Decimal => {
  // self / by = (self.value / by.value) * 10^(by.scale - self.scale)
  const shift = by.scale - self.scale + scale
  const [above, below] = shift >= 0 ? [10n ** BigInt(shift), 1n] : [1n, 10n ** BigInt(-shift)]
  return BigDecimal.make(divideRounded(self.value * above, by.value * below), scale)
}

/**
 * The decimal to `scale` digits, rounded half away from zero.
 *
 * @category combinators
 * @since 0.1.0
 */
export const round = (self: Decimal, scale: number): Decimal => divide(self, BigDecimal.make(1n, 0), scale)

/** A quotient has so many digits more than what it is of, unless fewer are exact. */
const quotientDigits = 8

/**
 * The decimal without trailing zeros beyond `digits`.
 *
 * @category combinators
 * @since 0.1.0
 */
export const trim = (self: Decimal, digits: number): Decimal => {
  let { scale, value } = self
  while (scale > digits && value % 10n === 0n) {
    value /= 10n
    scale--
  }
  return BigDecimal.make(value, scale)
}

/**
 * The first decimal divided by the second, which is positive, rounded to eight
 * digits more than `digits`, without trailing zeros beyond those.
 *
 * @category combinators
 * @since 0.1.0
 */
export const quotient = (self: Decimal, by: Decimal, digits: number): Decimal =>
  trim(divide(self, by, digits + quotientDigits), digits)
