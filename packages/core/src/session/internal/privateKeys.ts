/**
 * Private keys as files and venues write them: PEM (RFC 7468) around SEC 1
 * (RFC 5915) or PKCS #8 (RFC 5958). What cannot be read is said in words that
 * hold nothing of the text.
 *
 * @since 0.1.0
 */
import * as Base64 from "effect/encoding/Base64"
import * as Hex from "effect/encoding/Hex"
import * as Result from "effect/Result"

/** A private key, with the public one where it was written beside it. */
interface PrivateKey {
  readonly secret: Uint8Array
  readonly publicKey: Uint8Array | undefined
}

type Read<A> = Result.Result<A, string>

interface Element {
  readonly tag: number
  readonly value: Uint8Array
}

const tags = { integer: 0x02, octets: 0x04, oid: 0x06, sequence: 0x30, first: 0xa0, second: 0xa1 } as const

/** The elements that DER lists one after another; `undefined` where it is not DER. */
const elementsOf = (der: Uint8Array): ReadonlyArray<Element> | undefined => {
  const found: Array<Element> = []
  let at = 0
  while (at < der.length) {
    const tag = der[at]
    let length = der[at + 1]
    if (tag === undefined || length === undefined) return undefined
    at += 2
    if (length >= 0x80) {
      const bytes = length - 0x80
      if (bytes === 0 || bytes > 2 || at + bytes > der.length) return undefined
      length = der.subarray(at, at + bytes).reduce((sum, byte) => sum * 256 + byte, 0)
      at += bytes
    }
    if (at + length > der.length) return undefined
    found.push({ tag, value: der.subarray(at, at + length) })
    at += length
  }
  return found
}

/** The elements of what is one element of this kind and nothing else. */
const within = (der: Uint8Array, tag: number): ReadonlyArray<Element> | undefined => {
  const [only, ...rest] = elementsOf(der) ?? []
  return only?.tag === tag && rest.length === 0 ? elementsOf(only.value) : undefined
}

const octets = (element: Element | undefined): Uint8Array | undefined =>
  element?.tag === tags.octets ? element.value : undefined

const identifier = (element: Element | undefined): string | undefined =>
  element?.tag === tags.oid ? Hex.encode(element.value) : undefined

const oids = { ecPublicKey: "2a8648ce3d0201", p256: "2a8648ce3d030107", ed25519: "2b6570" } as const

const notDer = "it is damaged"
const otherCurve = "it is of another curve"

/** `ECPrivateKey` of P-256; `curve` is what the key around it says, if there is one. */
const sec1 = (der: Uint8Array, curve: string | undefined): Read<PrivateKey> => {
  const [version, secret, ...rest] = within(der, tags.sequence) ?? []
  const scalar = octets(secret)
  if (version?.tag !== tags.integer || scalar === undefined) return Result.fail(notDer)
  const parameters = rest.find(({ tag }) => tag === tags.first)
  const named = parameters === undefined ? curve : identifier(elementsOf(parameters.value)?.[0])
  if (named !== oids.p256 || scalar.length > 32) return Result.fail(otherCurve)
  const written = rest.find(({ tag }) => tag === tags.second)
  const bits = written === undefined ? undefined : elementsOf(written.value)?.[0]?.value
  // Some writers leave leading zeros out.
  const padded = new Uint8Array(32)
  padded.set(scalar, 32 - scalar.length)
  return Result.succeed({ secret: padded, publicKey: bits?.subarray(1) })
}

/** `OneAsymmetricKey`: its algorithm with its curve, and the key within. */
const pkcs8 = (der: Uint8Array) => {
  const [version, algorithm, key] = within(der, tags.sequence) ?? []
  const named = algorithm?.tag === tags.sequence ? elementsOf(algorithm.value) : undefined
  const inner = octets(key)
  return version?.tag !== tags.integer || named === undefined || inner === undefined
    ? Result.fail(notDer)
    : Result.succeed({ algorithm: identifier(named[0]), curve: identifier(named[1]), inner })
}

const block = /-----BEGIN ([A-Z0-9 ]{1,40})-----([A-Za-z0-9+/=\s]*)-----END \1-----/g

/** The one private key of a PEM, by its label; line ends may be written `\n`, as environments often have them. */
const unwrapped = (pem: string): Read<{ readonly label: string; readonly der: Uint8Array }> => {
  const blocks = [...pem.replaceAll(/\\r|\\n/g, "\n").matchAll(block)].filter(([, label]) => label !== "EC PARAMETERS")
  const [, label, body] = blocks[0] ?? []
  if (label === undefined || body === undefined) return Result.fail(pem.trim() === "" ? "it is empty" : "it is no PEM")
  if (blocks.length > 1) return Result.fail("there are several")
  if (label === "ENCRYPTED PRIVATE KEY") return Result.fail("it is encrypted")
  if (label === "PUBLIC KEY") return Result.fail("it is a public key")
  return Result.mapError(Base64.decode(body.replaceAll(/\s/g, "")), () => notDer).pipe(
    Result.map((der) => ({ label, der }))
  )
}

/** Whether a text is meant to be a PEM. */
export const isPem = (text: string): boolean => text.includes("-----BEGIN")

/** A P-256 key of a PEM of either form. */
export const p256OfPem = (pem: string): Read<PrivateKey> =>
  Result.flatMap(unwrapped(pem), ({ der, label }) => {
    if (label === "EC PRIVATE KEY") return sec1(der, undefined)
    if (label !== "PRIVATE KEY") return Result.fail("it is of another kind")
    return Result.flatMap(pkcs8(der), ({ algorithm, curve, inner }) =>
      algorithm === oids.ecPublicKey ? sec1(inner, curve) : Result.fail("it is of another algorithm"))
  })

/** An Ed25519 key of a PKCS #8 PEM. */
export const ed25519OfPem = (pem: string): Read<PrivateKey> =>
  Result.flatMap(unwrapped(pem), ({ der, label }) => {
    if (label !== "PRIVATE KEY") return Result.fail("it is of another kind")
    return Result.flatMap(pkcs8(der), ({ algorithm, inner }): Read<PrivateKey> => {
      if (algorithm !== oids.ed25519) return Result.fail("it is of another algorithm")
      const [seed, ...rest] = elementsOf(inner) ?? []
      const secret = octets(seed)
      return secret?.length === 32 && rest.length === 0
        ? Result.succeed({ secret, publicKey: undefined })
        : Result.fail(notDer)
    })
  })

/** An Ed25519 key in base64: the seed of 32 bytes, or 64 with the public key after it. */
export const ed25519OfBase64 = (text: string): Read<PrivateKey> =>
  Result.flatMap(ofBase64(text), (bytes) =>
    bytes.length === 32 || bytes.length === 64
      ? Result.succeed({
        secret: bytes.subarray(0, 32),
        publicKey: bytes.length === 64 ? bytes.subarray(32) : undefined
      })
      : Result.fail("it is of another length"))

/** The bytes of a text in base64, of which there must be some. */
export const ofBase64 = (text: string): Read<Uint8Array> => {
  if (text.trim() === "") return Result.fail("it is empty")
  return Result.mapError(Base64.decode(text.trim()), () => "it is no base64")
}

/** The 32 bytes of a text in hexadecimal, with or without `0x`. */
export const ofHex = (text: string): Read<Uint8Array> => {
  const digits = text.trim().replace(/^0x/i, "")
  if (digits === "") return Result.fail("it is empty")
  if (!/^[0-9a-f]+$/i.test(digits)) return Result.fail("it is not hexadecimal")
  return digits.length === 64
    ? Result.mapError(Hex.decode(digits), () => "it is not hexadecimal")
    : Result.fail("it is of another length")
}
