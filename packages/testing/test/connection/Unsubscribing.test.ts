import { assert, describe, it } from "@effect/vitest"
import * as Reconnection from "@tickline/core/connection/Reconnection"
import * as MarketFeed from "@tickline/core/market/MarketFeed"
import * as Presets from "@tickline/core/resilience/Presets"
import { Transport } from "@tickline/core/transport/Transport"
import * as Binance from "@tickline/core/venue/binance/Venue"
import * as MockBinance from "@tickline/testing/MockBinance"
import * as Probe from "@tickline/testing/Probe"
import * as Simulation from "@tickline/testing/Simulation"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"

describe("what is given up", () => {
  it.effect("keeps nobody who leaves waiting for the venue's limit, and is given up within it", () =>
    Effect.gen(function*() {
      const products = Array.from({ length: 60 }, (_, i) => `P${i}USDT`)
      const simulation = yield* Simulation.make({
        seed: 1,
        venue: { client: Binance.venue, server: MockBinance.make() },
        products: products.map((symbol) => ({ symbol, price: "43250.10", size: "0.05" }))
      })
      yield* Effect.gen(function*() {
        const feed = yield* Probe.within(MarketFeed.make(Binance.venue, { url: simulation.url }))
        const consumers = yield* Effect.forEach(
          products,
          (product) =>
            Effect.forkChild(Effect.ignore(Stream.runDrain(feed.trades(product))), { startImmediately: true })
        )
        yield* TestClock.adjust("1 minute")
        const begun = yield* Clock.currentTimeMillis
        yield* Probe.within(Fiber.interruptAll(consumers), { within: "5 minutes" })
        assert.strictEqual(yield* Clock.currentTimeMillis, begun)
        yield* TestClock.adjust("1 minute")
        assert.deepStrictEqual(yield* feed.connection.subscriptions, [])
        const heard = simulation.heard.filter(({ kind }) => kind === "message").map(({ text }) => text)
        const given = heard.filter((text) => text.includes("UNSUBSCRIBE"))
        assert.strictEqual(given.join("").match(/p\d+usdt@trade/g)?.length, 60)
      }).pipe(
        Probe.scoped,
        Effect.provide(Reconnection.layerWithBreaker(Presets.preset("market-feed"))),
        Effect.provideService(Transport, simulation.network.transport)
      )
    }))
})
