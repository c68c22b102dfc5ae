/**
 * What goes wrong with what is kept.
 *
 * @since 0.1.0
 */
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import * as Printable from "../value/Printable.ts"

/**
 * Something could not be read or written: whether it was written is not known,
 * and it may be given again, which changes nothing if it was. `isRetryable` says
 * whether that can help: the database is away or busy. `cause` is what the
 * database said.
 *
 * @category errors
 * @since 0.1.0
 */
export class StorageError extends Schema.TaggedError<StorageError>()("StorageError", {
  operation: Schema.String,
  isRetryable: Schema.Boolean,
  cause: Schema.Defect()
}) {
  override get message(): string {
    const { cause, operation } = this
    const said = Predicate.hasProperty(cause, "message") ? cause.message : cause
    return Printable.escape(`${operation}: ${typeof said === "string" ? said : "the database failed"}`)
  }
}

/**
 * A client id that means another order already: nothing was stored, and nothing
 * may be sent. `claimed` is what it means.
 *
 * @category errors
 * @since 0.1.0
 */
export class ClientIdInUse extends Schema.TaggedError<ClientIdInUse>()("ClientIdInUse", {
  clientId: Schema.String,
  claimed: Schema.String
}) {
  override get message(): string {
    return Printable.escape(`client id in use: ${this.clientId} is ${this.claimed}`)
  }
}

/**
 * An order that was not intended at that exchange.
 *
 * @category errors
 * @since 0.1.0
 */
export class UnknownOrder extends Schema.TaggedError<UnknownOrder>()("UnknownOrder", {
  exchange: Schema.String,
  clientId: Schema.String
}) {
  override get message(): string {
    return Printable.escape(`${this.exchange} has no order ${this.clientId} of ours`)
  }
}

/**
 * What was said contradicts what is known of the order, or is a trade of another
 * order. The order is as it was; what was said is kept as a decision of the kind
 * `contradiction`.
 *
 * @category errors
 * @since 0.1.0
 */
export class ContradictoryEvent extends Schema.TaggedError<ContradictoryEvent>()("ContradictoryEvent", {
  exchange: Schema.String,
  clientId: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return Printable.escape(`${this.exchange}: ${this.reason}`)
  }
}

/**
 * A later version of Tickline has changed the database, and this one does not
 * know how to read it: nothing was touched. `found` and `known` number the
 * changes.
 *
 * @category errors
 * @since 0.1.0
 */
export class NewerSchema extends Schema.TaggedError<NewerSchema>()("NewerSchema", {
  found: Schema.Int,
  known: Schema.Int
}) {
  override get message(): string {
    return `the database is of a later version of Tickline (schema ${this.found}; this one knows ${this.known})`
  }
}
