/**
 * TOML as configuration is read: what is wrong with a text is told by line and
 * column and never by its values, one of which may be a secret; and what nests
 * without end is refused.
 *
 * @since 0.1.0
 */
import * as Toml from "effect/encoding/Toml"
import * as Predicate from "effect/Predicate"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

/**
 * A text that is no TOML; `detail` says where and why, and quotes no value.
 *
 * @category errors
 * @since 0.1.0
 */
export class TomlError extends Schema.TaggedError<TomlError>()("TomlError", { detail: Schema.String }) {
  override get message(): string {
    return this.detail
  }
}

/** Tables and lists within each other; our own configuration has four. */
const mostLevels = 32

// Made where it is needed: the first error of a process takes a millisecond, which no import should.
const tooDeep = (): TomlError => new TomlError({ detail: `nested more than ${mostLevels} deep` })

/** Whether it nests too deep, found without recursion. */
const isTooDeep = (root: unknown): boolean => {
  let level = [root]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > mostLevels) return true
    level = level.flatMap((value) => Predicate.isObject(value) || Array.isArray(value) ? Object.values(value) : [])
  }
  return false
}

/** The parser's words without what it quotes of a value. Keys it may name. */
const unquoted = (message: string): string => {
  const [, what, at = ""] = /^(Invalid [\w -]+|Integer out of range) '.*'( at line \d+, column \d+)$/s.exec(message) ??
    []
  return what === undefined ? message : `${what}${at}`
}

/**
 * Reads a TOML text.
 *
 * @category decoding
 * @since 0.1.0
 */
export const parse = (text: string): Result.Result<Readonly<Record<string, unknown>>, TomlError> =>
  Result.flatMap(
    Result.mapError(
      Toml.parse(text),
      // The parser recurses, and says so where the stack ends.
      ({ message }) => message.includes("call stack") ? tooDeep() : new TomlError({ detail: unquoted(message) })
    ),
    (root) => isTooDeep(root) ? Result.fail(tooDeep()) : Result.succeed(root)
  )
