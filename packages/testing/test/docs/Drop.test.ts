import { assert, it } from "@effect/vitest"
import * as MarketFeed from "@tickline/core/market/MarketFeed"
import * as Presets from "@tickline/core/resilience/Presets"
import * as Generic from "@tickline/core/venue/generic/Venue"
import * as Probe from "@tickline/testing/Probe"
import * as VirtualNetwork from "@tickline/testing/VirtualNetwork"
import * as Effect from "effect/Effect"

it.effect("asks for the same products again after a drop", () =>
  Probe.scoped(Effect.gen(function*() {
    const network = yield* VirtualNetwork.Network
    const host = yield* network.serve("ws://venue.test")
    const feed = yield* Probe.within(MarketFeed.make(Generic.venue, { url: "ws://venue.test" }))
    const prices = yield* Probe.record(feed.prices("BTC-USD"))
    const first = yield* Probe.within(host.nextPeer)
    yield* host.script({ _tag: "Refuse" }, { _tag: "Reject", status: 429, retryAfterMillis: 2_000 })
    yield* host.drop

    const second = yield* Probe.within(host.nextPeer)
    assert.deepStrictEqual(host.dials.map(({ at, outcome }) => [at, outcome]), [
      [0, "Accept"],
      [100, "Refuse"],
      [300, "Reject"],
      [2_300, "Accept"]
    ])
    assert.deepStrictEqual(yield* Probe.within(second.receive), yield* Probe.within(first.receive))
    assert.deepStrictEqual(prices, [])
  })).pipe(Effect.provide(Probe.layer({ policy: Presets.fast }))))
