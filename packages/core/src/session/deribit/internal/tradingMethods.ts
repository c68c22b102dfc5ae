/**
 * Private methods of orders and quotes.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as ExactSchema from "../../../codec/ExactSchema.ts"
import * as Method from "../Method.ts"
import { Cancelled, MassQuoted, MmpConfig, Order, Placed } from "../Schemas.ts"
import { Advanced, Direction, FillCondition, Kind, OrderType, TimeInForce, Trigger } from "./enumerations.ts"
import * as Lenient from "./lenient.ts"
import { cancelling, Count, currency, instrument, kind, maybe, Ok, Seconds } from "./parameters.ts"

const { Boolean, Literal, Literals, String, Struct } = Schema
const { Decimal, Millis } = ExactSchema

const AnyKind = Literals([...Kind.literals, "combo", "any"])

const order = { order_id: String }

const size = { amount: maybe(Decimal), contracts: maybe(Decimal) }

const posting = { post_only: maybe(Boolean), reject_post_only: maybe(Boolean) }

/** What an order and one that is linked to it have in common. */
const terms = {
  type: maybe(OrderType),
  label: maybe(String),
  price: maybe(Decimal),
  time_in_force: maybe(TimeInForce),
  ...posting,
  reduce_only: maybe(Boolean),
  trigger_price: maybe(Decimal),
  trigger_offset: maybe(Decimal),
  trigger: maybe(Trigger)
}

const placing = {
  kind: "order",
  params: Struct({
    ...instrument,
    ...size,
    ...terms,
    display_amount: maybe(Decimal),
    advanced: maybe(Advanced),
    mmp: maybe(Boolean),
    valid_until: maybe(Millis),
    linked_order_type: maybe(
      Literals(["one_triggers_other", "one_cancels_other", "one_triggers_one_cancels_other"])
    ),
    trigger_fill_condition: maybe(FillCondition),
    otoco_config: maybe(Schema.Array(Struct({ direction: Direction, amount: maybe(Decimal), ...terms })))
  }),
  result: Placed
} as const

const editing = {
  ...size,
  price: maybe(Decimal),
  ...posting,
  reduce_only: maybe(Boolean),
  advanced: maybe(Advanced),
  trigger_price: maybe(Decimal),
  mmp: maybe(Boolean),
  valid_until: maybe(Millis)
}

const Orders = Schema.Array(Order)

const listed = {
  type: maybe(Literals([
    "all",
    "limit",
    "trigger_all",
    "stop_all",
    "stop_limit",
    "stop_market",
    "take_all",
    "take_limit",
    "take_market",
    "trailing_all",
    "trailing_stop"
  ]))
}

/**
 * Orders: placing, changing, cancelling and looking them up.
 *
 * @category constants
 * @since 0.1.0
 */
export const trading = {
  buy: Method.make("private/buy", placing),
  sell: Method.make("private/sell", placing),
  edit: Method.make("private/edit", {
    kind: "order",
    params: Struct({ ...order, ...editing, trigger_offset: maybe(Decimal), display_amount: maybe(Decimal) }),
    result: Placed
  }),
  editByLabel: Method.make("private/edit_by_label", {
    kind: "order",
    params: Struct({ ...instrument, label: String, ...editing }),
    result: Placed
  }),
  closePosition: Method.make("private/close_position", {
    kind: "order",
    params: Struct({ ...instrument, type: Literals(["limit", "market"]), price: maybe(Decimal) }),
    result: Placed
  }),
  cancel: Method.make("private/cancel", { kind: "cancel", params: Struct(order), result: Order }),
  cancelByLabel: Method.make("private/cancel_by_label", {
    kind: "cancel",
    params: Struct({ label: String, currency: maybe(String) }),
    result: Cancelled
  }),
  cancelAll: Method.make("private/cancel_all", {
    kind: "cancel",
    pool: "cancel-all",
    params: Struct(cancelling),
    result: Cancelled
  }),
  cancelAllByInstrument: Method.make("private/cancel_all_by_instrument", {
    kind: "cancel",
    params: Struct({
      ...instrument,
      type: maybe(Literals(["all", "limit", "trigger_all", "stop", "take", "trailing_stop"])),
      include_combos: maybe(Boolean),
      ...cancelling
    }),
    result: Cancelled
  }),
  getOpenOrders: Method.make("private/get_open_orders", {
    kind: "query",
    params: Struct({ ...kind, ...listed }),
    result: Orders
  }),
  getOpenOrdersByCurrency: Method.make("private/get_open_orders_by_currency", {
    kind: "query",
    params: Struct({ ...currency, ...kind, ...listed }),
    result: Orders
  }),
  getOpenOrdersByInstrument: Method.make("private/get_open_orders_by_instrument", {
    kind: "query",
    params: Struct({ ...instrument, ...listed }),
    result: Orders
  }),
  getOrderHistoryByCurrency: Method.make("private/get_order_history_by_currency", {
    kind: "query",
    params: Struct({
      ...currency,
      kind: maybe(AnyKind),
      count: maybe(Count),
      offset: maybe(ExactSchema.Integer),
      include_old: maybe(Boolean),
      include_unfilled: maybe(Boolean),
      with_continuation: maybe(Boolean),
      continuation: maybe(String),
      historical: maybe(Boolean)
    }),
    result: Schema.Union([Orders, Struct({ orders: Orders, continuation: ExactSchema.optional(String) })])
  }),
  getOrderState: Method.make("private/get_order_state", { kind: "query", params: Struct(order), result: Order }),
  getOrderStateByLabel: Method.make("private/get_order_state_by_label", {
    kind: "query",
    params: Struct({ ...currency, label: maybe(String) }),
    result: Orders
  })
}

const QuoteSide = Struct({ price: maybe(Decimal), amount: maybe(Decimal), ...posting })

/** One of the ways to say which quotes are cancelled. */
const cancelQuotes = <const T extends string, const F extends Schema.Struct.Fields>(type: T, members: F) =>
  Struct({ cancel_type: Literal(type), ...members, ...cancelling })

const mmp = { mmp_group: maybe(String), block_rfq: maybe(Boolean) }

/**
 * Quotes on many instruments at once, and the protection of who makes markets.
 *
 * @category constants
 * @since 0.1.0
 */
export const quoting = {
  massQuote: Method.make("private/mass_quote", {
    kind: "order",
    pool: "quotes",
    params: Struct({
      quote_id: String,
      mmp_group: String,
      quotes: Schema.Array(Struct({
        ...instrument,
        quote_set_id: maybe(String),
        bid: maybe(QuoteSide),
        ask: maybe(QuoteSide)
      })),
      wait_for_response: maybe(Boolean),
      detailed: maybe(Boolean),
      valid_until: maybe(Millis)
    }),
    result: MassQuoted
  }),
  cancelQuotes: Method.make("private/cancel_quotes", {
    kind: "cancel",
    params: Schema.Union([
      cancelQuotes("delta", { min_delta: Decimal, max_delta: Decimal }),
      cancelQuotes("quote_set_id", { quote_set_id: String }),
      cancelQuotes("instrument", instrument),
      cancelQuotes("instrument_kind", { kind: AnyKind, currency: maybe(String) }),
      cancelQuotes("currency", currency),
      cancelQuotes("currency_pair", { currency_pair: String }),
      cancelQuotes("all", {})
    ]),
    result: Cancelled
  }),
  getMmpConfig: Method.make("private/get_mmp_config", {
    kind: "query",
    params: Struct({ index_name: maybe(String), ...mmp }),
    result: Schema.Array(MmpConfig)
  }),
  setMmpConfig: Method.make("private/set_mmp_config", {
    kind: "session",
    params: Struct({
      index_name: String,
      interval: Seconds,
      frozen_time: Seconds,
      max_quote_quantity: Decimal,
      quantity_limit: maybe(Decimal),
      delta_limit: maybe(Decimal),
      vega_limit: maybe(Decimal),
      trade_count_limit: maybe(Count),
      ...mmp
    }),
    result: Lenient.list(MmpConfig)
  }),
  resetMmp: Method.make("private/reset_mmp", {
    kind: "session",
    params: Struct({ index_name: String, ...mmp }),
    result: Ok
  })
}
