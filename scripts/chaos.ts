/**
 * An hour of chaos of each of 200 seeds at each venue: `pnpm chaos`; some of them at some venues:
 *
 *     node scripts/chaos.ts 1..50 kraken,dydx
 */
import { spawnSync } from "node:child_process"

const [
  seeds = "1..200",
  venues = "coinbase,coinbase-exchange,binance,kraken,deribit,coinbase-derivatives,hyperliquid,dydx"
] = process.argv
  .slice(2)

let failed = 0
for (const venue of venues.split(",")) {
  const { status } = spawnSync(
    "vitest",
    ["run", "--config", "vitest.workspace.ts", "packages/testing/test/ChaosBooks.test.ts"],
    { stdio: "inherit", env: { ...process.env, TICKLINE_SEEDS: seeds, TICKLINE_VENUE: venue } }
  )
  if (status !== 0) failed++
}
process.exitCode = failed
