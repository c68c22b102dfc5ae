import { assert, describe, it } from "@effect/vitest"
import { NumberRanges, type Step } from "../src/market/internal/numberRanges.ts"

/** The same, by the numbers themselves: which have come, and from which on that is known. */
class Numbers {
  private readonly come = new Set<number>()
  private last: number | undefined

  add(first: number, last: number): Step {
    const numbers = Array.from({ length: last - first + 1 }, (_, i) => first + i)
    const { last: highest } = this
    const areKnown = numbers.every((number) => this.come.has(number))
    for (const number of numbers) this.come.add(number)
    this.last = Math.max(highest ?? last, last)
    if (highest !== undefined && last <= highest) return areKnown ? "seen" : "late"
    return highest === undefined || first <= highest + 1 ? "next" : "gap"
  }

  isMissing(number: number): boolean {
    return this.last !== undefined && number < this.last && number > Math.min(...this.come) && !this.come.has(number)
  }
}

/** Seeded, the same on every machine (a linear congruence). */
const random = (seed: number) => {
  let state = seed
  return (below: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor(state / 4_294_967_296 * below)
  }
}

describe("NumberRanges", () => {
  it("says of each what the numbers themselves say, in any order", () => {
    for (let seed = 1; seed <= 500; seed++) {
      const next = random(seed)
      const [kept, plain] = [new NumberRanges(), new Numbers()]
      for (let i = 0; i < 60; i++) {
        const first = next(60)
        const last = first + next(5)
        assert.strictEqual(kept.add(first, last), plain.add(first, last), `seed ${seed}: ${first} to ${last}`)
        for (let number = 0; number <= 64; number++) {
          assert.strictEqual(kept.isMissing(number), plain.isMissing(number), `seed ${seed}: ${number}`)
        }
      }
    }
  })

  it("knows how many are missing before a gap", () => {
    const kept = new NumberRanges()
    kept.add(5)
    assert.strictEqual(kept.add(9), "gap")
    assert.strictEqual(kept.missingBefore(9), 3)
    assert.strictEqual(kept.before, 5)
    assert.strictEqual(kept.last, 9)
  })

  it("a state is followed by the next number, and what it holds may come late, once", () => {
    const kept = new NumberRanges()
    kept.restart(10)
    assert.strictEqual(kept.add(11, 12), "next")
    assert.strictEqual(kept.add(9), "late")
    assert.strictEqual(kept.add(9), "seen")
    kept.restart(20)
    assert.strictEqual(kept.add(15), "late")
    assert.strictEqual(kept.add(11), "seen")
    assert.strictEqual(kept.add(21), "next")
    // A venue that begins anew.
    kept.restart(3)
    assert.strictEqual(kept.add(4), "next")
    assert.strictEqual(kept.add(6), "gap")
  })

  it("forgets the oldest of what is missing, and then knows nothing of what is before", () => {
    const kept = new NumberRanges()
    for (let number = 0; number <= 4_000; number += 2) kept.add(number)
    assert.strictEqual(kept.add(4_000), "seen")
    assert.strictEqual(kept.add(3_999), "late")
    assert.strictEqual(kept.add(0), "late")
  })
})
