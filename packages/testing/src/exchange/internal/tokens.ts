/** Who may do what, and for how long: API keys, and the tokens that signing in gives. */
import * as Signer from "@tickline/core/session/Signer"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { invalid, Refused } from "./deribitErrors.ts"
import { countIn, type Params, textIn } from "./wireJson.ts"

/** An API key. */
export interface Key {
  readonly clientId: string
  readonly clientSecret: string
}

/** What a sign-in gave. */
export interface Grant {
  readonly account: string
  readonly accessToken: string
  readonly refreshToken: string
  readonly scope: string
  /** Epoch milliseconds. */
  readonly expiresAt: number
  /** The connection whose end is the grant's; none if it was given to a session with a name. */
  readonly connection: number | undefined
  readonly state: string | undefined
}

/** How old a signature may be, or how far ahead. */
const signatureMillis = 60_000

const isSigned = (key: Key, params: Params): boolean => {
  const { data = "", nonce = "", signature, timestamp } = {
    data: textIn(params, "data"),
    nonce: textIn(params, "nonce"),
    signature: textIn(params, "signature"),
    timestamp: countIn(params, "timestamp")
  }
  const signer = Signer.hmacSha256(Redacted.make(key.clientSecret))
  return Result.isSuccess(signer) &&
    Signer.signText(signer.success, `${timestamp}\n${nonce}\n${data}`, "hex") === signature
}

/** The tokens of an exchange. They outlive connections, if they are not bound to one. */
export class Tokens {
  private readonly keys: ReadonlyMap<string, Key>
  private readonly millis: number
  private readonly byAccess = new Map<string, Grant>()
  private readonly byRefresh = new Map<string, Grant>()
  private given = 0

  constructor(keys: ReadonlyArray<Key>, millis: number) {
    this.keys = new Map(keys.map((key) => [key.clientId, key]))
    this.millis = millis
  }

  /** Signs in, by whichever way is asked for. */
  signIn(params: Params, connection: number, at: number): Grant | Refused {
    const type = textIn(params, "grant_type")
    if (type === "refresh_token") return this.refresh(params, connection, at)
    if (type !== "client_credentials" && type !== "client_signature") return invalid("grant_type", "invalid value")
    const key = this.keys.get(textIn(params, "client_id") ?? "")
    if (key === undefined) return new Refused(13004)
    if (type === "client_signature") {
      const timestamp = countIn(params, "timestamp")
      if (timestamp === undefined) return invalid("timestamp", "missing")
      if (Math.abs(timestamp - at) > signatureMillis) return new Refused(13004, { reason: "timestamp" })
      if (!isSigned(key, params)) return new Refused(13004, { reason: "signature" })
    } else if (textIn(params, "client_secret") !== key.clientSecret) return new Refused(13004)
    const scope = textIn(params, "scope") ?? ""
    return this.give(
      key.clientId,
      scope,
      /\bsession:/.test(scope) ? undefined : connection,
      textIn(params, "state"),
      at
    )
  }

  // The old tokens are worth nothing any more.
  private refresh(params: Params, connection: number, at: number): Grant | Refused {
    const before = this.byRefresh.get(textIn(params, "refresh_token") ?? "")
    if (before === undefined) return new Refused(13009, { reason: "invalid_token", param: "refresh_token" })
    this.revoke(before)
    return this.give(
      before.account,
      before.scope,
      before.connection === undefined ? undefined : connection,
      textIn(params, "state"),
      at
    )
  }

  private give(
    account: string,
    scope: string,
    connection: number | undefined,
    state: string | undefined,
    at: number
  ): Grant {
    const number = ++this.given
    const grant: Grant = {
      account,
      accessToken: `${at}.access${number}`,
      refreshToken: `${at}.refresh${number}`,
      scope,
      expiresAt: at + this.millis,
      connection,
      state
    }
    this.byAccess.set(grant.accessToken, grant)
    this.byRefresh.set(grant.refreshToken, grant)
    return grant
  }

  /** Ends a grant: neither of its tokens is accepted any more. */
  revoke({ accessToken, refreshToken }: Grant): void {
    this.byAccess.delete(accessToken)
    this.byRefresh.delete(refreshToken)
  }

  /** Ends the grants that are bound to a connection. */
  disconnect(connection: number): void {
    for (const grant of this.byAccess.values()) if (grant.connection === connection) this.revoke(grant)
  }

  /** The grant of an access token that has not expired. */
  find(accessToken: string, at: number): Grant | undefined {
    const grant = this.byAccess.get(accessToken)
    return grant !== undefined && at < grant.expiresAt ? grant : undefined
  }
}
