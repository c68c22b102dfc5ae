/**
 * Type-checks packages, tests, examples and scripts, with Effect's own
 * diagnostics (a floating effect, a missing `return yield*`, …) as errors.
 *
 * The compiler is the build of TypeScript that `@effect/tsgo` carries for the
 * installed version, run from where it lies: nothing is patched, so nothing
 * has to be restored.
 *
 *     node scripts/check.ts [project]
 */
import { execFileSync, spawnSync } from "node:child_process"
import { workspace } from "./source.ts"

/** Where the build for the installed TypeScript lies; fails where there is none for it. */
const compiler = (): string =>
  execFileSync("node_modules/.bin/effect-tsgo", ["get-exe-path"], { cwd: workspace, encoding: "utf8" }).trim()

/**
 * Checks one project and all that it refers to; gives the compiler's exit
 * code. `--force`, because an incremental run keeps a file's diagnostics when
 * only the project's options have changed.
 */
export const check = (project: string, stdio: "inherit" | "pipe" = "inherit") =>
  spawnSync(compiler(), ["-b", project, "--force"], { cwd: workspace, stdio, encoding: "utf8" })

if (import.meta.main) {
  const { error, status } = check(process.argv[2] ?? "tsconfig.json")
  if (error) throw error
  if (status === 0) console.log("Types and Effect diagnostics: no errors.")
  process.exitCode = status ?? 1
}
