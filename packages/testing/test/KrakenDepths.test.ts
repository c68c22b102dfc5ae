/** Books of one product at several depths on one connection to Kraken, whose frames do not say which depth they are of. */
import { assert, describe, it } from "@effect/vitest"
import type * as MarketEvent from "@tickline/core/event/MarketEvent"
import * as MarketFeed from "@tickline/core/market/MarketFeed"
import * as OrderBook from "@tickline/core/market/OrderBook"
import type { Channel } from "@tickline/core/value/Channel"
import * as Decimal from "@tickline/core/value/Decimal"
import { venue } from "@tickline/core/venue/kraken/Venue"
import * as Chance from "@tickline/testing/Chance"
import type * as Market from "@tickline/testing/Market"
import * as MockKraken from "@tickline/testing/MockKraken"
import * as MockVenue from "@tickline/testing/MockVenue"
import * as Probe from "@tickline/testing/Probe"
import * as VirtualNetwork from "@tickline/testing/VirtualNetwork"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"
import * as TestClock from "effect/testing/TestClock"

const isOf = (tag: string) => (event: MarketEvent.AnyEvent): boolean => event._tag === tag

const sides = ({ asks, bids }: OrderBook.Ladder): unknown =>
  [bids, asks].map((side) => side.map((level) => level.map(Decimal.format)))

const topOf = (book: Market.Book | undefined, depth: number): unknown =>
  [book?.bids ?? [], book?.asks ?? []].map((side) => side.slice(0, depth).map((level) => [...level]))

/** A feed of a market that trades ten times a second, and what a client has asked of it. */
const rig = Effect.fnUntraced(function*(
  { channels = [], connections = 1, mock = MockKraken.make() }: {
    readonly channels?: ReadonlyArray<Channel>
    readonly connections?: 1 | 2
    readonly mock?: MockVenue.MockVenue
  } = {}
) {
  const network = yield* VirtualNetwork.Network
  const asked: Array<string> = []
  const served = yield* MockVenue.serve(network, "wss://venue.test", {
    ...mock,
    receive: (session, frame, floor) => {
      const { method, params } = JSON.parse(String(frame)) as {
        readonly method: string
        readonly params?: { readonly channel: string; readonly depth?: number }
      }
      if (params !== undefined) asked.push(`${method} ${params.channel} ${params.depth ?? 10}`)
      const followed = [...session.channels.keys()].filter((key) => key.startsWith("book"))
      assert.isAtMost(followed.length, 1, "two depths at once")
      return mock.receive(session, frame, floor)
    }
  }, { every: "100 millis", products: [{ symbol: "BTC/USD", price: "43250.10", size: "0.05000000", levels: 40 }] })
  const feed = yield* MarketFeed.prepare(venue, {
    url: served.url,
    channels,
    ...(connections === 1 ? {} : { redundancy: { endpoints: [served.url, served.url] } })
  })
  const events = yield* Probe.record(feed.events())
  yield* Effect.forkScoped(feed.connection.connect)
  yield* TestClock.adjust("1 second")
  /** Watches a book until the scope that it gives is closed. */
  const watch = Effect.fnUntraced(function*(channel: string, depth: number) {
    const scope = yield* Scope.make()
    const told: Array<OrderBook.OrderBook> = []
    yield* Scope.provide(
      feed.observeBook("BTC-USD", (book) => void told.push(book), { channel, depth }),
      scope
    )
    yield* TestClock.adjust("1 second")
    return { told, last: () => told.at(-1) ?? assert.fail(`nothing of ${channel}`), end: Scope.close(scope, Exit.void) }
  })
  const take = (): ReadonlyArray<string> => asked.splice(0)
  /** The book at rest is the venue's own, down to a depth. */
  const holds = Effect.fnUntraced(function*(book: () => OrderBook.OrderBook, channel: string, depth: number) {
    const last = book()
    assert.strictEqual(last._tag, "Live")
    if (!OrderBook.isWhole(last)) return assert.fail(last._tag)
    assert.strictEqual(last.channel, channel)
    assert.strictEqual(last._tag === "Live" ? last.provenLevels : undefined, 10)
    assert.deepStrictEqual(sides(last), topOf(served.book("BTC-USD"), depth))
    assert.isAtMost(Math.max(last.bidLevels, last.askLevels), depth)
  })
  return { events, feed, holds, served, take, watch }
})

const states = (told: ReadonlyArray<OrderBook.OrderBook>): ReadonlyArray<string> => [
  ...new Set(told.map(({ _tag }) => _tag))
]

describe("two depths of one product at Kraken", () => {
  it.effect("the deeper one is asked for, and the other is cut from it", () =>
    Probe.scoped(Effect.gen(function*() {
      const { events, feed, holds, served, take, watch } = yield* rig()
      const shallow = yield* watch("book", 1_000)
      assert.deepStrictEqual(take(), ["subscribe book 10"])
      // The one that there is is given up before a deeper one is asked for.
      const deep = yield* watch("book-25", 1_000)
      assert.deepStrictEqual(take(), ["unsubscribe book 10", "subscribe book 25"])
      yield* TestClock.adjust("5 seconds")
      yield* served.stopMarket
      yield* TestClock.adjust("1 second")
      yield* holds(shallow.last, "book", 10)
      yield* holds(deep.last, "book-25", 25)
      // Neither was without levels for it, but for the deeper one until its snapshot came.
      assert.deepStrictEqual(states(shallow.told), ["Live"])
      assert.deepStrictEqual(states(deep.told), ["Syncing", "Live"])
      assert.deepStrictEqual(events.filter(isOf("Gap")), [])
      assert.deepStrictEqual(events.filter(isOf("VenueError")), [])
      assert.deepStrictEqual(
        (yield* feed.subscriptions).map(({ channel, standing }) => `${channel.channel} ${standing}`),
        ["book confirmed", "book-25 confirmed"]
      )
      const { entries } = yield* feed.ledger
      for (const entry of entries) assert.isTrue(entry.isBalanced, entry.channel)

      // Whoever wants the shallower one afterwards, or once more, costs nothing.
      const again = yield* watch("book", 1_000)
      assert.deepStrictEqual(take(), [])
      yield* served.trade("BTC-USD")
      yield* TestClock.adjust("1 second")
      yield* holds(again.last, "book", 10)
      yield* shallow.end
      yield* again.end
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(take(), [])
      yield* served.trade("BTC-USD")
      yield* TestClock.adjust("1 second")
      yield* holds(deep.last, "book-25", 25)
    })).pipe(Effect.provide(Probe.layer({ latency: 20 }))))

  it.effect("when nobody wants the deeper one any more, the other is asked for", () =>
    Probe.scoped(Effect.gen(function*() {
      const { events, holds, served, take, watch } = yield* rig()
      const deep = yield* watch("book-25", 1_000)
      const shallow = yield* watch("book", 1_000)
      assert.deepStrictEqual(take(), ["subscribe book 25"])
      yield* deep.end
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(take(), ["unsubscribe book 25", "subscribe book 10"])
      yield* TestClock.adjust("5 seconds")
      yield* served.stopMarket
      yield* TestClock.adjust("1 second")
      yield* holds(shallow.last, "book", 10)
      assert.deepStrictEqual(states(shallow.told), ["Live"])
      assert.deepStrictEqual(events.filter(isOf("Gap")), [])
      yield* shallow.end
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(take(), ["unsubscribe book 10"])
    })).pipe(Effect.provide(Probe.layer({ latency: 20 }))))

  it.effect("of those that are wanted from the start one is asked for, on each connection anew", () =>
    Probe.scoped(Effect.gen(function*() {
      const product = "BTC/USD"
      const { events, feed, served, take } = yield* rig({
        channels: [{ channel: "book", product }, { channel: "book-100", product }, { channel: "book-25", product }]
      })
      assert.deepStrictEqual(take(), ["subscribe book 100"])
      const standings = Effect.map(feed.subscriptions, (all) => all.map(({ standing }) => standing))
      assert.deepStrictEqual(yield* standings, ["confirmed", "confirmed", "confirmed"])
      yield* served.host.drop
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(take(), ["subscribe book 100"])
      assert.deepStrictEqual(yield* standings, ["confirmed", "confirmed", "confirmed"])
      // Each has its own gap, and its end.
      const gaps = events.filter(isOf("Gap")) as ReadonlyArray<{ readonly channel?: string; readonly to?: string }>
      assert.deepStrictEqual(
        gaps.filter(({ to }) => to !== undefined).map(({ channel }) => channel).toSorted(),
        ["book", "book-100", "book-25"]
      )
    })).pipe(Effect.provide(Probe.layer({ latency: 20 }))))

  it.effect("a product that the venue does not have is refused at each depth", () =>
    Probe.scoped(Effect.gen(function*() {
      const product = "NO/SUCH"
      const { feed, take } = yield* rig({ channels: [{ channel: "book", product }, { channel: "book-100", product }] })
      assert.deepStrictEqual(take(), ["subscribe book 100"])
      assert.deepStrictEqual(
        (yield* feed.subscriptions).map(({ channel, refusal, standing }) =>
          `${channel.channel} ${standing} ${refusal?.channel.channel}: ${refusal?.reason}`
        ),
        [
          "book refused book: Currency pair not supported NO/SUCH",
          "book-100 refused book-100: Currency pair not supported NO/SUCH"
        ]
      )
    })).pipe(Effect.provide(Probe.layer({ latency: 20 }))))

  it.effect("a depth that there is not is refused before anything is sent, without the other", () =>
    Probe.scoped(Effect.gen(function*() {
      const product = "BTC/USD"
      const { feed, take } = yield* rig({ channels: [{ channel: "book", product }, { channel: "book-50", product }] })
      assert.deepStrictEqual(take(), ["subscribe book 10"])
      assert.deepStrictEqual(
        (yield* feed.subscriptions).map(({ channel, refusal, standing }) =>
          `${channel.channel} ${standing} ${refusal?.reason ?? ""}`
        ),
        ["book confirmed ", "book-50 refused a book has 10, 25, 100, 500 or 1000 levels of each side"]
      )
    })).pipe(Effect.provide(Probe.layer({ latency: 20 }))))

  it.effect("a checksum that is wrong is a gap of each, and one is asked for anew", () =>
    Probe.scoped(Effect.gen(function*() {
      const mock = MockKraken.make()
      let isWrong = false
      const { events, holds, served, take, watch } = yield* rig({
        mock: {
          ...mock,
          publish: (session, tick, floor) =>
            mock.publish(session, tick, floor).map((frame) => {
              const text = isWrong ? mock.corrupt(frame.text) : undefined
              if (text !== undefined) isWrong = false
              return text === undefined ? frame : { ...frame, text }
            })
        }
      })
      const deep = yield* watch("book-25", 1_000)
      const shallow = yield* watch("book", 1_000)
      take()
      isWrong = true
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual(take(), ["unsubscribe book 25", "subscribe book 25"])
      yield* served.stopMarket
      yield* TestClock.adjust("1 second")
      yield* holds(shallow.last, "book", 10)
      yield* holds(deep.last, "book-25", 25)
      for (const { told } of [deep, shallow]) {
        assert.strictEqual(told.filter(({ _tag }) => _tag === "Gapped").length, 1)
      }
      const gaps = events.filter(isOf("Gap")) as ReadonlyArray<{ readonly channel?: string; readonly to?: string }>
      assert.deepStrictEqual(
        gaps.filter(({ to }) => to !== undefined).map(({ channel }) => channel).toSorted(),
        ["book", "book-25"]
      )
    })).pipe(Effect.provide(Probe.layer({ latency: 20 }))))

  it.effect("a snapshot of the deeper one that is lost is asked for anew, while the other goes on", () =>
    Probe.scoped(Effect.gen(function*() {
      const mock = MockKraken.make()
      let lost = 0
      const { holds, served, take, watch } = yield* rig({
        mock: {
          ...mock,
          receive: (session, frame, floor) => {
            const { replies, ...answer } = mock.receive(session, frame, floor)
            const isLost = lost === 0 && String(frame).includes("\"depth\":25")
            if (isLost) lost++
            return { ...answer, replies: isLost ? replies.filter(({ data }) => data === undefined) : replies }
          }
        }
      })
      const shallow = yield* watch("book", 1_000)
      yield* served.stopMarket
      const deep = yield* watch("book-25", 1_000)
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(lost, 1)
      take()
      // Of what changes it has the ten best levels, and those alone.
      const { asks: [[ask] = [""]] = [], bids: [[bid] = [""]] = [] } = served.book("BTC-USD") ?? {}
      yield* served.quote("BTC-USD", bid, ask.replace(/\d$/, (digit) => String((Number(digit) + 1) % 10)))
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(states(deep.told), ["Syncing"])
      assert.deepStrictEqual(states(shallow.told), ["Live"])
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(take(), ["unsubscribe book 25", "subscribe book 25"])
      yield* holds(shallow.last, "book", 10)
      yield* holds(deep.last, "book-25", 25)
      assert.deepStrictEqual(states(shallow.told), ["Live"])
    })).pipe(Effect.provide(Probe.layer({ latency: 20 }))))

  it.effect("a depth that comes and goes while another one is served costs nothing, and is confirmed each time", () =>
    Probe.scoped(Effect.gen(function*() {
      const { feed, served, take, watch } = yield* rig({ channels: [{ channel: "book-100", product: "BTC/USD" }] })
      // No data is to confirm it.
      yield* served.stopMarket
      yield* TestClock.adjust("1 second")
      take()
      const standings = Effect.map(
        feed.subscriptions,
        (all) => all.map(({ channel, standing }) => `${channel.channel} ${standing}`)
      )
      const live = Effect.map(
        feed.ledger,
        ({ entries }) =>
          entries.filter(({ channel }) => channel === "book").map(({ liveMillis }) => Math.round(liveMillis / 1_000))
      )
      for (let i = 1; i <= 3; i++) {
        const shallow = yield* watch("book", 10)
        assert.deepStrictEqual(yield* standings, ["book-100 confirmed", "book confirmed"])
        assert.deepStrictEqual(yield* live, [i])
        yield* shallow.end
        yield* TestClock.adjust("5 seconds")
      }
      assert.deepStrictEqual(take(), [])
    })).pipe(Effect.provide(Probe.layer({ latency: 20 }))))

  it.effect("a product that was refused is asked for again at the depth that serves all", () =>
    Probe.scoped(Effect.gen(function*() {
      const product = "BTC/USD"
      const { feed, holds, served, take, watch } = yield* rig()
      yield* served.delist(product, true)
      yield* feed.subscribe([{ channel: "book-25", product }])
      yield* feed.subscribe([{ channel: "book", product }])
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual((yield* feed.subscriptions).map(({ standing }) => standing), ["refused", "refused"])
      take()
      yield* served.delist(product, false)
      yield* feed.connection.subscribe([{ channel: "book", product }])
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(take(), ["subscribe book 25"])
      assert.deepStrictEqual((yield* feed.subscriptions).map(({ standing }) => standing), ["confirmed", "confirmed"])
      const deep = yield* watch("book-25", 1_000)
      yield* TestClock.adjust("2 seconds")
      yield* served.stopMarket
      yield* TestClock.adjust("1 second")
      yield* holds(deep.last, "book-25", 25)
    })).pipe(Effect.provide(Probe.layer({ latency: 20 }))))

  for (const connections of [1, 2] as const) {
    it.effect(`over a rotation, with ${connections} connections, each of both is Live`, () =>
      Probe.scoped(Effect.gen(function*() {
        const { events, feed, holds, served, take, watch } = yield* rig({ connections })
        const deep = yield* watch("book-25", 1_000)
        const shallow = yield* watch("book", 1_000)
        assert.deepStrictEqual(take(), Array.from({ length: connections }, () => "subscribe book 25"))
        const rotating = yield* Effect.forkScoped(feed.rotate)
        yield* TestClock.adjust("10 seconds")
        yield* Fiber.join(rotating)
        yield* served.stopMarket
        yield* TestClock.adjust("1 second")
        yield* holds(shallow.last, "book", 10)
        yield* holds(deep.last, "book-25", 25)
        assert.deepStrictEqual(states(shallow.told), ["Live"])
        assert.deepStrictEqual(states(deep.told), ["Live"])
        assert.deepStrictEqual(events.filter(isOf("Gap")), [])
        assert.deepStrictEqual([...new Set(take())], ["subscribe book 25"])
      })).pipe(Effect.provide(Probe.layer({ latency: 20 }))))
  }

  for (const seed of [1, 2, 3, 4, 5]) {
    it.effect(`depths that come and go by chance, and links that drop: at rest each is the venue's own, seed ${seed}`, () =>
      Probe.scoped(Effect.gen(function*() {
        const chance = Chance.make(seed)
        const { events, holds, served, take, watch } = yield* rig()
        const depths = new Map([["book", 10], ["book-25", 25], ["book-100", 40]])
        const open = new Map<string, Effect.Success<ReturnType<typeof watch>>>()
        for (let i = 0; i < 60; i++) {
          const channel = [...depths.keys()][chance.integer(3)] ?? "book"
          const watched = open.get(channel)
          if (chance.integer(10) === 0) yield* served.host.drop
          else if (watched === undefined) open.set(channel, yield* watch(channel, 1_000))
          else {
            open.delete(channel)
            yield* watched.end
          }
          yield* TestClock.adjust(chance.integer(500))
        }
        yield* TestClock.adjust("10 seconds")
        for (const channel of depths.keys()) {
          if (!open.has(channel)) open.set(channel, yield* watch(channel, 1_000))
        }
        yield* TestClock.adjust("5 seconds")
        yield* served.stopMarket
        yield* TestClock.adjust("1 second")
        for (const [channel, { last }] of open) yield* holds(last, channel, depths.get(channel) ?? 0)
        // Never was one asked for beside another.
        const asked = take()
        assert.isAbove(asked.length, 20)
        assert.deepStrictEqual(events.filter(isOf("VenueError")), [])
      })).pipe(Effect.provide(Probe.layer({ latency: 20 }))))
  }
})
