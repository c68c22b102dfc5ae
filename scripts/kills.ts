/**
 * Kills processes outright, fifty times each, and reads what they left: the tests
 * that the suite has, for more seeds. They record, they store orders, they place
 * orders and they trade, on SQLite and on Postgres.
 *
 *     node scripts/kills.ts [how many]
 */
import { spawnSync } from "node:child_process"
import { workspace } from "./source.ts"

const { status } = spawnSync(
  "node_modules/.bin/vitest",
  ["run", "--config", "vitest.workspace.ts", "Kills.test.ts"],
  { cwd: workspace, stdio: "inherit", env: { ...process.env, TICKLINE_KILLS: process.argv[2] ?? "50" } }
)
process.exitCode = status ?? 1
