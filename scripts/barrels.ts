/**
 * Writes the packages' entry points: one `export * as Name` for each public
 * module, and the paths of those of `@tickline/testing` in its `package.json`.
 * `--check` writes nothing and fails where one is out of date.
 *
 *     node scripts/barrels.ts [--check] [root]
 */
import * as Fs from "node:fs"
import * as Path from "node:path"
import { parseArgs } from "node:util"
import { type Finding, report, workspace } from "./source.ts"

/** One entry point: the modules under `folder`, without those that `excluded` names. */
export const barrels: ReadonlyArray<{
  readonly folder: string
  readonly summary: string
  readonly excluded: ReadonlyArray<string>
}> = [
  {
    folder: "packages/core/src",
    summary:
      "Exact market data over connections that survive: every module of `@tickline/core` but those that sign, and what keeps accounts, routes orders and decides on them.",
    // They bring the curves and a venue's whole schema along, which a program that only listens need not load.
    excluded: [
      "actor/",
      "session/CoinbaseExchangeSigning.ts",
      "session/CoinbaseJwt.ts",
      "session/Signer.ts",
      "session/deribit/",
      "strategy/",
      "trading/Clearing.ts",
      "trading/Lot.ts",
      "trading/MemoryStorage.ts",
      "trading/NonceStore.ts",
      "trading/OrderRouter.ts",
      "trading/Portfolio.ts",
      "trading/Reconciliation.ts",
      "trading/Risk.ts",
      "trading/RouteError.ts",
      "trading/Routing.ts",
      "trading/RoutingStrategy.ts",
      "trading/SqlStorage.ts",
      "trading/Storage.ts",
      "trading/StorageError.ts",
      "trading/coinbase/",
      "trading/deribit/",
      "trading/dydx/",
      "trading/hyperliquid/",
      "trading/paper/"
    ]
  },
  {
    folder: "packages/testing/src",
    summary:
      "A virtual network and fault plans on Effect's clock: every module of `@tickline/testing` that needs no Node.",
    excluded: ["node/"]
  },
  {
    folder: "packages/testing/src/exchange",
    summary: "Mock exchanges that trade: every module of `@tickline/testing/exchange`.",
    excluded: []
  },
  {
    folder: "packages/testing/src/node",
    summary: "What opens real sockets: every module of `@tickline/testing/node`.",
    excluded: []
  },
  {
    folder: "packages/node/src",
    summary: "What an application on Node needs: every module of `@tickline/node` but the runner's.",
    // Both bring Effect's HTTP along, which a program that has no page and asks nothing need not load.
    excluded: [
      "bin.ts",
      "Health.ts",
      "NodeHttp.ts",
      "RedisGovernor.ts",
      "runner/",
      "demo/",
      "simulate/",
      "stability/",
      "chaos/",
      "store/"
    ]
  },
  {
    // What the runner loads only when it simulates stands beside it.
    folder: "packages/node/src/runner",
    summary: "The parts of the runner `tickline`: every module of `@tickline/node/runner`.",
    excluded: []
  }
]

/**
 * The name of a module is its file's, and that of a venue its folder's: that of
 * `venue/coinbase-exchange/Venue.ts` is `CoinbaseExchange`.
 */
const nameOf = (path: string): string => {
  const venue = /^venue\/([a-z-]+)\/Venue\.ts$/.exec(path)?.[1]
  if (venue === undefined) return Path.posix.basename(path, ".ts")
  return venue.split("-").map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("")
}

/** What a venue is made of: its value is what others use. */
const isPart = (path: string): boolean => /^venue\/[a-z-]+\/(?:Messages|Symbols)\.ts$/.test(path)

/**
 * The public modules under a folder, by name: PascalCase files outside every
 * `internal` folder, but the parts of venues. Two of one name could not both be
 * exported.
 */
export const modules = (folder: string, excluded: ReadonlyArray<string>): ReadonlyArray<readonly [string, string]> => {
  const found = new Map<string, string>()
  for (const path of Fs.globSync("**/*.ts", { cwd: folder }).map((path) => path.split(Path.sep).join("/")).toSorted()) {
    if (Path.posix.basename(path) === "index.ts" || path.split("/").includes("internal")) continue
    if (excluded.some((prefix) => path.startsWith(prefix)) || isPart(path)) continue
    const name = nameOf(path)
    if (!/^[A-Z][A-Za-z0-9]*$/.test(name)) throw new Error(`${folder}/${path}: a public module is one noun, PascalCase`)
    const twin = found.get(name)
    if (twin !== undefined) throw new Error(`${folder}: ${twin} and ${path} are both ${name}`)
    found.set(name, path)
  }
  return [...found].toSorted(([a], [b]) => a < b ? -1 : 1)
}

/** What the barrel says of a module: the first paragraph of its header comment, and its version. */
const summaryOf = (path: string): string => {
  const header = /^(?:#!.*\n|\/\/ Long, .*\n\s*)?\/\*\*\s*\n([\s\S]*?)\*\//.exec(Fs.readFileSync(path, "utf8"))?.[1]
  const since = header && /@since (\S+)/.exec(header)?.[1]
  if (!header || !since) throw new Error(`${path}: no header comment with @since`)
  const lines = header.split("\n").map((line) => line.replace(/^\s*\*? ?/, ""))
  const end = lines.findIndex((line) => line === "" || line.startsWith("@"))
  const summary = lines.slice(0, end).join("\n * ").replace(/:$/, ".")
  return `/**\n * ${summary}\n *\n * @since ${since}\n */\n`
}

/** The text of each entry point under `root`, by its path. */
export const texts = (root: string): ReadonlyMap<string, string> =>
  new Map(barrels.map(({ excluded, folder, summary }) => {
    const header =
      `// Long, because it has an entry for each module.\n/**\n * ${summary}\n *\n * Generated by scripts/barrels.ts; do not edit.\n *\n * @since 0.1.0\n */\n`
    const blocks = modules(Path.join(root, folder), excluded).map(([name, path]) =>
      `${summaryOf(Path.join(root, folder, path))}export * as ${name} from "./${path}"\n`
    )
    return [`${folder}/index.ts`, [header, ...blocks.length > 0 ? blocks : ["export {}\n"]].join("\n")]
  }))

/**
 * A package whose modules are reached by their names, whatever folder they stand in: `@tickline/testing/MockKraken` is
 * `src/venue/MockKraken.ts`. Its `package.json` has a line for each.
 */
const named = { folder: "packages/testing", excluded: ["node/"] }

interface Manifest {
  readonly exports: Readonly<Record<string, unknown>>
  readonly publishConfig: { readonly exports: Readonly<Record<string, unknown>> }
}

const manifest = (root: string): ReadonlyArray<readonly [path: string, text: string]> => {
  const path = `${named.folder}/package.json`
  const file = Path.join(root, path)
  if (!Fs.existsSync(file)) return []
  const current: Manifest = JSON.parse(Fs.readFileSync(file, "utf8"))
  const found = modules(Path.join(root, named.folder, "src"), named.excluded)
  // Those of modules are written anew; the package's others stay as they are, before them.
  const others = (exports: Manifest["exports"]) =>
    Object.entries(exports).filter(([key]) => !/^\.\/[A-Z]\w*$/.test(key))
  const text = {
    ...current,
    exports: Object.fromEntries([
      ...others(current.exports),
      ...found.map(([name, path]) => [`./${name}`, `./src/${path}`])
    ]),
    publishConfig: {
      ...current.publishConfig,
      exports: Object.fromEntries([
        ...others(current.publishConfig.exports),
        ...found.map(([name, path]) => {
          const built = `./dist/${path.replace(/\.ts$/, "")}`
          return [`./${name}`, { types: `${built}.d.ts`, default: `${built}.js` }]
        })
      ])
    }
  }
  return [[path, `${JSON.stringify(text, undefined, 2)}\n`]]
}

/** Everything that this script writes under `root`, by its path. */
export const written = (root: string): ReadonlyMap<string, string> => new Map([...texts(root), ...manifest(root)])

/** What is written under `root` and is not what the modules make it. */
export const stale = (root: string): ReadonlyArray<Finding> =>
  [...written(root)].flatMap(([path, text]) => {
    const file = Path.join(root, path)
    const current = Fs.existsSync(file) ? Fs.readFileSync(file, "utf8") : undefined
    return current === text ? [] : [{ at: `${path}:1:1`, message: "is out of date: run node scripts/barrels.ts" }]
  })

if (import.meta.main) {
  const { positionals, values } = parseArgs({ allowPositionals: true, options: { check: { type: "boolean" } } })
  const root = positionals[0] ?? workspace
  if (values.check) report(stale(root), "Entry points are current.")
  else {
    for (const [path, text] of written(root)) {
      Fs.mkdirSync(Path.dirname(Path.join(root, path)), { recursive: true })
      Fs.writeFileSync(Path.join(root, path), text)
    }
  }
}
