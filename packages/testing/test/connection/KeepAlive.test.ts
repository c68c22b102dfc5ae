import { assert, describe, it } from "@effect/vitest"
import * as Connection from "@tickline/core/connection/Connection"
import type * as KeepAlive from "@tickline/core/protocol/KeepAlive"
import * as Governor from "@tickline/core/resilience/Governor"
import type { Frame } from "@tickline/core/transport/Frame"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import type * as ConnectionLimits from "../../../core/src/resilience/internal/connectionLimits.ts"
import { policyWith, settle, url, withVenue } from "../Rig.ts"

const heartbeat = { interval: Duration.seconds(15), timeout: Duration.seconds(5), onMiss: "close" } as const

const application: KeepAlive.KeepAlive<Frame> = {
  _tag: "Application",
  everyMillis: 10_000,
  ping: (id) => `ping ${id}`,
  isPong: (message) => message === "pong"
}

const requested: KeepAlive.KeepAlive<Frame> = {
  _tag: "Requested",
  withinMillis: 10_000,
  enable: (id) => `enable ${id}`,
  answer: (message, id) => message === "test" ? `alive ${id}` : undefined
}

const server: KeepAlive.KeepAlive<Frame> = { _tag: "Server", withinMillis: 1_000 }

const protocol: KeepAlive.KeepAlive<Frame> = { _tag: "Protocol" }

describe("KeepAlive", () => {
  it.effect("pings in the peer's own dialect, and knows its pong", () =>
    withVenue(policyWith({ heartbeat }), ({ host }) =>
      Effect.gen(function*() {
        const connection = yield* Connection.connect(url, { keepAlive: application })
        const [peer] = host.peers()
        peer?.onMessage((frame) => {
          if (String(frame).startsWith("ping")) peer.sendUnsafe("pong")
        })
        yield* TestClock.adjust("30 seconds")
        assert.deepStrictEqual(peer?.received, ["ping 1", "ping 2", "ping 3"])
        assert.deepInclude((yield* connection.metrics).heartbeat, { answered: 3, missed: 0 })
        yield* peer!.freeze
        yield* TestClock.adjust("14999 millis")
        assert.isTrue(yield* connection.isConnected)
        yield* TestClock.adjust("1 millis")
        assert.deepInclude((yield* connection.metrics).failures, { HeartbeatMissed: 1 })
      })))

  it.effect("answers a test at once, ahead of a full outbox, and asks for tests on every epoch", () =>
    withVenue(
      policyWith({ heartbeat, buffer: { messages: 1_000, bytes: 8 * 1024 * 1024 } }),
      ({ host }) =>
        Effect.gen(function*() {
          const connection = yield* Connection.connect(url, { keepAlive: requested })
          const [peer] = host.peers()
          yield* settle
          assert.deepStrictEqual(peer?.received, ["enable 1"])
          // The peer takes nothing while we fill the socket and then the outbox.
          yield* peer!.stopReading(true)
          yield* connection.send("x".repeat(1024 * 1024))
          for (let i = 0; i < 100; i++) yield* connection.send(`kept ${i}`, { delivery: "keep" })
          yield* peer!.send("test")
          yield* settle
          yield* peer!.stopReading(false)
          yield* settle
          assert.deepStrictEqual(peer?.received.slice(2, 5), ["alive 2", "kept 0", "kept 1"])
          yield* host.drop
          yield* TestClock.adjust("1 second")
          assert.deepStrictEqual(host.peers()[0]?.received, ["enable 3"])
        })
    ))

  it.effect("a flood of tests from a peer that does not read makes one answer wait, and fills no socket", () =>
    withVenue(policyWith({ heartbeat }), ({ host }) =>
      Effect.gen(function*() {
        const connection = yield* Connection.connect(url, { keepAlive: requested })
        const [peer] = host.peers()
        yield* settle
        yield* peer!.stopReading(true)
        const flood = Effect.andThen(peer!.send(...Array.from({ length: 1_000 }, () => "test")), settle)
        yield* Effect.repeat(flood, { times: 200 })
        const { outbox } = yield* connection.metrics
        assert.deepInclude(outbox, { waiting: 1, mostWaiting: 1 })
        yield* peer!.stopReading(false)
        yield* settle
        // What the socket holds is a mebibyte; the peer is heard and answered as before.
        const answers = peer!.received.slice(1)
        assert.isAtMost(answers.reduce((sum, frame) => sum + String(frame).length, 0), 1024 * 1024 + 100)
        yield* peer!.send("test")
        yield* settle
        assert.strictEqual(peer?.received.at(-1), "alive 201002")
      })))

  it.effect("a flood of tests does not fill the outbox where the limit holds the answers up", () =>
    withVenue(policyWith({ heartbeat }), ({ host }) =>
      Effect.gen(function*() {
        const connection = yield* Connection.connect(url, {
          keepAlive: requested,
          limits: [{ of: "messages", per: "connection", limit: 20, windowMillis: 5_000 }]
        })
        const [peer] = host.peers()
        for (let n = 0; n < 1_000; n++) {
          yield* peer!.send(...Array.from({ length: 100 }, () => "test"))
          yield* TestClock.adjust(10)
        }
        const { outbox } = yield* connection.metrics
        // The request that enables the tests, and an answer.
        assert.isAtMost(outbox.mostWaiting, 2)
        // 20 in each window of five seconds: ten seconds hold no more than three of them.
        assert.isAtMost(peer!.received.length, 60)
      })))

  it.effect("answers a test at once where ordinary messages have used the limit up", () =>
    withVenue(policyWith({ heartbeat }), ({ host }) =>
      Effect.gen(function*() {
        const connection = yield* Connection.connect(url, {
          keepAlive: requested,
          limits: [{ of: "messages", per: "connection", limit: 20, windowMillis: 5_000 }]
        })
        const [peer] = host.peers()
        for (let i = 0; i < 50; i++) yield* connection.send(`query ${i}`, { delivery: "keep", priority: "query" })
        yield* TestClock.adjust("1 second")
        // Of twenty two are left to what is urgent, of which the enabling request took one.
        assert.strictEqual(peer?.received.length, 19)
        yield* peer!.send("test")
        yield* settle
        assert.strictEqual(peer?.received.at(-1), "alive 2")
      })))

  it.effect("drops a link on which nothing comes, after its time and the timeout, exactly", () =>
    withVenue(policyWith({ heartbeat }), ({ host }) =>
      Effect.gen(function*() {
        const connection = yield* Connection.connect(url, { keepAlive: server })
        const [peer] = host.peers()
        for (let i = 0; i < 20; i++) {
          yield* TestClock.adjust("1 second")
          yield* peer!.send("beat")
        }
        // Whatever comes is as good as a beat.
        yield* TestClock.adjust("5 seconds")
        yield* peer!.send("data")
        yield* TestClock.adjust("5999 millis")
        assert.isTrue(yield* connection.isConnected)
        assert.strictEqual(host.dials.length, 1)
        yield* TestClock.adjust("1 millis")
        assert.deepInclude((yield* connection.metrics).failures, { HeartbeatMissed: 1 })
      })))

  for (const keepAlive of [protocol, application, server, requested]) {
    it.effect(`${keepAlive._tag}: a link whose answers and beats fail to come lives by its data, and dies of silence`, () =>
      withVenue(policyWith({ heartbeat }), ({ host }) =>
        Effect.gen(function*() {
          const connection = yield* Connection.connect(url, { keepAlive })
          const [peer] = host.peers()
          // The peer sends and hears nothing: no ping is answered, and no request.
          yield* peer!.stopReading(true)
          for (let second = 0; second < 120; second++) {
            yield* peer!.send("data")
            yield* TestClock.adjust("1 second")
          }
          assert.isTrue(yield* connection.isConnected)
          assert.strictEqual(host.dials.length, 1)
          assert.strictEqual((yield* connection.metrics).heartbeat.missed, 0)
          yield* TestClock.adjust("20 seconds")
          assert.isAtLeast((yield* connection.metrics).failures.HeartbeatMissed ?? 0, 1)
        })))
  }

  it.effect("data from before a ping does not answer it", () =>
    withVenue(policyWith({ heartbeat }), ({ host, network }) =>
      Effect.gen(function*() {
        const connection = yield* Connection.connect(url, { keepAlive: protocol })
        const [peer] = host.peers()
        yield* peer!.stopReading(true)
        yield* network.setLatency(1)
        // It arrives in the very millisecond of the ping.
        yield* TestClock.adjust("14999 millis")
        yield* peer!.send("data")
        yield* TestClock.adjust("5 seconds")
        assert.isTrue(yield* connection.isConnected)
        yield* TestClock.adjust("1 millis")
        assert.deepInclude((yield* connection.metrics).failures, { HeartbeatMissed: 1 })
      })))

  it.effect("only reports misses where that is the policy", () =>
    withVenue(policyWith({ heartbeat: { ...heartbeat, onMiss: "report" } }), () =>
      Effect.gen(function*() {
        const connection = yield* Connection.connect(url, { keepAlive: server })
        yield* TestClock.adjust("20 seconds")
        assert.isTrue(yield* connection.isConnected)
        assert.isAbove((yield* connection.metrics).heartbeat.missed, 1)
      })))
})

describe("The gauge of what waits", () => {
  it.effect("rises with what is kept and falls with what is sent", () =>
    withVenue(policyWith({ heartbeat: "none" }), ({ host }) =>
      Effect.gen(function*() {
        const connection = yield* Connection.make(url, { label: "gauged" })
        const waiting = Effect.map(Metric.snapshot, (all) =>
          all.find(({ attributes, id }) =>
            id === "tickline_outbox_waiting" && attributes?.["connection"] === "gauged"
          ))
        yield* connection.send("a", { delivery: "keep" })
        yield* connection.send("b", { delivery: "keep" })
        assert.deepInclude((yield* waiting)?.state, { value: 2 })
        yield* connection.connect
        yield* settle
        assert.deepStrictEqual(host.peers()[0]?.received, ["a", "b"])
        assert.deepInclude((yield* waiting)?.state, { value: 0 })
      })))
})

describe("Limits of a connection", () => {
  const limits: ReadonlyArray<ConnectionLimits.Limit> = [
    { of: "messages", per: "connection", limit: 2, windowMillis: 1_000 },
    { of: "dials", per: "address", limit: 2, windowMillis: 60_000 }
  ]

  it.effect("sends within the limit in every rolling window, what is urgent first", () =>
    withVenue(policyWith({ heartbeat: "none" }), ({ host }) =>
      Effect.gen(function*() {
        const connection = yield* Connection.connect(url, { limits })
        const [peer] = host.peers()
        const times: Array<string> = []
        peer?.onMessage((frame) => {
          times.push(
            `${String(frame)} ${Effect.runSync(Effect.provideService(Clock.currentTimeMillis, Clock.Clock, clock))}`
          )
        })
        const clock = yield* Clock.Clock
        for (const [text, priority] of [["a", "query"], ["b", "query"], ["c", "query"], ["d", "order"]] as const) {
          yield* Effect.forkChild(connection.send(text, { priority }), { startImmediately: true })
        }
        yield* settle
        yield* TestClock.adjust("5 seconds")
        assert.deepStrictEqual(times, ["a 0", "b 0", "d 1101", "c 1101"])
      })))

  it.effect("charges nothing for what was withdrawn, and says how long to wait when it is full", () =>
    withVenue(
      policyWith({ heartbeat: "none", buffer: { messages: 1, bytes: 1_000 } }),
      ({ host }) =>
        Effect.gen(function*() {
          const connection = yield* Connection.connect(url, { limits })
          yield* connection.send("a")
          yield* connection.send("b")
          const waiting = yield* Effect.forkChild(connection.send("c"), { startImmediately: true })
          const error = yield* Effect.flip(connection.send("d"))
          assert.deepInclude(error, { _tag: "RateLimited", retryAfterMillis: 1_101 })
          yield* Fiber.interrupt(waiting)
          yield* TestClock.adjust("2 seconds")
          yield* connection.send("e")
          yield* connection.send("f")
          assert.deepStrictEqual(host.peers()[0]?.received, ["a", "b", "e", "f"])
        })
    ))

  it.effect("restores all of what is wanted where the limit held asks of the epoch before", () =>
    withVenue(policyWith({ heartbeat: "none" }), ({ host }) =>
      Effect.gen(function*() {
        const connection = yield* Connection.connect(url, {
          limits: limits.slice(0, 1),
          dialect: { subscribe: (channels) => channels.map(({ channel }) => channel), unsubscribe: () => [] }
        })
        for (const channel of ["a", "b", "c", "d", "e"]) {
          yield* Effect.forkChild(connection.subscribe([{ channel }]), { startImmediately: true })
        }
        assert.deepStrictEqual(host.peers()[0]?.received, ["a", "b"])
        yield* settle
        yield* host.drop
        yield* settle
        assert.strictEqual((yield* connection.state.current)._tag, "Reconnecting")
        yield* TestClock.adjust("10 seconds")
        assert.deepStrictEqual(host.peers()[0]?.received, ["a", "b", "c", "d", "e"])
      })))

  it.effect("counts dials, those of others to the same address included", () =>
    withVenue(policyWith({ heartbeat: "none" }), ({ host }) =>
      Effect.gen(function*() {
        const one = yield* Connection.connect(url, { limits })
        yield* Connection.connect(url, { limits })
        yield* Effect.forkChild(Stream.runDrain(one.batches()))
        yield* host.peers()[0]!.drop
        yield* TestClock.adjust("59 seconds")
        assert.deepStrictEqual(host.dials.map(({ at }) => at), [0, 0])
        yield* TestClock.adjust("2 seconds")
        assert.deepStrictEqual(host.dials.map(({ at }) => at), [0, 0, 60_101])
      }).pipe(Effect.provide(Governor.layer))))
})
