import { assert, it } from "@effect/vitest"
import * as MarketFeed from "@tickline/core/market/MarketFeed"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Generic from "@tickline/core/venue/generic/Venue"
import * as Probe from "@tickline/testing/Probe"
import * as VirtualNetwork from "@tickline/testing/VirtualNetwork"
import * as BigDecimal from "effect/BigDecimal"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"

/** The application: the highest price of a product, over as many as are asked for. */
const highest = (product: string, count: number) =>
  Effect.gen(function*() {
    const feed = yield* MarketFeed.MarketFeed
    const prices = yield* Stream.runCollect(Stream.take(feed.prices(product), count))
    return prices.map(({ price }) => price).reduce(BigDecimal.max)
  })

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
