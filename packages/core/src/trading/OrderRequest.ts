/**
 * What is asked of an exchange when an order is placed, in words that serve for
 * every exchange.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
import { Side } from "../event/MarketData.ts"
import * as Decimal from "../value/Decimal.ts"

/**
 * A limit order trades at its price or better; a market order at whatever price
 * there is.
 *
 * @category schemas
 * @since 0.1.0
 */
export const OrderType = Schema.Literals(["limit", "market"])

/**
 * A limit order trades at its price or better; a market order at whatever price
 * there is.
 *
 * @category models
 * @since 0.1.0
 */
export type OrderType = typeof OrderType.Type

/**
 * How long an order stands, and how it may trade:
 *
 * - `gtc` (good till cancelled): what does not trade at once rests
 * - `ioc` (immediate or cancel): what does not trade at once is cancelled
 * - `fok` (fill or kill): it trades at once as a whole, or not at all
 * - `post-only`: it rests without trading, or not at all
 *
 * @category schemas
 * @since 0.1.0
 */
export const TimeInForce = Schema.Literals(["gtc", "ioc", "fok", "post-only"])

/**
 * How long an order stands, and how it may trade.
 *
 * @category models
 * @since 0.1.0
 */
export type TimeInForce = typeof TimeInForce.Type

/**
 * An order as it is asked for. `amount` is in the base asset (at an inverse
 * instrument in its contracts' currency); a limit order has a `price`, a market
 * order none. `clientId` is the name under which we know it.
 *
 * @category models
 * @since 0.1.0
 */
export class OrderRequest extends Schema.Class<OrderRequest>("OrderRequest")(
  Schema.Struct({
    product: Schema.NonEmptyString,
    side: Side,
    type: OrderType,
    amount: Decimal.PositiveFromText,
    price: Schema.optionalKey(Decimal.PositiveFromText),
    timeInForce: TimeInForce,
    reduceOnly: Schema.Boolean,
    clientId: Schema.NonEmptyString
  }).check(Schema.makeFilter(({ price, timeInForce, type }) => {
    if (type === "limit") return price !== undefined || "a limit order needs a price"
    if (price !== undefined) return "a market order has no price"
    return timeInForce !== "post-only" || "a market order cannot be post-only"
  }))
) {}

const hexadecimal = Random.nextIntBetween(0, 0xffff_ffff).pipe(
  Effect.map((number) => number.toString(16).padStart(8, "0"))
)

/**
 * A client id that every exchange takes: `0x` and 32 lower-case hexadecimal
 * digits, by Effect's `Random`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const clientId: Effect.Effect<string> = Effect.all([hexadecimal, hexadecimal, hexadecimal, hexadecimal]).pipe(
  Effect.map((parts) => `0x${parts.join("")}`)
)
