/**
 * The mock venues there are, by name.
 *
 * @since 0.1.0
 */
import * as MockCoinbaseAdvanced from "../exchange/MockCoinbaseAdvanced.ts"
import * as MockDeribitExchange from "../exchange/MockDeribitExchange.ts"
import * as MockDydxExchange from "../exchange/MockDydxExchange.ts"
import * as MockHyperliquidExchange from "../exchange/MockHyperliquidExchange.ts"
import * as MockBinance from "./MockBinance.ts"
import * as MockCoinbase from "./MockCoinbase.ts"
import * as MockCoinbaseDerivatives from "./MockCoinbaseDerivatives.ts"
import * as MockCoinbaseExchange from "./MockCoinbaseExchange.ts"
import * as MockDeribit from "./MockDeribit.ts"
import * as MockDydx from "./MockDydx.ts"
import * as MockGeneric from "./MockGeneric.ts"
import * as MockHyperliquid from "./MockHyperliquid.ts"
import * as MockKraken from "./MockKraken.ts"
import type { MockVenue } from "./MockVenue.ts"

/**
 * The mock venues, each with its defaults.
 *
 * @category constants
 * @since 0.1.0
 */
export const all: ReadonlyArray<MockVenue> = [
  MockCoinbase.make(),
  MockCoinbaseExchange.make(),
  MockBinance.make(),
  MockKraken.make(),
  MockDeribit.make(),
  MockCoinbaseDerivatives.make(),
  MockHyperliquid.make(),
  MockDydx.make(),
  MockGeneric.make()
]

/**
 * The mock venue of that name, if there is one.
 *
 * @category getters
 * @since 0.1.0
 */
export const byName = (name: string): MockVenue | undefined => all.find((venue) => venue.name === name)

/**
 * A new mock of the venue of that name that takes orders, if there is one.
 *
 * @category constructors
 * @since 0.1.0
 */
export const trading = (name: string): MockVenue | undefined => {
  switch (name) {
    case "deribit":
      return MockDeribitExchange.make().venue
    case "coinbase":
      return MockCoinbaseAdvanced.make().venue
    case "hyperliquid":
      return MockHyperliquidExchange.make().venue
    case "dydx":
      return MockDydxExchange.make().venue
    default:
      return undefined
  }
}
