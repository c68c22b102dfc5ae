/**
 * Subscriptions as desired state: which channels are wanted, which of them this
 * epoch was asked for, and which the peer has confirmed or refused. An epoch
 * begins with nothing asked for; asking goes on until what is asked for is what
 * is wanted.
 *
 * @since 0.1.0
 */
import type * as Effect from "effect/Effect"
import type { Dialect } from "../../protocol/Dialect.ts"
import type { Correlator } from "../../protocol/internal/correlator.ts"
import type { Frame } from "../../transport/Frame.ts"
import type { Wire, WireClosed } from "../../transport/Transport.ts"
import type * as Channel from "../../value/Channel.ts"
import type { ConnectionClosed, SubscriptionRefused } from "../ConnectError.ts"
import type { NamedObserver } from "../Observer.ts"
import type { Refusal } from "./items.ts"

/**
 * Where a wanted subscription stands: not asked for (no epoch is up), asked for
 * and not answered, confirmed, or refused.
 *
 * @category models
 * @since 0.1.0
 */
export type SubscriptionState = "wanted" | "asked" | "confirmed" | "refused"

/**
 * The subscriptions of one connection.
 *
 * @category models
 * @since 0.1.0
 */
export interface Subscriptions<A> {
  readonly want: (channels: ReadonlyArray<Channel.Channel>) => void
  readonly unwant: (channels: ReadonlyArray<Channel.Channel>) => void
  /** The channels that are wanted, in the order in which they were asked for. */
  readonly wanted: () => ReadonlyArray<Channel.Channel>
  readonly states: () => ReadonlyArray<{ readonly channel: Channel.Channel; readonly standing: SubscriptionState }>
  /** Why the peer refuses those that it refuses; none after `shutdown`. */
  readonly refusals: () => ReadonlyArray<SubscriptionRefused>
  /** Asks for what is wanted and was not asked for, and gives up what is not wanted any more. */
  readonly ask: (wire: Wire) => Effect.Effect<void, WireClosed>
  /** Gives the channels up and asks for them again, on an epoch that is up. */
  readonly resubscribe: (wire: Wire, channels: ReadonlyArray<Channel.Channel>) => Effect.Effect<void, WireClosed>
  /**
   * Observes an epoch: reads the answers, and takes data of a channel for its
   * confirmation. Nothing was asked for when it begins, and when it has ended.
   */
  readonly attach: NamedObserver<A>["attach"]
  /** How many frames that ask for channels or give them up were written in this epoch. */
  readonly written: () => number
  /** Whether something is to be asked for once more, because it was refused together with something else. */
  readonly isUnasked: () => boolean
  /** Fails when the peer refuses the channel, at once where it has in this epoch, and after `shutdown`. */
  readonly awaitRefusal: (channel: Channel.Channel) => Effect.Effect<never, SubscriptionRefused | ConnectionClosed>
  /** Ends it for good: nobody waits for a refusal any more. */
  readonly shutdown: () => void
  /**
   * Somebody else sends, too: answers without an id or a name may be theirs, and
   * are neither counted nor laid at anybody's door any more.
   */
  readonly share: () => void
  /** When the oldest ask whose answer has a deadline was written. */
  readonly waitingSince: () => number | undefined
  /**
   * Refuses what was not answered for so many milliseconds. Where nothing at all
   * is confirmed, the epoch is to blame: then it refuses nothing and gives a
   * channel that waits.
   */
  readonly expire: (at: number, millis: number) => Channel.Channel | undefined
}

/**
 * What one connection's subscriptions are made with.
 *
 * @category models
 * @since 0.1.0
 */
export interface Options<A> {
  readonly dialect: Dialect<A> | undefined
  readonly correlator: Correlator
  readonly admit: (frame: Frame) => Effect.Effect<void>
  readonly now: () => number
  readonly onRefused: (refusal: Refusal<A>) => void
  /** Called with what is confirmed for the first time in an epoch, and when, in epoch milliseconds. */
  readonly onConfirmed: (channels: ReadonlyArray<Channel.Channel>, at: number) => void
}
