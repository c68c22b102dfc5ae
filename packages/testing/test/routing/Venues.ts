/** A router of mocks of three venues, each in its own words, on a virtual network. */
import { assert } from "@effect/vitest"
import * as Presets from "@tickline/core/resilience/Presets"
import type * as Clearing from "@tickline/core/trading/Clearing"
import * as CoinbaseAdvanced from "@tickline/core/trading/coinbase/CoinbaseAdvanced"
import * as DydxExchange from "@tickline/core/trading/dydx/DydxExchange"
import type { Exchange } from "@tickline/core/trading/Exchange"
import * as HyperliquidExchange from "@tickline/core/trading/hyperliquid/HyperliquidExchange"
import * as MemoryStorage from "@tickline/core/trading/MemoryStorage"
import * as NonceStore from "@tickline/core/trading/NonceStore"
import { OrderRequest } from "@tickline/core/trading/OrderRequest"
import * as OrderRouter from "@tickline/core/trading/OrderRouter"
import * as RoutingStrategy from "@tickline/core/trading/RoutingStrategy"
import { Storage } from "@tickline/core/trading/Storage"
import { HttpPort } from "@tickline/core/transport/HttpPort"
import * as Decimal from "@tickline/core/value/Decimal"
import * as MockCoinbaseAdvanced from "@tickline/testing/MockCoinbaseAdvanced"
import * as MockDydxExchange from "@tickline/testing/MockDydxExchange"
import * as MockHyperliquidExchange from "@tickline/testing/MockHyperliquidExchange"
import * as MockVenue from "@tickline/testing/MockVenue"
import * as BigDecimal from "effect/BigDecimal"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import { policyWith, settle, withVenue } from "../Rig.ts"

export const names = ["dydx", "coinbase", "hyperliquid"] as const

export type Name = (typeof names)[number]

export const decimal = (text: string): Decimal.Decimal => Decimal.parse(text) ?? assert.fail(text)

/** Lets conversations take place now. */
export const talk = Effect.repeat(settle, { times: 10 })

/** Waits so long, and lets happen what comes of it. */
export const pass = (time: Parameters<typeof TestClock.adjust>[0]) => Effect.andThen(TestClock.adjust(time), talk)

/** What comes of something, after so long at least. */
export const within = <A, E, R>(time: Parameters<typeof TestClock.adjust>[0], effect: Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const fiber = yield* Effect.forkScoped(effect, { startImmediately: true })
    yield* talk
    yield* pass(time)
    for (let second = 0; fiber.pollUnsafe() === undefined; second++) {
      assert.isBelow(second, 60, "nothing came of it within a minute")
      yield* pass("1 second")
    }
    return yield* Fiber.join(fiber)
  })

type Terms = ConstructorParameters<typeof OrderRequest>[0]

/** A limit order far from each market, if nothing else is said. */
export const limit = (product: "BTC-USD" | "ETH-USD" | "SOL-USD", terms: Partial<Terms> = {}): OrderRequest =>
  new OrderRequest({
    product,
    side: "buy",
    type: "limit",
    amount: decimal({ "BTC-USD": "0.01", "ETH-USD": "0.1", "SOL-USD": "1" }[product]),
    price: decimal({ "BTC-USD": "40000", "ETH-USD": "2000", "SOL-USD": "90" }[product]),
    timeInForce: "gtc",
    reduceOnly: false,
    clientId: "mine",
    ...terms
  })

/** An order at whatever price there is. */
export const market = (product: "BTC-USD" | "ETH-USD" | "SOL-USD", terms: Partial<Terms> = {}): OrderRequest => {
  const { price: _, ...rest } = { ...limit(product), timeInForce: "ioc" as const, ...terms }
  return new OrderRequest({ ...rest, type: "market" })
}

/** One of the venues: our side of it, and what it says of itself. */
export interface Venue {
  readonly exchange: Exchange["Service"]
  readonly served: MockVenue.Served
  /** How many orders of ours it has, open or over. */
  readonly orders: () => number
  /** Has the next order there go wrong: taken and not answered, cut off, or never come. */
  readonly fault: (tag: "Withhold" | "Cut", takenAfter: number) => void
  readonly balances: () => ReadonlyArray<Clearing.Balance>
  readonly positions: () => ReadonlyArray<Clearing.Position>
}

const hyperliquidKey = "0x0123456789012345678901234567890123456789012345678901234567890123"

const products = [
  { symbol: "BTC-USD", price: "43250.00", size: "5.0000" },
  { symbol: "ETH-USD", price: "2280.50", size: "80.000" },
  { symbol: "SOL-USD", price: "98.70", size: "1200.0" }
] as const

/** What is at hand in a test. */
export interface Desk {
  readonly venues: Readonly<Record<Name, Venue>>
  readonly router: OrderRouter.OrderRouter["Service"]
  /** Another router of the same storage, as after a restart. */
  readonly begin: ReturnType<typeof OrderRouter.make>
  readonly storage: Storage["Service"]
  /** Whether a venue can be reached, over HTTP and by its socket. */
  readonly reach: (name: Name, isReachable: boolean) => Effect.Effect<void>
  /** How many orders each venue has of us. */
  readonly counts: () => Readonly<Record<Name, number>>
}

/** Where each product goes. */
export const bySymbol = RoutingStrategy.bySymbol(
  {
    "BTC-USD": RoutingStrategy.fixed("dydx"),
    "ETH-USD": RoutingStrategy.fixed("coinbase"),
    "SOL-USD": RoutingStrategy.fixed("hyperliquid")
  },
  RoutingStrategy.priority(...names)
)

/** Runs a test with a router of the three venues, which are live. */
export const withVenues = <A, E, R>(
  use: (desk: Desk) => Effect.Effect<A, E, R>,
  strategy: RoutingStrategy.RoutingStrategy = bySymbol
) =>
  withVenue(
    policyWith({ retry: { ...Presets.fast.retry, maxRetries: "unlimited" } }),
    ({ network }) =>
      Effect.gen(function*() {
        yield* TestClock.setTime(1_800_000_000_000)
        const dydx = MockDydxExchange.make()
        const coinbase = MockCoinbaseAdvanced.make()
        const hyperliquid = MockHyperliquidExchange.make()
        const served = {
          dydx: yield* MockVenue.serve(network, "wss://dydx.test/v4/ws", dydx.venue, { products }),
          coinbase: yield* MockVenue.serve(network, "wss://coinbase.test", coinbase.venue, { products }),
          hyperliquid: yield* MockVenue.serve(network, "wss://hyperliquid.test/ws", hyperliquid.venue, {
            products: MockHyperliquidExchange.products
          })
        }
        const subaccount = `${MockDydxExchange.account.address}/0`
        const wallet = MockHyperliquidExchange.account.address
        const venues: Desk["venues"] = {
          dydx: {
            served: served.dydx,
            exchange: yield* DydxExchange.make({
              mnemonic: Redacted.make(MockDydxExchange.mnemonic),
              url: "https://dydx.test",
              nodeUrl: "https://dydx.test"
            }),
            orders: () => dydx.orders(subaccount).length,
            fault: (_tag, takenAfter) => dydx.fault({ _tag, takenAfter, call: "POST /cosmos/tx/v1beta1/txs" }),
            balances: () => dydx.balances(subaccount),
            positions: () => dydx.positions(subaccount)
          },
          coinbase: {
            served: served.coinbase,
            exchange: yield* CoinbaseAdvanced.make({
              keyName: MockCoinbaseAdvanced.simulated.keyName,
              keySecret: Redacted.make(MockCoinbaseAdvanced.simulated.keySecret),
              url: "https://coinbase.test"
            }),
            orders: () => coinbase.orders().length,
            fault: (_tag, takenAfter) => coinbase.fault({ _tag, takenAfter, call: "POST orders" }),
            balances: () => coinbase.balances(),
            positions: () => []
          },
          hyperliquid: {
            served: served.hyperliquid,
            exchange: yield* HyperliquidExchange.make({
              key: Redacted.make(hyperliquidKey),
              url: "https://hyperliquid.test"
            }),
            orders: () => hyperliquid.orders(wallet).length,
            fault: (_tag, takenAfter) => hyperliquid.fault({ _tag, takenAfter, call: "order" }),
            balances: () => hyperliquid.balances(wallet),
            positions: () => hyperliquid.positions(wallet)
          }
        }
        const begin = OrderRouter.make({
          strategy,
          routes: names.map((name) => ({
            exchange: venues[name].exchange,
            ...(name === "hyperliquid"
              ? {
                symbols: {
                  symbolOf: (product: string) =>
                    product === "PURR-USD" ? "PURR/USDC" : /^(\w+)-USD$/.exec(product)?.[1],
                  nameOf: (symbol: string) => symbol === "PURR/USDC" ? "PURR-USD" : `${symbol}-USD`
                }
              }
              : {})
          }))
        })
        const router = yield* begin
        yield* talk
        yield* pass("1 second")
        const reach = (name: Name, isReachable: boolean) =>
          Effect.gen(function*() {
            const outcome = { _tag: isReachable ? "Accept" : "Refuse" } as const
            yield* served[name].host.otherwise(outcome)
            yield* served[name].rest.otherwise(outcome)
            if (!isReachable) yield* served[name].host.drop
            yield* talk
          })
        const counts = () => ({
          dydx: venues.dydx.orders(),
          coinbase: venues.coinbase.orders(),
          hyperliquid: venues.hyperliquid.orders()
        })
        return yield* use({ venues, router, begin, storage: yield* Storage, reach, counts })
      }).pipe(
        Effect.provideService(HttpPort, network.http),
        Effect.provide(Layer.merge(NonceStore.layerMemory, MemoryStorage.layer))
      )
  )

/** The sum of what the venues say that an asset comes to. */
export const heldOf = ({ venues }: Desk, asset: string): Decimal.Decimal =>
  names.flatMap((name) => venues[name].balances().filter((balance) => balance.asset === asset))
    .reduce((sum, { total }) => BigDecimal.sum(sum, total), Decimal.zero)
