import { assert, describe, it } from "@effect/vitest"
import * as Symbols from "@tickline/core/protocol/Symbols"
import * as Binance from "@tickline/core/venue/binance/Venue"
import * as Venues from "@tickline/core/venue/Venues"

const venueOf = (name: string): Symbols.Venue => Venues.get(name) ?? { name }

const known: ReadonlyArray<readonly [venue: string, symbol: string, name: string]> = [
  ["coinbase", "BTC-USD", "BTC-USD"],
  ["coinbase-exchange", "ETH-EUR", "ETH-EUR"],
  ["kraken", "BTC/USD", "BTC-USD"],
  ["kraken", "1INCH/EUR", "1INCH-EUR"],
  ["binance", "BTCUSDT", "BTC-USDT"],
  ["binance", "ETHBTC", "ETH-BTC"],
  ["binance", "BTCFDUSD", "BTC-FDUSD"],
  ["binance", "1000SATSUSDC", "1000SATS-USDC"],
  ["deribit", "BTC-PERPETUAL", "BTC-USD-PERP"],
  ["deribit", "SOL_USDC-PERPETUAL", "SOL-USDC-PERP"],
  ["deribit", "BTC_USDC", "BTC-USDC"],
  ["hyperliquid", "BTC", "BTC-USD-PERP"],
  ["hyperliquid", "kPEPE", "kPEPE-USD-PERP"],
  ["hyperliquid", "PURR/USDC", "PURR-USDC"],
  ["dydx", "BTC-USD", "BTC-USD-PERP"]
]

describe("Symbols", () => {
  for (const [venue, symbol, name] of known) {
    it(`${symbol} of ${venue} is ${name}, and back`, () => {
      assert.strictEqual(Symbols.byRule.nameOf(venueOf(venue), symbol), name)
      assert.strictEqual(Symbols.byRule.symbolOf(venueOf(venue), name), symbol)
    })
  }

  it("every venue but generic has a rule", () => {
    assert.deepStrictEqual(
      Venues.all.filter(({ symbols }) => symbols === undefined).map(({ name }) => name),
      ["generic"]
    )
  })

  it("takes a stream's small letters for no symbol of Binance's: events have them in the venue's upper case", () => {
    assert.isUndefined(Symbols.byRule.nameOf(venueOf("binance"), "btcusdt"))
  })

  it("takes a quote alone for no pair of Binance's", () => {
    assert.deepStrictEqual(["BTC", "USDT", "BTCUSDT"].map((symbol) => Binance.venue.symbols?.read(symbol)), [
      undefined,
      undefined,
      { base: "BTC", quote: "USDT", isPerpetual: false }
    ])
  })

  it("reads the parts of a symbol, or none", () => {
    const read = (venue: string, symbol: string) => venueOf(venue).symbols?.read(symbol)
    const [spot, perpetual] = [false, true].map((isPerpetual) => ({ base: "BTC", quote: "USD", isPerpetual }))
    assert.deepStrictEqual([read("coinbase", "BTC-USD"), read("coinbase", "BTC/USD")], [spot, undefined])
    assert.deepStrictEqual([read("dydx", "BTC-USD"), read("dydx", "BTC")], [perpetual, undefined])
    assert.deepStrictEqual(["BTC-PERPETUAL", "BTC_USD", "BTC", "btc"].map((symbol) => read("deribit", symbol)), [
      perpetual,
      spot,
      undefined,
      undefined
    ])
    assert.deepStrictEqual(["BTC-USD", "BTC-USD-PERP", "BTC-PERP", "BTC"].map(Symbols.parse), [
      spot,
      perpetual,
      undefined,
      undefined
    ])
  })

  it("writes a symbol of what the venue has, or none", () => {
    const written = (base: string, quote: string) =>
      Object.fromEntries(
        Venues.all.flatMap(({ name, symbols }) =>
          symbols === undefined ? [] : [[
            name,
            [
              symbols.write({ base, quote, isPerpetual: false }),
              symbols.write({ base, quote, isPerpetual: true })
            ]
          ]]
        )
      )
    assert.deepStrictEqual(written("BTC", "USD"), {
      coinbase: ["BTC-USD", undefined],
      "coinbase-exchange": ["BTC-USD", undefined],
      binance: [undefined, undefined],
      kraken: ["BTC/USD", undefined],
      deribit: [undefined, "BTC-PERPETUAL"],
      "coinbase-derivatives": [undefined, "BTC-PERPETUAL"],
      hyperliquid: [undefined, "BTC"],
      dydx: [undefined, "BTC-USD"]
    })
    assert.deepStrictEqual(written("PURR", "USDC"), {
      coinbase: ["PURR-USDC", undefined],
      "coinbase-exchange": ["PURR-USDC", undefined],
      binance: ["PURRUSDC", undefined],
      kraken: ["PURR/USDC", undefined],
      deribit: ["PURR_USDC", "PURR_USDC-PERPETUAL"],
      "coinbase-derivatives": ["PURR_USDC", "PURR_USDC-PERPETUAL"],
      hyperliquid: ["PURR/USDC", undefined],
      dydx: [undefined, "PURR-USDC"]
    })
    for (const [base, quote] of [["BTC", "USDC"], ["PURR", "EUR"]] as const) {
      assert.deepStrictEqual(written(base, quote)["hyperliquid"], [undefined, undefined])
    }
  })

  it("does not take a perpetual for the coin, nor a future or a number for a pair", () => {
    assert.isUndefined(Symbols.byRule.symbolOf(venueOf("deribit"), "BTC-USD"))
    assert.isUndefined(Symbols.byRule.symbolOf(venueOf("hyperliquid"), "BTC-USD"))
    assert.isUndefined(Symbols.byRule.symbolOf(venueOf("dydx"), "BTC-USD"))
    assert.isUndefined(Symbols.byRule.symbolOf(venueOf("kraken"), "BTC-USD-PERP"))
    assert.isUndefined(Symbols.byRule.nameOf(venueOf("deribit"), "BTC-27DEC26"))
    assert.isUndefined(Symbols.byRule.nameOf(venueOf("deribit"), "BTC-27DEC26-50000-C"))
    assert.isUndefined(Symbols.byRule.nameOf(venueOf("hyperliquid"), "@107"))
    assert.isUndefined(Symbols.byRule.symbolOf(venueOf("hyperliquid"), "HYPE-USDC"), "asked for by its number")
    assert.isUndefined(Symbols.byRule.nameOf(venueOf("coinbase"), "BTC-PERP"))
    assert.isUndefined(Symbols.byRule.nameOf(venueOf("nowhere"), "BTC-USD"))
    assert.isUndefined(Symbols.byRule.nameOf(venueOf("toString"), "BTC-USD"))
  })

  it("knows no name that its symbol would not give back", () => {
    const rule: Symbols.Rule = {
      write: ({ base, quote }) => `${base}${quote}`,
      read: (symbol) => ({ base: symbol.slice(0, -4), quote: symbol.slice(-4), isPerpetual: false })
    }
    const unmarked = { name: "unmarked", symbols: rule }
    assert.strictEqual(Symbols.byRule.symbolOf(unmarked, "A-BUSD"), "ABUSD")
    assert.isUndefined(Symbols.byRule.symbolOf(unmarked, "AB-USD"), "ABUSD is known as A-BUSD")
    assert.isUndefined(Symbols.byRule.symbolOf(venueOf("binance"), "BTC-XYZ"))
  })

  it("a user's entries extend the rules and win over them, one to one", () => {
    const symbols = Symbols.make({
      deribit: { "BTC-USD": "BTC-PERPETUAL" },
      kraken: { "BTC-USD": "XBT/USD" },
      mine: { GOLD: "xau" }
    })
    assert.strictEqual(symbols.symbolOf(venueOf("deribit"), "BTC-USD"), "BTC-PERPETUAL")
    assert.strictEqual(symbols.nameOf(venueOf("deribit"), "BTC-PERPETUAL"), "BTC-USD")
    assert.isUndefined(symbols.symbolOf(venueOf("deribit"), "BTC-USD-PERP"), "the symbol has another name now")
    assert.strictEqual(symbols.symbolOf(venueOf("deribit"), "ETH-USD-PERP"), "ETH-PERPETUAL")
    assert.strictEqual(symbols.symbolOf(venueOf("kraken"), "BTC-USD"), "XBT/USD")
    assert.isUndefined(symbols.nameOf(venueOf("kraken"), "BTC/USD"), "the name is another symbol's now")
    assert.strictEqual(symbols.nameOf(venueOf("mine"), "xau"), "GOLD")
    const more = Symbols.make({ deribit: { "BTC-USD": "BTC_USDC" } }, symbols)
    assert.strictEqual(more.symbolOf(venueOf("deribit"), "BTC-USD"), "BTC_USDC")
    assert.strictEqual(more.symbolOf(venueOf("kraken"), "BTC-USD"), "XBT/USD")
  })

  it("of two names for one symbol the latter counts", () => {
    const symbols = Symbols.make({ mine: { A: "x", B: "x" } })
    assert.isUndefined(symbols.symbolOf(venueOf("mine"), "A"))
    assert.strictEqual(symbols.symbolOf(venueOf("mine"), "B"), "x")
    assert.strictEqual(symbols.nameOf(venueOf("mine"), "x"), "B")
  })

  it("resolves a name, and leaves a venue's own symbol as it is", () => {
    for (const [venue, symbol, name] of known) {
      assert.strictEqual(Symbols.resolve(Symbols.byRule, venueOf(venue), name), symbol)
      assert.strictEqual(Symbols.resolve(Symbols.byRule, venueOf(venue), symbol), symbol)
    }
    assert.strictEqual(Symbols.resolve(Symbols.byRule, venueOf("deribit"), "BTC-27DEC26"), "BTC-27DEC26")
  })
})
