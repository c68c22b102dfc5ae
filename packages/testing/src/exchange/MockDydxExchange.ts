/**
 * A mock of dYdX v4 that trades: `MockDydx`'s market data, and with it a node of
 * the chain and the indexer's accounts, over HTTP (`/cosmos/…`, `/v4/…`) and on
 * the socket (`v4_subaccounts`).
 *
 * What it enforces, as the chain does: a transaction is of one message, signed by
 * the key of the order's owner for the chain and the account's number; what rests
 * needs the account's next sequence; amounts and prices are whole steps and ticks;
 * an order that does not rest lives for twenty blocks at most, one that rests is
 * neither ioc nor reduce-only; a client id is of one open order of its kind. A
 * block comes every second: what rests is in the book from the next one on. Orders
 * match by `trading/Matching`, and accounts are exact: `trading/Clearing`.
 *
 * What it does not have: orders with triggers, transfers, funding, liquidation.
 * The words of its refusals are its own.
 *
 * **Example** (an exchange on a virtual network)
 *
 * ```ts
 * const exchange = MockDydxExchange.make()
 * const served = yield* MockVenue.serve(network, "wss://dydx.test/v4/ws", exchange.venue)
 * // the node takes transactions, and they never come into a block
 * exchange.lose(true)
 * ```
 *
 * @see https://docs.dydx.xyz/concepts/trading/orders (read 2026-11-26)
 * @since 0.1.0
 */
import type * as Clearing from "@tickline/core/trading/Clearing"
import * as Decimal from "@tickline/core/value/Decimal"
import * as MockDydx from "../venue/MockDydx.ts"
import type * as MockVenue from "../venue/MockVenue.ts"
import { type Account as AccountRecord, DydxExchange } from "./internal/dydxExchange.ts"
import { DydxSession } from "./internal/dydxSession.ts"
import type { CallFault, ReceivedCall } from "./internal/httpExchange.ts"

/**
 * An account: its address, what its subaccounts have of USDC, and the leverage of
 * its positions (default 20).
 *
 * @category models
 * @since 0.1.0
 */
export type Account = AccountRecord

/**
 * What goes wrong with the next calls of a name, such as `GET /v4/orders/{id}` or
 * `POST /cosmos/tx/v1beta1/txs`.
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
 * An order: its id at the indexer, how it stands there, how much of it is filled,
 * and the number that the chain knows it by.
 *
 * @category models
 * @since 0.1.0
 */
export interface Order {
  readonly id: string
  readonly clientId: number
  readonly status: "open" | "filled" | "cancelled"
  readonly filled: Decimal.Decimal
}

/**
 * How an exchange is made: its accounts (default `account`), and its chain
 * (default `dydx-mainnet-1`).
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly accounts?: ReadonlyArray<Account> | undefined
  readonly chainId?: string | undefined
}

/**
 * An exchange. `venue` is what is served, once, by `MockVenue.serve` or
 * `MockServer`; the rest is for tests, once it is served. A subaccount is
 * `address/number`.
 *
 * @category models
 * @since 0.1.0
 */
export interface MockDydxExchange {
  readonly venue: MockVenue.MockVenue
  /** All orders of a subaccount, in the order in which they came. */
  readonly orders: (subaccount: string) => ReadonlyArray<Order>
  readonly balances: (subaccount: string) => ReadonlyArray<Clearing.Balance>
  readonly positions: (subaccount: string) => ReadonlyArray<Clearing.Position>
  /** What was asked of it, in the order in which it came. */
  readonly received: () => ReadonlyArray<Received>
  /** Has the next calls of a name go wrong. */
  readonly fault: (fault: Fault) => void
  /** Whether transactions are taken and never come into a block. */
  readonly lose: (isOn: boolean) => void
  /** Whether the socket tells nothing of orders. */
  readonly silence: (isOn: boolean) => void
}

/**
 * An account of the mnemonic that the venue's own tests publish, with 100,000 USDC
 * in its first subaccount.
 *
 * @category constants
 * @since 0.1.0
 */
export const account: Account = {
  address: "dydx14zzueazeh0hj67cghhf9jypslcf9sh2n5k6art",
  subaccounts: { 0: "100000" }
}

/**
 * The mnemonic of `account`.
 *
 * @category constants
 * @since 0.1.0
 */
export const mnemonic = "mirror actor skill push coach wait confirm orchard lunch mobile athlete gossip " +
  "awake miracle matter bus reopen team ladder lazy list timber render wait"

/**
 * Makes an exchange that nobody has traded at.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = ({ accounts = [account], chainId = "dydx-mainnet-1" }: Options = {}): MockDydxExchange => {
  const market = MockDydx.make()
  let served: DydxExchange | undefined
  const exchange = (): DydxExchange => {
    if (served === undefined) throw new Error("this exchange is not served yet")
    return served
  }
  return {
    venue: {
      ...market,
      gateway: (host) => {
        if (served !== undefined) throw new Error("this exchange is served already")
        const opened = new DydxExchange(host, { accounts, chainId, listing: market.listing })
        served = opened
        return {
          open: (line) => new DydxSession(opened, line),
          move: (market) => opened.move(market),
          ask: (question, reply) => opened.ask(question, reply)
        }
      }
    },
    orders: (subaccount) =>
      exchange().of(subaccount).toReversed().map(({ record, terms: { id, message } }) => ({
        id,
        clientId: message.orderId.clientId,
        status: record?.status ?? "cancelled",
        filled: record?.filled ?? Decimal.zero
      })),
    balances: (subaccount) => exchange().books.clearing.balances(subaccount),
    positions: (subaccount) => exchange().books.clearing.positions(subaccount),
    received: () => exchange().received,
    fault: (fault) => exchange().fault(fault),
    lose: (isOn) => {
      exchange().losesTransactions = isOn
    },
    silence: (isOn) => {
      exchange().isSilent = isOn
    }
  }
}
