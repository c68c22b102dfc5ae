/** Recordings of a market that is made up: trades, and a book where it is asked for. */
import { assert } from "@effect/vitest"
import * as Reconnection from "@tickline/core/connection/Reconnection"
import * as MarketFeed from "@tickline/core/market/MarketFeed"
import * as Replay from "@tickline/core/recording/Replay"
import * as Backtest from "@tickline/core/strategy/Backtest"
import * as Strategy from "@tickline/core/strategy/Strategy"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Timestamp from "@tickline/core/value/Timestamp"
import * as CoinbaseExchange from "@tickline/core/venue/coinbase-exchange/Venue"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"

export const venue = CoinbaseExchange.venue

export const decimal = (text: string): Decimal.Decimal => Decimal.parse(text) ?? assert.fail(text)

/** A second of the market's life, in milliseconds of the epoch; trades are in its middle. */
const begin = 1_790_000_000_000

export const instant = (millis: number): string => Timestamp.format(Timestamp.fromEpochMillis(begin + millis))

const envelope = (millis: number, raw: object | string, more: object = {}): string =>
  JSON.stringify({ raw: typeof raw === "string" ? raw : JSON.stringify(raw), at: instant(millis), ...more })

/** A trade as the venue tells it, so long after the beginning. */
export const trade = (number: number, millis: number, price: string): object => ({
  type: "match",
  trade_id: number,
  sequence: number,
  maker_order_id: "a",
  taker_order_id: "b",
  time: instant(millis),
  product_id: "BTC-USD",
  size: "0.5",
  price,
  side: "sell"
})

const snapshot = (bid: string, ask: string): object => ({
  type: "snapshot",
  product_id: "BTC-USD",
  bids: [[bid, "5.0"]],
  asks: [[ask, "5.0"]]
})

const moved = (millis: number, from: readonly [string, string], to: readonly [string, string]): object => ({
  type: "l2update",
  product_id: "BTC-USD",
  time: instant(millis),
  changes: [["buy", from[0], "0"], ["sell", from[1], "0"], ["buy", to[0], "5.0"], ["sell", to[1], "5.0"]]
})

const fixed = (value: number): string => value.toFixed(2)

/** The lines of a recording of one trade a second, at these prices; `spread` is that of its book, if it has one. */
export const tape = (prices: ReadonlyArray<number>, spread?: number): ReadonlyArray<string> => {
  const quotes = prices.map((
    price
  ): readonly [string, string] => [fixed(price - (spread ?? 0) / 2), fixed(price + (spread ?? 0) / 2)])
  const channels = spread === undefined ? ["trade"] : ["trade", "book"]
  return [
    envelope(0, "", { kind: "header", version: 1, venue: venue.name, products: ["BTC-USD"], channels }),
    envelope(0, "", { kind: "open", connection: 1 }),
    ...prices.flatMap((price, at) => {
      const millis = at * 1_000 + 500
      const [from, to] = [quotes[at - 1], quotes[at]]
      const book = spread === undefined || to === undefined
        ? []
        : [envelope(millis, from === undefined ? snapshot(...to) : moved(millis, from, to), { connection: 1 })]
      return [...book, envelope(millis, trade(at + 1, millis, fixed(price)), { connection: 1 })]
    })
  ]
}

export const standard: Backtest.Options = {
  products: ["BTC-USD"],
  strategy: Strategy.fast(),
  interval: "1 second",
  fillsByBook: false
}

/** A backtest of a recording. */
export const backtest = Effect.fnUntraced(function*(
  lines: ReadonlyArray<string>,
  options: Partial<Backtest.Options> = {}
) {
  const replay = yield* Replay.make(Stream.fromIterable(lines))
  return yield* replay.run(
    Effect.gen(function*() {
      const feed = yield* MarketFeed.prepare(venue)
      const run = yield* Backtest.make(feed, { ...standard, ...options })
      yield* Effect.forkScoped(Effect.ignore(feed.connection.connect), { startImmediately: true })
      yield* replay.ended
      return yield* run.report
    }).pipe(Effect.provide(Reconnection.layerWithBreaker()))
  )
})
