/** Several connections of one feed: nothing is lost that one of them had, and nothing is told twice. */
import { assert, describe, it } from "@effect/vitest"
import * as MarketEvent from "@tickline/core/event/MarketEvent"
import * as MarketFeed from "@tickline/core/market/MarketFeed"
import * as OrderBook from "@tickline/core/market/OrderBook"
import * as Presets from "@tickline/core/resilience/Presets"
import type * as Frame from "@tickline/core/transport/Frame"
import { Transport } from "@tickline/core/transport/Transport"
import * as Decimal from "@tickline/core/value/Decimal"
import type { Venue } from "@tickline/core/venue/Venue"
import * as Venues from "@tickline/core/venue/Venues"
import * as Chance from "@tickline/testing/Chance"
import * as MockVenue from "@tickline/testing/MockVenue"
import * as MockVenues from "@tickline/testing/MockVenues"
import * as Probe from "@tickline/testing/Probe"
import * as VirtualNetwork from "@tickline/testing/VirtualNetwork"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"

const endpoints = ["wss://a.test", "wss://b.test"] as const

const productOf = ({ name }: Venue): string => name === "deribit" || name === "dydx" ? "BTC-USD-PERP" : "BTC-USD"

/** What of the wire's events is known by an id or a number. */
const idOf = (venue: Venue) => (event: MarketEvent.MarketEvent): string | undefined => {
  if (event._tag === "Trade") return `trade ${event.tradeId}`
  return event._tag === "BookDelta" && venue.sequenced?.has("BookDelta") === true
    ? `delta ${event.sequence}`
    : undefined
}

/** The transport, over which data frames go missing by the endpoint's own chance, and what arrived on any connection. */
const lossy = Effect.fnUntraced(function*(
  venue: Venue,
  isLost: (endpoint: string, events: ReadonlyArray<MarketEvent.MarketEvent>) => boolean
) {
  const transport = yield* Transport
  const arrived = new Map<string, Set<string>>()
  const lets = (endpoint: string, frame: Frame.Frame): boolean => {
    const events = venue.decode(frame)
    if ("_tag" in events) return true
    const isData = events.some((event) => MarketEvent.isMarketData(event) && event._tag !== "BookSnapshot")
    if (isData && isLost(endpoint, events)) return false
    for (const event of events) {
      const id = idOf(venue)(event)
      // What a venue replays may be from before.
      if (id !== undefined && !("history" in event && event.history === true)) {
        arrived.set(id, (arrived.get(id) ?? new Set()).add(endpoint))
      }
    }
    return true
  }
  const wrapped: Transport["Service"] = {
    ...transport,
    dial: (request) =>
      Effect.map(transport.dial(request), (wire) => {
        const pull: typeof wire.pull = Effect.flatMap(wire.pull, (frames) => {
          const rest = frames.filter((frame) => lets(request.url, frame))
          return Arr.isReadonlyArrayNonEmpty(rest) ? Effect.succeed(rest) : pull
        })
        return { ...wire, pull }
      })
  }
  return { transport: wrapped, arrived }
})

const rig = Effect.fnUntraced(function*(
  name: string,
  isLost: (endpoint: string, events: ReadonlyArray<MarketEvent.MarketEvent>) => boolean = () => false,
  isKept = true
) {
  const venue = Venues.all.find((venue) => venue.name === name) ?? assert.fail(name)
  const mock = MockVenues.byName(name) ?? assert.fail(name)
  const network = yield* VirtualNetwork.Network
  const served = yield* MockVenue.serve(network, endpoints[0], mock, { every: "200 millis", also: [endpoints[1]] })
  const { arrived, transport } = yield* lossy(venue, isLost)
  const feed = yield* Effect.provideService(
    MarketFeed.prepare(venue, { url: endpoints[0], redundancy: { endpoints } }),
    Transport,
    transport
  )
  const product = productOf(venue)
  const events: Array<MarketEvent.AnyEvent> = []
  yield* feed.events({ overflow: "block" }).pipe(
    Stream.runForEachArray((all) => Effect.sync(() => void events.push(...all))),
    Effect.forkScoped({ startImmediately: true })
  )
  yield* feed.subscribe([yield* feed.channel("trade", product), yield* feed.channel("ticker", product)])
  yield* Effect.forkScoped(Effect.ignore(feed.connection.connect))
  const books: Array<OrderBook.OrderBook> = []
  if (isKept) yield* feed.observeBook(product, (book) => void books.push(book), { depth: 1_000 })
  return { arrived, books, events, feed, network, product, served, venue }
})

const states = (books: ReadonlyArray<OrderBook.OrderBook>): ReadonlyArray<string> => {
  const first = books.findIndex(OrderBook.isWhole)
  return [...new Set(books.slice(first).map(({ _tag }) => _tag))]
}

const gaps = (events: ReadonlyArray<MarketEvent.AnyEvent>) =>
  events.flatMap((event) => event._tag === "Gap" ? [event] : [])

const levels = (book: OrderBook.OrderBook | undefined): unknown =>
  book !== undefined && OrderBook.isWhole(book)
    ? [book.bids, book.asks].map((side) => side.map((level) => level.map(Decimal.format)))
    : book?._tag

const policy = {
  ...Presets.fast,
  circuit: "none" as const,
  retry: { maxRetries: "unlimited" as const, resetOn: "connect" as const }
}
const layer = (seed = 1, max = 90) => Probe.layer({ latency: { min: 5, max }, seed, policy })

const each = ["coinbase", "coinbase-exchange", "binance", "kraken", "deribit", "hyperliquid", "dydx"]

describe("redundancy", () => {
  for (const name of each) {
    for (const seed of [1, 2, 3]) {
      it.effect(`${name}, seed ${seed}: with faults of each its own, all that one of them had is told, once`, () =>
        Probe.scoped(Effect.gen(function*() {
          let isOver = false
          const chances = new Map(endpoints.map((endpoint, i) => [endpoint, Chance.make(seed * 10 + i)]))
          const { arrived, books, events, feed, network, product, served, venue } = yield* rig(
            name,
            (endpoint) => !isOver && (chances.get(endpoint as typeof endpoints[number])?.next() ?? 1) < 0.05
          )
          // Each drops by itself, again and again.
          const drops = Chance.make(seed)
          for (const host of served.hosts) {
            const drop = (): void => {
              if (isOver) return
              Effect.runSync(host.drop)
              network.schedule(5_000 + drops.integer(20_000), drop)
            }
            network.schedule(5_000 + drops.integer(20_000), drop)
          }
          yield* TestClock.adjust("2 minutes")
          isOver = true
          yield* TestClock.adjust("10 seconds")
          yield* served.stopMarket
          yield* TestClock.adjust("1 second")
          const told = events.flatMap((event) => MarketEvent.isMarketData(event) ? idOf(venue)(event) ?? [] : [])
          assert.strictEqual(new Set(told).size, told.length)
          assert.deepStrictEqual([...arrived.keys()].filter((id) => !told.includes(id)), [])
          assert.isAbove(told.length, 500)
          assert.isAbove([...arrived.values()].filter(({ size }) => size === 1).length, 20)
          assert.isAbove(gaps(events).filter(({ recovered }) => recovered === "redundant").length, 5)
          for (const { delivered, dropped, duplicates, isBalanced, received } of (yield* feed.ledger).entries) {
            assert.isTrue(isBalanced)
            assert.strictEqual(received, delivered + duplicates + dropped)
            if (received > 0) assert.isAbove(duplicates, 0)
          }
          const reports = yield* feed.legs
          assert.deepStrictEqual(reports.map(({ leg }) => leg).sort(), [1, 2])
          for (const report of reports) {
            assert.isTrue(report.isUp)
            assert.isAbove(report.first, 20)
            assert.isAbove(report.alone, 0)
            assert.isAbove(report.meanLeadMillis, 0)
            assert.isAtMost(report.meanLeadMillis, report.mostLeadMillis)
          }
          // At rest the book is what another feed is given.
          const other = yield* MarketFeed.prepare(venue, { url: endpoints[0] })
          yield* Effect.forkScoped(Effect.ignore(other.connection.connect))
          const whole = yield* Probe.record(other.book(product, { depth: 1_000 }))
          yield* TestClock.adjust("2 seconds")
          yield* served.trade(product)
          yield* TestClock.adjust("1 minute")
          // Nothing shows that a change is lost at Coinbase Exchange.
          if (name !== "coinbase-exchange") assert.deepStrictEqual(levels(books.at(-1)), levels(whole.at(-1)))
        })).pipe(Effect.provide(layer(seed, 500))))
    }
  }

  it.effect("a book stays live when the connection that it is told of loses a change, or drops", () =>
    Probe.scoped(Effect.gen(function*() {
      let lost: string | undefined
      const { books, events, feed, served } = yield* rig(
        "deribit",
        (endpoint, events) => lost === endpoint && events.some(({ _tag }) => _tag === "BookDelta") && (lost = "") === ""
      )
      // The second one is behind.
      yield* served.hosts[1]?.setLatency(500) ?? assert.fail("one host")
      yield* TestClock.adjust("5 seconds")
      lost = endpoints[0]
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(lost, "")
      lost = endpoints[1]
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(lost, "")
      for (const host of served.hosts) {
        yield* host.drop
        yield* TestClock.adjust("5 seconds")
      }
      assert.deepStrictEqual(states(books), ["Live"])
      const told = books.flatMap((book) => book._tag === "Live" ? [Number(book.sequence)] : [])
      assert.deepStrictEqual(told, [...told].sort((a, b) => a - b))
      // One that was told before the slower one had brought what was missing is known to be recovered in the ledger.
      const all = (yield* feed.ledger).entries.flatMap(({ gaps }) => gaps)
      // Trades that both have lost are fetched.
      const ways = new Set(["redundant", "backfill"])
      assert.deepStrictEqual(all.filter(({ recovered = "", to }) => !ways.has(recovered) || to === undefined), [])
      assert.deepStrictEqual([...new Set(gaps(events).map(({ cause }) => cause))].sort(), ["disconnect", "sequence"])
    })).pipe(Effect.provide(layer())))

  it.effect("changes without numbers follow one connection: when it drops, another one is asked for a snapshot", () =>
    Probe.scoped(Effect.gen(function*() {
      const { events, feed, product, served, venue } = yield* rig("coinbase", () => false, false)
      const book = yield* feed.channel("book", product)
      yield* feed.subscribe([book])
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual(gaps(events), [])
      yield* served.host.otherwise({ _tag: "Refuse" })
      yield* served.host.drop
      yield* TestClock.adjust("5 seconds")
      yield* served.stopMarket
      yield* TestClock.adjust("1 second")
      const [begun, ended, ...others] = gaps(events).filter(({ channel }) => channel === book.channel)
      assert.deepStrictEqual(others, [])
      assert.notProperty(begun, "to")
      assert.include(ended, { cause: "disconnect", recovered: "snapshot" })
      assert.strictEqual(ended?.from, begun?.from)
      // Trades have ids, and were not missed.
      assert.isTrue(
        gaps(events).filter(({ channel }) => channel !== book.channel).every(({ recovered }) =>
          recovered === "redundant"
        )
      )
      // Whoever folds what is told has the book.
      const sides = { bids: new Map<string, string>(), asks: new Map<string, string>() }
      for (const event of events) {
        if (event._tag !== "BookSnapshot" && event._tag !== "BookDelta") continue
        for (const side of ["bids", "asks"] as const) {
          if (event._tag === "BookSnapshot") sides[side].clear()
          for (const [price, size] of event[side]) {
            if (size.value === 0n) sides[side].delete(Decimal.format(price))
            else sides[side].set(Decimal.format(price), Decimal.format(size))
          }
        }
      }
      const other = yield* MarketFeed.prepare(venue, { url: endpoints[1] })
      yield* Effect.forkScoped(Effect.ignore(other.connection.connect))
      const whole = yield* Probe.record(other.book(product, { depth: 1_000 }))
      yield* TestClock.adjust("2 seconds")
      const last = whole.at(-1)
      if (last === undefined || !OrderBook.isWhole(last)) return assert.fail("no book")
      for (const side of ["bids", "asks"] as const) {
        const sent = last[side].map((level) => level.map(Decimal.format))
        assert.deepStrictEqual([...sides[side]].sort(), sent.sort())
      }
    })).pipe(Effect.provide(layer())))

  it.effect("one after the other is dialled anew, and one is always up", () =>
    Probe.scoped(Effect.gen(function*() {
      const { books, events, feed, served } = yield* rig("binance")
      const moved = yield* Probe.states(feed.connection)
      yield* TestClock.adjust("5 seconds")
      const dialling = yield* Effect.forkScoped(feed.connection.reconnect)
      yield* TestClock.adjust("10 seconds")
      yield* Fiber.join(dialling)
      assert.deepStrictEqual(served.hosts.map(({ dials }) => dials.length), [2, 2])
      assert.deepStrictEqual(moved.map(({ state }) => state), ["Connecting", "Connecting", "Connected"])
      assert.deepStrictEqual(states(books), ["Live"])
      assert.deepStrictEqual(gaps(events).filter(({ recovered }) => recovered !== "redundant"), [])
    })).pipe(Effect.provide(layer())))

  it.effect("each of several is rotated, and the others stay", () =>
    Probe.scoped(Effect.gen(function*() {
      const { books, events, feed, served } = yield* rig("binance")
      yield* TestClock.adjust("5 seconds")
      const rotating = yield* Effect.forkScoped(feed.rotate)
      yield* TestClock.adjust("20 seconds")
      assert.deepStrictEqual((yield* Fiber.join(rotating)).map(({ from, to }) => [from, to]), [[1, 3], [2, 4]])
      assert.deepStrictEqual(served.hosts.map((host) => host.peers().length), [1, 1])
      assert.deepStrictEqual((yield* feed.legs).map(({ isUp, leg }) => [leg, isUp]), [[3, true], [4, true]])
      assert.deepStrictEqual(states(books), ["Live"])
      assert.deepStrictEqual(gaps(events), [])
    })).pipe(Effect.provide(layer())))

  it.effect("a feed fails when the last of its connections has, and not before", () =>
    Probe.scoped(Effect.gen(function*() {
      const { feed, served } = yield* rig("binance")
      const ends = yield* Effect.forkScoped(Stream.runDrain(feed.connection.messages({ overflow: "drop-oldest" })))
      yield* TestClock.adjust("5 seconds")
      for (const host of served.hosts) {
        assert.isTrue(yield* feed.connection.isConnected)
        yield* host.otherwise({ _tag: "Refuse" })
        yield* host.drop
        assert.isUndefined(ends.pollUnsafe())
        yield* TestClock.adjust("1 minute")
      }
      assert.strictEqual((yield* Effect.flip(Fiber.join(ends)))._tag, "ConnectionAborted")
      assert.strictEqual((yield* feed.connection.state.current)._tag, "Failed")
      // They come back when they are asked to.
      for (const host of served.hosts) yield* host.otherwise({ _tag: "Accept" })
      yield* Effect.forkScoped(feed.connection.connect)
      yield* TestClock.adjust("5 seconds")
      assert.deepStrictEqual((yield* feed.legs).map(({ isUp }) => isUp), [true, true])
    })).pipe(Effect.provide(Probe.layer({
      latency: 20,
      policy: { ...policy, retry: { maxRetries: 2, resetOn: "connect" } }
    }))))

  it.effect("one that is up and delivers nothing covers nothing", () =>
    Probe.scoped(Effect.gen(function*() {
      const { events, served } = yield* rig("kraken", () => false, false)
      const [a, b] = served.hosts
      yield* b?.otherwise({ _tag: "Refuse" }) ?? assert.fail("one host")
      yield* TestClock.adjust("5 seconds")
      yield* served.withhold("acknowledgement", true)
      yield* served.withhold("data", true)
      yield* b?.otherwise({ _tag: "Accept" }) ?? assert.fail("one host")
      yield* TestClock.adjust("3 seconds")
      assert.deepStrictEqual(served.hosts.map((host) => host.peers().length), [1, 1])
      yield* a?.drop ?? assert.fail("no host")
      yield* TestClock.adjust("50 millis")
      assert.deepStrictEqual(gaps(events).map(({ cause, recovered, to }) => [cause, recovered, to]), [
        ["disconnect", undefined, undefined],
        ["disconnect", undefined, undefined]
      ])
    })).pipe(Effect.provide(layer())))

  it.effect("a feed is connected when the first of its connections is, and not when none can be", () =>
    Probe.scoped(Effect.gen(function*() {
      const network = yield* VirtualNetwork.Network
      const hosts = yield* Effect.forEach(endpoints, (endpoint) => network.serve(endpoint))
      const venue = Venues.all.find(({ name }) => name === "kraken") ?? assert.fail("no venue")
      const feed = yield* MarketFeed.prepare(venue, { redundancy: { endpoints } })
      yield* hosts[0]?.otherwise({ _tag: "Hang" }) ?? assert.fail("no host")
      const connecting = yield* Effect.forkScoped(feed.connection.connect)
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(connecting)
      assert.deepStrictEqual((yield* feed.legs).map(({ isUp, leg }) => [leg, isUp]), [[1, false], [2, true]])
      yield* Effect.forkScoped(feed.connection.close())
      yield* TestClock.adjust("1 minute")
      for (const host of hosts) yield* host.otherwise({ _tag: "Refuse" })
      const failing = yield* Effect.forkScoped(Effect.flip(feed.connection.connect))
      yield* TestClock.adjust("1 minute")
      assert.strictEqual((yield* Fiber.join(failing))._tag, "ConnectionAborted")
    })).pipe(Effect.provide(Probe.layer({
      latency: 20,
      policy: { ...policy, retry: { maxRetries: 2, resetOn: "connect" } }
    }))))

  it.effect("one endpoint that is never there keeps nothing back", () =>
    Probe.scoped(Effect.gen(function*() {
      const { books, events, feed, served } = yield* rig("binance")
      yield* served.hosts[1]?.otherwise({ _tag: "Refuse" }) ?? assert.fail("one host")
      yield* TestClock.adjust("5 seconds")
      assert.isTrue(yield* feed.connection.isConnected)
      assert.strictEqual((yield* feed.connection.state.current)._tag, "Connected")
      assert.deepStrictEqual(states(books), ["Live"])
      assert.deepStrictEqual(gaps(events), [])
      assert.isAbove(events.filter(({ _tag }) => _tag === "Trade").length, 10)
      // It comes, and the other one goes.
      yield* served.hosts[1]?.otherwise({ _tag: "Accept" }) ?? assert.fail("one host")
      yield* TestClock.adjust("5 seconds")
      yield* served.host.otherwise({ _tag: "Refuse" })
      yield* served.host.drop
      yield* TestClock.adjust("5 seconds")
      assert.isTrue(yield* feed.connection.isConnected)
      assert.deepStrictEqual(states(books), ["Live"])
      const ids = events.flatMap((event) => event._tag === "Trade" ? [Number(event.tradeId)] : []).sort((a, b) => a - b)
      assert.deepStrictEqual(ids, ids.map((_, i) => (ids[0] ?? 0) + i))
    })).pipe(Effect.provide(layer())))
})
