import { assert, describe, it } from "@effect/vitest"
import * as Connection from "@tickline/core/connection/Connection"
import type { Dialect } from "@tickline/core/protocol/Dialect"
import * as Channel from "@tickline/core/value/Channel"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import {
  backoffOf,
  connected,
  dialTimes,
  policyWith,
  record,
  refusals,
  settle,
  timeline,
  url,
  withVenue
} from "../Rig.ts"

const dialect: Dialect = {
  subscribe: (channels) => channels.length === 0 ? [] : [`+${channels.map(({ channel }) => channel).join(",")}`],
  unsubscribe: (channels) => channels.length === 0 ? [] : [`-${channels.map(({ channel }) => channel).join(",")}`]
}

const waits = (lines: ReadonlyArray<string>) => lines.filter((line) => / in /.test(line))

describe("Reconnection", () => {
  it.effect("exponential backoff on disconnect", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const { connection, recorded } = yield* connected()
        yield* host.script(...refusals(3))
        yield* host.drop
        yield* TestClock.adjust("1 minute")
        // The delay is waited for before each retry, the first included.
        assert.deepStrictEqual(waits(timeline(recorded.transitions)), [
          "0 Reconnecting 1 in 100",
          "100 Reconnecting 2 in 200",
          "300 Reconnecting 3 in 400",
          "700 Reconnecting 4 in 800"
        ])
        assert.deepStrictEqual(dialTimes(host), [0, 100, 300, 700, 1500])
        assert.strictEqual(timeline(recorded.transitions).at(-1), "1500 Connected 2")
        const { attempts, averageReconnectionMillis, downtimeMillis, reconnections, retries } = yield* connection
          .metrics
        assert.deepStrictEqual({ attempts, averageReconnectionMillis, downtimeMillis, reconnections, retries }, {
          attempts: 5,
          averageReconnectionMillis: 1500,
          downtimeMillis: 1500,
          reconnections: 1,
          retries: 4
        })
      })))

  it.effect("max retries enforcement", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const { connection, recorded } = yield* connected()
        const { id } = yield* connection.metrics
        yield* host.script(...refusals(5))
        yield* host.drop
        yield* TestClock.adjust(2300)
        assert.strictEqual(timeline(recorded.transitions).at(-1), "2300 Failed ConnectionAborted")
        // Silence from here on.
        yield* TestClock.adjust("1 hour")
        assert.deepStrictEqual(dialTimes(host), [0, 100, 300, 700, 1500, 2300])
        const { lastError, maxRetriesExceeded, state } = yield* connection.metrics
        assert.strictEqual(state, "Failed")
        assert.strictEqual(maxRetriesExceeded, 1)
        assert.strictEqual(lastError?._tag === "ConnectionAborted" && lastError.retries, 5)
        // By hand it comes back, as a new session.
        yield* connection.connect
        assert.isTrue(yield* connection.isConnected)
        assert.notStrictEqual((yield* connection.metrics).id, id)
      })))

  it.effect("max retries enforcement: 3 retries of 50 ms × 1.5", () =>
    withVenue(
      policyWith({ backoff: backoffOf(50, 1.5, 1000), retry: { maxRetries: 3, resetOn: "connect" } }),
      ({ host }) =>
        Effect.gen(function*() {
          const { connection } = yield* connected()
          yield* host.otherwise({ _tag: "Refuse" })
          yield* host.drop
          yield* TestClock.adjust("1 minute")
          assert.deepStrictEqual(dialTimes(host), [0, 50, 125, 237.5])
          assert.strictEqual((yield* connection.state.current)._tag, "Failed")
          yield* host.otherwise({ _tag: "Accept" })
          yield* connection.connect
          assert.isTrue(yield* connection.isConnected)
        })
    ))

  it.effect("backoff reset on success", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const { connection } = yield* connected()
        for (let cycle = 0; cycle < 3; cycle++) {
          const begun = host.dials.length
          yield* host.script(...refusals(1))
          yield* host.drop
          yield* TestClock.adjust("10 seconds")
          const at = cycle * 10_000
          assert.deepStrictEqual(dialTimes(host).slice(begun), [at + 100, at + 300])
        }
        // Six retries in all, with five allowed: the count of retries starts again too.
        const { backoffResets, reconnections, retries } = yield* connection.metrics
        assert.deepStrictEqual({ backoffResets, reconnections, retries }, {
          backoffResets: 3,
          reconnections: 3,
          retries: 6
        })
      })))

  it.effect("concurrent reconnection attempts", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const { connection, recorded } = yield* connected()
        const { id } = yield* connection.metrics
        yield* host.script(...refusals(1))
        yield* host.drop
        const callers = yield* Effect.forEach(
          [50, 100, 150],
          (millis) => Effect.forkChild(Effect.andThen(Effect.sleep(millis), connection.reconnect))
        )
        yield* TestClock.adjust("1 minute")
        yield* Effect.forEach(callers, Fiber.join)
        assert.deepStrictEqual(dialTimes(host), [0, 100, 300])
        assert.strictEqual(recorded.transitions.filter(({ to }) => to._tag === "Connected").length, 2)
        const metrics = yield* connection.metrics
        assert.strictEqual(metrics.conflicts, 3)
        assert.strictEqual(metrics.id, id)
      })))

  it.effect("concurrent reconnection attempts: three at once on a link that is up make one dial, and all three return", () =>
    withVenue(policyWith({}), ({ host, network }) =>
      Effect.gen(function*() {
        const { connection } = yield* connected()
        yield* network.setLatency(5)
        const callers = yield* Effect.forEach([1, 2, 3], () => Effect.forkChild(connection.reconnect))
        yield* TestClock.adjust("1 minute")
        yield* Effect.forEach(callers, Fiber.join)
        yield* network.setLatency(0)
        assert.deepStrictEqual(dialTimes(host), [0, 0])
        const { conflicts, epoch } = yield* connection.metrics
        assert.deepStrictEqual({ conflicts, epoch }, { conflicts: 2, epoch: 2 })
      })))

  it.effect("connection state preservation", () =>
    withVenue(policyWith({ buffer: { messages: 1000, bytes: 1_000_000 } }), ({ host }) =>
      Effect.gen(function*() {
        const connection = yield* Connection.make(url, { dialect })
        yield* connection.subscribe([Channel.make("a"), Channel.make("b")])
        yield* connection.connect
        yield* connection.subscribe([Channel.make("c")])
        yield* connection.send("before", { delivery: "keep" })
        const first = yield* host.nextPeer
        assert.deepStrictEqual(first.received, ["+a,b", "+c", "before"])
        const before = yield* connection.metrics
        yield* host.script(...refusals(2))
        yield* host.drop
        yield* settle
        // Kept while down, up to the bound, in order; one more is refused and not lost in silence.
        for (let n = 1; n <= 1000; n++) yield* connection.send(`kept ${n}`, { delivery: "keep" })
        assert.strictEqual((yield* Effect.flip(connection.send("over", { delivery: "keep" })))._tag, "OutboxFull")
        yield* TestClock.adjust("1 minute")
        const second = yield* host.nextPeer
        assert.strictEqual(second.received[0], "+a,b,c")
        assert.deepStrictEqual(second.received.slice(1), Array.from({ length: 1000 }, (_, n) => `kept ${n + 1}`))
        const after = yield* connection.metrics
        assert.strictEqual(after.id, before.id)
        assert.strictEqual(after.connectedAt, before.connectedAt)
        assert.strictEqual(after.reconnections, 1)
        assert.deepStrictEqual(
          { ...after.outbox },
          {
            waiting: 0,
            waitingBytes: 0,
            mostWaiting: 1000,
            sent: 1001,
            sentAfterWaiting: 1000,
            withdrawn: 0,
            refused: 1,
            unsent: 0,
            // The asking of the epoch that was dropped.
            unconfirmed: 1
          }
        )
        assert.deepStrictEqual((yield* connection.subscriptions).map(Channel.key), ["a", "b", "c"])
      })))

  it.effect("reconnection failure modes", () =>
    withVenue(
      policyWith({ retry: { maxRetries: "unlimited", resetOn: "connect" }, connectTimeout: Duration.seconds(1) }),
      ({ host }) =>
        Effect.gen(function*() {
          const { connection, recorded } = yield* connected()
          // Intermittent: every other dial fails, each in a way of its own.
          yield* host.script(
            { _tag: "Refuse" },
            { _tag: "Accept" },
            { _tag: "Unreachable" },
            { _tag: "Accept" },
            { _tag: "Reject", status: 500 },
            { _tag: "Accept" }
          )
          for (let i = 0; i < 3; i++) {
            yield* host.drop
            yield* TestClock.adjust(300)
            assert.isTrue(yield* connection.isConnected)
          }
          assert.deepStrictEqual((yield* connection.metrics).failures, {
            Dropped: 3,
            Refused: 1,
            Unreachable: 1,
            HandshakeRejected: 1
          })

          // A partition: dials meet nobody. 10 s of it bring attempts, spaced by timeout and backoff, and no give-up.
          yield* host.otherwise({ _tag: "Hang" })
          const begun = host.dials.length
          yield* host.drop
          yield* TestClock.adjust("10 seconds")
          assert.deepStrictEqual(dialTimes(host).slice(begun).map((at) => at - 900), [
            100,
            1300,
            2700,
            4500,
            6300,
            8100,
            9900
          ])
          assert.isFalse(yield* connection.isConnected)

          // Recovery within 15 s: the dial that hangs times out, and the next one gets through.
          yield* host.otherwise({ _tag: "Accept" })
          yield* TestClock.adjust(1700)
          assert.isTrue(yield* connection.isConnected)
          assert.strictEqual(recorded.transitions.at(-1)!.at, 900 + 9900 + 1000 + 800)
        })
    ))

  it.effect("reconnection failure modes: Retry-After, backoff and breaker: the latest of them, never the sum", () =>
    withVenue("recommended", ({ host }) =>
      Effect.gen(function*() {
        const connection = yield* Connection.make(url)
        // Longer than any backoff of the start: obeyed to the second.
        yield* host.script({ _tag: "Reject", status: 429, retryAfterMillis: 7000 })
        // Shorter than the backoff's cap and the breaker's rest: no effect beside them.
        yield* host.script(...Array.from({ length: 4 }, () => ({
          _tag: "Reject" as const,
          status: 503,
          retryAfterMillis: 4000
        })))
        // The probe is told to wait for longer than the breaker's 20 s.
        yield* host.script({ _tag: "Reject", status: 418, retryAfterMillis: 25_000 })
        const connecting = yield* Effect.forkChild(connection.connect)
        yield* TestClock.adjust("2 minutes")
        yield* Fiber.join(connecting)
        assert.deepStrictEqual(dialTimes(host), [0, 7000, 11_000, 15_000, 19_000, 29_000, 54_000])
      })))

  it.effect("adaptive backoff strategy", () =>
    withVenue(
      policyWith({
        retry: { maxRetries: "unlimited", resetOn: "connect" },
        connectTimeout: Duration.seconds(1),
        backoff: {
          ...backoffOf(100, 1.5, 10_000),
          adaptive: { rapidFactor: 2, rapidWindow: Duration.seconds(5), recoverFactor: 0.5 }
        }
      }),
      ({ host }) =>
        Effect.gen(function*() {
          const { recorded } = yield* connected()
          const steps = () =>
            recorded.transitions.flatMap(({ to }) =>
              to._tag === "Reconnecting" ? [`${to.pattern ?? "-"} ${to.delayMillis}`] : []
            )
          // Dials that are refused at once: each wait is at least 1.8 times the one before.
          yield* TestClock.adjust("10 seconds")
          yield* host.script(...refusals(4))
          yield* host.drop
          yield* TestClock.adjust("5 seconds")
          assert.deepStrictEqual(steps(), [
            "- 100",
            "rapid_consecutive 200",
            "rapid_consecutive 400",
            "rapid_consecutive 800",
            "rapid_consecutive 1600"
          ])
          // It came back, and goes again soon: moderated, under the last rapid delay.
          yield* host.drop
          yield* TestClock.adjust("2 seconds")
          assert.deepStrictEqual(steps().slice(5), ["intermittent_recovery 800"])
          // Nobody answers any more: after three of those the waits are near the cap.
          yield* host.otherwise({ _tag: "Unreachable" })
          yield* TestClock.adjust("1 minute")
          yield* host.drop
          yield* TestClock.adjust("30 seconds")
          assert.deepStrictEqual(steps().slice(6), [
            "- 100",
            "rapid_consecutive 200",
            "rapid_consecutive 400",
            "persistent_failure 8000",
            "persistent_failure 10000",
            "persistent_failure 10000",
            "persistent_failure 10000"
          ])
        })
    ))

  it.effect("forced disconnect", () =>
    withVenue("fast", ({ host }) =>
      Effect.gen(function*() {
        const { connection } = yield* connected()
        const peer = yield* host.nextPeer
        // Even where the peer would never answer, it takes no time at all.
        yield* peer.freeze
        assert.deepStrictEqual(yield* connection.close({ mode: "forced" }), { mode: "forced", clean: false })
        // No close frame was sent: the peer sees a cut.
        assert.strictEqual((yield* peer.ended).code, 1006)
        assert.strictEqual((yield* connection.state.current)._tag, "Disconnected")
        assert.deepStrictEqual((yield* connection.metrics).closes, { graceful: 0, forced: 1 })
        yield* TestClock.adjust("1 minute")
        assert.strictEqual(host.dials.length, 1)
      })))

  it.effect("forced disconnect: in the middle of a dial and in the middle of a wait", () =>
    withVenue("fast", ({ host }) =>
      Effect.gen(function*() {
        yield* host.otherwise({ _tag: "Hang" })
        const connection = yield* Connection.make(url)
        const recorded = yield* record(connection)
        const connecting = yield* Effect.forkChild(Effect.flip(connection.connect))
        yield* TestClock.adjust(10)
        assert.isFalse((yield* connection.close({ mode: "forced" })).clean)
        assert.strictEqual((yield* Fiber.join(connecting))._tag, "ConnectionClosed")
        yield* host.otherwise({ _tag: "Refuse" })
        const waiting = yield* Effect.forkChild(Effect.flip(connection.connect))
        yield* TestClock.adjust(50)
        assert.strictEqual((yield* connection.state.current)._tag, "Reconnecting")
        yield* connection.close({ mode: "forced" })
        assert.strictEqual((yield* Fiber.join(waiting))._tag, "ConnectionClosed")
        yield* TestClock.adjust("1 minute")
        assert.strictEqual(host.dials.length, 2)
        assert.strictEqual(timeline(recorded.transitions).at(-1), "60 Disconnected")
      })))
})
