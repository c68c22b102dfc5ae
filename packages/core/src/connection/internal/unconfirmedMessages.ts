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
