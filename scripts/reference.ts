/**
 * Writes the API reference, `docs/reference/`: a page for each entry point, with
 * every public module, and of every export what it is and what its comment
 * says. `--check` writes nothing and fails where a page is out of date.
 *
 *     node scripts/reference.ts [--check]
 */
import * as Fs from "node:fs"
import * as Path from "node:path"
import { parseArgs } from "node:util"
import { barrels, modules } from "./barrels.ts"
import { docBefore, namesOf } from "./docs.ts"
import { type Finding, parse, report, type Source, workspace } from "./source.ts"

/** What a comment says, without its frame: the words, and the value of each tag. */
const read = (comment: string): { readonly words: string; readonly category: string | undefined } => {
  const lines = comment.replace(/^\*+/, "").split("\n").map((line) => line.replace(/^\s*\* ?/, "").trimEnd())
  const end = lines.findIndex((line) => /^@(category|since)\b/.test(line))
  const words = lines.slice(0, end < 0 ? undefined : end).join("\n").trim()
  return {
    words,
    category: lines.map((line) => /^@category +(.+)$/.exec(line)?.[1]).find((found) => found !== undefined)
  }
}

/** The text of a declaration up to the body of its function, which is nobody's concern. */
const signatureOf = (source: Source, node: Source["program"]["body"][number]): string => {
  const whole = source.text.slice(node.start, node.end)
  if (node.type !== "ExportNamedDeclaration") return whole
  const { declaration } = node
  let end = node.end
  if (declaration?.type === "VariableDeclaration") {
    const init = declaration.declarations[0]?.init
    if (init?.type === "ArrowFunctionExpression") end = init.body.start
    else if (init?.type === "CallExpression" && init.arguments[0]?.type === "FunctionExpression") {
      end = init.arguments[0].body?.start ?? end
    } else if (init !== null && init !== undefined && declaration.declarations[0]?.id.end !== undefined) {
      // A value is shown as far as one line shows it.
      const first = source.text.indexOf("\n", init.start)
      if (first >= 0 && first < node.end) return `${source.text.slice(node.start, first).replace(/[({[]?\s*$/, "")} …`
    }
  } else if (declaration?.type === "FunctionDeclaration") {
    end = declaration.body?.start ?? end
  }
  return source.text.slice(node.start, end).replace(/\s*(=>)?\s*$/, "").replace(/^export (declare )?/, "")
}

const anchor = (name: string): string => name.toLowerCase()

const pageOf = (root: string, { excluded, folder, summary }: (typeof barrels)[number]): string => {
  const found = modules(Path.join(root, folder), excluded)
  const out = [
    `# ${summary.replace(/:.*$/, "").replace(/\.$/, "")}`,
    "",
    "Made by `scripts/reference.ts` from the sources.",
    ""
  ]
  out.push(found.map(([name]) => `[${name}](#${anchor(name)})`).join(" · "), "")
  for (const [name, path] of found) {
    const source = parse(`${folder}/${path}`, Fs.readFileSync(Path.join(root, folder, path), "utf8"))
    const header = source.comments.find(({ type }) => type === "Block")
    const link = Path.posix.relative("docs/reference", `${folder}/${path}`)
    out.push(`## ${name}`, "", `[${folder}/${path}](${link})`, "", read(header?.value ?? "").words, "")
    const seen = new Set<string>()
    for (const node of source.program.body) {
      for (const exported of namesOf(node)) {
        const { category, words } = read(docBefore(source, node.start) ?? "")
        const isKnown = seen.has(exported)
        if (!isKnown) out.push(`### ${name}.${exported}`, "", ...(category === undefined ? [] : [`_${category}_`, ""]))
        out.push("```ts", signatureOf(source, node), "```", "", ...(words === "" ? [] : [words, ""]))
        seen.add(exported)
      }
    }
  }
  return `${out.join("\n").trimEnd()}\n`
}

/** The pages, by their paths. */
export const pages = (root: string): ReadonlyMap<string, string> =>
  new Map(barrels.map((barrel) => {
    const name = barrel.folder.replace("packages/", "").replace("/src", "").replace("/", "-")
    return [`docs/reference/${name}.md`, pageOf(root, barrel)]
  }))

/** The pages under `root` that are not what the sources make them. */
export const outdated = (root: string): ReadonlyArray<Finding> =>
  [...pages(root)].flatMap(([path, text]) => {
    const file = Path.join(root, path)
    const isCurrent = Fs.existsSync(file) && Fs.readFileSync(file, "utf8") === text
    return isCurrent ? [] : [{ at: `${path}:1:1`, message: "is out of date: run node scripts/reference.ts" }]
  })

if (import.meta.main) {
  const { values } = parseArgs({ options: { check: { type: "boolean" } } })
  if (values.check) report(outdated(workspace), "The reference is current.")
  else {
    for (const [path, text] of pages(workspace)) {
      Fs.mkdirSync(Path.dirname(Path.join(workspace, path)), { recursive: true })
      Fs.writeFileSync(Path.join(workspace, path), text)
    }
  }
}
