/**
 * How Hyperliquid writes its symbols: a perpetual is named by its coin alone. Of
 * the spot pairs only PURR/USDC is asked for by name, the others by a number,
 * `@107`, which tells none.
 *
 * @see https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/asset-ids
 * @since 0.1.0
 */
import type { Rule } from "../../protocol/Symbols.ts"

/**
 * The rule of Hyperliquid's symbols.
 *
 * @category constants
 * @since 0.1.0
 */
export const symbols: Rule = {
  write: ({ base, isPerpetual, quote }) => {
    if (isPerpetual) return quote === "USD" ? base : undefined
    return base === "PURR" && quote === "USDC" ? "PURR/USDC" : undefined
  },
  read: (symbol) => {
    if (symbol === "PURR/USDC") return { base: "PURR", quote: "USDC", isPerpetual: false }
    return /^[A-Za-z0-9]+$/.test(symbol) ? { base: symbol, quote: "USD", isPerpetual: true } : undefined
  }
}
