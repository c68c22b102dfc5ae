/**
 * The TypeScript of the pages that are pasted from. Each block is a file of its own, word for word, which is compiled
 * and run beside this one; or, where the words before it name a file, the next piece of that file.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Fs from "node:fs"

const read = (path: string): string => Fs.readFileSync(new URL(path, import.meta.url), "utf8")

const pages: ReadonlyArray<readonly [page: string, folder: string]> = [
  ["testing-your-application.md", "docs"],
  ["writing-a-venue.md", "harbour"]
]

/** The blocks of a page, each with the last line of text before it. */
const blocksOf = (page: string): ReadonlyArray<{ readonly before: string; readonly code: string }> =>
  Array.from(
    read(`../../../docs/${page}`).matchAll(/([^\n]*)\n+```ts\n([\s\S]*?)\n```/g),
    ([, before = "", code = ""]) => ({ before, code: `${code}\n` })
  )

describe("docs", () => {
  for (const [page, folder] of pages) {
    it(`${page} shows files that compile when they are pasted whole`, () => {
      const files = new Map(
        Fs.readdirSync(new URL(folder, import.meta.url)).map((file) => [
          file,
          read(`${folder}/${file}`)
        ])
      )
      const pieces = new Map<string, Array<string>>()
      for (const { before, code } of blocksOf(page)) {
        const [whole] = [...files].find(([, text]) => text === code) ?? []
        const named = [...before.matchAll(/`(\w+\.ts)`/g)].map(([, file = ""]) => file)
        const file = whole ?? named.find((file) => files.has(file))
        if (file === undefined) return assert.fail(`${page}: neither a file nor said to be a piece of one:\n${code}`)
        pieces.set(file, [...pieces.get(file) ?? [], code])
      }
      assert.deepStrictEqual(
        new Map(Array.from(pieces, ([file, codes]) => [file, codes.join("\n")])),
        new Map(Array.from(pieces.keys(), (file) => [file, files.get(file)]))
      )
      assert.deepStrictEqual([...pieces.keys()].sort(), [...files.keys()].sort())
    })
  }
})
