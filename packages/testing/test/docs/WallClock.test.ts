import { it } from "@effect/vitest"
import * as Connection from "@tickline/core/connection/Connection"
import * as Presets from "@tickline/core/resilience/Presets"
import * as Probe from "@tickline/testing/Probe"
import * as SteppedClock from "@tickline/testing/SteppedClock"
import * as VirtualNetwork from "@tickline/testing/VirtualNetwork"
import * as Effect from "effect/Effect"

it.effect("reconnects in a second, whatever the wall clock says", () =>
  Probe.scoped(Effect.gen(function*() {
    const network = yield* VirtualNetwork.Network
    const host = yield* network.serve("ws://venue.test")
    const connection = yield* Probe.within(Connection.connect("ws://venue.test"))
    yield* host.drop
    yield* SteppedClock.step("-1 hour")
    yield* Probe.state(connection, "Connected", { within: "2 seconds" })
  })).pipe(Effect.provide([Probe.layer({ policy: Presets.standard }), SteppedClock.layer])))
