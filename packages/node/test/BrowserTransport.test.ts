/**
 * The browser transport over a WebSocket that a standard made: Node's own
 * global, handed in as a page hands in its own, against real servers.
 */
import { assert, describe, it } from "@effect/vitest"
import * as BearerToken from "@tickline/core/connection/BearerToken"
import * as Connection from "@tickline/core/connection/Connection"
import * as Reconnection from "@tickline/core/connection/Reconnection"
import type * as ConnectionPolicy from "@tickline/core/resilience/ConnectionPolicy"
import * as BrowserTransport from "@tickline/core/transport/BrowserTransport"
import type { Frame } from "@tickline/core/transport/Frame"
import type { DialRequest, Wire } from "@tickline/core/transport/Transport"
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as References from "effect/References"
import { createServer } from "node:http"
import type { AddressInfo } from "node:net"
import { type WebSocket as Peer, WebSocketServer } from "ws"
import * as BrowserSocket from "../../core/src/transport/internal/browserSocket.ts"
import { type Behaviour, behaviours } from "../../testing/test/behaviours/ConnectionBehaviour.ts"
import { listening } from "./Loopback.ts"

const transport = BrowserTransport.make(WebSocket)

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

const refusal = (url: string, options?: Partial<DialRequest>) => Effect.flip(Effect.scoped(dial(url, options)))

/** Listens on a free loopback port; the scope's end cuts what is left. */
const serve = (onConnection: (peer: Peer) => void) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.callback<WebSocketServer>((resume) => {
        const server: WebSocketServer = new WebSocketServer({ host: "127.0.0.1", port: 0 }, () =>
          resume(Effect.succeed(server)))
        server.on("connection", (peer) => {
          peer.on("error", () => {})
          onConnection(peer)
        })
      }),
      (server) =>
        Effect.callback<void>((resume) => {
          for (const peer of server.clients) {
            peer.terminate()
          }
          server.close(() =>
            resume(Effect.void)
          )
        })
    ),
    // A TCP server's address is an object.
    (server) => `ws://127.0.0.1:${(server.address() as AddressInfo).port}`
  )

const pullUntil = (wire: Wire, count: number) =>
  Effect.gen(function*() {
    const frames: Array<Frame> = []
    while (frames.length < count) frames.push(...yield* wire.pull)
    return frames
  })

/** Waits for an outside fact, a turn of the event loop at a time. */
const until = (condition: () => boolean) =>
  Effect.gen(function*() {
    while (!condition()) yield* Effect.sleep(1)
  })

describe("BrowserTransport over Node's WebSocket", () => {
  it.live("nobody listens, and a refused upgrade: both are Unreachable", () =>
    Effect.gen(function*() {
      const http = createServer((_, response) => void response.writeHead(403).end())
      const port = yield* Effect.callback<number>((resume) => {
        http.listen(0, "127.0.0.1", () => resume(Effect.succeed((http.address() as AddressInfo).port)))
      })
      assert.strictEqual((yield* refusal(`ws://127.0.0.1:${port}`)).reason._tag, "Unreachable")
      yield* Effect.callback<void>((resume) => {
        http.close(() => resume(Effect.void))
        http.closeAllConnections()
      })
      assert.strictEqual((yield* refusal(`ws://127.0.0.1:${port}`)).reason._tag, "Unreachable")
    }))

  it.live("a port out of bounds, or a subprotocol that is none, is refused", () =>
    Effect.gen(function*() {
      assert.strictEqual((yield* refusal("ws://127.0.0.1:99999/")).reason._tag, "BadUrl")
      assert.strictEqual((yield* refusal("ws://127.0.0.1/", { protocols: ["a b"] })).reason._tag, "BadHeader")
    }))

  it.live("carries 10,000 texts and bytes both ways, in order", () =>
    Effect.gen(function*() {
      const url = yield* serve((peer) => peer.on("message", (data, isBinary) => peer.send(data, { binary: isBinary })))
      const wire = yield* dial(url)
      const sent = Array.from({ length: 10_000 }, (_, i) => i % 2 === 0 ? `${i} €` : new Uint8Array([i & 255, i >> 8]))
      for (const frame of sent) {
        yield* wire.ready
        assert.isTrue(wire.write(frame))
      }
      assert.deepStrictEqual(yield* pullUntil(wire, sent.length), sent)
    }))

  it.live("waits until a burst beyond the bound has gone", () =>
    Effect.gen(function*() {
      let received = 0
      const url = yield* serve((peer) => peer.on("message", (data: Buffer) => received += data.byteLength))
      const wire = yield* dial(url)
      const megabyte = new Uint8Array(1_048_576)
      for (let i = 0; i < 8; i++) wire.write(megabyte)
      assert.isAbove(wire.bufferedBytes(), 1_048_576)
      yield* wire.ready
      assert.isAtMost(wire.bufferedBytes(), 1_048_576)
      yield* until(() => received === 8 * megabyte.length)
    }))

  it.live("offers subprotocols, and the peer's close code and reason arrive", () =>
    Effect.gen(function*() {
      const url = yield* serve((peer) => {
        peer.send(peer.protocol)
        peer.close(4001, "token expired")
      })
      const wire = yield* dial(url, { protocols: ["bearer.abc"] })
      assert.deepStrictEqual(yield* wire.pull, ["bearer.abc"])
      const { by, code, reason } = yield* Effect.flip(wire.pull)
      assert.deepStrictEqual({ by, code, reason }, { by: "peer", code: 4001, reason: "token expired" })
    }))

  it.live("codes that a page may not send arrive as 3000 more; a message over the limit is one", () =>
    Effect.gen(function*() {
      const codes: Array<number> = []
      const url = yield* serve((peer) => {
        peer.on("close", (code) => codes.push(code))
        peer.send("x".repeat(100))
      })
      const wire = yield* dial(url)
      assert.deepStrictEqual(yield* wire.close(1001, "going away"), { clean: true })
      yield* until(() => codes.length === 1)
      const small = yield* dial(url, { maxMessageBytes: 99 })
      assert.strictEqual((yield* Effect.flip(small.pull)).code, 1009)
      yield* until(() => codes.length === 2)
      assert.deepStrictEqual(codes, [4001, 4009])
    }))

  it.live("a flood that nobody takes ends the wire, and what waits stays within the bounds", () =>
    Effect.gen(function*() {
      const url = yield* serve((peer) => {
        for (let i = 0; i < 100; i++) peer.send("x".repeat(1_000))
      })
      const wire = yield* dial(url, { inboundBytes: 10_000, maxMessageBytes: 1_000 })
      // Nothing is pulled: the wire ends by itself.
      yield* until(() => !wire.write("still there?"))
      const frames = yield* wire.pull
      assert.strictEqual(frames.length, 10)
      assert.include((yield* Effect.flip(wire.pull)).reason, "inbound overflow")
    }))
})

const onBrowser = (policy: ConnectionPolicy.ConnectionPolicy, behaviour: Behaviour) =>
  Effect.flatMap(
    listening,
    ({ harness }) =>
      Effect.scoped(behaviour({ ...harness, seenAs: BrowserSocket.sentCode })).pipe(
        Effect.provide([Reconnection.layerWithBreaker(policy), BrowserTransport.layer(WebSocket)]),
        Effect.provideService(References.MinimumLogLevel, "None")
      )
  )

describe("A connection over a browser's WebSocket", () => {
  it.live("a bearer token is a header: the connect fails with what to do instead, and is not repeated", () =>
    Effect.gen(function*() {
      let dials = 0
      const url = yield* serve(() => dials++)
      const connection = yield* Connection.make(url, { auth: yield* BearerToken.make(Redacted.make("abc")) })
      const error = yield* Effect.flip(connection.connect)
      assert.strictEqual(error._tag === "DialError" && error.reason._tag, "Unsupported")
      assert.include(error.message, "authenticate by a subprotocol or a first message")
      assert.strictEqual(dials, 0)
    }).pipe(
      Effect.provide([BrowserTransport.layer(WebSocket), Reconnection.layerWithBreaker()]),
      Effect.provideService(References.MinimumLogLevel, "None")
    ))

  for (const { name, needs, policy, run } of behaviours) {
    it.live.skipIf(needs !== undefined && !transport.capabilities[needs])(name, () => onBrowser(policy, run))
  }
})
