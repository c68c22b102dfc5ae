import { assert, describe, it } from "@effect/vitest"
import * as NodeTransport from "@tickline/node/NodeTransport"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import type { Socket } from "node:net"
import { WebSocket } from "ws"
import { dial, facts, pullAll, pullUntil, request, serve, until } from "./Sockets.ts"

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

  it.live("a lone message is with its reader before its event is over, those of one read are one batch", () =>
    Effect.gen(function*() {
      const peer = yield* Deferred.make<{ readonly ws: WebSocket; readonly socket: Socket }>()
      const url = yield* serve((ws, { socket }) => Deferred.doneUnsafe(peer, Effect.succeed({ ws, socket })))
      const wire = yield* dial(url)
      const { socket, ws } = yield* Deferred.await(peer)
      const delivered: Array<readonly [frames: string, within: string]> = []
      let within = "none"
      const emit = WebSocket.prototype.emit
      WebSocket.prototype.emit = function(this: WebSocket, event: string | symbol, ...args: Array<unknown>) {
        if (event === "message") within = String(args[0])
        try {
          return Reflect.apply(emit, this, [event, ...args])
        } finally {
          within = "none"
        }
      }
      yield* Effect.addFinalizer(() => Effect.sync(() => void (WebSocket.prototype.emit = emit)))
      const each = wire.pull.each?.((frames) => delivered.push([frames.join(), within]) < 2)
      yield* Effect.forkScoped(each ?? Effect.die("a wire over ws reads each"), { startImmediately: true })
      ws.send("alone")
      yield* until(() => delivered.length === 1)
      socket.cork()
      for (const frame of ["first", "second", "third"]) ws.send(frame)
      socket.uncork()
      yield* until(() => delivered.length === 2)
      assert.deepStrictEqual(delivered, [["alone", "alone"], ["first,second,third", "none"]])
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

  it.live("each hands over in the callback that read, until it is told to stop; then a pull goes on", () =>
    Effect.gen(function*() {
      const url = yield* serve((ws) => {
        ws.on("message", () => ws.send("x"))
        ws.send("a")
      })
      const wire = yield* dial(url)
      assert.isDefined(wire.pull.each)
      const seen: Array<string> = []
      yield* wire.pull.each((frames) => {
        seen.push(...frames.map(String))
        wire.write("more")
        return seen.length < 3
      })
      assert.deepStrictEqual(seen, ["a", "x", "x"])
      assert.deepStrictEqual(yield* wire.pull, ["x"])
      wire.write("more")
      const interrupted = yield* Effect.forkChild(wire.pull.each(() => true), { startImmediately: true })
      yield* Fiber.interrupt(interrupted)
      assert.deepStrictEqual(yield* wire.pull, ["x"])
    }))

  it.live("each ends with the wire, after all that came before; what it is given to throw is a defect", () =>
    Effect.gen(function*() {
      const url = yield* serve((ws) => {
        for (let n = 0; n < 20_000; n++) ws.send(`${n}`)
        ws.close(4001, "done")
      })
      const wire = yield* dial(url, { inboundBytes: 65_536 })
      assert.isDefined(wire.pull.each)
      const defect = yield* Effect.exit(wire.pull.each(() => {
        throw new Error("no")
      }))
      assert.isTrue(Exit.hasDies(defect))
      let last = 0
      const closed = yield* Effect.flip(wire.pull.each((frames) => {
        for (const frame of frames) last = Number(frame)
        return true
      }))
      assert.strictEqual(last, 19_999)
      assert.deepStrictEqual(facts(closed), { by: "peer", code: 4001, reason: "done" })
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
