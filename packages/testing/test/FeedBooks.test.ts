/** Order books of a feed, over the virtual network, with frames that go missing between the venue and us. */
import { assert, describe, it } from "@effect/vitest"
import * as Lifecycle from "@tickline/core/event/Lifecycle"
import * as MarketFeed from "@tickline/core/market/MarketFeed"
import * as OrderBook from "@tickline/core/market/OrderBook"
import type * as Frame from "@tickline/core/transport/Frame"
import { HttpPort } from "@tickline/core/transport/HttpPort"
import { Transport } from "@tickline/core/transport/Transport"
import * as Decimal from "@tickline/core/value/Decimal"
import type { Venue } from "@tickline/core/venue/Venue"
import * as Venues from "@tickline/core/venue/Venues"
import * as MockVenue from "@tickline/testing/MockVenue"
import * as MockVenues from "@tickline/testing/MockVenues"
import * as Probe from "@tickline/testing/Probe"
import * as VirtualNetwork from "@tickline/testing/VirtualNetwork"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"

/** Of the frames that a wire brings, those that are let through. */
interface Loss {
  isLost: (frame: Frame.Frame) => boolean
}

/** The transport that there is, over which frames go missing. */
const lossy = (loss: Loss): Effect.Effect<Transport["Service"], never, Transport> =>
  Effect.map(Transport, (transport) => ({
    ...transport,
    dial: (request) =>
      Effect.map(transport.dial(request), (wire) => {
        const pull: typeof wire.pull = Effect.flatMap(wire.pull, (frames) => {
          const rest = frames.filter((frame) => !loss.isLost(frame))
          return Arr.isReadonlyArrayNonEmpty(rest) ? Effect.succeed(rest) : pull
        })
        return { ...wire, pull }
      })
  }))

const product = "BTC-USD"
const names = (venue: Venue): string => venue.name === "deribit" || venue.name === "dydx" ? "BTC-USD-PERP" : product

const levels = (book: OrderBook.OrderBook): unknown =>
  OrderBook.isWhole(book)
    ? [book.bids, book.asks].map((side) => side.map((level) => level.map(Decimal.format)))
    : book._tag

const isDelta = (venue: Venue) => (frame: Frame.Frame): boolean => {
  const events = venue.decode(frame)
  return "_tag" in events ? false : events.some(({ _tag }) => _tag === "BookDelta")
}

describe("books of a feed", () => {
  it.effect("a consumer that is slow is given each book as it is then, not as it was when it was ready for another", () =>
    Probe.scoped(Effect.gen(function*() {
      const network = yield* VirtualNetwork.Network
      const venue = Venues.all.find(({ name }) => name === "deribit") ?? assert.fail("deribit")
      const mock = MockVenues.byName(venue.name) ?? assert.fail(venue.name)
      const served = yield* MockVenue.serve(network, "wss://venue.test", mock, { every: "10 millis" })
      const feed = yield* MarketFeed.prepare(venue, { url: served.url })
      yield* Effect.forkScoped(feed.connection.connect)
      let newest: OrderBook.OrderBook | undefined
      yield* feed.observeBook(names(venue), (book) => void (newest = book))
      const given: Array<boolean> = []
      yield* feed.book(names(venue)).pipe(
        Stream.runForEach((book) =>
          Effect.andThen(
            Effect.sync(() => given.push(book.sequence === newest?.sequence && book._tag === newest?._tag)),
            Effect.sleep("1 second")
          )
        ),
        Effect.forkScoped
      )
      yield* TestClock.adjust("10 seconds")
      assert.deepStrictEqual(given.slice(1), Array.from({ length: given.length - 1 }, () => true))
      assert.isAbove(given.length, 8)
    })).pipe(Effect.provide(Probe.layer({ latency: 20 }))))

  for (const name of ["kraken", "deribit", "coinbase", "dydx", "binance"]) {
    const venue = Venues.all.find((venue) => venue.name === name) ?? assert.fail(name)
    const mock = MockVenues.byName(name) ?? assert.fail(name)

    it.effect(`${name}: a frame that is lost is a gap, and the book is asked for anew and whole again`, () =>
      Probe.scoped(Effect.gen(function*() {
        const network = yield* VirtualNetwork.Network
        const served = yield* MockVenue.serve(network, "wss://venue.test", mock, { every: "100 millis" })
        const loss: Loss = { isLost: () => false }
        const transport = yield* lossy(loss)
        const feed = yield* MarketFeed.prepare(venue, { url: served.url }).pipe(
          Effect.provideService(Transport, transport),
          Effect.provideService(HttpPort, network.http)
        )
        yield* Effect.forkScoped(feed.connection.connect)
        const told: Array<OrderBook.OrderBook> = []
        yield* feed.observeBook(names(venue), (book) => void told.push(book), { depth: 1_000 })
        const gaps = yield* Probe.record(Stream.filter(feed.events(), (event) => event instanceof Lifecycle.Gap))
        yield* TestClock.adjust("5 seconds")
        // Only a snapshot that is asked for over HTTP is waited for.
        const first = told.findIndex(({ _tag }) => _tag === "Live")
        assert.isAtMost(first, venue.rest?.book === undefined ? 0 : 2)
        assert.deepStrictEqual(told.slice(first).map(({ _tag }) => _tag).filter((tag) => tag !== "Live"), [])
        assert.isAbove(told.length, 20)
        assert.deepStrictEqual(gaps, [])

        // One change of the book is lost.
        let lost = 0
        loss.isLost = (frame) => lost === 0 && isDelta(venue)(frame) && ++lost === 1
        const before = told.length
        yield* TestClock.adjust("5 seconds")
        assert.strictEqual(lost, 1)
        const states = told.slice(before).map(({ _tag }) => _tag)
        assert.strictEqual(states.filter((state) => state === "Gapped").length, 1)
        assert.strictEqual(states.at(-1), "Live")
        const [begun, ended, ...others] = gaps
        assert.deepStrictEqual(others, [])
        assert.include(begun, { cause: venue.continuity === "state" ? "checksum" : "sequence" })
        assert.notProperty(begun, "to")
        assert.include(ended, { recovered: "snapshot" })
        assert.property(ended, "to")

        // At rest it is what another connection is given as a whole.
        yield* served.stopMarket
        yield* TestClock.adjust("1 second")
        const other = yield* Effect.provideService(
          MarketFeed.prepare(venue, { url: served.url }),
          HttpPort,
          network.http
        )
        yield* Effect.forkScoped(other.connection.connect)
        const books = yield* Probe.record(other.book(names(venue), { depth: 1_000 }))
        yield* TestClock.adjust("1 second")
        // A snapshot over HTTP is asked for when there is a change to apply to it.
        yield* served.trade(names(venue))
        yield* TestClock.adjust("1 second")
        assert.deepStrictEqual(
          levels(told.at(-1) ?? assert.fail("no book")),
          levels(books.at(-1) ?? assert.fail("no book"))
        )
      })).pipe(Effect.provide(Probe.layer({ latency: 20 }))))
  }

  const rig = Effect.fnUntraced(function*(name: string, options: MarketFeed.Options = {}) {
    const venue = Venues.all.find((venue) => venue.name === name) ?? assert.fail(name)
    const mock = MockVenues.byName(name) ?? assert.fail(name)
    const network = yield* VirtualNetwork.Network
    const served = yield* MockVenue.serve(network, "wss://venue.test", mock, { every: "100 millis" })
    const loss: Loss = { isLost: () => false }
    const transport = yield* lossy(loss)
    const feed = yield* MarketFeed.prepare(venue, { ...options, url: served.url }).pipe(
      Effect.provideService(Transport, transport),
      Effect.provideService(HttpPort, network.http)
    )
    yield* Effect.forkScoped(feed.connection.connect)
    return { venue, served, loss, feed, product: names(venue) }
  })
  const isSnapshot = (venue: Venue) => (frame: Frame.Frame): boolean => {
    const events = venue.decode(frame)
    return "_tag" in events ? false : events.some(({ _tag }) => _tag === "BookSnapshot")
  }

  for (const name of ["kraken", "deribit", "coinbase"]) {
    it.effect(`${name}: a first snapshot that is lost is asked for again`, () =>
      Probe.scoped(Effect.gen(function*() {
        const { feed, loss, product, venue } = yield* rig(name)
        let lost = 0
        loss.isLost = (frame) => lost === 0 && isSnapshot(venue)(frame) && ++lost === 1
        const told: Array<string> = []
        yield* feed.observeBook(product, ({ _tag }) => void told.push(_tag))
        yield* TestClock.adjust("5 seconds")
        assert.strictEqual(lost, 1)
        assert.notInclude(told, "Live")
        yield* TestClock.adjust("10 seconds")
        assert.strictEqual(told.at(-1), "Live")
      })).pipe(Effect.provide(Probe.layer({ latency: 20 }))))

    it.effect(`${name}: a gap of a book that a drop overtakes ends when the book is whole`, () =>
      Probe.scoped(Effect.gen(function*() {
        const { feed, loss, product, served, venue } = yield* rig(name)
        yield* feed.observeBook(product, () => {})
        yield* TestClock.adjust("2 seconds")
        const before = yield* feed.ledger
        assert.deepStrictEqual(before.entries.flatMap(({ gaps }) => gaps), [])
        // Several, because a checksum does not show each: and nothing comes to mend it before the drop.
        let isLossy = true
        loss.isLost = (frame) =>
          isLossy && (isSnapshot(venue)(frame) || (isDelta(venue)(frame) && (isLossy = !isLossy)))
        yield* TestClock.adjust("300 millis")
        yield* served.host.drop
        loss.isLost = () => false
        yield* TestClock.adjust("20 seconds")
        const { entries } = yield* feed.ledger
        const gaps = entries.flatMap(({ gaps }) => gaps)
        assert.isNotEmpty(gaps)
        assert.deepStrictEqual(gaps.filter(({ to }) => to === undefined), [])
      })).pipe(Effect.provide(Probe.layer({ latency: 20 }))))
  }

  for (const name of ["kraken", "deribit", "coinbase", "dydx", "binance"]) {
    it.effect(`${name}: a user may ask for books that are not checked`, () =>
      Probe.scoped(Effect.gen(function*() {
        const { feed, loss, product, venue } = yield* rig(name, { checksBooks: false })
        const told: Array<OrderBook.OrderBook> = []
        yield* feed.observeBook(product, (book) => void told.push(book))
        yield* TestClock.adjust("5 seconds")
        let lost = 0
        loss.isLost = (frame) => lost === 0 && isDelta(venue)(frame) && ++lost === 1
        yield* TestClock.adjust("5 seconds")
        assert.strictEqual(lost, 1)
        const whole = told.slice(told.findIndex(OrderBook.isWhole))
        assert.isAbove(whole.length, 50)
        for (const book of whole) assert.include(book, { _tag: "Unverified", reason: "checks are turned off" })
      })).pipe(Effect.provide(Probe.layer({ latency: 20 }))))
  }

  it.effect("binance: a snapshot that is there at once is not the last that is asked for", () =>
    Probe.scoped(Effect.gen(function*() {
      const { feed, loss, product, venue } = yield* rig("binance")
      const told: Array<string> = []
      yield* feed.observeBook(product, ({ _tag }) => void told.push(_tag))
      yield* TestClock.adjust("5 seconds")
      assert.strictEqual(told.at(-1), "Live")
      let lost = 0
      loss.isLost = (frame) => lost === 0 && isDelta(venue)(frame) && ++lost === 1
      yield* TestClock.adjust("5 seconds")
      assert.include(told, "Gapped")
      assert.strictEqual(told.at(-1), "Live")
    })).pipe(Effect.provide(Probe.layer({ latency: 0 }))))

  it.effect("who watches again begins with a snapshot of then, and a watcher that throws stops nobody else", () =>
    Probe.scoped(Effect.gen(function*() {
      const { feed, product } = yield* rig("deribit")
      const told: Array<string> = []
      yield* Effect.scoped(Effect.andThen(
        feed.observeBook(product, ({ _tag }) => void told.push(_tag)),
        TestClock.adjust("2 seconds")
      ))
      assert.strictEqual(told.at(-1), "Live")
      yield* TestClock.adjust("1 minute")
      const books = yield* Probe.record(feed.book(product))
      // Before the venue can have answered.
      yield* TestClock.adjust("10 millis")
      assert.deepStrictEqual(books.map(({ _tag }) => _tag), ["Syncing"])
      yield* feed.observeBook(product, () => {
        throw new Error("no")
      })
      yield* TestClock.adjust("2 seconds")
      const before = books.length
      yield* TestClock.adjust("2 seconds")
      assert.isAbove(books.length, before)
      assert.strictEqual(books.at(-1)?._tag, "Live")
    })).pipe(Effect.provide(Probe.layer({ latency: 20 }))))
})
