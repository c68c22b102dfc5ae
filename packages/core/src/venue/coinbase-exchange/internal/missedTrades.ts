/**
 * How Coinbase Exchange is asked for trades that were missed: the newest, then those
 * before the oldest of these, back to the last one that is known.
 *
 * @see https://docs.cdp.coinbase.com/api-reference/exchange-api/rest-api/products/get-product-trades (read 2026-11-26)
 * @since 0.1.0
 */
import * as Message from "../../../codec/Message.ts"
import * as Rejection from "../../../codec/Rejection.ts"
import { trade } from "../../../event/MarketData.ts"
import * as TradeList from "../../internal/tradeList.ts"
import type { RestRequest, Trades } from "../../Venue.ts"

const venue = "coinbase-exchange"

const most = 1_000

/** `side` is the maker's. */
const listed = Message.make(
  {
    trade_id: Message.id,
    price: Message.decimal,
    size: Message.decimal,
    side: Message.word({ buy: "sell", sell: "buy", "": undefined }),
    time: Message.iso
  },
  ({ price, side, size, time, trade_id }) => [
    trade({ venue, product: "", price, size, side, tradeId: trade_id, timestamp: time })
  ]
)

const requestOf = (product: string, where: string): RestRequest => ({
  path: `/products/${encodeURIComponent(product)}/trades?limit=${most}${where}`,
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
    "https://docs.cdp.coinbase.com/api-reference/exchange-api/rest-api/products/get-product-trades, read 2026-11-26",
  reach: "to the first trade, from the newest back",
  rising: "tradeId",
  offers: (channel) => channel === "matches",
  request: ({ product }) => requestOf(product, ""),
  read: (body, asked) => {
    const json = TradeList.parse(venue, body)
    const read = Rejection.isFrameRejected(json) ? json : TradeList.read(venue, json, [], listed)
    if (Rejection.isFrameRejected(read)) return read
    const trades = TradeList.fetched(read.toReversed(), asked.product)
    const lowest = TradeList.span(trades, "tradeId")?.lowest
    const isLast = trades.length < most || lowest === undefined || TradeList.isReached(trades, asked)
    return {
      trades,
      isWhole: trades.length < most && asked.after === undefined,
      next: isLast ? undefined : requestOf(asked.product, `&after=${lowest}`)
    }
  }
}
