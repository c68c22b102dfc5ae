/**
 * What strategies say: signals, and that one of them failed.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as Decimal from "../value/Decimal.ts"
import * as Printable from "../value/Printable.ts"
import * as Timestamp from "../value/Timestamp.ts"

/**
 * What a strategy decided on a candle. `product` is as the signals were asked for
 * it, `price` the candle's close, `at` its end in event time, and `confidence`
 * from 0 to 1.
 *
 * @category models
 * @since 0.1.0
 */
export class Signal extends Schema.TaggedClass<Signal>()("Signal", {
  venue: Schema.String,
  product: Schema.String,
  side: Schema.Literals(["buy", "sell", "hold"]),
  confidence: Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 })),
  price: Decimal.FromText,
  at: Timestamp.FromText,
  strategy: Schema.String,
  reason: Schema.optionalKey(Schema.String)
}) {}

/**
 * A strategy threw on a candle of a product, or gave a confidence that is none.
 * It begins anew with that product; its other products go on.
 *
 * @category errors
 * @since 0.1.0
 */
export class StrategyFailed extends Schema.TaggedError<StrategyFailed>()("StrategyFailed", {
  strategy: Schema.String,
  product: Schema.String,
  at: Timestamp.FromText,
  cause: Schema.Defect()
}) {
  override get message(): string {
    const { cause, product, strategy } = this
    return Printable.escape(
      `${strategy} failed on ${product}: ${cause instanceof Error ? cause.message : String(cause)}`
    )
  }
}
