/**
 * How Deribit is asked for trades that were missed: by the number of the first of
 * them, or by time.
 *
 * @see https://docs.deribit.com/api-reference/market-data/public-get_last_trades_by_instrument (read 2026-11-26)
 * @since 0.1.0
 */
import * as ExactJson from "../../../codec/ExactJson.ts"
import * as FramePeek from "../../../codec/internal/framePeek.ts"
import * as Message from "../../../codec/Message.ts"
import * as Rejection from "../../../codec/Rejection.ts"
import { trade } from "../../../event/MarketData.ts"
import * as Digits from "../../../value/internal/digits.ts"
import * as TradeList from "../../internal/tradeList.ts"
import type { RestRequest, Trades } from "../../Venue.ts"

const most = 1_000

// Of 50,000 credits a request takes 500, of which 10,000 come back each second, as over the socket.
const requestOf = (product: string, where: string): RestRequest => ({
  path: `/api/v2/public/get_last_trades_by_instrument?instrument_name=${encodeURIComponent(product)}` +
    `&count=${most}&sorting=asc&${where}`,
  weight: 1
})

const listedOf = (venue: string) =>
  Message.make(
    {
      trade_seq: Message.id,
      trade_id: Message.optional(Message.id),
      timestamp: Message.millis,
      price: Message.number,
      amount: Message.number,
      direction: Message.word({ buy: "buy", sell: "sell" })
    },
    ({ amount, direction, price, timestamp, trade_id, trade_seq }) => [
      trade({
        venue,
        product: "",
        price,
        size: amount,
        side: direction,
        tradeId: trade_id,
        timestamp,
        sequence: trade_seq
      })
    ]
  )

/**
 * How its trades are asked for. `venue` is its name in events.
 *
 * @category constructors
 * @since 0.1.0
 */
export const trades = (venue: string): Trades => {
  const listed = listedOf(venue)
  return {
    source: "https://docs.deribit.com/api-reference/market-data/public-get_last_trades_by_instrument, read 2026-11-26",
    reach: "by number",
    offers: (channel) => channel.startsWith("trades."),
    request: ({ after, product, sinceMillis }) => {
      const last = Digits.toSafe(after?.sequence)
      return requestOf(
        product,
        last === undefined ? `start_timestamp=${Math.floor(sinceMillis)}` : `start_seq=${last + 1}`
      )
    },
    read: (body, { before, product }) => {
      const json = TradeList.parse(venue, body)
      if (Rejection.isFrameRejected(json)) return json
      const result = ExactJson.isObject(json) ? FramePeek.objectIn(json, "result") : undefined
      const read = TradeList.read(venue, result?.["trades"], ["result", "trades"], listed)
      if (Rejection.isFrameRejected(read)) return read
      const trades = TradeList.fetched(read, product)
      const highest = TradeList.span(trades, "sequence")?.highest
      const isLast = result?.["has_more"] !== true || highest === undefined ||
        highest + 1 >= (Digits.toSafe(before?.sequence) ?? Infinity)
      return { trades, isWhole: true, next: isLast ? undefined : requestOf(product, `start_seq=${highest + 1}`) }
    }
  }
}
