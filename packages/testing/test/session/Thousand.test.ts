/** A thousand supervised sessions in one process, all dropped at once, come back within what the address may. */
import { assert, describe, it } from "@effect/vitest"
import type * as Limit from "@tickline/core/protocol/Limit"
import * as JsonRpc from "@tickline/core/session/JsonRpc"
import * as Session from "@tickline/core/session/Session"
import * as Supervision from "@tickline/core/session/Supervision"
import * as Channel from "@tickline/core/value/Channel"
import { mostWithin } from "@tickline/testing/Enforcement"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as TestClock from "effect/testing/TestClock"
import { backoffOf, policyWith, settle, url, withVenue } from "../Rig.ts"
import * as Peer from "./Peer.ts"

const many = 1_000
const dials = 100
const messages = 500

const limits: ReadonlyArray<Limit.Limit> = [
  { of: "dials", per: "address", limit: dials, windowMillis: 1_000, source: "this test" },
  { of: "messages", per: "address", limit: messages, windowMillis: 1_000, source: "this test" }
]

const policy = policyWith({
  backoff: backoffOf(100, 2, 1_000),
  retry: { maxRetries: "unlimited", resetOn: "connect" },
  connectTimeout: Duration.seconds(10),
  acknowledgementTimeout: Duration.seconds(10)
})

const plain = (name: string) => JsonRpc.method(name, { params: Schema.Struct({}), result: Schema.String })
const [auth, orders, buy] = [plain("auth"), plain("orders"), plain("buy")]

describe("A thousand supervised sessions", () => {
  it.effect(
    "dropped at once are all live again, and never dial or say more than the address may in any window",
    () =>
      withVenue(policy, ({ host }) =>
        Effect.gen(function*() {
          const clock = yield* Clock.Clock
          const now = () => clock.currentTimeMillisUnsafe()
          const heard: Array<number> = []
          const asked = new Map<string, number>()
          yield* host.onOpen((peer) => {
            peer.onMessage((frame) => {
              const call = Peer.callOf(frame)
              heard.push(now())
              asked.set(call.method, (asked.get(call.method) ?? 0) + 1)
              peer.sendUnsafe(Peer.result(call, call.method))
            })
          })
          const set = yield* Supervision.makeSet((_: number) =>
            Session.make(url, {
              label: "venue",
              peer: "test",
              dialect: Peer.dialect,
              limits,
              signIn: ({ call }) => Effect.as(call(auth, {}), {}),
              reconcile: ({ call }) => Effect.asVoid(call(orders, {}))
            })
          )
          const sessions = yield* Effect.forEach(Array.from({ length: many }, (_, key) => key), (key) => set.get(key))
          const live = Effect.map(
            Effect.forEach(sessions, ({ state }) => state.current),
            (states) => states.filter(({ _tag }) => _tag === "Live").length
          )
          const untilLive = Effect.gen(function*() {
            for (let seconds = 0; seconds < 60; seconds++) {
              if ((yield* live) === many) return seconds
              yield* TestClock.adjust("1 second")
            }
            return assert.fail(`${yield* live} are live`)
          })
          yield* Effect.forEach(sessions, (session) => session.subscribe([Channel.make("user.orders")]))
          yield* untilLive

          // All at once, and a second time while half of them are on their way back.
          const before = host.dials.length
          yield* host.drop
          yield* settle
          assert.strictEqual(yield* live, 0)
          yield* TestClock.adjust("5 seconds")
          const back = yield* live
          assert.isTrue(back > 100 && back < many - 100, `${back} are live`)
          yield* host.drop
          const seconds = yield* untilLive
          // A thousand dials at a hundred a second, and the rest of a second each for those that wait.
          assert.isAtMost(seconds, 15)
          assert.isAtLeast(host.dials.length - before, many)
          yield* Effect.forEach(sessions, ({ call }) => call(buy, {}), { concurrency: "unbounded" }).pipe(
            Effect.forkScoped
          )
          yield* TestClock.adjust("5 seconds")
          assert.strictEqual(asked.get("buy"), many)

          assert.isAtMost(mostWithin(host.dials.map(({ at }) => at), 1_000), dials)
          assert.isAtMost(mostWithin(heard, 1_000), messages)
          assert.strictEqual(host.peers().length, many)
          for (const session of sessions) assert.strictEqual(yield* session.restarts, 0)
        })),
    60_000
  )
})
