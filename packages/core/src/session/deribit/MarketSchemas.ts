/**
 * What Deribit's public methods answer of its markets, exact to the digit; see
 * `Schemas` for how members are written.
 *
 * @see https://docs.deribit.com/api-reference/market-data (version 2.1.1, read 2026-08-22)
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as ExactSchema from "../../codec/ExactSchema.ts"
import { Kind } from "./internal/enumerations.ts"
import * as Lenient from "./internal/lenient.ts"

const { Decimal, Integer, Millis, optional } = ExactSchema
const { Boolean, String } = Schema

/**
 * An instrument and its rules: the tick of its prices, which above some prices
 * is another, and the least amount of a trade.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Instrument = Schema.Struct({
  instrument_name: String,
  instrument_id: optional(Integer),
  kind: Kind,
  is_active: optional(Boolean),
  state: optional(String),
  base_currency: String,
  quote_currency: String,
  counter_currency: optional(String),
  settlement_currency: optional(String),
  settlement_period: optional(String),
  price_index: optional(String),
  tick_size: Decimal,
  tick_size_steps: optional(Lenient.list(Schema.Struct({ above_price: Decimal, tick_size: Decimal }))),
  min_trade_amount: Decimal,
  contract_size: optional(Decimal),
  creation_timestamp: optional(Millis),
  expiration_timestamp: optional(Millis),
  strike: optional(Decimal),
  option_type: optional(Schema.Literals(["call", "put"])),
  future_type: optional(String),
  instrument_type: optional(String),
  max_leverage: optional(Decimal),
  maker_commission: optional(Decimal),
  taker_commission: optional(Decimal),
  max_liquidation_commission: optional(Decimal),
  block_trade_commission: optional(Decimal),
  block_trade_tick_size: optional(Decimal),
  block_trade_min_trade_amount: optional(Decimal)
})

/**
 * An instrument.
 *
 * @category models
 * @since 0.1.0
 */
export type Instrument = typeof Instrument.Type

const tickerMembers = {
  instrument_name: String,
  timestamp: Millis,
  state: optional(String),
  stats: optional(Schema.Struct({
    volume: optional(Decimal),
    volume_usd: optional(Decimal),
    volume_notional: optional(Decimal),
    low: optional(Decimal),
    high: optional(Decimal),
    price_change: optional(Decimal)
  })),
  best_bid_price: optional(Decimal),
  best_bid_amount: optional(Decimal),
  best_ask_price: optional(Decimal),
  best_ask_amount: optional(Decimal),
  last_price: optional(Decimal),
  mark_price: optional(Decimal),
  index_price: optional(Decimal),
  min_price: optional(Decimal),
  max_price: optional(Decimal),
  open_interest: optional(Decimal),
  underlying_price: optional(Decimal),
  underlying_index: optional(String),
  interest_rate: optional(Decimal),
  bid_iv: optional(Decimal),
  ask_iv: optional(Decimal),
  mark_iv: optional(Decimal),
  greeks: optional(Schema.Struct({
    delta: optional(Decimal),
    gamma: optional(Decimal),
    rho: optional(Decimal),
    theta: optional(Decimal),
    vega: optional(Decimal)
  })),
  funding_8h: optional(Decimal),
  current_funding: optional(Decimal),
  delivery_price: optional(Decimal),
  settlement_price: optional(Decimal)
}

/**
 * The state of an instrument's market.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Ticker = Schema.Struct({
  ...tickerMembers,
  interest_value: optional(Decimal),
  estimated_delivery_price: optional(Decimal)
})

/**
 * The state of an instrument's market.
 *
 * @category models
 * @since 0.1.0
 */
export type Ticker = typeof Ticker.Type

const Levels = Schema.Array(Schema.Tuple([Decimal, Decimal]))

/**
 * The order book of an instrument, best levels first, each a price and an
 * amount; `change_id` is that of the book's changes on their channel.
 *
 * @category schemas
 * @since 0.1.0
 */
export const OrderBook = Schema.Struct({
  ...tickerMembers,
  change_id: optional(Integer),
  bids: Levels,
  asks: Levels
})

/**
 * The order book of an instrument.
 *
 * @category models
 * @since 0.1.0
 */
export type OrderBook = typeof OrderBook.Type

/**
 * An instrument's market in short: the last 24 hours and the best prices.
 *
 * @category schemas
 * @since 0.1.0
 */
export const BookSummary = Schema.Struct({
  instrument_name: String,
  creation_timestamp: Millis,
  base_currency: String,
  quote_currency: String,
  bid_price: optional(Decimal),
  ask_price: optional(Decimal),
  mid_price: optional(Decimal),
  mark_price: optional(Decimal),
  last: optional(Decimal),
  high: optional(Decimal),
  low: optional(Decimal),
  price_change: optional(Decimal),
  volume: optional(Decimal),
  volume_usd: optional(Decimal),
  volume_notional: optional(Decimal),
  open_interest: optional(Decimal),
  estimated_delivery_price: optional(Decimal),
  current_funding: optional(Decimal),
  funding_8h: optional(Decimal),
  mark_iv: optional(Decimal),
  interest_rate: optional(Decimal),
  underlying_index: optional(String),
  underlying_price: optional(Decimal)
})

/**
 * A currency of the venue, and what its withdrawals cost.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Currency = Schema.Struct({
  currency: String,
  currency_long: String,
  coin_type: optional(String),
  decimals: optional(Integer),
  min_confirmations: optional(Integer),
  withdrawal_fee: optional(Decimal),
  min_withdrawal_fee: optional(Decimal),
  withdrawal_priorities: optional(Schema.Array(Schema.Struct({ name: String, value: Decimal }))),
  network_fee: optional(Decimal),
  network_currency: optional(String),
  in_cross_collateral_pool: optional(Boolean),
  apr: optional(Decimal)
})
