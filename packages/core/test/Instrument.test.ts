/** What an instrument allows, and what a trade of it costs. */
import { assert, describe, it } from "@effect/vitest"
import * as Instrument from "@tickline/core/trading/Instrument"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

const decimal = (text: string): Decimal.Decimal => Decimal.parse(text) ?? assert.fail(`no decimal: ${text}`)
const decode = Schema.decodeUnknownResult(Instrument.Instrument)

const members = { product: "BTC", tick: "0.5", lot: "0.1", feeAsset: "USD" }
const make = (more: object = {}): Instrument.Instrument =>
  Result.getOrElse(decode({ ...members, ...more }), (error) => assert.fail(String(error)))

/** The refusal in words; `undefined` of what is legal. */
const price = (instrument: Instrument.Instrument, text: string): string | undefined => {
  const illegal = Instrument.checkPrice(instrument, decimal(text))
  return illegal && Instrument.describe(illegal)
}
const amount = (instrument: Instrument.Instrument, text: string): string | undefined => {
  const illegal = Instrument.checkAmount(instrument, decimal(text))
  return illegal && Instrument.describe(illegal)
}

describe("a price", () => {
  it("is a positive multiple of the tick, in whatever notation", () => {
    const btc = make()
    for (const legal of ["0.5", "1", "43250.500", "1e5", "5e-1"]) assert.isUndefined(price(btc, legal))
    const no = "is no positive multiple of the tick 0.5; the nearest legal:"
    assert.strictEqual(price(btc, "43250.30"), `price 43250.30 ${no} 43250.0 and 43250.5`)
    assert.strictEqual(
      price(btc, "43250.4999999999999999999999"),
      `price 43250.4999999999999999999999 ${no} 43250.0 and 43250.5`
    )
    assert.strictEqual(price(btc, "0.2"), `price 0.2 ${no} 0.5`)
    assert.strictEqual(price(btc, "0"), `price 0 ${no} 0.5`)
    assert.strictEqual(price(btc, "-1"), `price -1 ${no} 0.5`)
    assert.strictEqual(
      price(make({ tick: "1e1" }), "15"),
      "price 15 is no positive multiple of the tick 10; the nearest legal: 10 and 20"
    )
  })

  it("has larger ticks higher up", () => {
    const option = make({ tick: "0.0001", ticks: [{ from: "0.005", tick: "0.0005" }, { from: "1", tick: "0.1" }] })
    for (const legal of ["0.0049", "0.005", "0.0055", "0.9995", "1", "1.1"]) assert.isUndefined(price(option, legal))
    assert.match(price(option, "0.0051") ?? "", /tick 0\.0005; the nearest legal: 0\.0050 and 0\.0055$/)
    assert.match(price(option, "0.00495") ?? "", /tick 0\.0001; the nearest legal: 0\.0049 and 0\.0050$/)
    assert.match(price(option, "1.05") ?? "", /tick 0\.1; the nearest legal: 1\.0 and 1\.1$/)
  })
})

describe("an amount", () => {
  it("is a multiple of the lot between minimum and maximum", () => {
    const btc = make({ minimum: "0.25", maximum: "10.05" })
    for (const legal of ["0.3", "10", "9.90"]) assert.isUndefined(amount(btc, legal))
    assert.strictEqual(
      amount(btc, "0.35"),
      "amount 0.35 is no positive multiple of the lot 0.1; the nearest legal: 0.3 and 0.4"
    )
    assert.strictEqual(amount(btc, "0.2"), "amount 0.2 is below the minimum 0.25; the nearest legal: 0.3")
    assert.strictEqual(
      amount(btc, "0.26"),
      "amount 0.26 is no positive multiple of the lot 0.1; the nearest legal: 0.3"
    )
    assert.strictEqual(
      amount(btc, "10.04"),
      "amount 10.04 is no positive multiple of the lot 0.1; the nearest legal: 10.0"
    )
    assert.strictEqual(amount(btc, "11"), "amount 11 is above the maximum 10.05; the nearest legal: 10.0")
    assert.strictEqual(amount(make(), "0"), "amount 0 is below the minimum 0.1; the nearest legal: 0.1")
    assert.strictEqual(amount(make(), "-3"), "amount -3 is below the minimum 0.1; the nearest legal: 0.1")
  })
})

describe("an order", () => {
  it("is worth the minimum at its price, unless it only reduces a position", () => {
    const check = (text: string, worth: string, more: object = {}, reduceOnly = false) => {
      const order = { amount: decimal(text), price: decimal(worth), reduceOnly }
      const illegal = Instrument.checkValue(make({ minimumValue: "10", ...more }), order)
      return illegal && Instrument.describe(illegal)
    }
    const least = "is below the minimum 10; the nearest legal: 10"
    assert.isUndefined(check("0.1", "100"))
    assert.strictEqual(check("0.1", "99.5"), `value 9.95 ${least}`)
    assert.isUndefined(check("0.1", "99.5", {}, true))
    assert.strictEqual(check("0.1", "99.5", { base: "BTC" }, true), `value 9.95 ${least}`)
    // Of an inverse instrument it is a quotient.
    assert.isUndefined(check("1000", "100", { valuation: "inverse" }))
    assert.strictEqual(check("999", "100", { valuation: "inverse" }), `value 9.99000000 ${least}`)
    assert.isUndefined(Instrument.checkValue(make(), { amount: decimal("0.1"), price: decimal("0.5") }))
  })
})

describe("a fee", () => {
  const fee = (instrument: Instrument.Instrument, liquidity: "maker" | "taker", price: string, amount: string) =>
    Decimal.format(Instrument.fee(instrument, liquidity, decimal(price), decimal(amount)))
  const fees = { maker: "-0.0001", taker: "0.0005" }

  it("is exact, or rounded to the digits that are said", () => {
    assert.strictEqual(fee(make({ fees }), "taker", "43250.5", "0.3"), "6.487575")
    assert.strictEqual(fee(make({ fees }), "maker", "43250.5", "0.3"), "-1.297515")
    assert.strictEqual(fee(make({ fees: { ...fees, digits: 2 } }), "taker", "43250.5", "0.3"), "6.49")
    assert.strictEqual(fee(make({ fees: { ...fees, digits: 3 } }), "maker", "43250.5", "0.3"), "-1.298")
    assert.strictEqual(fee(make(), "taker", "43250.5", "0.3"), "0")
  })

  it("of an inverse instrument is a quotient", () => {
    assert.strictEqual(fee(make({ fees, valuation: "inverse" }), "taker", "43250.5", "10000"), "0.00011561")
    assert.strictEqual(
      fee(make({ fees: { ...fees, digits: 4 }, valuation: "inverse" }), "maker", "2500", "100000"),
      "-0.0040"
    )
  })
})

describe("an instrument", () => {
  it("that contradicts itself is refused", () => {
    const refuses = (more: object, message: RegExp): void => {
      const result = decode({ ...members, ...more })
      assert.isTrue(Result.isFailure(result))
      if (Result.isFailure(result)) assert.match(String(result.failure), message)
    }
    refuses({ tick: "0" }, /tick/)
    refuses({ lot: "-1" }, /lot/)
    refuses({ minimumValue: "0" }, /minimumValue/)
    refuses({ minimum: "0.31", maximum: "0.39" }, /no lot lies between the minimum and the maximum/)
    refuses({ maximum: "0.05" }, /no lot lies between the minimum and the maximum/)
    refuses({ ticks: [{ from: "0.75", tick: "0.25" }] }, /0\.75 is no multiple of both ticks/)
    refuses({ ticks: [{ from: "2", tick: "1.5" }] }, /2 is no multiple of both ticks/)
    refuses({ ticks: [{ from: "2", tick: "1" }, { from: "2", tick: "2" }] }, /not in the order of their prices/)
    refuses({ base: "BTC", valuation: "inverse" }, /what is spot is not inverse/)
    refuses({ base: members.feeAsset }, /cannot be exchanged for itself/)
  })
})
