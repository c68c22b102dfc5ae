/**
 * A venue is its folder, its mock, its lines in `Venues` and `MockVenues` and, where it wants a signature, what signs for
 * it: no other source names it.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Venues from "@tickline/core/venue/Venues"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { workspace } from "./source.ts"

/** Where a venue is an example in words, or the one that a demonstration has, whatever venues there are. */
const examples: ReadonlySet<string> = new Set([
  "packages/node/src/demo/Scenario.ts",
  "packages/node/src/runner/Cli.ts",
  "packages/node/src/runner/ServiceConfig.ts",
  "packages/node/src/runner/Targets.ts",
  "packages/testing/src/simulation/internal/simulatedVenue.ts"
])

/** The text without what is said to readers. */
const withoutComments = (text: string): string => text.replaceAll(/\/\*[^]*?\*\/|(?<=^|\s)\/\/.*$/gm, "")

const files = Fs.globSync("packages/*/src/**/*.ts", { cwd: workspace })
  .map((path) => path.split(Path.sep).join("/"))
  .filter((path) => !path.endsWith("/index.ts") && !path.endsWith("/bin.ts"))
  .map((path) => ({ path, text: withoutComments(Fs.readFileSync(Path.join(workspace, path), "utf8")) }))

const titled = (name: string): string =>
  name.split("-").map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("")

/** The files that name a venue, as it is named in events or as its module is. */
const naming = (name: string): ReadonlyArray<string> => {
  const named = new RegExp(`(?<![\\w-])(?:${name}|(?:Mock)?${titled(name)})(?![\\w-])`)
  return files.filter(({ text }) => named.test(text)).map(({ path }) => path)
}

const own = (name: string): ReadonlyArray<string> => [
  "packages/core/src/venue/Venues.ts",
  "packages/testing/src/venue/MockVenues.ts",
  `packages/testing/src/venue/Mock${titled(name)}.ts`
]

const signing = (name: string): ReadonlyArray<string> =>
  ["Signing", "Jwt"].map((end) => `packages/core/src/session/${titled(name)}${end}.ts`)

/** What converses with it, a mock of that, and who trades there: in a simulation, from a shell, in a stability run. */
const trading = (name: string): RegExp =>
  new RegExp(
    `^packages/(?:core/src/(?:session|trading)/${name}/|` +
      "testing/src/(?:exchange/|simulation/internal/|simulation/TradingSimulation\\.ts$)|" +
      "node/src/(?:runner/(?:Order|Chaos)Command\\.ts$|runner/exchange/|runner/trader/ExchangeConfig\\.ts$|stability/))"
  )

/** Other venues of the same house may name it in an address, and be it by another name, as may their mocks. */
const others = (name: string): ReadonlyArray<string> =>
  naming(name).filter((path) =>
    !/^packages\/(?:core\/src\/venue\/[a-z-]+\/|testing\/src\/venue\/Mock[A-Z])/.test(path) &&
    !own(name).includes(path) && !examples.has(path) &&
    !signing(name).includes(path) && !trading(name).test(path)
  )

describe("what a venue needs", () => {
  // A server of one's own is the usual subject of examples: its name is an everyday word.
  const names = Venues.all.map(({ name }) => name).filter((name) => name !== "generic")
  for (const name of names) {
    it(`${name}: its folder, its mock and two lines`, () => {
      for (const path of own(name)) assert.include(naming(name), path)
      assert.deepStrictEqual(others(name), [])
    })
  }
})
