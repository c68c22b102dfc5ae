/**
 * Another client of Hyperliquid trades at the mock over real HTTP: its hashes and
 * its envelopes are its own, and so is the encoding of typed data here. And what
 * we send is what its schemas describe.
 */
import { assert, describe, it } from "@effect/vitest"
import { ExchangeClient, HttpTransport, InfoClient, SubscriptionClient, WebSocketTransport } from "@nktkas/hyperliquid"
import * as Exchanging from "@nktkas/hyperliquid/api/exchange"
import * as Asking from "@nktkas/hyperliquid/api/info"
import { canonicalize, createL1ActionHash } from "@nktkas/hyperliquid/signing"
import { secp256k1 } from "@noble/curves/secp256k1.js"
import { keccak_256 } from "@noble/hashes/sha3.js"
import { bytesToHex, concatBytes, hexToBytes, utf8ToBytes } from "@noble/hashes/utils.js"
import * as Signing from "@tickline/core/trading/hyperliquid/HyperliquidSigning"
import * as MockHyperliquidExchange from "@tickline/testing/MockHyperliquidExchange"
import * as MockServer from "@tickline/testing/node/MockServer"
import * as Effect from "effect/Effect"
import { decimal, give } from "../trading/Desk.ts"
import { address, cloid, key, market, mine, request, withDesk } from "../trading/HyperliquidDesk.ts"

type Hex = `0x${string}`

/** The digest of a phantom agent, spelled out. */
const digestOf = ({ connectionId, source }: { readonly source: string; readonly connectionId: string }): Uint8Array => {
  const text = (value: string) => keccak_256(utf8ToBytes(value))
  const number = (value: number) => hexToBytes(value.toString(16).padStart(64, "0"))
  const domain = keccak_256(concatBytes(
    text("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"),
    text("Exchange"),
    text("1"),
    number(1_337),
    number(0)
  ))
  const agent = keccak_256(concatBytes(
    text("Agent(string source,bytes32 connectionId)"),
    text(source),
    hexToBytes(connectionId.slice(2))
  ))
  return keccak_256(concatBytes(hexToBytes("1901"), domain, agent))
}

const wallet = {
  address: address as Hex,
  signTypedData: ({ message }: { readonly message: Record<string, unknown> }): Promise<Hex> => {
    const { connectionId, source } = message
    const digest = digestOf({ source: String(source), connectionId: String(connectionId) })
    const signed = secp256k1.sign(digest, hexToBytes(key.slice(2)), { prehash: false, lowS: true, format: "recovered" })
    const signature: Hex = `0x${bytesToHex(signed.subarray(1))}${(27 + (signed[0] ?? 0)).toString(16)}`
    return Promise.resolve(signature)
  }
}

describe("the mock of Hyperliquid", { timeout: 20_000 }, () => {
  it.live("is traded at by another client", () =>
    Effect.gen(function*() {
      const exchange = MockHyperliquidExchange.make()
      const server = yield* MockServer.make({
        venue: exchange.venue,
        rate: 0,
        products: MockHyperliquidExchange.products
      })
      const transport = new HttpTransport({ apiUrl: server.url.replace(/^ws/, "http") })
      const trading = new ExchangeClient({ transport, wallet })
      const asking = new InfoClient({ transport })
      const ask = <A>(run: () => Promise<A>) => Effect.promise(run)
      const user = address as Hex
      const order = {
        a: 0,
        b: true,
        p: "40000",
        s: "0.01",
        r: false,
        t: { limit: { tif: "Gtc" as const } },
        c: mine as Hex
      }

      const { universe: [bitcoin] } = yield* ask(() => asking.meta())
      assert.deepStrictEqual([bitcoin?.name, bitcoin?.szDecimals], ["BTC", 5])
      const placed = yield* ask(() => trading.order({ orders: [order], grouping: "na" }))
      const [status] = placed.response.data.statuses
      const oid = typeof status === "object" && "resting" in status ? status.resting.oid : assert.fail()
      const amended = yield* ask(() => trading.batchModify({ modifies: [{ oid, order: { ...order, p: "40001" } }] }))
      assert.strictEqual(amended.response.data.statuses.length, 1)
      const [open] = yield* ask(() => asking.frontendOpenOrders({ user }))
      assert.deepStrictEqual([open?.limitPx, open?.sz, open?.cloid, open?.tif], ["40001.0", "0.01", mine, "Gtc"])
      yield* ask(() => trading.cancelByCloid({ cancels: [{ asset: 0, cloid: mine as Hex }] }))
      const told = yield* ask(() => asking.orderStatus({ user, oid: mine as Hex }))
      assert.strictEqual(told.status === "order" ? told.order.status : told.status, "canceled")
      const bought = yield* ask(() =>
        trading.order({ orders: [{ ...order, p: "50000", t: { limit: { tif: "Ioc" } } }], grouping: "na" })
      )
      assert.include(JSON.stringify(bought.response.data.statuses), "\"totalSz\":\"0.01\"")
      const [fill] = yield* ask(() => asking.userFills({ user }))
      assert.deepStrictEqual([fill?.coin, fill?.sz, fill?.crossed], ["BTC", "0.01", true])
      const { assetPositions: [held] } = yield* ask(() => asking.clearinghouseState({ user }))
      assert.strictEqual(held?.position.szi, "0.01")
      const refused = yield* Effect.flip(
        Effect.tryPromise(() => trading.order({ orders: [{ ...order, p: "43250.55" }] }))
      )
      assert.include(String(refused.cause), "Price must be divisible by tick size")
    }))
})

describe("the socket of the mock of Hyperliquid", { timeout: 20_000 }, () => {
  it.live("is traded on and listened to by another client", () =>
    Effect.gen(function*() {
      const exchange = MockHyperliquidExchange.make()
      const server = yield* MockServer.make({
        venue: exchange.venue,
        rate: 0,
        products: MockHyperliquidExchange.products
      })
      const transport = yield* Effect.acquireRelease(
        Effect.sync(() => new WebSocketTransport({ url: `${server.url}/ws` })),
        (transport) => Effect.sync(() => transport.close())
      )
      const trading = new ExchangeClient({ transport, wallet })
      const listening = new SubscriptionClient({ transport })
      const ask = <A>(run: () => Promise<A>) => Effect.promise(run)
      const user = address as Hex
      const told: Array<string> = []
      yield* ask(() =>
        listening.orderUpdates({ user }, (updates) => {
          for (const { order: { coin, sz }, status } of updates) told.push(`${coin} ${status} ${sz}`)
        })
      )
      yield* ask(() =>
        listening.userFills({ user }, ({ fills, isSnapshot }) => {
          told.push(`${isSnapshot === true ? "snapshot" : "fills"} ${fills.map(({ sz }) => sz).join()}`)
        })
      )
      yield* ask(() =>
        listening.userEvents(
          { user },
          (event) => void ("fills" in event && told.push(`event ${event.fills[0]?.cloid}`))
        )
      )
      const order = {
        a: 0,
        b: true,
        p: "50000",
        s: "0.01",
        r: false,
        t: { limit: { tif: "Ioc" as const } },
        c: mine as Hex
      }
      const { response: { data: { statuses } } } = yield* ask(() => trading.order({ orders: [order], grouping: "na" }))
      assert.include(JSON.stringify(statuses), "\"totalSz\":\"0.01\"")
      const book = yield* ask(() => new InfoClient({ transport }).l2Book({ coin: "BTC" }))
      assert.isAbove(book?.levels[0].length ?? 0, 0)
      yield* Effect.repeat(Effect.delay(Effect.sync(() => told.length), "10 millis"), {
        until: (length) => length >= 4
      })
      assert.sameMembers(told, ["snapshot ", "BTC filled 0.0", "fills 0.01", `event ${mine}`])
      const refused = yield* Effect.flip(Effect.tryPromise(() => trading.cancel({ cancels: [{ a: 0, o: 999 }] })))
      assert.include(String(refused.cause), "never placed, already canceled, or filled")
    }))
})

/** The schemas of what is posted, by the name of the call. */
const schemas = {
  order: Exchanging.OrderRequest,
  batchModify: Exchanging.BatchModifyRequest,
  cancel: Exchanging.CancelRequest,
  meta: Asking.MetaRequest,
  spotMeta: Asking.SpotMetaRequest,
  l2Book: Asking.L2BookRequest,
  userRole: Asking.UserRoleRequest,
  orderStatus: Asking.OrderStatusRequest,
  historicalOrders: Asking.HistoricalOrdersRequest,
  frontendOpenOrders: Asking.FrontendOpenOrdersRequest,
  userFills: Asking.UserFillsRequest,
  userFillsByTime: Asking.UserFillsByTimeRequest,
  clearinghouseState: Asking.ClearinghouseStateRequest,
  spotClearinghouseState: Asking.SpotClearinghouseStateRequest
}

const isNamed = (name: string): name is keyof typeof schemas => Object.hasOwn(schemas, name)

describe("what we send to Hyperliquid", () => {
  it.effect("is what another client's schemas describe, and is hashed as it does", () =>
    withDesk(({ exchange, orders }) =>
      Effect.gen(function*() {
        yield* give(orders.place(request()))
        yield* give(orders.amend({ clientId: mine }, { price: decimal("40001") }))
        yield* give(orders.status({ clientId: mine }))
        yield* give(orders.status({ clientId: cloid("0") }))
        yield* give(orders.cancelAll())
        yield* give(orders.place(market({ clientId: cloid("b") }), { follow: true }))
        yield* give(orders.place(request({
          clientId: cloid("c"),
          product: "PURR/USDC",
          side: "sell",
          amount: decimal("100.0"),
          price: decimal("0.20000"),
          timeInForce: "post-only"
        })))
        yield* orders.balances()
        const seen = new Set<string>()
        for (const { call, question: { body } } of exchange.received()) {
          assert.isTrue(isNamed(call), call)
          if (!isNamed(call)) continue
          seen.add(call)
          const posted = JSON.parse(body)
          const read = schemas[call]["~standard"].validate(posted)
          assert.isFalse(read instanceof Promise)
          if (read instanceof Promise) continue
          assert.isUndefined(read.issues, `${call}: ${JSON.stringify(read.issues)}`)
          if (call !== "order" && call !== "batchModify" && call !== "cancel") continue
          const { action, expiresAfter, nonce } = posted
          // The order of the members is part of what is signed.
          const canonical = canonicalize(schemas[call].entries.action, action)
          assert.strictEqual(JSON.stringify(canonical), JSON.stringify(action))
          assert.strictEqual(
            `0x${bytesToHex(Signing.hashAction(action, { nonce, expiresAfter }))}`,
            createL1ActionHash({ action: canonical, nonce, expiresAfter })
          )
        }
        assert.includeMembers([...seen], [
          "order",
          "batchModify",
          "cancel",
          "meta",
          "spotMeta",
          "orderStatus",
          "userRole"
        ])
        const spot = exchange.received().findLast(({ call }) => call === "order")
        const { action: { orders: [sold] } } = JSON.parse(spot?.question.body ?? "")
        assert.deepStrictEqual([sold.a, sold.p, sold.s, sold.t], [10_000, "0.2", "100", { limit: { tif: "Alo" } }])
      })
    ))
})
