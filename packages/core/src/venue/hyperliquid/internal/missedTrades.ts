/**
 * How Hyperliquid is asked for trades that were missed: it gives the last few, and
 * goes back no further.
 *
 * @see https://github.com/nktkas/hyperliquid (`recentTrades` of its `info` endpoint, which the venue's own pages do not list; read 2026-11-26)
 * @since 0.1.0
 */
import * as Message from "../../../codec/Message.ts"
import * as Rejection from "../../../codec/Rejection.ts"
import { trade } from "../../../event/MarketData.ts"
import * as TradeList from "../../internal/tradeList.ts"
import type { Trades } from "../../Venue.ts"

const venue = "hyperliquid"

const listed = Message.make(
  {
    side: Message.word({ A: "sell", B: "buy" }),
    px: Message.decimal,
    sz: Message.decimal,
    time: Message.millis,
    tid: Message.id
  },
  ({ px, side, sz, tid, time }) => [
    trade({ venue, product: "", price: px, size: sz, side, tradeId: tid, timestamp: time })
  ]
)

/**
 * How its trades are asked for.
 *
 * @category venues
 * @since 0.1.0
 */
export const trades: Trades = {
  source: "https://github.com/nktkas/hyperliquid, read 2026-11-26",
  reach: "the last 10",
  offers: (channel) => channel === "trades",
  request: ({ product }) => ({
    path: "/info",
    weight: 20,
    body: JSON.stringify({ type: "recentTrades", coin: product })
  }),
  read: (body, { product }) => {
    const json = TradeList.parse(venue, body)
    const read = Rejection.isFrameRejected(json) ? json : TradeList.read(venue, json, [], listed)
    return Rejection.isFrameRejected(read) ? read : { trades: TradeList.fetched(read.toReversed(), product) }
  }
}
