/** Order entry at the mock of Coinbase Advanced Trade, on a virtual network. */
import * as Reconnection from "@tickline/core/connection/Reconnection"
import type { ConnectionPolicy } from "@tickline/core/resilience/ConnectionPolicy"
import * as CoinbaseAdvanced from "@tickline/core/trading/coinbase/CoinbaseAdvanced"
import type { Exchange } from "@tickline/core/trading/Exchange"
import type * as OrderEvent from "@tickline/core/trading/OrderEvent"
import { OrderRequest } from "@tickline/core/trading/OrderRequest"
import { HttpPort } from "@tickline/core/transport/HttpPort"
import { Transport } from "@tickline/core/transport/Transport"
import * as MockCoinbaseAdvanced from "@tickline/testing/MockCoinbaseAdvanced"
import * as MockVenue from "@tickline/testing/MockVenue"
import * as Probe from "@tickline/testing/Probe"
import * as VirtualNetwork from "@tickline/testing/VirtualNetwork"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import type * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { policyWith } from "../Rig.ts"
import { decimal, give } from "./Desk.ts"

export const product = "BTC-USD"

const berta: MockCoinbaseAdvanced.Account = {
  keyName: "organizations/tickline/apiKeys/berta",
  // The second test of RFC 8032.
  keySecret: "TM0Imyj/ltqdtsNG7BFOD1uKMZ81q6Yk2oz27U+4pvs=",
  balances: { USD: "1000000.00", BTC: "10.00000000" }
}

/** An order far from the market, if nothing else is said. */
export const request = (terms: Partial<ConstructorParameters<typeof OrderRequest>[0]> = {}): OrderRequest =>
  new OrderRequest({
    product,
    side: "buy",
    type: "limit",
    amount: decimal("0.10000000"),
    price: decimal("40000.00"),
    timeInForce: "gtc",
    reduceOnly: false,
    clientId: "mine",
    ...terms
  })

export const market = (terms: Partial<ConstructorParameters<typeof OrderRequest>[0]> = {}): OrderRequest => {
  const { price: _, ...rest } = { ...request(), ...terms }
  return new OrderRequest({ ...rest, type: "market" })
}

export const make = (
  { keyName, keySecret }: MockCoinbaseAdvanced.Account = MockCoinbaseAdvanced.simulated,
  options: Partial<CoinbaseAdvanced.Options> = {}
) =>
  CoinbaseAdvanced.make({
    keyName,
    keySecret: Redacted.make(keySecret),
    url: "https://coinbase.test",
    ...options
  })

/** Somebody else who trades on the same exchange, between the best bid and the best ask. */
const otherOf = (orders: Exchange["Service"]) => {
  let count = 0
  const place = (side: "buy" | "sell") => (amount: string, price = "43250.50") =>
    give(orders.place(request({
      side,
      amount: decimal(amount),
      price: decimal(price),
      clientId: `theirs-${++count}`
    })))
  return { buy: place("buy"), sell: place("sell") }
}

export interface Desk {
  readonly network: VirtualNetwork.VirtualNetwork
  readonly exchange: MockCoinbaseAdvanced.MockCoinbaseAdvanced
  readonly served: MockVenue.Served
  readonly orders: Exchange["Service"]
  readonly other: ReturnType<typeof otherOf>
  /** How often a call came. */
  readonly calls: (call: string) => number
}

export interface Options extends MockCoinbaseAdvanced.Options {
  readonly latency?: number | undefined
  readonly policy?: Partial<ConnectionPolicy> | undefined
}

/** When the virtual day begins. */
export const begun = 1_795_219_200_000

/** Runs a test with an exchange and our side of it. */
export const withDesk = <A, E, R>(use: (desk: Desk) => Effect.Effect<A, E, R>, options: Options = {}) =>
  Effect.gen(function*() {
    yield* TestClock.setTime(begun)
    const network = yield* VirtualNetwork.make({ seed: 1, latency: options.latency ?? 0 })
    const exchange = MockCoinbaseAdvanced.make({ accounts: [MockCoinbaseAdvanced.simulated, berta], ...options })
    const served = yield* MockVenue.serve(network, "wss://coinbase.test", exchange.venue, {
      products: [
        { symbol: product, price: "43250.10", size: "0.05000000" },
        { symbol: "ETH-USD", price: "2280.50", size: "0.80000000" }
      ]
    })
    yield* served.quote(product, "43250.00", "43251.00")
    return yield* Probe.scoped(Effect.gen(function*() {
      const orders = yield* make()
      const calls = (call: string) => exchange.received().filter((received) => received.call === call).length
      return yield* use({ network, exchange, served, orders, other: otherOf(yield* make(berta)), calls })
    })).pipe(
      Effect.provide(Reconnection.layerWithBreaker(policyWith(options.policy ?? {}))),
      Effect.provideService(Transport, network.transport),
      Effect.provideService(HttpPort, network.http)
    )
  })

/** A command whose outcome is there at once. */
export const said = <E extends { readonly _tag: string }>(commands: Stream.Stream<OrderEvent.OrderEvent, E>) =>
  Effect.map(give(commands), ({ lines }) => lines())
