/** A router of three mock exchanges on a virtual network. */
import { assert } from "@effect/vitest"
import * as MarketFeed from "@tickline/core/market/MarketFeed"
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

/** One of the exchanges, and its side of it. */
export interface Mock {
  readonly name: Name
  readonly exchange: MockDeribitExchange.MockDeribitExchange
  readonly served: MockVenue.Served
  readonly client: Effect.Success<ReturnType<typeof DeribitExchange.make>>
  /** Its newest book, from a feed of its own. */
  readonly book: NonNullable<Routing.Route["book"]>
  /** How many orders it has been sent. */
  readonly sent: () => number
}

const symbols = {
  symbolOf: (name: string) => name === "BTC-USD-PERP" ? product : undefined,
  nameOf: (symbol: string) => symbol === product ? "BTC-USD-PERP" : undefined
}

const mockOf = (network: VirtualNetwork.VirtualNetwork, name: Name, price: string, hasBooks: boolean) =>
  Effect.gen(function*() {
    const url = `wss://${name}.test/ws/api/v2`
    const exchange = MockDeribitExchange.make({
      accounts: ["AMANDA", "BERTA"].map((clientId) => ({
        clientId,
        clientSecret: `${clientId}SECRECT`,
        balances: { BTC: "10.00000000" }
      }))
    })
    const served = yield* MockVenue.serve(network, url, exchange.venue, {
      products: [{ symbol: product, price, size: "1000" }]
    })
    const client = yield* DeribitExchange.make({
      url,
      clientId: "AMANDA",
      clientSecret: Redacted.make("AMANDASECRECT"),
      learnsLimits: false
    })
    const sent = () => exchange.received().filter(({ method }) => /^private\/(?:buy|sell)$/.test(method)).length
    const book = hasBooks
      ? yield* OrderRouter.booksOf(yield* MarketFeed.make(Deribit.venue, { url, freshness: "none" }), [product])
      : () => Effect.undefined
    const mock: Mock = { name, exchange, served, client, book, sent }
    return mock
  })

/** What is at hand in a test. */
export interface Desk {
  readonly mocks: Readonly<Record<Name, Mock>>
  readonly router: OrderRouter.OrderRouter["Service"]
  readonly storage: Storage["Service"]
  /** Another router of the same storage, as after a restart. */
  readonly restart: (options?: Partial<Routing.Options>) => ReturnType<typeof OrderRouter.make>
}

/** Runs a test with a router, whose exchanges are live. */
export const withRouter = <A, E, R>(
  use: (desk: Desk) => Effect.Effect<A, E, R>,
  options: Partial<Routing.Options> & {
    /** Whether each has a feed beside it, for its book. */
    readonly hasBooks?: boolean | undefined
    readonly prices?: Partial<Readonly<Record<Name, string>>> | undefined
    readonly routes?: ReadonlyArray<Routing.Route> | undefined
    readonly routeOf?: ((mock: Mock) => Partial<Routing.Route>) | undefined
  } = {}
) =>
  withVenue(policyWith({}), ({ network }) =>
    Effect.gen(function*() {
      yield* TestClock.setTime(1_800_000_000_000)
      const { hasBooks = false, prices = {}, routeOf = () => ({}), ...rest } = options
      const [first, second, third] = yield* Effect.all([
        mockOf(network, "first", prices.first ?? "43250.0", hasBooks),
        mockOf(network, "second", prices.second ?? "43250.0", hasBooks),
        mockOf(network, "third", prices.third ?? "43250.0", hasBooks)
      ])
      const mocks = { first, second, third }
      const storage = yield* Storage
      const restart = (changed: Partial<Routing.Options> = {}) =>
        OrderRouter.make({
          routes: Object.values(mocks).map((mock) => ({
            name: mock.name,
            exchange: mock.client,
            symbols,
            ...routeOf(mock)
          })),
          strategy: RoutingStrategy.priority(...names),
          ...rest,
          ...changed
        })
      const router = yield* restart()
      yield* talk
      return yield* use({ mocks, router, storage, restart })
    }).pipe(Effect.provide(MemoryStorage.layer)))
