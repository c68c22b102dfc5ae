import { assert, describe, it } from "@effect/vitest"
import * as Decimal from "@tickline/core/value/Decimal"
import * as Scanner from "../src/codec/internal/scanner.ts"
import * as DecimalText from "../src/value/internal/decimal.ts"

const grammar = /^(-?)(0|[1-9]\d*)(?:\.(\d+))?(?:[eE]([+-]?\d+))?$/

/** The slow way: JSON's grammar, and the digits as one integer with a scale. */
const reference = (text: string): string | undefined => {
  const match = grammar.exec(text)
  if (match === null) return undefined
  const [, sign = "", whole = "", fraction = "", exponent = "0"] = match
  const value = BigInt(whole + fraction)
  const scale = fraction.length - Number(exponent)
  if (value === 0n && scale <= 0) return "0 0"
  const plain = scale <= 0 ? value.toString().length - scale : Math.max(value.toString().length, scale + 1)
  // Without an exponent the digits are counted as they are written.
  const written = match[4] === undefined ? (whole + fraction).length : plain
  if (Math.max(plain, written) > DecimalText.maxDigits) return undefined
  return `${sign === "-" ? -value : value} ${scale}`
}

const shown = (decimal: Decimal.Decimal | undefined): string | undefined =>
  decimal === undefined ? undefined : `${decimal.value} ${decimal.scale}`

const numbers = ["0", "7", "10", "0.5", "0.05", "-0.10", "43250.10", "-1.50e-3", "12E+4", "1.5e10", "0e5", "0.0e2"]
  .concat(["999999999999999", "1234567890123456", "-12345678.9012345678", "0.000000000000001", "99.9e-20"])

/** Each of them with each character replaced, left out and doubled. */
const variants = numbers.flatMap((text) =>
  Array.from({ length: text.length + 1 }, (_, at) => [
    ..."/0123456789:.,-+eE \"x".split("").flatMap((other) => [
      text.slice(0, at) + other + text.slice(at + 1),
      text.slice(0, at) + other + text.slice(at)
    ]),
    text.slice(0, at) + text.slice(at + 1)
  ]).flat()
)

describe("Decimal, at its edges", () => {
  it("agrees with JSON's grammar wherever one character is another", () => {
    for (const text of [...numbers, ...variants]) {
      assert.strictEqual(shown(Decimal.parse(text)), reference(text), JSON.stringify(text))
      // Within a longer text it ends where it is told to.
      assert.strictEqual(shown(DecimalText.parseRange(`.9${text}9.`, 2, 2 + text.length)), reference(text))
    }
  })

  it("agrees with it up to and beyond the most digits", () => {
    // Nine digits are read at a time, 15 are a safe integer, 18 are 64 bits, and 27 are no usual decimal.
    for (const length of [8, 9, 10, 14, 15, 16, 17, 18, 19, 25, 26, 27, 28, 36, 998, 999, 1000, 1001, 1002]) {
      const digits = "123456789".repeat(120).slice(0, length)
      for (
        const text of [
          digits,
          `-${digits}`,
          `${digits.slice(0, 1)}.${digits.slice(1)}`,
          `0.${digits}`,
          `0.0${digits.slice(2)}`,
          `${digits}.0`,
          `1e${length}`,
          `1e-${length}`,
          `12e${length - 2}`,
          `0.1e${length}`,
          `0.01e-${length - 2}`,
          `0e-${length}`,
          `${digits}e-1`,
          `${digits}e1`,
          `0.${"0".repeat(length)}e${length}`
        ]
      ) {
        assert.strictEqual(shown(Decimal.parse(text)), reference(text), text)
      }
    }
  })

  it("agrees with it on digits of any length, the largest and those with many zeros among them", () => {
    let state = 3
    const next = (below: number): number => (state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) % below
    for (let i = 0; i < 20_000; i++) {
      const of = ["9", "0123456789", "09", "01"][i % 4] ?? ""
      const digits = Array.from({ length: 1 + next(30) }, () => of[next(of.length)] ?? "").join("")
      const point = next(digits.length + 1)
      const text = point === 0 ? digits : `${digits.slice(0, point)}.${digits.slice(point)}`
      assert.strictEqual(shown(Decimal.parse(text)), reference(text), text)
      assert.strictEqual(shown(Decimal.parse(`-${text}`)), reference(`-${text}`), text)
    }
  })

  it("prints back what is plain, and a scale below zero as zeros", () => {
    for (const text of [...numbers, ...variants].filter((one) => /^-?\d+(\.\d+)?$/.test(one))) {
      const decimal = Decimal.parse(text)
      if (decimal === undefined || decimal.value === 0n) continue
      assert.strictEqual(Decimal.format(decimal), text)
      assert.strictEqual(DecimalText.decimalPlaces(decimal), (text.split(".")[1] ?? "").length)
    }
  })

  it("prints a scale below zero as zeros, and nothing as nothing", () => {
    for (const [text, printed] of [["12e1", "120"], ["-1e2", "-100"], ["1.5e3", "1500"], ["0e5", "0"]] as const) {
      assert.strictEqual(Decimal.format(Decimal.parse(text) ?? Decimal.zero), printed)
    }
  })
})

/** How often a regular expression is asked while a text is read. */
const expressions = (text: string): number => {
  const { exec } = RegExp.prototype
  let times = 0
  // oxlint-disable-next-line no-extend-native -- counted here, and put back
  RegExp.prototype.exec = function(this: RegExp, searched: string) {
    times++
    return exec.call(this, searched)
  }
  try {
    Decimal.parse(text)
  } finally {
    // oxlint-disable-next-line no-extend-native -- as it was
    RegExp.prototype.exec = exec
  }
  return times
}

it("a number that a double holds is read without an expression, with a short exponent or none", () => {
  for (
    const text of ["0", "-1.50", "999999999999999", "0.00000000000001", "1e5", "1.5E+10", "-2.50e-3", "0e5", "0.0e2"]
      .concat(["123456789012345e-9", "12345678901234.5e+99", "9e999", "0.1e-998", "1e0", "1e00001"])
  ) {
    assert.strictEqual(expressions(text), 0, text)
  }
  for (const text of ["1234567890123456e1", "1e000001", "1e99999", "1.e5", "01e5", "1e", "1e+", "1ex"]) {
    assert.isAbove(expressions(text), 0, text)
  }
})

describe("Scanner", () => {
  const begun = (text: string, at = 0): Scanner.Scanner => {
    const scanner = Scanner.make()
    scanner.begin("something before")
    scanner.at = 5
    scanner.begin(text)
    assert.strictEqual(scanner.at, 0)
    scanner.at = at
    return scanner
  }

  it("reads a string that is a decimal as Decimal does, or stays where it is", () => {
    for (const text of [...numbers, ...variants]) {
      if (text.includes("\"")) continue
      const scanner = begun(`["${text}",`, 1)
      assert.strictEqual(shown(scanner.decimal()), reference(text), text)
      assert.strictEqual(scanner.at, reference(text) === undefined ? 1 : text.length + 3, text)
    }
    for (const unquoted of ["1.5", "x1.5\"", "\"1.5", "'1.5\"", "\"\"1.5\"", ""]) {
      assert.isUndefined(begun(unquoted).decimal(), unquoted)
    }
  })

  it("reads whole numbers of up to 15 digits", () => {
    for (
      const [text, expected] of [
        ["0", 0],
        ["7", 7],
        ["10", 10],
        ["9".repeat(15), 999_999_999_999_999],
        ["9".repeat(16), undefined],
        ["01", undefined],
        ["00", undefined],
        ["", undefined],
        ["x", undefined],
        ["-1", undefined],
        ["/", undefined],
        [":", undefined]
      ] as const
    ) {
      for (const after of ["", ",", "}", "x"]) {
        const scanner = begun(`[${text}${after}`, 1)
        assert.strictEqual(scanner.integer(), expected, text)
        assert.strictEqual(scanner.at, expected === undefined ? 1 : 1 + text.length)
        if (expected !== undefined) assert.strictEqual(scanner.slice(), text)
      }
      for (const after of [".", "e", "E"]) assert.isUndefined(begun(`${text}${after}0`).integer())
    }
  })

  it("reads strings without escapes and control characters, words and single characters", () => {
    const scanner = begun("{\"a b\":\"\u0020~é\"}")
    assert.isFalse(scanner.code(125))
    assert.isFalse(scanner.string())
    assert.isTrue(scanner.code(123))
    assert.isFalse(scanner.word("\"a c"))
    assert.strictEqual(scanner.at, 1)
    assert.isTrue(scanner.string())
    assert.strictEqual(scanner.slice(), "a b")
    assert.deepStrictEqual(["a b", "a", "a bc", "a c", "b b", ""].map((word) => scanner.is(word)), [
      true,
      false,
      false,
      false,
      false,
      false
    ])
    assert.isTrue(scanner.word(":"))
    assert.isTrue(scanner.string())
    assert.strictEqual(scanner.slice(), " ~é")
    assert.isFalse(scanner.isAtEnd())
    assert.isTrue(scanner.word("}"))
    assert.isTrue(scanner.isAtEnd())
    assert.isFalse(scanner.code(125))
    assert.isFalse(scanner.word("}"))
    for (const text of ["\"", "\"a", "\"\\n\"", "\"\u001f\"", "\"\n\"", "a\"", ""]) {
      const bad = begun(text)
      assert.isFalse(bad.string(), JSON.stringify(text))
      assert.strictEqual(bad.at, 0)
    }
  })
})
