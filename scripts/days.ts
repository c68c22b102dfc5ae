/**
 * A virtual day of traders at an exchange in trouble for each of 200 seeds: `pnpm days`; of others:
 *
 *     node scripts/days.ts 201..250
 */
import { spawnSync } from "node:child_process"

const [seeds = "1..200"] = process.argv.slice(2)

const { status } = spawnSync(
  "vitest",
  ["run", "--config", "vitest.workspace.ts", "packages/testing/test/ExchangeDays.test.ts"],
  { stdio: "inherit", env: { ...process.env, TICKLINE_SEEDS: seeds } }
)
process.exitCode = status ?? 1
