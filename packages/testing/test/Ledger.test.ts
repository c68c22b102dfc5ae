/** One narrator tells the gaps of a feed, and its counts balance. */
import { assert, describe, it } from "@effect/vitest"
import type * as Lifecycle from "@tickline/core/event/Lifecycle"
import type * as MarketEvent from "@tickline/core/event/MarketEvent"
import * as MarketFeed from "@tickline/core/market/MarketFeed"
import * as Channel from "@tickline/core/value/Channel"
import * as CoinbaseExchange from "@tickline/core/venue/coinbase-exchange/Venue"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { policyWith, type Rig, url, withVenue } from "./Rig.ts"

const channels = [Channel.make("matches", "BTC-USD"), Channel.make("ticker", "ETH-USD")]

const match = (product: string, id: number): string =>
  `{"type":"match","trade_id":${id},"maker_order_id":"m","taker_order_id":"t","side":"sell","size":"0.1",` +
  `"price":"43250.10","product_id":"${product}","sequence":${id},"time":"2026-11-20T08:00:00.000001Z"}`

const withFeed = <A, E>(
  use: (feed: MarketFeed.MarketFeed["Service"], rig: Rig) => Effect.Effect<A, E>
) =>
  withVenue(policyWith({ retry: { maxRetries: 1, resetOn: "connect" } }), (rig) =>
    Effect.flatMap(
      MarketFeed.make(CoinbaseExchange.venue, { url, channels, freshness: "none" }),
      (feed) => use(feed, rig)
    ))

const gapsOf = Effect.fnUntraced(function*(feed: MarketFeed.MarketFeed["Service"]) {
  const gaps: Array<Lifecycle.Gap> = []
  yield* feed.events({ overflow: "block" }).pipe(
    Stream.runForEach((event) => Effect.sync(() => event._tag === "Gap" && gaps.push(event))),
    Effect.ignore,
    Effect.forkChild({ startImmediately: true })
  )
  return gaps
})

const shown = ({ channel, from, product, to }: Lifecycle.Gap): string =>
  `${product} ${channel} ${from?.slice(17, -1)} ${to?.slice(17, -1) ?? "open"}`

describe("Ledger", () => {
  it.effect("every consumer reads the same gaps, as the same values, whenever it came", () =>
    withFeed((feed, { host }) =>
      Effect.gen(function*() {
        const first = yield* gapsOf(feed)
        yield* TestClock.adjust("3 seconds")
        yield* (yield* host.nextPeer).send(match("BTC-USD", 1))
        yield* TestClock.adjust("2 seconds")
        // It has heard nothing itself, and is told the same.
        const second = yield* gapsOf(feed)
        yield* host.drop
        yield* TestClock.adjust("50 millis")
        const third = yield* gapsOf(feed)
        assert.deepStrictEqual(first.map(shown), ["BTC-USD matches 03.000 open", "ETH-USD ticker 03.000 open"])
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(first.slice(2).map(shown), [
          "BTC-USD matches 03.000 05.100",
          "ETH-USD ticker 03.000 05.100"
        ])
        assert.strictEqual(second.length, 4)
        second.forEach((gap, index) => assert.strictEqual(gap, first[index]))
        third.forEach((gap, index) => assert.strictEqual(gap, first[index + 2]))
        assert.strictEqual(third.length, 2)
        const { entries } = yield* feed.ledger
        assert.deepStrictEqual(entries.flatMap(({ gaps }) => gaps), first.slice(2))
      })
    ))

  it.effect("a gap that is never over is open to the end, and the next connect ends it", () =>
    withFeed((feed, { host }) =>
      Effect.gen(function*() {
        const gaps = yield* gapsOf(feed)
        yield* host.script({ _tag: "Refuse" })
        yield* host.drop
        yield* TestClock.adjust("10 seconds")
        assert.deepStrictEqual(gaps.map(shown), ["BTC-USD matches 00.000 open", "ETH-USD ticker 00.000 open"])
        const open = (yield* feed.ledger).entries.flatMap(({ gaps }) => gaps)
        assert.deepStrictEqual(open, gaps)
        const again = yield* gapsOf(feed)
        yield* Effect.forkChild(feed.connection.connect)
        yield* TestClock.adjust(0)
        assert.deepStrictEqual(again.map(shown), ["BTC-USD matches 00.000 10.000", "ETH-USD ticker 00.000 10.000"])
        assert.deepStrictEqual((yield* feed.ledger).entries.flatMap(({ gaps }) => gaps), again)
      })
    ))

  it.effect("counts what came of each product and channel, and for how long it was live", () =>
    withFeed((feed, { host }) =>
      Effect.gen(function*() {
        const peer = yield* host.nextPeer
        yield* peer.send(match("BTC-USD", 1), "{", match("BTC-USD", 2), match("SOL-USD", 3))
        yield* TestClock.adjust("4 seconds")
        yield* host.drop
        yield* TestClock.adjust("2 seconds")
        const { entries, rejected, shed } = yield* feed.ledger
        assert.deepStrictEqual(shed, [])
        assert.strictEqual(rejected, 1)
        assert.deepStrictEqual(
          entries.map(({ channel, delivered, dropped, duplicates, isBalanced, liveMillis, product, received }) => [
            `${product} ${channel}`,
            [received, delivered, duplicates, dropped],
            isBalanced,
            liveMillis
          ]),
          [["BTC-USD matches", [2, 2, 0, 0], true, 5_900], ["ETH-USD ticker", [0, 0, 0, 0], true, 5_900]]
        )
      })
    ))

  it.effect("a product is live while it is wanted and the link is up, and keeps its account", () =>
    withFeed((feed, { host }) =>
      Effect.gen(function*() {
        const live = Effect.map(feed.ledger, ({ entries }) =>
          entries.map(({ liveMillis, product, received }) => `${product} ${received} ${liveMillis}`))
        yield* Effect.scoped(Effect.gen(function*() {
          yield* feed.subscribe([Channel.make("matches", "SOL-USD")])
          yield* (yield* host.nextPeer).send(match("SOL-USD", 1), match("BTC-USD", 2), match("SOL-USD", 3))
          yield* TestClock.adjust("2 seconds")
        }))
        yield* TestClock.adjust("3 seconds")
        assert.deepStrictEqual(yield* live, ["BTC-USD 1 5000", "ETH-USD 0 5000", "SOL-USD 2 2000"])
        yield* Effect.scoped(Effect.gen(function*() {
          yield* feed.subscribe([Channel.make("matches", "SOL-USD")])
          yield* TestClock.adjust("1 second")
          assert.deepStrictEqual((yield* live)[2], "SOL-USD 2 3000")
        }))
      })
    ))

  it.effect("what a consumer's own queue shed is told to it, and counted under its name", () =>
    withFeed((feed, { host }) =>
      Effect.gen(function*() {
        const quick: Array<string> = []
        const slow: Array<MarketEvent.AnyEvent> = []
        const slowTrades: Array<string> = []
        yield* feed.events().pipe(
          Stream.runForEach((event) => Effect.sync(() => quick.push(event._tag))),
          Effect.forkChild
        )
        yield* feed.events({ name: "dashboard", overflow: "drop-oldest", bytes: 2_000 }).pipe(
          Stream.runForEach((event) => Effect.andThen(Effect.sync(() => slow.push(event)), Effect.sleep("1 second"))),
          Effect.forkChild
        )
        yield* feed.trades("BTC-USD", { overflow: "conflate", bytes: 1 }).pipe(
          Stream.runForEach(({ tradeId }) =>
            Effect.andThen(Effect.sync(() => slowTrades.push(tradeId ?? "")), Effect.sleep("1 second"))
          ),
          Effect.forkChild
        )
        yield* TestClock.adjust("10 seconds")
        const peer = yield* host.nextPeer
        for (let id = 1; id <= 50; id++) {
          yield* Effect.andThen(peer.send(match("BTC-USD", id)), TestClock.adjust("10 millis"))
        }
        yield* TestClock.adjust("2 minutes")
        assert.strictEqual(quick.filter((tag) => tag === "Trade").length, 50)
        const missing = slow.reduce((sum, event) => event._tag === "Gap" ? sum + (event.missing ?? 0) : sum, 0)
        const taken = slow.filter(({ _tag }) => _tag === "Trade").length
        assert.isAbove(missing, 0)
        assert.strictEqual(taken + missing, 50)
        const { entries, shed } = yield* feed.ledger
        assert.deepStrictEqual(shed, [
          { consumer: "dashboard", channel: "matches", product: "BTC-USD", dropped: missing },
          { consumer: "trade BTC-USD", channel: "matches", product: "BTC-USD", dropped: 50 - slowTrades.length }
        ])
        const dropped = Math.max(missing, 50 - slowTrades.length)
        assert.deepInclude(entries[0], { received: 50, delivered: 50 - dropped, dropped, isBalanced: true })
        const gaps = slow.filter((event): event is Lifecycle.Gap => event._tag === "Gap")
        assert.deepStrictEqual(entries[0]?.gaps, gaps)
      })
    ))
})
