/**
 * What Hyperliquid says of orders and accounts, as schemas of exact JSON.
 *
 * @see https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/info-endpoint (read 2026-11-26)
 * @see https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/exchange-endpoint (read 2026-11-26)
 * @see https://github.com/nktkas/hyperliquid (the members of each answer; read 2026-11-26)
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as ExactSchema from "../../../codec/ExactSchema.ts"

const side = Schema.Literals(["A", "B"])

/**
 * An order as it stands. `sz` is what is left of `origSz`; some answers have less
 * of it than others.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Order = Schema.Struct({
  coin: Schema.String,
  side,
  limitPx: ExactSchema.Decimal,
  sz: ExactSchema.Decimal,
  oid: ExactSchema.Id,
  timestamp: ExactSchema.Millis,
  origSz: ExactSchema.optional(ExactSchema.Decimal),
  cloid: ExactSchema.optional(Schema.String),
  reduceOnly: ExactSchema.optional(Schema.Boolean),
  tif: ExactSchema.optional(Schema.String),
  isTrigger: ExactSchema.optional(Schema.Boolean)
})

/**
 * An order, and what became of it, in the venue's word for it.
 *
 * @category schemas
 * @since 0.1.0
 */
export const OrderWithStatus = Schema.Struct({ order: Order, status: Schema.String })

/**
 * The answer to `orderStatus`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const OrderStatus = Schema.Union([
  Schema.Struct({ status: Schema.Literal("order"), order: OrderWithStatus }),
  Schema.Struct({ status: Schema.Literal("unknownOid") })
])

/**
 * An execution. `side` is that of the order, `crossed` whether it took.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Fill = Schema.Struct({
  coin: Schema.String,
  px: ExactSchema.Decimal,
  sz: ExactSchema.Decimal,
  side,
  time: ExactSchema.Millis,
  oid: ExactSchema.Id,
  tid: ExactSchema.Id,
  crossed: ExactSchema.optional(Schema.Boolean),
  fee: ExactSchema.optional(ExactSchema.Decimal),
  feeToken: ExactSchema.optional(Schema.String),
  cloid: ExactSchema.optional(Schema.String)
})

/**
 * What perpetuals there are: the number of one is its place in the list.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Meta = Schema.Struct({
  universe: Schema.Array(Schema.Struct({
    name: Schema.String,
    szDecimals: ExactSchema.Integer,
    isDelisted: ExactSchema.optional(Schema.Boolean)
  }))
})

/**
 * What spot pairs there are, and of which tokens.
 *
 * @category schemas
 * @since 0.1.0
 */
export const SpotMeta = Schema.Struct({
  universe: Schema.Array(Schema.Struct({
    name: Schema.String,
    index: ExactSchema.Integer,
    tokens: Schema.Array(ExactSchema.Integer)
  })),
  tokens: Schema.Array(Schema.Struct({
    name: Schema.String,
    index: ExactSchema.Integer,
    szDecimals: ExactSchema.Integer
  }))
})

/**
 * A book: bids and asks, each best first.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Book = Schema.Struct({
  levels: Schema.Array(Schema.Array(Schema.Struct({ px: ExactSchema.Decimal })))
})

/**
 * Who an address is: an API wallet signs for `data.user`.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Role = Schema.Union([
  Schema.Struct({ role: Schema.Literal("agent"), data: Schema.Struct({ user: Schema.String }) }),
  Schema.Struct({ role: Schema.String })
])

/**
 * An account's money and positions of perpetuals.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Clearinghouse = Schema.Struct({
  marginSummary: Schema.Struct({ accountValue: ExactSchema.Decimal }),
  withdrawable: ExactSchema.Decimal,
  assetPositions: Schema.Array(Schema.Struct({
    position: Schema.Struct({
      coin: Schema.String,
      szi: ExactSchema.Decimal,
      entryPx: ExactSchema.optional(ExactSchema.Decimal),
      unrealizedPnl: ExactSchema.optional(ExactSchema.Decimal)
    })
  }))
})

/**
 * An account's money of the spot market.
 *
 * @category schemas
 * @since 0.1.0
 */
export const SpotClearinghouse = Schema.Struct({
  balances: Schema.Array(Schema.Struct({
    coin: Schema.String,
    total: ExactSchema.Decimal,
    hold: ExactSchema.Decimal
  }))
})

const answered = { oid: ExactSchema.Id }

/**
 * What became of one part of an action: of an order, or `success` of a cancel.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Status = Schema.Union([
  Schema.Struct({ resting: Schema.Struct(answered) }),
  Schema.Struct({
    filled: Schema.Struct({ ...answered, totalSz: ExactSchema.Decimal, avgPx: ExactSchema.Decimal })
  }),
  Schema.Struct({ error: Schema.String }),
  Schema.String
])

/**
 * The answer to an action: what became of each part of it, or why nothing did.
 *
 * @category schemas
 * @since 0.1.0
 */
export const ActionAnswer = Schema.Union([
  Schema.Struct({
    status: Schema.Literal("ok"),
    response: Schema.Struct({
      data: ExactSchema.optional(Schema.Struct({ statuses: ExactSchema.optional(Schema.Array(Status)) }))
    })
  }),
  Schema.Struct({ status: Schema.Literal("err"), response: Schema.String })
])
