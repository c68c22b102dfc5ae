import { assert, describe, it } from "@effect/vitest"
import * as Connection from "@tickline/core/connection/Connection"
import * as BreakerMetrics from "@tickline/core/resilience/BreakerMetrics"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Generic from "@tickline/core/venue/generic/Venue"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import * as BreakerTransitions from "../../../core/src/resilience/internal/breakerTransitions.ts"
import { breakerLine, circuitWith, connected, dialTimes, policyWith, record, settle, url, withVenue } from "../Rig.ts"

/** No retries: each `connect` is one dial, so that only the breaker is seen. */
const only = (change: Parameters<typeof circuitWith>[0] = {}) =>
  policyWith({ circuit: circuitWith(change), retry: { maxRetries: 0, resetOn: "connect" } })

const failing = (connection: Connection.Connection<unknown>) =>
  Effect.map(Effect.flip(connection.connect), ({ _tag }) => _tag)

/** Connects and closes again. */
const visit = (connection: Connection.Connection<unknown>) => Effect.andThen(connection.connect, connection.close())

describe("Circuit breaker", () => {
  it.effect("circuit opens after threshold", () =>
    withVenue(only(), ({ host }) =>
      Effect.gen(function*() {
        yield* host.otherwise({ _tag: "Refuse" })
        const connection = yield* Connection.make(url)
        for (let n = 1; n <= 5; n++) {
          assert.strictEqual(yield* failing(connection), "ConnectionAborted")
          yield* TestClock.adjust(10)
        }
        // The sixth is rejected at once, without a dial.
        const error = yield* Effect.flip(connection.connect)
        assert.strictEqual(error._tag === "CircuitOpen" && error.retryAfterMillis, 9990)
        assert.match(error.message, /circuit.*open/)
        assert.strictEqual(host.dials.length, 5)
        const { failureHistory, rejected, stateTransitions } = yield* connection.breaker.metrics
        assert.strictEqual(stateTransitions, 1)
        assert.strictEqual(rejected, 1)
        assert.deepStrictEqual(failureHistory.map(({ at }) => at), [0, 10, 20, 30, 40])
        assert.deepStrictEqual(yield* breakerLine(connection.breaker), ["40 Closed Open 10000"])
      })))

  it.effect("circuit opens after threshold: a success between starts the count again", () =>
    withVenue(only(), ({ host }) =>
      Effect.gen(function*() {
        const connection = yield* Connection.make(url)
        for (let round = 0; round < 3; round++) {
          yield* host.script(...Array.from({ length: 4 }, () => ({ _tag: "Refuse" as const })))
          for (let n = 1; n <= 4; n++) assert.strictEqual(yield* failing(connection), "ConnectionAborted")
          yield* visit(connection)
        }
        assert.deepStrictEqual(yield* breakerLine(connection.breaker), [])
      })))

  it.effect("circuit half open after timeout", () =>
    Effect.gen(function*() {
      for (const [failureThreshold, openMillis] of [[5, 10_000], [3, 500]] as const) {
        const policy = only({ failureThreshold, openDuration: Duration.millis(openMillis) })
        yield* withVenue(policy, ({ host }) =>
          Effect.gen(function*() {
            const begun = yield* Effect.clockWith((clock) => clock.currentTimeMillis)
            yield* host.otherwise({ _tag: "Refuse" })
            const connection = yield* Connection.make(url)
            for (let n = 1; n <= failureThreshold; n++) yield* failing(connection)
            yield* TestClock.adjust(openMillis - 1)
            assert.strictEqual(yield* failing(connection), "CircuitOpen")
            assert.strictEqual(host.dials.length, failureThreshold)
            yield* TestClock.adjust(1)
            yield* host.otherwise({ _tag: "Accept" })
            yield* visit(connection)
            assert.deepStrictEqual(yield* breakerLine(connection.breaker), [
              `${begun} Closed Open ${openMillis}`,
              `${begun + openMillis} Open HalfOpen`
            ])
            const { halfOpenAttempts, timeouts } = yield* connection.breaker.metrics
            assert.deepStrictEqual({ halfOpenAttempts, timeouts }, { halfOpenAttempts: 1, timeouts: 1 })
          }))
      }
    }))

  it.effect("circuit half open after timeout: exactly one probe at a time, and an interrupted one frees its place", () =>
    withVenue(only({ failureThreshold: 1 }), ({ host }) =>
      Effect.gen(function*() {
        yield* host.otherwise({ _tag: "Refuse" })
        const first = yield* Connection.make(url)
        const second = yield* Connection.make(url)
        yield* failing(first)
        yield* TestClock.adjust("10 seconds")
        // The probe's dial hangs: meanwhile nobody else dials.
        yield* host.otherwise({ _tag: "Hang" })
        const probe = yield* Effect.forkChild(first.connect)
        yield* settle
        const error = yield* Effect.flip(second.connect)
        assert.strictEqual(error._tag === "CircuitOpen" && error.probing, true)
        assert.strictEqual(host.dials.length, 2)
        yield* Fiber.interrupt(probe)
        yield* host.otherwise({ _tag: "Accept" })
        yield* second.connect
        assert.isTrue(yield* second.isConnected)
      })))

  it.effect("circuit closes on success", () =>
    withVenue(only({ failureThreshold: 2, openDuration: Duration.millis(200) }), ({ host }) =>
      Effect.gen(function*() {
        yield* host.otherwise({ _tag: "Refuse" })
        const connection = yield* Connection.make(url)
        yield* failing(connection)
        yield* failing(connection)
        yield* TestClock.adjust(200)
        yield* host.otherwise({ _tag: "Accept" })
        for (let n = 1; n <= 3; n++) {
          assert.strictEqual((yield* connection.breaker.metrics).state, n === 1 ? "Open" : "HalfOpen")
          yield* visit(connection)
        }
        assert.deepStrictEqual(yield* connection.breaker.state, BreakerTransitions.closed)
        assert.deepStrictEqual(yield* breakerLine(connection.breaker), [
          "0 Closed Open 200",
          "200 Open HalfOpen",
          "200 HalfOpen Closed"
        ])
        assert.strictEqual((yield* connection.breaker.metrics).consecutiveFailures, 0)
      })))

  it.effect("exponential backoff during open", () =>
    Effect.gen(function*() {
      for (const openMillis of [10_000, 100]) {
        const policy = only({ openDuration: Duration.millis(openMillis), openCap: Duration.millis(8 * openMillis) })
        yield* withVenue(policy, ({ host }) =>
          Effect.gen(function*() {
            const begun = yield* Effect.clockWith((clock) => clock.currentTimeMillis)
            yield* host.otherwise({ _tag: "Refuse" })
            const connection = yield* Connection.make(url)
            for (let n = 1; n <= 5; n++) yield* failing(connection)
            for (const rests of [1, 2, 4, 8, 8]) {
              yield* TestClock.adjust(rests * openMillis - 1)
              assert.strictEqual(yield* failing(connection), "CircuitOpen")
              yield* TestClock.adjust(1)
              assert.strictEqual(yield* failing(connection), "ConnectionAborted")
            }
            assert.deepStrictEqual(
              dialTimes(host).slice(5).map((at) => (at - begun) / openMillis),
              [1, 3, 7, 15, 23]
            )
            // Once closed, the next opening lasts as long as the first.
            yield* TestClock.adjust(8 * openMillis)
            yield* host.otherwise({ _tag: "Accept" })
            for (let n = 1; n <= 3; n++) yield* visit(connection)
            yield* host.otherwise({ _tag: "Refuse" })
            for (let n = 1; n <= 5; n++) yield* failing(connection)
            const last = (yield* breakerLine(connection.breaker)).at(-1)
            assert.strictEqual(last, `${begun + 31 * openMillis} Closed Open ${openMillis}`)
          }))
      }
    }))

  it.effect("circuit metrics collection", () =>
    withVenue(
      only({ failureThreshold: 3, openDuration: Duration.seconds(1), halfOpen: { successThreshold: 1 } }),
      ({ host }) =>
        Effect.gen(function*() {
          const connection = yield* Connection.make(url)
          // Three phases: it works, it fails, it works again.
          yield* visit(connection)
          yield* visit(connection)
          yield* TestClock.adjust(500)
          yield* host.script(...Array.from({ length: 3 }, () => ({ _tag: "Refuse" as const })))
          for (let n = 1; n <= 3; n++) yield* failing(connection)
          yield* failing(connection)
          yield* TestClock.adjust(1500)
          yield* visit(connection)
          yield* TestClock.adjust(1000)
          const metrics = yield* connection.breaker.metrics
          assert.deepStrictEqual(metrics.transitionHistory.map(({ at, from, to }) => `${at} ${from} ${to}`), [
            "500 Closed Open",
            "2000 Open HalfOpen",
            "2000 HalfOpen Closed"
          ])
          const {
            averageStateDuration,
            closedAt,
            failureRate,
            failures,
            openedAt,
            rejected,
            successes,
            timeClosed,
            timeOpen
          } = metrics
          assert.deepStrictEqual(
            {
              averageStateDuration,
              closedAt,
              failureRate,
              failures,
              openedAt,
              rejected,
              successes,
              timeClosed,
              timeOpen
            },
            {
              averageStateDuration: 750,
              closedAt: 2000,
              failureRate: 50,
              failures: 3,
              openedAt: 500,
              rejected: 1,
              successes: 3,
              timeClosed: 1500,
              timeOpen: 1500
            }
          )
          assert.strictEqual(metrics.failureHistory.length + metrics.successHistory.length, 6)
          assert.deepStrictEqual(metrics.successHistory, [0, 0, 2000])

          const json = JSON.parse(JSON.stringify(BreakerMetrics.toJson(metrics)))
          assert.strictEqual(json.current_state, "Closed")
          assert.strictEqual(json.state_transitions, 3)
          assert.strictEqual(json.time_in_open_ms, 1500)
          const text = BreakerMetrics.toPrometheus([metrics])
          assert.include(text, `circuit_breaker_state{key="ws://venue.test"} 0\n`)
          assert.include(text, `circuit_breaker_failures_total{key="ws://venue.test"} 3\n`)

          yield* connection.breaker.resetMetrics
          const { failures: none, resetAt, stateTransitions } = yield* connection.breaker.metrics
          assert.deepStrictEqual({ none, resetAt, stateTransitions }, { none: 0, resetAt: 3000, stateTransitions: 0 })
        })
    ))

  it.effect("mixed valid invalid messages", () =>
    withVenue("fast", ({ host }) =>
      Effect.gen(function*() {
        const connection = yield* Connection.make(url, { decode: Generic.venue.decode })
        const recorded = yield* record(connection)
        yield* connection.connect
        const peer = yield* host.nextPeer
        const good = (n: number) => `{"product_id":"BTC-USD","price":"${n}.50","timestamp":"2025-10-28T12:00:00Z"}`
        const bad = ["{", "", `{"product_id":"BTC-USD"}`, "[1]", `{"product_id":"BTC-USD","price":"x","timestamp":1}`]
        for (let n = 0; n < 5; n++) yield* peer.send(good(n + 1), bad[n]!)
        yield* peer.send(good(6))
        yield* settle
        const prices = recorded.messages.map((event) =>
          event._tag === "PriceUpdate" ? Decimal.format(event.price) : event
        )
        assert.deepStrictEqual(prices, ["1.50", "2.50", "3.50", "4.50", "5.50", "6.50"])
        const order = recorded.items.flatMap((item) =>
          item._tag === "Batch" ? item.messages.map(() => "+") : item._tag === "Rejected" ? ["-"] : []
        )
        assert.strictEqual(order.join(""), "+-+-+-+-+-+")
        const { messages, rejections } = yield* connection.metrics
        assert.strictEqual(messages, 6)
        assert.deepStrictEqual(rejections, { MalformedJson: 2, MissingField: 1, NotAnObject: 1, InvalidField: 1 })
        // What could not be read says nothing about the connection.
        assert.strictEqual((yield* connection.breaker.metrics).failures, 0)
        assert.isTrue(yield* connection.isConnected)
      })))

  it.effect("message ordering preservation", () =>
    withVenue("fast", ({ host, network }) =>
      Effect.gen(function*() {
        // Its own number counts, not one that it carries.
        const numbered = (n: number) => `{"data":{"seq":7},"seq" :${n}}`
        const sequenced = yield* Connection.make(url, { sequence: "seq" })
        const recorded = yield* record(sequenced)
        yield* sequenced.connect
        const peer = yield* host.nextPeer
        // Latencies that differ from frame to frame do not reorder a connection.
        yield* network.setLatency({ min: 0, max: 50 })
        const hundred = Array.from({ length: 100 }, (_, n) => numbered(n + 1))
        for (const frame of hundred) yield* peer.send(frame)
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(recorded.messages.splice(0), hundred)
        assert.deepStrictEqual((yield* sequenced.metrics).sequence, { gaps: 0, missing: 0n, violations: 0 })
        // Eight with holes at 103 and 106: counted, nothing repaired.
        const holed = [101, 102, 104, 105, 107, 108, 109, 110].map(numbered)
        yield* peer.send(...holed)
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(recorded.messages.splice(0), holed)
        assert.deepStrictEqual((yield* sequenced.metrics).sequence, { gaps: 2, missing: 2n, violations: 0 })
        assert.deepStrictEqual(
          recorded.items.flatMap((item) => item._tag === "SequenceGap" ? [[item.from, item.to]] : []),
          [[102n, 104n], [105n, 107n]]
        )
        // A burst of fifty at once.
        const burst = Array.from({ length: 50 }, (_, n) => numbered(n + 111))
        yield* peer.send(...burst)
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(recorded.messages.splice(0), burst)
        yield* network.setLatency(0)
        // Three senders at once: each one's twenty stay in order on the wire.
        yield* Effect.forEach(["a", "b", "c"], (name) =>
          Effect.forEach(Array.from({ length: 20 }, (_, n) => n), (n) =>
            Effect.andThen(sequenced.send(`${name}${n}`), Effect.yieldNow)), { concurrency: "unbounded" })
        for (const name of ["a", "b", "c"]) {
          assert.deepStrictEqual(
            peer.received.filter((frame) =>
              typeof frame === "string" && frame.startsWith(name)
            ),
            Array.from({ length: 20 }, (_, n) =>
              `${name}${n}`)
          )
        }
        assert.strictEqual(peer.received.length, 60)
      })))

  it.effect("connection failure handling", () =>
    withVenue(
      policyWith({ retryInitialConnect: false, connectTimeout: Duration.millis(500) }),
      ({ host }) =>
        Effect.gen(function*() {
          const told = Effect.fnUntraced(function*(to: string, outcome: Parameters<typeof host.otherwise>[0]) {
            yield* host.otherwise(outcome)
            const connection = yield* Connection.make(to)
            const connecting = yield* Effect.forkChild(Effect.flip(connection.connect))
            yield* TestClock.adjust("1 second")
            const error = yield* Fiber.join(connecting)
            assert.strictEqual((yield* connection.state.current)._tag, "Disconnected")
            const { failures } = yield* connection.metrics
            return [Object.entries(failures), error.message]
          })
          assert.deepStrictEqual(yield* told(url, { _tag: "Refuse" }), [
            [["Refused", 1]],
            "ws://venue.test: connection refused: scripted"
          ])
          assert.deepStrictEqual(yield* told("http://venue.test", { _tag: "Accept" }), [
            [["BadUrl", 1]],
            "http://venue.test: bad URL: the scheme is http, expected ws or wss"
          ])
          assert.deepStrictEqual(yield* told("ws://nowhere.test", { _tag: "Accept" }), [
            [["NotResolved", 1]],
            "ws://nowhere.test: host name not resolved: no host ws://nowhere.test in the virtual network"
          ])
          assert.deepStrictEqual(yield* told(url, { _tag: "Unreachable" }), [
            [["Unreachable", 1]],
            "ws://venue.test: unreachable: scripted"
          ])
          assert.deepStrictEqual(yield* told(url, { _tag: "Hang" }), [
            [["TimedOut", 1]],
            "ws://venue.test: connection timeout: no handshake within 500 ms"
          ])
          assert.deepStrictEqual(yield* told(url, { _tag: "Reject", status: 503 }), [
            [["HandshakeRejected", 1]],
            "ws://venue.test: handshake rejected with status 503"
          ])
          assert.deepStrictEqual(yield* told(url, { _tag: "BadTls" }), [
            [["TlsFailed", 1]],
            "ws://venue.test: TLS failed: scripted"
          ])
          // Whatever went wrong before, the next connect works.
          yield* host.otherwise({ _tag: "Accept" })
          const { connection } = yield* connected()
          assert.isTrue(yield* connection.isConnected)
        })
    ))
})
