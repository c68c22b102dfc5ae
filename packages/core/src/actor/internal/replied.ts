/**
 * What a handler returns with an answer.
 *
 * @since 0.1.0
 */

/**
 * An answer, and the state after it.
 *
 * @category models
 * @since 0.1.0
 */
export class Replied<out Reply, out State> {
  readonly reply: Reply
  readonly state: State

  constructor(reply: Reply, state: State) {
    this.reply = reply
    this.state = state
  }
}
