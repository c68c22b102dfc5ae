/**
 * The methods of Deribit that trading and making markets need, each declared
 * once and typed both ways: what is sent and what is answered, exact to the
 * digit. The names of parameters and members are the venue's own.
 *
 * They hold for Coinbase's international derivatives as well, which is the same
 * platform.
 *
 * **Example** (an order, over the calls of a connection that is signed in)
 *
 * ```ts
 * const program = Effect.gen(function*() {
 *   const rpc = yield* JsonRpc.make(connection)
 *   const { order, trades } = yield* rpc.call(Methods.trading.buy, {
 *     instrument_name: "BTC-PERPETUAL",
 *     amount: BigDecimal.fromStringUnsafe("10"),
 *     price: BigDecimal.fromStringUnsafe("43250.5"),
 *     post_only: true,
 *     label: "first"
 *   })
 *   return [order.order_state, trades.length]
 * })
 * ```
 *
 * @see https://docs.deribit.com/api-reference (version 2.1.1, read 2026-08-22)
 * @since 0.1.0
 */
import type * as Schema from "effect/Schema"
import type { Json, JsonObject } from "../../codec/ExactJson.ts"
import * as AccountMethods from "./internal/accountMethods.ts"
import * as ConnectionMethods from "./internal/connectionMethods.ts"
import * as MarketMethods from "./internal/marketMethods.ts"
import * as TradingMethods from "./internal/tradingMethods.ts"
import type { Method } from "./Method.ts"

/**
 * Signing in and out, heartbeats, cancel-on-disconnect, the venue's state.
 *
 * @category constants
 * @since 0.1.0
 */
export const connection = ConnectionMethods.connection

/**
 * Subscribing to channels: public ones, and those of the account (`…Private`).
 *
 * @category constants
 * @since 0.1.0
 */
export const subscriptions = ConnectionMethods.subscriptions

/**
 * Instruments, books, tickers and indices.
 *
 * @category constants
 * @since 0.1.0
 */
export const market = MarketMethods.market

/**
 * Orders: placing, changing, cancelling and looking them up.
 *
 * @category constants
 * @since 0.1.0
 */
export const trading = TradingMethods.trading

/**
 * Quotes on many instruments at once, and market-maker protection.
 *
 * @category constants
 * @since 0.1.0
 */
export const quoting = TradingMethods.quoting

/**
 * The account's money, positions and trades.
 *
 * @category constants
 * @since 0.1.0
 */
export const account = AccountMethods.account

/**
 * A method whatever it takes and answers.
 *
 * @category models
 * @since 0.1.0
 */
export interface AnyMethod extends Omit<Method<never, unknown>, "encode" | "params" | "result"> {
  readonly params: Schema.Codec<unknown, JsonObject>
  readonly result: Schema.Codec<unknown, Json>
}

/**
 * Every method, by its name on the wire.
 *
 * @category constants
 * @since 0.1.0
 */
export const all: ReadonlyMap<string, AnyMethod> = new Map(
  [connection, subscriptions, market, trading, quoting, account]
    .flatMap((group): ReadonlyArray<AnyMethod> => Object.values(group))
    .map((method) => [method.name, method])
)
