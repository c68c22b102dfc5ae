/**
 * Kills a recording process outright, fifty times, and reads what it left: the
 * test that the suite has, for more seeds.
 *
 *     node scripts/kills.ts [how many]
 */
import { spawnSync } from "node:child_process"
import { workspace } from "./source.ts"

const { status } = spawnSync(
  "node_modules/.bin/vitest",
  ["run", "--config", "vitest.workspace.ts", "packages/node/test/runner/Kills.test.ts"],
  { cwd: workspace, stdio: "inherit", env: { ...process.env, TICKLINE_KILLS: process.argv[2] ?? "50" } }
)
process.exitCode = status ?? 1
