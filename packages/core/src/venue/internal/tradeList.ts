/**
 * Trades that a venue lists in an answer of its REST interface.
 *
 * @since 0.1.0
 */
import * as ExactJson from "../../codec/ExactJson.ts"
import * as RejectionWords from "../../codec/internal/rejectionWords.ts"
import type { Message } from "../../codec/Message.ts"
import * as Rejection from "../../codec/Rejection.ts"
import { type Trade, trade } from "../../event/MarketData.ts"
import * as Digits from "../../value/internal/digits.ts"
import { epochMillis, type Timestamp, TimestampOrder } from "../../value/Timestamp.ts"
import type { TradesAsked } from "../Venue.ts"

type Path = ReadonlyArray<PropertyKey>

/**
 * Reads the body of an answer, or why it is refused.
 *
 * @category constructors
 * @since 0.1.0
 */
export const parse = (venue: string, body: string): ExactJson.Json | Rejection.FrameRejected => {
  const json = ExactJson.parse(body)
  return json instanceof ExactJson.Malformed
    ? Rejection.frameRejected(venue, ...RejectionWords.malformed(body, json))
    : json
}

/**
 * Reads the trades of a list, each of them with `each`: all, or the first bad path.
 *
 * @category constructors
 * @since 0.1.0
 */
export const readEach = (
  venue: string,
  list: ExactJson.Json | undefined,
  at: Path,
  each: (item: ExactJson.Json, at: Path) => ReadonlyArray<Trade> | Rejection.FrameRejected
): ReadonlyArray<Trade> | Rejection.FrameRejected => {
  if (!Array.isArray(list)) return Rejection.unexpected(venue, at, "an array", list)
  const trades: Array<Trade> = []
  for (const [index, item] of list.entries()) {
    const read = each(item, [...at, index])
    if (Rejection.isFrameRejected(read)) return read
    trades.push(...read)
  }
  return trades
}

/**
 * Trades as those that were fetched of a product: marked as history.
 *
 * @category combinators
 * @since 0.1.0
 */
export const fetched = (trades: ReadonlyArray<Trade>, product: string): ReadonlyArray<Trade> =>
  trades.map((one) => trade({ ...one, product, history: true }))

/**
 * The time of the earliest of trades.
 *
 * @category getters
 * @since 0.1.0
 */
export const earliest = (trades: ReadonlyArray<Trade>): Timestamp | undefined =>
  trades.reduce<Timestamp | undefined>(
    (first, { timestamp }) =>
      timestamp !== undefined && (first === undefined || TimestampOrder(timestamp, first) < 0) ? timestamp : first,
    undefined
  )

/**
 * From when on trades are asked for, in epoch milliseconds.
 *
 * @category getters
 * @since 0.1.0
 */
export const sinceMillis = ({ after, sinceMillis }: TradesAsked): number =>
  after?.timestamp === undefined ? sinceMillis : epochMillis(after.timestamp)

/**
 * Reads the trades of a list of objects of one kind.
 *
 * @category constructors
 * @since 0.1.0
 */
export const read = (
  venue: string,
  list: ExactJson.Json | undefined,
  at: Path,
  message: Message<Trade>
): ReadonlyArray<Trade> | Rejection.FrameRejected =>
  readEach(venue, list, at, (item, place) =>
    ExactJson.isObject(item)
      ? message.read(venue, item, place)
      : Rejection.unexpected(venue, place, "an object", item))

/**
 * The lowest and the highest number of trades, by one of their members.
 *
 * @category getters
 * @since 0.1.0
 */
export const span = (
  trades: ReadonlyArray<Trade>,
  member: "tradeId" | "sequence"
): { readonly lowest: number; readonly highest: number } | undefined => {
  const numbers = trades.flatMap((trade) => Digits.toSafe(trade[member]) ?? [])
  return numbers.length === 0 ? undefined : { lowest: Math.min(...numbers), highest: Math.max(...numbers) }
}

/**
 * Whether trades go back to before what is asked for: to the one that it comes
 * after, or to the instant.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isReached = (trades: ReadonlyArray<Trade>, { after, sinceMillis }: TradesAsked): boolean =>
  trades.some(({ timestamp, tradeId }) => {
    if (after !== undefined && tradeId !== undefined && tradeId === after.tradeId) return true
    if (timestamp === undefined) return false
    return after?.timestamp === undefined
      ? epochMillis(timestamp) < sinceMillis
      : TimestampOrder(timestamp, after.timestamp) < 0
  })
