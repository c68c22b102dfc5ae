import { assert, describe, it } from "@effect/vitest"
import { AuthError } from "@tickline/core/connection/ConnectError"
import * as JsonRpc from "@tickline/core/session/JsonRpc"
import * as Session from "@tickline/core/session/Session"
import * as Supervision from "@tickline/core/session/Supervision"
import * as Channel from "@tickline/core/value/Channel"
import type * as VirtualNetwork from "@tickline/testing/VirtualNetwork"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { backoffOf, policyWith, settle, url, withVenue } from "../Rig.ts"
import * as Peer from "./Peer.ts"

const buy = JsonRpc.method("buy", { params: Schema.Struct({}), result: Schema.String })

const policy = policyWith({
  backoff: backoffOf(100, 1, 100),
  retry: { maxRetries: 1, resetOn: "connect" }
})

const serve = (host: VirtualNetwork.Host) =>
  Effect.gen(function*() {
    const called: Array<string> = []
    let connections = 0
    yield* host.onOpen((peer) => {
      const number = ++connections
      peer.onMessage((frame) => {
        const call = Peer.callOf(frame)
        called.push(Peer.line(number, call))
        peer.sendUnsafe(Peer.result(call, `${call.method} ${number}`))
      })
    })
    return called
  })

const make = (signIn: Session.Options["signIn"] = () => Effect.succeed({})) =>
  Session.make(url, { peer: "test", signIn, dialect: Peer.dialect })

describe("A supervised session", () => {
  it.effect("is begun anew where its retries are used up: the same handle, with its subscriptions", () =>
    withVenue(policy, ({ host }) =>
      Effect.gen(function*() {
        const called = yield* serve(host)
        const session = yield* Supervision.supervise(make())
        const states: Array<string> = []
        yield* Effect.forkScoped(
          Stream.runForEach(session.state.changes, ({ _tag }) => Effect.sync(() => void states.push(_tag))),
          { startImmediately: true }
        )
        yield* settle
        yield* session.subscribe([Channel.make("trades")])
        assert.strictEqual(yield* session.call(buy, {}), "buy 1")
        yield* host.otherwise({ _tag: "Refuse" })
        yield* host.drop
        yield* TestClock.adjust("5 seconds")
        assert.deepInclude(yield* session.state.current, { _tag: "Disconnected" })
        assert.deepInclude(yield* Effect.flip(session.call(buy, {})), { _tag: "NotSent" })
        yield* host.otherwise({ _tag: "Accept" })
        yield* TestClock.adjust("1 second")
        assert.strictEqual(yield* session.call(buy, {}), "buy 2")
        assert.strictEqual(yield* session.restarts, 1)
        assert.deepStrictEqual(called, ["1 subscribe trades", "1 buy", "2 subscribe trades", "2 buy"])
        assert.include(states, "Failed")
        assert.strictEqual(states.at(-1), "Live")
      })))

  it.effect("is begun anew after a defect in what it calls", () =>
    withVenue(policy, ({ host }) =>
      Effect.gen(function*() {
        yield* serve(host)
        let left = 1
        const session = yield* Supervision.supervise(make(() => left-- > 0 ? Effect.die("a bug") : Effect.succeed({})))
        yield* settle
        yield* TestClock.adjust("5 seconds")
        assert.strictEqual(yield* session.call(buy, {}), "buy 2")
        assert.strictEqual(yield* session.restarts, 1)
      })))

  it.effect("is given up after ten restarts in a minute, with how it ended last", () =>
    withVenue(policy, ({ host }) =>
      Effect.gen(function*() {
        yield* host.otherwise({ _tag: "Refuse" })
        const session = yield* Supervision.supervise(make(), { delay: "1 second" })
        const ended = yield* Effect.forkChild(Effect.flip(session.ended))
        yield* settle
        yield* TestClock.adjust("1 hour")
        const error = yield* Fiber.join(ended)
        assert.deepInclude(error, { _tag: "RestartsExhausted", restarts: 10, withinMillis: 60_000 })
        assert.include(error.message, "connection aborted after 1 retries")
        // Each session dials twice: the first and ten more.
        assert.strictEqual(host.dials.length, 22)
        assert.strictEqual(yield* session.restarts, 10)
      })))

  it.effect("goes on for ever where it ends seldom", () =>
    withVenue(policy, ({ host }) =>
      Effect.gen(function*() {
        yield* host.otherwise({ _tag: "Refuse" })
        const session = yield* Supervision.supervise(make(), { delay: "7 seconds" })
        yield* settle
        yield* TestClock.adjust("10 minutes")
        assert.isAbove(yield* session.restarts, 80)
      })))

  it.effect("is replaced without a seam: the old one answers what it was asked, and nothing is told by nobody", () =>
    withVenue(policy, ({ host }) =>
      Effect.gen(function*() {
        const called: Array<string> = []
        const peers: Array<VirtualNetwork.Peer> = []
        const slow: Array<() => void> = []
        yield* host.onOpen((peer) => {
          const number = peers.push(peer)
          peer.onMessage((frame) => {
            const call = Peer.callOf(frame)
            called.push(Peer.line(number, call))
            const answer = () => peer.sendUnsafe(Peer.result(call, `${call.method} ${number}`))
            if (call.method === "buy" && number === 1) slow.push(answer)
            else answer()
          })
        })
        const session = yield* Supervision.supervise(make())
        yield* session.subscribe([Channel.make("trades")])
        const heard: Array<string> = []
        yield* Effect.forkScoped(
          Stream.runForEach(session.notifications(), ({ method }) => Effect.sync(() => void heard.push(method))),
          { startImmediately: true }
        )
        yield* settle
        const asked = yield* Effect.forkChild(session.call(buy, {}), { startImmediately: true })
        yield* settle
        assert.isTrue(yield* session.rotate)
        yield* session.subscribe([Channel.make("books")])
        assert.strictEqual(yield* session.call(buy, {}), "buy 2")
        // Both are there, until the last call of the old one is answered.
        for (const [i, peer] of peers.entries()) {
          yield* peer.send(`{"jsonrpc":"2.0","method":"from ${i + 1}","params":{}}`)
        }
        yield* Effect.repeat(settle, { times: 20 })
        assert.deepStrictEqual(heard, ["from 1", "from 2"])
        slow[0]?.()
        yield* settle
        assert.strictEqual(yield* Fiber.join(asked), "buy 1")
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(peers.map(({ isOpen }) => isOpen()), [false, true])
        assert.strictEqual(yield* session.restarts, 0)
        assert.deepInclude(yield* session.state.current, { _tag: "Live" })
        assert.deepStrictEqual(called, [
          "1 subscribe trades",
          "1 buy",
          "2 subscribe trades",
          "2 subscribe books",
          "2 buy"
        ])
      })))

  it.effect("stays as it is where the new one does not come up, and is replaced by a time", () =>
    withVenue(policy, ({ host }) =>
      Effect.gen(function*() {
        yield* serve(host)
        const session = yield* Supervision.supervise(make(), { rotation: "1 hour" })
        yield* settle
        yield* host.otherwise({ _tag: "Refuse" })
        const rotated = yield* Effect.forkChild(session.rotate, { startImmediately: true })
        yield* TestClock.adjust("2 minutes")
        assert.isFalse(yield* Fiber.join(rotated))
        assert.strictEqual(yield* session.call(buy, {}), "buy 1")
        yield* host.otherwise({ _tag: "Accept" })
        yield* TestClock.adjust("1 hour")
        assert.strictEqual(yield* session.call(buy, {}), "buy 2")
        yield* TestClock.adjust("1 hour")
        assert.strictEqual(yield* session.call(buy, {}), "buy 3")
        // What took over is watched: it is begun anew where it ends.
        yield* host.otherwise({ _tag: "Refuse" })
        yield* host.drop
        yield* TestClock.adjust("5 seconds")
        yield* host.otherwise({ _tag: "Accept" })
        yield* TestClock.adjust("1 second")
        assert.strictEqual(yield* session.call(buy, {}), "buy 4")
        assert.strictEqual(yield* session.restarts, 1)
      })))

  it.effect("that is closed while another one comes up stays closed", () =>
    withVenue(policy, ({ host }) =>
      Effect.gen(function*() {
        yield* serve(host)
        const session = yield* Supervision.supervise(make())
        yield* settle
        yield* host.otherwise({ _tag: "Hang" })
        const rotated = yield* Effect.forkChild(session.rotate, { startImmediately: true })
        yield* settle
        yield* session.close()
        yield* host.otherwise({ _tag: "Accept" })
        yield* TestClock.adjust("2 minutes")
        assert.isFalse(yield* Fiber.join(rotated))
        assert.deepInclude(yield* Effect.flip(session.ended), { _tag: "ConnectionClosed" })
        assert.strictEqual(yield* session.restarts, 0)
      })))

  it.effect("is not begun anew where it is refused, nor where its owner closes it", () =>
    withVenue(policy, ({ host }) =>
      Effect.gen(function*() {
        yield* serve(host)
        const refused = yield* Supervision.supervise(make(() => Effect.fail(new AuthError({ detail: "who are you" }))))
        assert.deepInclude(yield* Effect.flip(refused.ended), { _tag: "AuthError", detail: "who are you" })
        const closed = yield* Supervision.supervise(make())
        yield* settle
        yield* closed.close()
        assert.strictEqual((yield* Effect.flip(closed.ended))._tag, "ConnectionClosed")
        yield* TestClock.adjust("1 hour")
        assert.deepStrictEqual([yield* refused.restarts, yield* closed.restarts], [0, 0])
        assert.strictEqual(host.dials.length, 2)
      })))
})

describe("A set of supervised sessions", () => {
  it.effect("has one for each key, shared; the end of one leaves the others alone", () =>
    withVenue(policy, ({ host }) =>
      Effect.gen(function*() {
        yield* serve(host)
        const crash = yield* Deferred.make<void>()
        const sessions = yield* Supervision.makeSet((key: string) =>
          make(() => key === "bad" ? Effect.andThen(Deferred.await(crash), Effect.die("a bug")) : Effect.succeed({}))
        )
        const scope = yield* Scope.make()
        const good = yield* Scope.provide(sessions.get("good"), scope)
        assert.strictEqual(yield* sessions.get("good"), good)
        const bad = yield* sessions.get("bad")
        yield* settle
        yield* Deferred.succeed(crash, undefined)
        yield* TestClock.adjust("10 minutes")
        assert.strictEqual((yield* Effect.flip(bad.ended))._tag, "RestartsExhausted")
        assert.strictEqual(yield* good.call(buy, {}), "buy 1")
        assert.strictEqual(yield* good.restarts, 0)
        yield* Scope.close(scope, Exit.void)
        assert.strictEqual(yield* good.call(buy, {}), "buy 1")
        yield* sessions.invalidate("good")
        assert.notStrictEqual(yield* sessions.get("good"), good)
      })))
})
