import { assert, describe, it } from "@effect/vitest"
import { SnapshotBuffer } from "../src/market/internal/snapshotBuffer.ts"

const bufferOf = (most: number, ...numbers: ReadonlyArray<number>) => {
  const buffer = new SnapshotBuffer<{ readonly sequence: string }>(most)
  for (const number of numbers) buffer.keep({ sequence: `${number}` })
  return buffer
}

const kept = (buffer: ReturnType<typeof bufferOf>) => buffer.behind({}, () => true)?.map(({ sequence }) => sequence)

describe("SnapshotBuffer", () => {
  it("keeps changes in their order, until it is cleared", () => {
    const buffer = bufferOf(4, 1, 2, 4)
    assert.isFalse(buffer.isEmpty)
    assert.deepStrictEqual(kept(buffer), ["1", "2", "4"])
    buffer.clear()
    assert.isTrue(buffer.isEmpty)
    assert.deepStrictEqual(kept(buffer), [])
  })

  it("keeps none of too many: what follows them is of use, what came before is not", () => {
    assert.deepStrictEqual(kept(bufferOf(3, 1, 2, 3)), ["1", "2", "3"])
    assert.deepStrictEqual(kept(bufferOf(3, 1, 2, 3, 4)), ["4"])
  })

  it("gives up what jumped ahead of a change, and nothing else", () => {
    assert.deepStrictEqual(kept(bufferOf(8, 1, 2, 900, 901, 3)), ["1", "2", "3"])
    assert.deepStrictEqual(kept(bufferOf(8, 1, 2, 2)), ["1", "2"])
  })

  it("asks of the first that is newer than the snapshot whether it follows", () => {
    const asked: Array<string> = []
    const buffer = bufferOf(8, 5, 6, 7, 8)
    const follows = (answer: boolean) => ({ sequence }: { readonly sequence: string }) => {
      asked.push(sequence)
      return answer
    }
    assert.isUndefined(buffer.behind({ sequence: "6" }, follows(false)))
    assert.strictEqual(buffer.behind({ sequence: "6" }, follows(true))?.length, 4)
    assert.strictEqual(buffer.behind({ sequence: "8" }, follows(false))?.length, 4)
    assert.deepStrictEqual(asked, ["7", "7"])
  })
})
