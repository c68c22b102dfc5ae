/** The virtual network by itself, to the millisecond and the byte: a wire on one side, its peer on the other. */
import { assert, describe, it } from "@effect/vitest"
import type { DialRequest } from "@tickline/core/transport/Transport"
import * as VirtualNetwork from "@tickline/testing/VirtualNetwork"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"

const url = "ws://venue.test/feed"

const request = (change: Partial<DialRequest> = {}): DialRequest => ({
  url,
  headers: {},
  protocols: [],
  maxMessageBytes: 1_000,
  inboundBytes: 10,
  deflate: false,
  plaintextHosts: [],
  ...change
})

/** A network with one host, and a wire to it that is open. */
const connected = (options: VirtualNetwork.Options = {}, change: Partial<DialRequest> = {}) =>
  Effect.gen(function*() {
    const network = yield* VirtualNetwork.make({ seed: 1, ...options })
    const host = yield* network.serve(url)
    const wire = yield* network.transport.dial(request(change))
    return { network, host, wire, peer: yield* host.nextPeer }
  })

/** Whether an effect that has begun is over, now. */
const isOver = <A, E>(fiber: Fiber.Fiber<A, E>): boolean => fiber.pollUnsafe() !== undefined

describe("the timeline", () => {
  it.effect("runs what is due in order of time, and what is due together in order of scheduling", () =>
    Effect.gen(function*() {
      const network = yield* VirtualNetwork.make()
      const ran: Array<string> = []
      const note = (name: string) => () => {
        ran.push(name)
      }
      for (const [at, name] of [[5, "a"], [3, "b"], [5, "c"], [4, "d"], [5, "e"], [0, "f"], [3, "g"]] as const) {
        network.schedule(at, note(name))
      }
      network.schedule(4, () => network.schedule(1, note("last of five")))
      const seen: Array<string> = []
      for (let at = 0; at <= 6; at++) {
        yield* TestClock.adjust(at === 0 ? 0 : 1)
        seen.push(ran.splice(0).join(" "))
      }
      assert.deepStrictEqual(seen, ["f", "", "", "b g", "d", "a c e last of five", ""])
    }))

  it.effect("ends with the network", () =>
    Effect.gen(function*() {
      let ran = 0
      yield* Effect.scoped(Effect.map(VirtualNetwork.make(), (network) => network.schedule(5, () => void ran++)))
      yield* TestClock.adjust(10)
      assert.strictEqual(ran, 0)
    }))
})

describe("a wire", () => {
  it.effect("is late by the latency of the moment, each way, and nothing overtakes", () =>
    Effect.gen(function*() {
      const network = yield* VirtualNetwork.make({ seed: 1, latency: 10, logFrames: true })
      const host = yield* network.serve(url)
      const dialling = yield* Effect.forkChild(network.transport.dial(request()), { startImmediately: true })
      yield* TestClock.adjust(19)
      assert.isFalse(isOver(dialling))
      yield* TestClock.adjust(1)
      const wire = yield* Fiber.join(dialling)
      const [peer] = host.peers()
      assert.isDefined(peer)
      if (peer === undefined) return
      yield* peer.send("a", "b")
      yield* TestClock.adjust(5)
      wire.write("x")
      yield* network.setLatency(1)
      wire.write("y")
      yield* TestClock.adjust(1)
      // Sent later and faster, they wait for those before them.
      wire.write("z")
      yield* host.setLatency({ min: 7, max: 7 })
      yield* peer.send("c")
      yield* TestClock.adjust(1)
      yield* host.setLatency(undefined)
      yield* peer.send("d")
      yield* TestClock.adjust(20)
      wire.write("at last")
      yield* TestClock.adjust(1)
      const at = (time: number, event: string) => `${time} ${event}`
      const on = "connection=ws://venue.test#1"
      assert.deepStrictEqual(network.log.lines, [
        at(0, "dial host=ws://venue.test outcome=Accept"),
        at(20, `open ${on}`),
        at(30, `out ${on} frame=a`),
        at(30, `out ${on} frame=b`),
        at(33, `out ${on} frame=c`),
        at(33, `out ${on} frame=d`),
        at(35, `in ${on} frame=x`),
        at(35, `in ${on} frame=y`),
        at(35, `in ${on} frame=z`),
        at(48, `in ${on} frame=at last`)
      ])
      assert.deepStrictEqual(yield* wire.pull, ["a", "b", "c", "d"])
      assert.deepStrictEqual(peer.received, ["x", "y", "z", "at last"])
    }))

  it.effect("is late by each of the milliseconds between two bounds, both of them included", () =>
    Effect.gen(function*() {
      const { host, network, wire } = yield* connected()
      const seen = new Set<number>()
      yield* host.setLatency({ min: 2, max: 4 })
      for (let n = 0; n < 40; n++) {
        const sent = network.log.lines.length
        wire.write("x")
        for (let after = 0; after <= 6; after++) {
          const { received } = host.peers()[0] ?? { received: [] }
          if (received.length > n) {
            seen.add(after)
            break
          }
          yield* TestClock.adjust(1)
        }
        yield* TestClock.adjust(10)
        assert.strictEqual(network.log.lines.length, sent)
      }
      assert.deepStrictEqual([...seen].sort(), [2, 3, 4])
    }))

  it.effect("stops reading at its bound of bytes, and goes on where what has come is pulled", () =>
    Effect.gen(function*() {
      const { peer, wire } = yield* connected()
      yield* peer.send("12345", "6789")
      assert.isFalse(wire.paused())
      assert.strictEqual(peer.unreadBytes(), 0)
      yield* peer.send("0", "ab", "cd")
      assert.isTrue(wire.paused())
      assert.strictEqual(peer.unreadBytes(), 4)
      assert.deepStrictEqual(yield* wire.pull, ["12345", "6789", "0"])
      assert.isFalse(wire.paused())
      assert.strictEqual(peer.unreadBytes(), 0)
      assert.deepStrictEqual(yield* wire.pull, ["ab", "cd"])
      const pulling = yield* Effect.forkChild(wire.pull, { startImmediately: true })
      assert.isFalse(isOver(pulling))
      yield* peer.send("e")
      assert.deepStrictEqual(yield* Fiber.join(pulling), ["e"])
    }))

  it.effect("ends at a message that is too long, as one too large", () =>
    Effect.gen(function*() {
      const { host, peer, wire } = yield* connected()
      yield* peer.send("x".repeat(1_000))
      assert.strictEqual((yield* wire.pull)[0].length, 1_000)
      yield* peer.send("x".repeat(1_001))
      const { by, code, reason } = yield* Effect.flip(wire.pull)
      assert.deepStrictEqual([by, code, reason], ["local", 1009, "message of 1001 bytes is too large"])
      assert.isFalse(peer.isOpen())
      assert.deepStrictEqual(host.peers(), [])
      assert.isFalse(wire.write("late"))
    }))

  it.effect("is half-open while it is frozen: nothing gets through until it thaws, then all of it does", () =>
    Effect.gen(function*() {
      const { network, peer, wire } = yield* connected()
      yield* peer.freeze
      yield* peer.freeze
      yield* peer.send("a", "b")
      wire.write("x")
      const pinging = yield* Effect.forkChild(wire.ping, { startImmediately: true })
      wire.write("y")
      yield* TestClock.adjust(1_000)
      assert.isFalse(isOver(pinging))
      assert.deepStrictEqual(peer.received, [])
      assert.strictEqual(wire.bufferedBytes(), 2)
      assert.strictEqual(peer.unreadBytes(), 2)
      yield* peer.thaw
      yield* peer.thaw
      yield* Fiber.join(pinging)
      assert.deepStrictEqual(peer.received, ["x", "y"])
      assert.deepStrictEqual(yield* wire.pull, ["a", "b"])
      assert.strictEqual(wire.bufferedBytes(), 0)
      yield* peer.drop
      yield* peer.freeze
      yield* peer.thaw
      assert.deepStrictEqual(network.log.lines.slice(2), [
        "0 freeze connection=ws://venue.test#1",
        "1000 thaw connection=ws://venue.test#1",
        "1000 end connection=ws://venue.test#1 by=network code=1006"
      ])
    }))

  it.effect("is ready while less than a mebibyte waits for a peer that does not read", () =>
    Effect.gen(function*() {
      const { peer, wire } = yield* connected()
      const isReady = Effect.map(Effect.forkChild(wire.ready, { startImmediately: true }), isOver)
      yield* peer.stopReading(true)
      wire.write("x".repeat(1_048_575))
      assert.isTrue(yield* isReady)
      wire.write("y")
      assert.isFalse(yield* isReady)
      assert.strictEqual(wire.bufferedBytes(), 1_048_576)
      const pinging = yield* Effect.forkChild(wire.ping, { startImmediately: true })
      assert.isFalse(isOver(pinging))
      yield* peer.stopReading(false)
      assert.isTrue(yield* isReady)
      yield* Fiber.join(pinging)
      assert.strictEqual(peer.received.length, 2)
    }))

  it.effect("hears a ping where it is answered, and fails one that the end overtakes", () =>
    Effect.gen(function*() {
      const { host, peer, wire } = yield* connected()
      let heard = 0
      peer.onPing(() => void heard++)
      yield* wire.ping
      assert.strictEqual(heard, 1)
      yield* host.setLatency(5)
      const pinging = yield* Effect.forkChild(wire.ping, { startImmediately: true })
      yield* TestClock.adjust(9)
      assert.strictEqual(heard, 2)
      assert.isFalse(isOver(pinging))
      yield* TestClock.adjust(1)
      yield* Fiber.join(pinging)
      const failing = yield* Effect.forkChild(Effect.flip(wire.ping), { startImmediately: true })
      yield* host.drop
      assert.strictEqual((yield* Fiber.join(failing)).code, 1006)
      assert.strictEqual((yield* Effect.flip(wire.ping)).code, 1006)
    }))

  it.effect("ends once, by whoever was first, and says how", () =>
    Effect.gen(function*() {
      const ended = (end: (stage: Effect.Success<ReturnType<typeof connected>>) => Effect.Effect<unknown>) =>
        Effect.gen(function*() {
          const stage = yield* connected()
          yield* end(stage)
          const { by, code, reason } = yield* Effect.flip(stage.wire.pull)
          const told = yield* stage.peer.ended
          assert.deepStrictEqual([told.by, told.code, told.reason], [by, code, reason])
          yield* stage.peer.drop
          yield* stage.peer.send("late")
          return `${by} ${code} ${reason}`
        })
      assert.strictEqual(yield* ended(({ peer }) => peer.close()), "peer 1000 ")
      assert.strictEqual(yield* ended(({ peer }) => peer.close(4_000, "bye")), "peer 4000 bye")
      assert.strictEqual(yield* ended(({ peer }) => peer.drop), "network 1006 connection reset")
      assert.strictEqual(yield* ended(({ wire }) => wire.terminate), "local 1006 terminated")
      assert.strictEqual(
        yield* ended(({ wire }) => Effect.map(wire.close(1000, "done"), ({ clean }) => assert.isTrue(clean))),
        "local 1000 done"
      )
    }))

  it.effect("is not closed cleanly where it breaks before the peer has answered", () =>
    Effect.gen(function*() {
      const { host, peer, wire } = yield* connected()
      yield* host.setLatency(5)
      const closing = yield* Effect.forkChild(wire.close(1000, ""), { startImmediately: true })
      yield* TestClock.adjust(9)
      assert.isFalse(isOver(closing))
      yield* peer.drop
      assert.deepStrictEqual(yield* Fiber.join(closing), { clean: false })
      assert.deepStrictEqual(yield* wire.close(1000, ""), { clean: true })
    }))

  it.effect("has a close frame after what was sent before, and nothing of what is sent after", () =>
    Effect.gen(function*() {
      const { host, network, peer, wire } = yield* connected()
      yield* host.setLatency(5)
      yield* peer.send("a")
      yield* peer.close(4_000)
      yield* peer.close(4_001)
      yield* peer.send("b")
      assert.isTrue(peer.isOpen())
      yield* TestClock.adjust(5)
      assert.deepStrictEqual(yield* wire.pull, ["a"])
      assert.strictEqual((yield* Effect.flip(wire.pull)).code, 4_000)
      assert.strictEqual(network.log.lines.at(-1), "5 end connection=ws://venue.test#1 by=peer code=4000")
    }))

  it.effect("has in place of each message what a rule says", () =>
    Effect.gen(function*() {
      const { peer, wire } = yield* connected()
      yield* peer.alter((frame) => frame === "lost" ? [] : [frame, `${String(frame)}2`])
      yield* peer.send("a", "lost", "b")
      assert.deepStrictEqual(yield* wire.pull, ["a", "a2", "b", "b2"])
      yield* peer.alter(undefined)
      yield* peer.send("lost")
      assert.deepStrictEqual(yield* wire.pull, ["lost"])
    }))

  it.effect("says its headers by name without case, and hands messages to listeners and to who waits", () =>
    Effect.gen(function*() {
      const { peer, wire } = yield* connected({}, { headers: { "User-Agent": "tickline" } })
      assert.strictEqual(peer.header("user-AGENT"), "tickline")
      assert.isUndefined(peer.header("origin"))
      const heard: Array<unknown> = []
      peer.onMessage((frame) => heard.push(frame))
      wire.write("x")
      assert.strictEqual(yield* peer.receive, "x")
      assert.deepStrictEqual(heard, ["x"])
      assert.deepStrictEqual([peer.id, peer.url, peer.openedAt], [1, url, 0])
    }))

  it.effect("is logged a line a frame, however long it is", () =>
    Effect.gen(function*() {
      const { network, peer } = yield* connected({ logFrames: true })
      yield* peer.send("a\r\nb", "x".repeat(256))
      yield* peer.send("y".repeat(257), Uint8Array.of(1, 2))
      const told = network.log.lines.slice(2).map((line) => line.replace(/^.*frame=/, ""))
      assert.deepStrictEqual(told, ["a  b", "x".repeat(256)])
      const more = yield* connected({ logFrames: true }, { inboundBytes: 10_000 })
      yield* more.peer.send("y".repeat(257), Uint8Array.of(1, 2), new Uint8Array(128), new Uint8Array(300))
      assert.deepStrictEqual(more.network.log.lines.slice(2).map((line) => line.replace(/^.*frame=/, "")), [
        `${"y".repeat(256)}… (257)`,
        "1 2",
        Array.from({ length: 128 }, () => 0).join(" "),
        `${Array.from({ length: 128 }, () => 0).join(" ")}… (300)`
      ])
    }))
})

describe("a dial", () => {
  it.effect("meets what is scripted, in order, and then what is said of the rest", () =>
    Effect.gen(function*() {
      const network = yield* VirtualNetwork.make({ seed: 1, latency: 3 })
      const host = yield* network.serve(url)
      yield* host.script(
        { _tag: "Refuse" },
        { _tag: "Reject", status: 503 },
        { _tag: "Reject", status: 429, retryAfterMillis: 7 },
        { _tag: "Unresolved" },
        { _tag: "Unreachable" },
        { _tag: "BadTls" },
        { _tag: "AcceptThenClose" },
        { _tag: "AcceptThenClose", code: 4_000 },
        { _tag: "Accept", afterMillis: 2 },
        { _tag: "Accept", afterMillis: 0 },
        { _tag: "Hang" }
      )
      yield* host.otherwise(({ protocols }) => ({ _tag: protocols.length > 0 ? "Accept" : "Refuse" }))
      const met: Array<string> = []
      for (let n = 0; n < 13; n++) {
        const dialling = yield* network.transport.dial(request({ protocols: n === 12 ? ["x"] : [] })).pipe(
          Effect.match({
            onFailure: ({ reason }) =>
              `${reason._tag}${"status" in reason ? ` ${reason.status} ${reason.retryAfterMillis}` : ""}`,
            onSuccess: () => "open"
          }),
          Effect.forkChild({ startImmediately: true })
        )
        let millis = 0
        while (!isOver(dialling) && millis < 100) {
          yield* TestClock.adjust(1)
          millis++
        }
        const how = isOver(dialling) ? yield* Fiber.join(dialling) : "hangs"
        met.push(`${how} after ${millis}`)
        yield* TestClock.adjust(5)
      }
      assert.deepStrictEqual(met, [
        "Refused after 6",
        "HandshakeRejected 503 undefined after 6",
        "HandshakeRejected 429 7 after 6",
        "NotResolved after 6",
        "Unreachable after 6",
        "TlsFailed after 6",
        "open after 6",
        "open after 6",
        "open after 2",
        "open after 0",
        "hangs after 100",
        "Refused after 6",
        "open after 6"
      ])
      assert.deepStrictEqual(host.dials.slice(0, 3), [
        { at: 0, outcome: "Refuse" },
        { at: 11, outcome: "Reject" },
        { at: 22, outcome: "Reject" }
      ])
      const closes = network.log.lines.filter((line) => line.includes("by=peer")).map((line) => line.slice(-9))
      assert.deepStrictEqual(closes, ["code=1001", "code=4000"])
      assert.deepStrictEqual(host.peers().map(({ id }) => id), [3, 4, 5])
    }))

  it.effect("of a host that nobody serves finds none", () =>
    Effect.gen(function*() {
      const network = yield* VirtualNetwork.make()
      const { reason } = yield* Effect.flip(network.transport.dial(request()))
      assert.deepInclude({ ...reason }, {
        _tag: "NotResolved",
        detail: "no host ws://venue.test in the virtual network"
      })
    }))

  it.effect("runs what serves it until it ends", () =>
    Effect.gen(function*() {
      const network = yield* VirtualNetwork.make()
      const opened: Array<number> = []
      let ended = 0
      const host = yield* network.serve(url, (peer) =>
        Effect.andThen(peer.send("hello"), Effect.onInterrupt(Effect.never, () => Effect.sync(() => ended++))))
      yield* host.onOpen(({ id }) =>
        opened.push(id)
      )
      const wire = yield* network.transport.dial(request())
      assert.deepStrictEqual(yield* wire.pull, ["hello"])
      assert.deepStrictEqual([opened, ended], [[1], 0])
      yield* host.drop
      yield* TestClock.adjust(0)
      assert.strictEqual(ended, 1)
    }))
})
