/** What the numbers of a connection's frames show to be missing. */
import { assert, describe, it } from "@effect/vitest"
import * as Dydx from "@tickline/core/venue/dydx/Venue"
import { FrameNumbers } from "../src/market/internal/frameNumbers.ts"

describe("dYdX: answers whose numbers are taken early", () => {
  it("what is missing is named when it is told, long after; an answer is waited for 10 s", () => {
    const numbers = new FrameNumbers(Dydx.venue, () => 1)
    const follow = (number: number, now: number) => numbers.follow(`{"message_id":${number}}`, [], now)
    assert.deepStrictEqual([follow(0, 0), follow(2, 1), follow(3, 9_999), follow(4, 10_001)], [
      "next",
      "next",
      "next",
      "break"
    ])
    assert.deepStrictEqual([numbers.from, numbers.to, numbers.missing], [0, 2, 1])
    assert.strictEqual(follow(6, 10_002), "break")
    assert.deepStrictEqual([numbers.from, numbers.to, numbers.missing], [4, 6, 1])
  })
})
