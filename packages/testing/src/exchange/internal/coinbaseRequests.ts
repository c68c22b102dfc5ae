/** What Coinbase Advanced Trade is asked to do with orders. */
import type { Place } from "@tickline/core/trading/MatchingCommand"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Timestamp from "@tickline/core/value/Timestamp"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import type { Configuration } from "./coinbaseOrders.ts"

const Base = { base_size: Schema.String }
const Limit = { ...Base, limit_price: Schema.String }
const PostOnly = { ...Limit, post_only: Schema.optionalKey(Schema.Boolean) }

/** The kinds that the mock takes; of another it says that it does not. */
const Configurations = Schema.Struct({
  market_market_ioc: Schema.optionalKey(Schema.Struct(Base)),
  sor_limit_ioc: Schema.optionalKey(Schema.Struct(Limit)),
  limit_limit_fok: Schema.optionalKey(Schema.Struct(Limit)),
  limit_limit_gtc: Schema.optionalKey(Schema.Struct(PostOnly)),
  limit_limit_gtd: Schema.optionalKey(Schema.Struct({ ...PostOnly, end_time: Schema.String }))
})

const NewOrder = Schema.Struct({
  client_order_id: Schema.String,
  product_id: Schema.String,
  side: Schema.Literals(["BUY", "SELL"]),
  order_configuration: Schema.Unknown
})

const EditOrder = Schema.Struct({
  order_id: Schema.String,
  price: Schema.optionalKey(Schema.String),
  size: Schema.optionalKey(Schema.String)
})

const CancelOrders = Schema.Struct({ order_ids: Schema.Array(Schema.String) })

const fromJson = <A>(schema: Schema.Codec<A, unknown>) => Schema.decodeUnknownResult(Schema.fromJsonString(schema))
/** Reads an order. */
export const readOrder = fromJson(NewOrder)
/** Reads an edit. */
export const readEdit = fromJson(EditOrder)
/** Reads cancels. */
export const readCancel = fromJson(CancelOrders)
const readConfiguration = Schema.decodeUnknownResult(Configurations, { onExcessProperty: "error" })

/** What an order asks for, if it is of a kind that the mock takes. */
export const configurationIn = (json: unknown): Configuration | undefined => {
  const read = readConfiguration(json)
  if (Result.isFailure(read) || Object.keys(read.success).length !== 1) return undefined
  const { limit_limit_fok, limit_limit_gtc, limit_limit_gtd, market_market_ioc, sor_limit_ioc } = read.success
  if (market_market_ioc !== undefined) return { kind: "market_market_ioc", ...market_market_ioc }
  if (sor_limit_ioc !== undefined) return { kind: "sor_limit_ioc", ...sor_limit_ioc }
  if (limit_limit_fok !== undefined) return { kind: "limit_limit_fok", ...limit_limit_fok }
  if (limit_limit_gtc !== undefined) return { kind: "limit_limit_gtc", post_only: false, ...limit_limit_gtc }
  return limit_limit_gtd && { kind: "limit_limit_gtd", post_only: false, ...limit_limit_gtd }
}

/** A decimal above zero. */
export const positive = (text: string | undefined): Decimal.Decimal | undefined => {
  const decimal = Decimal.parse(text ?? "")
  return decimal !== undefined && Decimal.isPositive(decimal) ? decimal : undefined
}

/** What the engine is to do for an order. */
export const placing = (
  account: string,
  product: string,
  side: "buy" | "sell",
  configuration: Configuration
): Place | undefined => {
  const amount = positive(configuration.base_size)
  if (amount === undefined) return undefined
  const placed = { _tag: "Place", account, product, side, amount, selfTrade: "cancel-taker" } as const
  if (configuration.kind === "market_market_ioc") return { ...placed, type: "market", timeInForce: "ioc" }
  const price = positive(configuration.limit_price)
  if (price === undefined) return undefined
  const limit = { ...placed, type: "limit", price } as const
  switch (configuration.kind) {
    case "sor_limit_ioc":
      return { ...limit, timeInForce: "ioc" }
    case "limit_limit_fok":
      return { ...limit, timeInForce: "fok" }
    case "limit_limit_gtc":
      return { ...limit, timeInForce: configuration.post_only ? "post-only" : "gtc" }
    case "limit_limit_gtd": {
      const validUntil = Timestamp.fromIso(configuration.end_time)
      return validUntil && {
        ...limit,
        timeInForce: configuration.post_only ? "post-only" : "gtc",
        validUntil: Timestamp.epochMillis(validUntil)
      }
    }
  }
}
