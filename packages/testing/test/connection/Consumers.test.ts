import { assert, describe, it } from "@effect/vitest"
import * as Connection from "@tickline/core/connection/Connection"
import type * as Inbox from "@tickline/core/connection/Inbox"
import * as Presets from "@tickline/core/resilience/Presets"
import * as Generic from "@tickline/core/venue/generic/Venue"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import type * as InboxItems from "../../../core/src/connection/internal/inboxItems.ts"
import { connected, policyWith, settle, url, withVenue } from "../Rig.ts"

/** A consumer that takes its first pull and then stands still until it is let go. */
const stalling = Effect.fnUntraced(function*<A>(connection: Connection.Connection<A>, options: Inbox.ConsumerOptions) {
  const gate = yield* Deferred.make<void>()
  const taken: Array<A | string> = []
  const reading = yield* Effect.forkChild(
    Effect.result(Stream.runForEach(connection.inbound(options), (item) =>
      Effect.gen(function*() {
        if (item._tag === "Batch") taken.push(...item.messages)
        if (item._tag === "Missed") taken.push(`missed ${item.messages}`)
        if (item._tag === "Batch") yield* Deferred.await(gate)
      })))
  )
  yield* settle
  return { taken, reading, release: Deferred.succeed(gate, void 0) }
})

// Ten messages of 100 bytes each, one batch each, for a queue of about three.
const bytes = 3 * (100 + 256)
const message = (n: number) => String(n).padEnd(100, ".")
const shown = (taken: ReadonlyArray<unknown>) => taken.map((text) => String(text).replace(/\.+$/, ""))

describe("Consumers", () => {
  const slow = (overflow: InboxItems.Overflow) =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const connection = yield* Connection.make(url)
        const { reading, release, taken } = yield* stalling(connection, { overflow, bytes })
        const fast: Array<unknown> = []
        yield* Effect.forkChild(Stream.runForEach(connection.messages(), (text) => Effect.sync(() => fast.push(text))))
        yield* settle
        yield* connection.connect
        const peer = yield* host.nextPeer
        for (let n = 0; n < 10; n++) {
          yield* peer.send(message(n))
          yield* settle
        }
        const before = shown(fast)
        yield* release
        yield* settle
        const { missed } = yield* connection.metrics
        return { before, fast: shown(fast), missed, taken: shown(taken), ended: reading.pollUnsafe() }
      }))

  it.effect("block: nothing is lost, reading stands still until the consumer takes", () =>
    Effect.gen(function*() {
      const { before, fast, missed, taken } = yield* slow("block")
      assert.deepStrictEqual(taken, ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"])
      assert.deepStrictEqual(fast, taken)
      assert.isBelow(before.length, 10)
      assert.strictEqual(missed, 0)
    }))

  it.effect("drop-oldest: the oldest go, their place says how many; the other consumer misses nothing", () =>
    Effect.gen(function*() {
      const { before, missed, taken } = yield* slow("drop-oldest")
      assert.deepStrictEqual(taken, ["0", "missed 6", "7", "8", "9"])
      assert.strictEqual(before.length, 10)
      assert.strictEqual(missed, 6)
    }))

  it.effect("conflate: without a key everything but the newest goes, and is counted", () =>
    Effect.gen(function*() {
      const { before, missed, taken } = yield* slow("conflate")
      assert.deepStrictEqual(taken, ["0", "missed 8", "9"])
      assert.strictEqual(missed, 8)
      assert.strictEqual(before.length, 10)
    }))

  it.effect("conflate: the newest of each key stays, and all that tells the life of the connection", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const connection = yield* Connection.make<string>(url, {
          decode: (frame) => [String(frame)],
          keyOf: (text) => text === "unique" ? undefined : text.split(" ")[0]
        })
        const items: Array<Inbox.Item<string>> = []
        const gate = yield* Deferred.make<void>()
        yield* connection.inbound({ overflow: "conflate", bytes: 1 }).pipe(
          Stream.runForEach((item) =>
            Effect.suspend(() => {
              items.push(item)
              return item._tag === "Batch" ? Deferred.await(gate) : Effect.void
            })
          ),
          Effect.forkChild
        )
        yield* settle
        yield* connection.connect
        const first = yield* host.nextPeer
        for (const text of ["BTC 0", "BTC 1", "ETH 1", "unique", "BTC 2"]) {
          yield* Effect.andThen(first.send(text), settle)
        }
        yield* host.drop
        yield* TestClock.adjust("1 second")
        const second = yield* host.nextPeer
        for (const text of ["BTC 3", "SOL 1", "BTC 4"]) yield* Effect.andThen(second.send(text), settle)
        yield* Deferred.succeed(gate, void 0)
        yield* settle
        const told = items.map((item) => {
          switch (item._tag) {
            case "Batch":
              return item.messages.join()
            case "Transition":
              return item.to._tag
            case "Missed":
              return `missed ${item.messages}: ${[...item.keys].map(([key, count]) => `${key} ${count}`).join()}`
            default:
              return item._tag
          }
        })
        assert.deepStrictEqual(told, [
          "Connecting",
          "Connected",
          "BTC 0",
          "missed 3: BTC 3",
          "ETH 1",
          "unique",
          "Reconnecting",
          "Connecting",
          "Connected",
          "SOL 1",
          "BTC 4"
        ])
      })))

  it.effect("a message costs its bytes and a share: empty ones fill a queue too", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const connection = yield* Connection.make(url)
        const { reading, release, taken } = yield* stalling(connection, { overflow: "drop-oldest" })
        yield* connection.connect
        const peer = yield* host.nextPeer
        for (let n = 0; n < 10; n++) {
          yield* Effect.andThen(peer.send(...Array.from({ length: 10_000 }, () => "")), settle)
        }
        yield* release
        yield* settle
        yield* Fiber.interrupt(reading)
        const kept = taken.filter((text) => text === "").length
        // 4 MiB of 256 bytes, besides the first batch and the last.
        assert.isAtMost(kept, 20_000 + 4 * 1024 * 1024 / 256)
        assert.strictEqual((yield* connection.metrics).missed, 100_000 - kept)
      })))

  it.effect("block: messages without bytes stay with the peer, too", () =>
    withVenue(
      policyWith({ inbound: { bytes: 65_536, maxMessageBytes: 65_536 } }),
      ({ host }) =>
        Effect.gen(function*() {
          const connection = yield* Connection.make(url)
          const { reading, release, taken } = yield* stalling(connection, { overflow: "block", bytes: 65_536 })
          yield* connection.connect
          const peer = yield* host.nextPeer
          for (let n = 0; n < 100; n++) {
            yield* Effect.andThen(peer.send(...Array.from({ length: 100 }, () => "")), settle)
          }
          // The first batch, the queue's 64 KiB of 256 bytes each, the last batch, and the wire's 64 KiB of 64 bytes each.
          assert.isAtMost((yield* connection.metrics).messages, 100 + 256 + 100 + 1_024 + 1_024)
          yield* release
          yield* Effect.repeat(settle, { times: 50 })
          assert.strictEqual(taken.length, 10_000)
          yield* Fiber.interrupt(reading)
        })
    ))

  it.effect("fails where nothing else is said, and does not hold up the others", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const { connection, recorded } = yield* connected()
        const stuck = <A, E>(stream: Stream.Stream<A, E>) =>
          Effect.forkChild(Effect.result(Stream.runForEach(stream, () => Effect.sleep("1 hour"))))
        const reading = [
          yield* stuck(connection.inbound()),
          yield* stuck(connection.batches()),
          yield* stuck(connection.messages())
        ]
        yield* settle
        const peer = yield* host.nextPeer
        const megabyte = "x".repeat(1024 * 1024)
        for (let n = 0; n < 8; n++) {
          yield* Effect.andThen(peer.send(megabyte), settle)
        }
        assert.strictEqual(recorded.messages.length, 8)
        yield* TestClock.adjust("1 day")
        for (const fiber of reading) {
          const result = yield* Fiber.join(fiber)
          assert.strictEqual(result._tag === "Failure" && result.failure._tag, "ConsumerOverflow")
        }
        assert.isTrue(yield* connection.isConnected)
      })))

  it.effect(
    "who reads no transitions stops nothing, and is told all of them as one",
    () =>
      withVenue(
        policyWith({ retry: { ...Presets.fast.retry, maxRetries: "unlimited" } }),
        ({ host }) =>
          Effect.gen(function*() {
            const connection = yield* Connection.make(url)
            const gate = yield* Deferred.make<void>()
            const stuck = (stream: Stream.Stream<Inbox.Item<unknown>, unknown>) =>
              Effect.gen(function*() {
                const items: Array<Inbox.Item<unknown>> = []
                yield* Effect.forkChild(Stream.runForEach(stream, (item) => {
                  items.push(item)
                  return Deferred.await(gate)
                }))
                return items
              })
            const all = [
              yield* stuck(connection.state.transitions),
              yield* stuck(connection.inbound({ overflow: "block", bytes: 1 })),
              yield* stuck(connection.inbound({ overflow: "fail", bytes: 1 })),
              yield* stuck(connection.inbound({ overflow: "drop-oldest", bytes: 1 })),
              yield* stuck(connection.inbound({ overflow: "conflate", bytes: 1 }))
            ]
            yield* settle
            yield* connection.connect
            for (let n = 0; n < 9_000; n++) {
              yield* host.drop
              yield* TestClock.adjust(100)
            }
            assert.deepStrictEqual(yield* connection.state.current, { _tag: "Connected", epoch: 9_001 })
            yield* Deferred.succeed(gate, void 0)
            yield* settle
            for (const items of all) {
              assert.isBelow(items.length, 2_000)
              const transitions = items.filter((item) => item._tag === "Transition")
              assert.strictEqual(transitions.reduce((sum, { merged }) => sum + (merged ?? 1), 0), 2 + 3 * 9_000)
              // They follow one another without a hole.
              transitions.reduce((before, next) => {
                assert.deepStrictEqual(next.from, before.to)
                return next
              })
              assert.deepInclude(transitions.at(-1)!.to, { _tag: "Connected", epoch: 9_001 })
            }
          })
      ),
    60_000
  )

  it.effect("a bound that is no number is the default, and none is so small that nothing is read", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const connection = yield* Connection.make(url)
        const nothing = yield* stalling(connection, { bytes: NaN })
        const small: Array<unknown> = []
        yield* Effect.forkChild(
          Stream.runForEach(connection.messages({ bytes: 0 }), (text) => Effect.sync(() => small.push(text)))
        )
        yield* settle
        yield* connection.connect
        const peer = yield* host.nextPeer
        for (let n = 0; n < 8; n++) {
          yield* Effect.andThen(peer.send("x".repeat(1024 * 1024)), settle)
        }
        assert.strictEqual(small.length, 8)
        yield* nothing.release
        yield* settle
        const result = yield* Fiber.join(nothing.reading)
        assert.strictEqual(result._tag === "Failure" && result.failure._tag, "ConsumerOverflow")
      })))

  it.effect("fail: the consumer's stream fails with ConsumerOverflow; the connection and the others live on", () =>
    Effect.gen(function*() {
      const { before, ended } = yield* slow("fail")
      assert.strictEqual(before.length, 10)
      const result = ended !== undefined && ended._tag === "Success" ? ended.value : undefined
      assert.strictEqual(result?._tag === "Failure" && result.failure._tag, "ConsumerOverflow")
    }))

  it.effect("each frame is delivered once to each consumer, and what nobody waited for is kept for the first (B13)", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const connection = yield* Connection.make(url)
        yield* connection.connect
        yield* (yield* host.nextPeer).send("a", "b", "a")
        yield* settle
        const late = yield* Stream.runCollect(Stream.take(connection.messages(), 3))
        assert.deepStrictEqual(late, ["a", "b", "a"])
        yield* connection.close()
      })))

  it.effect("what nobody reads is bounded too, whatever it is, and the first to come is told what is gone", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const connection = yield* Connection.make(url, { decode: Generic.venue.decode })
        yield* connection.connect
        yield* (yield* host.nextPeer).send(...Array.from({ length: 40_000 }, () => "no price"))
        yield* settle
        const reading = yield* Effect.forkChild(Stream.runCollect(connection.inbound()))
        yield* settle
        yield* connection.close()
        const items = yield* Fiber.join(reading)
        const [first] = items
        const missed = items.reduce((sum, item) => item._tag === "Missed" ? sum + item.rejections : sum, 0)
        assert.isAbove(missed, 20_000)
        // The four transitions of connect and close are there, the first of them first; nothing is unaccounted.
        assert.strictEqual(first?._tag, "Transition")
        assert.strictEqual(items.length - 1 + missed, 40_000 + 4)
        assert.deepStrictEqual((yield* connection.metrics).rejections, { MalformedJson: 40_000 })
      })))

  it.effect("a consumer that goes away holds nobody up", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const { connection, recorded } = yield* connected()
        const { reading } = yield* stalling(connection, { overflow: "block", bytes: 100 })
        const peer = yield* host.nextPeer
        for (let n = 0; n < 5; n++) yield* Effect.andThen(peer.send(message(n)), settle)
        assert.isBelow(recorded.messages.length, 5)
        yield* Fiber.interrupt(reading)
        yield* settle
        assert.strictEqual(recorded.messages.length, 5)
      })))
})

describe("Heartbeat", () => {
  const beating = (onMiss: "close" | "report", inboundBytes = 1024 * 1024) =>
    policyWith({
      heartbeat: { interval: Duration.seconds(15), timeout: Duration.seconds(10), onMiss },
      inbound: { bytes: inboundBytes, maxMessageBytes: 1024 * 1024 }
    })

  it.effect("a half-open link is dropped after interval and timeout, exactly, and dialled again", () =>
    withVenue(beating("close"), ({ host }) =>
      Effect.gen(function*() {
        const { connection, recorded } = yield* connected()
        yield* TestClock.adjust("20 seconds")
        const { heartbeat } = yield* connection.metrics
        assert.deepInclude(heartbeat, { answered: 1, missed: 0, lastRoundTripMillis: 0, p99RoundTripMillis: 0 })
        yield* host.peers()[0]!.freeze
        // The ping of 30 s is not answered by 40 s.
        yield* TestClock.adjust(19_999)
        assert.isTrue(yield* connection.isConnected)
        yield* TestClock.adjust(1)
        const state = yield* connection.state.current
        assert.strictEqual(state._tag === "Reconnecting" && state.failure?._tag, "HeartbeatMissed")
        assert.strictEqual(recorded.transitions.at(-1)!.at, 40_000)
        yield* TestClock.adjust(100)
        assert.strictEqual(host.dials.length, 2)
        // It goes on with the next epoch.
        yield* TestClock.adjust("15 seconds")
        assert.strictEqual((yield* connection.metrics).heartbeat.answered, 2)
      })))

  it.effect("with report, withheld pongs raise the count and close nothing (B22)", () =>
    withVenue(beating("report"), ({ host }) =>
      Effect.gen(function*() {
        const { connection } = yield* connected()
        yield* host.peers()[0]!.freeze
        yield* TestClock.adjust("80 seconds")
        assert.strictEqual((yield* connection.metrics).heartbeat.missed, 3)
        assert.isTrue(yield* connection.isConnected)
        yield* connection.close({ mode: "forced" })
      })))

  it.effect("a consumer that stands still is a stall of ours, never a dead peer", () =>
    withVenue(beating("close", 1000), ({ host }) =>
      Effect.gen(function*() {
        const connection = yield* Connection.make(url)
        const { release, taken } = yield* stalling(connection, { overflow: "block", bytes: 500 })
        yield* connection.connect
        const peer = yield* host.nextPeer
        for (let n = 0; n < 50; n++) yield* Effect.andThen(peer.send(message(n)), settle)
        // The socket is paused, so no pong can be read: for ten minutes.
        yield* TestClock.adjust("10 minutes")
        assert.isTrue(yield* connection.isConnected)
        const during = yield* connection.metrics
        // It is one stall, and told once.
        assert.strictEqual(during.stalls.consumer, 1)
        assert.deepStrictEqual({ missed: during.heartbeat.missed, epoch: during.epoch }, { missed: 0, epoch: 1 })
        yield* release
        yield* Effect.repeat(settle, { times: 50 })
        assert.strictEqual(taken.length, 50)
        // After it the deadline holds again: a peer that is dead now is found within interval and timeout.
        yield* peer.freeze
        yield* TestClock.adjust("26 seconds")
        assert.strictEqual((yield* connection.metrics).heartbeat.missed, 1)
        assert.strictEqual(host.dials.length, 2)
      })))

  it.effect("the policy says nothing of pings where the transport has none", () =>
    withVenue(
      beating("close"),
      ({ host }) =>
        Effect.gen(function*() {
          const { connection } = yield* connected()
          yield* host.peers()[0]!.freeze
          yield* TestClock.adjust("10 minutes")
          assert.isTrue(yield* connection.isConnected)
          yield* connection.close({ mode: "forced" })
        }),
      { capabilities: { ping: false } }
    ))
})
