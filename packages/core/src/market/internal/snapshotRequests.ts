/**
 * The snapshots of books that a venue gives over REST.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { FrameRejected } from "../../codec/Rejection.ts"
import type { BookSnapshot } from "../../event/MarketData.ts"
import { HttpError } from "../../transport/HttpError.ts"
import * as Printable from "../../value/Printable.ts"
import type { OrderSnapshot } from "../../venue/Orders.ts"
import type { RestRequest } from "../../venue/Venue.ts"
import * as RestRequests from "./restRequests.ts"

/**
 * The snapshot of a product's book was not to be had: the venue will not give
 * it, whenever it is asked, or `attempts` are used up.
 *
 * @category errors
 * @since 0.1.0
 */
export class SnapshotFailed extends Schema.TaggedError<SnapshotFailed>()("SnapshotFailed", {
  venue: Schema.String,
  product: Schema.String,
  attempts: Schema.Finite,
  reason: Schema.Union([HttpError, RestRequests.UnexpectedStatus, FrameRejected])
}) {
  override get message(): string {
    return `${this.venue}: no snapshot of the book of ${Printable.escape(this.product)} ` +
      `after ${this.attempts} attempts: ${this.reason.message}`
  }
}

/**
 * What asks for snapshots.
 *
 * @category models
 * @since 0.1.0
 */
export interface SnapshotRequests {
  /** The snapshot of a product's book, the product as the venue writes it: asked for as `RestRequests` has it. */
  readonly fetch: (product: string) => Effect.Effect<BookSnapshot, SnapshotFailed>
  /** The same of a book that is kept of single orders. */
  readonly fetchOrders: (product: string) => Effect.Effect<OrderSnapshot, SnapshotFailed>
}

/**
 * Makes what asks for the snapshots of a venue; `undefined` if it gives none over
 * REST.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(
  options: RestRequests.Options
): Effect.fn.Return<SnapshotRequests | undefined, never, Scope.Scope> {
  const { books, name, rest } = options.venue
  const orders = books?.orders
  const book = rest?.book
  if (book === undefined && orders === undefined) return undefined
  const { ask } = yield* RestRequests.make(options)
  const fetched = <A extends object>(
    product: string,
    request: RestRequest,
    read: (body: string) => A | FrameRejected
  ): Effect.Effect<A, SnapshotFailed> =>
    Effect.mapError(ask(request, read), (failure) => new SnapshotFailed({ venue: name, product, ...failure }))
  const unknown = Effect.die(new Error("the venue has no such snapshot"))
  return {
    fetch: (product) =>
      book === undefined
        ? unknown
        : fetched(product, book.request(product, book.depth), (body) => book.read(body, product)),
    fetchOrders: (product) => orders === undefined ? unknown : fetched(product, orders.request(product), orders.read)
  }
})
