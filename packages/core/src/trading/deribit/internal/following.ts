/**
 * An order of ours that is followed: what is new of it in what the venue says, by
 * whatever way it says it, as a value.
 *
 * @since 0.1.0
 */
import * as BigDecimal from "effect/BigDecimal"
import type * as Schemas from "../../../session/deribit/Schemas.ts"
import * as Decimal from "../../../value/Decimal.ts"
import * as Order from "../../Order.ts"
import type { Fill, OrderUpdate } from "../../OrderEvent.ts"
import * as Orders from "./orders.ts"

/**
 * What is known of it, and how far it had come by what was said last.
 *
 * @category models
 * @since 0.1.0
 */
export interface Following {
  readonly order: Order.Order
  readonly said: OrderUpdate
  readonly tradeIds: ReadonlySet<string>
}

/**
 * What the venue says of it: the order as it stands, and executions of it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Told {
  readonly order?: Schemas.Order | undefined
  readonly trades: ReadonlyArray<Schemas.UserTrade>
}

/**
 * Begins to follow an order, whose outcome has been said.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (order: Order.Order): Following => ({ order, said: Order.toUpdate(order), tradeIds: new Set() })

const news = ({ tradeIds }: Following, { trades }: Told): ReadonlyArray<Schemas.UserTrade> =>
  trades.filter(({ trade_id }) => !tradeIds.has(trade_id))

const filledBy = ({ order }: Following, trades: ReadonlyArray<Schemas.UserTrade>): Decimal.Decimal =>
  [...order.fills, ...trades].reduce((sum, { amount }) => BigDecimal.sum(sum, amount), Decimal.zero)

/**
 * Whether executions are missing that the venue has told of otherwise.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isBehind = (self: Following, told: Told = { trades: [] }): boolean => {
  const { order } = self
  const filled = told.order === undefined ? order.filled : Orders.filledOf(told.order)
  return BigDecimal.isLessThan(filledBy(self, news(self, told)), filled)
}

/**
 * Whether there is nothing more to come.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isSettled = (self: Following): boolean => Order.isSettled(self.order)

const isChange = (said: OrderUpdate, update: OrderUpdate): boolean =>
  said.status !== update.status ||
  (["filled", "remaining"] as const).some((member) =>
    !BigDecimal.equals(said[member] ?? Decimal.zero, update[member] ?? Decimal.zero)
  )

/**
 * What is new, and what is known then: each execution once, in the venue's
 * order, then the order if it has moved. What contradicts what is known, such as
 * an order that is older than its end, changes nothing.
 *
 * @category combinators
 * @since 0.1.0
 */
export const advance = (
  self: Following,
  told: Told
): { readonly following: Following; readonly events: ReadonlyArray<Fill | OrderUpdate> } => {
  const fills = [...new Map(news(self, told).map((trade) => [trade.trade_id, trade])).values()]
    .toSorted((one, other) => (one.trade_seq ?? 0) - (other.trade_seq ?? 0))
    .map((trade) => Orders.toFill(trade, self.order.request))
  const inputs = [...(told.order === undefined ? [] : [Orders.toUpdate(told.order)]), ...fills]
  const order = inputs.reduce(
    (known, input) => Order.allows(known, input) ? Order.transition(known, input) : known,
    self.order
  )
  const update = Order.toUpdate(order)
  const events = isChange(self.said, update) ? [...fills, update] : fills
  const tradeIds = new Set([...self.tradeIds, ...fills.map(({ tradeId }) => tradeId)])
  return { following: { order, said: update, tradeIds }, events }
}
