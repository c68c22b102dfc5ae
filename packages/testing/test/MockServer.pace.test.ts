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
})
