/** How many steps the market of the mock server takes, on a clock that stands still but where it is moved. */
import { assert, describe, it } from "@effect/vitest"
import type * as Enforcement from "@tickline/testing/Enforcement"
import * as MockGeneric from "@tickline/testing/MockGeneric"
import type { Outgoing } from "@tickline/testing/MockVenue"
import * as MockServer from "@tickline/testing/node/MockServer"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { WebSocket } from "ws"

/** A client that follows one product, once the server has said so. */
const follow = (url: string) =>
  Effect.acquireRelease(
    Effect.callback<WebSocket>((resume) => {
      const ws = new WebSocket(url, { autoPong: false })
      ws.on("open", () => ws.send("{\"type\":\"subscribe\",\"product_ids\":[\"BTC-USD\"]}"))
      ws.once("message", () => resume(Effect.succeed(ws)))
    }),
    (ws) => Effect.sync(() => ws.terminate())
  )

/** Frames that a connection gets for a step, by turns of the connections. */
const stepsOf = (...framesOf: ReadonlyArray<number>) =>
  Effect.scoped(Effect.gen(function*() {
    let published = 0
    const frames = (): ReadonlyArray<Outgoing> =>
      Array.from({ length: framesOf[published++ % framesOf.length] ?? 0 }, () => ({ text: "{}", data: undefined }))
    const mock = yield* MockServer.make({
      venue: { ...MockGeneric.make(), publish: frames },
      rate: 1_000,
      heartbeatMillis: 0
    })
    for (let n = 0; n < framesOf.length; n++) yield* follow(mock.url)
    yield* TestClock.adjust("3 seconds")
    return published / framesOf.length
  }))

describe("the pace of MockServer", () => {
  it.effect("is that of frames: a step of several counts as several, one without any as one", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* stepsOf(0), 3_000)
      assert.strictEqual(yield* stepsOf(1), 3_000)
      assert.strictEqual(yield* stepsOf(2), 1_500)
      assert.strictEqual(yield* stepsOf(5), 600)
    }))

  it.effect("is that of the busiest connection, whichever came first", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* stepsOf(5, 1), 600)
      assert.strictEqual(yield* stepsOf(0, 2), 1_500)
    }))

  it.effect("may change: within a second at the slowest, ten milliseconds at the fastest, 50 from a standstill", () =>
    Effect.gen(function*() {
      let published = 0
      const publish = (): ReadonlyArray<Outgoing> => {
        published++
        return []
      }
      const mock = yield* MockServer.make({ venue: { ...MockGeneric.make(), publish }, rate: 0, heartbeatMillis: 0 })
      yield* follow(mock.url)
      const steps: ReadonlyArray<readonly [rate: number, millis: number, published: number]> = [
        // From a standstill.
        [1_000, 49, 0],
        [1_000, 1, 50],
        // Ten steps at once: a timer is no finer.
        [1_000, 9, 50],
        [1_000, 1, 60],
        // The wait of ten is over when the new pace begins, which waits no longer than a second.
        [0.1, 10, 60],
        [10, 999, 60],
        [10, 1, 70],
        [10, 99, 70],
        [10, 1, 71],
        [0, 100, 71],
        [0, 1_000, 71]
      ]
      for (const [rate, millis, expected] of steps) {
        yield* mock.setRate(rate)
        yield* TestClock.adjust(millis)
        assert.strictEqual(published, expected, `${rate} for ${millis}`)
      }
    }))
})

/** A server at this pace with one connection, and how it goes after each of so many milliseconds. */
const over = <A>(
  options: Partial<MockServer.Options>,
  spans: ReadonlyArray<number>,
  look: (mock: MockServer.MockServer) => A
) =>
  Effect.scoped(Effect.gen(function*() {
    const mock = yield* MockServer.make({ venue: MockGeneric.make(), rate: 0, ...options })
    yield* follow(mock.url)
    const seen: Array<A> = []
    for (const millis of spans) {
      yield* TestClock.adjust(millis)
      seen.push(look(mock))
    }
    return seen
  }))

describe("what MockServer does by the clock", () => {
  it.effect("beats as often as its venue, or as it is told, or never", () =>
    Effect.gen(function*() {
      const beats = (own: number | undefined, told: number | undefined) => {
        let times = 0
        const heartbeat = (): ReadonlyArray<Outgoing> => {
          times++
          return []
        }
        const venue = { ...MockGeneric.make(), heartbeat, heartbeatMillis: own }
        return over({ venue, heartbeatMillis: told }, [99, 1, 100, 1_000], () => times)
      }
      assert.deepStrictEqual(yield* beats(undefined, undefined), [0, 0, 0, 0])
      assert.deepStrictEqual(yield* beats(100, undefined), [0, 1, 2, 12])
      assert.deepStrictEqual(yield* beats(100, 0), [0, 0, 0, 0])
      assert.deepStrictEqual(yield* beats(100, 200), [0, 0, 1, 6])
    }))

  const rulesOf = (mock: MockServer.MockServer): string =>
    mock.entries().flatMap((entry) => entry._tag === "Enforced" ? [entry.rule] : []).join()

  it.effect("looks every twenty milliseconds for what is overdue, each rule by itself", () =>
    Effect.gen(function*() {
      const none = { limits: [], countsPings: false, excess: {} }
      const enforced = (rules: Partial<Enforcement.Enforcement>, spans: ReadonlyArray<number>) =>
        over({ enforcement: { ...none, ...rules } }, spans, rulesOf)
      assert.deepStrictEqual(yield* enforced({ idle: 1_001 }, [1_019, 1, 1_000]), ["", "idle", "idle"])
      assert.deepStrictEqual(yield* enforced({ idle: 1_000 }, [999, 1]), ["", "idle"])
      // Nobody answers in time that stands still: what is due at once is overdue at the next look.
      assert.deepStrictEqual(yield* enforced({ pings: { every: 100, within: 20 } }, [119, 1]), ["", "pong"])
      assert.deepStrictEqual(yield* enforced({ subscribeWithin: 20 }, [1_000]), [""])
      assert.deepStrictEqual(yield* enforced({}, [100_000]), [""])
    }))
})
