/**
 * What a connection received, fanned out to its consumers in batches. Each
 * consumer has a queue of its own, bounded in bytes, and says what happens when
 * it is full:
 *
 * - `fail` (the default): the consumer's stream fails with `ConsumerOverflow`
 * - `conflate`: of the messages with the same key only the newest stays
 * - `drop-oldest`: the oldest batches go
 * - `block`: the connection stops taking from the wire until there is room;
 *   only the transport's byte bound then pauses the socket
 *
 * Who wants the messages of one channel is given those alone: they are routed to
 * it by their channel and product, so that those of others cost it nothing.
 *
 * A message counts its bytes and a fixed share for what it keeps in memory
 * besides. Life-cycle items (transitions, gaps of the sequence, breaker moves,
 * overdue subscriptions, what was missed) do not count, and are never shed:
 * where more than a thousand of them wait, the older half are merged.
 *
 * What a consumer missed is said in its own stream, as `Missed`, at the place
 * where it begins to be missing. Before the first consumer comes, what arrives
 * is kept for it, as if it were there with `drop-oldest`.
 *
 * @since 0.1.0
 */
import type { NonEmptyReadonlyArray } from "effect/Array"
import * as Schema from "effect/Schema"
import type { FrameRejected } from "../codec/Rejection.ts"
import type * as Circuit from "../resilience/Circuit.ts"
import type * as Channel from "../value/Channel.ts"
import type { MessageChannels } from "./Attribution.ts"
import type { SubscriptionRefused } from "./ConnectError.ts"
import type { Transition } from "./ConnectionState.ts"

/**
 * What happens when a consumer does not keep up.
 *
 * @category models
 * @since 0.1.0
 */
export type Overflow = "fail" | "conflate" | "drop-oldest" | "block"

/**
 * The messages of one epoch that one pull brought, in order. `at` is when, in
 * epoch milliseconds; `bytes` is their size on the wire; `channels` are the
 * wanted channels that each of them belongs to, where that is known.
 *
 * @category models
 * @since 0.1.0
 */
export interface Batch<A> {
  readonly _tag: "Batch"
  readonly epoch: number
  readonly at: number
  readonly messages: NonEmptyReadonlyArray<A>
  readonly channels?: MessageChannels | undefined
  readonly bytes: number
}

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
 * Everything a connection tells, in the order in which it happened.
 *
 * @category models
 * @since 0.1.0
 */
export type Item<A> = Batch<A> | Rejected | Transition | BreakerMoved | SequenceGap | Overdue | Refused<A> | Missed

/**
 * A consumer with the policy `fail` did not keep up.
 *
 * @category errors
 * @since 0.1.0
 */
export class ConsumerOverflow extends Schema.TaggedError<ConsumerOverflow>()("ConsumerOverflow", {
  bytes: Schema.Finite
}) {
  override get message(): string {
    return `consumer overflow: ${this.bytes} bytes waiting`
  }
}

/**
 * How a consumer's queue is bounded, and what happens beyond the bound.
 *
 * @category models
 * @since 0.1.0
 */
export interface ConsumerOptions {
  /** What a ledger calls the consumer. Default: by what it reads. */
  readonly name?: string | undefined
  /** What happens when the queue is full. Default: `fail`. */
  readonly overflow?: Overflow | undefined
  /** How much may wait: the bytes of the messages, and 256 more for each of them. Default: 4 MiB. */
  readonly bytes?: number | undefined
}

/**
 * What messages are told apart by: of those with the same key a consumer that
 * conflates keeps the newest. One without a key is superseded by none.
 *
 * @category models
 * @since 0.1.0
 */
export type KeyOf<A> = (message: A) => string | undefined
