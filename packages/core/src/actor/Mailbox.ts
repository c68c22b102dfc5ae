/**
 * Where messages wait for their actor: how many may, what happens to one too
 * many, and which is handled first.
 *
 * What is more urgent is handled first; within one priority the order is kept. A
 * message that 32 more urgent ones in a row were preferred to is handled next, so
 * that none waits for ever.
 *
 * @since 0.1.0
 */

/**
 * How urgent a message is; `normal` by default.
 *
 * @category models
 * @since 0.1.0
 */
export type Priority = "high" | "normal" | "low"

/**
 * What happens to a message that a full mailbox gets:
 *
 * - `suspend`: its sender waits until there is room. An actor does not wait for
 *   itself: its own message is dropped
 * - `drop-oldest`: of what waits and what comes, the least urgent loses; of those
 *   the oldest
 * - `drop-newest`: the same, but the newest
 * - `fail`: its sender has a `MailboxFull`
 *
 * What is dropped, and what failed, is a dead letter.
 *
 * @category models
 * @since 0.1.0
 */
export type Overflow = "suspend" | "drop-oldest" | "drop-newest" | "fail"

/**
 * How many messages may wait (default 100, at least 1), and what happens to one too many
 * (default `suspend`).
 *
 * @category models
 * @since 0.1.0
 */
export interface Options<out Policy extends Overflow = Overflow> {
  readonly capacity?: number | undefined
  readonly overflow?: Policy | undefined
}
