import { assert, describe, it } from "@effect/vitest"
import * as Fault from "@tickline/testing/Fault"
import * as MockCoinbaseExchange from "@tickline/testing/MockCoinbaseExchange"
import * as MockGeneric from "@tickline/testing/MockGeneric"
import * as MockServer from "@tickline/testing/node/MockServer"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Queue from "effect/Queue"
import * as Redacted from "effect/Redacted"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import { connect as connectTcp } from "node:net"
import { WebSocket } from "ws"

const generic = MockGeneric.make()
const fault = (spec: string) => Result.getOrThrow(Fault.parse(spec))

const server = (options: Partial<MockServer.Options> = {}) => MockServer.make({ venue: generic, rate: 0, ...options })

/** A client without a library between: what arrived, and how it ended. */
const client = (url: string, headers: Record<string, string> = {}) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const ws = new WebSocket(url, { headers, perMessageDeflate: false })
      const frames: Array<string> = []
      const binaries: Array<Uint8Array> = []
      const pongs: Array<string> = []
      const pings: Array<string> = []
      const opened = Deferred.makeUnsafe<void, string>()
      const ended = Deferred.makeUnsafe<number>()
      ws.on("open", () => Deferred.doneUnsafe(opened, Effect.void))
      ws.on("unexpected-response", (_, response) => {
        Deferred.doneUnsafe(opened, Effect.fail(`${response.statusCode} ${response.headers["retry-after"] ?? ""}`))
        ws.terminate()
      })
      ws.on("error", (error: NodeJS.ErrnoException) =>
        Deferred.doneUnsafe(opened, Effect.fail(error.code ?? error.message)))
      ws.on("close", (code) =>
        Deferred.doneUnsafe(ended, Effect.succeed(code)))
      ws.on("message", (data: Buffer, isBinary) => isBinary ? binaries.push(data) : frames.push(data.toString()))
      ws.on("pong", (data) => pongs.push(data.toString()))
      ws.on("ping", (data) => pings.push(data.toString()))
      return {
        ws,
        frames,
        binaries,
        pongs,
        pings,
        opened: Deferred.await(opened),
        ended: Deferred.await(ended),
        json: () => frames.map((frame) => JSON.parse(frame))
      }
    }),
    ({ ws }) => Effect.sync(() => ws.terminate())
  )

const connect = (url: string) => Effect.tap(client(url), ({ opened }) => opened)

const until = (condition: () => boolean) =>
  Effect.gen(function*() {
    while (!condition()) yield* Effect.sleep(1)
  })

const subscribe = (...products: ReadonlyArray<string>) => JSON.stringify({ type: "subscribe", product_ids: products })

describe("MockServer: connections", () => {
  it.live("many clients, each with a queue, a token and a path of its own", () =>
    Effect.gen(function*() {
      const mock = yield* server()
      const one = yield* client(`${mock.url}/feed?key=1`, { authorization: "Bearer s3cret", "x-name": "one" })
      yield* one.opened
      const two = yield* connect(mock.url)
      const first = yield* mock.nextConnection
      const second = yield* mock.nextConnection
      assert.deepStrictEqual([first.id, second.id, first.path, second.path], [1, 2, "/feed?key=1", "/"])
      assert.strictEqual(first.token === undefined ? undefined : Redacted.value(first.token), "s3cret")
      assert.isUndefined(second.token)
      assert.notInclude(JSON.stringify([first, mock.entries()]), "s3cret")
      assert.strictEqual(first.header("X-Name"), "one")
      assert.isUndefined(first.header("Authorization"))
      one.ws.send("from one")
      two.ws.send("from two")
      two.ws.send(Buffer.from([1, 2]))
      assert.strictEqual(yield* Queue.take(first.received), "from one")
      assert.strictEqual(yield* Queue.take(second.received), "from two")
      assert.deepStrictEqual(yield* Queue.take(second.received), Uint8Array.of(1, 2))
      yield* first.send("only you")
      yield* until(() => one.frames.includes("only you"))
      assert.notInclude(two.frames, "only you")
    }))

  it.live("prices, raw text, malformed text and binary go to everyone", () =>
    Effect.gen(function*() {
      const mock = yield* server()
      const clients = [yield* connect(mock.url), yield* connect(mock.url)]
      yield* mock.sendPrice("BTC-USD", "43250.10")
      yield* mock.sendRaw("raw")
      yield* mock.sendMalformed()
      yield* mock.sendBinary(Uint8Array.of(7))
      for (const { binaries, frames } of clients) {
        yield* until(() => binaries.length === 1)
        assert.deepInclude(JSON.parse(frames[0] ?? ""), { product_id: "BTC-USD", price: "43250.10" })
        assert.strictEqual(frames[1], "raw")
        assert.throws(() => JSON.parse(frames[2] ?? ""))
      }
      assert.deepInclude(mock.accounts()[0], { product: "BTC-USD", sent: 2, lost: 0 })
    }))

  it.live("one client is dropped, not all, and a close has its code", () =>
    Effect.gen(function*() {
      const mock = yield* server()
      const [one, two, three] = [yield* connect(mock.url), yield* connect(mock.url), yield* connect(mock.url)]
      yield* until(() => mock.connections().length === 3)
      assert.isTrue(yield* mock.drop(2))
      assert.isFalse(yield* mock.drop(2))
      assert.deepStrictEqual(mock.connections().map(({ id }) => id), [1, 3])
      assert.strictEqual(yield* two.ended, 1006)
      assert.isTrue(yield* mock.close(3, 1012, "restart"))
      assert.strictEqual(yield* three.ended, 1012)
      assert.strictEqual(one.ws.readyState, WebSocket.OPEN)
      yield* until(() => mock.metrics().open === 1)
      assert.deepInclude(mock.metrics(), { dials: 3, upgraded: 3, dropped: 1, closed: 1 })
      assert.deepStrictEqual(mock.connections().map(({ id }) => id), [1])
    }))

  it.live("a required token is required", () =>
    Effect.gen(function*() {
      const mock = yield* server({ requireToken: Redacted.make("valid") })
      assert.strictEqual(yield* Effect.flip((yield* client(mock.url)).opened), "401 ")
      const wrong = yield* client(mock.url, { authorization: "Bearer invalid" })
      assert.strictEqual(yield* Effect.flip(wrong.opened), "401 ")
      yield* (yield* client(mock.url, { authorization: "Bearer valid" })).opened
      assert.deepInclude(mock.metrics(), { rejected: 2, upgraded: 1 })
    }))

  it.live("rejects while told to, and each failure mode can be set and lifted", () =>
    Effect.gen(function*() {
      const mock = yield* server({ rate: 200 })
      yield* mock.rejectConnections(true)
      assert.strictEqual(yield* Effect.flip((yield* client(mock.url)).opened), "503 ")
      yield* mock.rejectConnections(false)
      yield* mock.setFailureMode("Timeout")
      const hung = yield* client(mock.url)
      yield* until(() => mock.entries().some((entry) => entry._tag === "Rejected" && entry.how === "hung"))
      assert.strictEqual(hung.ws.readyState, WebSocket.CONNECTING)
      yield* mock.setFailureMode("Disconnect")
      assert.strictEqual(yield* (yield* client(mock.url)).ended, 1006)
      yield* mock.setFailureMode("MalformedData")
      const { frames, ws } = yield* connect(mock.url)
      ws.send(subscribe("BTC-USD"))
      yield* until(() => frames.length > 2)
      assert.throws(() => JSON.parse(frames[1] ?? ""))
      yield* mock.setFailureMode("None")
      const length = frames.length
      yield* until(() => frames.length > length + 2)
      assert.isObject(JSON.parse(frames.at(-1) ?? ""))
    }))

  it.live("stop leaves nothing: no connection, no hanging dial, no listener; the log ends", () =>
    Effect.gen(function*() {
      const mock = yield* server({ faults: [fault("drop@1h")], rate: 100, pingMillis: 1_000 })
      const log = yield* Effect.forkChild(Stream.runCollect(mock.log), { startImmediately: true })
      const { ended, ws } = yield* connect(mock.url)
      ws.send(subscribe("BTC-USD"))
      yield* mock.inject({ _tag: "Hang" })
      const hung = yield* client(mock.url)
      yield* until(() => mock.metrics().rejected === 1)
      yield* mock.stop
      assert.strictEqual(yield* ended, 1006)
      assert.strictEqual(yield* hung.ended, 1006)
      assert.deepStrictEqual(
        (yield* Fiber.join(log)).map(({ _tag }) => _tag),
        ["Dial", "Upgraded", "Fault", "Dial", "Rejected", "Closed"]
      )
      assert.strictEqual(yield* Effect.flip((yield* client(mock.url)).opened), "ECONNREFUSED")
      // The port is free again.
      const again = yield* server({ port: mock.address.port })
      assert.strictEqual(again.url, mock.url)
      const { code } = yield* Effect.flip(server({ port: mock.address.port }))
      assert.strictEqual(code, "EADDRINUSE")
    }))
})

describe("MockServer: the market", () => {
  it.live("flows while someone is subscribed, in sequence, the same for the same seed", () =>
    Effect.gen(function*() {
      const run = Effect.gen(function*() {
        const mock = yield* server({ rate: 500, seed: 7 })
        const { frames, json, ws } = yield* connect(mock.url)
        yield* Effect.sleep(30)
        assert.deepStrictEqual(mock.accounts(), [])
        ws.send(subscribe("BTC-USD", "WETH-DAI"))
        yield* until(() => frames.length > 30)
        assert.deepStrictEqual(json()[0], { type: "subscribed", product_ids: ["BTC-USD", "WETH-DAI"] })
        return json().slice(1, 31).map(({ price, product_id, sequence }) => ({ product_id, price, sequence }))
      })
      const ticks = yield* run
      for (const product of ["BTC-USD", "WETH-DAI"]) {
        const sequences = ticks.filter(({ product_id }) => product_id === product).map(({ sequence }) => sequence)
        assert.deepStrictEqual(sequences, sequences.map((_, index) => sequences[0] + index))
      }
      assert.deepStrictEqual(yield* run, ticks)
    }))

  it.live("the rate is that of frames, changes while it runs, and 0 stops", () =>
    Effect.gen(function*() {
      const mock = yield* MockServer.make({ venue: MockCoinbaseExchange.make(), rate: 300, heartbeatMillis: 0 })
      const { frames, ws } = yield* connect(mock.url)
      ws.send(JSON.stringify({
        type: "subscribe",
        product_ids: ["BTC-USD"],
        channels: ["matches", "ticker", "level2"]
      }))
      yield* until(() => frames.length > 0)
      yield* Effect.sleep(500)
      const got = frames.length
      assert.isAtMost(got, 220)
      assert.isAtLeast(got, 60)
      yield* mock.setRate(0)
      yield* Effect.sleep(50)
      const sent = mock.accounts().reduce((sum, account) => sum + account.sent, 0)
      yield* Effect.sleep(100)
      assert.strictEqual(mock.accounts().reduce((sum, account) => sum + account.sent, 0), sent)
      yield* until(() => frames.length === sent + 1)
    }))

  it.live("the venue's heartbeat at the interval asked for, and protocol pings", () =>
    Effect.gen(function*() {
      const mock = yield* MockServer.make({
        venue: MockCoinbaseExchange.make(),
        rate: 0,
        heartbeatMillis: 10,
        pingMillis: 10
      })
      const { frames, json, pings, ws } = yield* connect(mock.url)
      ws.send(JSON.stringify({ type: "subscribe", product_ids: ["BTC-USD"], channels: ["heartbeat"] }))
      yield* until(() => frames.length > 3 && pings.length > 1)
      assert.deepStrictEqual(json().map(({ type }) => type).slice(0, 3), ["subscriptions", "heartbeat", "heartbeat"])
    }))

  it.live("a replay flows to whoever subscribed, in order, and goes on after a reconnect", () =>
    Effect.gen(function*() {
      const replay = Array.from({ length: 2_000 }, (_, n) => `{"n":${n}}`)
      const mock = yield* server({ replay, rate: 400 })
      const one = yield* connect(mock.url)
      one.ws.send(subscribe("BTC-USD"))
      yield* until(() => one.frames.length >= 11)
      // Nothing is under way when the connection is cut.
      yield* mock.setRate(0)
      one.ws.send(subscribe("WETH-DAI"))
      yield* until(() => one.frames.filter((frame) => !frame.startsWith("{\"n\"")).length > 1)
      yield* mock.drop(1)
      yield* one.ended
      yield* mock.setRate(20_000)
      const two = yield* connect(mock.url)
      two.ws.send(subscribe("BTC-USD"))
      yield* until(() => two.frames.at(-1) === replay.at(-1))
      const seen = [...one.frames, ...two.frames].filter((frame) => frame.startsWith("{\"n\""))
      // Nothing is lost, comes twice or out of order.
      assert.deepStrictEqual(seen, replay)
    }))
})

describe("MockServer: faults", () => {
  const dialing = (specs: ReadonlyArray<string>) =>
    Effect.gen(function*() {
      const mock = yield* server()
      for (const spec of specs) yield* mock.inject(fault(`${spec}@0s`).action)
      return mock
    })

  it.live("refuse=2: two dials are cut before the handshake, the third is not; all are in the log with their times", () =>
    Effect.gen(function*() {
      const mock = yield* dialing(["refuse=2"])
      for (let n = 0; n < 2; n++) {
        assert.strictEqual(yield* Effect.flip((yield* client(mock.url)).opened), "ECONNRESET")
      }
      yield* connect(mock.url)
      const log = mock.entries()
      assert.deepStrictEqual(log.map((entry) => entry._tag), [
        "Fault",
        "Dial",
        "Rejected",
        "Dial",
        "Rejected",
        "Dial",
        "Upgraded"
      ])
      assert.deepInclude(log[0], { fault: "refuse=2", connections: [] })
      assert.deepInclude(log[4], { dial: 2, how: "refused" })
      for (const [index, { at }] of log.entries()) assert.isAtLeast(at, log[index - 1]?.at ?? 1_600_000_000_000)
      const streamed = yield* Stream.runCollect(Stream.take(mock.log, log.length))
      assert.deepStrictEqual(streamed, log)
      assert.strictEqual(
        MockServer.entryToJson({ _tag: "Dial", at: 1_700_000_000_123, dial: 1 }),
        "{\"_tag\":\"Dial\",\"at\":\"2023-11-14T22:13:20.123Z\",\"dial\":1}"
      )
    }))

  it.live("hang and status strike one dial each, in the order injected", () =>
    Effect.gen(function*() {
      const mock = yield* dialing(["status=429;retry-after=2", "hang", "status=500"])
      assert.strictEqual(yield* Effect.flip((yield* client(mock.url)).opened), "429 2")
      const hung = yield* client(mock.url)
      yield* until(() => mock.metrics().rejected === 2)
      assert.strictEqual(hung.ws.readyState, WebSocket.CONNECTING)
      hung.ws.terminate()
      assert.strictEqual(yield* Effect.flip((yield* client(mock.url)).opened), "500 ")
      yield* connect(mock.url)
    }))

  it.live("drop, close, garbage and binary strike the connections that are open", () =>
    Effect.gen(function*() {
      const mock = yield* server()
      const [one, two] = [yield* connect(mock.url), yield* connect(mock.url)]
      yield* until(() => mock.connections().length === 2)
      yield* mock.inject({ _tag: "Garbage" })
      yield* mock.inject({ _tag: "Binary" }, 2)
      yield* until(() => one.frames.length === 1 && two.binaries.length === 1)
      assert.throws(() => JSON.parse(one.frames[0] ?? ""))
      yield* mock.inject({ _tag: "Close", code: 4000 }, 1)
      yield* mock.inject({ _tag: "Drop" }, 2)
      assert.strictEqual(yield* one.ended, 4000)
      assert.strictEqual(yield* two.ended, 1006)
      assert.strictEqual(one.binaries.length, 0)
    }))

  it.live("silent: the connection stays open, sends nothing, answers no ping and no close, and is noticed when it goes", () =>
    Effect.gen(function*() {
      const mock = yield* server({ rate: 500 })
      const { ended, frames, pongs, ws } = yield* connect(mock.url)
      ws.send(subscribe("BTC-USD"))
      ws.ping("before")
      yield* until(() => pongs.length === 1 && frames.length > 3)
      yield* mock.inject({ _tag: "Silent" })
      yield* until(() => (mock.accounts()[0]?.lost ?? 0) > 5)
      const heard = frames.length
      ws.ping("after")
      ws.close(1000)
      yield* Effect.sleep(50)
      assert.strictEqual(frames.length, heard)
      assert.deepStrictEqual(pongs, ["before"])
      assert.strictEqual(ws.readyState, WebSocket.CLOSING)
      ws.terminate()
      yield* ended
      yield* until(() => mock.connections().length === 0)
      const [account] = mock.accounts()
      assert.strictEqual((account?.sent ?? 0) - (account?.lost ?? 0), heard - 1)
    }))

  it.live("slow: frames arrive later, in order", () =>
    Effect.gen(function*() {
      const mock = yield* server()
      const { frames } = yield* connect(mock.url)
      yield* mock.inject({ _tag: "Slow", millis: 60 })
      const begun = performance.now()
      yield* mock.sendRaw("1")
      yield* mock.sendRaw("2")
      yield* until(() => frames.length === 2)
      assert.isAtLeast(performance.now() - begun, 55)
      assert.deepStrictEqual(frames, ["1", "2"])
    }))

  it.live("duplicate, reorder, lose, corrupt and fragment take the next data frames, and the account balances", () =>
    Effect.gen(function*() {
      const mock = yield* server()
      const { frames, json, ws } = yield* connect(mock.url)
      ws.send(subscribe("BTC-USD"))
      yield* until(() => frames.length === 1)
      for (const tag of ["Duplicate", "Reorder", "Lose", "Fragment", "Corrupt"] as const) {
        yield* mock.inject({ _tag: tag })
      }
      yield* mock.setRate(200)
      yield* until(() => frames.length > 20)
      yield* mock.setRate(0)
      yield* Effect.sleep(60)
      const [account] = mock.accounts()
      assert.deepInclude(account, { duplicated: 1, reordered: 1, lost: 1, corrupted: 1 })
      yield* until(() => frames.length - 1 === (account?.sent ?? 0) - 1)
      const sequences = json().slice(1).map(({ sequence }) => sequence)
      const first = sequences[0]
      // 0 twice; 1 held until after 2, which was lost; 3 in fragments; 4 with a sequence that is wrong.
      assert.deepStrictEqual(sequences.slice(0, 6).map((sequence) => sequence - first), [0, 0, 1, 3, 1_004, 5])
      const delivered = new Set(sequences).size
      assert.strictEqual(account?.sent, delivered + (account?.duplicated ?? 0) + (account?.lost ?? 0))
      assert.deepStrictEqual(mock.connections()[0]?.accounts(), mock.accounts())
    }))

  it.live("a plan counts from the first connection and runs on across reconnects", () =>
    Effect.gen(function*() {
      const mock = yield* server({ faults: ["drop@400ms/600ms", "status=503;retry-after=1@1s"].map(fault) })
      yield* Effect.sleep(80) // nobody is there yet, so nothing happens
      assert.strictEqual(mock.metrics().faults, 0)
      assert.strictEqual(yield* (yield* connect(mock.url)).ended, 1006)
      assert.strictEqual(yield* (yield* connect(mock.url)).ended, 1006)
      yield* until(() => mock.metrics().faults === 3)
      assert.strictEqual(yield* Effect.flip((yield* client(mock.url)).opened), "503 1")
      assert.strictEqual(yield* (yield* connect(mock.url)).ended, 1006)
      const faults = mock.entries().flatMap((entry) => entry._tag === "Fault" ? [entry.fault] : [])
      assert.deepStrictEqual(faults, ["drop", "drop", "status=503;retry-after=1", "drop"])
      const opened = mock.entries().find(({ _tag }) => _tag === "Upgraded")?.at ?? 0
      const drops = mock.entries().flatMap((entry) => entry._tag === "Drop" ? [entry.at - opened] : [])
      // Never early; how late depends on how busy the machine is. Timers may fire a millisecond before their time.
      for (const [index, at] of drops.entries()) assert.isAtLeast(at, 60 + index * 100 - 2)
    }))

  it.live("a dial that is no WebSocket is counted and harms nobody", () =>
    Effect.gen(function*() {
      const mock = yield* server()
      const socket = connectTcp(mock.address.port, mock.address.host)
      socket.on("error", () => {})
      socket.end("GET / HTTP/1.1\r\nHost: x\r\n\r\n")
      yield* until(() => mock.metrics().dials === 1)
      yield* connect(mock.url)
    }))

  it.live("a dial that is left hanging may be reset by who dialled, and harms nobody", () =>
    Effect.gen(function*() {
      const mock = yield* server()
      yield* mock.inject(fault("hang@1s").action)
      const socket = connectTcp(mock.address.port, mock.address.host)
      const key = Buffer.alloc(16).toString("base64")
      socket.write(
        "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
          `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n\r\n`
      )
      yield* until(() => mock.metrics().rejected === 1)
      yield* connect(mock.url)
      socket.resetAndDestroy()
      yield* connect(mock.url)
      yield* connect(mock.url)
    }))
})

describe("what a client may send", () => {
  const ended = (send: (ws: WebSocket) => void) =>
    Effect.gen(function*() {
      const venue = yield* server({ maxPayload: 1_000 })
      const { ended, ws } = yield* connect(venue.url)
      const connection = yield* venue.nextConnection
      send(ws)
      const how = yield* connection.ended
      const told = venue.entries().find(({ _tag }) => _tag === "Closed")
      return { seen: yield* ended, how, told }
    })

  it.live("is bounded by bytes: who sends more is told 1009, and the log says who ended it", () =>
    Effect.gen(function*() {
      const { how, seen, told } = yield* ended((ws) => ws.send("x".repeat(1_001)))
      assert.strictEqual(seen, 1009)
      assert.deepStrictEqual(how, { code: 1009, reason: "message too large" })
      assert.deepInclude(told, how)
    }))

  it.live("is bounded by fragments: who sends more is told 1008", () =>
    Effect.gen(function*() {
      const { how, seen, told } = yield* ended((ws) => {
        for (let n = 0; n <= 1_024; n++) ws.send(n < 500 ? "x" : "", { fin: false })
      })
      assert.strictEqual(seen, 1008)
      assert.deepStrictEqual(how, { code: 1008, reason: "message in too many parts" })
      assert.deepInclude(told, how)
    }))

  it.live("is UTF-8 where it is text: who sends another is told 1007", () =>
    Effect.gen(function*() {
      const { how, seen, told } = yield* ended((ws) => ws.send(Uint8Array.of(0xff), { binary: false }))
      assert.strictEqual(seen, 1007)
      assert.deepStrictEqual(how, { code: 1007, reason: "not UTF-8" })
      assert.deepInclude(told, how)
    }))

  it.live("is masked: who sends bare frames is told 1002", () =>
    Effect.gen(function*() {
      const { how, seen, told } = yield* ended((ws) => ws.send("x", { mask: false }))
      assert.strictEqual(seen, 1002)
      assert.deepStrictEqual(how, { code: 1002, reason: "protocol error" })
      assert.deepInclude(told, how)
    }))
})
