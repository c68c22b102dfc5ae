/** Orders and executions of Coinbase Advanced Trade, and what the venue says of them. */
import type { Instrument } from "@tickline/core/trading/Instrument"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Timestamp from "@tickline/core/value/Timestamp"
import * as BigDecimal from "effect/BigDecimal"

/** The kinds of orders that the mock takes, and what each asks for. */
export type Configuration =
  | { readonly kind: "market_market_ioc"; readonly base_size: string }
  | { readonly kind: "sor_limit_ioc" | "limit_limit_fok"; readonly base_size: string; readonly limit_price: string }
  | {
    readonly kind: "limit_limit_gtc"
    readonly base_size: string
    readonly limit_price: string
    readonly post_only: boolean
  }
  | {
    readonly kind: "limit_limit_gtd"
    readonly base_size: string
    readonly limit_price: string
    readonly post_only: boolean
    readonly end_time: string
  }

/** An execution of an order. `at` is in epoch milliseconds. */
export interface FillRecord {
  readonly entryId: string
  readonly tradeId: string
  readonly at: number
  readonly price: Decimal.Decimal
  readonly size: Decimal.Decimal
  readonly commission: Decimal.Decimal
  readonly liquidity: "MAKER" | "TAKER"
}

/** An order, open or over. Times are in epoch milliseconds. */
export interface OrderRecord {
  readonly orderId: string
  readonly clientOrderId: string
  readonly account: string
  readonly product: string
  readonly side: "buy" | "sell"
  readonly configuration: Configuration
  readonly createdAt: number
  price: Decimal.Decimal | undefined
  size: Decimal.Decimal
  status: "OPEN" | "CANCEL_QUEUED" | "FILLED" | "CANCELLED" | "EXPIRED" | "FAILED"
  filled: Decimal.Decimal
  /** What was paid or received, without fees. */
  value: Decimal.Decimal
  fees: Decimal.Decimal
  updatedAt: number
  cancelMessage: string
  readonly edits: Array<{ readonly price: string; readonly size: string; readonly at: number }>
  readonly fills: Array<FillRecord>
}

/** Whether it is over. */
export const isOver = ({ status }: OrderRecord): boolean => status !== "OPEN" && status !== "CANCEL_QUEUED"

export const timeOf = (millis: number): string => Timestamp.format(Timestamp.fromEpochMillis(Math.floor(millis)))

const never = "0001-01-01T00:00:00Z"

const { format } = Decimal

const digits = 16

const quotient = (one: Decimal.Decimal, other: Decimal.Decimal): string =>
  other.value === 0n
    ? "0"
    : format(BigDecimal.normalize(BigDecimal.round(BigDecimal.divideUnsafe(one, other), { scale: digits })))

const completion = ({ filled, size }: OrderRecord): string =>
  quotient(BigDecimal.multiply(filled, BigDecimal.make(1n, -2)), size)

const afterFees = ({ fees, side, value }: OrderRecord): string =>
  format(side === "buy" ? BigDecimal.sum(value, fees) : BigDecimal.subtract(value, fees))

/** What is held for what is left of it: money of one that buys, the asset of one that sells. */
const held = (order: OrderRecord): string => {
  const { filled, price, side, size } = order
  const left = BigDecimal.subtract(size, filled)
  if (isOver(order)) return "0"
  return format(side === "buy" && price !== undefined ? BigDecimal.multiply(left, price) : left)
}

const sides = { buy: "BUY", sell: "SELL" } as const

const timesInForce = {
  market_market_ioc: "IMMEDIATE_OR_CANCEL",
  sor_limit_ioc: "IMMEDIATE_OR_CANCEL",
  limit_limit_fok: "FILL_OR_KILL",
  limit_limit_gtc: "GOOD_UNTIL_CANCELLED",
  limit_limit_gtd: "GOOD_UNTIL_DATE_TIME"
} as const

const isMarket = ({ configuration }: OrderRecord): boolean => configuration.kind === "market_market_ioc"

/** What an order asks for now: what it was edited to counts. */
export const configurationOf = ({ configuration, price, size }: OrderRecord) => {
  const { kind, ...terms } = configuration
  return {
    [kind]: { ...terms, base_size: format(size), ...(price === undefined ? {} : { limit_price: format(price) }) }
  }
}

const portfolio = "b87a2d3f-8a1e-49b3-a4ea-402d8c389aca"

/**
 * An order over REST, with each member that the venue's documentation has for one of its kind.
 *
 * @see https://docs.cdp.coinbase.com/api-reference/advanced-trade-api/rest-api/orders/list-orders (read 2026-11-26)
 */
export const orderOf = (order: OrderRecord) => ({
  order_id: order.orderId,
  product_id: order.product,
  user_id: order.account,
  order_configuration: configurationOf(order),
  side: sides[order.side],
  client_order_id: order.clientOrderId,
  status: order.status,
  time_in_force: timesInForce[order.configuration.kind],
  created_time: timeOf(order.createdAt),
  completion_percentage: completion(order),
  filled_size: format(order.filled),
  average_filled_price: quotient(order.value, order.filled),
  fee: "",
  number_of_fills: String(order.fills.length),
  filled_value: format(order.value),
  pending_cancel: order.status === "CANCEL_QUEUED",
  size_in_quote: false,
  total_fees: format(order.fees),
  size_inclusive_of_fees: false,
  total_value_after_fees: afterFees(order),
  trigger_status: "INVALID_ORDER_TYPE",
  order_type: isMarket(order) ? "MARKET" : "LIMIT",
  reject_reason: "REJECT_REASON_UNSPECIFIED",
  settled: isOver(order),
  product_type: "SPOT",
  reject_message: "",
  cancel_message: order.cancelMessage,
  order_placement_source: "RETAIL_ADVANCED",
  outstanding_hold_amount: held(order),
  is_liquidation: false,
  last_fill_time: order.fills.length === 0 ? null : timeOf(order.fills.at(-1)?.at ?? 0),
  edit_history: order.edits.map(({ at, price, size }) => ({ price, size, replace_accept_timestamp: timeOf(at) })),
  leverage: "",
  margin_type: "UNKNOWN_MARGIN_TYPE",
  retail_portfolio_id: portfolio,
  originating_order_id: "",
  attached_order_id: "",
  attached_order_configuration: null,
  current_pending_replace: null,
  commission_detail_total: null,
  workable_size: "",
  workable_size_completion_pct: "",
  product_details: null,
  cost_basis_method: "COST_BASIS_METHOD_UNSPECIFIED",
  displayed_order_config: "UNKNOWN_DISPLAYED_ORDER_CONFIG",
  equity_trading_session: "UNKNOWN_EQUITY_TRADING_SESSION",
  prediction_side: "PREDICTION_SIDE_UNKNOWN",
  last_update_time: timeOf(order.updatedAt)
})

/**
 * An order over the socket.
 *
 * @see https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket/websocket-channels#user-channel (read 2026-11-26)
 */
export const toldOf = (order: OrderRecord) => ({
  avg_price: quotient(order.value, order.filled),
  cancel_reason: order.cancelMessage,
  client_order_id: order.clientOrderId,
  completion_percentage: completion(order),
  contract_expiry_type: "UNKNOWN_CONTRACT_EXPIRY_TYPE",
  cumulative_quantity: format(order.filled),
  filled_value: format(order.value),
  leaves_quantity: isOver(order) ? "0" : format(BigDecimal.subtract(order.size, order.filled)),
  limit_price: order.price === undefined ? "0" : format(order.price),
  number_of_fills: String(order.fills.length),
  order_id: order.orderId,
  order_side: sides[order.side],
  order_type: isMarket(order) ? "Market" : "Limit",
  outstanding_hold_amount: held(order),
  post_only: "post_only" in order.configuration ? String(order.configuration.post_only) : "false",
  product_id: order.product,
  product_type: "SPOT",
  reject_reason: "",
  retail_portfolio_id: portfolio,
  risk_managed_by: "UNKNOWN_RISK_MANAGEMENT_TYPE",
  status: order.status,
  stop_price: "",
  time_in_force: timesInForce[order.configuration.kind],
  total_fees: format(order.fees),
  total_value_after_fees: afterFees(order),
  trigger_status: "INVALID_ORDER_TYPE",
  creation_time: timeOf(order.createdAt),
  end_time: order.configuration.kind === "limit_limit_gtd" ? order.configuration.end_time : never,
  start_time: never
})

/**
 * An execution.
 *
 * @see https://docs.cdp.coinbase.com/api-reference/advanced-trade-api/rest-api/orders/list-fills (read 2026-11-26)
 */
export const fillOf = (order: OrderRecord, fill: FillRecord) => ({
  entry_id: fill.entryId,
  trade_id: fill.tradeId,
  order_id: order.orderId,
  trade_time: timeOf(fill.at),
  trade_type: "FILL",
  price: format(fill.price),
  size: format(fill.size),
  commission: format(fill.commission),
  product_id: order.product,
  sequence_timestamp: timeOf(fill.at),
  liquidity_indicator: fill.liquidity,
  size_in_quote: false,
  user_id: order.account,
  side: sides[order.side],
  retail_portfolio_id: portfolio,
  fillSource: "FILL_SOURCE_CLOB",
  commission_detail_total: {
    total_commission: format(fill.commission),
    gst_commission: "",
    withholding_commission: "",
    client_commission: format(fill.commission),
    venue_commission: "",
    regulatory_commission: "",
    clearing_commission: ""
  }
})

/**
 * A product.
 *
 * @see https://docs.cdp.coinbase.com/api-reference/advanced-trade-api/rest-api/products/get-product (read 2026-11-26)
 */
export const productOf = (
  { base = "", feeAsset, lot, product, tick }: Instrument,
  { ask, bid, price, volume }: {
    readonly price: string
    readonly volume: string
    readonly bid: string
    readonly ask: string
  }
) => ({
  product_id: product,
  price,
  price_percentage_change_24h: "0",
  volume_24h: volume,
  volume_percentage_change_24h: "0",
  base_increment: format(lot),
  quote_increment: format(tick),
  quote_min_size: "1",
  quote_max_size: "150000000",
  base_min_size: format(lot),
  base_max_size: "1000000000000",
  base_name: base,
  quote_name: feeAsset,
  watched: false,
  is_disabled: false,
  new: false,
  status: "online",
  cancel_only: false,
  limit_only: false,
  post_only: false,
  trading_disabled: false,
  auction_mode: false,
  product_type: "SPOT",
  quote_currency_id: feeAsset,
  base_currency_id: base,
  fcm_trading_session_details: null,
  mid_market_price: "",
  alias: "",
  alias_to: [],
  base_display_symbol: base,
  quote_display_symbol: feeAsset,
  view_only: false,
  price_increment: format(tick),
  display_name: product,
  product_venue: "CBE",
  approximate_quote_24h_volume: "0",
  new_at: "2021-07-01T00:00:00Z",
  market_cap: "",
  icon_color: "",
  icon_url: "",
  display_name_overwrite: "",
  is_alpha_testing: false,
  about_description: "",
  best_bid_price: bid,
  best_ask_price: ask
})

const amountOf = (value: Decimal.Decimal, currency: string) => ({ value: format(value), currency })

/**
 * An account: what there is of an asset.
 *
 * @see https://docs.cdp.coinbase.com/api-reference/advanced-trade-api/rest-api/accounts/list-accounts (read 2026-11-26)
 */
export const accountOf = (
  currency: string,
  { available, held }: { readonly available: Decimal.Decimal; readonly held: Decimal.Decimal }
) => ({
  uuid: `00000000-0000-4000-8000-${
    [...currency].map((letter) => letter.charCodeAt(0).toString(16)).join("").padStart(12, "0").slice(-12)
  }`,
  name: `${currency} Wallet`,
  currency,
  available_balance: amountOf(available, currency),
  default: true,
  active: true,
  created_at: "2021-05-31T09:59:59.000Z",
  updated_at: "2021-05-31T09:59:59.000Z",
  deleted_at: null,
  type: currency === "USD" ? "ACCOUNT_TYPE_FIAT" : "ACCOUNT_TYPE_CRYPTO",
  ready: true,
  hold: amountOf(held, currency),
  retail_portfolio_id: portfolio,
  platform: "ACCOUNT_PLATFORM_CONSUMER"
})
