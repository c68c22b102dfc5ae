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
 * @category models
 * @since 0.1.0
 */
export interface SendOptions {
  readonly delivery?: "now" | "keep" | undefined
  readonly priority?: "heartbeat" | "cancel" | "order" | "subscribe" | "query" | undefined
}
