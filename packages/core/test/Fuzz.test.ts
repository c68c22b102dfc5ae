import { assert, describe, it } from "@effect/vitest"
import * as Ndjson from "@tickline/core/event/Ndjson"
import type * as Frame from "@tickline/core/transport/Frame"
import * as Binance from "@tickline/core/venue/binance/Venue"
import * as CoinbaseExchange from "@tickline/core/venue/coinbase-exchange/Venue"
import * as Coinbase from "@tickline/core/venue/coinbase/Venue"
import * as Deribit from "@tickline/core/venue/deribit/Venue"
import * as Dydx from "@tickline/core/venue/dydx/Venue"
import * as Generic from "@tickline/core/venue/generic/Venue"
import * as Hyperliquid from "@tickline/core/venue/hyperliquid/Venue"
import * as Kraken from "@tickline/core/venue/kraken/Venue"
import type { Venue } from "@tickline/core/venue/Venue"
import * as Venues from "@tickline/core/venue/Venues"
import * as Chance from "@tickline/testing/Chance"
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
import { spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { setFlagsFromString } from "node:v8"
import { runInNewContext } from "node:vm"
import { giants, judge, lists, type Measured, numbered } from "./Fuzz.giants.ts"

// One run of it all: TICKLINE_SEED=17 npx -y pnpm@12 test fuzz
const seed = Number(process.env["TICKLINE_SEED"] ?? 1)
const frames = 100_000
const mebibyte = 1024 * 1024

const venues: ReadonlyArray<
  { readonly client: Venue; readonly server: MockVenue.MockVenue; readonly asks: ReadonlyArray<string> }
> = [
  {
    client: CoinbaseExchange.venue,
    server: MockCoinbaseExchange.make(),
    asks: ["matches", "ticker", "level2_batch", "heartbeat"]
  },
  {
    client: Coinbase.venue,
    server: MockCoinbase.make(),
    asks: ["market_trades", "ticker", "level2", "heartbeats"]
  },
  {
    client: Binance.venue,
    server: MockBinance.make(),
    asks: ["trade", "aggTrade", "bookTicker", "ticker", "depth@100ms", "depth5@100ms"]
  },
  { client: Kraken.venue, server: MockKraken.make(), asks: ["trade", "ticker", "book", "book-25", "instrument"] },
  {
    client: Deribit.venue,
    server: MockDeribit.make(),
    asks: ["trades.100ms", "ticker.100ms", "incremental_ticker", "quote", "book.100ms", "book.none.10.100ms"]
  },
  { client: Hyperliquid.venue, server: MockHyperliquid.make(), asks: ["trades", "bbo", "l2Book", "allMids"] },
  { client: Dydx.venue, server: MockDydx.make(), asks: ["v4_trades", "v4_orderbook", "v4_markets"] },
  { client: Generic.venue, server: MockGeneric.make({ prices: "alternating" }), asks: ["price"] }
]

/** Frames as the venue sends them: greetings, market data of every product, heartbeats, acknowledgements, errors. */
const realFrames = ({ asks, client, server }: (typeof venues)[number]): Array<string> => {
  const markets = new Map(
    Market.products.map((product) => [product.symbol, Market.make(product, { seed, atMillis: 0 })])
  )
  const floor = { atMillis: 0, market: (product: string) => markets.get(product) }
  const channels = asks.flatMap((channel) => [...markets.keys()].map((product) => ({ channel, product })))
  let session = MockVenue.newSession
  const texts: Array<string> = []
  for (const request of [...client.subscribe(channels, 1).map(({ text }) => text), "{\"type\":\"what\"}"]) {
    const answer = server.receive(session, request, floor)
    session = answer.session
    for (const { text } of answer.replies) texts.push(text)
  }
  for (let at = 1; at <= 20; at++) {
    for (const [product, market] of markets) {
      const next = Market.next(market, at * 1_000)
      markets.set(product, next)
      for (const { text } of server.publish(session, next.last, floor)) texts.push(text)
    }
    for (const { text } of server.heartbeat(session, { ...floor, atMillis: at * 1_000 })) texts.push(text)
  }
  return texts
}

const hostileNumbers = [
  "1e400",
  "-1e-400",
  "1e999999999",
  "0.1e-999999999999999999999",
  "9".repeat(400),
  `0.${"0".repeat(300)}1`,
  "-0",
  "00",
  "1.",
  ".5",
  "+1",
  "0x10",
  "NaN",
  "Infinity",
  "-",
  "1e",
  "9007199254740993",
  "1E+2",
  "--1"
] as const

const hostileStrings = [
  "\"\\ud800\"",
  "\"\\udc00\\ud800\"",
  "\"\ud800\"",
  "\"\\u0000\"",
  "\"\\x41\"",
  "\"\n\"",
  "\"__proto__\"",
  "\"constructor\"",
  "\"toString\"",
  "\"hasOwnProperty\"",
  "\"\"",
  "\"٣.٥\"",
  "\"1e1000000000\"",
  "\" 1\"",
  "\"1_000\"",
  "\"1,5\"",
  "\"Infinity\""
] as const

const hostileValues = ["null", "true", "[]", "{}", "[[]]", "[null]", "{\"__proto__\":null}"] as const

const pollution = [
  "\"__proto__\":{\"polluted\":true}",
  "\"constructor\":{\"prototype\":{\"polluted\":true}}",
  "\"__proto__\":[[\"1\",\"2\"]]",
  "\"\\u005f_proto__\":{\"polluted\":true}",
  "\"toString\":1",
  "\"hasOwnProperty\":null",
  "\"valueOf\":\"x\""
] as const

/** Where a value stands in a JSON text: after a colon, a comma or a bracket. */
const valueAt = (text: string, chance: Chance.Chance): readonly [from: number, to: number] => {
  const places = [...text.matchAll(/[:,[]\s*("(?:[^"\\]|\\.)*"|-?[\d.]+)/g)]
  const place = places[chance.integer(Math.max(1, places.length))]
  if (place === undefined) return [0, text.length]
  const value = place[1] ?? ""
  const from = place.index + place[0].length - value.length
  return [from, from + value.length]
}

const replaced = (text: string, [from, to]: readonly [number, number], by: string): string =>
  text.slice(0, from) + by + text.slice(to)

type Mutation = (text: string, chance: Chance.Chance, other: string) => Frame.Frame

const mutations: readonly [Mutation, ...Array<Mutation>] = [
  (text) => text,
  (text, chance) => text.slice(0, chance.integer(text.length)),
  (text, chance) => text.slice(chance.integer(text.length)),
  (text, chance) => replaced(text, [chance.integer(text.length), chance.integer(text.length)], ""),
  (text, chance) => {
    const at = chance.integer(text.length)
    return replaced(text, [at, at + 1], String.fromCharCode(chance.integer(chance.happens(0.7) ? 128 : 0x10000)))
  },
  (text, chance, other) => text.slice(0, chance.integer(text.length)) + other.slice(chance.integer(other.length)),
  (text, chance) => replaced(text, valueAt(text, chance), chance.pick(hostileNumbers)),
  (text, chance) => replaced(text, valueAt(text, chance), `"${chance.pick(hostileNumbers)}"`),
  (text, chance) => replaced(text, valueAt(text, chance), chance.pick(hostileStrings)),
  (text, chance) => replaced(text, valueAt(text, chance), chance.pick(hostileValues)),
  (text, chance) => {
    const depth = 1 + chance.integer(2_000)
    const [open, close] = chance.pick([["[", "]"], ["{\"a\":", "}"]] as const)
    return replaced(text, valueAt(text, chance), open.repeat(depth) + "1" + close.repeat(chance.integer(2) * depth))
  },
  (text, chance) => text.replace("{", `{${chance.pick(pollution)},`),
  (text, chance) => text.replace(/}$/, `,${chance.pick(pollution)}}`),
  // The same member twice.
  (text, chance) => {
    const [from, to] = valueAt(text, chance)
    return replaced(text, [to, to], `,"price":${text.slice(from, to)}`)
  },
  (_, chance) =>
    Array.from({ length: chance.integer(200) }, () => String.fromCharCode(chance.integer(0x10000))).join(""),
  (_, chance) =>
    Array.from(
      { length: chance.integer(60) },
      () => chance.pick(["{", "}", "[", "]", ",", ":", "\"", "1", "-", "e", ".", "\\", "u", "true", "null", " "])
    ).join(""),
  (_, chance) => Uint8Array.from({ length: chance.integer(300) }, () => chance.integer(256)),
  // Twice mutated.
  (text, chance, other) => {
    const once = chance.pick(mutations)(text, chance, other)
    return typeof once === "string" && once.length > 0 ? chance.pick(mutations)(once, chance, other) : once
  }
]

const intact = Object.getOwnPropertyNames(Object.prototype).join()
const shown = (frame: Frame.Frame): string =>
  JSON.stringify(typeof frame === "string" ? frame.slice(0, 400) : [...frame])

const collectGarbage = (): void => {
  setFlagsFromString("--expose-gc")
  const gc: unknown = runInNewContext("gc")
  if (typeof gc === "function") gc()
}

describe("Fuzz", () => {
  it(
    `${frames} frames give events or typed rejections, leave Object.prototype and the heap alone`,
    { timeout: 60_000 },
    () => {
      const chance = Chance.make(seed).fork("fuzz")
      const corpora = venues.map((venue) => ({ ...venue, texts: realFrames(venue) }))
      const counts = { events: 0, rejected: 0 }
      // What is compiled and learned once is not what leaks.
      for (const { client, texts } of corpora) for (const text of texts) judge(client, text)
      collectGarbage()
      const before = process.memoryUsage().heapUsed
      const begun = performance.now()
      for (let i = 0; i < frames; i++) {
        const corpus = corpora[i % corpora.length]!
        const [text, other] = [
          corpus.texts[chance.integer(corpus.texts.length)]!,
          corpus.texts[chance.integer(corpus.texts.length)]!
        ]
        const frame = chance.pick(mutations)(text, chance, other)
        const wrong = judge(corpus.client, frame)
        if (wrong !== undefined) {
          assert.fail(
            `seed ${seed}, frame ${i} of ${corpus.client.name}: ${wrong}\n${shown(frame)}`
          )
        }
        if ("_tag" in corpus.client.decode(frame)) counts.rejected++
        else counts.events++
      }
      const took = performance.now() - begun
      collectGarbage()
      const grown = process.memoryUsage().heapUsed - before

      // Both ways out were taken often.
      assert.isAbove(counts.events, frames / 10)
      assert.isAbove(counts.rejected, frames / 10)
      assert.strictEqual(Reflect.get({}, "polluted"), undefined)
      assert.strictEqual(Object.getOwnPropertyNames(Object.prototype).join(), intact)
      assert.isBelow(grown, 50 * mebibyte, "the heap, after collection")
      assert.isBelow(took, 60_000)
    }
  )

  it("no frame becomes more than ten times as long in plain notation, at any venue", () => {
    for (const venue of Venues.all) {
      for (const [head, element, tail] of lists[venue.name] ?? []) {
        for (const number of ["1e999", "1e-999", "0.1E+99", "1e-8"]) {
          const frame = numbered(head, () => element.replaceAll("1.5", number), tail)
          const decoded = venue.decode(frame)
          if ("_tag" in decoded) {
            assert.strictEqual(decoded.reason, "TooLarge", `${venue.name}, ${number}`)
            continue
          }
          const printed = decoded.reduce((sum, event) => sum + Ndjson.toJson(event).length, 0)
          assert.isAtMost(printed, 10 * frame.length, `${venue.name}, ${number}`)
        }
      }
    }
  })

  it("no frame takes more than 50 ms a mebibyte, at any venue", { timeout: 300_000 }, () => {
    const script = fileURLToPath(new URL("Fuzz.giants.ts", import.meta.url))
    // On a busy machine the thread's own time grows as well, so what seems slow is looked at again.
    let slow: ReadonlyArray<Measured> = []
    for (let attempt = 0; attempt < 3 && (attempt === 0 || slow.length > 0); attempt++) {
      const { status, stderr, stdout } = spawnSync(process.execPath, [script, "50"], { encoding: "utf8" })
      assert.strictEqual(status, 0, stderr)
      const measured: ReadonlyArray<Measured> = JSON.parse(stdout)
      assert.isAtLeast(measured.length, Venues.all.length * Object.keys(giants).length)
      assert.isAtMost(Math.max(...measured.map(({ units }) => units)), 10 * mebibyte)
      assert.deepStrictEqual(measured.filter(({ wrong }) => wrong !== undefined), [])
      slow = measured.filter(({ giant, millis, venue }) =>
        millis > 50 && (attempt === 0 || slow.some((before) => before.giant === giant && before.venue === venue))
      )
    }
    assert.deepStrictEqual(slow.map(({ giant, millis, venue }) => `${venue}, ${giant}: ${millis.toFixed(0)} ms`), [])
  })
})
