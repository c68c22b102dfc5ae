/**
 * The values of Deribit's enumerations, where parameters and answers share them.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * The type of an order.
 *
 * @category schemas
 * @since 0.1.0
 */
export const OrderType = Schema.Literals([
  "market",
  "limit",
  "market_limit",
  "stop_market",
  "stop_limit",
  "take_market",
  "take_limit",
  "trailing_stop"
])

/**
 * The side of an order or of a trade.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Direction = Schema.Literals(["buy", "sell"])

/**
 * The kind of an instrument.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Kind = Schema.Literals(["future", "option", "spot", "future_combo", "option_combo"])

/**
 * How long an order stands.
 *
 * @category schemas
 * @since 0.1.0
 */
export const TimeInForce = Schema.Literals([
  "good_til_cancelled",
  "good_til_day",
  "fill_or_kill",
  "immediate_or_cancel"
])

/**
 * The price that triggers an order.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Trigger = Schema.Literals(["index_price", "mark_price", "last_price"])

/**
 * What the price of an option's order is in: US dollars, or implied volatility
 * in percent.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Advanced = Schema.Literals(["usd", "implv"])

/**
 * When the orders that are linked to one are placed: with its first fill, when
 * it is filled, or with each fill.
 *
 * @category schemas
 * @since 0.1.0
 */
export const FillCondition = Schema.Literals(["first_hit", "complete_fill", "incremental"])
