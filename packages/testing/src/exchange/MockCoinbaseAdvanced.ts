/**
 * A mock of Coinbase Advanced Trade that trades: `MockCoinbase`'s market data, and
 * beside it accounts and orders over REST and the channel of the user. Its public
 * book is that of the engine that matches the orders.
 *
 * What it enforces, as the venue documents it: a token of its own for each request
 * and each ask, whose signature, key, time, URI and nonce are checked; 30 requests
 * a second; client ids that are unique, one that is in use being answered with the
 * order that has it; prices and sizes in the product's steps; accounts that have
 * what their orders need. It takes `limit_limit_gtc`, `limit_limit_gtd`,
 * `limit_limit_fok`, `sor_limit_ioc` and `market_market_ioc`, by `base_size`.
 *
 * Accounts and orders outlive connections. What a test wants to know of them, or to
 * go wrong with them, it asks of the exchange itself. A call is named by its method
 * and its path after `/api/v3/brokerage/`: `POST orders`,
 * `GET orders/historical/{id}`.
 *
 * **Example** (an exchange on a virtual network)
 *
 * ```ts
 * const exchange = MockCoinbaseAdvanced.make()
 * const served = yield* MockVenue.serve(network, "wss://coinbase.test", exchange.venue)
 * // the application asks https://coinbase.test, and loses the answer to its next order
 * exchange.fault({ _tag: "Withhold", call: "POST orders" })
 * exchange.orders("my-order")
 * ```
 *
 * @see https://docs.cdp.coinbase.com/api-reference/advanced-trade-api/rest-api/introduction (read 2026-11-26)
 * @since 0.1.0
 */
import type * as Clearing from "@tickline/core/trading/Clearing"
import type * as Decimal from "@tickline/core/value/Decimal"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as MockCoinbase from "../venue/MockCoinbase.ts"
import type * as MockVenue from "../venue/MockVenue.ts"
import * as Exchange from "./internal/coinbaseExchange.ts"
import { CoinbaseMember } from "./internal/coinbaseMember.ts"
import type { FillRecord, OrderRecord } from "./internal/coinbaseOrders.ts"
import type { CallFault, ReceivedCall } from "./internal/httpExchange.ts"

/**
 * An account: its API key, and what it has, by asset.
 *
 * @category models
 * @since 0.1.0
 */
export type Account = Exchange.Account

/**
 * What goes wrong with the next calls (1 by default) of a name, or of any:
 *
 * - `Withhold`, `Cut`: no answer comes, or the connection is cut in its place.
 *   `takenAfter` says in how many milliseconds the call is carried out: at once by
 *   default, never if it is `Infinity`
 * - `Delay`: carried out at once, and told of, and answered after so many
 *   milliseconds
 * - `Late`: carried out, and answered, after so many milliseconds
 * - `Malform`: carried out, and its answer is half of what it should be
 * - `Answer`: not carried out, but answered with this, such as a status of 429 with
 *   a `retry-after`
 *
 * @category models
 * @since 0.1.0
 */
export type Fault = CallFault

/**
 * A call as it came, with what was asked: when, in epoch milliseconds.
 *
 * @category models
 * @since 0.1.0
 */
export type Received = ReceivedCall

/**
 * An order of an account, open or over, and an execution of it.
 *
 * @category models
 * @since 0.1.0
 */
export type { FillRecord as Fill, OrderRecord as Order }

/**
 * How an exchange is made.
 *
 * - `accounts`: default one, `simulated`
 * - `requestsPerSecond`: of each account. Default 30
 * - `cancelMillis`: how long a cancel is queued before it happens. Default 0
 * - `mostPerPage`: how many orders, executions or accounts one answer may have.
 *   Default: as the venue
 * - `seed`: by which calls fail of which a share is to. Default 0
 * - `fees`: what trades cost, as shares of their value. Default: as the venue for
 *   the least volume
 * - `firstOrder`: what its ids of orders count from, at most twelve digits. Default 1
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly accounts?: ReadonlyArray<Account> | undefined
  readonly requestsPerSecond?: number | undefined
  readonly cancelMillis?: number | undefined
  readonly mostPerPage?: number | undefined
  readonly seed?: number | undefined
  readonly fees?: { readonly maker: Decimal.Decimal; readonly taker: Decimal.Decimal } | undefined
  readonly firstOrder?: number | undefined
}

/**
 * An exchange. `venue` is what is served, once, by `MockVenue.serve` or
 * `MockServer`; the rest is for tests.
 *
 * @category models
 * @since 0.1.0
 */
export interface MockCoinbaseAdvanced {
  readonly venue: MockVenue.MockVenue
  /** All orders of a client id, in the order in which they came; all there are if none is named. */
  readonly orders: (clientOrderId?: string) => ReadonlyArray<Readonly<OrderRecord>>
  /** What an account has, by the name of its key. */
  readonly balances: (keyName?: string) => ReadonlyArray<Clearing.Balance>
  /** The calls over HTTP, in the order in which they came. */
  readonly received: () => ReadonlyArray<ReceivedCall>
  /** Has the next calls go wrong. */
  readonly fault: (fault: CallFault) => void
  /** Has a share of all calls fail with 503 from now on: half of them are carried out all the same. */
  readonly fail: (share: number) => void
  /** Whether the channel of the user says nothing of what happens. */
  readonly silence: (isOn: boolean) => void
}

/**
 * The account that there is by default, whose key is that of the first test of RFC
 * 8032, and no secret.
 *
 * @category constants
 * @since 0.1.0
 */
export const simulated: Account = {
  keyName: "organizations/tickline/apiKeys/simulated",
  keySecret: "nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A=",
  balances: { USD: "1000000.00", BTC: "10.00000000", ETH: "100.00000000" }
}

const readAsk = Schema.decodeUnknownResult(
  Schema.fromJsonString(
    Schema.Struct({ type: Schema.String, channel: Schema.String, jwt: Schema.optionalKey(Schema.String) })
  )
)

/**
 * Makes an exchange that nobody has traded at.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = (options: Options = {}): MockCoinbaseAdvanced => {
  const accounts = options.accounts ?? [simulated]
  let opened: Exchange.CoinbaseExchange | undefined
  const served = (): Exchange.CoinbaseExchange => {
    if (opened === undefined) throw new Error("this exchange is not served yet")
    return opened
  }
  return {
    venue: {
      ...MockCoinbase.make(),
      gateway: (host) => {
        if (opened !== undefined) throw new Error("this exchange is served already")
        const exchange = new Exchange.CoinbaseExchange(host, {
          accounts,
          requestsPerSecond: options.requestsPerSecond ?? 30,
          cancelMillis: options.cancelMillis ?? 0,
          mostPerPage: options.mostPerPage ?? 1_000,
          seed: options.seed ?? 0,
          fees: options.fees,
          firstOrder: options.firstOrder ?? 1
        })
        opened = exchange
        return {
          ask: (question, reply) => exchange.ask(question, reply),
          move: (market) => exchange.move(market),
          open: (line) => {
            const member = new CoinbaseMember(line, host.wallMillis)
            exchange.join(member)
            return {
              ended: () => exchange.leave(member),
              receive: (frame) => {
                const ask = readAsk(frame)
                if (Result.isFailure(ask) || ask.success.channel !== "user") return frame
                if (ask.success.type === "unsubscribe") {
                  member.signIn(undefined)
                  return frame
                }
                const account = exchange.tokens.check(ask.success.jwt ?? "", host.wallMillis())
                if (Result.isFailure(account)) {
                  member.refuse("authentication failure")
                  return undefined
                }
                member.signIn(account.success)
                if (!exchange.isSilent) exchange.snapshot(member, account.success)
                return frame
              }
            }
          }
        }
      }
    },
    orders: (clientOrderId) =>
      served().orders.filter((order) => clientOrderId === undefined || order.clientOrderId === clientOrderId),
    balances: (keyName = accounts[0]?.keyName ?? "") => served().clearing.balances(keyName),
    received: () => served().received,
    fault: (fault) => served().fault(fault),
    fail: (share) => served().http.fail(share),
    silence: (isOn) => {
      served().isSilent = isOn
    }
  }
}
