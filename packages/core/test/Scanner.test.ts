import { assert, describe, it } from "@effect/vitest"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Scanner from "../src/codec/internal/scanner.ts"

const begin = (text: string): Scanner.Scanner => {
  const scanner = Scanner.make()
  scanner.begin(text)
  return scanner
}

describe("Scanner", () => {
  it("passes over what must come, and stays where something else does", () => {
    const scanner = begin("{\"a\":")
    assert.isFalse(scanner.word("{\"b"))
    assert.isFalse(scanner.code(125))
    assert.strictEqual(scanner.at, 0)
    assert.isTrue(scanner.word("{\"a\""))
    assert.isFalse(scanner.word("::"))
    assert.isFalse(scanner.isAtEnd())
    assert.isTrue(scanner.code(58))
    assert.isTrue(scanner.isAtEnd())
    assert.isFalse(scanner.word(":"))
    assert.isFalse(scanner.code(58))
  })

  it("reads a string without escapes, and where it is", () => {
    const scanner = begin("\"BTC-USD\",")
    assert.isTrue(scanner.string())
    assert.strictEqual(scanner.slice(), "BTC-USD")
    assert.isTrue(scanner.is("BTC-USD"))
    assert.isFalse(scanner.is("BTC-USX"))
    assert.isFalse(scanner.is("BTC-US"))
    assert.strictEqual(scanner.at, 9)
    for (const text of ["", "\"", "\"a", "a\"", "\"\\u0041\"", "\"\n\"", "\"\u0000\"", "1"]) {
      const other = begin(text)
      assert.isFalse(other.string(), text)
      assert.strictEqual(other.at, 0)
    }
    assert.isTrue(begin("\"\"").string())
  })

  it("reads whole numbers of at most 15 digits", () => {
    for (const text of ["0", "7", "1785251522090", "999999999999999"]) {
      const scanner = begin(`${text},`)
      assert.strictEqual(scanner.integer(), Number(text))
      assert.strictEqual(scanner.slice(), text)
      assert.isTrue(scanner.code(44))
    }
    for (const text of ["", "-1", "01", "00", "1.0", "1e3", "1E3", "1000000000000000", "\"1\"", "+1"]) {
      const scanner = begin(text)
      assert.isUndefined(scanner.integer(), text)
      assert.strictEqual(scanner.at, 0)
    }
  })

  it("reads as a decimal what Decimal reads, with its scale, and nothing else", () => {
    const usual = "0 0.0 0.10 1 43250.10 0.00000001 123456789012345 1234567890.12345 -1.50 -0 100"
    const unusual = "1234567890123456 0.1234567890123456789 1e5 1.0e-8 1E+2"
    const none = "10. .5 01 00.1 - . 1.2.3 x 1x 0x1 1e --1 +1 NaN 1e1000"
    const texts = [
      ...[usual, unusual, none].flatMap((line) => line.split(" ")),
      "",
      "1 ",
      " 1",
      "9".repeat(1_001)
    ]
    for (const text of texts) {
      const scanner = begin(`"${text}",`)
      const read = scanner.decimal()
      const expected = Decimal.parse(text)
      assert.strictEqual(read?.value, expected?.value, text)
      assert.strictEqual(read?.scale, expected?.scale, text)
      assert.strictEqual(scanner.at, expected === undefined ? 0 : text.length + 2, text)
    }
    for (const text of ["1", "1\"", "\"1", "[1\"", "", "\"\\u0031\"", "a1\""]) {
      assert.isUndefined(begin(text).decimal(), text)
    }
  })
})
