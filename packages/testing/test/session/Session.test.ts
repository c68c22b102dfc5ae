import { assert, describe, it } from "@effect/vitest"
import { AuthError } from "@tickline/core/connection/ConnectError"
import * as JsonRpc from "@tickline/core/session/JsonRpc"
import * as Session from "@tickline/core/session/Session"
import type { SignIn } from "@tickline/core/session/SignIn"
import * as Channel from "@tickline/core/value/Channel"
import type * as VirtualNetwork from "@tickline/testing/VirtualNetwork"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { backoffOf, policyWith, settle, url, withVenue } from "../Rig.ts"
import * as Peer from "./Peer.ts"

const plain = (name: string) => JsonRpc.method(name, { params: Schema.Struct({}), result: Schema.String })

const [auth, refresh, orders, buy] = [plain("auth"), plain("refresh"), plain("orders"), plain("buy")]

const policy = policyWith({
  backoff: backoffOf(1_000, 2, 8_000),
  connectTimeout: Duration.seconds(5),
  acknowledgementTimeout: Duration.seconds(3)
})

/** What the peer makes of a call, given the number of the connection. */
type Answer = "ok" | "refused" | "busy" | "silence" | "cut"

const serve = (host: VirtualNetwork.Host, answerTo: (method: string, connection: number) => Answer = () => "ok") =>
  Effect.gen(function*() {
    const called: Array<string> = []
    let connections = 0
    yield* host.onOpen((peer) => {
      const number = ++connections
      peer.onMessage((frame) => {
        const call = Peer.callOf(frame)
        const { method } = call
        called.push(`${number} ${method}`)
        const answer = answerTo(method, number)
        if (answer === "cut") return Effect.runSync(peer.drop)
        if (answer === "silence") return
        peer.sendUnsafe(
          answer === "ok"
            ? Peer.result(call, `${method} ${number}`)
            : Peer.error(call, answer === "busy" ? 11051 : 13004, answer)
        )
      })
    })
    return called
  })

const signIn: SignIn = ({ call }) =>
  Effect.as(call(auth, {}), {}).pipe(
    Effect.catchTag("RpcError", (error) =>
      Effect.fail(error.code === "13004" ? new AuthError({ detail: error.reason }) : error))
  )

const make = (options: Partial<Session.Options> = {}) =>
  Effect.gen(function*() {
    const session = yield* Session.make(url, {
      peer: "test",
      dialect: Peer.dialect,
      signIn,
      reconcile: ({ call }) => Effect.asVoid(call(orders, {})),
      ...options
    })
    const states: Array<string> = []
    yield* Effect.forkScoped(
      Stream.runForEach(session.state.changes, (state) =>
        Effect.sync(() => void states.push("epoch" in state ? `${state._tag} ${state.epoch}` : state._tag))),
      { startImmediately: true }
    )
    yield* session.connection.subscribe([Channel.make("user.orders")])
    yield* settle
    return { session, states }
  })

const opening = (connection: number) => ["auth", "subscribe", "orders"].map((method) => `${connection} ${method}`)

const renew: SignIn = ({ call }) => Effect.as(call(refresh, {}), { expiresIn: "100 seconds", renew })

/** Signs in for 100 seconds, and again and again. */
const renewed: SignIn = ({ call }) => Effect.as(call(auth, {}), { expiresIn: "100 seconds", renew })

describe("A session", () => {
  it.effect("signs in, restores, reconciles, and is live; after a drop as well, by the same handle", () =>
    withVenue(policy, ({ host }) =>
      Effect.gen(function*() {
        const called = yield* serve(host)
        const { session, states } = yield* make()
        yield* session.connect
        assert.strictEqual(yield* session.call(buy, {}), "buy 1")
        yield* settle
        assert.deepStrictEqual(states, [
          "Disconnected",
          "Connecting",
          "SigningIn 1",
          "Restoring 1",
          "Reconciling 1",
          "Live 1"
        ])
        yield* host.drop
        yield* settle
        assert.deepInclude(yield* session.state.current, { _tag: "Waiting", attempt: 1 })
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(called, [...opening(1), "1 buy", ...opening(2)])
        assert.strictEqual(yield* session.call(buy, {}), "buy 2")
        yield* settle
        assert.deepStrictEqual(states.slice(6), [
          "Waiting",
          "Connecting",
          "SigningIn 2",
          "Restoring 2",
          "Reconciling 2",
          "Live 2"
        ])
      })))

  it.effect("sends nothing of its owner's before it is live", () =>
    withVenue(policy, ({ host }) =>
      Effect.gen(function*() {
        let answer: Answer = "silence"
        const called = yield* serve(host, (method) => method === "orders" ? answer : "ok")
        const { session } = yield* make()
        assert.deepInclude(yield* Effect.flip(session.call(buy, {})), { _tag: "NotSent", reason: "NotConnected" })
        yield* Effect.forkChild(session.connect)
        yield* settle
        yield* settle
        assert.deepInclude(yield* session.state.current, { _tag: "Reconciling", epoch: 1 })
        assert.deepInclude(yield* Effect.flip(session.call(buy, {})), { _tag: "NotSent", reason: "NotConnected" })
        answer = "ok"
        // What was not answered in its time is asked for on a new epoch.
        yield* TestClock.adjust("6 seconds")
        assert.deepInclude(yield* session.state.current, { _tag: "Live", epoch: 2 })
        assert.deepStrictEqual(called, [...opening(1), ...opening(2)])
      })))

  it.effect("stops where it is refused, with the reason, and tries again where the peer is only busy", () =>
    withVenue(policy, ({ host }) =>
      Effect.gen(function*() {
        let left = 2
        yield* serve(host, (method) => method === "auth" ? left-- > 0 ? "busy" : "refused" : "ok")
        const { session, states } = yield* make()
        const failed = yield* Effect.forkChild(Effect.flip(session.connect))
        yield* settle
        yield* TestClock.adjust("3 seconds")
        assert.strictEqual(host.dials.length, 3)
        assert.deepInclude(yield* Fiber.join(failed), { _tag: "AuthError", detail: "refused" })
        yield* TestClock.adjust("1 hour")
        assert.strictEqual(host.dials.length, 3)
        assert.isFalse(states.some((state) => state.startsWith("Live")))
      })))

  it.effect("says of a call that a drop cut off that its outcome is unknown, and never sends it again", () =>
    withVenue(policy, ({ host }) =>
      Effect.gen(function*() {
        const called = yield* serve(host, (method, connection) => method === "buy" && connection === 1 ? "cut" : "ok")
        const { session } = yield* make()
        yield* session.connect
        const error = yield* Effect.flip(session.call(buy, {}))
        assert.deepInclude(error, { _tag: "OutcomeUnknown", reason: "dropped" })
        yield* TestClock.adjust("1 minute")
        assert.deepInclude(yield* session.state.current, { _tag: "Live", epoch: 2 })
        assert.deepStrictEqual(called.filter((call) => call.endsWith("buy")), ["1 buy"])
      })))

  it.effect("renews its grant before that ends", () =>
    withVenue(policy, ({ host }) =>
      Effect.gen(function*() {
        const called = yield* serve(host)
        const { session } = yield* make({ signIn: renewed })
        yield* session.connect
        yield* TestClock.adjust("79 seconds")
        assert.deepStrictEqual(called, opening(1))
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(called.slice(3), ["1 refresh"])
        yield* TestClock.adjust("10 minutes")
        assert.strictEqual(called.length, 3 + 8)
        assert.strictEqual(yield* session.call(buy, {}), "buy 1")
        assert.strictEqual(host.dials.length, 1)
      })))

  it.effect("renews the grant of the epoch that is up, and that alone", () =>
    withVenue(policy, ({ host }) =>
      Effect.gen(function*() {
        const called = yield* serve(host)
        const { session } = yield* make({ signIn: renewed })
        yield* session.connect
        yield* TestClock.adjust("50 seconds")
        yield* host.drop
        yield* TestClock.adjust("79 seconds")
        assert.deepStrictEqual(called, [...opening(1), ...opening(2)])
        yield* TestClock.adjust("2 seconds")
        assert.deepStrictEqual(called.slice(6), ["2 refresh"])
      })))

  it.effect("is opened anew where its grant cannot be renewed, and sends nothing under one that has ended", () =>
    withVenue(policy, ({ host }) =>
      Effect.gen(function*() {
        let open = true
        const called = yield* serve(host, (method) => method === "auth" && !open ? "silence" : "ok")
        const { session } = yield* make({
          signIn: ({ call }) => Effect.as(call(auth, {}), { expiresIn: "100 seconds" }),
          limits: [{ of: "messages", per: "connection", limit: 4, windowMillis: 60_000 }]
        })
        yield* session.connect
        yield* TestClock.adjust("99 seconds")
        // The limit lets four out at once, and the fifth when the grant has ended.
        for (let n = 0; n < 4; n++) yield* session.call(buy, {})
        const late = yield* Effect.forkChild(Effect.flip(session.call(buy, {})), { startImmediately: true })
        open = false
        yield* TestClock.adjust("1 second")
        assert.strictEqual((yield* Fiber.join(late))._tag, "NotSent")
        assert.deepInclude(yield* session.state.current, { _tag: "SigningIn", epoch: 2 })
        assert.deepStrictEqual(called.filter((call) => call.endsWith("buy")).length, 4)
      })))

  it.effect("sends nothing while its grant has ended and the new one is awaited", () =>
    withVenue(policy, ({ host }) =>
      Effect.gen(function*() {
        const called = yield* serve(host, (method) => method === "refresh" ? "silence" : "ok")
        const renew: SignIn = ({ call }) => Effect.as(call(refresh, {}, { timeout: "1 minute" }), {})
        const { session } = yield* make({
          signIn: ({ call }) => Effect.as(call(auth, {}), { expiresIn: "100 seconds", renew })
        })
        yield* session.connect
        yield* TestClock.adjust("99 seconds")
        assert.strictEqual(yield* session.call(buy, {}), "buy 1")
        yield* TestClock.adjust("1 second")
        assert.deepInclude(yield* Effect.flip(session.call(buy, {})), { _tag: "NotSent", reason: "SignedOut" })
        yield* TestClock.adjust("41 seconds")
        assert.deepInclude(yield* session.state.current, { _tag: "Live", epoch: 2 })
        assert.deepStrictEqual(called, [...opening(1), "1 refresh", "1 buy", ...opening(2)])
      })))
})
