// The examples of docs/testing-your-application.md. What stands between `#region` and `#endregion` stands there too,
// word for word; the last test of this file sees to it.

// #region imports
import { assert, describe, it } from "@effect/vitest"
import * as Connection from "@tickline/core/connection/Connection"
import * as MarketFeed from "@tickline/core/feed/MarketFeed"
import * as ConnectionPolicy from "@tickline/core/resilience/ConnectionPolicy"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Generic from "@tickline/core/venue/Generic"
import * as Probe from "@tickline/testing/Probe"
import * as VirtualNetwork from "@tickline/testing/VirtualNetwork"
import * as BigDecimal from "effect/BigDecimal"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
// #endregion
import * as FaultPlan from "@tickline/testing/FaultPlan"
import * as Simulation from "@tickline/testing/Simulation"
import * as SteppedClock from "@tickline/testing/SteppedClock"
import * as Result from "effect/Result"
import { assertShown } from "./Regions.ts"

// #region application
/** The application: the highest price of a product, over as many as are asked for. */
const highest = (product: string, count: number) =>
  Effect.gen(function*() {
    const feed = yield* MarketFeed.MarketFeed
    const prices = yield* Stream.runCollect(Stream.take(feed.prices(product), count))
    return prices.map(({ price }) => price).reduce(BigDecimal.max)
  })
// #endregion

describe("docs: testing your application", () => {
  // #region first
  it.effect("finds the highest price, exactly", () =>
    Probe.scoped(Effect.gen(function*() {
      const network = yield* VirtualNetwork.Network
      yield* network.serve("ws://venue.test", (peer) =>
        peer.send(
          "{\"product_id\":\"BTC-USD\",\"price\":\"45000.50\",\"timestamp\":\"2025-10-28T12:00:00Z\"}",
          "{\"product_id\":\"BTC-USD\",\"price\":\"45000.500000000000000001\",\"timestamp\":\"2025-10-28T12:00:01Z\"}"
        ))
      const feed = yield* Probe.within(MarketFeed.make(Generic.venue, { url: "ws://venue.test" }))
      const price = yield* Probe.within(
        Effect.provideService(highest("BTC-USD", 2), MarketFeed.MarketFeed, feed)
      )
      assert.strictEqual(Decimal.format(price), "45000.500000000000000001")
    })).pipe(Effect.provide(Probe.layer({ latency: 20 }))))
  // #endregion

  // #region drop
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
    })).pipe(Effect.provide(Probe.layer({ policy: ConnectionPolicy.fast }))))
  // #endregion

  // #region half-open
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
  // #endregion

  // #region step
  it.effect("reconnects in a second, whatever the wall clock says", () =>
    Probe.scoped(Effect.gen(function*() {
      const network = yield* VirtualNetwork.Network
      const host = yield* network.serve("ws://venue.test")
      const connection = yield* Probe.within(Connection.connect("ws://venue.test"))
      yield* host.drop
      yield* SteppedClock.step("-1 hour")
      yield* Probe.state(connection, "Connected", { within: "2 seconds" })
    })).pipe(Effect.provide([Probe.layer({ policy: ConnectionPolicy.standard }), SteppedClock.layer])))
  // #endregion

  // #region plan
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
  // #endregion

  // #region simulation
  it.effect("accounts for every message of an hour of trouble", () =>
    Effect.gen(function*() {
      const report = yield* Simulation.run({
        seed: 7,
        lasts: "1 hour",
        latency: { min: 5, max: 50 },
        faults: FaultPlan.random({ seed: 7, within: "50 minutes" })
      })
      assert.deepStrictEqual(report.violations, [])
      assert.isTrue(report.accounts.every(Simulation.isBalanced))
      assert.isAbove(report.drops, 0)
    }))
  // #endregion

  it("shows these very lines", () => {
    assertShown("testing-your-application.md", [new URL(import.meta.url)])
  })
})
