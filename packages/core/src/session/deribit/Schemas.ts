/**
 * What Deribit's methods answer, exact to the digit: orders, trades, positions,
 * the account, instruments and books.
 *
 * Members have the venue's own names. One that the venue may leave out, or sends
 * as `null` where it has no value, is optional, and so is one that an order can do
 * without: what it is for must not be lost for want of it. Members that are not
 * described are passed over. Prices, amounts and other measures are decimals, times are
 * timestamps. What the venue adds to as it grows (currencies, index names,
 * reasons) is a text, what a program decides by is a set of literals.
 *
 * @see https://docs.deribit.com/api-reference (version 2.1.1, read 2026-08-22)
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as ExactSchema from "../../codec/ExactSchema.ts"
import { Advanced, Direction, FillCondition, Kind, OrderType, TimeInForce, Trigger } from "./internal/enumerations.ts"
import * as Lenient from "./internal/lenient.ts"

const { Decimal, Id, Integer, Millis, optional } = ExactSchema
const { Boolean, String } = Schema

const Texts = Schema.Array(String)
const Amounts = Schema.Record(String, Decimal)

// --- orders --------------------------------------------------------------------

/**
 * An order. Its `price` is `market_price` if it is a market order that waits for
 * its trigger. Of a perpetual or an inverse future the amounts are in US
 * dollars, otherwise in the base currency.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Order = Schema.Struct({
  order_id: String,
  order_state: Schema.Literals(["open", "filled", "rejected", "cancelled", "untriggered", "triggered"]),
  order_type: optional(OrderType),
  original_order_type: optional(String),
  time_in_force: optional(TimeInForce),
  instrument_name: String,
  direction: Direction,
  price: Schema.Union([Decimal, Schema.Literal("market_price")]),
  amount: optional(Decimal),
  contracts: optional(Decimal),
  filled_amount: optional(Decimal),
  average_price: optional(Decimal),
  label: optional(String),
  creation_timestamp: optional(Millis),
  last_update_timestamp: optional(Millis),
  post_only: optional(Boolean),
  reject_post_only: optional(Boolean),
  reduce_only: optional(Boolean),
  api: optional(Boolean),
  web: optional(Boolean),
  mobile: optional(Boolean),
  app_name: optional(String),
  refresh_amount: optional(Decimal),
  display_amount: optional(Decimal),
  advanced: optional(Advanced),
  implv: optional(Decimal),
  usd: optional(Decimal),
  trigger: optional(Trigger),
  triggered: optional(Boolean),
  trigger_price: optional(Decimal),
  trigger_offset: optional(Decimal),
  trigger_reference_price: optional(Decimal),
  trigger_order_id: optional(String),
  trigger_fill_condition: optional(FillCondition),
  mmp: optional(Boolean),
  mmp_cancelled: optional(Boolean),
  mmp_group: optional(String),
  quote: optional(Boolean),
  quote_id: optional(String),
  quote_set_id: optional(String),
  risk_reducing: optional(Boolean),
  replaced: optional(Boolean),
  auto_replaced: optional(Boolean),
  cancel_reason: optional(String),
  is_rebalance: optional(Boolean),
  is_liquidation: optional(Boolean),
  block_trade: optional(Boolean),
  oto_order_ids: optional(Texts),
  oco_ref: optional(String),
  primary_order_id: optional(String),
  is_secondary_oto: optional(Boolean),
  is_primary_otoco: optional(Boolean)
})

/**
 * An order.
 *
 * @category models
 * @since 0.1.0
 */
export type Order = typeof Order.Type

const tradeMembers = {
  trade_id: Id,
  trade_seq: optional(Integer),
  instrument_name: String,
  timestamp: Millis,
  order_id: String,
  matching_id: optional(String),
  direction: Direction,
  tick_direction: optional(Integer),
  price: Decimal,
  amount: Decimal,
  contracts: optional(Decimal),
  fee: Decimal,
  fee_currency: String,
  index_price: optional(Decimal),
  mark_price: optional(Decimal),
  underlying_price: optional(Decimal),
  iv: optional(Decimal),
  profit_loss: optional(Decimal),
  liquidity: optional(Schema.Literals(["M", "T"])),
  liquidation: optional(Schema.Literals(["M", "T", "MT"])),
  order_type: optional(String),
  advanced: optional(Advanced),
  label: optional(String),
  state: optional(String),
  reduce_only: optional(Lenient.Flag),
  post_only: optional(Lenient.Flag),
  mmp: optional(Boolean),
  risk_reducing: optional(Boolean),
  api: optional(Boolean),
  quote_id: optional(String),
  quote_set_id: optional(String),
  block_trade_id: optional(String),
  block_rfq_id: optional(Integer),
  block_rfq_quote_id: optional(Integer),
  combo_id: optional(String),
  combo_trade_id: optional(Id),
  trade_allocations: optional(Schema.Array(Schema.Struct({
    user_id: optional(Integer),
    amount: Decimal,
    fee: Decimal,
    client_info: optional(Schema.Struct({
      client_id: optional(Integer),
      client_link_id: optional(Integer),
      name: optional(String)
    }))
  })))
}

/**
 * A trade of one's own: what was filled of an order. `liquidity` is `M` of a
 * maker and `T` of a taker; a `fee` below zero is a rebate. A trade of a combo
 * has its legs.
 *
 * @category schemas
 * @since 0.1.0
 */
export const UserTrade = Schema.Struct({
  ...tradeMembers,
  legs: optional(Schema.Array(Schema.Struct(tradeMembers)))
})

/**
 * A trade of one's own.
 *
 * @category models
 * @since 0.1.0
 */
export type UserTrade = typeof UserTrade.Type

/**
 * An order as it was placed or changed, and what it filled at once.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Placed = Schema.Struct({ order: Order, trades: Schema.Array(UserTrade) })

/**
 * What was cancelled: how many orders or, where the call asks for it with
 * `detailed`, the orders themselves, by currency, type and instrument, and where
 * they could not be cancelled the error.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Cancelled = Schema.Union([
  Integer,
  Schema.Array(Schema.Struct({
    currency: optional(String),
    instrument_name: optional(String),
    type: optional(String),
    result: optional(Schema.Array(Order)),
    error: optional(Schema.Struct({ code: optional(Integer), message: optional(String) }))
  }))
])

// --- quotes --------------------------------------------------------------------

/**
 * What became of a mass quote. `errors` names each side that was refused; with
 * `detailed` the orders and the trades are there, without it the counts.
 *
 * @category schemas
 * @since 0.1.0
 */
export const MassQuoted = Schema.Struct({
  orders: optional(Schema.Array(Order)),
  trades: optional(Schema.Array(UserTrade)),
  errors: optional(Schema.Array(Schema.Struct({
    instrument_name: optional(String),
    side: optional(String),
    error: optional(Schema.Struct({ code: optional(Integer), message: optional(String) })),
    code: optional(Integer),
    message: optional(String)
  }))),
  errors_count: optional(Integer),
  pending_requests: optional(Schema.Array(Schema.Struct({
    instrument_name: optional(String),
    side: optional(String)
  }))),
  pending_requests_count: optional(Integer)
})

/**
 * The market-maker protection of an index: within `interval` seconds no more may
 * be traded than its limits, otherwise what is quoted is cancelled, and for
 * `frozen_time` seconds nothing can be quoted; zero: until it is reset.
 *
 * @category schemas
 * @since 0.1.0
 */
export const MmpConfig = Schema.Struct({
  index_name: String,
  interval: Integer,
  frozen_time: Integer,
  id: optional(Id),
  mmp_group: optional(String),
  quantity_limit: optional(Decimal),
  delta_limit: optional(Decimal),
  vega_limit: optional(Decimal),
  max_quote_quantity: optional(Decimal),
  block_rfq: optional(Boolean),
  trade_count_limit: optional(Integer)
})

// --- the account ---------------------------------------------------------------

/**
 * A position. Its `size` is in US dollars of a perpetual or an inverse future,
 * otherwise in the base currency; below zero if it is short.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Position = Schema.Struct({
  instrument_name: String,
  kind: Kind,
  direction: Schema.Literals(["buy", "sell", "zero"]),
  size: Decimal,
  size_currency: optional(Decimal),
  average_price: Decimal,
  average_price_usd: optional(Decimal),
  mark_price: optional(Decimal),
  index_price: optional(Decimal),
  settlement_price: optional(Decimal),
  estimated_liquidation_price: optional(Decimal),
  delta: optional(Decimal),
  gamma: optional(Decimal),
  vega: optional(Decimal),
  theta: optional(Decimal),
  leverage: optional(Decimal),
  initial_margin: optional(Decimal),
  maintenance_margin: optional(Decimal),
  open_orders_margin: optional(Decimal),
  total_profit_loss: optional(Decimal),
  floating_profit_loss: optional(Decimal),
  floating_profit_loss_usd: optional(Decimal),
  realized_profit_loss: optional(Decimal),
  realized_funding: optional(Decimal),
  interest_value: optional(Decimal)
})

/**
 * A position.
 *
 * @category models
 * @since 0.1.0
 */
export type Position = typeof Position.Type

const Fee = Schema.Struct({
  default: optional(Schema.Struct({ type: optional(String), taker: optional(Decimal), maker: optional(Decimal) })),
  block_trade: optional(Decimal)
})

/**
 * The account in one currency. `limits` are the requests that it has in a
 * second, and at once: see `Credits`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const AccountSummary = Schema.Struct({
  currency: String,
  balance: Decimal,
  equity: Decimal,
  available_funds: Decimal,
  available_withdrawal_funds: optional(Decimal),
  margin_balance: optional(Decimal),
  initial_margin: optional(Decimal),
  maintenance_margin: optional(Decimal),
  projected_initial_margin: optional(Decimal),
  projected_maintenance_margin: optional(Decimal),
  spot_reserve: optional(Decimal),
  additional_reserve: optional(Decimal),
  fee_balance: optional(Decimal),
  fee_group: optional(String),
  fees: optional(Schema.Record(String, Schema.Record(String, Fee))),
  total_pl: optional(Decimal),
  session_upl: optional(Decimal),
  session_rpl: optional(Decimal),
  futures_pl: optional(Decimal),
  futures_session_upl: optional(Decimal),
  futures_session_rpl: optional(Decimal),
  options_pl: optional(Decimal),
  options_session_upl: optional(Decimal),
  options_session_rpl: optional(Decimal),
  options_value: optional(Decimal),
  options_delta: optional(Decimal),
  options_gamma: optional(Decimal),
  options_theta: optional(Decimal),
  options_vega: optional(Decimal),
  options_gamma_map: optional(Amounts),
  options_theta_map: optional(Amounts),
  options_vega_map: optional(Amounts),
  delta_total: optional(Decimal),
  delta_total_map: optional(Amounts),
  projected_delta_total: optional(Decimal),
  estimated_liquidation_ratio: optional(Decimal),
  estimated_liquidation_ratio_map: optional(Amounts),
  total_equity_usd: optional(Decimal),
  total_initial_margin_usd: optional(Decimal),
  total_maintenance_margin_usd: optional(Decimal),
  total_margin_balance_usd: optional(Decimal),
  total_delta_total_usd: optional(Decimal),
  affiliate_promotion_fee: optional(Decimal),
  portfolio_margining_enabled: optional(Boolean),
  cross_collateral_enabled: optional(Boolean),
  margin_model: optional(String),
  limits: optional(Schema.Struct({
    limits_per_currency: optional(Boolean),
    non_matching_engine: optional(Lenient.Json),
    matching_engine: optional(Lenient.Json)
  })),
  id: optional(Integer),
  type: optional(String),
  username: optional(String),
  system_name: optional(String),
  email: optional(String),
  referrer_id: optional(String),
  deposit_address: optional(String),
  creation_timestamp: optional(Millis),
  mmp_enabled: optional(Boolean),
  login_enabled: optional(Boolean),
  security_keys_enabled: optional(Boolean),
  interuser_transfers_enabled: optional(Boolean),
  receive_notifications: optional(Boolean),
  is_direct_access_allowed: optional(Boolean),
  has_non_block_chain_equity: optional(Boolean),
  self_trading_reject_mode: optional(String),
  self_trading_extended_to_subaccounts: optional(Lenient.Flag),
  block_rfq_self_match_prevention: optional(Boolean)
})

/**
 * The account in one currency.
 *
 * @category models
 * @since 0.1.0
 */
export type AccountSummary = typeof AccountSummary.Type

/**
 * A session: the token of its calls, for how many seconds it is valid, and the
 * one that a new token is asked for with.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Authenticated = Schema.Struct({
  access_token: Lenient.Secret,
  refresh_token: Lenient.Secret,
  expires_in: Integer,
  scope: optional(String),
  token_type: optional(String),
  state: optional(String),
  sid: optional(String),
  enabled_features: optional(Texts),
  mandatory_tfa_status: optional(String),
  google_login: optional(Boolean)
})

/**
 * A session.
 *
 * @category models
 * @since 0.1.0
 */
export type Authenticated = typeof Authenticated.Type
