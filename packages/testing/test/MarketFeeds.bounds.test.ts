import { assert, describe, it } from "@effect/vitest"
import * as Reconnection from "@tickline/core/connection/Reconnection"
import * as MarketFeeds from "@tickline/core/market/MarketFeeds"
import * as Presets from "@tickline/core/resilience/Presets"
import { Transport } from "@tickline/core/transport/Transport"
import * as Channel from "@tickline/core/value/Channel"
import * as Decimal from "@tickline/core/value/Decimal"
import * as CoinbaseExchange from "@tickline/core/venue/coinbase-exchange/Venue"
import * as Generic from "@tickline/core/venue/generic/Venue"
import * as VirtualNetwork from "@tickline/testing/VirtualNetwork"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"

const url = "ws://generic.test/feed"

describe("MarketFeeds: bounds", () => {
  it("a venue with one channel for everything has it for every kind, another fails for what it lacks", () => {
    assert.deepStrictEqual(
      MarketFeeds.channelsOf(Generic.venue, ["book", "trade", "ticker"], ["A-USD", "B-USD"]),
      Result.succeed([Channel.make("price", "A-USD"), Channel.make("price", "B-USD")])
    )
    const venue = { ...CoinbaseExchange.venue, channels: { trade: "matches", ticker: "ticker" } }
    const failed = MarketFeeds.channelsOf(venue, ["trade", "book"], ["A-USD"])
    assert.deepInclude({ ...Result.getOrThrow(Result.flip(failed)) }, { venue: venue.name, kind: "book" })
    assert.deepStrictEqual(MarketFeeds.channelsOf(venue, ["trade"], []), Result.succeed([]))
    assert.isTrue(Result.isFailure(MarketFeeds.channelsOf({ ...venue, channels: {} }, ["trade"], ["A-USD"])))
  })

  it.effect("a consumer of all that conflates reads at most two prices that were old, and then the newest", () =>
    Effect.gen(function*() {
      const network = yield* VirtualNetwork.make({ seed: 1 })
      const host = yield* network.serve(url)
      yield* Effect.gen(function*() {
        const feeds = yield* MarketFeeds.make([
          { venue: Generic.venue, url, products: ["A-USD"], policy: Presets.preset("fast") }
        ])
        const peer = yield* host.nextPeer
        const got: Array<string> = []
        yield* feeds.events({ overflow: "conflate", bytes: 1_000 }).pipe(
          Stream.runForEach((event) =>
            event._tag === "PriceUpdate"
              ? Effect.andThen(Effect.sync(() => got.push(Decimal.format(event.price))), Effect.sleep("1 minute"))
              : Effect.void
          ),
          Effect.forkChild({ startImmediately: true })
        )
        for (let n = 1; n <= 40; n++) {
          yield* peer.send(JSON.stringify({ product_id: "A-USD", price: `${n}.0`, timestamp: "2026-11-07T08:19:27Z" }))
          yield* TestClock.adjust("10 millis")
        }
        yield* TestClock.adjust("10 minutes")
        assert.deepStrictEqual(got, ["1.0", "2.0", "3.0", "40.0"])
      }).pipe(
        Effect.scoped,
        Effect.provide(Reconnection.layerWithBreaker(Presets.preset("test"))),
        Effect.provideService(Transport, network.transport)
      )
    }))
})
