/** The list of breakages is true to the source, without a run of `mutants`. */
import { assert, describe, it } from "@effect/vitest"
import * as Fs from "node:fs"
import * as Path from "node:path"
import type { Breakage } from "./breakages/Breakage.ts"
import { harmless } from "./harmless.ts"
import { workspace } from "./source.ts"

describe("breakages", () => {
  for (const file of Fs.globSync("scripts/breakages/[a-z]*.ts", { cwd: workspace }).toSorted()) {
    it(`of ${Path.basename(file, ".ts")} break what is there, once, and name a test that is there`, async () => {
      const { breakages }: { readonly breakages: ReadonlyArray<Breakage> } = await import(Path.join(workspace, file))
      const stale = breakages.flatMap((breakage) => {
        const source = Path.join(workspace, breakage.file)
        const times = Fs.existsSync(source) ? Fs.readFileSync(source, "utf8").split(breakage.original).length - 1 : 0
        const isTested = Fs.existsSync(Path.join(workspace, breakage.test[0]))
        return times === 1 && isTested ? [] : [`${breakage.name}: ${times} times in ${breakage.file}`]
      })
      assert.deepStrictEqual(stale, [])
    })
  }
})

describe("harmless changes", () => {
  it("are of what is there", () => {
    const flat = (text: string): string => text.replaceAll(/\s+/g, " ")
    const texts = new Map<string, string>()
    const textOf = (file: string): string => {
      const known = texts.get(file)
      if (known !== undefined) return known
      const source = Path.join(workspace, file)
      const text = Fs.existsSync(source) ? flat(Fs.readFileSync(source, "utf8")) : ""
      texts.set(file, text)
      return text
    }
    const stale = harmless.filter(({ file, original }) => !textOf(file).includes(flat(original)))
    assert.deepStrictEqual(stale.map(({ file, original }) => `${file}: ${original}`), [])
  })
})
