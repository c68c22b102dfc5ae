/**
 * What can be traded at Hyperliquid, with the number under which an order names
 * it, and its rules.
 *
 * @see https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/asset-ids (read 2026-11-26)
 * @see https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/tick-and-lot-size (read 2026-11-26)
 * @since 0.1.0
 */
import * as BigDecimal from "effect/BigDecimal"
import type * as Decimal from "../../../value/Decimal.ts"
import * as Exact from "../../../value/internal/exactArithmetic.ts"
import * as Instrument from "../../Instrument.ts"
import type { OrderRequest } from "../../OrderRequest.ts"
import type { Meta, SpotMeta } from "./wire.ts"

/**
 * Something that can be traded: its number and its rules.
 *
 * @category models
 * @since 0.1.0
 */
export interface Asset {
  readonly id: number
  readonly instrument: Instrument.Instrument
}

const powerOfTen = (exponent: number): Decimal.Decimal =>
  exponent < 0 ? BigDecimal.make(1n, -exponent) : BigDecimal.make(10n ** BigInt(exponent), 0)

/** A price has so many significant figures, unless it is a whole number. */
const figures = 5

/**
 * What an order is worth at least, in dollars, or in what a spot pair is paid in. One that only reduces a position may
 * be worth less, as those who close small ones say.
 *
 * @see https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/error-responses (read 2026-11-27)
 * @see https://github.com/hummingbot/hummingbot/pull/8419 (read 2026-11-27)
 */
const minimumValue = powerOfTen(1)

/**
 * The rules of what has amounts of so many decimals, and prices of at most
 * `priceDecimals`: the tick that five figures leave grows with the price, up to 1.
 */
const instrumentOf = (
  product: string,
  { base, feeAsset, priceDecimals, szDecimals }: {
    readonly base?: string | undefined
    readonly feeAsset: string
    readonly szDecimals: number
    readonly priceDecimals: number
  }
): Instrument.Instrument => {
  const least = Math.min(0, -priceDecimals)
  const ticks = Array.from({ length: -least }, (_, index) => {
    const exponent = least + 1 + index
    return { from: powerOfTen(exponent + figures - 1), tick: powerOfTen(exponent) }
  })
  return new Instrument.Instrument({
    product,
    tick: powerOfTen(least),
    ticks,
    lot: powerOfTen(-szDecimals),
    minimumValue,
    feeAsset,
    ...(base === undefined ? {} : { base })
  })
}

/** The least digits of a price, before those of an amount are taken off. */
const mostDecimals = { perpetual: 6, spot: 8 }

/** Where the numbers of spot pairs begin. */
const firstSpot = 10_000

/**
 * The perpetuals. One that is delisted is not traded any more.
 *
 * @category constructors
 * @since 0.1.0
 */
export const perpetuals = ({ universe }: typeof Meta.Type): ReadonlyMap<string, Asset> =>
  new Map(
    universe.map(({ isDelisted, name, szDecimals }, id) =>
      [
        name,
        isDelisted === true ? undefined : {
          id,
          instrument: instrumentOf(name, {
            feeAsset: "USDC",
            szDecimals,
            priceDecimals: mostDecimals.perpetual - szDecimals
          })
        }
      ] as const
    ).filter((entry): entry is [string, Asset] => entry[1] !== undefined)
  )

/**
 * The spot pairs.
 *
 * @category constructors
 * @since 0.1.0
 */
export const spots = ({ tokens, universe }: typeof SpotMeta.Type): ReadonlyMap<string, Asset> => {
  const byIndex = new Map(tokens.map((token) => [token.index, token]))
  const found = new Map<string, Asset>()
  for (const { index, name, tokens: [first = -1, second = -1] } of universe) {
    const [base, quote] = [byIndex.get(first), byIndex.get(second)]
    if (base === undefined || quote === undefined) continue
    const { szDecimals } = base
    found.set(name, {
      id: firstSpot + index,
      instrument: instrumentOf(name, {
        base: base.name,
        feeAsset: quote.name,
        szDecimals,
        priceDecimals: mostDecimals.spot - szDecimals
      })
    })
  }
  return found
}

/**
 * Whether a product's name is one of the spot market: `PURR/USDC`, `@107`.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isSpot = (product: string): boolean => product.includes("/") || product.startsWith("@")

/** The least legal price at which so much is worth what an order has to be. */
const leastPrice = (instrument: Instrument.Instrument, amount: Decimal.Decimal): Decimal.Decimal => {
  // Rounded up: a legal price has far fewer digits.
  const bound = BigDecimal.sum(Exact.divide(minimumValue, amount, 18), BigDecimal.make(1n, 18))
  return Instrument.checkPrice(instrument, bound)?.above ?? bound
}

/**
 * The price of a market order, which is one that takes at once up to so far from
 * the best price of the other side: the legal price at that bound or before it.
 * What is sold is worth enough at its bound if it is at the best price.
 *
 * @category getters
 * @since 0.1.0
 */
export const marketPrice = (
  { instrument }: Asset,
  { amount, reduceOnly, side }: Pick<OrderRequest, "amount" | "reduceOnly" | "side">,
  { best, slippage }: { readonly best: Decimal.Decimal; readonly slippage: Decimal.Decimal }
): Decimal.Decimal => {
  const one = BigDecimal.make(1n, 0)
  const factor = side === "buy" ? BigDecimal.sum(one, slippage) : BigDecimal.subtract(one, slippage)
  const bound = BigDecimal.multiply(best, factor)
  const illegal = Instrument.checkPrice(instrument, bound)
  const price = (side === "buy" ? illegal?.below : illegal?.above) ?? bound
  if (side === "buy" || Instrument.checkValue(instrument, { amount, price, reduceOnly }) === undefined) return price
  const least = leastPrice(instrument, amount)
  return BigDecimal.isGreaterThan(least, best) ? price : least
}
