/**
 * What comes of what a matching engine was asked to do.
 *
 * @since 0.1.0
 */
import type { Side } from "../event/MarketData.ts"
import type * as Decimal from "../value/Decimal.ts"
import type { Illegal } from "./Instrument.ts"
import type { Command } from "./MatchingCommand.ts"
import type { TimeInForce } from "./OrderRequest.ts"

/**
 * An order as it is after an event. A market order has no `price`. Prices and
 * amounts have the scale of the instrument's tick and lot.
 *
 * @category models
 * @since 0.1.0
 */
export interface Order {
  readonly orderId: string
  readonly account: string
  readonly product: string
  readonly side: Side
  readonly price: Decimal.Decimal | undefined
  readonly amount: Decimal.Decimal
  readonly filled: Decimal.Decimal
  readonly timeInForce: TimeInForce
  readonly reduceOnly: boolean
  readonly validUntil: number | undefined
}

/**
 * An account has not enough of an asset.
 *
 * @category models
 * @since 0.1.0
 */
export interface InsufficientFunds {
  readonly _tag: "InsufficientFunds"
  readonly asset: string
  readonly needed: Decimal.Decimal
  readonly available: Decimal.Decimal
}

/**
 * Why a command was rejected, which then has changed nothing:
 *
 * - `UnknownProduct`, `UnknownOrder`: also an order that is over, or of another
 *   account
 * - `Illegal`: a price or an amount that the instrument's rules forbid
 * - `BelowFilled`: an amendment to no more than what is filled
 * - `TooLate`: it came when it was to expire, or later
 * - `NotReducing`: reduce-only, without a position of the other side
 * - `WouldTrade`: post-only, and the other side's best price is reached
 * - `NotFillable`: fok, and only so much is there
 * - `InsufficientFunds`: it could cost more of an asset than the account has to
 *   spare; of a `Clearing` only
 *
 * @category models
 * @since 0.1.0
 */
export type Refusal =
  | { readonly _tag: "UnknownProduct"; readonly product: string }
  | { readonly _tag: "UnknownOrder"; readonly orderId: string }
  | Illegal
  | { readonly _tag: "BelowFilled"; readonly amount: Decimal.Decimal; readonly filled: Decimal.Decimal }
  | { readonly _tag: "TooLate"; readonly validUntil: number }
  | { readonly _tag: "NotReducing"; readonly position: Decimal.Decimal }
  | { readonly _tag: "WouldTrade"; readonly price: Decimal.Decimal }
  | { readonly _tag: "NotFillable"; readonly available: Decimal.Decimal }
  | InsufficientFunds

/**
 * Why an order was cancelled: by a command, because an ioc or market order found
 * no more to trade, by the rule for trades with oneself, because a reduce-only
 * order had no more to reduce, or, of a `Clearing`, because its account lost what
 * the order needs.
 *
 * @category models
 * @since 0.1.0
 */
export type CancelReason = "requested" | "immediate" | "self-trade" | "reduce-only" | "funds"

/**
 * An order's side of a trade, with its fee in the instrument's `feeAsset`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Party {
  readonly order: Order
  readonly fee: Decimal.Decimal
}

/**
 * What came of a command, in order. A trade's price is the maker's; the taker's
 * side is that of its order.
 *
 * @category models
 * @since 0.1.0
 */
export type Event =
  | { readonly _tag: "Accepted"; readonly order: Order }
  | { readonly _tag: "Rejected"; readonly command: Command; readonly reason: Refusal }
  | {
    readonly _tag: "Traded"
    readonly tradeId: string
    readonly product: string
    readonly price: Decimal.Decimal
    readonly amount: Decimal.Decimal
    readonly maker: Party
    readonly taker: Party
  }
  | { readonly _tag: "Amended"; readonly order: Order; readonly keepsPriority: boolean }
  | { readonly _tag: "Cancelled"; readonly order: Order; readonly reason: CancelReason }
  | { readonly _tag: "Expired"; readonly order: Order }
