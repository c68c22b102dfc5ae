/**
 * Coinbase's international derivatives, the public market data: Deribit's
 * platform and protocol at an address of Coinbase's.
 *
 * All that is said of Deribit holds: prices and amounts are JSON numbers, the
 * `direction` of a trade is the taker's, each change of a book names the one
 * before. Perpetuals are linear and name their currency: `BTC_USDC-PERPETUAL`.
 *
 * Its private side is left out: who signs in there exchanges a token of
 * Coinbase's own, and how is not among what the platform documents of signing in.
 *
 * Documentation: https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/guides/derivatives/technical
 * (read 2026-11-26), and that of Deribit.
 *
 * @since 0.1.0
 */
import { keepAlive } from "../deribit/internal/keepAlive.ts"
import { trades } from "../deribit/internal/missedTrades.ts"
import * as Messages from "../deribit/Messages.ts"
import * as Deribit from "../deribit/Venue.ts"
import type { Venue } from "../Venue.ts"

const name = "coinbase-derivatives"

/**
 * Clients see a connection end with 1011 on which they sent nothing for about 30
 * seconds; the venue does not say so. Asked every 15 seconds, they send in time.
 */
const heartbeatSeconds = 15

/**
 * Coinbase's international derivatives.
 *
 * @category venues
 * @since 0.1.0
 */
export const venue: Venue = {
  ...Deribit.venue,
  name,
  title: "Coinbase (Deribit)",
  endpoint: "wss://drb.coinbase.com/ws/api/v2",
  documentation: "https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/guides/derivatives/technical",
  keepAlive: keepAlive(heartbeatSeconds),
  rest: {
    endpoint: "https://drb.coinbase.com",
    weights: Deribit.venue.rest?.weights ?? [],
    trades: trades(name)
  },
  ...Messages.make(name)
}
