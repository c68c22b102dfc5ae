/**
 * A mock of Hyperliquid that trades: `MockHyperliquid`'s market data, and with it
 * accounts, orders and positions, over HTTP (`/info`, `/exchange`) and on the
 * socket (`post`, and subscriptions to an account's orders and executions).
 *
 * What it enforces, as the venue documents it: the signer is recovered from the
 * signature, and has to be an account or an API wallet of one; figures are hashed
 * without zeros at their end; each nonce is used once, is above the lowest of the
 * hundred highest, and near the time; nothing is taken after its `expiresAfter`;
 * prices have five significant figures and as many decimals as the size leaves,
 * sizes those of the asset; an order is worth 10 dollars; a client id is of one
 * open order. An amendment ends an order and begins another. Its orders match by
 * `trading/Matching`, and its accounts are exact: `trading/Clearing`.
 *
 * What it does not have: orders with triggers, builders, transfers. Its dollars are
 * one account, that of the perpetuals, also for spot.
 *
 * **Example** (an exchange on a virtual network)
 *
 * ```ts
 * const exchange = MockHyperliquidExchange.make()
 * const served = yield* MockVenue.serve(network, "wss://hyperliquid.test/ws", exchange.venue, {
 *   products: MockHyperliquidExchange.products
 * })
 * // the application loses the answer to its next order
 * exchange.fault({ _tag: "Withhold", call: "order" })
 * exchange.orders(MockHyperliquidExchange.account.address)
 * ```
 *
 * @see https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/exchange-endpoint (read 2026-11-26)
 * @see https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/error-responses (read 2026-11-26)
 * @since 0.1.0
 */
import type * as Clearing from "@tickline/core/trading/Clearing"
import type { Network } from "@tickline/core/trading/hyperliquid/HyperliquidSigning"
import type * as Market from "../venue/Market.ts"
import * as MockHyperliquid from "../venue/MockHyperliquid.ts"
import type * as MockVenue from "../venue/MockVenue.ts"
import type { CallFault, ReceivedCall } from "./internal/httpExchange.ts"
import type * as Accounts from "./internal/hyperliquidAccounts.ts"
import type { Order as OrderRecord } from "./internal/hyperliquidAnswers.ts"
import { HyperliquidExchange } from "./internal/hyperliquidExchange.ts"
import { HyperliquidSession } from "./internal/hyperliquidSession.ts"

/**
 * An account: its address, what it has by asset, the API wallets that sign for it,
 * the vaults that it leads, and the leverage of its positions (default 20).
 *
 * @category models
 * @since 0.1.0
 */
export type Account = Accounts.Account

/**
 * What goes wrong with the next calls of a name, on the socket as over HTTP: the
 * `type` of an action (`order`, `batchModify`, `cancel`) or of a question
 * (`orderStatus`, `meta`).
 *
 * @category models
 * @since 0.1.0
 */
export type Fault = CallFault

/**
 * A call as it came: when, its name, and what was asked.
 *
 * @category models
 * @since 0.1.0
 */
export type Received = ReceivedCall

/**
 * An order of an account, open or over.
 *
 * @category models
 * @since 0.1.0
 */
export type Order = OrderRecord

/**
 * How an exchange is made: its accounts (default `account`), the network that has
 * to be signed for (default the main net), and the `seed` of what fails by `fail`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly accounts?: ReadonlyArray<Account> | undefined
  readonly network?: Network | undefined
  readonly seed?: number | undefined
}

/**
 * An exchange. `venue` is what is served, once, by `MockVenue.serve` or
 * `MockServer`; the rest is for tests, once it is served.
 *
 * @category models
 * @since 0.1.0
 */
export interface MockHyperliquidExchange {
  readonly venue: MockVenue.MockVenue
  /** All orders of an address, in the order in which they came. */
  readonly orders: (address: string) => ReadonlyArray<Readonly<Order>>
  readonly balances: (address: string) => ReadonlyArray<Clearing.Balance>
  readonly positions: (address: string) => ReadonlyArray<Clearing.Position>
  /** What was asked of it, in the order in which it came. */
  readonly received: () => ReadonlyArray<Received>
  /** Has the next calls of a name go wrong. */
  readonly fault: (fault: Fault) => void
  /** Has a share of all calls answered with 503, of which half are carried out. */
  readonly fail: (share: number) => void
  /** Whether the socket says nothing of orders. */
  readonly silence: (isOn: boolean) => void
}

/**
 * An account with the key of the venue's published signatures,
 * `0x0123456789012345678901234567890123456789012345678901234567890123`: a million
 * dollars, and 100,000 PURR.
 *
 * @category constants
 * @since 0.1.0
 */
export const account: Account = {
  address: "0x14791697260e4c9a71f18484c9f997b308e59325",
  balances: { USDC: "1000000", PURR: "100000" }
}

/**
 * What it may list: three perpetuals and a spot pair, with the venue's decimals.
 *
 * @category constants
 * @since 0.1.0
 */
export const products: readonly [Market.Product, ...Array<Market.Product>] = [
  { symbol: "BTC", price: "43250.0", size: "0.05000" },
  { symbol: "ETH", price: "2280.50", size: "0.8000" },
  { symbol: "SOL", price: "98.7300", size: "12.00" },
  { symbol: "PURR/USDC", price: "0.18523000", size: "1500" }
]

/**
 * Makes an exchange that nobody has traded at.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: Options = {}): MockHyperliquidExchange => {
  const market = MockHyperliquid.make()
  const exchange = new HyperliquidExchange({
    accounts: options.accounts ?? [account],
    network: options.network ?? "mainnet",
    seed: options.seed
  })
  return {
    venue: {
      ...market,
      gateway: (host) => {
        exchange.open(host)
        return {
          open: (line) => new HyperliquidSession(exchange, line),
          move: (market) => exchange.move(market),
          ask: (question, reply) => exchange.ask(question, reply)
        }
      }
    },
    orders: (address) => exchange.books.of(address.toLowerCase()),
    balances: (address) => exchange.books.clearing.balances(address.toLowerCase()),
    positions: (address) => exchange.books.clearing.positions(address.toLowerCase()),
    received: () => exchange.received,
    fault: (fault) => exchange.fault(fault),
    fail: (share) => exchange.fail(share),
    silence: (isOn) => {
      exchange.isSilent = isOn
    }
  }
}
