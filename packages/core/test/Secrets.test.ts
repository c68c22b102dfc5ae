import { assert, describe, it } from "@effect/vitest"
import { DialError, HandshakeRejected, Unreachable } from "@tickline/core/transport/DialError"
import type { Frame } from "@tickline/core/transport/Frame"
import * as Secrets from "@tickline/core/transport/Secrets"
import { type DialRequest, type Wire, WireClosed } from "@tickline/core/transport/Transport"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as SecretMask from "../src/transport/internal/secretMask.ts"

const bytes = (text: string) => Uint8Array.from(Array.from(text, (character) => character.charCodeAt(0)))

const request = (change: Partial<DialRequest>): DialRequest => ({
  url: "wss://venue.example/feed",
  headers: {},
  protocols: [],
  maxMessageBytes: 1,
  inboundBytes: 1,
  deflate: false,
  plaintextHosts: [],
  ...change
})

const masked = (secrets: ReadonlyArray<string>, text: string): string => Secrets.mask(secrets)?.text(text) ?? text

describe("a mask", () => {
  it("is as long as what it stands for, wherever that stands, as often as it does", () => {
    assert.strictEqual(masked(["s3cret"], "s3crets3cret, s3cre s3cret"), "************, s3cre ******")
    assert.strictEqual(masked(["a.b*c+d"], "a.b*c+d aXb*c+d"), "******* aXb*c+d")
    assert.strictEqual(
      masked(["secret-one", "secret-one-and-two"], "secret-one-and-two secret-one"),
      `${"*".repeat(18)} ${"*".repeat(10)}`
    )
  })

  it("is of what has six characters, or ten where it is digits alone", () => {
    for (
      const [secret, isMasked] of [["5char", false], ["6chars", true], ["123456789", false], ["1234567890", true], [
        "43250.105",
        false
      ]] as const
    ) {
      assert.strictEqual(masked([secret], secret), isMasked ? "*".repeat(secret.length) : secret)
    }
    assert.isUndefined(Secrets.mask(["", "a", "5char"]))
    assert.isUndefined(Secrets.mask([]))
  })

  it("is of no other escape than JSON has", () => {
    assert.strictEqual(masked(["a/b\\c\"d"], "a\\/b\\\\c\\\"d"), "*".repeat(10))
    assert.strictEqual(masked(["abcdef"], "\\a\\b\\c\\d\\e\\f"), "\\a\\b\\c\\d\\e\\f")
  })

  it("finds the escapes of JSON and of URLs, in either case of their digits", () => {
    const secret = "tok/\"\\é+€x"
    for (
      const form of [
        secret,
        JSON.stringify(secret).slice(1, -1),
        "tok\\/\\\"\\\\\\u00e9+\\u20ACx",
        "\\u0074\\u006F\\u006b\\u002f\\u0022\\u005C\\u00E9\\u002b\\u20ac\\u0078",
        encodeURIComponent(secret),
        encodeURIComponent(secret).toLowerCase().replace("tok", "%74%6f%6B")
      ]
    ) {
      assert.strictEqual(masked([secret], `<${form}>`), `<${"*".repeat(form.length)}>`, form)
    }
  })

  it("is in bytes what it is in text, UTF-8 included; what holds none is the same frame", () => {
    const mask = Secrets.mask(["s3crété"])
    const utf8 = "s3cr\u00c3\u00a9t\u00c3\u00a9"
    assert.deepStrictEqual(mask?.frame(bytes(`\u0000${utf8}\u00ff`)), bytes(`\u0000${"*".repeat(9)}\u00ff`))
    assert.deepStrictEqual(mask?.frame(bytes("\u0001s3cr\\u00e9t\\u00e9")), bytes(`\u0001${"*".repeat(17)}`))
    const long = bytes("x".repeat(20_000))
    assert.strictEqual(mask?.frame(long), long)
    const over = bytes(`${"x".repeat(8_190)}${utf8}`)
    assert.deepStrictEqual(mask?.frame(over), bytes(`${"x".repeat(8_190)}${"*".repeat(9)}`))
    assert.strictEqual(mask?.frame("s3crété"), "*******")
  })
})

describe("the secrets of a dial", () => {
  const key = "pqia91ma19a5s61cv6a81va65sdf19v8"
  const isMasked = (change: Partial<DialRequest>, secret: string): boolean =>
    Secrets.maskOf(request(change))?.text(secret) === "*".repeat(secret.length)

  const found: ReadonlyArray<readonly [what: string, change: Partial<DialRequest>, secret: string, is: boolean]> = [
    ["a Redacted header", { headers: { Accept: Redacted.make("s3cret") } }, "s3cret", true],
    ["a credential without its scheme", { headers: { A: Redacted.make("Bearer s3cret") } }, "s3cret", true],
    ["a header of several words", { headers: { A: Redacted.make("s3cret, other") } }, "s3cret, other", true],
    ["a header that is a secret by its name", { headers: { "X-API-Key": "s3cret" } }, "s3cret", true],
    ["any other header", { headers: { "User-Agent": "tickline" } }, "tickline", false],
    ["a Redacted subprotocol", { protocols: [Redacted.make("s3cret")] }, "s3cret", true],
    ["any other subprotocol", { protocols: ["graphql-ws"] }, "graphql-ws", false],
    ["a password", { url: "wss://account:s3cret@h" }, "s3cret", true],
    ["a password, decoded", { url: "wss://account:s3%2Fcret@h" }, "s3/cret", true],
    ["a password that does not decode", { url: "wss://account:s3cret%zz@h" }, "s3cret%zz", true],
    ["a password with colons", { url: "wss://account:s3:cret@h" }, "s3:cret", true],
    ["the header that is made of both", { url: "wss://account:s3%2Fcret@h" }, "YWNjb3VudDpzMy9jcmV0", true],
    ["the user beside it", { url: "wss://account:s3cret@h" }, "account", false],
    ["a user alone", { url: "wss://s3cret@h" }, "s3cret", true],
    ["a listen key", { url: `wss://h/ws/${key}` }, key, true],
    ["a shorter part of the path", { url: `wss://h/ws/${key.slice(1)}` }, key.slice(1), false],
    [
      "an account's address on a chain",
      { url: "wss://h/0x52908400098527886e0f7030069857d2e4169ee7" },
      "0x52908400098527886e0f7030069857d2e4169ee7",
      false
    ],
    ["a parameter by its name", { url: "wss://h/?a=b&accessToken=s3cret" }, "s3cret", true],
    ["a parameter that holds an equals sign", { url: "wss://h?key=s3cret=" }, "s3cret=", true],
    ["a parameter by its looks", { url: `wss://h?a=${key}` }, key, true],
    ["a parameter by its looks, with an equals sign", { url: `wss://h?a=${key}==` }, `${key}==`, true],
    ["any other parameter", { url: "wss://h?streams=btcusdt@trade" }, "btcusdt@trade", false],
    ["what is behind a #", { url: "wss://h?a=b#token=s3cret" }, "s3cret", false]
  ]
  for (const [what, change, secret, is] of found) {
    it(`${what} is ${is ? "" : "not "}one`, () => assert.strictEqual(isMasked(change, secret), is))
  }

  it("are none where there is no URL", () => {
    assert.isUndefined(Secrets.maskOf(request({ url: "wss:/account:s3cret@h" })))
  })
})

describe("a dial", () => {
  const secret = request({ headers: { A: Redacted.make("s3cret") } })
  const never: Wire = {
    pull: Effect.never,
    ready: Effect.never,
    write: () => true,
    ping: Effect.never,
    close: () => Effect.succeed({ clean: true }),
    terminate: Effect.void,
    bufferedBytes: () => 7,
    paused: () => false
  }

  it.effect("without secrets is itself", () =>
    Effect.gen(function*() {
      const dial = Effect.succeed(never)
      assert.strictEqual(SecretMask.mask(request({}), dial), dial)
      assert.strictEqual((yield* Effect.scoped(SecretMask.mask(secret, dial))).bufferedBytes(), 7)
    }))

  it.effect("clears frames and every way in which a wire ends", () =>
    Effect.gen(function*() {
      const closed = (reason: string) => new WireClosed({ by: "peer", code: 4001, reason })
      const over = (pull: Wire["pull"], end: WireClosed) =>
        Effect.scoped(
          SecretMask.mask(secret, Effect.succeed({ ...never, pull, ready: Effect.fail(end), ping: Effect.fail(end) }))
        )
      const frames: readonly [Frame, Frame] = ["a s3cret", bytes("s3cret")]
      const wire = yield* over(Effect.succeed(frames), closed("bad s3cret"))
      assert.deepStrictEqual(yield* wire.pull, ["a ******", bytes("******")])
      for (const ended of [wire.ready, wire.ping]) {
        assert.deepStrictEqual(yield* Effect.flip(ended), closed("bad ******"))
      }
      const end = closed("plain")
      const other = yield* over(Effect.fail(end), end)
      assert.strictEqual(yield* Effect.flip(other.pull), end)
    }))

  it.effect("clears why it failed, whatever the transport says", () =>
    Effect.gen(function*() {
      const failing = (error: DialError) => Effect.flip(Effect.scoped(SecretMask.mask(secret, Effect.fail(error))))
      const told = yield* failing(
        new DialError({ url: "wss://h", reason: new Unreachable({ detail: "\"s3cret\"\n" }) })
      )
      assert.instanceOf(told, DialError)
      assert.instanceOf(told.reason, Unreachable)
      assert.strictEqual(told.message, "wss://h: unreachable: \"******\"\\u000a")
      const kept = new DialError({
        url: "wss://h",
        reason: new HandshakeRejected({ status: 401, retryAfterMillis: 5, detail: "s3cret" })
      })
      const rejected = yield* failing(kept)
      assert.deepInclude(rejected.reason, { status: 401, retryAfterMillis: 5, detail: "******" })
      const word = request({ headers: { A: Redacted.make("detail") } })
      const named = new DialError({ url: "wss://h", reason: new Unreachable({ detail: "in detail" }) })
      const worded = yield* Effect.flip(Effect.scoped(SecretMask.mask(word, Effect.fail(named))))
      assert.strictEqual(worded.message, "wss://h: unreachable: in ******")
      const plain = new DialError({ url: "wss://h", reason: new Unreachable({ detail: "x" }) })
      assert.strictEqual(yield* failing(plain), plain)
    }))
})
