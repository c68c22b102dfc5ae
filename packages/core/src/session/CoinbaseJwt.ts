/**
 * The tokens that Coinbase's API keys sign: a JWT for each request over REST, and
 * for each ask over the socket. Each is good for two minutes and for one use.
 *
 * ```ts
 * import * as Config from "effect/Config"
 * import * as Effect from "effect/Effect"
 * import * as CoinbaseJwt from "@tickline/core/session/CoinbaseJwt"
 *
 * const authorization = Effect.gen(function*() {
 *   const jwt = yield* CoinbaseJwt.make({
 *     keyName: yield* Config.string("COINBASE_KEY_NAME"),
 *     keySecret: yield* Config.redacted("COINBASE_KEY_SECRET")
 *   })
 *   return jwt.bearer("GET", "/api/v3/brokerage/accounts")
 * })
 * ```
 *
 * @see https://docs.cdp.coinbase.com/coinbase-app/authentication-authorization/api-key-authentication (read 2026-11-26)
 * @see https://docs.cdp.coinbase.com/coinbase-app/advanced-trade-apis/websocket/websocket-authentication (read 2026-11-26)
 * @since 0.1.0
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Base64Url from "effect/encoding/Base64Url"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import * as Signer from "./Signer.ts"

/**
 * An API key of Coinbase: its name (`organizations/…/apiKeys/…`) and its secret as
 * the venue gives it, which is a PEM of P-256 or, for Ed25519, base64 or a PEM. A
 * PEM may have its line ends written `\n`.
 *
 * @category models
 * @since 0.1.0
 */
export interface Credentials {
  readonly keyName: string
  readonly keySecret: Redacted.Redacted<string>
}

/**
 * The tokens of a key. Each call signs a new one, with the wall clock's time.
 *
 * @category models
 * @since 0.1.0
 */
export interface CoinbaseJwt {
  /** The `Authorization` of one request. A query of the path is no part of what is signed. */
  readonly bearer: (method: string, path: string) => Redacted.Redacted<string>
  /** The token of one ask over the socket. */
  readonly socket: () => string
}

/** Whatever the URL, this host is signed. */
const host = "api.coinbase.com"

const lifeSeconds = 120

const part = (json: object): string => Base64Url.encode(JSON.stringify(json))

/**
 * Makes the tokens of a key.
 *
 * @category constructors
 * @since 0.1.0
 */
export const make = Effect.fnUntraced(function*(
  { keyName, keySecret }: Credentials
): Effect.fn.Return<CoinbaseJwt, Signer.SigningKeyError> {
  const clock = yield* Clock.Clock
  const random = yield* Random.Random
  const signer = yield* Effect.fromResult(Signer.byForm(keySecret))
  const word = (): string => Math.floor(random.nextDoubleUnsafe() * 0x1_0000_0000).toString(16).padStart(8, "0")
  const sign = (uri: string | undefined): string => {
    const nbf = Math.floor(clock.currentTimeMillisUnsafe() / 1_000)
    const header = { alg: signer.algorithm, typ: "JWT", kid: keyName, nonce: word() + word() + word() + word() }
    const claims = { sub: keyName, iss: "cdp", nbf, exp: nbf + lifeSeconds, ...(uri === undefined ? {} : { uri }) }
    const signed = `${part(header)}.${part(claims)}`
    return `${signed}.${Signer.signText(signer, signed, "base64url")}`
  }
  return {
    bearer: (method, path) => Redacted.make(`Bearer ${sign(`${method} ${host}${path.replace(/\?.*$/, "")}`)}`),
    socket: () => sign(undefined)
  }
})
