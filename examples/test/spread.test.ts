import { assert, it } from "@effect/vitest"
import * as Core from "@tickline/core"
import { MockCoinbase, MockCoinbaseExchange, MockKraken, MockVenue, VirtualNetwork } from "@tickline/testing"
import { Effect, Layer } from "effect"
import { TestClock } from "effect/testing"
import { product, spread, watch } from "../spread.ts"

const [one, two, three] = ["ws://one.test/", "ws://two.test/", "ws://three.test/"] as const

it.effect("tells the best quotes over three venues, a gap at both ends, and closes cleanly", () =>
  Effect.gen(function*() {
    const network = yield* VirtualNetwork.make({ seed: 7 })
    const coinbase = yield* MockVenue.serve(network, one, MockCoinbase.make())
    const exchange = yield* MockVenue.serve(network, two, MockCoinbaseExchange.make())
    const kraken = yield* MockVenue.serve(network, three, MockKraken.make())
    const venues = Core.MarketFeeds.layer([
      { venue: Core.Coinbase.venue, url: one },
      { venue: Core.CoinbaseExchange.venue, url: two },
      { venue: Core.Kraken.venue, url: three }
    ])
    const transport = Layer.succeed(Core.Transport.Transport, network.transport)
    const services = Core.Quotes.layer({ products: [product] }).pipe(
      Layer.provideMerge(venues),
      Layer.provide([Core.Reconnection.layerWithBreaker(Core.Presets.fast), transport])
    )
    const lines: Array<string> = []
    yield* Effect.gen(function*() {
      yield* Effect.forkScoped(watch((line) => Effect.sync(() => lines.push(line))), { startImmediately: true })
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual((yield* spread).state, "Stale")
      yield* coinbase.quote(product, "100.10", "100.40")
      yield* exchange.quote(product, "100.20", "100.50")
      yield* kraken.quote(product, "100.00", "100.30")
      yield* TestClock.adjust(0)
      const [bid, ask] = [{ venue: "coinbase-exchange", price: "100.20" }, { venue: "kraken", price: "100.30" }]
      assert.deepStrictEqual(yield* spread, { product, state: "Live", bid, ask, ageMillis: 0 })
      yield* kraken.host.drop
      yield* TestClock.adjust("1 second")
    }).pipe(Effect.scoped, Effect.provide(services))
    assert.include(lines, "100.20 coinbase-exchange | 100.30 kraken")
    assert.match(lines.filter((line) => line.startsWith("gap of kraken in ticker")).join("\n"), / on\n.* to /)
    const open = [coinbase, exchange, kraken].flatMap(({ host }) => host.peers().filter((peer) => peer.isOpen()))
    assert.deepStrictEqual(open, [])
  }))
