import { assert, describe, it } from "@effect/vitest"
import * as Connection from "@tickline/core/connection/Connection"
import * as Requests from "@tickline/core/connection/Requests"
import * as MarketFeed from "@tickline/core/market/MarketFeed"
import type * as KeepAlive from "@tickline/core/protocol/KeepAlive"
import * as CircuitBreaker from "@tickline/core/resilience/CircuitBreaker"

import type { Frame } from "@tickline/core/transport/Frame"
import * as Channel from "@tickline/core/value/Channel"
import * as Monotonic from "@tickline/core/value/Monotonic"
import * as CoinbaseExchange from "@tickline/core/venue/coinbase-exchange/Venue"
import * as SteppedClock from "@tickline/testing/SteppedClock"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { backoffOf, circuitWith, policyWith, record, settle, url, withVenue } from "./Rig.ts"

const steps: ReadonlyArray<Duration.Input> = ["-1 hour", "-1 minute", "1 minute", "1 hour"]

const heartbeat = { interval: Duration.seconds(15), timeout: Duration.seconds(5), onMiss: "close" } as const

const server: KeepAlive.KeepAlive<Frame> = { _tag: "Server", withinMillis: 1_000 }

/** A test for each way in which the wall clock can be set while it runs. */
const eachStep = <E>(
  name: string,
  body: (by: Duration.Input) => Effect.Effect<void, E, SteppedClock.SteppedClock | Scope.Scope>
) => it.effect.each(steps)(`${name} (%s)`, (by) => Effect.provide(body(by), SteppedClock.layer))

describe("SteppedClock", () => {
  eachStep("moves the wall clock, and neither a sleep nor the monotonic clock", (by) =>
    Effect.gen(function*() {
      const millis = Duration.toMillis(by)
      yield* TestClock.adjust("10 hours")
      const sleeper = yield* Effect.forkChild(Effect.as(Effect.sleep("10 seconds"), "awake"), {
        startImmediately: true
      })
      yield* SteppedClock.step(by)
      assert.strictEqual(yield* Clock.currentTimeMillis, 36_000_000 + millis)
      assert.strictEqual(yield* Clock.currentTimeNanos, BigInt(36_000_000 + millis) * 1_000_000n)
      assert.strictEqual(yield* Monotonic.now, 36_000_000)
      yield* TestClock.adjust("9999 millis")
      assert.isUndefined(sleeper.pollUnsafe())
      yield* TestClock.adjust("1 millis")
      assert.strictEqual(yield* Fiber.join(sleeper), "awake")
      assert.strictEqual(yield* Monotonic.now, 36_010_000)
      yield* SteppedClock.step(by)
      const { offset } = yield* SteppedClock.SteppedClock
      assert.strictEqual(Duration.toMillis(yield* offset), 2 * millis)
    }))
})

describe("a wall clock that is set", () => {
  eachStep(
    "changes no backoff",
    (by) =>
      withVenue(policyWith({ backoff: backoffOf(1_000, 2, 8_000) }), ({ host }) =>
        Effect.gen(function*() {
          yield* TestClock.adjust("10 hours")
          yield* Connection.connect(url)
          yield* host.drop
          yield* settle
          yield* SteppedClock.step(by)
          yield* TestClock.adjust("999 millis")
          assert.strictEqual(host.dials.length, 1)
          yield* TestClock.adjust("1 millis")
          assert.strictEqual(host.dials.length, 2)
        }))
  )

  eachStep("changes no open time of a breaker, and no connection that waits for it", (by) =>
    withVenue(
      policyWith({
        backoff: backoffOf(100, 1, 100),
        circuit: circuitWith({ failureThreshold: 1, countDisconnect: true, whenOpen: "wait" })
      }),
      ({ host }) =>
        Effect.gen(function*() {
          yield* TestClock.adjust("10 hours")
          const connection = yield* Connection.connect(url)
          const { transitions } = yield* record(connection)
          yield* host.drop
          yield* settle
          assert.deepInclude(transitions.at(-1)?.to, { _tag: "CircuitOpen", delayMillis: 10_000, until: 36_010_000 })
          yield* SteppedClock.step(by)
          yield* TestClock.adjust("9999 millis")
          assert.strictEqual(host.dials.length, 1)
          yield* TestClock.adjust("1 millis")
          assert.strictEqual(host.dials.length, 2)
        })
    ))

  eachStep("changes no breaker by itself; what it tells is the wall clock's", (by) =>
    Effect.gen(function*() {
      yield* TestClock.adjust("10 hours")
      const breaker = yield* CircuitBreaker.make(circuitWith({ failureThreshold: 1 }), { key: "venue" })
      yield* breaker.recordFailure("Refused")
      yield* SteppedClock.step(by)
      yield* TestClock.adjust("4 seconds")
      const now = yield* Clock.currentTimeMillis
      assert.deepInclude(yield* Effect.flip(breaker.acquire), { retryAfterMillis: 6_000, until: now + 6_000 })
      assert.deepInclude(yield* breaker.metrics, { openUntil: now + 6_000, timeInState: 4_000, timeOpen: 4_000 })
      yield* TestClock.adjust("6 seconds")
      yield* Effect.flatMap(breaker.acquire, (permit) => permit.succeed)
    }))

  eachStep("changes no venue's Retry-After", (by) =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        yield* TestClock.adjust("10 hours")
        yield* Connection.connect(url)
        yield* host.script({ _tag: "Reject", status: 503, retryAfterMillis: 20_000 })
        yield* host.drop
        yield* TestClock.adjust("100 millis")
        assert.strictEqual(host.dials.length, 2)
        yield* SteppedClock.step(by)
        yield* TestClock.adjust("19999 millis")
        assert.strictEqual(host.dials.length, 2)
        yield* TestClock.adjust("1 millis")
        assert.strictEqual(host.dials.length, 3)
      })))

  eachStep(
    "hides no dead link: pings go on",
    (by) =>
      withVenue(policyWith({ heartbeat }), ({ host }) =>
        Effect.gen(function*() {
          yield* TestClock.adjust("10 hours")
          const connection = yield* Connection.connect(url)
          yield* TestClock.adjust("5 seconds")
          yield* SteppedClock.step(by)
          yield* TestClock.adjust("11 seconds")
          assert.deepInclude((yield* connection.metrics).heartbeat, { answered: 1, missed: 0 })
          yield* host.peers()[0]!.freeze
          yield* TestClock.adjust("15 seconds")
          yield* SteppedClock.step(by)
          yield* TestClock.adjust("5 seconds")
          assert.deepInclude((yield* connection.metrics).failures, { HeartbeatMissed: 1 })
        }))
  )

  eachStep(
    "makes no healthy link dead: beats that come count as they came",
    (by) =>
      withVenue(policyWith({ heartbeat }), ({ host }) =>
        Effect.gen(function*() {
          yield* TestClock.adjust("10 hours")
          const connection = yield* Connection.connect(url, { keepAlive: server })
          const [peer] = host.peers()
          yield* Effect.forkScoped(Effect.forever(Effect.andThen(peer!.send("beat"), Effect.sleep("1 second"))))
          yield* TestClock.adjust("5 seconds")
          yield* SteppedClock.step(by)
          yield* TestClock.adjust("30 seconds")
          assert.deepInclude((yield* connection.metrics).heartbeat, { missed: 0 })
          assert.strictEqual(host.dials.length, 1)
        }))
  )

  eachStep(
    "changes no limit: neither a silence nor a burst",
    (by) =>
      withVenue(policyWith({}), ({ host }) =>
        Effect.gen(function*() {
          yield* TestClock.adjust("10 hours")
          const connection = yield* Connection.connect(url, {
            limits: [{ of: "messages", per: "connection", limit: 5, windowMillis: 1_000 }]
          })
          const [peer] = host.peers()
          yield* Effect.forkScoped(
            Effect.forEach(Array.from({ length: 20 }, (_, i) => `${i}`), (message) => connection.send(message))
          )
          yield* settle
          assert.strictEqual(peer?.received.length, 5)
          yield* SteppedClock.step(by)
          yield* TestClock.adjust("1100 millis")
          assert.strictEqual(peer?.received.length, 5)
          yield* TestClock.adjust("1 millis")
          assert.strictEqual(peer?.received.length, 10)
          yield* TestClock.adjust("2202 millis")
          assert.strictEqual(peer?.received.length, 20)
        }))
  )

  eachStep("changes no deadline of a request", (by) =>
    withVenue(policyWith({}), () =>
      Effect.gen(function*() {
        yield* TestClock.adjust("10 hours")
        const connection = yield* Connection.connect(url)
        const requests = yield* Requests.make(connection, () => undefined)
        const asked = yield* Effect.forkChild(Effect.flip(requests.request("1", "ask", { timeout: "10 seconds" })), {
          startImmediately: true
        })
        yield* SteppedClock.step(by)
        yield* TestClock.adjust("9999 millis")
        assert.isUndefined(asked.pollUnsafe())
        yield* TestClock.adjust("1 millis")
        assert.deepInclude(yield* Fiber.join(asked), { _tag: "OutcomeUnknown", reason: "timeout" })
      })))

  eachStep(
    "changes no duration that is told, and the moments told are its own",
    (by) =>
      withVenue(policyWith({ backoff: backoffOf(1_000, 1, 1_000) }), ({ host }) =>
        Effect.gen(function*() {
          yield* TestClock.adjust("10 hours")
          const connection = yield* Connection.connect(url)
          const { transitions } = yield* record(connection)
          yield* TestClock.adjust("5 seconds")
          yield* host.peers()[0]!.send("price")
          yield* settle
          yield* SteppedClock.step(by)
          yield* TestClock.adjust("2 seconds")
          const now = yield* Clock.currentTimeMillis
          // How long ago it was heard is right, so the moment is the one that the wall clock now calls so.
          assert.strictEqual((yield* connection.metrics).lastHeardAt, now - 2_000)
          yield* host.drop
          yield* settle
          yield* SteppedClock.step(by)
          yield* TestClock.adjust("1 second")
          const last = yield* Clock.currentTimeMillis
          assert.strictEqual((yield* connection.metrics).downtimeMillis, 1_000)
          assert.deepStrictEqual(
            transitions.slice(-3).map(({ at, heldMillis, to }) => [to._tag, heldMillis, at]),
            [
              ["Reconnecting", 7_000, now],
              ["Connecting", 1_000, last],
              ["Connected", 0, last]
            ]
          )
        }))
  )

  eachStep("makes no data stale that is not", (by) =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        yield* TestClock.adjust("10 hours")
        const channel = Channel.make("ticker", "BTC-USD")
        const feed = yield* MarketFeed.make(CoinbaseExchange.venue, { url, channels: [channel] })
        const stale: Array<string> = []
        yield* feed.events().pipe(
          Stream.runForEach((event) =>
            Effect.sync(() => void (event._tag === "Stale" && stale.push(event.channel ?? "")))
          ),
          Effect.forkScoped({ startImmediately: true })
        )
        yield* TestClock.adjust("20 seconds")
        yield* SteppedClock.step(by)
        yield* TestClock.adjust("9 seconds")
        assert.deepStrictEqual(stale, [])
        const ticker = {
          type: "ticker",
          sequence: 1,
          product_id: "BTC-USD",
          price: "2.50",
          time: "2026-01-01T00:00:00Z"
        }
        yield* host.peers()[0]!.send(JSON.stringify(ticker))
        yield* settle
        yield* SteppedClock.step(by)
        yield* TestClock.adjust("3 seconds")
        const { freshness } = yield* feed.health
        assert.deepInclude(freshness[0], { isDelivering: true, ageMillis: 3_000, shareWithinTarget: 1 })
        assert.deepStrictEqual(stale, [])
      })))
})
