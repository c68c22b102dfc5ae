/**
 * What a connection has for the rooms that are built on it, and an owner has no
 * use for.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type * as Option from "effect/Option"
import type * as Stream from "effect/Stream"
import type { Correlator } from "../../protocol/internal/correlator.ts"
import type { Transport } from "../../transport/Transport.ts"
import type { Channel } from "../../value/Channel.ts"
import type { ConnectError, ConnectionClosed, SubscriptionRefused } from "../ConnectError.ts"
import type { Transition } from "../ConnectionState.ts"
import type { ConsumerOptions, ConsumerOverflow } from "../Inbox.ts"
import type { Batch, NamedObserver } from "../Observer.ts"
import type { Announced, Announcement } from "./announcement.ts"
import type { Want } from "./consumerRoutes.ts"
import type { Inbox } from "./inbox.ts"
import type { Missed, Overdue } from "./inboxItems.ts"
import type { SubscriptionState } from "./subscriptionStates.ts"

/**
 * The key under which a connection has its internals.
 *
 * @category symbols
 * @since 0.1.0
 */
export const internals: unique symbol = Symbol.for("@tickline/core/connection/internals")

/**
 * Follows a connection in the steps in which things happen to it. What it announces
 * there is told to all consumers, next: before the data of the batch that
 * confirmed a channel, and after the transition that it is of.
 *
 * @category models
 * @since 0.1.0
 */
export interface Follower<A> {
  readonly moved: (transition: Transition) => Announcement | undefined
  /** The peer has confirmed these for the first time in this epoch, at `at` (epoch milliseconds), by an answer or by data. */
  readonly confirmed: (channels: ReadonlyArray<Channel>, at: number) => Announcement | undefined
  /** These were refused. */
  readonly refused: (channels: ReadonlyArray<Channel>) => Announcement | undefined
  /** The batch is in the queues of all consumers that want something of it. */
  readonly handedOn: (batch: Batch<A>) => void
}

/**
 * What a connection is made with besides what its owner says: the fan-out that it
 * shares with others, in place of one of its own.
 *
 * @category models
 * @since 0.1.0
 */
export interface Shared<A> {
  readonly inbox: Inbox<A>
  /** Which of those that share it this is. */
  readonly leg: number
}

/**
 * What a connection has besides what its owner calls.
 *
 * @category models
 * @since 0.1.0
 */
export interface Internals<A> {
  /** Pings, if the connection is up: the round trip in milliseconds, or nothing if no answer came in time. */
  readonly ping: Effect.Effect<Option.Option<number>>
  /** Gives channels up and asks for them again, if the connection is up. */
  readonly resubscribe: (channels: ReadonlyArray<Channel>) => Effect.Effect<void>
  /** Present if what it dials is a recording: nothing is asked of that. */
  readonly replay: Transport["Service"]["replay"]
  /** Where each wanted subscription stands in this epoch: what the peer has confirmed, and what it has refused. */
  readonly subscriptionStates: Effect.Effect<
    ReadonlyArray<{ readonly channel: Channel; readonly standing: SubscriptionState }>
  >
  /** Why the peer refuses those that it refuses. */
  readonly refusals: Effect.Effect<ReadonlyArray<SubscriptionRefused>>
  /**
   * Fails when the peer refuses the channel, at once where it has in this epoch, or when the connection's scope closes.
   * Never succeeds.
   */
  readonly awaitRefusal: (channel: Channel) => Effect.Effect<never, SubscriptionRefused | ConnectionClosed>
  /** How many frames that ask for channels or give them up were written in the epoch that is up. */
  readonly asked: () => number
  /** Announces something in the callback of an observer: consumers are told before the data of the batch that shows it. */
  readonly announceUnsafe: (announcement: Announcement) => void
  /** Tells the consumers of `inbound` that a subscription does not deliver, or announces something. */
  readonly report: (item: Overdue | Announced) => Effect.Effect<void>
  /** Who waits for which answer. */
  readonly correlator: Correlator
  /** Attaches an observer before those that were declared, at once if an epoch is up. Returns what detaches it. */
  readonly attach: (observer: NamedObserver<A>) => () => void
  /** Counts messages that consumers of the fan-out which it shares did not get. */
  readonly missed: (messages: number) => void
  /** Has it followed from now on, by this one alone. */
  readonly follow: (follower: Follower<A>) => void
  /**
   * The messages of one channel, or of one product of it, routed to a queue of their own: those of others cost it
   * nothing. Ends with the failure of `endedBy`, after what still waits. `onMissed` is told what its queue has shed.
   */
  readonly route: <B extends A, E = never>(
    want: Want<A, B>,
    options?: ConsumerOptions | undefined,
    endedBy?: Effect.Effect<never, E> | undefined,
    onMissed?: ((missed: Missed) => void) | undefined
  ) => Stream.Stream<B, ConnectError | ConsumerOverflow | E>
}
