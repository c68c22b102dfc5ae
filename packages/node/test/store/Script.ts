/** What a writing process does with each of its orders: known to whoever reads what it has left. */
import * as Order from "@tickline/core/trading/Order"
import { Acknowledged, Fill, OrderUpdate } from "@tickline/core/trading/OrderEvent"
import { OrderRequest } from "@tickline/core/trading/OrderRequest"
import * as BigDecimal from "effect/BigDecimal"

export const exchange = "deribit"

export const requestOf = (clientId: string): OrderRequest =>
  new OrderRequest({
    product: "BTC-PERPETUAL",
    side: "buy",
    type: "limit",
    amount: BigDecimal.make(300n, 2),
    price: BigDecimal.make(4_000_050n, 2),
    timeInForce: "gtc",
    reduceOnly: false,
    clientId
  })

/** What is said of an order, in this order. */
export const eventsOf = (clientId: string): ReadonlyArray<Order.Input> => {
  const orderId = `id-${clientId}`
  const names = { exchange, product: "BTC-PERPETUAL", side: "buy", clientId, orderId } as const
  const fill = (number: number) =>
    new Fill({
      ...names,
      price: BigDecimal.make(4_000_050n, 2),
      amount: BigDecimal.make(100n, 2),
      tradeId: `${clientId}-${number}`
    })
  return [
    new Acknowledged({ exchange, clientId, orderId, status: "open", filled: BigDecimal.make(0n, 0) }),
    fill(1),
    new OrderUpdate({ ...names, status: "partially-filled", averagePrice: BigDecimal.make(4_000_050n, 2) }),
    fill(2),
    fill(3)
  ]
}

/** The order after so many events. */
export const orderAfter = (clientId: string, events: number): Order.Order =>
  eventsOf(clientId).slice(0, events).reduce(Order.transition, Order.make(exchange, requestOf(clientId)))
