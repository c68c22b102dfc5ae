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
import type { RestRequest, Trades, TradesAsked } from "../../Venue.ts"

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

/** By the channel: the path, what it weighs, and what is listed. */
const kinds: ReadonlyMap<
  string,
  { readonly path: string; readonly weight: number; readonly message: Message.Message<Trade> }
> = new Map([
  ["trade", { path: "/api/v3/historicalTrades", weight: 25, message: single }],
  ["aggTrade", { path: "/api/v3/aggTrades", weight: 4, message: aggregate }]
])

const requestOf = ({ channel, product }: TradesAsked, where: string): RestRequest | undefined => {
  const kind = kinds.get(channel)
  return kind && {
    path: `${kind.path}?symbol=${encodeURIComponent(product)}&limit=${most}${where}`,
    weight: kind.weight
  }
}

/**
 * How its trades are asked for.
 *
 * @category venues
 * @since 0.1.0
 */
export const trades: Trades = {
  source: "https://developers.binance.com/docs/binance-spot-api-docs/rest-api/market-data-endpoints, read 2026-11-26",
  reach: "to the first trade",
  request: (asked) => {
    const last = Digits.toSafe(asked.after?.tradeId)
    if (last !== undefined) return requestOf(asked, `&fromId=${last + 1}`)
    // Only aggregates can be asked for by time; of the others the newest come first.
    return requestOf(asked, asked.channel === "aggTrade" ? `&startTime=${Math.floor(asked.sinceMillis)}` : "")
  },
  read: (body, asked, { path }) => {
    const kind = kinds.get(asked.channel)
    const json = TradeList.parse(venue, body)
    if (kind === undefined) return { trades: [] }
    const read = Rejection.isFrameRejected(json) ? json : TradeList.read(venue, json, [], kind.message)
    if (Rejection.isFrameRejected(read)) return read
    const trades = TradeList.fetched(read, asked.product)
    const span = TradeList.span(trades, "tradeId")
    const isForward = asked.channel === "aggTrade" || asked.after !== undefined
    if (span === undefined || trades.length < most) return { trades, isWhole: isForward || !path.includes("fromId") }
    return {
      trades,
      next: isForward
        ? requestOf(asked, `&fromId=${span.highest + 1}`)
        : requestOf(asked, `&fromId=${Math.max(0, span.lowest - most)}`)
    }
  }
}
