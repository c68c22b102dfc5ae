/**
 * The browser transport over a WebSocket that is played by hand: what it asks
 * of the constructor and of the socket, to the call.
 */
import { assert, describe, it } from "@effect/vitest"
import * as BrowserTransport from "@tickline/core/transport/BrowserTransport"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"
import { inspect } from "node:util"
import * as BrowserSocket from "../src/transport/internal/browserSocket.ts"
import { facts, opened, played, PlayedSocket, refusal, request } from "./BrowserTransport.rig.ts"

describe("BrowserTransport: dials", () => {
  it("claims nothing that a browser cannot do", () => {
    assert.deepStrictEqual(BrowserTransport.make(played().Constructor).capabilities, {
      headers: false,
      ping: false,
      pause: false,
      handshakeStatus: false
    })
  })

  it.effect("opens the URL as it is, with the subprotocols, and asks for bytes as ArrayBuffer", () =>
    Effect.gen(function*() {
      const { socket } = yield* opened({ protocols: ["v2.venue", "bearer.abc"] })
      assert.strictEqual(socket.url, "wss://venue.example/feed?key=s3cret")
      assert.deepStrictEqual(socket.protocols, ["v2.venue", "bearer.abc"])
      assert.strictEqual(socket.binaryType, "arraybuffer")
    }))

  it.effect("a header is refused with its name, never its value, before anything is dialled", () =>
    Effect.gen(function*() {
      for (const value of ["t0ken", Redacted.make("t0ken")]) {
        const { error, made } = yield* refusal({ headers: { Authorization: value } })
        assert.strictEqual(error.reason._tag, "Unsupported")
        assert.strictEqual(
          error.message,
          "wss://venue.example: unsupported: a browser sends no headers (Authorization): authenticate by a subprotocol or a first message"
        )
        assert.notInclude(inspect(error, { depth: 9 }), "t0ken")
        assert.strictEqual(made, 0)
      }
    }))

  it.effect("what is no ws:// or wss:// URL with a host is BadUrl", () =>
    Effect.gen(function*() {
      for (
        const url of [
          "",
          "/feed",
          "https://venue.example",
          "venue.example",
          "wss://",
          "wss:///feed",
          "wss://a.example#x"
        ]
      ) {
        const { error, made } = yield* refusal({ url })
        assert.deepStrictEqual([url, error.reason._tag, made], [url, "BadUrl", 0])
      }
    }))

  it.effect("a password travels over ws:// to loopback and to hosts allowed by name only", () =>
    Effect.gen(function*() {
      const refused = yield* refusal({ url: "ws://user:s3cret@venue.example/feed" })
      assert.strictEqual(refused.error.reason._tag, "BadUrl")
      assert.strictEqual(refused.made, 0)
      assert.notInclude(inspect(refused.error, { depth: 9 }), "s3cret")
      yield* opened({ url: "wss://user:s3cret@venue.example/feed" })
      yield* opened({ url: "ws://user:s3cret@127.0.0.1:8080/feed" })
      yield* opened({ url: "ws://user:s3cret@[::1]:8080/feed" })
      yield* opened({ url: "ws://user:s3cret@venue.example/feed", plaintextHosts: ["venue.example"] })
    }))

  it.effect("a constructor that throws is BadUrl, and what it said of the URL is not repeated", () =>
    Effect.gen(function*() {
      const Constructor = class extends PlayedSocket {
        constructor(url: string, protocols: ReadonlyArray<string>) {
          super(url, protocols)
          throw new SyntaxError(`The URL '${url}' is invalid.`)
        }
      }
      const error = yield* Effect.flip(Effect.scoped(BrowserTransport.make(Constructor).dial(request())))
      assert.strictEqual(error.reason._tag, "BadUrl")
      assert.notInclude(inspect(error, { depth: 9 }), "s3cret")
    }))

  it.effect("a dial that fails is Unreachable, and the socket is forgotten", () =>
    Effect.gen(function*() {
      const { Constructor, sockets } = played()
      const dialling = yield* Effect.forkChild(
        Effect.flip(Effect.scoped(BrowserTransport.make(Constructor).dial(request()))),
        { startImmediately: true }
      )
      sockets[0]!.ends(1006)
      const error = yield* Fiber.join(dialling)
      assert.strictEqual(error.message, "wss://venue.example: unreachable: a browser does not say why")
      assert.strictEqual(sockets[0]!.listening, 0)
    }))

  it.effect("a dial whose socket closes without an error is Unreachable as well", () =>
    Effect.gen(function*() {
      const { Constructor, sockets } = played()
      const dialling = yield* Effect.forkChild(
        Effect.flip(Effect.scoped(BrowserTransport.make(Constructor).dial(request()))),
        { startImmediately: true }
      )
      sockets[0]!.ends(1002)
      assert.strictEqual((yield* Fiber.join(dialling)).reason._tag, "Unreachable")
    }))

  it.effect("an interrupted dial closes its socket, and hears nothing of it any more", () =>
    Effect.gen(function*() {
      const { Constructor, sockets } = played()
      const dialling = yield* Effect.forkChild(
        Effect.scoped(BrowserTransport.make(Constructor).dial(request())),
        { startImmediately: true }
      )
      assert.strictEqual(sockets[0]!.listening, 4)
      yield* Fiber.interrupt(dialling)
      assert.strictEqual(sockets[0]!.closed.length, 1)
      assert.strictEqual(sockets[0]!.listening, 0)
    }))
})

describe("BrowserTransport: inbound", () => {
  it.effect("what arrives while nobody waits is one batch, in order; bytes are bytes", () =>
    Effect.gen(function*() {
      const { socket, wire } = yield* opened()
      socket.brings("one", new Uint8Array([1, 2, 255]).buffer, "", "zwei €")
      assert.deepStrictEqual(yield* wire.pull, ["one", new Uint8Array([1, 2, 255]), "", "zwei €"])
      socket.brings("next")
      assert.deepStrictEqual(yield* wire.pull, ["next"])
    }))

  it.effect("who waits is woken within the event", () =>
    Effect.gen(function*() {
      const { socket, wire } = yield* opened()
      const pulling = yield* Effect.forkChild(wire.pull, { startImmediately: true })
      socket.brings("now")
      assert.deepStrictEqual(pulling.pollUnsafe(), Exit.succeed(["now"]))
      socket.brings("later")
      assert.deepStrictEqual(yield* wire.pull, ["later"])
    }))

  it.effect("an interrupted pull loses nothing", () =>
    Effect.gen(function*() {
      const { socket, wire } = yield* opened()
      yield* Fiber.interrupt(yield* Effect.forkChild(wire.pull, { startImmediately: true }))
      socket.brings("kept")
      assert.deepStrictEqual(yield* wire.pull, ["kept"])
    }))

  it.effect("a message over the limit ends the wire with 1009, after what came before; the peer sees 4009", () =>
    Effect.gen(function*() {
      const { socket, wire } = yield* opened({ maxMessageBytes: 4 })
      socket.brings("1234", new Uint8Array(4).buffer, "12345", "late")
      assert.deepStrictEqual(yield* wire.pull, ["1234", new Uint8Array(4)])
      assert.deepStrictEqual(facts(yield* Effect.flip(wire.pull)), {
        by: "local",
        code: 1009,
        reason: "message over 4 bytes"
      })
      assert.deepStrictEqual(socket.closed, [[4009, "message over 4 bytes"]])
      assert.isFalse(wire.write("x"))
    }))

  it.effect("what waits is bounded: a message beyond inboundBytes ends the wire, and what waited is delivered", () =>
    Effect.gen(function*() {
      const { socket, wire } = yield* opened({ inboundBytes: 8 })
      socket.brings("1234567", "8")
      assert.deepStrictEqual(yield* wire.pull, ["1234567", "8"])
      for (let i = 0; i < 3; i++) {
        socket.brings("1234", "5678")
        assert.deepStrictEqual(yield* wire.pull, ["1234", "5678"])
      }
      socket.brings("1234", "5678", "over")
      for (let i = 0; i < 1_000; i++) socket.brings("more")
      assert.deepStrictEqual(yield* wire.pull, ["1234", "5678"])
      assert.deepStrictEqual(facts(yield* Effect.flip(wire.pull)), {
        by: "local",
        code: 1009,
        reason: "inbound overflow: 8 bytes wait"
      })
      assert.deepStrictEqual(socket.closed, [[4009, "inbound overflow: 8 bytes wait"]])
      assert.isFalse(wire.paused())
    }))

  it.effect("what waits is bounded where it has no bytes, too", () =>
    Effect.gen(function*() {
      const { socket, wire } = yield* opened({ inboundBytes: 65_536 })
      socket.brings(...Array.from({ length: 5_000 }, () => ""))
      assert.strictEqual((yield* wire.pull).length, 1_024 + 65_536 / 64)
      assert.strictEqual((yield* Effect.flip(wire.pull)).reason, "inbound overflow: 2048 messages wait")
    }))

  it.effect("a message that is neither text nor bytes is not lost in silence", () =>
    Effect.gen(function*() {
      const { socket, wire } = yield* opened()
      socket.brings(new Blob(["x"]))
      assert.strictEqual((yield* Effect.flip(wire.pull)).code, 1003)
      assert.strictEqual(socket.closed[0]?.[0], 4003)
    }))
})

describe("BrowserTransport: outbound", () => {
  it.effect("writes text and bytes, and says no when the socket is not open", () =>
    Effect.gen(function*() {
      const { socket, wire } = yield* opened()
      assert.isTrue(wire.write("a"))
      assert.isTrue(wire.write(new Uint8Array([1])))
      const shared = new Uint8Array(new SharedArrayBuffer(1)).fill(7)
      assert.isTrue(wire.write(shared))
      socket.readyState = 2
      assert.isFalse(wire.write("b"))
      assert.deepStrictEqual(socket.sent, ["a", new Uint8Array([1]), new Uint8Array([7])])
    }))

  it("leaves codes from 1016 on as they are, which nobody may send", () => {
    assert.deepStrictEqual([999, 1000, 1001, 1015, 1016, 2999].map(BrowserSocket.sentCode), [
      999,
      1000,
      4001,
      4015,
      1016,
      2999
    ])
  })

  it.effect("is ready while a mebibyte at most is in the socket, where nothing else is said", () =>
    Effect.gen(function*() {
      const { socket, wire } = yield* opened()
      socket.bufferedAmount = 1_048_576
      yield* wire.ready
      socket.bufferedAmount = 1_048_577
      const waiting = yield* Effect.forkChild(wire.ready, { startImmediately: true })
      yield* TestClock.adjust("1 second")
      assert.isUndefined(waiting.pollUnsafe())
    }))

  it.effect("is ready again when the socket's buffer has drained, and fails when the wire ends first", () =>
    Effect.gen(function*() {
      const { socket, wire } = yield* opened({}, { sendBufferBytes: 10 })
      socket.bufferedAmount = 10
      yield* wire.ready
      socket.bufferedAmount = 11
      assert.strictEqual(wire.bufferedBytes(), 11)
      const waiting = yield* Effect.forkChild(wire.ready, { startImmediately: true })
      yield* TestClock.adjust("1 minute")
      assert.isUndefined(waiting.pollUnsafe())
      socket.bufferedAmount = 0
      yield* TestClock.adjust("10 millis")
      assert.deepStrictEqual(waiting.pollUnsafe(), Exit.void)
      socket.bufferedAmount = 11
      const failing = yield* Effect.forkChild(Effect.flip(wire.ready), { startImmediately: true })
      socket.ends(1006)
      yield* TestClock.adjust("10 millis")
      assert.strictEqual((yield* Fiber.join(failing)).code, 1006)
      assert.strictEqual((yield* Effect.flip(wire.ready)).code, 1006)
    }))

  it.effect("no pong ever comes: a ping waits, and fails with the wire", () =>
    Effect.gen(function*() {
      const { socket, wire } = yield* opened()
      const pinging = yield* Effect.forkChild(Effect.flip(wire.ping), { startImmediately: true })
      yield* TestClock.adjust("1 hour")
      assert.isUndefined(pinging.pollUnsafe())
      assert.deepStrictEqual(socket.sent, [])
      socket.ends(1001)
      assert.strictEqual((yield* Fiber.join(pinging)).code, 1001)
      assert.strictEqual((yield* Effect.flip(wire.ping)).code, 1001)
    }))
})

describe("BrowserTransport: the end", () => {
  it.effect("tells who ended it, after what came before", () =>
    Effect.gen(function*() {
      const { socket, wire } = yield* opened()
      socket.brings("last")
      socket.ends(1012, "restart")
      assert.deepStrictEqual(yield* wire.pull, ["last"])
      assert.deepStrictEqual(facts(yield* Effect.flip(wire.pull)), { by: "peer", code: 1012, reason: "restart" })
      const other = yield* opened()
      const pulling = yield* Effect.forkChild(Effect.flip(other.wire.pull), { startImmediately: true })
      other.socket.ends(1006)
      assert.deepStrictEqual(facts(yield* Fiber.join(pulling)), { by: "network", code: 1006, reason: "" })
    }))

  it.effect("closes with a code that a page may send, and waits for the peer", () =>
    Effect.gen(function*() {
      for (
        const [code, seen] of [
          [1000, 1000],
          [1001, 4001],
          [1011, 4011],
          [1015, 4015],
          [3000, 3000],
          [4999, 4999]
        ] as const
      ) {
        const { socket, wire } = yield* opened()
        const closing = yield* Effect.forkChild(wire.close(code, "bye"), { startImmediately: true })
        assert.deepStrictEqual(socket.closed, [[seen, "bye"]])
        assert.isFalse(wire.write("too late"))
        assert.isUndefined(closing.pollUnsafe())
        socket.ends(seen, "bye")
        assert.deepStrictEqual(yield* Fiber.join(closing), { clean: true })
        assert.deepStrictEqual(facts(yield* Effect.flip(wire.pull)), { by: "local", code, reason: "bye" })
        assert.deepStrictEqual(yield* wire.close(code, "again"), { clean: true })
      }
    }))

  it.effect("a close that the peer answered stays clean where the puller terminates at once", () =>
    Effect.gen(function*() {
      const { socket, wire } = yield* opened()
      const pulling = yield* Effect.forkChild(
        Effect.flip(wire.pull).pipe(Effect.tap(() => wire.terminate)),
        { startImmediately: true }
      )
      const closing = yield* Effect.forkChild(wire.close(1000, "bye"), { startImmediately: true })
      socket.ends(1000, "bye")
      assert.deepStrictEqual(yield* Fiber.join(closing), { clean: true })
      assert.strictEqual((yield* Fiber.join(pulling)).reason, "bye")
    }))

  it.effect("a second close waits for the same end, which is told as the first asked for it", () =>
    Effect.gen(function*() {
      const { socket, wire } = yield* opened()
      const closing = [
        yield* Effect.forkChild(wire.close(1000, "first"), { startImmediately: true }),
        yield* Effect.forkChild(wire.close(1000, "second"), { startImmediately: true })
      ]
      assert.deepStrictEqual(socket.closed, [[1000, "first"]])
      socket.ends(1000, "bye")
      for (const fiber of closing) assert.deepStrictEqual(yield* Fiber.join(fiber), { clean: true })
      assert.deepStrictEqual(facts(yield* Effect.flip(wire.pull)), { by: "local", code: 1000, reason: "first" })
    }))

  it.effect("a close that the peer does not answer is not clean", () =>
    Effect.gen(function*() {
      const { socket, wire } = yield* opened()
      const closing = yield* Effect.forkChild(wire.close(1000, ""), { startImmediately: true })
      socket.ends(1006)
      assert.deepStrictEqual(yield* Fiber.join(closing), { clean: false })
    }))

  it.effect("a reason is cut to 123 bytes, between characters", () =>
    Effect.gen(function*() {
      for (
        const [reason, sent] of [
          ["x".repeat(200), "x".repeat(123)],
          ["x".repeat(121) + "€", "x".repeat(121)],
          ["x".repeat(120) + "€€", "x".repeat(120) + "€"],
          ["x".repeat(120) + "😀", "x".repeat(120)],
          ["ä".repeat(62), "ä".repeat(61)],
          ["\ud800", "\ufffd"],
          // The last character of each length in UTF-8, and the first of the next.
          ["x".repeat(122) + "\u007f", "x".repeat(122) + "\u007f"],
          ["x".repeat(122) + "\u0080", "x".repeat(122)],
          ["x".repeat(121) + "\u07ff", "x".repeat(121) + "\u07ff"],
          ["x".repeat(121) + "\u0800", "x".repeat(121)],
          ["x".repeat(120) + "\uffff", "x".repeat(120) + "\uffff"],
          ["x".repeat(120) + "\u{10000}", "x".repeat(120)],
          ["x".repeat(119) + "\u{10000}", "x".repeat(119) + "\u{10000}"]
        ] as const
      ) {
        const { socket, wire } = yield* opened()
        yield* Effect.forkChild(wire.close(1000, reason), { startImmediately: true })
        assert.deepStrictEqual(socket.closed, [[1000, sent]])
      }
    }))

  it.effect("a terminated wire is over at once: it listens no more, whatever the old socket brings", () =>
    Effect.gen(function*() {
      const { socket, wire } = yield* opened()
      const closing = yield* Effect.forkChild(wire.close(1000, ""), { startImmediately: true })
      socket.brings("before")
      yield* wire.terminate
      assert.deepStrictEqual(yield* Fiber.join(closing), { clean: false })
      assert.strictEqual(socket.listening, 0)
      socket.brings("after")
      socket.ends(1001)
      assert.deepStrictEqual(yield* wire.pull, ["before"])
      assert.deepStrictEqual(facts(yield* Effect.flip(wire.pull)), { by: "local", code: 1006, reason: "terminated" })
    }))

  it.effect("the scope's end closes the socket and removes every listener", () =>
    Effect.gen(function*() {
      const scope = yield* Scope.make()
      const { socket, wire } = yield* Scope.provide(opened(), scope)
      assert.strictEqual(socket.listening, 4)
      yield* Scope.close(scope, Exit.void)
      assert.strictEqual(socket.listening, 0)
      assert.strictEqual(socket.closed.length, 1)
      assert.strictEqual((yield* Effect.flip(wire.pull)).reason, "terminated")
    }))
})
