/**
 * What dYdX's indexer and its nodes answer, as far as it is read: figures are
 * exact.
 *
 * @see https://docs.dydx.xyz/indexer-client/http (read 2026-11-26)
 * @see https://docs.cosmos.network/api (read 2026-11-26)
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as ExactSchema from "../../../codec/ExactSchema.ts"
import * as Timestamp from "../../../value/Timestamp.ts"

const { optional } = ExactSchema

const Side = Schema.Literals(["BUY", "SELL"])

/** What is written as a text over REST, and here and there as a number. */
const Whole = Schema.Union([Schema.String, ExactSchema.Id])

/**
 * A market.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Market = Schema.Struct({
  ticker: Schema.String,
  clobPairId: Whole,
  oraclePrice: optional(ExactSchema.Decimal),
  atomicResolution: ExactSchema.Integer,
  quantumConversionExponent: ExactSchema.Integer,
  tickSize: ExactSchema.Decimal,
  stepSize: ExactSchema.Decimal
})

/**
 * Markets by their names.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Markets = Schema.Struct({ markets: Schema.Record(Schema.String, Market) })

/**
 * An order.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Order = Schema.Struct({
  id: Schema.String,
  clientId: Whole,
  clobPairId: Whole,
  orderFlags: Whole,
  ticker: Schema.String,
  side: Side,
  size: ExactSchema.Decimal,
  price: ExactSchema.Decimal,
  totalFilled: ExactSchema.Decimal,
  status: Schema.String,
  type: Schema.String,
  goodTilBlock: optional(Whole),
  goodTilBlockTime: optional(Timestamp.FromText)
})

/**
 * Orders, the newest first.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Orders = Schema.Array(Order)

/**
 * An execution: over REST its product is the `market`, on the socket the `ticker`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Fill = Schema.Struct({
  id: Schema.String,
  side: Side,
  liquidity: Schema.Literals(["MAKER", "TAKER"]),
  market: optional(Schema.String),
  ticker: optional(Schema.String),
  price: ExactSchema.Decimal,
  size: ExactSchema.Decimal,
  fee: ExactSchema.Decimal,
  createdAt: Timestamp.FromText,
  orderId: optional(Schema.String)
})

/**
 * Executions, the newest first.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Fills = Schema.Struct({ fills: Schema.Array(Fill) })

/**
 * What is told of a subaccount: orders as they stand, or what has changed of them.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Told = Schema.Struct({
  orders: optional(Schema.Array(Schema.Union([Order, Schema.Struct({ id: Schema.String, status: Schema.String })]))),
  fills: optional(Schema.Array(Fill))
})

/**
 * How far the indexer has come.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Height = Schema.Struct({ height: Whole })

/**
 * What a subaccount has free.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Subaccount = Schema.Struct({
  subaccount: Schema.Struct({ equity: ExactSchema.Decimal, freeCollateral: ExactSchema.Decimal })
})

/**
 * Assets, or positions in markets.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Assets = Schema.Struct({
  positions: Schema.Array(Schema.Struct({ symbol: Schema.String, side: Schema.String, size: ExactSchema.Decimal }))
})

/**
 * Positions in markets: those of shorts are below zero.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Positions = Schema.Struct({
  positions: Schema.Array(
    Schema.Struct({ market: Schema.String, size: ExactSchema.Decimal, entryPrice: optional(ExactSchema.Decimal) })
  )
})

/**
 * What is wrong, in the indexer's words or in a node's.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Fault = Schema.Struct({
  errors: optional(Schema.Array(Schema.Struct({ msg: optional(Schema.String) }))),
  message: optional(Schema.String)
})

/**
 * The newest block of a node.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Block = Schema.Struct({
  block: Schema.Struct({
    header: Schema.Struct({ chain_id: Schema.String, height: Whole, time: Timestamp.FromText })
  })
})

/**
 * What a node has of an address.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Account = Schema.Struct({
  account: Schema.Struct({ account_number: Whole, sequence: Whole })
})

/**
 * What a node says of a transaction that it was given: it takes it if `code` is 0.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Broadcast = Schema.Struct({
  tx_response: Schema.Struct({
    code: ExactSchema.Integer,
    codespace: optional(Schema.String),
    raw_log: optional(Schema.String)
  })
})
