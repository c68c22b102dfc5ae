/**
 * What a router is given, and what it gives back.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as OrderBook from "../market/OrderBook.ts"
import type { Exchange, Health } from "./Exchange.ts"
import type { Fees } from "./Instrument.ts"
import type * as Order from "./Order.ts"
import type { OrderRequest } from "./OrderRequest.ts"
import type { RouteCause } from "./RouteError.ts"
import type { Candidate, RoutingStrategy } from "./RoutingStrategy.ts"

/**
 * An exchange that orders may go to.
 *
 * - `name`: what the router calls it: two accounts of one exchange have two.
 *   Default: the exchange's own
 * - `symbols`: the exchange's symbol of a product's name, and back. Default: they
 *   are the same
 * - `book`: the newest book of one of its symbols. With it, an order goes there
 *   only while the book is `Live`, or `Unverified` if `acceptsUnverified`, which
 *   venues need whose books cannot be checked. Without it, only health counts
 * - `fees`: of the account there. Default: none
 *
 * @category models
 * @since 0.1.0
 */
export interface Route {
  readonly name?: string | undefined
  readonly exchange: Exchange["Service"]
  readonly symbols?: {
    readonly symbolOf: (name: string) => string | undefined
    readonly nameOf: (symbol: string) => string | undefined
  } | undefined
  readonly book?: ((symbol: string) => Effect.Effect<OrderBook.OrderBook | undefined>) | undefined
  readonly acceptsUnverified?: boolean | undefined
  readonly fees?: Pick<Fees, "maker" | "taker"> | undefined
}

/**
 * When another exchange is tried: `never`; where the order was `not-sent`; or
 * where it is known that it was `not-taken`, whatever the exchange's reason.
 *
 * @category models
 * @since 0.1.0
 */
export type Fallback = "never" | "not-sent" | "not-taken"

/**
 * Something that was said of an order, and the order after it. `of` is the client
 * id that was given to the router, which an order elsewhere, or a part of one,
 * does not bear itself.
 *
 * @category models
 * @since 0.1.0
 */
export interface Update {
  readonly of: string
  readonly order: Order.Order
  readonly event: Order.Input
}

/**
 * - `strategy`: of orders that name none
 * - `fallback`: default `not-taken`
 * - `deadline`: how long each exchange has to answer an order. Default 5 s
 * - `observe`: sees each update in the step that has stored it, those of orders
 *   from before a restart included. It must be quick and must not throw
 *
 * @category models
 * @since 0.1.0
 */
export interface Options {
  readonly routes: ReadonlyArray<Route>
  readonly strategy: RoutingStrategy
  readonly fallback?: Fallback | undefined
  readonly deadline?: Duration.Input | undefined
  readonly observe?: ((update: Update) => void) | undefined
}

/**
 * How one order is placed, where it differs from the router's `Options`.
 *
 * @category models
 * @since 0.1.0
 */
export interface PlaceOptions {
  readonly strategy?: RoutingStrategy | undefined
  readonly fallback?: Fallback | undefined
  readonly deadline?: Duration.Input | undefined
}

/**
 * What came of an order: its `parts`, one at each exchange that took it, or may
 * have (its status is `unknown` then); what was traded back of a `fok` order that
 * was filled in part; and why other exchanges did not take it. `isDegraded` if
 * one could not be asked that would have been.
 *
 * @category models
 * @since 0.1.0
 */
export interface Placement {
  readonly request: OrderRequest
  readonly parts: ReadonlyArray<Order.Order>
  readonly unwound: ReadonlyArray<Order.Order>
  readonly causes: ReadonlyArray<RouteCause>
  readonly isDegraded: boolean
}

/**
 * Where an order would go now: the exchanges that could take it, best first, and
 * why the others of its strategy cannot.
 *
 * @category models
 * @since 0.1.0
 */
export interface Ranking {
  readonly candidates: ReadonlyArray<Candidate>
  readonly causes: ReadonlyArray<RouteCause>
}

/**
 * Whether an exchange gets orders now, and if not, why; `latencyMillis` is how
 * soon it has answered orders, on average, the latest counting most.
 *
 * @category models
 * @since 0.1.0
 */
export interface ExchangeState {
  readonly exchange: string
  readonly health: Health
  readonly isAvailable: boolean
  readonly reason: string | undefined
  readonly latencyMillis: number | undefined
}
