/**
 * The key of a mnemonic, and the address of a key, as chains of the Cosmos have
 * them.
 *
 * @see https://github.com/bitcoin/bips/blob/master/bip-0039.mediawiki (read 2026-11-26)
 * @see https://github.com/bitcoin/bips/blob/master/bip-0032.mediawiki (read 2026-11-26)
 * @see https://github.com/bitcoin/bips/blob/master/bip-0173.mediawiki (read 2026-11-26)
 * @since 0.1.0
 */
import { hmac } from "@noble/hashes/hmac.js"
import { ripemd160 } from "@noble/hashes/legacy.js"
import { pbkdf2 } from "@noble/hashes/pbkdf2.js"
import { sha256, sha512 } from "@noble/hashes/sha2.js"
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from "@noble/hashes/utils.js"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { type DigestSigner, secp256k1, SigningKeyError } from "../../../session/Signer.ts"

/** The order of secp256k1. */
const order = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141n

const toNumber = (bytes: Uint8Array): bigint => BigInt(`0x${bytesToHex(bytes)}`)

const hexOf = (secret: bigint): Redacted.Redacted<string> => Redacted.make(secret.toString(16).padStart(64, "0"))

/** The 33 bytes of a public key of 65. */
const compressed = (publicKey: Uint8Array): Uint8Array =>
  Uint8Array.of((publicKey[64] ?? 0) % 2 === 0 ? 2 : 3, ...publicKey.slice(1, 33))

/** m/44'/118'/0'/0/0: a hardened step is above 2^31. */
const path = [44, 118, 0].map((step) => step + 2 ** 31).concat(0, 0)

const lengths: ReadonlySet<number> = new Set([12, 15, 18, 21, 24])

const refused = (reason: string): SigningKeyError =>
  new SigningKeyError({ algorithm: "secp256k1", expected: "a mnemonic of 12, 15, 18, 21 or 24 words", reason })

/** One step of a derivation: a key and its chain code. */
const child = (
  [secret, chain]: readonly [secret: bigint, chain: Uint8Array],
  index: number
): Result.Result<readonly [bigint, Uint8Array], SigningKeyError> =>
  Result.map(secp256k1(hexOf(secret)), ({ publicKey }) => {
    const step = new Uint8Array(4)
    new DataView(step.buffer).setUint32(0, index)
    const parent = index >= 2 ** 31
      ? concatBytes(Uint8Array.of(0), hexToBytes(Redacted.value(hexOf(secret))))
      : compressed(publicKey)
    const derived = hmac(sha512, chain, concatBytes(parent, step))
    return [(toNumber(derived.slice(0, 32)) + secret) % order, derived.slice(32)]
  })

/**
 * What signs with the first key of a mnemonic. Its words are not looked up: those
 * of another wallet are a key too.
 *
 * @category constructors
 * @since 0.1.0
 */
export const ofMnemonic = (mnemonic: Redacted.Redacted<string>): Result.Result<DigestSigner, SigningKeyError> => {
  const words = Redacted.value(mnemonic).normalize("NFKD").trim().split(/\s+/)
  if (!lengths.has(words.length)) return Result.fail(refused(`it has ${words.length} words`))
  const seed = pbkdf2(sha512, utf8ToBytes(words.join(" ")), utf8ToBytes("mnemonic"), { c: 2_048, dkLen: 64 })
  const master = hmac(sha512, utf8ToBytes("Bitcoin seed"), seed)
  const first: Result.Result<readonly [bigint, Uint8Array], SigningKeyError> = Result.succeed(
    [toNumber(master.slice(0, 32)), master.slice(32)] as const
  )
  return path.reduce((key, step) => Result.flatMap(key, (key) => child(key, step)), first).pipe(
    Result.flatMap(([secret]) => secp256k1(hexOf(secret)))
  )
}

const alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"

const generators = [0x3b6a57b2, 0x26508e6d, 0x1ea119fa, 0x3d4233dd, 0x2a1462b3]

const checksum = (values: ReadonlyArray<number>): number =>
  values.reduce((sum, value) => {
    const top = sum >>> 25
    return generators.reduce(
      (sum, generator, bit) => ((top >>> bit) & 1) === 1 ? sum ^ generator : sum,
      ((sum & 0x1ffffff) << 5) ^ value
    )
  }, 1)

/** Groups of five bits. */
const groups = (bytes: Uint8Array): ReadonlyArray<number> => {
  const bits = Array.from(bytes, (byte) => byte.toString(2).padStart(8, "0")).join("")
  return Array.from(bits.matchAll(/.{1,5}/g), ([group]) => Number.parseInt(group.padEnd(5, "0"), 2))
}

const bech32 = (prefix: string, bytes: Uint8Array): string => {
  const codes = Array.from(prefix, (letter) => letter.charCodeAt(0))
  const expanded = [...codes.map((code) => code >> 5), 0, ...codes.map((code) => code & 31)]
  const data = groups(bytes)
  const sum = checksum([...expanded, ...data, 0, 0, 0, 0, 0, 0]) ^ 1
  const check = [25, 20, 15, 10, 5, 0].map((shift) => (sum >>> shift) & 31)
  return `${prefix}1${[...data, ...check].map((group) => alphabet.charAt(group)).join("")}`
}

/**
 * The 33 bytes of a public key, and its address.
 *
 * @category getters
 * @since 0.1.0
 */
export const addressOf = (
  publicKey: Uint8Array
): { readonly publicKey: Uint8Array; readonly address: string } => {
  const short = publicKey.length === 33 ? publicKey : compressed(publicKey)
  return { publicKey: short, address: bech32("dydx", ripemd160(sha256(short))) }
}
