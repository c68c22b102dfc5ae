/** The tokens of Coinbase's API keys, as the venue checks them: each is for one use. */
import * as Signer from "@tickline/core/session/Signer"
import * as Base64Url from "effect/encoding/Base64Url"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

/** An API key: its name and its secret, in a form that the venue gives. */
export interface ApiKey {
  readonly keyName: string
  readonly keySecret: string
}

const Header = Schema.Struct({
  alg: Schema.Literals(["ES256", "EdDSA"]),
  typ: Schema.Literal("JWT"),
  kid: Schema.String,
  nonce: Schema.NonEmptyString
})

const Claims = Schema.Struct({
  sub: Schema.String,
  iss: Schema.Literal("cdp"),
  nbf: Schema.Int,
  exp: Schema.Int,
  uri: Schema.optionalKey(Schema.String)
})

const readHeader = Schema.decodeUnknownResult(Schema.fromJsonString(Header))
const readClaims = Schema.decodeUnknownResult(Schema.fromJsonString(Claims))

/** How long a token may live, and how far the clocks may be apart, in seconds. */
const seconds = { life: 120, apart: 5 }

const host = "api.coinbase.com"

const textOf = (part: string | undefined): string => Result.getOrElse(Base64Url.decodeString(part ?? ""), () => "")

/** What is checked of tokens. */
export class CoinbaseTokens {
  private readonly verifiers: ReadonlyMap<string, Signer.Verifier>
  private readonly used = new Set<string>()

  constructor(keys: ReadonlyArray<ApiKey>) {
    this.verifiers = new Map(
      keys.map(({ keyName, keySecret }) =>
        [keyName, Result.getOrThrow(Signer.verifierByForm(Redacted.make(keySecret)))] as const
      )
    )
  }

  /** The key that has signed a token, or why it is refused. `path` is that of a request; a token for the socket has none. */
  check(
    token: string,
    now: number,
    request?: { readonly method: string; readonly path: string }
  ): Result.Result<string, string> {
    const [head, body, signed, ...rest] = token.split(".")
    const [header, claims] = [readHeader(textOf(head)), readClaims(textOf(body))]
    const signature = Base64Url.decode(signed ?? "")
    if (Result.isFailure(header) || Result.isFailure(claims) || Result.isFailure(signature) || rest.length > 0) {
      return Result.fail("malformed token")
    }
    const { alg, kid, nonce } = header.success
    const { exp, nbf, sub, uri } = claims.success
    const verifier = this.verifiers.get(kid)
    if (verifier === undefined || sub !== kid) return Result.fail("unknown key")
    if (verifier.algorithm !== alg || !verifier.verify(`${head}.${body}`, signature.success)) {
      return Result.fail("wrong signature")
    }
    const at = now / 1_000
    if (nbf > at + seconds.apart || exp <= at - seconds.apart || exp - nbf > seconds.life) {
      return Result.fail("token not valid now")
    }
    if (uri !== (request === undefined ? undefined : `${request.method} ${host}${request.path}`)) {
      return Result.fail("token for something else")
    }
    if (this.used.has(`${kid} ${nonce}`)) return Result.fail("token used before")
    this.used.add(`${kid} ${nonce}`)
    return Result.succeed(kid)
  }
}
