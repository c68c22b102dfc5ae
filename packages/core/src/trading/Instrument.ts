/**
 * What can be traded, as data: the steps of its prices and amounts, and its fees.
 *
 * @since 0.1.0
 */
import * as BigDecimal from "effect/BigDecimal"
import * as Schema from "effect/Schema"
import * as Decimal from "../value/Decimal.ts"
import * as Exact from "../value/internal/exactArithmetic.ts"
import type { Liquidity } from "./OrderEvent.ts"

// The greatest multiple of a step that is not above a value, which is not negative.
const floor = (value: Decimal.Decimal, step: Decimal.Decimal): Decimal.Decimal => {
  const scale = Math.max(value.scale, step.scale)
  const units = Exact.unitsOf(value, scale) / Exact.unitsOf(step, scale)
  return BigDecimal.make(units * step.value, step.scale)
}

const ceiling = (value: Decimal.Decimal, step: Decimal.Decimal): Decimal.Decimal => {
  const below = floor(value, step)
  return BigDecimal.equals(below, value) ? below : BigDecimal.sum(below, step)
}

const isMultiple = (value: Decimal.Decimal, step: Decimal.Decimal): boolean =>
  BigDecimal.equals(floor(value, step), value)

/**
 * What a trade costs, as a share of its value: below zero is a rebate. Exact if
 * `digits` is absent, otherwise rounded to so many, half away from zero.
 *
 * @category models
 * @since 0.1.0
 */
export class Fees extends Schema.Class<Fees>("Fees")({
  maker: Decimal.FromText,
  taker: Decimal.FromText,
  digits: Schema.optionalKey(Schema.Int)
}) {}

/**
 * Something that can be traded. A legal price is a positive multiple of `tick`,
 * a legal amount a multiple of `lot` from `minimum` (by default one lot) to
 * `maximum` (by default there is none). An order is worth `minimumValue` of
 * `feeAsset` at least, if that is said, unless it only reduces a position.
 *
 * `ticks` has the larger ticks of higher prices, lowest first: each holds from
 * the price `from` on, which is a multiple of it and of the one before.
 *
 * The value of a trade is price × amount if the instrument is `linear`, which is
 * the default, and amount ÷ price if it is `inverse`: its amounts are in the
 * currency of its prices, its value in the other. That and the fees are paid in
 * `feeAsset`. A quotient has eight digits, a fee as many as `fees` says.
 *
 * If it has a `base`, it is spot: its amounts are of that asset, and a trade
 * exchanges it for `feeAsset`. Otherwise a trade changes a position, whose margin
 * and profit are in `feeAsset`.
 *
 * @category models
 * @since 0.1.0
 */
export class Instrument extends Schema.Class<Instrument>("Instrument")(
  Schema.Struct({
    product: Schema.NonEmptyString,
    tick: Decimal.PositiveFromText,
    ticks: Schema.optionalKey(
      Schema.Array(Schema.Struct({ from: Decimal.PositiveFromText, tick: Decimal.PositiveFromText }))
    ),
    lot: Decimal.PositiveFromText,
    minimum: Schema.optionalKey(Decimal.PositiveFromText),
    maximum: Schema.optionalKey(Decimal.PositiveFromText),
    minimumValue: Schema.optionalKey(Decimal.PositiveFromText),
    valuation: Schema.optionalKey(Schema.Literals(["linear", "inverse"])),
    fees: Schema.optionalKey(Fees),
    feeAsset: Schema.NonEmptyString,
    base: Schema.optionalKey(Schema.NonEmptyString)
  }).check(Schema.makeFilter(({ base, feeAsset, lot, maximum, minimum = lot, tick, ticks = [], valuation }) => {
    if (base !== undefined && valuation === "inverse") return "what is spot is not inverse"
    if (base === feeAsset) return `${base} cannot be exchanged for itself`
    if (maximum !== undefined && BigDecimal.isLessThan(floor(maximum, lot), ceiling(minimum, lot))) {
      return "no lot lies between the minimum and the maximum"
    }
    let last = { from: Decimal.zero, tick }
    for (const next of ticks) {
      if (BigDecimal.isLessThanOrEqualTo(next.from, last.from)) return "the ticks are not in the order of their prices"
      if (!isMultiple(next.from, next.tick) || !isMultiple(next.from, last.tick)) {
        return `the price ${Decimal.format(next.from)} is no multiple of both ticks that meet there`
      }
      last = next
    }
    return true
  }))
) {}

/**
 * A price, an amount or a value that an instrument's rules forbid: the rule, its
 * figure, and the nearest legal ones, of which one may be absent.
 *
 * @category models
 * @since 0.1.0
 */
export interface Illegal {
  readonly _tag: "Illegal"
  readonly member: "price" | "amount" | "value"
  readonly value: Decimal.Decimal
  readonly rule: "tick" | "lot" | "minimum" | "maximum"
  readonly figure: Decimal.Decimal
  readonly below: Decimal.Decimal | undefined
  readonly above: Decimal.Decimal | undefined
}

// The tick of the legal prices at and above a price, up to the next one's.
const tickAt = (self: Instrument, price: Decimal.Decimal): Decimal.Decimal =>
  self.ticks?.findLast(({ from }) => BigDecimal.isLessThanOrEqualTo(from, price))?.tick ?? self.tick

/**
 * What forbids a price; `undefined` if nothing does.
 *
 * @category getters
 * @since 0.1.0
 */
export const checkPrice = (self: Instrument, price: Decimal.Decimal): Illegal | undefined => {
  const tick = tickAt(self, price)
  if (!Decimal.isPositive(price)) {
    return { _tag: "Illegal", member: "price", value: price, rule: "tick", figure: tick, below: undefined, above: tick }
  }
  const below = floor(price, tick)
  if (BigDecimal.equals(below, price)) return undefined
  return {
    _tag: "Illegal",
    member: "price",
    value: price,
    rule: "tick",
    figure: tick,
    below: Decimal.isPositive(below) ? below : undefined,
    above: BigDecimal.sum(below, tick)
  }
}

/**
 * What forbids an amount; `undefined` if nothing does.
 *
 * @category getters
 * @since 0.1.0
 */
export const checkAmount = (self: Instrument, amount: Decimal.Decimal): Illegal | undefined => {
  const { lot, maximum, minimum = lot } = self
  const least = ceiling(minimum, lot)
  const illegal = { _tag: "Illegal", member: "amount", value: amount } as const
  if (BigDecimal.isLessThan(amount, minimum)) {
    return { ...illegal, rule: "minimum", figure: minimum, below: undefined, above: least }
  }
  if (maximum !== undefined && BigDecimal.isGreaterThan(amount, maximum)) {
    return { ...illegal, rule: "maximum", figure: maximum, below: floor(maximum, lot), above: undefined }
  }
  const below = floor(amount, lot)
  if (BigDecimal.equals(below, amount)) return undefined
  const above = BigDecimal.sum(below, lot)
  return {
    ...illegal,
    rule: "lot",
    figure: lot,
    below: BigDecimal.isLessThan(below, least) ? undefined : below,
    above: maximum !== undefined && BigDecimal.isGreaterThan(above, maximum) ? undefined : above
  }
}

/**
 * The greatest legal amount that is no more than this; `undefined` if none is.
 *
 * @category getters
 * @since 0.1.0
 */
export const legalAmount = (self: Instrument, amount: Decimal.Decimal): Decimal.Decimal | undefined => {
  const illegal = checkAmount(self, amount)
  return illegal === undefined ? amount : illegal.below
}

/** The digits of a quotient, where none are said. */
const quotientDigits = 8

/**
 * The value of an amount at a price, in the instrument's `feeAsset`.
 *
 * @category getters
 * @since 0.1.0
 */
export const value = (self: Instrument, price: Decimal.Decimal, amount: Decimal.Decimal): Decimal.Decimal =>
  self.valuation === "inverse"
    ? Exact.divide(amount, price, quotientDigits)
    : BigDecimal.multiply(amount, price)

/**
 * What forbids an order for what it is worth at a price; `undefined` if nothing
 * does. `reduceOnly` is one that only reduces a position.
 *
 * @category getters
 * @since 0.1.0
 */
export const checkValue = (
  self: Instrument,
  { amount, price, reduceOnly = false }: {
    readonly amount: Decimal.Decimal
    readonly price: Decimal.Decimal
    readonly reduceOnly?: boolean | undefined
  }
): Illegal | undefined => {
  const { base, minimumValue: figure } = self
  // What is spot has no position that an order could reduce.
  if (figure === undefined || (reduceOnly && base === undefined)) return undefined
  const worth = value(self, price, amount)
  return BigDecimal.isGreaterThanOrEqualTo(worth, figure)
    ? undefined
    : { _tag: "Illegal", member: "value", value: worth, rule: "minimum", figure, below: undefined, above: figure }
}

/**
 * What is illegal, in words: the value, the rule, and the nearest legal values.
 *
 * @category getters
 * @since 0.1.0
 */
export const describe = ({ above, below, figure, member, rule, value }: Illegal): string => {
  const broken = rule === "minimum"
    ? "is below the minimum"
    : rule === "maximum"
    ? "is above the maximum"
    : `is no positive multiple of the ${rule}`
  const nearest = [below, above].filter((legal) => legal !== undefined).map(Decimal.format).join(" and ")
  return `${member} ${Decimal.format(value)} ${broken} ${Decimal.format(figure)}; the nearest legal: ${nearest}`
}

/**
 * What forbids an order or an amendment by the instrument's rules, in words;
 * `undefined` if nothing does. What is spot has no position that an order could
 * reduce. What an order is worth is left to the exchange, whose price it is.
 *
 * @category getters
 * @since 0.1.0
 */
export const objection = (
  self: Instrument,
  { amount, price, reduceOnly = false }: {
    readonly amount?: Decimal.Decimal | undefined
    readonly price?: Decimal.Decimal | undefined
    readonly reduceOnly?: boolean | undefined
  }
): string | undefined => {
  const illegal = [
    price === undefined ? undefined : checkPrice(self, price),
    amount === undefined ? undefined : checkAmount(self, amount)
  ].filter((found) => found !== undefined).map(describe)
  if (reduceOnly && self.base !== undefined) illegal.push(`reduce-only: ${self.product} has no positions`)
  return illegal.length === 0 ? undefined : illegal.join("; ")
}

/**
 * The fee of a trade, in the instrument's `feeAsset`.
 *
 * @category getters
 * @since 0.1.0
 */
export const fee = (
  self: Instrument,
  liquidity: Liquidity,
  price: Decimal.Decimal,
  amount: Decimal.Decimal
): Decimal.Decimal => {
  const { fees } = self
  if (fees === undefined) return Decimal.zero
  const share = BigDecimal.multiply(amount, fees[liquidity])
  if (self.valuation === "inverse") return Exact.divide(share, price, fees.digits ?? quotientDigits)
  const exact = BigDecimal.multiply(share, price)
  return fees.digits === undefined ? exact : Exact.round(exact, fees.digits)
}
