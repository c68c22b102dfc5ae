/**
 * How a run of the runner ends badly, and the exit code of each way.
 *
 * @since 0.1.0
 */
import * as Printable from "@tickline/core/value/Printable"
import { nearest } from "@tickline/core/value/Suggestion"
import * as Schema from "effect/Schema"

/**
 * The runner's exit codes: done, the run failed, usage or configuration error,
 * the outcome of an order is unknown, and a bug (`EX_SOFTWARE` of sysexits.h).
 *
 * @category constants
 * @since 0.1.0
 */
export const exitCodes = { done: 0, failed: 1, usage: 2, unknown: 3, bug: 70 } as const

/** Which of the words that are expected, in quotes, may have been meant. */
const hint = (value: string | undefined, expected: string): string => {
  const words = [...expected.matchAll(/"([^" ]+)"/g)].map((match) => match[1] ?? "")
  const meant = value === undefined ? undefined : nearest(value, words)
  return meant === undefined || meant === value ? "" : ` (did you mean ${meant}?)`
}

/**
 * A wrong use: the flag, argument, key or variable, its value, where it stands
 * (the path of a file, or `the environment`; absent on the command line), and
 * what was expected. Of what may hold a secret the value is absent.
 *
 * @category errors
 * @since 0.1.0
 */
export class UsageError extends Schema.TaggedError<UsageError>()("UsageError", {
  key: Schema.String,
  value: Schema.optionalKey(Schema.String),
  source: Schema.optionalKey(Schema.String),
  expected: Schema.String
}) {
  override get message(): string {
    const value = this.value === undefined ? "" : ` "${this.value}"`
    const source = this.source === undefined ? "" : ` in ${this.source}`
    return Printable.escape(
      `${this.key}${value}${source}: expected ${this.expected}${hint(this.value, this.expected)}`
    )
  }

  /** The same of a place, where none is said yet. */
  in(source: string): UsageError {
    return this.source === undefined ? new UsageError({ ...this, source }) : this
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

/**
 * The run ended with this code, as its output says already.
 *
 * @category errors
 * @since 0.1.0
 */
export class Unsuccessful extends Schema.TaggedError<Unsuccessful>()("Unsuccessful", { code: Schema.Int }) {
  override get message(): string {
    return `ended with ${this.code}`
  }
}
