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
 * Returns whether the frame is a text message.
 *
 * @category guards
 * @since 0.1.0
 */
export const isText = (frame: Frame): frame is string => typeof frame === "string"

/**
 * The frame's size in bytes as far as bounds are concerned: the exact length
 * of a binary message, and the number of UTF-16 units of a text (equal to its
 * bytes where it is ASCII, as venues' frames are; never more than its bytes).
 *
 * @category getters
 * @since 0.1.0
 */
export const size = (frame: Frame): number => typeof frame === "string" ? frame.length : frame.byteLength
