/** The gaps of a feed are told once, the same to all its consumers, and its counts balance. */
import { assert, describe, it } from "@effect/vitest"
import type * as Lifecycle from "@tickline/core/event/Lifecycle"
import * as MarketData from "@tickline/core/event/MarketData"
import type * as MarketEvent from "@tickline/core/event/MarketEvent"
import * as MarketFeed from "@tickline/core/market/MarketFeed"
import * as Channel from "@tickline/core/value/Channel"
import * as Decimal from "@tickline/core/value/Decimal"
import * as CoinbaseExchange from "@tickline/core/venue/coinbase-exchange/Venue"
import type * as VirtualNetwork from "@tickline/testing/VirtualNetwork"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { constVoid } from "effect/Function"
import * as Schema from "effect/Schema"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { GapLedger } from "../../core/src/market/internal/gapLedger.ts"
import { policyWith, type Rig, url, withVenue } from "./Rig.ts"

const channels = [Channel.make("matches", "BTC-USD"), Channel.make("ticker", "ETH-USD")] as const

const trade = new MarketData.Trade({
  venue: "a",
  product: "BTC-USD",
  price: Decimal.zero,
  size: Decimal.zero,
  side: "buy"
})
const metrics = {
  follow: constVoid,
  unfollow: constVoid,
  arrived: constVoid,
  latency: constVoid,
  gaps: constVoid,
  stale: constVoid
}

const match = (product: string, id: number): string =>
  `{"type":"match","trade_id":${id},"maker_order_id":"m","taker_order_id":"t","side":"sell","size":"0.1",` +
  `"price":"43250.10","product_id":"${product}","sequence":${id},"time":"2026-11-20T08:00:00.000001Z"}`

/** What a venue answers to an ask: with all that was asked for on its connection, and with what just was. */
type Answers = (
  subscribed: ReadonlyArray<Channel.Channel>,
  asked: ReadonlyArray<Channel.Channel>
) => ReadonlyArray<string>

const listed: Answers = (channels) => [
  JSON.stringify({
    type: "subscriptions",
    channels: channels.map(({ channel, product }) => ({ name: channel, product_ids: [product] }))
  })
]

const silent: Answers = () => []

const Request = Schema.Struct({
  type: Schema.String,
  product_ids: Schema.Array(Schema.String),
  channels: Schema.Array(Schema.String)
})
const readRequest = Schema.decodeUnknownSync(Schema.fromJsonString(Request))

/** A venue that answers each ask as `answersOf` has it for the connection of that number, from 1 on. */
const answering = (answersOf: (connection: number) => Answers) => {
  let connections = 0
  return (peer: VirtualNetwork.Peer) => {
    const answers = answersOf(++connections)
    const subscribed: Array<Channel.Channel> = []
    return Effect.forever(Effect.flatMap(peer.receive, (frame) => {
      const { channels: names, product_ids, type } = readRequest(frame)
      if (type !== "subscribe") return Effect.void
      const asked = names.flatMap((name) => product_ids.map((product) => Channel.make(name, product)))
      subscribed.push(...asked)
      return peer.send(...answers(subscribed, asked))
    }))
  }
}

const withFeed = <A, E>(
  use: (feed: MarketFeed.MarketFeed["Service"], rig: Rig) => Effect.Effect<A, E>,
  answersOf: (connection: number) => Answers = () => listed
) =>
  withVenue(
    policyWith({ retry: { maxRetries: 1, resetOn: "connect" } }),
    (rig) =>
      Effect.flatMap(
        MarketFeed.make(CoinbaseExchange.venue, { url, channels, freshness: "none" }),
        (feed) => use(feed, rig)
      ),
    { serve: answering(answersOf) }
  )

const gapsOf = Effect.fnUntraced(function*(feed: MarketFeed.MarketFeed["Service"]) {
  const gaps: Array<Lifecycle.Gap> = []
  yield* feed.events({ overflow: "block" }).pipe(
    Stream.runForEach((event) => Effect.sync(() => event._tag === "Gap" && gaps.push(event))),
    Effect.ignore,
    Effect.forkChild({ startImmediately: true })
  )
  return gaps
})

/** Everything that the feed tells from now on. */
const toldBy = Effect.fnUntraced(function*(feed: MarketFeed.MarketFeed["Service"]) {
  const told: Array<MarketEvent.AnyEvent> = []
  yield* feed.events({ overflow: "block" }).pipe(
    Stream.runForEach((event) => Effect.sync(() => told.push(event))),
    Effect.forkChild({ startImmediately: true })
  )
  return told
})

const isGap = (event: MarketEvent.AnyEvent): event is Lifecycle.Gap => event._tag === "Gap"

const shown = ({ channel, from, product, to }: Lifecycle.Gap): string =>
  `${product} ${channel} ${from?.slice(17, -1)} ${to?.slice(17, -1) ?? "open"}`

/** The states, the gaps and the data, in order, without what the venue says of subscriptions. */
const lifeOf = (told: ReadonlyArray<MarketEvent.AnyEvent>): ReadonlyArray<string> =>
  told.filter(({ _tag }) => _tag !== "Subscribed").map((event) =>
    event._tag === "Connection" ? event.state : isGap(event) ? shown(event) : event._tag
  )

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

  it.effect("a gap ends channel by channel, when each is live again, and for every consumer as the same value", () =>
    withFeed(
      (feed, { host }) =>
        Effect.gen(function*() {
          const told = yield* toldBy(feed)
          const also = yield* gapsOf(feed)
          yield* TestClock.adjust("3 seconds")
          yield* (yield* host.nextPeer).send(match("BTC-USD", 1))
          yield* TestClock.adjust("2 seconds")
          yield* host.drop
          yield* TestClock.adjust("2 seconds")
          // One is acknowledged at once, of the other nothing is known.
          assert.deepStrictEqual(lifeOf(told).slice(2), [
            "Trade",
            "Reconnecting",
            "BTC-USD matches 03.000 open",
            "ETH-USD ticker 03.000 open",
            "Connecting",
            "Connected",
            "BTC-USD matches 03.000 05.100"
          ])
          const open = (yield* feed.ledger).entries.map((
            { gaps, liveMillis }
          ) => [gaps.map(({ to }) => to), liveMillis])
          assert.deepStrictEqual(open, [[["1970-01-01T00:00:05.100Z"], 6_900], [[undefined], 5_000]])
          const peer = yield* host.nextPeer
          yield* peer.send(match("BTC-USD", 2))
          yield* TestClock.adjust("1 second")
          yield* peer.send(...listed(channels, channels), match("BTC-USD", 3))
          yield* TestClock.adjust("1 second")
          assert.deepStrictEqual(lifeOf(told).slice(9), ["Trade", "ETH-USD ticker 03.000 08.000", "Trade"])
          const gaps = told.filter(isGap)
          assert.strictEqual(also.length, 4)
          also.forEach((gap, index) => assert.strictEqual(gap, gaps[index]))
          const { entries } = yield* feed.ledger
          assert.deepStrictEqual(entries.flatMap(({ gaps }) => gaps), gaps.slice(2))
        }),
      (connection) =>
        connection === 1 ? listed : (_, asked) => asked[0]?.channel === "matches" ? listed(asked, asked) : []
    ))

  it.effect("where a venue acknowledges nothing, the first data ends a gap, and comes after it", () =>
    withFeed((feed, { host }) =>
      Effect.gen(function*() {
        const told = yield* toldBy(feed)
        yield* host.drop
        yield* TestClock.adjust("2 seconds")
        yield* host.nextPeer
        yield* (yield* host.nextPeer).send(match("BTC-USD", 1))
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(lifeOf(told).slice(-4), [
          "Connecting",
          "Connected",
          "BTC-USD matches 00.000 02.000",
          "Trade"
        ])
      }), () => silent))

  it.effect("a channel that is refused on restore ends its gap there, and the next drop begins none", () =>
    withFeed(
      (feed, { host }) =>
        Effect.gen(function*() {
          const told = yield* toldBy(feed)
          yield* host.drop
          yield* TestClock.adjust("2 seconds")
          yield* host.drop
          yield* TestClock.adjust("2 seconds")
          assert.deepStrictEqual(lifeOf(told).filter((line) => line.includes("USD") || line === "VenueError"), [
            "BTC-USD matches 00.000 open",
            "ETH-USD ticker 00.000 open",
            "BTC-USD matches 00.000 00.100",
            "ETH-USD ticker 00.000 00.100",
            "VenueError",
            "BTC-USD matches 00.100 open",
            "BTC-USD matches 00.100 02.100"
          ])
        }),
      (connection) =>
        connection === 1 ?
          listed :
          (subscribed, asked) =>
            asked.some(({ product }) => product === "ETH-USD") && connection === 2
              ? [
                "{\"type\":\"error\",\"message\":\"Failed to subscribe\",\"reason\":\"ETH-USD is not a valid product\"}"
              ]
              : listed(subscribed, asked)
    ))

  it.effect("is a stream too: as it is, then after each change, the newest for who is slow", () =>
    withFeed((feed, { host }) =>
      Effect.gen(function*() {
        const ledgers: Array<string> = []
        yield* feed.ledgerChanges.pipe(
          Stream.runForEach(({ entries }) =>
            Effect.sync(() =>
              void ledgers.push(
                entries.map(({ gaps, live }) =>
                  `${live.map(({ to }) => to === undefined ? "live" : "was live").join()} ${
                    gaps.map(({ to }) => to === undefined ? "gap" : "was a gap").join()
                  }`.trim()
                ).join("; ")
              )
            )
          ),
          Effect.forkChild({ startImmediately: true })
        )
        yield* TestClock.adjust("1 second")
        // What only arrives changes no gap.
        yield* (yield* host.nextPeer).send(match("BTC-USD", 1))
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(ledgers, ["live; live"])
        yield* host.drop
        yield* TestClock.adjust("50 millis")
        assert.deepStrictEqual(ledgers.slice(1), ["was live gap; was live gap"])
        yield* TestClock.adjust("1 second")
        assert.strictEqual(ledgers.at(-1), "was live,live was a gap; was live,live was a gap")
      })
    ))

  it.effect("a want that is given up ends its gap at that moment, told to whoever reads", () =>
    withFeed((feed, { host }) =>
      Effect.gen(function*() {
        const gaps = yield* gapsOf(feed)
        const scope = yield* Scope.make()
        yield* Scope.provide(feed.subscribe([Channel.make("matches", "SOL-USD")]), scope)
        yield* host.script({ _tag: "Hang" })
        yield* host.drop
        yield* TestClock.adjust("3 seconds")
        yield* Scope.close(scope, Exit.void)
        yield* TestClock.adjust(0)
        assert.deepStrictEqual(gaps.slice(2).map(shown), [
          "SOL-USD matches 00.000 open",
          "SOL-USD matches 00.000 03.000"
        ])
        assert.deepStrictEqual((yield* feed.ledger).entries[2]?.gaps, gaps.slice(3))
      })
    ))

  it.effect("a drop before a channel is live again goes on with the gap that it is in", () =>
    withFeed((feed, { host }) =>
      Effect.gen(function*() {
        const gaps = yield* gapsOf(feed)
        yield* host.drop
        yield* TestClock.adjust("1 second")
        yield* host.drop
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(gaps.map(shown), [
          "BTC-USD matches 00.000 open",
          "ETH-USD ticker 00.000 open",
          "BTC-USD matches 00.000 01.100",
          "ETH-USD ticker 00.000 01.100"
        ])
      }), (connection) => connection === 2 ? silent : listed))

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

  it("does not balance where one count is missing", () => {
    const ledger = new GapLedger({ venue: "a", metrics, now: () => 0, wallNow: () => 0 })
    const [channel] = channels
    ledger.follow(channels)
    const { batch } = ledger.observer.attach(1)
    const arrive = (): void =>
      batch({
        _tag: "Batch",
        epoch: 1,
        at: 0,
        monotonicMillis: 0,
        bytes: 1,
        messages: [trade, trade],
        channels: [[channel], [channel]],
        frames: ["", ""],
        starts: [0, 1]
      })
    const counts = () =>
      ledger.read().entries.map((
        { delivered, dropped, isBalanced, received }
      ) => [received, delivered, dropped, isBalanced])
    arrive()
    ledger.handedOn()
    ledger.consumer("slow")(channel, 1)
    ledger.consumer("slow")(channel, 1)
    assert.deepStrictEqual(counts(), [[2, 1, 1, true], [0, 0, 0, true]])
    arrive()
    assert.deepStrictEqual(counts()[0], [4, 1, 1, false])
    // What was not handed on is not counted with what comes later.
    arrive()
    ledger.handedOn()
    assert.deepStrictEqual(counts()[0], [6, 3, 1, false])
  })

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
