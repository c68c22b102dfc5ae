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
import * as Schema from "effect/Schema"
import type * as Stream from "effect/Stream"
import type { ConnectError } from "../connection/ConnectError.ts"
import type * as Decimal from "../value/Decimal.ts"
import * as Printable from "../value/Printable.ts"
import type { OrderEvent } from "./OrderEvent.ts"
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
 * An exchange.
 *
 * - `place`: the outcome, then with `follow` each `Fill` and `OrderUpdate`. It
 *   fails only where what is followed cannot be any more
 * - `amend`: what is not named stays. `amount` is the whole new amount, what is
 *   filled included
 * - `cancelAll`: an outcome for each order, then how many are known to be cancelled
 * - `status`: an `OrderUpdate` for each order of that name; `absent` if there is none
 * - `open`: an `OrderUpdate` for each order that is not over
 *
 * @category services
 * @since 0.1.0
 */
export class Exchange extends Context.Service<Exchange, {
  readonly name: string
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
}>()("@tickline/core/trading/Exchange") {}
