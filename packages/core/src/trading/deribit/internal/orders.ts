/**
 * Orders in Deribit's words and in ours, both ways.
 *
 * @since 0.1.0
 */
import * as BigDecimal from "effect/BigDecimal"
import type * as MarketSchemas from "../../../session/deribit/MarketSchemas.ts"
import type { trading } from "../../../session/deribit/Methods.ts"
import type * as Schemas from "../../../session/deribit/Schemas.ts"
import * as Decimal from "../../../value/Decimal.ts"
import * as Timestamp from "../../../value/Timestamp.ts"
import * as Instrument from "../../Instrument.ts"
import { Fill, OrderUpdate } from "../../OrderEvent.ts"
import type { OrderRequest, TimeInForce } from "../../OrderRequest.ts"
import type { OrderStatus } from "../../OrderStatus.ts"

/**
 * What events call the exchange.
 *
 * @category constants
 * @since 0.1.0
 */
export const exchange = "deribit"

/**
 * What may be traded of an instrument: its rules, and the currencies under which
 * its orders may be found.
 *
 * @category models
 * @since 0.1.0
 */
export interface Market {
  readonly instrument: Instrument.Instrument
  readonly currencies: ReadonlyArray<string>
}

/**
 * Reads an instrument. Amounts come in steps of the least one. It is of the
 * currency that it is settled in; of spot the venue does not say which.
 *
 * @category constructors
 * @since 0.1.0
 */
export const marketOf = (listed: MarketSchemas.Instrument): Market => {
  const { base_currency, instrument_name, kind, min_trade_amount, quote_currency, tick_size } = listed
  const settledIn = listed.settlement_currency ?? undefined
  const rules = {
    product: instrument_name,
    tick: tick_size,
    lot: min_trade_amount,
    ...(kind === "spot"
      ? { base: base_currency, feeAsset: quote_currency }
      : { feeAsset: settledIn ?? quote_currency })
  }
  const ticks = (listed.tick_size_steps ?? []).map(({ above_price, tick_size }) => ({
    from: above_price,
    tick: tick_size
  })).toSorted((one, other) => BigDecimal.Order(one.from, other.from))
  const instrument = Instrument.Instrument.makeOption({ ...rules, ticks })
  return {
    // Of steps that do not fit together the least tick holds; the venue has the last word.
    instrument: instrument._tag === "Some" ? instrument.value : new Instrument.Instrument(rules),
    currencies: settledIn === undefined ? [...new Set([base_currency, quote_currency])] : [settledIn]
  }
}

type Placing = (typeof trading.buy)["params"]["Type"]

const timesInForce: { readonly [K in TimeInForce]: NonNullable<Placing["time_in_force"]> } = {
  gtc: "good_til_cancelled",
  "post-only": "good_til_cancelled",
  ioc: "immediate_or_cancel",
  fok: "fill_or_kill"
}

/**
 * What `private/buy` and `private/sell` take. A post-only order is refused rather
 * than moved.
 *
 * @category constructors
 * @since 0.1.0
 */
export const placing = (request: OrderRequest, validUntil: Timestamp.Timestamp): Placing => {
  const { amount, clientId, price, product, reduceOnly, timeInForce, type } = request
  return {
    instrument_name: product,
    amount,
    type,
    label: clientId,
    ...(price === undefined ? {} : { price }),
    time_in_force: timesInForce[timeInForce],
    ...(timeInForce === "post-only" ? { post_only: true, reject_post_only: true } : {}),
    ...(reduceOnly ? { reduce_only: true } : {}),
    valid_until: validUntil
  }
}

const priceOf = ({ price }: Schemas.Order): Decimal.Decimal | undefined => price === "market_price" ? undefined : price

/**
 * What `private/edit` takes: what is not named is as it was.
 *
 * @category constructors
 * @since 0.1.0
 */
export const editing = (
  order: Schemas.Order,
  terms: { readonly price?: Decimal.Decimal | undefined; readonly amount?: Decimal.Decimal | undefined },
  validUntil: Timestamp.Timestamp
): (typeof trading.edit)["params"]["Type"] => {
  const { advanced, amount, display_amount, order_id, post_only, reduce_only, reject_post_only, trigger_price } = order
  const price = terms.price ?? priceOf(order)
  const whole = terms.amount ?? amount ?? undefined
  const shown = display_amount ?? undefined
  return {
    order_id,
    ...(whole === undefined ? {} : { amount: whole }),
    ...(price === undefined ? {} : { price }),
    ...(post_only === true ? { post_only, reject_post_only: reject_post_only ?? true } : {}),
    ...(reduce_only === true ? { reduce_only } : {}),
    ...(advanced === undefined || advanced === null ? {} : { advanced }),
    ...(trigger_price === undefined || trigger_price === null ? {} : { trigger_price }),
    // One that shows all of itself goes on doing so.
    ...(shown === undefined || amount === undefined || amount === null || !BigDecimal.isLessThan(shown, amount)
      ? {}
      : { display_amount: shown }),
    valid_until: validUntil
  }
}

/**
 * How much of an order is filled.
 *
 * @category getters
 * @since 0.1.0
 */
export const filledOf = ({ filled_amount }: Schemas.Order): Decimal.Decimal => filled_amount ?? Decimal.zero

/**
 * When an order was created, in epoch milliseconds; 0 where that is not said.
 *
 * @category getters
 * @since 0.1.0
 */
export const createdAt = ({ creation_timestamp }: Schemas.Order): number =>
  creation_timestamp === undefined || creation_timestamp === null ? 0 : Timestamp.epochMillis(creation_timestamp)

/**
 * How far an order has come. One that waits for its trigger is open; one that
 * ends with a settlement has expired.
 *
 * @category getters
 * @since 0.1.0
 */
export const statusOf = (order: Schemas.Order): OrderStatus => {
  switch (order.order_state) {
    case "open":
    case "untriggered":
    case "triggered":
      return Decimal.isPositive(filledOf(order)) ? "partially-filled" : "open"
    case "cancelled":
      return order.cancel_reason === "settlement" ? "expired" : "cancelled"
    default:
      return order.order_state
  }
}

/**
 * The ids of an order. One without a label has no client id.
 *
 * @category getters
 * @since 0.1.0
 */
export const namesOf = ({ label, order_id }: Schemas.Order) => ({
  exchange,
  ...(label === undefined || label === null || label === "" ? {} : { clientId: label }),
  orderId: order_id
})

/**
 * An order as it stands, with its price and its amount.
 *
 * @category getters
 * @since 0.1.0
 */
export const toUpdate = (order: Schemas.Order): OrderUpdate => {
  const amount = order.amount ?? undefined
  const filled = filledOf(order)
  const average = Decimal.isPositive(filled) ? order.average_price ?? undefined : undefined
  const price = priceOf(order)
  return new OrderUpdate({
    ...namesOf(order),
    product: order.instrument_name,
    side: order.direction,
    status: statusOf(order),
    filled,
    ...(amount === undefined ? {} : { remaining: BigDecimal.subtract(amount, filled), amount }),
    ...(average === undefined ? {} : { averagePrice: average }),
    ...(price === undefined ? {} : { price })
  })
}

// A trade's direction is that of the order that it is of.
const toFill = (
  { amount, direction, fee, fee_currency, instrument_name, label, liquidity, order_id, price, timestamp, trade_id }:
    Schemas.UserTrade
): Fill =>
  new Fill({
    exchange,
    product: instrument_name,
    side: direction,
    ...(label === undefined || label === null || label === "" ? {} : { clientId: label }),
    orderId: order_id,
    price,
    amount,
    fee,
    feeAsset: fee_currency,
    tradeId: trade_id,
    timestamp,
    ...(liquidity === "M" ? { liquidity: "maker" } : liquidity === "T" ? { liquidity: "taker" } : {})
  })

/**
 * Executions of orders of ours, in the venue's order.
 *
 * @category getters
 * @since 0.1.0
 */
export const toFills = (trades: ReadonlyArray<Schemas.UserTrade>): ReadonlyArray<Fill> =>
  trades.toSorted((one, other) =>
    Timestamp.TimestampOrder(one.timestamp, other.timestamp) || (one.trade_seq ?? 0) - (other.trade_seq ?? 0)
  ).map(toFill)

const isSame = (one: Decimal.Decimal | undefined, other: Decimal.Decimal): boolean =>
  one !== undefined && BigDecimal.equals(one, other)

// The venue need not say an amount, and takes of a reduce-only order no more than there is to reduce.
const hasAmount = ({ amount, reduceOnly }: OrderRequest, order: Schemas.Order): boolean => {
  const taken = order.amount ?? amount
  return reduceOnly && order.reduce_only === true
    ? BigDecimal.isLessThanOrEqualTo(taken, amount)
    : BigDecimal.equals(taken, amount)
}

/**
 * Whether an order is the one that was asked for: of its product, side, amount
 * and, if it has one, price. The venue sets the price of a market order.
 *
 * @see https://insights.deribit.com/exchange-updates/introduction-to-reduce-only-on-deribit/ (read 2026-11-26)
 * @category predicates
 * @since 0.1.0
 */
export const isOf = (request: OrderRequest, order: Schemas.Order): boolean =>
  order.instrument_name === request.product && order.direction === request.side && hasAmount(request, order) &&
  (request.price === undefined || isSame(priceOf(order), request.price))
