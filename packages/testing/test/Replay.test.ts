/** What was recorded of an hour of chaos is replayed to the same events, gaps, books and ledger, by the same program. */
import { assert, describe, it } from "@effect/vitest"
import * as Reconnection from "@tickline/core/connection/Reconnection"
import type * as Lifecycle from "@tickline/core/event/Lifecycle"
import * as Ndjson from "@tickline/core/event/Ndjson"
import type * as Ledger from "@tickline/core/market/Ledger"
import * as MarketFeed from "@tickline/core/market/MarketFeed"
import * as OrderBook from "@tickline/core/market/OrderBook"
import * as Recorder from "@tickline/core/recording/Recorder"
import * as Replay from "@tickline/core/recording/Replay"
import type * as ConnectionPolicy from "@tickline/core/resilience/ConnectionPolicy"
import * as Presets from "@tickline/core/resilience/Presets"
import { HttpPort } from "@tickline/core/transport/HttpPort"
import { Transport } from "@tickline/core/transport/Transport"
import type { Venue } from "@tickline/core/venue/Venue"
import * as Venues from "@tickline/core/venue/Venues"
import * as FaultPlan from "@tickline/testing/FaultPlan"
import * as Market from "@tickline/testing/Market"
import * as MockVenues from "@tickline/testing/MockVenues"
import * as Simulation from "@tickline/testing/Simulation"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Random from "effect/Random"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"

/** What a program was told, as text: of the life of a connection only the states, of which the breaker's are its own. */
interface Told {
  readonly events: ReadonlyArray<string>
  readonly books: ReadonlyArray<string>
  readonly states: ReadonlyArray<string>
  readonly ledger: Ledger.Ledger
}

const stateOf = ({ attempt, delayMillis, epoch, state }: Lifecycle.ConnectionEvent): string =>
  [state, epoch, attempt, delayMillis].filter((one) => one !== undefined).join(" ")

/** A program that runs live and over a recording: it tells all that a feed tells, until it is over. */
const program = Effect.fnUntraced(function*(
  venue: Venue,
  url: string,
  product: string,
  isOver: Effect.Effect<void>
) {
  const told = { events: [] as Array<string>, books: [] as Array<string>, states: [] as Array<string> }
  const feed = yield* MarketFeed.prepare(venue, { url, freshness: "none" })
  const trades = yield* feed.channel("trade", product)
  yield* feed.subscribe([trades])
  yield* feed.observeBook(product, (book) => void told.books.push(Ndjson.toJson(OrderBook.toEvent(book))), {
    depth: 1_000
  })
  const consumer = yield* feed.events({ overflow: "block" }).pipe(
    Stream.runForEach((event) =>
      Effect.sync(() => {
        if (event._tag === "Connection") told.states.push(stateOf(event))
        else if (event._tag !== "Breaker") told.events.push(Ndjson.toJson(event))
      })
    ),
    Effect.forkScoped({ startImmediately: true })
  )
  yield* Effect.forkScoped(Effect.ignore(feed.connection.connect), { startImmediately: true })
  yield* isOver
  yield* feed.connection.close()
  yield* Fiber.join(consumer)
  return { ...told, ledger: yield* feed.ledger } satisfies Told
})

const seeds = [2]

// A breaker's waits are not those of the recording.
const policy: ConnectionPolicy.ConnectionPolicy = { ...Presets.recommended, circuit: "none" }

const live = Effect.fnUntraced(function*(name: string, product: string, seed: number, perHour: number) {
  const venue = Venues.get(name) ?? assert.fail(name)
  const server = MockVenues.byName(name) ?? assert.fail(name)
  const { faults: _, host: __, network, stopMarket, url } = yield* Simulation.make({
    seed,
    venue: { client: venue, server },
    products: Market.listedBy(server).filter(({ symbol }) => symbol === product),
    latency: { min: 5, max: 60 },
    faults: FaultPlan.random({ seed, within: "55 minutes", perHour })
  })
  const texts: Array<string> = []
  const recorder = yield* Recorder.make({
    headers: [{ venue: name, url, products: [product], channels: ["trade", "book"] }],
    bytes: 1 << 30,
    sink: {
      begin: (header) => Effect.sync(() => void texts.push(header)),
      write: (more) => Effect.sync(() => void texts.push(...more)),
      flush: Effect.void,
      end: Effect.void
    }
  })
  const isOver = Deferred.makeUnsafe<void>()
  const running = yield* Effect.scoped(program(venue, url, product, Deferred.await(isOver))).pipe(
    Effect.provideService(Transport, recorder.transport(network.transport)),
    Effect.provideService(HttpPort, recorder.http(network.http)),
    Effect.provide(Reconnection.layerWithBreaker(policy)),
    Effect.forkScoped({ startImmediately: true })
  )
  yield* TestClock.adjust("1 hour")
  yield* stopMarket
  yield* TestClock.adjust("5 minutes")
  Deferred.doneUnsafe(isOver, Effect.void)
  yield* TestClock.adjust("1 minute")
  const told = yield* Fiber.join(running)
  yield* recorder.finish
  assert.strictEqual(recorder.counts().dropped, 0)
  return { venue, url, told, lines: texts.join("").split("\n").slice(0, -1) }
})

const again = (venue: Venue, url: string, product: string, lines: ReadonlyArray<string>) =>
  Effect.flatMap(
    Replay.make(Stream.fromIterable(lines)),
    (replay) =>
      replay.run(
        program(venue, url, product, replay.ended).pipe(
          Effect.provide(Reconnection.layerWithBreaker(policy))
        )
      )
  )

/** A ledger without the end of the time in which all was well: when our closing began is in no recording. */
const untimed = (ledger: Ledger.Ledger): unknown => ({
  ...ledger,
  entries: ledger.entries.map(({ live, liveMillis: _, ...entry }) => ({
    ...entry,
    live: live.map((one, index) => index === live.length - 1 ? { from: one.from } : one)
  }))
})

describe("a recording of chaos", { timeout: 60_000 }, () => {
  for (
    const [name, product] of [
      ["kraken", "BTC/USD"],
      ["coinbase", "BTC-USD"],
      ["coinbase-exchange", "BTC-USD"],
      ["deribit", "BTC-PERPETUAL"],
      ["dydx", "BTC-USD"],
      ["hyperliquid", "BTC"],
      ["binance", "BTCUSDT"]
    ] as const
  ) {
    for (const seed of seeds) {
      it.effect(`${name}, seed ${seed}`, () =>
        Effect.gen(function*() {
          const { lines, told, url, venue } = yield* live(name, product, seed, seed * 15)
          assert.isAbove(told.events.length, 5)
          assert.isAbove(told.books.length, 5)
          assert.isAbove(told.states.length, 10)
          const replayed = yield* again(venue, url, product, lines)
          assert.deepStrictEqual(replayed.states, told.states)
          assert.deepStrictEqual(replayed.books, told.books)
          assert.deepStrictEqual(replayed.events, told.events)
          assert.deepStrictEqual(untimed(replayed.ledger), untimed(told.ledger))
        }).pipe(Effect.scoped, Random.withSeed(seed)))
    }
  }
})
