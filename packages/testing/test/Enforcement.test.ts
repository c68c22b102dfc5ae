import { assert, describe, it } from "@effect/vitest"
import * as Venues from "@tickline/core/venue/Venues"
import * as Enforcement from "@tickline/testing/Enforcement"
import type * as MockVenue from "@tickline/testing/MockVenue"
import * as MockVenues from "@tickline/testing/MockVenues"
import * as MockServer from "@tickline/testing/node/MockServer"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import { WebSocket } from "ws"

const venue = (name: string): MockVenue.MockVenue => {
  const found = MockVenues.byName(name)
  if (found === undefined) throw new Error(`no mock of ${name}`)
  return found
}

const rulesOf = (name: string): Enforcement.Enforcement => venue(name).enforcement ?? Enforcement.none

/** A client without a library between. `pongs` is how it answers a ping: at all, and with which payload. */
const connect = (url: string, pongs: "echo" | "wrong" | "none" = "echo") =>
  Effect.gen(function*() {
    const opened = Deferred.makeUnsafe<void, number>()
    const ended = Deferred.makeUnsafe<{ readonly code: number; readonly reason: string }>()
    const frames: Array<string> = []
    const ws = yield* Effect.acquireRelease(
      Effect.sync(() => new WebSocket(url, { autoPong: false })),
      (socket) => Effect.sync(() => socket.terminate())
    )
    ws.on("open", () => Deferred.doneUnsafe(opened, Effect.void))
    ws.on("error", () => {})
    ws.on(
      "unexpected-response",
      (_, response) => {
        Deferred.doneUnsafe(opened, Effect.fail(response.statusCode ?? 0))
        ws.terminate()
      }
    )
    ws.on("close", (code, reason) => Deferred.doneUnsafe(ended, Effect.succeed({ code, reason: reason.toString() })))
    ws.on("message", (data: Buffer) => frames.push(data.toString()))
    ws.on("ping", (data) => {
      if (pongs !== "none") ws.pong(pongs === "echo" ? data : "wrong")
    })
    yield* Deferred.await(opened)
    return { ws, frames, ended: Deferred.await(ended) }
  })

const until = (condition: () => boolean) =>
  Effect.gen(function*() {
    while (!condition()) yield* Effect.sleep(1)
  })

const rules = (server: MockServer.MockServer): ReadonlyArray<string> =>
  server.entries().flatMap((entry) => entry._tag === "Enforced" ? [entry.rule] : [])

describe("Enforcement", () => {
  it("counts in every rolling window, not in slots of the clock", () => {
    const counter = Enforcement.makeCounter([{ of: "messages", per: "connection", limit: 2, windowMillis: 100 }])
    assert.deepStrictEqual(
      [0, 90, 110, 150, 189, 190, 209, 211].map((at) => counter.admits(at)),
      [true, true, true, false, false, true, false, true]
    )
    const narrow = Enforcement.makeCounter([
      { of: "messages", per: "connection", limit: 1, windowMillis: 100 },
      { of: "messages", per: "connection", limit: 2, windowMillis: 1_000 }
    ])
    assert.deepStrictEqual([0, 99, 100, 200, 999, 1_000, 1_099, 1_100].map((at) => narrow.admits(at)), [
      true,
      false,
      true,
      false,
      false,
      true,
      false,
      true
    ])
    const free = Enforcement.makeCounter([])
    assert.deepStrictEqual([0, 0, 0, 1].map((at) => free.admits(at)), [true, true, true, true])
    assert.strictEqual(Enforcement.mostWithin([], 100), 0)
    assert.strictEqual(Enforcement.mostWithin([5], 100), 1)
    assert.strictEqual(Enforcement.mostWithin([5, 5, 7], 1), 2)
    assert.strictEqual(Enforcement.mostWithin([0, 90, 110, 190], 100), 2)
    assert.strictEqual(Enforcement.mostWithin([0, 90, 110, 189], 100), 3)
    assert.strictEqual(Enforcement.mostWithin([0, 100, 200], 100), 1)
  })

  it.live("a connection lives as long as a session may, and no longer", () =>
    Effect.scoped(Effect.gen(function*() {
      const server = yield* MockServer.make({
        venue: venue("binance"),
        enforcement: { ...Enforcement.none, session: 50 }
      })
      const client = yield* connect(server.url)
      assert.deepStrictEqual(yield* client.ended, { code: 1008, reason: "session limit" })
      assert.deepStrictEqual(rules(server), ["session"])
    })))

  it.live("Binance closes 1008 at the sixth message of a second, pings counted", () =>
    Effect.gen(function*() {
      const server = yield* MockServer.make({ venue: venue("binance"), rate: 0 })
      const { ended, frames, ws } = yield* connect(server.url)
      ws.ping("a")
      ws.pong("b")
      for (const id of [1, 2, 3, 4]) ws.send(JSON.stringify({ method: "LIST_SUBSCRIPTIONS", id }))
      assert.deepStrictEqual(yield* ended, { code: 1008, reason: "Too many requests" })
      assert.lengthOf(frames, 3)
      assert.deepStrictEqual(server.arrivals().map(({ kind }) => kind), [
        "ping",
        "pong",
        "message",
        "message",
        "message",
        "message"
      ])
      assert.deepStrictEqual(rules(server), ["messages"])
    }))

  it.live("Binance closes a connection whose pong does not come, or has another payload", () =>
    Effect.gen(function*() {
      const server = yield* MockServer.make({
        venue: venue("binance"),
        rate: 0,
        enforcement: { ...rulesOf("binance"), limits: [], pings: { every: 30, within: 150 } }
      })
      const good = yield* connect(server.url, "echo")
      const wrong = yield* connect(server.url, "wrong")
      const none = yield* connect(server.url, "none")
      assert.strictEqual((yield* wrong.ended).code, 1008)
      assert.strictEqual((yield* none.ended).code, 1008)
      yield* until(() => server.arrivals().filter(({ connection }) => connection === 1).length > 3)
      assert.strictEqual(good.ws.readyState, WebSocket.OPEN)
      assert.deepStrictEqual(rules(server), ["pong", "pong"])
    }))

  it("each venue's limits that a client keeps by counting are enforced by its mock, in the same windows", () => {
    for (const { limits, name } of Venues.all) {
      const enforced = venue(name).enforcement?.limits ?? []
      for (const { limit, of, per, windowMillis } of limits) {
        if (windowMillis === undefined) continue
        const same = enforced.find((one) => one.of === of && one.per === per && one.windowMillis === windowMillis)
        assert.isAtLeast(same?.limit ?? 0, limit, `${name}: ${of} per ${per}`)
      }
    }
  })

  it.live("Deribit's limit on subscriptions is one beside that on messages", () =>
    Effect.gen(function*() {
      const server = yield* MockServer.make({ venue: venue("deribit"), rate: 0 })
      const one = yield* connect(server.url)
      const ask = (id: number, method: string) =>
        one.ws.send(
          JSON.stringify({ jsonrpc: "2.0", id, method, params: { channels: ["trades.BTC-PERPETUAL.100ms"] } })
        )
      for (let id = 1; id <= 10; id++) ask(id, id % 2 === 1 ? "public/subscribe" : "public/unsubscribe")
      ask(11, "public/test")
      yield* until(() => one.frames.length === 11)
      assert.strictEqual(one.ws.readyState, WebSocket.OPEN)
      ask(12, "public/subscribe")
      assert.strictEqual((yield* one.ended).code, 1000)
      assert.deepInclude(JSON.parse(one.frames.at(-1) ?? ""), {
        id: 12,
        error: { code: 10028, message: "too_many_requests" }
      })
    }))

  it.live("Deribit answers 10028 and ends the session, counting all connections of the address", () =>
    Effect.gen(function*() {
      const server = yield* MockServer.make({
        venue: venue("deribit"),
        rate: 0,
        enforcement: {
          ...rulesOf("deribit"),
          limits: [{ of: "messages", per: "address", limit: 3, windowMillis: 60_000 }]
        }
      })
      const test = (id: number) => JSON.stringify({ jsonrpc: "2.0", id, method: "public/test", params: {} })
      const one = yield* connect(server.url)
      const two = yield* connect(server.url)
      one.ws.send(test(1))
      one.ws.send(test(2))
      two.ws.send(test(3))
      yield* until(() => one.frames.length + two.frames.length === 3)
      two.ws.send(test(4))
      assert.strictEqual((yield* two.ended).code, 1000)
      assert.deepStrictEqual(JSON.parse(two.frames.at(-1) ?? ""), {
        jsonrpc: "2.0",
        id: 4,
        error: { code: 10028, message: "too_many_requests" }
      })
      assert.strictEqual(one.ws.readyState, WebSocket.OPEN)
    }))

  it.live("Deribit drops who does not answer a test, and nobody who does or never asked for tests", () =>
    Effect.gen(function*() {
      const { tests } = rulesOf("deribit")
      if (tests === undefined) throw new Error("Deribit tests")
      const server = yield* MockServer.make({
        venue: venue("deribit"),
        rate: 0,
        heartbeatMillis: 20,
        enforcement: { ...rulesOf("deribit"), tests: { ...tests, within: 150 } }
      })
      const ask = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "public/set_heartbeat", params: { interval: 10 } })
      const [quiet, answering, ignoring] = [
        yield* connect(server.url),
        yield* connect(server.url),
        yield* connect(server.url)
      ]
      answering.ws.on("message", (data: Buffer) => {
        if (data.toString().includes("test_request")) {
          answering.ws.send(JSON.stringify({ jsonrpc: "2.0", id: 2, method: "public/test", params: {} }))
        }
      })
      answering.ws.send(ask)
      ignoring.ws.send(ask)
      yield* ignoring.ended
      assert.deepStrictEqual(rules(server), ["test"])
      yield* until(() => answering.frames.length > 20)
      assert.strictEqual(answering.ws.readyState, WebSocket.OPEN)
      assert.strictEqual(quiet.ws.readyState, WebSocket.OPEN)
    }))

  it.live("Coinbase disconnects who has subscribed to nothing in time", () =>
    Effect.gen(function*() {
      const server = yield* MockServer.make({
        venue: venue("coinbase-exchange"),
        rate: 0,
        enforcement: { ...rulesOf("coinbase-exchange"), subscribeWithin: 150 }
      })
      const idle = yield* connect(server.url)
      const busy = yield* connect(server.url)
      busy.ws.send(JSON.stringify({ type: "subscribe", product_ids: ["BTC-USD"], channels: ["matches"] }))
      assert.strictEqual((yield* idle.ended).code, 1008)
      assert.deepStrictEqual(rules(server), ["subscribe"])
      assert.strictEqual(busy.ws.readyState, WebSocket.OPEN)
    }))

  it.live("Kraken and Hyperliquid say an error and go on; a connection that hears nothing ends", () =>
    Effect.gen(function*() {
      const limits: ReadonlyArray<Enforcement.Limit> = [
        { of: "messages", per: "connection", limit: 1, windowMillis: 60_000 }
      ]
      const kraken = yield* MockServer.make({
        venue: venue("kraken"),
        rate: 0,
        enforcement: { ...rulesOf("kraken"), limits }
      })
      const one = yield* connect(kraken.url)
      for (const req_id of [1, 2]) one.ws.send(JSON.stringify({ method: "ping", req_id }))
      yield* until(() => one.frames.length === 2)
      assert.deepStrictEqual(JSON.parse(one.frames[1] ?? ""), {
        error: "Exceeded msg rate",
        method: "ping",
        req_id: 2,
        success: false
      })
      assert.strictEqual(one.ws.readyState, WebSocket.OPEN)

      const hyperliquid = yield* MockServer.make({
        venue: venue("hyperliquid"),
        rate: 0,
        enforcement: { ...rulesOf("hyperliquid"), idle: 150 }
      })
      const two = yield* connect(hyperliquid.url)
      two.ws.send(JSON.stringify({ method: "ping" }))
      yield* two.ended
      assert.deepStrictEqual(two.frames, ["Websocket connection established.", JSON.stringify({ channel: "pong" })])
      assert.deepStrictEqual(rules(hyperliquid), ["idle"])
    }))

  it.live("a dial too many is answered 429, and who enforces nothing takes all", () =>
    Effect.gen(function*() {
      const limits: ReadonlyArray<Enforcement.Limit> = [
        { of: "dials", per: "address", limit: 2, windowMillis: 60_000 }
      ]
      const strict = yield* MockServer.make({
        venue: venue("generic"),
        rate: 0,
        enforcement: { ...Enforcement.none, limits }
      })
      yield* connect(strict.url)
      yield* connect(strict.url)
      assert.strictEqual(yield* Effect.flip(connect(strict.url)), 429)
      const few = yield* MockServer.make({
        venue: venue("generic"),
        rate: 0,
        enforcement: { ...Enforcement.none, connections: 1 }
      })
      const first = yield* connect(few.url)
      assert.strictEqual(yield* Effect.flip(connect(few.url)), 429)
      first.ws.close()
      yield* until(() => few.metrics().open === 0)
      yield* connect(few.url)
      const lax = yield* MockServer.make({
        venue: venue("coinbase-exchange"),
        rate: 0,
        enforcement: Enforcement.none
      })
      for (let dial = 0; dial < 25; dial++) yield* connect(lax.url)
      assert.strictEqual(lax.metrics().open, 25)
    }))
})

describe("MockServer: what it withholds", () => {
  const subscribe = JSON.stringify({
    method: "subscribe",
    params: { channel: "trade", symbol: ["BTC-USD"] },
    req_id: 7
  })
  const isAnswer = (text: string) => text.includes("\"req_id\":7")
  const isData = (text: string) => text.includes("\"channel\":\"trade\",\"type\"")

  it.live("data: a subscription is acknowledged and delivers only once it is no longer withheld", () =>
    Effect.gen(function*() {
      const server = yield* MockServer.make({ venue: venue("kraken"), rate: 500 })
      yield* server.withhold("data", true)
      const { frames, ws } = yield* connect(server.url)
      ws.send(subscribe)
      yield* until(() => frames.some(isAnswer))
      yield* Effect.sleep(60)
      assert.isFalse(frames.some(isData))
      assert.deepStrictEqual(server.accounts(), [])
      yield* server.withhold("data", false)
      yield* until(() => frames.some(isData))
    }))

  it.live("acknowledgements: a subscription delivers and is never answered, and a ping still is", () =>
    Effect.gen(function*() {
      const server = yield* MockServer.make({ venue: venue("kraken"), rate: 500 })
      yield* server.withhold("acknowledgement", true)
      const { frames, ws } = yield* connect(server.url)
      ws.send(subscribe)
      ws.send(JSON.stringify({ method: "ping", req_id: 8 }))
      yield* until(() => frames.some(isData) && frames.some((text) => text.includes("\"pong\"")))
      assert.isFalse(frames.some(isAnswer))
    }))

  it.live("heartbeats: neither beats nor pongs come, and data does", () =>
    Effect.gen(function*() {
      const server = yield* MockServer.make({
        venue: venue("kraken"),
        rate: 500,
        heartbeatMillis: 5,
        pingMillis: 5
      })
      yield* server.withhold("heartbeat", true)
      const { frames, ws } = yield* connect(server.url)
      let answers = 0
      ws.on("pong", () => answers++)
      ws.on("ping", () => answers++)
      ws.send(subscribe)
      ws.send(JSON.stringify({ method: "ping", req_id: 8 }))
      ws.ping()
      yield* until(() => frames.filter(isData).length > 20)
      assert.strictEqual(answers, 0)
      assert.isFalse(frames.some((text) => text.includes("\"pong\"") || text.includes("\"heartbeat\"")))
      yield* server.withhold("heartbeat", false)
      yield* until(() => answers > 0 && frames.some((text) => text.includes("\"heartbeat\"")))
    }))

  it.live("dYdX's confirmation, which carries the state, is told apart from it", () =>
    Effect.gen(function*() {
      const server = yield* MockServer.make({ venue: venue("dydx"), rate: 0 })
      yield* server.withhold("data", true)
      const { frames, ws } = yield* connect(server.url)
      ws.send(JSON.stringify({ type: "subscribe", channel: "v4_trades", id: "BTC-USD" }))
      yield* until(() => frames.length === 2)
      assert.deepInclude(JSON.parse(frames[1] ?? ""), { type: "subscribed", message_id: 1, contents: { trades: [] } })
    }))

  it.live("a product taken off the list is refused in the venue's words", () =>
    Effect.gen(function*() {
      const server = yield* MockServer.make({ venue: venue("kraken"), rate: 500 })
      yield* server.delist("BTC-USD", true)
      const { frames, ws } = yield* connect(server.url)
      ws.send(subscribe)
      yield* until(() => frames.some(isAnswer))
      assert.deepInclude(JSON.parse(frames.find(isAnswer) ?? ""), { success: false, req_id: 7 })
    }))
})
