import { assert, describe, it } from "@effect/vitest"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Market from "@tickline/testing/Market"

const digits = (text: string): bigint => Decimal.parse(text)?.value ?? -1n

describe("a market so thin that a trade takes a level's last digit", () => {
  it("trades at least one of it and has something on every level, always", () => {
    const product = { symbol: "A-USD", price: "100.00", size: "1" }
    let exhausted = 0
    for (let seed = 0; seed < 5; seed++) {
      let market = Market.make(product, { seed, atMillis: 0 })
      for (let n = 1; n <= 400; n++) {
        const before = Market.book(market)
        market = Market.next(market, n)
        const { asks, bids } = Market.book(market)
        const { price, side, size } = market.last
        for (const [, left] of [...bids, ...asks]) assert.isTrue(digits(left) > 0n, `seed ${seed}, step ${n}`)
        assert.isTrue(digits(size) > 0n && digits(size) <= 2n)
        const [best] = side === "buy" ? before.asks : before.bids
        if (best !== undefined && best[0] === price && best[1] === size) exhausted++
      }
    }
    assert.isAbove(exhausted, 10)
  })

  it("never falls below half of where it began", () => {
    const product = { symbol: "A-USD", price: "100", size: "1" }
    // Seeds that come down to it.
    for (const seed of [10, 12, 15, 29, 38]) {
      const last = Market.ticks(product, { seed, fromMillis: 0, everyMillis: 1 }).drop(600).next().value
      assert.strictEqual(last?.low, "50", String(seed))
    }
  })
})
