/** The list of breakages is true to the source, without a run of `mutants`. */
import { assert, describe, it } from "@effect/vitest"
import * as Fs from "node:fs"
import * as Path from "node:path"
import type { Breakage } from "./breakages/Breakage.ts"
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
