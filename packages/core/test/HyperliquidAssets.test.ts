/** Hyperliquid's rules of prices and amounts, against the venue's own words for them. */
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as BigDecimal from "effect/BigDecimal"
import * as Schema from "effect/Schema"
import * as Assets from "../src/trading/hyperliquid/internal/assets.ts"
import * as Orders from "../src/trading/hyperliquid/internal/orders.ts"
import * as Instrument from "../src/trading/Instrument.ts"
import * as Decimal from "../src/value/Decimal.ts"

const decimal = (text: string): Decimal.Decimal => Decimal.parse(text) ?? assert.fail(text)

const perpetual = (szDecimals: number): Assets.Asset =>
  Assets.perpetuals({ universe: [{ name: "X", szDecimals }] }).get("X") ?? assert.fail()

const spot = (szDecimals: number): Assets.Asset =>
  Assets.spots({
    universe: [{ name: "X/USDC", index: 7, tokens: [3, 0] }],
    tokens: [{ name: "USDC", index: 0, szDecimals: 8 }, { name: "X", index: 3, szDecimals }]
  }).get("X/USDC") ?? assert.fail()

/**
 * "Prices can have up to 5 significant figures, but no more than MAX_DECIMALS - szDecimals decimal places. Integer
 * prices are always allowed."
 */
const isLegal = (price: Decimal.Decimal, most: number): boolean => {
  const text = Orders.text(price)
  const [whole = "", decimals = ""] = text.split(".")
  if (decimals === "") return true
  const figures = `${whole}${decimals}`.replace(/^0+/, "").length
  return figures <= 5 && decimals.length <= most
}

describe("a price at Hyperliquid", () => {
  const chance = Schema.Struct({
    szDecimals: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 5 })),
    isSpot: Schema.Boolean,
    units: Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 99_999_999 })),
    scale: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 10 }))
  })

  it.prop("is legal as the venue says", [Arbitrary.schema(chance)], ([{ isSpot, scale, szDecimals, units }]) => {
    const asset = isSpot ? spot(szDecimals) : perpetual(szDecimals)
    const most = (isSpot ? 8 : 6) - szDecimals
    const price = BigDecimal.make(BigInt(units), scale)
    const illegal = Instrument.checkPrice(asset.instrument, price)
    assert.strictEqual(illegal === undefined, isLegal(price, most), Decimal.format(price))
    if (illegal === undefined) return
    for (const near of [illegal.below, illegal.above]) {
      if (near === undefined) continue
      assert.isTrue(isLegal(near, most), Decimal.format(near))
      assert.isUndefined(Instrument.checkPrice(asset.instrument, near))
    }
    // There is none between the two.
    const { above, below = Decimal.zero } = illegal
    assert.isDefined(above)
    const middle = BigDecimal.make(BigDecimal.sum(below, above).value * 5n, Math.max(below.scale, above.scale) + 1)
    assert.isFalse(isLegal(middle, most), Decimal.format(middle))
  }, { arbitrary: { seed: "assets" } })

  it("has the decimals that the size leaves", () => {
    const legal = (asset: Assets.Asset, text: string) =>
      Instrument.checkPrice(asset.instrument, decimal(text)) === undefined
    // The venue's own examples.
    assert.isTrue(legal(perpetual(1), "1234.5"))
    assert.isFalse(legal(perpetual(1), "1234.56"))
    assert.isTrue(legal(perpetual(0), "0.001234"))
    assert.isFalse(legal(perpetual(0), "0.0012345"))
    assert.isTrue(legal(perpetual(1), "0.01234"))
    assert.isFalse(legal(perpetual(1), "0.012345"))
    assert.isTrue(legal(perpetual(5), "123456"))
    assert.isTrue(legal(spot(0), "0.0001234"))
    assert.isTrue(legal(spot(2), "0.000123"))
    assert.isFalse(legal(spot(2), "0.0001234"))
  })

  it("of a market order is at its bound or before it", () => {
    const priceOf = (side: "buy" | "sell", best: string, slippage: string, szDecimals = 1) =>
      Decimal.format(
        Assets.marketPrice(
          perpetual(szDecimals),
          { side, amount: decimal("10000000"), reduceOnly: false },
          { best: decimal(best), slippage: decimal(slippage) }
        )
      )
    assert.strictEqual(priceOf("buy", "1234.5", "0.05"), "1296.2")
    assert.strictEqual(priceOf("sell", "1234.5", "0.05"), "1172.8")
    assert.strictEqual(priceOf("buy", "100000", "0.00001"), "100001.00000")
    assert.strictEqual(priceOf("buy", "100000", "0.000001"), "100000")
    assert.strictEqual(priceOf("sell", "100000", "0.000001"), "100000")
    assert.strictEqual(priceOf("buy", "1234.5", "0"), "1234.5")
    assert.strictEqual(priceOf("sell", "1234.5", "0"), "1234.5")
  })
})

describe("a market order to sell at Hyperliquid", () => {
  const priceOf = (asset: Assets.Asset, amount: string, reduceOnly = false, side: "buy" | "sell" = "sell") => {
    const order = { side, amount: decimal(amount), reduceOnly }
    const bound = { best: decimal("2.0000"), slippage: decimal("0.05") }
    return Decimal.format(Assets.marketPrice(asset, order, bound))
  }

  it("is worth ten dollars at its bound too, if it is at the best price", () => {
    for (const asset of [spot(1), perpetual(1)]) {
      assert.strictEqual(Number(priceOf(asset, "6")), 1.9)
      assert.match(priceOf(asset, "5.2"), /^1\.9231/)
      for (const amount of ["5.1", "5.2", "5.3"]) {
        assert.isAtLeast(Number(priceOf(asset, amount)) * Number(amount), 10)
      }
      // It is not.
      assert.strictEqual(Number(priceOf(asset, "4.9")), 1.9)
      assert.strictEqual(Number(priceOf(asset, "5.2", false, "buy")), 2.1)
    }
    assert.strictEqual(Number(priceOf(perpetual(1), "5.2", true)), 1.9)
  })
})

describe("what is listed at Hyperliquid", () => {
  it("is traded for ten dollars at least", () => {
    const order = { amount: decimal("1"), price: decimal("9.99") }
    for (const { instrument } of [perpetual(2), spot(2)]) {
      assert.strictEqual(Instrument.checkValue(instrument, order)?.rule, "minimum")
      assert.isUndefined(Instrument.checkValue(instrument, { ...order, price: decimal("10") }))
    }
    const closing = { ...order, reduceOnly: true }
    assert.isUndefined(Instrument.checkValue(perpetual(2).instrument, closing))
  })

  it("has the numbers by which orders name it", () => {
    const listed = Assets.perpetuals({
      universe: [
        { name: "BTC", szDecimals: 5 },
        { name: "OLD", szDecimals: 1, isDelisted: true },
        { name: "ETH", szDecimals: 4, isDelisted: null }
      ]
    })
    assert.deepStrictEqual([...listed].map(([name, { id, instrument }]) => [name, id, instrument.base === undefined]), [
      ["BTC", 0, true],
      ["ETH", 2, true]
    ])
    const { id, instrument } = spot(2)
    assert.deepStrictEqual([
      id,
      instrument.base,
      instrument.feeAsset,
      Decimal.format(instrument.lot)
    ], [
      10_007,
      "X",
      "USDC",
      "0.01"
    ])
    // Of tokens that are not there nothing can be said.
    assert.strictEqual(Assets.spots({ universe: [{ name: "@1", index: 1, tokens: [8, 9] }], tokens: [] }).size, 0)
    assert.deepStrictEqual(["BTC", "@107", "PURR/USDC"].map(Assets.isSpot), [false, true, true])
  })
})

describe("a figure for Hyperliquid", () => {
  it.each([
    ["100", "100"],
    ["100.00", "100"],
    ["1670.10", "1670.1"],
    ["0.00000001", "0.00000001"],
    ["1e5", "100000"],
    ["1e-8", "0.00000001"],
    ["10.0e1", "100"]
  ])("%s is %s", (text, expected) => assert.strictEqual(Orders.text(decimal(text)), expected))
})
