import { assert, describe, it } from "@effect/vitest"
import * as MarketFeed from "@tickline/core/market/MarketFeed"
import * as Channel from "@tickline/core/value/Channel"
import * as CoinbaseExchange from "@tickline/core/venue/coinbase-exchange/Venue"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as PrometheusMetrics from "effect/observability/PrometheusMetrics"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { backoffOf, policyWith, settle, url, withVenue } from "./Rig.ts"

const channels = [
  Channel.make("matches", "BTC-USD"),
  Channel.make("matches", "ETH-USD"),
  Channel.make("ticker", "BTC-USD")
]

const match = (id: number): string =>
  `{"type":"match","trade_id":${id},"side":"buy","size":"1","price":"2.50","product_id":"BTC-USD","sequence":${id}}`
const ticker = `{"type":"ticker","sequence":9,"product_id":"BTC-USD","price":"2.50","time":"2026-01-01T00:00:00Z"}`

/** The value of a series. */
const valueOf = (text: string, name: string, ...labels: ReadonlyArray<string>): number | undefined => {
  const line = text.split("\n").find((line) =>
    line.startsWith(`tickline_${name}{`) && labels.every((label) => line.includes(label))
  )
  return line === undefined ? undefined : Number(line.slice(line.lastIndexOf(" ")))
}

describe("the metrics of a feed", () => {
  it.effect("count events by channel, gaps by cause and what does not deliver, and tell how old data is", () =>
    withVenue(policyWith({ backoff: backoffOf(1_000, 1, 1_000) }), ({ host }) =>
      Effect.gen(function*() {
        yield* MarketFeed.make(CoinbaseExchange.venue, { url, channels })
        const before = yield* PrometheusMetrics.format()
        for (const channel of ["matches", "ticker"]) {
          assert.strictEqual(valueOf(before, "events_total", `channel="${channel}"`), 0)
        }
        for (const cause of ["disconnect", "sequence", "checksum", "overflow", "stale"]) {
          assert.strictEqual(valueOf(before, "gaps_total", `cause="${cause}"`), 0)
        }
        assert.strictEqual(valueOf(before, "stale_total"), 0)
        const [peer] = host.peers()
        yield* peer!.send(match(1), match(2), ticker, match(3))
        yield* TestClock.adjust("4 seconds")
        const after = yield* PrometheusMetrics.format()
        assert.strictEqual(valueOf(after, "events_total", `channel="matches"`), 3)
        assert.strictEqual(valueOf(after, "events_total", `channel="ticker"`), 1)
        assert.strictEqual(valueOf(after, "data_age_ms", `channel="matches"`, `product="BTC-USD"`), 4_000)
        yield* host.drop
        yield* TestClock.adjust("2 seconds")
        const dropped = yield* PrometheusMetrics.format()
        assert.strictEqual(valueOf(dropped, "gaps_total", `cause="disconnect"`), 3)
        // The age goes on through outages and epochs.
        assert.strictEqual(valueOf(dropped, "data_age_ms", `channel="ticker"`), 6_000)
        // Of the ticker nothing has come in this epoch.
        yield* TestClock.adjust("40 seconds")
        assert.strictEqual(valueOf(yield* PrometheusMetrics.format(), "stale_total"), 1)
      })).pipe(Effect.provideService(Metric.MetricRegistry, new Map())))

  it.effect("have the latency of events, from the venue's time on one to its receipt, ten times a second at most", () =>
    withVenue(policyWith({}), ({ host }) =>
      Effect.gen(function*() {
        yield* MarketFeed.make(CoinbaseExchange.venue, { url, channels })
        const latency = Effect.map(PrometheusMetrics.format(), (text) =>
          ["count", "sum"].map((figure) => valueOf(text, `event_latency_ms_${figure}`)))
        assert.deepStrictEqual(yield* latency, [0, 0])
        yield* TestClock.adjust("5 seconds")
        const timed = ticker.replace("2026-01-01T00:00:00Z", "1970-01-01T00:00:04.980Z")
        // What has no time of the venue's own says nothing.
        yield* host.peers()[0]!.send(match(1))
        yield* TestClock.adjust(1)
        for (const _ of [1, 2]) {
          yield* host.peers()[0]!.send(timed)
          yield* TestClock.adjust(1)
        }
        assert.deepStrictEqual(yield* latency, [1, 21])
        yield* TestClock.adjust(100)
        yield* host.peers()[0]!.send(timed)
        yield* TestClock.adjust(0)
        assert.deepStrictEqual(yield* latency, [2, 21 + 123])
      })).pipe(Effect.provideService(Metric.MetricRegistry, new Map())))

  it.effect("tell of a channel while it is wanted, and count no gap where the link was closed on purpose", () =>
    withVenue(policyWith({}), () =>
      Effect.gen(function*() {
        const feed = yield* MarketFeed.make(CoinbaseExchange.venue, { url, channels: channels.slice(0, 1) })
        const ages = Effect.map(PrometheusMetrics.format(), (text) =>
          channels.map(({ channel, product = "" }) =>
            valueOf(text, "data_age_ms", `channel="${channel}"`, `product="${product}"`)
          ))
        yield* Effect.scoped(Effect.gen(function*() {
          yield* feed.subscribe(channels.slice(1))
          yield* TestClock.adjust(10)
          assert.deepStrictEqual(yield* ages, [10, 10, 10])
        }))
        assert.deepStrictEqual(yield* ages, [10, undefined, undefined])
        yield* Effect.scoped(Effect.gen(function*() {
          yield* feed.subscribe([...channels.slice(2), Channel.make("status")])
          yield* TestClock.adjust(5)
          assert.deepStrictEqual(yield* ages, [15, undefined, 5])
          const line = /^tickline_data_age_ms\{(.*channel="status".*)\} 5$/m.exec(yield* PrometheusMetrics.format())
          assert.notInclude(line?.[1] ?? "product", "product")
        }))
        yield* feed.connection.close()
        yield* settle
        assert.strictEqual(valueOf(yield* PrometheusMetrics.format(), "gaps_total", `cause="disconnect"`), 0)
      })).pipe(Effect.provideService(Metric.MetricRegistry, new Map())))

  it.effect("count what a slow consumer was told that it missed, and end with the feed", () =>
    Effect.gen(function*() {
      yield* withVenue(policyWith({}), ({ host }) =>
        Effect.gen(function*() {
          const feed = yield* MarketFeed.make(CoinbaseExchange.venue, { url, channels })
          let told = 0
          yield* feed.events({ overflow: "drop-oldest", bytes: 20_000 }).pipe(
            Stream.runForEach((event) =>
              Effect.suspend(() => {
                if (event._tag === "Gap" && event.cause === "overflow") told++
                return event._tag === "Trade" && event.tradeId === "1" ? Effect.sleep("10 seconds") : Effect.void
              })
            ),
            Effect.forkScoped({ startImmediately: true })
          )
          for (let id = 1; id < 300; id++) yield* Effect.andThen(host.peers()[0]!.send(match(id)), settle)
          yield* TestClock.adjust("20 seconds")
          assert.isAbove(told, 0)
          assert.strictEqual(valueOf(yield* PrometheusMetrics.format(), "gaps_total", `cause="overflow"`), told)
        }))
      assert.notInclude(yield* PrometheusMetrics.format(), "tickline_data_age_ms{")
    }).pipe(Effect.provideService(Metric.MetricRegistry, new Map())))
})
