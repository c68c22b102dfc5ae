/** What the mock of Hyperliquid takes, and what it refuses, asked without our client. */
import { assert, describe, it } from "@effect/vitest"
import * as Signer from "@tickline/core/session/Signer"
import * as Signing from "@tickline/core/trading/hyperliquid/HyperliquidSigning"
import * as Decimal from "@tickline/core/value/Decimal"
import * as MockHyperliquidExchange from "@tickline/testing/MockHyperliquidExchange"
import * as MockVenue from "@tickline/testing/MockVenue"
import type * as VirtualNetwork from "@tickline/testing/VirtualNetwork"
import * as BigDecimal from "effect/BigDecimal"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as TestClock from "effect/testing/TestClock"
import { policyWith, settle, withVenue } from "../Rig.ts"
import { address, cloid, key, mine, rest, socket } from "../trading/HyperliquidDesk.ts"

const start = 1_800_000_000_000
const signer = Result.getOrThrow(Signer.secp256k1(Redacted.make(key)))

type Terms = Readonly<Record<string, Signing.Action[string]>>

const order = (terms: Terms = {}): Signing.Action => ({
  a: 0,
  b: true,
  p: "40000",
  s: "0.01",
  r: false,
  t: { limit: { tif: "Gtc" } },
  c: mine,
  ...terms
})

const ordering = (...orders: ReadonlyArray<Signing.Action>): Signing.Action => ({
  type: "order",
  orders,
  grouping: "na"
})

interface Answered {
  readonly status: string
  readonly response: string | { readonly type: string; readonly data?: { readonly statuses: ReadonlyArray<unknown> } }
}

const talker = (network: VirtualNetwork.VirtualNetwork) => {
  let nonce = start
  const post = (path: string, body: object) =>
    Effect.gen(function*() {
      const asked = yield* Effect.forkChild(
        network.http.request({ method: "POST", url: `${rest}${path}`, body: JSON.stringify(body) }),
        { startImmediately: true }
      )
      yield* settle
      yield* settle
      return yield* Fiber.join(asked)
    })
  const act = (action: Signing.Action, options: Partial<Signing.Options> & { readonly sent?: Signing.Action } = {}) =>
    Effect.map(
      post("/exchange", {
        action: options.sent ?? action,
        nonce: options.nonce ?? ++nonce,
        signature: Signing.signAction(signer, action, { ...options, nonce: options.nonce ?? nonce }),
        ...(options.expiresAfter === undefined ? {} : { expiresAfter: options.expiresAfter })
      }),
      ({ body, status }): Answered => status === 200 ? JSON.parse(body) : { status: String(status), response: body }
    )
  /** What became of the only part of an action. */
  const outcome = (action: Signing.Action, options: Parameters<typeof act>[1] = {}) =>
    Effect.map(act(action, options), ({ response, status }) => {
      if (typeof response === "string") return `${status}: ${response}`
      const [part] = response.data?.statuses ?? []
      if (typeof part === "string") return part
      if (typeof part !== "object" || part === null) return response.type
      return "error" in part ? String(part.error) : Object.keys(part).join()
    })
  const info = (question: object) => Effect.map(post("/info", question), ({ body }): unknown => JSON.parse(body))
  return { post, act, outcome, info }
}

const withMock = <A, E, R>(
  use: (
    exchange: MockHyperliquidExchange.MockHyperliquidExchange,
    talk: ReturnType<typeof talker>,
    served: MockVenue.Served
  ) => Effect.Effect<A, E, R>,
  options: MockHyperliquidExchange.Options = {}
) =>
  withVenue(policyWith({}), ({ network }) =>
    Effect.gen(function*() {
      yield* TestClock.setTime(start)
      const exchange = MockHyperliquidExchange.make(options)
      const served = yield* MockVenue.serve(network, socket, exchange.venue, {
        products: MockHyperliquidExchange.products
      })
      yield* settle
      return yield* use(exchange, talker(network), served)
    }))

describe("the mock of Hyperliquid takes", () => {
  it.effect("a nonce once, above the lowest of the hundred highest, and near the time", () =>
    withMock((_, { outcome }) =>
      Effect.gen(function*() {
        const noop = { type: "noop" }
        assert.strictEqual(yield* outcome(noop, { nonce: start }), "default")
        assert.strictEqual(yield* outcome(noop, { nonce: start }), `err: Invalid nonce: duplicate nonce ${start}`)
        assert.strictEqual(yield* outcome(noop, { nonce: start - 1 }), "default", "not in order")
        for (let n = 1; n < 100; n++) assert.strictEqual(yield* outcome(noop, { nonce: start + n }), "default")
        assert.strictEqual(yield* outcome(noop, { nonce: start - 2 }), `err: Invalid nonce: ${start - 2} is too low`)
        assert.match(yield* outcome(noop, { nonce: start + 86_400_000 }), /too far from now/)
        assert.match(yield* outcome(noop, { nonce: start - 2 * 86_400_000 }), /too far from now/)
      })
    ))

  it.effect("an action until it expires, and of who signed it", () =>
    withMock((_, { act, outcome, post }) =>
      Effect.gen(function*() {
        assert.strictEqual(yield* outcome(ordering(order()), { expiresAfter: start }), "resting")
        assert.strictEqual(yield* outcome(ordering(order()), { expiresAfter: start - 1 }), "err: Action expired.")
        const changed = yield* act(ordering(order()), { sent: ordering(order({ s: "1" })) })
        assert.match(String(changed.response), /^User or API Wallet 0x[0-9a-f]{40} does not exist\.$/)
        const testnet = yield* act(ordering(order()), { network: "testnet" })
        assert.match(String(testnet.response), /does not exist/)
        for (const body of [{}, { action: { type: "order" } }, { action: {}, nonce: 1, signature: {} }]) {
          assert.strictEqual((yield* post("/exchange", body)).status, 422)
        }
        assert.match(yield* outcome({ type: "approveEverything" }), /^422/)
        assert.match(yield* outcome(ordering(order({ x: 1 }))), /^422/)
      })
    ))

  it.effect("figures without zeros at their end", () =>
    withMock((_, { outcome }) =>
      Effect.gen(function*() {
        assert.match(yield* outcome(ordering(order({ p: "40000.0" }))), /does not exist/)
        assert.match(yield* outcome(ordering(order({ s: "0.010" }))), /does not exist/)
        assert.strictEqual(yield* outcome(ordering(order())), "resting")
      })
    ))

  it.effect("prices of five figures, and sizes of the asset's decimals", () =>
    withMock((_, { outcome }) =>
      Effect.gen(function*() {
        const said = (terms: Terms) => outcome(ordering(order({ c: undefined, ...terms })))
        assert.strictEqual(yield* said({ p: "40000.5" }), "Price must be divisible by tick size. asset=0")
        assert.strictEqual(yield* said({ p: "9999.5" }), "resting")
        assert.strictEqual(yield* said({ a: 2, p: "97.731", s: "1" }), "resting")
        assert.strictEqual(yield* said({ a: 2, p: "97.7312", s: "1" }), "Price must be divisible by tick size. asset=2")
        assert.strictEqual(yield* said({ a: 10_000, p: "0.18001", s: "1000" }), "resting")
        assert.strictEqual(
          yield* said({ a: 10_000, p: "0.180012", s: "1000" }),
          "Price must be divisible by tick size. asset=10000"
        )
        assert.strictEqual(yield* said({ s: "0.000001" }), "Order has invalid size.")
        assert.strictEqual(yield* said({ s: "0" }), "Order has zero size.")
        assert.strictEqual(yield* said({ p: "0" }), "Order has invalid price.")
        assert.strictEqual(yield* said({ s: "0.0002" }), "Order must have minimum value of $10. asset=0")
        assert.strictEqual(yield* said({ a: 99 }), "Invalid asset. asset=99")
      })
    ))

  it.effect("a client id of one open order", () =>
    withMock((_, { outcome }) =>
      Effect.gen(function*() {
        assert.strictEqual(yield* outcome(ordering(order())), "resting")
        assert.strictEqual(yield* outcome(ordering(order())), "Cloid already in use. asset=0")
        const cancel = { type: "cancelByCloid", cancels: [{ asset: 0, cloid: mine }] }
        assert.strictEqual(yield* outcome(cancel), "success")
        assert.strictEqual(
          yield* outcome(cancel),
          "Order was never placed, already canceled, or filled. asset=0"
        )
        assert.strictEqual(yield* outcome(ordering(order())), "resting")
        assert.match(yield* outcome(ordering(order({ c: cloid("A") }))), /^422/)
      })
    ))

  it.effect("several orders at once, and each for itself", () =>
    withMock((exchange, { act }) =>
      Effect.gen(function*() {
        const many = ordering(order(), order({ c: cloid("b"), p: "1.23456" }), order({ c: cloid("c") }))
        const { response } = yield* act(many)
        const statuses = typeof response === "object" ? response.data?.statuses ?? [] : []
        assert.deepStrictEqual(statuses.map((status) => Object.keys(Object(status))), [["resting"], ["error"], [
          "resting"
        ]])
        assert.strictEqual(exchange.orders(address).length, 2)
      })
    ))

  it.effect("a modification that ends one order and begins another", () =>
    withMock((exchange, { info, outcome }) =>
      Effect.gen(function*() {
        yield* outcome(ordering(order()))
        const modify = (oid: number | string, terms: Terms) =>
          outcome({ type: "batchModify", modifies: [{ oid, order: order(terms) }] })
        assert.strictEqual(yield* modify(mine, { p: "40001" }), "resting")
        assert.strictEqual(yield* modify(mine, { p: "40001.5" }), "Price must be divisible by tick size. asset=0")
        const [old, young] = exchange.orders(address)
        assert.deepStrictEqual([old?.status, young?.status], ["cancelled", "open"])
        assert.strictEqual(yield* modify(Number(old?.orderId), {}), "Cannot modify canceled or filled order")
        assert.deepInclude(yield* info({ type: "orderStatus", user: address, oid: Number(old?.orderId) }), {
          status: "order"
        })
        const open = yield* info({ type: "openOrders", user: address })
        assert.deepStrictEqual(open, [{
          coin: "BTC",
          side: "B",
          limitPx: "40001.0",
          sz: "0.01",
          oid: Number(young?.orderId),
          timestamp: start,
          origSz: "0.01",
          cloid: mine
        }])
      })
    ))

  it.effect("a cancel that is due later, unless it is taken back", () =>
    withMock((exchange, { outcome }) =>
      Effect.gen(function*() {
        yield* outcome(ordering(order()))
        const schedule = (time?: number) => outcome({ type: "scheduleCancel", time })
        assert.match(yield* schedule(start + 4_999), /at least 5 seconds/)
        assert.strictEqual(yield* schedule(start + 5_000), "default")
        assert.strictEqual(yield* schedule(), "default")
        yield* TestClock.adjust("10 seconds")
        assert.strictEqual(exchange.orders(address)[0]?.status, "open")
        assert.strictEqual(yield* schedule(start + 20_000), "default")
        yield* TestClock.adjust("10 seconds")
        assert.deepInclude(exchange.orders(address)[0], { status: "cancelled", ended: "schedule" })
      })
    ))

  it.effect("what is traded, and accounts for it to the last digit", () =>
    withMock((exchange, { info, outcome }) =>
      Effect.gen(function*() {
        const had = Decimal.parse("1000000") ?? Decimal.zero
        assert.strictEqual(yield* outcome(ordering(order({ p: "50000", t: { limit: { tif: "Ioc" } } }))), "filled")
        const [fill] = exchange.orders(address)[0]?.fills ?? []
        const [balance] = exchange.balances(address)
        assert.isDefined(fill)
        assert.isDefined(balance)
        assert.isTrue(BigDecimal.equals(balance.total, BigDecimal.subtract(had, fill.fee)))
        const [position] = exchange.positions(address)
        assert.strictEqual(Decimal.format(position?.amount ?? Decimal.zero), "0.01000")
        const state = yield* info({ type: "clearinghouseState", user: address })
        assert.include(JSON.stringify(state), "\"szi\":\"0.01\"")
        assert.deepStrictEqual(yield* info({ type: "userRole", user: address }), { role: "user" })
        assert.deepStrictEqual(yield* info({ type: "userRole", user: `0x${"9".repeat(40)}` }), { role: "missing" })
        assert.deepStrictEqual(yield* info({ type: "userFillsByTime", user: address, startTime: start + 1 }), [])
      })
    ))

  it.effect("as many calls as it is told to, and no more", () =>
    withMock((exchange, { post }) =>
      Effect.gen(function*() {
        exchange.fail(1)
        assert.strictEqual((yield* post("/info", { type: "meta" })).status, 503)
        exchange.fail(0)
        assert.strictEqual((yield* post("/info", { type: "meta" })).status, 200)
        assert.strictEqual((yield* post("/info", { type: "allMids" })).status, 200)
        assert.strictEqual((yield* post("/info", { type: "nothing" })).status, 404)
      }), { seed: 7 }))
})
