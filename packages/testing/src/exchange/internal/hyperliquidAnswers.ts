/** Hyperliquid's orders, executions and accounts, as it shows them. */
import type * as Clearing from "@tickline/core/trading/Clearing"
import * as Decimal from "@tickline/core/value/Decimal"
import * as BigDecimal from "effect/BigDecimal"
import type { FillRecord, OrderRecord } from "./clearedBooks.ts"

/** What the venue knows of an order besides: how it was asked for. */
export interface Terms {
  readonly tif: string
}

export type Order = OrderRecord<Terms>

const sideOf = ({ side }: { readonly side: "buy" | "sell" }): string => side === "buy" ? "B" : "A"

/** A figure as the venue shows it: with one zero after the point if it is whole. */
export const figure = (decimal: Decimal.Decimal): string => {
  const plain = Decimal.format(decimal)
  if (!plain.includes(".")) return `${plain}.0`
  const cut = plain.replace(/0+$/, "")
  return cut.endsWith(".") ? `${cut}0` : cut
}

/** What is left of an order. */
const left = ({ amount, filled }: Order): string => figure(BigDecimal.subtract(amount, filled))

/** Why an order is over, in the venue's word. */
const words: Readonly<Record<string, string>> = {
  requested: "canceled",
  immediate: "canceled",
  "self-trade": "selfTradeCanceled",
  "reduce-only": "reduceOnlyCanceled",
  funds: "marginCanceled",
  schedule: "scheduledCancel"
}

export const statusOf = ({ ended = "requested", status }: Order): string =>
  status === "cancelled" ? words[ended] ?? "canceled" : status

/** An order in brief, as `openOrders` and `orderUpdates` have it. */
export const brief = (order: Order): object => ({
  coin: order.product,
  side: sideOf(order),
  limitPx: figure(order.price ?? Decimal.zero),
  sz: left(order),
  oid: Number(order.orderId),
  timestamp: order.createdAt,
  origSz: figure(order.amount),
  ...(order.clientId === undefined ? {} : { cloid: order.clientId })
})

/** An order in full, as `frontendOpenOrders`, `orderStatus` and `historicalOrders` have it. */
export const whole = (order: Order): object => ({
  ...brief(order),
  triggerCondition: "N/A",
  isTrigger: false,
  triggerPx: "0.0",
  children: [],
  isPositionTpsl: false,
  reduceOnly: order.reduceOnly,
  orderType: "Limit",
  tif: order.terms.tif,
  cloid: order.clientId ?? null
})

/** An order with what became of it. */
export const withStatus = (order: Order, show: (order: Order) => object): object => ({
  order: show(order),
  status: statusOf(order),
  statusTimestamp: order.updatedAt
})

const dirOf = ({ amount, position, side }: FillRecord): string => {
  const signed = side === "buy" ? amount : BigDecimal.negate(amount)
  const before = BigDecimal.subtract(position, signed)
  const opens = before.value === 0n || before.value > 0n === signed.value > 0n
  return `${opens ? "Open" : "Close"} ${(side === "buy") === opens ? "Long" : "Short"}`
}

export const execution = (fill: FillRecord, { clientId }: Order): object => {
  const signed = fill.side === "buy" ? fill.amount : BigDecimal.negate(fill.amount)
  return {
    coin: fill.product,
    px: figure(fill.price),
    sz: figure(fill.amount),
    side: sideOf(fill),
    time: fill.at,
    startPosition: figure(BigDecimal.subtract(fill.position, signed)),
    dir: dirOf(fill),
    closedPnl: figure(fill.realized),
    hash: `0x${fill.tradeId.toString(16).padStart(64, "0")}`,
    oid: Number(fill.orderId),
    crossed: fill.liquidity === "taker",
    fee: figure(fill.fee),
    tid: fill.tradeId,
    feeToken: fill.feeAsset,
    ...(clientId === undefined ? {} : { cloid: clientId })
  }
}

/** What a position has gained at a price. */
const gained = ({ amount, cost }: Clearing.Position, price: Decimal.Decimal): Decimal.Decimal =>
  BigDecimal.subtract(BigDecimal.multiply(amount, price), cost)

/** An account of perpetuals, in the dollar. */
export const clearinghouse = (
  { available, held, total }: Clearing.Balance,
  positions: ReadonlyArray<Clearing.Position>,
  { at, leverage, priceOf }: {
    readonly at: number
    readonly leverage: number
    readonly priceOf: (product: string) => Decimal.Decimal
  }
): object => {
  const sum = (parts: ReadonlyArray<Decimal.Decimal>) =>
    parts.reduce((one, other) => BigDecimal.sum(one, other), Decimal.zero)
  const values = positions.map(({ amount, product }) => BigDecimal.abs(BigDecimal.multiply(amount, priceOf(product))))
  const profit = sum(positions.map((position) => gained(position, priceOf(position.product))))
  const summary = {
    accountValue: figure(BigDecimal.sum(total, profit)),
    totalNtlPos: figure(sum(values)),
    totalRawUsd: figure(BigDecimal.subtract(total, sum(positions.map(({ cost }) => cost)))),
    totalMarginUsed: figure(held)
  }
  return {
    marginSummary: summary,
    crossMarginSummary: summary,
    crossMaintenanceMarginUsed: "0.0",
    withdrawable: figure(available),
    assetPositions: positions.map((position) => ({
      type: "oneWay",
      position: {
        coin: position.product,
        szi: figure(position.amount),
        leverage: { type: "cross", value: leverage },
        entryPx: figure(position.averagePrice ?? Decimal.zero),
        positionValue: figure(BigDecimal.abs(BigDecimal.multiply(position.amount, priceOf(position.product)))),
        unrealizedPnl: figure(gained(position, priceOf(position.product))),
        returnOnEquity: "0.0",
        liquidationPx: null,
        marginUsed: "0.0",
        maxLeverage: 40,
        cumFunding: { allTime: "0.0", sinceOpen: "0.0", sinceChange: "0.0" }
      }
    })),
    time: at
  }
}
