/**
 * The parameters of signing in at Deribit, by each of the ways that it grants:
 * with the client's secret, with a signature by it, which shows no secret on the
 * wire, and with the token of a session that is renewed.
 *
 * A signature is valid for 60 seconds: it is made in the turn in which it is
 * written, with the venue's time (`ClockOffset`), where `call` is given a
 * function.
 *
 * **Example** (a signature that is of its own turn)
 *
 * ```ts
 * const signIn = rpc.call(Methods.connection.auth, () =>
 *   Authentication.signature(signer, {
 *     clientId: "AMANDA",
 *     timestamp: Timestamp.fromEpochMillis(1576074319000),
 *     nonce: "1iqt2wls"
 *   }))
 * ```
 *
 * @see https://docs.deribit.com/articles/authentication (read 2026-08-22)
 * @since 0.1.0
 */
import type * as Redacted from "effect/Redacted"
import * as Timestamp from "../../value/Timestamp.ts"
import * as Signer from "../Signer.ts"
import type { connection } from "./Methods.ts"

/**
 * What `public/auth` takes.
 *
 * @category models
 * @since 0.1.0
 */
export type Params = (typeof connection.auth)["params"]["Type"]

/**
 * What is asked for. `scope` names rights and, with `session:name`, a session of
 * that name: with one, later calls need no token, and renewing the token keeps
 * the session. `state` comes back as it is.
 *
 * @category models
 * @since 0.1.0
 */
export interface Asked {
  readonly scope?: string | undefined
  readonly state?: string | undefined
}

const asked = ({ scope, state }: Asked): { readonly scope?: string; readonly state?: string } => ({
  ...(scope === undefined ? {} : { scope }),
  ...(state === undefined ? {} : { state })
})

/**
 * By the client's secret.
 *
 * @category constructors
 * @since 0.1.0
 */
export const credentials = (
  { clientId, clientSecret, ...more }: Asked & {
    readonly clientId: string
    readonly clientSecret: Redacted.Redacted<string>
  }
): Params => ({ grant_type: "client_credentials", client_id: clientId, client_secret: clientSecret, ...asked(more) })

/**
 * By a signature, of a signer by HMAC-SHA256 whose key is the client's secret. A
 * `nonce` is used once.
 *
 * @category constructors
 * @since 0.1.0
 */
export const signature = (
  signer: Signer.Signer,
  { clientId, data = "", nonce, timestamp, ...more }: Asked & {
    readonly clientId: string
    readonly timestamp: Timestamp.Timestamp
    readonly nonce: string
    readonly data?: string | undefined
  }
): Params => ({
  grant_type: "client_signature",
  client_id: clientId,
  timestamp,
  nonce,
  data,
  signature: Signer.signText(signer, `${Timestamp.epochMillis(timestamp)}\n${nonce}\n${data}`, "hex"),
  ...asked(more)
})

/**
 * By the refresh token of a session, once: the answer has the next one.
 *
 * @category constructors
 * @since 0.1.0
 */
export const refresh = (refreshToken: Redacted.Redacted<string>, more: Asked = {}): Params => ({
  grant_type: "refresh_token",
  refresh_token: refreshToken,
  ...asked(more)
})
