import { assert, describe, it } from "@effect/vitest"
import * as MarketData from "@tickline/core/event/MarketData"
import type * as MarketEvent from "@tickline/core/event/MarketEvent"
import * as VenueMessage from "@tickline/core/event/VenueMessage"
import * as Channel from "@tickline/core/value/Channel"
import * as CoinbaseExchange from "@tickline/core/venue/coinbase-exchange/Venue"
import * as Generic from "@tickline/core/venue/generic/Venue"
import type { Topic, Venue } from "@tickline/core/venue/Venue"
import * as BigDecimal from "effect/BigDecimal"
import * as ChannelRouter from "../src/market/internal/channelRouter.ts"

const venue = "coinbase-exchange"
const one = BigDecimal.make(1n, 0)
const trade = (product: string) => new MarketData.Trade({ venue, product, price: one, size: one })
const ticker = (product: string) => new MarketData.Ticker({ venue, product })
const heartbeat = new VenueMessage.Heartbeat({ venue, kind: "heartbeat" })
const other = new VenueMessage.Other({ venue, kind: "status" })
const subscribed = new VenueMessage.Subscribed({ venue })

const bitcoin = Channel.make("matches", "BTC-USD")
const ether = Channel.make("matches", "ETH-USD")
const everything = Channel.make("matches")
const tickers = Channel.make("ticker", "BTC-USD")
const status = Channel.make("status")
const all = [bitcoin, tickers, ether, everything, status]

/** A venue that does not say what a frame is of. */
const silent: Venue = { ...CoinbaseExchange.venue, topics: undefined, topicOf: undefined }

/** A venue whose frames are all of one topic. */
const of = (topic: Topic | undefined): Venue => ({
  ...CoinbaseExchange.venue,
  topics: ({ channel, product }) => [{ name: channel, product }],
  topicOf: () => topic
})

const routerOf = (venue: Venue, channels: ReadonlyArray<Channel.Channel>): ChannelRouter.ChannelRouter => {
  const router = ChannelRouter.make(venue)
  router.follow(channels, channels)
  return router
}

/** The channels of each event, as text. */
const routes = (
  router: ChannelRouter.ChannelRouter,
  ...events: ReadonlyArray<MarketEvent.MarketEvent>
): ReadonlyArray<string> =>
  router.attribute("{}", events).map((channels) =>
    channels.map(({ channel, product }) => `${channel} ${product ?? "*"}`).join(", ")
  )

describe("Router", () => {
  it("by kind: market data is of its channel, of those of no kind, and of its product or all", () => {
    const router = routerOf(silent, all)
    assert.deepStrictEqual(routes(router, trade("BTC-USD"), trade("ETH-USD"), trade("SOL-USD"), ticker("BTC-USD")), [
      "matches *, status *, matches BTC-USD",
      "matches *, status *, matches ETH-USD",
      "matches *, status *",
      "status *, ticker BTC-USD"
    ])
  })

  it("by kind: what is of no product and no kind is of what has no kind, and what keeps alive is of nobody", () => {
    const router = routerOf(silent, all)
    assert.deepStrictEqual(routes(router, other, heartbeat, subscribed), ["status *", "", ""])
  })

  it("by kind: where a venue has one channel for everything, that is whose all of it is", () => {
    const router = routerOf({ ...Generic.venue, topics: undefined, topicOf: undefined }, [
      Channel.make("price", "BTC-USD"),
      Channel.make("price", "ETH-USD")
    ])
    assert.deepStrictEqual(routes(router, trade("BTC-USD"), other), ["price BTC-USD", "price BTC-USD, price ETH-USD"])
  })

  it("by topic: an event's own product goes before that of its frame, and the channels of all products have each", () => {
    const router = routerOf(of({ name: "matches", product: "ETH-USD" }), all)
    assert.deepStrictEqual(routes(router, trade("BTC-USD")), ["matches *, matches BTC-USD"])
    assert.deepStrictEqual(routes(router, other), ["matches *, matches ETH-USD"])
    assert.deepStrictEqual(routes(router, trade("SOL-USD"), other, trade("BTC-USD")), [
      "matches *",
      "matches *, matches ETH-USD",
      "matches *, matches BTC-USD"
    ])
  })

  it("by topic: what names no product is of all channels of the name, and a name without products of its one", () => {
    assert.deepStrictEqual(routes(routerOf(of({ name: "matches" }), all), other), [
      "matches BTC-USD, matches ETH-USD, matches *"
    ])
    assert.deepStrictEqual(routes(routerOf(of({ name: "status" }), all), trade("BTC-USD")), ["status *"])
  })

  it("by topic: two channels of one name and product both have it", () => {
    const router = routerOf(
      { ...of({ name: "x" }), topics: ({ product }) => [{ name: "x", product }] },
      [bitcoin, tickers, ether]
    )
    assert.deepStrictEqual(routes(router, trade("BTC-USD")), ["matches BTC-USD, ticker BTC-USD"])
  })

  it("by topic: of two channels of one name and product one is given up, or asked for again, without the other", () => {
    const venue = { ...of({ name: "x" }), topics: ({ product }: Channel.Channel) => [{ name: "x", product }] }
    const router = routerOf(venue, [bitcoin, tickers])
    router.follow([bitcoin], [bitcoin])
    assert.deepStrictEqual(routes(router, trade("BTC-USD")), ["matches BTC-USD, ticker BTC-USD"])
    router.unfollow([bitcoin])
    assert.deepStrictEqual(routes(router, trade("BTC-USD")), ["ticker BTC-USD"])
    router.unfollow([bitcoin])
    assert.deepStrictEqual(routes(router, trade("BTC-USD")), ["ticker BTC-USD"])
    router.unfollow([tickers])
    assert.deepStrictEqual(routes(router, trade("BTC-USD")), [""])
  })

  it("writes on each event the common name of its product, whoever wants it", () => {
    const named = (venue: Venue) => {
      const events = [trade("BTC-USD"), ticker("ETH-USD"), other]
      routerOf(venue, [bitcoin]).attribute("{}", events)
      return events.map((event) => "name" in event ? event.name : undefined)
    }
    const names = ["BTC-USD", "ETH-USD", undefined]
    for (const venue of [silent, of(undefined), of({ name: "matches" })]) assert.deepStrictEqual(named(venue), names)
  })

  it("by topic: a confirmation that comes with data is nobody's, one alone is its topic's", () => {
    const router = routerOf(of({ name: "matches", product: "BTC-USD" }), [bitcoin])
    assert.deepStrictEqual(routes(router, subscribed, trade("BTC-USD")), ["", "matches BTC-USD"])
    assert.deepStrictEqual(routes(router, subscribed), ["matches BTC-USD"])
  })

  it("by topic: what is of no topic, or of one that nobody asked for, is nobody's", () => {
    for (const topic of [undefined, { name: "level2" }]) {
      const router = routerOf(of(topic), all)
      assert.deepStrictEqual(routes(router, trade("BTC-USD")), [""])
      assert.deepStrictEqual(routes(router, trade("BTC-USD"), other), ["", ""])
      assert.deepStrictEqual(routes(router), [])
    }
    assert.deepStrictEqual(routes(routerOf(of({ name: "matches" }), all)), [])
  })

  it("gives the very same lists for the same, frame after frame", () => {
    for (const topic of [{ name: "matches", product: "BTC-USD" }, { name: "matches" }, { name: "level2" }, undefined]) {
      const router = routerOf(of(topic), all)
      assert.strictEqual(router.attribute("{}", [trade("BTC-USD")]), router.attribute("{}", [trade("BTC-USD")]))
      const [first, second] = router.attribute("{}", [trade("BTC-USD"), trade("BTC-USD")])
      assert.strictEqual(first, second)
    }
    const router = routerOf(silent, all)
    assert.strictEqual(router.attribute("{}", [trade("BTC-USD")])[0], router.attribute("{}", [trade("BTC-USD")])[0])
  })

  it("goes by what is followed now, and by nothing before", () => {
    for (const venue of [silent, of({ name: "matches" })]) {
      const router = ChannelRouter.make(venue)
      assert.deepStrictEqual(routes(router, trade("BTC-USD")), [""])
      router.follow([bitcoin], [bitcoin])
      assert.deepStrictEqual(routes(router, trade("BTC-USD")), ["matches BTC-USD"])
      router.unfollow([bitcoin])
      router.follow([ether], [ether])
      assert.deepStrictEqual(routes(router, trade("BTC-USD")), [""])
    }
  })

  it("what is gone is of the channels that it would have been of, or else of its product, or of nothing known", () => {
    const router = routerOf(CoinbaseExchange.venue, [bitcoin, tickers])
    assert.deepStrictEqual(router.channelsFor("Trade", "BTC-USD"), [bitcoin])
    assert.deepStrictEqual(router.channelsFor("Trade", "ETH-USD"), [{ product: "ETH-USD" }])
    assert.deepStrictEqual(router.channelsFor("Trade", ""), [{}])
    assert.deepStrictEqual(router.channelsFor("Heartbeat", "BTC-USD"), [{}])
    assert.deepStrictEqual(router.channelsFor("Other", ""), [{}])
    assert.deepStrictEqual(router.channelsFor("Trade", "?"), [{ product: "?" }])
    const wide = routerOf(CoinbaseExchange.venue, all)
    assert.deepStrictEqual(wide.channelsFor("Trade", ""), [{}])
    assert.deepStrictEqual(wide.channelsFor("Trade", "?"), [everything, status])
  })
})
