/**
 * Frames whose layout is known are read without being parsed. Two things hold
 * of it on every venue: what a frame means does not depend on the frames before
 * it, and what comes often is in fact read that way.
 */
import { assert, describe, it } from "@effect/vitest"
import * as MarketEvent from "@tickline/core/value/MarketEvent"
import * as Binance from "@tickline/core/venue/Binance"
import * as Coinbase from "@tickline/core/venue/Coinbase"
import * as CoinbaseExchange from "@tickline/core/venue/CoinbaseExchange"
import * as Deribit from "@tickline/core/venue/Deribit"
import * as Dydx from "@tickline/core/venue/Dydx"
import * as Generic from "@tickline/core/venue/Generic"
import * as Hyperliquid from "@tickline/core/venue/Hyperliquid"
import * as Kraken from "@tickline/core/venue/Kraken"
import type { Venue } from "@tickline/core/venue/Venue"
import * as Market from "@tickline/testing/Market"
import * as MockBinance from "@tickline/testing/MockBinance"
import * as MockCoinbase from "@tickline/testing/MockCoinbase"
import * as MockCoinbaseExchange from "@tickline/testing/MockCoinbaseExchange"
import * as MockDeribit from "@tickline/testing/MockDeribit"
import * as MockDydx from "@tickline/testing/MockDydx"
import * as MockGeneric from "@tickline/testing/MockGeneric"
import * as MockHyperliquid from "@tickline/testing/MockHyperliquid"
import * as MockKraken from "@tickline/testing/MockKraken"
import * as MockVenue from "@tickline/testing/MockVenue"

interface Case {
  readonly make: () => Venue
  readonly server: MockVenue.MockVenue
  readonly asks: ReadonlyArray<string>
}

const cases: ReadonlyArray<Case> = [
  {
    make: () => CoinbaseExchange.make(),
    server: MockCoinbaseExchange.make(),
    asks: ["matches", "ticker", "level2_batch", "heartbeat"]
  },
  {
    make: () => Coinbase.make(),
    server: MockCoinbase.make(),
    asks: ["market_trades", "ticker", "level2", "heartbeats"]
  },
  {
    make: () => Binance.make(),
    server: MockBinance.make(),
    asks: ["trade", "aggTrade", "bookTicker", "ticker", "depth@100ms", "depth5@100ms"]
  },
  { make: () => Kraken.make(), server: MockKraken.make(), asks: ["trade", "ticker", "book", "book-25"] },
  {
    make: () => Deribit.make(),
    server: MockDeribit.make(),
    asks: ["trades.100ms", "ticker.100ms", "incremental_ticker", "quote", "book.100ms", "book.none.10.100ms"]
  },
  { make: () => Hyperliquid.make(), server: MockHyperliquid.make(), asks: ["trades", "bbo", "l2Book", "allMids"] },
  { make: () => Dydx.make(), server: MockDydx.make(), asks: ["v4_trades", "v4_orderbook", "v4_markets"] },
  { make: () => Generic.make(), server: MockGeneric.make(), asks: ["price"] }
]

/** What a mock sends of two products for a few seconds. */
const framesOf = ({ asks, make, server }: Case): ReadonlyArray<string> => {
  const products = Market.products.slice(0, 2)
  const markets = new Map(products.map((product) => [product.symbol, Market.make(product, { seed: 1, atMillis: 0 })]))
  const floor = { atMillis: 1_700_000_000_000, market: (product: string) => markets.get(product) }
  const channels = asks.flatMap((channel) => products.map(({ symbol }) => ({ channel, product: symbol })))
  let session = MockVenue.newSession
  const texts: Array<string> = []
  for (const { text: request } of make().subscribe(channels, 1)) {
    const answer = server.receive(session, request, floor)
    session = answer.session
    for (const { text } of answer.replies) texts.push(text)
  }
  for (let at = 1; at <= 12; at++) {
    for (const [product, market] of markets) {
      const next = Market.next(market, at * 1_000)
      markets.set(product, next)
      for (const { text } of server.publish(session, next.last, floor)) texts.push(text)
    }
    for (const { text } of server.heartbeat(session, { ...floor, atMillis: floor.atMillis + at * 1_000 })) {
      texts.push(text)
    }
  }
  return texts
}

const printed = (decoded: ReturnType<Venue["decode"]>): string =>
  (MarketEvent.isFrameRejected(decoded) ? [decoded] : decoded).map((event) => MarketEvent.toJson(event)).join()

const print = (venue: Venue, frame: string): string => printed(venue.decode(frame))

/** How many characters a decoder looks at one by one. */
const looked = (venue: Venue, frame: string): number => {
  const { charCodeAt } = String.prototype
  let times = 0
  // oxlint-disable-next-line no-extend-native -- counted here, and put back
  String.prototype.charCodeAt = function(this: string, at: number) {
    times++
    return charCodeAt.call(this, at)
  }
  try {
    venue.decode(frame)
  } finally {
    // oxlint-disable-next-line no-extend-native -- as it was
    String.prototype.charCodeAt = charCodeAt
  }
  return times
}

/** What comes so rarely that it is parsed: what opens a subscription at dYdX, and its markets. */
const isRare = (frame: string): boolean => /^\{"type":"subscribed"|"channel":"v4_markets"/.test(frame)

/** One frame of each kind of market data. */
const dataOf = (one: Case): ReadonlyArray<string> => {
  const kinds = new Map<string, string>()
  for (const frame of framesOf(one)) {
    const decoded = one.make().decode(frame)
    if (MarketEvent.isFrameRejected(decoded) || isRare(frame)) continue
    const tag = decoded.find(({ _tag }) => /^(Trade|Ticker|Quote|BookSnapshot|BookDelta|PriceUpdate)$/.test(_tag))?._tag
    // Binance's streams differ more than their events do.
    const stream = /"stream":"[^"]*@(\w+)/.exec(frame)?.[1] ?? ""
    if (tag !== undefined && !kinds.has(tag + stream)) kinds.set(tag + stream, frame)
  }
  return [...kinds.values()]
}

/** What a value is replaced with, each of which is right in some places and wrong in others. */
const values = [
  "null",
  "true",
  "[]",
  "{}",
  "0",
  "01",
  "1.",
  "-1e3",
  "12345678901234567890.10",
  "1700000000000",
  "\"\"",
  "\"0\"",
  "\"01\"",
  "\".5\"",
  "\"-1e3\"",
  "\"1.10\"",
  "\"1:\"",
  "\"x\"",
  "\"buy\"",
  "\"sell\"",
  "\"BUY\"",
  "\"\\u0031\"",
  "\"\n\"",
  "\"2024-02-30T00:00:00Z\""
]

/** The frame with each of its values replaced, doubled, or without its member, and with white space. */
const variantsOf = (frame: string): ReadonlyArray<string> => {
  const variants = [
    ` ${frame}`,
    `${frame} `,
    frame.slice(0, -1),
    `${frame}}`,
    frame.replaceAll(/([:,])(?=["[{\d])/g, "$1 ")
  ]
  // Of a long table, the first rows stand for all.
  const places = [...frame.matchAll(/(?<=[{[,:])("[^"]*":)?("[^"]*"(?!:)|-?[\d.]+|null|true|false|\[\]|\{\})(,?)/g)]
    .slice(0, 16)
  for (const { 0: all, 1: name = "", 2: value = "", 3: comma = "", index } of places) {
    const instead = (text: string) => frame.slice(0, index) + text + frame.slice(index + all.length)
    for (const other of values) variants.push(instead(`${name}${other}${comma}`))
    variants.push(instead(""), instead(`${name}${value},${name}${value}${comma}`), instead(`${name} ${value}${comma}`))
    if (name !== "") variants.push(instead(`"other":${value}${comma}`), instead(`${name}${value},"more":1${comma}`))
  }
  return variants
}

describe("frames whose layout is known", () => {
  for (const one of cases) {
    const { name } = one.make()

    it(`are read without being parsed: ${name}`, () => {
      const data = dataOf(one)
      assert.isAtLeast(data.length, 1)
      const venue = one.make()
      for (const frame of data) {
        // White space at the end is JSON and no venue's layout: it is parsed after all.
        const spaced = `${frame} `
        assert.strictEqual(print(venue, frame), print(venue, spaced), frame)
        assert.isBelow(looked(venue, frame) + frame.length / 2, looked(venue, spaced), frame)
      }
    })

    it(`mean what they mean as the first of all: ${name}`, () => {
      const parsing = one.make()
      for (const frame of dataOf(one)) {
        const knowing = one.make()
        knowing.decode(frame)
        for (const variant of variantsOf(frame)) {
          const decoded = print(knowing, variant)
          // With white space at its end a frame teaches nothing, and is never read by a layout.
          const expected = print(parsing, `${variant} `)
          if (decoded === expected || (decoded.includes("Malformed") && expected.includes("Malformed"))) continue
          assert.strictEqual(decoded, expected, variant)
        }
      }
    })
  }
})
