/**
 * A trader: from signals to orders, from fills to positions with a stop and a
 * target, and to what the portfolio has gained.
 *
 * - A signal goes through the checks of `Risk`, in their order; what passes is
 *   placed through the `OrderRouter`. A buy enters a long, and a sell closes it; a
 *   sell enters a short only if that is allowed.
 * - A lot is closed by a market order at the exchange that has it, when its stop or
 *   its target is reached or a signal says the opposite. What could not be closed is
 *   tried again, each time as a new order, after the one before is known to be over.
 * - Why each order was placed is stored before it is placed. After a restart the
 *   portfolio, the limits and a halt are as they were, what was open is found out
 *   first, and nothing is placed again.
 * - What it knows is compared to what the exchanges say, at the beginning and then
 *   regularly.
 * - `halt` is the kill switch: nothing is placed any more, and everything that is
 *   open is cancelled. Positions stay as they are.
 *
 * Time is Effect's clock: under the clock of a replay it is a backtest.
 *
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberSet from "effect/FiberSet"
import * as Layer from "effect/Layer"
import * as PubSub from "effect/PubSub"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { ExchangeError } from "../trading/Exchange.ts"
import type * as Lot from "../trading/Lot.ts"
import * as OrderRequest from "../trading/OrderRequest.ts"
import { OrderRouter } from "../trading/OrderRouter.ts"
import * as Portfolio from "../trading/Portfolio.ts"
import type * as Reconciliation from "../trading/Reconciliation.ts"
import * as Risk from "../trading/Risk.ts"
import type { NoneAnswered } from "../trading/RouteError.ts"
import type * as Routing from "../trading/Routing.ts"
import type { RoutingStrategy } from "../trading/RoutingStrategy.ts"
import { Storage } from "../trading/Storage.ts"
import type { StorageError } from "../trading/StorageError.ts"
import * as Decimal from "../value/Decimal.ts"
import * as Timestamp from "../value/Timestamp.ts"
import type * as Alerts from "./Alerts.ts"
import * as Balances from "./internal/balances.ts"
import * as Comparing from "./internal/comparing.ts"
import { Desk } from "./internal/desk.ts"
import * as Halting from "./internal/halting.ts"
import * as History from "./internal/traderHistory.ts"
import * as TraderOrders from "./internal/traderOrders.ts"
import * as TraderPhase from "./internal/traderPhase.ts"
import * as Watching from "./internal/watching.ts"
import * as Performance from "./Performance.ts"
import type { Price } from "./Price.ts"
import type { Signal } from "./Signal.ts"
import type { TraderEvent, Why } from "./TraderEvent.ts"

/**
 * How a trader is.
 *
 * - `Recovering`: it finds out what was open before it began, and what its accounts
 *   have; signals are refused
 * - `Trading`
 * - `Halted`: nothing is placed until it is cleared, also after a restart
 * - `Ended`: its inputs have ended, or failed
 *
 * @category models
 * @since 0.1.0
 */
export type State = TraderPhase.State

/**
 * How a trader is made.
 *
 * - `name`: what metrics call it. Default: `trader`
 * - `inputs`: signals, and the prices by which stops and targets are reached, in
 *   the order of the feed
 * - `quote`: the currency of its accounts; `alike`: assets that count as it, one to
 *   one (`USDC` beside `USD`). Default: none
 * - `capital`: what it trades with. Default: what the exchanges have of the quote
 *   currency when it begins for the first time
 * - `limits`: of single orders, see `Risk`; `portfolio`: of all positions together,
 *   with their stops and targets, see `Portfolio`
 * - `shorts`: whether a sell without a position enters a short. Default: no
 * - `patience`: how long an order may rest before it is cancelled. Default: 30 s
 * - `reconcileEvery`: how often what is known is compared. Default: 5 minutes
 * - `alerts`: from where on there is one, see `Alerts`; it is looked for every 10 s.
 *   Of exchanges, the default is at most how many there are. `measure` gives what
 *   only the process knows. Default: nothing
 * - `routing`: where its orders go. Default: as the router says. An order must not
 *   be split
 *
 * @category models
 * @since 0.1.0
 */
export interface Options<E = never> {
  readonly name?: string | undefined
  readonly inputs: Stream.Stream<Signal | Price, E>
  readonly quote: string
  readonly alike?: ReadonlyArray<string> | undefined
  readonly capital?: Decimal.Decimal | undefined
  readonly limits: Partial<Risk.Limits> & Pick<Risk.Limits, "products">
  readonly portfolio?: Partial<Portfolio.Limits> | undefined
  readonly shorts?: boolean | undefined
  readonly patience?: Duration.Input | undefined
  readonly reconcileEvery?: Duration.Input | undefined
  readonly alerts?: Partial<Alerts.Thresholds> | undefined
  readonly measure?: Effect.Effect<Partial<Alerts.Thresholds>> | undefined
  readonly routing?: Exclude<RoutingStrategy, { readonly _tag: "Split" }> | undefined
}

/**
 * The trader.
 *
 * - `reconcile`: compares what is known of the accounts with what the exchanges say;
 *   nothing while it is not known what the accounts had at the beginning
 * - `events`: what it says from now on; whoever is more than 4,096 behind misses
 *   some
 * - `halt`: nothing is placed any more, and what is open is cancelled, whoever has
 *   placed it. To halt again is to cancel again
 * - `clear`: trades again
 * - `ended`: once the inputs have ended and all orders are over
 *
 * @category services
 * @since 0.1.0
 */
export class Trader extends Context.Service<Trader, {
  readonly state: { readonly current: Effect.Effect<State>; readonly changes: Stream.Stream<State> }
  readonly portfolio: Effect.Effect<Portfolio.Portfolio>
  readonly performance: Effect.Effect<Performance.Summary>
  readonly exchanges: OrderRouter["Service"]["exchanges"]
  readonly reconcile: Effect.Effect<
    Reconciliation.Report | undefined,
    StorageError | ExchangeError | NoneAnswered
  >
  readonly events: Stream.Stream<TraderEvent>
  readonly halt: (reason: string) => Effect.Effect<Halting.Halt, StorageError>
  readonly clear: Effect.Effect<void, StorageError>
  readonly ended: Effect.Effect<void>
}>()("@tickline/core/strategy/Trader") {}

/** How long an order rests, where nothing is said. */
const standardPatience = Duration.seconds(30)

/** How many events a reader may be behind. */
const mostEvents = 4_096

/** How often exchanges that do not answer are asked what the trader begins with. */
const patiently = Schedule.exponential("1 second").pipe(
  Schedule.modifyDelay(({ duration }) => Effect.succeed(Duration.min(duration, Duration.seconds(30))))
)

/**
 * Makes a trader, which begins at once.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*<E>(
  options: Options<E>
): Effect.fn.Return<Trader["Service"], StorageError, OrderRouter | Storage | Scope.Scope> {
  const { alike = [], name = "trader", quote, shorts = false } = options
  const router = yield* OrderRouter
  const storage = yield* Storage
  const clock = yield* Clock.Clock
  const now = (): number => clock.currentTimeMillisUnsafe()
  const published = yield* PubSub.sliding<TraderEvent>(mostEvents)
  const watcher = yield* Watching.make(name, now)
  const tell = (event: TraderEvent): void => {
    watcher.event(event, desk)
    PubSub.publishUnsafe(published, event)
  }

  // Nothing that is said between what was stored and now is missed.
  const updates = yield* router.updates
  const past = yield* History.read(storage)
  const desk: Desk = new Desk({
    quote,
    alike,
    limits: { ...Risk.limits, ...options.limits },
    portfolio: Portfolio.empty({ cash: Decimal.zero, quote, limits: options.portfolio }),
    now,
    tell
  })
  let { opening } = past
  if (opening !== undefined && past.openedAt !== undefined) {
    desk.begin(options.capital ?? opening.capital, Timestamp.epochMillis(past.openedAt))
  }
  desk.restore(past)
  const book = ({ of, order }: Routing.Update) => Effect.sync(() => desk.book(of, order))
  yield* Effect.forkScoped(Stream.runForEach(updates, book), { startImmediately: true })

  const phase = yield* TraderPhase.make(past.halt?.reason, watcher.state)
  const orders = yield* FiberSet.make()
  const ordering: TraderOrders.Ordering = {
    desk,
    router,
    storage,
    balances: Balances.make(router, (asset) => desk.likeQuote(asset), now),
    routing: options.routing,
    patience: Duration.fromInputUnsafe(options.patience ?? standardPatience),
    isTrading: phase.isTrading,
    ordered: watcher.ordered,
    tell
  }
  const go = (order: Effect.Effect<void>) => FiberSet.run(orders, order, { startImmediately: true })

  const leave = (lot: Lot.Lot, why: Why) => {
    desk.leaving.add(lot.id)
    return go(Effect.ensuring(
      TraderOrders.leave(ordering, lot, why),
      Effect.sync(() => desk.leaving.delete(lot.id))
    ))
  }

  const price = (input: Price): Effect.Effect<void> => {
    const reached = desk.price(input)
    return reached.length === 0
      ? Effect.void
      : Effect.flatMap(
        ordering.isTrading,
        (isTrading) =>
          isTrading ? Effect.forEach(reached, ({ by, lot }) => leave(lot, by), { discard: true }) : Effect.void
      )
  }

  const signal = Effect.fnUntraced(function*(signal: Signal) {
    const { product, side } = signal
    if (!(yield* ordering.isTrading)) return desk.refuse(signal, { _tag: "NotTrading" })
    if (desk.isLeaving(product)) return desk.refuse(signal, { _tag: "InFlight" })
    const lots = desk.against(signal)
    for (const lot of lots) yield* leave(lot, "signal")
    if (lots.length > 0) return
    if (side === "sell" && !shorts) return desk.refuse(signal, { _tag: "NothingToClose" })
    if (desk.entering.has(product)) return desk.refuse(signal, { _tag: "InFlight" })
    const id = yield* OrderRequest.clientId
    desk.entering.set(product, id)
    yield* go(Effect.ensuring(
      TraderOrders.enter(ordering, signal, id),
      Effect.sync(() => desk.entering.delete(product))
    ))
  })

  const take = (input: Signal | Price): Effect.Effect<void> => input._tag === "Price" ? price(input) : signal(input)
  const inputs = yield* Effect.forkScoped(
    Stream.runForEach(options.inputs, take).pipe(
      Effect.exit,
      Effect.flatMap((exit) => {
        const reason = Exit.isSuccess(exit) ? undefined : Cause.pretty(exit.cause)
        tell({ _tag: "Ended", reason })
        return phase.ended(reason)
      })
    ),
    { startImmediately: true }
  )

  // What was open before is found out, and each order that is over makes room.
  for (const id of new Set(past.open.map(({ of }) => of))) {
    const purpose = desk.purposes.get(id)
    if (purpose === undefined) continue
    yield* go(Effect.map(TraderOrders.settle(ordering, id), (found) => {
      if (purpose._tag === "Enter") {
        desk.release(id, found.every(({ fills }) => fills.length === 0))
        desk.entering.delete(purpose.product)
      } else desk.leaving.delete(purpose.lot)
    }))
  }

  const reconcile = Effect.suspend(() =>
    opening === undefined
      ? Effect.succeed(undefined)
      : Effect.tap(
        Comparing.compare({ desk, router, storage }, opening),
        (report) => Effect.sync(() => tell({ _tag: "Reconciled", report }))
      )
  )

  const begin = Effect.gen(function*() {
    if (opening === undefined) {
      const isQuote = (asset: string) => desk.likeQuote(asset) === quote
      opening = yield* Comparing.opening(router, isQuote, options.capital).pipe(
        Effect.tap((found) => History.opened(storage, found)),
        Effect.tapError(({ message }) =>
          Effect.annotateLogs(Effect.logWarning("trader waits"), { trader: name, error: message })
        ),
        Effect.retry(patiently)
      )
      desk.begin(opening.capital, now())
    }
    yield* router.recovered
    // A process that ended while it halted may have left something open.
    if (phase.isHalted()) yield* Halting.cancelAll(router, desk)
    yield* phase.recovered
    tell({ _tag: "Recovered", lots: desk.portfolio.lots.size, orders: past.open.length })
    yield* Effect.repeat(
      Effect.catch(
        reconcile,
        ({ message }) => Effect.annotateLogs(Effect.logWarning("not reconciled"), { trader: name, error: message })
      ),
      Schedule.spaced(options.reconcileEvery ?? "5 minutes")
    )
  })
  yield* Effect.forkScoped(begin)
  yield* Effect.forkScoped(Watching.alerts({
    name,
    desk,
    router,
    watcher,
    tell,
    thresholds: options.alerts ?? {},
    measure: options.measure ?? Effect.succeed({})
  }))

  return {
    state: { current: phase.current, changes: phase.changes },
    portfolio: Effect.sync(() => desk.portfolio),
    performance: Effect.sync(() => Performance.summary(desk.performance)),
    exchanges: router.exchanges,
    reconcile,
    events: Stream.fromPubSub(published),
    halt: (reason) =>
      Effect.gen(function*() {
        const isFirst = yield* phase.halt(reason)
        if (isFirst) tell({ _tag: "Halted", reason })
        // What is open is cancelled whether or not the halt can be stored.
        const stored = yield* Effect.result(isFirst ? storage.decide({ kind: "halt", reason }) : Effect.void)
        const cancelled = yield* Halting.cancelAll(router, desk)
        return yield* Effect.as(Effect.fromResult(stored), cancelled)
      }),
    clear: Effect.gen(function*() {
      if (!phase.isHalted()) return
      // What is not stored would be halted again after a restart.
      yield* storage.decide({ kind: "clear", reason: "cleared" })
      yield* phase.clear
      tell({ _tag: "Cleared" })
    }),
    ended: Effect.andThen(Fiber.await(inputs), FiberSet.awaitEmpty(orders))
  }
})

/**
 * The trader as a layer.
 *
 * @category layers
 * @since 0.1.0
 */
export const layer = <E>(options: Options<E>): Layer.Layer<Trader, StorageError, OrderRouter | Storage> =>
  Layer.effect(Trader, make(options))
