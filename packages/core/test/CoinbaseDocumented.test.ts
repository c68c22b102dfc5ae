/**
 * Coinbase Advanced Trade by its documentation alone: a server that knows nothing
 * of ours, verifies tokens with jose, and takes the documented members only.
 *
 * https://docs.cdp.coinbase.com/api-reference/advanced-trade-api/rest-api/introduction (read 2026-11-26)
 */
import { assert, describe, it } from "@effect/vitest"
import * as VirtualNetwork from "@tickline/testing/VirtualNetwork"
import { Ajv } from "ajv"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import { jwtVerify } from "jose"
import { createPublicKey, generateKeyPairSync, type KeyObject } from "node:crypto"
import * as Reconnection from "../src/connection/Reconnection.ts"
import * as Presets from "../src/resilience/Presets.ts"
import * as CoinbaseAdvanced from "../src/trading/coinbase/CoinbaseAdvanced.ts"
import * as OrderEvent from "../src/trading/OrderEvent.ts"
import { OrderRequest } from "../src/trading/OrderRequest.ts"
import type { HttpAnswer } from "../src/transport/HttpPort.ts"
import { HttpPort } from "../src/transport/HttpPort.ts"
import { Transport } from "../src/transport/Transport.ts"
import * as Decimal from "../src/value/Decimal.ts"
import * as Timestamp from "../src/value/Timestamp.ts"

const keyName = "organizations/0b0f/apiKeys/1a2b"
const pem = (key: KeyObject): string => key.export({ format: "pem", type: "sec1" }).toString()
const p256 = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey
const ed25519 = generateKeyPairSync("ed25519").privateKey
const seed = Buffer.from(String(ed25519.export({ format: "jwk" }).d), "base64url").toString("base64")
const keys = [["ES256", p256, pem(p256)], ["EdDSA", ed25519, seed]] as const

const texts = (...names: ReadonlyArray<string>) =>
  Object.fromEntries(names.map((name) => [name, { type: "string", pattern: "^\\d+(\\.\\d+)?$" }]))
const closed = (properties: object, required: ReadonlyArray<string>) => ({
  type: "object",
  additionalProperties: false,
  properties,
  required
})

/** What each request may have as its body. */
const bodies: Readonly<Record<string, object>> = {
  "/orders": closed({
    client_order_id: { type: "string" },
    product_id: { type: "string" },
    side: { enum: ["BUY", "SELL"] },
    order_configuration: {
      ...closed({
        market_market_ioc: closed(texts("base_size"), ["base_size"]),
        sor_limit_ioc: closed(texts("base_size", "limit_price"), ["base_size", "limit_price"]),
        limit_limit_fok: closed(texts("base_size", "limit_price"), ["base_size", "limit_price"]),
        limit_limit_gtc: closed({ ...texts("base_size", "limit_price"), post_only: { type: "boolean" } }, [
          "base_size",
          "limit_price"
        ])
      }, []),
      minProperties: 1,
      maxProperties: 1
    }
  }, ["client_order_id", "product_id", "side", "order_configuration"]),
  "/orders/edit": closed({ order_id: { type: "string" }, ...texts("price", "size") }, ["order_id", "price", "size"]),
  "/orders/batch_cancel": closed({ order_ids: { type: "array", items: { type: "string" }, minItems: 1 } }, [
    "order_ids"
  ])
}

const queries: Readonly<Record<string, ReadonlyArray<string>>> = {
  "/orders/historical/batch": [
    "order_ids",
    "product_ids",
    "product_type",
    "order_status",
    "time_in_forces",
    "order_types",
    "order_side",
    "start_date",
    "end_date",
    "order_placement_source",
    "contract_expiry_type",
    "asset_filters",
    "limit",
    "cursor",
    "sort_by"
  ],
  "/orders/historical/fills": [
    "order_ids",
    "trade_ids",
    "product_ids",
    "start_sequence_timestamp",
    "end_sequence_timestamp",
    "limit",
    "cursor",
    "sort_by"
  ],
  "/accounts": ["limit", "cursor"]
}

const orderId = "11111111-0000-0000-0000-000000000000"

/** The documentation's own examples, of one order. */
const order = (status: string) => ({
  order_id: orderId,
  product_id: "BTC-USD",
  user_id: "2222-000000-000000",
  order_configuration: { limit_limit_gtc: { base_size: "0.001", limit_price: "10000.00", post_only: false } },
  side: "BUY",
  client_order_id: "0000-00000-000000",
  status,
  created_time: "2021-05-31T09:59:59.000Z",
  completion_percentage: "50",
  average_filled_price: "50",
  number_of_fills: "2",
  pending_cancel: false,
  size_in_quote: false,
  total_fees: "5.00",
  size_inclusive_of_fees: false,
  total_value_after_fees: "15",
  time_in_force: "GOOD_UNTIL_CANCELLED",
  filled_size: "0.0005",
  fee: "",
  filled_value: "10000",
  trigger_status: "INVALID_ORDER_TYPE",
  order_type: "LIMIT",
  settled: false,
  product_type: "SPOT",
  last_fill_time: null,
  edit_history: []
})

/** A server by the documentation. What it finds wrong is said, and answered with 400. */
const documented = (publicKey: KeyObject) => {
  const ajv = new Ajv({ strict: false })
  const nonces = new Set<string>()
  const complaints: Array<string> = []
  const asked: Array<string> = []
  let status = "OPEN"

  const verified = async (token: string, uri: string | undefined): Promise<void> => {
    const { payload, protectedHeader } = await jwtVerify(token, publicKey, { issuer: "cdp" })
    const { kid, nonce, typ } = protectedHeader
    assert.deepStrictEqual([kid, payload.sub, typ, payload["uri"]], [keyName, keyName, "JWT", uri])
    assert.strictEqual((payload.exp ?? 0) - (payload.nbf ?? 0), 120)
    assert.isFalse(nonces.has(String(nonce)), "a nonce is used twice")
    nonces.add(String(nonce))
  }

  const answer = (method: string, path: string): object | undefined => {
    switch (`${method} ${path}`) {
      case "GET /products/BTC-USD":
        return {
          product_id: "BTC-USD",
          price: "140.21",
          base_increment: "0.00000001",
          quote_increment: "0.01",
          price_increment: "0.01",
          quote_min_size: "0.00000001",
          base_min_size: "0.00000001",
          base_max_size: "1000",
          product_type: "SPOT",
          quote_currency_id: "USD",
          base_currency_id: "BTC",
          status: "online"
        }
      case "POST /orders":
        return {
          success: true,
          success_response: {
            order_id: orderId,
            product_id: "BTC-USD",
            side: "BUY",
            client_order_id: "0000-00000-000000"
          }
        }
      case "POST /orders/edit":
        return { success: true, errors: [] }
      case "POST /orders/batch_cancel":
        status = "CANCELLED"
        return { results: [{ success: true, failure_reason: "UNKNOWN_CANCEL_FAILURE_REASON", order_id: orderId }] }
      case `GET /orders/historical/${orderId}`:
        return { order: order(status) }
      case "GET /orders/historical/batch":
        return { orders: [order(status)], has_next: false, sequence: "0", cursor: "" }
      case "GET /orders/historical/fills":
        return {
          fills: [{
            entry_id: "22222-2222222-22222222",
            trade_id: "1111-11111-111111",
            order_id: orderId,
            trade_time: "2021-05-31T09:59:59.000Z",
            trade_type: "FILL",
            price: "10000.00",
            size: "0.001",
            commission: "1.25",
            product_id: "BTC-USD",
            sequence_timestamp: "2021-05-31T09:58:59.000Z",
            liquidity_indicator: "MAKER",
            size_in_quote: false,
            user_id: "3333-333333-3333333",
            side: "BUY"
          }],
          cursor: ""
        }
      case "GET /accounts":
        return {
          accounts: [{
            uuid: "8bfc20d7-f7c6-4422-bf07-8243ca4169fe",
            name: "BTC Wallet",
            currency: "BTC",
            available_balance: { value: "1.23", currency: "BTC" },
            default: false,
            active: true,
            type: "ACCOUNT_TYPE_CRYPTO",
            ready: true,
            hold: { value: "0.77", currency: "BTC" }
          }],
          has_next: false,
          cursor: "",
          size: 1
        }
      default:
        return undefined
    }
  }

  const handle = async (
    { body, headers, method, url }: Parameters<VirtualNetwork.HttpHandler>[0]
  ): Promise<HttpAnswer> => {
    const { pathname, searchParams } = new URL(url)
    const path = pathname.replace("/api/v3/brokerage", "")
    asked.push(`${method} ${path}`)
    try {
      const [, token = ""] = /^Bearer (\S+)$/.exec(headers["authorization"] ?? "") ?? []
      await verified(token, `${method} api.coinbase.com${pathname}`)
      const schema = bodies[path]
      if (method === "POST") {
        assert.strictEqual(headers["content-type"], "application/json")
        assert.isTrue(schema !== undefined && ajv.validate(schema, JSON.parse(body ?? "")), ajv.errorsText())
      } else assert.isUndefined(body)
      for (const name of searchParams.keys()) assert.include(queries[path] ?? [], name)
      for (const name of ["start_date", "start_sequence_timestamp"]) {
        const value = searchParams.get(name)
        if (value !== null) assert.match(value, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/)
      }
      const found = answer(method, path)
      assert.isDefined(found, `${method} ${path}`)
      return { status: 200, headers: { "content-type": "application/json" }, body: JSON.stringify(found) }
    } catch (error) {
      complaints.push(error instanceof Error ? error.message : String(error))
      return { status: 400, headers: {}, body: "{}" }
    }
  }
  return { complaints, asked, verified, handle }
}

const decimal = (text: string): Decimal.Decimal => Decimal.parse(text) ?? assert.fail(text)

const request = (terms: Partial<ConstructorParameters<typeof OrderRequest>[0]> = {}): OrderRequest => {
  const limit = {
    product: "BTC-USD",
    side: "buy",
    type: "limit",
    amount: decimal("0.001"),
    price: decimal("10000.00"),
    timeInForce: "gtc",
    reduceOnly: false,
    clientId: "0000-00000-000000",
    ...terms
  } as const
  const { price: _, ...market } = limit
  return new OrderRequest(terms.type === "market" ? { ...market, type: "market" } : limit)
}

describe("Coinbase Advanced Trade, by its documentation alone", () => {
  for (const [algorithm, key, keySecret] of keys) {
    it.live(`a server takes all that we send, signed by ${algorithm}`, () =>
      Effect.gen(function*() {
        const { asked, complaints, handle, verified } = documented(createPublicKey(key))
        const network = yield* VirtualNetwork.make()
        yield* network.serveHttp("https://documented.test", (request) => Effect.promise(() => handle(request)))
        const host = yield* network.serve("wss://documented.test")
        const frames: Array<Promise<void>> = []
        const subscribed: Array<string> = []
        yield* host.onOpen((peer) => {
          peer.onMessage((frame) => {
            const { jwt, ...ask } = JSON.parse(String(frame))
            frames.push(verified(jwt, undefined))
            subscribed.push(JSON.stringify(ask))
          })
        })
        yield* Effect.gen(function*() {
          const exchange = yield* CoinbaseAdvanced.make({
            keyName,
            keySecret: Redacted.make(keySecret),
            url: "https://documented.test"
          })
          const lines = <E>(commands: Stream.Stream<OrderEvent.OrderEvent, E>) =>
            Effect.map(Stream.runCollect(commands), (events) => events.map(OrderEvent.toJson).join("\n"))
          const acknowledged = `{"_tag":"Acknowledged","exchange":"coinbase","clientId":"0000-00000-000000",` +
            `"orderId":"${orderId}","status":"partially-filled","filled":"0.0005"}`
          assert.strictEqual(yield* lines(exchange.place(request())), acknowledged)
          for (
            const terms of [
              { timeInForce: "post-only" },
              { timeInForce: "ioc" },
              { timeInForce: "fok" },
              { type: "market" }
            ] as const
          ) yield* lines(exchange.place(request(terms)))
          const named = { clientId: "0000-00000-000000" }
          assert.strictEqual(
            yield* lines(exchange.status(named)),
            `{"_tag":"OrderUpdate","exchange":"coinbase","product":"BTC-USD","side":"buy",` +
              `"clientId":"0000-00000-000000","orderId":"${orderId}","status":"partially-filled","filled":"0.0005",` +
              `"remaining":"0.0005","averagePrice":"50","price":"10000.00","amount":"0.001"}`
          )
          assert.strictEqual(yield* lines(exchange.amend(named, { amount: decimal("0.002") })), acknowledged)
          assert.include(yield* lines(exchange.open({ product: "BTC-USD" })), orderId)
          const [balance] = yield* exchange.balances()
          assert.deepStrictEqual(
            [balance?.asset, Decimal.format(balance!.available), Decimal.format(balance!.total)],
            ["BTC", "1.23", "2.00"]
          )
          const [fill] = yield* Stream.runCollect(
            Stream.take(exchange.fills({ since: Timestamp.fromEpochMillis(0) }), 1)
          )
          assert.strictEqual(
            OrderEvent.toJson(fill!),
            `{"_tag":"Fill","exchange":"coinbase","product":"BTC-USD","side":"buy","orderId":"${orderId}",` +
              `"price":"10000.00","amount":"0.001","fee":"1.25","feeAsset":"USD","tradeId":"1111-11111-111111",` +
              `"timestamp":"2021-05-31T09:59:59.000Z"}`
          )
          const cancelled = yield* lines(exchange.cancel(named))
          assert.include(cancelled, "\"status\":\"cancelled\"")
          yield* lines(exchange.cancelAll())
        }).pipe(
          Effect.scoped,
          Effect.provide(Reconnection.layerWithBreaker(Presets.fast)),
          Effect.provideService(Transport, network.transport),
          Effect.provideService(HttpPort, network.http)
        )
        yield* Effect.promise(() => Promise.all(frames))
        assert.deepStrictEqual(complaints, [])
        assert.isAbove(asked.length, 15)
        assert.deepStrictEqual(subscribed.toSorted(), [
          "{\"type\":\"subscribe\",\"channel\":\"heartbeats\"}",
          "{\"type\":\"subscribe\",\"channel\":\"user\"}"
        ])
      }))
  }
})
