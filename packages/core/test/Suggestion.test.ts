import { assert, describe, it } from "@effect/vitest"
import * as Suggestion from "@tickline/core/value/Suggestion"

describe("the word that was meant", () => {
  const venues = ["binance", "coinbase", "coinbase-exchange", "kraken", "deribit", "dydx", "hyperliquid"]

  for (
    const [word, meant] of [
      ["kraken", "kraken"],
      ["KRAKEN", "kraken"],
      ["karken", "kraken"],
      ["krakn", "kraken"],
      ["krakenn", "kraken"],
      ["krokon", "kraken"],
      ["krokun", "kraken"],
      ["krokum", undefined],
      ["rkaken", "kraken"],
      ["rkakne", "kraken"],
      ["coinbse", "coinbase"],
      ["coinbase-exchang", "coinbase-exchange"],
      ["coin", "coinbase"],
      ["hyper", "hyperliquid"],
      ["hyprliquid", "hyperliquid"],
      ["der", "deribit"],
      ["de", undefined],
      ["dydz", "dydx"],
      ["dyxd", "dydx"],
      ["dxyd", "dydx"],
      ["xyxy", undefined],
      ["bin", "binance"],
      ["bni", undefined],
      ["bnian", "binance"],
      ["binanec", "binance"],
      ["nasdaq", undefined],
      ["", undefined],
      ["x", undefined]
    ] as const
  ) {
    it(`${word} is ${meant}`, () => assert.strictEqual(Suggestion.nearest(word, venues), meant))
  }

  it("is the nearest, and of two that are as near the first", () => {
    assert.strictEqual(Suggestion.nearest("abcx", ["abyy", "abcd", "abce"]), "abcd")
    assert.strictEqual(
      Suggestion.nearest("abc", ["abcd", "abx"]),
      "abcd",
      "what it begins is nearer than what it is not"
    )
    assert.strictEqual(Suggestion.nearest("abcd", ["abce", "abcdefgh"]), "abcdefgh")
    assert.strictEqual(Suggestion.nearest("abcd", ["abcdefgh", "abcd"]), "abcd")
    assert.strictEqual(Suggestion.nearest("ab", ["ba"]), "ba", "two letters in the wrong order are one slip")
    assert.isUndefined(Suggestion.nearest("abcd", []))
  })

  it("counts a slip of neighbours once, anywhere in the word, and nothing twice", () => {
    assert.strictEqual(Suggestion.nearest("bac", ["abc"]), "abc")
    assert.strictEqual(Suggestion.nearest("acb", ["abc"]), "abc")
    assert.isUndefined(Suggestion.nearest("cab", ["abcxxxxxx"]), "a letter moved by two is two slips")
    assert.isUndefined(Suggestion.nearest("ca", ["abc"]))
  })

  it("of two as near it is the one that begins alike for longer", () => {
    for (const flags of [["rest", "preset"], ["preset", "rest"]]) {
      assert.strictEqual(Suggestion.nearest("prest", flags), "preset")
    }
  })
})
