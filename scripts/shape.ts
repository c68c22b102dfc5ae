/**
 * Holds what can be said of a file by itself and of all of them together: how
 * long it is, and that no two errors of the project have the same tag.
 *
 *     node scripts/shape.ts [root]
 */
import * as Fs from "node:fs"
import * as Path from "node:path"
import { Visitor } from "oxc-parser"
import { at, type Finding, read, report, type Source, workspace } from "./source.ts"

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

/** Everything under `root` that is too long, or tagged like another error. */
export const misshapen = (root: string): ReadonlyArray<Finding> => [...lengths(root), ...tags(root)]

if (import.meta.main) {
  report(misshapen(process.argv[2] ?? workspace), "Files are short, and errors have tags of their own.")
}
