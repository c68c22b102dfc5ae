/**
 * Cancelling orders: one of them, or all.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Decimal from "../../value/Decimal.ts"
import type { AmbiguousClientId, OrderName } from "../Exchange.ts"
import { Acknowledged, CancelledAll, NotSent, OutcomeUnknown, Reconciled, type Rejected } from "../OrderEvent.ts"
import { isOver } from "../OrderStatus.ts"
import { describe, type Failure, type Names, namesOf, outcomeOf } from "./failure.ts"
import type { Command, Gateway } from "./gateway.ts"
import { findOne } from "./orderByName.ts"
import { learn } from "./unknownOutcome.ts"

type Named = { readonly orderId: string; readonly product?: string | undefined }

/** The order as it is once it is known to be cancelled: the exchange may show what it was before. */
const cancelled = <A>(gateway: Gateway<A>, order: A, names: Partial<Names> = {}) => {
  const update = gateway.update(order)
  return {
    ...names,
    ...namesOf(gateway.exchange, update),
    status: "cancelled" as const,
    filled: update.filled ?? Decimal.zero
  }
}

/** What became of an order whose cancel was not answered. It is cancelled again as long as it is open. */
const reconcile = <A>(gateway: Gateway<A>, names: Names, named: Named): Effect.Effect<Reconciled | undefined> =>
  learn(gateway, (until) =>
    Effect.gen(function*() {
      const [order] = yield* gateway.find({ orderId: named.orderId }, until)
      if (order === undefined) return new Reconciled({ ...names, status: "absent" })
      const { filled, status, ...update } = gateway.update(order)
      if (isOver(status)) {
        return new Reconciled({
          ...names,
          ...namesOf(gateway.exchange, update),
          status,
          ...(filled === undefined ? {} : { filled })
        })
      }
      const again = yield* gateway.cancel(named, { until })
      return new Reconciled(cancelled(gateway, again, names))
    }))

/**
 * Cancels an order.
 *
 * @category running
 * @since 0.1.0
 */
export const cancel = Effect.fnUntraced(function*<A>(
  gateway: Gateway<A>,
  name: OrderName,
  command: Command
): Effect.fn.Return<void, AmbiguousClientId> {
  const { say } = command
  const found = name.orderId === undefined ? yield* findOne(gateway, name, command) : undefined
  const update = found === undefined ? undefined : gateway.update(found)
  const orderId = name.orderId ?? update?.orderId
  if (orderId === undefined) return
  const names = namesOf(gateway.exchange, { ...name, orderId })
  const named = { orderId, product: update?.product }
  const written = yield* Effect.result(gateway.cancel(named, command))
  if (Result.isSuccess(written)) return yield* say(new Acknowledged(cancelled(gateway, written.success, names)))
  const outcome = outcomeOf(names, written.failure)
  yield* say(outcome)
  if (outcome._tag !== "OutcomeUnknown") return
  const known = yield* reconcile(gateway, names, named)
  if (known !== undefined) yield* say(known)
})

/** How one of all of them stands that the exchange has not said to be cancelled: refused, cancelled, or over otherwise. */
const settle = Effect.fnUntraced(function*<A>(
  gateway: Gateway<A>,
  names: Names,
  named: Named,
  until: number
): Effect.fn.Return<Acknowledged | Rejected | undefined, Failure> {
  const [order] = yield* gateway.find({ orderId: named.orderId }, until)
  const status = order === undefined ? "absent" : gateway.update(order).status
  if (order === undefined || isOver(status)) {
    return order !== undefined && status === "cancelled" ? new Acknowledged(cancelled(gateway, order)) : undefined
  }
  return yield* gateway.cancel(named, { until }).pipe(
    Effect.map((order) => new Acknowledged(cancelled(gateway, order))),
    Effect.catch((failure) => {
      const outcome = outcomeOf(names, failure)
      return outcome._tag === "Rejected" ? Effect.succeed(outcome) : Effect.fail(failure)
    })
  )
})

/**
 * Cancels all orders, or those of a product: at once, then one by one those that
 * the exchange has not said to be cancelled.
 *
 * @category running
 * @since 0.1.0
 */
export const cancelAll = Effect.fnUntraced(function*<A>(
  gateway: Gateway<A>,
  product: string | undefined,
  { onWrite, say, until }: Command
): Effect.fn.Return<void> {
  const { exchange } = gateway
  const all = yield* Effect.result(gateway.open(product, until))
  if (Result.isFailure(all)) return yield* say(new NotSent({ exchange, reason: describe(all.failure) }))
  const write = (until: number) => gateway.cancelAll(all.success, product, { until, onWrite })
  const written = yield* Effect.result(write(until))
  const outcome = Result.isFailure(written) ? outcomeOf({ exchange }, written.failure) : undefined
  if (outcome !== undefined) yield* say(outcome)
  if (outcome?._tag === "NotSent") return
  if (outcome?._tag === "Rejected") return yield* say(new CancelledAll({ count: 0 }))
  const told = Result.isSuccess(written) ? written.success : yield* learn(gateway, write)
  if (told === undefined) return

  let count = 0
  const confirm = (event: Acknowledged | Reconciled | Rejected): Effect.Effect<void> => {
    if (event._tag !== "Rejected" && event.status === "cancelled") count++
    return say(event)
  }
  for (const order of told) yield* confirm(new Acknowledged(cancelled(gateway, order)))
  const ids = new Set(told.map((order) => gateway.update(order).orderId))
  for (const update of all.success.map(gateway.update).filter(({ orderId }) => !ids.has(orderId))) {
    const names = namesOf(exchange, update)
    const named = { orderId: update.orderId ?? "", product: update.product }
    const settled = yield* Effect.result(settle(gateway, names, named, Math.max(until, gateway.now() + 1_000)))
    if (Result.isSuccess(settled)) {
      if (settled.success !== undefined) yield* confirm(settled.success)
      continue
    }
    yield* say(new OutcomeUnknown({ ...names, reason: describe(settled.failure) }))
    const known = yield* reconcile(gateway, names, named)
    if (known !== undefined) yield* confirm(known)
  }
  yield* say(new CancelledAll({ count }))
})
