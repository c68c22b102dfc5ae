/**
 * What was sent and may not have arrived.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * The messages that were handed to the socket since the peer last showed that it
 * had read all before them (by answering a ping of ours), with their bytes: they
 * may not have left, or not have arrived. `bufferedBytes` is how many bytes had
 * not left for certain. What connections send by themselves is not among them.
 *
 * @category schemas
 * @since 0.1.0
 */
export const Unconfirmed = Schema.Struct({
  messages: Schema.Finite,
  bytes: Schema.Finite,
  bufferedBytes: Schema.Finite
})

/**
 * The messages that may not have left when an epoch ended.
 *
 * @category models
 * @since 0.1.0
 */
export type Unconfirmed = typeof Unconfirmed.Type

/**
 * Counts what an outbox writes, and how much of it is known to have arrived.
 *
 * @category models
 * @since 0.1.0
 */
export class UnconfirmedMessages {
  private messages = 0
  private bytes = 0
  private arrivedMessages = 0
  private arrivedBytes = 0

  wrote(bytes: number): void {
    this.messages++
    this.bytes += bytes
  }

  /** What was written by now is known to have arrived, once the function is called. */
  checkpoint(): () => void {
    const { bytes, messages } = this
    // The end of an epoch settles all that was written on it: an answer that comes later says nothing new.
    return () => {
      this.arrivedMessages = Math.max(this.arrivedMessages, messages)
      this.arrivedBytes = Math.max(this.arrivedBytes, bytes)
    }
  }

  unconfirmed(): Omit<Unconfirmed, "bufferedBytes"> {
    return { messages: this.messages - this.arrivedMessages, bytes: this.bytes - this.arrivedBytes }
  }

  /** What has not arrived by now is no longer counted. */
  settle(): void {
    this.arrivedMessages = this.messages
    this.arrivedBytes = this.bytes
  }
}
