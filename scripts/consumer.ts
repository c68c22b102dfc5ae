/**
 * Stands in for a user: packs the packages, installs the tarballs in a folder
 * outside the workspace with npm, and there
 *
 * - type-checks the README's first example against the published declarations,
 * - starts the command that the README names above it, and runs the example
 *   against it until it has printed prices,
 * - asks the installed runner for its version,
 * - and imports all of `@tickline/core`, which must load none of Node's modules.
 *
 * The example is the first `ts` fence of README.md, and right above it stands
 * a comment with the runner's command that serves it:
 *
 *     <!-- consumer: simulate coinbase-exchange -->
 *
 * The `wss://` address that the example names is replaced by the address that
 * this command prints.
 *
 *     pnpm build && node scripts/consumer.ts [--keep]
 */
import { type ChildProcess, execFileSync, spawn } from "node:child_process"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import { createInterface } from "node:readline"
import { parseArgs } from "node:util"
import { workspace } from "./source.ts"

/** How many lines with a price the example has to print. */
const enough = 3

/** Milliseconds until the example must have printed them. */
const patience = 30_000

const read = (...path: ReadonlyArray<string>): string => Fs.readFileSync(Path.join(workspace, ...path), "utf8")

/** The version of a development dependency that the workspace has installed. */
const installed = (name: string): string => JSON.parse(read("node_modules", name, "package.json")).version

const example = (): { readonly command: ReadonlyArray<string>; readonly text: string } => {
  const readme = read("README.md")
  const fence = /```ts\n/.exec(readme)
  if (fence === null) throw new Error("README.md has no ts example")
  const marker = /<!-- consumer: (.+?) -->\s*$/.exec(readme.slice(0, fence.index))
  if (marker?.[1] === undefined) throw new Error("README.md: no <!-- consumer: … --> right above the first ts example")
  const start = fence.index + fence[0].length
  const text = readme.slice(start, readme.indexOf("\n```", start) + 1)
  if (!text.includes("wss://")) throw new Error("README.md: the first ts example names no wss:// address to replace")
  return { command: marker[1].split(" "), text }
}

/** Packs every package into a folder; gives the dependencies that install them from there. */
const pack = (folder: string): Readonly<Record<string, string>> => {
  const found: Record<string, string> = {}
  for (const name of Fs.readdirSync(Path.join(workspace, "packages"))) {
    const cwd = Path.join(workspace, "packages", name)
    if (!Fs.existsSync(Path.join(cwd, "dist"))) throw new Error(`packages/${name} is not built: run pnpm build`)
    const { filename } = JSON.parse(
      execFileSync("pnpm", ["pack", "--json", "--pack-destination", folder], { cwd, encoding: "utf8" })
    )
    const files = execFileSync("tar", ["-tf", Path.resolve(folder, filename)], { encoding: "utf8" }).split("\n")
    for (const file of ["package/README.md", "package/LICENSE", "package/dist/index.js", "package/dist/index.d.ts"]) {
      if (!files.includes(file)) throw new Error(`the tarball of packages/${name} lacks ${file}`)
    }
    found[`@tickline/${name}`] = `file:${Path.resolve(folder, filename)}`
  }
  return found
}

const tsconfig = {
  compilerOptions: {
    module: "NodeNext",
    target: "ES2024",
    lib: ["ES2024"],
    strict: true,
    exactOptionalPropertyTypes: true,
    noEmit: true,
    // What a strict user sees of our declarations, and not of those of others.
    skipLibCheck: true,
    types: ["node"]
  },
  files: ["example.ts", "everything.ts"]
}

/** Imports all of core while a hook watches every module that is resolved. */
const graph = `
import { isBuiltin, registerHooks } from "node:module"
const found = []
registerHooks({
  resolve: (specifier, context, next) => {
    if (isBuiltin(specifier)) found.push(specifier + " from " + context.parentURL)
    return next(specifier, context)
  }
})
const core = await import("@tickline/core")
if (Object.keys(core).length === 0) throw new Error("@tickline/core exports nothing")
if (found.length > 0) throw new Error("@tickline/core loads " + found.join(", "))
`

/** The lines of a child's stdout. What it prints on stderr is passed on. */
const lines = (child: ChildProcess): AsyncIterable<string> => {
  if (child.stdout === null) throw new Error("a child without stdout")
  return createInterface({ input: child.stdout })
}

const start = (cwd: string, command: string, args: ReadonlyArray<string>): ChildProcess =>
  spawn(command, args, { cwd, stdio: ["ignore", "pipe", "inherit"] })

const ended = (child: ChildProcess): Promise<void> =>
  new Promise((resolve) =>
    child.exitCode !== null || child.signalCode !== null ? resolve() : child.once("exit", () => resolve())
  )

/** Runs the example against a mock venue until it has printed enough prices; gives the lines with them. */
const prices = async (app: string, command: ReadonlyArray<string>, text: string): Promise<ReadonlyArray<string>> => {
  const server = start(app, "node_modules/.bin/tickline", command)
  let client: ChildProcess | undefined
  const late = setTimeout(() => {
    console.error(`no ${enough} prices within ${patience / 1000} s`)
    client?.kill()
    server.kill()
  }, patience)
  try {
    const found: Array<string> = []
    for await (const line of lines(server)) {
      const { url } = JSON.parse(line)
      if (typeof url !== "string") throw new Error(`tickline ${command.join(" ")} printed no address first: ${line}`)
      Fs.writeFileSync(Path.join(app, "example.ts"), text.replaceAll(/wss:\/\/[^"'`\s]+/g, url))
      break
    }
    client = start(app, process.execPath, ["example.ts"])
    for await (const line of lines(client)) {
      if (/^\w+-\w+ .*\d\.\d/.test(line)) found.push(line)
      if (found.length === enough) break
    }
    return found
  } finally {
    clearTimeout(late)
    client?.kill()
    server.kill()
    await Promise.all([ended(server), ...client ? [ended(client)] : []])
  }
}

const { values } = parseArgs({ options: { keep: { type: "boolean" } } })
const folder = Fs.mkdtempSync(Path.join(Os.tmpdir(), "tickline-consumer-"))
try {
  const { command, text } = example()
  const app = Path.join(folder, "app")
  Fs.mkdirSync(app)
  const tarballs = pack(folder)
  const write = (path: string, content: string) => Fs.writeFileSync(Path.join(app, path), content)
  write(
    "package.json",
    JSON.stringify({
      private: true,
      type: "module",
      dependencies: {
        ...tarballs,
        effect: installed("effect"),
        "@effect/platform-node": installed("@effect/platform-node"),
        ws: installed("ws")
      },
      devDependencies: {
        typescript: installed("typescript"),
        "@types/node": installed("@types/node"),
        "@types/ws": installed("@types/ws")
      }
    })
  )
  write("tsconfig.json", JSON.stringify(tsconfig))
  write("example.ts", text)
  write("graph.mjs", graph)
  write(
    "everything.ts",
    // By name: modules of two packages may share one.
    ["core", "testing", "testing/node", "node", "node/runner"]
      .map((name) => `export * as ${name.replace("/", "_")} from "@tickline/${name}"\n`).join("")
  )
  const run = (file: string, ...args: ReadonlyArray<string>) =>
    execFileSync(file, args, { cwd: app, encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] })
  run("npm", "install", "--prefer-offline", "--no-audit", "--no-fund", "--no-package-lock", "--loglevel=error")
  console.log("installed", Object.keys(tarballs).join(", "))
  execFileSync("node_modules/.bin/tsc", ["-p", "."], { cwd: app, stdio: "inherit" })
  console.log("the README's example and every entry point type-check")
  run(process.execPath, "graph.mjs")
  console.log("@tickline/core loads no module of Node's")
  console.log("tickline --version:", run("node_modules/.bin/tickline", "--version").trim())
  const found = await prices(app, command, text)
  if (found.length < enough) throw new Error(`the README's example printed ${found.length} prices instead of ${enough}`)
  console.log(`the README's example printed:\n${found.map((line) => `  ${line}`).join("\n")}`)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
} finally {
  if (values.keep) console.log(`kept ${folder}`)
  else Fs.rmSync(folder, { recursive: true, force: true })
}
