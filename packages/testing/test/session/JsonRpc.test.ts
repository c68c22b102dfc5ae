import { assert, describe, it } from "@effect/vitest"
import * as ExactSchema from "@tickline/core/codec/ExactSchema"
import * as Rejection from "@tickline/core/codec/Rejection"
import * as Connection from "@tickline/core/connection/Connection"
import * as JsonRpc from "@tickline/core/session/JsonRpc"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { policyWith, settle, url, withVenue } from "../Rig.ts"

const order = JsonRpc.method("private/buy", {
  params: Schema.Struct({
    instrument_name: Schema.String,
    amount: ExactSchema.Decimal,
    price: Schema.optionalKey(ExactSchema.Decimal)
  }),
  result: Schema.Struct({ order_id: ExactSchema.Id, price: ExactSchema.Decimal, at: ExactSchema.Millis }),
  timeout: "5 seconds"
})

const sum = JsonRpc.method("sum", {
  params: Schema.Tuple([ExactSchema.Integer, ExactSchema.Integer]),
  result: ExactSchema.Integer,
  priority: "query"
})

const decode = JsonRpc.decode("test")

const setUp = Effect.gen(function*() {
  const connection = yield* Connection.connect(url, { decode })
  return { connection, rpc: yield* JsonRpc.make(connection) }
})

const decimal = (text: string): Decimal.Decimal => Decimal.parse(text) ?? Decimal.zero

describe("JsonRpc", () => {
  it.effect("calls by names and by positions with ids of their own, and reads results to the digit", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const { rpc } = yield* setUp
        const peer = yield* host.nextPeer
        const bought = yield* Effect.forkChild(
          rpc.call(order, { instrument_name: "BTC-PERPETUAL", amount: decimal("10.0"), price: decimal("1e-8") })
        )
        const summed = yield* Effect.forkChild(rpc.call(sum, [1, -2]))
        yield* settle
        assert.deepStrictEqual(peer.received, [
          `{"jsonrpc":"2.0","id":1,"method":"private/buy","params":{"instrument_name":"BTC-PERPETUAL","amount":10.0,"price":0.00000001}}`,
          `{"jsonrpc":"2.0","id":2,"method":"sum","params":[1,-2]}`
        ])
        yield* peer.send(
          `{"jsonrpc":"2.0","id":2,"result":-1}`,
          `{"jsonrpc":"2.0","id":"1","result":{"order_id":98765432109876543210,"price":43250.1000000000000000001,"at":1576074319000}}`
        )
        yield* settle
        assert.strictEqual(yield* Fiber.join(summed), -1)
        const { at, order_id, price } = yield* Fiber.join(bought)
        assert.strictEqual(order_id, "98765432109876543210")
        assert.strictEqual(Decimal.format(price), "43250.1000000000000000001")
        assert.strictEqual(at.epochSeconds, 1_576_074_319)
        assert.strictEqual(yield* rpc.pending, 0)
      })))

  it.effect("gives the peer's error with its code, words and data, and what cannot be read by its path", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const { rpc } = yield* setUp
        const peer = yield* host.nextPeer
        const call = Effect.forkChild(
          Effect.flip(rpc.call(order, { instrument_name: "BTC-PERPETUAL", amount: decimal("10") })),
          { startImmediately: true }
        )
        const [refused, unreadable] = [yield* call, yield* call]
        yield* settle
        yield* peer.send(
          `{"jsonrpc":"2.0","id":1,"error":{"code":11050,"message":"bad\\u001b request","data":{"param":"amount","least":0.10}}}`,
          `{"jsonrpc":"2.0","id":2,"result":{"order_id":"7","price":"much","at":1}}`
        )
        yield* settle
        const error = yield* Fiber.join(refused)
        assert.deepInclude(error, {
          _tag: "RpcError",
          method: "private/buy",
          id: "1",
          code: "11050",
          data: { param: "amount", least: "0.10" }
        })
        assert.strictEqual(
          error.message,
          `private/buy refused with 11050: bad\\u001b request ({"param":"amount","least":"0.10"})`
        )
        assert.deepInclude(yield* Fiber.join(unreadable), {
          _tag: "UnreadableResult",
          id: "2",
          field: "result.price"
        })
      })))

  it.effect("sends nothing of a call whose parameters are wrong", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const { rpc } = yield* setUp
        const peer = yield* host.nextPeer
        const error = yield* Effect.flip(rpc.call(sum, [1, 0.5]))
        assert.deepInclude(error, { _tag: "InvalidParams", method: "sum" })
        const defect = yield* Effect.flip(Effect.sandbox(rpc.call(sum, () => [1, Number.NaN] as const)))
        assert.include(Cause.pretty(defect), "not a call of sum")
        yield* settle
        assert.deepStrictEqual(peer.received, [])
        assert.strictEqual(yield* rpc.pending, 0)
      })))

  it.effect("makes parameters in the turn in which they are written", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const { rpc } = yield* setUp
        const peer = yield* host.nextPeer
        yield* Effect.forkChild(rpc.call(sum, () => [peer.received.length, 0] as const), { startImmediately: true })
        yield* Effect.forkChild(rpc.call(sum, () => [peer.received.length, 0] as const), { startImmediately: true })
        yield* settle
        assert.deepStrictEqual(peer.received.map((frame) => JSON.parse(String(frame)).params[0]), [0, 1])
      })))

  it.effect("tells a drop and a deadline as they are, and surfaces a late answer with its id", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const { rpc } = yield* setUp
        const peer = yield* host.nextPeer
        const late = yield* Effect.forkChild(Stream.runHead(rpc.unmatched))
        const asked = yield* Effect.forkChild(
          Effect.flip(rpc.call(order, { instrument_name: "BTC-PERPETUAL", amount: decimal("1") }))
        )
        yield* settle
        yield* TestClock.adjust("5 seconds")
        assert.deepInclude(yield* Fiber.join(asked), { _tag: "OutcomeUnknown", id: "1", reason: "timeout" })
        yield* peer.send(`{"jsonrpc":"2.0","id":1,"error":{"code":10009,"message":"not_enough_funds"}}`)
        yield* settle
        assert.deepInclude(yield* Fiber.join(late), {
          value: { _tag: "Error", id: "1", code: "10009", reason: "not_enough_funds", data: undefined }
        })
        const cut = yield* Effect.forkChild(Effect.flip(rpc.call(sum, [1, 1])))
        yield* settle
        yield* host.otherwise({ _tag: "Hang" })
        yield* host.drop
        yield* settle
        assert.deepInclude(yield* Fiber.join(cut), { _tag: "OutcomeUnknown", id: "2", reason: "dropped" })
        assert.deepInclude(yield* Effect.flip(rpc.call(sum, [1, 1])), { _tag: "NotSent", reason: "NotConnected" })
      })))

  it.effect("has notifications in a stream, calls of the peer's own among them, and sends its own without an id", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const { rpc } = yield* setUp
        const peer = yield* host.nextPeer
        const heard = yield* Effect.forkChild(Stream.runCollect(Stream.take(rpc.notifications(), 2)))
        yield* settle
        yield* peer.send(
          `{"jsonrpc":"2.0","id":9,"result":0}`,
          `{"jsonrpc":"2.0","method":"subscription","params":{"channel":"a","data":1.50}}`,
          `{"jsonrpc":"2.0","id":"x","method":"ask"}`
        )
        yield* rpc.notify(sum, [1, 2])
        yield* settle
        assert.deepStrictEqual(
          (yield* Fiber.join(heard)).map(({ id, method, params }) => [id, method, JSON.stringify(params)]),
          [[undefined, "subscription", `{"channel":"a","data":{"text":"1.50"}}`], ["x", "ask", undefined]]
        )
        assert.deepStrictEqual(peer.received, [`{"jsonrpc":"2.0","method":"sum","params":[1,2]}`])
      })))

  it("refuses what is no message of the protocol, each by its reason", () => {
    const refusals = {
      "[]": "a batch of JSON-RPC messages, which nobody asked for",
      "{": "JSON syntax: expected a member's name in quotes, found the end, near `{`",
      "1": "invalid structure: expected an object, found the number 1",
      "{\"id\":1,\"result\":1}": "jsonrpc is missing",
      "{\"jsonrpc\":\"1.0\",\"id\":1,\"result\":1}": "jsonrpc: expected 2.0, found the string `1.0`",
      "{\"jsonrpc\":\"2.0\",\"id\":1}": "the message has no method, result or error that names its kind",
      "{\"jsonrpc\":\"2.0\",\"result\":1}": "id is null",
      "{\"jsonrpc\":\"2.0\",\"id\":[],\"result\":1}": "id: expected string | number, found an array",
      "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":1,\"error\":{\"code\":1,\"message\":\"\"}}":
        "error: expected no error beside a result, found an object",
      "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":\"no\"}": "error: expected object, found the string `no`",
      "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{}}": "error.code is missing",
      "{\"jsonrpc\":\"2.0\",\"method\":1}": "method: expected string, found the number 1"
    }
    const found = Object.keys(refusals).map((frame) => {
      const read = decode(frame)
      return [frame, Rejection.isFrameRejected(read) ? read.message : read]
    })
    assert.deepStrictEqual(Object.fromEntries(found), refusals)
    assert.isTrue(Rejection.isFrameRejected(decode(Uint8Array.of(1))))
  })

  it("takes an error without an id, of a call that the peer could not read", () => {
    assert.deepStrictEqual(decode(`{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"Parse error"}}`), [
      { _tag: "Error", id: undefined, code: "-32700", reason: "Parse error", data: undefined }
    ])
  })
})
