/**
 * Placing and amending orders at Deribit, and following them.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as PubSub from "effect/PubSub"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import type { ConnectError } from "../../../connection/ConnectError.ts"
import * as Methods from "../../../session/deribit/Methods.ts"
import type * as Schemas from "../../../session/deribit/Schemas.ts"
import type * as Decimal from "../../../value/Decimal.ts"
import type * as Timestamp from "../../../value/Timestamp.ts"
import { type AmbiguousClientId, NotAmended, type OrderName } from "../../Exchange.ts"
import * as Order from "../../Order.ts"
import { Acknowledged, type Outcome, Reconciled, Rejected } from "../../OrderEvent.ts"
import type { OrderRequest } from "../../OrderRequest.ts"
import { isOver } from "../../OrderStatus.ts"
import { describe, type Failure } from "./calls.ts"
import * as Following from "./following.ts"
import { type Command, type Gateway, notSent, outcomeOf } from "./gateway.ts"
import type { Notice } from "./notices.ts"
import * as Orders from "./orders.ts"

/** How long nothing may be said of an order until the venue is asked, how soon for what is missing, and for how long. */
const checkMillis = { silent: 8_000, behind: 500, answer: 5_000 }

const standing = (order: Schemas.Order) => ({
  ...Orders.namesOf(order),
  status: Orders.statusOf(order),
  filled: Orders.filledOf(order)
})

/** What the answer to an order says. */
const answered = (request: OrderRequest, order: Schemas.Order): Acknowledged | Rejected => {
  const ids = { ...Orders.namesOf(order), clientId: request.clientId }
  if (!Orders.isOf(request, order)) return new Rejected({ ...ids, reason: "client id in use" })
  return order.order_state === "rejected"
    ? new Rejected({ ...ids, reason: "rejected by the exchange" })
    : new Acknowledged({ ...standing(order), ...ids })
}

/** What became of an order whose answer did not come, and the order itself where it is there. */
const reconcile = (
  gateway: Gateway,
  { request, validUntil, currencies }: {
    readonly request: OrderRequest
    readonly validUntil: Timestamp.Timestamp
    readonly currencies: ReadonlyArray<string>
  }
): Effect.Effect<{ readonly found: Reconciled; readonly own?: Schemas.Order } | undefined> =>
  gateway.learn((until) =>
    Effect.gen(function*() {
      const { clientId } = request
      const mayStillCome = !(yield* gateway.isPast(validUntil, until))
      const labelled = yield* gateway.labelled(clientId, currencies, until)
      const own = labelled.findLast((order) => Orders.isOf(request, order))
      if (own !== undefined) return { found: new Reconciled({ ...standing(own), clientId }), own }
      if (mayStillCome) return undefined
      for (const { order_id } of labelled) {
        yield* Effect.logWarning("client id in use").pipe(Effect.annotateLogs({ clientId, orderId: order_id }))
      }
      return { found: new Reconciled({ exchange: Orders.exchange, clientId, status: "absent" }) }
    })
  )

/**
 * The order after its outcome, of the amount that the venue has taken; what contradicts it, such as more filled than
 * there is, is the venue's affair.
 */
const known = (before: Order.Order, outcome: Outcome, taken?: Schemas.Order): Order.Order => {
  const order = { ...before, amount: taken?.amount ?? before.amount }
  return Order.allows(order, outcome) ? Order.transition(order, outcome) : order
}

// Says each execution and each move of an order, until it is over and all of them are said.
const follow = Effect.fnUntraced(function*(
  gateway: Gateway,
  { say }: Pick<Command, "say">,
  { notices, order, trades }: {
    readonly order: Order.Order
    readonly trades: ReadonlyArray<Schemas.UserTrade>
    readonly notices: PubSub.Subscription<Notice>
  }
): Effect.fn.Return<void, ConnectError> {
  const { calls } = gateway
  let following = Following.make(order)
  const take = (told: Following.Told): Effect.Effect<void> =>
    Effect.suspend(() => {
      const advanced = Following.advance(following, told)
      following = advanced.following
      return Effect.forEach(advanced.events, say, { discard: true })
    })
  let isWarned = false
  // A link that is down logs that itself.
  const orNone = <A>(asked: Effect.Effect<ReadonlyArray<A>, Failure>): Effect.Effect<ReadonlyArray<A>> =>
    Effect.catch(asked, (failure) => {
      const isNews = !isWarned && failure._tag !== "Unsent" && !("mayFollow" in failure && failure.mayFollow)
      isWarned ||= isNews
      return Effect.as(isNews ? Effect.logWarning(describe(failure)) : Effect.void, [])
    })
  // All that there is of it, however it came about.
  const fetch = Effect.suspend(() => {
    const until = calls.now() + checkMillis.answer
    const { orderId = "" } = following.order
    return Effect.flatMap(
      Effect.all({
        found: orNone(gateway.findEver({ orderId }, until)),
        trades: orNone(calls.read(Methods.account.getUserTradesByOrder, { order_id: orderId, sorting: "asc" }, until))
      }, { concurrency: "unbounded" }),
      ({ found: [order], trades }) => take({ order, trades })
    )
  })

  yield* take({ trades })
  let heardAt = calls.now()
  while (!Following.isSettled(following)) {
    const patience = checkMillis[Following.isBehind(following) ? "behind" : "silent"]
    const notice = yield* Effect.timeoutOption(
      PubSub.take(notices),
      Math.max(0, heardAt + patience - calls.now())
    )
    if (Option.isNone(notice) || notice.value._tag === "Gap") {
      yield* fetch
      heardAt = calls.now()
    } else if (notice.value._tag === "Over") {
      return yield* Effect.fail(notice.value.error)
    } else {
      const { orders, trades } = notice.value
      const isOwn = ({ order_id }: { readonly order_id: string }) => order_id === following.order.orderId
      const told = { order: orders.findLast(isOwn), trades: trades.filter(isOwn) }
      if (told.order === undefined && told.trades.length === 0) continue
      // What is missing comes before it.
      if (Following.isBehind(following, told)) yield* fetch
      yield* take(told)
      heardAt = calls.now()
    }
  }
})

/**
 * Places an order, and follows it if that is asked for.
 *
 * @category running
 * @since 0.1.0
 */
export const place = Effect.fnUntraced(function*(
  gateway: Gateway,
  request: OrderRequest,
  command: Command,
  isFollowed: boolean
): Effect.fn.Return<void, ConnectError, Scope.Scope> {
  const { calls } = gateway
  const { onWrite, say, until } = command
  const { clientId, product, side } = request
  const notices = isFollowed ? yield* gateway.notices.of(product) : undefined
  const market = yield* Effect.result(gateway.market(product, until))
  const objection = Result.isFailure(market) ? market.failure : Orders.objection(market.success, request)
  if (Result.isFailure(market) || objection !== undefined) return yield* say(notSent({ clientId }, objection ?? ""))

  let validUntil = gateway.venueTime(until)
  const written = yield* Effect.result(calls.write(
    Methods.trading[side],
    () => {
      validUntil = gateway.venueTime(until)
      return Orders.placing(request, validUntil)
    },
    until,
    onWrite
  ))
  const outcome = Result.isSuccess(written)
    ? answered(request, written.success.order)
    : outcomeOf({ clientId }, written.failure)
  yield* say(outcome)
  let order = known(
    Order.make(Orders.exchange, request),
    outcome,
    Result.isSuccess(written) ? written.success.order : undefined
  )
  if (outcome._tag === "OutcomeUnknown") {
    const { currencies } = market.success
    const reconciled = yield* reconcile(gateway, { request, validUntil, currencies })
    if (reconciled === undefined) return
    yield* say(reconciled.found)
    order = known(order, reconciled.found, reconciled.own)
  }
  if (notices === undefined || order.orderId === undefined || order.status === "rejected") return
  yield* follow(gateway, command, {
    order,
    notices,
    trades: Result.isSuccess(written) ? written.success.trades : []
  })
})

/**
 * Amends an order.
 *
 * @category running
 * @since 0.1.0
 */
export const amend = Effect.fnUntraced(function*(
  gateway: Gateway,
  name: OrderName,
  terms: { readonly price?: Decimal.Decimal | undefined; readonly amount?: Decimal.Decimal | undefined },
  command: Command
): Effect.fn.Return<void, AmbiguousClientId | NotAmended> {
  const { calls } = gateway
  const { onWrite, say, until } = command
  const found = yield* gateway.findOne(name, command)
  if (found === undefined) return
  const names = Orders.namesOf(found)
  const market = yield* Effect.result(gateway.market(found.instrument_name, until))
  const objection = Result.isFailure(market) ? market.failure : Orders.objection(market.success, terms)
  if (objection !== undefined) return yield* say(notSent(names, objection))

  let validUntil = gateway.venueTime(until)
  const written = yield* Effect.result(calls.write(
    Methods.trading.edit,
    () => {
      validUntil = gateway.venueTime(until)
      return Orders.editing(found, terms, validUntil)
    },
    until,
    onWrite
  ))
  if (Result.isSuccess(written)) {
    return yield* say(new Acknowledged({ ...names, ...standing(written.success.order) }))
  }
  const outcome = outcomeOf(names, written.failure)
  yield* say(outcome)
  if (outcome._tag !== "OutcomeUnknown") return
  const learned = yield* gateway.learn((until) =>
    Effect.gen(function*() {
      const mayStillCome = !(yield* gateway.isPast(validUntil, until))
      const [order] = yield* gateway.find({ orderId: found.order_id }, until)
      const isAmended = order !== undefined && Orders.hasTerms(order, terms)
      if (isAmended || !mayStillCome || (order !== undefined && isOver(Orders.statusOf(order)))) {
        return { order, isAmended }
      }
      return undefined
    })
  )
  if (learned === undefined) return
  const { isAmended, order } = learned
  yield* say(
    order === undefined
      ? new Reconciled({ ...names, status: "absent" })
      : new Reconciled({ ...names, ...standing(order) })
  )
  if (order !== undefined && !isAmended && !isOver(Orders.statusOf(order))) {
    return yield* new NotAmended({ orderId: order.order_id })
  }
})
