/**
 * Cancelling everything.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import type { ExchangeError } from "../../trading/Exchange.ts"
import type { Acknowledged, OrderEvent, OrderUpdate, Reconciled } from "../../trading/OrderEvent.ts"
import type { OrderRouter } from "../../trading/OrderRouter.ts"
import * as Monotonic from "../../value/Monotonic.ts"
import type { Desk } from "./desk.ts"

/**
 * What came of halting: how many orders were cancelled, what was said of them,
 * and what could not be cancelled, or could not be asked for.
 *
 * @category models
 * @since 0.1.0
 */
export interface Halt {
  readonly cancelled: number
  readonly orders: ReadonlyArray<Acknowledged | Reconciled>
  readonly open: ReadonlyArray<OrderUpdate>
  readonly failures: ReadonlyArray<ExchangeError>
}

const isCancelled = (event: OrderEvent): event is Acknowledged | Reconciled =>
  (event._tag === "Acknowledged" || event._tag === "Reconciled") && event.status === "cancelled"

/** For how long it is tried, and how long it is waited in between. */
const mostMillis = 10_000
const pause = "500 millis"

/**
 * Cancels all orders at all exchanges, until none is open and none is on its way,
 * for ten seconds; the last attempt is carried out.
 *
 * @category combinators
 * @since 0.1.0
 */
export const cancelAll = Effect.fnUntraced(function*(
  router: Pick<OrderRouter["Service"], "cancelAll" | "open">,
  desk: Pick<Desk, "placing">
): Effect.fn.Return<Halt> {
  let cancelled = 0
  const orders: Array<Acknowledged | Reconciled> = []
  const until = (yield* Monotonic.now) + mostMillis
  while (true) {
    const events = yield* Stream.runCollect(router.cancelAll)
    for (const event of events) {
      if (event._tag === "CancelledAll") cancelled += event.count
      else if (isCancelled(event)) orders.push(event)
    }
    // What is on its way may be there by the time that is answered.
    const isPlacing = desk.placing.size > 0
    const { byExchange, failures } = yield* Effect.catch(
      router.open,
      ({ failures }) => Effect.succeed({ byExchange: new Map<string, never>(), failures })
    )
    const open = [...byExchange.values()].flat()
    const isDone = open.length === 0 && failures.length === 0 && !isPlacing
    if (isDone || (yield* Monotonic.now) >= until) return { cancelled, orders, open, failures }
    yield* Effect.sleep(pause)
  }
})
