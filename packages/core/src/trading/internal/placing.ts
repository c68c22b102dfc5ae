/**
 * Placing and amending orders, and following them.
 *
 * @since 0.1.0
 */
import * as BigDecimal from "effect/BigDecimal"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as PubSub from "effect/PubSub"
import * as Result from "effect/Result"
import type * as Scope from "effect/Scope"
import type { ConnectError } from "../../connection/ConnectError.ts"
import * as Decimal from "../../value/Decimal.ts"
import { type AmbiguousClientId, NotAmended, type OrderName } from "../Exchange.ts"
import * as Order from "../Order.ts"
import {
  Acknowledged,
  type Fill,
  NotSent,
  type OrderUpdate,
  type Outcome,
  OutcomeUnknown,
  Reconciled,
  Rejected
} from "../OrderEvent.ts"
import type { OrderRequest } from "../OrderRequest.ts"
import { isOver } from "../OrderStatus.ts"
import { describe, type Failure, namesOf, outcomeOf } from "./failure.ts"
import * as Following from "./following.ts"
import type { Attempt, Command, Gateway, Notice, Terms } from "./gateway.ts"
import { findOne } from "./orderByName.ts"
import { learn } from "./unknownOutcome.ts"

/** How long nothing may be said of an order until the exchange is asked, how soon for what is missing, and for how long. */
const checkMillis = { silent: 8_000, behind: 500, answer: 5_000 }

const standing = (update: OrderUpdate) => ({
  ...namesOf(update.exchange, update),
  status: update.status,
  ...(update.filled === undefined ? {} : { filled: update.filled })
})

/** What the answer to an order says. */
const answered = <A>(gateway: Gateway<A>, request: OrderRequest, order: A): Acknowledged | Rejected => {
  const update = gateway.update(order)
  const ids = { ...namesOf(gateway.exchange, update), clientId: request.clientId }
  if (!gateway.isOf(request, order)) return new Rejected({ ...ids, reason: "client id in use" })
  return update.status === "rejected"
    ? new Rejected({ ...ids, reason: "rejected by the exchange" })
    : new Acknowledged({ filled: Decimal.zero, ...standing(update), ...ids })
}

/** What became of an order whose answer did not come, and the order itself if it is there. */
const reconcile = <A>(
  gateway: Gateway<A>,
  request: OrderRequest,
  { find, mayStillCome }: Pick<Attempt<A>, "find" | "mayStillCome">
): Effect.Effect<{ readonly found: Reconciled; readonly own?: OrderUpdate } | undefined> =>
  learn(gateway, (until) =>
    Effect.gen(function*() {
      const { clientId } = request
      const isPending = yield* mayStillCome(until)
      const found = yield* find(until)
      const order = found.findLast((order) => gateway.isOf(request, order))
      if (order !== undefined) {
        const own = gateway.update(order)
        return { found: new Reconciled({ ...standing(own), clientId }), own }
      }
      if (isPending) return undefined
      for (const { orderId } of found.map(gateway.update)) {
        yield* Effect.logWarning("client id in use").pipe(Effect.annotateLogs({ clientId, orderId }))
      }
      return { found: new Reconciled({ exchange: gateway.exchange, clientId, status: "absent" }) }
    }))

/**
 * The order after its outcome, of the amount that the exchange has taken; what contradicts it, such as more filled
 * than there is, is the exchange's affair.
 */
const known = (before: Order.Order, outcome: Outcome, taken?: OrderUpdate): Order.Order => {
  const order = { ...before, amount: taken?.amount ?? before.amount }
  return Order.allows(order, outcome) ? Order.transition(order, outcome) : order
}

// Says each execution and each move of an order, until it is over and all of them are said.
const follow = Effect.fnUntraced(function*<A>(
  gateway: Gateway<A>,
  { say }: Pick<Command, "say">,
  { fills, isOld = false, notices, order }: {
    readonly order: Order.Order
    readonly fills: ReadonlyArray<Fill>
    readonly notices: PubSub.Subscription<Notice<A>>
    /** Whether something may have been told before it is followed. */
    readonly isOld?: boolean
  }
): Effect.fn.Return<void, ConnectError> {
  const { hasUniqueClientIds, now } = gateway
  const { clientId, product } = order.request
  let following = Following.make(order)
  const take = (told: Following.Told): Effect.Effect<void> =>
    Effect.suspend(() => {
      const advanced = Following.advance(following, told)
      following = advanced.following
      return Effect.forEach(advanced.events, say, { discard: true })
    })
  let isWarned = false
  // A link that is down logs that itself.
  const orNone = <B>(asked: Effect.Effect<ReadonlyArray<B>, Failure>): Effect.Effect<ReadonlyArray<B>> =>
    Effect.catch(asked, (failure) => {
      const isNews = !isWarned && failure._tag !== "Unsent" && !("mayFollow" in failure && failure.mayFollow)
      isWarned ||= isNews
      return Effect.as(isNews ? Effect.logWarning(describe(failure)) : Effect.void, [])
    })
  // All that there is of it, however it came about.
  const fetch = Effect.suspend(() => {
    const until = now() + checkMillis.answer
    const { orderId = "" } = following.order
    return Effect.flatMap(
      Effect.all({
        found: orNone(gateway.findEver(hasUniqueClientIds ? { clientId } : { orderId }, until)),
        fills: orNone(gateway.fills({ orderId, clientId, product }, until))
      }, { concurrency: "unbounded" }),
      ({ fills, found }) => take({ update: found.map(gateway.update).at(-1), fills })
    )
  })
  const isOwn = (ids: { readonly orderId?: string; readonly clientId?: string }): boolean =>
    ids.orderId === following.order.orderId || (hasUniqueClientIds && ids.clientId === clientId)

  yield* isOld ? fetch : take({ fills })
  let heardAt = now()
  while (!Following.isSettled(following)) {
    const patience = checkMillis[Following.isBehind(following) ? "behind" : "silent"]
    const notice = yield* Effect.timeoutOption(PubSub.take(notices), Math.max(0, heardAt + patience - now()))
    if (Option.isNone(notice) || notice.value._tag === "Gap") {
      yield* fetch
      heardAt = now()
    } else if (notice.value._tag === "Over") {
      return yield* Effect.fail(notice.value.error)
    } else {
      const { fills, orders } = notice.value
      const told = { update: orders.map(gateway.update).findLast(isOwn), fills: fills.filter(isOwn) }
      if (told.update === undefined && told.fills.length === 0) continue
      // What is missing comes before it.
      if (Following.isBehind(following, told)) yield* fetch
      yield* take(told)
      heardAt = now()
    }
  }
})

/**
 * Places an order, and follows it if that is asked for.
 *
 * @category running
 * @since 0.1.0
 */
export const place = Effect.fnUntraced(function*<A>(
  gateway: Gateway<A>,
  request: OrderRequest,
  command: Command,
  isFollowed: boolean
): Effect.fn.Return<void, ConnectError, Scope.Scope> {
  const { exchange } = gateway
  const { say } = command
  const { clientId, product } = request
  const notices = isFollowed ? yield* gateway.notices(product) : undefined
  const lacking = gateway.lacks(request)
  const attempt = yield* Effect.result(
    lacking === undefined ? gateway.place(request, command) : Effect.fail(lacking)
  )
  if (Result.isFailure(attempt)) return yield* say(new NotSent({ exchange, clientId, reason: attempt.failure }))

  const written = yield* Effect.result(attempt.success.send)
  const outcome = Result.isSuccess(written)
    ? answered(gateway, request, written.success.order)
    : outcomeOf({ exchange, clientId }, written.failure)
  yield* say(outcome)
  let order = known(
    Order.make(exchange, request),
    outcome,
    Result.isSuccess(written) ? gateway.update(written.success.order) : undefined
  )
  if (outcome._tag === "OutcomeUnknown") {
    const reconciled = yield* reconcile(gateway, request, attempt.success)
    if (reconciled === undefined) return
    yield* say(reconciled.found)
    order = known(order, reconciled.found, reconciled.own)
  }
  if (notices === undefined || order.orderId === undefined || order.status === "rejected") return
  yield* follow(gateway, command, {
    order,
    notices,
    fills: Result.isSuccess(written) ? written.success.fills : []
  })
})

/** How long after an answer was due the exchange is asked, for it to be there if it was taken at the last moment. */
const settlingMillis = 2_000

/**
 * Goes on with an order that another process placed, or may have placed: what
 * became of it if that is not known, then each execution and each move. It could
 * be taken until `dueMillis` of the wall clock.
 *
 * @category running
 * @since 0.1.0
 */
export const resume = Effect.fnUntraced(function*<A>(
  gateway: Gateway<A>,
  before: Order.Order,
  dueMillis: number,
  { say }: Command
): Effect.fn.Return<void, ConnectError, Scope.Scope> {
  const { exchange } = gateway
  const { request } = before
  const { clientId, product } = request
  const notices = yield* gateway.notices(product)
  let order = before
  if (order.outcome === undefined) {
    const unknown = new OutcomeUnknown({ exchange, clientId, reason: "the process that placed it has ended" })
    yield* say(unknown)
    order = known(order, unknown)
  }
  if (order.outcome?._tag === "OutcomeUnknown") {
    const reconciled = yield* reconcile(gateway, request, {
      find: (until) => gateway.findEver({ clientId }, until),
      mayStillCome: () => Effect.sync(() => gateway.wallMillis() < dueMillis + settlingMillis)
    })
    if (reconciled === undefined) return
    yield* say(reconciled.found)
    order = known(order, reconciled.found, reconciled.own)
  }
  if (order.orderId === undefined || order.status === "rejected") return
  yield* follow(gateway, { say }, { order, notices, fills: [], isOld: true })
})

const isSame = (one: Decimal.Decimal | undefined, other: Decimal.Decimal): boolean =>
  one !== undefined && BigDecimal.equals(one, other)

const hasTerms = ({ amount, price }: OrderUpdate, terms: Terms): boolean =>
  (terms.amount === undefined || isSame(amount, terms.amount)) &&
  (terms.price === undefined || isSame(price, terms.price))

/**
 * Amends an order.
 *
 * @category running
 * @since 0.1.0
 */
export const amend = Effect.fnUntraced(function*<A>(
  gateway: Gateway<A>,
  name: OrderName,
  terms: Terms,
  command: Command
): Effect.fn.Return<void, AmbiguousClientId | NotAmended> {
  const { say } = command
  const found = yield* findOne(gateway, name, command)
  if (found === undefined) return
  const names = namesOf(gateway.exchange, gateway.update(found))
  const attempt = yield* Effect.result(gateway.amend(found, terms, command))
  if (Result.isFailure(attempt)) return yield* say(new NotSent({ ...names, reason: attempt.failure }))
  const { find, mayStillCome, send } = attempt.success
  const written = yield* Effect.result(send)
  if (Result.isSuccess(written)) {
    const update = gateway.update(written.success.order)
    return yield* say(new Acknowledged({ filled: Decimal.zero, ...names, ...standing(update) }))
  }
  const outcome = outcomeOf(names, written.failure)
  yield* say(outcome)
  if (outcome._tag !== "OutcomeUnknown") return
  const learned = yield* learn(gateway, (until) =>
    Effect.gen(function*() {
      const isPending = yield* mayStillCome(until)
      const update = (yield* find(until)).map(gateway.update).at(-1)
      const isAmended = update !== undefined && hasTerms(update, terms)
      return isAmended || !isPending || (update !== undefined && isOver(update.status))
        ? { update, isAmended }
        : undefined
    }))
  if (learned === undefined) return
  const { isAmended, update } = learned
  yield* say(new Reconciled({ ...names, ...(update === undefined ? { status: "absent" } : standing(update)) }))
  if (update !== undefined && !isAmended && !isOver(update.status)) {
    return yield* new NotAmended({ orderId: update.orderId ?? "" })
  }
})
