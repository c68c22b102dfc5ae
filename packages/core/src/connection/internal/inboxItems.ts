/**
 * What a connection tells besides its messages.
 *
 * @since 0.1.0
 */
import type { FrameRejected } from "../../codec/Rejection.ts"
import type * as Circuit from "../../resilience/Circuit.ts"
import type * as Channel from "../../value/Channel.ts"
import type { SubscriptionRefused } from "../ConnectError.ts"

/**
 * What happens when a consumer does not keep up.
 *
 * @category models
 * @since 0.1.0
 */
export type Overflow = "fail" | "conflate" | "drop-oldest" | "block"

/**
 * A frame that could not be read. `bytes` is its size on the wire.
 *
 * @category models
 * @since 0.1.0
 */
export interface Rejected {
  readonly _tag: "Rejected"
  readonly epoch: number
  readonly at: number
  readonly bytes: number
  readonly rejection: FrameRejected
}

/**
 * The sequence member went from `from` to `to` with `missing` numbers between.
 * Where several gaps are merged, from the first's `from` to the last's `to`,
 * with the numbers that all of them miss.
 *
 * @category models
 * @since 0.1.0
 */
export interface SequenceGap {
  readonly _tag: "SequenceGap"
  readonly epoch: number
  readonly from: bigint
  readonly to: bigint
  readonly missing: bigint
}

/**
 * What this consumer did not get because it did not keep up: so many messages
 * and so many rejections, received from `from` to `to` (epoch milliseconds).
 *
 * @category models
 * @since 0.1.0
 */
export interface Missed {
  readonly _tag: "Missed"
  readonly messages: number
  readonly rejections: number
  readonly from: number
  readonly to: number
  /**
   * The messages by their keys. Those without a key, and those of more keys
   * than a thousand, count under `undefined`.
   */
  readonly keys: ReadonlyMap<string | undefined, number>
}

/**
 * The breaker of the connection's origin changed its state.
 *
 * @category models
 * @since 0.1.0
 */
export interface BreakerMoved {
  readonly _tag: "BreakerMoved"
  /** Which of a feed's connections told it; absent for the first one while that is the only one. */
  readonly leg?: number | undefined
  readonly transition: Circuit.Transition
}

/**
 * A subscription that was asked for and has never delivered in this epoch, and
 * what is done about it; told by who watches freshness.
 *
 * @category models
 * @since 0.1.0
 */
export interface Overdue {
  readonly _tag: "Overdue"
  readonly channel: Channel.Channel
  readonly step: string
  readonly silentForMillis: number
}

/**
 * What was refused at once, each subscription once an epoch, and the message
 * that is nothing but the refusal, where there is one. Where nothing is refused,
 * what the message refused is asked for again in parts.
 *
 * @category models
 * @since 0.1.0
 */
export interface Refusal<A> {
  readonly refused: ReadonlyArray<SubscriptionRefused>
  readonly by: A | undefined
}

/**
 * Wanted subscriptions were refused. `by` is the message that is nothing but the
 * refusal, where there is one: it is in the batch that follows. Where nothing is
 * refused, what that message refused is asked for again in parts.
 *
 * @category models
 * @since 0.1.0
 */
export interface Refused<A> extends Refusal<A> {
  readonly _tag: "Refused"
}

/**
 * What messages are told apart by: of those with the same key a consumer that
 * conflates keeps the newest. One without a key is superseded by none.
 *
 * @category models
 * @since 0.1.0
 */
export type KeyOf<A> = (message: A) => string | undefined
