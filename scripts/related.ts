/**
 * Which tests can notice a change of a module: those that import it, directly
 * or by others, the nearest first.
 */
import { createRequire } from "node:module"
import * as Path from "node:path"
import { read, type Source, workspace } from "./source.ts"

/** Suites that find by mass what the others find by aim, or that hold the documentation: not asked about a change. */
const leftOut = /\/(Chaos\w*|Fuzz|Jit|docs)\.test\.ts$|\/interleavings\//

/** What opens real sockets takes real time, and is asked only about the modules that do so. */
const socketed = (path: string): boolean => /\/node\/|\/MockServer(\.\w+)?\.test\.ts$/.test(path)

const require = createRequire(import.meta.url)

/** The folders whose modules are changed, and those with the tests that are to notice. */
export const changed = ["packages/core/src", "packages/testing/src"]
const tested = ["packages/core/test", "packages/testing/test"]

/** The file that an import means, relative to the workspace; none for what is not ours. */
const target = (from: string, request: string): string | undefined => {
  if (request.startsWith(".")) return Path.posix.join(Path.posix.dirname(from), request)
  const folder = /^@tickline\/(core|testing)(\/|$)/.exec(request)?.[1]
  if (folder === undefined) return undefined
  return Path.relative(workspace, require.resolve(request, { paths: [Path.join(workspace, Path.dirname(from))] }))
}

/** What a module needs at run time: its imports and re-exports that are no types. */
const imports = (source: Source): ReadonlyArray<string> => {
  const { staticExports, staticImports } = source.module
  const requests = [
    ...staticImports.filter(({ entries }) => entries.length === 0 || entries.some(({ isType }) => !isType))
      .map(({ moduleRequest }) => moduleRequest.value),
    ...staticExports.flatMap(({ entries }) =>
      entries.flatMap(({ isType, moduleRequest }) => isType || moduleRequest === null ? [] : [moduleRequest.value])
    )
  ]
  return requests.flatMap((request) => target(source.path, request) ?? [])
}

/** The word by which a test names a module: `CircuitBreaker.property.test.ts` is of `CircuitBreaker.ts`. */
const wordOf = (path: string): string => /^\w+/.exec(Path.basename(path))?.[0] ?? ""

/**
 * The test files of each changed module with their distance: 0 where the test
 * has the module's name, else the number of imports between them.
 */
export const related = (): (file: string) => ReadonlyMap<string, number> => {
  const sources = read(workspace, [...changed, ...tested])
  const importers = new Map<string, Array<string>>()
  for (const source of sources) {
    for (const imported of imports(source)) {
      importers.set(imported, [...(importers.get(imported) ?? []), source.path])
    }
  }
  return (file) => {
    const distances = new Map([[file, 0]])
    for (const [path, distance] of distances) {
      for (const importer of importers.get(path) ?? []) {
        if (!distances.has(importer)) distances.set(importer, distance + 1)
      }
    }
    return new Map(
      [...distances].filter(([path]) => path.endsWith(".test.ts") && !leftOut.test(path))
        .filter(([path]) => socketed(file) || !socketed(path))
        .map(([path, distance]) => [path, wordOf(path) === wordOf(file) ? 0 : distance])
    )
  }
}
