/**
 * How much an order is of: a share of the portfolio, cut to legal
 * amounts and to the money that is there.
 *
 * @since 0.1.0
 */
import * as BigDecimal from "effect/BigDecimal"
import * as Decimal from "../../value/Decimal.ts"
import * as Exact from "../../value/internal/exactArithmetic.ts"
import * as Instrument from "../Instrument.ts"
import * as Portfolio from "../Portfolio.ts"

/** The greatest legal amount that is worth no more than so much; zero if there is none. */
const amountFor = (instrument: Instrument.Instrument, worth: Decimal.Decimal, price: Decimal.Decimal) => {
  const { lot } = instrument
  const legal = (amount: Decimal.Decimal): Decimal.Decimal => Instrument.legalAmount(instrument, amount) ?? Decimal.zero
  const amount = legal(Exact.divide(worth, price, Math.max(0, lot.scale)))
  // The quotient is rounded to the lot's digits.
  return BigDecimal.isGreaterThan(BigDecimal.multiply(amount, price), worth)
    ? legal(BigDecimal.subtract(amount, lot))
    : amount
}

const lesser = (one: Decimal.Decimal, other: Decimal.Decimal | undefined): Decimal.Decimal =>
  other === undefined ? one : BigDecimal.min(one, other)

/**
 * What bounds one order; see `Risk.Limits`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Bounds {
  readonly share: Decimal.Decimal
  readonly maxExposure: Decimal.Decimal
  readonly leverage: Decimal.Decimal
  readonly minimumAmount: Decimal.Decimal
  readonly minimumValue: Decimal.Decimal
  readonly maximumValue: Decimal.Decimal | undefined
}

/**
 * What is traded, at which price, and what is available of each asset at the
 * exchange, as far as it is known.
 *
 * @category models
 * @since 0.1.0
 */
export interface Traded {
  readonly instrument: Instrument.Instrument
  readonly price: Decimal.Decimal
  readonly balances?: ReadonlyMap<string, Decimal.Decimal> | undefined
}

/**
 * The amount of an order at a limit, if it can have one, or what it lacks: it may
 * be filled at the limit or at the price.
 *
 * @category combinators
 * @since 0.1.0
 */
export const orderSize = (
  { leverage, maxExposure, maximumValue, minimumAmount, minimumValue, share }: Bounds,
  portfolio: Portfolio.Portfolio,
  { balances, instrument, price }: Traded,
  limit: Decimal.Decimal = price
) => {
  const [lowest, highest] = [BigDecimal.min(price, limit), BigDecimal.max(price, limit)]
  const asset = instrument.feeAsset
  const available = lesser(Portfolio.available(portfolio), balances?.get(asset))
  const wanted = lesser(BigDecimal.multiply(portfolio.total, share), maximumValue)
  const least = BigDecimal.max(minimumValue, instrument.minimumValue ?? Decimal.zero)
  const isEnough = (amount: Decimal.Decimal): boolean =>
    BigDecimal.isGreaterThanOrEqualTo(amount, BigDecimal.max(minimumAmount, instrument.lot)) &&
    BigDecimal.isGreaterThanOrEqualTo(BigDecimal.multiply(amount, price), minimumValue) &&
    Instrument.checkValue(instrument, { amount, price: lowest }) === undefined
  const asWanted = amountFor(instrument, wanted, price)
  if (!isEnough(asWanted)) {
    const value = BigDecimal.multiply(asWanted, price)
    return { _tag: "TooSmall", amount: asWanted, value, minimumAmount, minimumValue: least } as const
  }
  const there = BigDecimal.multiply(available, BigDecimal.min(leverage, maxExposure))
  const amount = BigDecimal.min(asWanted, amountFor(instrument, there, highest))
  if (isEnough(amount)) return amount
  const needed = BigDecimal.max(least, BigDecimal.multiply(minimumAmount, price))
  return { _tag: "Balance", asset, needed, available } as const
}
