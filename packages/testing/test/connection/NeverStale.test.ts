/** What is sent now is written within its bounds, or not at all. */
import { assert, describe, it } from "@effect/vitest"
import * as Connection from "@tickline/core/connection/Connection"
import type { SendOptions } from "@tickline/core/connection/Outbox"
import * as Requests from "@tickline/core/connection/Requests"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/testing/TestClock"
import { policyWith, settle, url, withVenue } from "../Rig.ts"

// One message a second goes out: the second waits, and the third for longer.
const limits = [{ of: "messages", per: "connection", limit: 1, windowMillis: 1_000 }] as const

// When the next goes out: the window, and what a message may be late by on its way.
const opens = "1101 millis"

const connect = Connection.connect(url, { limits })

const send = (connection: Connection.Connection<unknown>, text: string, options?: SendOptions) =>
  Effect.forkChild(Effect.flip(connection.send(text, options)), { startImmediately: true })

describe("A message that is sent now", () => {
  it.effect("is written before its deadline, or fails at it and is never written", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const connection = yield* connect
        const peer = yield* host.nextPeer
        yield* connection.send("first", { deadline: "1 milli" })
        const late = yield* send(connection, "late", { deadline: "600 millis" })
        yield* TestClock.adjust("599 millis")
        assert.isUndefined(late.pollUnsafe())
        yield* TestClock.adjust("1 milli")
        assert.deepInclude(yield* Fiber.join(late), { _tag: "NotSent", reason: "TimedOut" })
        yield* TestClock.adjust("5 seconds")
        assert.deepStrictEqual(peer.received, ["first"])
      })))

  it.effect("is too late at its deadline, whichever wakes first, and costs nothing", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const connection = yield* Connection.connect(url, {
          limits: [{ of: "messages", per: "connection", limit: 2, windowMillis: 1_000 }]
        })
        const peer = yield* host.nextPeer
        yield* connection.send("first")
        yield* connection.send("second")
        yield* send(connection, "third")
        yield* settle
        // The limit lets both out at the same instant, and its timer was there first.
        const late = yield* send(connection, "late", { deadline: opens })
        yield* TestClock.adjust(opens)
        assert.deepInclude(yield* Fiber.join(late), { _tag: "NotSent", reason: "TimedOut" })
        yield* connection.send("fourth", { deadline: "1 milli" })
        yield* settle
        assert.deepStrictEqual(peer.received, ["first", "second", "third", "fourth"])
      })))

  it.effect("is written on its epoch alone", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const connection = yield* Connection.connect(url)
        yield* connection.send("of the first", { epoch: 1 })
        yield* host.drop
        yield* TestClock.adjust("1 second")
        assert.deepInclude(yield* connection.state.current, { _tag: "Connected", epoch: 2 })
        const stale = yield* Effect.flip(connection.send("of the first too", { epoch: 1 }))
        assert.deepInclude(stale, { _tag: "NotSent", reason: "EpochEnded" })
        yield* connection.send("of the second", { epoch: 2 })
        yield* settle
        assert.deepStrictEqual(host.peers().map(({ received }) => received), [["of the second"]])
      })))

  it.effect("is made in the turn in which it is written", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const connection = yield* connect
        const peer = yield* host.nextPeer
        const clock = yield* Clock.Clock
        const begun = clock.currentTimeMillisUnsafe()
        const signed = () => `at ${clock.currentTimeMillisUnsafe() - begun}`
        yield* connection.send(signed)
        yield* Effect.forkChild(connection.send(signed), { startImmediately: true })
        yield* connection.send(signed, { delivery: "keep" })
        yield* TestClock.adjust("3 seconds")
        assert.deepStrictEqual(peer.received, ["at 0", "at 1101", "at 2202"])
      })))

  it.effect("that cannot be made fails its sender, and holds nobody else up", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const connection = yield* connect
        const peer = yield* host.nextPeer
        yield* connection.send("first")
        const broken = yield* Effect.forkChild(
          Effect.sandbox(connection.send(() => {
            throw new Error("no key")
          })),
          { startImmediately: true }
        )
        yield* Effect.forkChild(connection.send("next"), { startImmediately: true })
        yield* TestClock.adjust("3 seconds")
        const cause = yield* Effect.flip(Fiber.join(broken))
        assert.include(Cause.pretty(cause), "no key")
        assert.deepStrictEqual(peer.received, ["first", "next"])
      })))

  it.effect("is not written once its session is over, and costs nothing", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const connection = yield* connect
        const peer = yield* host.nextPeer
        let signedIn = true
        const isSignedIn = () => signedIn
        yield* connection.send("first", { isSignedIn })
        const waiting = yield* send(connection, "waits", { isSignedIn })
        signedIn = false
        yield* TestClock.adjust(opens)
        assert.deepInclude(yield* Fiber.join(waiting), { _tag: "NotSent", reason: "SignedOut" })
        assert.deepInclude(yield* Effect.flip(connection.send("late", { isSignedIn })), {
          _tag: "NotSent",
          reason: "SignedOut"
        })
        yield* connection.send("public", { deadline: "1 milli" })
        yield* settle
        assert.deepStrictEqual(peer.received, ["first", "public"])
      })))

  it.effect("is charged what it is said to cost", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const connection = yield* Connection.connect(url, {
          limits: [{ of: "messages", per: "connection", limit: 10, windowMillis: 1_000 }]
        })
        const peer = yield* host.nextPeer
        yield* connection.send("dear", { cost: 9 })
        const late = yield* send(connection, "two", { cost: 2, deadline: "999 millis" })
        yield* connection.send("one", { cost: 1, deadline: "1 milli", priority: "cancel" })
        yield* TestClock.adjust("999 millis")
        assert.deepInclude(yield* Fiber.join(late), { _tag: "NotSent", reason: "TimedOut" })
        assert.deepStrictEqual(peer.received, ["dear", "one"])
        assert.strictEqual((yield* Effect.flip(connection.send("never", { cost: 11 })))._tag, "RateLimited")
      })))
})

describe("A request", () => {
  it.effect("is not sent where it cannot be written in its time, and unknown where its answer does not come in it", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const connection = yield* connect
        const requests = yield* Requests.make(connection, (message) => String(message))
        const peer = yield* host.nextPeer
        const ask = (id: string, options?: Requests.RequestOptions) =>
          Effect.forkChild(Effect.flip(requests.request(id, `ask ${id}`, options)), { startImmediately: true })
        const first = yield* ask("1", { timeout: "3 seconds" })
        const withdrawn = yield* ask("2", { timeout: "3 seconds", deadline: "500 millis" })
        const written = yield* ask("3", { timeout: "2 seconds" })
        yield* TestClock.adjust("500 millis")
        assert.deepInclude(yield* Fiber.join(withdrawn), { _tag: "NotSent", reason: "TimedOut" })
        yield* TestClock.adjust("1499 millis")
        assert.deepStrictEqual(peer.received, ["ask 1", "ask 3"])
        assert.isUndefined(written.pollUnsafe())
        // The time that it waited is part of its time.
        yield* TestClock.adjust("1 milli")
        assert.deepInclude(yield* Fiber.join(written), { _tag: "OutcomeUnknown", id: "3", reason: "timeout" })
        yield* TestClock.adjust("1 second")
        assert.deepInclude(yield* Fiber.join(first), { _tag: "OutcomeUnknown", id: "1", reason: "timeout" })
        assert.strictEqual(yield* requests.pending, 0)
      })))

  it.effect("is bound to its epoch, is made when it is written, and goes by its priority", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        const connection = yield* connect
        const requests = yield* Requests.make(connection, (message) => String(message))
        const peer = yield* host.nextPeer
        const ends: Array<string> = []
        const ask = (id: string, options?: Requests.RequestOptions) =>
          Effect.forkChild(
            Effect.exit(requests.request(id, () => `${id} after ${peer.received.length}`, options)).pipe(
              Effect.andThen(Effect.sync(() => ends.push(id)))
            ),
            { startImmediately: true }
          )
        const stale = yield* Effect.flip(requests.request("0", "stale", { epoch: 7 }))
        assert.deepInclude(stale, { _tag: "NotSent", reason: "EpochEnded" })
        yield* ask("first")
        yield* ask("query", { priority: "query" })
        yield* ask("cancel", { priority: "cancel", epoch: 1 })
        yield* TestClock.adjust("3 seconds")
        assert.deepStrictEqual(peer.received, ["first after 0", "cancel after 1", "query after 2"])
        yield* peer.send("query", "cancel", "first")
        yield* settle
        assert.deepStrictEqual(ends, ["query", "cancel", "first"])
      })))
})
