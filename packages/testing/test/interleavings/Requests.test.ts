/** Requests of several callers over a connection that drops, under many interleavings. */
import { assert } from "@effect/vitest"
import * as Connection from "@tickline/core/connection/Connection"
import * as Requests from "@tickline/core/connection/Requests"
import * as Presets from "@tickline/core/resilience/Presets"
import * as Probe from "@tickline/testing/Probe"
import * as VirtualNetwork from "@tickline/testing/VirtualNetwork"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import { actors, underSeeds, url } from "./Seeds.ts"

const program = Probe.scoped(Effect.gen(function*() {
  const network = yield* VirtualNetwork.Network
  const asked: Array<string> = []
  const host = yield* network.serve(url)
  yield* host.onOpen((peer) =>
    peer.onMessage((frame) => {
      const id = String(frame)
      asked.push(id)
      // Answers come in any order, some never.
      if (!id.endsWith("3")) network.schedule((id.charCodeAt(0) * 7 + asked.length * 5) % 40, () => peer.sendUnsafe(id))
    })
  )
  const connection = yield* Probe.within(Connection.connect(url))
  const requests = yield* Requests.make(connection, (message) => String(message))
  const ends = new Map<string, string>()
  const request = (id: string) =>
    Effect.gen(function*() {
      const given = yield* Random.nextIntBetween(0, 4)
      const asking = requests.request(id, id, { timeout: 100 })
      const end = yield* Effect.match(given === 0 ? Effect.timeoutOption(asking, 10) : Effect.asSome(asking), {
        onFailure: ({ _tag }) => _tag,
        onSuccess: (answer) => answer._tag === "None" ? "GivenUp" : `answer ${String(answer.value)}`
      })
      assert.isFalse(ends.has(id))
      ends.set(id, end)
    })
  const caller = (name: string) => [1, 2, 3, 4].map((nth) => request(name + nth))
  yield* Probe.within(actors(caller("a"), caller("b"), caller("c"), [host.drop, connection.reconnect]))

  for (const [id, end] of ends) {
    assert.include([`answer ${id}`, "NotSent", "OutcomeUnknown", "GivenUp"], end)
    if (end === "NotSent") assert.notInclude(asked, id)
  }
  assert.strictEqual(ends.size, 12)
  assert.strictEqual(new Set(asked).size, asked.length)
  assert.strictEqual(yield* requests.pending, 0)
})).pipe(Effect.provide(Probe.layer({ policy: Presets.test, latency: { min: 0, max: 5 } })))

underSeeds("A request ends once, with its own answer or the truth", program)
