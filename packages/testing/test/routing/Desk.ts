/** A router of three mock exchanges on a virtual network. */
import { assert } from "@effect/vitest"
import * as MarketFeed from "@tickline/core/market/MarketFeed"
import * as Presets from "@tickline/core/resilience/Presets"
import * as DeribitExchange from "@tickline/core/trading/deribit/DeribitExchange"
import * as MemoryStorage from "@tickline/core/trading/MemoryStorage"
import { OrderRequest } from "@tickline/core/trading/OrderRequest"
import * as OrderRouter from "@tickline/core/trading/OrderRouter"
import type * as Routing from "@tickline/core/trading/Routing"
import * as RoutingStrategy from "@tickline/core/trading/RoutingStrategy"
import { Storage } from "@tickline/core/trading/Storage"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Deribit from "@tickline/core/venue/deribit/Venue"
import * as MockDeribitExchange from "@tickline/testing/MockDeribitExchange"
import * as MockVenue from "@tickline/testing/MockVenue"
import type * as VirtualNetwork from "@tickline/testing/VirtualNetwork"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import { policyWith, settle, withVenue } from "../Rig.ts"

export const decimal = (text: string): Decimal.Decimal => Decimal.parse(text) ?? assert.fail(text)

export const product = "BTC-PERPETUAL"

export const names = ["first", "second", "third"] as const

export type Name = (typeof names)[number]

/** Lets conversations of several round trips take place now. */
export const talk = Effect.repeat(settle, { times: 40 })

/** Waits so long, and lets happen what comes of it. */
export const pass = (time: Parameters<typeof TestClock.adjust>[0]) => Effect.andThen(TestClock.adjust(time), talk)

type Terms = ConstructorParameters<typeof OrderRequest>[0]

/** An order far from the market, if nothing else is said. */
export const request = (terms: Partial<Terms> = {}): OrderRequest =>
  new OrderRequest({
    product: "BTC-USD-PERP",
    side: "buy",
    type: "limit",
    amount: decimal("10"),
    price: decimal("40000.0"),
    timeInForce: "gtc",
    reduceOnly: false,
    clientId: "mine",
    ...terms
  })

/** An order at whatever price there is. */
export const market = (terms: Partial<Terms> = {}): OrderRequest => {
  const { price: _, ...rest } = { ...request(), timeInForce: "ioc" as const, ...terms }
  return new OrderRequest({ ...rest, type: "market" })
}

/** One of the exchanges. */
export interface Mock {
  readonly name: Name
  readonly url: string
  readonly exchange: MockDeribitExchange.MockDeribitExchange
  readonly served: MockVenue.Served
  /** How many orders it has been sent. */
  readonly sent: () => number
}

const symbols = {
  symbolOf: (name: string) => name === "BTC-USD-PERP" ? product : undefined,
  nameOf: (symbol: string) => symbol === product ? "BTC-USD-PERP" : undefined
}

const mockOf = Effect.fnUntraced(
  function*(network: VirtualNetwork.VirtualNetwork, name: Name, price: string, options: MockDeribitExchange.Options) {
    const url = `wss://${name}.test/ws/api/v2`
    const exchange = MockDeribitExchange.make({
      accounts: ["AMANDA", "BERTA"].map((clientId) => ({
        clientId,
        clientSecret: `${clientId}SECRECT`,
        balances: { BTC: "10.00000000" }
      })),
      ...options
    })
    const served = yield* MockVenue.serve(network, url, exchange.venue, {
      products: [{ symbol: product, price, size: "1000" }]
    })
    const sent = () => exchange.received().filter(({ method }) => /^private\/(?:buy|sell)$/.test(method)).length
    const mock: Mock = { name, url, exchange, served, sent }
    return mock
  }
)

/** An account's side of an exchange. */
export const clientOf = ({ url }: Mock, clientId = "AMANDA") =>
  DeribitExchange.make({
    url,
    clientId,
    clientSecret: Redacted.make(`${clientId}SECRECT`),
    learnsLimits: false
  })

/** The newest book of an exchange, from a feed of its own. */
const bookOf = Effect.fnUntraced(function*({ url }: Mock) {
  return yield* OrderRouter.booksOf(yield* MarketFeed.make(Deribit.venue, { url, freshness: "none" }), [product])
})

/** What a test may say of a router. */
export interface Options extends Partial<Omit<Routing.Options, "routes">> {
  readonly mocks?: MockDeribitExchange.Options | undefined
  readonly prices?: Partial<Readonly<Record<Name, string>>> | undefined
  /** Whether each exchange has a feed beside it, for its book. */
  readonly hasBooks?: boolean | undefined
  readonly routeOf?: ((route: Routing.Route, name: Name) => Routing.Route) | undefined
}

/** What is at hand in a test. */
export interface Desk {
  readonly mocks: Readonly<Record<Name, Mock>>
  readonly router: OrderRouter.OrderRouter["Service"]
  readonly storage: Storage["Service"]
  /** A router of the same storage in another process, until the scope ends. */
  readonly begin: Effect.Effect<
    OrderRouter.OrderRouter["Service"],
    Effect.Error<ReturnType<typeof OrderRouter.make>>,
    Effect.Services<ReturnType<typeof clientOf>> | Storage
  >
}

/** Runs a test with mock exchanges, a storage, and what begins a router. */
export const withMocks = <A, E, R>(
  use: (desk: Omit<Desk, "router">) => Effect.Effect<A, E, R>,
  options: Options = {}
) =>
  withVenue(
    policyWith({ retry: { ...Presets.fast.retry, maxRetries: "unlimited" } }),
    ({ network }) =>
      Effect.gen(function*() {
        yield* TestClock.setTime(1_800_000_000_000)
        const { hasBooks = false, mocks: made = {}, prices = {}, routeOf = (route) => route, ...rest } = options
        const [first, second, third] = yield* Effect.all([
          mockOf(network, "first", prices.first ?? "43250.0", made),
          mockOf(network, "second", prices.second ?? "43250.0", made),
          mockOf(network, "third", prices.third ?? "43250.0", made)
        ])
        const mocks = { first, second, third }
        const storage = yield* Storage
        const begin = Effect.gen(function*() {
          const routes = yield* Effect.forEach(Object.values(mocks), (mock) =>
            Effect.gen(function*() {
              const exchange = yield* Effect.orDie(clientOf(mock))
              const book = hasBooks ? yield* Effect.orDie(bookOf(mock)) : undefined
              return routeOf({ name: mock.name, exchange, symbols, book }, mock.name)
            }))
          const router = yield* OrderRouter.make({ routes, strategy: RoutingStrategy.priority(...names), ...rest })
          yield* talk
          return router
        })
        return yield* use({ mocks, storage, begin })
      }).pipe(Effect.provide(MemoryStorage.layer))
  )

/** Runs a test with a router, whose exchanges are live. */
export const withRouter = <A, E, R>(use: (desk: Desk) => Effect.Effect<A, E, R>, options: Options = {}) =>
  withMocks((desk) => Effect.flatMap(desk.begin, (router) => use({ ...desk, router })), options)
