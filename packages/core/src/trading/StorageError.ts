/**
 * What goes wrong with what is kept.
 *
 * @since 0.1.0
 */
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
    return Printable.escape(`${operation}: ${cause instanceof Error ? cause.message : String(cause)}`)
  }
}
