import { assert, describe, it } from "@effect/vitest"
import * as TomlText from "@tickline/core/value/TomlText"
import * as Result from "effect/Result"

const detail = (text: string): string | undefined => {
  const read = TomlText.parse(text)
  return Result.isFailure(read) ? read.failure.detail : undefined
}

describe("TomlText", () => {
  it("nests 32 deep, in every way to write it, and no deeper", () => {
    const ways: ReadonlyArray<(depth: number) => string> = [
      (depth) => `a = ${"[".repeat(depth - 1)}${"]".repeat(depth - 1)}`,
      (depth) => `a = ${"{a=".repeat(depth - 1)}1${"}".repeat(depth - 1)}`,
      (depth) => `${"a.".repeat(depth - 1)}a = 1`,
      (depth) => `[${Array.from({ length: depth - 1 }, () => "a").join(".")}]\na = 1`
    ]
    for (const way of ways) {
      assert.isUndefined(detail(way(32)))
      assert.strictEqual(detail(way(34)), "nested more than 32 deep")
      assert.strictEqual(detail(way(20_000)), "nested more than 32 deep")
    }
  })

  it("tells where it is wrong, and quotes no value", () => {
    assert.strictEqual(detail("a = 1\ntoken = s3cret"), "Invalid value at line 2, column 15")
    assert.strictEqual(detail("token = 1979-13-01"), "Invalid date-time at line 1, column 19")
    assert.strictEqual(detail("token = 99999999999999999999"), "Integer out of range at line 1, column 29")
    assert.strictEqual(detail("token = it's'at line 1, column 1"), "Invalid value at line 1, column 16")
    assert.include(detail("[a]\n[a]"), "Cannot redefine table 'a'")
  })

  it("reads what it is given, a byte order mark before it included", () => {
    assert.deepStrictEqual(Result.getOrUndefined(TomlText.parse("\ufeffa = { b = [1, \"x\"] }")), {
      a: { b: [1, "x"] }
    })
  })
})
