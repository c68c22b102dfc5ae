/**
 * The view of a book whose sides may cross, without what crosses: dYdX's rule.
 * Its validators do not agree on one order of arrival, so a level that was
 * taken may still stand.
 *
 * The rule is that of how_to_uncross_orderbook.md in the documentation of dYdX v4,
 * read 2026-11-25.
 *
 * @since 0.1.0
 */
import * as BigDecimal from "effect/BigDecimal"
import type { Level } from "../../event/MarketData.ts"
import type * as Digits from "../../value/internal/digits.ts"

/**
 * The best so many levels of each side, best first, once what crosses is gone:
 * of the best bid and the best ask that meet or cross, the one that was set
 * earlier is left out; of two that were set at once the smaller, whose size the
 * other loses.
 *
 * @category getters
 * @since 0.1.0
 */
export const uncross = (
  bids: Iterable<Level>,
  asks: Iterable<Level>,
  setAt: (side: "bids" | "asks", level: Level) => Digits.Integer,
  depth: number
): { readonly bids: Array<Level>; readonly asks: Array<Level> } => {
  const next = (side: Iterator<Level>): Level | undefined => {
    const { done, value } = side.next()
    return done === true ? undefined : value
  }
  const bidSide = bids[Symbol.iterator]()
  const askSide = asks[Symbol.iterator]()
  let bid = next(bidSide)
  let ask = next(askSide)
  while (bid !== undefined && ask !== undefined && BigDecimal.isGreaterThanOrEqualTo(bid[0], ask[0])) {
    const bidAt = setAt("bids", bid)
    const askAt = setAt("asks", ask)
    if (bidAt < askAt) bid = next(bidSide)
    else if (bidAt > askAt) ask = next(askSide)
    else {
      const more: number = BigDecimal.Order(bid[1], ask[1])
      const difference: BigDecimal.BigDecimal = BigDecimal.subtract(bid[1], ask[1])
      const [bidPrice, askPrice]: [BigDecimal.BigDecimal, BigDecimal.BigDecimal] = [bid[0], ask[0]]
      bid = more > 0 ? [bidPrice, difference] : next(bidSide)
      ask = more < 0 ? [askPrice, BigDecimal.negate(difference)] : next(askSide)
    }
  }
  const top = (best: Level | undefined, rest: Iterator<Level>): Array<Level> => {
    const found: Array<Level> = []
    for (let level = best; level !== undefined && found.length < depth; level = next(rest)) found.push(level)
    return found
  }
  return { bids: top(bid, bidSide), asks: top(ask, askSide) }
}
