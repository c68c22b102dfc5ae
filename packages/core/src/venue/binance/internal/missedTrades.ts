/**
 * How Binance is asked for trades that were missed: by the id of the first of
 * them, of which it goes back to the beginning.
 *
 * @see https://developers.binance.com/docs/binance-spot-api-docs/rest-api/market-data-endpoints (read 2026-11-26)
 * @since 0.1.0
 */
import * as Message from "../../../codec/Message.ts"
import * as Rejection from "../../../codec/Rejection.ts"
import { type Trade, trade } from "../../../event/MarketData.ts"
import * as Digits from "../../../value/internal/digits.ts"
import * as TradeList from "../../internal/tradeList.ts"
import type { RestRequest, Trades } from "../../Venue.ts"

const venue = "binance"

const most = 1_000

/** A trade of `historicalTrades`: the taker sells if the buyer was the maker. */
const single = Message.make(
  {
    id: Message.id,
    price: Message.decimal,
    qty: Message.decimal,
    time: Message.timeOrNumber,
    isBuyerMaker: Message.flag
  },
  ({ id, isBuyerMaker, price, qty, time }) => [
    trade({
      venue,
      product: "",
      price,
      size: qty,
      side: isBuyerMaker ? "sell" : "buy",
      tradeId: id,
      timestamp: time
    })
  ]
)

/** One of `aggTrades`, with the members of the stream. */
const aggregate = Message.make(
  { a: Message.id, p: Message.decimal, q: Message.decimal, T: Message.timeOrNumber, m: Message.flag },
  ({ a, m, p, q, T }) => [
    trade({ venue, product: "", price: p, size: q, side: m ? "sell" : "buy", tradeId: a, timestamp: T })
  ]
)

interface Kind {
  readonly path: string
  readonly weight: number
  readonly message: Message.Message<Trade>
}

const singles: Kind = { path: "/api/v3/historicalTrades", weight: 25, message: single }
const aggregates: Kind = { path: "/api/v3/aggTrades", weight: 4, message: aggregate }

const requestOf = ({ path, weight }: Kind, product: string, where: string): RestRequest => ({
  path: `${path}?symbol=${encodeURIComponent(product)}&limit=${most}${where}`,
  weight
})

/**
 * How its trades are asked for.
 *
 * @category venues
 * @since 0.1.0
 */
export const trades: Trades = {
  source: "https://developers.binance.com/docs/binance-spot-api-docs/rest-api/market-data-endpoints, read 2026-11-26",
  reach: "to the first trade",
  offers: (channel) => channel === "trade" || channel === "aggTrade",
  request: ({ after, channel, product, sinceMillis }) => {
    const last = Digits.toSafe(after?.tradeId)
    const kind = channel === "trade" ? singles : aggregates
    if (last !== undefined) return requestOf(kind, product, `&fromId=${last + 1}`)
    // Only aggregates can be asked for by time; of the others the newest come first.
    return requestOf(kind, product, kind === singles ? "" : `&startTime=${Math.floor(sinceMillis)}`)
  },
  read: (body, asked, { path }) => {
    const { after, before, channel, product } = asked
    const kind = channel === "trade" ? singles : aggregates
    const json = TradeList.parse(venue, body)
    const read = Rejection.isFrameRejected(json) ? json : TradeList.read(venue, json, [], kind.message)
    if (Rejection.isFrameRejected(read)) return read
    const trades = TradeList.fetched(read, product)
    const { highest = 0, lowest = 0 } = TradeList.span(trades, "tradeId") ?? {}
    if (kind === aggregates || after !== undefined) {
      const isLast = trades.length < most || highest + 1 >= (Digits.toSafe(before?.tradeId) ?? Infinity)
      return { trades, isWhole: true, next: isLast ? undefined : requestOf(kind, product, `&fromId=${highest + 1}`) }
    }
    // A page that is not full holds all that there are, or all that it still has.
    const isLast = trades.length < most || TradeList.isReached(trades, asked)
    return {
      trades,
      isWhole: !path.includes("fromId") && trades.length < most,
      next: isLast ? undefined : requestOf(kind, product, `&fromId=${Math.max(0, lowest - most)}`)
    }
  }
}
