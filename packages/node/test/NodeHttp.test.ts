/** `NodeHttp` against a server of Node's own on loopback. */
import { assert, describe, it, layer } from "@effect/vitest"
import * as Presets from "@tickline/core/resilience/Presets"
import * as HttpPort from "@tickline/core/transport/HttpPort"
import * as Binance from "@tickline/core/venue/binance/Venue"
import * as NodeHttp from "@tickline/node/NodeHttp"
import * as MockBinance from "@tickline/testing/MockBinance"
import * as MockServer from "@tickline/testing/node/MockServer"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import type * as Scope from "effect/Scope"
import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http"
import { type AddressInfo, createServer as createTcp, type Server as TcpServer } from "node:net"
import * as SnapshotRequests from "../../core/src/market/internal/snapshotRequests.ts"
import { restAt } from "../../core/src/venue/internal/rest.ts"

const listening = (server: Server | TcpServer): Effect.Effect<number, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.callback<number>((resume) => {
      server.listen(0, "127.0.0.1", () => {
        // A server that listens on TCP has an address.
        resume(Effect.succeed((server.address() as AddressInfo).port))
      })
    }),
    () =>
      Effect.callback<void>((resume) => {
        server.close(() => resume(Effect.void))
        if ("closeAllConnections" in server) server.closeAllConnections()
      })
  )

/** The URL of a server that answers so. */
const serving = (answer: RequestListener): Effect.Effect<string, never, Scope.Scope> =>
  Effect.map(listening(createServer(answer)), (port) => `http://127.0.0.1:${port}`)

const ask = (url: string, request: Partial<HttpPort.HttpRequest> = {}) =>
  Effect.flatMap(HttpPort.HttpPort, (port) => port.request({ method: "GET", url, ...request }))

const tagOf = (url: string, request: Partial<HttpPort.HttpRequest> = {}) =>
  Effect.map(Effect.flip(ask(url, request)), ({ reason }) => reason._tag)

const bodyOf = (request: IncomingMessage, then: (body: string) => void): void => {
  let body = ""
  request.setEncoding("utf8")
  request.on("data", (text: string) => {
    body += text
  })
  request.on("end", () => then(body))
}

layer(NodeHttp.layer, { excludeTestServices: true })("NodeHttp", (it) => {
  it.effect("has a book's snapshot from a mock venue, after a refusal, a status and patience", () =>
    Effect.gen(function*() {
      const mock = yield* MockServer.make({
        venue: MockBinance.make(),
        products: [{ symbol: "BTCUSDT", price: "43250.10", size: "0.05000000" }],
        rate: 0
      })
      const rest = restAt(Binance.venue, mock.url) ?? ""
      assert.strictEqual(rest, mock.httpUrl)
      const port = yield* HttpPort.HttpPort
      const snapshots = yield* SnapshotRequests.make({ venue: Binance.venue, rest, port, policy: Presets.test })
      yield* mock.inject({ _tag: "Refuse", dials: 1 })
      yield* mock.inject({ _tag: "Status", status: 503, retryAfterSeconds: undefined })
      yield* mock.inject({ _tag: "Status", status: 429, retryAfterSeconds: 1 })
      const before = yield* Clock.currentTimeMillis
      const snapshot = yield* snapshots?.fetch("BTCUSDT") ?? Effect.die("Binance gives snapshots over REST")
      assert.isAtLeast((yield* Clock.currentTimeMillis) - before, 1_000)
      assert.deepStrictEqual([snapshot.bids.length, snapshot.asks.length], [10, 10])
      assert.match(snapshot.sequence ?? "", /^\d+$/)
      assert.strictEqual(mock.metrics().rejected, 3)
      const hung = yield* mock.inject({ _tag: "Hang" }).pipe(
        Effect.andThen(tagOf(`${mock.httpUrl}/api/v3/time`, { deadline: 50 }))
      )
      assert.strictEqual(hung, "DeadlineExceeded")
    }))

  it.effect("sends method, path with query, headers and body as they are, and gives status, headers and body", () =>
    Effect.gen(function*() {
      const url = yield* serving((request, response) =>
        bodyOf(request, (body) => {
          response.writeHead(201, { "Retry-After": "7", "X-Many": ["a", "b"], "Content-Type": "text/plain" })
          const { authorization, "content-type": type, traceparent } = request.headers
          response.end(JSON.stringify([request.method, request.url, authorization ?? "", type, traceparent, body]))
        })
      )
      const headers = { "Content-Type": "application/json", "Authorization": Redacted.make("Bearer abcdef") }
      const answer = yield* Effect.withSpan(
        ask(`${url}/a%20b?x=%2F&y=1,2`, { method: "POST", headers, body: "{\"€\":1}" }),
        "around"
      )
      assert.strictEqual(answer.status, 201)
      assert.strictEqual(answer.headers["retry-after"], "7")
      assert.strictEqual(answer.headers["x-many"], "a, b")
      assert.strictEqual(
        answer.body,
        JSON.stringify(["POST", "/a%20b?x=%2F&y=1,2", "Bearer ******", "application/json", null, "{\"€\":1}"])
      )
    }))

  it.effect("follows no redirect, and takes a status for an answer", () =>
    Effect.gen(function*() {
      const url = yield* serving((_, response) => response.writeHead(302, { location: "http://127.0.0.1:1/" }).end())
      assert.strictEqual((yield* ask(url)).status, 302)
    }))

  it.effect(
    "reads 16 MiB, and of a longer answer no more than that, whose socket it closes",
    () =>
      Effect.gen(function*() {
        const most = 16 * 1024 * 1024
        const closed = yield* Deferred.make<number>()
        const chunk = Buffer.alloc(1024 * 1024, "x")
        const url = yield* serving((request, response) => {
          if (request.url === "/most") return void response.end(Buffer.alloc(most, "x"))
          let written = 0
          const write = () => {
            while (!response.destroyed) {
              written += chunk.length
              if (!response.write(chunk)) return void response.once("drain", write)
            }
          }
          response.on("close", () => Deferred.doneUnsafe(closed, Effect.succeed(written)))
          write()
        })
        assert.strictEqual((yield* ask(`${url}/most`)).body.length, most)
        assert.strictEqual(yield* tagOf(`${url}/endless`), "AnswerTooLarge")
        // What the sockets' buffers hold is written besides.
        assert.isBelow(yield* Deferred.await(closed), most + 16 * 1024 * 1024)
      }),
    20_000
  )

  it.effect("gives up at the deadline, before the answer and in the middle of it, and closes the socket", () =>
    Effect.gen(function*() {
      for (const begun of [false, true]) {
        const closed = yield* Deferred.make<void>()
        const url = yield* serving((request, response) => {
          request.socket.on("close", () => Deferred.doneUnsafe(closed, Effect.void))
          if (begun) response.write("[")
        })
        assert.strictEqual(yield* tagOf(url, { deadline: 50 }), "DeadlineExceeded")
        yield* Deferred.await(closed)
      }
    }))

  it.effect("closes the socket when it is interrupted, before the answer and in the middle of it", () =>
    Effect.gen(function*() {
      for (const begun of [false, true]) {
        const arrived = yield* Deferred.make<void>()
        const closed = yield* Deferred.make<void>()
        const url = yield* serving((request, response) => {
          request.socket.on("close", () => Deferred.doneUnsafe(closed, Effect.void))
          if (begun) response.write("[", () => Deferred.doneUnsafe(arrived, Effect.void))
          else Deferred.doneUnsafe(arrived, Effect.void)
        })
        const asking = yield* Effect.forkChild(ask(url))
        yield* Deferred.await(arrived)
        yield* Fiber.interrupt(asking)
        yield* Deferred.await(closed)
      }
    }))

  it.effect("says that nobody listens, and that there is no such host", () =>
    Effect.gen(function*() {
      const port = yield* Effect.scoped(listening(createTcp()))
      const error = yield* Effect.flip(ask(`http://127.0.0.1:${port}/a?secret=b`))
      assert.strictEqual(
        error.message,
        `http://127.0.0.1:${port}/a: connection refused: ECONNREFUSED 127.0.0.1:${port}`
      )
      assert.strictEqual(yield* tagOf(`http://localhost:${port}/`), "Refused")
      assert.strictEqual(yield* tagOf("http://nowhere.invalid/"), "NotResolved")
    }))

  it.effect("says that a connection ended before the answer, and in the middle of it", () =>
    Effect.gen(function*() {
      const url = yield* serving((request, response) => {
        if (request.url === "/before") return void request.socket.resetAndDestroy()
        if (request.url === "/closed") return void request.socket.end()
        response.writeHead(200, { "Content-Length": "100" })
        response.write("[1,2", () => {
          if (request.url === "/reset") request.socket.resetAndDestroy()
          else request.socket.end()
        })
      })
      assert.strictEqual(yield* tagOf(`${url}/before`), "Unreachable")
      assert.strictEqual(yield* tagOf(`${url}/closed`), "Unreachable")
      assert.strictEqual(yield* tagOf(`${url}/reset`), "Truncated")
      assert.strictEqual(yield* tagOf(`${url}/short`), "Truncated")
    }))

  it.effect("says that what answers is not HTTP, or not TLS", () =>
    Effect.gen(function*() {
      const port = yield* listening(createTcp((socket) => {
        socket.on("error", () => {})
        socket.end("hello\r\n\r\n", () => socket.destroySoon())
      }))
      assert.strictEqual(yield* tagOf(`http://127.0.0.1:${port}/`), "Unreachable")
      assert.strictEqual(yield* tagOf(`https://127.0.0.1:${port}/`), "TlsFailed")
    }))
})

describe("NodeHttp.layer", () => {
  it.live("closes the connections that it kept with its scope", () =>
    Effect.gen(function*() {
      const closed = yield* Deferred.make<void>()
      const url = yield* serving((request, response) => {
        request.socket.on("close", () => Deferred.doneUnsafe(closed, Effect.void))
        response.end("{}")
      })
      assert.strictEqual((yield* Effect.provide(ask(url), NodeHttp.layer)).body, "{}")
      yield* Deferred.await(closed)
    }))
})
