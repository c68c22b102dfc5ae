/** What dYdX's indexer says of orders and executions, in its own words. */
import type { Instrument } from "@tickline/core/trading/Instrument"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Timestamp from "@tickline/core/value/Timestamp"
import * as BigDecimal from "effect/BigDecimal"
import type { FillRecord, OrderRecord } from "./clearedBooks.ts"
import type * as Transactions from "./dydxTransactions.ts"

/** What the books know of an order besides. */
export interface Terms {
  readonly id: string
  readonly message: Extract<Transactions.Message, { readonly _tag: "Place" }>
}

/** An order, placed or taken out of the chain's state before it was in the book. */
export interface Order {
  readonly terms: Terms
  readonly record: OrderRecord<Terms> | undefined
  readonly removed: string | undefined
}

/** A market; its place is the number of its pair. */
export interface Listed {
  readonly instrument: Instrument
  readonly symbol: string
}

/** A step of an amount has so many units, and a tick of a price. */
export const unitsOfStep = { amount: 6, price: 5 }

const blockMillis = 1_000
const resting = 64

/** A time, as the venue writes it. */
export const timeOf = (millis: number): string => Timestamp.format(Timestamp.fromEpochMillis(Math.floor(millis)))

const side = (of: "buy" | "sell"): string => of === "buy" ? "BUY" : "SELL"

const timesInForce = ["GTT", "IOC", "GTT"]

/** Each side of a trade is an execution of its own. */
const tradeIdOf = ({ liquidity, tradeId }: FillRecord): string =>
  `${tradeId.toString(16).padStart(8, "0")}-0000-5000-8000-00000000000${liquidity === "maker" ? 1 : 2}`

/** An order, as the indexer shows it now. */
export const order = (
  { record, removed, terms: { id, message } }: Order,
  market: Listed | undefined,
  atMillis: number
): object => {
  const { clientMetadata, goodTilBlock, goodTilBlockTime, orderId, quantums, reduceOnly, subticks, timeInForce } =
    message
  const scales = { amount: market?.instrument.lot.scale ?? 0, price: market?.instrument.tick.scale ?? 0 }
  const statuses = { open: "OPEN", filled: "FILLED", cancelled: "CANCELED" }
  return {
    id,
    subaccountId: "00000000-0000-5000-8000-000000000000",
    clientId: String(orderId.clientId),
    clobPairId: String(orderId.clobPairId),
    orderFlags: String(orderId.orderFlags),
    ticker: market?.symbol,
    side: side(message.side),
    size: Decimal.format(BigDecimal.make(quantums / 10n ** BigInt(unitsOfStep.amount), scales.amount)),
    price: Decimal.format(BigDecimal.make(subticks / 10n ** BigInt(unitsOfStep.price), scales.price)),
    totalFilled: Decimal.format(record?.filled ?? Decimal.zero),
    status: record === undefined ? "CANCELED" : statuses[record.status],
    ...(removed === undefined ? {} : { removalReason: removed }),
    type: (clientMetadata & 1) === 1 ? "MARKET" : "LIMIT",
    timeInForce: timesInForce[timeInForce],
    postOnly: timeInForce === 2,
    reduceOnly,
    clientMetadata: String(clientMetadata),
    ...(orderId.orderFlags === resting
      ? { goodTilBlockTime: timeOf(goodTilBlockTime * 1_000) }
      : { goodTilBlock: String(goodTilBlock) }),
    updatedAt: timeOf(record?.updatedAt ?? atMillis)
  }
}

/** An execution of the order of an id, as the indexer shows it. */
export const execution = (fill: FillRecord, orderId: string | undefined): object => ({
  id: tradeIdOf(fill),
  side: side(fill.side),
  liquidity: fill.liquidity.toUpperCase(),
  type: "LIMIT",
  market: fill.product,
  ticker: fill.product,
  marketType: "PERPETUAL",
  price: Decimal.format(fill.price),
  size: Decimal.format(fill.amount),
  fee: Decimal.format(fill.fee),
  createdAt: timeOf(fill.at),
  createdAtHeight: String(Math.floor(fill.at / blockMillis)),
  orderId
})
