/**
 * How dYdX is asked for trades that were missed: the newest, then those up to the
 * block of the oldest of these.
 *
 * @see https://docs.dydx.xyz/indexer-client/http (read 2026-11-26)
 * @since 0.1.0
 */
import * as ExactJson from "../../../codec/ExactJson.ts"
import * as Message from "../../../codec/Message.ts"
import * as Rejection from "../../../codec/Rejection.ts"
import { trade } from "../../../event/MarketData.ts"
import * as TradeList from "../../internal/tradeList.ts"
import type { RestRequest, Trades } from "../../Venue.ts"

const venue = "dydx"

/** As many as there can be: indexer/services/comlink/src/config.ts of dydxprotocol/v4-chain. */
const most = 1_000

const listed = Message.make(
  {
    id: Message.id,
    side: Message.word({ BUY: "buy", SELL: "sell" }),
    size: Message.decimal,
    price: Message.decimal,
    createdAt: Message.iso
  },
  ({ createdAt, id, price, side, size }) => [
    trade({ venue, product: "", price, size, side, tradeId: id, timestamp: createdAt })
  ]
)

const requestOf = (product: string, where: string): RestRequest => ({
  path: `/v4/trades/perpetualMarket/${encodeURIComponent(product)}?limit=${most}${where}`,
  weight: 1
})

/**
 * How its trades are asked for.
 *
 * @category venues
 * @since 0.1.0
 */
export const trades: Trades = {
  source: "https://docs.dydx.xyz/indexer-client/http, read 2026-11-26",
  reach: "to the first trade, 1,000 of one block at most",
  offers: (channel) => channel === "v4_trades",
  request: ({ product }) => requestOf(product, ""),
  read: (body, asked, { path }) => {
    const json = TradeList.parse(venue, body)
    if (Rejection.isFrameRejected(json)) return json
    const list = ExactJson.isObject(json) ? json["trades"] : undefined
    const read = TradeList.read(venue, list, ["trades"], listed)
    if (Rejection.isFrameRejected(read)) return read
    const trades = TradeList.fetched(read.toReversed(), asked.product)
    const oldest = Array.isArray(list) ? list.at(-1) : undefined
    const height = oldest !== undefined && ExactJson.isObject(oldest) ? String(oldest["createdAtHeight"]) : ""
    const where = `&createdBeforeOrAtHeight=${height}`
    const isLast = trades.length < most || !/^\d+$/.test(height) || TradeList.isReached(trades, asked) ||
      path.endsWith(where)
    return {
      trades,
      isWhole: trades.length < most && asked.after === undefined,
      next: isLast ? undefined : requestOf(asked.product, where)
    }
  }
}
