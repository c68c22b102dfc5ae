import { assert } from "@effect/vitest"
import { readFileSync } from "node:fs"

const dedent = (text: string): string => {
  const lines = text.split("\n")
  const margin = Math.min(...lines.filter((line) => line.trim() !== "").map((line) => line.search(/\S/)))
  return lines.map((line) => line.slice(margin)).join("\n").trim()
}

/**
 * Asserts that a page of `docs/` shows every `// #region` of the files, word for word, and no other TypeScript.
 */
export const assertShown = (page: string, files: ReadonlyArray<URL>): void => {
  const shown = readFileSync(new URL(`../../../docs/${page}`, import.meta.url), "utf8")
  const regions = files.flatMap((file) => [
    ...readFileSync(file, "utf8").matchAll(/^ *\/\/ #region (\S+)\n([\s\S]*?)^ *\/\/ #endregion$/gm)
  ])
  assert.isAbove(regions.length, 4)
  for (const [, name, code = ""] of regions) {
    assert.isTrue(shown.includes(`\`\`\`ts\n${dedent(code)}\n\`\`\``), `${page} does not show the region ${name}`)
  }
  assert.strictEqual([...shown.matchAll(/^```ts$/gm)].length, regions.length)
}
