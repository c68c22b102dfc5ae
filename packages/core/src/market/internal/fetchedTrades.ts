/**
 * What of trades that were fetched lies in the gap that they are fetched for, and
 * in which order trades stand. Pure.
 *
 * @since 0.1.0
 */
import type { Trade } from "../../event/MarketData.ts"
import * as Digits from "../../value/internal/digits.ts"
import * as Timestamp from "../../value/Timestamp.ts"

/**
 * The member by which a venue numbers the trades of a channel one by one, if it
 * does.
 *
 * @category models
 * @since 0.1.0
 */
export type Numbered = "tradeId" | "sequence" | "none"

/**
 * Where a gap lies: after a trade or, if none is known, from an instant on (epoch
 * milliseconds), and before another one, as soon as one has come.
 *
 * @category models
 * @since 0.1.0
 */
export interface Bounds {
  readonly after: Trade | undefined
  readonly sinceMillis: number
  readonly before: Trade | undefined
}

/**
 * The number of a trade, if it has one.
 *
 * @category getters
 * @since 0.1.0
 */
export const numberOf = (trade: Trade | undefined, numbered: Numbered): number | undefined =>
  trade === undefined || numbered === "none" ? undefined : Digits.toSafe(trade[numbered])

const byTime = (a: Trade, b: Trade): number =>
  a.timestamp === undefined || b.timestamp === undefined ? 0 : Timestamp.TimestampOrder(a.timestamp, b.timestamp)

// Ids that are numbers rise with the time at each venue that has such, or say nothing.
const byId = (a: Trade, b: Trade): number => (Digits.toSafe(a.tradeId) ?? 0) - (Digits.toSafe(b.tradeId) ?? 0)

/**
 * Which of two trades is the earlier: by their numbers, or else by time, and by
 * ids at the same time.
 *
 * @category ordering
 * @since 0.1.0
 */
export const compare = (numbered: Numbered) => (a: Trade, b: Trade): number => {
  const [one, other] = [numberOf(a, numbered), numberOf(b, numbered)]
  if (one !== undefined && other !== undefined) return one - other
  return byTime(a, b) || byId(a, b)
}

/**
 * Whether a trade was made after another one, or there is no other.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isLater = (trade: Trade, other: Trade | undefined): boolean =>
  other === undefined || byTime(trade, other) > 0

// Before the gap, in it, or behind it: -1, 0 and 1. At the times of its ends both may be.
const place = (trade: Trade, { after, before, sinceMillis }: Bounds, numbered: Numbered): number => {
  const number = numberOf(trade, numbered)
  const [first, last] = [numberOf(after, numbered), numberOf(before, numbered)]
  if (number !== undefined && first !== undefined ? number <= first : isBeforeTime(trade, after, sinceMillis)) return -1
  if (before === undefined) return 0
  const isBehind = number !== undefined && last !== undefined
    ? number >= last
    : byTime(trade, before) > 0 || (trade.tradeId !== undefined && trade.tradeId === before.tradeId)
  return isBehind ? 1 : 0
}

const isBeforeTime = (trade: Trade, after: Trade | undefined, sinceMillis: number): boolean => {
  if (after !== undefined) {
    return byTime(trade, after) < 0 || (trade.tradeId !== undefined && trade.tradeId === after.tradeId)
  }
  return trade.timestamp !== undefined && Timestamp.epochMillis(trade.timestamp) < sinceMillis
}

/**
 * Those of the trades that lie in a gap, each once, in order, and whether what is
 * before it was reached: a trade of then is among them.
 *
 * @category combinators
 * @since 0.1.0
 */
export const within = (
  trades: ReadonlyArray<Trade>,
  bounds: Bounds,
  numbered: Numbered
): { readonly inside: ReadonlyArray<Trade>; readonly isReached: boolean } => {
  const inside: Array<Trade> = []
  const ids = new Set<string>()
  let isReached = false
  for (const trade of trades) {
    const at = place(trade, bounds, numbered)
    if (at < 0) isReached = true
    if (at !== 0 || (trade.tradeId !== undefined && ids.has(trade.tradeId))) continue
    if (trade.tradeId !== undefined) ids.add(trade.tradeId)
    inside.push(trade)
  }
  return { inside: inside.toSorted(compare(numbered)), isReached }
}
