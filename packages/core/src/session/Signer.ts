/**
 * Signs what a venue is sent, at once: a signer does not wait, so a message is
 * signed in the turn in which it is written, with the time that it has then. The
 * same key and message always have the same signature (RFC 6979, RFC 8032).
 *
 * A key is `Redacted` until it is read, and from then on is in a closure: no
 * inspection, error or log of a signer shows it. Implementations here are
 * `@noble/hashes` and `@noble/curves`; another, such as a hardware module, is
 * any value with the same `sign`.
 *
 * ```ts
 * import * as Effect from "effect/Effect"
 * import * as Redacted from "effect/Redacted"
 * import * as Signer from "@tickline/core/session/Signer"
 *
 * const signature = Effect.gen(function*() {
 *   const signer = yield* Signer.hmacSha256(Redacted.make("AMANDASECRECT"))
 *   return Signer.signText(signer, "1576074319000\n1iqt2wls\n", "hex")
 * })
 * ```
 *
 * @since 0.1.0
 */
import { ed25519 as ed25519Curve } from "@noble/curves/ed25519.js"
import { p256 } from "@noble/curves/nist.js"
import { secp256k1 as secp256k1Curve } from "@noble/curves/secp256k1.js"
import { hmac } from "@noble/hashes/hmac.js"
import { sha256 } from "@noble/hashes/sha2.js"
import { utf8ToBytes } from "@noble/hashes/utils.js"
import * as Base64 from "effect/encoding/Base64"
import * as Base64Url from "effect/encoding/Base64Url"
import * as Hex from "effect/encoding/Hex"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import * as PrivateKeys from "./internal/privateKeys.ts"

/**
 * Signs messages with one key. A text is signed as its UTF-8.
 *
 * - `HS256`: HMAC with SHA-256, 32 bytes
 * - `ES256`: ECDSA over P-256 with SHA-256, `r` and `s` of 32 bytes each, as JOSE
 *   has them
 * - `EdDSA`: Ed25519, 64 bytes
 *
 * @category models
 * @since 0.1.0
 */
export interface Signer {
  readonly algorithm: "HS256" | "ES256" | "EdDSA"
  readonly sign: (message: string | Uint8Array) => Uint8Array
}

/**
 * A signature from which the public key can be recovered: `r` and `s` of 32 bytes
 * each, `s` in the lower half of the order, and `v`, which is 27 or 28 as Ethereum
 * writes the recovery id 0 or 1.
 *
 * @category models
 * @since 0.1.0
 */
export interface RecoverableSignature {
  readonly r: Uint8Array
  readonly s: Uint8Array
  readonly v: 27 | 28
}

/**
 * Signs digests with one key of secp256k1. What is signed is the digest of 32
 * bytes itself; another length is a `RangeError`. `publicKey` is the point as 65
 * bytes, from which chains make an address.
 *
 * @category models
 * @since 0.1.0
 */
export interface DigestSigner {
  readonly algorithm: "secp256k1"
  readonly publicKey: Uint8Array
  readonly signDigest: (digest: Uint8Array) => RecoverableSignature
}

/**
 * A key that cannot be read: what was `expected`, and what is wrong with it. It
 * holds nothing of the key.
 *
 * @category errors
 * @since 0.1.0
 */
export class SigningKeyError extends Schema.TaggedError<SigningKeyError>()("SigningKeyError", {
  algorithm: Schema.Literals(["HS256", "ES256", "EdDSA", "secp256k1"]),
  expected: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `the ${this.algorithm} key cannot be read, ${this.reason}: expected ${this.expected}`
  }
}

const bytesOf = (message: string | Uint8Array): Uint8Array =>
  typeof message === "string" ? utf8ToBytes(message) : message

const refusal = (algorithm: SigningKeyError["algorithm"], expected: string) => (reason: string) =>
  new SigningKeyError({ algorithm, expected, reason })

/** A curve's key whose public half, where it was written too, belongs to it. */
const checked = (
  curve: { readonly getPublicKey: (secret: Uint8Array, isCompressed?: boolean) => Uint8Array },
  { publicKey, secret }: { readonly publicKey?: Uint8Array | undefined; readonly secret: Uint8Array }
): Result.Result<Uint8Array, string> => {
  const derived = Result.try({
    try: () => curve.getPublicKey(secret, publicKey !== undefined && publicKey.length === 33),
    catch: () => "it is out of the curve's range"
  })
  return Result.flatMap(derived, (own) =>
    publicKey === undefined || Hex.encode(own) === Hex.encode(publicKey)
      ? Result.succeed(Uint8Array.from(secret))
      : Result.fail("the public key beside it is that of another"))
}

/**
 * HMAC-SHA256. The key is the text's UTF-8 or, with `encoding: "base64"`, what
 * the text says in base64.
 *
 * @category constructors
 * @since 0.1.0
 */
export const hmacSha256 = (
  key: Redacted.Redacted<string>,
  { encoding = "text" }: { readonly encoding?: "text" | "base64" | undefined } = {}
): Result.Result<Signer, SigningKeyError> => {
  const text = Redacted.value(key)
  const bytes = encoding === "base64"
    ? PrivateKeys.ofBase64(text)
    : text === ""
    ? Result.fail("it is empty")
    : Result.succeed(utf8ToBytes(text))
  return bytes.pipe(
    Result.map((secret): Signer => ({
      algorithm: "HS256",
      sign: (message) => hmac(sha256, secret, bytesOf(message))
    })),
    Result.mapError(refusal("HS256", encoding === "base64" ? "a secret in base64" : "a secret that is not empty"))
  )
}

// `lowS` is no part of ES256: a half of RFC 6979's own signatures has the other one.
const anyS = { lowS: false }

const p256Key = (key: Redacted.Redacted<string>): Result.Result<Uint8Array, SigningKeyError> =>
  PrivateKeys.p256OfPem(Redacted.value(key)).pipe(
    Result.flatMap((read) => checked(p256, read)),
    Result.mapError(
      refusal("ES256", "a P-256 private key as PEM, BEGIN EC PRIVATE KEY (SEC 1) or BEGIN PRIVATE KEY (PKCS #8)")
    )
  )

const ed25519Key = (key: Redacted.Redacted<string>): Result.Result<Uint8Array, SigningKeyError> => {
  const text = Redacted.value(key)
  return (PrivateKeys.isPem(text) ? PrivateKeys.ed25519OfPem(text) : PrivateKeys.ed25519OfBase64(text)).pipe(
    Result.flatMap((read) => checked(ed25519Curve, read)),
    Result.mapError(
      refusal("EdDSA", "an Ed25519 private key as PEM, BEGIN PRIVATE KEY (PKCS #8), or 32 or 64 bytes in base64")
    )
  )
}

/**
 * ES256: ECDSA over P-256 with SHA-256. The key is a PEM of SEC 1 (`BEGIN EC
 * PRIVATE KEY`) or PKCS #8 (`BEGIN PRIVATE KEY`); its line ends may be written
 * `\n`, as they often are in an environment.
 *
 * @category constructors
 * @since 0.1.0
 */
export const es256 = (key: Redacted.Redacted<string>): Result.Result<Signer, SigningKeyError> =>
  Result.map(p256Key(key), (secret): Signer => ({
    algorithm: "ES256",
    sign: (message) => p256.sign(bytesOf(message), secret, anyS)
  }))

/**
 * EdDSA with Ed25519. The key is a PEM of PKCS #8 (`BEGIN PRIVATE KEY`) or, in
 * base64, its seed of 32 bytes or the seed and the public key in 64, as Coinbase
 * gives it.
 *
 * @category constructors
 * @since 0.1.0
 */
export const ed25519 = (key: Redacted.Redacted<string>): Result.Result<Signer, SigningKeyError> =>
  Result.map(ed25519Key(key), (secret): Signer => ({
    algorithm: "EdDSA",
    sign: (message) => ed25519Curve.sign(bytesOf(message), secret)
  }))

/**
 * A key whose kind is told by its form: a PEM of either kind or, in base64, one of
 * Ed25519, as Coinbase gives its keys.
 *
 * @category constructors
 * @since 0.1.0
 */
export const byForm = (key: Redacted.Redacted<string>): Result.Result<Signer, SigningKeyError> =>
  Result.orElse(ed25519(key), (error) => PrivateKeys.isPem(Redacted.value(key)) ? es256(key) : Result.fail(error))

/**
 * Whether a signature is that of a message by a key's owner.
 *
 * @category models
 * @since 0.1.0
 */
export interface Verifier {
  readonly algorithm: "ES256" | "EdDSA"
  readonly verify: (message: string | Uint8Array, signature: Uint8Array) => boolean
}

const verifying = (
  algorithm: Verifier["algorithm"],
  curve: typeof p256 | typeof ed25519Curve,
  secret: Uint8Array
): Verifier => {
  const publicKey = curve.getPublicKey(secret)
  return {
    algorithm,
    verify: (message, signature) => {
      // What is no signature at all is thrown out.
      const verified = Result.try(() =>
        curve === p256
          ? p256.verify(signature, bytesOf(message), publicKey, anyS)
          : ed25519Curve.verify(signature, bytesOf(message), publicKey)
      )
      return Result.getOrElse(verified, () => false)
    }
  }
}

/**
 * Verifies what is signed with a key, its kind told by its form as `byForm` has
 * it: for whoever has both halves, such as a mock exchange.
 *
 * @category constructors
 * @since 0.1.0
 */
export const verifierByForm = (key: Redacted.Redacted<string>): Result.Result<Verifier, SigningKeyError> =>
  Result.flatMap(byForm(key), ({ algorithm }) =>
    algorithm === "ES256"
      ? Result.map(p256Key(key), (secret) => verifying("ES256", p256, secret))
      : Result.map(ed25519Key(key), (secret) => verifying("EdDSA", ed25519Curve, secret)))

/**
 * ECDSA over secp256k1, as chains sign. The key is 32 bytes in hexadecimal, with
 * or without `0x`.
 *
 * @category constructors
 * @since 0.1.0
 */
export const secp256k1 = (key: Redacted.Redacted<string>): Result.Result<DigestSigner, SigningKeyError> =>
  PrivateKeys.ofHex(Redacted.value(key)).pipe(
    Result.flatMap((secret) => checked(secp256k1Curve, { secret })),
    Result.map((secret): DigestSigner => ({
      algorithm: "secp256k1",
      publicKey: secp256k1Curve.getPublicKey(secret, false),
      signDigest: (digest) => {
        if (digest.length !== 32) throw new RangeError(`a digest has 32 bytes, not ${digest.length}`)
        const signed = secp256k1Curve.sign(digest, secret, { prehash: false, lowS: true, format: "recovered" })
        return { r: signed.slice(1, 33), s: signed.slice(33), v: signed[0] === 1 ? 28 : 27 }
      }
    })),
    Result.mapError(refusal("secp256k1", "a private key of 32 bytes in hexadecimal"))
  )

/**
 * The public key of secp256k1 whose signature of a digest this is, as 65 bytes;
 * `undefined` if it is none. Of another digest it is another key.
 *
 * @category getters
 * @since 0.1.0
 */
export const recover = (digest: Uint8Array, { r, s, v }: RecoverableSignature): Uint8Array | undefined => {
  const recovered = Result.try(() =>
    secp256k1Curve.Signature.fromBytes(Uint8Array.of(v - 27, ...r, ...s), "recovered").recoverPublicKey(digest)
  )
  return Result.isSuccess(recovered) ? recovered.success.toBytes(false) : undefined
}

/**
 * The signature of a message as text.
 *
 * @category combinators
 * @since 0.1.0
 */
export const signText = (
  signer: Signer,
  message: string | Uint8Array,
  encoding: "hex" | "base64" | "base64url"
): string => {
  const signature = signer.sign(message)
  if (encoding === "hex") return Hex.encode(signature)
  return encoding === "base64" ? Base64.encode(signature) : Base64Url.encode(signature)
}
