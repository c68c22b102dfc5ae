/**
 * What an exchange can be asked, as one port. Whatever follows from its answers
 * is said once, over it: outcomes, reconciliation, following, cancelling all.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type * as PubSub from "effect/PubSub"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type { ConnectError } from "../../connection/ConnectError.ts"
import type * as Decimal from "../../value/Decimal.ts"
import type * as Timestamp from "../../value/Timestamp.ts"
import type { Health, OrderName } from "../Exchange.ts"
import type { Balance, Position } from "../Holdings.ts"
import type { Instrument } from "../Instrument.ts"
import type { Fill, OrderEvent, OrderUpdate } from "../OrderEvent.ts"
import type { OrderRequest } from "../OrderRequest.ts"
import type { Failure } from "./failure.ts"

/**
 * The ids of an order, as far as they are known.
 *
 * @category models
 * @since 0.1.0
 */
export type Ids = { readonly clientId?: string | undefined; readonly orderId?: string | undefined }

/**
 * The terms of an amendment: what is not named stays.
 *
 * @category models
 * @since 0.1.0
 */
export type Terms = { readonly price?: Decimal.Decimal | undefined; readonly amount?: Decimal.Decimal | undefined }

/**
 * Until when something is to be answered, in milliseconds of the monotonic clock,
 * and what is called in the step that writes what changes something.
 *
 * @category models
 * @since 0.1.0
 */
export interface Sending {
  readonly until: number
  readonly onWrite?: (() => void) | undefined
}

/**
 * A command that is being carried out, and to whom its events are said.
 *
 * @category models
 * @since 0.1.0
 */
export interface Command extends Sending {
  readonly say: (event: OrderEvent) => Effect.Effect<void>
}

/**
 * What an exchange answers to an order or an amendment: the order as it stands,
 * and the executions that it tells of with it, in its order.
 *
 * @category models
 * @since 0.1.0
 */
export interface Answer<A> {
  readonly order: A
  readonly fills: ReadonlyArray<Fill>
}

/**
 * An order or an amendment that the exchange's rules allow, not written yet.
 *
 * @category models
 * @since 0.1.0
 */
export interface Attempt<A> {
  /** Writes it, once at most. */
  readonly send: Effect.Effect<Answer<A>, Failure>
  /** The orders that it may have become, oldest first. */
  readonly find: (until: number) => Effect.Effect<ReadonlyArray<A>, Failure>
  /** Whether it may still be taken, after it was sent: asked before `find`. */
  readonly mayStillCome: (until: number) => Effect.Effect<boolean, Failure>
}

/**
 * What is told of an account's orders without being asked:
 *
 * - `Changes`: orders as they stand, and executions, in the exchange's order
 * - `Gap`: something may not have been told
 * - `Over`: nothing more will be told
 *
 * @category models
 * @since 0.1.0
 */
export type Notice<A> =
  | { readonly _tag: "Changes"; readonly orders: ReadonlyArray<A>; readonly fills: ReadonlyArray<Fill> }
  | { readonly _tag: "Gap" }
  | { readonly _tag: "Over"; readonly error: ConnectError }

/**
 * An exchange to which `A` is an order, in its own words.
 *
 * @category models
 * @since 0.1.0
 */
export interface Gateway<A> {
  /** What events call it. */
  readonly exchange: string
  /** Whether a client id names one order at most. */
  readonly hasUniqueClientIds: boolean
  /** Whether notices bring executions, and not only how much is filled. */
  readonly tellsFills: boolean
  /** The monotonic clock, in milliseconds. */
  readonly now: () => number
  /** The exchange's clock as far as it is known, otherwise ours, in epoch milliseconds. */
  readonly wallMillis: () => number
  /** Connects, if nobody has yet. Commands wait for what becomes of it, each until its deadline. */
  readonly begin: Effect.Effect<void>
  /** Whether nothing can be asked any more. */
  readonly isOver: Effect.Effect<boolean>
  readonly health: {
    readonly current: Effect.Effect<Health>
    readonly changes: Stream.Stream<Health>
  }
  /** What it does not have that an order asks for, in words: a type, a time in force, reduce-only, a form of client id. */
  readonly lacks: (request: OrderRequest) => string | undefined
  /** An order in our words, with its price and its amount. */
  readonly update: (order: A) => OrderUpdate
  /** Whether an order is the one that was asked for. */
  readonly isOf: (request: OrderRequest, order: A) => boolean
  /** Fails with the reason for which it cannot be sent. */
  readonly place: (request: OrderRequest, sending: Sending) => Effect.Effect<Attempt<A>, string>
  /** Fails with the reason for which it cannot be sent. */
  readonly amend: (order: A, terms: Terms, sending: Sending) => Effect.Effect<Attempt<A>, string>
  /** The order as it is once it is known to be cancelled. May be given again. */
  readonly cancel: (
    order: { readonly orderId: string; readonly product?: string | undefined },
    sending: Sending
  ) => Effect.Effect<A, Failure>
  /** The orders that are known to be cancelled, of these; the others are settled one by one. May be given again. */
  readonly cancelAll: (
    orders: ReadonlyArray<A>,
    product: string | undefined,
    sending: Sending
  ) => Effect.Effect<ReadonlyArray<A>, Failure>
  readonly find: (name: OrderName, until: number) => Effect.Effect<ReadonlyArray<A>, Failure>
  /** As `find`, however long the orders have been over. */
  readonly findEver: (name: OrderName, until: number) => Effect.Effect<ReadonlyArray<A>, Failure>
  /** The orders that are not over. */
  readonly open: (product: string | undefined, until: number) => Effect.Effect<ReadonlyArray<A>, Failure>
  /** The executions of an order, in the exchange's order. */
  readonly fills: (
    order: { readonly orderId: string; readonly clientId?: string | undefined; readonly product: string },
    until: number
  ) => Effect.Effect<ReadonlyArray<Fill>, Failure>
  /** The executions of the account from a time on, oldest first. */
  readonly fillsSince: (
    since: Timestamp.Timestamp,
    until: number
  ) => Effect.Effect<ReadonlyArray<Fill>, Failure>
  /** What is told from now on: at least of the product, of all if none is named. */
  readonly notices: (
    product: string | undefined
  ) => Effect.Effect<PubSub.Subscription<Notice<A>>, never, Scope.Scope>
  readonly instrument: (product: string, until: number) => Effect.Effect<Instrument, Failure>
  readonly balances: (until: number) => Effect.Effect<ReadonlyArray<Balance>, Failure>
  readonly positions: (until: number) => Effect.Effect<ReadonlyArray<Position>, Failure>
}
