/**
 * Builds what is published: ESM and declarations into each package's `dist`,
 * from nothing, so that no file of a module that is gone is packed.
 *
 * Core has three times as many modules as it has public ones, and each file costs
 * its import: those that only one public module needs stand in its file, and
 * those that several need in shared ones.
 *
 *     node scripts/build.ts
 */
import { build } from "esbuild"
import { spawnSync } from "node:child_process"
import * as Fs from "node:fs"
import * as Path from "node:path"
import { workspace } from "./source.ts"

for (const name of Fs.readdirSync(Path.join(workspace, "packages"))) {
  Fs.rmSync(Path.join(workspace, "packages", name, "dist"), { recursive: true, force: true })
}
const { status } = spawnSync("node_modules/.bin/tsc", ["-b", "tsconfig.packages.json"], {
  cwd: workspace,
  stdio: "inherit"
})
process.exitCode = status ?? 1

if (status === 0) {
  const dist = Path.join(workspace, "packages/core/dist")
  const modules = Fs.globSync("**/*.js", { cwd: dist })
  const isPublic = (path: string): boolean => !path.split(Path.sep).includes("internal")
  const { outputFiles } = await build({
    entryPoints: modules.filter(isPublic).map((path) => Path.join(dist, path)),
    outdir: dist,
    outbase: dist,
    chunkNames: "shared/[hash]",
    bundle: true,
    splitting: true,
    format: "esm",
    platform: "neutral",
    packages: "external",
    sourcemap: true,
    write: false
  })
  for (const path of modules) {
    Fs.rmSync(Path.join(dist, path))
    Fs.rmSync(Path.join(dist, `${path}.map`), { force: true })
  }
  for (const { contents, path } of outputFiles) {
    Fs.mkdirSync(Path.dirname(path), { recursive: true })
    Fs.writeFileSync(path, contents)
  }
}
