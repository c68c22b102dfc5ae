/**
 * The venues that Tickline knows, by name.
 *
 * @since 0.1.0
 */
import * as Binance from "./Binance.ts"
import * as Coinbase from "./Coinbase.ts"
import * as CoinbaseExchange from "./CoinbaseExchange.ts"
import * as Deribit from "./Deribit.ts"
import * as Dydx from "./Dydx.ts"
import * as Generic from "./Generic.ts"
import * as Hyperliquid from "./Hyperliquid.ts"
import * as Kraken from "./Kraken.ts"
import type { Venue } from "./Venue.ts"

/**
 * Every venue, in the order in which they are shown.
 *
 * @category constants
 * @since 0.1.0
 */
export const all: ReadonlyArray<Venue> = [
  Coinbase.venue,
  CoinbaseExchange.venue,
  Binance.venue,
  Kraken.venue,
  Deribit.venue,
  Hyperliquid.venue,
  Dydx.venue,
  Generic.venue
]

const byName: ReadonlyMap<string, Venue> = new Map(all.map((venue) => [venue.name, venue]))

/**
 * The venue of a name, or `undefined`.
 *
 * @category getters
 * @since 0.1.0
 */
export const get = (name: string): Venue | undefined => byName.get(name)
