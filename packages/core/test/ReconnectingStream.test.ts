import { assert, describe, it } from "@effect/vitest"
import * as ConnectError from "@tickline/core/connection/ConnectError"
import * as ReconnectingStream from "@tickline/core/market/ReconnectingStream"
import type * as ConnectionPolicy from "@tickline/core/resilience/ConnectionPolicy"
import * as Presets from "@tickline/core/resilience/Presets"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Result from "effect/Result"
import * as TestClock from "effect/testing/TestClock"
import {
  circuit,
  drop,
  price,
  reading,
  refused,
  type Said,
  scripted,
  test,
  unbroken
} from "./ReconnectingStream.rig.ts"

describe("ReconnectingStream", () => {
  it.effect("a connect while it is up dials no second time", () =>
    Effect.gen(function*() {
      const { connects, source, subscribes } = scripted({ says: [[price("1")]] })
      const stream = yield* ReconnectingStream.make(source, test)
      yield* stream.connect
      yield* stream.subscribe(["a"])
      yield* stream.connect
      yield* Effect.all([stream.connect, stream.connect], { concurrency: "unbounded" })
      assert.deepStrictEqual(connects, [0])
      assert.deepStrictEqual(subscribes, [[0, ["a"]]])
      assert.deepStrictEqual(yield* stream.nextEvent, Option.some(price("1")))
    }))

  it.effect("a successful connection", () =>
    Effect.gen(function*() {
      const { connects, source, subscribes } = scripted({ says: [[price("1"), price("2")]] })
      const stream = yield* ReconnectingStream.make(source, test)
      assert.strictEqual(stream.exchangeName, "scripted")
      yield* stream.connect
      yield* stream.subscribe(["a", "b"])
      assert.deepStrictEqual(yield* stream.nextEvent, Option.some(price("1")))
      assert.deepStrictEqual(yield* stream.nextEvent, Option.some(price("2")))
      yield* TestClock.adjust("1 hour")
      assert.deepStrictEqual(connects, [0])
      assert.deepStrictEqual(subscribes, [[0, ["a", "b"]]])
    }))

  it.effect("reconnect after disconnect", () =>
    Effect.gen(function*() {
      const { connects, source, subscribes } = scripted({
        says: [[price("1"), { wait: 5 }, drop], [price("2"), "end"], [price("3"), refused], [price("4")]]
      })
      const stream = yield* ReconnectingStream.make(source, test)
      yield* stream.connect
      yield* stream.subscribe(["a"])
      const { events } = yield* reading(stream)
      yield* TestClock.adjust(14)
      assert.deepStrictEqual([events, connects], [["1"], [0]])
      yield* TestClock.adjust("1 second")
      // A drop, an end and an error on the way are all the same to the consumer.
      assert.deepStrictEqual(events, ["1", "2", "3", "4"])
      assert.deepStrictEqual(connects, [0, 15, 25, 35])
      assert.deepStrictEqual(subscribes, [[0, ["a"]], [15, ["a"]], [25, ["a"]], [35, ["a"]]])
    }))

  it.effect("exponential backoff", () =>
    Effect.gen(function*() {
      const { connects, source } = scripted({
        connects: ["ok", refused, refused, refused, refused, refused, "ok"],
        says: [[drop], [price("1")]]
      })
      const stream = yield* ReconnectingStream.make(source, unbroken)
      yield* stream.connect
      const { events } = yield* reading(stream)
      yield* TestClock.adjust("1 second")
      // Waits of 10, 20, 40, 80, 100, 100 ms.
      assert.deepStrictEqual(connects, [0, 10, 30, 70, 150, 250, 350])
      assert.deepStrictEqual(events, ["1"])
    }))

  it.effect("circuit breaker trips", () =>
    Effect.gen(function*() {
      const { connects, source } = scripted({
        connects: ["ok", refused, refused, refused, refused, refused, "ok"],
        says: [[drop], [price("1")]]
      })
      const stream = yield* ReconnectingStream.make(source, test)
      yield* stream.connect
      const { events } = yield* reading(stream)
      yield* TestClock.adjust("1 second")
      // The drop is the first failure. The third, at 30, opens the breaker until
      // 80, within which the backoff's 40 ms run: no sum. Then all is afresh.
      assert.deepStrictEqual(connects, [0, 10, 30, 80, 90, 110, 160])
      assert.deepStrictEqual(events, ["1"])
    }))

  it.effect("reset backoff", () =>
    Effect.gen(function*() {
      const { connects, source } = scripted({
        connects: ["ok", refused, "ok", refused, "ok"],
        says: [[drop], [price("1"), drop], [price("2")]]
      })
      const stream = yield* ReconnectingStream.make(source, test)
      yield* stream.connect
      const { events } = yield* reading(stream)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(connects, [0, 10, 30, 40, 60])
      assert.deepStrictEqual(events, ["1", "2"])
    }))

  it.effect("preset patient: after ten failures the next dial is exactly 300 s after the tenth, then 1 s again", () =>
    Effect.gen(function*() {
      const { connects, source } = scripted({
        connects: ["ok", ...Array.from({ length: 11 }, () => refused)],
        says: [[drop], []]
      })
      const stream = yield* ReconnectingStream.make(source, Presets.patient)
      yield* stream.connect
      yield* reading(stream)
      yield* TestClock.adjust("20 minutes")
      const waits = connects.slice(1).map((at, i) => at - (connects[i] ?? 0))
      assert.deepStrictEqual(
        waits.map((wait) => wait / 1000),
        [1, 2, 4, 8, 16, 32, 60, 60, 60, 300, 1, 2]
      )
    }))

  it.effect("a failed resubscribe is a failed reconnect", () =>
    Effect.gen(function*() {
      const { connects, source, subscribes } = scripted({
        subscribes: ["ok", refused, refused, "ok"],
        says: [[drop], [price("lost")], [price("lost")], [price("1")]]
      })
      const stream = yield* ReconnectingStream.make(source, unbroken)
      yield* stream.connect
      yield* stream.subscribe(["a"])
      const { events } = yield* reading(stream)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(connects, [0, 10, 30, 70])
      assert.deepStrictEqual(subscribes.map(([at]) => at), [0, 10, 30, 70])
      assert.deepStrictEqual(events, ["1"])
    }))

  it.effect("subscriptions add up, are sent before connect was called, and not when there are none", () =>
    Effect.gen(function*() {
      const { source, subscribes } = scripted({ says: [[drop], [drop], []] })
      const stream = yield* ReconnectingStream.make(source, test)
      yield* stream.connect
      yield* reading(stream)
      yield* TestClock.adjust(10)
      assert.deepStrictEqual(subscribes, [])
      // Down since 10: remembered, and sent with the next connect.
      yield* stream.subscribe(["a"])
      yield* stream.subscribe(["b", "a"])
      yield* TestClock.adjust("1 second")
      yield* stream.subscribe([])
      yield* stream.subscribe(["c"])
      assert.deepStrictEqual(subscribes, [[20, ["a", "b"]], [1010, ["c"]]])
    }))

  it.effect("a subscription that the source refuses is told, and not remembered", () =>
    Effect.gen(function*() {
      const { source, subscribes } = scripted({ subscribes: [refused], says: [[{ wait: 100 }, drop], []] })
      const stream = yield* ReconnectingStream.make(source, test)
      yield* stream.connect
      assert.deepStrictEqual(yield* Effect.flip(stream.subscribe(["bad"])), refused)
      yield* stream.subscribe(["good"])
      yield* reading(stream)
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(subscribes.at(-1), [110, ["good"]])
    }))

  it.effect("a first connect is not retried where the policy says so, and does not count", () =>
    Effect.gen(function*() {
      const { connects, source } = scripted({ connects: [refused, refused, refused, "ok"], says: [[price("1")]] })
      const stream = yield* ReconnectingStream.make(source, { ...test, retryInitialConnect: false })
      for (let i = 0; i < 3; i++) assert.deepStrictEqual(yield* Effect.flip(stream.connect), refused)
      yield* stream.connect
      assert.deepStrictEqual(yield* stream.nextEvent, Option.some(price("1")))
      assert.deepStrictEqual(connects, [0, 0, 0, 0])
    }))

  it.effect("a first connect is retried where the policy says so; a second caller waits for the same", () =>
    Effect.gen(function*() {
      const { connects, source } = scripted({ connects: [refused, refused] })
      const stream = yield* ReconnectingStream.make(source, test)
      const fiber = yield* Effect.forkChild(
        Effect.all([stream.connect, stream.connect], { concurrency: 2, discard: true }),
        { startImmediately: true }
      )
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(connects, [0, 10, 30])
    }))

  it.effect("a connect that hangs fails at the connect timeout", () =>
    Effect.gen(function*() {
      const { connects, source } = scripted({ connects: ["hang", "ok"] })
      const stream = yield* ReconnectingStream.make(source, test)
      yield* Effect.forkChild(stream.connect, { startImmediately: true })
      yield* TestClock.adjust("2 seconds")
      assert.deepStrictEqual(connects, [0, 1010])
    }))

  describe("giving up", () => {
    const limited: ConnectionPolicy.ConnectionPolicy = {
      ...unbroken,
      retry: { maxRetries: 3, resetOn: "connect" }
    }

    it.effect("after the retries it is aborted, stays so, and a connect starts anew", () =>
      Effect.gen(function*() {
        const { connects, source } = scripted({
          connects: ["ok", refused, refused, refused, "ok"],
          says: [[drop], [price("1")]]
        })
        const stream = yield* ReconnectingStream.make(source, limited)
        yield* stream.connect
        const { fiber } = yield* reading(stream)
        yield* TestClock.adjust("1 hour")
        const error = yield* Effect.flip(Fiber.join(fiber))
        assert.instanceOf(error, ConnectError.ConnectionAborted)
        assert.strictEqual(error.message, "scripted: connection aborted after 3 retries: nobody there")
        assert.deepStrictEqual(connects, [0, 10, 30, 70])
        assert.strictEqual(yield* Effect.flip(stream.nextEvent), error)
        yield* stream.connect
        assert.deepStrictEqual(yield* stream.nextEvent, Option.some(price("1")))
      }))

    it.effect("each outage has its retries, and a first connect one dial more", () =>
      Effect.gen(function*() {
        const { connects, source } = scripted({
          connects: ["ok", refused, refused, "ok", refused, refused, "ok"],
          says: [[drop], [drop], []]
        })
        const stream = yield* ReconnectingStream.make(source, limited)
        yield* stream.connect
        yield* reading(stream)
        yield* TestClock.adjust("1 hour")
        assert.strictEqual(connects.length, 7)

        const first = scripted({ connects: Array.from({ length: 9 }, () => refused) })
        const never = yield* ReconnectingStream.make(first.source, limited)
        const fiber = yield* Effect.forkChild(Effect.flip(never.connect), { startImmediately: true })
        yield* TestClock.adjust("1 hour")
        assert.strictEqual((yield* Fiber.join(fiber))._tag, "ConnectionAborted")
        assert.strictEqual(first.connects.length, 4)
      }))

    it.effect("an error that retrying cannot mend ends it at once", () =>
      Effect.gen(function*() {
        const { connects, source } = scripted({ connects: ["ok", refused], says: [[drop]] })
        const stream = yield* ReconnectingStream.make(source, test, { classify: () => "stop" })
        yield* stream.connect
        const { fiber } = yield* reading(stream)
        yield* TestClock.adjust("1 hour")
        assert.deepStrictEqual(yield* Effect.flip(Fiber.join(fiber)), refused)
        assert.deepStrictEqual(connects, [0, 10])
      }))

    it.effect("where an open breaker fails: CircuitOpen at once, which uses up no retry", () =>
      Effect.gen(function*() {
        const { connects, source } = scripted({
          connects: ["ok", refused, refused, "ok"],
          says: [[drop], [price("1")]]
        })
        const stream = yield* ReconnectingStream.make(source, {
          ...limited,
          circuit: { ...circuit, whenOpen: "fail" }
        })
        yield* stream.connect
        const { fiber } = yield* reading(stream)
        yield* TestClock.adjust(30)
        const error = yield* Effect.flip(Fiber.join(fiber))
        assert.strictEqual(error._tag, "CircuitOpen")
        assert.include(error.message, "circuit of scripted open for another 50 ms")
        for (let i = 0; i < 10; i++) {
          assert.strictEqual((yield* Effect.flip(stream.nextEvent))._tag, "CircuitOpen")
        }
        yield* TestClock.adjust(50)
        assert.deepStrictEqual(yield* stream.nextEvent, Option.some(price("1")))
        assert.deepStrictEqual(connects, [0, 10, 30, 80])
      }))

    it.effect("retries and breaker at the same attempt: aborted", () =>
      Effect.gen(function*() {
        const { source } = scripted({ connects: ["ok", refused, refused], says: [[drop]] })
        const stream = yield* ReconnectingStream.make(source, {
          ...test,
          retry: { maxRetries: 2, resetOn: "connect" },
          circuit: { ...circuit, whenOpen: "fail" },
          retryInitialConnect: false
        })
        yield* stream.connect
        const { fiber } = yield* reading(stream)
        yield* TestClock.adjust(30)
        assert.strictEqual((yield* Effect.flip(Fiber.join(fiber)))._tag, "ConnectionAborted")
        // The breaker was left as it is: open.
        assert.strictEqual((yield* Effect.flip(stream.connect))._tag, "CircuitOpen")
      }))
  })

  describe("what counts as success", () => {
    it.effect("connect: a server that accepts and drops is dialled at the base", () =>
      Effect.gen(function*() {
        const { connects, source } = scripted({ says: [[drop], [drop], [drop], []] })
        const stream = yield* ReconnectingStream.make(source, unbroken)
        yield* reading(stream)
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(connects, [0, 10, 20, 30])
      }))

    it.effect("first message: it is backed off until it says something, and trips the breaker", () =>
      Effect.gen(function*() {
        const says = [[drop], [drop], [price("1"), drop], [drop], [drop], [drop], [price("2")]]
        const { connects, source } = scripted({ says })
        const stream = yield* ReconnectingStream.make(source, {
          ...unbroken,
          retry: { maxRetries: 3, resetOn: "first-message" }
        })
        const { fiber } = yield* reading(stream)
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(connects, [0, 10, 30, 40, 60, 100])
        assert.strictEqual((yield* Effect.flip(Fiber.join(fiber)))._tag, "ConnectionAborted")

        const broken = scripted({ says })
        yield* reading(
          yield* ReconnectingStream.make(broken.source, {
            ...test,
            retry: { maxRetries: "unlimited", resetOn: "first-message" }
          })
        )
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(broken.connects.map((at) => at - 1000), [0, 10, 30, 40, 60, 110, 120])
      }))

    it.effect("a stable life: messages alone do not count", () =>
      Effect.gen(function*() {
        const brief: ReadonlyArray<Said> = [price("1"), { wait: 99 }, drop]
        const stable: ReadonlyArray<Said> = [price("1"), { wait: 100 }, drop]
        const { connects, source } = scripted({ says: [brief, brief, stable, brief, []] })
        const stream = yield* ReconnectingStream.make(source, {
          ...unbroken,
          retry: { maxRetries: "unlimited", resetOn: { stableFor: Duration.millis(100) } }
        })
        yield* reading(stream)
        yield* TestClock.adjust("1 second")
        // Waits of 10, 20, 10 (it had lived for 100 ms) and 20.
        assert.deepStrictEqual(connects, [0, 109, 228, 338, 457])
      }))

    it.effect("a drop of a proven connection counts only where the policy says so", () =>
      Effect.gen(function*() {
        const run = (countDisconnect: boolean) =>
          Effect.gen(function*() {
            const { connects, source } = scripted({ connects: ["ok", refused, refused], says: [[drop], []] })
            const start = yield* Clock.currentTimeMillis
            yield* reading(
              yield* ReconnectingStream.make(source, { ...test, circuit: { ...circuit, countDisconnect } })
            )
            yield* TestClock.adjust("1 second")
            return connects.map((at) => at - start)
          })
        assert.deepStrictEqual(yield* run(true), [0, 10, 30, 80])
        assert.deepStrictEqual(yield* run(false), [0, 10, 30, 70])
      }))
  })

  it.effect("stops when interrupted; the wait goes on from where it was", () =>
    Effect.gen(function*() {
      const { connects, source } = scripted({ says: [[drop], [price("1")]] })
      const stream = yield* ReconnectingStream.make(source, {
        ...unbroken,
        backoff: { ...unbroken.backoff, base: Duration.seconds(10), cap: Duration.seconds(10) }
      })
      yield* stream.connect
      const results: Array<string> = []
      const fiber = yield* Effect.forkChild(
        Effect.gen(function*() {
          for (let i = 0; i < 4; i++) {
            results.push(
              Result.isSuccess(yield* Effect.result(Effect.timeout(stream.nextEvent, 3000))) ? "event" : "none"
            )
          }
        }),
        { startImmediately: true }
      )
      yield* TestClock.adjust("1 minute")
      yield* Fiber.join(fiber)
      assert.deepStrictEqual(results, ["none", "none", "none", "event"])
      assert.deepStrictEqual(connects, [0, 10_000])

      const waiting = yield* Effect.forkChild(stream.nextEvent, { startImmediately: true })
      yield* Fiber.interrupt(waiting)
      assert.isTrue(Exit.hasInterrupts(yield* Fiber.await(waiting)))
      yield* TestClock.adjust("1 hour")
      assert.strictEqual(connects.length, 2)
    }))

  it.effect("says what it does in structured log lines", () =>
    Effect.gen(function*() {
      const lines: Array<unknown> = []
      const logger = Logger.make(({ message }) => {
        lines.push(message)
      })
      const { source } = scripted({ connects: ["ok", refused, refused], says: [[drop], []] })
      yield* Effect.gen(function*() {
        const stream = yield* ReconnectingStream.make(source, test)
        yield* stream.connect
        yield* stream.subscribe(["a", "b"])
        yield* reading(stream)
        yield* TestClock.adjust("1 second")
      }).pipe(Effect.provide(Logger.layer([logger])))
      const exchange = "scripted"
      assert.deepStrictEqual(lines, [
        ["disconnected", { exchange, reason: "network", uptime_ms: 0 }],
        ["reconnect attempt", { exchange, attempt: 1, delay_ms: 10, reason: "network" }],
        ["reconnect attempt", { exchange, attempt: 2, delay_ms: 20, reason: "nobody there" }],
        ["circuit breaker open", { exchange, failures: 3, cooldown_secs: 0.05 }],
        ["reconnect attempt", { exchange, attempt: 3, delay_ms: 50, reason: "nobody there" }],
        ["resubscribed", { exchange, count: 2 }]
      ])
    }))

  it.effect("escapes in its log lines what the source said", () =>
    Effect.gen(function*() {
      const lines: Array<unknown> = []
      const logger = Logger.make(({ message }) => {
        lines.push(message)
      })
      const hostile = { _tag: "Disconnected", reason: "a\u202e\u009b\n" } as const
      const { source } = scripted({ connects: ["ok", "ok"], says: [[hostile], []] })
      yield* Effect.gen(function*() {
        const stream = yield* ReconnectingStream.make(source, test)
        yield* stream.connect
        yield* reading(stream)
        yield* TestClock.adjust("1 second")
      }).pipe(Effect.provide(Logger.layer([logger])))
      assert.deepStrictEqual(lines[0], [
        "disconnected",
        { exchange: "scripted", reason: "a\\u202e\\u009b\\u000a", uptime_ms: 0 }
      ])
    }))
})
