/**
 * Orders of others at our exchanges, which a halt cancels with ours: nobody here
 * follows them, so that what became of them is asked for.
 *
 * @since 0.1.0
 */
import { type OrderEvent, OrderUpdate } from "@tickline/core/trading/OrderEvent"
import type { OrderRouter } from "@tickline/core/trading/OrderRouter"
import type * as Routing from "@tickline/core/trading/Routing"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"

const isUpdate = (event: OrderEvent): event is OrderUpdate => event._tag === "OrderUpdate"

/** An order at an exchange. */
type Named = Pick<OrderUpdate, "exchange" | "orderId">

const keyOf = ({ exchange, orderId }: Named): string => `${exchange} ${orderId}`

/**
 * All orders that are open, as far as the exchanges answer.
 *
 * @category getters
 * @since 0.1.0
 */
export const open = (router: OrderRouter["Service"]): Effect.Effect<ReadonlyArray<OrderUpdate>> =>
  Effect.match(router.open, {
    onFailure: () => [],
    onSuccess: ({ byExchange }) => [...byExchange.values()].flat()
  })

/**
 * The orders of which something was said.
 *
 * @category getters
 * @since 0.1.0
 */
export const named = (events: ReadonlyArray<OrderEvent>): ReadonlyArray<Named> =>
  events.flatMap((event) => event._tag === "CancelledAll" || event.orderId === undefined ? [] : [event])

/**
 * Those of `before` that are cancelled now, without those of which `told` says it
 * already.
 *
 * @category getters
 * @since 0.1.0
 */
export const cancelled = Effect.fnUntraced(function*(
  routes: ReadonlyArray<Routing.Route>,
  before: ReadonlyArray<Named>,
  told: ReadonlyArray<OrderUpdate>
): Effect.fn.Return<ReadonlyArray<OrderUpdate>> {
  const known = new Set(told.map(keyOf))
  const found: Array<OrderUpdate> = []
  for (const named of before) {
    const { exchange } = routes.find(({ exchange }) => exchange.name === named.exchange) ?? {}
    if (exchange === undefined || named.orderId === undefined || known.has(keyOf(named))) continue
    known.add(keyOf(named))
    const events = yield* Stream.runCollect(exchange.status({ orderId: named.orderId }))
    const now = events.findLast(isUpdate)
    if (now?.status !== "cancelled") continue
    const { amount: _, price: __, ...standing } = now
    found.push(new OrderUpdate({ ...standing, exchange: named.exchange }))
  }
  return found
})
