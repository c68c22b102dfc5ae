/**
 * Why an order went to no exchange, or something could be learned from none.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"
import * as Printable from "../value/Printable.ts"
import { ExchangeError } from "./Exchange.ts"
import { Outcome } from "./OrderEvent.ts"

/**
 * Why an exchange did not take an order:
 *
 * - `Unavailable`: its session or its book was not live, or it asked for patience
 * - `NotListed`, `Unsupported`: it has no such product, or no such orders
 * - `NotSent`, `Rejected`, `RateLimited`, `Absent`: by the order's `outcome` there
 * - `Cancelled`: it was cancelled while it was routed, before it was sent there
 *
 * `detail` says it in words; a rate limit may be tried again after
 * `retryAfterMillis`.
 *
 * @category models
 * @since 0.1.0
 */
export class RouteCause extends Schema.Class<RouteCause>("RouteCause")({
  exchange: Schema.String,
  reason: Schema.Literals([
    "Unavailable",
    "NotListed",
    "Unsupported",
    "NotSent",
    "Rejected",
    "RateLimited",
    "Absent",
    "Cancelled"
  ]),
  detail: Schema.String,
  outcome: Schema.optionalKey(Outcome),
  retryAfterMillis: Schema.optionalKey(Schema.Finite)
}) {}

/**
 * No exchange took the order, and none can any more: it is safe to give it again.
 * `causes` has each exchange's own.
 *
 * @category errors
 * @since 0.1.0
 */
export class NotRouted extends Schema.TaggedError<NotRouted>()("NotRouted", {
  clientId: Schema.String,
  causes: Schema.Array(RouteCause)
}) {
  override get message(): string {
    const causes = this.causes.map(({ detail, exchange }) => `${exchange}: ${detail}`)
    return Printable.escape(
      `order ${this.clientId} went to no exchange${causes.length === 0 ? "" : `: ${causes.join("; ")}`}`
    )
  }

  /** When the first exchange that only asked for patience may be tried again, in milliseconds, if one did. */
  get retryAfterMillis(): number | undefined {
    const waits = this.causes.flatMap(({ retryAfterMillis }) =>
      retryAfterMillis === undefined ? [] : [retryAfterMillis]
    )
    return waits.length === 0 ? undefined : Math.min(...waits)
  }
}

/**
 * No exchange answered what was asked of all.
 *
 * @category errors
 * @since 0.1.0
 */
export class NoneAnswered extends Schema.TaggedError<NoneAnswered>()("NoneAnswered", {
  failures: Schema.Array(ExchangeError)
}) {
  override get message(): string {
    return this.failures.map(({ message }) => message).join("; ")
  }
}

/**
 * The router knows no order under a client id.
 *
 * @category errors
 * @since 0.1.0
 */
export class UnknownClientId extends Schema.TaggedError<UnknownClientId>()("UnknownClientId", {
  clientId: Schema.String
}) {
  override get message(): string {
    return Printable.escape(`no order was routed under the client id ${this.clientId}`)
  }
}
