import { assert, describe, it } from "@effect/vitest"
import * as Reconnection from "@tickline/core/connection/Reconnection"
import * as MarketFeed from "@tickline/core/market/MarketFeed"
import * as Presets from "@tickline/core/resilience/Presets"
import { Transport } from "@tickline/core/transport/Transport"
import * as Channel from "@tickline/core/value/Channel"
import * as Venues from "@tickline/core/venue/Venues"
import * as MockVenues from "@tickline/testing/MockVenues"
import * as Simulation from "@tickline/testing/Simulation"
import * as SteppedClock from "@tickline/testing/SteppedClock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"

const products: Readonly<Record<string, string>> = {
  binance: "BTCUSDT",
  kraken: "BTC/USD",
  deribit: "BTC-PERPETUAL",
  hyperliquid: "BTC"
}

describe("an hour in which the wall clock is set every minute", () => {
  for (const server of MockVenues.all) {
    const client = Venues.get(server.name)
    if (client === undefined) continue
    it.effect(`costs ${server.name} nothing: one dial, no gap, nothing stale, no breaker`, () =>
      Effect.gen(function*() {
        const symbol = products[server.name] ?? "BTC-USD"
        yield* TestClock.adjust("1000 hours")
        const simulation = yield* Simulation.make({
          seed: 5,
          venue: { client, server },
          products: [{ symbol, price: "43250.10", size: "0.05000000" }],
          latency: { min: 5, max: 50 }
        })
        const told: Array<string> = []
        yield* Effect.gen(function*() {
          const feed = yield* MarketFeed.prepare(client, {
            url: simulation.url,
            channels: [Channel.make(client.channels.trade ?? "", symbol)]
          })
          yield* feed.events().pipe(
            Stream.runForEach((event) =>
              Effect.sync(() => {
                if (event._tag === "Gap" || event._tag === "Stale" || event._tag === "Breaker") told.push(event._tag)
                if (event._tag === "Connection") told.push(event.state)
              })
            ),
            Effect.forkScoped({ startImmediately: true })
          )
          yield* Effect.forkScoped(Effect.ignore(feed.connection.connect))
          for (let minute = 0; minute < 60; minute++) {
            const by = yield* Random.nextIntBetween(-3_600_000, 3_600_000)
            yield* SteppedClock.step(Duration.millis(by))
            yield* TestClock.adjust("1 minute")
          }
          const { heartbeat, messages } = yield* feed.connection.metrics
          assert.isAbove(messages, 1_000)
          assert.strictEqual(heartbeat.missed, 0)
          assert.deepStrictEqual(told, ["Connecting", "Connected"])
          assert.strictEqual(simulation.host.dials.length, 1)
          yield* feed.connection.close({ mode: "forced" })
        }).pipe(
          Effect.scoped,
          Effect.provide(Reconnection.layerWithBreaker(Presets.preset("market-feed"))),
          Effect.provideService(Transport, simulation.network.transport)
        )
      }).pipe(Random.withSeed("steps"), Effect.provide(SteppedClock.layer)))
  }
})
