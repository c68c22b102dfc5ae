import { assert, describe, it } from "@effect/vitest"
import type * as Market from "@tickline/testing/Market"
import * as MockVenues from "@tickline/testing/MockVenues"
import * as MockServer from "@tickline/testing/node/MockServer"
import * as Effect from "effect/Effect"

const bitcoin = { price: "43250.10", size: "0.05000000" }
const coin = { price: "98.730", size: "12.000" }

/** A mock of the venue with two products, and how to ask it over HTTP. */
const listing = (name: string, ...symbols: readonly [string, string]) =>
  Effect.gen(function*() {
    const venue = MockVenues.byName(name)
    if (venue === undefined) throw new Error(`no mock of ${name}`)
    const products: ReadonlyArray<Market.Product> = [{ symbol: symbols[0], ...bitcoin }, {
      symbol: symbols[1],
      ...coin
    }]
    const server = yield* MockServer.make({ venue, products, rate: 0 })
    const ask = (path: string, init?: RequestInit) =>
      Effect.promise(async () => {
        const response = await fetch(server.httpUrl + path, init)
        return { status: response.status, body: await response.json() as unknown }
      })
    return { ask, server }
  })

/** The member at a path of a value. */
const at = (value: unknown, ...path: ReadonlyArray<string>): unknown =>
  path.reduce<unknown>(
    (inner, member) => typeof inner === "object" && inner !== null ? Reflect.get(inner, member) : undefined,
    value
  )

const keys = (value: unknown): ReadonlyArray<string> => Object.keys(Object(value))

/** The member of each element of a list. */
const column = (list: unknown, member: string): ReadonlyArray<unknown> =>
  Array.isArray(list) ? list.map((element) => at(element, member)) : assert.fail("no list")

const holds = (value: unknown, expected: Readonly<Record<string, unknown>>): void => {
  for (const member of Object.keys(expected)) assert.deepStrictEqual(at(value, member), expected[member], member)
}

describe("Listing", () => {
  it.live("Coinbase Exchange: products and currencies", () =>
    Effect.gen(function*() {
      const { ask, server } = yield* listing("coinbase-exchange", "BTC-USD", "SOL-USD")
      const { body, status } = yield* ask("/products")
      assert.strictEqual(status, 200)
      assert.deepStrictEqual(column(body, "id"), ["BTC-USD", "SOL-USD"])
      holds(at(body, "0"), {
        base_currency: "BTC",
        quote_currency: "USD",
        quote_increment: "0.01",
        base_increment: "0.00000001",
        status: "online"
      })
      holds((yield* ask("/products/SOL-USD")).body, { quote_increment: "0.001", base_increment: "0.001" })
      assert.deepStrictEqual(column((yield* ask("/currencies")).body, "id"), ["BTC", "USD", "SOL"])
      assert.strictEqual((yield* ask("/products/NO-SUCH")).status, 404)
      assert.strictEqual((yield* ask("/nonsense")).status, 404)
      yield* server.delist("SOL-USD", true)
      assert.deepStrictEqual(column((yield* ask("/products")).body, "id"), ["BTC-USD"])
    }))

  it.live("Binance: exchangeInfo of all, of one and of some; ping and time", () =>
    Effect.gen(function*() {
      const { ask } = yield* listing("binance", "BTCUSDT", "SOLBTC")
      const symbols = ({ body }: { readonly body: unknown }) => column(at(body, "symbols"), "symbol")
      const all = yield* ask("/api/v3/exchangeInfo")
      assert.deepStrictEqual(symbols(all), ["BTCUSDT", "SOLBTC"])
      holds(at(all.body, "symbols", "1"), { baseAsset: "SOL", quoteAsset: "BTC", status: "TRADING" })
      assert.deepStrictEqual(symbols(yield* ask("/api/v3/exchangeInfo?symbol=SOLBTC")), ["SOLBTC"])
      const some = encodeURIComponent("[\"BTCUSDT\"]")
      assert.deepStrictEqual(symbols(yield* ask(`/api/v3/exchangeInfo?symbols=${some}`)), ["BTCUSDT"])
      assert.deepStrictEqual((yield* ask("/api/v3/ping")).body, {})
      assert.isNumber(at((yield* ask("/api/v3/time")).body, "serverTime"))
    }))

  it.live("Kraken: assets and pairs have the names of its REST API", () =>
    Effect.gen(function*() {
      const { ask } = yield* listing("kraken", "BTC/USD", "SOL/EUR")
      const pairs = at((yield* ask("/0/public/AssetPairs")).body, "result")
      assert.deepStrictEqual(keys(pairs), ["XXBTZUSD", "SOLZEUR"])
      holds(at(pairs, "XXBTZUSD"), {
        altname: "XBTUSD",
        wsname: "XBT/USD",
        base: "XXBT",
        quote: "ZUSD",
        pair_decimals: 2,
        lot_decimals: 8
      })
      assert.deepStrictEqual(keys(at((yield* ask("/0/public/Assets")).body, "result")), [
        "XXBT",
        "ZUSD",
        "SOL",
        "ZEUR"
      ])
    }))

  it.live("Deribit: instruments of all currencies, or of one", () =>
    Effect.gen(function*() {
      const { ask } = yield* listing("deribit", "BTC-PERPETUAL", "SOL_USDC-PERPETUAL")
      const all = at((yield* ask("/api/v2/public/get_instruments?currency=any")).body, "result")
      holds(at(all, "0"), {
        instrument_name: "BTC-PERPETUAL",
        kind: "future",
        settlement_period: "perpetual",
        settlement_currency: "BTC",
        tick_size: 0.01
      })
      holds(at(all, "1"), { base_currency: "SOL", quote_currency: "USDC", settlement_currency: "USDC" })
      const solana = at((yield* ask("/api/v2/public/get_instruments?currency=SOL")).body, "result")
      assert.deepStrictEqual(column(solana, "instrument_name"), ["SOL_USDC-PERPETUAL"])
      const currencies = at((yield* ask("/api/v2/public/get_currencies")).body, "result")
      assert.deepStrictEqual(column(currencies, "currency"), ["BTC", "SOL", "USDC"])
    }))

  it.live("what is spelt in the venue's own way is listed, and not the same again by another name", () =>
    Effect.gen(function*() {
      const kraken = yield* listing("kraken", "BTC/USD", "BTC-USD")
      const pairs = at((yield* kraken.ask("/0/public/AssetPairs")).body, "result")
      assert.deepStrictEqual(keys(pairs), ["XXBTZUSD"])
      const binance = yield* listing("binance", "BTCUSDT", "BTC-USDT")
      const symbols = at((yield* binance.ask("/api/v3/exchangeInfo")).body, "symbols")
      assert.deepStrictEqual(column(symbols, "symbol"), ["BTCUSDT"])
    }))

  it.live("Hyperliquid by POST, dYdX by GET; a venue without any says that it wants an upgrade", () =>
    Effect.gen(function*() {
      const hyperliquid = yield* listing("hyperliquid", "BTC", "SOL")
      const info = (type: string) => hyperliquid.ask("/info", { method: "POST", body: JSON.stringify({ type }) })
      assert.deepStrictEqual(column(at((yield* info("meta")).body, "universe"), "name"), ["BTC", "SOL"])
      assert.deepStrictEqual(column(at((yield* info("spotMeta")).body, "tokens"), "name"), ["USDC"])
      assert.strictEqual((yield* info("nonsense")).status, 404)
      assert.strictEqual((yield* hyperliquid.ask("/info")).status, 404)

      const dydx = yield* listing("dydx", "BTC-USD", "SOL-USD")
      const markets = at((yield* dydx.ask("/v4/perpetualMarkets")).body, "markets")
      holds(at(markets, "SOL-USD"), { ticker: "SOL-USD", tickSize: "0.001", stepSize: "0.001" })
      const one = at((yield* dydx.ask("/v4/perpetualMarkets?ticker=SOL-USD")).body, "markets")
      assert.deepStrictEqual(keys(one), ["SOL-USD"])

      const generic = yield* listing("generic", "BTC-USD", "SOL-USD")
      assert.strictEqual((yield* generic.ask("/")).status, 426)
    }))
})
