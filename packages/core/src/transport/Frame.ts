/**
 * What one WebSocket message carries: text, or bytes.
 *
 * A text message is a JavaScript string, already checked to be UTF-8 by the
 * transport; a binary message is a `Uint8Array`. Fragmented messages arrive
 * whole.
 *
 * @since 0.1.0
 */

/**
 * One whole inbound or outbound WebSocket message.
 *
 * @category models
 * @since 0.1.0
 */
export type Frame = string | Uint8Array

/**
 * The frame's size in bytes as far as bounds are concerned: the exact length
 * of a binary message, and the number of UTF-16 units of a text (equal to its
 * bytes where it is ASCII, as venues' frames are; never more than its bytes).
 *
 * @category getters
 * @since 0.1.0
 */
export const size = (frame: Frame): number => frame.length

// What a message keeps in memory besides its bytes, about; and how many need not be counted so.
const share = 64
const few = 1_024

/**
 * Returns whether so many messages of so many bytes fill a bound in bytes: by
 * their bytes alone, or by their number, where there are more than a thousand
 * and each counts 64 bytes more than it has. So messages without bytes fill
 * it too.
 *
 * @category predicates
 * @since 0.1.0
 */
export const fills = (bound: number, bytes: number, messages: number): boolean =>
  bytes >= bound || (messages > few && bytes + share * (messages - few) >= bound)
