/**
 * A mock of Deribit that trades: `MockDeribit`'s market data, and on the same
 * connections accounts, orders and positions. Its public book is that of the
 * engine that matches the orders.
 *
 * What it enforces, as the venue documents it: sign-in by client credentials, by
 * signature and by refresh token, with tokens that expire; credits by class of
 * method, where a request too many ends the connection; cancel-on-disconnect,
 * which a logout does not cause; heartbeats whose `test_request` has to be
 * answered; `valid_until` and `reject_post_only`; mass quotes under a market
 * maker's protection; maintenance and settlement. It has each method that
 * `session/deribit/Methods` declares.
 *
 * Accounts and orders outlive connections. What a test wants to know of them, or
 * to go wrong with them, it asks of the exchange itself.
 *
 * **Example** (an exchange on a virtual network)
 *
 * ```ts
 * const exchange = MockDeribitExchange.make()
 * const served = yield* MockVenue.serve(network, "wss://deribit.test", exchange.venue)
 * // the application signs in as AMANDA, and loses the answer to its next order
 * exchange.fault({ _tag: "Withhold", method: "private/buy" })
 * exchange.orders("my-label")
 * ```
 *
 * @see https://docs.deribit.com/articles/authentication (read 2026-11-26)
 * @see https://docs.deribit.com/articles/rate-limits (read 2026-11-26)
 * @since 0.1.0
 */
import * as MockDeribit from "../venue/MockDeribit.ts"
import type * as MockVenue from "../venue/MockVenue.ts"
import type { Pool as CreditPool, Spent as CreditsSpent } from "./internal/credits.ts"
import type { OrderRecord as Order } from "./internal/deribitBook.ts"
import * as Exchange from "./internal/deribitExchange.ts"
import { DeribitSession } from "./internal/deribitSession.ts"
import type { PoolName as CreditPoolName } from "./internal/deribitValues.ts"

/**
 * An account: its API key, its balances by currency, and its own `pools` where it
 * has others than the exchange's.
 *
 * @category models
 * @since 0.1.0
 */
export type Account = Exchange.Account

/**
 * A pool of credits: how many it holds, how many come back each second, and what
 * a request takes.
 *
 * @category models
 * @since 0.1.0
 */
export type Pool = CreditPool

/**
 * Which pool a request is paid from: matching (`matching`, and `cancel_all` for
 * those that cancel many), `subscribe`, `get_instruments`, and all else.
 *
 * @category models
 * @since 0.1.0
 */
export type PoolName = CreditPoolName

/**
 * A request that took credits, or found too few.
 *
 * @category models
 * @since 0.1.0
 */
export type Spent = CreditsSpent<PoolName>

/**
 * What goes wrong with the next calls (1 by default) of a method, which are
 * carried out: their answer is withheld, or the connection is cut before it, or it
 * comes later. Where there is no answer, `takenAfter` says in how many
 * milliseconds they are carried out: at once by default, never if it is
 * `Infinity`. The method of what is told of channels is `subscription`: it may be
 * withheld.
 *
 * @category models
 * @since 0.1.0
 */
export type Fault = Exchange.Fault

/**
 * A frame about orders as it was received: when, in epoch milliseconds, and on
 * which connection, counted from 1.
 *
 * @category models
 * @since 0.1.0
 */
export type Received = Exchange.Received

/**
 * An order of an account, open or over.
 *
 * @category models
 * @since 0.1.0
 */
export type { Order }

/**
 * What an account has: its orders, in the order in which they came, and the size
 * of its positions by instrument, below zero if they are short; those of nothing
 * are not there.
 *
 * @category models
 * @since 0.1.0
 */
export type Holdings = Exchange.Holdings

/**
 * A `test_request`, when it was sent, and when it was answered if it was.
 *
 * @category models
 * @since 0.1.0
 */
export type Test = Exchange.Test

/**
 * How an exchange is made.
 *
 * - `accounts`: default one, with the key of the venue's published signature:
 *   `AMANDA`, `AMANDASECRECT`, 10 BTC and 100 ETH.
 * - `pools`: in place of the venue's, as it has them for the least volume.
 * - `tokenMillis`: how long an access token holds. Default 15 minutes.
 * - `testMillis`: how soon a `test_request` has to be answered. Default 10 s; the
 *   venue does not say.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly accounts?: ReadonlyArray<Account> | undefined
  readonly pools?: Partial<Readonly<Record<PoolName, Pool>>> | undefined
  readonly tokenMillis?: number | undefined
  readonly testMillis?: number | undefined
}

/**
 * An exchange. `venue` is what is served, once, by `MockVenue.serve` or
 * `MockServer`; the rest is for tests.
 *
 * @category models
 * @since 0.1.0
 */
export interface MockDeribitExchange {
  readonly venue: MockVenue.MockVenue
  /** All orders that had a label, in the order in which they came. */
  readonly orders: (label: string) => ReadonlyArray<Readonly<Order>>
  /** What an account has, by its client id. */
  readonly holdings: (clientId: string) => Holdings
  /** The frames about orders, in the order in which they were read. */
  readonly received: () => ReadonlyArray<Received>
  /** What was spent of credits, by everybody. */
  readonly credits: () => ReadonlyArray<Spent>
  readonly tests: () => ReadonlyArray<Readonly<Test>>
  /** Has the next calls of a method go wrong. */
  readonly fault: (fault: Fault) => void
  /** Whether it is in maintenance: everything but `public/status` is refused. */
  readonly maintenance: (isOn: boolean) => void
  /** Whether it settles: orders are refused, and at its end all positions are settled. */
  readonly settlement: (isOn: boolean) => void
}

/**
 * The venue's pools of credits, for the least volume.
 *
 * @see https://docs.deribit.com/articles/rate-limits (read 2026-11-26)
 *
 * @category constants
 * @since 0.1.0
 */
export const pools: Readonly<Record<PoolName, Pool>> = {
  non_matching: { capacity: 50_000, perSecond: 10_000, cost: 500 },
  subscribe: { capacity: 30_000, perSecond: 10_000, cost: 3_000 },
  get_instruments: { capacity: 500_000, perSecond: 10_000, cost: 10_000 },
  matching: { capacity: 20, perSecond: 5, cost: 1 },
  cancel_all: { capacity: 20, perSecond: 5, cost: 1 }
}

const amanda: Account = {
  clientId: "AMANDA",
  clientSecret: "AMANDASECRECT",
  balances: { BTC: "10.00000000", ETH: "100.00000000" }
}

/**
 * Makes an exchange that nobody has traded at.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: Options = {}): MockDeribitExchange => {
  const market = MockDeribit.make({ accounts: true })
  const exchange = new Exchange.DeribitExchange({
    accounts: options.accounts ?? [amanda],
    pools: { ...pools, ...options.pools },
    tokenMillis: options.tokenMillis ?? 900_000,
    testMillis: options.testMillis ?? 10_000,
    listing: market.listing ?? (() => undefined)
  })
  const { limits: _, tests: __, ...enforcement } = market.enforcement ?? { countsPings: false, excess: {} }
  return {
    // Requests are paid for with credits, and heartbeats are the gateway's.
    venue: {
      ...market,
      heartbeatMillis: undefined,
      heartbeat: () => [],
      enforcement: { ...enforcement, limits: [] },
      receive: (session, frame, floor) => market.receive({ ...session, heard: undefined }, frame, floor),
      gateway: (host) => {
        exchange.open(host)
        return {
          open: (line) => new DeribitSession(exchange, line),
          move: (market) => exchange.move(market)
        }
      }
    },
    orders: (label) => exchange.labelled(label),
    holdings: (clientId) => exchange.holdings(clientId),
    received: () => exchange.received,
    credits: () => exchange.credits.history,
    tests: () => exchange.tests,
    fault: (fault) => exchange.fault(fault),
    maintenance: (isOn) => exchange.maintain(isOn),
    settlement: (isOn) => exchange.settle(isOn)
  }
}
