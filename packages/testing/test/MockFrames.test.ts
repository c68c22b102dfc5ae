/**
 * What the mock venues send, to the letter: the same seed sends the same frames
 * on every machine and in every release, so that a user's recorded seed stays
 * worth something. Where a frame changes on purpose, `vitest run -u` writes it anew.
 */
import { describe, expect, it } from "@effect/vitest"
import * as Venues from "@tickline/core/venue/Venues"
import * as Listing from "@tickline/testing/Listing"
import * as Market from "@tickline/testing/Market"
import * as MockVenue from "@tickline/testing/MockVenue"
import * as MockVenues from "@tickline/testing/MockVenues"

const atMillis = 1_700_000_000_000

const channels: Readonly<Record<string, ReadonlyArray<string>>> = {
  coinbase: ["market_trades", "ticker", "level2", "heartbeats"],
  "coinbase-exchange": ["matches", "ticker", "level2_batch", "heartbeat"],
  binance: ["trade", "aggTrade", "bookTicker", "ticker", "depth@100ms", "depth5@100ms"],
  kraken: ["trade", "ticker", "book", "instrument"],
  deribit: ["trades.100ms", "ticker.100ms", "incremental_ticker", "quote", "book.100ms", "book.none.10.100ms"],
  hyperliquid: ["trades", "bbo", "l2Book", "allMids"],
  dydx: ["v4_trades", "v4_orderbook", "v4_markets"],
  generic: ["price"]
}

const products: ReadonlyArray<Market.Product> = [
  { symbol: "BTC-USD", price: "43250.10", size: "0.05000000" },
  { symbol: "ETH-USD", price: "2280.50", size: "0.80000000" }
]

describe("the same seed sends the same frames", () => {
  for (const server of MockVenues.all) {
    const client = Venues.get(server.name)
    if (client === undefined) continue
    it(server.name, () => {
      const markets = new Map(products.map((product) => [product.symbol, Market.make(product, { seed: 7, atMillis })]))
      const floor: MockVenue.Floor = { atMillis, market: (product) => markets.get(product) }
      const lines: Array<string> = []
      const tell = (what: string, frames: ReadonlyArray<MockVenue.Outgoing>): void => {
        for (const { bare, beat, data, text } of frames) {
          const of = data === undefined ? "" : ` [${data.channel} ${data.product}]`
          lines.push(`${what}${of}${beat === true ? " (beat)" : ""}: ${text}`)
          if (bare !== undefined) lines.push(`${what}, bare: ${bare}`)
          const broken = data === undefined ? undefined : server.corrupt(text)
          if (broken !== undefined && broken.length < 400) lines.push(`${what}, corrupted: ${broken}`)
        }
      }
      let session = server.open?.(floor) ?? MockVenue.newSession
      const send = (what: string, text: string): void => {
        const answer = server.receive(session, text, floor)
        session = answer.session
        tell(what, answer.replies)
        if (answer.close !== undefined) lines.push(`${what}: closed ${answer.close.code} ${answer.close.reason}`)
      }
      tell("greeting", server.greet?.(floor) ?? [])
      const asked = (channels[server.name] ?? []).map((channel) => ({ channel, product: "BTC-USD" }))
      for (const { text } of client.subscribe(asked, 1)) send("subscribed", text)
      for (const seconds of [1, 2]) {
        for (const { symbol } of products) {
          const market = markets.get(symbol)
          if (market === undefined) continue
          const next = Market.next(market, atMillis + seconds * 1000)
          markets.set(symbol, next)
          tell(`tick ${seconds}`, server.publish(session, next.last, { ...floor, atMillis: atMillis + seconds * 1000 }))
        }
        tell("heartbeat", server.heartbeat(session, { ...floor, atMillis: atMillis + seconds * 1000 }))
      }
      tell("by hand", [server.price("BTC-USD", "43251.00", atMillis + 3000)])
      for (const text of ["", "ping", "{}", "[]", "{\"type\":\"what\"}", "{\"method\":\"what\",\"id\":7}"]) {
        send("told off", text)
      }
      for (const { text } of client.unsubscribe(asked.slice(0, 2), 9)) send("unsubscribed", text)
      lines.push(`follows ${[...MockVenue.followed(session)].join()}; a beat every ${server.heartbeatMillis} ms`)
      expect(lines.join("\n")).toMatchSnapshot()
    })
  }
})

describe("the same products are listed in the same words", () => {
  const symbols: Readonly<Record<string, ReadonlyArray<string>>> = {
    coinbase: ["BTC-USD"],
    "coinbase-exchange": ["BTC-USD", "SOL-EUR"],
    binance: ["BTCUSDT", "DOGEFDUSD", "btcusdt"],
    kraken: ["BTC/USD", "SOL/EUR", "ETH/BTC"],
    deribit: ["BTC-PERPETUAL", "SOL_USDC-PERPETUAL", "ETH_USDC"],
    hyperliquid: ["BTC", "PURR/USDC"],
    dydx: ["BTC-USD", "SOL-USD"],
    generic: ["BTC-USD"]
  }
  const questions = [
    "/products",
    "/products/BTC-USD",
    "/products/NO-NE",
    "/currencies",
    "/time",
    "/api/v3/ping",
    "/api/v3/time",
    "/api/v3/exchangeInfo",
    "/api/v3/exchangeInfo?symbol=BTCUSDT",
    "/api/v3/exchangeInfo?symbols=[\"BTCUSDT\",\"X\"]",
    "/0/public/Time",
    "/0/public/SystemStatus",
    "/0/public/Assets",
    "/0/public/AssetPairs",
    "/api/v2/public/test",
    "/api/v2/public/get_time",
    "/api/v2/public/get_currencies",
    "/api/v2/public/get_instruments",
    "/api/v2/public/get_instruments?currency=BTC",
    "/api/v2/public/get_instruments?currency=USDC&kind=future",
    "/api/v2/public/get_instruments?currency=any&kind=spot",
    "/api/v2/public/get_instruments?kind=option",
    "/api/v2/public/get_instrument?instrument_name=BTC-PERPETUAL",
    "/api/v2/public/get_instrument?instrument_name=NONE",
    "/v4/time",
    "/v4/perpetualMarkets",
    "/v4/perpetualMarkets?ticker=SOL-USD",
    "/v4/perpetualMarkets?market=NO",
    "/info meta",
    "/info spotMeta",
    "/info allMids",
    "/info what",
    "/info",
    "/nowhere"
  ]
  for (const { listing, name } of MockVenues.all) {
    if (listing === undefined) continue
    it(name, () => {
      const markets = (symbols[name] ?? []).map((symbol, i) =>
        Market.make({ symbol, price: ["43250.10", "98.730", "0.5"][i] ?? "1", size: "0.0500" }, { seed: 7, atMillis })
      )
      const lines = questions.flatMap((question) => {
        const [address = "", type] = question.split(" ")
        const asked = Listing.question(
          address === "/info" ? "POST" : "GET",
          address,
          type === undefined ? "" : JSON.stringify({ type })
        )
        const answer = listing(asked, { atMillis, markets, trades: () => [] })
        return answer === undefined ? [] : [`${question}: ${JSON.stringify(answer)}`]
      })
      expect(lines.join("\n")).toMatchSnapshot()
    })
  }
})

it("Hyperliquid answers what is posted to /info, and nothing else", () => {
  const { listing } = MockVenues.byName("hyperliquid") ?? {}
  const ask = (method: string, path: string) =>
    listing?.(Listing.question(method, path, "{\"type\":\"allMids\"}"), {
      atMillis,
      markets: [],
      trades: () => []
    })
  expect(ask("POST", "/info")).toEqual({})
  expect([ask("GET", "/info"), ask("POST", "/"), ask("GET", "/")]).toEqual([undefined, undefined, undefined])
})

it("the figures that the mock venues enforce", () => {
  const lines = MockVenues.all.map(({ enforcement, heartbeatMillis, name }) =>
    `${name}: ${
      JSON.stringify({ heartbeatMillis, ...enforcement }, (_, value: unknown) =>
        typeof value === "function" ? "…" : value instanceof Map ? [...value] : value)
    }`
  )
  expect(lines.join("\n")).toMatchSnapshot()
})
