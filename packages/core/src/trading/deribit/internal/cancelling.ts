/**
 * Cancelling orders at Deribit: one of them, or all.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Methods from "../../../session/deribit/Methods.ts"
import type * as Schemas from "../../../session/deribit/Schemas.ts"
import type { AmbiguousClientId, OrderName } from "../../Exchange.ts"
import { Acknowledged, CancelledAll, OutcomeUnknown, Reconciled, type Rejected } from "../../OrderEvent.ts"
import { isOver } from "../../OrderStatus.ts"
import * as Calls from "./calls.ts"
import { type Command, type Gateway, type Ids, idsOf, notSent, outcomeOf, rejected } from "./gateway.ts"
import * as Orders from "./orders.ts"

/** The order as it is once it is known to be cancelled: the venue may show what it was before. */
const cancelled = (order: Schemas.Order, names: Ids = {}) => ({
  ...idsOf(names),
  ...Orders.namesOf(order),
  status: "cancelled" as const,
  filled: Orders.filledOf(order)
})

/** What became of an order whose cancel was not answered. It is cancelled again as long as it is open. */
const reconcile = (
  gateway: Gateway,
  names: Ids & { readonly orderId: string }
): Effect.Effect<Reconciled | undefined> =>
  gateway.learn((until) =>
    Effect.gen(function*() {
      const { orderId } = names
      const [order] = yield* gateway.find({ orderId }, until)
      if (order === undefined) return new Reconciled({ ...idsOf(names), status: "absent" })
      const status = Orders.statusOf(order)
      if (isOver(status)) {
        return new Reconciled({ ...idsOf(names), ...Orders.namesOf(order), status, filled: Orders.filledOf(order) })
      }
      const again = yield* gateway.calls.write(Methods.trading.cancel, { order_id: orderId }, until)
      return new Reconciled(cancelled(again, names))
    })
  )

/**
 * Cancels an order.
 *
 * @category running
 * @since 0.1.0
 */
export const cancel = Effect.fnUntraced(function*(
  gateway: Gateway,
  name: OrderName,
  command: Command
): Effect.fn.Return<void, AmbiguousClientId> {
  const { onWrite, say, until } = command
  const found = name.orderId === undefined ? yield* gateway.findOne(name, command) : undefined
  const orderId = name.orderId ?? found?.order_id
  if (orderId === undefined) return
  const names = { ...name, orderId }
  const written = yield* Effect.result(
    gateway.calls.write(Methods.trading.cancel, { order_id: orderId }, until, onWrite)
  )
  if (Result.isSuccess(written)) return yield* say(new Acknowledged(cancelled(written.success, names)))
  const outcome = outcomeOf(names, written.failure)
  yield* say(outcome)
  if (outcome._tag !== "OutcomeUnknown") return
  const known = yield* reconcile(gateway, names)
  if (known !== undefined) yield* say(known)
})

/** The orders that the venue says it has cancelled; where it only counts them, it is asked for each. */
const listed = (answer: (typeof Methods.trading.cancelAll)["result"]["Type"]): ReadonlyArray<Schemas.Order> =>
  typeof answer === "number" ? [] : answer.flatMap(({ result }) => result ?? [])

/** How one of all of them stands that the venue has not said to be cancelled: refused, cancelled, or over otherwise. */
const settle = Effect.fnUntraced(function*(
  gateway: Gateway,
  order: Schemas.Order,
  until: number
): Effect.fn.Return<Acknowledged | Rejected | undefined, Calls.Failure> {
  const names = Orders.namesOf(order)
  const [now] = yield* gateway.find({ orderId: names.orderId }, until)
  if (now === undefined || isOver(Orders.statusOf(now))) {
    return now?.order_state === "cancelled" ? new Acknowledged(cancelled(now)) : undefined
  }
  return yield* gateway.calls.write(Methods.trading.cancel, { order_id: names.orderId }, until).pipe(
    Effect.map((order) => new Acknowledged(cancelled(order))),
    Effect.catch((failure) =>
      failure._tag === "Refused" ? Effect.succeed(rejected(names, failure.error)) : Effect.fail(failure)
    )
  )
})

/**
 * Cancels all orders, or those of a product: at once, then one by one those that
 * the venue has not said to be cancelled.
 *
 * @category running
 * @since 0.1.0
 */
export const cancelAll = Effect.fnUntraced(function*(
  gateway: Gateway,
  product: string | undefined,
  { onWrite, say, until }: Command
): Effect.fn.Return<void> {
  const { calls } = gateway
  const { cancelAll, cancelAllByInstrument } = Methods.trading
  const all = yield* Effect.result(gateway.open(product, until))
  if (Result.isFailure(all)) return yield* say(notSent({}, Calls.describe(all.failure)))
  const write = (until: number) =>
    product === undefined
      ? calls.write(cancelAll, { detailed: true }, until, onWrite)
      : calls.write(cancelAllByInstrument, { instrument_name: product, detailed: true }, until, onWrite)
  const written = yield* Effect.result(write(until))
  const outcome = Result.isFailure(written) ? outcomeOf({}, written.failure) : undefined
  if (outcome !== undefined) yield* say(outcome)
  if (outcome?._tag === "NotSent") return
  if (outcome?._tag === "Rejected") return yield* say(new CancelledAll({ count: 0 }))
  const answer = Result.isSuccess(written) ? written.success : yield* gateway.learn(write)
  if (answer === undefined) return

  let count = 0
  const confirm = (event: Acknowledged | Reconciled | Rejected): Effect.Effect<void> => {
    if (event._tag !== "Rejected" && event.status === "cancelled") count++
    return say(event)
  }
  const told = listed(answer)
  for (const order of told) yield* confirm(new Acknowledged(cancelled(order)))
  const ids = new Set(told.map(({ order_id }) => order_id))
  for (const order of all.success.filter(({ order_id }) => !ids.has(order_id))) {
    const names = Orders.namesOf(order)
    const settled = yield* Effect.result(settle(gateway, order, Math.max(until, calls.now() + 1_000)))
    if (Result.isSuccess(settled)) {
      if (settled.success !== undefined) yield* confirm(settled.success)
      continue
    }
    yield* say(new OutcomeUnknown({ ...names, reason: Calls.describe(settled.failure) }))
    const known = yield* reconcile(gateway, names)
    if (known !== undefined) yield* confirm(known)
  }
  yield* say(new CancelledAll({ count }))
})
