/**
 * Streams prices: the README's first example, against a mock venue that it
 * starts itself, so that it needs no network and ends after ten trades.
 *
 * Run: npx -y pnpm@12 exec node examples/prices.ts
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { CoinbaseExchange, Decimal, MarketFeed, Reconnection } from "@tickline/core"
import { NodeTransport } from "@tickline/node"
import { MockCoinbaseExchange } from "@tickline/testing"
import { MockServer } from "@tickline/testing/node"
import { Console, Effect, Layer, Stream } from "effect"

const program = Effect.gen(function*() {
  const feed = yield* MarketFeed.MarketFeed
  yield* feed.trades("BTC-USD").pipe(
    Stream.take(10),
    Stream.runForEach((trade) =>
      Console.log(trade.product, trade.side?.padEnd(4), Decimal.format(trade.size), "@", Decimal.format(trade.price))
    )
  )
})

// Everything the feed needs: where the venue is, how it is dialled, how it comes back.
const live = Layer.unwrap(
  Effect.map(
    MockServer.make({ venue: MockCoinbaseExchange.make(), seed: 7, rate: 20 }),
    ({ url }) => MarketFeed.layer(CoinbaseExchange.venue, { url })
  )
).pipe(Layer.provide([NodeTransport.layer, Reconnection.layerWithBreaker()]))

NodeRuntime.runMain(Effect.provide(program, live))
