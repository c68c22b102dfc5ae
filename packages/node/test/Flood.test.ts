import { assert, describe, it } from "@effect/vitest"
import * as Connection from "@tickline/core/connection/Connection"
import * as Reconnection from "@tickline/core/connection/Reconnection"
import * as ConnectionPolicy from "@tickline/core/resilience/ConnectionPolicy"
import * as Presets from "@tickline/core/resilience/Presets"
import * as NodeTransport from "@tickline/node/NodeTransport"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import { serve } from "./Sockets.ts"

const count = 200_000

/** As many short messages as the network takes, and then the end. */
const flood = serve((ws) => {
  for (let n = 0; n < count; n++) ws.send(String(n).padStart(100, "0"))
  ws.close(4001, "done")
})

const layer = Layer.merge(
  Reconnection.layerWithBreaker(ConnectionPolicy.with(Presets.preset("fast"), { retry: { maxRetries: 0 } })),
  NodeTransport.layer
)

describe("A flood", () => {
  it.live("has an observer see what one read brought, in the turn of the read", () =>
    Effect.gen(function*() {
      let seen = 0
      let batches = 0
      const connection = yield* Connection.make(yield* flood, {
        decode: (frame) => [frame],
        observers: [{
          name: "reads",
          attach: () => ({
            batch: ({ messages }) => {
              seen += messages.length
              batches++
            },
            ended: () => {}
          })
        }]
      })
      yield* Effect.forkScoped(Effect.ignore(connection.connect))
      yield* Effect.ignore(Stream.runDrain(connection.messages()))
      assert.strictEqual(seen, count)
      // A read is 64 KiB at most: 20 MB are more than 300.
      assert.isAbove(batches, 150)
    }).pipe(Effect.scoped, Effect.provide(layer)))
})
