/**
 * Order entry behind one service, whatever the exchange: each command is a
 * stream of what is said of it, and sends nothing before the stream is run.
 *
 * A command begins with its outcome, which is a value and not an error. After
 * `OutcomeUnknown` the exchange is asked what became of it, and `Reconciled`
 * follows; if it cannot be learned within 30 s, the stream ends without. What
 * places or amends is written once at most, whatever happens to the connection.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Stream from "effect/Stream"
import type { ConnectError } from "../connection/ConnectError.ts"
import type * as Decimal from "../value/Decimal.ts"
import * as Printable from "../value/Printable.ts"
import type * as Timestamp from "../value/Timestamp.ts"
import type { Balance, Position } from "./Holdings.ts"
import type { Instrument } from "./Instrument.ts"
import type { Order } from "./Order.ts"
import type { Fill, OrderEvent } from "./OrderEvent.ts"
import type { OrderRequest } from "./OrderRequest.ts"

/**
 * An order by the id that the exchange gave it, or by ours.
 *
 * @category models
 * @since 0.1.0
 */
export type OrderName =
  | { readonly orderId: string; readonly clientId?: undefined }
  | { readonly clientId: string; readonly orderId?: undefined }

/**
 * Several orders bear the client id by which one was meant: none was touched.
 *
 * @category errors
 * @since 0.1.0
 */
export class AmbiguousClientId extends Schema.TaggedError<AmbiguousClientId>()("AmbiguousClientId", {
  clientId: Schema.String,
  orderIds: Schema.Array(Schema.String)
}) {
  override get message(): string {
    const { clientId, orderIds } = this
    return Printable.escape(`${orderIds.length} orders bear the client id ${clientId}: ${orderIds.join(", ")}`)
  }
}

/**
 * An amendment whose outcome was unknown was not taken, and can no longer be:
 * the order is as it was, as `Reconciled` says before.
 *
 * @category errors
 * @since 0.1.0
 */
export class NotAmended extends Schema.TaggedError<NotAmended>()("NotAmended", { orderId: Schema.String }) {
  override get message(): string {
    return Printable.escape(`order ${this.orderId} was not amended`)
  }
}

/**
 * How a command is given. `deadline` is how long it has from when its stream is
 * run until its answer is there: for the connection, signing in, limits and the
 * answer. Default: 5 s. `onWrite` is called in the step that writes what changes
 * something at the exchange.
 *
 * @category models
 * @since 0.1.0
 */
export interface CommandOptions {
  readonly deadline?: Duration.Input | undefined
  readonly onWrite?: (() => void) | undefined
}

/**
 * How an order is placed. With `follow` its fills and updates come after the
 * outcome, until it is over and all its fills are there. Default: the stream ends
 * with the outcome.
 *
 * @category models
 * @since 0.1.0
 */
export interface PlaceOptions extends CommandOptions {
  readonly follow?: boolean | undefined
}

/**
 * Something that was asked of an exchange and changes nothing there was not
 * answered: it could not be reached in time, it refused (`code` is its own), it
 * asks to be asked later (`RateLimited`, after `retryAfterMillis`), or its answer
 * cannot be read.
 *
 * @category errors
 * @since 0.1.0
 */
export class ExchangeError extends Schema.TaggedError<ExchangeError>()("ExchangeError", {
  exchange: Schema.String,
  reason: Schema.Literals(["Unreachable", "Refused", "RateLimited", "Unreadable"]),
  detail: Schema.String,
  code: Schema.optionalKey(Schema.String),
  retryAfterMillis: Schema.optionalKey(Schema.Finite)
}) {
  override get message(): string {
    return Printable.escape(`${this.exchange}: ${this.detail}`)
  }
}

/**
 * How an exchange can be reached:
 *
 * - `Idle`: nothing has been asked of it yet
 * - `Live`: signed in, or, where there is nothing to sign in to, answering
 * - `Down`: not now; it is being tried again
 * - `Stopped`: not any more
 *
 * @category models
 * @since 0.1.0
 */
export type Health =
  | { readonly _tag: "Idle" }
  | { readonly _tag: "Live" }
  | { readonly _tag: "Down"; readonly reason: string | undefined }
  | { readonly _tag: "Stopped"; readonly reason: string }

/**
 * How an account is asked about: `deadline` is how long there is until the answer
 * is there. Default: 5 s.
 *
 * @category models
 * @since 0.1.0
 */
export type ReadOptions = Pick<CommandOptions, "deadline">

/**
 * An exchange.
 *
 * - `connect`: connects and signs in, if nobody has; a command does it by itself
 * - `place`: the outcome, then with `follow` each `Fill` and `OrderUpdate`. It
 *   fails only where what is followed cannot be any more
 * - `amend`: what is not named stays. `amount` is the whole new amount, what is
 *   filled included
 * - `cancelAll`: an outcome for each order, then how many are known to be cancelled
 * - `status`: an `OrderUpdate` for each order of that name; `absent` if there is none
 * - `open`: an `OrderUpdate` for each order that is not over
 * - `resume`: goes on with an order that a process before this one placed, or may
 *   have placed: what became of it if that is not known, then what is new of it
 *   until it is over. It is never sent again. `due` is until when it could be
 *   taken: the deadline that it was placed with
 * - `fills`: each execution of the account once, from a time on (by default from
 *   now, by the exchange's clock), those of a time without a connection included.
 *   It fails only where nothing can be learned any more
 * - `lacks`: what an order asks for that the exchange does not have, in words;
 *   such an order is `NotSent`
 * - `instrument`: what may be traded of a product. A price or an amount that it
 *   forbids is `NotSent`, with the nearest legal ones
 *
 * @category services
 * @since 0.1.0
 */
export class Exchange extends Context.Service<Exchange, {
  readonly name: string
  readonly connect: Effect.Effect<void>
  readonly place: (
    request: OrderRequest,
    options?: PlaceOptions | undefined
  ) => Stream.Stream<OrderEvent, ConnectError>
  readonly amend: (
    name: OrderName,
    terms: { readonly price?: Decimal.Decimal | undefined; readonly amount?: Decimal.Decimal | undefined },
    options?: CommandOptions | undefined
  ) => Stream.Stream<OrderEvent, AmbiguousClientId | NotAmended>
  readonly cancel: (
    name: OrderName,
    options?: CommandOptions | undefined
  ) => Stream.Stream<OrderEvent, AmbiguousClientId>
  readonly cancelAll: (
    options?: CommandOptions & { readonly product?: string | undefined }
  ) => Stream.Stream<OrderEvent>
  readonly status: (name: OrderName, options?: CommandOptions | undefined) => Stream.Stream<OrderEvent>
  readonly open: (
    options?: CommandOptions & { readonly product?: string | undefined }
  ) => Stream.Stream<OrderEvent>
  readonly resume: (
    order: Order,
    options: { readonly due: Timestamp.Timestamp }
  ) => Stream.Stream<OrderEvent, ConnectError>
  readonly fills: (
    options?: { readonly since?: Timestamp.Timestamp | undefined } | undefined
  ) => Stream.Stream<Fill, ConnectError>
  readonly lacks: (request: OrderRequest) => string | undefined
  readonly instrument: (product: string, options?: ReadOptions) => Effect.Effect<Instrument, ExchangeError>
  readonly balances: (options?: ReadOptions) => Effect.Effect<ReadonlyArray<Balance>, ExchangeError>
  readonly positions: (options?: ReadOptions) => Effect.Effect<ReadonlyArray<Position>, ExchangeError>
  readonly health: { readonly current: Effect.Effect<Health>; readonly changes: Stream.Stream<Health> }
}>()("@tickline/core/trading/Exchange") {}
