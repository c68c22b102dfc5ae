/** What several senders give a connection whose messages are limited, under many interleavings. */
import { assert } from "@effect/vitest"
import * as Connection from "@tickline/core/connection/Connection"
import * as Presets from "@tickline/core/resilience/Presets"
import * as Enforcement from "@tickline/testing/Enforcement"
import * as Probe from "@tickline/testing/Probe"
import * as VirtualNetwork from "@tickline/testing/VirtualNetwork"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { actors, underSeeds, url } from "./Seeds.ts"

const limit = 3
const windowMillis = 50

const program = Probe.scoped(Effect.gen(function*() {
  const network = yield* VirtualNetwork.Network
  const clock = yield* Clock.Clock
  const host = yield* network.serve(url)
  const arrived = new Map<string, number>()
  yield* host.onOpen((peer) =>
    peer.onMessage((frame) => void arrived.set(String(frame), clock.currentTimeMillisUnsafe()))
  )
  const connection = yield* Connection.make(url, {
    limits: [{ of: "messages", per: "connection", limit, windowMillis }]
  })
  yield* Probe.within(connection.connect)
  const sent: Array<string> = []
  const send = (message: string, priority: "order" | "query") =>
    Effect.andThen(connection.send(message, { priority }), Effect.sync(() => void sent.push(message)))
  const sender = (name: string, priority: "order" | "query") => [1, 2, 3].map((nth) => send(name + nth, priority))
  // Who loses patience takes nothing from the others.
  const gaveUp: Array<string> = []
  const impatient = (message: string) =>
    Effect.timeoutOrElse(send(message, "query"), {
      duration: 20,
      orElse: () => Effect.sync(() => void gaveUp.push(message))
    })
  yield* Probe.within(
    actors(sender("a", "order"), sender("b", "query"), sender("c", "query"), [impatient("x"), impatient("y")])
  )
  const due = [...sent].toSorted()
  yield* Probe.until(Effect.sync(() => arrived.size >= due.length), { within: "1 minute", what: "all that was sent" })
  assert.deepStrictEqual([...arrived.keys()].toSorted(), due)
  assert.strictEqual(sent.length + gaveUp.length, 11)
  assert.isAtMost(Enforcement.mostWithin([...arrived.values()], windowMillis), limit)
})).pipe(Effect.provide(Probe.layer({ policy: Presets.test })))

underSeeds("A limiter keeps its window, and forgets nobody", program)
