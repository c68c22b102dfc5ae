/** Hyperliquid's signatures against those that it and others have published, and against other encoders. */
import { assert, describe, it } from "@effect/vitest"
import { encode } from "@msgpack/msgpack"
import { createL1ActionHash } from "@nktkas/hyperliquid/signing"
import { keccak_256 } from "@noble/hashes/sha3.js"
import * as Arbitrary from "effect/Arbitrary"
import * as Hex from "effect/encoding/Hex"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import * as Signer from "../src/session/Signer.ts"
import * as Signing from "../src/trading/hyperliquid/HyperliquidSigning.ts"
import * as Msgpack from "../src/trading/hyperliquid/internal/msgpack.ts"

const signerOf = (key: string): Signer.DigestSigner => Result.getOrThrow(Signer.secp256k1(Redacted.make(key)))

/** The key of the venue's own tests, and that of `@nktkas/hyperliquid`'s. */
const own = signerOf("0x0123456789012345678901234567890123456789012345678901234567890123")
const other = signerOf("0x822e9959e022b78423eb653a62ea0020cd283e71a2a8133a6ff2aeffaf373cff")

const vault = "0x1719884eb866cb12b2287399b15f7db5e7d775ea"

const order = { a: 1, b: true, p: "100", s: "100", r: false, t: { limit: { tif: "Gtc" } } }

const ordering = (...orders: ReadonlyArray<Signing.Action>): Signing.Action => ({
  type: "order",
  orders,
  grouping: "na"
})

const dummy = { type: "dummy", num: 100_000_000_000 }

/** Some print `r` and `s` without their leading zeros. */
const assertSigned = (
  { r, s, v }: Signing.Signature,
  [ofR, ofS, ofV]: readonly [r: string, s: string, v: number],
  what?: string
): void => {
  assert.deepStrictEqual([BigInt(r), BigInt(s), v], [BigInt(ofR), BigInt(ofS), ofV], what)
  assert.match(r, /^0x[0-9a-f]{64}$/)
  assert.match(s, /^0x[0-9a-f]{64}$/)
}

describe("what the venue's own SDK signs", () => {
  // hyperliquid-python-sdk, tests/signing_test.py (read 2026-11-26); those of the main net are in the reference.
  const vectors: ReadonlyArray<
    readonly [string, Signing.Action, Omit<Signing.Options, "nonce">, string, string, number]
  > = [
    [
      "a number beyond 32 bits",
      dummy,
      { network: "testnet" },
      "0x542af61ef1f429707e3c76c5293c80d01f74ef853e34b76efffcb57e574f9510",
      "0x17b8b32f086e8cdede991f1e2c529f5dd5297cbe8128500e00cbaf766204a613",
      28
    ],
    [
      "for a vault",
      dummy,
      { network: "testnet", vault },
      "0xe281d2fb5c6e25ca01601f878e4d69c965bb598b88fac58e475dd1f5e56c362b",
      "0x7ddad27e9a238d045c035bc606349d075d5c5cd00a6cd1da23ab5c39d4ef0f60",
      27
    ],
    [
      "an order with a client id",
      ordering({ ...order, c: "0x00000000000000000000000000000001" }),
      { network: "testnet" },
      "0xeba0664bed2676fc4e5a743bf89e5c7501aa6d870bdb9446e122c9466c5cd16d",
      "0x7f3e74825c9114bc59086f1eebea2928c190fdfbfde144827cb02b85bbe90988",
      28
    ],
    [
      "an order with a trigger",
      ordering({ ...order, t: { trigger: { isMarket: true, triggerPx: "103", tpsl: "sl" } } }),
      { network: "testnet" },
      "0x971c554d917c44e0e1b6cc45d8f9404f32172a9d3b3566262347d0302896a2e4",
      "0x206257b104788f80450f8e786c329daa589aa0b32ba96948201ae556d5637eac",
      28
    ],
    [
      "createSubAccount",
      { type: "createSubAccount", name: "example" },
      {},
      "0x51096fe3239421d16b671e192f574ae24ae14329099b6db28e479b86cdd6caa7",
      "0xb71f7d293af92d3772572afb8b102d167a7cef7473388286bc01f52a5c5b423",
      27
    ],
    [
      "subAccountTransfer",
      {
        type: "subAccountTransfer",
        subAccountUser: "0x1d9470d4b963f552e6f671a81619d395877bf409",
        isDeposit: true,
        usd: 10
      },
      {},
      "0x43592d7c6c7d816ece2e206f174be61249d651944932b13343f4d13f306ae602",
      "0x71a926cb5c9a7c01c3359ec4c4c34c16ff8107d610994d4de0e6430e5cc0f4c9",
      28
    ],
    [
      "scheduleCancel at a time",
      { type: "scheduleCancel", time: 123_456_789 },
      {},
      "0x609cb20c737945d070716dcc696ba030e9976fcf5edad87afa7d877493109d55",
      "0x16c685d63b5c7a04512d73f183b3d7a00da5406ff1f8aad33f8ae2163bab758b",
      28
    ],
    [
      "scheduleCancel at no time",
      { type: "scheduleCancel", time: undefined },
      { network: "testnet" },
      "0xc75bb195c3f6a4e06b7d395acc20bbb224f6d23ccff7c6a26d327304e6efaeed",
      "0x342f8ede109a29f2c0723bd5efb9e9100e3bbb493f8fb5164ee3d385908233df",
      28
    ]
  ]
  for (const [what, action, options, r, s, v] of vectors) {
    it(what, () => {
      const signature = Signing.signAction(own, action, { nonce: 0, ...options })
      assertSigned(signature, [r, s, v])
      assert.strictEqual(Signing.signerOf(action, signature, { nonce: 0, ...options }), Signing.addressOf(own))
    })
  }

  it("transfers that a wallet shows", () => {
    const transfer = { destination: "0x5e9ee1089755c3435139848e47e6635505d5a13a", amount: "1", time: 1_687_816_341_423 }
    const { usdSend, withdraw3 } = Signing.userActions
    assertSigned(Signing.signUserAction(own, usdSend, transfer, { network: "testnet" }), [
      "0x637b37dd731507cdd24f46532ca8ba6eec616952c56218baeff04144e4a77073",
      "0x11a6a24900e6e314136d2592e2f8d502cd89b7c15b198e1bee043c9589f9fad7",
      27
    ])
    assertSigned(Signing.signUserAction(own, withdraw3, transfer, { network: "testnet" }), [
      "0x8363524c799e90ce9bc41022f7c39b4e9bdba786e5f9c72b20e43e1462c37cf9",
      "0x58b1411a775938b83e29182e8ef74975f9054c8e97ebf5ec2dc8d51bfc893881",
      28
    ])
    // @nktkas/hyperliquid, tests/signing/mod.test.ts (read 2026-11-26).
    const sent = { destination: "0x1234567890123456789012345678901234567890", amount: "1000", time: 1_234_567_890 }
    assertSigned(Signing.signUserAction(other, usdSend, sent), [
      "0xf777c38efe7c24cc71209526ae608f4e384d0586edf578f0e97b4b9f7c7adcc6",
      "0x104a4a97c48ae77bf5bd777bdd45fe72d8f5ff29116b5ff64fd8cfe4ea610786",
      28
    ])
  })
})

describe("each member of what a wallet shows", () => {
  const { approveAgent, usdClassTransfer } = Signing.userActions
  const transfer = { amount: "1", toPerp: true, nonce: 1_687_816_341_423 }
  const approval = { agentAddress: vault, agentName: "bot", nonce: 1_687_816_341_423 }

  it("is part of what is signed", () => {
    const signed = [
      [usdClassTransfer, transfer],
      [usdClassTransfer, { ...transfer, toPerp: false }],
      [usdClassTransfer, { ...transfer, nonce: 1 }],
      [usdClassTransfer, { ...transfer, hyperliquidChain: "Testnet" }],
      [usdClassTransfer, { ...transfer, signatureChainId: "0xa4b1" }],
      [approveAgent, approval],
      [approveAgent, { ...approval, agentAddress: `0x${"1".repeat(40)}` }],
      [approveAgent, { ...approval, agentName: "" }]
    ] as const
    const signatures = signed.map(([of, action]) => Signing.signUserAction(own, of, action).r)
    assert.strictEqual(new Set(signatures).size, signed.length)
    assert.throws(
      () => Signing.signUserAction(own, usdClassTransfer, { ...transfer, toPerp: "true" }),
      /toPerp is no bool/
    )
    assert.throws(() => Signing.signUserAction(own, approveAgent, { ...approval, agentAddress: "0x12" }), /no address/)
  })
})

describe("with a bound in time", () => {
  // @nktkas/hyperliquid, tests/signing/mod.test.ts (read 2026-11-26).
  const action = ordering({ ...order, a: 0, p: "30000", s: "0.1" })
  const nonce = 1_234_567_890
  const both = { vault: "0x1234567890123456789012345678901234567890", expiresAfter: 1_234_567_890 }
  const vectors: ReadonlyArray<readonly [string, Omit<Signing.Options, "nonce">, string, string, number]> = [
    [
      "neither vault nor bound",
      {},
      "0x61078d8ffa3cb591de045438a1ae2ed299b271891d1943a33901e7cfb3a31ed8",
      "0x0e91df4f9841641d3322dad8d932874b74d7e082cdb5b533f804964a6963aef9",
      28
    ],
    [
      "a vault",
      { vault: both.vault },
      "0x77151b3ae29b83c8affb3791568c6452019ba8c30019236003abb1efcd809433",
      "0x55668c02f6ad4a1c335ce99987b7545984c4edc1765fe52cf115a423dc8279bb",
      27
    ],
    [
      "a bound",
      { expiresAfter: both.expiresAfter },
      "0x162a52128fb58bc6adb783e3d36913c53127851144fc45c5603a51e97b9202fd",
      "0x469571eb0a2101a32f81f9584e15fd35c723a6089e106f4f33798dbccf7cd416",
      28
    ],
    [
      "a vault and a bound",
      both,
      "0x78fcca006d7fdfaf1f66978ef7a60280246fc3e7a5b39a68a1656c3e42c58bf1",
      "0x61a09957de7f0886c2bdffb7a94e3a257bf240796883ea6ceaf4d0be37055cdd",
      27
    ],
    [
      "a bound, on the test network",
      { expiresAfter: both.expiresAfter, network: "testnet" },
      "0x5094989a7c0317db6553f21dd7f90d43415e8bd01af03829de249d4ea0aa5f66",
      "0x491d04966e81662bd4e70d607fac30e71803c01733f4f66ff7299b0470675b8b",
      27
    ],
    [
      "a vault and a bound, on the test network",
      { ...both, network: "testnet" },
      "0x3a0bbbd9fadca54f58a2b7050899cecb97f68b2f693c63e91ca60510427326d7",
      "0x60f75f12cae7b9dc18b889406192afcaf13f40d2f8c68cc01f7f83f3fb5deb23",
      27
    ]
  ]
  for (const [what, options, r, s, v] of vectors) {
    it(what, () => assertSigned(Signing.signAction(other, action, { nonce, ...options }), [r, s, v]))
  }

  it("hashes as another client does", () => {
    const actions: ReadonlyArray<Signing.Action> = [
      { type: "cancel", cancels: [{ a: 110_000, o: 258_166_303_284 }] },
      { type: "cancelByCloid", cancels: [{ asset: 10_107, cloid: "0x00000000000000000000000000000001" }] },
      {
        type: "batchModify",
        modifies: [{ oid: 4_294_967_296, order }, { oid: "0x00000000000000000000000000000001", order }]
      },
      {
        type: "order",
        orders: Array.from({ length: 17 }, () => order),
        grouping: "normalTpsl",
        builder: { b: vault, f: 10 }
      },
      { type: "order", orders: [order], grouping: { p: 70_000 } },
      { type: "scheduleCancel", time: 1_764_867_600_268 },
      { type: "noop" },
      { type: "updateLeverage", asset: 3, isCross: false, leverage: 200 },
      { type: "vaultTransfer", vaultAddress: vault, isDeposit: false, usd: 5_000_000_000 }
    ]
    for (const action of actions) {
      for (const options of [{}, { vaultAddress: vault as `0x${string}` }, { expiresAfter: 1_764_867_600_268 }]) {
        assert.strictEqual(
          Hex.encode(Signing.hashAction(action, {
            nonce: 1_764_867_600_000,
            vault: options.vaultAddress,
            expiresAfter: options.expiresAfter
          })),
          createL1ActionHash({ action: { ...action }, nonce: 1_764_867_600_000, ...options }).slice(2),
          JSON.stringify(action)
        )
      }
    }
  })
})

describe("whose signature it is", () => {
  const options = { nonce: 7, expiresAfter: 9, vault }

  it("is known from it", () => {
    const signature = Signing.signAction(other, ordering(order), options)
    assert.strictEqual(Signing.signerOf(ordering(order), signature, options), Signing.addressOf(other))
    // https://eips.ethereum.org/EIPS/eip-55 is for people; addresses here are in lower case.
    assert.strictEqual(Signing.addressOf(own), "0x14791697260e4c9a71f18484c9f997b308e59325")
  })

  const changes: ReadonlyArray<readonly [string, Signing.Action, Signing.Options]> = [
    ["its size", ordering({ ...order, s: "101" }), options],
    ["the order of its members", { orders: [order], type: "order", grouping: "na" }, options],
    ["its nonce", ordering(order), { ...options, nonce: 8 }],
    ["its bound", ordering(order), { ...options, expiresAfter: 10 }],
    ["its lack of a bound", ordering(order), { nonce: 7, vault }],
    ["its vault", ordering(order), { nonce: 7, expiresAfter: 9 }],
    ["its network", ordering(order), { ...options, network: "testnet" }]
  ]
  for (const [what, action, changed] of changes) {
    it(`is of nobody else with ${what} changed`, () => {
      const signature = Signing.signAction(other, ordering(order), options)
      assert.notStrictEqual(Signing.signerOf(action, signature, changed), Signing.addressOf(other))
    })
  }

  it("is of nobody if it is no signature", () => {
    const nothing = `0x${"0".repeat(64)}`
    for (
      const [r, s] of [[nothing, nothing], ["xyz", nothing], [`0x${"f".repeat(64)}`, nothing], [
        "0x01",
        "0x02"
      ]] as const
    ) {
      assert.isUndefined(Signing.signerOf(dummy, { r, s, v: 27 }, { nonce: 0 }))
    }
  })

  it("is of no key if the action cannot be written", () => {
    assert.throws(() => Signing.signAction(own, { type: "dummy", num: 0.5 }, { nonce: 0 }), RangeError)
    assert.throws(() => Signing.signAction(own, dummy, { nonce: -1 }), RangeError)
    assert.throws(() => Signing.signAction(own, dummy, { nonce: 0, vault: "1719" }), RangeError)
    assert.throws(
      () => Signing.signUserAction(own, Signing.userActions.usdSend, { destination: vault, amount: 1, time: 1 }),
      /amount is no string/
    )
  })
})

describe("MessagePack", () => {
  type Tree = string | number | boolean | null | ReadonlyArray<Tree> | { readonly [name: string]: Tree }
  const text = Schema.String.check(Schema.makeFilter((text) => text.isWellFormed()))
  const leaf = Schema.Union([text, Schema.Int, Schema.Boolean, Schema.Null])
  const tree: Schema.Codec<Tree> = Schema.Union([
    leaf,
    Schema.Array(Schema.suspend((): Schema.Codec<Tree> => tree)),
    Schema.Record(text, Schema.suspend((): Schema.Codec<Tree> => tree))
  ])

  it.prop("is what another encoder writes", [Arbitrary.schema(tree)], ([value]) => {
    assert.deepStrictEqual(Msgpack.encode(value), encode(value))
  }, { arbitrary: { seed: "signing" } })

  it("writes each size as the format has it", () => {
    const edges = [7, 8, 16, 31, 32, 53].flatMap((bits) => {
      const edge = 2 ** bits
      return [edge - 1, edge, -edge, -edge - 1, 1 - edge]
    }).filter(Number.isSafeInteger)
    const sizes = [0, 15, 16, 31, 32, 255, 256, 65_535, 65_536]
    const values: ReadonlyArray<Msgpack.Value> = [
      ...edges,
      ...sizes.map((length) => "é".repeat(length / 2)),
      ...sizes.map((length) => "x".repeat(length)),
      ...sizes.map((length) => Array.from({ length }, () => 1)),
      ...sizes.map((length) => Object.fromEntries(Array.from({ length }, (_, index) => [`m${index}`, true])))
    ]
    for (const value of values) assert.deepStrictEqual(Msgpack.encode(value), encode(value))
    assert.deepStrictEqual(Msgpack.encode(2n ** 64n - 1n), encode(2n ** 64n - 1n, { useBigInt64: true }))
    assert.throws(() => Msgpack.encode(2n ** 64n), RangeError)
    assert.throws(() => Msgpack.encode({ at: [Number.NaN] }), RangeError)
  })

  // An encoder that writes large numbers as floats gives another hash, and the venue then knows no such user.
  it("writes a time as a whole number, and never as a float", () => {
    const action = { type: "scheduleCancel", time: 1_764_867_600_268 }
    const written = Hex.encode(Msgpack.encode(action))
    assert.isTrue(written.endsWith(`cf${action.time.toString(16).padStart(16, "0")}`))
    assert.notStrictEqual(written, Hex.encode(encode(action, { useBigInt64: true })))
    assert.strictEqual(written, Hex.encode(encode(action)))
  })
})

const reference = join(
  process.env["TICKLINE_REFERENCE"] ?? join(import.meta.dirname, "../../../../shared/reference"),
  "hyperliquid-signing.json"
)

describe("the reference beside the project", () => {
  if (!existsSync(reference)) {
    it.skip("every signature (skipped: it is neither in TICKLINE_REFERENCE nor in ../shared/reference)", () => {})
    return
  }
  const vectors = Schema.decodeUnknownSync(Schema.fromJsonString(Schema.Struct({
    privateKey: Schema.String,
    agentHash: Schema.Struct({ nonce: Schema.Number, connectionId: Schema.String }),
    signatures: Schema.Array(Schema.Struct({
      what: Schema.String,
      nonce: Schema.Number,
      vault: Schema.NullOr(Schema.String),
      network: Schema.Literals(["mainnet", "testnet"]),
      r: Schema.String,
      s: Schema.String,
      v: Schema.Number
    }))
  })))(readFileSync(reference, "utf8"))
  const signer = signerOf(vectors.privateKey)
  /** What each means, by its words; "the same" is of the one before. */
  const actions: ReadonlyArray<readonly [RegExp, Signing.Action]> = [
    [/type: "dummy"/, dummy],
    [/with cloid/, ordering({ ...order, c: "0x00000000000000000000000000000001" })],
    [/trigger/, ordering({ ...order, t: { trigger: { isMarket: true, triggerPx: "103", tpsl: "sl" } } })],
    [/^order: /, ordering(order)],
    [/scheduleCancel/, { type: "scheduleCancel" }]
  ]

  it("hash of an order", () => {
    const { connectionId, nonce } = vectors.agentHash
    const action = ordering({ ...order, a: 4, p: "1670.1", s: "0.0147", t: { limit: { tif: "Ioc" } } })
    assert.strictEqual(`0x${Hex.encode(Signing.hashAction(action, { nonce }))}`, connectionId)
    const packed = encode(action)
    const bytes = new Uint8Array(packed.length + 9)
    bytes.set(packed)
    new DataView(bytes.buffer).setBigUint64(packed.length, BigInt(nonce))
    assert.strictEqual(`0x${Hex.encode(keccak_256(bytes))}`, connectionId)
  })

  let last: Signing.Action | undefined
  for (const { network, nonce, r, s, v, vault, what } of vectors.signatures) {
    const action = what === "the same" ? last : actions.find(([words]) => words.test(what))?.[1]
    last = action
    it(`${what}, ${network}, ${vault ?? "no vault"}`, () => {
      assert.isDefined(action)
      assertSigned(
        Signing.signAction(signer, action, { nonce, network, ...(vault === null ? {} : { vault }) }),
        [r, s, v]
      )
    })
  }
})
