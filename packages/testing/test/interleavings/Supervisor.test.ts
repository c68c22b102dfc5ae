/** One connection in the hands of several owners, over a network that drops it, under many interleavings. */
import { assert } from "@effect/vitest"
import * as Connection from "@tickline/core/connection/Connection"
import * as Presets from "@tickline/core/resilience/Presets"
import * as Probe from "@tickline/testing/Probe"
import * as VirtualNetwork from "@tickline/testing/VirtualNetwork"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { actors, underSeeds, url } from "./Seeds.ts"

const program = Probe.scoped(Effect.gen(function*() {
  const network = yield* VirtualNetwork.Network
  const host = yield* network.serve(url, (peer) =>
    Effect.forEach(
      Array.from({ length: 100 }, (_, index) => `${peer.id} ${index + 1}`),
      (message) => Effect.andThen(peer.send(message), Effect.sleep(3)),
      { discard: true }
    ))
  let mostOpen = 0
  yield* host.onOpen(() => {
    mostOpen = Math.max(mostOpen, host.peers().length)
  })
  const connection = yield* Connection.make(url)
  const items = yield* Probe.record(Stream.forever(connection.inbound()))
  const connect = Effect.ignore(connection.connect)
  // Where a connection is on its way already, it is waited for.
  const reconnect = Effect.catch(
    connection.reconnect,
    (error) => Effect.sync(() => assert.notStrictEqual(error._tag, "AlreadyConnected"))
  )
  const close = connection.close()
  yield* Probe.within(
    actors([connect, host.drop, close, connect], [connect, reconnect, host.drop, reconnect], [
      reconnect,
      close,
      connect
    ])
  )
  yield* Probe.within(Effect.andThen(connection.close(), connection.close({ mode: "forced" })))

  // One wire at a time, none at the end, and the states say so.
  assert.strictEqual(mostOpen, 1)
  assert.deepStrictEqual(host.peers(), [])
  assert.strictEqual((yield* connection.state.current)._tag, "Disconnected")

  // Each state follows from the one before; epochs rise one by one; each has its own messages, from the first, in order.
  let state = "Disconnected"
  let epoch = 0
  let next = 1
  for (const item of items) {
    if (item._tag === "Transition") {
      assert.strictEqual(item.from._tag, state)
      state = item.to._tag
      if (item.to._tag !== "Connected") continue
      assert.isAbove(item.to.epoch, epoch)
      epoch = item.to.epoch
      next = 1
    } else if (item._tag === "Batch") {
      assert.strictEqual(item.epoch, epoch)
      for (const message of item.messages) assert.strictEqual(String(message).split(" ")[1], String(next++))
    }
  }
})).pipe(Effect.provide(Probe.layer({ policy: Presets.test, latency: { min: 0, max: 5 } })))

underSeeds("A supervisor keeps one wire, its states and its epochs in order", program)
