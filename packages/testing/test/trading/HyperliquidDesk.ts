/** Order entry at the mock of Hyperliquid, on a virtual network. */
import { assert } from "@effect/vitest"
import * as Presets from "@tickline/core/resilience/Presets"
import type { Exchange } from "@tickline/core/trading/Exchange"
import * as HyperliquidExchange from "@tickline/core/trading/hyperliquid/HyperliquidExchange"
import * as NonceStore from "@tickline/core/trading/NonceStore"
import type { OrderEvent } from "@tickline/core/trading/OrderEvent"
import { OrderRequest } from "@tickline/core/trading/OrderRequest"
import { HttpPort } from "@tickline/core/transport/HttpPort"
import * as MockHyperliquidExchange from "@tickline/testing/MockHyperliquidExchange"
import * as MockVenue from "@tickline/testing/MockVenue"
import type * as VirtualNetwork from "@tickline/testing/VirtualNetwork"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import { settle, withVenue } from "../Rig.ts"
import { decimal } from "./Desk.ts"

export const rest = "http://hyperliquid.test"
export const socket = "ws://hyperliquid.test/ws"
export const key = "0x0123456789012345678901234567890123456789012345678901234567890123"
export const address = "0x14791697260e4c9a71f18484c9f997b308e59325"

/** A client id of the venue's form. */
export const cloid = (digit: string): string => `0x${digit.repeat(32)}`
export const mine = cloid("a")

/** An order far from the market, if nothing else is said. */
export const request = (terms: Partial<ConstructorParameters<typeof OrderRequest>[0]> = {}): OrderRequest =>
  new OrderRequest({
    product: "BTC",
    side: "buy",
    type: "limit",
    amount: decimal("0.01"),
    price: decimal("40000"),
    timeInForce: "gtc",
    reduceOnly: false,
    clientId: mine,
    ...terms
  })

export const market = (terms: Partial<ConstructorParameters<typeof OrderRequest>[0]> = {}): OrderRequest => {
  const { price: _, ...rest } = { ...request(), ...terms }
  return new OrderRequest({ ...rest, type: "market" })
}

export const make = (options: Partial<HyperliquidExchange.Options> = {}) =>
  HyperliquidExchange.make({ key: Redacted.make(key), url: rest, ...options })

/** Somebody else who trades on the same exchange. */
export const otherKey = "0x822e9959e022b78423eb653a62ea0020cd283e71a2a8133a6ff2aeffaf373cff"
export const otherAddress = "0xe5ca49fb3bd9a581f0d1ef9cb5d7177da08bf901"

export const accounts: ReadonlyArray<MockHyperliquidExchange.Account> = [
  MockHyperliquidExchange.account,
  { address: otherAddress, balances: { USDC: "1000000" } }
]

/** Their orders, and a price between the best bid and the best ask. */
export const theirs = (desk: Pick<Desk, "served">) =>
  Effect.map(make({ key: Redacted.make(otherKey), account: otherAddress }), (orders) => {
    const between = Math.floor(Number(best(desk, "bids"))) + 1
    assert.isBelow(between, Number(best(desk, "asks")))
    return { orders, between: String(between) }
  })

/** The id of the order that an event is of. */
export const idOf = (event: OrderEvent | undefined): string =>
  event !== undefined && "orderId" in event ? event.orderId ?? "" : ""

/** An order as it was posted. */
export interface Wire {
  readonly a: number
  readonly b: boolean
  readonly p: string
  readonly s: string
  readonly r: boolean
  readonly t: unknown
  readonly c: string
}

/** What was posted, as far as tests look at it. */
export interface Posted {
  readonly oid?: unknown
  readonly nonce: number
  readonly expiresAfter: number
  readonly vaultAddress?: string
  readonly action: {
    readonly grouping?: string
    readonly type: string
    readonly orders: ReadonlyArray<Wire>
    readonly modifies?: ReadonlyArray<{ readonly order: Wire }>
    readonly cancels?: ReadonlyArray<unknown>
  }
}

export interface Desk {
  readonly exchange: MockHyperliquidExchange.MockHyperliquidExchange
  readonly served: MockVenue.Served
  readonly network: VirtualNetwork.VirtualNetwork
  readonly orders: Exchange["Service"]
  /** Our side once more, as another process has it. */
  readonly again: (
    options?: Partial<HyperliquidExchange.Options>
  ) => Effect.Effect<Exchange["Service"], unknown, Effect.Services<ReturnType<typeof make>>>
  /** How often a call of a name came. */
  readonly calls: (name: string) => number
  /** What was posted or asked under a name, as JSON. */
  readonly bodies: (name: string) => ReadonlyArray<Posted>
}

/** Answers that bear the venue's time, in whole seconds. */
const dated = (port: HttpPort["Service"], ahead: number): HttpPort["Service"] => ({
  ...port,
  request: (request) =>
    Effect.zipWith(port.request(request), Clock.currentTimeMillis, (answer, now) => ({
      ...answer,
      headers: { ...answer.headers, date: new Date(now + ahead).toUTCString() }
    }))
})

/** Runs a test with an exchange and our side of it. */
export const withDesk = <A, E, R>(
  use: (desk: Desk) => Effect.Effect<A, E, R>,
  options: Partial<HyperliquidExchange.Options> & {
    readonly mock?: MockHyperliquidExchange.Options
    /** How far the venue's clock is ahead by the `Date` of its answers, in milliseconds; without it they have none. */
    readonly ahead?: number
  } = {}
) =>
  withVenue(
    { ...Presets.fast, circuit: "none", retry: { ...Presets.fast.retry, maxRetries: "unlimited" } },
    ({ network }) =>
      Effect.gen(function*() {
        yield* TestClock.setTime(1_800_000_000_000)
        const { ahead, mock, ...own } = options
        const exchange = MockHyperliquidExchange.make({ accounts, ...mock })
        const served = yield* MockVenue.serve(network, socket, exchange.venue, {
          products: MockHyperliquidExchange.products
        })
        yield* settle
        const received = (name: string) => exchange.received().filter(({ call }) => call === name)
        return yield* Effect.flatMap(make(own), (orders) =>
          use({
            exchange,
            served,
            network,
            orders,
            again: make,
            calls: (name) => received(name).length,
            bodies: (name) => received(name).map(({ question: { body } }) => JSON.parse(body))
          })).pipe(
            Effect.provideService(HttpPort, ahead === undefined ? network.http : dated(network.http, ahead)),
            Effect.provide(NonceStore.layerMemory)
          )
      })
  )

/** The best of a side. */
export const best = ({ served }: Pick<Desk, "served">, side: "bids" | "asks", product = "BTC"): string =>
  served.book(product)?.[side][0]?.[0] ?? assert.fail()
