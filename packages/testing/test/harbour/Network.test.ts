import { assert, it } from "@effect/vitest"
import * as MarketFeed from "@tickline/core/market/MarketFeed"
import * as Channel from "@tickline/core/value/Channel"
import * as MockVenue from "@tickline/testing/MockVenue"
import * as Probe from "@tickline/testing/Probe"
import * as VirtualNetwork from "@tickline/testing/VirtualNetwork"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as Harbour from "./Harbour.ts"
import * as MockHarbour from "./MockHarbour.ts"

const url = "wss://harbour.test/v1"

it.effect("is asked, confirms, and delivers what it said", () =>
  Probe.scoped(Effect.gen(function*() {
    const network = yield* VirtualNetwork.Network
    const host = yield* network.serve(url)
    const feed = yield* Probe.within(MarketFeed.make(Harbour.venue, { url }))
    const trades = yield* Probe.record(feed.trades("BTC-USD"))
    const peer = yield* Probe.within(host.nextPeer)
    assert.strictEqual(
      yield* Probe.within(peer.receive),
      "{\"op\":\"subscribe\",\"id\":1,\"topics\":[\"trades:BTC-USD\"]}"
    )
    yield* peer.send(
      "{\"op\":\"subscribed\",\"id\":1,\"topics\":[\"trades:BTC-USD\"]}",
      "{\"topic\":\"trades\",\"product\":\"BTC-USD\",\"id\":17,\"price\":43250.10,\"size\":0.0500," +
        "\"side\":\"buy\",\"at\":1795219200123}"
    )
    yield* Probe.until(Effect.sync(() => trades.length === 1))
    assert.deepStrictEqual((yield* feed.health).subscriptions, [
      { channel: Channel.make("trades", "BTC-USD"), standing: "confirmed" }
    ])
    // It pings in the venue's own words, and a link whose pong does not come is dead.
    assert.strictEqual(yield* Probe.within(peer.receive), "{\"op\":\"ping\",\"id\":2}")
    yield* peer.send("{\"op\":\"pong\",\"id\":2}")
    assert.strictEqual(yield* Probe.within(peer.receive), "{\"op\":\"ping\",\"id\":3}")
    const { failure } = yield* Probe.state(feed.connection, "Reconnecting")
    assert.strictEqual(failure?._tag, "HeartbeatMissed")
  })).pipe(Effect.provide(Probe.layer({ latency: 20 }))))

it.effect("tells a consumer that the venue refuses its product", () =>
  Probe.scoped(Effect.gen(function*() {
    const network = yield* VirtualNetwork.Network
    yield* MockVenue.serve(network, url, MockHarbour.make())
    const feed = yield* Probe.within(MarketFeed.make(Harbour.venue, { url }))
    const error = yield* Probe.within(Effect.flip(Stream.runDrain(feed.trades("GBP-SEA"))))
    assert.strictEqual(error.message, "subscription to trades of GBP-SEA refused: no topic trades:GBP-SEA")
  })).pipe(Effect.provide(Probe.layer())))
