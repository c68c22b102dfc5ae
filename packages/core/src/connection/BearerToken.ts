/**
 * The token that a connection shows in the `Authorization` header of its
 * upgrade requests, and how to get a new one when the venue refuses it.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import type * as Redacted from "effect/Redacted"
import * as Ref from "effect/Ref"
import type { AuthError } from "./ConnectError.ts"

/**
 * A bearer token. `refresh` replaces what `current` gives; it is absent where
 * there is no way to a new token.
 *
 * @category models
 * @since 0.1.0
 */
export interface BearerToken {
  readonly current: Effect.Effect<Redacted.Redacted<string>, AuthError>
  readonly refresh: Effect.Effect<void, AuthError> | undefined
}

/**
 * Makes a token that stays as it is, or one that `refresh` can replace.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(
  initial: Redacted.Redacted<string>,
  refresh?: Effect.Effect<Redacted.Redacted<string>, AuthError> | undefined
): Effect.fn.Return<BearerToken> {
  const current = yield* Ref.make(initial)
  return {
    current: Ref.get(current),
    refresh: refresh === undefined ? undefined : Effect.flatMap(refresh, (token) => Ref.set(current, token))
  }
})
