/**
 * Holds the documentation of the packages: every module has a header with
 * `@since`, and every export of a public module a comment that says something,
 * with exactly one `@category` and one `@since`. And holds that each row of the
 * README's comparison says how it can be checked.
 *
 *     node scripts/docs.ts [root]
 */
import * as Fs from "node:fs"
import * as Path from "node:path"
import { at, type Finding, read, report, type Source, workspace } from "./source.ts"

/** The categories in use: Effect's own, and `venues`. A new one is added here, once, before it is used. */
const categories = new Set([
  "accessors",
  "combinators",
  "constants",
  "constructors",
  "decoding",
  "encoding",
  "error handling",
  "errors",
  "getters",
  "guards",
  "instances",
  "layers",
  "members",
  "models",
  "ordering",
  "predicates",
  "references",
  "running",
  "schemas",
  "services",
  "testing",
  "type IDs",
  "venues"
])

const isPublic = (path: string): boolean => !path.split("/").includes("internal") && !/\/(index|bin)\.ts$/.test(path)

/** The doc comment that ends right before an offset. */
export const docBefore = (source: Source, offset: number): string | undefined =>
  source.comments.find((comment) =>
    comment.type === "Block" && comment.value.startsWith("*") && comment.end <= offset &&
    source.text.slice(comment.end, offset).trim() === ""
  )?.value

/** What is missing from the comment of one export. */
const lacks = (doc: string | undefined): ReadonlyArray<string> => {
  if (doc === undefined) return ["no doc comment"]
  const found: Array<string> = []
  const text = doc.replace(/^\s*\*+ ?/gm, "")
  if (/^\s*(@|$)/.test(text)) found.push("a doc comment without a sentence")
  const named = [...text.matchAll(/^@category +(.+?)\s*$/gm)].map((match) => match[1] ?? "")
  if (named.length !== 1) found.push(`${named.length} @category tags instead of one`)
  for (const name of named) {
    if (!categories.has(name)) found.push(`the category "${name}", which scripts/docs.ts does not list`)
  }
  if ([...text.matchAll(/^@since \d+\.\d+\.\d+$/gm)].length !== 1) found.push("no @since with a version")
  return found
}

/** The names that a statement exports. */
export const namesOf = (node: Source["program"]["body"][number]): ReadonlyArray<string> => {
  if (node.type === "ExportDefaultDeclaration") return ["default"]
  if (node.type === "ExportAllDeclaration") return [`* from ${node.source.value}`]
  if (node.type !== "ExportNamedDeclaration") return []
  const declaration = node.declaration
  if (declaration === null || declaration === undefined) {
    return node.specifiers.map(({ exported }) => exported.type === "Literal" ? exported.value : exported.name)
  }
  if (declaration.type === "VariableDeclaration") {
    return declaration.declarations.map(({ id }) => id.type === "Identifier" ? id.name : "a pattern")
  }
  return "id" in declaration && declaration.id?.type === "Identifier" ? [declaration.id.name] : []
}

/** What the documentation of one source lacks. */
const undocumented = (source: Source): ReadonlyArray<Finding> => {
  // The first line may say why the file is long.
  const header = source.comments.find(({ type }) => type === "Block")
  const found: Array<Finding> = []
  const start = source.program.hashbang?.end ?? 0
  if (
    !header?.value.startsWith("*") ||
    source.text.slice(start, header.start).replace(/^\/\/ Long, .*\n/, "").trim() !== ""
  ) {
    found.push({ at: at(source, 0), message: "no header comment" })
  } else if (!/^\s*\* @since \d+\.\d+\.\d+$/m.test(header.value)) {
    found.push({ at: at(source, 0), message: "no @since in the header comment" })
  }
  // Overloads share the comment of the first, so a name is looked at once for each kind of declaration.
  const seen = new Set<string>()
  for (const node of source.program.body) {
    const kind = node.type === "ExportNamedDeclaration" ? node.declaration?.type ?? "" : ""
    const overload = kind === "FunctionDeclaration" || kind === "TSDeclareFunction"
    for (const name of namesOf(node)) {
      if (overload && seen.has(name)) continue
      if (overload) seen.add(name)
      for (const message of lacks(docBefore(source, node.start))) {
        found.push({ at: at(source, node.start), message: `${name}: ${message}` })
      }
    }
  }
  return found
}

/** The rows of the last table after a heading, each as the text of its cells, with the number of its line. */
const rowsAfter = (text: string, heading: string): ReadonlyArray<{ line: number; cells: ReadonlyArray<string> }> => {
  const lines = text.split("\n")
  const from = lines.indexOf(heading)
  const rest = from === -1 ? [] : lines.slice(from + 1)
  const end = rest.findIndex((line) => line.startsWith("#"))
  const rows = (end === -1 ? rest : rest.slice(0, end)).map((line, index) => ({ line: from + index + 2, text: line }))
  const last = rows.findLastIndex(({ text }) => /^\|[\s|:-]+$/.test(text))
  return rows.slice(last + 1).filter(({ text }) => text.startsWith("|"))
    .map(({ line, text }) => ({ line, cells: text.split("|").slice(1, -1).map((cell) => cell.trim()) }))
}

const readme = "README.md"
const sources = "docs/comparison.md"

/** What the rows of the README's comparison do not say of how they can be checked: our cell, and each peer's. */
const unchecked = (root: string): ReadonlyArray<Finding> => {
  const text = (path: string): string => {
    const file = Path.join(root, path)
    return Fs.existsSync(file) ? Fs.readFileSync(file, "utf8") : ""
  }
  const read = new Map(
    rowsAfter(text(sources), "# Comparison").map(({ cells: [name = "", ...cells] }) => [name, cells])
  )
  return rowsAfter(text(readme), "### Read").flatMap(({ cells: [name = "", , ...cells], line }) => {
    const test = /\]\(([^)]+\.test\.ts)\)/.exec(cells.at(-1) ?? "")?.[1]
    const peers = cells.slice(0, -1)
    const where = read.get(name)
    return [
      ...test === undefined || !Fs.existsSync(Path.join(root, test)) ? ["names no test that is there"] : [],
      ...where === undefined ? [`does not stand in ${sources}`] : [],
      ...where !== undefined && peers.some((cell, index) => cell !== "–" && /^–?$/.test(where[index] ?? ""))
        ? [`has a cell of a peer without its source in ${sources}`]
        : []
    ].map((message) => ({ at: `${readme}:${line}:1`, message: `"${name}" ${message}` }))
  })
}

/** Everything under `root` whose documentation lacks something. */
export const findings = (root: string): ReadonlyArray<Finding> => [
  ...read(root, ["packages/*/src"]).filter(({ path }) => isPublic(path)).flatMap(undocumented),
  ...unchecked(root)
]

if (import.meta.main) {
  report(findings(process.argv[2] ?? workspace), "Every export is documented, and every comparison can be checked.")
}
