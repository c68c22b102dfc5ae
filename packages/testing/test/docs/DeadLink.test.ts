import { assert, it } from "@effect/vitest"
import * as Connection from "@tickline/core/connection/Connection"
import * as Probe from "@tickline/testing/Probe"
import * as VirtualNetwork from "@tickline/testing/VirtualNetwork"
import * as Effect from "effect/Effect"

it.effect("notices a link that is connected and dead", () =>
  Probe.scoped(Effect.gen(function*() {
    const network = yield* VirtualNetwork.Network
    const host = yield* network.serve("ws://venue.test")
    const connection = yield* Probe.within(Connection.connect("ws://venue.test"))
    const states = yield* Probe.states(connection)
    const peer = yield* host.nextPeer
    yield* peer.freeze
    // A ping every 15 s, and 10 s for its pong.
    const { failure } = yield* Probe.state(connection, "Reconnecting")
    assert.strictEqual(failure?._tag, "HeartbeatMissed")
    assert.deepStrictEqual(states, [{ at: 25_000, state: "Reconnecting" }])
    yield* Probe.state(connection, "Connected")
  })).pipe(Effect.provide(Probe.layer())))
