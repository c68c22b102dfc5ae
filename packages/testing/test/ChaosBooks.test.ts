/**
 * Chaos over books: an hour of random faults at each venue, drops and frames
 * that are lost, doubled, swapped or altered among them, after which no level of
 * any book differs from the venue's own, and the ledger of books, trades and
 * tickers says what was sent, what came of it and what was lost.
 */
import { assert, describe, it } from "@effect/vitest"
import type * as MarketFeed from "@tickline/core/market/MarketFeed"
import * as OrderBook from "@tickline/core/market/OrderBook"
import * as Presets from "@tickline/core/resilience/Presets"
import * as Decimal from "@tickline/core/value/Decimal"
import { channelOf, type Venue } from "@tickline/core/venue/Venue"
import * as Venues from "@tickline/core/venue/Venues"
import * as Chance from "@tickline/testing/Chance"
import * as FaultPlan from "@tickline/testing/FaultPlan"
import * as Market from "@tickline/testing/Market"
import * as MockVenues from "@tickline/testing/MockVenues"
import * as Simulation from "@tickline/testing/Simulation"
import type { NonEmptyReadonlyArray } from "effect/Array"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

// 200 seeds, an hour of faults and a quarter of rest each, the venues in turn. One again, or each at each venue:
// TICKLINE_VENUE=binance TICKLINE_SEED=17 npx -y pnpm@12 test ChaosBooks
// TICKLINE_SEEDS=1..200 npx -y pnpm@12 test ChaosBooks, or npx -y pnpm@12 chaos
const seeds = 200
const replayed = process.env["TICKLINE_SEED"]
const replayedVenue = process.env["TICKLINE_VENUE"]
const everywhere = process.env["TICKLINE_SEEDS"]

const venues = Venues.all.filter(({ channels }) => channels.book !== undefined)

// A change of a book that is lost, or comes too late, stays wrong where nothing shows it: there books are spared.
const isBookShown = (venue: Venue): boolean =>
  venue.continuity !== "none" || venue.books?.isWhole?.(venue.channels.book ?? "") === true

// Where numbers of frames that go back are taken to be of each channel, and show nothing any more.
const canBeDoubted = ({ frames }: Venue): boolean => frames !== undefined && frames.answersLate !== true

const unnoticeable = new Set<FaultPlan.Kind>(["Lose", "Reorder", "Corrupt"])

// Dials that are not let in tell nothing of books, and may take more hours than there are.
const closed = new Set<FaultPlan.Kind>(["Refuse", "AcceptThenClose", "Hang", "Status"])

const kindsOf = (venue: Venue): NonEmptyReadonlyArray<FaultPlan.Kind> => {
  const [first, ...others] = FaultPlan.kinds.filter((kind) => !closed.has(kind)) as [
    FaultPlan.Kind,
    ...Array<FaultPlan.Kind>
  ]
  // What is altered where nothing shows it is another message.
  const changed = venue.continuity === "none" ? "Lose" : "Corrupt"
  const altered: ReadonlyArray<FaultPlan.Kind> = ["Lose", "Lose", "Duplicate", "Reorder", changed]
  return [first, ...others, ...altered, ...altered]
}

const levelsOf = (book: OrderBook.OrderBook): unknown =>
  OrderBook.isWhole(book)
    ? {
      bids: book.bids.map((level) => level.map(Decimal.format)),
      asks: book.asks.map((level) => level.map(Decimal.format))
    }
    : `${book._tag}: ${book.reason}`

const play = (venue: Venue, seed: number) =>
  Effect.gen(function*() {
    const server = MockVenues.byName(venue.name) ?? assert.fail(venue.name)
    const chance = Chance.make(seed).fork(venue.name)
    const products = Market.listedBy(server).slice(0, 2)
    const books = new Map<string, OrderBook.OrderBook>()
    let changes = 0
    let own: Simulation.Simulation["book"] = () => undefined
    const watch = (feed: MarketFeed.MarketFeed["Service"], simulation: Simulation.Simulation) =>
      Effect.gen(function*(): Effect.fn.Return<void, never, Scope.Scope> {
        own = simulation.book
        for (const { symbol } of products) {
          yield* Effect.orDie(feed.observeBook(symbol, (book) => {
            changes++
            books.set(symbol, book)
          }, { depth: 1_000 }))
        }
      })
    const [first, ...others] = products.flatMap(({ symbol }) =>
      Object.values(venue.channels).map((name) => channelOf(venue, name, symbol))
    )
    const channels = [first ?? assert.fail(venue.name), ...others] as const
    const report = yield* Simulation.run({
      seed,
      venue: { client: venue, server },
      products,
      channels,
      backfill: "none",
      // The first frames of a tick are not the only ones that are struck.
      alters: ({ channel }) => (isBookShown(venue) || channel !== venue.channels.book) && chance.happens(0.2),
      every: Duration.millis(8_000 + chance.integer(12_000)),
      latency: chance.happens(0.3) ? 0 : 1 + chance.integer(150),
      faults: [
        ...FaultPlan.random({
          seed,
          within: "1 hour",
          perHour: 20 + chance.integer(60),
          kinds: kindsOf(venue)
        }),
        // A book is unverified from when numbers are doubted until the next connection, and what is lost then stays wrong.
        ...(canBeDoubted(venue) ? [FaultPlan.at("61 minutes", { _tag: "Drop" })] : [])
      ],
      policy: chance.pick([Presets.recommended, Presets.marketFeed]),
      lasts: "75 minutes",
      settles: "1 minute",
      keepLog: replayed !== undefined,
      logFrames: replayed !== undefined,
      alongside: watch
    })
    const violations = products.flatMap(({ symbol }) => {
      const book = books.get(symbol)
      const held = book === undefined ? "none" : levelsOf(book)
      const [ours, theirs] = [held, own(symbol)].map((book) => JSON.stringify(book))
      return ours === theirs ? [] : [`the book of ${symbol} is\n${ours}, and the venue's\n${theirs}`]
    })
    return { report, changes, violations: [...report.violations, ...violations] }
  })

const replay = (venue: Venue, seed: number): string =>
  `TICKLINE_VENUE=${venue.name} TICKLINE_SEED=${seed} npx -y pnpm@12 test ChaosBooks`

const seedsOf = (index: number): ReadonlyArray<number> => {
  if (replayed !== undefined) return [Number(replayed)]
  if (everywhere !== undefined) {
    const [from = 1, to = from] = everywhere.split("..").map(Number)
    return Array.from({ length: to - from + 1 }, (_, i) => from + i)
  }
  return Array.from({ length: seeds }, (_, i) => i + 1).filter((seed) => seed % venues.length === index)
}

describe("Chaos over books: an hour of random faults", () => {
  for (const [index, venue] of venues.entries()) {
    if (replayedVenue !== undefined && replayedVenue !== venue.name) continue
    it.live(venue.name, () =>
      Effect.gen(function*() {
        const failed: Array<string> = []
        let drops = 0
        let altered = 0
        let changed = 0
        const chosen = seedsOf(index)
        for (const seed of chosen) {
          const { changes, report, violations } = yield* play(venue, seed)
          drops += report.drops
          altered += report.strikes.filter(({ action }) => unnoticeable.has(action._tag)).length
          changed += changes
          if (replayed !== undefined) yield* Effect.log(`\n${report.log.lines.join("\n")}`)
          if (violations.length > 0) failed.push(`${replay(venue, seed)}\n  ${violations.join("\n  ")}`)
        }
        assert.deepStrictEqual(failed, [], failed.join("\n"))
        // The hours were neither calm nor quiet.
        assert.isAbove(drops, 2 * chosen.length)
        assert.isAbove(changed, 200 * chosen.length)
        assert.isAbove(altered, 2 * chosen.length)
      }), 600_000)
  }
})
