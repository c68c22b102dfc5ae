import { assert, describe, it } from "@effect/vitest"
import * as MockDeribitExchange from "@tickline/testing/MockDeribitExchange"
import * as MockServer from "@tickline/testing/node/MockServer"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import { WebSocket } from "ws"
import { accounts, product } from "./Trader.ts"

/** A client without a library between: it calls, and takes what comes. */
const client = (url: string) =>
  Effect.acquireRelease(
    Effect.gen(function*() {
      const frames = yield* Queue.unbounded<string>()
      const ws = new WebSocket(url)
      ws.on("message", (bytes) => Queue.offerUnsafe(frames, String(bytes)))
      yield* Effect.callback<void>((resume) => void ws.on("open", () => resume(Effect.void)))
      const send = (method: string, params: object) =>
        ws.send(JSON.stringify({ jsonrpc: "2.0", id: 1, method, params }))
      return {
        ws,
        call: (method: string, params: object = {}) =>
          Effect.andThen(Effect.sync(() => send(method, params)), Queue.take(frames))
      }
    }),
    ({ ws }) => Effect.sync(() => ws.terminate())
  )

describe("The mock of Deribit that trades, on real sockets", () => {
  it.live("signs in, takes an order, and cancels it when the socket is gone", () =>
    Effect.gen(function*() {
      const exchange = MockDeribitExchange.make({ accounts })
      const server = yield* MockServer.make({
        venue: exchange.venue,
        rate: 0,
        products: [{ symbol: product, price: "43250.0", size: "1000" }]
      })
      const { call, ws } = yield* client(server.url)
      const connection = yield* server.nextConnection
      const key = { grant_type: "client_credentials", client_id: "AMANDA", client_secret: "AMANDASECRECT" }
      assert.include(yield* call("public/auth", key), "access_token")
      assert.include(yield* call("private/enable_cancel_on_disconnect"), "ok")
      const order = { instrument_name: product, amount: 10, price: 40_000, label: "one" }
      assert.include(yield* call("private/buy", order), "\"order_state\":\"open\"")
      ws.terminate()
      yield* connection.ended
      assert.deepInclude(exchange.orders("one")[0], { state: "cancelled", cancelReason: "cancel_on_disconnect" })
    }))

  it.live("answers late, and cuts a connection off, by its own timers", () =>
    Effect.gen(function*() {
      const exchange = MockDeribitExchange.make({ accounts })
      const server = yield* MockServer.make({ venue: exchange.venue, rate: 0 })
      const { call } = yield* client(server.url)
      const connection = yield* server.nextConnection
      exchange.fault({ _tag: "Delay", method: "public/get_time", millis: 5 })
      assert.include(yield* call("public/get_time"), "\"result\":")
      exchange.fault({ _tag: "Cut", method: "public/get_time" })
      yield* Effect.forkChild(call("public/get_time"), { startImmediately: true })
      yield* connection.ended
      assert.strictEqual(server.metrics().dropped, 1)
    }))
})
