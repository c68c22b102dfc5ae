import { assert, describe, it } from "@effect/vitest"
import * as BearerToken from "@tickline/core/connection/BearerToken"
import * as Connection from "@tickline/core/connection/Connection"
import type { DialRequest } from "@tickline/core/transport/Transport"
import type * as VirtualNetwork from "@tickline/testing/VirtualNetwork"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { connected, dialTimes, policyWith, record, settle, timeline, url, withVenue } from "../Rig.ts"

const good = "valid_bearer_token_abcdef123456"
const bad = "invalid_token_12345"

const authorization = (request: DialRequest): string | undefined => {
  const header = request.headers.Authorization
  return Redacted.isRedacted(header) ? Redacted.value(header) : header
}

/** Decides as a venue does, by what it was shown. */
const guard = (request: DialRequest): VirtualNetwork.DialOutcome =>
  authorization(request) === `Bearer ${good}` ? { _tag: "Accept" } : { _tag: "Reject", status: 401 }

describe("Connection", () => {
  it.effect("basic websocket connection", () =>
    withVenue("fast", ({ host }) =>
      Effect.gen(function*() {
        yield* TestClock.setTime(1000)
        const connection = yield* Connection.make(url)
        assert.isFalse(yield* connection.isConnected)
        yield* connection.connect
        assert.deepStrictEqual((yield* connection.state.current)._tag, "Connected")
        assert.isTrue(yield* connection.isConnected)
        const { connectedAt, connects, epoch, id, lastHeardAt } = yield* connection.metrics
        assert.match(id ?? "", /^conn_[0-9a-f]{8}$/)
        assert.deepStrictEqual({ connectedAt, connects, epoch, lastHeardAt }, {
          connectedAt: 1000,
          connects: 1,
          epoch: 1,
          lastHeardAt: 1000
        })
        assert.deepStrictEqual(host.dials, [{ at: 1000, outcome: "Accept" }])
        assert.strictEqual(host.peers().length, 1)
      })))

  it.effect("multiple concurrent connections", () =>
    withVenue("fast", ({ host }) =>
      Effect.gen(function*() {
        const connections = yield* Effect.all(Array.from({ length: 4 }, () => Connection.connect(url)), {
          concurrency: "unbounded"
        })
        const metrics = yield* Effect.forEach(connections, (connection) => connection.metrics)
        assert.strictEqual(new Set(metrics.map(({ id }) => id)).size, 4)
        assert.strictEqual(host.peers().length, 4)
        // Independent: one drops, the others do not notice.
        yield* host.peers()[1]!.drop
        yield* settle
        const up = yield* Effect.forEach(connections, (connection) => connection.isConnected)
        assert.deepStrictEqual(up, [true, false, true, true])
        yield* TestClock.adjust(100)
        assert.deepStrictEqual((yield* connections[0]!.metrics).epoch, 1)
        assert.deepStrictEqual((yield* connections[1]!.metrics).epoch, 2)
      })))

  it.effect("concurrent message reading", () =>
    withVenue("fast", ({ host }) =>
      Effect.gen(function*() {
        const connections = yield* Effect.forEach([0, 1, 2], () => Connection.connect(url))
        const peers = host.peers()
        // Two readers of each connection, all at the same time.
        const reading = yield* Effect.forkChild(Effect.forEach(
          [...connections, ...connections],
          (connection) => Stream.runCollect(Stream.take(connection.batches(), 3)),
          { concurrency: "unbounded" }
        ))
        yield* settle
        for (let n = 1; n <= 3; n++) {
          yield* Effect.forEach(peers, (peer) => peer.send(`${peer.id}: ${n}`))
          yield* TestClock.adjust(10)
        }
        const read = yield* Fiber.join(reading)
        read.forEach((batches, i) => {
          const id = i % 3 + 1
          assert.deepStrictEqual(batches.flatMap(({ messages }) => messages), [`${id}: 1`, `${id}: 2`, `${id}: 3`])
          assert.deepStrictEqual(batches.map(({ at }) => at), [0, 10, 20])
        })
      })))

  it.effect("websocket auth validation", () =>
    withVenue("fast", ({ host }) =>
      Effect.gen(function*() {
        const seen: Array<string | undefined> = []
        yield* host.otherwise((request) => {
          seen.push(authorization(request))
          return guard(request)
        })
        // No token, and a bad one: refused by the venue, not retried, and nothing is left open.
        for (const auth of [undefined, yield* BearerToken.make(Redacted.make(bad))]) {
          const connection = yield* Connection.make(url, { auth })
          const error = yield* Effect.flip(connection.connect)
          assert.strictEqual(error._tag, "AuthError")
          assert.strictEqual((yield* connection.state.current)._tag, "Disconnected")
          yield* TestClock.adjust("1 minute")
        }
        assert.deepStrictEqual(seen.splice(0), [undefined, `Bearer ${bad}`])

        // A good one.
        const fine = yield* Connection.connect(url, { auth: yield* BearerToken.make(Redacted.make(good)) })
        assert.isTrue(yield* fine.isConnected)
        assert.deepStrictEqual(seen.splice(0), [`Bearer ${good}`])

        // A bad one that can be refreshed: one refresh, one redial.
        let refreshes = 0
        const refreshed = yield* Connection.connect(url, {
          auth: yield* BearerToken.make(
            Redacted.make(bad),
            Effect.sync(() => {
              refreshes++
              return Redacted.make(good)
            })
          )
        })
        assert.isTrue(yield* refreshed.isConnected)
        assert.strictEqual(refreshes, 1)
        assert.deepStrictEqual(seen, [`Bearer ${bad}`, `Bearer ${good}`])
      })))

  it.effect("websocket auth validation: a refresh that does not help is tried once, then it stops", () =>
    withVenue("recommended", ({ host }) =>
      Effect.gen(function*() {
        yield* host.otherwise({ _tag: "Reject", status: 403 })
        let refreshes = 0
        const connection = yield* Connection.make(url, {
          auth: yield* BearerToken.make(
            Redacted.make(bad),
            Effect.sync(() => {
              refreshes++
              return Redacted.make(bad)
            })
          )
        })
        const error = yield* Effect.flip(connection.connect)
        yield* TestClock.adjust("1 hour")
        assert.deepStrictEqual(error._tag === "AuthError" && error.status, 403)
        assert.strictEqual(refreshes, 1)
        assert.deepStrictEqual(dialTimes(host), [0, 0])
        assert.strictEqual((yield* connection.breaker.metrics).failures, 0)
      })))

  it.effect("connection timeout handling", () =>
    Effect.gen(function*() {
      for (const millis of [500, 5000]) {
        const policy = policyWith({ connectTimeout: Duration.millis(millis), retryInitialConnect: false })
        yield* withVenue(policy, ({ host }) =>
          Effect.gen(function*() {
            yield* host.otherwise({ _tag: "Hang" })
            const connection = yield* Connection.make(url)
            const connecting = yield* Effect.forkChild(Effect.flip(connection.connect))
            yield* TestClock.adjust(millis - 1)
            assert.strictEqual((yield* connection.state.current)._tag, "Connecting")
            yield* TestClock.adjust(1)
            assert.strictEqual((yield* connection.state.current)._tag, "Disconnected")
            const error = yield* Fiber.join(connecting)
            assert.strictEqual(error._tag === "DialError" && error.reason._tag, "TimedOut")
            assert.include(error.message, `connection timeout: no handshake within ${millis} ms`)
            const { failures, lastError } = yield* connection.metrics
            assert.strictEqual(lastError, error)
            assert.deepStrictEqual(failures, { TimedOut: 1 })
            assert.strictEqual(host.dials.length, 1)
          }))
      }
    }))

  it.effect("connection state transitions", () =>
    withVenue("fast", ({ network }) =>
      Effect.gen(function*() {
        const connection = yield* Connection.make(url)
        const recorded = yield* record(connection)
        const agreed: Array<boolean> = []
        const agree = Effect.gen(function*() {
          const current = yield* connection.state.current
          agreed.push((yield* connection.isConnected) === (current._tag === "Connected"))
        })
        yield* agree
        yield* TestClock.adjust(7)
        yield* network.setLatency(10)
        const connecting = yield* Effect.forkChild(connection.connect)
        yield* settle
        yield* agree
        yield* TestClock.adjust(20)
        yield* Fiber.join(connecting)
        yield* agree
        yield* TestClock.adjust(50)
        const closing = yield* Effect.forkChild(connection.close())
        yield* TestClock.adjust(20)
        yield* Fiber.join(closing)
        yield* agree
        assert.deepStrictEqual(timeline(recorded.transitions), [
          "7 Connecting 1",
          "27 Connected 1",
          "77 Closing",
          "97 Disconnected"
        ])
        const { transitions } = recorded
        assert.deepStrictEqual(transitions.map(({ from }) => from._tag), [
          "Disconnected",
          "Connecting",
          "Connected",
          "Closing"
        ])
        assert.deepStrictEqual(transitions.map(({ heldMillis }) => heldMillis), [7, 20, 50, 20])
        assert.isTrue(transitions.every(({ reason }) => reason !== ""))
        assert.deepStrictEqual(agreed, [true, true, true, true])
      })))

  it.effect("double connection prevention", () =>
    withVenue("fast", ({ host }) =>
      Effect.gen(function*() {
        const connection = yield* Connection.make(url)
        yield* connection.connect
        const { id } = yield* connection.metrics
        const again = Effect.flip(connection.connect)
        const errors = [
          yield* again,
          yield* again,
          ...(yield* Effect.all([again, again], { concurrency: "unbounded" }))
        ]
        for (const error of errors) {
          assert.strictEqual(error._tag, "AlreadyConnected")
          assert.include(error.message, "already connected")
        }
        const metrics = yield* connection.metrics
        assert.strictEqual(metrics.id, id)
        assert.strictEqual(metrics.conflicts, 4)
        assert.strictEqual(host.dials.length, 1)
        yield* connection.close()
        yield* connection.connect
        assert.isTrue(yield* connection.isConnected)
        assert.notStrictEqual((yield* connection.metrics).id, id)
        assert.strictEqual(host.dials.length, 2)
      })))

  it.effect("double connection prevention: two first connects at once make one dial", () =>
    withVenue("fast", ({ host }) =>
      Effect.gen(function*() {
        const connection = yield* Connection.make(url)
        const results = yield* Effect.all([connection.connect, connection.connect], {
          concurrency: "unbounded",
          mode: "result"
        })
        assert.deepStrictEqual(results.map(({ _tag }) => _tag).toSorted(), ["Failure", "Success"])
        assert.strictEqual(host.dials.length, 1)
      })))

  it.effect("graceful disconnect", () =>
    withVenue("fast", ({ host, network }) =>
      Effect.gen(function*() {
        const { connection } = yield* connected()
        const peer = yield* host.nextPeer
        yield* network.setLatency(30)
        const closing = yield* Effect.forkChild(connection.close())
        yield* TestClock.adjust(60)
        assert.deepStrictEqual(yield* Fiber.join(closing), { mode: "graceful", clean: true })
        const { by, code } = yield* peer.ended
        assert.deepStrictEqual({ by, code }, { by: "local", code: 1000 })
        assert.strictEqual((yield* connection.state.current)._tag, "Disconnected")
        assert.deepStrictEqual((yield* connection.metrics).closes, { graceful: 1, forced: 0 })
        assert.strictEqual(host.peers().length, 0)
        yield* TestClock.adjust("1 minute")
        assert.strictEqual(host.dials.length, 1)
      })))

  it.effect("graceful disconnect: a peer that never answers costs 2 s and not more", () =>
    withVenue("fast", ({ host }) =>
      Effect.gen(function*() {
        const { connection } = yield* connected()
        yield* (yield* host.nextPeer).freeze
        const closing = yield* Effect.forkChild(connection.close())
        yield* TestClock.adjust(1999)
        assert.strictEqual((yield* connection.state.current)._tag, "Closing")
        yield* TestClock.adjust(1)
        assert.strictEqual((yield* connection.state.current)._tag, "Disconnected")
        assert.deepStrictEqual(yield* Fiber.join(closing), { mode: "graceful", clean: false })
        assert.strictEqual(host.peers().length, 0)
      })))
})
