/**
 * The messages that wait to be written. Each is written at most once, in the
 * order in which it was accepted, and none is ever written on an epoch that it
 * was not meant for:
 *
 * - `now` (the default): for the epoch that is up when it is sent. Where none
 *   is up, or where it ends first, the send fails with `NotSent` at once.
 * - `keep`: waits through outages and is written once, on the first epoch that
 *   can take it.
 *
 * A send whose caller is interrupted while it waits is withdrawn. The outbox is
 * bounded by messages and by bytes; beyond them a send fails with `OutboxFull`,
 * or with `RateLimited` where it is the venue's limit that holds it up.
 *
 * What is more urgent goes first; within one priority the order is kept. Where
 * there is a limit, each message is charged in the step that writes it, so that
 * nothing is ever charged and lost.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import type { Frame } from "../transport/Frame.ts"

/**
 * What is sent: a frame, or what makes it in the turn in which it is written. So
 * a signature, a nonce or a time in it is of that moment, however long it had
 * to wait. It counts for no bytes while it waits. If it throws, nothing is
 * written and the sender has the defect.
 *
 * @category models
 * @since 0.1.0
 */
export type Message = Frame | (() => Frame)

/**
 * What became of a message that was accepted: written on an epoch, or kept for
 * the next that can take it.
 *
 * @category models
 * @since 0.1.0
 */
export type Accepted = { readonly _tag: "Sent"; readonly epoch: number } | { readonly _tag: "Kept" }

/**
 * How a message is to be sent: `now` and with the priority of an order where
 * nothing is said. What is more urgent goes first where not all can go: an
 * answer to a heartbeat before a cancel, before an order, before a
 * subscription, before a query.
 *
 * What is sent `now` can be bound further. It is written within these bounds,
 * each judged in the step that writes it, or fails with `NotSent`:
 *
 * - `deadline`: for how long it may wait (`TimedOut`)
 * - `epoch`: the epoch that it is for; default: the one that is up (`EpochEnded`)
 * - `isSignedIn`: whether the session that it is of still stands (`SignedOut`)
 *
 * `cost` is what it costs of the limits on messages; default: what the
 * connection's `cost` says of the frame, or 1 for one that is made when it is
 * written.
 *
 * @category models
 * @since 0.1.0
 */
export interface SendOptions {
  readonly delivery?: "now" | "keep" | undefined
  readonly priority?: "heartbeat" | "cancel" | "order" | "subscribe" | "query" | undefined
  readonly deadline?: Duration.Input | undefined
  readonly epoch?: number | undefined
  readonly isSignedIn?: (() => boolean) | undefined
  readonly cost?: number | undefined
}
