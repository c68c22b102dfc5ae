/**
 * How Kraken is asked for trades that were missed: from a time on, to the nanosecond.
 *
 * @see https://docs.kraken.com/api-reference/market-data/get-recent-trades (read 2026-11-26)
 * @since 0.1.0
 */
import * as ExactJson from "../../../codec/ExactJson.ts"
import * as FramePeek from "../../../codec/internal/framePeek.ts"
import * as Message from "../../../codec/Message.ts"
import * as Rejection from "../../../codec/Rejection.ts"
import { trade } from "../../../event/MarketData.ts"
import { toEpochNanos } from "../../../value/Timestamp.ts"
import * as TradeList from "../../internal/tradeList.ts"
import type { RestRequest, Trades } from "../../Venue.ts"

const venue = "kraken"

const most = 1_000

/** Price, volume, time, side, type, other, id; each trade is a row. */
const listed = Message.make(
  {
    trade: Message.tuple({
      price: Message.decimal,
      volume: Message.decimal,
      time: Message.timeOrNumber,
      side: Message.word({ b: "buy", s: "sell" }),
      type: Message.string,
      other: Message.string,
      id: Message.id
    })
  },
  ({ trade: { id, price, side, time, volume } }) => [
    trade({ venue, product: "", price, size: volume, side, tradeId: id, timestamp: time })
  ]
)

/** What the REST interface calls otherwise than the socket: https://support.kraken.com/articles/360001185506 (read 2026-11-26). */
const altnames: ReadonlyMap<string, string> = new Map([["BTC", "XBT"], ["DOGE", "XDG"]])

const pairOf = (product: string): string => product.split("/").map((asset) => altnames.get(asset) ?? asset).join("")

const requestOf = (product: string, since: bigint | string): RestRequest => ({
  path: `/0/public/Trades?pair=${encodeURIComponent(pairOf(product))}&count=${most}&since=${since}`,
  weight: 1
})

/**
 * How its trades are asked for.
 *
 * @category venues
 * @since 0.1.0
 */
export const trades: Trades = {
  source: "https://docs.kraken.com/api-reference/market-data/get-recent-trades, read 2026-11-26",
  reach: "to the first trade",
  rising: "tradeId",
  offers: (channel) => channel === "trade",
  // The last one that is known comes first, which shows that none is left out; times here are finer than there.
  request: ({ after, product, sinceMillis }) => {
    const nanos = after?.timestamp === undefined
      ? BigInt(Math.floor(sinceMillis)) * 1_000_000n
      : toEpochNanos(after.timestamp)
    return requestOf(product, nanos > 1_000n ? nanos - 1_000n : 0n)
  },
  read: (body, { after, before, product }) => {
    const json = TradeList.parse(venue, body)
    if (Rejection.isFrameRejected(json)) return json
    const result = ExactJson.isObject(json) ? FramePeek.objectIn(json, "result") : undefined
    const [pair = "pair", list] = Object.entries(result ?? {}).find(([name]) => name !== "last") ?? []
    const read = TradeList.readEach(venue, list, ["result", pair], (row, at) => listed.read(venue, { trade: row }, at))
    if (Rejection.isFrameRejected(read)) return read
    const trades = TradeList.fetched(read, product)
    const last = FramePeek.textIn(result, "last")
    const isPassed = before !== undefined && trades.some(({ tradeId }) => tradeId === before.tradeId)
    return {
      trades,
      isWhole: after === undefined,
      next: trades.length < most || last === undefined || isPassed ? undefined : requestOf(product, last)
    }
  }
}
