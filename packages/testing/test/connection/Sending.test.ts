/**
 * The bounds of what waits to be written, to the message, to the byte and to
 * the millisecond.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Connection from "@tickline/core/connection/Connection"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import * as TestClock from "effect/testing/TestClock"
import { policyWith, settle, url, withVenue } from "../Rig.ts"

const mebibyte = 1024 * 1024
const dialect = {
  subscribe: (channels: ReadonlyArray<{ readonly channel: string }>) => channels.map(({ channel }) => channel),
  unsubscribe: () => []
}

describe("What a socket takes", () => {
  it.effect("is written while less than a mebibyte is in it, and waits from there on", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const connection = yield* Connection.connect(url)
        yield* host.peers()[0]!.stopReading(true)
        yield* connection.send("x".repeat(mebibyte - 1))
        yield* connection.send("x")
        const third = yield* Effect.forkChild(connection.send("x"), { startImmediately: true })
        yield* settle
        assert.isUndefined(third.pollUnsafe())
        assert.deepInclude((yield* connection.metrics).outbox, {
          waiting: 1,
          waitingBytes: 1,
          sent: 2,
          sentAfterWaiting: 0
        })
        yield* host.peers()[0]!.stopReading(false)
        yield* settle
        assert.deepStrictEqual(yield* Fiber.join(third), { _tag: "Sent", epoch: 1 })
        assert.deepInclude((yield* connection.metrics).outbox, { waiting: 0, sent: 3, sentAfterWaiting: 1 })
      })))

  it.effect("is waited for by one fiber, however much waits", () => {
    let fibers = 0
    const counting: Metric.FiberRuntimeMetricsService = {
      recordFiberStart: () => void fibers++,
      recordFiberEnd: () => void fibers--
    }
    return withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const connection = yield* Connection.connect(url)
        yield* host.peers()[0]!.stopReading(true)
        yield* connection.send("x".repeat(mebibyte))
        yield* connection.send("1", { delivery: "keep" })
        yield* settle
        const before = fibers
        for (let i = 0; i < 50; i++) yield* connection.send("2", { delivery: "keep" })
        yield* settle
        assert.strictEqual(fibers, before)
        yield* connection.close({ mode: "forced" })
      })).pipe(Effect.provideService(Metric.FiberRuntimeMetrics, counting))
  })
})

describe("What an outbox holds", () => {
  for (
    const [what, buffer, kept, waiting] of [
      ["as many messages as its bound", { messages: 3, bytes: 1_000 }, ["a", "b", "c", "d"], { messages: 3, bytes: 3 }],
      ["as many bytes as its bound", { messages: 9, bytes: 10 }, ["12345", "67890", "x"], { messages: 2, bytes: 10 }],
      ["nothing that is too long for it alone", { messages: 9, bytes: 10 }, ["12345678901"], { messages: 0, bytes: 0 }]
    ] as const
  ) {
    it.effect(`is ${what}`, () =>
      withVenue(policyWith({ buffer }), () =>
        Effect.gen(function*() {
          const connection = yield* Connection.make(url)
          for (const text of kept.slice(0, -1)) {
            assert.deepStrictEqual(yield* connection.send(text, { delivery: "keep" }), { _tag: "Kept" })
          }
          const error = yield* Effect.flip(connection.send(kept.at(-1) ?? "", { delivery: "keep" }))
          assert.deepInclude(error, { _tag: "OutboxFull", ...waiting })
          assert.deepInclude((yield* connection.metrics).outbox, {
            waiting: waiting.messages,
            waitingBytes: waiting.bytes,
            mostWaiting: waiting.messages,
            refused: 1
          })
        })))
  }

  it.effect("at most is told after it was less", () =>
    withVenue(policyWith({}), () =>
      Effect.gen(function*() {
        const connection = yield* Connection.make(url)
        for (const text of ["a", "b", "c"]) yield* connection.send(text, { delivery: "keep" })
        yield* connection.connect
        yield* settle
        yield* connection.send("d")
        assert.deepStrictEqual((yield* connection.metrics).outbox, {
          waiting: 0,
          waitingBytes: 0,
          mostWaiting: 3,
          sent: 4,
          sentAfterWaiting: 3,
          withdrawn: 0,
          refused: 0,
          unsent: 0,
          unconfirmed: 0
        })
      })))
})

describe("What waits for the limit on messages", () => {
  /** What the peer got, each with when. */
  const arrivals = (connection: { readonly onMessage: (listener: (frame: string | Uint8Array) => void) => void }) =>
    Effect.map(Clock.Clock, (clock) => {
      const times: Array<string> = []
      connection.onMessage((frame) => void times.push(`${String(frame)} ${clock.currentTimeMillisUnsafe()}`))
      return times
    })

  const two = [{ of: "messages", per: "connection", limit: 2, windowMillis: 1_000 }] as const

  it.effect("goes by its priority, a subscription a millisecond after the order before it", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const connection = yield* Connection.connect(url, { limits: two, dialect })
        const times = yield* arrivals(host.peers()[0]!)
        for (const text of ["1", "2"]) yield* connection.send(text)
        yield* connection.send("query", { delivery: "keep", priority: "query" })
        yield* Effect.forkScoped(connection.subscribe([{ channel: "trades" }]), { startImmediately: true })
        yield* connection.send("order", { delivery: "keep" })
        yield* TestClock.adjust("5 seconds")
        assert.deepStrictEqual(times, ["1 0", "2 0", "order 1101", "trades 1102", "query 2202"])
      })))

  it.effect("does not keep a connection from coming up, however urgent it is", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const connection = yield* Connection.make(url, { limits: two, dialect })
        yield* connection.send("order", { delivery: "keep" })
        yield* connection.subscribe([{ channel: "trades" }])
        yield* Effect.forkScoped(connection.connect)
        yield* settle
        assert.deepStrictEqual(host.peers()[0]?.received, ["trades", "order"])
      })))

  it.effect("and more than another connection's limit ever admits is refused, and the next is sent", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const shared = (limit: number) => [{ of: "messages", per: "address", limit, windowMillis: 1_000 }] as const
        const cost = (message: string | Uint8Array) => message === "dear" ? 4 : 1
        const one = yield* Connection.connect(url, { limits: shared(5), cost })
        for (const text of ["1", "2"]) yield* one.send(text)
        const dear = yield* Effect.forkChild(Effect.flip(one.send("dear")), { startImmediately: true })
        yield* one.send("cheap", { delivery: "keep" })
        yield* Connection.make(url, { limits: shared(3) })
        yield* TestClock.adjust("2 seconds")
        assert.deepInclude(yield* Fiber.join(dear), {
          _tag: "RateLimited",
          key: "ws://venue.test",
          retryAfterMillis: Infinity
        })
        assert.deepStrictEqual(host.peers()[0]?.received, ["1", "2", "cheap"])
        assert.deepInclude((yield* one.metrics).outbox, { waiting: 0, waitingBytes: 0, sent: 3, unsent: 1, refused: 0 })
      })))
})

describe("A ping of the venue's own", () => {
  const heartbeat = { interval: Duration.seconds(10), timeout: Duration.seconds(5), onMiss: "report" } as const

  for (const [what, cost] of [["costs nothing said", undefined], ["costs too much", 100]] as const) {
    it.effect(`that ${what} is charged as one of the limit on messages, and of no other`, () =>
      withVenue(policyWith({ heartbeat }), ({ host }) =>
        Effect.gen(function*() {
          const connection = yield* Connection.connect<string>(url, {
            decode: (frame) => [String(frame)],
            keepAlive: {
              _tag: "Application",
              everyMillis: 10_000,
              ping: (id) => `ping ${id}`,
              isPong: (message) => message === "pong"
            },
            limits: [
              { of: "messages", per: "connection", limit: 4, windowMillis: 60_000 },
              { of: "subscriptions", per: "connection", limit: 1, windowMillis: 3_600_000 }
            ],
            cost: (message) => String(message).startsWith("ping") ? cost ?? 1 : 1
          })
          const peer = yield* host.nextPeer
          peer.onMessage(() => peer.sendUnsafe("pong"))
          yield* TestClock.adjust("20 seconds")
          assert.deepStrictEqual(peer.received, ["ping 1", "ping 2"])
          // A tenth of the limit, one at least, is left to what is urgent: one more may go, and no second.
          yield* connection.send("1")
          yield* Effect.forkScoped(connection.send("2"), { startImmediately: true })
          assert.strictEqual((yield* connection.metrics).outbox.waiting, 1)
          yield* TestClock.adjust("10 seconds")
          assert.deepStrictEqual(peer.received, ["ping 1", "ping 2", "1", "ping 3"])
        })))
  }
})
