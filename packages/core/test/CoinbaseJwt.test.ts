/** The tokens of Coinbase's keys, as jose reads and verifies them. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as TestClock from "effect/testing/TestClock"
import { decodeProtectedHeader, jwtVerify } from "jose"
import { createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto"
import { inspect } from "node:util"
import * as CoinbaseJwt from "../src/session/CoinbaseJwt.ts"
import * as Signer from "../src/session/Signer.ts"

const keyName = "organizations/0b0f/apiKeys/1a2b"
const p256 = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey
const ed25519 = generateKeyPairSync("ed25519").privateKey
const pem = (key: KeyObject, type: "sec1" | "pkcs8"): string => key.export({ format: "pem", type }).toString()
const raw = (key: KeyObject, ...members: ReadonlyArray<"d" | "x">): string =>
  Buffer.concat(members.map((member) => Buffer.from(String(key.export({ format: "jwk" })[member]), "base64url")))
    .toString("base64")

/** A key in each form that the venue gives, and its algorithm. */
const forms: ReadonlyArray<readonly [form: string, secret: string, key: KeyObject, algorithm: string]> = [
  ["P-256, SEC 1", pem(p256, "sec1"), p256, "ES256"],
  ["P-256, SEC 1, its line ends written out", pem(p256, "sec1").replaceAll("\n", "\\n"), p256, "ES256"],
  ["P-256, PKCS #8", pem(p256, "pkcs8"), p256, "ES256"],
  ["Ed25519, its seed in base64", raw(ed25519, "d"), ed25519, "EdDSA"],
  ["Ed25519, its seed and public key in base64", raw(ed25519, "d", "x"), ed25519, "EdDSA"],
  ["Ed25519, PKCS #8", pem(ed25519, "pkcs8"), ed25519, "EdDSA"],
  ["Ed25519, PKCS #8, its line ends written out", pem(ed25519, "pkcs8").replaceAll("\n", "\\n"), ed25519, "EdDSA"]
]

const at = 1_795_219_200_500

const makeAt = (secret: string) =>
  Effect.andThen(
    TestClock.setTime(at),
    CoinbaseJwt.make({ keyName, keySecret: Redacted.make(secret) })
  )

const verified = (token: string, key: KeyObject) =>
  Effect.promise(() => jwtVerify(token, createPublicKey(key), { currentDate: new Date(at) }))

describe("a token of Coinbase", () => {
  for (const [form, secret, key, algorithm] of forms) {
    it.effect(`is signed by a key of ${form}`, () =>
      Effect.gen(function*() {
        const jwt = yield* makeAt(secret)
        const bearer = Redacted.value(jwt.bearer("GET", "/api/v3/brokerage/orders/historical/batch?limit=250&cursor=a"))
        assert.match(bearer, /^Bearer [\w-]+\.[\w-]+\.[\w-]+$/)
        const { payload, protectedHeader } = yield* verified(bearer.slice(7), key)
        assert.deepStrictEqual(payload, {
          sub: keyName,
          iss: "cdp",
          nbf: 1_795_219_200,
          exp: 1_795_219_320,
          uri: "GET api.coinbase.com/api/v3/brokerage/orders/historical/batch"
        })
        const { nonce, ...header } = protectedHeader
        assert.deepStrictEqual(header, { alg: algorithm, typ: "JWT", kid: keyName })
        assert.match(String(nonce), /^[0-9a-f]{32}$/)
      }))
  }

  it.effect("names no URI where it is for the socket", () =>
    Effect.gen(function*() {
      const jwt = yield* makeAt(raw(ed25519, "d"))
      const { payload } = yield* verified(jwt.socket(), ed25519)
      assert.deepStrictEqual(Object.keys(payload), ["sub", "iss", "nbf", "exp"])
    }))

  it.effect("is another each time, by Effect's chance, and has the time at which it is signed", () =>
    Effect.gen(function*() {
      const tokens = Effect.gen(function*() {
        const jwt = yield* makeAt(raw(ed25519, "d"))
        const first = jwt.socket()
        const second = jwt.socket()
        yield* TestClock.adjust("1 minute")
        return [first, second, jwt.socket()]
      })
      const [one, other] = [yield* Random.withSeed(tokens, "a"), yield* Random.withSeed(tokens, "a")]
      assert.deepStrictEqual(one, other)
      const nonces = one.map((token) => decodeProtectedHeader(token)["nonce"])
      assert.strictEqual(new Set(nonces).size, 3)
      const { payload } = yield* Effect.promise(() =>
        jwtVerify(one[2] ?? "", createPublicKey(ed25519), { currentDate: new Date(at + 60_000) })
      )
      assert.strictEqual(payload.nbf, 1_795_219_260)
    }))

  it.effect("cannot be made with what is no key, and nothing shows the key", () =>
    Effect.gen(function*() {
      for (
        const [secret, reason] of [
          ["hunter22", "it is of another length"],
          ["", "it is empty"],
          [
            pem(generateKeyPairSync("ec", { namedCurve: "secp256k1" }).privateKey, "sec1"),
            "it is of another curve"
          ]
        ] as const
      ) {
        const error = yield* Effect.flip(makeAt(secret))
        assert.strictEqual(error.reason, reason)
        assert.notInclude(inspect(error), "hunter2")
      }
      const jwt = yield* makeAt(pem(p256, "sec1"))
      assert.notInclude(
        inspect([jwt, jwt.bearer("GET", "/")], { depth: 9, showHidden: true }),
        pem(p256, "sec1").slice(40, 60)
      )
    }))
})

describe("a verifier of a key", () => {
  for (const [form, secret, , algorithm] of forms) {
    it(`takes what is signed by a key of ${form}, and nothing else`, () => {
      const signer = Result.getOrThrow(Signer.byForm(Redacted.make(secret)))
      const verifier = Result.getOrThrow(Signer.verifierByForm(Redacted.make(secret)))
      assert.deepStrictEqual([signer.algorithm, verifier.algorithm], [algorithm, algorithm])
      const signature = signer.sign("a message")
      assert.isTrue(verifier.verify("a message", signature))
      assert.isFalse(verifier.verify("another message", signature))
      assert.isFalse(verifier.verify("a message", signature.map((byte, i) => i === 7 ? byte ^ 1 : byte)))
      assert.isFalse(verifier.verify("a message", signature.slice(1)))
      assert.isFalse(verifier.verify("a message", new Uint8Array(64)))
    })
  }
})
