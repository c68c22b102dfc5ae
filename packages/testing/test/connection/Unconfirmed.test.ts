/**
 * What the end of an epoch says of the messages that were handed to its socket
 * and may not have left, or not have arrived.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Connection from "@tickline/core/connection/Connection"
import type * as ConnectionState from "@tickline/core/connection/ConnectionState"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as TestClock from "effect/testing/TestClock"
import { internals } from "../../../core/src/connection/internal/connectionInternals.ts"
import { connected, policyWith, settle, url, withVenue } from "../Rig.ts"

const pinging = policyWith({
  heartbeat: { interval: Duration.seconds(10), timeout: Duration.seconds(5), onMiss: "close" }
})

const endOf = (transitions: ReadonlyArray<ConnectionState.Transition>) =>
  transitions.find(({ to }) => to._tag === "Reconnecting")

const send = (connection: Connection.Connection<unknown>, ...messages: ReadonlyArray<string>) =>
  Effect.forEach(messages, (message) => connection.send(message), { discard: true })

describe("What may not have left", () => {
  it.effect("is told of a drop: since the last answered ping, in the failure, the transition, the log and the metrics", () => {
    const lines: Array<string> = []
    const logger = Logger.map(Logger.formatJson, (line) => void lines.push(line))
    return withVenue(pinging, ({ host }) =>
      Effect.gen(function*() {
        const { connection, recorded } = yield* connected()
        yield* host.setLatency(100)
        yield* send(connection, "one", "two", "three")
        yield* TestClock.adjust("15 seconds")
        yield* send(connection, "four", "fives")
        yield* TestClock.adjust("1 second")
        yield* send(connection, "six")
        yield* host.drop
        yield* settle
        const end = endOf(recorded.transitions)
        const unconfirmed = { messages: 3, bytes: 12, bufferedBytes: 3 }
        assert.deepStrictEqual(end?.unconfirmed, unconfirmed)
        assert(end?.to._tag === "Reconnecting" && end.to.failure?._tag === "Dropped")
        assert.deepStrictEqual(end.to.failure.unconfirmed, unconfirmed)
        assert.include(end.reason, "3 sent messages (12 bytes) may not have arrived")
        const line = lines.find((one) => one.includes("\"dropped\"")) ?? ""
        assert.include(line, "\"unconfirmed\":3")
        assert.include(line, "\"unconfirmed_bytes\":12")
        assert.include(line, "\"buffered_bytes\":3")
        assert.strictEqual((yield* connection.metrics).outbox.unconfirmed, 3)
        // What the next epoch ends with is its own.
        yield* TestClock.adjust("1 second")
        yield* host.drop
        yield* settle
        assert.notProperty(recorded.transitions.at(-1), "unconfirmed")
        assert.strictEqual((yield* connection.metrics).outbox.unconfirmed, 3)
      })).pipe(Effect.provide(Logger.layer([logger])))
  })

  it.effect("counts what was kept as what was sent now, and nothing that the connection sends by itself", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const connection = yield* Connection.make(url, {
          dialect: { subscribe: () => ["subscribe"], unsubscribe: () => [] }
        })
        yield* connection.send("kept", { delivery: "keep" })
        yield* connection.subscribe([{ channel: "trades" }])
        yield* connection.connect
        yield* settle
        assert.deepStrictEqual(host.peers()[0]?.received, ["subscribe", "kept"])
        yield* host.drop
        yield* settle
        assert.strictEqual((yield* connection.metrics).outbox.unconfirmed, 1)
      })))

  it.effect("is told of a link that was half open, and of a reconnect by hand", () =>
    withVenue(pinging, ({ host }) =>
      Effect.gen(function*() {
        const { connection, recorded } = yield* connected()
        yield* host.peers()[0]!.freeze
        yield* send(connection, "lost")
        yield* TestClock.adjust("16 seconds")
        assert.deepStrictEqual(endOf(recorded.transitions)?.unconfirmed, { messages: 1, bytes: 4, bufferedBytes: 4 })
        assert.isTrue(yield* connection.isConnected)
        yield* send(connection, "perhaps")
        yield* connection.reconnect
        const byHand = recorded.transitions.findLast(({ from }) => from._tag === "Connected")
        assert.deepStrictEqual(byHand?.unconfirmed, { messages: 1, bytes: 7, bufferedBytes: 0 })
      })))

  it.effect("is nothing after a clean close or an answered probe, and told of a forced one", () =>
    withVenue(policyWith({}), () =>
      Effect.gen(function*() {
        const { connection, recorded } = yield* connected()
        yield* send(connection, "one")
        yield* connection.close()
        yield* connection.connect
        yield* send(connection, "two")
        yield* connection[internals].ping
        yield* connection.close({ mode: "forced" })
        assert.isTrue(recorded.transitions.every(({ unconfirmed }) => unconfirmed === undefined))
        yield* connection.connect
        yield* send(connection, "three")
        yield* connection.close({ mode: "forced" })
        yield* settle
        assert.deepStrictEqual(recorded.transitions.at(-1)?.unconfirmed, { messages: 1, bytes: 5, bufferedBytes: 0 })
      })))
})

describe("A ping of the venue's own", () => {
  const heartbeat = { interval: Duration.seconds(10), timeout: Duration.seconds(5), onMiss: "report" } as const
  const options: Connection.Decoding<string> = {
    decode: (frame) => [String(frame)],
    keepAlive: {
      _tag: "Application",
      everyMillis: 10_000,
      ping: (id) => `ping ${id}`,
      isPong: (message) => message === "pong"
    },
    limits: [{ of: "messages", per: "connection", limit: 6, windowMillis: 60_000 }]
  }
  const sixPings = (options: Connection.Decoding<string>) =>
    withVenue(policyWith({ heartbeat }), ({ host }) =>
      Effect.gen(function*() {
        yield* Connection.connect<string>(url, options)
        host.peers()[0]?.onMessage(() => host.peers()[0]?.sendUnsafe("pong"))
        yield* TestClock.adjust("60 seconds")
        assert.strictEqual(host.peers()[0]?.received.length, 6)
      }))

  it.effect("is charged once", () => sixPings(options))

  it.effect("that costs more than the limit ever admits is charged as one", () =>
    sixPings({ ...options, cost: () => 100 }))
})
