/** How many steps the market of the mock server takes, on a clock that stands still but where it is moved. */
import { assert, describe, it } from "@effect/vitest"
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
      const ws = new WebSocket(url)
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
