/** What the script in Redis admits, against the log of one process, by a clock that the test sets. */
import * as NodeRedis from "@effect/platform-node/NodeRedis"
import { assert, describe, it } from "@effect/vitest"
import type { Window } from "@tickline/core/resilience/RollingLimit"
import * as RedisGovernor from "@tickline/node/RedisGovernor"
import * as Chance from "@tickline/testing/Chance"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Redis from "effect/persistence/Redis"
import * as Redacted from "effect/Redacted"
import * as Stream from "effect/Stream"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as RollingLimits from "../../core/src/resilience/internal/rollingLimit.ts"
import { type Answer, leaseMillis, type Question, script } from "../src/internal/admissionScript.ts"
import * as RedisServer from "./RedisServer.ts"

// The script with a clock of its own, which is the last argument.
const clocked = Redis.script(
  ({ at, ...question }: Question & { readonly at: number }) => [
    ...script.params(question).toSpliced(3, 0, "clock"),
    Math.floor(at / 1_000),
    Math.round(at % 1_000 * 1_000)
  ],
  {
    lua: `local clock = { table.remove(ARGV), table.remove(ARGV) }\n${
      script.lua.replace("redis.call(\"TIME\")", "{ clock[2], clock[1] }")
    }`,
    numberOfKeys: 4
  }
).withReturnType<Answer>()

const rig = Effect.gen(function*() {
  const server = yield* RedisServer.make
  yield* server.start
  const redis = Context.get(yield* Layer.build(NodeRedis.layer({ url: Redacted.value(server.url) })), Redis.Redis)
  let key = 0
  return {
    server,
    redis,
    /** A key with nothing taken, as seen by one who declares these windows. */
    make: (windows: ReadonlyArray<Window>, shared = `key ${++key}`) => ({
      key: shared,
      ask: (at: number, { cost = 1, ...options }: Partial<Question> = {}) =>
        Effect.map(
          redis.eval(clocked)({ prefix: "test", key: shared, windows, cost, spares: false, spent: 0, at, ...options }),
          ([wait]) => wait
        )
    })
  }
})

// Later than any run of Redis that the test begins with.
const start = 1_800_000_000_000

describe.skipIf(!RedisServer.isInstalled)("The script in Redis (skipped without redis-server)", () => {
  it.live("admits what the log of one process does, whatever costs, windows and times", () =>
    Effect.gen(function*() {
      const { make, redis } = yield* rig
      // It is not new any more.
      yield* make([{ limit: 1, windowMillis: 1 }]).ask(start - 10_000_000)
      let admitted = 0
      for (let seed = 1; seed <= 20; seed++) {
        const chance = Chance.make(seed)
        const windows = [1, 2, 3].slice(0, 1 + chance.integer(3)).map((n) => ({
          limit: 1 + chance.integer(12 * n),
          windowMillis: 1 + chance.integer(800 * n) / 2
        }))
        const { ask, key } = make(windows)
        const log = RollingLimits.make(windows)
        let at = start + seed * 1_000_000
        const times: Array<number> = []
        for (let n = 0; n < 150; n++) {
          at += chance.happens(0.25) ? chance.integer(1_500) : chance.integer(90) / 4
          const cost = chance.integer(17) / 4
          const spares = chance.happens(0.3)
          const reservation = log.reserve(at, cost, spares)
          const wait = yield* ask(at, { cost, spares })
          if (typeof reservation === "number") {
            const most = Math.min(
              ...windows.map(({ limit }) => spares ? Math.max(1, limit - Math.ceil(limit / 10)) : limit)
            )
            // What is never admitted is asked for again.
            if (cost > most) assert.isAbove(wait, 0)
            else assert.strictEqual(wait, reservation, `seed ${seed}, question ${n}`)
          } else {
            reservation.use(at + leaseMillis)
            if (cost > 0) times.push(at + leaseMillis)
            assert.strictEqual(wait, 0, `seed ${seed}, question ${n}`)
          }
        }
        admitted += times.length
        // No more is kept than may count, and nothing for ever.
        const longest = Math.max(...windows.map(({ windowMillis }) => windowMillis))
        const kept = yield* redis.send<number>("ZCARD", `{test}:log:${key}`)
        assert.isAtMost(kept, times.filter((time) => time >= at - longest).length)
        for (const kind of ["log", "windows"]) {
          assert.notStrictEqual(yield* redis.send<number>("PTTL", `{test}:${kind}:${key}`), -1)
        }
      }
      assert.isAbove(admitted, 500)
    }), 30_000)

  it.live("counts as full, for a window from then on, what a run of Redis does not know", () =>
    Effect.gen(function*() {
      const { make, redis } = yield* rig
      const { ask } = make([{ limit: 5, windowMillis: 1_000 }])
      assert.strictEqual(yield* ask(start), 1_251)
      assert.deepStrictEqual([yield* ask(start + 1_250), yield* ask(start + 1_251)], [1, 0])
      // It was restarted, with its data.
      yield* redis.send("HSET", "{test}:epoch", "run", "another")
      assert.deepStrictEqual([yield* ask(start + 9_000), yield* ask(start + 9_500)], [1_251, 751])
      // It lost them.
      yield* redis.send("FLUSHALL")
      assert.deepStrictEqual([yield* ask(start + 19_000), yield* ask(start + 20_251)], [1_251, 0])
      // Who knows that nothing was spent says so.
      yield* redis.send("FLUSHALL")
      assert.strictEqual(yield* ask(start + 30_000), 1_251)
      yield* redis.send("HSET", "{test}:epoch", "since", "0")
      assert.strictEqual(yield* ask(start + 30_001), 0)
    }))

  it.live("forgets nothing because its clock is set back", () =>
    Effect.gen(function*() {
      const { make, redis } = yield* rig
      const { ask, key } = make([{ limit: 2, windowMillis: 1_000 }])
      yield* ask(start - 10_000)
      assert.deepStrictEqual([yield* ask(start), yield* ask(start + 1)], [0, 0])
      // By less than a window it stands still.
      assert.strictEqual(yield* ask(start - 500), 1_250)
      assert.strictEqual(yield* ask(start + 1_250), 1)
      // By more it is as new.
      assert.strictEqual(yield* ask(start - 60_000), 1_251)
      assert.strictEqual(yield* redis.send("EXISTS", `{test}:log:${key}`), 0)
      assert.strictEqual(yield* ask(start - 60_000 + 1_251), 0)
    }))

  it.live("judges by the windows of all processes that share a key, and charges what was spent without it", () =>
    Effect.gen(function*() {
      const { make } = yield* rig
      const one = make([{ limit: 10, windowMillis: 1_000 }], "shared")
      const other = make([{ limit: 2, windowMillis: 60_000 }], "shared")
      yield* other.ask(start - 100_000, { cost: 0 })
      assert.deepStrictEqual([yield* one.ask(start), yield* one.ask(start), yield* one.ask(start)], [0, 0, 60_251])
      // Ten minutes after the other's last question it is gone.
      assert.strictEqual(yield* one.ask(start + 600_000, { cost: 10 }), 0)
      assert.strictEqual(yield* one.ask(start + 602_000, { cost: 1, spent: 10 }), 1_251)
    }))

  it.live("is asked over a connection that is made again, whenever it is lost", () =>
    Effect.gen(function*() {
      const server = yield* RedisServer.make
      const context = yield* Layer.build(RedisGovernor.layer({ url: server.url }))
      const { state } = Context.get(context, RedisGovernor.RedisGovernor)
      const until = (tag: RedisGovernor.State["_tag"]) =>
        SubscriptionRef.changes(state).pipe(
          Stream.filter(({ _tag }) => _tag === tag),
          Stream.runHead,
          Effect.map(Option.getOrThrow)
        )
      const reason = Effect.map(until("Unavailable"), (state) => "reason" in state ? state.reason : "")
      assert.match(yield* reason, /ECONNREFUSED/)
      yield* server.start
      yield* until("Available")
      // It is known though nobody asks.
      yield* server.kill
      assert.match(yield* reason, /closed|ECONNRESET/)
      yield* server.start
      yield* until("Available")
      server.hold(true)
      const { governor } = Context.get(context, RedisGovernor.RedisGovernor)
      const limit = yield* governor.share("key", [{ limit: 1, windowMillis: 100 }])
      const waiter = yield* Effect.forkChild(limit.wait(1))
      assert.match(yield* reason, /no answer within 1000 ms/)
      server.hold(false)
      yield* Fiber.join(waiter)
    }), 20_000)
})
