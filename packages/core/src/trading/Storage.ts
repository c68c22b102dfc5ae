/**
 * What must be known after a restart: which client ids mean what, each order from
 * before it is sent until it is over, its fills, the positions that they come to,
 * and why it was sent where it was.
 *
 * An order is stored before it is sent: `claim` its client id, `intend` it at an
 * exchange, send it, and `append` what is said of it. So there is no moment at
 * which an order may be at an exchange and is not in the storage, and
 * `orders({ only: "open" })` after a restart has each that may still be there,
 * also those of which nothing was heard.
 *
 * An order is its events, in their order, and nothing else: what is read is what
 * `Order.transition` makes of them. What contradicts them is refused and kept as
 * a decision. Decimals and instants are as they were, to the last zero.
 *
 * @since 0.1.0
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Schema from "effect/Schema"
import type * as Stream from "effect/Stream"
import type * as Decimal from "../value/Decimal.ts"
import type * as Timestamp from "../value/Timestamp.ts"
import type { OrderName } from "./Exchange.ts"
import type * as Order from "./Order.ts"
import type { Fill } from "./OrderEvent.ts"
import type { OrderRequest } from "./OrderRequest.ts"
import type { ClientIdInUse, ContradictoryEvent, StorageError, UnknownOrder } from "./StorageError.ts"

/**
 * What is stored, when it was, and where it stands among its kind: `after` such a
 * cursor a reader goes on.
 *
 * @category models
 * @since 0.1.0
 */
export interface Stored<A> {
  readonly cursor: number
  readonly at: Timestamp.Timestamp
  readonly value: A
}

/**
 * An order, the client id of what it was made of, and until when it could be
 * taken: if that was not said, when it was intended.
 *
 * @category models
 * @since 0.1.0
 */
export interface StoredOrder extends Stored<Order.Order> {
  readonly of: string
  readonly due: Timestamp.Timestamp
}

/**
 * A client id and what it means. `isFirst` says that it meant nothing before.
 * `orders` are those that were made of it, at whatever exchange, oldest first.
 *
 * @category models
 * @since 0.1.0
 */
export interface Claim {
  readonly request: OrderRequest
  readonly at: Timestamp.Timestamp
  readonly isFirst: boolean
  readonly orders: ReadonlyArray<Order.Order>
}

/**
 * An order at an exchange. Where it `isNew` it may be sent, once; otherwise it
 * may have been sent already, and must not be again.
 *
 * @category models
 * @since 0.1.0
 */
export interface Intent {
  readonly order: Order.Order
  readonly isNew: boolean
}

/**
 * What the fills of a product come to: above zero if more was bought.
 *
 * @category models
 * @since 0.1.0
 */
export interface NetPosition {
  readonly exchange: string
  readonly product: string
  readonly amount: Decimal.Decimal
}

/**
 * Why something was done, for whoever asks later: `kind` says what was decided
 * (`route`, `fallback`, `contradiction`), `detail` is any JSON.
 *
 * @category models
 * @since 0.1.0
 */
export interface Decision {
  readonly kind: string
  readonly reason: string
  readonly exchange?: string | undefined
  readonly clientId?: string | undefined
  readonly detail?: Schema.Json | undefined
}

/**
 * What is wanted of what is stored: what comes after a cursor, of an exchange, of
 * a client id. Default: all.
 *
 * @category models
 * @since 0.1.0
 */
export interface Selection {
  readonly after?: number | undefined
  readonly exchange?: string | undefined
  readonly clientId?: string | undefined
}

/**
 * The storage. Streams read a page at a time, oldest first, and end with what is
 * there.
 *
 * - `claim`: stores what a client id means. The same meaning again gives the first
 *   claim: amounts and prices count by their value, not by how they are written
 * - `intend`: stores that an order is about to be sent as `request`, and claims its
 *   client id if need be. `asked` is what it is made of: the same in other words
 *   than the exchange's, or an order of which it is a part, under a client id of
 *   its own. Default: `request`. `due` is until when it can be taken. An order of
 *   which it is known that it did not happen (`absent`, or `rejected`) may be
 *   intended again
 * - `append`: stores what was said of an order and gives the order after it. What
 *   changes nothing is not stored; the same said twice changes nothing. While the
 *   database is away it is tried again, for 5 s
 * - `order`: by our id or the exchange's; the latest of several under one id
 * - `orders`: by when they were intended. `open` are those not known to be over;
 *   `unsettled` also those whose fills are not all there
 * - `positions`: what all fills come to
 *
 * @category services
 * @since 0.1.0
 */
export class Storage extends Context.Service<Storage, {
  readonly claim: (request: OrderRequest) => Effect.Effect<Claim, ClientIdInUse | StorageError>
  readonly intend: (
    exchange: string,
    request: OrderRequest,
    options?: {
      readonly asked?: OrderRequest | undefined
      readonly due?: Timestamp.Timestamp | undefined
    }
  ) => Effect.Effect<Intent, ClientIdInUse | StorageError>
  readonly append: (
    exchange: string,
    clientId: string,
    event: Order.Input
  ) => Effect.Effect<Order.Order, UnknownOrder | ContradictoryEvent | StorageError>
  readonly order: (exchange: string, name: OrderName) => Effect.Effect<Order.Order | undefined, StorageError>
  readonly orders: (
    selection?: Selection & { readonly only?: "open" | "unsettled" | undefined }
  ) => Stream.Stream<StoredOrder, StorageError>
  readonly events: (selection?: Selection) => Stream.Stream<Stored<Order.Input>, StorageError>
  readonly fills: (selection?: Selection) => Stream.Stream<Stored<Fill>, StorageError>
  readonly positions: Effect.Effect<ReadonlyArray<NetPosition>, StorageError>
  readonly decide: (decision: Decision) => Effect.Effect<void, StorageError>
  readonly decisions: (selection?: Selection) => Stream.Stream<Stored<Decision>, StorageError>
}>()("@tickline/core/trading/Storage") {}
