import { assert, describe, it } from "@effect/vitest"
import * as NodeTransport from "@tickline/node/NodeTransport"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import { createServer } from "node:http"
import { createServer as createTlsServer } from "node:https"
import type { Socket } from "node:net"
import { inspect } from "node:util"
import { WebSocketServer } from "ws"
import { answer, dial, fixture, listen, refusal, reply, request, serve, until } from "./Sockets.ts"

describe("NodeTransport: dials that fail", () => {
  it.live("nobody listens: Refused", () =>
    Effect.gen(function*() {
      const port = yield* Effect.scoped(listen(createServer()))
      const error = yield* refusal(`ws://127.0.0.1:${port}/feed?token=s3cret`)
      assert.strictEqual(error.reason._tag, "Refused")
      assert.include(error.message, `ECONNREFUSED 127.0.0.1:${port}`)
      assert.strictEqual(error.url, `ws://127.0.0.1:${port}`)
    }))

  it.live("no such host: NotResolved", () =>
    Effect.gen(function*() {
      const error = yield* refusal("wss://does-not-exist.invalid/")
      assert.strictEqual(error.reason._tag, "NotResolved")
      assert.include(error.message, "does-not-exist.invalid")
    }))

  it.live("reset before the handshake ends: Refused", () =>
    Effect.gen(function*() {
      const { url } = yield* answer((socket) => socket.resetAndDestroy())
      assert.strictEqual((yield* refusal(url)).reason._tag, "Refused")
    }))

  it.live("a certificate that nobody vouches for: TlsFailed, unless its authority is trusted", () =>
    Effect.gen(function*() {
      const cert = fixture("loopback.test-cert.pem")
      const https = createTlsServer({ cert, key: fixture("loopback.test-key.pem"), ALPNProtocols: ["h2", "http/1.1"] })
      const alpn: Array<string | false | null> = []
      https.on("secureConnection", (socket) => alpn.push(socket.alpnProtocol))
      new WebSocketServer({ server: https }).on("connection", (ws) => ws.send("over TLS"))
      const port = yield* listen(https)
      const error = yield* refusal(`wss://localhost:${port}`)
      assert.strictEqual(error.reason._tag, "TlsFailed")
      assert.include(error.message, "DEPTH_ZERO_SELF_SIGNED_CERT")
      const wire = yield* NodeTransport.make({ ca: cert }).dial(request(`wss://localhost:${port}`))
      assert.deepStrictEqual(yield* wire.pull, ["over TLS"])
      assert.strictEqual(alpn.at(-1), "http/1.1")
    }))

  it.live("no TLS behind wss: TlsFailed", () =>
    Effect.gen(function*() {
      const { port } = yield* reply("HTTP/1.1 400 Bad Request\r\n\r\n")
      assert.strictEqual((yield* refusal(`wss://127.0.0.1:${port}`)).reason._tag, "TlsFailed")
    }))

  it.live("a refused upgrade keeps its status", () =>
    Effect.gen(function*() {
      const { url } = yield* reply("HTTP/1.1 401 Unauthorized\r\nContent-Length: 6\r\n\r\nsecret")
      const error = yield* refusal(url)
      assert.deepInclude(error.reason, { _tag: "HandshakeRejected", status: 401 })
      assert.notProperty(error.reason, "retryAfterMillis")
    }))

  it.live("a wire that has ended says how many bytes the network never took", () =>
    Effect.gen(function*() {
      const sockets: Array<Socket> = []
      const url = yield* serve((_, upgrade) => {
        upgrade.socket.pause()
        sockets.push(upgrade.socket)
      })
      const wire = yield* dial(url)
      assert.isTrue(wire.write("small"))
      yield* until(() => wire.bufferedBytes() === 0 && sockets.length === 1)
      const text = "x".repeat(1_000_000)
      for (let i = 0; i < 20; i++) wire.write(text)
      yield* until(() => wire.bufferedBytes() > 0)
      sockets[0]?.resetAndDestroy()
      yield* Effect.flip(Effect.forever(wire.pull))
      const left = wire.bufferedBytes()
      assert.isAbove(left, 0)
      assert.isAtMost(left, 20_000_000)
      assert.strictEqual(left % 1_000_000, 0)
    }))

  it.live("a redirect is not followed, and tells where to, without what may be secret", () =>
    Effect.gen(function*() {
      const key = "pqia91ma19a5s61cv6a81va65sdf19v8a65a1a5s61cv6a81va65sdf19v8a65a1"
      for (
        const [location, shown] of [
          ["wss://Stream.Venue.example:443/ws/v2?token=s3cret#x", "wss://stream.venue.example/ws/v2"],
          ["https://user:s3cret@venue.example/ws", "https://venue.example/ws"],
          [`//venue.example/ws/${key}/v2`, "ws://venue.example/ws/…/v2"],
          ["/v2?listenKey=s3cret", "/v2"],
          ["venue.example s3cret", "(unreadable URL)"],
          ["javascript:s3cret", "(unreadable URL)"],
          [`/${"a/".repeat(4_000)}`, "/a/"]
        ] as const
      ) {
        for (
          const status of ["301 Moved Permanently", "302 Found", "307 Temporary Redirect", "308 Permanent Redirect"]
        ) {
          const { url } = yield* reply(`HTTP/1.1 ${status}\r\nLocation: ${location}\r\nContent-Length: 0\r\n\r\n`)
          const error = yield* refusal(url)
          assert(error.reason._tag === "HandshakeRejected")
          assert.include(
            error.message,
            `${Number.parseInt(status, 10)}, moved to ${shown.startsWith("/") ? url.replace(/\/$/, "") : ""}${shown}`
          )
          assert.notInclude(JSON.stringify(error), "s3cret")
          assert.notInclude(JSON.stringify(error), key)
          assert.isBelow(error.message.length, 400)
        }
      }
    }))

  it.live("a redirect that repeats our own path tells nothing of it", () =>
    Effect.gen(function*() {
      const location = "https://venue.example/v2/ws/listen-k3y/"
      const { url } = yield* reply(`HTTP/1.1 301 Moved\r\nLocation: ${location}\r\nContent-Length: 0\r\n\r\n`)
      const error = yield* refusal(`${url}/ws/listen-k3y/`)
      assert.include(error.message, "moved to https://venue.example/v2/…/…/")
      assert.notInclude(JSON.stringify(error), "k3y")
    }))

  const retryAfter = (headers: string) =>
    Effect.gen(function*() {
      const { url } = yield* reply(`HTTP/1.1 429 Too Many Requests\r\n${headers}\r\nContent-Length: 0\r\n\r\n`)
      const { reason } = yield* refusal(url)
      return reason._tag === "HandshakeRejected" ? reason.retryAfterMillis : reason
    })

  it.live("Retry-After in seconds", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* retryAfter("Retry-After: 7"), 7_000)
      assert.strictEqual(yield* retryAfter("Retry-After: 0"), 0)
      assert.strictEqual(yield* retryAfter("Retry-After: 99999999999999999999"), 86_400_000)
    }))

  it.live("Retry-After as a date, read against the server's own clock", () =>
    Effect.gen(function*() {
      const date = "Date: Wed, 21 Oct 2015 07:28:00 GMT"
      assert.strictEqual(yield* retryAfter(`${date}\r\nRetry-After: Wed, 21 Oct 2015 07:28:30 GMT`), 30_000)
      assert.strictEqual(yield* retryAfter(`${date}\r\nRetry-After: Wed, 21 Oct 2015 07:27:00 GMT`), 0)
      const hence = new Date(Date.now() + 60_000).toUTCString()
      assert.approximately(Number(yield* retryAfter(`Retry-After: ${hence}`)), 59_000, 2_000)
    }))

  it.live("a Retry-After that is neither is none", () =>
    Effect.gen(function*() {
      assert.isUndefined(yield* retryAfter("Retry-After: soon"))
      assert.isUndefined(yield* retryAfter("Retry-After: -5"))
    }))

  it.live("a redirect is not followed", () =>
    Effect.gen(function*() {
      const { url } = yield* reply("HTTP/1.1 302 Found\r\nLocation: ws://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n")
      assert.deepInclude((yield* refusal(url)).reason, { _tag: "HandshakeRejected", status: 302 })
    }))

  it.live("an answer that is no handshake: HandshakeRejected", () =>
    Effect.gen(function*() {
      const wrong = yield* reply(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: no\r\n\r\n"
      )
      assert.deepInclude((yield* refusal(wrong.url)).reason, { _tag: "HandshakeRejected", status: 101 })
      const garbage = yield* reply("220 mail.example ESMTP\r\n")
      assert.deepInclude((yield* refusal(garbage.url)).reason, { _tag: "HandshakeRejected", status: 0 })
    }))

  for (
    const [url, detail] of [
      ["http://example.com/", "the scheme is http"],
      ["ws://", "not a URL"],
      ["example.com", "not a URL"],
      ["ws://exa mple/?token=s3cret", "not a URL"],
      ["wss://example.com/#part", "fragment"],
      [" wss://me:s3cret@example.com/", "not a URL"],
      ["wss://me:s3cret@example.com/ ", "not a URL"],
      ["w\tss://me:s3cret@example.com/", "not a URL"],
      ["wss://me:s3\tcret@example.com/", "not a URL"],
      ["wss:/me:s3cret@example.com/", "not a URL"],
      ["wss:me:s3cret@example.com/", "not a URL"],
      ["wss:\\\\me:s3cret@example.com/", "not a URL"],
      ["wss://me:s3cret\\@example.com/", "not a URL"],
      ["wss://me:s3cret/x@example.com/", "not a URL"],
      ["wss://me:s3cret%40example.com/", "not a URL"],
      ["me:s3cret@example.com", "not a URL"],
      ["s3cret:me@example.com", "not a URL"],
      ["HTTPS://me:s3cret@example.com/", "the scheme is https"],
      ["wss://me:s3cret@example.com:99999/", "not a URL"]
    ] as const
  ) {
    it.live(`BadUrl: ${url}`, () =>
      Effect.gen(function*() {
        const error = yield* refusal(url)
        assert.strictEqual(error.reason._tag, "BadUrl")
        assert.include(error.message, detail)
        assert.notInclude(error.message, "s3cret")
      }))
  }

  it.live("a header or subprotocol that HTTP forbids is refused without showing it", () =>
    Effect.gen(function*() {
      const header = yield* refusal("ws://127.0.0.1:1", { headers: { authorization: Redacted.make("s3cret\r\n") } })
      assert.strictEqual(
        header.message,
        "ws://127.0.0.1:1: bad header authorization: its value cannot be sent: it holds a line break"
      )
      assert.notInclude(JSON.stringify(header), "s3cret")
      assert.strictEqual((yield* refusal("ws://127.0.0.1:1", { protocols: ["a b"] })).reason._tag, "BadHeader")
    }))

  it.live("an interrupted dial leaves no socket on the server", () =>
    Effect.gen(function*() {
      const { sockets, url } = yield* answer((socket) => socket.resume())
      const fiber = yield* Effect.forkChild(refusal(url))
      yield* until(() => sockets.size === 1)
      yield* Fiber.interrupt(fiber)
      yield* until(() => sockets.size === 0)
    }))
})

describe("NodeTransport: secrets", () => {
  const headers = { authorization: Redacted.make("Bearer s3cret") }

  it.live("travel in the clear to loopback only", () =>
    Effect.gen(function*() {
      const seen: Array<string | undefined> = []
      const url = yield* serve((ws, { headers }) => {
        seen.push(headers.authorization)
        ws.send("in")
      })
      const wire = yield* dial(url, { headers })
      yield* wire.pull
      assert.deepStrictEqual(seen, ["Bearer s3cret"])
      for (const local of ["localhost", "127.1", "[::1]"]) {
        const { reason } = yield* refusal(`ws://${local}:1`, { headers })
        assert.notStrictEqual(reason._tag, "BadUrl", local)
      }
    }))

  it.live("are refused over ws:// elsewhere, and not shown", () =>
    Effect.gen(function*() {
      for (
        const url of ["ws://feed.invalid/", "ws://127.0.0.1.feed.invalid/", "ws://[::2]/", "ws://localhost.invalid/"]
      ) {
        const error = yield* refusal(`${url}?key=s3cret`, { headers })
        assert.strictEqual(error.reason._tag, "BadUrl", url)
        assert.include(error.message, "unencrypted")
        assert.notInclude(`${JSON.stringify(error)}${error}${error.stack}`, "s3cret")
      }
      const inUrl = yield* refusal("ws://me:s3cret@feed.invalid/")
      assert.strictEqual(inUrl.reason._tag, "BadUrl")
      assert.notInclude(`${JSON.stringify(inUrl)}${inUrl}`, "s3cret")
    }))

  it.live("are allowed to a host by name", () =>
    Effect.gen(function*() {
      const { reason } = yield* refusal("ws://feed.invalid/", { headers, plaintextHosts: ["feed.invalid"] })
      assert.strictEqual(reason._tag, "NotResolved")
    }))

  it.live("in the query arrive, and are not shown when the dial fails", () =>
    Effect.gen(function*() {
      const seen: Array<string | undefined> = []
      const url = yield* serve((ws, { url }) => {
        seen.push(url)
        ws.send("in")
      })
      const wire = yield* dial(`${url}/feed?token=s3cret&a=b%20c`)
      yield* wire.pull
      assert.deepStrictEqual(seen, ["/feed?token=s3cret&a=b%20c"])
      const { url: refusing } = yield* reply("HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
      const error = yield* refusal(`${refusing}/feed?token=s3cret`)
      assert.notInclude(`${JSON.stringify(error)}${error}${error.stack}`, "s3cret")
    }))

  it.live("are in no inspection of an open wire", () =>
    Effect.gen(function*() {
      const url = yield* serve((ws) => ws.send("in"))
      const wire = yield* dial(`${url.replace("//", "//me:pa55word@")}/listen-k3y?token=query-t0ken`, {
        headers: { "X-Key": Redacted.make("header-k3y") },
        protocols: []
      })
      yield* wire.pull
      const seen = `${inspect(wire, { depth: 12, showHidden: true })}${JSON.stringify(Object.entries(wire))}`
      for (const secret of ["pa55word", "listen-k3y", "query-t0ken", "header-k3y"]) assert.notInclude(seen, secret)
    }))

  it.live("a subprotocol may be one: it travels, in the clear to loopback only", () =>
    Effect.gen(function*() {
      const seen: Array<string | undefined> = []
      const url = yield* serve((ws, { headers }) => {
        seen.push(headers["sec-websocket-protocol"])
        ws.send("in")
      })
      const protocols = ["v1.venue", Redacted.make("bearer.s3cret")]
      yield* (yield* dial(url, { protocols })).pull
      assert.deepStrictEqual(seen, ["v1.venue,bearer.s3cret"])
      const error = yield* refusal("ws://feed.invalid/", { protocols })
      assert.include(error.message, "unencrypted")
    }))
})
