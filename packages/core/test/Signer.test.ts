import { assert, describe, it } from "@effect/vitest"
import { p256 } from "@noble/curves/nist.js"
import { secp256k1 } from "@noble/curves/secp256k1.js"
import * as KeyFormat from "effect/crypto/KeyFormat"
import * as Mac from "effect/crypto/Mac"
import * as SecureRandom from "effect/crypto/SecureRandom"
import * as Signature from "effect/crypto/Signature"
import * as Effect from "effect/Effect"
import * as Base64 from "effect/encoding/Base64"
import * as Base64Url from "effect/encoding/Base64Url"
import * as Hex from "effect/encoding/Hex"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import { CompactSign, compactVerify, importPKCS8, importSPKI } from "jose"
import { createHash, createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto"
import { inspect } from "node:util"
import * as Signer from "../src/session/Signer.ts"

const bytes = (hex: string): Uint8Array => Result.getOrThrow(Hex.decode(hex))
const url = (hex: string): string => Base64Url.encode(bytes(hex))
const pem = (key: KeyObject, type: "sec1" | "pkcs8"): string => key.export({ format: "pem", type }).toString()
const publicPem = (key: KeyObject): string => createPublicKey(key).export({ format: "pem", type: "spki" }).toString()
const read = <A>(result: Result.Result<A, Signer.SigningKeyError>): A => Result.getOrThrow(result)

// RFC 6979, A.2.5.
const rfc6979 = {
  x: "c9afa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721",
  ux: "60fed4ba255a9d31c961eb74c6356d68c049b8923b61fa6ce669622e60f29fb6",
  uy: "7903fe1008b8bc99a41ae9e95628bc64f2f1b20c2d7e9f5177a3c294d4462299"
}
const p256Key = createPrivateKey({
  format: "jwk",
  key: { kty: "EC", crv: "P-256", d: url(rfc6979.x), x: url(rfc6979.ux), y: url(rfc6979.uy) }
})

// RFC 8032, 7.1.
const rfc8032 = [
  {
    seed: "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
    publicKey: "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    message: "",
    signature:
      "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe2"
      + "4655141438e7a100b"
  },
  {
    seed: "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
    publicKey: "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
    message: "72",
    signature:
      "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302ae"
      + "eb00d291612bb0c00"
  },
  {
    seed: "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
    publicKey: "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
    message: "af82",
    signature:
      "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28"
      + "dc027beceea1ec40a"
  }
]
const ed25519Key = createPrivateKey({
  format: "jwk",
  key: { kty: "OKP", crv: "Ed25519", d: url(rfc8032[1]!.seed), x: url(rfc8032[1]!.publicKey) }
})

/** Bytes that look like chance and are the same each time. */
const drawn = (seed: string, length: number): Uint8Array =>
  Uint8Array.from(createHash("shake256", { outputLength: length }).update(seed).digest())

const messages = Array.from({ length: 30 }, (_, i) => drawn(`message ${i}`, i * i % 300))

describe("HMAC-SHA256", () => {
  // RFC 4231: test cases 2, 6 and 7, whose keys are texts or can be said in base64.
  it("signs the vectors of RFC 4231", () => {
    const signed = (key: Uint8Array, message: string | Uint8Array) =>
      Signer.signText(
        read(Signer.hmacSha256(Redacted.make(Base64.encode(key)), { encoding: "base64" })),
        message,
        "hex"
      )
    assert.strictEqual(
      signed(new Uint8Array(20).fill(0x0b), "Hi There"),
      "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"
    )
    assert.strictEqual(
      Signer.signText(read(Signer.hmacSha256(Redacted.make("Jefe"))), "what do ya want for nothing?", "hex"),
      "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    )
    assert.strictEqual(
      signed(new Uint8Array(20).fill(0xaa), new Uint8Array(50).fill(0xdd)),
      "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"
    )
    assert.strictEqual(
      signed(bytes("0102030405060708090a0b0c0d0e0f10111213141516171819"), new Uint8Array(50).fill(0xcd)),
      "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"
    )
    assert.strictEqual(
      signed(new Uint8Array(131).fill(0xaa), "Test Using Larger Than Block-Size Key - Hash Key First"),
      "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"
    )
    assert.strictEqual(
      signed(
        new Uint8Array(131).fill(0xaa),
        "This is a test using a larger than block-size key and a larger than block-size data. The key needs to be "
          + "hashed before being used by the HMAC algorithm."
      ),
      "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"
    )
  })

  it("signs Deribit's vector", () => {
    const signer = read(Signer.hmacSha256(Redacted.make("AMANDASECRECT")))
    assert.strictEqual(
      Signer.signText(signer, "1576074319000\n1iqt2wls\n", "hex"),
      "56590594f97921b09b18f166befe0d1319b198bbcdad7ca73382de2f88fe9aa1"
    )
    assert.strictEqual(
      Signer.signText(signer, "1576074319000\n1iqt2wls\n", "base64"),
      Base64.encode(signer.sign("1576074319000\n1iqt2wls\n"))
    )
  })

  it.effect("signs what effect/crypto signs", () =>
    Effect.gen(function*() {
      const mac = yield* Mac.Mac
      for (const [i, message] of messages.entries()) {
        const key = drawn("key", 1 + 7 * i)
        const ours = read(Signer.hmacSha256(Redacted.make(Base64.encode(key)), { encoding: "base64" })).sign(message)
        assert.deepStrictEqual(ours, yield* mac.sign(yield* Mac.key(Mac.hmacSha256, key), message))
      }
    }).pipe(Effect.provide(Mac.layerWebCrypto.pipe(Layer.provide(SecureRandom.layerWebCrypto)))))
})

describe("ES256", () => {
  const vectors = [
    [
      "sample",
      "efd48b2aacb6a8fd1140dd9cd45e81d69d2c877b56aaf991c34d0ea84eaf3716"
      + "f7cb1c942d657c41d436c7a1b6e29f65f3e900dbb9aff4064dc4ab2f843acda8"
    ],
    [
      "test",
      "f1abb023518351cd71d881567b1ea663ed3efcf6c5132b354f28d3b0b7d38367"
      + "019f4113742a2b14bd25926b49c649155f267e60d3814b4c0cc84250e46f0083"
    ]
  ] as const

  it("signs the vectors of RFC 6979, with a key of either form", () => {
    const written = pem(p256Key, "sec1")
    const bare = written.replaceAll("\n", "\\n")
    const withParameters = `-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n${written}`
    for (const key of [written, pem(p256Key, "pkcs8"), bare, withParameters, written.replaceAll("\n", "\r\n")]) {
      const signer = read(Signer.es256(Redacted.make(key)))
      for (const [message, signature] of vectors) {
        assert.strictEqual(Signer.signText(signer, message, "hex"), signature)
      }
    }
  })

  it("takes a scalar without its leading zeros, and a key without its public half", () => {
    const secret = bytes("00ffa9d845ba75166b5c215767b1d6934e50c3db36e89b127b8a622b120f6721")
    const der = (scalar: Uint8Array) => {
      const curve = bytes("a00a06082a8648ce3d030107")
      const body = [0x02, 1, 1, 0x04, scalar.length, ...scalar, ...curve]
      return `-----BEGIN EC PRIVATE KEY-----\n${
        Base64.encode(Uint8Array.from([0x30, body.length, ...body]))
      }\n-----END EC PRIVATE KEY-----\n`
    }
    const expected = Hex.encode(p256.sign(new TextEncoder().encode("x"), secret, { lowS: false }))
    for (const scalar of [secret, secret.subarray(1)]) {
      const signer = read(Signer.es256(Redacted.make(der(scalar))))
      assert.strictEqual(Signer.signText(signer, "x", "hex"), expected)
    }
  })

  it.effect("signs what effect/crypto and jose verify, with keys of every draw", () =>
    Effect.gen(function*() {
      const signature = yield* Signature.Signature
      for (const message of messages.slice(0, 12)) {
        const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" })
        const text = pem(privateKey, "sec1")
        const signer = read(Signer.es256(Redacted.make(text)))
        const theirs = yield* KeyFormat.decodePrivate(KeyFormat.pem(KeyFormat.sec1), Signature.ecdsaP256, text)
        const signed = signer.sign(message)
        assert.strictEqual(signed.length, 64)
        assert.isTrue(yield* signature.verify(yield* signature.publicKeyOf(theirs), signed, message))
        const input = `${Base64Url.encode("{\"alg\":\"ES256\"}")}.${Base64Url.encode(message)}`
        const token = `${input}.${Signer.signText(signer, input, "base64url")}`
        const { payload } = yield* Effect.promise(async () =>
          compactVerify(token, await importSPKI(publicPem(privateKey), "ES256"))
        )
        assert.deepStrictEqual(Uint8Array.from(payload), message)
      }
    }).pipe(Effect.provide(Signature.layerWebCrypto.pipe(Layer.provide(SecureRandom.layerWebCrypto)))))
})

describe("Ed25519", () => {
  it("signs the vectors of RFC 8032, with keys of 32 and of 64 bytes", () => {
    for (const { message, publicKey, seed, signature } of rfc8032) {
      for (const key of [seed, seed + publicKey]) {
        const signer = read(Signer.ed25519(Redacted.make(Base64.encode(bytes(key)))))
        assert.strictEqual(Signer.signText(signer, bytes(message), "hex"), signature)
      }
    }
  })

  it.effect("signs as jose does, and what effect/crypto verifies, with a PEM", () =>
    Effect.gen(function*() {
      const signature = yield* Signature.Signature
      const text = pem(ed25519Key, "pkcs8")
      const signer = read(Signer.ed25519(Redacted.make(text)))
      const theirs = yield* KeyFormat.decodePrivate(KeyFormat.pem(KeyFormat.pkcs8), Signature.ed25519, text)
      const joses = yield* Effect.promise(() => importPKCS8(text, "EdDSA"))
      for (const message of messages) {
        assert.deepStrictEqual(signer.sign(message), yield* signature.sign(theirs, message))
        const token = yield* Effect.promise(() =>
          new CompactSign(message).setProtectedHeader({ alg: "EdDSA" }).sign(joses)
        )
        const input = token.slice(0, token.lastIndexOf("."))
        assert.strictEqual(`${input}.${Signer.signText(signer, input, "base64url")}`, token)
      }
    }).pipe(Effect.provide(Signature.layerWebCrypto.pipe(Layer.provide(SecureRandom.layerWebCrypto)))))
})

describe("secp256k1", () => {
  const key = "0x0123456789012345678901234567890123456789012345678901234567890123"

  it("gives signatures from which the key is recovered, the lower s, the same each time", () => {
    const signer = read(Signer.secp256k1(Redacted.make(key)))
    const publicKey = Hex.encode(secp256k1.getPublicKey(bytes(key.slice(2))))
    const seen = new Set<number>()
    for (const digest of Array.from({ length: 30 }, (_, i) => drawn(`digest ${i}`, 32))) {
      const { r, s, v } = signer.signDigest(digest)
      seen.add(v)
      const whole = secp256k1.Signature.fromBytes(Uint8Array.from([...r, ...s]), "compact")
      assert.isFalse(whole.hasHighS())
      assert.strictEqual(whole.addRecoveryBit(v - 27).recoverPublicKey(digest).toHex(), publicKey)
      assert.deepStrictEqual(signer.signDigest(digest), { r, s, v })
    }
    assert.deepStrictEqual(seen, new Set([27, 28]))
    assert.throws(() => signer.signDigest(new Uint8Array(31)), RangeError)
  })

  // The vector that libraries of Bitcoin share: key 1 and the SHA-256 of this text.
  it("signs a known digest", () => {
    const signer = read(Signer.secp256k1(Redacted.make("1".padStart(64, "0"))))
    const digest = bytes("a0dc65ffca799873cbea0ac274015b9526505daaaed385155425f7337704883e")
    const { r, s } = signer.signDigest(digest)
    assert.strictEqual(
      Hex.encode(r) + Hex.encode(s),
      "934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d8"
        + "2442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5"
    )
  })
})

describe("a key that cannot be read", () => {
  const other = generateKeyPairSync("ec", { namedCurve: "P-384" }).privateKey
  const rsa = generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey
  const another = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey
  const encrypted = p256Key.export({ format: "pem", type: "pkcs8", cipher: "aes-128-cbc", passphrase: "x" }).toString()
  const body = pem(p256Key, "sec1").split("\n")[1]!
  const swapped = Buffer.from(p256Key.export({ format: "der", type: "sec1" }))
  another.export({ format: "der", type: "sec1" }).copy(swapped, 7, 7, 39)
  const wrap = (label: string, der: Buffer) =>
    `-----BEGIN ${label}-----\n${der.toString("base64")}\n-----END ${label}-----`
  const es256: ReadonlyArray<readonly [name: string, key: string, reason: RegExp]> = [
    ["nothing", " ", /it is empty/],
    ["what is no PEM", body, /it is no PEM/],
    ["a cut one", pem(p256Key, "sec1").slice(0, 100), /it is no PEM/],
    ["a cut body", wrap("EC PRIVATE KEY", p256Key.export({ format: "der", type: "sec1" }).subarray(0, 90)), /damaged/],
    ["a long body", wrap("EC PRIVATE KEY", Buffer.concat([swapped, Buffer.of(5, 0)])), /damaged/],
    ["a body that is no base64", pem(p256Key, "sec1").replace("\n", "\n="), /damaged/],
    ["two keys", pem(p256Key, "sec1") + pem(another, "sec1"), /several/],
    ["an encrypted one", encrypted, /encrypted/],
    ["the public one", publicPem(p256Key), /public key/],
    ["another curve's, SEC 1", pem(other, "sec1"), /another curve/],
    ["another curve's, PKCS #8", pem(other, "pkcs8"), /another curve/],
    ["RSA's", pem(rsa, "pkcs8"), /another algorithm/],
    ["RSA's own form", rsa.export({ format: "pem", type: "pkcs1" }).toString(), /another kind/],
    ["Ed25519's", pem(ed25519Key, "pkcs8"), /another algorithm/],
    ["a public half of another", wrap("EC PRIVATE KEY", swapped), /that of another/],
    [
      "zero",
      wrap("EC PRIVATE KEY", Buffer.from(`30310201010420${"00".repeat(32)}a00a06082a8648ce3d030107`, "hex")),
      /range/
    ]
  ]
  const seed = bytes(rfc8032[0]!.seed)
  const base64 = (of: Uint8Array) => Base64.encode(of)
  const all = [
    ...es256.map((row) => ["ES256", Signer.es256, ...row] as const),
    ["EdDSA", Signer.ed25519, "nothing", "", /it is empty/],
    ["EdDSA", Signer.ed25519, "what is no base64", "p4ss-w0rd!", /no base64/],
    ["EdDSA", Signer.ed25519, "31 bytes", base64(seed.subarray(1)), /another length/],
    ["EdDSA", Signer.ed25519, "a pair that is none", base64(Uint8Array.from([...seed, ...seed])), /that of another/],
    ["EdDSA", Signer.ed25519, "P-256's PEM", pem(p256Key, "pkcs8"), /another algorithm/],
    ["EdDSA", Signer.ed25519, "SEC 1", pem(p256Key, "sec1"), /another kind/],
    ["HS256", Signer.hmacSha256, "nothing", "", /it is empty/],
    [
      "HS256",
      (key: Redacted.Redacted<string>) => Signer.hmacSha256(key, { encoding: "base64" }),
      "what is no base64",
      "S3cr3t-t3xt",
      /no base64/
    ],
    ["secp256k1", Signer.secp256k1, "nothing", "0x", /it is empty/],
    ["secp256k1", Signer.secp256k1, "what is not hexadecimal", "xyz".repeat(20), /not hexadecimal/],
    ["secp256k1", Signer.secp256k1, "31 bytes", "ab".repeat(31), /another length/],
    ["secp256k1", Signer.secp256k1, "more than the order", "ff".repeat(32), /range/]
  ] as const

  for (const [algorithm, make, name, key, reason] of all) {
    it(`${algorithm}: ${name}, says what was expected and shows nothing of it`, () => {
      const result: Result.Result<object, Signer.SigningKeyError> = make(Redacted.make(key))
      assert.isTrue(Result.isFailure(result))
      if (!Result.isFailure(result)) return
      const error = result.failure
      assert.strictEqual(error._tag, "SigningKeyError")
      assert.strictEqual(error.algorithm, algorithm)
      assert.match(error.message, reason)
      assert.match(error.message, /expected an? /)
      const shown = [inspect(error, { depth: 9, showHidden: true }), JSON.stringify(error), String(error.stack)].join()
      const body = key.replaceAll(/-----[A-Z ]+-----/g, "")
      for (let at = 0; at + 8 <= body.length; at += 4) assert.notInclude(shown, body.slice(at, at + 8))
    })
  }
})

it("nothing of a signer shows its key", () => {
  const secret = "a-very-secret-text"
  const secp256k1Key = "0123456789012345678901234567890123456789012345678901234567890123"
  const signers: ReadonlyArray<readonly [Result.Result<object, Signer.SigningKeyError>, hex: string]> = [
    [Signer.hmacSha256(Redacted.make(secret)), Hex.encode(secret)],
    [Signer.es256(Redacted.make(pem(p256Key, "sec1"))), rfc6979.x],
    [Signer.ed25519(Redacted.make(pem(ed25519Key, "pkcs8"))), rfc8032[1]!.seed],
    [Signer.secp256k1(Redacted.make(secp256k1Key)), secp256k1Key]
  ]
  for (const [signer, hex] of signers) {
    const shown = inspect(read(signer), { depth: 9, showHidden: true }) + JSON.stringify(signer)
    for (const part of [secret, hex, bytes(hex).subarray(0, 6).join(",")]) {
      assert.notInclude(shown.replaceAll(/\s/g, ""), part)
    }
  }
})
