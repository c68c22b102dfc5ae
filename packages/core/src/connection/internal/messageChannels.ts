/**
 * To which of the wanted channels a message belongs, said once for each frame
 * and carried with the messages.
 *
 * @since 0.1.0
 */
import type { Frame } from "../../transport/Frame.ts"
import type { Channel } from "../../value/Channel.ts"

/**
 * For each message the wanted channels that it belongs to.
 *
 * @category models
 * @since 0.1.0
 */
export type MessageChannels = ReadonlyArray<ReadonlyArray<Channel>>

/**
 * To which wanted channels each message of a frame belongs, in the messages'
 * order. Must not throw.
 *
 * @category models
 * @since 0.1.0
 */
export type Attribute<A> = (frame: Frame, messages: ReadonlyArray<A>) => MessageChannels
