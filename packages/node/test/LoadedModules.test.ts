/** Which modules of ours a process loads, as seen by Node itself. */
import { assert, describe, it } from "@effect/vitest"
import { spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"

const here = fileURLToPath(new URL(".", import.meta.url))
const bin = fileURLToPath(new URL("../src/bin.ts", import.meta.url))

// Watches what is resolved, and tells it at the end on a stream of its own.
const hooks = `data:text/javascript,${
  encodeURIComponent(`
    import { registerHooks } from "node:module"
    import { writeSync } from "node:fs"
    const found = new Set()
    registerHooks({
      resolve: (specifier, context, next) => {
        const resolved = next(specifier, context)
        found.add(resolved.url)
        return resolved
      }
    })
    process.on("exit", () => writeSync(2, "\\nLOADED " + JSON.stringify([...found]) + "\\n"))
  `)
}`

/** The modules of our packages that were loaded, as `node/NodeTransport.ts`. */
const loaded = (...args: ReadonlyArray<string>): ReadonlyArray<string> => {
  const { stderr } = spawnSync(process.execPath, ["--no-warnings", "--import", hooks, ...args], {
    cwd: here,
    encoding: "utf8",
    env: { ...process.env, NODE_DISABLE_COMPILE_CACHE: "1" }
  })
  const list = /\nLOADED (.*)\n/.exec(stderr)?.[1]
  if (list === undefined) return assert.fail(stderr)
  const urls: ReadonlyArray<string> = JSON.parse(list)
  return urls.flatMap((url) => {
    const [, path] = /\/packages\/((?:core|testing|node)\/src\/.*)$/.exec(url) ?? []
    return path === undefined ? [] : [path.replace("/src", "")]
  }).toSorted()
}

const importing = (name: string) => loaded("--input-type=module", "-e", `await import("${name}")`)

describe("a process", () => {
  it("that imports @tickline/node loads the transport, and neither runner nor mocks", () => {
    const modules = importing("@tickline/node")
    assert.deepStrictEqual(modules.filter((path) => path.startsWith("testing/") || path.includes("/runner/")), [])
    assert.include(modules, "node/NodeTransport.ts")
    assert.deepStrictEqual(
      modules.filter((path) => path.startsWith("core/") && !/^core\/(transport|value)\//.test(path)),
      []
    )
  }, 30_000)

  it("that imports @tickline/node/runner loads no mocks", () => {
    const modules = importing("@tickline/node/runner")
    assert.include(modules, "node/runner/Runner.ts")
    assert.deepStrictEqual(modules.filter((path) => path.startsWith("testing/")), [])
  }, 30_000)

  it("that runs another command than simulate and demo loads no mocks", () => {
    const modules = loaded(bin, "venues")
    assert.include(modules, "node/runner/VenueTable.ts")
    assert.deepStrictEqual(modules.filter((path) => path.startsWith("testing/")), [])
  }, 30_000)
})
