/**
 * Our mock of Coinbase Advanced Trade, asked by a client that knows nothing of
 * ours, whose tokens jose signs: what it takes, and what it answers.
 *
 * https://docs.cdp.coinbase.com/api-reference/advanced-trade-api/rest-api/introduction (read 2026-11-26)
 */
import { assert, describe, it } from "@effect/vitest"
import * as MockCoinbaseAdvanced from "@tickline/testing/MockCoinbaseAdvanced"
import * as MockVenue from "@tickline/testing/MockVenue"
import * as VirtualNetwork from "@tickline/testing/VirtualNetwork"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { type JWTHeaderParameters, SignJWT } from "jose"
import { generateKeyPairSync, type KeyObject } from "node:crypto"
import * as Connection from "../src/connection/Connection.ts"
import * as Reconnection from "../src/connection/Reconnection.ts"
import * as Presets from "../src/resilience/Presets.ts"
import { Transport } from "../src/transport/Transport.ts"

const keyName = "organizations/0b0f/apiKeys/1a2b"
const p256 = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey
const ed25519 = generateKeyPairSync("ed25519").privateKey
const seed = Buffer.from(String(ed25519.export({ format: "jwk" }).d), "base64url").toString("base64")

/** The members that the documentation names, of each answer. */
const members = {
  order: [
    "order_id",
    "product_id",
    "user_id",
    "order_configuration",
    "side",
    "client_order_id",
    "status",
    "created_time",
    "completion_percentage",
    "average_filled_price",
    "number_of_fills",
    "pending_cancel",
    "size_in_quote",
    "total_fees",
    "size_inclusive_of_fees",
    "total_value_after_fees",
    "time_in_force",
    "filled_size",
    "fee",
    "filled_value",
    "trigger_status",
    "order_type",
    "settled",
    "product_type",
    "last_fill_time",
    "edit_history",
    "reject_reason",
    "reject_message",
    "cancel_message",
    "order_placement_source",
    "outstanding_hold_amount",
    "is_liquidation",
    "leverage",
    "margin_type",
    "retail_portfolio_id",
    "originating_order_id",
    "attached_order_id",
    "attached_order_configuration",
    "current_pending_replace",
    "commission_detail_total",
    "workable_size",
    "workable_size_completion_pct",
    "product_details",
    "cost_basis_method",
    "displayed_order_config",
    "equity_trading_session",
    "prediction_side",
    "last_update_time"
  ],
  orders: ["orders", "has_next", "sequence", "cursor", "proof_token_required"],
  fill: [
    "entry_id",
    "trade_id",
    "order_id",
    "trade_time",
    "trade_type",
    "price",
    "size",
    "commission",
    "product_id",
    "sequence_timestamp",
    "liquidity_indicator",
    "size_in_quote",
    "user_id",
    "side",
    "retail_portfolio_id",
    "fillSource",
    "commission_detail_total"
  ],
  fills: ["fills", "cursor", "proof_token_required"],
  placed: ["success", "success_response", "order_configuration"],
  refused: ["success", "error_response", "order_configuration"],
  error: ["error", "message", "error_details", "preview_failure_reason", "new_order_failure_reason"],
  success: ["order_id", "product_id", "side", "client_order_id"],
  account: [
    "uuid",
    "name",
    "currency",
    "available_balance",
    "default",
    "active",
    "created_at",
    "updated_at",
    "deleted_at",
    "type",
    "ready",
    "hold",
    "retail_portfolio_id",
    "platform"
  ],
  told: [
    "avg_price",
    "cancel_reason",
    "client_order_id",
    "completion_percentage",
    "contract_expiry_type",
    "cumulative_quantity",
    "filled_value",
    "leaves_quantity",
    "limit_price",
    "number_of_fills",
    "order_id",
    "order_side",
    "order_type",
    "outstanding_hold_amount",
    "post_only",
    "product_id",
    "product_type",
    "reject_reason",
    "retail_portfolio_id",
    "risk_managed_by",
    "status",
    "stop_price",
    "time_in_force",
    "total_fees",
    "total_value_after_fees",
    "trigger_status",
    "creation_time",
    "end_time",
    "start_time"
  ]
} as const

const at = (value: unknown, ...path: ReadonlyArray<string | number>): unknown =>
  path.reduce<unknown>(
    (inner, name) => typeof inner === "object" && inner !== null ? Reflect.get(inner, name) : undefined,
    value
  )

const has = (value: unknown, names: ReadonlyArray<string>): void =>
  assert.sameMembers(Object.keys(Object(value)), [...names])

interface Signing {
  readonly header?: Partial<JWTHeaderParameters> | undefined
  readonly claims?: Readonly<Record<string, unknown>> | undefined
  readonly by?: KeyObject | undefined
}

let nonces = 0

/** A token as the documentation has it, but for what is said. */
const token = (uri: string | undefined, { by = ed25519, claims = {}, header = {} }: Signing = {}): Promise<string> => {
  const now = Math.floor(Date.now() / 1_000)
  return new SignJWT({
    sub: keyName,
    iss: "cdp",
    nbf: now,
    exp: now + 120,
    ...(uri === undefined ? {} : { uri }),
    ...claims
  }).setProtectedHeader({ alg: "EdDSA", typ: "JWT", kid: keyName, nonce: `${++nonces}`, ...header }).sign(by)
}

/** A client that knows nothing of ours. */
const withMock = <A, E, R>(
  use: (mock: {
    readonly exchange: MockCoinbaseAdvanced.MockCoinbaseAdvanced
    readonly network: VirtualNetwork.VirtualNetwork
    readonly ask: (
      method: "GET" | "POST",
      path: string,
      body?: object,
      authorization?: string
    ) => Effect.Effect<{ readonly status: number; readonly body: unknown }>
  }) => Effect.Effect<A, E, R>
) =>
  Effect.gen(function*() {
    const network = yield* VirtualNetwork.make()
    const exchange = MockCoinbaseAdvanced.make({
      accounts: [{ keyName, keySecret: seed, balances: { USD: "1000000", BTC: "10" } }],
      requestsPerSecond: 1_000
    })
    yield* MockVenue.serve(network, "wss://mock.test", exchange.venue)
    return yield* use({
      exchange,
      network,
      ask: (method, path, body, authorization) =>
        Effect.gen(function*() {
          const whole = `/api/v3/brokerage${path}`
          const signed = yield* Effect.promise(() => token(`${method} api.coinbase.com${whole.replace(/\?.*/, "")}`))
          const answer = yield* network.http.request({
            method,
            url: `https://mock.test${whole}`,
            headers: { authorization: authorization ?? `Bearer ${signed}` },
            urlIsPublic: true,
            ...(body === undefined ? {} : { body: JSON.stringify(body) })
          })
          return { status: answer.status, body: /^[{[]/.test(answer.body) ? JSON.parse(answer.body) : answer.body }
        }).pipe(Effect.orDie)
    })
  }).pipe(Effect.scoped)

const limitOrder = (client_order_id: string, limit_price: string, terms: object = {}) => ({
  client_order_id,
  product_id: "BTC-USD",
  side: "BUY",
  order_configuration: { limit_limit_gtc: { base_size: "0.1", limit_price, ...terms } }
})

describe("Our mock of Coinbase Advanced Trade, asked by another client", () => {
  it.live("each answer has the members that the documentation names", () =>
    withMock(({ ask }) =>
      Effect.gen(function*() {
        const placed = yield* ask("POST", "/orders", limitOrder("a", "40000.00"))
        has(placed.body, members.placed)
        has(at(placed.body, "success_response"), members.success)
        const refused = yield* ask("POST", "/orders", limitOrder("b", "50000.00", { post_only: true }))
        has(refused.body, members.refused)
        has(at(refused.body, "error_response"), members.error)
        const market = { ...limitOrder("c", "1"), order_configuration: { market_market_ioc: { base_size: "0.01" } } }
        yield* ask("POST", "/orders", market)
        const list = yield* ask("GET", "/orders/historical/batch?product_ids=BTC-USD&limit=1")
        has(list.body, members.orders)
        has(at(list.body, "orders", 0), members.order)
        assert.deepStrictEqual([at(list.body, "has_next"), at(list.body, "orders", 0, "client_order_id")], [true, "c"])
        const next = yield* ask("GET", `/orders/historical/batch?limit=1&cursor=${String(at(list.body, "cursor"))}`)
        assert.deepStrictEqual([at(next.body, "has_next"), at(next.body, "orders", 0, "client_order_id")], [false, "a"])
        const fills = yield* ask("GET", "/orders/historical/fills")
        has(fills.body, members.fills)
        has(at(fills.body, "fills", 0), members.fill)
        const orderId = String(at(placed.body, "success_response", "order_id"))
        const one = yield* ask("GET", `/orders/historical/${orderId}`)
        has(at(one.body, "order"), members.order)
        const accounts = yield* ask("GET", "/accounts")
        has(accounts.body, ["accounts", "has_next", "cursor", "size"])
        has(at(accounts.body, "accounts", 0), members.account)
        const edited = yield* ask("POST", "/orders/edit", { order_id: orderId, price: "40001.00", size: "0.1" })
        assert.deepStrictEqual(edited.body, { success: true, errors: [] })
        const half = yield* ask("POST", "/orders/edit", { order_id: orderId, price: "40002.00" })
        assert.deepStrictEqual(half.body, {
          success: false,
          errors: [{
            edit_failure_reason: "INVALID_EDITED_SIZE",
            preview_failure_reason: "UNKNOWN_PREVIEW_FAILURE_REASON"
          }]
        })
        const cancelled = yield* ask("POST", "/orders/batch_cancel", { order_ids: [orderId, "none"] })
        assert.deepStrictEqual(cancelled.body, {
          results: [
            { success: true, failure_reason: "UNKNOWN_CANCEL_FAILURE_REASON", order_id: orderId },
            { success: false, failure_reason: "UNKNOWN_CANCEL_ORDER", order_id: "none" }
          ]
        })
        const both = yield* ask("GET", "/orders/historical/batch?order_status=OPEN&order_status=PENDING")
        assert.strictEqual(both.status, 400)
        const none = yield* ask("GET", "/products/NO-SUCH")
        has(none.body, ["error", "code", "message", "details"])
        assert.strictEqual(none.status, 404)
        const taken = yield* ask("POST", "/orders", limitOrder("a", "39000.00"))
        assert.strictEqual(at(taken.body, "success_response", "order_id"), orderId)
        assert.strictEqual(at(taken.body, "order_configuration", "limit_limit_gtc", "limit_price"), "40001.00")
      })
    ))

  it.live("a token is for one request, now, by the key that it names", () =>
    withMock(({ ask, exchange }) =>
      Effect.gen(function*() {
        const uri = "GET api.coinbase.com/api/v3/brokerage/accounts"
        const other = generateKeyPairSync("ed25519").privateKey
        const now = Math.floor(Date.now() / 1_000)
        const good = yield* Effect.promise(() => token(uri))
        const cases: ReadonlyArray<readonly [string, Promise<string>]> = [
          ["another path", token("GET api.coinbase.com/api/v3/brokerage/products")],
          ["another method", token(uri.replace("GET", "POST"))],
          ["the socket", token(undefined)],
          ["another key's signature", token(uri, { by: other })],
          ["a key that is not there", token(uri, { header: { kid: "none" }, claims: { sub: "none" } })],
          ["another subject", token(uri, { claims: { sub: "none" } })],
          ["another issuer", token(uri, { claims: { iss: "coinbase-cloud" } })],
          ["a time that has passed", token(uri, { claims: { nbf: now - 200, exp: now - 80 } })],
          ["a time to come", token(uri, { claims: { nbf: now + 60, exp: now + 180 } })],
          ["too long a life", token(uri, { claims: { exp: now + 300 } })],
          ["no nonce", token(uri, { header: { nonce: "" } })],
          ["another algorithm", token(uri, { by: p256, header: { alg: "ES256" } })],
          ["another use", Promise.resolve(good)]
        ]
        assert.strictEqual((yield* ask("GET", "/accounts", undefined, `Bearer ${good}`)).status, 200)
        for (const [what, made] of cases) {
          const { body, status } = yield* ask(
            "GET",
            "/accounts",
            undefined,
            `Bearer ${yield* Effect.promise(() => made)}`
          )
          assert.deepStrictEqual([status, body], [401, "Unauthorized\n"], what)
        }
        assert.strictEqual((yield* ask("GET", "/accounts", undefined, "")).status, 401)
        assert.strictEqual(exchange.orders().length, 0)
      })
    ))

  it.live("the channel of the user: a snapshot in batches, then what happens, for who shows a token", () =>
    withMock(({ ask, network }) =>
      Effect.gen(function*() {
        for (let n = 0; n < 52; n++) {
          yield* ask("POST", "/orders", { ...limitOrder(`${n}`, "40000.00") })
        }
        const open = Effect.gen(function*() {
          const connection = yield* Connection.connect("wss://mock.test")
          const frames: Array<unknown> = []
          yield* Effect.forkScoped(
            Stream.runForEach(connection.messages(), (frame) =>
              Effect.sync(() => void frames.push(JSON.parse(String(frame))))),
            { startImmediately: true }
          )
          const told = (count: number) =>
            Effect.gen(function*() {
              while (frames.length < count) {
                yield* Effect.sleep("5 millis")
              }
              return frames.splice(0)
            })
          return { connection, told }
        })
        yield* Effect.gen(function*() {
          const { connection, told } = yield* open
          const subscribe = (jwt: string) =>
            connection.send(JSON.stringify({ type: "subscribe", channel: "user", jwt }))
          yield* subscribe(yield* Effect.promise(() => token("GET api.coinbase.com/ws")))
          assert.deepStrictEqual(yield* told(1), [{ type: "error", message: "authentication failure" }])
          yield* subscribe(yield* Effect.promise(() => token(undefined)))
          const first = yield* told(3)
          assert.deepStrictEqual(first.map((frame) => [at(frame, "channel"), at(frame, "sequence_num")]), [
            ["user", 0],
            ["user", 1],
            ["subscriptions", 2]
          ])
          const orders = first.map((frame) => Object(at(frame, "events", 0, "orders")).length)
          assert.deepStrictEqual(orders.slice(0, 2), [50, 2])
          assert.strictEqual(at(first[0], "events", 0, "type"), "snapshot")
          has(at(first[0], "events", 0, "orders", 0), members.told)
          has(at(first[0], "events", 0), ["type", "orders", "positions"])
          yield* ask("POST", "/orders", limitOrder("new", "40000.00"))
          const [update] = yield* told(1)
          assert.deepStrictEqual(
            [at(update, "events", 0, "type"), at(update, "events", 0, "orders", 0, "client_order_id")],
            ["update", "new"]
          )
          assert.strictEqual(at(update, "sequence_num"), 3)
        }).pipe(
          Effect.scoped,
          Effect.provide(Reconnection.layerWithBreaker(Presets.fast)),
          Effect.provideService(Transport, network.transport)
        )
      })
    ))
})
