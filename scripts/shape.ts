/**
 * Holds what can be said of a file by itself and of all of them together: how
 * long it is, that no two errors of the project have the same tag, that every
 * property is tested by a seed that is written down, and how many names users see.
 *
 *     node scripts/shape.ts [root]
 */
import * as Fs from "node:fs"
import * as Path from "node:path"
import { Visitor } from "oxc-parser"
import { modules } from "./barrels.ts"
import { namesOf } from "./docs.ts"
import { at, type Finding, parse, read, report, type Source, workspace } from "./source.ts"

/** A file of more lines says why on its first one. */
const mostLines = 500

const reason = /^\/\/ Long, because \S.{8,}/

/** Where the length of a file is looked at. */
const folders = ["packages/*/src", "packages/*/test", "scripts", "examples", "benchmarks"]

const lengths = (root: string): ReadonlyArray<Finding> =>
  Fs.globSync(folders.map((folder) => `${folder}/**/*.ts`), { cwd: root, exclude: (path) => path === "node_modules" })
    .map((path) => path.split(Path.sep).join("/"))
    .toSorted()
    .flatMap((path) => {
      const lines = Fs.readFileSync(Path.join(root, path), "utf8").trimEnd().split("\n")
      const isLong = lines.length > mostLines && !reason.test(lines[0] ?? "")
      return isLong
        ? [{
          at: `${path}:${mostLines + 1}:1`,
          message: `${lines.length} lines: split it, or begin it with "// Long, because …" (more than ${mostLines})`
        }]
        : []
    })

/** The tags of the errors that a source declares: `Schema.TaggedError<Self>()("Tag", …)` and its kin. */
const tagsOf = (source: Source): ReadonlyArray<{ readonly tag: string; readonly at: string }> => {
  const found: Array<{ readonly tag: string; readonly at: string }> = []
  const isTaggedError = (
    node: { readonly type: string; readonly property?: unknown; readonly name?: unknown }
  ): boolean =>
    node.type === "MemberExpression"
      ? /\bTaggedError(Class)?$/.test(source.text.slice(0, Number(Reflect.get(node, "end"))))
      : node.type === "Identifier" && /^TaggedError(Class)?$/.test(String(node.name))
  new Visitor({
    CallExpression: (node) => {
      const inner = node.callee.type === "CallExpression" ? node.callee.callee : node.callee
      const [first] = node.arguments
      if (!isTaggedError(inner) || first?.type !== "Literal" || typeof first.value !== "string") return
      found.push({ tag: first.value, at: at(source, first.start) })
    }
  }).visit(source.program)
  return found
}

const tags = (root: string): ReadonlyArray<Finding> => {
  const places = new Map<string, string>()
  return read(root, ["packages/*/src"]).flatMap(tagsOf).flatMap(({ at, tag }) => {
    const other = places.get(tag)
    if (other === undefined) places.set(tag, at)
    return other === undefined ? [] : [{ at, message: `the tag "${tag}" is that of another error, at ${other}` }]
  })
}

/** Where a property is tested without a seed of its own: what it is tested on would be another thing at every run. */
const unseeded = (source: Source): ReadonlyArray<Finding> => {
  const found: Array<Finding> = []
  new Visitor({
    CallExpression: ({ arguments: given, callee, start }) => {
      if (callee.type !== "MemberExpression" || !/^it\b.*\.prop$/s.test(source.text.slice(callee.start, callee.end))) {
        return
      }
      const options = given[3]
      if (options !== undefined && /\bseed\b/.test(source.text.slice(options.start, options.end))) return
      found.push({ at: at(source, start), message: "a property without a seed: give it { arbitrary: { seed } }" })
    }
  }).visit(source.program)
  return found
}

const seeds = (root: string): ReadonlyArray<Finding> => read(root, ["packages/*/test"]).flatMap(unseeded)

/** How many names `@tickline/core` may export: each is one that a user has to read past. */
export const mostNames = 840

const core = "packages/core/src"

/** How many names the modules of core export; a type and a value of one name are one. */
const countNames = (root: string): number =>
  modules(Path.join(root, core), []).reduce((count, [, path]) => {
    const source = parse(path, Fs.readFileSync(Path.join(root, core, path), "utf8"))
    return count + new Set(source.program.body.flatMap(namesOf)).size
  }, 0)

const names = (root: string): ReadonlyArray<Finding> => {
  const count = countNames(root)
  return count <= mostNames ? [] : [{
    at: `${core}/index.ts:1:1`,
    message: `${count} public names (more than ${mostNames}): what only core uses stands in an internal folder`
  }]
}

/** Everything under `root` that is too long, tagged like another error, without a seed, or too much to choose from. */
export const misshapen = (root: string): ReadonlyArray<Finding> => [
  ...lengths(root),
  ...tags(root),
  ...seeds(root),
  ...names(root)
]

if (import.meta.main) {
  const root = process.argv[2] ?? workspace
  const held = `Files are short, errors have tags and properties seeds of their own; core has ${
    countNames(root)
  } public names.`
  report(misshapen(root), held)
}
