/** A feed's connection is replaced before it ends: nothing is lost or doubled by it, and no book leaves `Live`. */
import { assert, describe, it } from "@effect/vitest"
import type * as Lifecycle from "@tickline/core/event/Lifecycle"
import type * as MarketEvent from "@tickline/core/event/MarketEvent"
import * as MarketFeed from "@tickline/core/market/MarketFeed"
import type * as Rotation from "@tickline/core/market/Rotation"
import * as Presets from "@tickline/core/resilience/Presets"
import type { Venue } from "@tickline/core/venue/Venue"
import * as Venues from "@tickline/core/venue/Venues"
import * as MockVenue from "@tickline/testing/MockVenue"
import * as MockVenues from "@tickline/testing/MockVenues"
import * as Probe from "@tickline/testing/Probe"
import * as VirtualNetwork from "@tickline/testing/VirtualNetwork"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import * as PrometheusMetrics from "effect/observability/PrometheusMetrics"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"

const productOf = ({ name }: Venue): string => name === "deribit" || name === "dydx" ? "BTC-USD-PERP" : "BTC-USD"

const rig = Effect.fnUntraced(function*(
  name: string,
  options: {
    readonly every?: Duration.Input
    readonly rotation?: Rotation.Policy
    readonly isKept?: boolean
  } = {}
) {
  const venue = Venues.all.find((venue) => venue.name === name) ?? assert.fail(name)
  const mock = MockVenues.byName(name) ?? assert.fail(name)
  const network = yield* VirtualNetwork.Network
  const served = yield* MockVenue.serve(network, "wss://venue.test", mock, { every: options.every ?? "100 millis" })
  const feed = yield* MarketFeed.prepare(venue, {
    url: served.url,
    ...(options.rotation === undefined ? {} : { rotation: options.rotation })
  })
  const product = productOf(venue)
  const events: Array<MarketEvent.AnyEvent> = []
  yield* feed.events({ overflow: "block" }).pipe(
    Stream.runForEachArray((all) => Effect.sync(() => void events.push(...all))),
    Effect.forkScoped({ startImmediately: true })
  )
  yield* feed.subscribe([
    yield* feed.channel("trade", product),
    yield* feed.channel("ticker", product)
  ])
  yield* Effect.forkScoped(Effect.ignore(feed.connection.connect))
  const books: Array<string> = []
  if (options.isKept !== false) yield* feed.observeBook(product, ({ _tag }) => void books.push(_tag))
  // A typed stream goes on over rotations, too.
  const trades = yield* Probe.record(feed.trades(product, { overflow: "block" }))
  return { venue, served, feed, events, books, product, trades }
})

type Told = ReadonlyArray<MarketEvent.AnyEvent>

const rotations = (events: Told): ReadonlyArray<Lifecycle.Rotated> =>
  events.flatMap((event) => event._tag === "Rotated" ? [event] : [])

const gaps = (events: Told): ReadonlyArray<Lifecycle.Gap> =>
  events.flatMap((event) => event._tag === "Gap" ? [event] : [])

/** The ids of the trades that are no history, in the order in which they were told. */
const tradeIds = (events: Told): ReadonlyArray<string> =>
  events.flatMap((event) => event._tag === "Trade" && event.history !== true ? [event.tradeId ?? "none"] : [])

const isEach = (ids: ReadonlyArray<string>): void => {
  const first = Number(ids[0])
  assert.deepStrictEqual(ids, ids.map((_, index) => String(first + index)))
}

/** Each change of a book follows the one before. */
const isChain = (events: Told): void => {
  const deltas = events.flatMap((event) => event._tag === "BookDelta" ? [event] : [])
  assert.isAbove(deltas.length, 1)
  for (const [index, { firstSequence }] of deltas.entries()) {
    const before = deltas[index - 1]
    if (before !== undefined) assert.strictEqual(firstSequence, String(Number(before.sequence) + 1))
  }
}

const live = (
  books: ReadonlyArray<string>
): ReadonlyArray<string> => [
  ...new Set(books.slice(books.findIndex((state) => state === "Live" || state === "Unverified")))
]

const layer = Probe.layer({ latency: { min: 5, max: 80 }, seed: 3 })

describe("rotation", () => {
  it.effect(
    "72 hours on a session limit of 24: nothing is lost or doubled, and the book stays live",
    () =>
      Probe.scoped(Effect.gen(function*() {
        const { books, events, feed, served } = yield* rig("binance", { every: "20 seconds" })
        yield* TestClock.adjust("72 hours")
        yield* served.stopMarket
        yield* TestClock.adjust("1 minute")
        assert.deepStrictEqual(
          rotations(events).map(({ from, reason, to }) => [from, to, reason]),
          [[1, 2, "session limit"], [2, 3, "session limit"], [3, 4, "session limit"]]
        )
        assert.deepStrictEqual(gaps(events), [])
        const ids = tradeIds(events)
        assert.isAbove(ids.length, 12_900)
        isEach(ids)
        isChain(events)
        assert.deepStrictEqual(live(books), ["Live"])
        const tickers = events.flatMap((event) => event._tag === "Ticker" ? [event.timestamp] : [])
        assert.strictEqual(new Set(tickers).size, tickers.length)
        assert.strictEqual(served.host.dials.length, 4)
        assert.strictEqual(served.host.peers().length, 1)
        for (const entry of (yield* feed.ledger).entries) {
          assert.isTrue(entry.isBalanced)
          assert.strictEqual(entry.delivered + entry.duplicates, entry.received)
          assert.isAbove(entry.liveMillis, 71.9 * 3_600_000)
        }
      })).pipe(Effect.provide(layer)),
    120_000
  )

  for (const { name } of Venues.all.filter(({ name }) => MockVenues.byName(name) !== undefined && name !== "generic")) {
    it.effect(`${name}: by hand, every trade comes once and the book stays whole`, () =>
      Probe.scoped(Effect.gen(function*() {
        const { books, events, feed, served, trades, venue } = yield* rig(name)
        yield* TestClock.adjust("5 seconds")
        const rotating = yield* Effect.forkScoped(feed.rotate)
        yield* TestClock.adjust("10 seconds")
        assert.deepStrictEqual((yield* Fiber.join(rotating)).map(({ from, to }) => [from, to]), [[1, 2]])
        yield* served.stopMarket
        yield* TestClock.adjust("5 seconds")
        const ids = tradeIds(events)
        assert.isAbove(ids.length, 100)
        assert.strictEqual(new Set(ids).size, ids.length)
        // Deribit's and dYdX's ids are of a form of their own; the mocks number their trades.
        const numbers = ids.map((id) => Number(/(\d+)$/.exec(id)?.[1]))
        if (name !== "dydx" && name !== "hyperliquid") {
          assert.strictEqual((numbers.at(-1) ?? 0) - (numbers[0] ?? 0) + 1, numbers.length)
        }
        const times = events.flatMap((event) => event._tag === "Ticker" ? event.timestamp?.toString() ?? [] : [])
        assert.strictEqual(new Set(times).size, times.length)
        assert.deepStrictEqual(trades.map(({ tradeId }) => tradeId).slice(-100), ids.slice(-100))
        assert.deepStrictEqual(gaps(events), [])
        assert.strictEqual(live(books).length, 1, live(books).join())
        // Changes without numbers go on with the snapshot of the new connection.
        if (venue.sequenced?.has("BookDelta") !== true && events.some(({ _tag }) => _tag === "BookDelta")) {
          assert.strictEqual(events.filter(({ _tag }) => _tag === "BookSnapshot").length, 2)
        }
        assert.strictEqual(served.host.peers().length, 1)
      })).pipe(Effect.provide(layer)))
  }

  it.effect("the venue's announcement of its end is followed by a rotation, and by no gap", () =>
    Probe.scoped(Effect.gen(function*() {
      const { books, events, served } = yield* rig("binance")
      yield* TestClock.adjust("5 seconds")
      yield* served.shutDown("10 seconds")
      yield* TestClock.adjust("20 seconds")
      yield* served.stopMarket
      yield* TestClock.adjust("1 second")
      assert.deepStrictEqual(rotations(events).map(({ reason }) => reason), ["serverShutdown"])
      assert.deepStrictEqual(gaps(events), [])
      isEach(tradeIds(events))
      isChain(events)
      assert.deepStrictEqual(live(books), ["Live"])
    })).pipe(Effect.provide(layer)))

  it.effect("a new connection that does not come up leaves the old one, and another is tried", () =>
    Probe.scoped(Effect.gen(function*() {
      const { books, events, feed, served } = yield* rig("binance", { rotation: { again: "20 seconds" } })
      yield* TestClock.adjust("5 seconds")
      yield* served.host.otherwise({ _tag: "Refuse" })
      const rotating = yield* Effect.forkScoped(feed.rotate)
      yield* TestClock.adjust("30 seconds")
      assert.deepStrictEqual(rotations(events), [])
      assert.strictEqual(served.host.peers().length, 1)
      assert.isAbove(served.host.dials.length, 5)
      yield* served.host.otherwise({ _tag: "Accept" })
      yield* TestClock.adjust("3 minutes")
      const [rotated] = yield* Fiber.join(rotating)
      assert.strictEqual(rotated?.from, 1)
      yield* served.stopMarket
      yield* TestClock.adjust("1 second")
      assert.strictEqual(served.host.peers().length, 1)
      assert.deepStrictEqual(gaps(events), [])
      isEach(tradeIds(events))
      assert.deepStrictEqual(live(books), ["Live"])
    })).pipe(Effect.provide(Probe.layer({
      latency: 20,
      policy: { ...Presets.fast, circuit: "none", retry: { maxRetries: 2, resetOn: "connect" } }
    }))))

  it.effect("a connection is named where there are several, and not where there is one", () =>
    Probe.scoped(Effect.gen(function*() {
      const { events, feed } = yield* rig("binance")
      const states = yield* Probe.states(feed.connection)
      yield* TestClock.adjust("5 seconds")
      yield* Effect.forkScoped(feed.rotate)
      yield* TestClock.adjust("20 seconds")
      assert.deepStrictEqual(
        events.flatMap((event) => event._tag === "Connection" ? [`${event.leg ?? ""} ${event.state}`] : []),
        [" Connecting", " Connected", "2 Connecting", "2 Connected", "1 Closing", "1 Disconnected"]
      )
      // For whoever asks for the state it was up all the while.
      assert.isTrue(yield* feed.connection.isConnected)
      assert.deepStrictEqual(states.map(({ state }) => state), ["Connecting", "Connected"])
      assert.include(yield* PrometheusMetrics.format(), "\ntickline_connected{connection=\"binance\"} 1\n")
      assert.deepStrictEqual((yield* feed.legs).map(({ isUp, leg }) => [leg, isUp]), [[2, true]])
    })).pipe(Effect.provide(layer), Effect.provideService(Metric.MetricRegistry, new Map())))

  it.effect("a book whose snapshot is slow holds the old connection back", () =>
    Probe.scoped(Effect.gen(function*() {
      const { books, events, feed, served } = yield* rig("binance", { rotation: { overlap: 0 } })
      yield* TestClock.adjust("5 seconds")
      yield* served.rest.setLatency(4_000)
      const rotating = yield* Effect.forkScoped(feed.rotate)
      yield* TestClock.adjust("7 seconds")
      assert.strictEqual(served.host.peers().length, 2)
      assert.deepStrictEqual(rotations(events), [])
      yield* TestClock.adjust("10 seconds")
      assert.strictEqual((yield* Fiber.join(rotating)).length, 1)
      assert.strictEqual(served.host.peers().length, 1)
      assert.deepStrictEqual(live(books), ["Live"])
      isEach(tradeIds(events))
    })).pipe(Effect.provide(layer)))

  it.effect("a channel that is answered late holds the old connection back", () =>
    Probe.scoped(Effect.gen(function*() {
      const { events, feed, served } = yield* rig("kraken", { isKept: false, rotation: { overlap: 0 } })
      yield* TestClock.adjust("5 seconds")
      yield* served.withhold("acknowledgement", true)
      yield* served.withhold("data", true)
      yield* Effect.forkScoped(feed.rotate)
      yield* TestClock.adjust("3 seconds")
      assert.strictEqual(served.host.peers().length, 2)
      assert.deepStrictEqual(rotations(events), [])
      // Data is an answer, too.
      yield* served.withhold("data", false)
      yield* served.withhold("acknowledgement", false)
      yield* TestClock.adjust("20 seconds")
      assert.strictEqual(rotations(events).length, 1)
      // What the venue kept to itself is missing, and nothing else.
      assert.deepStrictEqual(gaps(events).filter(({ cause }) => cause === "disconnect"), [])
    })).pipe(Effect.provide(layer)))

  it.effect("a connection is replaced when the policy says so", () =>
    Probe.scoped(Effect.gen(function*() {
      const hourly = yield* rig("kraken", { every: "1 minute", rotation: { when: { after: "1 hour" } } })
      yield* TestClock.adjust("150 minutes")
      assert.deepStrictEqual(rotations(hourly.events).map(({ from, to }) => [from, to]), [[1, 2], [2, 3]])
    })).pipe(Effect.provide(layer)))

  it.effect("a policy may say never, and a time before the end that is most of a session is half of it", () =>
    Probe.scoped(Effect.gen(function*() {
      const never = yield* rig("binance", { every: "1 minute", rotation: { when: "never" } })
      yield* TestClock.adjust("24 hours")
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(rotations(never.events), [])
      assert.isNotEmpty(gaps(never.events))
    })).pipe(
      Effect.andThen(Probe.scoped(Effect.gen(function*() {
        const early = yield* rig("binance", { every: "1 minute", rotation: { when: { before: "23 hours" } } })
        yield* TestClock.adjust("13 hours")
        assert.strictEqual(rotations(early.events).length, 1)
      }))),
      Effect.provide(layer)
    ))

  it.effect("what announces its end while it comes up is replaced when it has taken over", () =>
    Probe.scoped(Effect.gen(function*() {
      const { books, events, feed, served } = yield* rig("binance")
      yield* TestClock.adjust("5 seconds")
      yield* Effect.forkScoped(feed.rotate)
      yield* TestClock.adjust("1 second")
      assert.strictEqual(served.host.peers().length, 2)
      yield* served.shutDown("30 seconds")
      yield* TestClock.adjust("40 seconds")
      assert.deepStrictEqual(
        rotations(events).map(({ from, reason, to }) => [from, to, reason]),
        [[1, 2, "manual"], [2, 3, "serverShutdown"]]
      )
      assert.deepStrictEqual(gaps(events), [])
      isEach(tradeIds(events))
      assert.deepStrictEqual(live(books), ["Live"])
    })).pipe(Effect.provide(layer)))

  it.effect("a feed that is closed as it begins to rotate stays closed", () =>
    Probe.scoped(Effect.gen(function*() {
      const { feed, served } = yield* rig("binance")
      yield* TestClock.adjust("5 seconds")
      const rotating = yield* Effect.forkScoped(feed.rotate)
      yield* Effect.forkScoped(feed.connection.close())
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* Effect.flip(Fiber.join(rotating))).reason, "closed")
      assert.strictEqual(served.host.peers().length, 0)
      assert.strictEqual((yield* feed.connection.state.current)._tag, "Disconnected")
    })).pipe(Effect.provide(layer)))

  it.effect("the old connection drops while the new one comes up: a gap that ends when that is live", () =>
    Probe.scoped(Effect.gen(function*() {
      const { books, events, feed, served } = yield* rig("binance")
      yield* TestClock.adjust("5 seconds")
      const rotating = yield* Effect.forkScoped(feed.rotate)
      // The new one is dialled, and not up yet.
      yield* TestClock.adjust("10 millis")
      const [old] = served.host.peers()
      yield* old?.drop ?? assert.fail("no connection")
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual((yield* Fiber.join(rotating)).length, 1)
      const told = gaps(events)
      assert.isNotEmpty(told)
      assert.strictEqual(told.filter(({ to }) => to !== undefined).length, told.length / 2)
      assert.strictEqual(served.host.peers().length, 1)
      const ids = tradeIds(events)
      assert.strictEqual(new Set(ids).size, ids.length)
      assert.strictEqual(books.at(-1), "Live")
    })).pipe(Effect.provide(layer)))

  it.effect("the old connection drops when the new one is live: no trade is missed", () =>
    Probe.scoped(Effect.gen(function*() {
      const { books, events, feed, served } = yield* rig("binance")
      yield* TestClock.adjust("5 seconds")
      const rotating = yield* Effect.forkScoped(feed.rotate)
      yield* TestClock.adjust("1500 millis")
      const [old, by] = served.host.peers()
      assert.isDefined(by)
      yield* old?.drop ?? assert.fail("no connection")
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual((yield* Fiber.join(rotating)).length, 1)
      yield* served.stopMarket
      yield* TestClock.adjust("1 second")
      const told = gaps(events)
      assert.strictEqual(told.length, 3)
      for (const gap of told) assert.include(gap, { cause: "disconnect", recovered: "redundant" })
      isEach([...tradeIds(events)].sort((a, b) => Number(a) - Number(b)))
      assert.deepStrictEqual(live(books), ["Live"])
    })).pipe(Effect.provide(layer)))

  it.effect("the new connection drops in the overlap: the old one stays until it is live again", () =>
    Probe.scoped(Effect.gen(function*() {
      const { books, events, feed, served } = yield* rig("binance")
      yield* TestClock.adjust("5 seconds")
      const rotating = yield* Effect.forkScoped(feed.rotate)
      yield* TestClock.adjust("1500 millis")
      const [, by] = served.host.peers()
      yield* by?.drop ?? assert.fail("no second connection")
      yield* served.host.otherwise({ _tag: "Refuse" })
      yield* TestClock.adjust("2200 millis")
      assert.deepStrictEqual(rotations(events), [])
      yield* served.host.otherwise({ _tag: "Accept" })
      yield* TestClock.adjust("30 seconds")
      assert.strictEqual((yield* Fiber.join(rotating)).length, 1)
      yield* served.stopMarket
      yield* TestClock.adjust("1 second")
      isEach(tradeIds(events))
      isChain(events)
      assert.deepStrictEqual(live(books), ["Live"])
      assert.deepStrictEqual(gaps(events).filter(({ recovered }) => recovered !== "redundant"), [])
    })).pipe(Effect.provide(layer)))

  it.effect("what the new connection brings late is there already", () =>
    Probe.scoped(Effect.gen(function*() {
      const { events, feed, served } = yield* rig("binance")
      yield* TestClock.adjust("5 seconds")
      // Only what is dialled from now on is as slow.
      const network = yield* VirtualNetwork.Network
      const rotating = yield* Effect.forkScoped(feed.rotate)
      yield* served.host.setLatency(700)
      network.schedule(2_000, () => Effect.runSync(served.host.setLatency(undefined)))
      yield* TestClock.adjust("20 seconds")
      assert.strictEqual((yield* Fiber.join(rotating)).length, 1)
      yield* served.stopMarket
      yield* TestClock.adjust("1 second")
      isEach(tradeIds(events))
      isChain(events)
      assert.deepStrictEqual(gaps(events), [])
    })).pipe(Effect.provide(layer)))

  it.effect("a feed that is being closed makes no new connection", () =>
    Probe.scoped(Effect.gen(function*() {
      const { feed, served } = yield* rig("binance", { rotation: { again: "20 seconds" } })
      yield* TestClock.adjust("5 seconds")
      yield* served.host.otherwise({ _tag: "Refuse" })
      const rotating = yield* Effect.forkScoped(feed.rotate)
      yield* TestClock.adjust("19 seconds")
      const dials = served.host.dials.length
      yield* served.host.otherwise({ _tag: "Accept" })
      // The close takes its time, and within it another one would be tried.
      for (const peer of served.host.peers()) yield* peer.freeze
      yield* Effect.forkScoped(feed.connection.close())
      yield* TestClock.adjust("1 minute")
      assert.strictEqual(served.host.dials.length, dials)
      assert.strictEqual((yield* Effect.flip(Fiber.join(rotating))).reason, "closed")
      assert.strictEqual((yield* feed.connection.state.current)._tag, "Disconnected")
    })).pipe(Effect.provide(Probe.layer({
      latency: 20,
      policy: { ...Presets.fast, circuit: "none", retry: { maxRetries: 0, resetOn: "connect" } }
    }))))

  it.effect("what the new connection is refused ends its stream, when the old one is gone", () =>
    Probe.scoped(Effect.gen(function*() {
      const { feed, product, served } = yield* rig("kraken", { isKept: false })
      yield* TestClock.adjust("5 seconds")
      const trades = yield* Effect.forkScoped(Effect.flip(Stream.runDrain(feed.trades(product))))
      yield* TestClock.adjust("1 second")
      yield* served.delist(product, true)
      yield* Effect.forkScoped(feed.rotate)
      yield* TestClock.adjust("1 second")
      assert.isUndefined(trades.pollUnsafe())
      yield* TestClock.adjust("20 seconds")
      assert.strictEqual((yield* Fiber.join(trades))._tag, "SubscriptionRefused")
    })).pipe(Effect.provide(layer)))

  it.effect("a feed that is not connected has nothing to replace, and one that is closed meanwhile has no more", () =>
    Probe.scoped(Effect.gen(function*() {
      const { feed, served } = yield* rig("binance")
      assert.strictEqual((yield* Effect.flip(feed.rotate)).reason, "not connected")
      yield* TestClock.adjust("5 seconds")
      yield* served.host.otherwise({ _tag: "Hang" })
      const rotating = yield* Effect.forkScoped(feed.rotate)
      yield* TestClock.adjust("1 second")
      yield* Effect.forkScoped(feed.connection.close())
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* Effect.flip(Fiber.join(rotating))).reason, "closed")
      assert.strictEqual(served.host.peers().length, 0)
      assert.strictEqual((yield* feed.connection.state.current)._tag, "Disconnected")
    })).pipe(Effect.provide(layer)))
})
