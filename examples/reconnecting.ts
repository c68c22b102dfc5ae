/**
 * Watches a connection come back: the mock venue cuts it after half a second
 * and refuses the next three dials. With the preset `fast` the waits are 100,
 * 200, 400 and 800 ms; then the stream goes on, and a `Gap` says since when
 * nothing was heard.
 *
 * Run: npx -y pnpm@12 exec node examples/reconnecting.ts
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { CoinbaseExchange, Decimal, MarketFeed, Presets, Reconnection } from "@tickline/core"
import type { MarketEvent } from "@tickline/core"
import { NodeTransport } from "@tickline/node"
import { Fault, MockCoinbaseExchange } from "@tickline/testing"
import { MockServer } from "@tickline/testing/node"
import { Console, Effect, Layer, Logger, Result, Stream } from "effect"

const told = (event: MarketEvent.AnyEvent): string | undefined => {
  switch (event._tag) {
    case "Connection":
      return [
        event.state,
        event.epoch === undefined ? "" : `epoch ${event.epoch}`,
        event.delayMillis === undefined ? "" : `retry ${event.attempt} in ${event.delayMillis} ms`,
        event.state === "Reconnecting" ? `(${event.reason})` : ""
      ].filter((part) => part !== "").join(" ")
    case "Breaker":
      return `the breaker goes from ${event.from} to ${event.to}`
    case "Gap":
      return `a gap of ${event.product} in ${event.channel} from ${event.from} ${
        event.to === undefined ? "on" : `to ${event.to}`
      }`
    case "Trade":
      return `${event.product} ${Decimal.format(event.price)}`
    default:
      return undefined
  }
}

const program = Effect.gen(function*() {
  const feed = yield* MarketFeed.MarketFeed
  yield* feed.subscribe([yield* feed.channel("trade", "BTC-USD")])
  yield* feed.events().pipe(
    Stream.takeUntil((event) => event._tag === "Gap" && event.to !== undefined),
    Stream.runForEach((event) => {
      const line = told(event)
      return line === undefined ? Effect.void : Console.log(line)
    })
  )
  yield* feed.trades("BTC-USD").pipe(
    Stream.take(3),
    Stream.runForEach((trade) => Console.log(`${trade.product} ${Decimal.format(trade.price)} again`))
  )
})

const live = Layer.unwrap(Effect.gen(function*() {
  const faults = yield* Effect.fromResult(Result.all(["drop@500ms", "refuse=3@500ms"].map(Fault.parse)))
  const { url } = yield* MockServer.make({ venue: MockCoinbaseExchange.make(), seed: 7, rate: 5, faults })
  return MarketFeed.layer(CoinbaseExchange.venue, { url })
})).pipe(Layer.provide([NodeTransport.layer, Reconnection.layerWithBreaker(Presets.fast)]))

// The events say what the log would say.
NodeRuntime.runMain(program.pipe(Effect.scoped, Effect.provide([live, Logger.layer([])])))
