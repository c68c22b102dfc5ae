/** What a governor does with the answers of a Redis that a test plays, under a clock that stands. */
import { assert, describe, it } from "@effect/vitest"
import * as Connection from "@tickline/core/connection/Connection"
import * as Reconnection from "@tickline/core/connection/Reconnection"
import * as Governor from "@tickline/core/resilience/Governor"
import type { RollingLimit, Window } from "@tickline/core/resilience/RollingLimit"
import * as Monotonic from "@tickline/core/value/Monotonic"
import * as NodeTransport from "@tickline/node/NodeTransport"
import * as RedisGovernor from "@tickline/node/RedisGovernor"
import * as Config from "effect/Config"
import * as ConfigProvider from "effect/ConfigProvider"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Metric from "effect/Metric"
import * as Redis from "effect/persistence/Redis"
import * as Redacted from "effect/Redacted"
import * as SubscriptionRef from "effect/SubscriptionRef"
import * as TestClock from "effect/testing/TestClock"
import * as Loopback from "./Loopback.ts"

interface Asked {
  readonly key: string
  readonly cost: number
  readonly spares: boolean
  readonly spent: number
  readonly windows: ReadonlyArray<number>
}

type Answer = Effect.Effect<readonly [number, number, string], Redis.RedisError>

const admitted: Answer = Effect.succeed([0, 0, "run"])
const refused = (millis: number): Answer => Effect.succeed([millis, 0, "run"])
const away: Answer = Effect.fail(new Redis.RedisError({ cause: new Error("gone\u001b") }))

/** A governor whose Redis answers as `play.answer` says, and what it was asked; what it asks to see whether it is there is not. */
const rig = Effect.fnUntraced(function*(options?: RedisGovernor.Options) {
  const asked: Array<Asked> = []
  const play = { answer: (_: Asked): Answer => admitted, isThere: true }
  const redis = yield* Redis.make({
    // The results are those of the commands that are played.
    send: <A>(command: string, ...args: ReadonlyArray<string>) => {
      if (command === "SCRIPT") return Effect.succeed("sha" as A)
      const [, , , log = "", , , cost, spares, spent, ...windows] = args
      const question = {
        key: log.replace(/^\{.*\}:log:/, ""),
        cost: Number(cost),
        spares: spares === "1",
        spent: Number(spent),
        windows: windows.map(Number)
      }
      if (question.key === "") return (play.isThere ? admitted : away) as Effect.Effect<A, Redis.RedisError>
      asked.push(question)
      return Effect.suspend(() => play.answer(question)) as Effect.Effect<A, Redis.RedisError>
    },
    subscribe: () => Effect.die("not asked for"),
    connect: Effect.die("not asked for")
  })
  const { governor, state } = yield* Effect.provideService(RedisGovernor.make(options), Redis.Redis, redis)
  yield* TestClock.adjust(0)
  return { asked, play, governor, state }
})

const windows: ReadonlyArray<Window> = [{ limit: 10, windowMillis: 1_000 }]

const take = (limit: RollingLimit, cost?: number, spares?: boolean) =>
  Effect.map(Monotonic.now, (now) => limit.take(now, cost, spares))

const waiting = (limit: RollingLimit, cost?: number, spares?: boolean) =>
  Effect.tap(
    Effect.forkChild(limit.wait(1, cost, spares), { startImmediately: true }),
    () => TestClock.adjust(0)
  )

const isDone = (fiber: Fiber.Fiber<unknown>) => fiber.pollUnsafe() !== undefined

describe("RedisGovernor", () => {
  it.effect("asks once for each admission, and not at all where nothing is limited", () =>
    Effect.gen(function*() {
      const { asked, governor } = yield* rig()
      const free = yield* governor.share("free", [])
      assert.deepStrictEqual([yield* take(free), yield* take(free, 100)], [0, 0])
      const limit = yield* governor.share("key", windows)
      assert.deepStrictEqual([yield* take(limit, 0), yield* take(limit, NaN), yield* take(limit, 11)], [
        0,
        Infinity,
        Infinity
      ])
      assert.deepStrictEqual([yield* take(limit, 9, true), yield* take(limit, 10, true)], [1, Infinity])
      assert.deepStrictEqual(asked, [])
      yield* limit.wait(1, 2, true)
      assert.deepStrictEqual(asked, [{ key: "key", cost: 2, spares: true, spent: 0, windows: [10, 1_000] }])
      assert.deepStrictEqual([yield* take(limit, 3), yield* take(limit, 2), yield* take(limit, 2)], [1, 0, 1])
      assert.lengthOf(asked, 1)
    }))

  it.effect("gives what was admitted with a tenth spared to whoever comes, not the other way round", () =>
    Effect.gen(function*() {
      const { governor } = yield* rig()
      const limit = yield* governor.share("key", windows)
      yield* limit.wait(1)
      assert.deepStrictEqual([yield* take(limit, 1, true), yield* take(limit)], [1, 0])
      yield* limit.wait(1, 1, true)
      assert.strictEqual(yield* take(limit), 0)
    }))

  it.effect("asks again after the time that Redis names, one of those who wait at a time", () =>
    Effect.gen(function*() {
      const { asked, governor, play } = yield* rig()
      const limit = yield* governor.share("key", windows)
      play.answer = () => refused(700)
      const first = yield* waiting(limit)
      const second = yield* waiting(limit)
      assert.strictEqual(limit.waitFor(yield* Monotonic.now), 700)
      yield* TestClock.adjust(699)
      assert.lengthOf(asked, 1)
      play.answer = () => admitted
      // More urgent is a line of its own.
      yield* waiting(limit, 1, true)
      assert.lengthOf(asked, 2)
      assert.strictEqual(yield* take(limit, 1, true), 0)
      yield* TestClock.adjust(1)
      assert.deepStrictEqual([isDone(first), isDone(second), asked.length], [true, true, 3])
      assert.deepStrictEqual([yield* take(limit), yield* take(limit)], [0, 1])
    }))

  it.effect("spends nothing that was admitted longer than a quarter of a second ago", () =>
    Effect.gen(function*() {
      const { governor, play } = yield* rig()
      const limit = yield* governor.share("key", windows)
      yield* limit.wait(1)
      yield* TestClock.adjust(249)
      assert.strictEqual(yield* take(limit), 0)
      yield* limit.wait(1)
      yield* TestClock.adjust(250)
      assert.strictEqual(yield* take(limit), 1)
      // From when it was asked, not from when the answer came.
      play.answer = () => Effect.delay(admitted, 200)
      yield* waiting(limit)
      yield* TestClock.adjust(249)
      assert.strictEqual(yield* take(limit), 0)
      yield* waiting(limit)
      yield* TestClock.adjust(250)
      assert.strictEqual(yield* take(limit), 1)
    }))

  it.effect("keeps what comes for who was interrupted for the next", () =>
    Effect.gen(function*() {
      const { asked, governor, play } = yield* rig()
      const limit = yield* governor.share("key", windows)
      play.answer = () => Effect.delay(admitted, 10)
      yield* Fiber.interrupt(yield* waiting(limit))
      yield* TestClock.adjust(10)
      assert.deepStrictEqual([yield* take(limit), asked.length], [0, 1])
    }))

  it.effect("admits anew what was reserved and is due too late, and takes back what is not used", () =>
    Effect.gen(function*() {
      const { asked, governor } = yield* rig()
      const limit = yield* governor.share("key", windows)
      const reserve = Effect.gen(function*() {
        assert.strictEqual(limit.reserve(yield* Monotonic.now), 1)
        yield* limit.wait(1)
        const reservation = limit.reserve(yield* Monotonic.now)
        return typeof reservation === "number" ? yield* Effect.die("not reserved") : reservation
      })
      const released = yield* reserve
      released.release()
      released.release()
      assert.strictEqual(yield* take(limit), 0)
      assert.strictEqual(yield* take(limit), 1)
      const used = yield* reserve
      yield* used.due
      used.use(0)
      used.release()
      assert.deepStrictEqual([yield* take(limit), asked.length], [1, 2])
      const late = yield* reserve
      yield* TestClock.adjust(250)
      yield* late.due
      assert.lengthOf(asked, 4)
      late.use(0)
      assert.strictEqual(yield* take(limit), 1)
    }))

  it.effect("is judged by the windows of all who share the key, until they end", () =>
    Effect.gen(function*() {
      const { asked, governor } = yield* rig()
      const limit = yield* governor.share("key", windows)
      yield* Effect.scoped(Effect.gen(function*() {
        const other = yield* governor.share("key", [{ limit: 5, windowMillis: 100 }])
        assert.strictEqual(other, limit)
        yield* limit.wait(1)
        assert.strictEqual(yield* take(limit, 6), Infinity)
      }))
      yield* limit.wait(1, 2)
      assert.deepStrictEqual(asked.map(({ windows }) => windows), [[10, 1_000, 5, 100], [10, 1_000]])
      assert.deepStrictEqual([yield* take(limit, 2), limit.left(yield* Monotonic.now)], [0, [8]])
    }))

  it.effect("is the same for whoever comes while what was taken counts", () =>
    Effect.gen(function*() {
      const { governor } = yield* rig()
      const first = yield* Effect.scoped(Effect.gen(function*() {
        const limit = yield* governor.share("key", windows)
        yield* limit.wait(1)
        assert.strictEqual(yield* take(limit), 0)
        return limit
      }))
      assert.strictEqual(yield* governor.share("key", windows), first)
    }))

  it.effect("leaves the limits of a network within the process to the process", () =>
    Effect.gen(function*() {
      const { asked, governor } = yield* rig()
      const limit = yield* governor.share("key", windows, {})
      assert.deepStrictEqual([yield* take(limit, 10), yield* take(limit)], [0, 1_001])
      assert.deepStrictEqual(asked, [])
    }))

  const counted = Effect.map(Metric.snapshot, (all) =>
    Object.fromEntries(all.flatMap(({ id, state }) => {
      const name = /^tickline_governor_(.*?)(?:_total)?$/.exec(id)?.[1]
      return name === undefined ? [] : [[name, Number(Object.values(state)[0])]]
    })))

  const isolated = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
    Effect.provideService(effect, Metric.MetricRegistry, new Map())

  it.effect("sends nothing while Redis is away, says so once, and goes on", () =>
    Effect.gen(function*() {
      const lines: Array<unknown> = []
      const logger = Logger.make(({ message }) => void lines.push(message))
      yield* Effect.gen(function*() {
        const { asked, governor, play, state } = yield* rig()
        const limit = yield* governor.share("key", windows)
        play.answer = () => away
        play.isThere = false
        const waiter = yield* waiting(limit)
        yield* TestClock.adjust(60_000)
        assert.deepStrictEqual([isDone(waiter), asked.length, yield* take(limit)], [false, 1, 1])
        assert.deepStrictEqual(SubscriptionRef.getUnsafe(state), {
          _tag: "Unavailable",
          since: 0,
          reason: "gone\\u001b"
        })
        assert.deepStrictEqual(
          (({ available, outages }) => ({ available, outages }))(yield* counted),
          { available: 0, outages: 1 }
        )
        play.answer = () => admitted
        play.isThere = true
        yield* TestClock.adjust(1_000)
        assert.deepStrictEqual([isDone(waiter), SubscriptionRef.getUnsafe(state)._tag], [true, "Available"])
        yield* TestClock.adjust(250)
        yield* limit.wait(1)
        assert.strictEqual(yield* take(limit), 0)
        assert.deepStrictEqual(yield* counted, {
          admissions: 2,
          available: 1,
          lapsed: 1,
          outages: 1,
          resets: 0,
          unshared: 0
        })
      }).pipe(Effect.provide(Logger.layer([logger])), isolated)
      assert.deepStrictEqual(lines.flat(), [
        "limits are shared over Redis",
        "Redis is away: nothing that is limited is sent",
        "limits are shared over Redis"
      ])
    }))

  it.effect("takes no answer for a second, or three that come too late, for none", () =>
    Effect.gen(function*() {
      const { asked, governor, play, state } = yield* rig()
      const limit = yield* governor.share("key", windows)
      play.answer = () => Effect.never
      yield* waiting(limit)
      yield* TestClock.adjust(999)
      assert.strictEqual(SubscriptionRef.getUnsafe(state)._tag, "Available")
      play.isThere = false
      yield* TestClock.adjust(1)
      assert.deepInclude(SubscriptionRef.getUnsafe(state), { _tag: "Unavailable", reason: "no answer within 1000 ms" })
      play.isThere = true
      play.answer = () => Effect.delay(admitted, 300)
      yield* TestClock.adjust(200)
      assert.strictEqual(SubscriptionRef.getUnsafe(state)._tag, "Available")
      play.isThere = false
      yield* TestClock.adjust(1_000)
      assert.deepInclude(SubscriptionRef.getUnsafe(state), { reason: "its answers take longer than 250 ms" })
      assert.lengthOf(asked, 4)
    }))

  it.effect("that fails open keeps the limits by itself while Redis is away, and charges what it spent after", () =>
    Effect.gen(function*() {
      const { asked, governor, play, state } = yield* rig({ fails: "open" })
      const limit = yield* governor.share("key", windows)
      yield* limit.wait(1, 4)
      assert.strictEqual(yield* take(limit, 4), 0)
      yield* TestClock.adjust(100)
      play.answer = () => away
      play.isThere = false
      // What it had spent before counts.
      yield* limit.wait(1, 6)
      assert.deepStrictEqual([yield* take(limit, 6), yield* take(limit)], [0, 901])
      const waiter = yield* waiting(limit, 4)
      yield* TestClock.adjust(900)
      assert.isFalse(isDone(waiter))
      yield* TestClock.adjust(1)
      assert.deepStrictEqual([isDone(waiter), yield* take(limit, 4), yield* take(limit)], [true, 0, 100])
      assert.strictEqual((yield* counted)["unshared"], 2)
      play.answer = () => admitted
      play.isThere = true
      yield* TestClock.adjust(1_000)
      assert.strictEqual(SubscriptionRef.getUnsafe(state)._tag, "Available")
      yield* limit.wait(1)
      yield* limit.wait(1, 2)
      assert.deepStrictEqual(asked.slice(2).map(({ spent }) => spent), [10, 0])
    }).pipe(isolated))

  it.effect("says once for each run of Redis that what was spent before is waited out", () =>
    Effect.gen(function*() {
      const lines: Array<unknown> = []
      const logger = Logger.make(({ message }) => void lines.push(message))
      yield* Effect.gen(function*() {
        const { governor, play } = yield* rig()
        const limit = yield* governor.share("key", windows)
        const runs = ["one", "one", "two"]
        play.answer = ({ cost }) => Effect.succeed([cost, cost, runs.shift() ?? "two"])
        yield* waiting(limit, 5)
        yield* TestClock.adjust(15)
        assert.strictEqual((yield* counted)["resets"], 2)
      }).pipe(Effect.provide(Logger.layer([logger])), isolated)
      assert.lengthOf(lines.flat().filter((line) => String(line).startsWith("Redis is new")), 2)
    }))

  it.live("holds up the messages of a connection, and its dials", () =>
    Effect.gen(function*() {
      const { harness } = yield* Loopback.listening
      const asked: Array<string> = []
      const governor: Governor.Governor = {
        share: (key, windows, network) =>
          Effect.map(shared.share(key, windows, network), (limit) => ({
            take: (...args) => limit.take(...args),
            reserve: (...args) => limit.reserve(...args),
            waitFor: (...args) => limit.waitFor(...args),
            left: (at) => limit.left(at),
            wait: (...args) => {
              asked.push(key.replace(/^.* /, ""))
              return limit.wait(...args)
            }
          }))
      }
      const redis = yield* Redis.make({
        // What the script answers, whatever it is asked.
        send: <A>(command: string) =>
          (command === "SCRIPT" ? Effect.succeed("sha") : admitted) as Effect.Effect<A, Redis.RedisError>,
        subscribe: () => Effect.die("not asked for"),
        connect: Effect.die("not asked for")
      })
      const { governor: shared } = yield* Effect.provideService(RedisGovernor.make(), Redis.Redis, redis)
      yield* Effect.gen(function*() {
        const connection = yield* Connection.make(harness.url, {
          limits: [
            { of: "dials", per: "address", limit: 5, windowMillis: 1_000 },
            { of: "messages", per: "address", limit: 5, windowMillis: 1_000 }
          ]
        })
        yield* connection.connect
        yield* connection.send("a")
        yield* connection.send("b")
        yield* connection.close()
        assert.deepStrictEqual(asked, ["dials", "messages", "messages"])
      }).pipe(
        Effect.provideService(Governor.Governor, governor),
        Effect.provide(Layer.mergeAll(NodeTransport.layer, Reconnection.layerWithBreaker()))
      )
    }))

  it.effect("is there before its Redis is, shows no secret, and provides the governor", () =>
    Effect.gen(function*() {
      const provider = ConfigProvider.fromUnknown({ REDIS_URL: "redis://user:hidden@127.0.0.1:1/0" })
      const url = Config.Redacted("REDIS_URL")
      const context = yield* Layer.build(RedisGovernor.layerConfig({ url })).pipe(
        Effect.provideService(ConfigProvider.ConfigProvider, provider)
      )
      const { governor, state } = Context.get(context, RedisGovernor.RedisGovernor)
      assert.strictEqual(Context.get(context, Governor.Governor), governor)
      assert.notInclude(JSON.stringify(SubscriptionRef.getUnsafe(state)), "hidden")
      const failure = yield* Effect.flip(
        Layer.build(RedisGovernor.layer({ url: Redacted.make("http://user:hidden@127.0.0.1") }))
      )
      assert.strictEqual(`${failure}`, "InvalidRedisUrl: expected a redis:// or rediss:// URL")
    }))
})
