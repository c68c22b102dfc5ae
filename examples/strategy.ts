/**
 * A strategy of one's own, tried over a recording: it buys what has fallen well
 * below its average, and sells what is back. Here the recording is two hours of a
 * made-up market; `tickline stream … --record` makes one of a venue.
 *
 * Run: npx -y pnpm@12 exec node examples/strategy.ts
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { CoinbaseExchange, Decimal, MarketFeed, Reconnection, Replay, Timestamp } from "@tickline/core"
import * as Backtest from "@tickline/core/strategy/Backtest"
import * as Indicators from "@tickline/core/strategy/Indicators"
import type { Strategy } from "@tickline/core/strategy/Strategy"
import { Market } from "@tickline/testing"
import { Console, Effect, Logger, Stream } from "effect"

const length = 30

/** Its state is made for each product; it is shown one candle after the other, and knows no clock. */
const meanReversion: Strategy = {
  name: "mean-reversion",
  warmUp: length,
  make: () => {
    const bands = Indicators.bollinger(length, 2)
    return {
      decide: (candle) => {
        const input = Indicators.ofCandle(candle)
        const band = bands.update(input)
        if (band === undefined) return undefined
        if (input.close < band.lower) return { side: "buy", confidence: 0.8, reason: "below the lower band" }
        if (input.close > band.middle) return { side: "sell", confidence: 0.8, reason: "back at the average" }
        return { side: "hold", confidence: 0.5 }
      }
    }
  }
}

/** A recording: what a venue sends, and when it came. */
const recording: ReadonlyArray<string> = [
  JSON.stringify({
    raw: "",
    kind: "header",
    version: 1,
    venue: "coinbase-exchange",
    products: ["BTC-USD"],
    channels: []
  }),
  ...Market.ticks(Market.products[0], { seed: 11, fromMillis: 1_790_000_000_000, everyMillis: 1_000 }).take(7_200).map(
    ({ price, sequence, side, size, timestamp, tradeId }) =>
      JSON.stringify({
        at: timestamp,
        raw: JSON.stringify({
          type: "match",
          product_id: "BTC-USD",
          trade_id: tradeId,
          sequence,
          price,
          size,
          // The venue tells the maker's side.
          side: side === "buy" ? "sell" : "buy",
          time: timestamp
        })
      })
  )
]

const program = Effect.gen(function*() {
  const replay = yield* Replay.make(Stream.fromIterable(recording))
  const { fills, result } = yield* replay.run(
    Effect.gen(function*() {
      const feed = yield* MarketFeed.prepare(CoinbaseExchange.venue)
      const backtest = yield* Backtest.make(feed, {
        products: ["BTC-USD"],
        strategy: meanReversion,
        interval: "10 seconds",
        latency: "50 millis",
        fees: { maker: Decimal.zero, taker: Decimal.parse("0.00001") ?? Decimal.zero },
        // The recording has no book: orders are filled at the price of the last trade.
        fillsByBook: false
      })
      yield* Effect.forkScoped(Effect.ignore(feed.connection.connect))
      yield* replay.ended
      return yield* backtest.report
    }).pipe(Effect.provide(Reconnection.layerWithBreaker()))
  )
  for (const { amount, price, side, timestamp } of fills.slice(0, 6)) {
    const at = timestamp === undefined ? "" : Timestamp.format(timestamp).slice(11, 19)
    yield* Console.log(at, side, Decimal.format(amount), "at", Decimal.format(price))
  }
  yield* Console.log(`… ${fills.length} fills, ${result.trades} closed trades`)
  yield* Console.log(`gained ${Decimal.format(result.pnl)} USD of 10,000`)
})

NodeRuntime.runMain(program.pipe(Effect.provide(Logger.layer([]))))
