/**
 * What it takes to import the built package roots, each beside the import of the
 * very modules of others that it uses: what is left is our own.
 */
import { execFileSync } from "node:child_process"
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"
import * as Rounds from "./Rounds.ts"

const workspace = Path.resolve(import.meta.dirname, "..")
execFileSync(process.execPath, ["scripts/build.ts"], { cwd: workspace })

// The packages as they are published: their own exports, and the packages of others beside them.
const root = Fs.mkdtempSync(Path.join(Os.tmpdir(), "tickline-imports-"))
const modules = Path.join(root, "node_modules")
const names = ["core", "testing", "node"]
for (const name of names) {
  const from = Path.join(workspace, "packages", name)
  const to = Path.join(modules, "@tickline", name)
  Fs.cpSync(Path.join(from, "dist"), Path.join(to, "dist"), { recursive: true })
  const published = JSON.parse(Fs.readFileSync(Path.join(from, "package.json"), "utf8"))
  Fs.writeFileSync(
    Path.join(to, "package.json"),
    JSON.stringify({ ...published, exports: published.publishConfig.exports })
  )
  for (const scope of ["effect", "ws", "@effect/platform-node"]) {
    const source = Path.join(from, "node_modules", scope)
    const target = Path.join(modules, scope)
    if (!Fs.existsSync(source) || Fs.existsSync(target)) continue
    Fs.mkdirSync(Path.dirname(target), { recursive: true })
    Fs.symlinkSync(Fs.realpathSync(source), target)
  }
}

/** The modules of others that a module and all of ours under it import. */
const others = (entry: string): ReadonlyArray<string> => {
  const found = new Set<string>()
  const seen = new Set<string>()
  const visit = (path: string): void => {
    if (seen.has(path)) return
    seen.add(path)
    const text = Fs.readFileSync(path, "utf8")
    for (
      const [, specifier = ""] of text.matchAll(/^(?:(?:import|export)\b[^;'"]*?\bfrom|import) ["']([^"']+)["']/gm)
    ) {
      if (specifier.startsWith(".")) visit(Path.resolve(Path.dirname(path), specifier))
      else if (specifier.startsWith("@tickline/")) {
        const [, name = "", ...rest] = specifier.split("/")
        visit(Path.join(modules, "@tickline", name, "dist", rest.length === 0 ? "index.js" : `${rest.join("/")}.js`))
      } else if (!specifier.startsWith("node:")) found.add(specifier)
    }
  }
  visit(entry)
  return [...found].toSorted()
}

const write = (name: string, specifiers: ReadonlyArray<string>): string => {
  const path = Path.join(root, `${name}.mjs`)
  const list = JSON.stringify(specifiers)
  Fs.writeFileSync(
    path,
    `const begun = performance.now()\nawait Promise.all(${list}.map((name) => import(name)))\nconsole.log(performance.now() - begun)\n`
  )
  return path
}

const timed = (path: string) => (): number =>
  Number(execFileSync(process.execPath, ["--no-warnings", path], { cwd: root, encoding: "utf8" }))

const index = (name: string): string => Path.join(modules, "@tickline", name, "dist/index.js")
const results = await Rounds.interleave({
  core: timed(write("core", ["@tickline/core"])),
  underCore: timed(write("under-core", others(index("core")))),
  node: timed(write("node", ["@tickline/node"])),
  underNode: timed(write("under-node", others(index("node"))))
}, { rounds: 9, warmup: 2 })

const millis = (values: ReadonlyArray<number>): string => `${Rounds.median(values).toFixed(0)} ms`

Rounds.report([
  {
    name: "import of core's root ÷ the effect modules that it uses",
    value: Rounds.ratio(results.core, results.underCore),
    unit: "×",
    higher: false,
    must: 1.5,
    goal: 1.2,
    detail: `${millis(results.core)}, without our own ${millis(results.underCore)}`
  },
  {
    name: "import of node's root ÷ the modules of others that it uses",
    value: Rounds.ratio(results.node, results.underNode),
    unit: "×",
    higher: false,
    must: 1.8,
    goal: 1.4,
    detail: `${millis(results.node)}, without our own ${millis(results.underNode)}`
  }
])
Fs.rmSync(root, { recursive: true })
