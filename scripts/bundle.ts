/**
 * Makes fewer files of core's: it has three times as many modules as it has
 * public ones, and each file costs its import. The modules that the same entry
 * points reach stand in one file, and an entry point reaches more than it needs:
 * of each room that it needs anything of, the public modules that load no module of
 * Effect which it does not load itself.
 *
 * What a bundler need not keep is marked for it, so that it takes of such a file
 * what is used.
 */
import { build } from "esbuild"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { type Node, parseSync } from "oxc-parser"

const isNode = (value: unknown): value is Node =>
  typeof value === "object" && value !== null && "type" in value && typeof value.type === "string"

/** Where the calls stand that are made when the module is loaded, for the value of what it declares. */
const callsOf = (value: unknown): ReadonlyArray<number> => {
  if (Array.isArray(value)) return value.flatMap(callsOf)
  if (!isNode(value) || value.type.includes("Function") || value.type === "StaticBlock") return []
  if (value.type === "PropertyDefinition" && !value.static) return []
  const within = Object.values(value).flatMap(callsOf)
  return value.type === "CallExpression" || value.type === "NewExpression" ? [value.start, ...within] : within
}

/** A module whose declarations may be left out where nothing uses them. */
const marked = (path: string): string => {
  const text = Fs.readFileSync(path, "utf8")
  const declarations = parseSync(path, text).program.body
    .map((statement) => statement.type === "ExportNamedDeclaration" ? statement.declaration : statement)
    .filter((node) => node?.type === "VariableDeclaration" || node?.type === "ClassDeclaration")
  return [...new Set(callsOf(declarations))]
    .toSorted((a, b) => b - a)
    .reduce((marked, at) => `${marked.slice(0, at)}/* @__PURE__ */ ${marked.slice(at)}`, text)
}

/** The same for the namespaces that esbuild makes by a call for its effect; no line moves. */
const markedNamespaces = (text: string): string => {
  const marked = text
    .replace(/^(var __export = [^]*?enumerable: true \}\);)(?=\n\};)/m, "$1 return target;")
    .replaceAll(/^var (\w+) = \{\};\n__export\(\1, \{/gm, "var $1 = /* @__PURE__ */\n__export({}, {")
  if (/^__export\(\w/m.test(marked)) throw new Error("esbuild makes its namespaces in another way than is known here")
  return marked
}

// The shared files are `.mjs`, for which Node does not look for a `package.json` that says what they are; the public
// ones keep the names that they are published by.
const withPublicName = (text: string): string => text.replace(/\.mjs(\.map)?\n?$/, ".js$1")

/** Bundles the modules of a folder in place; its public ones keep their paths. */
export const bundle = async (dist: string): Promise<void> => {
  const modules = Fs.globSync("**/*.js", { cwd: dist })
  const entries = modules.filter((path) => !path.split(Path.sep).includes("internal"))
  const options = {
    absWorkingDir: dist,
    outdir: dist,
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "neutral",
    outExtension: { ".js": ".mjs" },
    write: false
  } as const

  const { metafile: { inputs } } = await build({ ...options, entryPoints: entries, metafile: true })
  const isEffects = (path: string): boolean => path.startsWith("..")
  const needs = (path: string, found = new Set<string>()): Set<string> => {
    if (found.has(path)) return found
    found.add(path)
    for (const needed of inputs[path]?.imports ?? []) needs(needed.path, found)
    return found
  }
  const effects = new Map(entries.map((path) => [path, new Set([...needs(path)].filter(isEffects))]))

  const reached = (entry: string): ReadonlyArray<string> => {
    const loaded = effects.get(entry) ?? new Set()
    const found = new Set<string>()
    const visit = (path: string): void => {
      if (found.has(path) || isEffects(path)) return
      found.add(path)
      for (const needed of inputs[path]?.imports ?? []) visit(needed.path)
      for (const [other, its] of effects) {
        if (Path.dirname(other) === Path.dirname(path) && its.isSubsetOf(loaded)) visit(other)
      }
    }
    visit(entry)
    return [...found]
  }

  const { outputFiles } = await build({
    ...options,
    entryPoints: entries.map((path) => ({ in: `entry:${path}`, out: path.slice(0, -".js".length) })),
    chunkNames: "shared/[hash]",
    packages: "external",
    sourcemap: true,
    plugins: [{
      name: "entries",
      setup: ({ onLoad, onResolve }) => {
        onResolve({ filter: /^entry:/ }, ({ path }) => ({ path: path.slice("entry:".length), namespace: "entry" }))
        onResolve({ filter: /./, namespace: "entry" }, ({ path }) => ({ path, sideEffects: true }))
        onLoad({ filter: /./, namespace: "entry" }, ({ path: entry }) => ({
          contents: reached(entry)
            .map((path) => `${path === entry ? "export * from" : "import"} ${JSON.stringify(Path.join(dist, path))}`)
            .join("\n")
        }))
        onLoad({ filter: /\.js$/, namespace: "file" }, ({ path }) => ({ contents: marked(path) }))
      }
    }]
  })
  for (const path of modules) {
    Fs.rmSync(Path.join(dist, path))
    Fs.rmSync(Path.join(dist, `${path}.map`), { force: true })
  }
  for (const { path, text } of outputFiles) {
    const named = path.startsWith(Path.join(dist, "shared", Path.sep)) ? [path, text] : [path, text].map(withPublicName)
    const [to = path, contents = text] = named
    Fs.mkdirSync(Path.dirname(to), { recursive: true })
    Fs.writeFileSync(to, to.endsWith(".map") ? contents : markedNamespaces(contents))
  }
}
