/**
 * To which of the wanted channels a message belongs, said once for each frame
 * and carried with the messages.
 *
 * @since 0.1.0
 */
import type { Frame } from "../../transport/Frame.ts"
import type { Channel } from "../../value/Channel.ts"

/**
 * Wanted channels that are the same list for message after message: what a
 * connection finds by them is remembered here, and costs no look-up again.
 *
 * @category models
 * @since 0.1.0
 */
export class ChannelList extends Array<Channel> {
  /** What the routes have found by it. */
  found: object | undefined = undefined
  private seenAfter: object | undefined = undefined

  /** Whether it has not been seen since this change of the subscriptions that look at it, or others have seen it since. */
  isNewAfter(changes: object): boolean {
    if (this.seenAfter === changes) return false
    this.seenAfter = changes
    return true
  }
}

/**
 * For each message the wanted channels that it belongs to.
 *
 * @category models
 * @since 0.1.0
 */
export type MessageChannels = ReadonlyArray<ReadonlyArray<Channel>>

/**
 * To which wanted channels each message of a frame belongs, in the messages'
 * order. Must not throw. It is asked once all frames that came together are
 * decoded. What it gives is read at once, and may be the same array each time.
 *
 * @category models
 * @since 0.1.0
 */
export type Attribute<A> = (frame: Frame, messages: ReadonlyArray<A>) => MessageChannels
