/**
 * Bearer tokens, which come from the environment and from nowhere else.
 *
 * @since 0.1.0
 */
import { headerFault } from "@tickline/core/transport/Endpoint"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import { UsageError } from "./RunnerError.ts"

/**
 * The variable of the token of `stream` and `simulate`.
 *
 * @category constants
 * @since 0.1.0
 */
export const variable = "TICKLINE_TOKEN"

/**
 * The token in a variable of the environment, `undefined` where it is not set
 * or empty. One that no header can hold, such as one with the line break of its
 * file, is a wrong use that names the variable and not the token.
 *
 * @category decoding
 * @since 0.1.0
 */
export const read = (
  env: Readonly<Record<string, string | undefined>>,
  name: string
): Effect.Effect<Redacted.Redacted<string> | undefined, UsageError> => {
  const token = Object.hasOwn(env, name) ? env[name] ?? "" : ""
  if (token === "") return Effect.undefined
  const fault = headerFault(token)
  return fault === undefined
    ? Effect.succeed(Redacted.make(token, { label: name }))
    : Effect.fail(
      new UsageError({
        key: name,
        source: "the environment",
        expected: `a token that can be the value of a header (${fault})`
      })
    )
}
