/**
 * What a trade makes of an account, whoever keeps it: what is paid and received,
 * and the position after it. Fees are not among it.
 *
 * @since 0.1.0
 */
import * as BigDecimal from "effect/BigDecimal"
import type { Side } from "../../event/MarketData.ts"
import * as Decimal from "../../value/Decimal.ts"
import * as Instrument from "../Instrument.ts"
import * as Exposure from "./exposure.ts"

/**
 * What a trade came to. What is paid is below zero.
 *
 * @category models
 * @since 0.1.0
 */
export interface Settlement {
  readonly position: Exposure.Position
  readonly realized: Decimal.Decimal
  readonly payments: ReadonlyArray<readonly [asset: string, amount: Decimal.Decimal]>
}

const signed = (isIn: boolean, of: Decimal.Decimal): Decimal.Decimal => isIn ? of : BigDecimal.negate(of)

/**
 * What a trade comes to at an account that had a position.
 *
 * @category combinators
 * @since 0.1.0
 */
export const settle = (
  instrument: Instrument.Instrument,
  before: Exposure.Position,
  { amount, price, side }: { readonly side: Side; readonly price: Decimal.Decimal; readonly amount: Decimal.Decimal }
): Settlement => {
  const { base, feeAsset, valuation } = instrument
  const value = Instrument.value(instrument, price, amount)
  if (base !== undefined) {
    const payments = [[base, signed(side === "buy", amount)], [feeAsset, signed(side === "sell", value)]] as const
    return { position: before, realized: Decimal.zero, payments }
  }
  // The amount of an inverse contract is in money: whoever buys it gives the other asset.
  const cost = signed((side === "buy") === (valuation !== "inverse"), value)
  const position = Exposure.trade(before, signed(side === "buy", amount), cost)
  const realized = BigDecimal.subtract(position.realized, before.realized)
  return { position, realized, payments: [[feeAsset, realized]] }
}
