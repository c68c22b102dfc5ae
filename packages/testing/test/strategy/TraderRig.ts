/** A trader over mocks of three venues on a virtual network, given its signals and prices by hand. */
import { assert } from "@effect/vitest"
import type { Price } from "@tickline/core/strategy/Price"
import { Signal } from "@tickline/core/strategy/Signal"
import * as Trader from "@tickline/core/strategy/Trader"
import type { TraderEvent } from "@tickline/core/strategy/TraderEvent"
import type { Exchange } from "@tickline/core/trading/Exchange"
import * as OrderRouter from "@tickline/core/trading/OrderRouter"
import * as Portfolio from "@tickline/core/trading/Portfolio"
import * as RoutingStrategy from "@tickline/core/trading/RoutingStrategy"
import { Storage } from "@tickline/core/trading/Storage"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Timestamp from "@tickline/core/value/Timestamp"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Queue from "effect/Queue"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { decimal, type Desk, names, pass, talk, withVenues } from "../routing/Venues.ts"

export type Product = "BTC-USD" | "ETH-USD" | "SOL-USD" | "PURR-USD"

/** The prices around which the mocks make their markets. */
export const marketOf: Readonly<Record<Product, string>> = {
  "BTC-USD": "43250.00",
  "ETH-USD": "2280.50",
  "SOL-USD": "98.70",
  "PURR-USD": "0.18523"
}

/** A trader's process: what it said, and how to speak to it. */
export interface Process {
  readonly trader: Trader.Trader["Service"]
  readonly router: OrderRouter.OrderRouter["Service"]
  readonly events: Array<TraderEvent>
  readonly signal: (
    side: Signal["side"],
    product: Product,
    terms?: Partial<ConstructorParameters<typeof Signal>[0]>
  ) => Effect.Effect<void>
  readonly price: (product: Product, price: string) => Effect.Effect<void>
  /** Ends the process at once, without a word. */
  readonly kill: Effect.Effect<void>
}

type Options = Partial<Omit<Trader.Options, "inputs">> & { readonly storage?: Storage["Service"] | undefined }

/** Begins a trader with a router of its own, as a process does. */
export const begin = Effect.fnUntraced(function*(desk: Desk, { storage = desk.storage, ...options }: Options = {}) {
  const scope = yield* Effect.acquireRelease(Scope.make(), (scope) => Scope.close(scope, Exit.void))
  const inputs = yield* Queue.unbounded<Signal | Price>()
  const router = yield* Scope.provide(desk.begin, scope)
  const trader = yield* Trader.make({
    inputs: Stream.fromQueue(inputs),
    quote: "USD",
    alike: ["USDC"],
    ...options,
    limits: { products: ["BTC-USD", "ETH-USD", "SOL-USD", "PURR-USD"], ...options.limits }
  }).pipe(
    Effect.provideService(OrderRouter.OrderRouter, router),
    Effect.provideService(Storage, storage),
    Scope.provide(scope)
  )
  const events: Array<TraderEvent> = []
  yield* Effect.forkIn(
    Stream.runForEach(trader.events, (event) => Effect.sync(() => events.push(event))),
    scope,
    { startImmediately: true }
  )
  yield* talk
  const now = Effect.map(Clock.currentTimeMillis, Timestamp.fromEpochMillis)
  const process: Process = {
    trader,
    router,
    events,
    signal: (side, product, terms) =>
      Effect.flatMap(now, (at) =>
        Effect.andThen(
          Queue.offer(
            inputs,
            new Signal({
              venue: "coinbase",
              product,
              side,
              confidence: 0.8,
              price: decimal(marketOf[product]),
              at,
              strategy: "by hand",
              ...terms
            })
          ),
          talk
        )),
    price: (product, price) =>
      Effect.flatMap(
        now,
        (at) => Effect.andThen(Queue.offer(inputs, { _tag: "Price", product, price: decimal(price), at }), talk)
      ),
    kill: Effect.andThen(Scope.close(scope, Exit.void), talk)
  }
  return process
})

/** Runs a test with a trader that trades. */
export const withTrader = <A, E, R>(
  use: (process: Process, desk: Desk) => Effect.Effect<A, E, R>,
  options: Options & { readonly strategy?: RoutingStrategy.RoutingStrategy } = {}
) =>
  withVenues(
    (desk) =>
      Effect.gen(function*() {
        const process = yield* begin(desk, options)
        yield* pass("2 seconds")
        assert.strictEqual((yield* process.trader.state.current)._tag, "Trading")
        return yield* use(process, desk)
      }),
    options.strategy
  )

/** The tags of what a trader said, of refusals with their code, without comparisons and alerts. */
export const tags = ({ events }: Process): ReadonlyArray<string> =>
  events.flatMap((event) => {
    switch (event._tag) {
      case "Refused":
        return [event.code]
      case "Reconciled":
      case "Raised":
      case "Lowered":
        return []
      default:
        return [event._tag]
    }
  })

/** How many orders of ours the venues have. */
export const ordersOf = (desk: Desk): number => names.reduce((count, name) => count + desk.venues[name].orders(), 0)

/** The lots of a trader, a line each. */
export const lotsOf = ({ trader }: Process) =>
  Effect.map(
    trader.portfolio,
    ({ lots }) =>
      [...lots.values()].map(({ amount, direction, exchange, product }) =>
        `${direction} ${Decimal.format(amount)} ${product} at ${exchange}`
      )
  )

/** What a trader said last, without comparisons. */
export const lastOf = ({ events }: Process) => events.findLast(({ _tag }) => _tag !== "Reconciled")

/** Its portfolio keeps to its invariants. */
export const sound = ({ trader }: Process) =>
  Effect.map(trader.portfolio, (portfolio) => assert.deepStrictEqual(Portfolio.violations(portfolio), []))

/** A process that knows what was open when it began. */
export const recovered = (...given: Parameters<typeof begin>) => Effect.tap(begin(...given), () => pass("2 seconds"))

/** A desk whose router knows one exchange alone. */
export const only = (desk: Desk, exchange: Exchange["Service"]): Desk => ({
  ...desk,
  begin: OrderRouter.make({ strategy: RoutingStrategy.fixed(exchange.name), routes: [{ exchange }] })
})
