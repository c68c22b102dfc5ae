/**
 * What is said of an order: the outcome of a command, and what happens to the
 * order later. Their lines of NDJSON are what `tickline order` prints.
 *
 * An outcome is a value and not an error: each of them is an answer to act on.
 * `clientId` is absent only of an order that was placed without one, by somebody
 * else.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import { decimal, instant, number, text } from "../event/internal/jsonMembers.ts"
import { Side } from "../event/MarketData.ts"
import * as Decimal from "../value/Decimal.ts"
import * as Timestamp from "../value/Timestamp.ts"
import { OrderStatus } from "./OrderStatus.ts"

const named = {
  exchange: Schema.String,
  clientId: Schema.optionalKey(Schema.String),
  orderId: Schema.optionalKey(Schema.String)
}

/**
 * The exchange took the command. `status` and `filled` are the order's, as far
 * as the exchange has said: `pending` and zero if it has not.
 *
 * @category models
 * @since 0.1.0
 */
export class Acknowledged extends Schema.TaggedClass<Acknowledged>()("Acknowledged", {
  ...named,
  status: OrderStatus,
  filled: Decimal.FromText
}) {}

/**
 * The exchange refused the command: nothing has changed there. `code` and
 * `message` are the exchange's own. `retryAfterMillis`, of a rate limit, is for
 * programs: no line has it.
 *
 * @category models
 * @since 0.1.0
 */
export class Rejected extends Schema.TaggedClass<Rejected>()("Rejected", {
  ...named,
  reason: Schema.String,
  code: Schema.optionalKey(Schema.String),
  message: Schema.optionalKey(Schema.String),
  retryAfterMillis: Schema.optionalKey(Schema.Finite)
}) {}

/**
 * The command never left: it is safe to give it again.
 *
 * @category models
 * @since 0.1.0
 */
export class NotSent extends Schema.TaggedClass<NotSent>()("NotSent", {
  ...named,
  reason: Schema.String
}) {}

/**
 * The command left, and no answer came: it may have been taken. It must not be
 * given again before it is reconciled.
 *
 * @category models
 * @since 0.1.0
 */
export class OutcomeUnknown extends Schema.TaggedClass<OutcomeUnknown>()("OutcomeUnknown", {
  ...named,
  reason: Schema.String
}) {}

/**
 * What became of an order whose outcome was unknown, by the exchange's word.
 * `filled` is absent if the order is.
 *
 * @category models
 * @since 0.1.0
 */
export class Reconciled extends Schema.TaggedClass<Reconciled>()("Reconciled", {
  ...named,
  status: OrderStatus,
  filled: Schema.optionalKey(Decimal.FromText)
}) {}

/**
 * The outcome of a command. `Reconciled` comes after `OutcomeUnknown` only.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Outcome = Schema.Union([Acknowledged, Rejected, NotSent, OutcomeUnknown, Reconciled])

/**
 * The outcome of a command.
 *
 * @category models
 * @since 0.1.0
 */
export type Outcome = typeof Outcome.Type

/**
 * On which side of a trade an order was: the maker rested in the book, the taker
 * came to it.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Liquidity = Schema.Literals(["maker", "taker"])

/**
 * On which side of a trade an order was.
 *
 * @category models
 * @since 0.1.0
 */
export type Liquidity = typeof Liquidity.Type

/**
 * One execution of an order. A `fee` below zero is a rebate. `liquidity` is for
 * programs: no line has it.
 *
 * @category models
 * @since 0.1.0
 */
export class Fill extends Schema.TaggedClass<Fill>()("Fill", {
  exchange: Schema.String,
  product: Schema.String,
  side: Side,
  clientId: Schema.optionalKey(Schema.String),
  orderId: Schema.optionalKey(Schema.String),
  price: Decimal.FromText,
  amount: Decimal.FromText,
  fee: Schema.optionalKey(Decimal.FromText),
  feeAsset: Schema.optionalKey(Schema.String),
  tradeId: Schema.String,
  timestamp: Schema.optionalKey(Timestamp.FromText),
  liquidity: Schema.optionalKey(Liquidity)
}) {}

/**
 * How far an order has come. `remaining` is its amount less what is filled.
 * `price` and `amount` are there if the order was asked for (`status`, `list`).
 * Of one that is `absent` only its names are known.
 *
 * @category models
 * @since 0.1.0
 */
export class OrderUpdate extends Schema.TaggedClass<OrderUpdate>()("OrderUpdate", {
  exchange: Schema.String,
  product: Schema.optionalKey(Schema.String),
  side: Schema.optionalKey(Side),
  clientId: Schema.optionalKey(Schema.String),
  orderId: Schema.optionalKey(Schema.String),
  status: OrderStatus,
  filled: Schema.optionalKey(Decimal.FromText),
  remaining: Schema.optionalKey(Decimal.FromText),
  averagePrice: Schema.optionalKey(Decimal.FromText),
  price: Schema.optionalKey(Decimal.FromText),
  amount: Schema.optionalKey(Decimal.FromText)
}) {}

/**
 * How many orders a `cancel-all` is known to have cancelled.
 *
 * @category models
 * @since 0.1.0
 */
export class CancelledAll extends Schema.TaggedClass<CancelledAll>()("CancelledAll", {
  count: Schema.Int
}) {}

/**
 * Everything that is said of orders.
 *
 * @category schemas
 * @since 0.1.0
 */
export const OrderEvent = Schema.Union([...Outcome.members, Fill, OrderUpdate, CancelledAll])

/**
 * Everything that is said of orders.
 *
 * @category models
 * @since 0.1.0
 */
export type OrderEvent = typeof OrderEvent.Type

const names = (event: Outcome | Fill | OrderUpdate): string =>
  text("exchange", event.exchange) +
  (event._tag === "Fill" || event._tag === "OrderUpdate"
    ? text("product", event.product) + text("side", event.side)
    : "") +
  text("clientId", event.clientId) + text("orderId", event.orderId)

const body = (event: OrderEvent): string => {
  switch (event._tag) {
    case "Acknowledged":
    case "Reconciled":
      return text("status", event.status) + decimal("filled", event.filled)
    case "Rejected":
      return text("reason", event.reason) + text("code", event.code) + text("message", event.message)
    case "NotSent":
    case "OutcomeUnknown":
      return text("reason", event.reason)
    case "Fill":
      return decimal("price", event.price) + decimal("amount", event.amount) + decimal("fee", event.fee) +
        text("feeAsset", event.feeAsset) + text("tradeId", event.tradeId) + instant("timestamp", event.timestamp)
    case "OrderUpdate":
      return text("status", event.status) + decimal("filled", event.filled) + decimal("remaining", event.remaining) +
        decimal("averagePrice", event.averagePrice) + decimal("price", event.price) + decimal("amount", event.amount)
    case "CancelledAll":
      return number("count", event.count)
  }
}

/**
 * The event as one line of NDJSON, without the line feed: `_tag`, what names the
 * order, then its members in the order of the interface. Equal to the schema's
 * encoding, without `liquidity` and `retryAfterMillis`.
 *
 * @category encoding
 * @since 0.1.0
 */
export const toJson = (event: OrderEvent): string =>
  `{"_tag":"${event._tag}"${event._tag === "CancelledAll" ? "" : names(event)}${body(event)}}`
