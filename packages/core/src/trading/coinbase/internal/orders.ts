/**
 * Orders in the words of Coinbase Advanced Trade and in ours, both ways.
 *
 * @since 0.1.0
 */
import * as BigDecimal from "effect/BigDecimal"
import type { Side } from "../../../event/MarketData.ts"
import * as Decimal from "../../../value/Decimal.ts"
import * as Exact from "../../../value/internal/exactArithmetic.ts"
import * as Timestamp from "../../../value/Timestamp.ts"
import * as Instrument from "../../Instrument.ts"
import { namesOf } from "../../internal/failure.ts"
import type { Terms } from "../../internal/gateway.ts"
import { Fill, OrderUpdate } from "../../OrderEvent.ts"
import type { OrderRequest } from "../../OrderRequest.ts"
import { isOver, type OrderStatus } from "../../OrderStatus.ts"
import * as Schemas from "./schemas.ts"

/**
 * What events call the exchange.
 *
 * @category constants
 * @since 0.1.0
 */
export const exchange = "coinbase"

/**
 * An order, whichever way the venue tells of it. `kind` is the name of its
 * configuration, which only REST has.
 *
 * @category models
 * @since 0.1.0
 */
export interface Order {
  readonly orderId: string
  readonly clientId: string | undefined
  readonly product: string
  readonly side: Side
  readonly status: OrderStatus
  readonly kind: string | undefined
  readonly filled: Decimal.Decimal
  readonly averagePrice: Decimal.Decimal | undefined
  readonly price: Decimal.Decimal | undefined
  readonly amount: Decimal.Decimal | undefined
  /** When it was created, in epoch milliseconds; 0 if that is not said. */
  readonly createdAt: number
}

const sides = { BUY: "buy", SELL: "sell" } as const

const statusOf = (status: string, filled: Decimal.Decimal): OrderStatus => {
  const standing = Decimal.isPositive(filled) ? "partially-filled" : "open"
  switch (status) {
    case "PENDING":
    case "QUEUED":
      return standing === "open" ? "pending" : standing
    case "OPEN":
    case "CANCEL_QUEUED":
    case "EDIT_QUEUED":
      return standing
    case "FILLED":
      return "filled"
    case "CANCELLED":
      return "cancelled"
    case "EXPIRED":
      return "expired"
    case "FAILED":
      return "rejected"
    default:
      return "unknown"
  }
}

const averageOf = (filled: Decimal.Decimal, price: Decimal.Decimal | undefined): Decimal.Decimal | undefined =>
  Decimal.isPositive(filled) && price !== undefined && Decimal.isPositive(price) ? price : undefined

/** What an order asks for: the name of its one configuration, with its price and its amount. */
const termsOf = (configuration: Schemas.Configuration | null | undefined) => {
  const [kind, terms] = Object.entries(configuration ?? {}).find(([, terms]) => terms !== null) ?? []
  return { kind, price: Schemas.decimalOf(terms?.limit_price), amount: Schemas.decimalOf(terms?.base_size) }
}

const timeOf = (time: string | null | undefined): Timestamp.Timestamp | undefined => Timestamp.parse(time ?? "")

const millisOf = (time: string | null | undefined): number => {
  const timestamp = timeOf(time)
  return timestamp === undefined ? 0 : Timestamp.epochMillis(timestamp)
}

/**
 * An order as REST has it. What it was edited to counts, the latest edit.
 *
 * @category constructors
 * @since 0.1.0
 */
export const ofRest = (order: typeof Schemas.Order.Type): Order => {
  const filled = Schemas.decimalOf(order.filled_size) ?? Decimal.zero
  const { amount, kind, price } = termsOf(order.order_configuration)
  const edit = (order.edit_history ?? [])
    .map((edit) => ({ ...edit, at: millisOf(edit.replace_accept_timestamp) }))
    .toSorted((one, other) => one.at - other.at)
    .at(-1)
  return {
    orderId: order.order_id,
    clientId: Schemas.textOf(order.client_order_id),
    product: order.product_id,
    side: sides[order.side],
    status: statusOf(order.status, filled),
    kind,
    filled,
    averagePrice: averageOf(filled, Schemas.decimalOf(order.average_filled_price)),
    price: Schemas.decimalOf(edit?.price) ?? price,
    amount: Schemas.decimalOf(edit?.size) ?? amount,
    createdAt: millisOf(order.created_time)
  }
}

/**
 * An order as the socket tells of it. What is left of one that is over is zero,
 * however much of it was not filled.
 *
 * @category constructors
 * @since 0.1.0
 */
export const ofSocket = (order: typeof Schemas.ToldOrder.Type): Order => {
  const filled = Schemas.decimalOf(order.cumulative_quantity) ?? Decimal.zero
  const leaves = Schemas.decimalOf(order.leaves_quantity)
  const price = Schemas.decimalOf(order.limit_price)
  const status = statusOf(order.status, filled)
  return {
    orderId: order.order_id,
    clientId: Schemas.textOf(order.client_order_id),
    product: order.product_id,
    side: sides[order.order_side],
    status,
    kind: undefined,
    filled,
    averagePrice: averageOf(filled, Schemas.decimalOf(order.avg_price)),
    price: price !== undefined && Decimal.isPositive(price) ? price : undefined,
    amount: leaves === undefined || isOver(status) ? undefined : BigDecimal.sum(filled, leaves),
    createdAt: 0
  }
}

/**
 * The order that an answer names: as it was asked for, where the answer says
 * nothing else. The venue has not said more of it than that it has it.
 *
 * @category constructors
 * @since 0.1.0
 */
export const ofAnswer = (
  { amount, clientId, price, product, side }: OrderRequest,
  { order_configuration, success_response }: typeof Schemas.Placed.Type
): Order | undefined => {
  const { client_order_id, order_id, product_id, side: named } = success_response ?? {}
  const orderId = Schemas.textOf(order_id)
  if (orderId === undefined) return undefined
  const said = termsOf(order_configuration)
  return {
    orderId,
    clientId: Schemas.textOf(client_order_id) ?? clientId,
    product: Schemas.textOf(product_id) ?? product,
    side: named === "BUY" ? "buy" : named === "SELL" ? "sell" : side,
    status: "pending",
    kind: said.kind,
    filled: Decimal.zero,
    averagePrice: undefined,
    price: said.kind === undefined ? price : said.price,
    amount: said.kind === undefined ? amount : said.amount,
    createdAt: 0
  }
}

/**
 * An order as it stands, with its price and its amount.
 *
 * @category getters
 * @since 0.1.0
 */
export const toUpdate = ({ amount, averagePrice, filled, price, product, side, status, ...ids }: Order): OrderUpdate =>
  new OrderUpdate({
    ...namesOf(exchange, ids),
    product,
    side,
    status,
    filled,
    ...(amount === undefined ? {} : { remaining: BigDecimal.subtract(amount, filled), amount }),
    ...(averagePrice === undefined ? {} : { averagePrice }),
    ...(price === undefined ? {} : { price })
  })

const isSame = (one: Decimal.Decimal | undefined, other: Decimal.Decimal): boolean =>
  one !== undefined && BigDecimal.equals(one, other)

/**
 * Whether an order is the one that was asked for: of its product, side, amount
 * and price, as far as it says what it asks for.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isOf = (request: OrderRequest, { amount, kind, price, product, side }: Order): boolean => {
  const isSilent = kind === undefined && amount === undefined && price === undefined
  return product === request.product && side === request.side &&
    (isSilent || (isSame(amount, request.amount) &&
      (request.price === undefined ? price === undefined : isSame(price, request.price))))
}

/** What the fee of an execution is in: that which the product is priced in, of one that is a pair. */
const feeAssetOf = (product: string): string | undefined => /^[^-]+-([^-]+)$/.exec(product)?.[1]

/** The digits of an amount that is told in money. */
const quotientDigits = 8

/** What takes an execution back, or changes one: not one itself. */
const corrections = new Set(["REVERSAL", "CORRECTION"])

type ReadFill = typeof Schemas.Fill.Type

const nanosOf = ({ trade_time }: ReadFill): bigint => {
  const timestamp = timeOf(trade_time)
  return timestamp === undefined ? 0n : Timestamp.toEpochNanos(timestamp)
}

const compare = (one: bigint, other: bigint): number => one < other ? -1 : one > other ? 1 : 0

// Ids that count, whatever stands before the number.
const counted = (one: string, other: string): number => {
  const [of, by] = [/^(.*?)(\d+)$/.exec(one), /^(.*?)(\d+)$/.exec(other)]
  if (of === null || by === null || of[1] !== by[1]) return 0
  return compare(BigInt(of[2] ?? ""), BigInt(by[2] ?? ""))
}

/**
 * Executions, oldest first, each once. The venue gives the newest first; those of
 * one moment are in the order of their ids if these count, otherwise in its order.
 *
 * @category constructors
 * @since 0.1.0
 */
export const toFills = (fills: ReadonlyArray<ReadFill>): ReadonlyArray<Fill> => {
  const [first, last] = [fills[0], fills.at(-1)]
  const isOldestFirst = first !== undefined && last !== undefined && nanosOf(first) < nanosOf(last)
  const executions = (isOldestFirst ? fills : fills.toReversed()).filter(({ trade_type }) =>
    !corrections.has(trade_type ?? "")
  )
  return [...new Map(executions.map((fill) => [fill.trade_id, fill])).values()].toSorted((one, other) =>
    compare(nanosOf(one), nanosOf(other)) || counted(one.trade_id, other.trade_id)
  ).map((fill) => {
    const { liquidity_indicator, order_id, price, product_id, side, size, size_in_quote, trade_id, trade_time } = fill
    const fee = Schemas.decimalOf(fill.commission)
    const feeAsset = fee === undefined ? undefined : feeAssetOf(product_id)
    const timestamp = timeOf(trade_time)
    return new Fill({
      exchange,
      product: product_id,
      side: sides[side],
      orderId: order_id,
      price,
      amount: size_in_quote === true ? Exact.divide(size, price, quotientDigits) : size,
      ...(fee === undefined ? {} : { fee }),
      ...(feeAsset === undefined ? {} : { feeAsset }),
      tradeId: trade_id,
      ...(timestamp === undefined ? {} : { timestamp }),
      ...(liquidity_indicator === "MAKER"
        ? { liquidity: "maker" as const }
        : liquidity_indicator === "TAKER"
        ? { liquidity: "taker" as const }
        : {})
    })
  })
}

/**
 * What may be traded of a product: its rules, and whether it is spot.
 *
 * @category models
 * @since 0.1.0
 */
export interface Market {
  readonly instrument: Instrument.Instrument
  readonly isSpot: boolean
}

/**
 * Reads a product. Of bounds that do not fit together none is held to; the venue
 * has the last word.
 *
 * @category constructors
 * @since 0.1.0
 */
export const marketOf = (product: typeof Schemas.Product.Type): Market | undefined => {
  const { base_currency_id, product_id, product_type, quote_currency_id } = product
  const positive = (value: Parameters<typeof Schemas.decimalOf>[0]): Decimal.Decimal | undefined => {
    const decimal = Schemas.decimalOf(value)
    return decimal !== undefined && Decimal.isPositive(decimal) ? decimal : undefined
  }
  const tick = positive(product.price_increment) ?? positive(product.quote_increment)
  const lot = positive(product.base_increment)
  if (tick === undefined || lot === undefined) return undefined
  const [minimum, maximum] = [positive(product.base_min_size), positive(product.base_max_size)]
  const isSpot = product_type === undefined || product_type === null || product_type === "SPOT"
  const feeAsset = Schemas.textOf(quote_currency_id) ?? feeAssetOf(product_id) ?? "USD"
  const base = isSpot ? Schemas.textOf(base_currency_id) : undefined
  const rules = {
    product: product_id,
    tick,
    lot,
    feeAsset,
    ...(base === undefined || base === feeAsset ? {} : { base })
  }
  const bounded = Instrument.Instrument.makeOption({
    ...rules,
    ...(minimum === undefined ? {} : { minimum }),
    ...(maximum === undefined ? {} : { maximum })
  })
  return {
    instrument: bounded._tag === "Some" ? bounded.value : new Instrument.Instrument(rules),
    isSpot
  }
}

const mostCharacters = 128

/**
 * What an order asks for that the venue does not have, whatever the product.
 *
 * @category getters
 * @since 0.1.0
 */
export const lacking = ({ clientId, reduceOnly }: OrderRequest): string | undefined => {
  if (reduceOnly) return "reduce-only: Coinbase Advanced Trade has no such orders"
  const isPrintable = clientId.length <= mostCharacters && !/\p{C}/u.test(clientId)
  return isPrintable ? undefined : `a client id has 1 to ${mostCharacters} printable characters`
}

/** The configuration of an order: its kind, and what it asks for. */
const configurationOf = (
  { amount, price, timeInForce, type }: OrderRequest
): { readonly [kind: string]: { readonly [term: string]: string | boolean } } => {
  const base_size = Decimal.format(amount)
  if (type === "market" || price === undefined) {
    return timeInForce === "fok" ? { market_market_fok: { base_size } } : { market_market_ioc: { base_size } }
  }
  const limit = { base_size, limit_price: Decimal.format(price) }
  switch (timeInForce) {
    case "fok":
      return { limit_limit_fok: limit }
    case "ioc":
      return { sor_limit_ioc: limit }
    default:
      return { limit_limit_gtc: { ...limit, post_only: timeInForce === "post-only" } }
  }
}

/**
 * The body of the request that places an order. Amounts are in the base asset.
 *
 * @see https://docs.cdp.coinbase.com/api-reference/advanced-trade-api/rest-api/orders/create-order (read 2026-11-26)
 * @category constructors
 * @since 0.1.0
 */
export const placing = (request: OrderRequest) => ({
  client_order_id: request.clientId,
  product_id: request.product,
  side: request.side === "buy" ? "BUY" : "SELL",
  order_configuration: configurationOf(request)
})

/**
 * Whether an order can be edited: the venue does so with limit orders that stand
 * until they are cancelled.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isEditable = ({ kind }: Order): boolean => kind === undefined || kind === "limit_limit_gtc"

/**
 * The body of the request that edits an order: the venue takes what is not named
 * for zero.
 *
 * @see https://docs.cdp.coinbase.com/api-reference/advanced-trade-api/rest-api/orders/edit-order (read 2026-11-26)
 * @category constructors
 * @since 0.1.0
 */
export const editing = (order: Order, terms: Terms) => {
  const [price, size] = [terms.price ?? order.price, terms.amount ?? order.amount]
  return {
    order_id: order.orderId,
    ...(price === undefined ? {} : { price: Decimal.format(price) }),
    ...(size === undefined ? {} : { size: Decimal.format(size) })
  }
}

/**
 * The first of some reasons of the venue's that says something.
 *
 * @category getters
 * @since 0.1.0
 */
export const reasonIn = (...reasons: ReadonlyArray<string | null | undefined>): string | undefined =>
  reasons.map(Schemas.textOf).find((reason) => reason !== undefined && !/^UNKNOWN_\w*REASON$/.test(reason))
