/**
 * The token that dials show, and how a refused one is replaced: once, and not
 * again before a connection with it has held.
 *
 * @since 0.1.0
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Endpoint from "../../transport/Endpoint.ts"
import type { BearerToken } from "../BearerToken.ts"
import { AuthError } from "../ConnectError.ts"

/**
 * The headers that a token adds to a dial.
 *
 * @category models
 * @since 0.1.0
 */
export type Headers = Readonly<Record<string, Redacted.Redacted<string>>>

const headersOf = (token: Redacted.Redacted<string>): Effect.Effect<Headers, AuthError> => {
  const fault = Endpoint.headerFault(Redacted.value(token))
  return fault === undefined
    ? Effect.succeed({ Authorization: Redacted.make(`Bearer ${Redacted.value(token)}`, { label: "Authorization" }) })
    : Effect.fail(new AuthError({ detail: `the token cannot be the value of a header: ${fault}` }))
}

/**
 * The token of one `connect`, from its first dial to its end.
 *
 * @category models
 * @since 0.1.0
 */
export class TokenRefresh {
  private readonly token: BearerToken | undefined
  private isRefreshed = false

  constructor(token: BearerToken | undefined) {
    this.token = token
  }

  /** What the next dial shows; `undefined` where there is no token. */
  get headers(): Effect.Effect<Headers, AuthError> | undefined {
    return this.token === undefined ? undefined : Effect.flatMap(this.token.current, headersOf)
  }

  /** Whether a refused token can be replaced. */
  get isPossible(): boolean {
    return this.token?.refresh !== undefined && !this.isRefreshed
  }

  /** Replaces the refused token. */
  refresh(): Effect.Effect<void, AuthError> {
    this.isRefreshed = true
    return this.token?.refresh ?? Effect.void
  }

  /** A connection has held: its token was good. */
  confirm(): void {
    this.isRefreshed = false
  }
}
