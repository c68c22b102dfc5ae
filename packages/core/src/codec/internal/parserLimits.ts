/**
 * What bounds the cost of a hostile frame.
 *
 * @since 0.1.0
 */

/**
 * How deep arrays and objects may nest. Venues' frames nest four or five deep;
 * the bound keeps a hostile frame from exhausting the stack.
 *
 * @category constants
 * @since 0.1.0
 */
export const maxDepth = 256

/**
 * How many different names the members of one text may have, beyond its first
 * 4,096 members. Venues' frames have some dozens, and those that are keyed by
 * product a few thousand; each name that was never seen costs a microsecond, so
 * that a hostile frame of 10 MiB would stop everything for seconds.
 *
 * @category constants
 * @since 0.1.0
 */
export const maxNames = 4_096
