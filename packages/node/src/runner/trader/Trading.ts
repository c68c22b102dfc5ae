/**
 * The trader of `tickline run`: its history, its exchanges, what is said of its
 * orders, and how it is begun, halted and stopped.
 *
 * @since 0.1.0
 */
import * as Reconnection from "@tickline/core/connection/Reconnection"
import type { MarketFeeds } from "@tickline/core/market/MarketFeeds"
import * as Symbols from "@tickline/core/protocol/Symbols"
import * as Signals from "@tickline/core/strategy/Signals"
import * as Trader from "@tickline/core/strategy/Trader"
import type * as OrderEvent from "@tickline/core/trading/OrderEvent"
import * as OrderRouter from "@tickline/core/trading/OrderRouter"
import type * as Routing from "@tickline/core/trading/Routing"
import { Storage, type StoredOrder } from "@tickline/core/trading/Storage"
import type { StorageError } from "@tickline/core/trading/StorageError"
import type { Transport } from "@tickline/core/transport/Transport"
import * as BigDecimal from "effect/BigDecimal"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as NodeHttp from "../../NodeHttp.ts"
import type { Served } from "../../simulate/SimulatedVenues.ts"
import { policy } from "../exchange/OrderExchange.ts"
import * as Policy from "../Policy.ts"
import { RunFailed, type UsageError } from "../RunnerError.ts"
import type { ServiceConfig } from "../ServiceConfig.ts"
import * as Confirming from "./Confirming.ts"
import * as EphemeralAccounts from "./EphemeralAccounts.ts"
import * as ExchangeConfig from "./ExchangeConfig.ts"
import * as History from "./History.ts"
import * as OtherOrders from "./OtherOrders.ts"
import * as ProcessLoad from "./ProcessLoad.ts"
import * as Strategies from "./Strategies.ts"
import type { TraderConfig } from "./TraderConfig.ts"
import { type Control, Halted } from "./TraderControl.ts"

/** What an account has at the beginning that nothing is said of, in the trader's currency. */
const standardBalance = BigDecimal.make(10_000n, 0)

/**
 * A history that is open, with what is known of exchanges that end with this
 * process: what was said of their orders, and what their accounts have.
 *
 * @category models
 * @since 0.1.0
 */
export interface Opened {
  readonly config: TraderConfig
  readonly storage: Storage["Service"]
  readonly said: ReadonlyArray<OrderEvent.Fill | OrderEvent.Reconciled>
  readonly balances: ReadonlyMap<string, ExchangeConfig.Amounts>
  /** What ids count from at such an exchange. */
  readonly firstId: number
}

const failed = ({ message }: { readonly message: string }): RunFailed => new RunFailed({ detail: message })

/**
 * Opens a trader's history, for this process alone, until the scope ends.
 *
 * @category constructors
 * @since 0.1.0
 */
export const open = Effect.fnUntraced(function*(
  config: TraderConfig
): Effect.fn.Return<Opened, UsageError | RunFailed | History.HistoryInUse, Scope.Scope> {
  const storage = Context.get(yield* History.open(config.history), Storage)
  const ephemeral = config.exchanges.filter(({ kind }) => kind !== "remote")
  const said = yield* Effect.mapError(
    EphemeralAccounts.settle(storage, new Set(ephemeral.map(({ name }) => name))),
    failed
  )
  const balances = new Map<string, ExchangeConfig.Amounts>()
  for (const { balance = { [config.quote]: standardBalance }, name, venue } of ephemeral) {
    const now = yield* Effect.mapError(EphemeralAccounts.balanceOf(storage, { exchange: name, venue, balance }), failed)
    balances.set(name, now)
  }
  return { config, storage, said, balances, firstId: yield* Clock.currentTimeMillis }
})

/**
 * What a trader is begun with. `served` are the venues that are simulated, `say`
 * what is called with each event of its orders.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly opened: Opened
  readonly service: ServiceConfig
  readonly feeds: MarketFeeds["Service"]
  readonly env: Readonly<Record<string, string | undefined>>
  readonly served: ReadonlyMap<string, Served>
  readonly say: (event: OrderEvent.OrderEvent) => void
}

/**
 * A trader that runs. `stop` lets it place nothing more and, unless its orders are
 * to be left, cancels them.
 *
 * @category models
 * @since 0.1.0
 */
export interface Trading extends Control {
  readonly trader: Trader.Trader["Service"]
  readonly router: OrderRouter.OrderRouter["Service"]
  readonly stop: Effect.Effect<void>
}

/**
 * The exchanges as routes, which nothing was sent to yet. Without feeds they are
 * those that do not live in this process.
 *
 * @category constructors
 * @since 0.1.0
 */
export const routesOf = Effect.fnUntraced(function*(
  { env, feeds, opened: { balances, config, firstId }, served, service }: Omit<Options, "feeds" | "say"> & {
    readonly feeds?: Options["feeds"] | undefined
  }
): Effect.fn.Return<ReadonlyArray<Routing.Route>, UsageError, Scope.Scope | Transport> {
  const reconnection = yield* Policy.overEnvironment(policy, env)
  const network = yield* Layer.build(Layer.mergeAll(NodeHttp.layer, Reconnection.layerWithBreaker(reconnection)))
  const symbols = Symbols.make(service.symbols)
  const routes: Array<Routing.Route> = []
  for (const entry of config.exchanges) {
    const { acceptsUnverified, fees, kind, name, venue } = entry
    if (feeds === undefined && kind !== "remote") continue
    const feed = feeds?.get(venue.name)
    const exchange = yield* ExchangeConfig.make(entry, {
      env,
      feed,
      simulated: kind === "simulated" ? served.get(name) : undefined,
      balance: balances.get(name),
      firstId
    }).pipe(Effect.provideContext(network))
    const own = config.products.flatMap((product) => symbols.symbolOf(venue, product) ?? [])
    routes.push({
      name,
      exchange,
      fees,
      acceptsUnverified,
      symbols: {
        symbolOf: (product) => symbols.symbolOf(venue, product),
        nameOf: (symbol) => symbols.nameOf(venue, symbol)
      },
      ...(feed === undefined || venue.channels.book === undefined
        ? {}
        : { book: yield* OrderRouter.booksOf(feed, own) })
    })
  }
  return routes
})

/** How long an order that is being cancelled may take to be over, when everything ends. */
const stopGrace = "1200 millis"

/** How often it is looked whether anything is open. */
const often = Schedule.spaced("50 millis")

/**
 * The orders that are not known to be over.
 *
 * @category getters
 * @since 0.1.0
 */
export const openOrders = (storage: Storage["Service"]): Effect.Effect<ReadonlyArray<StoredOrder>, StorageError> =>
  Stream.runCollect(storage.orders({ only: "open" }))

/**
 * Begins a trader, until the scope ends. Its feeds are there.
 *
 * @category constructors
 * @since 0.1.0
 */
export const begin = Effect.fnUntraced(function*(
  options: Options
): Effect.fn.Return<Trading, UsageError | RunFailed, Scope.Scope | Transport> {
  const { feeds, opened: { config, said, storage }, say } = options
  const routes = yield* routesOf(options)
  const feed = feeds.get(config.venue)
  if (feed === undefined) return yield* new RunFailed({ detail: `${config.venue} has no feed` })

  for (const event of said) say(event)
  const before = yield* Effect.mapError(openOrders(storage), failed)
  const cancelled = new Set<(update: OrderEvent.OrderUpdate) => void>()
  const observe = ({ event }: Routing.Update): void => {
    say(event)
    if (event._tag === "OrderUpdate" && event.status === "cancelled") cancelled.forEach((tell) => tell(event))
  }
  const router = yield* OrderRouter.make({ routes, strategy: config.routing, observe }).pipe(
    Effect.provideService(Storage, storage),
    Effect.mapError(failed)
  )
  // What is not known is reconciled by the router; of what was known it is said what became of it.
  yield* Effect.forEach(before, (stored) => {
    const { exchange: name, outcome } = stored.value
    const route = routes.find((route) => route.name === name)
    return outcome === undefined || outcome._tag === "OutcomeUnknown" || route === undefined
      ? Effect.void
      : Effect.forkScoped(Effect.map(Confirming.confirm(route.exchange, name, stored), say))
  }, { discard: true })

  const trading = yield* Scope.fork(yield* Effect.scope)
  const trader = yield* Trader.make({
    inputs: Signals.withPrices(feed, {
      products: config.products,
      strategy: Strategies.make(config.strategy),
      interval: config.interval,
      book: config.book
    }),
    quote: config.quote,
    alike: config.alike,
    capital: config.capital,
    limits: config.risk,
    portfolio: config.portfolio,
    shorts: config.shorts,
    patience: config.patience,
    reconcileEvery: config.reconcileEvery,
    alerts: config.alerts,
    measure: yield* ProcessLoad.make
  }).pipe(
    Scope.provide(trading),
    Effect.provideService(OrderRouter.OrderRouter, router),
    Effect.provideService(Storage, storage),
    Effect.mapError(failed)
  )

  // What is over is over once it is stored, and said then.
  const allOver = (left: Effect.Effect<ReadonlyArray<StoredOrder>, StorageError>) =>
    Effect.repeat(left, { schedule: often, while: (orders) => orders.length > 0 })

  return {
    trader,
    router,
    halt: Effect.gen(function*() {
      const updates: Array<OrderEvent.OrderUpdate> = []
      const tell = (update: OrderEvent.OrderUpdate) => void updates.push(update)
      cancelled.add(tell)
      // Asked for beside it: nothing may hold up a halt.
      const asking = yield* Effect.forkChild(OtherOrders.open(router), { startImmediately: true })
      const { failures, open, orders } = yield* trader.halt("halted by command").pipe(
        Effect.tap(({ open }) =>
          open.length > 0 ? Effect.void : Effect.timeoutOption(allOver(openOrders(storage)), "5 seconds")
        ),
        Effect.ensuring(Effect.sync(() => cancelled.delete(tell)))
      )
      // What was cancelled before that was answered is not open there any more.
      const before = [...yield* Fiber.join(asking), ...orders]
      const others = yield* OtherOrders.cancelled(routes, before, updates)
      others.forEach(say)
      return new Halted({ cancelled: [...updates, ...others], open, failures: failures.map(({ message }) => message) })
    }).pipe(Effect.mapError(failed)),
    clear: Effect.mapError(trader.clear, failed),
    stop: Effect.gen(function*() {
      yield* Scope.close(trading, Exit.void)
      if (config.onStop === "leave") return
      const left = yield* openOrders(storage)
      yield* Effect.forEach(
        new Set(left.map(({ of }) => of)),
        (of) => Effect.ignore(Stream.runDrain(router.cancel(of))),
        { concurrency: "unbounded", discard: true }
      )
      yield* allOver(openOrders(storage))
    }).pipe(
      Effect.timeoutOption(stopGrace),
      Effect.catch(({ message }) => Effect.logError(message)),
      Effect.asVoid
    )
  }
})
