import { it } from "@effect/vitest"
import * as Connection from "@tickline/core/connection/Connection"
import * as FaultPlan from "@tickline/testing/FaultPlan"
import * as Probe from "@tickline/testing/Probe"
import * as VirtualNetwork from "@tickline/testing/VirtualNetwork"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"

it.effect("lives through a plan of faults", () =>
  Probe.scoped(Effect.gen(function*() {
    const network = yield* VirtualNetwork.Network
    const host = yield* network.serve("ws://venue.test")
    const plan = FaultPlan.parse(["drop@3s/10s", "refuse=2@13s", "silent@26s"])
    const running = yield* FaultPlan.run(network, host, Result.getOrThrow(plan))
    const connection = yield* Probe.within(Connection.connect("ws://venue.test"))
    yield* Probe.until(Effect.sync(() => running.strikes.length >= 5), { within: "1 minute" })
    yield* Probe.state(connection, "Connected", { within: "1 minute" })
  })).pipe(Effect.provide(Probe.layer({ seed: 7, latency: { min: 5, max: 50 } }))))
