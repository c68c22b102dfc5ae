/** Trades that were missed are fetched, of each venue that has them, over the virtual network. */
import { assert, describe, it } from "@effect/vitest"
import type * as Lifecycle from "@tickline/core/event/Lifecycle"
import type { Trade } from "@tickline/core/event/MarketData"
import type * as MarketEvent from "@tickline/core/event/MarketEvent"
import * as MarketFeed from "@tickline/core/market/MarketFeed"
import type * as Frame from "@tickline/core/transport/Frame"
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
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"

const venues = Venues.all.filter(({ name, rest }) =>
  rest?.trades !== undefined && MockVenues.byName(name) !== undefined
)

const productOf = ({ name }: Venue): string => name === "deribit" || name === "dydx" ? "BTC-USD-PERP" : "BTC-USD"

interface Options {
  readonly serve?: MockVenue.ServeOptions | undefined
  readonly feed?: MarketFeed.Options | undefined
  readonly isLost?: ((frame: Frame.Frame) => boolean) | undefined
}

/** A feed of a venue's mock, and everything that it has told. */
const rig = Effect.fnUntraced(function*(venue: Venue, options: Options = {}) {
  const network = yield* VirtualNetwork.Network
  const mock = MockVenues.byName(venue.name) ?? assert.fail(venue.name)
  const served = yield* MockVenue.serve(network, "wss://venue.test", mock, {
    answersData: false,
    ...options.serve
  })
  const transport = yield* Transport
  const product = productOf(venue)
  const feed = yield* MarketFeed.prepare(venue, { url: served.url, ...options.feed }).pipe(
    Effect.provideService(Transport, {
      ...transport,
      dial: (request) =>
        Effect.map(transport.dial(request), (wire) => {
          const pull: typeof wire.pull = Effect.flatMap(wire.pull, (frames) => {
            const rest = frames.filter((frame) => options.isLost?.(frame) !== true)
            return Arr.isReadonlyArrayNonEmpty(rest) ? Effect.succeed(rest) : pull
          })
          return { ...wire, pull }
        })
    })
  )
  // What a subscription is greeted with first is not looked at.
  const told: Array<MarketEvent.AnyEvent> = []
  let isBegun = false
  yield* feed.events({ overflow: "block" }).pipe(
    Stream.runForEach((event) => Effect.sync(() => void (isBegun && told.push(event)))),
    Effect.forkScoped({ startImmediately: true })
  )
  yield* feed.subscribe([yield* feed.channel("trade", product)])
  yield* Effect.forkScoped(feed.connection.connect)
  yield* TestClock.adjust("1 second")
  isBegun = true
  /** So many trades, all of which have arrived if the link is up. */
  const trade = Effect.fnUntraced(function*(times: number) {
    for (let n = 0; n < times; n++) yield* Effect.andThen(served.trade(product), TestClock.adjust("2 millis"))
    yield* TestClock.adjust("40 millis")
  })
  /** The connection is cut, so many trades are missed, and it comes back. */
  const miss = Effect.fnUntraced(function*(times: number) {
    yield* served.host.otherwise({ _tag: "Refuse" })
    yield* served.host.drop
    yield* TestClock.adjust("50 millis")
    yield* trade(times)
    yield* served.host.otherwise({ _tag: "Accept" })
  })
  const begun = served.trades(product).length
  /** The trades that were made since the feed is there, as `tradesOf` shows those that it has told. */
  const made = () => served.trades(product).slice(begun).map(({ price, size }) => `${price} ${size}`)
  return { feed, served, told, product, trade, miss, made }
})

const isTrade = (event: MarketEvent.AnyEvent): event is Trade => event._tag === "Trade"

const shown = ({ price, size }: { readonly price: Decimal.Decimal; readonly size: Decimal.Decimal }): string =>
  `${Decimal.format(price)} ${Decimal.format(size)}`

const tradesOf = (told: ReadonlyArray<MarketEvent.AnyEvent>): ReadonlyArray<string> => told.filter(isTrade).map(shown)

/** How many trades were live and how many of history, and where gaps begin and end. */
const lifeOf = (told: ReadonlyArray<MarketEvent.AnyEvent>): string =>
  told.map((event) =>
    event._tag === "Trade"
      ? event.history === true ? "H" : "L"
      : event._tag === "Gap"
      ? event.to === undefined ? "(" : `)${event.recovered ?? ""} `
      : ""
  ).join("").replace(/H+/g, (run) => `${run.length} past `).replace(/L+/g, (run) => `${run.length} live `).trim()

const entryOf = (feed: MarketFeed.MarketFeed["Service"]) =>
  Effect.map(feed.ledger, ({ entries }) => entries.find(({ product }) => product !== undefined) ?? assert.fail("none"))

const missingOf = (gaps: ReadonlyArray<{ readonly missing?: number }>): number =>
  gaps.reduce((sum, { missing = 0 }) => sum + missing, 0)

const shape = (gaps: ReadonlyArray<Lifecycle.Gap>) =>
  gaps.map(({ cause, recovered, to }) => `${cause} ${to === undefined ? "open" : recovered ?? "not recovered"}`)

describe("backfill", () => {
  for (const venue of venues) {
    const test = (
      name: string,
      use: (run: Effect.Success<ReturnType<typeof rig>>) => Effect.Effect<void, unknown, Scope.Scope>,
      options: Options = {}
    ) =>
      it.effect(
        name,
        () => Probe.scoped(Effect.flatMap(rig(venue, options), use)).pipe(Effect.provide(Probe.layer({ latency: 20 })))
      )

    // Of one the venue gives a few, and no others.
    const reachesBack = venue.name !== "hyperliquid"

    describe(venue.name, () => {
      test("what was traded while the link was down is fetched: in order, none twice, and marked", (run) =>
        Effect.gen(function*() {
          const { feed, miss, told, trade } = run
          yield* trade(5)
          yield* miss(7)
          yield* TestClock.adjust("5 seconds")
          yield* trade(3)
          assert.deepStrictEqual(tradesOf(told), run.made())
          assert.strictEqual(lifeOf(told), "5 live (7 past )backfill 3 live")
          const { gaps, isBalanced } = yield* entryOf(feed)
          assert.deepStrictEqual(shape(gaps), ["disconnect backfill"])
          assert.strictEqual(missingOf(gaps), 0)
          assert.isTrue(isBalanced)
        }))

      test("live trades wait for it, and stand behind it", (run) =>
        Effect.gen(function*() {
          const { feed, miss, served, told, trade } = run
          yield* trade(2)
          yield* served.rest.setLatency(800)
          yield* miss(4)
          yield* TestClock.adjust("500 millis")
          yield* trade(3)
          assert.strictEqual(lifeOf(told), "2 live (")
          assert.isTrue((yield* entryOf(feed)).isBalanced)
          yield* TestClock.adjust("5 seconds")
          yield* trade(1)
          assert.deepStrictEqual(tradesOf(told), run.made())
          assert.strictEqual(lifeOf(told), "2 live (4 past )backfill 4 live")
        }))

      test("live trades wait no longer than two seconds, and what comes later stands behind them", (run) =>
        Effect.gen(function*() {
          const { feed, miss, served, told, trade } = run
          yield* trade(2)
          yield* served.rest.setLatency(3_000)
          yield* miss(4)
          yield* TestClock.adjust("500 millis")
          yield* trade(3)
          yield* TestClock.adjust("1 second")
          assert.strictEqual(lifeOf(told), "2 live (")
          yield* TestClock.adjust("1 second")
          assert.strictEqual(lifeOf(told), "2 live (3 live")
          yield* trade(1)
          assert.strictEqual(lifeOf(told), "2 live (4 live")
          yield* TestClock.adjust("10 seconds")
          yield* trade(2)
          assert.strictEqual(lifeOf(told), "2 live (4 live 4 past )backfill 2 live")
          assert.deepStrictEqual(tradesOf(told).toSorted(), run.made().toSorted())
          const { gaps, isBalanced } = yield* entryOf(feed)
          assert.deepStrictEqual([shape(gaps), missingOf(gaps), isBalanced], [["disconnect backfill"], 0, true])
        }))

      if (reachesBack) {
        test("a second drop while it is fetched begins it anew: nothing is lost, and nothing comes twice", (run) =>
          Effect.gen(function*() {
            const { feed, miss, served, told, trade } = run
            yield* trade(2)
            yield* served.rest.setLatency(900)
            yield* miss(4)
            yield* TestClock.adjust("1 second")
            yield* trade(3)
            yield* miss(5)
            yield* TestClock.adjust("10 seconds")
            yield* trade(2)
            assert.deepStrictEqual(tradesOf(told).toSorted(), run.made().toSorted())
            assert.strictEqual(lifeOf(told), "2 live (3 live 9 past )backfill 2 live")
            const { gaps, isBalanced } = yield* entryOf(feed)
            assert.deepStrictEqual([shape(gaps), missingOf(gaps), isBalanced], [["disconnect backfill"], 0, true])
          }))
      }

      test("what has waited in an epoch is told before its end", (run) =>
        Effect.gen(function*() {
          const { feed, miss, served, told, trade } = run
          yield* trade(2)
          yield* served.rest.setLatency(900)
          yield* miss(4)
          yield* TestClock.adjust("1 second")
          yield* trade(3)
          assert.strictEqual(lifeOf(told), "2 live (")
          yield* Effect.forkScoped(feed.connection.close())
          yield* TestClock.adjust("100 millis")
          assert.strictEqual(lifeOf(told), "2 live (3 live")
        }))

      test("a venue that asks for patience is given it", (run) =>
        Effect.gen(function*() {
          const { miss, served, told, trade } = run
          yield* trade(2)
          yield* served.rest.script(
            { _tag: "Reject", status: 429, retryAfterMillis: 7_000 },
            { _tag: "Reject", status: 500 },
            { _tag: "Truncate" }
          )
          yield* miss(4)
          yield* TestClock.adjust("7 seconds")
          assert.strictEqual(lifeOf(told), "2 live (")
          yield* TestClock.adjust("5 seconds")
          assert.strictEqual(lifeOf(told), "2 live (4 past )backfill")
          const [first, second] = served.rest.requests.map(({ at }) => at)
          assert.isAtLeast((second ?? 0) - (first ?? 0), 7_000)
          assert.deepStrictEqual(tradesOf(told), run.made())
        }))

      test("what the venue refuses stays a gap, which ends nevertheless", (run) =>
        Effect.gen(function*() {
          const { feed, miss, served, told, trade } = run
          yield* trade(2)
          yield* served.rest.otherwise({ _tag: "Reject", status: 400 })
          yield* miss(4)
          yield* TestClock.adjust("3 seconds")
          yield* trade(3)
          assert.strictEqual(lifeOf(told), "2 live () 3 live")
          const { gaps, isBalanced } = yield* entryOf(feed)
          assert.deepStrictEqual([shape(gaps), isBalanced], [["disconnect not recovered"], true])
          if (venue.tradeNumber !== undefined) assert.strictEqual(missingOf(gaps), 4)
        }))

      test("one that does not answer is given up in the end", (run) =>
        Effect.gen(function*() {
          const { feed, miss, served, told, trade } = run
          yield* trade(2)
          yield* served.rest.otherwise({ _tag: "Hang" })
          yield* miss(4)
          yield* TestClock.adjust("30 seconds")
          yield* trade(3)
          assert.strictEqual(lifeOf(told), "2 live (3 live")
          yield* TestClock.adjust("31 seconds")
          yield* trade(1)
          assert.strictEqual(lifeOf(told), "2 live (3 live ) 1 live")
          assert.deepStrictEqual(shape((yield* entryOf(feed)).gaps), ["disconnect not recovered"])
        }))

      test("what the venue no longer has stays a gap", (run) =>
        Effect.gen(function*() {
          const { feed, miss, told, trade } = run
          yield* trade(2)
          yield* miss(9)
          yield* TestClock.adjust("5 seconds")
          yield* trade(3)
          assert.strictEqual(lifeOf(told), "2 live (3 past ) 3 live")
          const { gaps, isBalanced } = yield* entryOf(feed)
          assert.deepStrictEqual([shape(gaps), isBalanced], [["disconnect not recovered"], true])
          if (venue.tradeNumber !== undefined) {
            assert.strictEqual(missingOf(gaps), 6)
            assert.strictEqual(missingOf(told.filter((event) => event._tag === "Gap")), 6)
          }
        }), { serve: { keepsTrades: 3 } })

      test("a product of which nothing was known has what was traded since the drop", (run) =>
        Effect.gen(function*() {
          const { feed, miss, told, trade } = run
          yield* miss(4)
          yield* TestClock.adjust("5 seconds")
          yield* trade(3)
          assert.deepStrictEqual(tradesOf(told), run.made())
          assert.strictEqual(lifeOf(told), "(4 past )backfill 3 live")
          assert.deepStrictEqual(shape((yield* entryOf(feed)).gaps), ["disconnect backfill"])
        }))

      test("nothing was traded, and that is known", (run) =>
        Effect.gen(function*() {
          const { feed, miss, told, trade } = run
          yield* trade(2)
          yield* miss(0)
          yield* TestClock.adjust("5 seconds")
          yield* trade(3)
          assert.strictEqual(lifeOf(told), "2 live ()backfill 3 live")
          const { duplicates, gaps } = yield* entryOf(feed)
          assert.deepStrictEqual([shape(gaps), duplicates], [["disconnect backfill"], 0])
        }))

      if (venue.tradeNumber !== undefined || venue.frames !== undefined) {
        for (const latency of [0, 20]) {
          let lost = 0
          const isTradeFrame = (frame: Frame.Frame): boolean => {
            const events = venue.decode(frame)
            return !("_tag" in events) && events.some((event) => isTrade(event) && event.history !== true)
          }
          test(`what a connection that is up has lost is fetched, at ${latency} ms`, (run) =>
            Effect.gen(function*() {
              const { feed, served, told, trade } = run
              yield* served.rest.setLatency(latency)
              yield* trade(3)
              lost = 2
              yield* trade(4)
              yield* TestClock.adjust("5 seconds")
              assert.deepStrictEqual(tradesOf(told), run.made())
              assert.strictEqual(lifeOf(told), "3 live (2 past )backfill 2 live")
              const { gaps, isBalanced } = yield* entryOf(feed)
              assert.deepStrictEqual([shape(gaps), missingOf(gaps), isBalanced], [["sequence backfill"], 0, true])
            }), { isLost: (frame) => lost > 0 && isTradeFrame(frame) && lost-- > 0 })
        }
      }

      if (reachesBack) {
        test("there is more of it than one answer holds", (run) =>
          Effect.gen(function*() {
            const { feed, miss, product, served, told, trade } = run
            yield* trade(2)
            yield* served.host.otherwise({ _tag: "Refuse" })
            yield* served.host.drop
            yield* TestClock.adjust("50 millis")
            for (let n = 0; n < 1_300; n++) {
              yield* served.trade(product)
              if (n % 50 === 0) yield* TestClock.adjust("70 millis")
            }
            yield* miss(1)
            yield* TestClock.adjust("1 minute")
            yield* trade(3)
            assert.deepStrictEqual(tradesOf(told), run.made())
            assert.strictEqual(lifeOf(told), "2 live (1301 past )backfill 3 live")
            assert.isTrue((yield* entryOf(feed)).isBalanced)
            assert.isAbove(served.rest.requests.length, 1)
          }), { feed: { backfill: { maxPages: 1_000 } } })
      }

      if (reachesBack) {
        test("no more answers are followed than it may", (run) =>
          Effect.gen(function*() {
            const { feed, miss, product, served, told, trade } = run
            yield* trade(2)
            yield* served.host.otherwise({ _tag: "Refuse" })
            yield* served.host.drop
            for (let n = 0; n < 1_300; n++) {
              yield* served.trade(product)
              if (n % 50 === 0) yield* TestClock.adjust("70 millis")
            }
            yield* miss(1)
            yield* TestClock.adjust("10 seconds")
            yield* trade(3)
            assert.strictEqual(served.rest.requests.length, 1)
            const { gaps, isBalanced } = yield* entryOf(feed)
            assert.deepStrictEqual([shape(gaps).slice(0, 1), isBalanced], [["disconnect not recovered"], true])
            const past = told.filter((event) => isTrade(event) && event.history === true)
            assert.isAbove(past.length, 0)
            if (venue.tradeNumber !== undefined) assert.strictEqual(missingOf(gaps), 1_301 - past.length)
          }), { feed: { backfill: { maxPages: 1 } } })
      }

      test("it is off where the feed says so", (run) =>
        Effect.gen(function*() {
          const { miss, served, told, trade } = run
          yield* trade(2)
          yield* miss(4)
          yield* TestClock.adjust("5 seconds")
          yield* trade(3)
          assert.strictEqual(lifeOf(told), "2 live () 3 live")
          assert.deepStrictEqual(served.rest.requests, [])
        }), { feed: { backfill: "none" } })

      test("who is to wait for nothing does not", (run) =>
        Effect.gen(function*() {
          const { miss, served, told, trade } = run
          yield* trade(2)
          yield* served.rest.setLatency(300)
          yield* miss(4)
          yield* TestClock.adjust("500 millis")
          yield* trade(1)
          assert.strictEqual(lifeOf(told), "2 live (1 live")
          yield* TestClock.adjust("5 seconds")
          assert.strictEqual(lifeOf(told), "2 live (1 live 4 past )backfill")
        }), { feed: { backfill: { maxWait: 0 } } })

      test("a subscription that is given up while it is fetched leaves nothing behind", (run) =>
        Effect.gen(function*() {
          const { feed, miss, product, served, told, trade } = run
          const scope = yield* Scope.make()
          const channel = yield* feed.channel("trade", product === "BTC-USD" ? "ETH-USD" : "ETH-USD-PERP")
          yield* Scope.provide(feed.subscribe([channel]), scope)
          yield* TestClock.adjust("1 second")
          yield* trade(2)
          yield* served.rest.setLatency(900)
          yield* miss(4)
          yield* TestClock.adjust("500 millis")
          yield* Scope.close(scope, Exit.void)
          yield* TestClock.adjust("10 seconds")
          const { entries } = yield* feed.ledger
          assert.deepStrictEqual(entries.map(({ gaps }) => shape(gaps)), [
            ["disconnect backfill"],
            ["disconnect not recovered"]
          ])
          assert.deepStrictEqual(tradesOf(told), run.made())
        }))

      test("what the venue replays by itself comes once, in its place", (run) =>
        Effect.gen(function*() {
          const { feed, miss, told, trade } = run
          yield* trade(2)
          yield* miss(7)
          yield* TestClock.adjust("5 seconds")
          yield* trade(3)
          assert.deepStrictEqual(tradesOf(told), run.made())
          const { gaps, isBalanced } = yield* entryOf(feed)
          assert.deepStrictEqual([shape(gaps), isBalanced], [["disconnect backfill"], true])
        }), { serve: { answersData: true } })

      test("two connections that are both cut fetch once", (run) =>
        Effect.gen(function*() {
          const { feed, miss, served, told, trade } = run
          yield* trade(2)
          yield* miss(4)
          yield* TestClock.adjust("5 seconds")
          yield* trade(3)
          assert.deepStrictEqual(tradesOf(told), run.made())
          // The first to be cut missed nothing that the other one had.
          assert.strictEqual(lifeOf(told).replaceAll(")redundant ", ""), "2 live (4 past )backfill 3 live")
          assert.isTrue((yield* entryOf(feed)).isBalanced)
          const paths = served.rest.requests.map(({ path }) => path)
          assert.strictEqual(new Set(paths).size, paths.length)
        }), { feed: { redundancy: { endpoints: [undefined, undefined] } } })
    })
  }
})
