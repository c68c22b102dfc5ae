/** What is said on an epoch before it is up: signing in, restoring, reconciling. */
import { assert, describe, it } from "@effect/vitest"
import { AuthError, RestoreFailed } from "@tickline/core/connection/ConnectError"
import * as Connection from "@tickline/core/connection/Connection"
import type { Opening } from "@tickline/core/connection/Opening"
import * as Requests from "@tickline/core/connection/Requests"
import type { Dialect } from "@tickline/core/protocol/Dialect"
import * as Channel from "@tickline/core/value/Channel"
import type * as VirtualNetwork from "@tickline/testing/VirtualNetwork"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { backoffOf, policyWith, settle, url, withVenue } from "../Rig.ts"

const decode = (frame: string | Uint8Array): ReadonlyArray<string> => [String(frame)]

/** `ok 1` and `no 1` answer what was asked under the number 1. */
const answered = (message: string): string | undefined => /^(?:ok|no) (\w+)/.exec(message)?.[1]

const dialect: Dialect<string> = {
  subscribe: (channels, id) =>
    channels.map((channel, i) => ({
      text: `+${channel.product} #${id + i}`,
      channels: [channel],
      requestId: `${id + i}`
    })),
  unsubscribe: () => [],
  answer: (message) => {
    const requestId = answered(message)
    if (requestId === undefined) return undefined
    return message.startsWith("ok")
      ? { _tag: "Confirmed", requestId }
      : { _tag: "Refused", requestId, message: "not allowed" }
  }
}

const policy = policyWith({
  backoff: backoffOf(1_000, 2, 8_000),
  connectTimeout: Duration.seconds(5),
  acknowledgementTimeout: Duration.seconds(3)
})

/** What the venue makes of a message, given the number of the connection: its answer, none, or the end. */
type Venue = (message: string, connection: number) => "ok" | "no" | "silence" | "cut"

const serve = (host: VirtualNetwork.Host, venue: Venue) =>
  Effect.gen(function*() {
    const said: Array<string> = []
    let connections = 0
    yield* host.onOpen((peer) => {
      const number = ++connections
      peer.onMessage((frame) => {
        const message = String(frame)
        said.push(`${number}: ${message}`)
        const answer = venue(message, number)
        if (answer === "cut") Effect.runSync(peer.drop)
        else if (answer !== "silence") peer.sendUnsafe(`${answer} ${/#(\w+)/.exec(message)?.[1]}`)
      })
    })
    return said
  })

/** A connection that signs in and reconciles by requests. */
const make = Effect.gen(function*() {
  const ask = (name: string) => (via: Opening) =>
    Effect.gen(function*() {
      const id = yield* requests.nextId
      const answer = yield* requests.request(id, `${name} #${id}`, { via }).pipe(
        Effect.mapError((error) => new RestoreFailed({ epoch: via.epoch, detail: error.message }))
      )
      if (answer.startsWith("no")) return yield* new AuthError({ detail: `${name} refused` })
    })
  const connection: Connection.Connection<string> = yield* Connection.make(url, {
    decode,
    dialect,
    opening: { signIn: ask("sign in"), reconcile: ask("reconcile") }
  })
  const requests = yield* Requests.make(connection, answered)
  const states: Array<string> = []
  yield* Effect.forkScoped(
    Stream.runForEach(connection.state.transitions, ({ to }) => Effect.sync(() => void states.push(to._tag))),
    { startImmediately: true }
  )
  return { connection, states }
})

describe("The opening of an epoch", () => {
  it.effect("signs in, restores and reconciles, in this order, and only then is up", () =>
    withVenue(policy, ({ host }) =>
      Effect.gen(function*() {
        const { connection, states } = yield* make
        const seen: Array<string> = []
        const said = yield* serve(host, (message) => {
          seen.push(states.at(-1) ?? "")
          return message === "first" ? "silence" : "ok"
        })
        yield* connection.subscribe([Channel.make("trades", "A"), Channel.make("trades", "B")])
        yield* connection.connect
        yield* connection.send("first")
        yield* settle
        const expected = ["sign in #1", "+A #2", "+B #3", "reconcile #4", "first"]
        assert.deepStrictEqual(said, expected.map((message) => `1: ${message}`))
        assert.deepStrictEqual(seen, [...Array.from({ length: 4 }, () => "Connecting"), "Connected"])

        yield* host.drop
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(said.slice(5), ["sign in #5", "+A #6", "+B #7", "reconcile #8"].map((m) => `2: ${m}`))
        assert.deepStrictEqual(states, ["Connecting", "Connected", "Reconnecting", "Connecting", "Connected"])
      })))

  it.effect("lets nobody else's message out before it is done", () =>
    withVenue(policy, ({ host }) =>
      Effect.gen(function*() {
        let isOpen = false
        const said = yield* serve(host, (message) => message.startsWith("sign in") && !isOpen ? "silence" : "ok")
        const { connection } = yield* make
        yield* Effect.forkChild(connection.connect)
        yield* settle
        assert.deepInclude(yield* Effect.flip(connection.send("now")), { _tag: "NotSent", reason: "NotConnected" })
        yield* connection.send("kept", { delivery: "keep" })
        yield* TestClock.adjust("4 seconds")
        assert.deepStrictEqual(said, ["1: sign in #1"])
        isOpen = true
        yield* TestClock.adjust("2 seconds")
        // The first sign-in was not answered in time.
        assert.deepStrictEqual(said.slice(1), ["2: sign in #2", "2: reconcile #3", "2: kept"])
      })))

  it.effect("that fails is a failed dial: it backs off, uses up the retries, and is never reported up", () =>
    withVenue(
      policyWith({ ...policy, retry: { ...policy.retry, maxRetries: 2 } }),
      ({ host }) =>
        Effect.gen(function*() {
          const said = yield* serve(host, (message) => message.startsWith("reconcile") ? "cut" : "ok")
          const { connection, states } = yield* make
          const failed = yield* Effect.forkChild(Effect.flip(connection.connect))
          yield* settle
          yield* TestClock.adjust("999 millis")
          assert.strictEqual(host.dials.length, 1)
          yield* TestClock.adjust("1 milli")
          assert.strictEqual(host.dials.length, 2)
          yield* TestClock.adjust("2 seconds")
          const error = yield* Fiber.join(failed)
          assert.deepInclude(error, { _tag: "ConnectionAborted", retries: 2 })
          assert.deepStrictEqual(said.length, 6)
          assert.notInclude(states, "Connected")
        })
    ))

  it.effect("that is refused stops, with its reason", () =>
    withVenue(policy, ({ host }) =>
      Effect.gen(function*() {
        yield* serve(host, (message) => message.startsWith("sign in") ? "no" : "ok")
        const { connection } = yield* make
        const error = yield* Effect.flip(connection.connect)
        assert.deepInclude(error, { _tag: "AuthError", detail: "sign in refused" })
        yield* TestClock.adjust("1 hour")
        assert.strictEqual(host.dials.length, 1)
      })))

  it.effect("has failed where a subscription that was confirmed before is refused", () =>
    withVenue(policy, ({ host }) =>
      Effect.gen(function*() {
        yield* serve(host, (message, number) =>
          message.startsWith("+B") || (message.startsWith("+A") && number === 2) ? "no" : "ok")
        const { connection, states } = yield* make
        yield* connection.subscribe([Channel.make("trades", "A"), Channel.make("trades", "B")])
        // One that was never taken is told, and holds nothing up.
        yield* connection.connect
        yield* host.drop
        yield* TestClock.adjust("1 second")
        assert.strictEqual(host.dials.length, 2)
        assert.notStrictEqual(states.at(-1), "Connected")
        yield* TestClock.adjust("2 seconds")
        assert.strictEqual(host.dials.length, 3)
        assert.deepInclude(yield* connection.state.current, { _tag: "Connected", epoch: 3 })
        assert.strictEqual(
          states.filter((state) =>
            state === "Connected"
          ).length,
          2
        )
      })))

  it.effect("has failed where subscriptions are not answered", () =>
    withVenue(policy, ({ host }) =>
      Effect.gen(function*() {
        const said = yield* serve(host, (message, number) => message.startsWith("+") && number === 1 ? "silence" : "ok")
        const { connection, states } = yield* make
        yield* connection.subscribe([Channel.make("trades", "A")])
        yield* Effect.forkChild(connection.connect)
        yield* settle
        yield* TestClock.adjust("3999 millis")
        assert.deepStrictEqual(said, ["1: sign in #1", "1: +A #2"])
        yield* TestClock.adjust("1 milli")
        assert.deepStrictEqual(said.slice(2), ["2: sign in #3", "2: +A #4", "2: reconcile #5"])
        assert.deepStrictEqual(states, ["Connecting", "Reconnecting", "Connecting", "Connected"])
      })))
})
