import { assert, describe, it } from "@effect/vitest"
import * as Connection from "@tickline/core/connection/Connection"
import * as Methods from "@tickline/core/session/deribit/Methods"
import * as JsonRpc from "@tickline/core/session/JsonRpc"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Timestamp from "@tickline/core/value/Timestamp"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as TestClock from "effect/testing/TestClock"
import { policyWith, settle, url, withVenue } from "../Rig.ts"

const decimal = (text: string): Decimal.Decimal => Decimal.parse(text) ?? assert.fail(text)

const text = (value: Decimal.Decimal | null | undefined): string | undefined =>
  value === undefined || value === null ? undefined : Decimal.format(value)

const setUp = Effect.gen(function*() {
  const connection = yield* Connection.connect(url, { decode: JsonRpc.decode("deribit") })
  return yield* JsonRpc.make(connection)
})

const orderText = (members: string): string =>
  `{"order_id":"ETH-349","order_state":"open","order_type":"limit","time_in_force":"good_til_cancelled",` +
  `"instrument_name":"ETH-PERPETUAL","direction":"buy","label":"","creation_timestamp":1590480712800,` +
  `"last_update_timestamp":1590480712801,"post_only":false,"api":true,"max_show":40,${members}}`

/** Makes a call, answers it, and gives what was sent and how the call ended. */
const called = <Params, A>(method: JsonRpc.Method<Params, A>, params: Params, answer: string) =>
  withVenue(policyWith({}), ({ host }) =>
    Effect.gen(function*() {
      const rpc = yield* setUp
      const peer = yield* host.nextPeer
      const call = yield* Effect.forkChild(Effect.result(rpc.call(method, params)))
      yield* settle
      if (peer.received.length > 0) yield* peer.send(`{"jsonrpc":"2.0","id":1,${answer}}`)
      yield* settle
      return { sent: peer.received.map(String), ended: yield* Fiber.join(call) }
    }))

const succeeded = <Params, A>(method: JsonRpc.Method<Params, A>, params: Params, result: string) =>
  Effect.map(
    called(method, params, `"result":${result}`),
    ({ ended, sent: [sent = ""] }) =>
      ended._tag === "Success" ? { sent, result: ended.success } : assert.fail(ended.failure.message)
  )

describe("Methods of Deribit", () => {
  it.effect("buys at a price of eighteen decimals, and reads what is filled to the digit", () =>
    Effect.gen(function*() {
      const { result: { order, trades }, sent } = yield* succeeded(
        Methods.trading.buy,
        {
          instrument_name: "ETH-PERPETUAL",
          amount: decimal("40.50"),
          price: decimal("0.123456789012345678"),
          type: "limit",
          time_in_force: "good_til_cancelled",
          post_only: true,
          label: "a",
          valid_until: Timestamp.fromEpochMillis(1_590_480_713_000)
        },
        `{"trades":[{"trade_seq":1966056,"trade_id":"ETH-2696083","timestamp":1590480712800,"tick_direction":3,` +
          `"state":"open","reduce_only":false,"price":203.300000000000000001,"post_only":"true","order_type":"limit",` +
          `"order_id":"ETH-349","matching_id":null,"mark_price":203.28,"liquidity":"M","instrument_name":"ETH-PERPETUAL",` +
          `"index_price":203.33,"fee_currency":"ETH","fee":-1.0e-8,"direction":"buy","amount":12345678901234567890.5}],` +
          `"order":${orderText(`"price":0.123456789012345678,"amount":40.50,"filled_amount":0,"average_price":0.0`)}}`
      )
      assert.strictEqual(
        sent,
        `{"jsonrpc":"2.0","id":1,"method":"private/buy","params":{"instrument_name":"ETH-PERPETUAL","amount":40.50,` +
          `"type":"limit","label":"a","price":0.123456789012345678,"time_in_force":"good_til_cancelled",` +
          `"post_only":true,"valid_until":1590480713000}}`
      )
      assert.strictEqual(typeof order.price === "string" ? order.price : text(order.price), "0.123456789012345678")
      assert.strictEqual(text(order.amount), "40.50")
      assert.notProperty(order, "max_show")
      const [trade] = trades
      assert.deepStrictEqual(
        [trade?.price, trade?.fee, trade?.amount].map(text),
        ["203.300000000000000001", "-0.000000010", "12345678901234567890.5"]
      )
      assert.deepStrictEqual([trade?.reduce_only, trade?.post_only, trade?.matching_id], [false, true, null])
      assert.strictEqual(trade?.timestamp.nanos, 800_000_000)
    }))

  it.effect("reads the price of a market order that waits for its trigger", () =>
    Effect.gen(function*() {
      const { result, sent } = yield* succeeded(
        Methods.trading.sell,
        {
          instrument_name: "ETH-PERPETUAL",
          contracts: decimal("3"),
          type: "stop_market",
          trigger: "mark_price",
          trigger_price: decimal("145.0610")
        },
        `{"trades":[],"order":${orderText(`"price":"market_price","trigger":"mark_price","trigger_price":145.0610`)}}`
      )
      assert.include(sent, `"trigger_price":145.0610,"trigger":"mark_price"`)
      assert.strictEqual(result.order.price, "market_price")
      assert.strictEqual(text(result.order.trigger_price), "145.0610")
    }))

  it.effect("quotes two sides, and reads what was refused of them", () =>
    Effect.gen(function*() {
      const { result, sent } = yield* succeeded(
        Methods.quoting.massQuote,
        {
          quote_id: "1",
          mmp_group: "default",
          quotes: [
            { instrument_name: "A", bid: { price: decimal("0.000000000000000010"), amount: decimal("1") } },
            { instrument_name: "B", quote_set_id: "s", ask: { amount: decimal("2.0"), post_only: true } }
          ],
          detailed: true
        },
        `{"orders":[${orderText(`"price":1E-17,"quote":true`)}],"trades":[],` +
          `"errors":[{"instrument_name":"B","side":"ask","error":{"message":"price_too_high 43666.4288","code":10007}}]}`
      )
      assert.include(
        sent,
        `"quotes":[{"instrument_name":"A","bid":{"price":0.000000000000000010,"amount":1}},` +
          `{"instrument_name":"B","quote_set_id":"s","ask":{"amount":2.0,"post_only":true}}],"detailed":true`
      )
      const [order] = result.orders ?? []
      assert.strictEqual(order?.quote, true)
      assert.strictEqual(typeof order?.price === "string" ? "" : text(order?.price), "0.00000000000000001")
      assert.deepStrictEqual(result.errors?.[0]?.error, { code: 10_007, message: "price_too_high 43666.4288" })
    }))

  it.effect("counts what was cancelled, or has the orders where they are asked for", () =>
    Effect.gen(function*() {
      const { trading: { cancelAll } } = Methods
      assert.strictEqual((yield* succeeded(cancelAll, {}, "7")).result, 7)
      const { result } = yield* succeeded(
        cancelAll,
        { detailed: true },
        `[{"currency":"ETH","type":"limit","result":[${orderText(`"price":1,"cancel_reason":"user_request"`)}]},` +
          `{"currency":"BTC","type":"trigger","error":{"code":10028,"message":"too_many_requests"}}]`
      )
      assert.deepStrictEqual(
        typeof result === "number" ? [] : result.map(({ error, result }) => result?.[0]?.order_id ?? error?.message),
        ["ETH-349", "too_many_requests"]
      )
    }))

  it.effect("sends nothing that the venue would refuse", () =>
    Effect.gen(function*() {
      const depth = yield* called(Methods.market.getOrderBook, { instrument_name: "A", depth: 7 }, "")
      assert.deepInclude(depth.ended._tag === "Failure" ? depth.ended.failure : {}, {
        _tag: "InvalidParams",
        method: "public/get_order_book",
        field: "depth"
      })
      const interval = yield* called(Methods.connection.setHeartbeat, { interval: 9 }, "")
      assert.deepInclude(interval.ended._tag === "Failure" ? interval.ended.failure : {}, { field: "interval" })
      assert.deepStrictEqual([...depth.sent, ...interval.sent], [])
    }))

  it.effect("shows no secret anywhere but on the wire", () =>
    Effect.gen(function*() {
      const { result, sent } = yield* succeeded(
        Methods.connection.auth,
        { grant_type: "client_credentials", client_id: "id", client_secret: Redacted.make("s3cret") },
        `{"access_token":"t0ken","expires_in":31536000,"refresh_token":"r3fresh","scope":"connection","token_type":"bearer"}`
      )
      assert.include(sent, `"client_secret":"s3cret"`)
      assert.notMatch(JSON.stringify(result), /t0ken|r3fresh/)
      assert.strictEqual(Redacted.value(result.refresh_token), "r3fresh")
      const { ended } = yield* called(
        Methods.connection.auth,
        { grant_type: "refresh_token", refresh_token: Redacted.make("r3fresh") },
        `"result":{"access_token":"t0ken","refresh_token":"r3fresh","expires_in":"soon","scope":""}`
      )
      assert.notMatch(
        ended._tag === "Failure" ? `${ended.failure.message} ${JSON.stringify(ended.failure)}` : "t0ken",
        /t0ken|r3fresh/
      )
    }))

  it.effect("gives a cancel up before a query", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const rpc = yield* setUp
        yield* host.nextPeer
        const cancel = yield* Effect.forkChild(Effect.flip(rpc.call(Methods.trading.cancel, { order_id: "A" })))
        const query = yield* Effect.forkChild(Effect.flip(rpc.call(Methods.trading.getOrderState, { order_id: "A" })))
        yield* settle
        yield* TestClock.adjust("5 seconds")
        assert.deepInclude(yield* Fiber.join(cancel), { _tag: "OutcomeUnknown", reason: "timeout" })
        assert.isUndefined(query.pollUnsafe())
        yield* TestClock.adjust("5 seconds")
        assert.deepInclude(yield* Fiber.join(query), { _tag: "OutcomeUnknown", reason: "timeout" })
      })))

  it("ranks its calls, and counts their credits in the pool that they draw from", () => {
    const shown = (name: string) => {
      const { cost, deadline, kind, pool, priority, timeout } = Methods.all.get(name) ?? assert.fail(name)
      return [kind, priority, pool, cost, timeout, deadline].join(" ").trim()
    }
    assert.deepStrictEqual(
      [
        "private/buy",
        "private/cancel_all",
        "private/mass_quote",
        "public/test",
        "public/auth",
        "private/subscribe",
        "public/unsubscribe",
        "public/get_instruments",
        "private/get_order_state"
      ].map(shown),
      [
        "order order matching 0 5 seconds 1 second",
        "cancel cancel cancel-all 0 5 seconds",
        "order order quotes 0 5 seconds 1 second",
        "heartbeat heartbeat requests 500 5 seconds",
        "session order requests 500 10 seconds",
        "subscribe subscribe subscribe 3000 10 seconds",
        "subscribe subscribe requests 500 10 seconds",
        "query query instruments 10000 10 seconds",
        "query query requests 500 10 seconds"
      ]
    )
    assert.strictEqual(Methods.all.size, 51)
  })
})
