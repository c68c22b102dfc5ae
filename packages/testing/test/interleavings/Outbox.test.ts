/** What several senders give a connection that drops, under many interleavings. */
import { assert } from "@effect/vitest"
import * as Connection from "@tickline/core/connection/Connection"
import * as Presets from "@tickline/core/resilience/Presets"
import * as Probe from "@tickline/testing/Probe"
import * as VirtualNetwork from "@tickline/testing/VirtualNetwork"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { actors, underSeeds, url } from "./Seeds.ts"

const program = Probe.scoped(Effect.gen(function*() {
  const network = yield* VirtualNetwork.Network
  const host = yield* network.serve(url)
  const written: Array<string> = []
  yield* host.onOpen((peer) => peer.onMessage((frame) => void written.push(String(frame))))
  const connection = yield* Probe.within(Connection.connect(url))
  const refused: Array<string> = []
  const send = (message: string, delivery: "now" | "keep") =>
    connection.send(message, { delivery }).pipe(
      Effect.catch(() => Effect.sync(() => void refused.push(message)))
    )
  const sender = (name: string) => [1, 2, 3, 4].map((nth) => send(`${name} ${nth}`, nth % 2 === 0 ? "keep" : "now"))
  yield* Probe.within(actors(sender("a"), sender("b"), sender("c"), [host.drop, host.drop, connection.reconnect]))
  yield* Probe.state(connection, "Connected")
  yield* TestClock.adjust("1 second")

  // Nothing twice, nothing that was refused; what is kept is there, in the order of its sender.
  assert.strictEqual(new Set(written).size, written.length, written.join())
  for (const message of refused) assert.notInclude(written, message)
  for (const name of ["a", "b", "c"]) {
    const kept = [`${name} 2`, `${name} 4`].filter((message) => !refused.includes(message))
    assert.deepStrictEqual(written.filter((message) => kept.includes(message)), kept)
  }
  const { outbox } = yield* connection.metrics
  assert.deepInclude(outbox, { waiting: 0, waitingBytes: 0, unsent: refused.length, sent: 12 - refused.length })
})).pipe(Effect.provide(Probe.layer({ policy: Presets.test })))

underSeeds("An outbox sends once, in order, or says that it did not", program)
