/**
 * The mock of Coinbase's international derivatives: that of Deribit, whose
 * platform it is, by another name.
 *
 * @since 0.1.0
 */
import * as CoinbaseDerivatives from "@tickline/core/venue/coinbase-derivatives/Venue"
import * as MockDeribit from "./MockDeribit.ts"
import type * as MockVenue from "./MockVenue.ts"

/**
 * The mock. Heartbeats are due every 15 seconds, as often as the default client
 * asks for them.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (): MockVenue.MockVenue => MockDeribit.make({ venue: CoinbaseDerivatives.venue })
