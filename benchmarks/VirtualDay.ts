/** One virtual day of one supervised connection, with a heartbeat every 15 s, under TestClock. */
import * as Connection from "@tickline/core/connection/Connection"
import * as Presets from "@tickline/core/resilience/Presets"
import * as Probe from "@tickline/testing/Probe"
import * as VirtualNetwork from "@tickline/testing/VirtualNetwork"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as References from "effect/References"
import * as TestClock from "effect/testing/TestClock"
import * as Rounds from "./Rounds.ts"

const url = "ws://venue.test"
const heartbeats = 24 * 60 * 4

const day = (): Promise<number> =>
  Effect.gen(function*() {
    const network = yield* VirtualNetwork.Network
    yield* network.serve(url)
    const connection = yield* Probe.within(Connection.connect(url))
    const begun = performance.now()
    yield* TestClock.adjust("1 day")
    const took = performance.now() - begun
    const { heartbeat } = yield* connection.metrics
    if (heartbeat.answered !== heartbeats) {
      return yield* Effect.die(`${heartbeat.answered} heartbeats, not ${heartbeats}`)
    }
    return took
  }).pipe(
    Effect.scoped,
    Effect.provide(Layer.provideMerge(Probe.layer({ policy: Presets.recommended }), TestClock.layer())),
    Effect.provideService(References.MinimumLogLevel, "None"),
    Effect.runPromise
  )

const { days } = await Rounds.interleave({ days: day }, { rounds: 5, warmup: 1 })

Rounds.report([{
  name: "a virtual day of a connection, a heartbeat every 15 s",
  value: Rounds.median(days),
  unit: "ms",
  higher: false,
  must: 150,
  goal: 50,
  detail: `${heartbeats} heartbeats`
}])
