/**
 * A day in less than a second: a connection under `TestClock`, to a venue that
 * sends a price a minute and drops every hour, on a network with chance from a
 * seed. The same seed gives the same day, to the event; the last line is the
 * fingerprint of its log.
 *
 * A plain program; the same lines work in a test (`it.effect`).
 *
 * Run: npx -y pnpm@12 exec node examples/virtual-day.ts
 */
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import { Decimal, Generic, MarketFeed, Reconnection, Transport } from "@tickline/core"
import { Market, VirtualNetwork } from "@tickline/testing"
import { Clock, Console, DateTime, Duration, Effect, Layer, Logger, Random, Schedule, Stream } from "effect"
import { TestClock } from "effect/testing"

const url = "ws://venue.test"
const [bitcoin] = Market.products

const day = Effect.fnUntraced(
  function*(seed: number) {
    const network = yield* VirtualNetwork.make({ seed, latency: { min: 5, max: 80 } })
    const market = Market.ticks(bitcoin, { seed, fromMillis: 0, everyMillis: 60_000 })
    const host = yield* network.serve(url, (peer) =>
      Effect.forever(Effect.flatMap(Effect.sleep("1 minute"), () => {
        const { price, product, timestamp } = market.next().value
        return peer.send(JSON.stringify({ product_id: product, price, timestamp }))
      })))
    yield* Effect.forkScoped(Effect.repeat(Effect.delay(host.drop, "1 hour"), Schedule.forever))

    const counts = { prices: 0, gaps: 0, last: "none" }
    const consumer = Effect.gen(function*() {
      const feed = yield* MarketFeed.MarketFeed
      yield* feed.subscribe([yield* feed.channel("trade", bitcoin.symbol)])
      yield* Stream.runForEach(feed.events(), (event) =>
        Effect.sync(() => {
          if (event._tag === "Gap" && event.to !== undefined) counts.gaps++
          if (event._tag !== "PriceUpdate") return
          counts.prices++
          counts.last = Decimal.format(event.price)
        }))
    }).pipe(
      Effect.scoped,
      Effect.provide(
        MarketFeed.layer(Generic.venue, { url }).pipe(
          Layer.provide(Reconnection.layerWithBreaker()),
          Layer.provide(Layer.succeed(Transport.Transport, network.transport))
        )
      ),
      // Jitter too comes from the seed.
      Random.withSeed(seed)
    )
    // The consumer waits for the network, and the network for the clock, so it runs beside what moves the clock.
    yield* Effect.forkScoped(consumer)
    yield* TestClock.adjust(Duration.days(1))

    const now = DateTime.formatIso(DateTime.makeUnsafe(yield* Clock.currentTimeMillis))
    return [
      `${now}: ${counts.prices} prices, the last ${counts.last}`,
      `${host.dials.length} dials, ${counts.gaps} gaps told`,
      `log ${network.log.hash()}`
    ]
  },
  Effect.scoped,
  Effect.provide(TestClock.layer())
)

const program = Effect.forEach([7, 7, 8], (seed) =>
  Effect.gen(function*() {
    yield* Console.log(`seed ${seed}`)
    for (const line of yield* day(seed)) yield* Console.log(`  ${line}`)
  }))

NodeRuntime.runMain(Effect.provide(program, Logger.layer([])))
