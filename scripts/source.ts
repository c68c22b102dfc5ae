/**
 * The workspace's TypeScript sources as syntax trees, for the scripts that hold
 * a rule, and the form in which such a script reports what it found.
 */
import * as Fs from "node:fs"
import * as Path from "node:path"
import { type EcmaScriptModule, type ParseResult, parseSync } from "oxc-parser"

/** The workspace's root folder. */
export const workspace = Path.resolve(import.meta.dirname, "..")

/** One parsed file. `path` is relative to the root it was read from, with forward slashes. */
export interface Source {
  readonly path: string
  readonly text: string
  readonly program: ParseResult["program"]
  readonly module: EcmaScriptModule
  readonly comments: ParseResult["comments"]
}

/** What a script has found against a rule, and where: `path:line:column`. */
export interface Finding {
  readonly at: string
  readonly message: string
}

/** Parses one text. A syntax error is thrown: no rule can be held over what does not parse. */
export const parse = (path: string, text: string): Source => {
  const { comments, errors, module, program } = parseSync(path, text)
  if (errors.length > 0) throw new Error(`${path}: ${errors.map((error) => error.message).join("; ")}`)
  return { path, text, program, module, comments }
}

/** Parses every TypeScript file under `folders` (relative to `root`), in the order of their names. */
export const read = (root: string, folders: ReadonlyArray<string>): ReadonlyArray<Source> =>
  Fs.globSync(folders.map((folder) => `${folder}/**/*.ts`), { cwd: root })
    .map((path) => path.split(Path.sep).join("/"))
    .toSorted()
    .map((path) => parse(path, Fs.readFileSync(Path.join(root, path), "utf8")))

/** The place of a UTF-16 offset in a source, as editors and terminals link it. */
export const at = (source: Source, offset: number): string => {
  const before = source.text.slice(0, offset)
  const line = before.split("\n").length
  return `${source.path}:${line}:${offset - before.lastIndexOf("\n")}`
}

/** Prints the findings and sets the exit code: 1 where there is one, and `held` is said where there is none. */
export const report = (findings: ReadonlyArray<Finding>, held: string): void => {
  for (const finding of findings) console.error(`${finding.at} ${finding.message}`)
  if (findings.length === 0) return console.log(held)
  console.error(`${findings.length} found`)
  process.exitCode = 1
}
