/** From a feed to signals, over the virtual network: what a strategy is shown, and what it never sees. */
import { assert, describe, it } from "@effect/vitest"
import * as MarketFeed from "@tickline/core/market/MarketFeed"
import * as Presets from "@tickline/core/resilience/Presets"
import { type Candle, make as makeCandles } from "@tickline/core/strategy/Candles"
import type { Signal, StrategyFailed } from "@tickline/core/strategy/Signal"
import * as Signals from "@tickline/core/strategy/Signals"
import type * as Strategy from "@tickline/core/strategy/Strategy"
import type * as Frame from "@tickline/core/transport/Frame"
import { Transport } from "@tickline/core/transport/Transport"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Timestamp from "@tickline/core/value/Timestamp"
import type { Venue } from "@tickline/core/venue/Venue"
import * as Venues from "@tickline/core/venue/Venues"
import * as MockVenue from "@tickline/testing/MockVenue"
import * as MockVenues from "@tickline/testing/MockVenues"
import * as Probe from "@tickline/testing/Probe"
import * as VirtualNetwork from "@tickline/testing/VirtualNetwork"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/testing/TestClock"
import { policyWith } from "./Rig.ts"

const venueOf = (name: string): Venue => Venues.all.find((venue) => venue.name === name) ?? assert.fail(name)

const productOf = ({ name }: Venue, coin = "BTC"): string =>
  name === "deribit" || name === "coinbase-derivatives" || name === "dydx" || name === "hyperliquid"
    ? `${coin}-USD-PERP`
    : `${coin}-USD`

const textOf = ({ close, from, high, low, open, trades, volume }: Candle): string =>
  [Timestamp.epochMillis(from), ...[open, high, low, close].map(Decimal.format), Number(Decimal.format(volume)), trades]
    .join(" ")

/** Keeps what it is shown, and decides by turns to buy and to sell. */
const spy = () => {
  const shown: Array<Candle> = []
  let begun = 0
  const strategy: Strategy.Strategy = {
    name: "spy",
    warmUp: 1,
    make: () => {
      begun++
      return {
        decide: (candle) => {
          shown.push(candle)
          return { side: shown.length % 2 === 0 ? "sell" : "buy", confidence: 0.75, reason: `${shown.length}` }
        }
      }
    }
  }
  return { strategy, shown, begun: () => begun }
}

interface Options {
  readonly feed?: MarketFeed.Options
  readonly signals?: Partial<Signals.Options>
  readonly slow?: Effect.Effect<void>
}

/** A feed of a venue's mock whose product trades a few times a second, and the signals of a strategy on it. */
const rig = Effect.fnUntraced(function*(venue: Venue, options: Options = {}) {
  // A small number of milliseconds would be taken for seconds.
  yield* TestClock.setTime(1_800_000_000_000)
  const network = yield* VirtualNetwork.Network
  const served = yield* MockVenue.serve(network, "wss://venue.test", MockVenues.byName(venue.name) ?? assert.fail(), {
    answersData: options.signals?.book === true
  })
  const transport = yield* Transport
  const loss = { isLost: (_: Frame.Frame): boolean => false }
  const product = productOf(venue)
  const feed = yield* MarketFeed.prepare(venue, { url: served.url, ...options.feed }).pipe(
    Effect.provideService(Transport, {
      ...transport,
      dial: (request) =>
        Effect.map(transport.dial(request), (wire) => {
          const pull: typeof wire.pull = Effect.flatMap(wire.pull, (frames) => {
            const rest = frames.filter((frame) => !loss.isLost(frame))
            return Arr.isReadonlyArrayNonEmpty(rest) ? Effect.succeed(rest) : pull
          })
          return { ...wire, pull }
        })
    })
  )
  const seen = spy()
  const told: Array<Signal> = []
  const failures: Array<StrategyFailed> = []
  const signals = yield* Signals.stream(feed, {
    products: [product],
    strategy: seen.strategy,
    interval: "1 second",
    onFailure: (failure) => Effect.sync(() => void failures.push(failure)),
    ...options.signals
  }).pipe(
    Stream.runForEach((signal) =>
      Effect.andThen(options.slow ?? Effect.void, Effect.sync(() => void told.push(signal)))
    ),
    Effect.forkScoped({ startImmediately: true })
  )
  yield* Effect.forkScoped(feed.connection.connect)
  // In the middle of a candle.
  yield* TestClock.adjust("1100 millis")
  const before = served.trades(product).length
  /** Trades for so many seconds, and lets them arrive. */
  const trade = Effect.fnUntraced(function*(seconds: number, of = product) {
    for (let n = 0; n < seconds * 5; n++) yield* Effect.andThen(served.trade(of), TestClock.adjust("200 millis"))
    yield* TestClock.adjust("40 millis")
  })
  /** The connection is cut, so many seconds of trades are missed, and it comes back. */
  const miss = Effect.fnUntraced(function*(seconds: number) {
    yield* served.host.otherwise({ _tag: "Refuse" })
    yield* served.host.drop
    yield* TestClock.adjust("50 millis")
    yield* trade(seconds)
    yield* served.host.otherwise({ _tag: "Accept" })
    yield* TestClock.adjust("3 seconds")
  })
  const hasSizes = venue.name !== "generic"
  /** The candles of everything that the venue has traded since, but for the first. */
  const made = (): ReadonlyArray<Candle> => {
    const candles = makeCandles({ interval: "1 second" })
    const closed = served.trades(product).slice(before).flatMap(({ price, size, timestamp }) =>
      candles.add({
        price: Decimal.parse(price) ?? assert.fail(price),
        size: hasSizes ? Decimal.parse(size) : undefined,
        timestamp: Timestamp.parse(timestamp) ?? assert.fail(timestamp)
      })
    )
    return closed.slice(1)
  }
  /** Those of them that the strategy has not been shown, by their numbers; what it was shown is of them, in order. */
  const withheld = (): ReadonlyArray<number> => {
    const all = made().map(textOf)
    const shown = seen.shown.map(textOf)
    assert.deepStrictEqual(all.filter((one) => shown.includes(one)), shown)
    return all.flatMap((one, at) => shown.includes(one) ? [] : [at])
  }
  return { ...seen, feed, served, loss, product, signals, told, failures, trade, miss, made, withheld }
})

/** Goes on trying for as long as a test has the venue away. */
const policy = policyWith({ retry: { ...Presets.fast.retry, maxRetries: "unlimited" } })

type Run = Effect.Success<ReturnType<typeof rig>>

const test = (
  venue: Venue,
  name: string,
  use: (run: Run) => Effect.Effect<void, unknown, Scope.Scope>,
  options?: Options
) =>
  it.effect(
    name,
    () =>
      Probe.scoped(Effect.flatMap(rig(venue, options), use)).pipe(Effect.provide(Probe.layer({ latency: 20, policy })))
  )

const isOf = (venue: Venue, ...tags: ReadonlyArray<string>) => (frame: Frame.Frame): boolean => {
  const events = venue.decode(frame)
  return "_tag" in events ? false : events.some(({ _tag }) => tags.includes(_tag))
}

describe("signals", () => {
  for (const venue of Venues.all.filter(({ name }) => MockVenues.byName(name) !== undefined)) {
    test(
      venue,
      `${venue.name}: each candle is shown, but for the one in which they begin`,
      (run) =>
        Effect.gen(function*() {
          yield* run.trade(12)
          assert.deepStrictEqual(run.withheld(), [])
          assert.isAtLeast(run.shown.length, 10)
          const first = run.shown[0] ?? assert.fail()
          assert.deepStrictEqual(run.told.map(({ side }) => side).slice(0, 4), ["buy", "sell", "buy", "sell"])
          assert.deepInclude({ ...run.told[0] }, {
            venue: venue.name,
            product: run.product,
            confidence: 0.75,
            price: first.close,
            at: first.to,
            strategy: "spy",
            reason: "1"
          })
          assert.strictEqual(run.told.length, run.shown.length)
        })
    )
  }

  describe("where trades are missed", () => {
    const binance = venueOf("binance")
    const alone = { backfill: "none" } as const

    test(
      binance,
      "candles that a drop touches are withheld, and the strategy begins anew",
      (run) =>
        Effect.gen(function*() {
          yield* run.trade(5)
          const begun = run.begun()
          const before = run.made().length
          yield* run.miss(4)
          yield* run.trade(5)
          const withheld = run.withheld()
          // From the one in which the connection was cut to the one in which it was there again.
          assert.deepStrictEqual(withheld, withheld.map((_, at) => before + at))
          assert.isAtLeast(withheld.length, 5)
          assert.isAbove(run.begun(), begun)
          assert.isAtLeast(run.shown.at(-1)?.trades ?? 0, 4)
        }),
      { feed: alone }
    )

    test(binance, "the strategy goes on without them if it is to", (run) =>
      Effect.gen(function*() {
        yield* run.trade(5)
        yield* run.miss(4)
        yield* run.trade(5)
        assert.isAtLeast(run.withheld().length, 5)
        assert.strictEqual(run.begun(), 1)
        assert.isAtLeast(run.shown.length, 7)
      }), { feed: alone, signals: { afterGap: "continue" } })

    test(binance, "they are shown in their order if they are fetched", (run) =>
      Effect.gen(function*() {
        yield* run.trade(5)
        const begun = run.begun()
        yield* run.miss(4)
        yield* run.trade(5)
        assert.deepStrictEqual(run.withheld(), [])
        assert.strictEqual(run.begun(), begun)
      }))

    test(binance, "while they are being fetched nothing is shown", (run) =>
      Effect.gen(function*() {
        yield* run.trade(5)
        yield* run.served.rest.setLatency(4_000)
        yield* run.miss(2)
        const shown = run.shown.length
        // The feed lets live trades pass after two seconds: they wait here.
        yield* run.trade(4)
        assert.strictEqual(run.shown.length, shown)
        yield* run.trade(14)
        assert.deepStrictEqual(run.withheld(), [])
        assert.isAtLeast(run.shown.length, shown + 15)
      }))

    test(binance, "candles that a lost trade touches are withheld", (run) =>
      Effect.gen(function*() {
        yield* run.trade(5)
        const before = run.made().length
        run.loss.isLost = isOf(binance, "Trade")
        yield* run.trade(1)
        run.loss.isLost = () => false
        yield* run.trade(5)
        const withheld = run.withheld()
        assert.deepStrictEqual(withheld, withheld.map((_, at) => before + at))
        assert.include([2, 3], withheld.length)
      }), { feed: alone })

    test(binance, "and are not, if it is fetched", (run) =>
      Effect.gen(function*() {
        yield* run.trade(5)
        run.loss.isLost = isOf(binance, "Trade")
        yield* run.trade(1)
        run.loss.isLost = () => false
        yield* run.trade(5)
        assert.deepStrictEqual(run.withheld(), [])
        assert.isAtLeast(run.shown.length, 9)
      }))

    test(
      venueOf("hyperliquid"),
      "what can be fetched in part only is withheld with what is around it",
      (run) =>
        Effect.gen(function*() {
          yield* run.trade(5)
          yield* run.miss(6)
          yield* run.trade(5)
          assert.isAtLeast(run.withheld().length, 6)
          assert.isAtLeast(run.shown.length, 7)
        })
    )
  })

  describe("with books", () => {
    const deribit = venueOf("deribit")

    test(deribit, "nothing is shown before the book is live, and all after", (run) =>
      Effect.gen(function*() {
        yield* run.trade(8)
        assert.isAtMost(run.withheld().length, 1)
        assert.isAtLeast(run.shown.length, 6)
      }), { signals: { book: true } })

    test(deribit, "candles during which the book is broken are withheld", (run) =>
      Effect.gen(function*() {
        yield* run.trade(6)
        assert.isAtLeast(run.shown.length, 4)
        // One change of the book is lost, and what would make it whole again.
        let isLosing = true
        run.loss.isLost = (frame) =>
          isOf(deribit, "BookSnapshot")(frame) || (isLosing && isOf(deribit, "BookDelta")(frame))
        yield* run.trade(1)
        isLosing = false
        const before = run.shown.length
        yield* run.trade(4)
        assert.strictEqual(run.shown.length, before)
        run.loss.isLost = () => false
        yield* TestClock.adjust("20 seconds")
        yield* run.served.host.drop
        yield* TestClock.adjust("2 seconds")
        yield* run.trade(6)
        assert.isAbove(run.shown.length, before + 2)
        const withheld = run.withheld()
        assert.isAtLeast(withheld.length, 5)
        assert.deepStrictEqual(withheld, withheld.map((_, at) => before + at))
      }), { signals: { book: true } })

    test(deribit, "without one that is asked for they are not looked at", (run) =>
      Effect.gen(function*() {
        run.loss.isLost = isOf(deribit, "BookSnapshot", "BookDelta")
        yield* run.trade(8)
        assert.deepStrictEqual(run.withheld(), [])
      }))

    for (const accepts of [false, true]) {
      test(
        venueOf("binance"),
        `one that is not verified ${accepts ? "is taken where that is said" : "counts as one that is not live"}`,
        (run) =>
          Effect.gen(function*() {
            yield* run.trade(8)
            if (accepts) assert.isAtLeast(run.shown.length, 6)
            else assert.strictEqual(run.shown.length, 0)
          }),
        { feed: { checksBooks: false }, signals: { book: true, acceptsUnverified: accepts } }
      )
    }
  })

  describe("a strategy that fails", () => {
    const kraken = venueOf("kraken")
    let failing = 0
    const made: Array<number> = []
    const brittle: Strategy.Strategy = {
      name: "brittle",
      warmUp: 1,
      make: () => {
        const number = made.push(0)
        let seen = 0
        return {
          decide: () => {
            if (failing > 0) {
              failing--
              throw new Error("no such thing")
            }
            return { side: "buy", confidence: 0.5, reason: `${number} ${++seen}` }
          }
        }
      }
    }

    test(kraken, "is told of, and begins anew with that product alone", (run) =>
      Effect.gen(function*() {
        yield* run.trade(4, "BTC-USD")
        yield* run.trade(4, "ETH-USD")
        failing = 1
        yield* run.trade(2, "BTC-USD")
        failing = 0
        yield* run.trade(3, "BTC-USD")
        yield* run.trade(3, "ETH-USD")
        assert.deepStrictEqual(run.failures.map(({ message }) => message), [
          "brittle failed on BTC-USD: no such thing"
        ])
        const reasons = (product: string) =>
          run.told.filter((one) => one.product === product).map(({ reason }) => reason)
        assert.deepStrictEqual(reasons("BTC-USD").slice(0, 2), ["3 1", "3 2"])
        assert.strictEqual(reasons("BTC-USD").at(-1)?.split(" ")[0], "5")
        assert.deepStrictEqual(new Set(reasons("ETH-USD").map((one) => one?.split(" ")[0])), new Set(["4"]))
      }), { signals: { products: ["BTC-USD", "ETH-USD"], strategy: brittle } })

    test(kraken, "also by a confidence that is none", (run) =>
      Effect.gen(function*() {
        yield* run.trade(4)
        assert.isAtLeast(run.failures.length, 2)
        assert.strictEqual(run.failures[0]?.message, "sure failed on BTC-USD: a confidence of 1.5 is not from 0 to 1")
        assert.deepStrictEqual(run.told, [])
      }), {
      signals: {
        strategy: { name: "sure", warmUp: 1, make: () => ({ decide: () => ({ side: "buy", confidence: 1.5 }) }) }
      }
    })
  })

  const quiet: Strategy.Strategy = {
    name: "quiet",
    warmUp: 1,
    make: () => ({ decide: () => ({ side: "hold", confidence: 0.5 }) })
  }
  for (const holds of [false, true]) {
    test(
      venueOf("kraken"),
      `a decision to hold is ${holds ? "one where that is asked for" : "none"}`,
      (run) => Effect.andThen(run.trade(4), Effect.sync(() => assert.strictEqual(run.told.length > 0, holds))),
      { signals: { strategy: quiet, holds } }
    )
  }

  test(
    venueOf("binance"),
    "come with all prices where that is asked for, also while nothing is shown",
    (run) =>
      Effect.gen(function*() {
        const told = yield* Probe.record(Signals.withPrices(run.feed, {
          products: [run.product],
          strategy: spy().strategy,
          interval: "1 second"
        }))
        yield* run.trade(3)
        yield* run.miss(2)
        yield* run.trade(3)
        const of = (tag: "Price" | "Signal") => told.filter(({ _tag }) => _tag === tag)
        // Of the five seconds, ten trades were of before when they came.
        assert.strictEqual(of("Price").length, 30)
        assert.deepInclude({ ...told[0] }, { _tag: "Price", product: run.product })
        const first = told.findIndex(({ _tag }) => _tag === "Signal")
        const [price, signal] = told.slice(first - 1)
        assert.isTrue(
          price?._tag === "Price" && signal?._tag === "Signal" && Timestamp.TimestampOrder(signal.at, price.at) <= 0
        )
        assert.strictEqual(of("Signal").length, run.shown.length)
      })
  )

  test(venueOf("kraken"), "who takes them slowly misses none", (run) =>
    Effect.gen(function*() {
      yield* run.trade(10)
      assert.isBelow(run.told.length, 5)
      yield* TestClock.adjust("1 minute")
      assert.deepStrictEqual(run.withheld(), [])
      assert.strictEqual(run.told.length, run.shown.length)
      const { entries, shed } = yield* run.feed.ledger
      assert.deepStrictEqual([shed, entries.map(({ dropped }) => dropped)], [[], [0]])
    }), { slow: Effect.sleep("4 seconds") })

  test(venueOf("kraken"), "end as the feed does", (run) =>
    Effect.gen(function*() {
      yield* run.trade(2)
      yield* Probe.within(run.feed.connection.close())
      assert.isTrue(Exit.isSuccess(yield* Probe.within(Fiber.await(run.signals))))
    }))
})
