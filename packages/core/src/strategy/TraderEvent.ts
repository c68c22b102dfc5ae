/**
 * What a trader says of itself: which signals became orders and which did not,
 * what was opened and closed, and that it was halted.
 *
 * @since 0.1.0
 */
import type * as Lot from "../trading/Lot.ts"
import type { Order } from "../trading/Order.ts"
import type { OrderRequest } from "../trading/OrderRequest.ts"
import type * as Portfolio from "../trading/Portfolio.ts"
import type * as Reconciliation from "../trading/Reconciliation.ts"
import type * as Risk from "../trading/Risk.ts"
import type * as Decimal from "../value/Decimal.ts"
import type * as Alerts from "./Alerts.ts"
import type { Signal } from "./Signal.ts"

/**
 * Why a signal became no order:
 *
 * - `NotTrading`: the trader is halted, or still finds out what is open
 * - `InFlight`: an order of the product is not over yet
 * - `NothingToClose`: a sell without a position, where the trader opens no shorts
 * - `IsCurrency`: what would be traded counts as the trader's currency itself
 * - `NoExchange`: no exchange can take it now; `detail` says why not
 * - `NotPlaced`: no exchange took it
 * - all others are of `Risk`
 *
 * @category models
 * @since 0.1.0
 */
export type Reason =
  | Risk.Reason
  | { readonly _tag: "NotTrading" | "InFlight" | "NothingToClose" }
  | { readonly _tag: "IsCurrency"; readonly asset: string }
  | { readonly _tag: "NoExchange" | "NotPlaced"; readonly detail: string }

/**
 * Why a lot is closed: its stop or its target was reached, or a signal says the
 * opposite.
 *
 * @category models
 * @since 0.1.0
 */
export type Why = "stop" | "target" | "signal"

/**
 * What a trader says of itself.
 *
 * - `Refused`: a signal became no order. `code` is one word for programs
 * - `Entering`, `Exiting`: an order is about to be placed
 * - `Opened`, `NotFilled`: the order that enters a lot is over; the lot is what came
 *   of it, or nothing was traded
 * - `NotClosed`: an order to close a lot came to nothing, or closed a part only; it
 *   is tried again after `againMillis`
 * - `Closed`: nothing of a lot is open any more; of what is spot, `left` is less
 *   than its exchange trades, by its amount or by what it is worth, and stays in
 *   the account
 * - `Unbookable`: a fill that cannot be of any of our orders, as they are known
 * - `Broken`: the portfolio does not keep to its invariants
 * - `Recovered`: what was open before a restart is known
 * - `Reconciled`: how what is known of the accounts compares to what the exchanges
 *   say
 * - `Raised`, `Lowered`: an alert is up, or over
 * - `Halted`, `Cleared`: nothing is placed any more, or again
 * - `Ended`: there are no inputs any more; `reason` says why, if they failed
 *
 * @category models
 * @since 0.1.0
 */
export type TraderEvent =
  | { readonly _tag: "Refused"; readonly signal: Signal; readonly reason: Reason; readonly code: string }
  | { readonly _tag: "Entering"; readonly signal: Signal; readonly request: OrderRequest }
  | { readonly _tag: "Exiting"; readonly lot: Lot.Lot; readonly why: Why; readonly request: OrderRequest }
  | { readonly _tag: "Opened"; readonly lot: Lot.Lot; readonly orders: ReadonlyArray<Order> }
  | { readonly _tag: "NotFilled"; readonly request: OrderRequest; readonly orders: ReadonlyArray<Order> }
  | {
    readonly _tag: "NotClosed"
    readonly lot: Lot.Lot
    readonly why: Why
    readonly detail: string
    readonly againMillis: number
  }
  | {
    readonly _tag: "Closed"
    readonly trade: Lot.Closed
    readonly why: Why | undefined
    readonly left: Decimal.Decimal
  }
  | { readonly _tag: "Unbookable"; readonly error: Lot.Unbookable }
  | { readonly _tag: "Broken"; readonly violations: ReadonlyArray<Portfolio.Violation> }
  | { readonly _tag: "Recovered"; readonly lots: number; readonly orders: number }
  | { readonly _tag: "Reconciled"; readonly report: Reconciliation.Report }
  | { readonly _tag: "Raised" | "Lowered"; readonly alert: Alerts.Alert }
  | { readonly _tag: "Halted"; readonly reason: string }
  | { readonly _tag: "Cleared" }
  | { readonly _tag: "Ended"; readonly reason: string | undefined }
