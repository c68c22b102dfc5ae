/**
 * Orders in Hyperliquid's words and in ours, both ways.
 *
 * @since 0.1.0
 */
import * as BigDecimal from "effect/BigDecimal"
import * as Decimal from "../../../value/Decimal.ts"
import * as Timestamp from "../../../value/Timestamp.ts"
import { Fill } from "../../OrderEvent.ts"
import type { OrderRequest, TimeInForce } from "../../OrderRequest.ts"
import type { OrderStatus } from "../../OrderStatus.ts"
import type { Value } from "./msgpack.ts"
import type * as Wire from "./wire.ts"

/**
 * What events call the exchange.
 *
 * @category constants
 * @since 0.1.0
 */
export const exchange = "hyperliquid"

/**
 * An order of one number. An amendment gives it another: then there are several of
 * one client id, each of what was left of the one before.
 *
 * @category models
 * @since 0.1.0
 */
export interface Order {
  readonly oid: string
  readonly cloid: string | undefined
  readonly product: string
  readonly side: "buy" | "sell"
  readonly price: Decimal.Decimal
  readonly amount: Decimal.Decimal
  readonly filled: Decimal.Decimal
  readonly status: OrderStatus
  readonly averagePrice: Decimal.Decimal | undefined
  readonly timeInForce: string
  readonly reduceOnly: boolean
  /** Whether it waits for a price, and is no order of the book before. */
  readonly isTrigger: boolean
  /** When it was placed, in epoch milliseconds. */
  readonly placedAt: number
}

/**
 * The time in force in the venue's words. It has no fill-or-kill.
 *
 * @see https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/exchange-endpoint#place-an-order (read 2026-11-26)
 * @category getters
 * @since 0.1.0
 */
export const timeInForceOf = (
  { timeInForce, type }: { readonly type: "limit" | "market"; readonly timeInForce: TimeInForce }
): "Gtc" | "Ioc" | "Alo" | undefined => {
  if (timeInForce === "fok") return undefined
  if (type === "market") return "Ioc"
  return timeInForce === "gtc" ? "Gtc" : timeInForce === "ioc" ? "Ioc" : "Alo"
}

/**
 * A decimal as the venue takes it: in plain notation, without zeros at its end.
 *
 * @category encoding
 * @since 0.1.0
 */
export const text = (decimal: Decimal.Decimal): string => {
  const plain = Decimal.format(decimal)
  return plain.includes(".") ? plain.replace(/\.?0+$/, "") : plain
}

/**
 * An order as an action has it, its members in the venue's order.
 *
 * @category encoding
 * @since 0.1.0
 */
export const toAction = (
  asset: number,
  { amount, cloid, price, reduceOnly, side, timeInForce }: Pick<
    Order,
    "amount" | "cloid" | "price" | "reduceOnly" | "side" | "timeInForce"
  >
): { readonly [name: string]: Value } => ({
  a: asset,
  b: side === "buy",
  p: text(price),
  s: text(amount),
  r: reduceOnly,
  t: { limit: { tif: timeInForce } },
  c: cloid
})

/** How far an order has come, by the venue's word: there are many for how one ends. */
const statusOf = (word: string, left: Decimal.Decimal, filled: Decimal.Decimal): OrderStatus => {
  switch (word) {
    case "open":
    case "triggered":
      return Decimal.isPositive(filled) ? "partially-filled" : "open"
    case "filled":
      return Decimal.isPositive(left) ? "cancelled" : "filled"
    default:
      if (/rejected$/i.test(word)) return "rejected"
      return /cancel/i.test(word) ? "cancelled" : "unknown"
  }
}

/**
 * Reads an order, with the venue's word for what became of it.
 *
 * @category decoding
 * @since 0.1.0
 */
export const read = (order: typeof Wire.Order.Type, word: string): Order => {
  const { cloid, coin, isTrigger, limitPx, oid, reduceOnly, side, sz, tif, timestamp } = order
  const amount = order.origSz ?? sz
  const filled = BigDecimal.subtract(amount, sz)
  return {
    oid,
    cloid: cloid ?? undefined,
    product: coin,
    side: side === "B" ? "buy" : "sell",
    price: limitPx,
    amount,
    filled,
    status: statusOf(word, sz, filled),
    averagePrice: undefined,
    timeInForce: tif ?? "Gtc",
    reduceOnly: reduceOnly ?? false,
    isTrigger: isTrigger ?? false,
    placedAt: Timestamp.epochMillis(timestamp)
  }
}

/**
 * What the answer to an order says of it; `undefined` if it cannot be read. What
 * an order that takes at once has not filled is cancelled.
 *
 * @category decoding
 * @since 0.1.0
 */
export const answered = (
  order: Omit<Order, "averagePrice" | "filled" | "oid" | "status">,
  answer: typeof Wire.Status.Type | undefined
): Order | undefined => {
  if (typeof answer !== "object" || "error" in answer) return undefined
  if ("resting" in answer) {
    return { ...order, oid: answer.resting.oid, filled: Decimal.zero, status: "open", averagePrice: undefined }
  }
  const { avgPx, oid, totalSz } = answer.filled
  const isWhole = BigDecimal.isGreaterThanOrEqualTo(totalSz, order.amount)
  return {
    ...order,
    oid,
    filled: totalSz,
    averagePrice: avgPx,
    status: isWhole ? "filled" : order.timeInForce === "Ioc" ? "cancelled" : "partially-filled"
  }
}

const isThere = <A>(member: A | null | undefined): member is A => member !== undefined && member !== null

/**
 * Reads an execution.
 *
 * @category decoding
 * @since 0.1.0
 */
export const toFill = (
  { cloid, coin, crossed, fee, feeToken, oid, px, side, sz, tid, time }: typeof Wire.Fill.Type
): Fill =>
  new Fill({
    exchange,
    product: coin,
    side: side === "B" ? "buy" : "sell",
    orderId: oid,
    price: px,
    amount: sz,
    tradeId: tid,
    timestamp: time,
    ...(isThere(cloid) ? { clientId: cloid } : {}),
    ...(isThere(fee) ? { fee } : {}),
    ...(isThere(feeToken) ? { feeAsset: feeToken } : {}),
    ...(!isThere(crossed) ? {} : { liquidity: crossed ? "taker" : "maker" })
  })

/**
 * An order that is asked for, at a price, before it has a number.
 *
 * @category constructors
 * @since 0.1.0
 */
export const requested = (
  { amount, clientId, product, reduceOnly, side }: OrderRequest,
  { placedAt, price, timeInForce }: Pick<Order, "placedAt" | "price" | "timeInForce">
): Omit<Order, "averagePrice" | "filled" | "oid" | "status"> => ({
  cloid: clientId,
  product,
  side,
  price,
  amount,
  timeInForce,
  reduceOnly,
  isTrigger: false,
  placedAt
})
