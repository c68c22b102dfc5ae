/**
 * The orders of a trader: one that enters a lot because of a signal, and those
 * that close one, from before they are stored until all their fills are there.
 *
 * @since 0.1.0
 */
import * as BigDecimal from "effect/BigDecimal"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import * as Instrument from "../../trading/Instrument.ts"
import type * as Lot from "../../trading/Lot.ts"
import type * as Order from "../../trading/Order.ts"
import * as OrderRequest from "../../trading/OrderRequest.ts"
import type { OrderRouter } from "../../trading/OrderRouter.ts"
import type * as Routing from "../../trading/Routing.ts"
import * as RoutingStrategy from "../../trading/RoutingStrategy.ts"
import type { Storage } from "../../trading/Storage.ts"
import * as Decimal from "../../value/Decimal.ts"
import * as Printable from "../../value/Printable.ts"
import type { Signal } from "../Signal.ts"
import type { TraderEvent, Why } from "../TraderEvent.ts"
import type { Balances } from "./balances.ts"
import type { Desk } from "./desk.ts"
import * as History from "./traderHistory.ts"

/** How long it takes until a lot that could not be closed is tried again: at first, and at most. */
const firstPause = 1_000
const longestPause = 60_000

const opposite = { long: "sell", short: "buy" } as const

/**
 * What orders are placed with. `isTrading` says whether anything may be placed.
 *
 * @category models
 * @since 0.1.0
 */
export interface Ordering {
  readonly desk: Desk
  readonly router: OrderRouter["Service"]
  readonly storage: Storage["Service"]
  readonly balances: Balances
  readonly routing: RoutingStrategy.RoutingStrategy | undefined
  readonly patience: Duration.Duration
  readonly isTrading: Effect.Effect<boolean>
  readonly ordered: (millis: number) => void
  readonly tell: (event: TraderEvent) => void
}

/**
 * Waits until an order that the router has is over and books all its fills; one
 * that rests for longer than the trader is patient is cancelled.
 *
 * @category combinators
 * @since 0.1.0
 */
export const settle = Effect.fnUntraced(function*(
  { desk, patience, router }: Ordering,
  of: string
): Effect.fn.Return<ReadonlyArray<Order.Order>> {
  // An order at an exchange that has no route any more is none of this router's.
  const settled = Effect.catch(router.settled(of), () => Effect.succeed([]))
  const inTime = yield* Effect.timeoutOption(settled, patience)
  if (Option.isNone(inTime)) yield* Effect.ignore(Stream.runDrain(router.cancel(of)))
  const orders = Option.isSome(inTime) ? inTime.value : yield* settled
  for (const order of orders) desk.book(of, order)
  return orders
})

const notTrading = { _tag: "NotTrading", message: "nothing is placed any more" } as const

/**
 * Stores why an order is placed, and places it, if orders may still be placed by then; the next thing that is asked of
 * its exchange is asked anew.
 */
const place = (
  { balances, desk, isTrading, router, storage }: Ordering,
  { purpose, reason, request }: {
    readonly request: OrderRequest.OrderRequest
    readonly purpose: History.Purpose
    readonly reason: string
  },
  options: Routing.PlaceOptions
) => {
  const { clientId } = request
  return Effect.sync(() => {
    desk.placing.add(clientId)
    balances.forget()
  }).pipe(
    Effect.andThen(History.decided(storage, clientId, purpose, reason)),
    Effect.andThen(Effect.filterOrFail(isTrading, (may) => may, () => notTrading)),
    Effect.andThen(router.place(request, options)),
    Effect.ensuring(Effect.sync(() => desk.placing.delete(clientId))),
    Effect.result
  )
}

/**
 * Makes an order of a signal, if the checks let it pass, and follows it to its end.
 *
 * @category combinators
 * @since 0.1.0
 */
export const enter = Effect.fnUntraced(function*(
  ordering: Ordering,
  signal: Signal,
  id: string
): Effect.fn.Return<void> {
  const { balances, desk, isTrading, ordered, router, routing, tell } = ordering
  const begun = desk.options.now()
  const { confidence, price, product, side, strategy } = signal
  // What no exchange has to be asked for comes first.
  const rough = desk.check(id, signal)
  if (Result.isFailure(rough)) return desk.refuse(signal, rough.failure.reason, rough.failure.code)
  const { candidates, causes } = yield* router.rank(rough.success.request, routing)
  const [first] = candidates
  const why = causes.map(({ detail, exchange }) => `${exchange}: ${detail}`).join("; ")
  if (first === undefined) return desk.refuse(signal, { _tag: "NoExchange", detail: why })
  // By the rules of the best one; another one that has others refuses what it forbids.
  const rules = yield* Effect.result(router.instrument(first.exchange, product))
  if (Result.isFailure(rules)) return desk.refuse(signal, { _tag: "NoExchange", detail: rules.failure.message })
  const available = yield* balances.availableAt(first.exchange)
  if (available === undefined) {
    return desk.refuse(signal, { _tag: "NoExchange", detail: `${first.exchange}: its balances are not known` })
  }
  if (!(yield* isTrading)) return desk.refuse(signal, { _tag: "NotTrading" })
  const checked = desk.check(id, signal, rules.success, available)
  if (Result.isFailure(checked)) return desk.refuse(signal, checked.failure.reason, checked.failure.code)
  const { request } = checked.success
  if (side === "hold") return
  const { base } = rules.success
  const purpose: History.Purpose = {
    _tag: "Enter",
    product,
    side,
    confidence,
    strategy,
    price,
    at: signal.at,
    ...(base === undefined ? {} : { base })
  }
  desk.admit(checked.success, purpose)
  tell({ _tag: "Entering", signal, request })
  const reason = `${side} at ${confidence} by ${strategy}${signal.reason === undefined ? "" : `: ${signal.reason}`}`
  const placed = yield* place(ordering, { purpose, reason, request }, { strategy: routing })
  ordered(desk.options.now() - begun)
  if (Result.isFailure(placed)) {
    desk.release(id, true)
    const { failure } = placed
    const isCancelled = failure._tag === "NotRouted" && failure.causes.some(({ reason }) => reason === "Cancelled")
    const isHeldBack = failure._tag === "NotTrading" || (isCancelled && !(yield* isTrading))
    return desk.refuse(
      signal,
      isHeldBack ? { _tag: "NotTrading" } : { _tag: "NotPlaced", detail: Printable.escape(failure.message) }
    )
  }
  const orders = yield* settle(ordering, id)
  const lot = desk.portfolio.lots.get(id)
  const isNothing = orders.every(({ fills }) => fills.length === 0)
  desk.release(id, isNothing)
  if (isNothing) tell({ _tag: "NotFilled", request, orders })
  if (lot !== undefined) tell({ _tag: "Opened", lot, orders })
})

/** Why an order that closes a lot would be worth too little at the price of the day, if there is such a price. */
const tooCheap = (desk: Desk, rules: Instrument.Instrument, { amount, product }: Lot.Lot) => {
  const price = desk.priceOf(product)
  return price && Instrument.checkValue(rules, { amount, price, reduceOnly: true })
}

/** How much of a lot its exchange trades, or why it trades none of it. */
const tradable = (desk: Desk, rules: Instrument.Instrument, lot: Lot.Lot): Result.Result<Decimal.Decimal, string> => {
  const amount = Instrument.legalAmount(rules, lot.amount)
  if (amount === undefined) return Result.fail(`${Decimal.format(lot.amount)} is less than ${lot.exchange} trades`)
  const illegal = tooCheap(desk, rules, { ...lot, amount })
  return illegal === undefined ? Result.succeed(amount) : Result.fail(Instrument.describe(illegal))
}

/**
 * Whether an amount that is not traded is the rest of a lot. What was bought of spot stays in the account; a position is
 * still one. Rules that forbid the whole lot may err, and of a price that falls most of a lot may be worth too little.
 */
const isRest = (rules: Instrument.Instrument, { amount, direction, entered }: Lot.Lot): boolean =>
  rules.base !== undefined && direction === "long" && Instrument.legalAmount(rules, entered) !== undefined &&
  (Instrument.legalAmount(rules, amount) === undefined ||
    BigDecimal.isLessThan(BigDecimal.sum(amount, amount), entered))

/** Ends with a lot whose rest is not traded. Gives why it stays open, if it does. */
const writeOff = (
  { desk, storage }: Ordering,
  lot: Lot.Lot,
  { reason, rules, why }: { readonly rules: Instrument.Instrument; readonly why: Why; readonly reason: string }
): Effect.Effect<string | undefined> =>
  isRest(rules, lot)
    ? Effect.match(History.writtenOff(storage, lot, reason), {
      onFailure: ({ message }) => message,
      onSuccess: () => {
        desk.writeOff(lot.id, { amount: lot.amount, fills: lot.tradeIds.length }, why)
        return undefined
      }
    })
    : Effect.succeed(reason)

/** One order to close what is left of a lot. Gives why it came to nothing, if it did. */
const tryToLeave = Effect.fnUntraced(function*(
  ordering: Ordering,
  lot: Lot.Lot,
  why: Why
): Effect.fn.Return<string | undefined> {
  const { desk, router, tell } = ordering
  const { direction, exchange, id, product } = lot
  const strategy = RoutingStrategy.fixed(exchange)
  const asked = yield* Effect.result(router.instrument(exchange, product))
  if (Result.isFailure(asked)) return asked.failure.message
  const rules = asked.success
  const amount = tradable(desk, rules, lot)
  if (Result.isFailure(amount)) return yield* writeOff(ordering, lot, { rules, why, reason: amount.failure })
  const clientId = yield* OrderRequest.clientId
  const terms = {
    product,
    side: opposite[direction],
    type: "market",
    amount: amount.success,
    timeInForce: "ioc",
    clientId
  } as const
  const order = (reduceOnly: boolean) => new OrderRequest.OrderRequest({ ...terms, reduceOnly })
  // What is spot has no position to reduce.
  const preferred = order(rules.base === undefined)
  const { candidates, causes } = yield* router.rank(preferred, strategy)
  // There are exchanges that have no reduce-only orders.
  const isUnsupported = candidates.length === 0 && causes.every(({ reason }) => reason === "Unsupported")
  const request = isUnsupported ? order(false) : preferred
  const purpose: History.Purpose = { _tag: "Exit", product, lot: id, why }
  desk.purposes.set(clientId, purpose)
  tell({ _tag: "Exiting", lot, why, request })
  const reason = `${why}: lot ${id}`
  const placed = yield* place(ordering, { purpose, reason, request }, { strategy, fallback: "never" })
  if (Result.isFailure(placed)) return Printable.escape(placed.failure.message)
  yield* settle(ordering, clientId)
  const rest = desk.portfolio.lots.get(id)
  if (rest === undefined) return undefined
  const left = tradable(desk, rules, rest)
  return Result.isSuccess(left) ? undefined : yield* writeOff(ordering, rest, { rules, why, reason: left.failure })
})

/**
 * Closes a lot: by as many orders as it takes, one after the other, until nothing
 * of it is open or nothing may be placed any more. An entry that still adds to it
 * is cancelled first.
 *
 * @category combinators
 * @since 0.1.0
 */
export const leave = Effect.fnUntraced(function*(ordering: Ordering, lot: Lot.Lot, why: Why): Effect.fn.Return<void> {
  const { desk, isTrading, router, tell } = ordering
  const { id } = lot
  if (desk.entering.get(lot.product) === id) {
    yield* Effect.ignore(Stream.runDrain(router.cancel(id)))
    yield* Effect.ignore(router.settled(id))
  }
  for (let pause = firstPause; yield* isTrading; pause = Math.min(pause * 2, longestPause)) {
    const open = desk.portfolio.lots.get(id)
    if (open === undefined) return
    const refused = yield* tryToLeave(ordering, open, why)
    const rest = desk.portfolio.lots.get(id)
    if (rest === undefined) return
    if (!(yield* isTrading)) return
    const detail = refused ?? `${Decimal.format(rest.amount)} of ${Decimal.format(open.amount)} is left`
    tell({ _tag: "NotClosed", lot: rest, why, detail, againMillis: pause })
    yield* Effect.sleep(pause)
  }
})
