/** A wire that hands over batch after batch in one turn: who is served within it, and who needs a turn of its own. */
import { assert, describe, it } from "@effect/vitest"
import * as Connection from "@tickline/core/connection/Connection"
import { Transport, type Wire } from "@tickline/core/transport/Transport"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { policyWith, settle, url, withVenue } from "../Rig.ts"

const batches = 1_000
const frames = Arr.makeBy(100, (n) => String(n).padStart(100, "0"))

/** A wire whose `each` has everything at once, and hands it over until it is told to stop. */
const eager = (wire: Wire, onStop: () => void): Wire => {
  let left = batches
  return {
    ...wire,
    pull: Object.assign(Effect.map(wire.pull, () => frames), {
      each: (take: (batch: typeof frames) => boolean) =>
        Effect.suspend(() => {
          while (left-- > 0) {
            if (take(frames)) continue
            onStop()
            return Effect.void
          }
          return Effect.asVoid(wire.pull)
        })
    })
  }
}

/** How many messages a consumer has that does so with each pull, and how many times the wire was told to stop. */
const consumed = (each: Effect.Effect<void>) =>
  withVenue(policyWith({}), ({ network }) =>
    Effect.gen(function*() {
      let stops = 0
      const transport: Transport["Service"] = {
        ...network.transport,
        dial: (request) => Effect.map(network.transport.dial(request), (wire) => eager(wire, () => stops++))
      }
      const connection = yield* Effect.provideService(Connection.make(url), Transport, transport)
      let count = 0
      yield* Effect.forkScoped(
        Stream.runForEachArray(connection.messages(), (messages) => {
          count += messages.length
          return each
        }),
        { startImmediately: true }
      )
      yield* connection.connect
      for (let n = 0; n < 2_000 && count < batches * frames.length; n++) yield* settle
      return { count, stops }
    }))

describe("Batches of one turn", () => {
  it.effect("are all taken within it by a consumer that comes back for more at once", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* consumed(Effect.void), { count: batches * frames.length, stops: 0 })
    }))

  it.effect("stop for a consumer that needs a turn of its own: 10 MB do not outrun a bound of 4 MiB", () =>
    Effect.gen(function*() {
      const { count, stops } = yield* consumed(Effect.yieldNow)
      assert.strictEqual(count, batches * frames.length)
      assert.isAbove(stops, 100)
    }))
})
