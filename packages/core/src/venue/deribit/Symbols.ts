/**
 * How Deribit writes its symbols: inverse perpetuals are quoted in US dollars
 * and name none, `BTC-PERPETUAL`; linear ones and spot pairs name the currency,
 * `SOL_USDC-PERPETUAL`, `BTC_USDC`.
 *
 * @see https://docs.deribit.com (Naming)
 * @since 0.1.0
 */
import type { Rule } from "../../protocol/Symbols.ts"

const inverseQuote = "USD"

/**
 * The rule of Deribit's symbols. Futures and options have none.
 *
 * @category constants
 * @since 0.1.0
 */
export const symbols: Rule = {
  write: ({ base, isPerpetual, quote }) => {
    if (quote === inverseQuote) return isPerpetual ? `${base}-PERPETUAL` : undefined
    return `${base}_${quote}${isPerpetual ? "-PERPETUAL" : ""}`
  },
  read: (symbol) => {
    const [, base, named, end] = /^([A-Z0-9]+)(?:_([A-Z]{2,6}))?(-PERPETUAL)?$/.exec(symbol) ?? []
    const isPerpetual = end !== undefined
    const quote = isPerpetual ? named ?? inverseQuote : named
    return base === undefined || quote === undefined ? undefined : { base, quote, isPerpetual }
  },
  isInverse: ({ isPerpetual, quote }) => isPerpetual && quote === inverseQuote
}
