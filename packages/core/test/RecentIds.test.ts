import { assert, describe, it } from "@effect/vitest"
import { RecentIds } from "../src/market/internal/recentIds.ts"

describe("RecentIds", () => {
  it("knows an id that has come, whatever it is, and in whatever order they came", () => {
    let state = 7
    const next = (below: number): number => {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
      return state % below
    }
    const [ids, plain] = [new RecentIds(), new Set<string>()]
    for (let i = 0; i < 2_000; i++) {
      const id = next(10) === 0 ? `0x${next(100)}` : String(next(3) === 0 ? next(400) : i)
      assert.strictEqual(ids.add(id), plain.has(id), `${i}: ${id}`)
      plain.add(id)
      if (plain.size > 900) break
    }
  })

  it("remembers the last thousand of those that rise, and of the others", () => {
    const ids = new RecentIds()
    for (let i = 0; i < 3_000; i++) assert.isFalse(ids.add(String(i)))
    for (let i = 2_000; i < 3_000; i++) assert.isTrue(ids.add(String(i)), String(i))
    for (let i = 0; i < 1_500; i++) assert.isFalse(ids.add(`a${i}`))
    for (let i = 500; i < 1_500; i++) assert.isTrue(ids.add(`a${i}`), String(i))
  })
})
