// The venue of docs/writing-a-venue.md. What stands between `#region` and `#endregion`, here and in the files beside it,
// stands there too, word for word; the last test sees to it.
import { assert, describe, it } from "@effect/vitest"
import * as MarketFeed from "@tickline/core/feed/MarketFeed"
import { Transport } from "@tickline/core/transport/Transport"
import * as Channel from "@tickline/core/value/Channel"
import * as MarketEvent from "@tickline/core/value/MarketEvent"
import { mostWithin } from "@tickline/testing/Enforcement"
import * as FaultPlan from "@tickline/testing/FaultPlan"
import * as Probe from "@tickline/testing/Probe"
import * as Simulation from "@tickline/testing/Simulation"
import * as VirtualNetwork from "@tickline/testing/VirtualNetwork"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { assertShown } from "../Regions.ts"
import * as Harbour from "./Harbour.ts"
import * as MockHarbour from "./MockHarbour.ts"

describe("Harbour", () => {
  // #region frames
  const decode = (frame: string): unknown => {
    const decoded = Harbour.venue.decode(frame)
    const events = MarketEvent.isFrameRejected(decoded) ? [decoded] : decoded
    return events.map((event): unknown => JSON.parse(MarketEvent.toJson(event)))
  }

  it("reads a trade exactly", () => {
    const frame = "{\"topic\":\"trades\",\"product\":\"BTC-USD\",\"id\":17,\"price\":43250.10,\"size\":0.0500," +
      "\"side\":\"buy\",\"at\":1795219200123}"
    assert.deepStrictEqual(decode(frame), [{
      _tag: "Trade",
      venue: "harbour",
      product: "BTC-USD",
      price: "43250.10",
      size: "0.0500",
      side: "buy",
      tradeId: "17",
      timestamp: "2026-11-21T00:00:00.123Z"
    }])
  })

  it("refuses a frame with a bad price, and says where", () => {
    assert.deepStrictEqual(decode("{\"topic\":\"ticker\",\"product\":\"BTC-USD\",\"last\":\"n/a\",\"at\":0}"), [{
      _tag: "FrameRejected",
      venue: "harbour",
      reason: "InvalidField",
      field: "last",
      message: "last: expected a decimal, found the string `n/a`"
    }])
  })

  it("asks in batches of twenty topics, each with an id", () => {
    const channels = Array.from({ length: 21 }, (_, number) => Channel.make("trades", `P${number}`))
    const asks = Harbour.venue.subscribe(channels, 7)
    assert.deepStrictEqual(asks.map(({ channels, requestId }) => [requestId, channels.length]), [["7", 20], ["8", 1]])
    assert.strictEqual(asks[1]?.text, "{\"op\":\"subscribe\",\"id\":8,\"topics\":[\"trades:P20\"]}")
  })
  // #endregion

  // #region network
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
      assert.deepStrictEqual(yield* feed.connection.standings, [
        { channel: Channel.make("trades", "BTC-USD"), standing: "confirmed" }
      ])
      // It pings in the venue's own words, and a link whose pong does not come is dead.
      assert.strictEqual(yield* Probe.within(peer.receive), "{\"op\":\"ping\",\"id\":1}")
      yield* peer.send("{\"op\":\"pong\",\"id\":1}")
      assert.strictEqual(yield* Probe.within(peer.receive), "{\"op\":\"ping\",\"id\":2}")
      const { failure } = yield* Probe.state(feed.connection, "Reconnecting")
      assert.strictEqual(failure?._tag, "HeartbeatMissed")
    })).pipe(Effect.provide(Probe.layer({ latency: 20 }))))

  it.effect("tells a consumer that the venue refuses its product", () =>
    Probe.scoped(Effect.gen(function*() {
      const simulation = yield* Simulation.make({
        seed: 1,
        venue: { client: Harbour.venue, server: MockHarbour.make() }
      })
      const feed = yield* Probe.within(MarketFeed.make(Harbour.venue, { url: simulation.url })).pipe(
        Effect.provideService(Transport, simulation.network.transport)
      )
      const error = yield* Probe.within(Effect.flip(Stream.runDrain(feed.trades("GBP-SEA"))))
      assert.strictEqual(error.message, "subscription to trades of GBP-SEA refused: no topic trades:GBP-SEA")
    })).pipe(Effect.provide(Probe.layer())))
  // #endregion

  // #region hour
  it.effect("lives through an hour of trouble, within its limits", () =>
    Effect.gen(function*() {
      const report = yield* Simulation.run({
        seed: 7,
        venue: { client: Harbour.venue, server: MockHarbour.make() },
        lasts: "1 hour",
        latency: 40,
        faults: FaultPlan.random({ seed: 7, within: "50 minutes" })
      })
      assert.deepStrictEqual(report.violations, [])
      assert.isTrue(report.accounts.every(Simulation.isBalanced))
      assert.isAbove(report.drops, 3)
      for (const { connection } of report.heard) {
        const times = report.heard.filter((heard) => heard.connection === connection).map(({ at }) => at)
        assert.isAtMost(mostWithin(times, 1_000), 10)
      }
    }))
  // #endregion

  it("is shown word for word", () => {
    assertShown("writing-a-venue.md", [
      new URL("Harbour.ts", import.meta.url),
      new URL("MockHarbour.ts", import.meta.url),
      new URL(import.meta.url)
    ])
  })
})
