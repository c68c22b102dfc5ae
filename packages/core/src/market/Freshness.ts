/**
 * How fresh each subscription's data is, apart from whether the connection is
 * alive.
 *
 * A quiet market is not a dead feed: a subscription that has delivered in this
 * epoch may fall silent as long as it likes. One that was asked for and has
 * never delivered is dead, however alive the connection is, once its deadline
 * has passed. What is done about it grows: probe the connection, subscribe
 * again, reconnect, report. A channel of which the venue says that it may be
 * quiet has more time, at least twice the longest silence that was seen of it,
 * and once it has delivered no silence of it ends the connection.
 *
 * The tracker is pure: it is told what happened and when, in milliseconds of
 * the monotonic clock, and says what to do.
 *
 * @since 0.1.0
 */
import type * as Duration from "effect/Duration"
import type { Channel } from "../value/Channel.ts"

/**
 * How long a subscription may take to deliver for the first time, and within
 * which age its data counts as fresh. `isQuiet` is whether the
 * venue says of the channel that it may be well and silent for minutes.
 *
 * @category models
 * @since 0.1.0
 */
export interface Policy {
  readonly deadline: (channel: Channel, isQuiet: boolean) => Duration.Input
  readonly target: Duration.Input
}

/**
 * The default: 30 s for the first data of a channel, 120 s for one that may be
 * quiet, as trades are, of which a small market may have none for long; data
 * counts as fresh for 5 s.
 *
 * @category constants
 * @since 0.1.0
 */
export const recommended: Policy = {
  deadline: (_, isQuiet) => isQuiet ? 120_000 : 30_000,
  target: 5_000
}

/**
 * How stale the data of a subscription was, over what is remembered: the ages
 * that its data had reached when newer came, in milliseconds, and the share of
 * the time in which it was within the target.
 *
 * @category models
 * @since 0.1.0
 */
export interface Report {
  readonly channel: Channel
  readonly isDelivering: boolean
  readonly ageMillis: number | undefined
  readonly p50: number
  readonly p99: number
  readonly max: number
  readonly shareWithinTarget: number
}
