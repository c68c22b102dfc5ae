/**
 * The venues that Tickline knows, by name.
 *
 * @since 0.1.0
 */
import * as Binance from "./binance/Venue.ts"
import * as CoinbaseDerivatives from "./coinbase-derivatives/Venue.ts"
import * as CoinbaseExchange from "./coinbase-exchange/Venue.ts"
import * as Coinbase from "./coinbase/Venue.ts"
import * as Deribit from "./deribit/Venue.ts"
import * as Dydx from "./dydx/Venue.ts"
import * as Generic from "./generic/Venue.ts"
import * as Hyperliquid from "./hyperliquid/Venue.ts"
import * as Kraken from "./kraken/Venue.ts"
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
  CoinbaseDerivatives.venue,
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
