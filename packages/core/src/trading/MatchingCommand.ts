/**
 * What a matching engine is asked to do.
 *
 * @since 0.1.0
 */
import type { Side } from "../event/MarketData.ts"
import type * as Decimal from "../value/Decimal.ts"
import type { TimeInForce } from "./OrderRequest.ts"

/**
 * What happens if an order would trade with one of its own account: they trade
 * (`allow`), or the one that rests is cancelled, or the one that comes, or both.
 *
 * @category models
 * @since 0.1.0
 */
export type SelfTrade = "allow" | "cancel-maker" | "cancel-taker" | "cancel-both"

interface Placing {
  readonly _tag: "Place"
  readonly account: string
  readonly product: string
  readonly side: Side
  readonly amount: Decimal.Decimal
  /** Whether the order may only reduce the account's position; by default not. */
  readonly reduceOnly?: boolean | undefined
  /** By default `allow`. */
  readonly selfTrade?: SelfTrade | undefined
  /** When the order expires, in milliseconds since 1970; by default never. */
  readonly validUntil?: number | undefined
}

/**
 * Places an order. A `post-only` order that would trade is rejected, or, if it
 * `moves`, comes to rest one tick beside the price that it would trade at. What a
 * market order cannot trade is cancelled; by default its `timeInForce` is `ioc`.
 *
 * @category models
 * @since 0.1.0
 */
export type Place =
  & Placing
  & (
    | {
      readonly type: "limit"
      readonly price: Decimal.Decimal
      readonly timeInForce: TimeInForce
      readonly moves?: boolean | undefined
    }
    | { readonly type: "market"; readonly timeInForce?: "ioc" | "fok" | undefined }
  )

/**
 * Amends an order that rests. `amount` is the whole new amount, the filled part
 * included. `postOnly` makes it one that may only rest, or not any more, and
 * `moves` is as of `Place`. What is not said stays.
 *
 * @category models
 * @since 0.1.0
 */
export interface Amend {
  readonly _tag: "Amend"
  readonly account: string
  readonly orderId: string
  readonly price?: Decimal.Decimal | undefined
  readonly amount?: Decimal.Decimal | undefined
  readonly postOnly?: boolean | undefined
  readonly moves?: boolean | undefined
  readonly reduceOnly?: boolean | undefined
}

/**
 * Cancels an order that rests.
 *
 * @category models
 * @since 0.1.0
 */
export interface Cancel {
  readonly _tag: "Cancel"
  readonly account: string
  readonly orderId: string
}

/**
 * Cancels all orders: of an account, of a product and of a side, where these are
 * said.
 *
 * @category models
 * @since 0.1.0
 */
export interface CancelAll {
  readonly _tag: "CancelAll"
  readonly account?: string | undefined
  readonly product?: string | undefined
  readonly side?: Side | undefined
}

/**
 * What the engine does. An account cannot touch the orders of another.
 *
 * @category models
 * @since 0.1.0
 */
export type Command = Place | Amend | Cancel | CancelAll
