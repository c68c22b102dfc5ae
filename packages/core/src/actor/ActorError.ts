/**
 * Why an actor did not answer.
 *
 * @since 0.1.0
 */
import * as Schema from "effect/Schema"

/**
 * The answer did not come within the deadline. A message that still waited then is
 * not handled any more; one that was in hand may have had its effect.
 *
 * @category errors
 * @since 0.1.0
 */
export class AskTimedOut extends Schema.TaggedError<AskTimedOut>()("AskTimedOut", {
  actor: Schema.String,
  afterMillis: Schema.Finite
}) {
  override get message(): string {
    return `${this.actor} did not answer within ${this.afterMillis} ms`
  }
}

/**
 * The actor has stopped, or stopped before it had handled the message.
 *
 * @category errors
 * @since 0.1.0
 */
export class ActorStopped extends Schema.TaggedError<ActorStopped>()("ActorStopped", {
  actor: Schema.String
}) {
  override get message(): string {
    return `${this.actor} has stopped`
  }
}

/**
 * The handler crashed with the message in hand: it threw, died or was
 * interrupted, or what it did could not be persisted. The message may have had
 * its effect.
 *
 * @category errors
 * @since 0.1.0
 */
export class ActorCrashed extends Schema.TaggedError<ActorCrashed>()("ActorCrashed", {
  actor: Schema.String,
  cause: Schema.Defect()
}) {
  override get message(): string {
    return `${this.actor} crashed: ${this.cause instanceof Error ? this.cause.message : String(this.cause)}`
  }
}

/**
 * The mailbox was full, and the message is not handled.
 *
 * @category errors
 * @since 0.1.0
 */
export class MailboxFull extends Schema.TaggedError<MailboxFull>()("MailboxFull", {
  actor: Schema.String,
  capacity: Schema.Finite
}) {
  override get message(): string {
    return `the mailbox of ${this.actor} is full (${this.capacity})`
  }
}

/**
 * The actor has no handler for the message.
 *
 * @category errors
 * @since 0.1.0
 */
export class NotUnderstood extends Schema.TaggedError<NotUnderstood>()("NotUnderstood", {
  actor: Schema.String,
  tag: Schema.String
}) {
  override get message(): string {
    return `${this.actor} has no handler for ${this.tag}`
  }
}

/**
 * Why a question had no answer, besides the errors of its own handler.
 *
 * @category models
 * @since 0.1.0
 */
export type AskError = AskTimedOut | ActorStopped | ActorCrashed | MailboxFull | NotUnderstood
