/** Books of products that a venue says are not in continuous trading: they may cross until it says that they are. */
import { assert, describe, it } from "@effect/vitest"
import type * as MarketEvent from "@tickline/core/event/MarketEvent"
import * as MarketFeed from "@tickline/core/market/MarketFeed"
import * as OrderBook from "@tickline/core/market/OrderBook"
import type { Channel } from "@tickline/core/value/Channel"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Venues from "@tickline/core/venue/Venues"
import * as MockCoinbaseExchange from "@tickline/testing/MockCoinbaseExchange"
import * as MockVenue from "@tickline/testing/MockVenue"
import * as MockVenues from "@tickline/testing/MockVenues"
import * as Probe from "@tickline/testing/Probe"
import * as VirtualNetwork from "@tickline/testing/VirtualNetwork"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"

const isOf = (tag: string) => (event: MarketEvent.AnyEvent): boolean => event._tag === tag

const text = (book: OrderBook.OrderBook): string => {
  const spread = OrderBook.isWhole(book) ? OrderBook.spread(book) : undefined
  return [
    book._tag,
    book._tag === "Gapped" ? book.cause : undefined,
    book.tradingStatus,
    spread === undefined ? undefined : Decimal.format(spread)
  ].filter((part) => part !== undefined).join(" ")
}

/** A feed of a venue's book, whose market stands still, and everything that was told of it. */
const rig = Effect.fnUntraced(function*(
  name: string,
  product: string,
  { before = () => Effect.void, channels = [], mock = MockVenues.byName(name) ?? assert.fail(name) }: {
    readonly before?: (served: MockVenue.Served) => Effect.Effect<void>
    readonly channels?: ReadonlyArray<Channel>
    readonly mock?: MockVenue.MockVenue
  } = {}
) {
  const network = yield* VirtualNetwork.Network
  const venue = Venues.all.find((venue) => venue.name === name) ?? assert.fail(name)
  const served = yield* MockVenue.serve(network, "wss://venue.test", mock)
  yield* before(served)
  const feed = yield* MarketFeed.prepare(venue, { url: served.url, channels })
  const events = yield* Probe.record(feed.events())
  yield* Effect.forkScoped(feed.connection.connect)
  yield* TestClock.adjust("1 second")
  const books: Array<OrderBook.OrderBook> = []
  yield* feed.observeBook(product, (book) => void books.push(book))
  yield* TestClock.adjust("1 second")
  const take = (): ReadonlyArray<string> => books.splice(0).map(text)
  return {
    events,
    feed,
    served,
    first: take(),
    take,
    quote: (bid: string, ask: string) =>
      Effect.andThen(served.quote(product, bid, ask), TestClock.adjust("100 millis")),
    /** A change of the book that the venue's market does not know of. */
    say: (frame: object) =>
      Effect.andThen(
        Effect.sync(() => served.host.peers().at(-1)?.sendUnsafe(JSON.stringify(frame))),
        TestClock.adjust("100 millis")
      ),
    status: (word: string | undefined, of?: string) =>
      Effect.andThen(served.tradingStatus(word, of), TestClock.adjust("100 millis"))
  }
})

const crossing = {
  type: "l2update",
  product_id: "BTC-USD",
  changes: [["buy", "43265.00", "1"]],
  time: "2026-11-26T09:00:00.000000Z"
}

describe("a product that is not in continuous trading", () => {
  it.effect("coinbase-exchange: an auction, which the feed asks for by itself, may cross until it is over", () =>
    Probe.scoped(Effect.gen(function*() {
      const { events, feed, quote, say, served, status, take } = yield* rig("coinbase-exchange", "BTC-USD")
      assert.deepStrictEqual([...served.sessions.get(1)?.channels.keys() ?? []], ["level2_batch", "auctionfeed"])
      // It is nobody's subscription.
      assert.deepStrictEqual((yield* feed.subscriptions).map(({ channel }) => channel.channel), ["level2_batch"])

      yield* status("auction", "BTC-USD")
      assert.deepStrictEqual(take(), ["Unverified auction 2.16"])
      yield* quote("43270.00", "43260.00")
      yield* quote("43280.00", "43250.00")
      // It goes on for as long as the venue says so each second.
      yield* TestClock.adjust("10 minutes")
      yield* quote("43285.00", "43250.00")
      assert.deepStrictEqual(take(), [
        "Unverified auction -10.00",
        "Unverified auction -30.00",
        "Unverified auction -35.00"
      ])

      // Nothing says that it is over: it is when nothing was said for 20 s.
      yield* quote("43259.00", "43260.00")
      yield* status(undefined, "BTC-USD")
      yield* TestClock.adjust("15 seconds")
      assert.deepStrictEqual(take(), ["Unverified auction 1.00"])
      yield* TestClock.adjust("10 seconds")
      yield* quote("43258.00", "43260.00")
      assert.deepStrictEqual(take(), ["Unverified 2.00"])
      assert.deepStrictEqual(events.filter(isOf("Gap")), [])

      // From then on what crosses is a break again.
      yield* say(crossing)
      assert.strictEqual(take()[0], "Gapped crossed")
      assert.include(events.find(isOf("Gap")), { cause: "crossed", channel: "level2_batch" })
    })).pipe(Effect.provide(Probe.layer({ latency: 5 }))))

  it.effect("coinbase-exchange: who comes when an auction is under way has a sound book when it is over", () =>
    Probe.scoped(Effect.gen(function*() {
      const { first, quote, say, status, take } = yield* rig("coinbase-exchange", "BTC-USD", {
        before: (served) =>
          Effect.andThen(served.tradingStatus("auction", "BTC-USD"), served.quote("BTC-USD", "43270.00", "43260.00"))
      })
      // Before the venue says so it looks as if it were broken.
      assert.deepStrictEqual(first, ["Gapped crossed"])
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(take(), ["Unverified auction -10.00"])
      yield* quote("43259.00", "43260.00")
      yield* status(undefined, "BTC-USD")
      yield* TestClock.adjust("30 seconds")
      yield* quote("43258.00", "43260.00")
      assert.strictEqual(take().at(-1), "Unverified 2.00")
      yield* say(crossing)
      assert.strictEqual(take()[0], "Gapped crossed")
    })).pipe(Effect.provide(Probe.layer({ latency: 5 }))))

  it.effect("coinbase-exchange: if it refuses to say so, the book is kept, and nobody is told of the refusal", () =>
    Probe.scoped(Effect.gen(function*() {
      const mock = MockCoinbaseExchange.make()
      const { events, feed, first, say, take } = yield* rig("coinbase-exchange", "BTC-USD", {
        mock: {
          ...mock,
          receive: (session, frame, floor) =>
            String(frame).includes("auctionfeed")
              ? {
                session,
                replies: [MockVenue.notice({
                  type: "error",
                  message: "Failed to subscribe",
                  reason: "auctionfeed is not a valid channel"
                })]
              }
              : mock.receive(session, frame, floor)
        }
      })
      assert.deepStrictEqual(first, ["Unverified 2.16"])
      assert.deepStrictEqual(events.filter(isOf("VenueError")), [])
      assert.deepStrictEqual(
        (yield* feed.subscriptions).map(({ channel, standing }) => `${channel.channel} ${standing}`),
        ["level2_batch confirmed"]
      )
      assert.deepStrictEqual(
        (yield* feed.health).subscriptions.map(({ channel, standing }) => `${channel.channel} ${standing}`),
        ["level2_batch confirmed"]
      )
      yield* say(crossing)
      assert.strictEqual(take()[0], "Gapped crossed")
    })).pipe(Effect.provide(Probe.layer({ latency: 5 }))))

  it.effect("coinbase-exchange: a user who asks for the auctions as well is told that they are refused", () =>
    Probe.scoped(Effect.gen(function*() {
      const { events } = yield* rig("coinbase-exchange", "BTC-USD", {
        channels: [{ channel: "auctionfeed", product: "NO-SUCH" }, { channel: "auctionfeed", product: "BTC-USD" }]
      })
      assert.strictEqual(events.filter(isOf("VenueError")).length, 1)
    })).pipe(Effect.provide(Probe.layer({ latency: 5 }))))

  it.effect("kraken: the engine's status, which comes by itself and before anybody keeps a book", () =>
    Probe.scoped(Effect.gen(function*() {
      const { events, first, quote, status, take } = yield* rig("kraken", "BTC-USD", {
        before: (served) => served.tradingStatus("post_only")
      })
      assert.deepStrictEqual(first, ["Live post_only 2.16"])
      yield* quote("43270.00", "43260.00")
      assert.deepStrictEqual(take(), ["Live post_only -10.00"])

      // Under this one orders are matched: the word comes before what uncrosses the book.
      yield* status("limit_only")
      yield* quote("43270.00", "43265.00")
      yield* quote("43259.00", "43260.00")
      assert.deepStrictEqual(take(), ["Live -10.00", "Live -5.00", "Live 1.00"])
      assert.deepStrictEqual(events.filter(isOf("Gap")), [])
      yield* quote("43265.00", "43260.00")
      assert.strictEqual(take()[0], "Gapped crossed")
    })).pipe(Effect.provide(Probe.layer({ latency: 5 }))))

  it.effect("kraken: what comes to stay crossed when it trades again is a break after a hundred changes", () =>
    Probe.scoped(Effect.gen(function*() {
      const { quote, status, take } = yield* rig("kraken", "BTC-USD")
      yield* status("cancel_only")
      yield* quote("43270.00", "43260.00")
      yield* status("limit_only")
      take()
      for (let i = 0; i < 100; i++) yield* quote(`432${71 + i % 2}.00`, "43260.00")
      assert.deepStrictEqual(take().filter((book) => !book.startsWith("Live")), [])
      yield* quote("43274.00", "43260.00")
      assert.strictEqual(take()[0], "Gapped crossed")
    })).pipe(Effect.provide(Probe.layer({ latency: 5 }))))

  it.effect("kraken: a book that was taken to cross is checked again when the venue has said why it does", () =>
    Probe.scoped(Effect.gen(function*() {
      const { quote, status, take } = yield* rig("kraken", "BTC-USD")
      yield* status("limit_only")
      yield* quote("43270.00", "43260.00")
      assert.deepStrictEqual(take(), ["Gapped crossed", "Unverified -10.00"])
      yield* status("post_only")
      assert.deepStrictEqual(take(), ["Live post_only -10.00"])
      yield* quote("43259.00", "43260.00")
      yield* status("limit_only")
      yield* quote("43270.00", "43260.00")
      assert.deepStrictEqual(take().slice(0, 3), ["Live post_only 1.00", "Live 1.00", "Gapped crossed"])
    })).pipe(Effect.provide(Probe.layer({ latency: 5 }))))

  it.effect("kraken: the status of a pair, to who asks for the instruments, is of that pair alone", () =>
    Probe.scoped(Effect.gen(function*() {
      const { quote, status, take } = yield* rig("kraken", "BTC-USD", { channels: [{ channel: "instrument" }] })
      yield* status("cancel_only", "ETH-USD")
      assert.deepStrictEqual(take(), [])
      yield* status("cancel_only", "BTC-USD")
      yield* quote("43270.00", "43260.00")
      assert.deepStrictEqual(take(), ["Live cancel_only 2.16", "Live cancel_only -10.00"])
      // Under this one orders are matched.
      yield* quote("43259.00", "43260.00")
      yield* status("limit_only", "BTC-USD")
      yield* quote("43270.00", "43260.00")
      assert.deepStrictEqual(take().slice(0, 3), ["Live cancel_only 1.00", "Live 1.00", "Gapped crossed"])
    })).pipe(Effect.provide(Probe.layer({ latency: 5 }))))

  it.effect("deribit: the state of an instrument, or of the platform, to who asks for it", () =>
    Probe.scoped(Effect.gen(function*() {
      const { events, quote, status, take } = yield* rig("deribit", "BTC-USD-PERP", {
        channels: [{ channel: "instrument.state.future.BTC" }, { channel: "platform_state" }]
      })
      yield* status("halted", "BTC-USD-PERP")
      yield* quote("43270.00", "43260.00")
      yield* quote("43259.00", "43260.00")
      yield* status(undefined, "BTC-USD-PERP")
      assert.deepStrictEqual(take(), ["Live halted 2.16", "Live halted -10.00", "Live halted 1.00", "Live 1.00"])
      yield* status("maintenance")
      yield* quote("43270.00", "43260.00")
      assert.deepStrictEqual(take(), ["Live maintenance 1.00", "Live maintenance -10.00"])
      assert.deepStrictEqual(events.filter(isOf("Gap")), [])
    })).pipe(Effect.provide(Probe.layer({ latency: 5 }))))

  it.effect("a new connection has to be told again", () =>
    Probe.scoped(Effect.gen(function*() {
      const { served, status, take } = yield* rig("deribit", "BTC-USD-PERP", {
        channels: [{ channel: "platform_state" }]
      })
      yield* status("maintenance")
      const [peer] = served.host.peers()
      yield* peer?.drop ?? assert.fail("nobody is connected")
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual(take().map((book) => book.replace(/ \d.*/, "")), [
        "Live maintenance",
        "Gapped disconnect",
        "Live"
      ])
    })).pipe(Effect.provide(Probe.layer({ latency: 5 }))))
})
