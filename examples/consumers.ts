/**
 * What becomes of consumers that do not keep up with a venue: one that says
 * nothing fails, one that conflates gets the newest price of each product and
 * is told how many it missed. Neither slows the other down.
 *
 * It runs on a virtual network, by the real clock.
 *
 * Run: npx -y pnpm@12 exec node examples/consumers.ts
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Decimal, Generic, MarketFeed, Presets, Reconnection, Transport } from "@tickline/core"
import { VirtualNetwork } from "@tickline/testing"
import { Console, Effect, Logger, Stream } from "effect"

const url = "ws://venue.test"

const price = (product: string, price: number) =>
  JSON.stringify({ product_id: product, price: `${price}.00`, timestamp: "2026-01-01T00:00:00Z" })

const program = Effect.gen(function*() {
  const network = yield* VirtualNetwork.make({ latency: 1 })
  const host = yield* network.serve(url)

  yield* Effect.gen(function*() {
    const feed = yield* MarketFeed.make(Generic.venue, { url })

    // It says nothing, so it fails when more than 10,000 bytes wait for it.
    yield* feed.prices("BTC-USD", { bytes: 10_000 }).pipe(
      Stream.runForEach(() => Effect.sleep("20 millis")),
      Effect.catchTag("ConsumerOverflow", (error) => Console.log(`the first consumer: ${error.message}`)),
      Effect.forkScoped
    )

    // As slow, it is behind too, and gets the newest of each product, and a `Gap` for what it missed.
    yield* feed.events({ overflow: "conflate", bytes: 10_000 }).pipe(
      Stream.tap(() => Effect.sleep("20 millis")),
      Stream.runForEach((event) => {
        switch (event._tag) {
          case "PriceUpdate":
            return Console.log(`the second consumer: ${event.product} ${Decimal.format(event.price)}`)
          case "Gap":
            return Console.log(`the second consumer: missed ${event.missing} of ${event.product}`)
          default:
            return Effect.void
        }
      }),
      Effect.forkScoped
    )

    yield* Effect.sleep("200 millis")
    const [peer] = host.peers()
    for (let n = 1; n <= 100; n++) {
      yield* peer?.send(price("BTC-USD", n), price("ETH-USD", n)) ?? Effect.void
      yield* Effect.sleep("2 millis")
    }
    yield* Effect.sleep("2 seconds")
    const { missed } = yield* feed.connection.metrics
    yield* Console.log(`missed by all consumers: ${missed}`)
  }).pipe(
    Effect.scoped,
    Effect.provide(Reconnection.layerWithBreaker(Presets.fast)),
    Effect.provideService(Transport.Transport, network.transport)
  )
})

NodeRuntime.runMain(program.pipe(Effect.scoped, Effect.provide(Logger.layer([]))))
