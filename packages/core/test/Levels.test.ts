/** The levels of a book against the plainest of models: a map of prices, sorted when it is looked at. */
import { assert, describe, it } from "@effect/vitest"
import * as BigDecimal from "effect/BigDecimal"
import type { Level } from "../src/event/MarketData.ts"
import { Levels } from "../src/market/internal/levels.ts"
import * as Decimal from "../src/value/Decimal.ts"

const decimal = (text: string): Decimal.Decimal => Decimal.parse(text) ?? assert.fail(`no decimal: ${text}`)
const level = (price: string, size: string): Level => [decimal(price), decimal(size)]
const texts = (levels: Iterable<Level>): ReadonlyArray<string> =>
  Array.from(levels, ([price, size]) => `${Decimal.format(price)}@${Decimal.format(size)}`)

class Model {
  private levels: ReadonlyArray<Level> = []

  set([price, size]: Level): void {
    const others = this.levels.filter(([other]) => !BigDecimal.equals(other, price))
    this.levels = size.value === 0n ? others : [...others, [price, size]]
  }

  sorted(side: "bids" | "asks"): ReadonlyArray<Level> {
    const sorted = this.levels.toSorted(([a], [b]) => BigDecimal.Order(a, b))
    return side === "asks" ? sorted : sorted.reverse()
  }

  truncate(side: "bids" | "asks", depth: number): void {
    this.levels = this.sorted(side).slice(0, depth)
  }
}

/** Numbers below one, the same for the same seed (the generator of Lehmer, with the factor of Park and Miller). */
const numbers = (seed: number): () => number => {
  let state = seed
  return () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647
}

const sizes = ["0", "0.000", "1", "1.50", "0.00000001", "123456789012345678901234567890"]
const oddPrices = ["9007199254740993", "9007199254740993.5", "0.0000000000000000001", "1e5", "100000.00"]

// Prices near each other, so that many meet, in notations of several scales, some beyond what a double holds.
const updateOf = (next: () => number): { readonly side: "bids" | "asks"; readonly one: Level } => {
  const integer = (below: number) => Math.floor(next() * below)
  const kind = integer(10)
  const price = kind === 0
    ? oddPrices[integer(oddPrices.length)] ?? ""
    : kind < 6
    ? `${integer(400) + 1}.${"0".repeat(integer(4) + 1)}`
    : `${integer(99) + 1}.${integer(999) + 1}`
  return { side: integer(2) === 0 ? "bids" : "asks", one: level(price, sizes[integer(sizes.length)] ?? "") }
}

describe("levels", () => {
  it("are those of a plain model, whatever the updates", () => {
    for (let seed = 1; seed <= 60; seed++) {
      const next = numbers(seed)
      const levels = new Levels()
      const model = { bids: new Model(), asks: new Model() }
      for (let i = 0; i < seed * 10; i++) {
        const { one, side } = updateOf(next)
        levels.apply(side === "bids" ? [one] : [], side === "asks" ? [one] : [])
        model[side].set(one)
        const best = levels[side].best()
        assert.deepStrictEqual(
          texts(best === undefined ? [] : [best]),
          texts(model[side].sorted(side).slice(0, 1)),
          `seed ${seed}, update ${i}`
        )
      }
      for (const side of ["bids", "asks"] as const) {
        const expected = texts(model[side].sorted(side))
        assert.deepStrictEqual(texts(levels[side]), expected, `seed ${seed}`)
        assert.deepStrictEqual(texts(levels[side].top(7)), expected.slice(0, 7))
        assert.strictEqual(levels[side].count, expected.length)
      }
    }
  })

  it("go over many pages and back", () => {
    const levels = new Levels()
    const model = new Model()
    // A walk through all prices in an order that is none.
    const prices = Array.from({ length: 2_000 }, (_, i) => String((i * 7_919) % 2_003))
    for (const price of prices) levels.apply([], [level(price, "1")])
    for (const price of prices) model.set(level(price, "1"))
    assert.deepStrictEqual(texts(levels.asks), texts(model.sorted("asks")))
    for (const price of prices.slice(0, 1_900)) {
      levels.apply([], [level(price, "0")])
      model.set(level(price, "0"))
    }
    assert.deepStrictEqual(texts(levels.asks), texts(model.sorted("asks")))
    assert.strictEqual(levels.asks.count, 100)
  })

  it("come and go at the same prices and at others between them, are counted in other units and cut meanwhile", () => {
    for (let seed = 1; seed <= 30; seed++) {
      const next = numbers(seed)
      const integer = (below: number) => Math.floor(next() * below)
      const levels = new Levels()
      const model = new Model()
      const middle = 10_000
      // As many prices as a page has keys, or more of them.
      const width = 20 + seed * 10
      for (let i = 0; i < 3_000; i++) {
        const fraction = i > 1_500 && integer(200) === 0 ? `.${integer(9) + 1}` : ""
        const one = level(`${middle + integer(width)}${fraction}`, integer(2) === 0 ? "0" : String(i))
        levels.apply([], [one])
        model.set(one)
        if (integer(500) === 0) {
          const depth = integer(width)
          levels.truncate(depth)
          model.truncate("asks", depth)
        }
        if (i % 50 > 0) continue
        const expected = texts(model.sorted("asks"))
        assert.deepStrictEqual(texts(levels.asks), expected, `seed ${seed}, update ${i}`)
        assert.strictEqual(levels.asks.count, expected.length)
        const best = levels.asks.best()
        assert.deepStrictEqual(texts(best === undefined ? [] : [best]), expected.slice(0, 1))
      }
    }
  })

  it("that are the worst of full pages go and come back, once", () => {
    for (const many of [127, 128, 129, 256, 257]) {
      const levels = new Levels()
      const prices = Array.from({ length: many }, (_, i) => String(i + 1))
      levels.apply([], prices.map((price) => level(price, "1")))
      for (const price of [String(many), "128", "1"]) {
        for (const size of ["0", "2", "3"]) levels.apply([], [level(price, size)])
      }
      const changed = (price: string) => price === String(many) || price === "128" || price === "1"
      const expected = [...new Set([...prices, "128"])].map((price) => `${price}@${changed(price) ? 3 : 1}`)
      assert.deepStrictEqual(texts(levels.asks), expected)
      assert.strictEqual(levels.asks.count, expected.length)
    }
  })

  it("are cut to a depth", () => {
    for (const depth of [0, 1, 10, 127, 128, 129, 500]) {
      const levels = new Levels()
      const model = new Model()
      for (let i = 0; i < 400; i++) {
        const one = level(String((i * 37) % 401), "2")
        levels.apply([one], [])
        model.set(one)
      }
      levels.truncate(depth)
      model.truncate("bids", depth)
      assert.deepStrictEqual(texts(levels.bids), texts(model.sorted("bids")))
      assert.strictEqual(levels.bids.count, Math.min(400, depth))
    }
  })

  it("have the text that came last, and one place for each value", () => {
    const levels = new Levels()
    levels.apply([level("1.0", "5"), level("1.00", "6.0")], [])
    assert.deepStrictEqual(texts(levels.bids), ["1.00@6.0"])
    levels.apply([level("1", "0.00")], [])
    assert.deepStrictEqual(texts(levels.bids), [])
  })

  it("are crossed if the best bid is above the best ask, and not where they meet", () => {
    const levels = new Levels()
    levels.apply([level("10.0", "1")], [])
    assert.isFalse(levels.isCrossed())
    levels.apply([], [level("10.00", "1")])
    assert.isFalse(levels.isCrossed())
    levels.apply([level("10.001", "1")], [])
    assert.isTrue(levels.isCrossed())
  })
})
