/**
 * How a run of the runner ends badly, and the exit code of each way.
 *
 * @since 0.1.0
 */
import * as Printable from "@tickline/core/value/Printable"
import * as Schema from "effect/Schema"

/**
 * The runner's exit codes: done, the run failed, usage or configuration error,
 * and a bug (`EX_SOFTWARE` of sysexits.h).
 *
 * @category constants
 * @since 0.1.0
 */
export const exitCodes = { done: 0, failed: 1, usage: 2, bug: 70 } as const

/**
 * A wrong use: the flag, argument or key, its value, and what was expected.
 *
 * @category errors
 * @since 0.1.0
 */
export class UsageError extends Schema.TaggedError<UsageError>()("UsageError", {
  key: Schema.String,
  value: Schema.optionalKey(Schema.String),
  expected: Schema.String
}) {
  override get message(): string {
    return Printable.escape(
      `${this.key}${this.value === undefined ? "" : ` "${this.value}"`}: expected ${this.expected}`
    )
  }
}

/**
 * The run failed: it was asked for well, and could not be done.
 *
 * @category errors
 * @since 0.1.0
 */
export class RunFailed extends Schema.TaggedError<RunFailed>()("RunFailed", { detail: Schema.String }) {
  override get message(): string {
    return Printable.escape(this.detail)
  }
}
