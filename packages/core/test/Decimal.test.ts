import { assert, describe, it } from "@effect/vitest"
import * as Decimal from "@tickline/core/value/Decimal"
import * as BigDecimal from "effect/BigDecimal"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as DecimalText from "../src/value/internal/decimal.ts"

/** What a text prints as after it was read; `undefined` where it is refused. */
const round = (text: string): string | undefined => {
  const decimal = Decimal.parse(text)
  return decimal === undefined ? undefined : Decimal.format(decimal)
}

describe("Decimal", () => {
  const exact: ReadonlyArray<readonly [text: string, plain: string]> = [
    ["0", "0"],
    ["1", "1"],
    ["43250.10", "43250.10"],
    ["0.00000001", "0.00000001"],
    ["1e-8", "0.00000001"],
    ["1.0e-8", "0.000000010"],
    ["1E+5", "100000"],
    ["1.50e1", "15.0"],
    ["1.5e5", "150000"],
    ["-0.00", "0.00"],
    ["-0", "0"],
    ["-12.50", "-12.50"],
    ["-0.05", "-0.05"],
    ["0e99999999999999999999", "0"],
    ["0e-5", "0.00000"],
    ["0.00e1", "0.0"],
    ["99.12345678901234", "99.12345678901234"],
    ["0.000000000000000001", "0.000000000000000001"],
    ["999999999.123456789012345678", "999999999.123456789012345678"],
    ["9007199254740993", "9007199254740993"],
    ["-9007199254740993.10", "-9007199254740993.10"],
    ["123456789012345", "123456789012345"],
    ["1234567890123456", "1234567890123456"],
    ["1e-400", `0.${"0".repeat(399)}1`],
    ["1e999", `1${"0".repeat(999)}`],
    ["1e-999", `0.${"0".repeat(998)}1`],
    ["9".repeat(1000), "9".repeat(1000)]
  ]
  for (const [text, plain] of exact) {
    it(`reads ${text.slice(0, 40)} exactly`, () => assert.strictEqual(round(text), plain))
  }

  for (
    const text of ["", " ", " 1", "1 ", "+1", "01", "-01", "00", ".5", "5.", "1.e5", "-", "--1", "1e", "1e+", "1.2.3"]
      .concat(["0x10", "Infinity", "-Infinity", "NaN", "1_000", "1,000", "abc", "１", "1n", "e5", "-.5", "1e1.5"])
  ) {
    it(`refuses ${JSON.stringify(text)}`, () => {
      assert.isUndefined(Decimal.parse(text))
      assert.strictEqual(DecimalText.refusal(text), "not a number")
    })
  }

  for (const text of ["1e1000", "1e-1000", "1".repeat(1001), "1e999999999999", "-1e-999999999999", "0e-1000"]) {
    it(`refuses ${text.slice(0, 20)} as too long`, () => {
      assert.isUndefined(Decimal.parse(text))
      assert.strictEqual(DecimalText.refusal(text), "more than 1000 digits in plain notation")
    })
  }

  it("keeps the scale of the text", () => {
    assert.strictEqual(Decimal.parse("1.500")?.scale, 3)
    assert.strictEqual(Decimal.parse("1e5")?.scale, -5)
    assert.strictEqual(Decimal.parse("0e5")?.scale, 0)
    assert.strictEqual(DecimalText.decimalPlaces(BigDecimal.make(1n, -5)), 0)
  })

  it("reads each of many exactly, those that were read lately among them", () => {
    let state = 7
    const next = (below: number): number => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) % below
    for (let i = 0; i < 20_000; i++) {
      const whole = String(next(10) < 3 ? next(40) : next(4_000_000_000) * (1 + next(200_000)))
      const text = next(2) === 0 ? whole : `${whole}.${String(next(1_000)).padStart(1 + next(6), "0")}`
      assert.strictEqual(round(text), text)
    }
  })

  it("reads a part of a text", () => {
    const decimal = DecimalText.parseRange("[\"1.50\"]", 2, 6)
    assert.strictEqual(decimal === undefined ? undefined : Decimal.format(decimal), "1.50")
    assert.isUndefined(DecimalText.parseRange("12", 1, 1))
    assert.isUndefined(DecimalText.parseRange("1-2", 1, 2))
  })

  it("prints zeros of any scale that others make", () => {
    assert.strictEqual(Decimal.format(BigDecimal.make(0n, -3)), "0")
    assert.strictEqual(Decimal.format(BigDecimal.make(0n, 3)), "0.000")
    assert.strictEqual(Decimal.format(BigDecimal.make(-5n, 3)), "-0.005")
    assert.strictEqual(Decimal.format(BigDecimal.make(-5n, -3)), "-5000")
  })

  it("knows what is positive", () => {
    assert.isTrue(Decimal.isPositive(BigDecimal.make(1n, 400)))
    assert.isFalse(Decimal.isPositive(BigDecimal.make(0n, 2)))
    assert.isFalse(Decimal.isPositive(BigDecimal.make(-1n, 0)))
  })

  it.effect("is a codec that keeps trailing zeros", () =>
    Effect.gen(function*() {
      const decimal = yield* Schema.decodeEffect(Decimal.FromText)("1.10")
      assert.strictEqual(yield* Schema.encodeEffect(Decimal.FromText)(decimal), "1.10")
      const refused = yield* Effect.flip(Schema.decodeEffect(Decimal.FromText)(""))
      assert.include(refused.message, "a decimal")
      const long = yield* Effect.flip(Schema.decodeEffect(Decimal.FromText)("1e5000"))
      assert.include(long.message, "at most 1000 digits")
    }))
})
