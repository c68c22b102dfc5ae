/**
 * One sequence of numbers and one table of what waits, on one socket: an answer
 * is of exactly one of subscriptions, heartbeats and requests.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Connection from "@tickline/core/connection/Connection"
import * as Requests from "@tickline/core/connection/Requests"
import type { Dialect } from "@tickline/core/protocol/Dialect"
import * as Channel from "@tickline/core/value/Channel"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { internals } from "../../../core/src/connection/internal/connectionInternals.ts"
import { policyWith, settle, url, withVenue } from "../Rig.ts"

const decode = (frame: string | Uint8Array): ReadonlyArray<string> => [String(frame)]

const idOf = (message: string): string | undefined => /^ok (\w+)/.exec(message)?.[1]

/** `ok 1` answers the ask number 1. */
const numbered: Dialect<string> = {
  subscribe: (channels, id) =>
    channels.map((channel, i) => ({
      text: `+ ${channel.product} #${id + i}`,
      channels: [channel],
      requestId: `${id + i}`
    })),
  unsubscribe: () => [],
  answer: (message) => {
    const requestId = idOf(message)
    return requestId === undefined ? undefined : { _tag: "Confirmed", requestId }
  }
}

const tested = {
  _tag: "Requested",
  withinMillis: 60_000,
  enable: (id: number) => `enable #${id}`,
  answer: (message: string, id: number) => message === "test" ? `alive #${id}` : undefined
} as const

const policy = policyWith({
  heartbeat: { interval: Duration.seconds(60), timeout: Duration.seconds(10), onMiss: "close" },
  acknowledgementTimeout: Duration.minutes(10)
})

const standings = (connection: Connection.Connection<string>) =>
  Effect.map(
    connection[internals].subscriptionStates,
    (all) => all.map(({ channel, standing }) => `${channel.product} ${standing}`)
  )

describe("Numbers", () => {
  it.effect("are of one sequence: the answer to a heartbeat confirms no subscription", () =>
    withVenue(policy, ({ host }) =>
      Effect.gen(function*() {
        const connection = yield* Connection.make(url, { decode, dialect: numbered, keepAlive: tested })
        yield* connection.subscribe([Channel.make("trades", "A")])
        yield* connection.connect
        yield* settle
        const [peer] = host.peers()
        yield* peer!.send("test")
        yield* settle
        yield* connection.subscribe([Channel.make("trades", "B")])
        assert.deepStrictEqual(peer?.received, ["+ A #1", "enable #2", "alive #3", "+ B #4"])
        for (const id of [2, 3]) yield* peer!.send(`ok ${id}`)
        yield* settle
        assert.deepStrictEqual(yield* standings(connection), ["A asked", "B asked"])
        for (const id of [4, 1]) yield* peer!.send(`ok ${id}`)
        yield* settle
        assert.deepStrictEqual(yield* standings(connection), ["A confirmed", "B confirmed"])
      })))

  it.effect("that a request has taken are passed over, and a request has none that is waited for", () =>
    withVenue(policy, ({ host }) =>
      Effect.gen(function*() {
        const connection = yield* Connection.connect(url, { decode, dialect: numbered })
        const requests = yield* Requests.make(connection, idOf)
        const peer = yield* host.nextPeer
        yield* connection.subscribe([Channel.make("trades", "A")])
        const taken = yield* Effect.forkChild(requests.request("2", "ask #2"))
        yield* settle
        yield* connection.subscribe([Channel.make("trades", "B")])
        assert.deepStrictEqual(peer.received, ["+ A #1", "ask #2", "+ B #3"])
        assert.strictEqual((yield* Effect.flip(requests.request("3", "ask #3")))._tag, "DuplicateRequest")
        assert.strictEqual(yield* requests.nextId, "4")
        yield* peer.send("ok 2")
        yield* settle
        assert.strictEqual(yield* Fiber.join(taken), "ok 2")
        assert.deepStrictEqual(yield* standings(connection), ["A asked", "B asked"])
      })))
})

describe("An answer", () => {
  it.effect("that is late is known for what it was: of a request it is unmatched, of a subscription it is not", () =>
    withVenue(policyWith({ acknowledgementTimeout: Duration.seconds(3) }), ({ host }) =>
      Effect.gen(function*() {
        const connection = yield* Connection.connect(url, { decode, dialect: numbered })
        const requests = yield* Requests.make(connection, idOf)
        const unmatched: Array<string> = []
        yield* Effect.forkScoped(
          Stream.runForEach(requests.unmatched, (answer) => Effect.sync(() => void unmatched.push(answer))),
          { startImmediately: true }
        )
        const peer = yield* host.nextPeer
        yield* connection.subscribe([Channel.make("trades", "A")])
        yield* peer.send("ok 1")
        yield* settle
        yield* connection.subscribe([Channel.make("trades", "B")])
        const asked = yield* Effect.forkChild(Effect.flip(requests.request("own", "ask", { timeout: "3 seconds" })))
        yield* TestClock.adjust("3 seconds")
        assert.strictEqual((yield* Fiber.join(asked))._tag, "OutcomeUnknown")
        assert.deepStrictEqual(yield* standings(connection), ["A confirmed", "B refused"])
        yield* peer.send("ok own", "ok 2", "ok nobody")
        yield* settle
        assert.deepStrictEqual(yield* standings(connection), ["A confirmed", "B confirmed"])
        assert.deepStrictEqual(unmatched.filter((answer) => answer !== "ok 1"), ["ok own", "ok nobody"])
      })))

  it.effect("that is late is told to each reader until its requests end, though the connection goes on", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const connection = yield* Connection.connect(url, { decode })
        const own = yield* Scope.make()
        const { unmatched } = yield* Scope.provide(Requests.make(connection, idOf), own)
        const read = Effect.forkChild(Stream.runCollect(unmatched), { startImmediately: true })
        const [one, other] = [yield* read, yield* read]
        const peer = yield* host.nextPeer
        yield* peer.send("ok first", "ok second")
        yield* settle

        yield* Scope.close(own, Exit.void)
        yield* settle
        assert.isTrue(yield* connection.isConnected)
        assert.deepStrictEqual([...(yield* Fiber.join(one))], ["ok first", "ok second"])
        assert.deepStrictEqual([...(yield* Fiber.join(other))], ["ok first", "ok second"])
      })))
})
