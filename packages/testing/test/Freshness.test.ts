import { assert, describe, it } from "@effect/vitest"
import * as Reconnection from "@tickline/core/connection/Reconnection"
import * as MarketFeed from "@tickline/core/market/MarketFeed"
import * as Presets from "@tickline/core/resilience/Presets"
import { Transport } from "@tickline/core/transport/Transport"
import * as Channel from "@tickline/core/value/Channel"
import * as CoinbaseExchange from "@tickline/core/venue/coinbase-exchange/Venue"
import type { Venue } from "@tickline/core/venue/Venue"
import * as VirtualNetwork from "@tickline/testing/VirtualNetwork"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import * as FreshnessTracker from "../../core/src/market/internal/freshnessTracker.ts"

const url = "ws://venue.test/feed"
const trades = Channel.make("matches", "BTC-USD")
const tickers = Channel.make("ticker", "BTC-USD")

const match = (product: string, id: number): string =>
  JSON.stringify({
    type: "match",
    trade_id: id,
    side: "buy",
    size: "1",
    price: "2.50",
    product_id: product,
    sequence: id
  })

const withFeed = <A, E, R>(
  use: (
    feed: MarketFeed.MarketFeed["Service"],
    host: VirtualNetwork.Host,
    told: ReadonlyArray<string>
  ) => Effect.Effect<A, E, R>,
  options?: MarketFeed.Options,
  venue: Venue = CoinbaseExchange.venue
) =>
  Effect.gen(function*() {
    const network = yield* VirtualNetwork.make({ seed: 1 })
    const host = yield* network.serve(url)
    return yield* Effect.gen(function*() {
      const feed = yield* MarketFeed.make(venue, { url, channels: [trades], ...options })
      const told: Array<string> = []
      yield* feed.events().pipe(
        Stream.runForEach((event) =>
          Effect.map(Clock.currentTimeMillis, (at) => {
            if (event._tag === "Stale") told.push(`${at / 1000} ${event.channel} ${event.silentForMillis}`)
          })
        ),
        Effect.forkScoped({ startImmediately: true })
      )
      return yield* use(feed, host, told)
    }).pipe(
      Effect.scoped,
      Effect.provide(Reconnection.layerWithBreaker(Presets.preset("fast"))),
      Effect.provideService(Transport, network.transport)
    )
  })

describe("Freshness", () => {
  it.effect("takes a quiet market for what it is: what has delivered may fall silent for hours", () =>
    withFeed((feed, host, told) =>
      Effect.gen(function*() {
        yield* TestClock.adjust("100 seconds")
        yield* host.peers()[0]!.send(match("BTC-USD", 1))
        yield* TestClock.adjust("6 hours")
        assert.deepStrictEqual(told, [])
        assert.strictEqual(host.dials.length, 1)
        const { freshness } = yield* feed.health
        assert.deepInclude(freshness[0], { isDelivering: true, ageMillis: 6 * 3_600_000 })
      })
    ))

  it.effect("probes, subscribes again, reconnects and reports, where a subscription never delivers", () =>
    withFeed((_, host, told) =>
      Effect.gen(function*() {
        const first = host.peers()[0]
        yield* TestClock.adjust("241 seconds")
        assert.deepStrictEqual(first?.received.slice(1), [
          "{\"type\":\"unsubscribe\",\"product_ids\":[\"BTC-USD\"],\"channels\":[\"matches\"]}",
          "{\"type\":\"subscribe\",\"product_ids\":[\"BTC-USD\"],\"channels\":[\"matches\"]}"
        ])
        assert.strictEqual(host.dials.length, 1)
        yield* TestClock.adjust("120 seconds")
        assert.strictEqual(host.dials.length, 2)
        yield* TestClock.adjust("10 minutes")
        // Reported once; a feed that stays dead is not dialled again and again for it.
        assert.strictEqual(host.dials.length, 2)
        assert.deepStrictEqual(told.map((line) => line.split(" ")[0]), ["120", "240", "360", "480"])
      })
    ))

  it.effect("keeps each subscription's own deadline, and one that delivers does not vouch for another", () =>
    withFeed((_, host, told) =>
      Effect.gen(function*() {
        yield* host.peers()[0]!.send(match("BTC-USD", 1))
        yield* TestClock.adjust("31 seconds")
        assert.deepStrictEqual(told, ["30 ticker 30000"])
      }), { channels: [trades, tickers] }))

  it.effect("takes the trades of a venue that does not say for what may be quiet, and nothing else", () =>
    Effect.gen(function*() {
      for (const [channel, first] of [[trades, 120], [tickers, 30]] as const) {
        const begun = yield* Clock.currentTimeMillis
        yield* withFeed(
          (_, __, told) =>
            Effect.gen(function*() {
              yield* TestClock.adjust("120 seconds")
              assert.strictEqual(told[0], `${begun / 1000 + first} ${channel.channel} ${first}000`)
            }),
          { channels: [channel] },
          { ...CoinbaseExchange.venue, isQuiet: undefined }
        )
      }
    }))

  it.effect("sees a deadline in time, whenever the subscription was made", () =>
    withFeed((feed, _, told) =>
      Effect.gen(function*() {
        yield* TestClock.adjust("1 hour")
        yield* feed.subscribe([tickers])
        yield* TestClock.adjust("150 millis")
        assert.deepStrictEqual(told, ["3600.15 ticker 150"])
      }), { channels: [], freshness: { deadline: () => 150, target: 100 } }))

  it.effect("sees a deadline of a millisecond in a millisecond", () =>
    withFeed((_, __, told) =>
      Effect.gen(function*() {
        for (let millis = 0; millis < 4; millis++) yield* TestClock.adjust(1)
        assert.deepStrictEqual(told.slice(0, 2), ["0.001 matches 1", "0.002 matches 2"])
      }), { freshness: { deadline: () => 1, target: 100 } }))

  it.effect("what comes at once counts as one, and what is given up counts no more", () =>
    withFeed((feed, host) =>
      Effect.gen(function*() {
        const [peer] = host.peers()
        const burst = [1, 2, 3].map((id) => match("BTC-USD", id))
        yield* Effect.scoped(Effect.gen(function*() {
          yield* feed.subscribe([tickers])
          for (let n = 0; n < 3; n++) yield* Effect.andThen(peer!.send(...burst), TestClock.adjust(10))
          const { freshness } = yield* feed.health
          assert.deepStrictEqual(freshness.map(({ channel }) => channel), [trades, tickers])
          assert.deepInclude(freshness[0], { p50: 10, max: 10, ageMillis: 10 })
        }))
        const { freshness } = yield* feed.health
        assert.deepStrictEqual(freshness.map(({ channel }) => channel), [trades])
      })
    ))

  it.effect("renews and reconnects once for all that are overdue at once, and never for one that was refused", () =>
    withFeed((feed, host, told) =>
      Effect.gen(function*() {
        const peer = yield* host.nextPeer
        yield* peer.send("{\"type\":\"error\",\"message\":\"Failed to subscribe\",\"reason\":\"X-Y is unknown\"}")
        yield* TestClock.adjust("2 minutes")
        assert.strictEqual((yield* feed.connection.metrics).epoch, 2)
        assert.deepStrictEqual(peer.received.slice(2).map((frame) => JSON.parse(String(frame))), [
          { type: "unsubscribe", product_ids: ["BTC-USD"], channels: ["ticker", "ticker_batch"] },
          { type: "subscribe", product_ids: ["BTC-USD"], channels: ["ticker", "ticker_batch"] }
        ])
        assert.isFalse(told.some((line) => line.startsWith("30 matches")))
      }), {
      channels: [tickers, Channel.make("ticker_batch", "BTC-USD"), Channel.make("matches", "X-Y")],
      freshness: { deadline: () => 30_000, target: 5_000 }
    }))

  it.effect("watches nothing where it is told so", () =>
    withFeed((_, host, told) =>
      Effect.gen(function*() {
        yield* TestClock.adjust("1 hour")
        assert.deepStrictEqual([told.length, host.dials.length], [0, 1])
      }), { freshness: "none" }))

  it.effect("a quiet market is waited for as long as it was silent before, and never ends the connection", () =>
    withFeed((feed, host, told) =>
      Effect.gen(function*() {
        yield* host.peers()[0]!.send(match("BTC-USD", 1))
        yield* TestClock.adjust("20 minutes")
        yield* host.peers()[0]!.send(match("BTC-USD", 2))
        yield* TestClock.adjust("1 second")
        yield* host.drop
        yield* TestClock.adjust("39 minutes")
        assert.deepStrictEqual(told, [])
        yield* TestClock.adjust("4 hours")
        // A probe, a renewal and the report: no third dial.
        assert.lengthOf(told, 3)
        assert.strictEqual(host.dials.length, 2)
        yield* host.peers()[0]!.send(match("BTC-USD", 3))
        yield* TestClock.adjust("4 hours")
        assert.lengthOf(told, 3)
        assert.isTrue((yield* feed.health).freshness[0]?.isDelivering)
      })
    ))

  it("reports how stale data was: p50, p99, max, and the share of time within the target", () => {
    const freshness = FreshnessTracker.make({ deadline: () => 1_000, target: 100 })
    freshness.connected(0)
    freshness.subscribed(trades, 0)
    let at = 0
    for (let i = 0; i < 100; i++) {
      freshness.received(trades, at)
      at += i === 50 ? 1_000 : 10
    }
    const [report] = freshness.report(at - 10)
    assert.deepInclude(report, { p50: 10, p99: 1_000, max: 1_000, ageMillis: 0 })
    // 98 gaps of 10 ms within the target, one of 1,000 ms of which 100 are.
    assert.approximately(report?.shareWithinTarget ?? 0, (98 * 10 + 100) / (98 * 10 + 1_000), 1e-9)
  })
})
