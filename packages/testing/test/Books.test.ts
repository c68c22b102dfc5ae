/**
 * The books of one connection, kept from what each mock venue sends: without a
 * fault they are the mock's own, and of a frame that is lost, doubled, swapped
 * or altered it is told by the venue's own method.
 */
import { assert, describe, it } from "@effect/vitest"
import { isFrameRejected } from "@tickline/core/codec/Rejection"
import * as Decimal from "@tickline/core/value/Decimal"
import { channelOf, type Venue } from "@tickline/core/venue/Venue"
import * as Venues from "@tickline/core/venue/Venues"
import type { Level } from "../../core/src/event/MarketData.ts"
import { Books, type Change } from "../../core/src/market/internal/books.ts"
import * as Market from "../src/venue/Market.ts"
import type { MockVenue } from "../src/venue/MockVenue.ts"
import * as MockVenues from "../src/venue/MockVenues.ts"
import * as VenueServer from "../src/venue/VenueServer.ts"

const atMillis = 1_795_219_200_000
const seed = 8

interface Run {
  readonly venue: Venue
  readonly mock: MockVenue
  readonly products: ReadonlyArray<Market.Product>
  /** Every frame, and how many trades the markets have seen by then. */
  readonly frames: ReadonlyArray<{ readonly text: string; readonly trades: number }>
}

/** What a venue sends to who subscribes to the books and trades of two products, while they trade so many times. */
const run = (name: string, trades: number): Run => {
  const venue = Venues.all.find((venue) => venue.name === name) ?? assert.fail(name)
  const mock = MockVenues.byName(name) ?? assert.fail(name)
  const products = Market.listedBy(mock).slice(0, 2)
  const frames: Array<{ readonly text: string; readonly trades: number }> = []
  const server = VenueServer.make({ venue: mock, products, seed, wallMillis: () => atMillis })
  let traded = 0
  const conversation = server.open({
    path: "/",
    isOpen: () => true,
    send: ({ text }) => frames.push({ text, trades: traded }),
    close: (code, reason) => assert.fail(`closed: ${code} ${reason}`)
  })
  conversation.greet()
  const channels = [venue.channels.book, venue.channels.trade].flatMap((channel) =>
    channel === undefined ? [] : products.map(({ symbol }) => channelOf(venue, channel, symbol))
  )
  for (const { text } of venue.subscribe(channels, 1)) conversation.receive(text)
  for (let i = 0; i < trades; i++) {
    traded++
    for (const { symbol } of products) server.trade(symbol)
    if (i % 5 === 0) conversation.beat()
  }
  return { venue, mock, products, frames }
}

/** The market of a product after so many trades. */
const marketAfter = (product: Market.Product, trades: number): Market.Market => {
  let market = Market.make(product, { seed, atMillis })
  for (let i = 0; i < trades; i++) market = Market.next(market, atMillis)
  return market
}

const texts = (levels: Iterable<Level>): ReadonlyArray<ReadonlyArray<string>> =>
  Array.from(levels, (level) => level.map(Decimal.format))

interface Told {
  readonly frame: number
  readonly product: string
  readonly state: string
  readonly cause: string | undefined
}

/** What each frame makes of the books. */
const told = (venue: Venue, frames: ReadonlyArray<string>, books = new Books(venue)): ReadonlyArray<Told> =>
  frames.flatMap((text, frame) => {
    const events = venue.decode(text)
    assert.isFalse(isFrameRejected(events), text)
    const changes: ReadonlyArray<Change> = isFrameRejected(events) ? [] : books.frame(text, events)
    return changes.map(({ book: { product, standing } }) => ({
      frame,
      product,
      state: standing._tag,
      cause: standing._tag === "Gapped" ? standing.cause : undefined
    }))
  })

const proven = ["coinbase", "kraken", "deribit"]
const unverified = ["coinbase-exchange", "hyperliquid"]

describe("books", () => {
  for (const name of [...proven, "dydx", ...unverified]) {
    it(`${name}: without a fault they are the mock's own, and none is broken`, () => {
      const { frames, products, venue } = run(name, 200)
      const books = new Books(venue)
      for (const { text, trades } of frames) {
        const events = venue.decode(text)
        if (isFrameRejected(events)) assert.fail(text)
        for (const { book } of books.frame(text, events)) {
          assert.strictEqual(book.standing._tag, unverified.includes(name) ? "Unverified" : "Live", text)
          const product = products.find(({ symbol }) => symbol === book.product) ?? assert.fail(book.product)
          const { asks, bids } = Market.book(marketAfter(product, trades))
          assert.deepStrictEqual(texts(book.levels.bids), bids.map((level) => [...level]), text)
          assert.deepStrictEqual(texts(book.levels.asks), asks.map((level) => [...level]), text)
        }
      }
      assert.lengthOf([...books.all], 2)
    })
  }

  /** The first frame of the middle that touches the book of the first product. */
  const touchedIn = ({ frames, products, venue }: Run): number => {
    const first = products[0]?.symbol
    const found = frames.findIndex(({ text }, index) => {
      const events = venue.decode(text)
      return index > frames.length / 2 && !isFrameRejected(events) &&
        events.some((event) => event._tag === "BookDelta" && event.product === first)
    })
    return found === -1 ? assert.fail("no such frame") : found
  }

  const breaksOf = (all: ReadonlyArray<Told>): ReadonlyArray<Told> => all.filter(({ state }) => state === "Gapped")

  for (const name of [...proven, "dydx"]) {
    describe(name, () => {
      const made = run(name, 200)
      const { products, venue } = made
      const frames = made.frames.map(({ text }) => text)
      const at = touchedIn(made)
      const first = products[0]?.symbol ?? ""
      // By the number of any frame, by that of the book's own, or by the checksum of what it is now.
      const isOfConnection = venue.continuity === "frame"

      it("a frame that is lost breaks the books that it may have been of, once", () => {
        const all = told(venue, frames.toSpliced(at, 1))
        const [broken, ...others] = breaksOf(all)
        assert.strictEqual(broken?.product, isOfConnection ? all.find(() => true)?.product : first)
        if (isOfConnection) assert.strictEqual(broken?.frame, at)
        assert.strictEqual(broken?.cause, venue.continuity === "state" ? "checksum" : "sequence")
        assert.deepStrictEqual(others.map(({ product }) => product), isOfConnection ? [products[1]?.symbol] : [])
        const after = all.filter(({ frame, product }) => frame > (broken?.frame ?? 0) && product === first)
        assert.isNotEmpty(after)
        assert.deepStrictEqual(new Set(after.map(({ state }) => state)), new Set(["Syncing"]))
      })

      it("a frame that comes twice breaks nothing", () => {
        assert.deepStrictEqual(breaksOf(told(venue, frames.toSpliced(at, 0, frames[at] ?? ""))), [])
      })

      it("a number that is wrong breaks it, and what counts on from where it was is read", () => {
        const wrong = made.mock.corrupt(frames[at] ?? "") ?? assert.fail("nothing to corrupt")
        const all = told(venue, frames.with(at, wrong))
        assert.isNotEmpty(breaksOf(all).filter(({ product }) => product === first))
        const after = all.filter(({ frame, product }) => frame > at + 40 && product === first)
        assert.isAbove(after.length, 20)
      })

      it("two frames of a book that are swapped break it", () => {
        const next = frames.findIndex((text, index) => {
          const events = venue.decode(text)
          return index > at && !isFrameRejected(events) &&
            events.some((event) => event._tag === "BookDelta" && event.product === first)
        })
        const swapped = [...frames]
        const [one = "", other = ""] = [frames[at], frames[next]]
        swapped[at] = other
        swapped[next] = one
        const [broken] = breaksOf(told(venue, swapped))
        assert.isDefined(broken)
        if (venue.continuity !== "state") assert.strictEqual(broken?.frame, at)
      })
    })
  }
})
