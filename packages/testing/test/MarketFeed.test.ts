import { assert, describe, it } from "@effect/vitest"
import * as Reconnection from "@tickline/core/connection/Reconnection"
import type { AnyEvent } from "@tickline/core/event/MarketEvent"
import * as MarketFeed from "@tickline/core/market/MarketFeed"
import * as Presets from "@tickline/core/resilience/Presets"
import { Transport } from "@tickline/core/transport/Transport"
import * as Channel from "@tickline/core/value/Channel"
import * as Decimal from "@tickline/core/value/Decimal"
import * as CoinbaseExchange from "@tickline/core/venue/coinbase-exchange/Venue"
import * as Deribit from "@tickline/core/venue/deribit/Venue"
import * as Generic from "@tickline/core/venue/generic/Venue"
import type { Venue } from "@tickline/core/venue/Venue"
import * as VirtualNetwork from "@tickline/testing/VirtualNetwork"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { internals } from "../../core/src/connection/internal/connectionInternals.ts"

const url = "ws://venue.test/feed"

const match = (product: string, price: string, tradeId: number): string =>
  JSON.stringify({
    type: "match",
    trade_id: tradeId,
    maker_order_id: "ac928c66-ca53-498f-9c13-a110027a60e8",
    taker_order_id: "132fb6ae-456b-4654-b4e0-d681ac05cea1",
    side: "sell",
    size: "5.23512000",
    price,
    product_id: product,
    sequence: tradeId,
    time: "2026-11-07T08:19:27.028459Z"
  })

const subscription = (type: string, products: ReadonlyArray<string>, channels: ReadonlyArray<string>): string =>
  JSON.stringify({ type, product_ids: products, channels })

const withFeed = <A, E, R>(
  use: (feed: MarketFeed.MarketFeed["Service"], host: VirtualNetwork.Host) => Effect.Effect<A, E, R>,
  options?: MarketFeed.Options
) =>
  Effect.gen(function*() {
    const network = yield* VirtualNetwork.make({ seed: 1 })
    const host = yield* network.serve(url)
    return yield* Effect.gen(function*() {
      const feed = yield* MarketFeed.make(CoinbaseExchange.venue, { url, ...options })
      return yield* use(feed, host)
    }).pipe(
      Effect.scoped,
      Effect.provide(Reconnection.layerWithBreaker(Presets.preset("fast"))),
      Effect.provideService(Transport, network.transport)
    )
  })

// What a consumer got so far, and the fiber that reads.
const collect = <A, E>(stream: Stream.Stream<A, E>) =>
  Effect.gen(function*() {
    const got: Array<A> = []
    const fiber = yield* Effect.forkChild(Stream.runForEach(stream, (item) => Effect.sync(() => got.push(item))))
    yield* TestClock.adjust(0)
    return { got, fiber }
  })

describe("MarketFeed", () => {
  it.effect("streams a product's trades exactly, and asks for them only while somebody reads", () =>
    withFeed((feed, host) =>
      Effect.gen(function*() {
        const peer = yield* host.nextPeer
        const bitcoin = yield* collect(feed.trades("BTC-USD"))
        const again = yield* collect(feed.trades("BTC-USD"))
        const ether = yield* collect(feed.trades("ETH-USD"))
        yield* peer.send(match("BTC-USD", "43250.10", 1), match("ETH-USD", "2250.000", 2))
        yield* TestClock.adjust(0)
        assert.deepStrictEqual(bitcoin.got.map((trade) => Decimal.format(trade.price)), ["43250.10"])
        assert.deepStrictEqual(bitcoin.got.map((trade) => trade.side), ["buy"])
        assert.deepStrictEqual(ether.got.map((trade) => Decimal.format(trade.price)), ["2250.000"])
        yield* Fiber.interrupt(bitcoin.fiber)
        assert.deepStrictEqual(peer.received, [
          subscription("subscribe", ["BTC-USD"], ["matches"]),
          subscription("subscribe", ["ETH-USD"], ["matches"])
        ])
        yield* Fiber.interrupt(again.fiber)
        assert.strictEqual(peer.received.at(-1), subscription("unsubscribe", ["BTC-USD"], ["matches"]))
      })
    ))

  it.effect("asks again for everything wanted on each epoch, in one frame", () =>
    withFeed((feed, host) =>
      Effect.gen(function*() {
        yield* collect(feed.trades("BTC-USD"))
        yield* collect(feed.trades("ETH-USD"))
        yield* host.drop
        yield* TestClock.adjust("1 second")
        const [peer] = host.peers()
        assert.deepStrictEqual(peer?.received, [subscription("subscribe", ["BTC-USD", "ETH-USD"], ["matches"])])
      })
    ))

  it.effect("declares one gap per product and channel for a drop, between what it heard and what it hears", () =>
    withFeed((feed, host) =>
      Effect.gen(function*() {
        const events = yield* collect(feed.events())
        const first = yield* host.nextPeer
        yield* TestClock.adjust("3 seconds")
        yield* first.send(match("BTC-USD", "1.0", 1))
        yield* TestClock.adjust("2 seconds")
        yield* host.script({ _tag: "Refuse" })
        yield* host.drop
        yield* TestClock.adjust("1 second")
        const second = yield* host.nextPeer
        yield* second.send(match("BTC-USD", "2.0", 9))
        yield* TestClock.adjust(0)
        const told = events.got.map((event) =>
          event._tag === "Connection"
            ? event.state
            : event._tag === "Gap"
            ? `Gap ${event.product} ${event.channel} ${event.from} ${event.to} ${event.cause}`
            : event._tag
        )
        assert.deepStrictEqual(told, [
          "Connecting",
          "Connected",
          "Trade",
          "Reconnecting",
          "Gap BTC-USD matches 1970-01-01T00:00:03.000Z undefined disconnect",
          "Gap ETH-USD ticker 1970-01-01T00:00:03.000Z undefined disconnect",
          "Connecting",
          "Reconnecting",
          "Connecting",
          "Connected",
          "Gap BTC-USD matches 1970-01-01T00:00:03.000Z 1970-01-01T00:00:06.000Z disconnect",
          "Trade"
        ])
      }), { channels: [Channel.make("matches", "BTC-USD"), Channel.make("ticker", "ETH-USD")] }))

  it.effect("tells the gap of an outage that a close ends, and none for the close of a link that is up", () =>
    withFeed((feed, host) =>
      Effect.gen(function*() {
        const gaps = (events: ReadonlyArray<AnyEvent>) => events.filter(({ _tag }) => _tag === "Gap")
        const first = yield* collect(feed.events())
        yield* feed.connection.close()
        yield* TestClock.adjust("3 seconds")
        assert.deepStrictEqual(gaps(first.got), [])
        yield* Effect.forkChild(feed.connection.connect)
        const second = yield* collect(feed.events())
        yield* host.otherwise({ _tag: "Hang" })
        yield* host.drop
        yield* TestClock.adjust(50)
        yield* feed.connection.close()
        yield* TestClock.adjust("3 seconds")
        assert.deepInclude(gaps(second.got)[0], { _tag: "Gap", product: "BTC-USD", channel: "matches" })
        assert.strictEqual(gaps(second.got).length, 1)
      }), { channels: [Channel.make("matches", "BTC-USD")] }))

  it.effect("keeps refused frames and the venue's words in the stream, and the connection up", () =>
    withFeed((feed, host) =>
      Effect.gen(function*() {
        const events = yield* collect(feed.events())
        const peer = yield* host.nextPeer
        yield* peer.send(
          "{\"type\":\"match\"",
          match("BTC-USD", "abc", 1),
          "{\"type\":\"error\",\"message\":\"Failed to subscribe\",\"reason\":\"X is not valid\"}",
          match("BTC-USD", "5.50", 2)
        )
        yield* TestClock.adjust(0)
        assert.deepStrictEqual(
          events.got.flatMap((event) =>
            event._tag === "FrameRejected" ? [`${event.reason} ${event.field ?? ""}`] : [event._tag]
          ),
          ["Connection", "Connection", "MalformedJson ", "InvalidField price", "VenueError", "Trade"]
        )
        assert.strictEqual(host.dials.length, 1)
      })
    ))

  it.effect("fails the streams of a connection that gave up, after what they had", () =>
    withFeed((feed, host) =>
      Effect.gen(function*() {
        const trades = yield* collect(feed.trades("BTC-USD"))
        const peer = yield* host.nextPeer
        yield* peer.send(match("BTC-USD", "5.50", 2))
        yield* host.otherwise({ _tag: "Refuse" })
        yield* host.drop
        yield* TestClock.adjust("10 seconds")
        const error = yield* Effect.flip(Fiber.join(trades.fiber))
        assert.strictEqual(error._tag, "ConnectionAborted")
        assert.strictEqual(trades.got.length, 1)
        // The first dial, then the retries at 100, 200, 400, 800 and 800 ms.
        assert.deepStrictEqual(host.dials.map((dial) => dial.at), [0, 100, 300, 700, 1500, 2300])
      })
    ))

  it.effect("lets a slow consumer hurt only itself, and tells it what it missed", () =>
    withFeed((feed, host) =>
      Effect.gen(function*() {
        const quick = yield* collect(feed.trades("BTC-USD"))
        const slow: Array<string> = []
        const reading = yield* feed.events({ overflow: "conflate", bytes: 1_000 }).pipe(
          Stream.runForEach((event) =>
            Effect.andThen(
              Effect.sync(() => slow.push(event._tag === "Trade" ? event.tradeId ?? "" : event._tag)),
              Effect.sleep("1 second")
            )
          ),
          Effect.forkChild
        )
        yield* TestClock.adjust(0)
        const peer = yield* host.nextPeer
        for (let id = 1; id <= 50; id++) {
          yield* peer.send(match("BTC-USD", "1.5", id))
          yield* TestClock.adjust("10 millis")
        }
        assert.strictEqual(quick.got.length, 50)
        yield* TestClock.adjust("1 minute")
        yield* Fiber.interrupt(reading)
        assert.include(slow, "Gap")
        assert.strictEqual(slow.at(-1), "50")
        const { missed } = yield* feed.connection.metrics
        assert.strictEqual(slow.filter((told) => /^\d+$/.test(told)).length + missed, 50)
      })
    ))

  it.effect("conflates by product and kind, and tells gaps of what was shed and of nothing else", () =>
    withFeed((feed, host) =>
      Effect.gen(function*() {
        const slow: Array<AnyEvent> = []
        const reading = yield* feed.events({ overflow: "conflate", bytes: 1_000 }).pipe(
          Stream.runForEach((event) => Effect.andThen(Effect.sync(() => slow.push(event)), Effect.sleep("1 second"))),
          Effect.forkChild
        )
        yield* TestClock.adjust("5 seconds")
        const peer = yield* host.nextPeer
        yield* peer.send(match("ETH-USD", "2.5", 1))
        for (let id = 2; id <= 50; id++) {
          yield* Effect.andThen(peer.send(match("BTC-USD", "1.5", id)), TestClock.adjust(10))
        }
        // The link breaks while the consumer is behind.
        yield* host.drop
        yield* TestClock.adjust("1 second")
        const products = ["BTC-USD", "ETH-USD", "SOL-USD"]
        const confirmation = { type: "subscriptions", channels: [{ name: "matches", product_ids: products }] }
        yield* (yield* host.nextPeer).send(JSON.stringify(confirmation))
        yield* TestClock.adjust("1 minute")
        yield* Fiber.interrupt(reading)
        const told = slow.filter(({ _tag }) => _tag !== "Subscribed").map((event) => {
          switch (event._tag) {
            case "Connection":
              return event.state
            case "Gap":
              return `Gap ${event.product} ${event.channel} ${event.cause} ${event.missing ?? ""}`
            case "Trade":
              return `${event.product} ${event.tradeId}`
            default:
              return event._tag
          }
        })
        const life = told.slice(told.indexOf("Reconnecting"))
        assert.deepStrictEqual(told.slice(0, -life.length), [
          "Connecting",
          "Connected",
          "ETH-USD 1",
          "Gap BTC-USD matches overflow 48",
          "BTC-USD 50"
        ])
        assert.deepStrictEqual(life, [
          "Reconnecting",
          "Gap BTC-USD matches disconnect ",
          "Gap ETH-USD matches disconnect ",
          "Gap SOL-USD matches disconnect ",
          "Connecting",
          "Connected",
          "Gap BTC-USD matches disconnect ",
          "Gap ETH-USD matches disconnect ",
          "Gap SOL-USD matches disconnect "
        ])
      }), {
      channels: ["BTC-USD", "ETH-USD", "SOL-USD"].map((product) => Channel.make("matches", product))
    }))

  it.effect("fails a consumer that does not keep up, where it does not say otherwise, and nobody else", () =>
    withFeed((feed, host) =>
      Effect.gen(function*() {
        const stuck = yield* Effect.forkChild(
          Stream.runForEach(feed.trades("BTC-USD"), () => Effect.never).pipe(Effect.flip)
        )
        const slow = yield* Effect.forkChild(
          Effect.flip(Stream.runForEach(feed.trades("BTC-USD", { bytes: 10_000 }), () => Effect.sleep("1 hour")))
        )
        const quick = yield* collect(feed.trades("BTC-USD"))
        const [peer] = host.peers()
        for (let id = 1; id <= 100; id++) {
          yield* peer!.send(match("BTC-USD", "1.5", id))
          yield* TestClock.adjust(1)
        }
        assert.strictEqual(quick.got.length, 100)
        assert.isUndefined(stuck.pollUnsafe())
        yield* TestClock.adjust("40 hours")
        assert.strictEqual((yield* Fiber.join(slow))._tag, "ConsumerOverflow")
        assert.strictEqual(host.dials.length, 1)
      })
    ))

  it.effect("fails the stream of a product that the venue refuses, and no other", () =>
    withFeed((feed, host) =>
      Effect.gen(function*() {
        const bitcoin = yield* collect(feed.trades("BTC-USD"))
        const peer = yield* host.nextPeer
        const wrong = yield* collect(feed.trades("X-Y"))
        yield* peer.send("{\"type\":\"error\",\"message\":\"Failed to subscribe\",\"reason\":\"X-Y is not a product\"}")
        yield* TestClock.adjust(0)
        const error = yield* Effect.flip(Fiber.join(wrong.fiber))
        assert.deepInclude(error, { _tag: "SubscriptionRefused", reason: "Failed to subscribe: X-Y is not a product" })
        assert.isUndefined(bitcoin.fiber.pollUnsafe())
        assert.deepStrictEqual((yield* feed.health).subscriptions, [
          { channel: { channel: "matches", product: "BTC-USD" }, standing: "asked" }
        ])
      })
    ))

  it.effect("shows what is wanted, asked for and confirmed, on each epoch anew", () =>
    withFeed((feed, host) =>
      Effect.gen(function*() {
        const standings = Effect.map(feed.health, ({ subscriptions }) => subscriptions.map(({ standing }) => standing))
        const first = yield* host.nextPeer
        assert.deepStrictEqual(yield* standings, ["asked", "asked"])
        yield* first.send(
          "{\"type\":\"subscriptions\",\"channels\":[{\"name\":\"level2_50\",\"product_ids\":[\"BTC-USD\"]}]}"
        )
        yield* TestClock.adjust(0)
        assert.deepStrictEqual(yield* standings, ["confirmed", "asked"])
        yield* host.otherwise({ _tag: "Hang" })
        yield* host.drop
        yield* TestClock.adjust(0)
        assert.deepStrictEqual(yield* standings, ["wanted", "wanted"])
        yield* host.otherwise({ _tag: "Accept" })
        yield* TestClock.adjust("6 seconds")
        assert.deepStrictEqual(yield* standings, ["asked", "asked"])
      }), { channels: [Channel.make("level2_batch", "BTC-USD"), Channel.make("matches", "ETH-USD")] }))

  it.effect("takes a refusal for that of the product that it names, and data for a confirmation", () =>
    withFeed((feed, host) =>
      Effect.gen(function*() {
        const standings = Effect.map(feed.health, ({ subscriptions }) => subscriptions.map(({ standing }) => standing))
        const peer = yield* host.nextPeer
        yield* peer.send(
          "{\"type\":\"error\",\"message\":\"Failed to subscribe\",\"reason\":\"X-Y is not a valid product\"}"
        )
        yield* TestClock.adjust(0)
        assert.deepStrictEqual(yield* standings, ["asked", "refused", "asked"])
        yield* peer.send(match("BTC-USD", "1.5", 1))
        yield* TestClock.adjust(0)
        assert.deepStrictEqual(yield* standings, ["confirmed", "refused", "asked"])
      }), {
      channels: [
        Channel.make("matches", "BTC-USD"),
        Channel.make("matches", "X-Y"),
        Channel.make("ticker", "BTC-USD")
      ]
    }))

  it.effect("what a list of confirmations leaves out is refused, be it all", () =>
    Effect.gen(function*() {
      const network = yield* VirtualNetwork.make({ seed: 1 })
      const host = yield* network.serve(url)
      yield* Effect.gen(function*() {
        const wanted = ["BTC", "NO", "ETH"].map((coin) => Channel.make("trades.100ms", `${coin}-PERPETUAL`))
        const feed = yield* MarketFeed.make(Deribit.venue, { url, channels: wanted })
        const standings = Effect.map(feed.health, ({ subscriptions }) => subscriptions.map(({ standing }) => standing))
        const peer = yield* host.nextPeer
        const answer = (id: number, ...channels: ReadonlyArray<string>) =>
          Effect.andThen(peer.send(JSON.stringify({ jsonrpc: "2.0", id, result: channels })), TestClock.adjust(0))
        yield* answer(1, "trades.BTC-PERPETUAL.100ms", "trades.ETH-PERPETUAL.100ms")
        assert.deepStrictEqual(yield* standings, ["confirmed", "refused", "confirmed"])
        const none = Channel.make("trades.100ms", "NONE")
        yield* feed.connection.subscribe([none])
        yield* answer(2)
        const refused = yield* Effect.flip(feed.connection[internals].awaitRefusal(none))
        assert.deepInclude(refused, { _tag: "SubscriptionRefused", reason: "the venue confirmed nothing" })
        yield* TestClock.adjust("1 minute")
        assert.strictEqual((yield* feed.connection.metrics).epoch, 1)
      }).pipe(
        Effect.scoped,
        Effect.provide(Reconnection.layerWithBreaker({ ...Presets.preset("fast"), heartbeat: "none" })),
        Effect.provideService(Transport, network.transport)
      )
    }))

  it.effect("dials the venue's own endpoint where it is given no other, and none where it has none", () =>
    Effect.gen(function*() {
      const network = yield* VirtualNetwork.make()
      const host = yield* network.serve(CoinbaseExchange.venue.endpoint ?? "")
      const made = (venue: Venue) =>
        Effect.scoped(MarketFeed.make(venue)).pipe(
          Effect.provide(Reconnection.layerWithBreaker(Presets.preset("fast"))),
          Effect.provideService(Transport, network.transport)
        )
      yield* made(CoinbaseExchange.venue)
      assert.lengthOf(host.dials, 1)
      const error = yield* Effect.flip(made(Generic.venue))
      assert.strictEqual(error.message, "(unreadable URL): bad URL: not a URL such as wss://host:port/path")
    }))

  it.effect("refuses a kind of channel that the venue does not have", () =>
    Effect.gen(function*() {
      const network = yield* VirtualNetwork.make()
      yield* network.serve(url)
      const feed = yield* MarketFeed.make({ ...CoinbaseExchange.venue, channels: { trade: "matches" } }, { url }).pipe(
        Effect.provide(Reconnection.layerWithBreaker(Presets.preset("fast"))),
        Effect.provideService(Transport, network.transport)
      )
      assert.strictEqual((yield* Effect.flip(feed.channel("book", "BTC-USD")))._tag, "UnknownChannel")
      assert.strictEqual((yield* Effect.flip(Stream.runDrain(feed.ticker("BTC-USD"))))._tag, "UnknownChannel")
    }))
})
