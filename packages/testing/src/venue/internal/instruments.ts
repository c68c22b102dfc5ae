/** What the mocks' answers over HTTP are made of: the products in parts, and the units of their digits. */
import * as Symbols from "@tickline/core/protocol/Symbols"
import * as Decimal from "@tickline/core/value/Decimal"
import * as BigDecimal from "effect/BigDecimal"
import type { Floor } from "../Listing.ts"
import type { Market } from "../Market.ts"

/** A product in parts. `isPerpetual` where its symbol says so. */
export interface Instrument {
  readonly symbol: string
  readonly base: string
  readonly quote: string
  readonly isPerpetual: boolean
  readonly priceScale: number
  readonly sizeScale: number
  readonly market: Market
}

const instrument = (market: Market, { base, isPerpetual, quote }: Symbols.Parts): Instrument => {
  const { priceScale, sizeScale } = market.state
  return { symbol: market.product.symbol, base, quote, isPerpetual, priceScale, sizeScale, market }
}

/** What is listed: the products whose symbols are the venue's own by its rule, or all where none is. */
export const instruments = ({ markets }: Floor, symbols?: Symbols.Rule | undefined): ReadonlyArray<Instrument> => {
  const own = markets.flatMap((market) => {
    const parts = symbols?.read(market.product.symbol)
    return parts === undefined ? [] : [instrument(market, parts)]
  })
  return own.length > 0 ? own : markets.map((market) => {
    const { symbol } = market.product
    return instrument(market, Symbols.parse(symbol) ?? { base: symbol, quote: "USD", isPerpetual: false })
  })
}

/** Every currency of what is listed, once. */
export const currencies = (listed: ReadonlyArray<Instrument>): ReadonlyArray<string> => [
  ...new Set(listed.flatMap(({ base, quote }) => [base, quote]))
]

/** The last digit's unit: `0.01` of two decimals. */
export const unit = (scale: number): string => Decimal.format(BigDecimal.make(1n, scale))

/** The last digit's unit as a JSON number. */
export const unitNumber = (scale: number): number => Number(unit(scale))

/** The finest size of any product that is counted in the currency. */
export const scaleOf = (listed: ReadonlyArray<Instrument>, currency: string): number =>
  Math.max(
    2,
    ...listed.flatMap(({ base, quote, sizeScale, priceScale }) =>
      base === currency ? [sizeScale] : quote === currency ? [priceScale] : []
    )
  )
