import { assert, describe, it } from "@effect/vitest"
import type { DialError } from "@tickline/core/transport/DialError"
import type { Frame } from "@tickline/core/transport/Frame"
import type { DialRequest, Wire, WireClosed } from "@tickline/core/transport/Transport"
import * as NodeTransport from "@tickline/node/NodeTransport"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import { readFileSync } from "node:fs"
import { createServer, type IncomingMessage } from "node:http"
import { createServer as createTlsServer } from "node:https"
import { type AddressInfo, createServer as createTcpServer, type Server, type Socket } from "node:net"
import { inspect } from "node:util"
import { type WebSocket, WebSocketServer } from "ws"

const transport = NodeTransport.make()

const request = (url: string, options: Partial<DialRequest> = {}): DialRequest => ({
  url,
  headers: {},
  protocols: [],
  maxMessageBytes: 10_485_760,
  inboundBytes: 1_048_576,
  deflate: false,
  plaintextHosts: [],
  ...options
})

const dial = (url: string, options?: Partial<DialRequest>) => transport.dial(request(url, options))

const refusal = (url: string, options?: Partial<DialRequest>) =>
  Effect.flip(Effect.scoped(dial(url, options))) satisfies Effect.Effect<DialError, Wire>

/** Listens on a free loopback port; the scope's end waits until every socket is gone. */
const listen = <S extends Server>(server: S) =>
  Effect.acquireRelease(
    Effect.callback<number>((resume) => {
      server.listen(0, "127.0.0.1", () => resume(Effect.succeed((server.address() as AddressInfo).port)))
    }),
    () => Effect.callback<void>((resume) => void server.close(() => resume(Effect.void)))
  )

const serve = (onConnection: (ws: WebSocket, upgrade: IncomingMessage) => void, options: { autoPong?: boolean } = {}) =>
  Effect.gen(function*() {
    const http = createServer()
    const wss = new WebSocketServer({ server: http, perMessageDeflate: false, ...options })
    wss.on("connection", (ws, upgrade) => {
      ws.on("error", () => {})
      onConnection(ws, upgrade)
    })
    const port = yield* listen(http)
    return `ws://127.0.0.1:${port}`
  })

/** Answers each TCP connection with fixed bytes, or not at all. */
const answer = (respond: (socket: Socket) => void) =>
  Effect.gen(function*() {
    const sockets = new Set<Socket>()
    const server = createTcpServer((socket) => {
      sockets.add(socket)
      socket.on("error", () => {})
      socket.on("close", () => sockets.delete(socket))
      respond(socket)
    })
    const port = yield* listen(server)
    return { port, url: `ws://127.0.0.1:${port}`, sockets }
  })

const reply = (text: string) => answer((socket) => socket.once("data", () => socket.end(text)))

const pullUntil = (wire: Wire, count: number) =>
  Effect.gen(function*() {
    const frames: Array<Frame> = []
    while (frames.length < count) frames.push(...yield* wire.pull)
    return frames
  })

const pullAll = (wire: Wire) =>
  Effect.gen(function*() {
    const frames: Array<Frame> = []
    while (true) {
      const exit = yield* Effect.exit(wire.pull)
      if (Exit.isFailure(exit)) {
        return { frames, closed: yield* Effect.flip(wire.pull) }
      }
      frames.push(...exit.value)
    }
  })

const facts = ({ by, code, reason }: WireClosed) => ({ by, code, reason })

/** Waits for an outside fact, a turn of the event loop at a time. */
const until = (condition: () => boolean) =>
  Effect.gen(function*() {
    while (!condition()) yield* Effect.sleep(1)
  })

const fixture = (name: string) => readFileSync(new URL(`./fixtures/${name}`, import.meta.url), "utf8")

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

describe("NodeTransport: messages", () => {
  it.live("fragments arrive whole, text as string, binary as bytes of its own", () =>
    Effect.gen(function*() {
      const url = yield* serve((ws) => {
        for (
          const [part, fin] of [["a".repeat(200), false], ["b".repeat(200), false], ["ü".repeat(100), true]] as const
        ) {
          ws.send(part, { fin })
        }
        ws.send(Buffer.from([1, 2, 250]))
        ws.send("")
      })
      const wire = yield* dial(url)
      const [text, bytes, empty] = yield* pullUntil(wire, 3)
      assert.strictEqual(text, `${"a".repeat(200)}${"b".repeat(200)}${"ü".repeat(100)}`)
      assert.isFalse(Buffer.isBuffer(bytes))
      assert.deepStrictEqual(bytes, Uint8Array.of(1, 2, 250))
      assert.strictEqual(empty, "")
    }))

  it.live("64 KB, 1 MB and 5 MB arrive, and go out", () =>
    Effect.gen(function*() {
      const url = yield* serve((ws) => ws.on("message", (data, isBinary) => ws.send(data, { binary: isBinary })))
      const wire = yield* dial(url)
      for (const size of [65_536, 1_048_576, 5_242_880]) {
        const text = "0123456789abcdef".repeat(size / 16)
        assert.isTrue(wire.write(text))
        assert.deepStrictEqual(yield* wire.pull, [text])
      }
    }))

  it.live("a message over the limit ends the wire with 1009, what came before it is delivered, the next dial works", () =>
    Effect.gen(function*() {
      const codes: Array<number> = []
      const url = yield* serve((ws) => {
        ws.on("close", (code) => codes.push(code))
        ws.send("before")
        ws.send("x".repeat(1_025))
        ws.send("after")
      })
      for (let n = 1; n <= 2; n++) {
        const { closed, frames } = yield* pullAll(yield* dial(url, { maxMessageBytes: 1_024 }))
        assert.deepStrictEqual(frames, ["before"])
        assert.deepStrictEqual(facts(closed), { by: "local", code: 1009, reason: "message over 1024 bytes" })
        yield* until(() => codes.length === n)
      }
      assert.deepStrictEqual(codes, [1009, 1009])
    }))

  it.live("a message in more fragments than any venue sends ends the wire, and is told as ours", () =>
    Effect.gen(function*() {
      const codes: Array<number> = []
      const url = yield* serve((ws) => {
        ws.on("close", (code) => codes.push(code))
        ws.send("before")
        for (let n = 0; n <= 16_384; n++) ws.send("x", { fin: false })
      })
      const { closed, frames } = yield* pullAll(yield* dial(url))
      assert.deepStrictEqual(frames, ["before"])
      assert.deepStrictEqual(facts(closed), { by: "local", code: 1008, reason: "message in too many parts" })
      yield* until(() => codes.length === 1)
      assert.deepStrictEqual(codes, [1008])
    }))

  it.live("a flood of pings whose pongs nobody reads ends nothing and holds nothing; the latest is answered", () =>
    Effect.gen(function*() {
      const peer = yield* Deferred.make<{ readonly ws: WebSocket; readonly socket: Socket }>()
      const pongs: Array<string> = []
      const url = yield* serve((ws, { socket }) => {
        ws.on("pong", (data) => pongs.push(String(data)))
        socket.pause()
        Deferred.doneUnsafe(peer, Effect.succeed({ ws, socket }))
      })
      const wire = yield* dial(url)
      const { socket, ws } = yield* Deferred.await(peer)
      const count = 200_000
      const payload = (n: number) => String(n).padStart(100, "0")
      for (let n = 1; n <= count; n++) {
        ws.ping(payload(n))
        if (n % 10_000 === 0) yield* until(() => ws.bufferedAmount === 0)
      }
      assert.isAtMost(wire.bufferedBytes(), 1_000_000)
      socket.resume()
      yield* until(() => pongs.at(-1) === payload(count))
      assert.isBelow(pongs.length, count)
      ws.send("after")
      assert.deepStrictEqual(yield* wire.pull, ["after"])
    }))

  it.live("text that is not UTF-8 ends the wire with 1007", () =>
    Effect.gen(function*() {
      const url = yield* serve((ws) => ws.send(Buffer.from([0xff, 0xfe]), { binary: false }))
      const { closed } = yield* pullAll(yield* dial(url))
      assert.deepInclude(facts(closed), { by: "local", code: 1007 })
    }))

  it.live("20,000 frames in one burst: none lost, in order, in far fewer pulls, all before the close", () =>
    Effect.gen(function*() {
      const url = yield* serve((ws) => {
        for (let n = 0; n < 20_000; n++) ws.send(`{"n":${n},"pad":"${"p".repeat(200)}"}`)
        ws.close(4001, "done")
      })
      const wire = yield* dial(url)
      const seen: Array<number> = []
      let pulls = 0
      const closed = yield* Effect.flip(Effect.forever(Effect.map(wire.pull, (batch) => {
        pulls++
        for (const frame of batch) seen.push(JSON.parse(String(frame)).n)
      })))
      assert.deepStrictEqual(seen, Array.from({ length: 20_000 }, (_, n) => n))
      assert.isBelow(pulls, 4_000)
      assert.deepStrictEqual(facts(closed), { by: "peer", code: 4001, reason: "done" })
    }))

  it.live("reading stops when nobody pulls, so that the sender's socket fills, and goes on when somebody does", () =>
    Effect.gen(function*() {
      const peer = yield* Deferred.make<WebSocket>()
      const url = yield* serve((ws) => Deferred.doneUnsafe(peer, Effect.succeed(ws)))
      const wire = yield* dial(url, { inboundBytes: 65_536 })
      const ws = yield* Deferred.await(peer)
      const count = 3_000
      for (let n = 0; n < count; n++) ws.send(String(n).padStart(10_000, "0"))
      yield* until(() => wire.paused())
      // 30 MB cannot hide in the kernel's buffers: the rest stays with the sender, however long we wait.
      yield* Effect.sleep(50)
      const stuck = ws.bufferedAmount
      yield* Effect.sleep(50)
      assert.strictEqual(ws.bufferedAmount, stuck)
      assert.isAbove(stuck, 1_000_000)
      const first = yield* wire.pull
      // The bound, and what one read of 64 KiB can add to it.
      assert.isAtMost(first.length, 14)
      assert.isFalse(wire.paused())
      const rest = yield* pullUntil(wire, count - first.length)
      assert.deepStrictEqual([...first, ...rest].map(Number), Array.from({ length: count }, (_, n) => n))
    }))

  it.live("reading stops when nobody pulls messages without bytes, too", () =>
    Effect.gen(function*() {
      const url = yield* serve((ws) => {
        for (let n = 0; n < 300_000; n++) ws.send("")
      })
      const wire = yield* dial(url, { inboundBytes: 65_536 })
      yield* until(() => wire.paused())
      const first = yield* wire.pull
      // The bound, and what one read of 64 KiB can add to it: a frame without bytes is two bytes long.
      assert.isAtMost(first.length, 2_048 + 32_768)
      yield* pullUntil(wire, 300_000 - first.length)
    }))

  it.live("an interrupted pull loses nothing", () =>
    Effect.gen(function*() {
      const url = yield* serve((ws) => ws.on("message", () => ws.send("late")))
      const wire = yield* dial(url)
      const fiber = yield* Effect.forkChild(wire.pull, { startImmediately: true })
      yield* Fiber.interrupt(fiber)
      wire.write("now")
      assert.deepStrictEqual(yield* wire.pull, ["late"])
    }))

  it.live("a wire is not ready while its send buffer is over the bound, and is again once it drained", () =>
    Effect.gen(function*() {
      const peer = yield* Deferred.make<Socket>()
      const got: Array<number> = []
      const url = yield* serve((ws, { socket }) => {
        ws.on("message", (data) => got.push(Number(String(data))))
        socket.pause()
        Deferred.doneUnsafe(peer, Effect.succeed(socket))
      })
      const wire = yield* NodeTransport.make({ sendBufferBytes: 100_000 }).dial(request(url))
      const socket = yield* Deferred.await(peer)
      let sent = 0
      const sender = yield* Effect.forkChild(
        Effect.gen(function*() {
          for (; sent < 3_000; sent++) {
            yield* wire.ready
            assert.isTrue(wire.write(String(sent).padStart(10_000, "0")))
          }
        }),
        { startImmediately: true }
      )
      yield* until(() => wire.bufferedBytes() > 100_000)
      yield* Effect.sleep(20)
      assert.isBelow(sent, 3_000)
      assert.isAtMost(wire.bufferedBytes(), 110_100)
      socket.resume()
      yield* Fiber.join(sender)
      yield* until(() => got.length === 3_000)
      assert.deepStrictEqual(got, Array.from({ length: 3_000 }, (_, n) => n))
    }))
})

describe("NodeTransport: ping and the end of a wire", () => {
  it.live("a ping completes on the pong with its own payload only", () =>
    Effect.gen(function*() {
      const pings: Array<Buffer> = []
      const peer = yield* Deferred.make<WebSocket>()
      const url = yield* serve((ws) => {
        ws.on("ping", (data) => pings.push(data))
        Deferred.doneUnsafe(peer, Effect.succeed(ws))
      }, { autoPong: false })
      const wire = yield* dial(url)
      const ws = yield* Deferred.await(peer)
      const first = yield* Effect.forkChild(wire.ping, { startImmediately: true })
      const second = yield* Effect.forkChild(wire.ping, { startImmediately: true })
      yield* until(() => pings.length === 2)
      ws.pong("wrong")
      ws.pong(pings[1])
      yield* Fiber.join(second)
      assert.isUndefined(first.pollUnsafe())
      ws.pong(pings[0])
      yield* Fiber.join(first)
    }))

  it.live("a ping fails when the wire ends", () =>
    Effect.gen(function*() {
      const url = yield* serve((ws) => ws.on("ping", () => ws.terminate()), { autoPong: false })
      const wire = yield* dial(url)
      assert.deepInclude(facts(yield* Effect.flip(wire.ping)), { by: "network", code: 1006 })
      assert.deepInclude(facts(yield* Effect.flip(wire.ping)), { by: "network", code: 1006 })
    }))

  it.live("our close is clean, the peer sees code and reason, nothing can be written after", () =>
    Effect.gen(function*() {
      const closes: Array<string> = []
      const url = yield* serve((ws) => ws.on("close", (code, reason) => closes.push(`${code} ${reason}`)))
      const wire = yield* dial(url)
      assert.deepStrictEqual(yield* wire.close(1000, "bye"), { clean: true })
      assert.deepStrictEqual(closes, ["1000 bye"])
      assert.deepStrictEqual(facts(yield* Effect.flip(wire.pull)), { by: "local", code: 1000, reason: "bye" })
      assert.isFalse(wire.write("late"))
      assert.deepStrictEqual(facts(yield* Effect.flip(wire.ready)), { by: "local", code: 1000, reason: "bye" })
      assert.deepStrictEqual(yield* wire.close(1000, "again"), { clean: true })
    }))

  it.live("our close goes through while reading is paused", () =>
    Effect.gen(function*() {
      const url = yield* serve((ws) => {
        for (let n = 0; n < 2_000; n++) ws.send("x".repeat(1_000))
      })
      const wire = yield* dial(url, { inboundBytes: 10_000 })
      yield* until(() => wire.paused())
      assert.deepStrictEqual(yield* wire.close(1000, ""), { clean: true })
    }))

  it.live("a reason too long for a close frame is cut at a character", () =>
    Effect.gen(function*() {
      const reasons: Array<string> = []
      const url = yield* serve((ws) => ws.on("close", (_, reason) => reasons.push(reason.toString())))
      const wire = yield* dial(url)
      yield* wire.close(1000, "ü".repeat(100))
      assert.deepStrictEqual(reasons, ["ü".repeat(61)])
    }))

  it.live("the peer's close: its code and reason, after what it sent", () =>
    Effect.gen(function*() {
      const url = yield* serve((ws) => {
        ws.send("last")
        ws.close(1012, "restart")
      })
      const { closed, frames } = yield* pullAll(yield* dial(url))
      assert.deepStrictEqual(frames, ["last"])
      assert.deepStrictEqual(facts(closed), { by: "peer", code: 1012, reason: "restart" })
    }))

  it.live("a close frame without a code is 1005", () =>
    Effect.gen(function*() {
      const url = yield* serve((ws) => ws.close())
      const { closed } = yield* pullAll(yield* dial(url))
      assert.deepStrictEqual(facts(closed), { by: "peer", code: 1005, reason: "" })
    }))

  it.live("a reset by the peer is 1006 by the network", () =>
    Effect.gen(function*() {
      const url = yield* serve((_, { socket }) => socket.resetAndDestroy())
      const { closed } = yield* pullAll(yield* dial(url))
      assert.deepInclude(facts(closed), { by: "network", code: 1006 })
    }))

  it.live("terminate ends the wire at once, without a close frame", () =>
    Effect.gen(function*() {
      const codes: Array<number> = []
      const url = yield* serve((ws) => ws.on("close", (code) => codes.push(code)))
      const wire = yield* dial(url)
      yield* wire.terminate
      assert.deepInclude(facts(yield* Effect.flip(wire.pull)), { by: "local", code: 1006 })
      assert.isFalse(wire.write("late"))
      yield* until(() => codes.length === 1)
      assert.deepStrictEqual(codes, [1006])
    }))

  it.live("the end of the scope ends the wire, and wakes who waits on it", () =>
    Effect.gen(function*() {
      const open = new Set<WebSocket>()
      const url = yield* serve((ws) => {
        open.add(ws)
        ws.on("close", () => open.delete(ws))
      })
      const scope = yield* Scope.make()
      const wire = yield* Scope.provide(dial(url), scope)
      yield* until(() => open.size === 1)
      const waiting = yield* Effect.forkChild(Effect.flip(wire.pull), { startImmediately: true })
      yield* Scope.close(scope, Exit.void)
      assert.deepInclude(facts(yield* Fiber.join(waiting)), { by: "local", code: 1006 })
      yield* until(() => open.size === 0)
    }))

  it.live("a thousand dials and drops leave no socket behind", () =>
    Effect.gen(function*() {
      let open = 0
      const url = yield* serve((ws) => {
        open++
        ws.on("close", () => open--)
        ws.send("hello")
      })
      for (let n = 0; n < 1_000; n++) yield* Effect.scoped(Effect.flatMap(dial(url), (wire) => wire.pull))
      yield* until(() => open === 0)
    }), 20_000)
})
