/** Workspaces of a few files, over which a rule is tried. */
import * as Fs from "node:fs"
import * as Os from "node:os"
import * as Path from "node:path"

/** Writes a file, and the folders that it needs. */
export const write = (root: string, path: string, text: string) => {
  const file = Path.join(root, path)
  Fs.mkdirSync(Path.dirname(file), { recursive: true })
  Fs.writeFileSync(file, text)
}

/** A folder of its own, which whoever made it removes. */
export const temporary = (): string => Fs.mkdtempSync(Path.join(Os.tmpdir(), "tickline-rules-"))

/** Runs a tool over a workspace of these files alone. */
export const over = <A>(files: Readonly<Record<string, string>>, run: (root: string) => A): A => {
  const root = temporary()
  try {
    for (const [path, text] of Object.entries(files)) write(root, path, text)
    return run(root)
  } finally {
    Fs.rmSync(root, { recursive: true })
  }
}
