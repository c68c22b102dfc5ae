/**
 * An order of ours that is followed: what is new of it in what the exchange says,
 * by whatever way it says it, as a value.
 *
 * @since 0.1.0
 */
import * as BigDecimal from "effect/BigDecimal"
import * as Decimal from "../../value/Decimal.ts"
import * as Order from "../Order.ts"
import { Fill, type OrderUpdate } from "../OrderEvent.ts"

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
 * What the exchange says of it: how it stands, and executions of it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Told {
  readonly update?: OrderUpdate | undefined
  readonly fills: ReadonlyArray<Fill>
}

/**
 * Begins to follow an order, whose outcome has been said.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (order: Order.Order): Following => ({
  order,
  said: Order.toUpdate(order),
  tradeIds: new Set(order.fills.map(({ tradeId }) => tradeId))
})

const news = ({ tradeIds }: Following, { fills }: Told): ReadonlyArray<Fill> =>
  fills.filter(({ tradeId }) => !tradeIds.has(tradeId))

const filledBy = ({ order }: Following, fills: ReadonlyArray<Fill>): Decimal.Decimal =>
  [...order.fills, ...fills].reduce((sum, { amount }) => BigDecimal.sum(sum, amount), Decimal.zero)

/**
 * Whether executions are missing that the exchange has told of otherwise.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isBehind = (self: Following, told: Told = { fills: [] }): boolean => {
  const filled = told.update === undefined ? self.order.filled : told.update.filled ?? Decimal.zero
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
 * What is new, and what is known then: each execution once, in the exchange's
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
  const { clientId, product, side } = self.order.request
  const fills = [...new Map(news(self, told).map((fill) => [fill.tradeId, fill])).values()]
    .map((fill) => new Fill({ ...fill, clientId, product, side }))
  const inputs = [...(told.update === undefined ? [] : [told.update]), ...fills]
  const order = inputs.reduce(
    (known, input) => Order.allows(known, input) ? Order.transition(known, input) : known,
    self.order
  )
  const update = Order.toUpdate(order)
  const events = isChange(self.said, update) ? [...fills, update] : fills
  const tradeIds = new Set([...self.tradeIds, ...fills.map(({ tradeId }) => tradeId)])
  return { following: { order, said: update, tradeIds }, events }
}
