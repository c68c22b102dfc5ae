/**
 * A virtual day of five traders at three exchanges in trouble for each of 200 seeds, in parts of ten:
 * `pnpm trading-days`; of others, or in other parts:
 *
 *     node scripts/tradingDays.ts 201..250 25
 */
import { spawnSync } from "node:child_process"

const [seeds = "1..200", parts = "10"] = process.argv.slice(2)
const [first = 1, last = first] = seeds.split("..").map(Number)

const failed: Array<string> = []
for (let from = first; from <= last; from += Number(parts)) {
  const part = `${from}..${Math.min(from + Number(parts) - 1, last)}`
  const { status } = spawnSync(
    "vitest",
    ["run", "--config", "vitest.workspace.ts", "packages/testing/test/TradingDays.test.ts", "-t", "seed"],
    { stdio: "inherit", env: { ...process.env, TICKLINE_SEEDS: part } }
  )
  if (status !== 0) failed.push(part)
}
if (failed.length > 0) console.error(`failed among ${failed.join(", ")}`)
process.exitCode = failed.length > 0 ? 1 : 0
