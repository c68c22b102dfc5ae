/** Details of the mock server that a test of a client leans on: what it wrote down, and where its bounds are. */
import { assert, describe, it } from "@effect/vitest"
import * as Fault from "@tickline/testing/Fault"
import * as MockBinance from "@tickline/testing/MockBinance"
import * as MockCoinbase from "@tickline/testing/MockCoinbase"
import * as MockGeneric from "@tickline/testing/MockGeneric"
import * as MockServer from "@tickline/testing/node/MockServer"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import * as Result from "effect/Result"
import { request } from "node:http"
import { createConnection, type Socket } from "node:net"
import { WebSocket } from "ws"

const fault = (spec: string) => Result.getOrThrow(Fault.parse(spec)).action

/** A venue that answers nothing. */
const silent: MockServer.Options["venue"] = { ...MockGeneric.make(), receive: (session) => ({ session, replies: [] }) }

const server = (options: Partial<MockServer.Options> = {}) =>
  MockServer.make({ venue: MockGeneric.make(), rate: 0, ...options })

/** A client without a library between: what arrived, and how it ended. */
const connect = (url: string) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const ws = new WebSocket(url, { perMessageDeflate: false })
      const frames: Array<string> = []
      const opened = Deferred.makeUnsafe<void, string>()
      const ended = Deferred.makeUnsafe<string>()
      ws.on("open", () => Deferred.doneUnsafe(opened, Effect.void))
      ws.on("error", (error) => Deferred.doneUnsafe(opened, Effect.fail(error.message)))
      ws.on("close", (code, reason) => Deferred.doneUnsafe(ended, Effect.succeed(`${code} ${reason.toString()}`)))
      ws.on(
        "message",
        (data: Buffer, isBinary) => frames.push(isBinary ? `bytes ${[...data].join()}` : data.toString())
      )
      return { ws, frames, opened: Deferred.await(opened), ended: Deferred.await(ended) }
    }),
    ({ ws }) => Effect.sync(() => ws.terminate())
  ).pipe(Effect.tap(({ opened }) => opened))

const until = (condition: () => boolean) =>
  Effect.gen(function*() {
    while (!condition()) yield* Effect.sleep(1)
  })

/** A text frame of a client, masked with zeros, which leave it as it is. */
const textFrame = (text: string): Buffer => {
  const payload = Buffer.from(text)
  const { length } = payload
  const head = Buffer.alloc(length < 126 ? 6 : length < 65_536 ? 8 : 14)
  head[0] = 0x81
  head[1] = 0x80 | (length < 126 ? length : length < 65_536 ? 126 : 127)
  if (head.length === 8) head.writeUInt16BE(length, 2)
  if (head.length === 14) head.writeBigUInt64BE(BigInt(length), 2)
  return Buffer.concat([head, payload])
}

/** A client that writes bytes: for more than a WebSocket of JavaScript writes in good time. */
const connectRaw = (port: number) =>
  Effect.acquireRelease(
    Effect.callback<Socket>((resume) => {
      const socket = createConnection(port, "127.0.0.1")
      socket.once("data", () => resume(Effect.succeed(socket)))
      socket.write(
        "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n" +
          `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${Buffer.alloc(16).toString("base64")}\r\n\r\n`
      )
    }),
    (socket) => Effect.sync(() => socket.destroy())
  )

/** An answer over HTTP, to a request that may have a body. */
const ask = (url: string, method: string, body: string) =>
  Effect.callback<string>((resume) => {
    const asking = request(url, { method }, (response) => {
      let text = ""
      response.on("data", (data) => (text += String(data)))
      response.on("end", () =>
        resume(Effect.succeed(`${response.statusCode} ${response.headers["content-type"]} ${text}`)))
    })
    asking.end(body)
  })

describe("MockServer, in detail", () => {
  it.live("does not hear a client that asks and does not read, until it reads", () =>
    Effect.gen(function*() {
      const venue = MockGeneric.make()
      const megabyte = "x".repeat(1_048_576)
      const mock = yield* server({
        venue: { ...venue, receive: (session) => ({ session, replies: [{ text: megabyte, data: undefined }] }) }
      })
      const client = yield* connect(mock.url)
      client.ws.pause()
      for (let n = 0; n < 100; n++) client.ws.send(String(n).padStart(10_000))
      yield* until(() => mock.metrics().framesReceived > 17)
      yield* Effect.sleep(100)
      // What waits here is 16 MiB; the kernel's own buffers hold a few more, and one read brings six of these.
      assert.isBelow(mock.metrics().framesReceived, 60)
      client.ws.resume()
      yield* until(() => client.frames.length === 100)
    }))

  it.live("writes down every frame of a client with its text and its kind", () =>
    Effect.gen(function*() {
      const mock = yield* server()
      const one = yield* connect(mock.url)
      const two = yield* connect(mock.url)
      one.ws.send("hello")
      yield* until(() => mock.arrivals().length === 1)
      two.ws.send(Uint8Array.of(1, 2))
      two.ws.ping("are you there")
      yield* until(() => mock.arrivals().length === 3)
      assert.deepStrictEqual(mock.arrivals().map(({ connection, kind, text }) => `${connection} ${kind} ${text}`), [
        "1 message hello",
        "2 message ",
        "2 ping are you there"
      ])
      assert.deepInclude(mock.metrics(), {
        dials: 2,
        upgraded: 2,
        rejected: 0,
        open: 2,
        dropped: 0,
        closed: 0,
        faults: 0,
        framesReceived: 2
      })
    }))

  it.live("ends a connection as the venue says, with its code and reason", () =>
    Effect.gen(function*() {
      const mock = yield* server({ venue: MockBinance.make() })
      const one = yield* connect(mock.url)
      for (let n = 0; n < 6; n++) one.ws.send("{}")
      assert.match(yield* one.ended, /^1008 /)
      yield* until(() => mock.metrics().closed === 1)
      const closed = mock.entries().find(({ _tag }) => _tag === "Closed")
      assert.deepInclude({ ...closed }, { _tag: "Closed", connection: 1, code: 1008 })
      // The venue's own words end it as well, where the server enforces nothing.
      const free = yield* server({
        venue: {
          ...MockGeneric.make(),
          receive: (session) => ({ session, replies: [], close: { code: 4001, reason: "bye" } })
        }
      })
      const other = yield* connect(free.url)
      other.ws.send("anything")
      assert.strictEqual(yield* other.ended, "4001 bye")
    }))

  it.live("takes messages of up to its bound and ends who sends a longer one", () =>
    Effect.gen(function*() {
      const mock = yield* server({ maxPayload: 1000 })
      const one = yield* connect(mock.url)
      one.ws.send("x".repeat(1000))
      yield* until(() => mock.arrivals().length === 1)
      one.ws.send("x".repeat(1001))
      assert.match(yield* one.ended, /^1009/)
      assert.strictEqual(mock.arrivals().length, 1)
      const usual = yield* server()
      const two = yield* connect(usual.url)
      two.ws.send("x".repeat(1_048_576))
      yield* until(() => usual.arrivals().length === 1)
      two.ws.send("x".repeat(1_048_577))
      assert.match(yield* two.ended, /^1009/)
    }))

  it.live("sends frames by hand as they are, its own where none are given", () =>
    Effect.gen(function*() {
      const mock = yield* server()
      const one = yield* connect(mock.url)
      yield* mock.sendMalformed()
      yield* mock.sendMalformed("{")
      yield* mock.sendBinary()
      yield* mock.sendBinary(Uint8Array.of(9))
      yield* mock.inject(fault("garbage@1s"))
      yield* mock.inject(fault("binary@1s"))
      yield* until(() => one.frames.length === 6)
      const malformed = "{\"type\":\"match\",\"price\":"
      assert.deepStrictEqual(one.frames, [
        malformed,
        "{",
        "bytes 0,255,1,254",
        "bytes 9",
        malformed,
        "bytes 0,255,1,254"
      ])
      assert.strictEqual(mock.metrics().framesSent, 6)
      assert.strictEqual(mock.metrics().faults, 2)
    }))

  it.live("strikes one connection where it is told which, dials where that is what the fault is of", () =>
    Effect.gen(function*() {
      const mock = yield* server()
      const one = yield* connect(mock.url)
      const two = yield* connect(mock.url)
      yield* mock.inject(fault("close=4007@1s"), 2)
      assert.strictEqual(yield* two.ended, "4007 ")
      yield* mock.inject(fault("status=503@1s"))
      assert.isTrue(mock.connections()[0]?.isOpen())
      assert.match(yield* Effect.flip(connect(mock.url)), /503/)
      const three = yield* connect(mock.url)
      assert.deepStrictEqual(
        mock.entries().flatMap((entry) =>
          entry._tag === "Fault" ? [`${entry.fault} on ${entry.connections.join()}`] : []
        ),
        ["close=4007 on 2", "status=503 on "]
      )
      assert.isTrue(yield* mock.close(1, 4008, "enough"))
      assert.strictEqual(yield* one.ended, "4008 enough")
      yield* until(() => mock.connections().length === 1)
      assert.isFalse(yield* mock.close(1))
      assert.isFalse(yield* mock.drop(1))
      assert.isTrue(yield* mock.drop(3))
      assert.match(yield* three.ended, /^1006/)
      yield* until(() => mock.metrics().dropped === 1)
      assert.deepInclude(mock.metrics(), { dials: 4, upgraded: 3, rejected: 1, open: 0, dropped: 1, closed: 2 })
    }))

  it.live("answers over HTTP what the venue lists, and says what it does not have", () =>
    Effect.gen(function*() {
      const mock = yield* server({ venue: MockCoinbase.make() })
      assert.match(yield* ask(`${mock.httpUrl}/nowhere`, "GET", ""), /^4\d\d application\/json \{"message":"[A-Z]/)
      const listed = yield* server({ venue: MockBinance.make() })
      assert.strictEqual(yield* ask(`${listed.httpUrl}/api/v3/ping?x=1`, "GET", ""), "200 application/json {}")
      assert.strictEqual(
        yield* ask(`${listed.httpUrl}/nowhere`, "GET", ""),
        "404 application/json {\"message\":\"NotFound\"}"
      )
      const none = yield* server({ venue: { ...MockGeneric.make(), listing: undefined } })
      assert.strictEqual(
        yield* ask(`${none.httpUrl}/`, "POST", "x".repeat(100_000)),
        "426 application/json {\"message\":\"Upgrade Required\"}"
      )
    }))

  it.live("goes round the products that anyone follows, each in its turn", () =>
    Effect.gen(function*() {
      const mock = yield* server({
        rate: 200,
        products: ["A-USD", "B-USD", "C-USD"].map((symbol) => ({ symbol, price: "10.00", size: "1.0" }))
      })
      const one = yield* connect(mock.url)
      one.ws.send("{\"type\":\"subscribe\",\"product_ids\":[\"C-USD\",\"A-USD\"]}")
      yield* until(() => one.frames.length >= 7)
      yield* mock.setRate(0)
      const products = one.frames.slice(1, 7).map((frame) => String(JSON.parse(frame).product_id))
      assert.deepStrictEqual(products, ["A-USD", "C-USD", "A-USD", "C-USD", "A-USD", "C-USD"])
    }))

  it.live("keeps 64 MiB of what clients sent, and at least the latest", () =>
    Effect.gen(function*() {
      const mock = yield* server({ venue: silent, maxPayload: 65 * 1_048_576 })
      const client = yield* connectRaw(mock.address.port)
      const { received } = yield* mock.nextConnection
      const bound = 64 * 1_048_576
      const kept = () => mock.arrivals().map(({ text }) => text.length)
      let frames = 0
      const send = (frame: Buffer) =>
        Effect.suspend(() => {
          client.write(frame)
          frames++
          return until(() => mock.metrics().framesReceived === frames)
        })
      const long = textFrame("x".repeat(bound - 1))
      yield* send(long)
      yield* send(textFrame("y"))
      assert.deepStrictEqual(kept(), [bound - 1, 1])
      assert.strictEqual(Queue.sizeUnsafe(received), 2)
      yield* send(textFrame("z"))
      assert.deepStrictEqual(kept(), [1, 1])
      assert.strictEqual(yield* Queue.take(received), "z")
      yield* send(textFrame("x".repeat(bound + 1)))
      assert.deepStrictEqual(kept(), [bound + 1])
      assert.strictEqual(Queue.sizeUnsafe(received), 1)
      yield* send(textFrame(""))
      assert.deepStrictEqual(kept(), [0])
    }))

  it.live("keeps the latest 100,000 frames of clients, and as many for who takes them as it has said", () =>
    Effect.gen(function*() {
      const mock = yield* server({ venue: silent })
      const client = yield* connectRaw(mock.address.port)
      const { received } = yield* mock.nextConnection
      client.write(Buffer.concat(Array.from({ length: 100_001 }, (_, n) => textFrame(String(n + 1)))))
      yield* until(() => mock.metrics().framesReceived === 100_001)
      assert.strictEqual(mock.arrivals().length, 100_000)
      assert.strictEqual(mock.arrivals()[0]?.text, "2")
      assert.strictEqual(Queue.sizeUnsafe(received), 16_384)
      assert.strictEqual(yield* Queue.take(received), String(100_001 - 16_383))
    }))

  it.live("says where it cannot listen", () =>
    Effect.gen(function*() {
      const mock = yield* server()
      const error = yield* Effect.flip(server({ port: mock.address.port }))
      assert.strictEqual(error.message, `cannot listen on 127.0.0.1:${mock.address.port}: EADDRINUSE`)
      assert.strictEqual(mock.url, `ws://127.0.0.1:${mock.address.port}`)
      assert.strictEqual(mock.httpUrl, `http://127.0.0.1:${mock.address.port}`)
    }))

  it("writes its log as JSON with times that people read", () => {
    assert.strictEqual(
      MockServer.entryToJson({ _tag: "Dial", at: 1_700_000_000_123, dial: 3 }),
      "{\"_tag\":\"Dial\",\"at\":\"2023-11-14T22:13:20.123Z\",\"dial\":3}"
    )
  })
})
