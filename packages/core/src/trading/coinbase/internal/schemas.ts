/**
 * What Coinbase Advanced Trade answers, as far as it is read: figures are exact,
 * and what is not there for every order need not be there.
 *
 * @see https://docs.cdp.coinbase.com/api-reference/advanced-trade-api/rest-api/orders/list-orders (read 2026-11-26)
 * @see https://docs.cdp.coinbase.com/api-reference/advanced-trade-api/rest-api/orders/list-fills (read 2026-11-26)
 * @see https://docs.cdp.coinbase.com/api-reference/advanced-trade-api/rest-api/products/get-product (read 2026-11-26)
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as ExactSchema from "../../../codec/ExactSchema.ts"
import type * as Decimal from "../../../value/Decimal.ts"

const { optional } = ExactSchema

/** A figure that may be left out, or empty where there is none. */
const figure = optional(Schema.Union([ExactSchema.Decimal, Schema.Literal("")]))

/**
 * The decimal of such a figure, if it has one.
 *
 * @category getters
 * @since 0.1.0
 */
export const decimalOf = (value: typeof figure.Type | undefined): Decimal.Decimal | undefined =>
  value === undefined || value === null || value === "" ? undefined : value

/** A text that may be left out, or empty where there is none. */
const text = optional(Schema.String)

/**
 * The text of such a member, if it has one.
 *
 * @category getters
 * @since 0.1.0
 */
export const textOf = (value: string | null | undefined): string | undefined =>
  value === null || value === "" ? undefined : value

const Side = Schema.Literals(["BUY", "SELL"])

const Configuration = Schema.Record(
  Schema.String,
  Schema.NullOr(Schema.Struct({ base_size: figure, limit_price: figure }))
)

/**
 * What an order asks for, by the kind of order that it is.
 *
 * @category models
 * @since 0.1.0
 */
export type Configuration = typeof Configuration.Type

/**
 * An order, over REST.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Order = Schema.Struct({
  order_id: Schema.NonEmptyString,
  client_order_id: text,
  product_id: Schema.NonEmptyString,
  side: Side,
  status: Schema.String,
  order_configuration: optional(Configuration),
  filled_size: figure,
  average_filled_price: figure,
  created_time: text,
  edit_history: optional(Schema.Array(Schema.Struct({
    price: figure,
    size: figure,
    replace_accept_timestamp: text
  })))
})

/**
 * An order, over the socket.
 *
 * @see https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket/websocket-channels#user-channel (read 2026-11-26)
 * @category schemas
 * @since 0.1.0
 */
export const ToldOrder = Schema.Struct({
  order_id: Schema.NonEmptyString,
  client_order_id: text,
  product_id: Schema.NonEmptyString,
  order_side: Side,
  status: Schema.String,
  cumulative_quantity: figure,
  leaves_quantity: figure,
  avg_price: figure,
  limit_price: figure
})

/**
 * An answer with one order.
 *
 * @category schemas
 * @since 0.1.0
 */
export const OneOrder = Schema.Struct({ order: Order })

/**
 * A page of orders.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Orders = Schema.Struct({
  orders: optional(Schema.Array(Order)),
  has_next: optional(Schema.Boolean),
  cursor: text
})

/**
 * An execution.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Fill = Schema.Struct({
  trade_id: Schema.NonEmptyString,
  order_id: Schema.NonEmptyString,
  product_id: Schema.NonEmptyString,
  side: Side,
  price: ExactSchema.Decimal,
  size: ExactSchema.Decimal,
  size_in_quote: optional(Schema.Boolean),
  commission: figure,
  trade_time: text,
  trade_type: text,
  liquidity_indicator: text
})

/**
 * A page of executions.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Fills = Schema.Struct({ fills: optional(Schema.Array(Fill)), cursor: text })

/**
 * A product: of its rules those that bind an order.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Product = Schema.Struct({
  product_id: Schema.NonEmptyString,
  product_type: text,
  base_increment: ExactSchema.Decimal,
  quote_increment: figure,
  price_increment: figure,
  base_min_size: figure,
  base_max_size: figure,
  base_currency_id: text,
  quote_currency_id: text
})

const Amount = Schema.Struct({ value: ExactSchema.Decimal, currency: text })

/**
 * A page of accounts, one for each asset.
 *
 * @see https://docs.cdp.coinbase.com/api-reference/advanced-trade-api/rest-api/accounts/list-accounts (read 2026-11-26)
 * @category schemas
 * @since 0.1.0
 */
export const Accounts = Schema.Struct({
  accounts: optional(Schema.Array(Schema.Struct({
    currency: Schema.NonEmptyString,
    available_balance: Amount,
    hold: optional(Amount)
  }))),
  has_next: optional(Schema.Boolean),
  cursor: text
})

/**
 * The answer to an order. Of a client id that is in use the venue answers with
 * the order that has it.
 *
 * @see https://docs.cdp.coinbase.com/api-reference/advanced-trade-api/rest-api/orders/create-order (read 2026-11-26)
 * @category schemas
 * @since 0.1.0
 */
export const Placed = Schema.Struct({
  success: Schema.Boolean,
  success_response: optional(Schema.Struct({
    order_id: text,
    product_id: text,
    side: text,
    client_order_id: text
  })),
  error_response: optional(Schema.Struct({
    error: text,
    message: text,
    error_details: text,
    preview_failure_reason: text,
    new_order_failure_reason: text
  })),
  order_configuration: optional(Configuration)
})

/**
 * The answer to an edit.
 *
 * @see https://docs.cdp.coinbase.com/api-reference/advanced-trade-api/rest-api/orders/edit-order (read 2026-11-26)
 * @category schemas
 * @since 0.1.0
 */
export const Edited = Schema.Struct({
  success: Schema.Boolean,
  errors: optional(Schema.Array(Schema.Struct({ edit_failure_reason: text, preview_failure_reason: text })))
})

/**
 * The answer to cancels, each by itself.
 *
 * @see https://docs.cdp.coinbase.com/api-reference/advanced-trade-api/rest-api/orders/cancel-order (read 2026-11-26)
 * @category schemas
 * @since 0.1.0
 */
export const Cancelled = Schema.Struct({
  results: Schema.Array(Schema.Struct({ success: Schema.Boolean, failure_reason: text, order_id: Schema.String }))
})

/**
 * What went wrong, in an answer that is not of status 200.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Fault = Schema.Struct({
  error: text,
  message: text,
  error_details: text,
  errors: optional(Schema.Array(Schema.Struct({ id: text, message: text })))
})
