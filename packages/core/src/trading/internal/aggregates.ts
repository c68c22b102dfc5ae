/**
 * What accounts at several exchanges have together, to the last digit.
 *
 * @since 0.1.0
 */
import * as BigDecimal from "effect/BigDecimal"
import * as Decimal from "../../value/Decimal.ts"
import type { Balance, Position } from "../Holdings.ts"

/**
 * The sum of each asset, by its name.
 *
 * @category getters
 * @since 0.1.0
 */
export const balancesOf = (balances: ReadonlyArray<Balance>) =>
  [...Map.groupBy(balances, ({ asset }) => asset)].map(([asset, each]) => ({
    asset,
    available: each.reduce((sum, { available }) => BigDecimal.sum(sum, available), Decimal.zero),
    total: each.reduce((sum, { total }) => BigDecimal.sum(sum, total), Decimal.zero)
  })).toSorted((one, other) => one.asset < other.asset ? -1 : 1)

/**
 * The net amount of each product, by its name.
 *
 * @category getters
 * @since 0.1.0
 */
export const positionsOf = (
  positions: ReadonlyMap<string, ReadonlyArray<Position>>,
  nameOf: (exchange: string, symbol: string) => string
) => {
  const named = [...positions].flatMap(([exchange, each]) =>
    each.map(({ amount, product }) => ({ amount, product: nameOf(exchange, product) }))
  )
  return [...Map.groupBy(named, ({ product }) => product)].map(([product, each]) => ({
    product,
    amount: each.reduce((sum, { amount }) => BigDecimal.sum(sum, amount), Decimal.zero)
  })).toSorted((one, other) => one.product < other.product ? -1 : 1)
}
