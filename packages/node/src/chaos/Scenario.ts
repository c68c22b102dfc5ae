/**
 * What is played of a seed, under the virtual clock: feeds of venues in trouble, or
 * traders at exchanges in trouble.
 *
 * @since 0.1.0
 */
import * as OrderBook from "@tickline/core/market/OrderBook"
import * as Channel from "@tickline/core/value/Channel"
import * as Decimal from "@tickline/core/value/Decimal"
import { channelOf } from "@tickline/core/venue/Venue"
import * as Venues from "@tickline/core/venue/Venues"
import * as EventLog from "@tickline/testing/EventLog"
import * as FaultPlan from "@tickline/testing/FaultPlan"
import * as Market from "@tickline/testing/Market"
import * as MockVenues from "@tickline/testing/MockVenues"
import * as Simulation from "@tickline/testing/Simulation"
import * as TradingSimulation from "@tickline/testing/TradingSimulation"
import * as Arr from "effect/Array"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"

/**
 * What came of a seed: the fingerprint of all that happened, how much that was, and
 * what did not hold, in words.
 *
 * @category models
 * @since 0.1.0
 */
export interface Played {
  readonly hash: string
  readonly events: number
  readonly violations: ReadonlyArray<string>
}

/**
 * What is played: what goes wrong with a seed, how that reads, and a run with all or
 * some of it.
 *
 * @category models
 * @since 0.1.0
 */
export interface Scenario<Fault> {
  readonly faults: (seed: number) => ReadonlyArray<Fault>
  readonly describe: (fault: Fault) => string
  readonly play: (seed: number, faults: ReadonlyArray<Fault>) => Effect.Effect<Played>
}

/**
 * Five traders at the venues, for so many hours.
 *
 * @category constructors
 * @since 0.1.0
 */
export const traders = (
  venues: ReadonlyArray<TradingSimulation.Venue>,
  hours: number
): Scenario<TradingSimulation.Incident> => {
  const optionsOf = (seed: number) => ({ seed, venues, lasts: Duration.hours(hours), keepLog: false })
  return {
    faults: (seed) => TradingSimulation.incidents(optionsOf(seed)),
    describe: TradingSimulation.describe,
    play: (seed, incidents) => TradingSimulation.run({ ...optionsOf(seed), incidents })
  }
}

/** What goes wrong at a venue. */
interface AtVenue {
  readonly venue: string
  readonly fault: FaultPlan.Timed
}

/** How often, an hour. */
const perHour = 20

const levelsOf = (book: OrderBook.OrderBook | undefined): unknown =>
  book === undefined || !OrderBook.isWhole(book)
    ? book?._tag ?? "none"
    : {
      bids: book.bids.map((level) => level.map(Decimal.format)),
      asks: book.asks.map((level) => level.map(Decimal.format))
    }

// A feed of one venue: every message accounted for, and at the end no level of a book that differs.
const playVenue = Effect.fnUntraced(function*(
  name: string,
  seed: number,
  hours: number,
  faults: FaultPlan.FaultPlan
): Effect.fn.Return<Played> {
  const client = Venues.get(name)
  const server = MockVenues.byName(name)
  if (client === undefined || server === undefined) return { hash: "", events: 0, violations: [`there is no ${name}`] }
  const books = new Map<string, OrderBook.OrderBook>()
  const hasBooks = client.channels.book !== undefined
  const products = Market.listedBy(server).slice(0, 2)
  // Once each: at some venues one channel is of all products.
  const channels = new Map(products.flatMap(({ symbol }) =>
    Object.values(client.channels).map((name) => {
      const channel = channelOf(client, name, symbol)
      return [Channel.key(channel), channel] as const
    })
  ))
  const wanted = [...channels.values()]
  let own: Simulation.Simulation["book"] = () => undefined
  const report = yield* Simulation.run({
    seed,
    venue: { client, server },
    products,
    ...(Arr.isReadonlyArrayNonEmpty(wanted) ? { channels: wanted } : {}),
    every: "10 seconds",
    latency: { min: 5, max: 60 },
    faults,
    lasts: Duration.hours(hours),
    settles: "15 minutes",
    keepLog: false,
    alongside: (feed, simulation) => {
      own = simulation.book
      return hasBooks
        ? Effect.forEach(
          products,
          ({ symbol }) =>
            Effect.orDie(feed.observeBook(symbol, (book) => void books.set(symbol, book), { depth: 1_000 })),
          { discard: true }
        )
        : Effect.void
    }
  })
  const differing = hasBooks
    ? products.flatMap(({ symbol }) => {
      const [ours, theirs] = [levelsOf(books.get(symbol)), own(symbol)].map((book) => JSON.stringify(book))
      return ours === theirs ? [] : [`the book of ${symbol} is ${ours}, and the venue's ${theirs}`]
    })
    : []
  return { hash: report.hash, events: report.events.length, violations: [...report.violations, ...differing] }
})

/**
 * A feed of each venue, for so many hours.
 *
 * @category constructors
 * @since 0.1.0
 */
export const feeds = (venues: ReadonlyArray<string>, hours: number): Scenario<AtVenue> => ({
  faults: (seed) =>
    venues.flatMap((venue) =>
      FaultPlan.random({ seed, within: Duration.hours(hours * 0.8), perHour }).map((fault) => ({ venue, fault }))
    ),
  describe: ({ fault, venue }) => `${venue} ${FaultPlan.format([fault]).join()}`,
  play: Effect.fnUntraced(function*(seed, faults) {
    const log = EventLog.make({ keep: false })
    const violations: Array<string> = []
    let events = 0
    for (const venue of venues) {
      const own = faults.flatMap((one) => one.venue === venue ? [one.fault] : [])
      const played = yield* playVenue(venue, seed, hours, own)
      log.add(0, "played", { venue, hash: played.hash })
      events += played.events
      violations.push(...played.violations.map((violation) => `${venue}: ${violation}`))
    }
    return { hash: log.hash(), events, violations }
  })
})
