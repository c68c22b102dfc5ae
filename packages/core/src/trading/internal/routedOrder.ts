/**
 * An order that was routed to an exchange, and what its outcome means for where
 * it may go next.
 *
 * @since 0.1.0
 */
import type * as Deferred from "effect/Deferred"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type { ExchangeError, Health } from "../Exchange.ts"
import type { Instrument } from "../Instrument.ts"
import type * as Order from "../Order.ts"
import * as OrderEvent from "../OrderEvent.ts"
import type { OrderRequest } from "../OrderRequest.ts"
import { RouteCause } from "../RouteError.ts"
import type { Route } from "../Routing.ts"
import type { Candidate } from "../RoutingStrategy.ts"
import type { ClientIdInUse, StorageError } from "../StorageError.ts"

/**
 * An order at an exchange that the router follows: `outcome` is done once it is
 * known, or cannot be; `done` once nothing more comes of it. `of` is the client id
 * that was routed.
 *
 * @category models
 * @since 0.1.0
 */
export interface Part {
  readonly route: Route
  readonly of: string
  order: Order.Order
  readonly outcome: Deferred.Deferred<OrderEvent.Outcome>
  readonly done: Deferred.Deferred<void>
}

/**
 * What gives orders to exchanges.
 *
 * @category models
 * @since 0.1.0
 */
export interface Sender {
  readonly routeOf: (exchange: string) => Route | undefined
  /** The rules of what is traded there, asked for once. */
  readonly instrument: (route: Route, product: string) => Effect.Effect<Instrument, ExchangeError>
  /** Who can take an order now, best first. */
  readonly candidates: (request: OrderRequest) => Effect.Effect<ReadonlyArray<Candidate>>
  /** Gives an order to an exchange, once, if it is wanted still, and follows it in the background. */
  readonly send: (
    route: Route,
    request: OrderRequest,
    options: {
      readonly of: OrderRequest
      readonly deadline: Duration.Duration
      readonly isWanted: () => boolean
    }
  ) => Effect.Effect<Part, ClientIdInUse | StorageError>
  readonly decide: (
    kind: string,
    clientId: string,
    reason: string,
    exchange?: string
  ) => Effect.Effect<void, StorageError>
}

/**
 * What the router calls an exchange.
 *
 * @category getters
 * @since 0.1.0
 */
export const routeName = ({ exchange, name }: Route): string => name ?? exchange.name

/**
 * An exchange's symbol of a product's name.
 *
 * @category getters
 * @since 0.1.0
 */
export const symbolOf = ({ symbols }: Route, name: string): string | undefined =>
  symbols === undefined ? name : symbols.symbolOf(name)

/**
 * What was said of an order, as the router calls the exchange.
 *
 * @category combinators
 * @since 0.1.0
 */
export const renamed = (event: Order.Input, exchange: string): Order.Input => {
  if (event.exchange === exchange) return event
  switch (event._tag) {
    case "Acknowledged":
      return new OrderEvent.Acknowledged({ ...event, exchange })
    case "Rejected":
      return new OrderEvent.Rejected({ ...event, exchange })
    case "NotSent":
      return new OrderEvent.NotSent({ ...event, exchange })
    case "OutcomeUnknown":
      return new OrderEvent.OutcomeUnknown({ ...event, exchange })
    case "Reconciled":
      return new OrderEvent.Reconciled({ ...event, exchange })
    case "Fill":
      return new OrderEvent.Fill({ ...event, exchange })
    case "OrderUpdate":
      return new OrderEvent.OrderUpdate({ ...event, exchange })
  }
}

/**
 * Why an exchange cannot be given an order, if it cannot.
 *
 * @category getters
 * @since 0.1.0
 */
export const reasonOf = (health: Health): string | undefined => {
  switch (health._tag) {
    case "Live":
      return undefined
    case "Idle":
      return "it is not connected yet"
    case "Down":
      return health.reason === undefined ? "its session is not live" : `its session is not live: ${health.reason}`
    case "Stopped":
      return `its session has ended: ${health.reason}`
  }
}

/**
 * Whether it is known that an order did not happen.
 *
 * @category predicates
 * @since 0.1.0
 */
export const isNothing = (outcome: OrderEvent.Outcome): boolean =>
  outcome._tag === "NotSent" || outcome._tag === "Rejected" ||
  (outcome._tag === "Reconciled" && (outcome.status === "absent" || outcome.status === "rejected"))

const tooLate = "it was cancelled before it was sent"

/**
 * Why an order came to nothing.
 *
 * @category constructors
 * @since 0.1.0
 */
export const causeOf = (exchange: string, outcome: OrderEvent.Outcome): RouteCause => {
  const made = (reason: RouteCause["reason"], detail: string) => ({ exchange, reason, detail, outcome })
  switch (outcome._tag) {
    case "NotSent":
      return new RouteCause(made(outcome.reason === tooLate ? "Cancelled" : "NotSent", outcome.reason))
    case "Rejected": {
      const { code, reason, retryAfterMillis } = outcome
      const detail = code === undefined ? reason : `${reason} (${code})`
      return retryAfterMillis === undefined
        ? new RouteCause(made("Rejected", detail))
        : new RouteCause({ ...made("RateLimited", detail), retryAfterMillis })
    }
    default:
      return new RouteCause(
        "status" in outcome && outcome.status === "rejected"
          ? made("Rejected", "rejected by the exchange")
          : made("Absent", "the answer was lost, and the exchange has no such order")
      )
  }
}

/**
 * Why an order did not go to an exchange any more.
 *
 * @category constructors
 * @since 0.1.0
 */
export const notWanted = (exchange: string): RouteCause =>
  new RouteCause({ exchange, reason: "Cancelled", detail: tooLate })

/**
 * What is said of an order that was stored for an exchange, and not given to it
 * any more.
 *
 * @category constructors
 * @since 0.1.0
 */
export const heldBack = (exchange: string, { clientId }: OrderRequest): OrderEvent.NotSent =>
  new OrderEvent.NotSent({ exchange, clientId, reason: tooLate })
