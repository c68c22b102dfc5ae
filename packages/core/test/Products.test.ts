import { assert, describe, it } from "@effect/vitest"
import * as Symbols from "@tickline/core/protocol/Symbols"
import * as Coinbase from "@tickline/core/venue/coinbase/Venue"
import { Products } from "../src/market/internal/products.ts"

// The same letters at both ends and in the middle: nothing but the whole text tells them apart.
const alike = Array.from({ length: 64 }, (_, i) => `ABC${i % 8}XY${Math.floor(i / 8)}-USD`)

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
