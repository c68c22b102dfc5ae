import { assert, describe, it } from "@effect/vitest"
import * as Integer64 from "../src/value/internal/integer64.ts"

const powers = Array.from({ length: 54 }, (_, exponent) => 2 ** exponent)
const around = powers.flatMap((power) => [power - 1, power, power + 1]).filter(Number.isSafeInteger)

describe("integers of 64 bits", () => {
  it("are those that safe doubles are, of both signs", () => {
    for (const value of [...around, ...around.map((value) => -value), Number.MAX_SAFE_INTEGER]) {
      assert.strictEqual(Integer64.fromSafe(value), BigInt(value))
      assert.strictEqual(Integer64.toNumber(BigInt(value)), Number(BigInt(value)))
    }
  })

  it("are rounded as Number rounds them, of any size", () => {
    for (let bits = 50n; bits < 130n; bits++) {
      for (const less of [-3n, -1n, 0n, 1n, 2n, 1n << (bits - 54n > 0n ? bits - 54n : 0n)]) {
        for (const value of [(1n << bits) + less, -(1n << bits) + less]) {
          assert.strictEqual(Integer64.toNumber(value), Number(value), String(value))
        }
      }
    }
  })

  it("are made of parts of nine digits", () => {
    const parts = [0, 1, 9, 32_767, 32_768, 123_456_789, 999_999_999]
    for (const head of parts) {
      for (const tail of parts) {
        for (const power of [10, 1e5, 1e9]) {
          assert.strictEqual(
            Integer64.fromParts(head, power, tail),
            BigInt(head) * BigInt(power) + BigInt(tail)
          )
        }
      }
    }
  })
})
