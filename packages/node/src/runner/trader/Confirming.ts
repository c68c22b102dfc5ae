/**
 * What became of the orders that were open when a process before this one ended:
 * each is said to be as its exchange has it, once.
 *
 * @since 0.1.0
 */
import type { Exchange } from "@tickline/core/trading/Exchange"
import { type OrderEvent, type OrderUpdate, Reconciled } from "@tickline/core/trading/OrderEvent"
import type { StoredOrder } from "@tickline/core/trading/Storage"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"

/** How long until an exchange that did not answer is asked again. */
const pause = "2 seconds"

const isUpdate = (event: OrderEvent): event is OrderUpdate => event._tag === "OrderUpdate"

/**
 * How an order stands by its exchange's word, which is asked for until it answers.
 * Of an order whose outcome was unknown the router says that itself.
 *
 * @category running
 * @since 0.1.0
 */
export const confirm = (
  exchange: Exchange["Service"],
  name: string,
  { value: { orderId, request: { clientId } } }: StoredOrder
): Effect.Effect<Reconciled> =>
  Stream.runCollect(exchange.status(orderId === undefined ? { clientId } : { orderId })).pipe(
    Effect.map((events) => events.findLast(isUpdate)),
    Effect.repeat({ schedule: Schedule.spaced(pause), while: (found) => found === undefined }),
    Effect.map((found) => {
      const { filled, status = "unknown" } = found ?? {}
      const ids = { exchange: name, clientId, ...(orderId === undefined ? {} : { orderId }) }
      return new Reconciled({ ...ids, status, ...(filled === undefined ? {} : { filled }) })
    })
  )
