/**
 * How Coinbase Advanced Trade is asked for trades that were missed: the newest, then
 * those up to the second of the oldest of these.
 *
 * @see https://docs.cdp.coinbase.com/api-reference/advanced-trade-api/rest-api/public/get-public-market-trades (read 2026-11-26)
 * @since 0.1.0
 */
import * as ExactJson from "../../../codec/ExactJson.ts"
import * as Message from "../../../codec/Message.ts"
import * as Rejection from "../../../codec/Rejection.ts"
import { trade } from "../../../event/MarketData.ts"
import * as TradeList from "../../internal/tradeList.ts"
import type { RestRequest, Trades } from "../../Venue.ts"

const venue = "coinbase"

const most = 1_000

/** Whose the `side` is that it names here, the venue does not say. */
const listed = Message.make(
  { trade_id: Message.id, price: Message.decimal, size: Message.decimal, time: Message.time },
  ({ price, size, time, trade_id }) => [
    trade({ venue, product: "", price, size, tradeId: trade_id, timestamp: time })
  ]
)

const requestOf = (product: string, where: string): RestRequest => ({
  path: `/api/v3/brokerage/market/products/${encodeURIComponent(product)}/ticker?limit=${most}${where}`,
  weight: 1
})

/**
 * How its trades are asked for.
 *
 * @category venues
 * @since 0.1.0
 */
export const trades: Trades = {
  source:
    "https://docs.cdp.coinbase.com/api-reference/advanced-trade-api/rest-api/public/get-public-market-trades, read 2026-11-26",
  reach: "by time, 1,000 trades of one second at most",
  rising: "tradeId",
  offers: (channel) => channel === "market_trades",
  request: ({ product }) => requestOf(product, ""),
  read: (body, asked, { path }) => {
    const json = TradeList.parse(venue, body)
    const list = Rejection.isFrameRejected(json) || !ExactJson.isObject(json) ? undefined : json["trades"]
    const read = Rejection.isFrameRejected(json) ? json : TradeList.read(venue, list, ["trades"], listed)
    if (Rejection.isFrameRejected(read)) return read
    const trades = TradeList.fetched(read.toReversed(), asked.product)
    const first = TradeList.earliest(trades)
    const where = first === undefined
      ? ""
      : `&start=${Math.floor(TradeList.sinceMillis(asked) / 1_000)}&end=${first.epochSeconds + 1}`
    const isLast = trades.length < most || TradeList.isReached(trades, asked) || path.endsWith(where)
    return {
      trades,
      isWhole: trades.length < most && asked.after === undefined,
      next: isLast ? undefined : requestOf(asked.product, where)
    }
  }
}
