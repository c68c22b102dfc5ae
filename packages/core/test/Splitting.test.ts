/** How an amount is divided among books: what is no legal part of one exchange is offered to the others. */
import { assert, describe, it } from "@effect/vitest"
import { Instrument } from "@tickline/core/trading/Instrument"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Splitting from "../src/trading/internal/splitting.ts"

const decimal = (text: string): Decimal.Decimal => Decimal.parse(text) ?? assert.fail(text)

interface Rules {
  readonly minimum?: string
  readonly minimumValue?: string
  readonly base?: string
}

const place = (
  exchange: string,
  asks: ReadonlyArray<readonly [string, string]>,
  rules: Rules = {}
): Splitting.Place => ({
  exchange,
  book: {
    bids: [],
    asks: asks.map(([price, size]) => [decimal(price), decimal(size)]),
    bidLevels: 0,
    askLevels: asks.length
  },
  fees: undefined,
  latencyMillis: undefined,
  instrument: new Instrument({
    product: "ETH-USDC",
    tick: decimal("0.01"),
    lot: decimal("0.001"),
    feeAsset: "USDC",
    ...(rules.minimum === undefined ? {} : { minimum: decimal(rules.minimum) }),
    ...(rules.minimumValue === undefined ? {} : { minimumValue: decimal(rules.minimumValue) }),
    ...(rules.base === undefined ? {} : { base: rules.base })
  })
})

const parts = (order: { readonly amount: string; readonly reduceOnly?: boolean }, ...places: Array<Splitting.Place>) =>
  Splitting.partsOf({ side: "buy", reduceOnly: false, ...order, amount: decimal(order.amount) }, places)
    .map(({ amount, exchange, price }) => `${exchange} ${Decimal.format(amount)} at ${Decimal.format(price)}`)

describe("a part of an order", () => {
  const cheap = (rules: Rules) => place("cheap", [["2000.00", "0.004"]], rules)
  const dear = place("dear", [["2001.00", "5"]])

  it("is worth what its exchange asks for at least, and another's otherwise", () => {
    assert.deepStrictEqual(parts({ amount: "1" }, cheap({}), dear), ["cheap 0.004 at 2000.00", "dear 0.996 at 2001.00"])
    assert.deepStrictEqual(parts({ amount: "1" }, cheap({ minimumValue: "10" }), dear), ["dear 1.000 at 2001.00"])
    assert.deepStrictEqual(parts({ amount: "1" }, cheap({ minimumValue: "8" }), dear), [
      "cheap 0.004 at 2000.00",
      "dear 0.996 at 2001.00"
    ])
  })

  it("that only reduces a position may be worth less, of what is not spot", () => {
    const order = { amount: "1", reduceOnly: true }
    assert.deepStrictEqual(parts(order, cheap({ minimumValue: "10" }), dear), [
      "cheap 0.004 at 2000.00",
      "dear 0.996 at 2001.00"
    ])
    assert.deepStrictEqual(parts(order, cheap({ minimumValue: "10", base: "ETH" }), dear), ["dear 1.000 at 2001.00"])
  })

  it("goes to the exchange that has more, where each alone could take it and neither its part", () => {
    const rules = { minimumValue: "10" }
    const deep = place("deep", [["2000.00", "0.003"], ["2010.00", "5"]], rules)
    const whole = ["deep 0.006 at 2010.00"]
    for (const thin of [rules, { minimum: "0.004" }]) {
      const places = [deep, place("thin", [["2001.00", "0.003"]], thin)]
      assert.deepStrictEqual(parts({ amount: "0.006" }, ...places), whole)
      assert.deepStrictEqual(parts({ amount: "0.006" }, ...places.toReversed()), whole)
    }
  })
})
