import { assert, describe, it } from "@effect/vitest"
import * as Symbols from "@tickline/core/protocol/Symbols"
import * as Coinbase from "@tickline/core/venue/coinbase/Venue"
import { Products } from "../src/market/internal/products.ts"
import * as TellingLetters from "../src/market/internal/tellingLetters.ts"

// The same letters at both ends and in the middle: nothing but the whole text tells them apart.
const alike = Array.from({ length: 64 }, (_, i) => `ABC${i % 8}XY${Math.floor(i / 8)}-USD`)

const days = ["27NOV26", "4DEC26", "25DEC26", "29JAN27", "26MAR27", "25JUN27"]
const options = ["BTC", "ETH"].flatMap((base) =>
  days.flatMap((day) =>
    Array.from({ length: 60 }, (_, i) => ["C", "P"].map((kind) => `${base}-${day}-${60_000 + i * 1_500}-${kind}`))
      .flat()
  )
)

/** What share of the texts the letters chosen for `of` leave a place of its own. */
const told = (texts: ReadonlyArray<string>, of = texts): number => {
  const letters = TellingLetters.choose(of, 8_192)
  return new Set(texts.map((text) => letters.mix(text) & 8_191)).size / texts.length
}

describe("TellingLetters", () => {
  it("tells products apart that differ in a number, in a strike, or in what stands before a currency", () => {
    assert.isAbove(told(Array.from({ length: 1_000 }, (_, i) => `P${String(i).padStart(3, "0")}-USD`)), 0.95)
    assert.isAbove(told(alike), 0.95)
    assert.isAbove(told(options), 0.9)
  })

  it("tells others apart too that came later, since they are named alike", () => {
    assert.isAbove(told(options, options.filter((_, i) => i % 4 < 2)), 0.8)
  })

  it("tells the others apart as before where a few have hardly a letter", () => {
    assert.isAbove(told([...options, "", "W", "XY"]), 0.9)
  })

  it("takes what is shorter than all that it knows, what is alone, and what is the same", () => {
    const letters = TellingLetters.choose(options, 1_024)
    for (const text of ["", "A", "BTC-USD"]) assert.strictEqual(letters.mix(text), text.length)
    assert.strictEqual(told(["BTC-USD"]), 1)
    assert.strictEqual(TellingLetters.choose(["BTC-USD", "BTC-USD"], 16).mix("ETH-USD"), 7)
    assert.strictEqual(TellingLetters.choose([], 16).mix(""), 0)
  })
})

describe("Products", () => {
  it("finds each of many by its whole text, however alike they are, and gives all of one the same", () => {
    const products = new Products(Coinbase.venue, Symbols.byRule)
    const found = alike.map((symbol) => products.of(symbol))
    assert.deepStrictEqual(found.map(({ symbol }) => symbol), alike)
    assert.strictEqual(new Set(found).size, alike.length)
    for (let round = 0; round < 3; round++) {
      for (const [index, symbol] of alike.entries()) assert.strictEqual(products.of(`${symbol}`), found[index])
    }
    for (const symbol of ["", "A", "AB", "ABC", "€"]) assert.strictEqual(products.of(symbol).symbol, symbol)
    assert.strictEqual(products.of("BTC-USD").name, "BTC-USD")
  })

  it("remembers ten thousand, and reads what else a peer makes up all the same", () => {
    const products = new Products(Coinbase.venue, Symbols.byRule)
    const first = products.of("P0-USD")
    for (let i = 1; i < 10_000; i++) products.of(`P${i}-USD`)
    for (let i = 10_000; i < 10_100; i++) assert.strictEqual(products.of(`P${i}-USD`).symbol, `P${i}-USD`)
    assert.strictEqual(products.of("P0-USD"), first)
  })
})
