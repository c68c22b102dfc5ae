/** What each venue calls what, as a table; `vitest run -u` writes it anew where a rule changes on purpose. */
import { assert, describe, expect, it } from "@effect/vitest"
import * as Symbols from "@tickline/core/protocol/Symbols"
import * as Binance from "@tickline/core/venue/binance/Venue"
import * as Kraken from "@tickline/core/venue/kraken/Venue"
import * as Venues from "@tickline/core/venue/Venues"

const quotes = ["USD", "USDC", "USDT", "EUR", "FDUSD", "TUSD", "BUSD", "DOGE", "BTC", "ETH", "BNB", "TRY", "BRL"]
  .concat(["JPY", "ARS", "MXN", "PLN", "RON", "CZK", "ZAR", "UAH", "COP", "IDR", "DAI", "XRP", "TRX", "SOL"])
  .concat(["GBP", "X", "ABCDEF", "ABCDEFG", "usd", "PERP", ""])

const bases = ["BTC", "kPEPE", "1INCH", "PURR", "A/B", "A B", ""]

const symbols = quotes.slice(0, 27).flatMap((quote) => [`BTC${quote}`, `btc${quote}`, quote])
  .concat(["BTC-USD", "BTC/USD", "BTC_USD", "BTC_USDC", "BTC-PERPETUAL", "BTC_USDC-PERPETUAL", "_USDC-PERPETUAL"])
  .concat(["BTC-27DEC26", "BTC-27DEC26-50000-C", "BTC-USD-PERP", "PURR/USDC", "HYPE/USDC", "@107", "kPEPE", "BTC "])
  .concat([
    "",
    "-",
    "/",
    "BTC-",
    "-USD",
    "BTC--USD",
    "BTC/US",
    "BTC/U",
    "BTC-USDXYZ",
    "BTC-USDXYZA",
    "B C-USD",
    "BTC-usd"
  ])

describe("Symbols, as a table", () => {
  for (const venue of Venues.all.filter(({ symbols }) => symbols !== undefined)) {
    it(venue.name, () => {
      const asked = bases.flatMap((base) =>
        quotes.flatMap((quote) =>
          ["", "-PERP"].flatMap((end) => {
            const name = `${base}-${quote}${end}`
            const symbol = Symbols.byRule.symbolOf(venue, name)
            if (symbol === undefined) return []
            assert.strictEqual(Symbols.byRule.nameOf(venue, symbol), name)
            return [`${name} is ${symbol}`]
          })
        )
      )
      const told = symbols.flatMap((symbol) => {
        const name = Symbols.byRule.nameOf(venue, symbol)
        return name === undefined ? [] : [`${symbol} is ${name}`]
      })
      expect([...asked, "", ...told].join("\n")).toMatchSnapshot()
    })
  }

  it("reads and writes the parts of a name", () => {
    for (const base of bases) {
      for (const quote of quotes) {
        for (const isPerpetual of [false, true]) {
          const parts = { base, quote, isPerpetual }
          const read = Symbols.parse(Symbols.format(parts))
          const isName = /^[^\s/-]+$/.test(base) && /^[A-Z]{2,6}$/.test(quote) && quote !== "PERP"
          assert.deepStrictEqual(read, isName ? parts : undefined, Symbols.format(parts))
        }
      }
    }
  })

  it("an entry that takes a symbol or a name from a rule hides both", () => {
    const own = Symbols.make({ kraken: { "XBT-USD": "BTC/USD", "ETH-USD": "XETH/USD" } })
    assert.strictEqual(own.nameOf(Kraken.venue, "BTC/USD"), "XBT-USD")
    assert.isUndefined(own.symbolOf(Kraken.venue, "BTC-USD"))
    assert.strictEqual(own.symbolOf(Kraken.venue, "ETH-USD"), "XETH/USD")
    assert.isUndefined(own.nameOf(Kraken.venue, "ETH/USD"))
    assert.strictEqual(own.symbolOf(Kraken.venue, "SOL-USD"), "SOL/USD")
    assert.strictEqual(own.nameOf(Kraken.venue, "SOL/USD"), "SOL-USD")
    assert.strictEqual(own.symbolOf(Binance.venue, "BTC-USDT"), "BTCUSDT")
    assert.isUndefined(own.symbolOf(Kraken.venue, "no name"))
    assert.strictEqual(Symbols.resolve(own, Kraken.venue, "no name"), "no name")
  })
})
