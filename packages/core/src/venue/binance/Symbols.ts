/**
 * How Binance writes its symbols: base and quote without a mark, `BTCUSDT`.
 *
 * @since 0.1.0
 */
import type { Rule } from "../../protocol/Symbols.ts"

// Only a known quote at the end of a symbol tells where the quote begins. Those that end like another come before it.
// A pair in another quote is an entry of the user's own.
const quotes: ReadonlyArray<string> = [
  "FDUSD",
  "USDT",
  "USDC",
  "TUSD",
  "BUSD",
  "DOGE",
  "BTC",
  "ETH",
  "BNB",
  "EUR",
  "TRY",
  "BRL",
  "JPY",
  "ARS",
  "MXN",
  "PLN",
  "RON",
  "CZK",
  "ZAR",
  "UAH",
  "COP",
  "IDR",
  "DAI",
  "XRP",
  "TRX",
  "SOL"
]

/**
 * The rule of Binance's symbols.
 *
 * @category constants
 * @since 0.1.0
 */
export const symbols: Rule = {
  write: ({ base, isPerpetual, quote }) => isPerpetual || !quotes.includes(quote) ? undefined : `${base}${quote}`,
  read: (symbol) => {
    const quote = quotes.find((quote) => symbol.endsWith(quote) && symbol.length > quote.length)
    return /^[A-Z0-9]+$/.test(symbol) && quote !== undefined
      ? { base: symbol.slice(0, -quote.length), quote, isPerpetual: false }
      : undefined
  }
}
