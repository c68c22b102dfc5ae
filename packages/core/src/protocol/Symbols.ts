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
 * symbols.symbolOf(Kraken.venue, "BTC-USD") // "BTC/USD", by the venue's rule
 * symbols.symbolOf(Deribit.venue, "BTC-USD") // "BTC-PERPETUAL", by the entry
 * ```
 *
 * @since 0.1.0
 */

/**
 * What a table looks at of a venue: its name, and the rule of its symbols, absent
 * if they are its server's own.
 *
 * @category models
 * @since 0.1.0
 */
export interface Venue {
  readonly name: string
  readonly symbols?: Rule | undefined
}

/**
 * A table of names and symbols. What it does not know is `undefined`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Symbols {
  /** The venue's own symbol for a name. */
  readonly symbolOf: (venue: Venue, name: string) => string | undefined
  /** The name of a venue's own symbol. */
  readonly nameOf: (venue: Venue, symbol: string) => string | undefined
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
 * `undefined` where it has no such product or the rule cannot tell. `isInverse`
 * says whether amounts of it are in the currency of its prices; default: none are.
 *
 * @category models
 * @since 0.1.0
 */
export interface Rule {
  readonly write: (parts: Parts) => string | undefined
  readonly read: (symbol: string) => Parts | undefined
  readonly isInverse?: ((parts: Parts) => boolean) | undefined
}

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

/**
 * The rule of pairs with a mark between base and quote, such as `BTC/USD`. All
 * are of one kind, spot by default.
 *
 * @category constructors
 * @since 0.1.0
 */
export const paired = (mark: "-" | "/", kind: "spot" | "perpetual" = "spot"): Rule => {
  const form = new RegExp(`^([^\\s/-]+)${mark}([A-Z]{2,6})$`)
  const isPerpetual = kind === "perpetual"
  return {
    write: (parts) => parts.isPerpetual === isPerpetual ? `${parts.base}${mark}${parts.quote}` : undefined,
    read: (symbol) => {
      const [, base, quote] = form.exec(symbol) ?? []
      return base === undefined || quote === undefined ? undefined : { base, quote, isPerpetual }
    }
  }
}

const nameOf = ({ symbols }: Venue, symbol: string): string | undefined => {
  const parts = symbols?.read(symbol)
  const name = parts === undefined ? undefined : format(parts)
  return name !== undefined && parse(name) !== undefined ? name : undefined
}

const symbolOf = (venue: Venue, name: string): string | undefined => {
  const parts = parse(name)
  const symbol = parts === undefined ? undefined : venue.symbols?.write(parts)
  // What does not come back as it went is no name of the symbol: `A-BUSD` and `AB-USD` could both be `ABUSD`.
  return symbol !== undefined && nameOf(venue, symbol) === name ? symbol : undefined
}

/**
 * The table that goes by each venue's rule alone.
 *
 * @category constants
 * @since 0.1.0
 */
export const byRule: Symbols = { nameOf, symbolOf }

/**
 * A table with entries of one's own, by the venue's name, which win
 * over `base`: the venues' rules, or another table. Of two names for one symbol the latter counts.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (
  entries: Readonly<Record<string, Readonly<Record<string, string>>>>,
  base: Symbols = byRule
): Symbols => {
  const venues = new Map(
    Object.entries(entries).map(([venue, symbols]) => {
      const bySymbol = new Map(Object.entries(symbols).map(([name, symbol]) => [symbol, name]))
      const byName = new Map(Array.from(bySymbol, ([symbol, name]) => [name, symbol]))
      return [venue, { byName, bySymbol }]
    })
  )
  return {
    symbolOf: (venue, name) => {
      const own = venues.get(venue.name)
      const entry = own?.byName.get(name)
      if (entry !== undefined) return entry
      const symbol = base.symbolOf(venue, name)
      return symbol !== undefined && own?.bySymbol.has(symbol) === true ? undefined : symbol
    },
    nameOf: (venue, symbol) => {
      const own = venues.get(venue.name)
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
export const resolve = (self: Symbols, venue: Venue, product: string): string =>
  self.symbolOf(venue, product) ?? product
