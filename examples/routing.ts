/**
 * Orders to two exchanges behind one router: where each goes, one that is refused
 * and goes elsewhere, and the same client id once more after a restart. Here the
 * exchanges are mocks on this machine.
 *
 * Run: npx -y pnpm@12 exec node examples/routing.ts
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Decimal, Presets, Reconnection } from "@tickline/core"
import * as CoinbaseAdvanced from "@tickline/core/trading/coinbase/CoinbaseAdvanced"
import * as HyperliquidExchange from "@tickline/core/trading/hyperliquid/HyperliquidExchange"
import * as MemoryStorage from "@tickline/core/trading/MemoryStorage"
import * as NonceStore from "@tickline/core/trading/NonceStore"
import * as OrderRequest from "@tickline/core/trading/OrderRequest"
import * as OrderRouter from "@tickline/core/trading/OrderRouter"
import * as RoutingStrategy from "@tickline/core/trading/RoutingStrategy"
import { NodeTransport } from "@tickline/node"
import * as NodeHttp from "@tickline/node/NodeHttp"
import { MockCoinbaseAdvanced, MockHyperliquidExchange } from "@tickline/testing"
import { MockServer } from "@tickline/testing/node"
import { Console, Effect, Layer, Logger, Redacted } from "effect"

const decimal = (text: string): Decimal.Decimal => Decimal.parse(text) ?? Decimal.zero

/** Two mock exchanges, and what reaches them. */
const mocks = Effect.gen(function*() {
  const coinbase = MockCoinbaseAdvanced.make()
  const hyperliquid = MockHyperliquidExchange.make()
  const served = {
    coinbase: yield* MockServer.make({
      venue: coinbase.venue,
      seed: 7,
      products: [{ symbol: "ETH-USD", price: "2280.50", size: "5.0" }]
    }),
    hyperliquid: yield* MockServer.make({
      venue: hyperliquid.venue,
      seed: 7,
      products: MockHyperliquidExchange.products
    })
  }
  return {
    coinbase,
    routes: Effect.gen(function*() {
      const { keyName, keySecret } = MockCoinbaseAdvanced.simulated
      return [
        {
          exchange: yield* CoinbaseAdvanced.make({
            keyName,
            keySecret: Redacted.make(keySecret),
            url: served.coinbase.httpUrl
          })
        },
        {
          exchange: yield* HyperliquidExchange.make({
            key: Redacted.make("0x0123456789012345678901234567890123456789012345678901234567890123"),
            url: served.hyperliquid.httpUrl
          }),
          // Hyperliquid names a perpetual by its coin alone.
          symbols: {
            symbolOf: (name: string) => name.replace(/-USD$/, ""),
            nameOf: (symbol: string) => `${symbol}-USD`
          }
        }
      ]
    })
  }
})

const order = (clientId: string) =>
  new OrderRequest.OrderRequest({
    product: "ETH-USD",
    side: "buy",
    type: "limit",
    amount: decimal("0.5"),
    price: decimal("2200"),
    timeInForce: "gtc",
    reduceOnly: false,
    clientId
  })

export const program = Effect.gen(function*() {
  const { coinbase, routes } = yield* mocks
  const router = Effect.gen(function*() {
    const made = yield* OrderRouter.make({
      routes: yield* routes,
      strategy: RoutingStrategy.priority("coinbase", "hyperliquid")
    })
    // Until both are live.
    yield* Effect.repeat(made.exchanges, { until: (all) => all.every(({ isAvailable }) => isAvailable) })
    return made
  })
  const place = (made: OrderRouter.OrderRouter["Service"], clientId: string) =>
    Effect.flatMap(made.place(order(clientId)), ({ causes, isDegraded, parts }) =>
      Console.log(
        [
          `${clientId}: at ${parts.map(({ exchange, status }) => `${exchange}, ${status}`).join()}`,
          ...causes.map(({ detail, exchange }) => `${exchange} did not take it: ${detail}`),
          ...(isDegraded ? ["degraded"] : [])
        ].join("; ")
      ))
  yield* Effect.scoped(Effect.gen(function*() {
    const first = yield* router
    yield* place(first, "one")
    coinbase.fault({ _tag: "Answer", call: "POST orders", status: 429, headers: { "retry-after": "1" } })
    yield* place(first, "two")
    const { totals } = yield* first.balances
    yield* Console.log(totals.map(({ asset, total }) => `${asset} ${Decimal.format(total)}`).join(", "))
  }))
  yield* Console.log("after a restart:")
  yield* Effect.scoped(Effect.flatMap(router, (second) => place(second, "one")))
})

const services = Layer.mergeAll(
  NodeTransport.layer,
  NodeHttp.layer,
  Reconnection.layerWithBreaker(Presets.fast),
  NonceStore.layerMemory,
  MemoryStorage.layer,
  Logger.layer([])
)

if (import.meta.main) NodeRuntime.runMain(program.pipe(Effect.scoped, Effect.provide(services)))
