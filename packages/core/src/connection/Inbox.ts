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
import type { Transition } from "./ConnectionState.ts"
import type { Announced } from "./internal/announcement.ts"
import type { BreakerMoved, Missed, Overdue, Overflow, Refused, Rejected, SequenceGap } from "./internal/inboxItems.ts"
import type { MessageChannels } from "./internal/messageChannels.ts"

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
 * Everything a connection tells, in the order in which it happened.
 *
 * @category models
 * @since 0.1.0
 */
export type Item<A> =
  | Batch<A>
  | Rejected
  | Transition
  | BreakerMoved
  | SequenceGap
  | Overdue
  | Refused<A>
  | Announced
  | Missed

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
