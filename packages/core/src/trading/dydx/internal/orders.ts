/**
 * Orders in dYdX's words and in ours, both ways.
 *
 * @since 0.1.0
 */
import * as BigDecimal from "effect/BigDecimal"
import * as Decimal from "../../../value/Decimal.ts"
import * as Exact from "../../../value/internal/exactArithmetic.ts"
import * as Timestamp from "../../../value/Timestamp.ts"
import * as Instrument from "../../Instrument.ts"

import { Fill, OrderUpdate } from "../../OrderEvent.ts"
import type { OrderRequest } from "../../OrderRequest.ts"
import type { OrderStatus } from "../../OrderStatus.ts"
import type * as Signing from "../DydxSigning.ts"
import { clientNumber } from "./clientNumber.ts"
import type * as Schemas from "./schemas.ts"

/**
 * What events call the exchange.
 *
 * @category constants
 * @since 0.1.0
 */
export const exchange = "dydx"

/** In what everything is paid. */
const asset = "USDC"

/** The digits of the quote asset's units. */
const quoteResolution = -6

/**
 * An order that rests in the chain's state, until a time.
 *
 * @category constants
 * @since 0.1.0
 */
export const resting = 64

/**
 * A market: its rules, and the units in which the chain counts there.
 *
 * @category models
 * @since 0.1.0
 */
export interface Market {
  readonly instrument: Instrument.Instrument
  readonly clobPairId: number
  readonly oraclePrice: Decimal.Decimal | undefined
  readonly amountScale: number
  readonly priceScale: number
}

/**
 * Reads a market.
 *
 * @see https://docs.dydx.xyz/interaction/integration/integration-perps (read 2026-11-26)
 * @category constructors
 * @since 0.1.0
 */
export const marketOf = (
  { atomicResolution, clobPairId, oraclePrice, quantumConversionExponent, stepSize, ticker, tickSize }:
    typeof Schemas.Market.Type
): Market => ({
  instrument: new Instrument.Instrument({ product: ticker, tick: tickSize, lot: stepSize, feeAsset: asset }),
  clobPairId: Number(clobPairId),
  oraclePrice: oraclePrice ?? undefined,
  amountScale: -atomicResolution,
  priceScale: atomicResolution - quantumConversionExponent - quoteResolution
})

/**
 * What an order asks for that there is not.
 *
 * @see https://docs.dydx.xyz/concepts/trading/orders (read 2026-11-26)
 * @category getters
 * @since 0.1.0
 */
export const lacking = ({ reduceOnly, timeInForce, type }: OrderRequest): string | undefined => {
  if (timeInForce === "fok") return "dYdX has no orders that are fok"
  return reduceOnly && type === "limit" && timeInForce !== "ioc"
    ? "dYdX has reduce-only for orders that do not rest: ioc, or at the market"
    : undefined
}

/**
 * An order.
 *
 * @category models
 * @since 0.1.0
 */
export interface DydxOrder {
  readonly orderId: string
  readonly clientId: number
  readonly orderFlags: number
  readonly clobPairId: number
  readonly product: string
  readonly side: "buy" | "sell"
  /** Of a market order: at which it may trade at most. */
  readonly price: Decimal.Decimal
  readonly isMarket: boolean
  readonly amount: Decimal.Decimal
  readonly filled: Decimal.Decimal
  readonly status: OrderStatus
  readonly goodTil: Signing.GoodTil | undefined
}

/** What is cancelled with best effort may still trade, until it is cancelled or its last block has come. */
const statuses: Readonly<Record<string, OrderStatus>> = {
  OPEN: "open",
  BEST_EFFORT_OPENED: "open",
  BEST_EFFORT_CANCELED: "open",
  UNTRIGGERED: "open",
  FILLED: "filled",
  CANCELED: "cancelled"
}

/**
 * Reads an order.
 *
 * @category constructors
 * @since 0.1.0
 */
export const ofIndexer = (order: typeof Schemas.Order.Type): DydxOrder => {
  const { clientId, clobPairId, goodTilBlock, goodTilBlockTime, orderFlags, side, status, totalFilled } = order
  const standing = statuses[status] ?? "unknown"
  return {
    orderId: order.id,
    clientId: Number(clientId),
    orderFlags: Number(orderFlags),
    clobPairId: Number(clobPairId),
    product: order.ticker,
    side: side === "BUY" ? "buy" : "sell",
    price: order.price,
    isMarket: order.type === "MARKET",
    amount: order.size,
    filled: totalFilled,
    status: standing === "open" && Decimal.isPositive(totalFilled) ? "partially-filled" : standing,
    goodTil: goodTilBlock !== undefined && goodTilBlock !== null
      ? { goodTilBlock: Number(goodTilBlock) }
      : goodTilBlockTime !== undefined && goodTilBlockTime !== null
      ? { goodTilBlockTime: Math.floor(Timestamp.epochMillis(goodTilBlockTime) / 1_000) }
      : undefined
  }
}

/**
 * Whether an order is the one that was asked for.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isOf = ({ amount, price, product, side }: OrderRequest, order: DydxOrder): boolean =>
  order.product === product && order.side === side && BigDecimal.equals(order.amount, amount) &&
  (price === undefined ? order.isMarket : BigDecimal.equals(order.price, price))

/**
 * An order in our words. `nameOf` is the client id that it was placed with, as far as it is known.
 *
 * @category getters
 * @since 0.1.0
 */
export const toUpdate = (nameOf: (clientId: number) => string) => (order: DydxOrder): OrderUpdate => {
  const { amount, clientId, filled, isMarket, orderId, price, product, side, status } = order
  return new OrderUpdate({
    exchange,
    product,
    side,
    clientId: nameOf(clientId),
    orderId,
    status,
    filled,
    remaining: BigDecimal.subtract(amount, filled),
    ...(isMarket ? {} : { price }),
    amount
  })
}

/**
 * Executions, oldest first.
 *
 * @category constructors
 * @since 0.1.0
 */
export const toFills = (fills: ReadonlyArray<typeof Schemas.Fill.Type>): ReadonlyArray<Fill> =>
  fills.toSorted((one, other) => Timestamp.TimestampOrder(one.createdAt, other.createdAt)).map((fill) =>
    new Fill({
      exchange,
      product: fill.market ?? fill.ticker ?? "",
      side: fill.side === "BUY" ? "buy" : "sell",
      ...(fill.orderId === undefined || fill.orderId === null ? {} : { orderId: fill.orderId }),
      price: fill.price,
      amount: fill.size,
      fee: fill.fee,
      feeAsset: asset,
      tradeId: fill.id,
      timestamp: fill.createdAt,
      liquidity: fill.liquidity === "MAKER" ? "maker" : "taker"
    })
  )

/** A price at which a market order trades at most: the oracle's and so much worse, on the tick. */
const worst = (
  { instrument, oraclePrice }: Market,
  side: "buy" | "sell",
  slippage: Decimal.Decimal
): Decimal.Decimal | undefined => {
  if (oraclePrice === undefined) return undefined
  const share = BigDecimal.sum(BigDecimal.make(1n, 0), side === "buy" ? slippage : BigDecimal.negate(slippage))
  const price = BigDecimal.multiply(oraclePrice, share)
  const illegal = Instrument.checkPrice(instrument, price)
  return illegal === undefined ? price : side === "buy" ? illegal.below ?? illegal.above : illegal.above
}

const timesInForce = { gtc: 0, ioc: 1, "post-only": 2, fok: 1 } as const

/**
 * What is placed for a request, but for until when it stands; or why there is
 * nothing.
 *
 * @category constructors
 * @since 0.1.0
 */
export const placing = (
  { amount, clientId, price, product, reduceOnly, side, timeInForce, type }: OrderRequest,
  market: Market,
  { clientMetadata, owner, slippage, subaccountNumber }: {
    readonly owner: string
    readonly subaccountNumber: number
    readonly slippage: Decimal.Decimal
    readonly clientMetadata: number
  }
): {
  readonly order: DydxOrder
  readonly terms: Omit<Signing.Order, keyof Signing.GoodTil>
  readonly orderId: Signing.OrderId
} | string => {
  const limit = price ?? worst(market, side, slippage)
  if (limit === undefined) return `${product} has no price that a market order could go by`
  const isMarket = type === "market"
  const rests = !isMarket && timeInForce !== "ioc"
  const orderId = {
    owner,
    subaccountNumber,
    clientId: clientNumber(clientId),
    orderFlags: rests ? resting : 0,
    clobPairId: market.clobPairId
  }
  return {
    orderId,
    terms: {
      orderId,
      side: side === "buy" ? 1 : 2,
      quantums: Exact.unitsOf(amount, market.amountScale),
      subticks: Exact.unitsOf(limit, market.priceScale),
      timeInForce: isMarket ? 1 : timesInForce[timeInForce],
      reduceOnly,
      // By its lowest bit the indexer knows an order at the market.
      clientMetadata: isMarket ? clientMetadata | 1 : clientMetadata
    },
    order: {
      ...orderId,
      orderId: "",
      product,
      side,
      price: limit,
      isMarket,
      amount,
      filled: Decimal.zero,
      status: "pending",
      goodTil: undefined
    }
  }
}
