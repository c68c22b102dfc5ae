import { assert, describe, it } from "@effect/vitest"
import * as JsonRpc from "@tickline/core/session/JsonRpc"
import * as Pool from "@tickline/core/session/Pool"
import * as Session from "@tickline/core/session/Session"
import * as Channel from "@tickline/core/value/Channel"
import type * as VirtualNetwork from "@tickline/testing/VirtualNetwork"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { backoffOf, policyWith, settle, url, withVenue } from "../Rig.ts"
import * as Peer from "./Peer.ts"

const ask = JsonRpc.method("ask", { params: Schema.Struct({}), result: Schema.String, timeout: "2 seconds" })

const policy = policyWith({
  backoff: backoffOf(1_000, 1, 1_000),
  retry: { maxRetries: 1, resetOn: "connect" }
})

type Answer = "ok" | "silence" | "refused"

/** Answers with the number of the connection, of the order in which they were accepted. */
const serve = (host: VirtualNetwork.Host, answerTo: (connection: number) => Answer = () => "ok") =>
  Effect.gen(function*() {
    const called: Array<string> = []
    const peers: Array<VirtualNetwork.Peer> = []
    yield* host.onOpen((peer) => {
      const number = peers.push(peer)
      peer.onMessage((frame) => {
        const call = Peer.callOf(frame)
        called.push(Peer.line(number, call))
        const answer = call.method === "ask" ? answerTo(number) : "ok"
        if (answer === "silence") return
        peer.sendUnsafe(answer === "ok" ? Peer.result(call, `${number}`) : Peer.error(call, 1, "no"))
      })
    })
    return { called, peers }
  })

const makeMember = (options: Partial<Session.Options> = {}) =>
  Effect.gen(function*() {
    const session = yield* Session.make(url, {
      peer: "test",
      signIn: () => Effect.succeed({}),
      dialect: Peer.dialect,
      ...options
    })
    yield* session.connect
    return session
  })

const makePool = (count: number, options: Partial<Pool.Options> = {}, ofMember: Partial<Session.Options> = {}) =>
  Effect.gen(function*() {
    const members: Array<Session.Session> = []
    for (let n = 0; n < count; n++) members.push(yield* makeMember(ofMember))
    return { members, pool: yield* Pool.make({ discover: Effect.succeed(members), ...options }) }
  })

describe("A pool", () => {
  it.effect("gives calls to its members in turn while they are equal", () =>
    withVenue(policy, ({ host }) =>
      Effect.gen(function*() {
        yield* serve(host)
        const { pool } = yield* makePool(3)
        const answers = yield* Effect.forEach([1, 2, 3, 4, 5, 6], () => pool.call(ask, {}))
        assert.deepStrictEqual(answers, ["1", "2", "3", "1", "2", "3"])
      })))

  it.effect("prefers those with the least waiting, the quickest, and those without errors, until these are a minute old", () =>
    withVenue(policy, ({ host }) =>
      Effect.gen(function*() {
        let ofFirst: Answer = "silence"
        yield* serve(host, (connection) => connection === 1 ? ofFirst : "ok")
        const { pool } = yield* makePool(2)
        const late = yield* Effect.forkChild(Effect.flip(pool.call(ask, {})))
        yield* settle
        assert.deepInclude((yield* pool.health)[0], { health: 90, pending: 1, errors: 0 })
        assert.deepStrictEqual(yield* Effect.forEach([1, 2, 3], () => pool.call(ask, {})), ["2", "2", "2"])
        yield* TestClock.adjust("2 seconds")
        assert.deepInclude(yield* Fiber.join(late), { _tag: "OutcomeUnknown", reason: "timeout" })
        assert.deepInclude((yield* pool.health)[0], { health: 85, pending: 0, errors: 1 })
        ofFirst = "ok"
        assert.deepStrictEqual(yield* Effect.forEach([1, 2, 3], () => pool.call(ask, {})), ["2", "2", "2"])
        yield* TestClock.adjust("1 minute")
        assert.deepInclude((yield* pool.health)[0], { health: 100, errors: 0 })
        assert.deepStrictEqual((yield* Effect.forEach([1, 2], () => pool.call(ask, {}))).toSorted(), ["1", "2"])
        // An answer takes 500 ms one way: a p99 of 1,000 ms costs 40, of which 30 count.
        yield* host.setLatency(500)
        const slow = yield* Effect.forkChild(pool.call(ask, {}))
        yield* settle
        yield* TestClock.adjust("1 second")
        yield* Fiber.join(slow)
        assert.deepStrictEqual((yield* pool.health).map(({ health }) => health).toSorted(), [100, 70])
        yield* host.setLatency(undefined)
      })))

  it.effect("offers what was not written to another, three in all, and sends nothing twice", () =>
    withVenue(policy, ({ host }) =>
      Effect.gen(function*() {
        const { called, peers } = yield* serve(host, (connection) => connection === 4 ? "silence" : "ok")
        const { pool } = yield* makePool(4, {}, {
          limits: [{ of: "messages", per: "connection", limit: 1, windowMillis: 60_000 }]
        })
        // The limit of each lets one out; what waits for it in vain is withdrawn.
        assert.deepStrictEqual(yield* Effect.forEach([1, 2, 3], () => pool.call(ask, {})), ["1", "2", "3"])
        const unknown = yield* Effect.forkChild(Effect.flip(pool.call(ask, {})))
        yield* settle
        yield* peers[3]!.drop
        yield* settle
        assert.deepInclude(yield* Fiber.join(unknown), { _tag: "OutcomeUnknown", reason: "dropped" })
        assert.deepStrictEqual(called, ["1 ask", "2 ask", "3 ask", "4 ask"])
        const late = yield* Effect.forkChild(Effect.flip(pool.call(ask, {})))
        yield* settle
        yield* TestClock.adjust("2 seconds")
        assert.deepInclude(yield* Fiber.join(late), { _tag: "NotSent", reason: "TimedOut" })
        assert.strictEqual(called.length, 4)
      })))

  it.effect("passes over members that are not live, and says so where none is", () =>
    withVenue(policy, ({ host }) =>
      Effect.gen(function*() {
        const { peers } = yield* serve(host)
        const { pool } = yield* makePool(2)
        yield* host.otherwise({ _tag: "Refuse" })
        yield* peers[0]!.drop
        yield* settle
        assert.deepStrictEqual(yield* Effect.forEach([1, 2, 3], () => pool.call(ask, {})), ["2", "2", "2"])
        yield* peers[1]!.drop
        yield* settle
        assert.deepInclude(yield* Effect.flip(pool.call(ask, {})), { _tag: "NotSent", reason: "NotConnected" })
      })))

  it.effect("takes the peer's error for an answer", () =>
    withVenue(policy, ({ host }) =>
      Effect.gen(function*() {
        const { called } = yield* serve(host, () => "refused")
        const { pool } = yield* makePool(2)
        assert.strictEqual((yield* Effect.flip(pool.call(ask, {})))._tag, "RpcError")
        assert.deepStrictEqual(called, ["1 ask"])
        assert.deepInclude((yield* pool.health)[0], { health: 100, errors: 0 })
      })))

  it.effect("spreads subscriptions within what a member may have, and moves those of one that has failed for good", () =>
    withVenue(policy, ({ host }) =>
      Effect.gen(function*() {
        const { called, peers } = yield* serve(host)
        const { pool } = yield* makePool(2, { channelsPerMember: 3 })
        const channels = ["a", "b", "c", "d"].map((name) => Channel.make(name))
        yield* pool.subscribe(channels)
        yield* pool.subscribe(channels.slice(0, 1))
        yield* settle
        assert.deepStrictEqual(called.toSorted(), [
          "1 subscribe a",
          "1 subscribe c",
          "2 subscribe b",
          "2 subscribe d"
        ])
        assert.deepStrictEqual((yield* pool.health).map((one) => one.channels), [2, 2])
        const more = ["e", "f", "g"].map((name) => Channel.make(name))
        assert.deepInclude(yield* Effect.flip(pool.subscribe(more)), {
          _tag: "PoolFull",
          members: 2,
          channelsPerMember: 3
        })
        yield* pool.unsubscribe([...more, ...channels.slice(3)])
        assert.deepStrictEqual((yield* pool.health).map((one) => one.channels), [2, 1])

        yield* host.otherwise({ _tag: "Refuse" })
        yield* peers[1]!.drop
        yield* TestClock.adjust("10 seconds")
        assert.strictEqual(called.at(-1), "1 subscribe b")
        assert.deepStrictEqual((yield* pool.health).map((one) => [one.isLive, one.channels]), [[true, 3], [false, 0]])
      })))

  it.effect("has members that come and go, and what all of them are told", () =>
    withVenue(policy, ({ host }) =>
      Effect.gen(function*() {
        const { peers } = yield* serve(host)
        const [one, two] = [yield* makeMember(), yield* makeMember()]
        let members = [one]
        const pool = yield* Pool.make({ discover: Effect.sync(() => members) })
        assert.deepStrictEqual(yield* Effect.forEach([1, 2], () => pool.call(ask, {})), ["1", "1"])
        members = [one, two]
        assert.deepStrictEqual((yield* Effect.forEach([1, 2], () => pool.call(ask, {}))).toSorted(), ["1", "2"])
        const heard = yield* Effect.forkChild(Stream.runCollect(Stream.take(pool.notifications(), 2)))
        yield* settle
        for (const [n, peer] of peers.entries()) yield* peer.send(`{"jsonrpc":"2.0","method":"news","params":[${n}]}`)
        yield* settle
        assert.deepStrictEqual((yield* Fiber.join(heard)).map(({ params }) => String(params)).toSorted(), ["0", "1"])
        members = [two]
        assert.deepStrictEqual(yield* Effect.forEach([1, 2], () => pool.call(ask, {})), ["2", "2"])
      })))
})
