/**
 * Builds what is published: ESM and declarations into each package's `dist`,
 * from nothing, so that no file of a module that is gone is packed.
 *
 *     node scripts/build.ts
 */
import { spawnSync } from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { bundle } from "./bundle.ts"
import { workspace } from "./source.ts"

for (const name of Fs.readdirSync(Path.join(workspace, "packages"))) {
  Fs.rmSync(Path.join(workspace, "packages", name, "dist"), { recursive: true, force: true })
}
const { status } = spawnSync("node_modules/.bin/tsc", ["-b", "tsconfig.packages.json"], {
  cwd: workspace,
  stdio: "inherit"
})
process.exitCode = status ?? 1

if (status === 0) await bundle(Path.join(workspace, "packages/core/dist"))
