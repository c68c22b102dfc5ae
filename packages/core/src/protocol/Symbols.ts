/**
 * One name for a product at every venue: `BTC-USD` is `BTC/USD` at Kraken,
 * `BTC-USDT` is `BTCUSDT` at Binance. Events keep the symbol as the venue sent
 * it; the table is for asking several venues for the same thing, and for
 * telling what came from where.
 *
 * A name is `BASE-QUOTE`, and `BASE-QUOTE-PERP` where the product is a
 * perpetual: Deribit's `BTC-PERPETUAL`, Hyperliquid's `BTC` and dYdX's `BTC-USD`
 * are all `BTC-USD-PERP`, and none of them is `BTC-USD`, which is the coins
 * themselves. Who wants it otherwise says so by entries of their own.
 *
 * A table is one to one: a name has at most one symbol at a venue, and the
 * symbol gives the name back.
 *
 * **Example** (a table with an entry of one's own)
 *
 * ```ts
 * const symbols = Symbols.make({ deribit: { "BTC-USD": "BTC-PERPETUAL" } })
 * symbols.symbolOf("kraken", "BTC-USD") // "BTC/USD", by the rules
 * symbols.symbolOf("deribit", "BTC-USD") // "BTC-PERPETUAL", by the entry
 * ```
 *
 * @since 0.1.0
 */

/**
 * A table of names and symbols. What it does not know is `undefined`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Symbols {
  /** The venue's own symbol for a name. */
  readonly symbolOf: (venue: string, name: string) => string | undefined
  /** The name of a venue's own symbol. */
  readonly nameOf: (venue: string, symbol: string) => string | undefined
}

/**
 * A name in its parts.
 *
 * @category models
 * @since 0.1.0
 */
export interface Parts {
  readonly base: string
  readonly quote: string
  readonly isPerpetual: boolean
}

/**
 * How a venue writes its symbols: a symbol from the parts of a name, and back;
 * `undefined` where it has no such product or the rule cannot tell.
 *
 * @category models
 * @since 0.1.0
 */
export interface Rule {
  readonly write: (parts: Parts) => string | undefined
  readonly read: (symbol: string) => Parts | undefined
}

/**
 * Symbols by name, by venue: what a user knows better than the rules.
 *
 * @category models
 * @since 0.1.0
 */
export type Entries = Readonly<Record<string, Readonly<Record<string, string>>>>

// A quote is letters only: `BTC-27DEC26` is a future, not bitcoin in a currency of that name.
const nameForm = /^([^\s/-]+)-([A-Z]{2,6})(-PERP)?$/

/**
 * The parts of a name, or `undefined` where the text is none.
 *
 * @category getters
 * @since 0.1.0
 */
export const parse = (name: string): Parts | undefined => {
  const [, base, quote, perpetual] = nameForm.exec(name) ?? []
  return base === undefined || quote === undefined || quote === "PERP"
    ? undefined
    : { base, quote, isPerpetual: perpetual !== undefined }
}

/**
 * The name that the parts make.
 *
 * @category getters
 * @since 0.1.0
 */
export const format = ({ base, isPerpetual, quote }: Parts): string => `${base}-${quote}${isPerpetual ? "-PERP" : ""}`

const spot = (base: string | undefined, quote: string | undefined): Parts | undefined =>
  base === undefined || quote === undefined ? undefined : { base, quote, isPerpetual: false }

const perpetual = (base: string | undefined, quote: string | undefined): Parts | undefined =>
  base === undefined || quote === undefined ? undefined : { base, quote, isPerpetual: true }

/** Spot pairs with a mark between base and quote. */
const paired = (mark: "-" | "/"): Rule => {
  const form = new RegExp(`^([^\\s/-]+)${mark}([A-Z]{2,6})$`)
  return {
    write: ({ base, isPerpetual, quote }) => isPerpetual ? undefined : `${base}${mark}${quote}`,
    read: (symbol) => {
      const [, base, quote] = form.exec(symbol) ?? []
      return spot(base, quote)
    }
  }
}

// A symbol of Binance has no mark between base and quote, so only a known quote at its end tells where that begins.
// Those that end like another come before it. A pair in another quote is an entry of the user's own.
const binanceQuotes: ReadonlyArray<string> = [
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

const binance: Rule = {
  write: ({ base, isPerpetual, quote }) =>
    isPerpetual || !binanceQuotes.includes(quote) ? undefined : `${base}${quote}`,
  read: (symbol) => {
    const quote = binanceQuotes.find((quote) => symbol.endsWith(quote) && symbol.length > quote.length)
    return /^[A-Z0-9]+$/.test(symbol) && quote !== undefined ? spot(symbol.slice(0, -quote.length), quote) : undefined
  }
}

// Inverse perpetuals are quoted in US dollars and name none: `BTC-PERPETUAL`. Linear ones and spot pairs name the
// currency: `SOL_USDC-PERPETUAL`, `BTC_USDC` (https://docs.deribit.com, Naming).
const inverseQuote = "USD"
const deribit: Rule = {
  write: ({ base, isPerpetual, quote }) => {
    if (quote === inverseQuote) return isPerpetual ? `${base}-PERPETUAL` : undefined
    return `${base}_${quote}${isPerpetual ? "-PERPETUAL" : ""}`
  },
  read: (symbol) => {
    const [, base, quote, end] = /^([A-Z0-9]+)(?:_([A-Z]{2,6}))?(-PERPETUAL)?$/.exec(symbol) ?? []
    if (end === undefined) return spot(base, quote)
    return perpetual(base, quote ?? inverseQuote)
  }
}

// Perpetuals are named by their coin alone. Of the spot pairs only PURR/USDC is asked for by name, the others by a
// number, `@107`, which tells none (https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/asset-ids).
const hyperliquid: Rule = {
  write: ({ base, isPerpetual, quote }) => {
    if (isPerpetual) return quote === "USD" ? base : undefined
    return base === "PURR" && quote === "USDC" ? "PURR/USDC" : undefined
  },
  read: (symbol) => {
    if (symbol === "PURR/USDC") return spot("PURR", "USDC")
    return /^[A-Za-z0-9]+$/.test(symbol) ? perpetual(symbol, "USD") : undefined
  }
}

const dydxPair = paired("-")
const dydx: Rule = {
  write: (parts) => parts.isPerpetual ? dydxPair.write({ ...parts, isPerpetual: false }) : undefined,
  read: (symbol) => {
    const parts = dydxPair.read(symbol)
    return perpetual(parts?.base, parts?.quote)
  }
}

/**
 * The rules of the venues, by venue. `generic` has none: its symbols are its
 * server's own.
 *
 * @category constants
 * @since 0.1.0
 */
export const rules: Readonly<Record<string, Rule>> = {
  coinbase: paired("-"),
  "coinbase-exchange": paired("-"),
  binance,
  kraken: paired("/"),
  deribit,
  hyperliquid,
  dydx
}

/**
 * A table of rules alone.
 *
 * @category constructors
 * @since 0.1.0
 */
export const fromRules = (rules: Readonly<Record<string, Rule>>): Symbols => {
  const ruleOf = (venue: string): Rule | undefined => Object.hasOwn(rules, venue) ? rules[venue] : undefined
  const nameOf = (venue: string, symbol: string): string | undefined => {
    const parts = ruleOf(venue)?.read(symbol)
    const name = parts === undefined ? undefined : format(parts)
    return name !== undefined && parse(name) !== undefined ? name : undefined
  }
  return {
    nameOf,
    symbolOf: (venue, name) => {
      const parts = parse(name)
      const symbol = parts === undefined ? undefined : ruleOf(venue)?.write(parts)
      // What does not come back as it went is no name of the symbol: `A-BUSD` and `AB-USD` could both be `ABUSD`.
      return symbol !== undefined && nameOf(venue, symbol) === name ? symbol : undefined
    }
  }
}

/**
 * The table of the venues' rules.
 *
 * @category constants
 * @since 0.1.0
 */
export const byRule: Symbols = fromRules(rules)

/**
 * A table with entries of one's own, which win over `base`: the rules, or
 * another table. Of two names for one symbol the latter counts.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (entries: Entries, base: Symbols = byRule): Symbols => {
  const venues = new Map(
    Object.entries(entries).map(([venue, symbols]) => {
      const bySymbol = new Map(Object.entries(symbols).map(([name, symbol]) => [symbol, name]))
      const byName = new Map(Array.from(bySymbol, ([symbol, name]) => [name, symbol]))
      return [venue, { byName, bySymbol }]
    })
  )
  return {
    symbolOf: (venue, name) => {
      const own = venues.get(venue)
      const entry = own?.byName.get(name)
      if (entry !== undefined) return entry
      const symbol = base.symbolOf(venue, name)
      return symbol !== undefined && own?.bySymbol.has(symbol) === true ? undefined : symbol
    },
    nameOf: (venue, symbol) => {
      const own = venues.get(venue)
      const entry = own?.bySymbol.get(symbol)
      if (entry !== undefined) return entry
      const name = base.nameOf(venue, symbol)
      return name !== undefined && own?.byName.has(name) === true ? undefined : name
    }
  }
}

/**
 * The symbol by which to ask a venue for a product, given by its name or by the
 * venue's own symbol: what the table does not know as a name is taken for the
 * symbol that it is.
 *
 * @category getters
 * @since 0.1.0
 */
export const resolve = (self: Symbols, venue: string, product: string): string =>
  self.symbolOf(venue, product) ?? product
