/** Strategies over recordings: what they buy and sell, what it costs, and that nothing is known before its time. */
import { assert, describe, it } from "@effect/vitest"
import * as MarketFeed from "@tickline/core/market/MarketFeed"
import * as Recorder from "@tickline/core/recording/Recorder"
import type * as Backtest from "@tickline/core/strategy/Backtest"
import * as Signals from "@tickline/core/strategy/Signals"
import * as Strategy from "@tickline/core/strategy/Strategy"
import { Transport } from "@tickline/core/transport/Transport"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Timestamp from "@tickline/core/value/Timestamp"

import * as MockVenue from "@tickline/testing/MockVenue"
import * as MockVenues from "@tickline/testing/MockVenues"
import * as Probe from "@tickline/testing/Probe"
import * as VirtualNetwork from "@tickline/testing/VirtualNetwork"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as TestClock from "effect/testing/TestClock"
import { backtest, decimal, instant, standard, tape, trade, venue } from "./Tape.ts"

const secondsOf = (timestamp: Timestamp.Timestamp | undefined): number =>
  timestamp === undefined ? -1 : (Timestamp.epochMillis(timestamp) - Date.parse(instant(0))) / 1_000

const fillsOf = ({ fills }: Pick<Backtest.Report, "fills">): ReadonlyArray<string> =>
  fills.map(({ amount, fee = Decimal.zero, price, side, timestamp }) =>
    [secondsOf(timestamp), side, ...[amount, price, fee].map(Decimal.format)].join(" ")
  )

const signalsOf = ({ signals }: Pick<Backtest.Report, "signals">): ReadonlyArray<string> =>
  signals.map(({ at, confidence, price, reason, side }) =>
    [secondsOf(at), side, confidence, Decimal.format(price), reason].join(" ")
  )

const steps = (count: number, from: number, step: number) => Array.from({ length: count }, (_, at) => from + at * step)

/** Up for twenty seconds, and down again: the strategy buys on the way up, and sells on the way down. */
const hill = [...steps(21, 100, 0.1), ...steps(20, 101.9, -0.1)]

/** Several of them, of other heights. */
const hills = [8, 13, 5, 11].flatMap((height) => [
  ...steps(height * 2, 100, height / 40),
  ...steps(height * 2, 100 + height * height / 20, -height / 40)
])

// What would be the same signal again, and any number of orders, is let through.
const often: Partial<Backtest.Options> = {
  limits: { repeatAfter: 0, perHour: 1_000, perDay: 1_000, share: decimal("0.5") }
}

describe("a backtest", () => {
  it.effect("buys and sells what the strategy decides, at the price of the trade that shows it", () =>
    Effect.gen(function*() {
      const report = yield* backtest(tape(hill))
      // Ten candles are whole from 1 s on, so the first signal is of 11 s; the next trade is half a second later. A
      // tenth of 10,000 is 9.89119683 at 101.10. The short average is below the long one after the third step down.
      assert.deepStrictEqual(signalsOf(report).slice(0, 1), ["11 buy 0.8 101.00 ema 3 above ema 5"])
      assert.deepStrictEqual(fillsOf(report), [
        "11.5 buy 9.89119683 101.10 0",
        "24.5 sell 9.89119683 101.60 0"
      ])
      const { curve, performance, result, trades } = report
      assert.strictEqual(Decimal.format(result.pnl), "4.945598415")
      assert.deepStrictEqual(
        [result.trades, result.hitRate, result.sharpe, result.exposure],
        [1, 1, undefined, 13 / 40]
      )
      assert.closeTo(result.return, 0.0004945598415, 1e-12)
      // At its highest it was at 102.00, when it sold at 101.60.
      assert.closeTo(result.drawdown, 9.89119683 * 0.4 / (10_000 + 9.89119683 * 0.9), 1e-12)
      assert.deepStrictEqual(trades.map(({ closedAt, openedAt }) => closedAt - openedAt), [13_000])
      assert.strictEqual(curve.at(-1)?.total, 10_004.945598415)
      assert.strictEqual(curve.length, 41)
      assert.strictEqual(performance.wins, 1)
      assert.deepStrictEqual([...report.refusals.keys()].toSorted(), ["ERR_DUPLICATE_SIGNAL", "ERR_NOTHING_TO_CLOSE"])
    }))

  it.effect("pays fees", () =>
    Effect.gen(function*() {
      const report = yield* backtest(tape(hill), { fees: { maker: Decimal.zero, taker: decimal("0.001") } })
      assert.deepStrictEqual(fillsOf(report), [
        "11.5 buy 9.89119683 101.10 0.999999999513",
        "24.5 sell 9.89119683 101.60 1.004945597928"
      ])
      assert.strictEqual(Decimal.format(report.result.pnl), "2.940652817559")
    }))

  it.effect("meets the market that there is when its orders arrive", () =>
    Effect.gen(function*() {
      const report = yield* backtest(tape(hill), { latency: "1200 millis" })
      assert.deepStrictEqual(fillsOf(report), [
        "12.7 buy 9.89119683 101.20 0",
        "25.7 sell 9.89119683 101.50 0"
      ])
      assert.strictEqual(Decimal.format(report.result.pnl), "2.967359049")
    }))

  it.effect("is filled by the book, if there is one", () =>
    Effect.gen(function*() {
      const report = yield* backtest(tape(hill, 0.04), { fillsByBook: true })
      // Five are on the first level of each side, and nothing is behind them: the rest is sold half a second later.
      assert.deepStrictEqual(fillsOf(report).slice(0, 2), [
        "11.5 buy 5.00000000 101.12 0",
        "24.5 sell 5.00000000 101.58 0"
      ])
      assert.strictEqual(Decimal.format(report.result.pnl), "2.3")
    }))

  it.effect("values what is open by the last trade", () =>
    Effect.gen(function*() {
      const report = yield* backtest(tape(hill.slice(0, 21)))
      assert.deepStrictEqual(fillsOf(report), ["11.5 buy 9.89119683 101.10 0"])
      assert.strictEqual(Decimal.format(report.result.pnl), "8.902077147")
      assert.deepStrictEqual([report.result.trades, report.result.hitRate], [0, undefined])
    }))

  it.effect("sells nothing that it has not bought", () =>
    Effect.gen(function*() {
      const report = yield* backtest(tape(steps(40, 100, -0.1)))
      assert.isTrue(report.signals.length > 20 && report.signals.every(({ side }) => side === "sell"))
      assert.deepStrictEqual([report.fills, Decimal.format(report.result.pnl)], [[], "0"])
    }))

  it.effect("stops where the portfolio says", () =>
    Effect.gen(function*() {
      const report = yield* backtest(tape([...steps(20, 100, 0.1), 95, 95, 95]))
      assert.deepStrictEqual(fillsOf(report), ["11.5 buy 9.89119683 101.10 0", "20.5 sell 9.89119683 95.00 0"])
    }))

  it.effect("says the same again", () =>
    Effect.gen(function*() {
      const once = yield* backtest(tape(hills, 0.02), { ...often, fillsByBook: true, latency: "300 millis" })
      const again = yield* backtest(tape(hills, 0.02), { ...often, fillsByBook: true, latency: "300 millis" })
      assert.isAtLeast(once.trades.length, 3)
      assert.deepStrictEqual(JSON.stringify(again.fills), JSON.stringify(once.fills))
      assert.deepStrictEqual(again, once)
    }))

  // Where a recording ends, or says something else from there on, nothing can be seen before.
  for (const isByBook of [false, true]) {
    it.effect(`sees no price before its time ${isByBook ? "with" : "without"} a book`, () =>
      Effect.gen(function*() {
        const lines = tape(hills, isByBook ? 0.02 : undefined)
        const options = { ...often, fillsByBook: isByBook, latency: "300 millis" } as const
        const whole = yield* backtest(lines, options)
        assert.isAtLeast(whole.fills.length, 6)
        const ends = Array.from({ length: 6 }, (_, at) => 2 + (at + 1) * Math.floor((lines.length - 2) / 7))
        for (const end of ends) {
          const [seconds] = lines.slice(0, end).flatMap((line) => secondsOf(Timestamp.fromIso(JSON.parse(line).at)))
            .slice(-1)
          const until = (of: Backtest.Report) => ({
            fills: of.fills.filter(({ timestamp }) => secondsOf(timestamp) <= (seconds ?? 0)),
            signals: of.signals.filter(({ at }) => secondsOf(at) <= (seconds ?? 0))
          })
          const known = until(whole)
          const cut = yield* backtest(lines.slice(0, end), options)
          assert.deepStrictEqual([fillsOf(cut), signalsOf(cut)], [fillsOf(known), signalsOf(known)])
          for (const price of ["1.00", "900.00"]) {
            const planted = JSON.stringify({
              raw: JSON.stringify(trade(900_000, (seconds ?? 0) * 1_000 + 100, price)),
              at: instant((seconds ?? 0) * 1_000 + 100),
              connection: 1
            })
            const other = until(yield* backtest([...lines.slice(0, end), planted, ...lines.slice(end)], options))
            assert.deepStrictEqual([fillsOf(other), signalsOf(other)], [fillsOf(known), signalsOf(known)])
          }
        }
      }))
  }

  it.effect("decides what the strategy decided live, also where the connection was cut", () =>
    Probe.scoped(Effect.gen(function*() {
      yield* TestClock.setTime(Date.parse(instant(0)))
      const network = yield* VirtualNetwork.Network
      const served = yield* MockVenue.serve(network, "wss://venue.test", MockVenues.byName(venue.name) ?? assert.fail())
      const recorded: Array<string> = []
      const recorder = yield* Recorder.make({
        headers: [{ venue: venue.name, url: served.url, products: ["BTC-USD"], channels: ["matches"] }],
        sink: {
          begin: (header) => Effect.sync(() => void recorded.push(header)),
          write: (texts) => Effect.sync(() => void recorded.push(...texts)),
          flush: Effect.void,
          end: Effect.void
        }
      })
      const members = [
        { strategy: Strategy.fast(), weight: 0.6 },
        { strategy: Strategy.conservative({ bollinger: { deviations: 1 } }), weight: 0.4 }
      ]
      const strategy = Strategy.combined(members, { threshold: 0.3, adapt: { every: "20 seconds" } })
      const transport = yield* Transport
      const feed = yield* MarketFeed.prepare(venue, { url: served.url, backfill: "none" }).pipe(
        Effect.provideService(Transport, recorder.transport(transport))
      )
      const told = yield* Probe.record(Signals.stream(feed, { ...standard, strategy }))
      yield* Effect.forkScoped(Effect.ignore(feed.connection.connect))
      for (let n = 0; n < 400; n++) {
        yield* TestClock.adjust("330 millis")
        if (n === 130 || n === 270) yield* served.host.drop
        yield* served.trade("BTC-USD")
      }
      yield* TestClock.adjust("5 seconds")
      yield* Probe.within(feed.connection.close())
      yield* recorder.finish
      assert.isAtLeast(told.length, 40)
      assert.deepStrictEqual(new Set(told.map(({ side }) => side)), new Set(["buy", "sell"]))
      const report = yield* backtest(recorded.join("").split("\n").slice(0, -1), { strategy })
      assert.deepStrictEqual(signalsOf(report), signalsOf({ signals: told }))
    })).pipe(Effect.provide(Probe.layer({ latency: 20 }))))

  it.effect("decides what the strategy decides live against a venue that plays the recording again", () =>
    Probe.scoped(Effect.gen(function*() {
      const lines = tape(hills)
      const frames = lines.slice(2).map((line): { readonly at: string; readonly raw: string } => JSON.parse(line))
      yield* TestClock.setTime(Date.parse(instant(0)))
      const network = yield* VirtualNetwork.Network
      yield* network.serve("wss://venue.test", (peer) =>
        Effect.gen(function*() {
          yield* peer.receive
          yield* peer.send(JSON.stringify({
            type: "subscriptions",
            channels: [{ name: "matches", product_ids: ["BTC-USD"] }]
          }))
          for (const { at, raw } of frames) {
            yield* Effect.sleep(Date.parse(at) - (yield* Clock.currentTimeMillis))
            yield* peer.send(raw)
          }
        }))
      const feed = yield* MarketFeed.prepare(venue, { url: "wss://venue.test", backfill: "none" })
      const told = yield* Probe.record(Signals.stream(feed, standard))
      yield* Effect.forkScoped(Effect.ignore(feed.connection.connect))
      yield* TestClock.adjust(`${frames.length + 5} seconds`)
      yield* Probe.within(feed.connection.close())
      assert.isAtLeast(told.length, 20)
      const report = yield* backtest(lines)
      assert.deepStrictEqual(signalsOf({ signals: told }), signalsOf(report))
    })).pipe(Effect.provide(Probe.layer({ latency: 20 }))))
})
