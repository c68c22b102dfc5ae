/**
 * `pnpm signatures`: what our exchanges sign is verified by libraries that are not
 * ours. Orders are placed, amended and cancelled at mocks of Coinbase and
 * Hyperliquid over real HTTP and sockets; each request that was captured there is
 * verified once more, a token of Coinbase by jose, an action of Hyperliquid by
 * `@msgpack/msgpack` and the curve's own recovery. Prints a line for each kind of
 * request; exits 1 where one does not hold, or none was captured.
 */
import { encode } from "@msgpack/msgpack"
import { secp256k1 } from "@noble/curves/secp256k1.js"
import { keccak_256 } from "@noble/hashes/sha3.js"
import * as Reconnection from "@tickline/core/connection/Reconnection"
import * as Presets from "@tickline/core/resilience/Presets"
import * as CoinbaseAdvanced from "@tickline/core/trading/coinbase/CoinbaseAdvanced"
import type { Exchange } from "@tickline/core/trading/Exchange"
import * as HyperliquidExchange from "@tickline/core/trading/hyperliquid/HyperliquidExchange"
import * as NonceStore from "@tickline/core/trading/NonceStore"
import type { OrderEvent } from "@tickline/core/trading/OrderEvent"
import * as OrderRequest from "@tickline/core/trading/OrderRequest"
import * as Decimal from "@tickline/core/value/Decimal"
import * as NodeHttp from "@tickline/node/NodeHttp"
import * as NodeTransport from "@tickline/node/NodeTransport"
import * as MockCoinbaseAdvanced from "@tickline/testing/MockCoinbaseAdvanced"
import * as MockHyperliquidExchange from "@tickline/testing/MockHyperliquidExchange"
import * as MockServer from "@tickline/testing/node/MockServer"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as References from "effect/References"
import * as Stream from "effect/Stream"
import { jwtVerify } from "jose"
import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto"

/** How many requests of a kind held. */
const held = new Map<string, number>()
const note = (kind: string) => void held.set(kind, (held.get(kind) ?? 0) + 1)

const decimal = (text: string): Decimal.Decimal => Decimal.parse(text) ?? Decimal.zero

/** Places, amends and cancels an order, and asks for what there is. */
const trade = Effect.fnUntraced(function*(exchange: Exchange["Service"], product: string, amount: string) {
  const clientId = yield* OrderRequest.clientId
  const terms = { product, side: "buy", amount: decimal(amount), reduceOnly: false } as const
  const placed = exchange.place(
    new OrderRequest.OrderRequest({ ...terms, type: "limit", price: decimal("40000"), timeInForce: "gtc", clientId })
  )
  const taken = exchange.place(
    new OrderRequest.OrderRequest({
      ...terms,
      type: "market",
      timeInForce: "ioc",
      clientId: yield* OrderRequest.clientId
    })
  )
  const commands: ReadonlyArray<Stream.Stream<OrderEvent, { readonly message: string }>> = [
    placed,
    taken,
    exchange.amend({ clientId }, { price: decimal("39000") }),
    exchange.status({ clientId }),
    exchange.cancel({ clientId })
  ]
  for (const command of commands) {
    const [first] = yield* Stream.runCollect(command)
    if (first?._tag !== "Acknowledged" && first?._tag !== "OrderUpdate") throw new Error(JSON.stringify(first))
  }
  yield* exchange.balances()
})

const coinbase = Effect.gen(function*() {
  const edwards = MockCoinbaseAdvanced.simulated
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" })
  const nist = {
    keyName: "organizations/tickline/apiKeys/p256",
    keySecret: String(privateKey.export({ type: "sec1", format: "pem" })),
    balances: { USD: "1000000.00" }
  }
  // RFC 8410: what stands before the 32 bytes of a seed.
  const pkcs8 = Buffer.concat([
    Buffer.from("302e020100300506032b657004220420", "hex"),
    Buffer.from(edwards.keySecret, "base64").subarray(0, 32)
  ])
  const keys = new Map<string, KeyObject>([
    [edwards.keyName, createPublicKey(createPrivateKey({ key: pkcs8, format: "der", type: "pkcs8" }))],
    [nist.keyName, createPublicKey(privateKey)]
  ])
  const mock = MockCoinbaseAdvanced.make({ accounts: [edwards, nist] })
  const server = yield* MockServer.make({
    venue: mock.venue,
    rate: 0,
    products: [{ symbol: "BTC-USD", price: "43250.10", size: "5.00000000" }]
  })
  for (const { keyName, keySecret } of [edwards, nist]) {
    const exchange = yield* CoinbaseAdvanced.make({
      keyName,
      keySecret: Redacted.make(keySecret),
      url: server.httpUrl
    })
    yield* trade(exchange, "BTC-USD", "0.01")
  }
  for (const { at, question: { headers, method, path } } of mock.received()) {
    const { authorization = "" } = headers
    const verified = yield* Effect.promise(() =>
      jwtVerify(
        authorization.replace(/^Bearer /, ""),
        ({ kid = "" }) => keys.get(kid) ?? Promise.reject(new Error(`no key ${kid}`)),
        { issuer: "cdp", algorithms: ["ES256", "EdDSA"], currentDate: new Date(at), requiredClaims: ["nbf", "exp"] }
      )
    )
    const { payload, protectedHeader: { alg, kid } } = verified
    if (payload["uri"] !== `${method} api.coinbase.com${path}` || payload.sub !== kid) {
      throw new Error(`a token of ${String(payload["uri"])} for ${method} ${path}`)
    }
    note(`coinbase ${alg} ${method}`)
  }
})

const key = "0x0123456789012345678901234567890123456789012345678901234567890123"

const text = (value: string): Uint8Array => new TextEncoder().encode(value)
const word = (value: bigint): Uint8Array => Uint8Array.from(Buffer.from(value.toString(16).padStart(64, "0"), "hex"))
const eight = (value: number): Uint8Array => word(BigInt(value)).subarray(24)
const bytesOf = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex.slice(2), "hex"))
const hash = (...parts: ReadonlyArray<Uint8Array>): Uint8Array => keccak_256(Uint8Array.from(Buffer.concat(parts)))

/** What is posted to `/exchange`, or in a `post` on the socket. */
interface Posted {
  readonly action: { readonly type: string }
  readonly nonce: number
  readonly signature: { readonly r: string; readonly s: string; readonly v: 27 | 28 }
  readonly vaultAddress?: string | null
  readonly expiresAfter?: number
}

/** The address that signed it, by the venue's documentation. */
const signerOf = ({ action, expiresAfter, nonce, signature: { r, s, v }, vaultAddress }: Posted): string => {
  const connectionId = hash(
    encode(action),
    eight(nonce),
    vaultAddress === undefined || vaultAddress === null
      ? Uint8Array.of(0)
      : Buffer.concat([Uint8Array.of(1), bytesOf(vaultAddress)]),
    expiresAfter === undefined ? Uint8Array.of() : Buffer.concat([Uint8Array.of(0), eight(expiresAfter)])
  )
  const domain = hash(
    hash(text("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)")),
    hash(text("Exchange")),
    hash(text("1")),
    word(1337n),
    word(0n)
  )
  const agent = hash(hash(text("Agent(string source,bytes32 connectionId)")), hash(text("a")), connectionId)
  const digest = hash(Uint8Array.of(0x19, 0x01), domain, agent)
  const point = new secp256k1.Signature(BigInt(r), BigInt(s), v - 27).recoverPublicKey(digest)
  return `0x${Buffer.from(hash(point.toBytes(false).subarray(1)).subarray(12)).toString("hex")}`
}

const hyperliquid = Effect.gen(function*() {
  const mock = MockHyperliquidExchange.make()
  const server = yield* MockServer.make({
    venue: mock.venue,
    rate: 0,
    products: MockHyperliquidExchange.products
  })
  const exchange = yield* HyperliquidExchange.make({ key: Redacted.make(key), url: server.httpUrl })
  yield* trade(exchange, "BTC", "0.01")
  for (const { question: { body } } of mock.received()) {
    const posted: Partial<Posted> = JSON.parse(body)
    if (posted.action === undefined || posted.signature === undefined) continue
    const signer = signerOf(JSON.parse(body))
    if (signer !== MockHyperliquidExchange.account.address) throw new Error(`${posted.action.type} by ${signer}`)
    note(`hyperliquid ${posted.action.type}`)
  }
})

const program = Effect.andThen(coinbase, hyperliquid).pipe(
  Effect.scoped,
  Effect.provide(Layer.mergeAll(
    NodeTransport.layer,
    NodeHttp.layer,
    Reconnection.layerWithBreaker(Presets.fast),
    NonceStore.layerMemory
  )),
  Effect.provideService(References.MinimumLogLevel, "Error")
)

await Effect.runPromise(program)
for (const [kind, count] of held) console.log(`${kind}: ${count} verified`)
const expected = ["coinbase EdDSA POST", "coinbase ES256 POST", "hyperliquid order", "hyperliquid cancel"]
const missing = expected.filter((kind) => !held.has(kind))
if (missing.length > 0) {
  console.error(`Signatures: none of ${missing.join(", ")} was captured`)
  process.exitCode = 1
}
